//! One contract suite, run over every way in which a provider hands mail over (DESIGN sections 6, 7 and 10).

mod logs;
mod mailgun;
mod mailgun_parsed;
mod postmark;
mod postmark_parsed;
mod raw;
mod secrets;
mod sendgrid;
mod sns;
mod twins;

use bytes::Bytes;
use http::{Method, Request, header};
use postern::{ingest::Ingest, providers::Provider, secrets::SecretSource, store::Store};
use postern_cli::engines::{Engines, TABLE};
use serde_json::json;

use crate::{
    doors::{Encoding, Form, Heard, MAILGUN_KEY, POSTMARK_LOGIN, Postmark, door, door_with, hear, operator, post},
    harness::wire::Wire,
    world::{World, mail, text},
};

/// How mail is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Mailgun(Encoding),
    Postmark,
}

const WAYS: [Way; 3] = [Way::Mailgun(Encoding::Multipart), Way::Mailgun(Encoding::Urlencoded), Way::Postmark];

impl Way {
    fn provider(self) -> Provider {
        match self {
            Self::Mailgun(_) => Provider::Mailgun,
            Self::Postmark => Provider::Postmark,
        }
    }

    /// A good request of one delivery.
    fn good(self, delivery: &str, mime: &[u8]) -> Request<Bytes> {
        match self {
            Self::Mailgun(encoding) => Form::mailgun(encoding, delivery, mime).request(),
            Self::Postmark => Postmark::new(delivery, std::str::from_utf8(mime).unwrap()).request(),
        }
    }

    /// The requests of somebody who is not the provider, each with what is wrong.
    fn forgeries(self, mime: &[u8]) -> Vec<(&'static str, Request<Bytes>)> {
        match self {
            Self::Mailgun(encoding) => {
                let good = Form::mailgun(encoding, "forged", mime);
                let signature = |value: &str| good.clone().set("signature", value.as_bytes()).request();
                vec![
                    ("another key", good.clone().signed("key-api", crate::world::now(), "forged").request()),
                    ("another token", good.clone().set("token", b"0123").request()),
                    ("another timestamp", good.clone().set("timestamp", b"1793610001").request()),
                    ("no hex", signature("zz")),
                    ("half a signature", signature("5bdcc146bf60754e")),
                    ("an empty signature", signature("")),
                    ("no signature", good.clone().without("signature").request()),
                    ("no token", good.clone().without("token").request()),
                    ("no timestamp", good.clone().without("timestamp").request()),
                ]
            }
            Self::Postmark => {
                let mime = String::from_utf8_lossy(mime);
                let login = |login| Postmark::new("forged", &mime).login(login).request();
                let header = |value: &'static str| {
                    let mut request = login(None);
                    request.headers_mut().insert(header::AUTHORIZATION, value.parse().unwrap());
                    request
                };
                vec![
                    ("another password", login(Some("postern:wrong"))),
                    ("no password", login(Some("postern"))),
                    ("blank", login(Some(""))),
                    ("a blank more", login(Some(&format!("{POSTMARK_LOGIN} ")))),
                    ("no credentials", login(None)),
                    ("another scheme", header("Bearer cG9zdGVybg==")),
                    ("no base64", header("Basic !!!")),
                    ("the scheme only", header("Basic")),
                ]
            }
        }
    }
}

fn octets(name: &str) -> Vec<u8> {
    mail(name, "cust").octets(name)
}

#[test]
fn every_provider_is_in_the_suite() {
    for provider in Provider::ALL {
        assert!(WAYS.iter().any(|way| way.provider() == provider), "{provider:?} has no fixtures");
    }
}

