//! One contract suite over every way in which a provider hands mail over. What was heard is the table of
//! `docs/PROVIDERS.md`; a provider without a column fails.

mod ways;

use bytes::Bytes;
use http::{Method, Request};
use postern::{
    door::{Door, Doors, Provider},
    secrets::SecretSource,
    settings::{Settings, SettingsSource},
};
use postern_webhook::App;
use serde_json::json;

pub(in crate::providers) use self::ways::WAYS;
use self::ways::Way;
use super::octets;
use crate::{
    doors::{
        Encoding, MAILGUN_KEY, POSTMARK_LOGIN, SENDGRID_KEY, SENDGRID_LOGIN, SendGrid, hear,
        raw::{RAW_BEARER, RAW_KEY, Raw},
        sns::{Sns, certificate_host, listening},
    },
    harness::{call::Service, fault::Fault, wire::Wire},
    world::{World, mail},
};

/// Everything that lets somebody in; `before` stand the keys that are being rotated in.
pub(super) fn secret(before: bool) -> String {
    let keys = |key: &str| if before { json!([format!("new-{key}"), key]) } else { json!([key]) };
    json!({
        "mailgun": { "signing_keys": keys(MAILGUN_KEY) }, "postmark": { "credentials": keys(POSTMARK_LOGIN) },
        "sendgrid": { "verification_keys": keys(SENDGRID_KEY), "credentials": keys(SENDGRID_LOGIN) },
        "raw": { "hmac_keys": keys(RAW_KEY), "bearer_keys": keys(RAW_BEARER) },
    })
    .to_string()
}

const BLANK: &str = r#"{"mailgun": {"signing_keys": ["", " "]}, "postmark": {"credentials": [" "]},
    "sendgrid": {"verification_keys": [""], "credentials": [" "]}, "raw": {"hmac_keys": [" "], "bearer_keys": [""]}}"#;

/// What is the matter with a request, or around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Good,
    Again,
    Reply,
    OtherDelivery,
    OutOfOffice,
    NotUtf8,
    Large,
    Forged,
    Unproven,
    Stale,
    Future,
    TokenReused,
    Rotated,
    BlankKeys,
    NoKeys,
    NoMail,
    WrongType,
    Garbage,
    OtherWebhook,
    StorageDown,
    SwitchedOff,
    UnknownMailbox,
    WrongMethod,
}

const CASES: [(Case, &str); 23] = [
    (Case::Good, "good"),
    (Case::Again, "the same request again"),
    (Case::Reply, "a reply to it"),
    (Case::OtherDelivery, "the same mail, delivered anew"),
    (Case::OutOfOffice, "an automatic reply"),
    (Case::NotUtf8, "octets that are not UTF-8"),
    (Case::Large, "4 MB of request"),
    (Case::Forged, "forged"),
    (Case::Unproven, "no proof"),
    (Case::Stale, "a proof of the day before yesterday"),
    (Case::Future, "a proof of the day after tomorrow"),
    (Case::TokenReused, "a used token with another body"),
    (Case::Rotated, "the key before the newest"),
    (Case::BlankKeys, "only blank keys set"),
    (Case::NoKeys, "no key set"),
    (Case::NoMail, "proven, without a mail"),
    (Case::WrongType, "a field of another type"),
    (Case::Garbage, "garbage"),
    (Case::OtherWebhook, "a request for another webhook"),
    (Case::StorageDown, "storage down"),
    (Case::SwitchedOff, "door switched off"),
    (Case::UnknownMailbox, "a mailbox that is not there"),
    (Case::WrongMethod, "GET"),
];

impl Case {
    /// True where nothing may be stored, whatever the way.
    fn leaves_nothing(self) -> bool {
        use Case as C;
        let refused = matches!(self, C::Forged | C::Unproven | C::Stale | C::Future | C::BlankKeys | C::NoKeys);
        refused
            || matches!(self, C::OtherWebhook | C::StorageDown | C::SwitchedOff | C::UnknownMailbox | C::WrongMethod)
    }

