//! Postmark's JSON without RawEmail, and JSON of others who write like it.

use http::header;
use postern::secrets::SecretSource;
use serde_json::json;

use super::octets;
use crate::{
    doors::{MAILGUN_KEY, POSTMARK_LOGIN, Postmark, door, door_with, hear, operator, post},
    harness::wire::Wire,
    world::{World, mail, text, with_file},
};

const UUID: &str = "9c2e0a3d-7a53-4c0e-8a01-2d2f4f7f0002";

#[tokio::test]
async fn mail_without_raw_email_is_a_mail() {
    let world = World::new().await;
    let app = door(&world);
    let heard = hear(&app, Postmark::parsed(UUID, &with_file("o", "cust").octets("o")).request()).await;
    assert_eq!((heard.status, heard.text("status")), (200, "created"), "{:?}", heard.body);
    let entries = world.items("ENTRY#").await;
    assert_eq!(text(entries.values().next().unwrap(), "text"), "mail o");
    assert_eq!(world.objects("attachments/").await.len(), 1);
    // The reply by the header's id meets it, one that names the UUID does not.
    let reply = |name: &str, to: &str| {
        let mut reply = mail(name, "cust").date(2);
        reply.in_reply_to = vec![to.to_owned()];
        Postmark::parsed(&format!("uuid-{name}"), &reply.octets(name)).request()
    };
    let by_header = hear(&app, reply("r", "o@ids.example")).await;
    assert_eq!(
        (by_header.text("status"), &by_header.body["ticket_id"]),
        ("matched", &json!(1)),
        "{:?}",
        by_header.body
    );
    assert_eq!(hear(&app, reply("u", UUID)).await.text("status"), "created");
}

#[tokio::test]
async fn little_json_that_looks_like_postmarks_becomes_a_mail() {
    let world = World::new().await;
    let app = door(&world);
    let first = json!({
        "FromFull": { "Email": "alice@people.example", "Name": "Alice" }, "To": "support@us.example",
        "Subject": "Cannot sign in", "TextBody": "It says no.", "MessageID": "<abc@mail>",
    });
    let mut request = Postmark::new("", "");
    request.json = first.clone();
    let heard = hear(&app, request.request()).await;
    assert_eq!((heard.text("status"), &heard.body["ticket_id"]), ("created", &json!(1)), "{:?}", heard.body);
    let tickets = world.items("TICKET#").await;
    let ticket = tickets.iter().find(|((_, sk), _)| sk == "TICKET").unwrap().1;
    assert_eq!(text(ticket, "subject"), "Cannot sign in");
    // Its id is the mail's, so a reply by it meets.
    let mut reply = first.clone();
    reply["MessageID"] = json!("<def@mail>");
    reply["Headers"] = json!([{ "Name": "In-Reply-To", "Value": "<abc@mail>" }]);
    request.json = reply;
    let heard = hear(&app, request.request()).await;
    assert_eq!((heard.text("status"), &heard.body["ticket_id"]), ("matched", &json!(1)), "{:?}", heard.body);
}

#[tokio::test]
async fn a_shared_secret_stands_for_the_credentials() {
    let world = World::new().await;
    let secret = json!({ "escalated": { "inbound_secrets": ["shared-Aspen"] } }).to_string();
    let app = door_with(world.over(&Wire::new()), SecretSource::Text(secret));
    let body = json!({
        "FromFull": { "Email": "alice@people.example" }, "To": "support@us.example", "Subject": "s",
        "TextBody": "t", "MessageID": "<abc@mail>",
    });
    let request = |secret: Option<&str>| {
        let mut request = post("/support/inbound/postmark", "application/json", body.to_string());
        if let Some(secret) = secret {
            request.headers_mut().insert("x-escalated-inbound-secret", secret.parse().unwrap());
        }
        request
    };
    assert_eq!(hear(&app, request(Some("wrong"))).await.status, 401);
    assert_eq!(hear(&app, request(None)).await.status, 503, "without it the credentials count, and there are none");
    let heard = hear(&app, request(Some("shared-Aspen"))).await;
    assert_eq!((heard.status, heard.text("status")), (200, "created"), "{:?}", heard.body);
}