/// HTTP status, and `status` or `error` of the body.
type Expected = (u16, &'static str);

/// DESIGN section 6, as it is heard by Mailgun and by Postmark.
const STATUS_TABLE: [(Situation, Expected, Expected); 12] = [
    (Situation::Created, (200, "created"), (200, "created")),
    (Situation::Matched, (200, "matched"), (200, "matched")),
    (Situation::Duplicate, (200, "duplicate"), (200, "duplicate")),
    (Situation::Held, (200, "held"), (200, "held")),
    (Situation::BadCredentials, (401, "unauthorized"), (401, "unauthorized")),
    (Situation::NoCredentials, (401, "unauthorized"), (401, "unauthorized")),
    (Situation::AuthenticatedUnreadable, (200, "failed"), (200, "failed")),
    (Situation::Garbage, (400, "malformed"), (200, "failed")),
    (Situation::OtherWebhook, (406, "other-webhook"), (200, "other-webhook")),
    (Situation::TokenWithAnotherBody, (200, "held"), (200, "created")),
    (Situation::NotConfigured, (503, "not-configured"), (503, "not-configured")),
    (Situation::StorageDown, (503, "unavailable"), (503, "unavailable")),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Situation {
    Created,
    Matched,
    Duplicate,
    Held,
    BadCredentials,
    NoCredentials,
    AuthenticatedUnreadable,
    Garbage,
    OtherWebhook,
    TokenWithAnotherBody,
    NotConfigured,
    StorageDown,
}

impl Situation {
    /// The requests that lead to it; the last one is judged.
    fn requests(self, way: Way) -> Vec<Request<Bytes>> {
        let good = |delivery: &str, octets: Vec<u8>| way.good(delivery, &octets);
        let first = good("first", octets("o"));
        match self {
            Self::Created | Self::NotConfigured | Self::StorageDown => vec![first],
            Self::Matched => vec![first, good("second", mail("r", "cust").reply_to(&["o"]).date(2).octets("r"))],
            Self::Duplicate => vec![first, good("second", mail("o", "cust").octets("another Received line"))],
            Self::Held => vec![good("held", mail("h", "cust").field("Auto-Submitted: auto-replied").octets("h"))],
            Self::BadCredentials => vec![way.forgeries(&octets("f")).remove(0).1],
            Self::NoCredentials => {
                let forgeries = way.forgeries(&octets("f"));
                let without = forgeries
                    .into_iter()
                    .filter(|(what, _)| what.starts_with("no signature") || *what == "no credentials");
                vec![without.map(|(_, request)| request).next().unwrap()]
            }
            Self::AuthenticatedUnreadable => vec![match way {
                Way::Mailgun(encoding) => Form::mailgun(encoding, "u", b"").without("body-mime").request(),
                Way::Postmark => Postmark::new("u", "").with_body("{}"),
            }],
            Self::Garbage => vec![match way {
                Way::Mailgun(_) => post("/inbound/mailgun/mime", "multipart/form-data; boundary=x", "garbage"),
                Way::Postmark => Postmark::new("g", "").with_body("garbage"),
            }],
            Self::OtherWebhook => vec![match way {
                Way::Mailgun(_) => mailgun::tracking_event(MAILGUN_KEY),
                Way::Postmark => Postmark::new("d", "").set("RecordType", json!("Delivery")).request(),
            }],
            Self::TokenWithAnotherBody => vec![first, good("first", octets("another"))],
        }
    }

    /// True where a ledger row must stand behind the answer.
    fn leaves_a_row(status: u16, word: &str) -> bool {
        status == 200 && word != "other-webhook"
    }
}

#[tokio::test]
async fn the_status_table() {
    for (situation, mailgun, postmark) in STATUS_TABLE {
        for way in WAYS {
            let (status, word) = if way == Way::Postmark { postmark } else { mailgun };
            let world = World::new().await;
            let keys: &[&str] = if situation == Situation::NotConfigured { &[] } else { &[MAILGUN_KEY] };
            let logins: &[&str] = if situation == Situation::NotConfigured { &[] } else { &[POSTMARK_LOGIN] };
            let app = door_with(world.over(&Wire::new()), SecretSource::Text(operator(keys, logins)));
            let mut requests = situation.requests(way);
            let judged = requests.pop().unwrap();
            for request in requests {
                assert_eq!(hear(&app, request).await.status, 200);
            }
            let before = world.items("MAIL#").await.len();
            if situation == Situation::StorageDown {
                world.engines.stop().await;
                let heard = hear(&app, judged).await;
                assert_eq!((heard.status, heard.text("error")), (status, word), "{situation:?} {way:?}");
                continue;
            }
            let heard = hear(&app, judged).await;
            let said = if heard.body["status"].is_string() { heard.text("status") } else { heard.text("error") };
            assert_eq!((heard.status, said), (status, word), "{situation:?} {way:?}: {:?}", heard.body);
            assert!(heard.status == 200 || !heard.text("message").is_empty(), "a refusal says why in words");
            let rows = world.items("MAIL#").await.len() - before;
            assert_eq!(rows, usize::from(Situation::leaves_a_row(status, word)), "{situation:?} {way:?}");
        }
    }
}

#[tokio::test]
async fn good_mail_opens_a_ticket_and_a_retry_hears_the_same() {
    for way in WAYS {
        let world = World::new().await;
        let app = door(&world);
        let first = hear(&app, way.good("delivery", &octets("o"))).await;
        assert_eq!((first.status, first.text("status"), first.text("outcome")), (200, "created", "created_new"));
        assert_eq!((first.body["ticket_id"].as_u64(), first.text("ticket_number")), (Some(1), "INC-00001"));
        for _ in 0..2 {
            let again = hear(&app, way.good("delivery", &octets("o"))).await;
            assert!(again.reasons().contains(&"seen-before"), "{way:?} {:?}", again.body);
            assert_eq!(without_reasons(&again), without_reasons(&first), "{way:?}");
        }
        assert_eq!((world.tickets().await, world.items("MAIL#").await.len()), (1, 1), "{way:?}");
        let raw = world.ingest.blobs.get(&text(world.items("MAIL#").await.values().next().unwrap(), "raw_key")).await;
        assert_eq!(raw.unwrap(), octets("o"), "{way:?}: the raw object is what was written");
    }
}

fn without_reasons(heard: &Heard) -> serde_json::Value {
    let mut body = heard.body.clone();
    body["reasons"] = json!(null);
    body
}

#[tokio::test]
async fn forged_requests_are_refused_and_leave_nothing() {
    for way in WAYS {
        let world = World::new().await;
        let app = door(&world);
        let before = world.stored().await;
        for (what, request) in way.forgeries(&octets("f")) {
            let heard = hear(&app, request).await;
            // Never 403 to Postmark, never 406 to Mailgun: both end the retries that a badly rotated key needs.
            assert_eq!(heard.status, 401, "{way:?} {what}: {:?}", heard.body);
            assert!(heard.headers.contains_key(header::WWW_AUTHENTICATE), "{way:?} {what}");
        }
        assert_eq!(world.stored().await, before, "{way:?}");
    }
}

#[tokio::test]
async fn methods_and_paths_that_are_not_ours() {
    let world = World::new().await;
    let app = door(&world);
    let before = world.stored().await;
    for way in WAYS {
        for method in [Method::GET, Method::PUT, Method::HEAD, Method::DELETE, Method::OPTIONS] {
            let mut request = way.good("m", &octets("m"));
            *request.method_mut() = method.clone();
            let heard = hear(&app, request).await;
            assert_eq!(heard.status, 405, "{way:?} {method}");
            assert_eq!(heard.headers[header::ALLOW], "POST");
        }
        let word = way.provider().name();
        for path in [
            "nobody",
            "",
            &format!("{word}/elsewhere"),
            &format!("{word}?mailbox=elsewhere"),
            &format!("{word}?mailbox="),
            &format!("{word}/UPPER"),
            &format!("{word}/support/more"),
            &format!("{word}/%00"),
        ] {
            let mut request = way.good("p", &octets("p"));
            *request.uri_mut() = format!("/inbound/{path}").parse().unwrap();
            let heard = hear(&app, request).await;
            assert_eq!(heard.status, 404, "{way:?} {path}: {:?}", heard.body);
            assert!(!heard.text("message").is_empty(), "{path}");
        }
    }
    assert_eq!(world.stored().await, before);
}

#[tokio::test]
async fn a_mailbox_in_path_or_query_wins() {
    for way in WAYS {
        let world = World::with(vec![
            crate::world::mailbox("billing", "billing@us.example", "BIL"),
            crate::world::mailbox("support", crate::world::SUPPORT, "INC"),
        ]);
        let world = world.await;
        let app = door(&world);
        for (n, path) in ["billing", "billing/mime", "mime?mailbox=billing", "?a=b&mailbox=billing"].iter().enumerate()
        {
            let mut request = way.good(&format!("{n}"), &octets(&format!("p{n}")));
            let slash = if path.starts_with('?') { "" } else { "/" };
            *request.uri_mut() = format!("/inbound/{}{slash}{path}", way.provider().name()).parse().unwrap();
            let heard = hear(&app, request).await;
            assert_eq!(heard.text("ticket_number"), format!("BIL-{:05}", n + 1), "{way:?} {path} {:?}", heard.body);
        }
    }
}

/// Engines of one directory, as a stack that went down and came back.
async fn back_up(directory: &std::path::Path, world: &World) -> (Engines, Ingest) {
    let engines = Engines::start(Some(directory)).await.unwrap();
    let (dynamodb, s3) = engines.clients(None);
    let old = &world.ingest;
    let store = Store::new(dynamodb, TABLE, old.ambient.clone());
    let ingest = Ingest { store, blobs: postern::blobs::Blobs::new(s3, postern_cli::engines::BUCKET), ..old.clone() };
    (engines, ingest)
}

#[tokio::test]
async fn storage_down_claims_nothing_and_the_retry_makes_one_ticket() {
    for way in WAYS {
        let directory = tempfile::tempdir().unwrap();
        let world = World::new().await;
        let secret = || SecretSource::Text(operator(&[MAILGUN_KEY], &[POSTMARK_LOGIN]));
        let (engines, ingest) = back_up(directory.path(), &world).await;
        engines.stop().await;
        let down = door_with(ingest, secret());
        for _ in 0..2 {
            let heard = hear(&down, way.good("delivery", &octets("o"))).await;
            assert_eq!((heard.status, heard.text("error")), (503, "unavailable"), "{way:?} {:?}", heard.body);
        }
        let (engines, ingest) = back_up(directory.path(), &world).await;
        let world = World { engines, ingest: ingest.clone(), mailboxes: world.mailboxes.clone() };
        assert_eq!(world.items("").await.len(), 0, "{way:?}: nothing is claimed for mail that is not safe");
        let up = door_with(ingest, secret());
        let heard = hear(&up, way.good("delivery", &octets("o"))).await;
        assert_eq!((heard.status, heard.text("status")), (200, "created"), "{way:?} {:?}", heard.body);
        assert_eq!((world.tickets().await, world.items("MAIL#").await.len()), (1, 1));
    }
}