    /// The requests that lead to it; the last one is judged. `None` where there is no such thing.
    fn requests(self, way: Way) -> Option<Vec<Request<Bytes>>> {
        let first = || way.good("first", &octets("o"));
        let one = |request: Request<Bytes>| Some(vec![request]);
        match self {
            Self::Good | Self::Rotated | Self::BlankKeys | Self::NoKeys | Self::StorageDown | Self::SwitchedOff => {
                one(first())
            }
            Self::Again => Some(vec![first(), first()]),
            Self::Reply => {
                Some(vec![first(), way.good("second", &mail("r", "cust").reply_to(&["o"]).date(2).octets("r"))])
            }
            Self::OtherDelivery => Some(vec![first(), way.good("second", &octets_elsewhere())]),
            Self::OutOfOffice => {
                one(way.good("held", &mail("h", "cust").field("Auto-Submitted: auto-replied").octets("h")))
            }
            Self::NotUtf8 => way.holds_octets().then(|| vec![way.good("latin", &latin1())]),
            Self::Large => one(way.good("large", &large(way))),
            Self::Forged => one(way.forged(&octets("f"))),
            Self::Unproven => one(way.unproven(&octets("f"))),
            Self::Stale => way.proven_at(&octets("f"), -49).map(|request| vec![request]),
            Self::Future => way.proven_at(&octets("f"), 49).map(|request| vec![request]),
            Self::TokenReused => way.has_token().then(|| vec![first(), way.good("first", &octets("another"))]),
            Self::NoMail => one(way.without_mail()),
            Self::WrongType => way.of_wrong_type(&octets("t")).map(|request| vec![request]),
            Self::Garbage => one(way.garbage()),
            Self::OtherWebhook => way.other_webhook().map(|request| vec![request]),
            Self::UnknownMailbox => {
                let mut request = first();
                *request.uri_mut() = format!("/inbound/{}/elsewhere", way.provider().name()).parse().unwrap();
                one(request)
            }
            Self::WrongMethod => {
                let mut request = first();
                *request.method_mut() = Method::GET;
                one(request)
            }
        }
    }

    fn secret(self) -> String {
        match self {
            Self::BlankKeys => BLANK.to_owned(),
            Self::NoKeys => "{}".to_owned(),
            other => secret(other == Self::Rotated),
        }
    }
}

fn octets_elsewhere() -> Vec<u8> {
    mail("o", "cust").octets("another Received line")
}

fn latin1() -> Vec<u8> {
    let mut latin1 = mail("l", "cust").field("Content-Type: text/plain; charset=iso-8859-1").octets("l");
    latin1.extend_from_slice(b"Gr\xFC\xDFe\r\n\x80\r\n");
    latin1
}

/// As large as Lambda lets the request of this way be, less a little.
fn large(way: Way) -> Vec<u8> {
    let mut large = octets("large");
    let line = [b"x".repeat(76), b"\r\n".to_vec()].concat();
    large.extend(line.iter().copied().cycle().take(way.largest()));
    large
}

/// A door for every way, with the retry queue behind it.
pub(super) fn open(world: &World, wire: &Wire, secret: &str) -> App {
    let app = crate::doors::door_with(world.door_over(wire), SecretSource::Text(secret.to_owned()));
    listening(app, world, &certificate_host())
}

/// Every forgery that the way's own tests know.
pub(super) fn forgeries(way: Way, mime: &[u8]) -> Vec<(&'static str, Request<Bytes>)> {
    match way.provider() {
        Provider::Mailgun => super::Way::Mailgun(Encoding::Multipart).forgeries(mime),
        Provider::Postmark => super::Way::Postmark.forgeries(mime),
        Provider::Sendgrid => SendGrid::raw(mime).forgeries(),
        Provider::Ses => Sns::forgeries(mime),
        Provider::Raw => Raw::forgeries(mime),
        Provider::Imap => unreachable!("no request comes through a polled door"),
    }
}

