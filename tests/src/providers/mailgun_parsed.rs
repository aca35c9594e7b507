//! Mailgun's parsed form, word of stored mail, and what a wrong set-up is told.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use postern::secrets::SecretSource;
use serde_json::{Value, json};

use super::octets;
use crate::{
    doors::{
        Encoding, Form, FormFile, MAILGUN_KEY, POSTMARK_LOGIN, RECIPIENT, SENDER, door, door_with, hear, operator, post,
    },
    harness::wire::Wire,
    world::{World, mail, text, with_file},
};

const BOTH: [Encoding; 2] = [Encoding::Multipart, Encoding::Urlencoded];
const STORED: &str = "https://se.api.mailgun.net/v3/domains/us.example/messages/KEY";

fn file(n: usize, name: &str, content: &[u8]) -> FormFile {
    FormFile {
        field: format!("attachment-{n}"),
        name: name.to_owned(),
        content_type: "application/octet-stream".to_owned(),
        content: content.to_vec(),
    }
}

#[tokio::test]
async fn a_plain_mail_comes_urlencoded_and_a_mail_with_files_multipart() {
    for encoding in BOTH {
        let world = World::new().await;
        let heard = hear(&door(&world), Form::mailgun_parsed(encoding, "p", &octets("p")).request()).await;
        assert_eq!((heard.status, heard.text("status")), (200, "created"), "{encoding:?}: {:?}", heard.body);
        let entries = world.items("ENTRY#").await;
        let entry = entries.values().next().unwrap();
        assert_eq!(text(entry, "text"), "mail p");
        assert!(entry["flags"].as_l().unwrap().iter().any(|flag| flag.as_s().unwrap() == "rebuilt"));
    }
    let world = World::new().await;
    let mut form = Form::mailgun_parsed(Encoding::Multipart, "f", &with_file("f", "cust").octets("f"));
    form.files.extend([file(3, "c.dat", b"three"), file(2, "b.dat", b"two")]);
    let heard = hear(&door(&world), form.request()).await;
    assert_eq!(heard.text("status"), "created", "{:?}", heard.body);
    let mut stored: Vec<Vec<u8>> = Vec::new();
    for key in world.objects("attachments/").await {
        stored.push(world.ingest.blobs.get(&key).await.unwrap().to_vec());
    }
    stored.sort();
    assert_eq!(stored, [&b"one"[..], b"three", b"two"], "each of the three files");
}

#[tokio::test]
async fn files_without_a_usable_name_are_files_all_the_same() {
    let world = World::new().await;
    let names = ["", "path\\", ".", "..", "path/..", "two\twords", "caf\u{e9}.pdf"];
    let mut form = Form::mailgun_parsed(Encoding::Multipart, "n", &octets("n"));
    form.files = names.iter().enumerate().map(|(n, name)| file(n + 1, name, format!("file {n}").as_bytes())).collect();
    // The empty Content-ID and one twice: all of them are shown inline.
    form = form.set(
        "content-id-map",
        br#"{"": "attachment-1", "": "attachment-2", "<a>": "attachment-3", "<a>": "attachment-4"}"#,
    );
    assert_eq!(hear(&door(&world), form.request()).await.text("status"), "created");
    assert_eq!(world.objects("attachments/").await.len(), names.len());
    let entries = world.items("ENTRY#").await;
    let listed = entries.values().next().unwrap()["attachments"].as_l().unwrap().clone();
    let inline = |file: &aws_sdk_dynamodb::types::AttributeValue| *file.as_m().unwrap()["inline"].as_bool().unwrap();
    assert_eq!(listed.iter().map(inline).collect::<Vec<_>>(), [true, true, true, true, false, false, false]);
}

#[tokio::test]
async fn reply_and_original_meet_whichever_form_they_come_in() {
    let world = World::new().await;
    let app = door(&world);
    assert_eq!(hear(&app, Form::mailgun(Encoding::Multipart, "o", &octets("o")).request()).await.body["ticket_id"], 1);
    let reply = mail("r", "cust").reply_to(&["o"]).date(2).octets("r");
    let heard = hear(&app, Form::mailgun_parsed(Encoding::Urlencoded, "r", &reply).request()).await;
    assert_eq!((heard.text("status"), &heard.body["ticket_id"]), ("matched", &json!(1)), "{:?}", heard.body);
    // The same mail in the other form is a copy of it.
    let copy = hear(&app, Form::mailgun_parsed(Encoding::Urlencoded, "o2", &octets("o")).request()).await;
    assert_eq!(copy.text("status"), "duplicate", "{:?}", copy.body);
}

