//! What only Postmark's contract asks for: an id that is no Message-ID, and an envelope inside the payload.

use postern::envelope::ReversePath;
use serde_json::{Value, json};

use super::octets;
use crate::{
    doors::{Postmark, SENDER, door, hear, post},
    world::{World, mail, mailbox, text},
};

const UUID: &str = "9c2e0a3d-7a53-4c0e-8a01-2d2f4f7f0001";

fn payload(uuid: &str, name: &str) -> Postmark {
    Postmark::new(uuid, &String::from_utf8(octets(name)).unwrap())
}

#[tokio::test]
async fn postmarks_own_id_is_no_message_id() {
    let world = World::new().await;
    let app = door(&world);
    assert_eq!(hear(&app, payload(UUID, "o").request()).await.body["ticket_id"], 1);
    let reply = |name: &str, to: &str| {
        let mut reply = mail(name, "cust").date(2);
        reply.in_reply_to = vec![to.to_owned()];
        Postmark::new(&format!("uuid-{name}"), &String::from_utf8(reply.octets(name)).unwrap())
    };
    let by_header = hear(&app, reply("r", "o@ids.example").request()).await;
    assert_eq!((by_header.text("status"), &by_header.body["ticket_id"]), ("matched", &json!(1)));
    let by_uuid = hear(&app, reply("u", UUID).request()).await;
    assert_eq!((by_uuid.text("status"), &by_uuid.body["ticket_id"]), ("created", &json!(2)));
    // The dashboard's button posts again under the same id; another event of the same mail is the same copy.
    for uuid in [UUID, "another-uuid"] {
        let again = hear(&app, payload(uuid, "o").request()).await;
        assert!(again.reasons().contains(&"seen-before"), "{uuid}: {:?}", again.body);
    }
    let rows = world.items("MAIL#").await;
    assert!(rows.values().any(|row| text(row["ingress"].as_m().unwrap(), "event_id") == UUID));
    assert_eq!(rows.len(), 3);
}

#[tokio::test]
async fn the_envelope_is_the_payloads() {
    let path = |value: &str| json!([{ "Name": "Return-Path", "Value": value }]);
    let late = json!([{ "Name": "Received", "Value": "x" }, { "Name": "Return-Path", "Value": "<late@x.example>" }]);
    let address = |text: &str| ReversePath::Address(postern::address::AddrSpec::parse(text).unwrap());
    for (headers, expected) in [
        (path(&format!("<{SENDER}>")), address(SENDER)),
        (json!([{ "Name": "return-path", "Value": "a@b.example" }]), address("a@b.example")),
        (path("<>"), ReversePath::Null),
        (late, ReversePath::Unknown),
        (path("nonsense"), ReversePath::Unknown),
        (json!([]), ReversePath::Unknown),
        (json!("text"), ReversePath::Unknown),
        (json!([["Return-Path", "<a@b.example>"]]), ReversePath::Unknown),
        (json!([{ "Name": "Return-Path", "Value": 7 }]), ReversePath::Unknown),
        (Value::Null, ReversePath::Unknown),
    ] {
        let world = World::new().await;
        let heard = hear(&door(&world), payload("e", "e").set("Headers", headers.clone()).request()).await;
        assert_eq!((heard.status, heard.text("status")), (200, "created"), "{headers}: {:?}", heard.body);
        let [key] = &world.objects("raw/").await[..] else { panic!("one raw object") };
        let (_, accept) = world.ingest.blobs.get_accepted(key).await.unwrap();
        assert_eq!(accept.envelope.reverse_path, expected, "{headers}");
        assert!(!accept.envelope.from_header);
    }
}

#[tokio::test]
async fn the_original_recipient_chooses_the_mailbox() {
    let boxes =
        || vec![mailbox("billing", "billing@us.example", "BIL"), mailbox("support", "support@us.example", "INC")];
    for (recipient, status, number) in [
        (json!("billing@us.example"), "created", "BIL-00001"),
        (json!("Billing+tag@US.example"), "created", "BIL-00001"),
        // The mail's own To names support: what the envelope does not say, the header may.
        (json!("elsewhere@us.example"), "created", "INC-00001"),
        (json!(["billing@us.example"]), "created", "INC-00001"),
        (Value::Null, "created", "INC-00001"),
    ] {
        let world = World::with(boxes()).await;
        let request = payload("r", "r").set("OriginalRecipient", recipient.clone()).request();
        let heard = hear(&door(&world), request).await;
        assert_eq!((heard.text("status"), heard.text("ticket_number")), (status, number), "{recipient}");
    }
    let world = World::with(boxes()).await;
    let mime = String::from_utf8(octets("n")).unwrap().replace("support@us.example", "nobody@us.example");
    let nobodys = Postmark::new("n", &mime).set("OriginalRecipient", json!("nobody@us.example"));
    let heard = hear(&door(&world), nobodys.request()).await;
    assert_eq!((heard.status, heard.text("status"), heard.reasons()[0]), (200, "held", "unknown-recipient"));
}