fn door_for(world: &World, wire: &Wire, case: Case, way: Way) -> App {
    let app = open(world, wire, &case.secret());
    let unlisted = way.provider() == Provider::Ses && matches!(case, Case::BlankKeys | Case::NoKeys);
    if !unlisted && case != Case::SwitchedOff {
        return app;
    }
    let door = Door { enabled: case != Case::SwitchedOff, ..Door::own(way.provider()) };
    let topics = if unlisted { Vec::new() } else { door.topics.clone() };
    let doors = Doors::new(vec![Door { topics, ..door }], &world.mailboxes).unwrap();
    let settings = Settings { mailboxes: world.mailboxes.clone(), doors, ..Settings::default() };
    App { settings: SettingsSource::fixed(settings, app.ingest.ambient.clone()), ..app }
}

/// What is heard, as it stands in the table: status, and `status` or `error` of the body.
async fn heard(case: Case, way: Way, world: &World) -> String {
    let none = || "-".to_owned();
    if case == Case::Rotated && !way.has_keys() {
        return none();
    }
    let Some(mut requests) = case.requests(way) else { return none() };
    let wire = Wire::new();
    let app = door_for(world, &wire, case, way);
    let judged = requests.pop().unwrap();
    for request in requests {
        assert_eq!(hear(&app, request).await.status, 200, "{case:?} {way:?}");
    }
    let before = world.stored().await;
    if case == Case::StorageDown {
        for service in [Service::S3, Service::DynamoDb, Service::Sqs] {
            wire.fail_service(service, Fault::ServerError);
        }
    }
    let heard = hear(&app, judged).await;
    let said = if heard.body["status"].is_string() { heard.text("status") } else { heard.text("error") };
    assert!(heard.status == 200 || !heard.text("message").is_empty(), "{case:?} {way:?}: a refusal says why in words");
    // 200 for a mail has a row behind it; what is refused leaves nothing at all.
    let told_only = heard.status != 200 || said == "other-webhook";
    let after = world.stored().await;
    assert_eq!(after == before, told_only || case == Case::Again, "{case:?} {way:?}: {:?}", heard.body);
    format!("{} {said}", heard.status)
}

/// The table of the guide: its rows, each as its cells.
fn written() -> Vec<Vec<String>> {
    const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/PROVIDERS.md");
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let (_, rest) = document.split_once("<!-- suite -->\n").unwrap();
    let (table, _) = rest.split_once("<!-- /suite -->").unwrap();
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    table.lines().map(cells).collect()
}

/// Holds what is heard of a way against its column.
async fn column(way: Way) {
    let written = written();
    let at = written[0].iter().position(|name| name == way.name()).expect("it has a column");
    let refusals = World::new().await;
    for (row, (case, _)) in written.iter().skip(2).zip(CASES) {
        let heard = if case.leaves_nothing() {
            heard(case, way, &refusals).await
        } else {
            heard(case, way, &World::new().await).await
        };
        assert_eq!(row[at], heard, "docs/PROVIDERS.md, {way:?}: {}", row[0]);
    }
}

#[test]
fn every_provider_is_in_the_suite() {
    for provider in Provider::ALL {
        assert!(WAYS.iter().any(|way| way.provider() == provider), "{provider:?} has no fixtures");
    }
    let written = written();
    let names: Vec<&str> = written.iter().skip(2).map(|row| row[0].as_str()).collect();
    assert_eq!(names, CASES.map(|(_, name)| name), "every case has a row");
    assert_eq!(written[0][1..], WAYS.map(|way| way.name().to_owned()), "every way has a column");
}

/// One test a way, so that they run side by side.
macro_rules! columns {
    ($($name:ident: $way:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                column(Way::$way).await;
            }
        )*

        #[test]
        fn every_column_is_tested() {
            assert_eq!([$(Way::$way),*], WAYS);
        }
    };
}

columns! {
    mailgun_raw: MailgunRaw,
    mailgun_parsed: MailgunParsed,
    mailgun_store: MailgunStore,
    postmark_raw: PostmarkRaw,
    postmark_parsed: PostmarkParsed,
    sendgrid_raw: SendgridRaw,
    sendgrid_parsed: SendgridParsed,
    sns: Sns,
    raw_signed: RawSigned,
    raw_bearer: RawBearer,
}