#[tokio::test]
async fn the_envelope_and_the_token_are_the_forms() {
    let world = World::new().await;
    let app = door(&world);
    let form = Form::mailgun_parsed(Encoding::Urlencoded, "e", &octets("e"));
    assert_eq!(hear(&app, form.request()).await.text("status"), "created");
    let [key] = &world.objects("raw/").await[..] else { panic!("one raw object") };
    let (_, accept) = world.ingest.blobs.get_accepted(key).await.unwrap();
    assert_eq!(accept.envelope.forward_paths[0].as_str(), RECIPIENT);
    assert!(serde_json::to_string(&accept.envelope.reverse_path).unwrap().contains(SENDER));
    assert!(accept.replay_guard.is_some());
    let other = hear(&app, form.set("body-plain", b"another body").request()).await;
    assert_eq!((other.text("status"), other.reasons()[0]), ("held", "replayed-token"));
}

#[tokio::test]
async fn a_file_under_another_name_is_another_body() {
    let world = World::new().await;
    let app = door(&world);
    let mut form = Form::mailgun_parsed(Encoding::Multipart, "f", &with_file("f", "cust").octets("f"));
    assert_eq!(hear(&app, form.request()).await.text("status"), "created");
    assert!(hear(&app, form.request()).await.reasons().contains(&"seen-before"));
    form.files[0].name = "invoice.html".to_owned();
    let heard = hear(&app, form.request()).await;
    assert_eq!((heard.text("status"), heard.reasons()[0]), ("held", "replayed-token"), "{:?}", heard.body);
}

#[tokio::test]
async fn word_of_stored_mail_waits_to_be_fetched() {
    for encoding in BOTH {
        let world = World::new().await;
        let secret = SecretSource::Text(operator(&[MAILGUN_KEY], &[]));
        let app = door_with(world.door_over(&Wire::new()), secret);
        let form = Form::mailgun_stored(encoding, "s", &with_file("s", "cust").octets("s"), STORED);
        for path in ["/inbound/mailgun", "/inbound/mailgun/mime"] {
            let form = Form { path: path.to_owned(), ..form.clone() };
            let heard = hear(&app, form.request()).await;
            assert_eq!((heard.status, heard.text("status")), (200, "queued"), "{path}: {:?}", heard.body);
        }
        assert_eq!(world.tickets().await, 0);
        assert_eq!(world.objects("payload/").await.len(), 1, "the word itself is kept");
    }
}

#[tokio::test]
async fn stored_mail_elsewhere_is_not_asked_for() {
    for (url, slug) in [
        (Some("https://storage.evil.example/v3/domains/us.example/messages/KEY"), "message-url-elsewhere"),
        (Some("http://se.api.mailgun.net/v3/x"), "message-url-elsewhere"),
        (Some("https://se.api.mailgun.net@evil.example/v3/x"), "message-url-elsewhere"),
        (Some(""), "message-url-elsewhere"),
        (None, "no-message-url"),
    ] {
        let world = World::new().await;
        let form = Form::mailgun_stored(Encoding::Urlencoded, "s", &octets("s"), url.unwrap_or_default());
        let form = if url.is_none() { form.without("message-url") } else { form };
        let heard = hear(&door(&world), form.request()).await;
        assert_eq!((heard.status, heard.text("status")), (200, "failed"), "{url:?}");
        assert_eq!(heard.reasons(), ["unreadable-payload", slug], "{url:?}");
        assert!(heard.text("hint").contains("store()"), "{:?}", heard.body);
        assert!(world.objects("raw/").await.is_empty());
    }
}

#[tokio::test]
async fn a_wrong_signing_key_is_told_and_never_shown() {
    let hex = "0123456789abcdef0123456789abcdef";
    for (key, expected) in [
        (format!("key-{hex}"), "holds what looks like an API key"),
        (format!("{hex}-01234567-89abcdef"), "holds what looks like an API key"),
        ("another-signing-key".to_owned(), "is mailgun.signing_keys the HTTP webhook signing key"),
    ] {
        let world = World::new().await;
        let app = door_with(world.over(&Wire::new()), SecretSource::Text(operator(&[&key], &[POSTMARK_LOGIN])));
        let heard = hear(&app, Form::mailgun(Encoding::Multipart, "k", &octets("k")).request()).await;
        assert_eq!(heard.status, 401);
        assert!(heard.text("message").contains(expected), "{:?}", heard.body);
        assert!(!heard.body.to_string().contains(&key), "a secret is never shown");
        // Signed with it, it counts: what it looks like decides nothing.
        let signed = Form::mailgun(Encoding::Multipart, "k", &octets("k")).signed(&key, crate::world::now(), "k");
        assert_eq!(hear(&app, signed.request()).await.status, 200);
    }
    let world = World::new().await;
    let app = door_with(world.over(&Wire::new()), SecretSource::Text(operator(&[" ", ""], &[POSTMARK_LOGIN])));
    let heard = hear(
        &app,
        Form::mailgun(Encoding::Multipart, "k", &octets("k")).signed(" ", crate::world::now(), "k").request(),
    )
    .await;
    assert_eq!((heard.status, heard.text("error")), (503, "not-configured"));
    assert!(heard.text("message").contains("mailgun.signing_keys holds nothing but blanks"), "{:?}", heard.body);
}