#[tokio::test]
async fn the_plus_tag_comes_back_where_a_forwarder_dropped_it() {
    for (recipient, hash, expected) in [
        (json!("support@us.example"), "tag", vec!["support@us.example", "support+tag@us.example"]),
        (json!("support+tag@us.example"), "tag", vec!["support+tag@us.example"]),
        (json!("support@us.example"), "", vec!["support@us.example"]),
        (json!(null), "", vec!["hidden@us.example"]),
    ] {
        let world = World::new().await;
        let request =
            Postmark::parsed("h", &octets("h")).set("OriginalRecipient", recipient).set("MailboxHash", json!(hash));
        let request = request.set("BccFull", json!([{ "Email": "hidden@us.example", "Name": "" }]));
        assert_eq!(hear(&door(&world), request.request()).await.status, 200);
        let [key] = &world.objects("raw/").await[..] else { panic!("one raw object") };
        let (octets, accept) = world.ingest.blobs.get_accepted(key).await.unwrap();
        let paths: Vec<&str> = accept.envelope.forward_paths.iter().map(postern::address::AddrSpec::as_str).collect();
        assert_eq!(paths, expected);
        assert!(!String::from_utf8_lossy(&octets).contains("hidden@"), "blind copies are in no header");
    }
}

#[tokio::test]
async fn broken_base64_costs_what_it_broke() {
    let world = World::new().await;
    let files = json!([
        { "Name": "whole.txt", "Content": "d2hvbGU=", "ContentType": "text/csv" },
        { "Name": "broken.txt", "Content": "YnJva2Vu\n(cut off here)", "ContentType": "text/csv" },
    ]);
    let request = Postmark::parsed("b", &octets("b")).set("Attachments", files);
    let heard = hear(&door(&world), request.request()).await;
    assert_eq!(heard.text("status"), "created", "{:?}", heard.body);
    let mut stored = Vec::new();
    for key in world.objects("attachments/").await {
        stored.push(String::from_utf8(world.ingest.blobs.get(&key).await.unwrap().to_vec()).unwrap());
    }
    stored.sort();
    assert_eq!(stored, ["broken", "whole"]);
}

#[tokio::test]
async fn each_live_credential_opens_and_blanks_do_not() {
    let world = World::new().await;
    let secret = operator(&[MAILGUN_KEY], &["postern:before-Alder", " ", POSTMARK_LOGIN]);
    let app = door_with(world.over(&Wire::new()), SecretSource::Text(secret));
    for (n, login) in ["postern:before-Alder", POSTMARK_LOGIN].into_iter().enumerate() {
        let name = format!("c{n}");
        let heard = hear(&app, Postmark::parsed(&name, &octets(&name)).login(Some(login)).request()).await;
        assert_eq!(heard.text("status"), "created", "{login}");
    }
    for login in ["", " ", ":"] {
        let heard = hear(&app, Postmark::parsed("c", &octets("c")).login(Some(login)).request()).await;
        assert_eq!(heard.status, 401, "{login:?}");
        assert!(heard.headers.contains_key(header::WWW_AUTHENTICATE));
    }
    let blank = door_with(world.over(&Wire::new()), SecretSource::Text(operator(&[], &[" "])));
    let heard = hear(&blank, Postmark::parsed("c", &octets("c")).login(Some(" ")).request()).await;
    assert_eq!((heard.status, heard.text("error")), (503, "not-configured"));
    assert!(heard.text("message").contains("postmark.credentials holds nothing but blanks"), "{:?}", heard.body);
}

#[tokio::test]
async fn other_bodies_are_told_apart() {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let good = Postmark::parsed("o", &octets("o"));
    for (body, slug, hint) in [
        (BASE64_STANDARD.encode(good.json.to_string()), "not-json", "Base64"),
        ("From=a%40x.example&Subject=s".to_owned(), "not-json", "a form"),
        ("{}".to_owned(), "no-mail-in-json", "neither RawEmail"),
        (json!({ "event": "delivered" }).to_string(), "no-mail-in-json", "neither RawEmail"),
    ] {
        let world = World::new().await;
        let heard = hear(&door(&world), good.with_body(body)).await;
        assert_eq!((heard.status, heard.text("status")), (200, "failed"), "{:?}", heard.body);
        assert_eq!(heard.reasons(), ["unreadable-payload", slug]);
        assert!(heard.text("hint").contains(hint), "{:?}", heard.body);
        assert_eq!(world.objects("payload/").await.len(), 1);
    }
}
