//! The sample events of `events/` for the HTTP door: each goes through `lambda_http`'s own deserialisation into the handler and gets its
//! documented answer. A sample nobody expects anything of fails, so that none can rot.

use std::{collections::BTreeSet, path::PathBuf};

use bytes::Bytes;
use jiff::Timestamp;
use lambda_http::Body;
use postern::{
    address::AddrSpec,
    ambient::Ambient,
    blobs::Blobs,
    ingest::Ingest,
    mailbox::{Mailbox, MailboxId, Mailboxes},
    secrets::{SecretSource, signing_keys},
    store::Store,
};
use postern_cli::{
    engines::{BUCKET, Engines, TABLE},
    sources::retry_queue,
};
use postern_webhook::App;
use serde_json::Value;

/// The clock at which `events/README.md` says the samples were signed.
const SIGNED_AT: i64 = 1_793_600_000;
/// The operator's secret that `events/README.md` documents.
const OPERATOR: &str = r#"{"mailgun":{"signing_keys":["key-events-samples"]},"postmark":{"credentials":["events:samples"]},
    "sendgrid":{"credentials":["events:samples"]},"raw":{"bearer_keys":["events-samples-bearer-key"]},
    "escalated":{"inbound_secrets":["events-samples-shared-secret"]}}"#;

/// File, status, place in the answer, what stands there.
const EXPECTED: [(&str, u16, &str, &str); 17] = [
    ("webhook-escalated-curl", 200, "/outcome", "created_new"),
    ("webhook-mailgun-bad-signature", 401, "/error", "unauthorized"),
    ("webhook-mailgun-mime", 200, "/outcome", "created_new"),
    ("webhook-mailgun-mime-urlencoded", 200, "/outcome", "created_new"),
    ("webhook-mailgun-parsed", 200, "/outcome", "created_new"),
    ("webhook-mailgun-store", 200, "/pending_attachment_downloads/0", "leak.mp4"),
    ("webhook-mailgun-tracking", 406, "/error", "other-webhook"),
    ("webhook-postmark-bad-credentials", 401, "/error", "unauthorized"),
    ("webhook-postmark-parsed", 200, "/outcome", "created_new"),
    ("webhook-postmark-raw", 200, "/outcome", "created_new"),
    ("webhook-raw-relay", 200, "/outcome", "created_new"),
    ("webhook-sendgrid-bad-credentials", 503, "/error", "unauthorized"),
    ("webhook-sendgrid-parsed", 200, "/outcome", "created_new"),
    ("webhook-sendgrid-raw", 200, "/outcome", "created_new"),
    ("webhook-ses-no-topics", 503, "/error", "not-configured"),
    ("webhook-unknown-route", 404, "/error", "unknown-door"),
    ("webhook-wrong-method", 405, "/error", "method"),
];

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../events"))
}

async fn app(engines: &Engines, now: Timestamp) -> App {
    let (dynamodb, s3) = engines.clients(None);
    let ambient = Ambient::fixed(now, 0);
    let master = format!(r#"{{"id":0,"secret":"{}"}}"#, "m".repeat(64));
    let address = AddrSpec::parse("support@postern.test").unwrap();
    let mailbox = Mailbox::new(MailboxId::parse("support").unwrap(), address, "INC");
    let ingest = Ingest {
        store: Store::new(dynamodb, TABLE, ambient.clone()),
        blobs: Blobs::new(s3, BUCKET),
        keyring: signing_keys(&SecretSource::Text(master)).await.unwrap(),
        mailboxes: Mailboxes::new(vec![mailbox]).unwrap(),
        doors: postern::door::Doors::default(),
        dkim: postern::dkim::Dkim::system(),
        ambient,
        retry: Some(retry_queue(engines.endpoints())),
        fetcher: None,
    };
    App::over(ingest, SecretSource::Text(OPERATOR.to_owned()), crate::doors::no_sns())
}

/// Hands a sample to the handler; gives status and answer.
async fn invoke(app: &App, name: &str) -> (u16, Value) {
    let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    let request = lambda_http::request::from_str(&text).expect(name);
    let request = request.map(|body| match body {
        Body::Text(text) => Bytes::from(text),
        Body::Binary(octets) => Bytes::from(octets),
        _ => Bytes::new(),
    });
    let response = app.handle(request).await;
    (response.status().as_u16(), serde_json::from_str(response.body()).unwrap())
}

#[tokio::test]
async fn every_sample_gets_its_documented_answer() {
    let engines = Engines::start(None).await.unwrap();
    let app = app(&engines, Timestamp::from_second(SIGNED_AT).unwrap()).await;
    for (name, status, place, expected) in EXPECTED {
        let (found, answer) = invoke(&app, name).await;
        assert_eq!(found, status, "{name}: {answer}");
        assert_eq!(answer.pointer(place).and_then(Value::as_str), Some(expected), "{name}: {answer}");
    }
    assert_eq!(app.ingest.store.next_ordinal().await.unwrap(), 10, "nine of the samples are tickets, the others none");
}

#[tokio::test]
async fn octets_arrive_as_they_were_sent() {
    let engines = Engines::start(None).await.unwrap();
    let app = app(&engines, Timestamp::from_second(SIGNED_AT).unwrap()).await;
    for (name, text) in [
        ("webhook-mailgun-mime", "Le café coule partout."),
        ("webhook-mailgun-mime-urlencoded", "We received the delivery twice."),
        ("webhook-postmark-raw", "Please send the invoice again. Grüße, Nina"),
        ("webhook-postmark-parsed", "It is two metres again."),
        ("webhook-sendgrid-parsed", "Grüße aus Köln"),
        ("webhook-sendgrid-raw", "It should have come on Friday."),
        ("webhook-raw-relay", "Since this morning."),
    ] {
        let (_, answer) = invoke(&app, name).await;
        let ticket = answer["ticket_id"].as_u64().unwrap();
        let entries = app.ingest.store.entries(ticket).await.unwrap();
        assert_eq!(entries[0].text, text, "{name}");
    }
}

#[tokio::test]
async fn the_signed_samples_age() {
    let engines = Engines::start(None).await.unwrap();
    let later = Timestamp::from_second(SIGNED_AT + 24 * 3600 + 1).unwrap();
    let app = app(&engines, later).await;
    for (name, status) in [("webhook-mailgun-mime", 401), ("webhook-postmark-raw", 200)] {
        assert_eq!(invoke(&app, name).await.0, status, "{name}");
    }
}

#[test]
fn every_sample_is_expected() {
    let files = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let samples = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let found: BTreeSet<String> = samples.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let found: BTreeSet<String> = found.into_iter().filter(|name| name.starts_with("webhook-")).collect();
    assert_eq!(found, EXPECTED.iter().map(|(name, ..)| (*name).to_owned()).collect());
}