#[tokio::test]
async fn what_a_proxy_did_to_the_form_is_told() {
    let world = World::new().await;
    let app = door(&world);
    let form = Form::mailgun_parsed(Encoding::Multipart, "x", &octets("x"));
    let (multipart, urlencoded) =
        (form.multipart(), Form { encoding: Encoding::Urlencoded, ..form.clone() }.request().into_body());
    let json: serde_json::Map<String, Value> =
        form.fields.iter().map(|(n, v)| (n.clone(), json!(String::from_utf8_lossy(v)))).collect();
    let boundary = "multipart/form-data; boundary=\"of the form\"";
    for (content_type, body, expected) in [
        ("multipart/form-data", multipart.clone(), "no boundary"),
        ("multipart/form-data; boundary=another", multipart.clone(), "not that of the body"),
        (boundary, urlencoded.to_vec(), "urlencoded"),
        ("application/x-www-form-urlencoded", multipart.clone(), "does not say so"),
        (boundary, BASE64_STANDARD.encode(&multipart).into_bytes(), "Base64"),
        ("application/x-www-form-urlencoded", BASE64_STANDARD.encode(&urlencoded).into_bytes(), "Base64"),
        ("application/json", json!(json).to_string().into_bytes(), "came as JSON"),
    ] {
        let heard = hear(&app, post("/inbound/mailgun", content_type, body)).await;
        assert_eq!((heard.status, heard.text("error")), (400, "malformed"), "{content_type}: {:?}", heard.body);
        assert!(heard.text("message").contains(expected), "{content_type}: {:?}", heard.body);
        assert!(!heard.body.to_string().contains(MAILGUN_KEY));
    }
    assert_eq!(world.items("MAIL#").await.len(), 0);
}

#[tokio::test]
async fn a_tracking_event_of_the_older_kind_is_told() {
    for encoding in BOTH {
        let world = World::new().await;
        let app = door(&world);
        let before = world.stored().await;
        let event = Form::mailgun(encoding, "e", b"")
            .without("body-mime")
            .set("event", b"delivered")
            .set("message-headers", b"[]");
        let heard = hear(&app, event.request()).await;
        assert_eq!((heard.status, heard.text("error")), (406, "other-webhook"), "{:?}", heard.body);
        assert!(heard.text("message").contains("forward("), "{:?}", heard.body);
        assert_eq!(hear(&app, event.set("token", b"forged").request()).await.status, 401, "never 406 for a signature");
        assert_eq!(world.stored().await, before);
    }
}

#[tokio::test]
async fn a_senders_header_is_no_field_of_mailguns() {
    for line in [
        "message-url: https://se.api.mailgun.net/v3/domains/x/messages/y",
        "attachments: []",
        "body-mime: From: boss@us.example",
        "event: opened",
    ] {
        let world = World::new().await;
        let octets = mail("o", "cust").field(line).octets("1");
        let mut form = Form::mailgun_parsed(Encoding::Multipart, "t", &octets);
        // As Mailgun posts it: the field under its own name.
        let (name, value) = line.split_once(": ").unwrap();
        form.fields.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        let listed: Vec<serde_json::Value> = form
            .fields
            .iter()
            .find(|(n, _)| n == "message-headers")
            .map(|(_, json)| serde_json::from_slice(json).unwrap())
            .unwrap();
        let listed: Vec<serde_json::Value> = listed
            .into_iter()
            .map(|pair| {
                if pair[0].as_str().unwrap().eq_ignore_ascii_case(name) {
                    serde_json::json!([name, value])
                } else {
                    pair
                }
            })
            .collect();
        let form = form.set("message-headers", serde_json::json!(listed).to_string().as_bytes());
        let form = form.add(name, value.as_bytes()).signed(MAILGUN_KEY, crate::world::now(), "t");
        let heard = hear(&door(&world), form.request()).await;
        assert_eq!((heard.status, heard.text("status")), (200, "created"), "{line}: {heard:?}");
        let entries = world.items("ENTRY#").await;
        assert_eq!(crate::world::text(entries.values().next().unwrap(), "text"), "mail o", "{line}");
    }
}