#[tokio::test]
async fn payloads_without_the_raw_mail_are_kept_and_told() {
    let good = payload("u", "u");
    for (what, request, slug, hint) in [
        ("nothing of a mail", good.with_body(r#"{"MessageID":"u"}"#), "no-mail-in-json", "neither RawEmail"),
        ("an empty RawEmail alone", good.with_body(r#"{"RawEmail":""}"#), "no-mail-in-json", "neither RawEmail"),
        ("null alone", good.with_body(r#"{"RawEmail":null}"#), "no-mail-in-json", "neither RawEmail"),
        ("an array alone", good.with_body(r#"{"RawEmail":["a"]}"#), "no-mail-in-json", "neither RawEmail"),
        ("a JSON array", good.with_body("[1, 2]"), "no-mail-in-json", "neither RawEmail"),
        ("a JSON number", good.with_body("7"), "no-mail-in-json", "neither RawEmail"),
        ("empty", good.with_body(""), "not-json", "not JSON"),
        ("garbage", good.with_body(vec![0xff; 100]), "not-json", "not JSON"),
        ("half a surrogate", good.with_body(r#"{"RawEmail":"\ud800"}"#), "not-json", "not JSON"),
        ("deep", good.with_body("[".repeat(100_000)), "not-json", "not JSON"),
    ] {
        let world = World::new().await;
        let app = door(&world);
        let heard = hear(&app, request.clone()).await;
        assert_eq!((heard.status, heard.text("status")), (200, "failed"), "{what}: {:?}", heard.body);
        assert_eq!(heard.reasons()[..], ["unreadable-payload", slug], "{what}");
        assert!(heard.text("hint").contains(hint), "{what}: {:?}", heard.body);
        assert!(hear(&app, request.clone()).await.reasons().contains(&"seen-before"), "{what}");
        let [kept] = &world.objects("payload/postmark/").await[..] else { panic!("{what}: one payload is kept") };
        assert_eq!(world.ingest.blobs.get(kept).await.unwrap(), *request.body(), "{what}");
        assert_eq!((world.items("MAIL#").await.len(), world.tickets().await), (1, 0), "{what}");
    }
}

#[tokio::test]
async fn other_webhooks_hear_200_in_words_and_leave_nothing() {
    let world = World::new().await;
    let app = door(&world);
    let before = world.stored().await;
    for kind in ["Delivery", "Bounce", "Open", "Click", "SpamComplaint", "SubscriptionChange"] {
        let heard = hear(&app, payload("w", "w").without("RawEmail").set("RecordType", json!(kind)).request()).await;
        assert_eq!((heard.status, heard.text("error")), (200, "other-webhook"), "{kind}");
        assert!(heard.text("message").contains(kind), "{:?}", heard.body);
    }
    assert_eq!(world.stored().await, before);
    let stranger = payload("w", "w").login(None).set("RecordType", json!("Delivery"));
    assert_eq!(hear(&app, stranger.request()).await.status, 401, "credentials are judged first");
    let inbound = hear(&app, payload("w", "w").set("RecordType", json!("Inbound")).request()).await;
    assert_eq!(inbound.text("status"), "created");
}

#[tokio::test]
async fn the_credentials_stand_outside_and_are_judged_before_the_body() {
    let world = World::new().await;
    let app = door(&world);
    let before = world.stored().await;
    for body in ["", "garbage", "{}"] {
        let heard = hear(&app, post("/inbound/postmark", "application/json", body)).await;
        assert_eq!(heard.status, 401, "{body:?}: never 403, Postmark would give up");
    }
    assert_eq!(world.stored().await, before);
    // The content type decides nothing: the dashboard and its libraries spell it in many ways.
    for (n, content_type) in ["application/json; charset=utf-8", "text/plain", ""].into_iter().enumerate() {
        let mut request = payload(&format!("c{n}"), &format!("c{n}")).request();
        request.headers_mut().insert(http::header::CONTENT_TYPE, content_type.parse().unwrap());
        assert_eq!(hear(&app, request).await.text("status"), "created", "{content_type:?}");
    }
}
