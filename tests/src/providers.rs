//! Providers, each by itself, and all of them in one contract suite (`suite.rs`; DESIGN sections 6, 7 and 10).

mod logs;
mod mailgun;
mod mailgun_parsed;
mod postmark;
mod postmark_parsed;
mod raw;
mod secrets;
mod sendgrid;
mod sns;
mod suite;
mod twins;

use bytes::Bytes;
use http::{Method, Request, header};
use postern::{ingest::Ingest, providers::Provider, secrets::SecretSource, store::Store};
use postern_cli::engines::{Engines, TABLE};
use serde_json::json;

use crate::{
    doors::{Encoding, Form, Heard, MAILGUN_KEY, POSTMARK_LOGIN, Postmark, door, door_with, hear, operator},
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
    pub(super) fn forgeries(self, mime: &[u8]) -> Vec<(&'static str, Request<Bytes>)> {
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
