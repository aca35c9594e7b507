//! SES receipts by SNS over HTTPS: whose word counts, where its certificate comes from, and what becomes of each message.

use http::Request;
use jiff::SignedDuration;
use postern::secrets::SecretSource;
use postern_webhook::App;
use serde_json::{Value, json};

use super::octets;
use crate::{
    doors::{
        Heard, RECIPIENT, door, door_with, hear, operator, post,
        sns::{CERTIFICATE, CERTIFICATE_URL, Sns, TOPIC, certificate_host, listening},
    },
    harness::{
        fake_https::{FakeHttps, Page},
        wire::Wire,
    },
    queues::notification,
    world::{Copy, World, mail, now, text},
};

const OTHER: &[u8] = include_bytes!("../../fixtures/signatures/other.pem");
const EXPIRED: &[u8] = include_bytes!("../../fixtures/signatures/expired.pem");
const VERSION_1: &str = include_str!("../../fixtures/signatures/notification-v1.json");

/// A door that listens to the topic, with certificates from `host`.
fn open(world: &World, host: &FakeHttps) -> App {
    listening(door(world), world, host)
}

async fn said(app: &App, sns: &Sns) -> Heard {
    hear(app, sns.request()).await
}

fn copy() -> Copy {
    mail("o", "cust").copy("1").forward(&[RECIPIENT])
}

#[tokio::test]
async fn a_receipt_becomes_a_ticket_and_its_copy_nothing_more() {
    let world = World::new().await;
    let host = certificate_host();
    let app = open(&world, &host);
    world.received(&copy()).await;
    let sns = Sns::notification("a", &notification(&copy()).to_string());
    let first = said(&app, &sns).await;
    assert_eq!((first.status, first.text("status")), (200, "created"), "{first:?}");
    assert_eq!(world.objects("raw/").await, ["raw/ses/1"], "read where it is, not copied");
    let stored = world.stored().await;
    for again in [sns, Sns::notification("told twice", &notification(&copy()).to_string())] {
        let again = said(&app, &again).await;
        assert_eq!((again.status, again.text("inbound_id")), (200, first.text("inbound_id")));
        assert!(again.reasons().contains(&"seen-before"), "{again:?}");
    }
    // By the stack's own queue it is the same mail too.
    let by_queue = world.received(&copy()).await;
    let event = crate::queues::event(&[crate::queues::record("postern-receipt", "m", &by_queue, 1)]);
    world.receipt_function(&Wire::new()).handle(event).await.unwrap();
    assert_eq!(world.stored().await, stored);
    let asked = host.asked();
    assert_eq!(asked.len(), 1, "the certificate is fetched once");
    assert_eq!((asked[0].method.as_str(), asked[0].header("authorization")), ("GET", None));
}

#[tokio::test]
async fn an_object_that_is_not_there_yet_is_looked_for_later() {
    let world = World::new().await;
    let app = listening(App { ingest: world.door_over(&Wire::new()), ..door(&world) }, &world, &certificate_host());
    let heard = said(&app, &Sns::notification("a", &notification(&copy()).to_string())).await;
    assert_eq!((heard.status, heard.text("status")), (200, "queued"), "{heard:?}");
    assert_eq!(world.tickets().await, 0);
}

#[tokio::test]
async fn version_1_is_still_signed_with_sha_1() {
    let world = World::new().await;
    let app = open(&world, &certificate_host());
    let request = |body: &str| post("/inbound/ses", "text/plain; charset=UTF-8", body.to_owned());
    for forged in [
        VERSION_1.replace("\"SignatureVersion\": \"1\"", "\"SignatureVersion\": \"2\""),
        VERSION_1.replace("\"Amazon SES", "\"amazon SES"),
    ] {
        assert_ne!(forged, VERSION_1);
        assert_eq!(hear(&app, request(&forged)).await.status, 401);
    }
    let heard = hear(&app, request(VERSION_1)).await;
    assert_eq!((heard.status, heard.text("status")), (200, "created"), "{heard:?}");
}

#[tokio::test]
async fn forgeries_are_refused_and_leave_nothing() {
    let world = World::new().await;
    let host = certificate_host();
    let app = open(&world, &host);
    let before = world.stored().await;
    for (what, request) in Sns::forgeries(&octets("o")) {
        let heard = hear(&app, request).await;
        assert_eq!((heard.status, heard.text("error")), (401, "unauthorized"), "{what}: {heard:?}");
    }
    assert_eq!(world.stored().await, before);
    assert!(host.asked().iter().all(|asked| asked.url == CERTIFICATE_URL), "{:?}", host.asked());
    for body in ["", "{", "[]", "Type=Notification"] {
        let heard = hear(&app, post("/inbound/ses", "text/plain", body)).await;
        assert_eq!((heard.status, heard.text("error")), (400, "malformed"), "{body}");
    }
    assert_eq!(world.stored().await, before);
}

#[tokio::test]
async fn a_topic_that_is_not_listed_makes_us_fetch_nothing() {
    let world = World::new().await;
    let host = certificate_host();
    let app = open(&world, &host);
    let other = Sns::mail("a", &octets("o")).set("TopicArn", json!(format!("{TOPIC}-2"))).signed();
    let subscription = Sns::subscription("k").set("TopicArn", json!(format!("{TOPIC}-2"))).signed();
    for sns in [other, subscription] {
        let heard = said(&app, &sns).await;
        assert_eq!(heard.status, 401);
        assert!(heard.text("message").contains("postern door set ses"), "{heard:?}");
    }
    assert!(host.asked().is_empty());

    let unlisted = App { settings: door(&world).settings, ..open(&world, &host) };
    let heard = said(&unlisted, &Sns::mail("a", &octets("o"))).await;
    assert_eq!((heard.status, heard.text("error")), (503, "not-configured"));
    assert!(heard.text("message").contains("`postern door set ses --topic ARN`"), "{heard:?}");
    assert!(host.asked().is_empty() && world.tickets().await == 0);
}

#[tokio::test]
async fn the_window_is_a_day_on_both_sides() {
    let world = World::new().await;
    let host = certificate_host();
    let app = open(&world, &host);
    let (day, second) = (SignedDuration::from_hours(24), SignedDuration::from_secs(1));
    let sns = Sns::mail("a", &octets("o"));
    for time in [now() - day - second, now() + day + second] {
        let heard = said(&app, &sns.clone().at(time)).await;
        assert_eq!(heard.status, 401, "{time}");
        assert!(heard.text("message").contains("24 hours"), "{heard:?}");
    }
    assert_eq!(said(&app, &sns.clone().set("Timestamp", json!("yesterday")).signed()).await.status, 401);
    assert!(host.asked().is_empty(), "looked at before anything is fetched");
    for time in [now() - day, now() + day] {
        assert_eq!(said(&app, &sns.clone().at(time)).await.status, 200, "{time}");
    }
}

#[tokio::test]
async fn without_its_certificate_nothing_is_judged() {
    for (what, page, status) in [
        ("away", Page::Away, 503),
        ("not there", Page::Answer(404, String::new(), Vec::new()), 503),
        ("refused", Page::Answer(403, "application/xml".into(), CERTIFICATE.to_vec()), 503),
        ("elsewhere", Page::Answer(302, String::new(), CERTIFICATE.to_vec()), 503),
        ("another document", Page::Answer(200, "text/html".into(), b"<html>".to_vec()), 503),
        ("far too large", Page::Answer(200, String::new(), [CERTIFICATE, &[b'\n'; 64 * 1024]].concat()), 503),
        ("of another key", Page::Answer(200, String::new(), OTHER.to_vec()), 401),
        ("expired", Page::Answer(200, String::new(), EXPIRED.to_vec()), 401),
    ] {
        let world = World::new().await;
        let host = FakeHttps::default();
        host.put(CERTIFICATE_URL, page);
        let app = open(&world, &host);
        let before = world.stored().await;
        let sns = Sns::mail("a", &octets("o"));
        let heard = said(&app, &sns).await;
        assert_eq!(heard.status, status, "{what}: {heard:?}");
        assert_eq!(world.stored().await, before, "{what}");
        if status == 503 {
            assert_eq!(heard.text("error"), "unavailable", "{what}");
            host.put_body(CERTIFICATE_URL, "", CERTIFICATE);
            assert_eq!(said(&app, &sns).await.status, 200, "{what}: SNS tries again, and it is there");
        }
    }
}

/// SNS itself, as the SDK reaches it.
fn sns_api(app: App, host: &FakeHttps) -> App {
    use aws_sdk_sns::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
    let config = aws_sdk_sns::Config::builder().behavior_version(BehaviorVersion::latest());
    let config = config.region(Region::new("us-west-2")).http_client(host.http_client());
    let config = config.credentials_provider(Credentials::new("k", "s", None, None, "test"));
    App { sns: aws_sdk_sns::Client::from_conf(config.retry_config(RetryConfig::disabled()).build()), ..app }
}

#[tokio::test]
async fn a_subscription_is_confirmed_by_asking_sns_in_the_topics_region() {
    let world = World::new().await;
    let host = certificate_host();
    let app = sns_api(open(&world, &host), &host);
    let subscription = Sns::subscription("token-1");
    let heard = said(&app, &subscription).await;
    assert_eq!((heard.status, heard.text("error")), (503, "unavailable"), "SNS does not confirm: {heard:?}");
    let confirmed = "<ConfirmSubscriptionResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
        <ConfirmSubscriptionResult><SubscriptionArn>arn</SubscriptionArn></ConfirmSubscriptionResult>\
        <ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></ConfirmSubscriptionResponse>";
    let api = "https://sns.eu-central-1.amazonaws.com/";
    host.put_body(api, "text/xml", confirmed);
    let heard = said(&app, &subscription).await;
    assert_eq!((heard.status, heard.text("status")), (200, "confirmed"), "{heard:?}");
    let asked = host.asked();
    let urls: Vec<&str> = asked.iter().map(|asked| asked.url.as_str()).collect();
    assert_eq!(urls, [CERTIFICATE_URL, api, api], "SubscribeURL is never followed");
    let fields: Vec<(String, String)> = form_urlencoded::parse(&asked[2].body).into_owned().collect();
    for (name, value) in [("Action", "ConfirmSubscription"), ("TopicArn", TOPIC), ("Token", "token-1")] {
        assert!(fields.contains(&(name.to_owned(), value.to_owned())), "{fields:?}");
    }

    for (what, forged) in [
        ("another token", subscription.clone().set("Token", json!("token-2"))),
        ("an empty token", subscription.clone().set("Token", json!(""))),
        ("no signature", subscription.clone().without("Signature")),
        ("another topic", subscription.set("TopicArn", json!(format!("{TOPIC}-2"))).signed()),
    ] {
        assert_eq!(said(&app, &forged).await.status, 401, "{what}");
    }
    assert_eq!(host.asked().len(), 3, "nothing of that is asked");
}

/// The only row of the ledger: outcome and reasons.
async fn only_row(world: &World) -> (String, String) {
    let rows = world.items("MAIL").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = rows.into_values().next().unwrap();
    (text(&row, "outcome"), format!("{:?}", row["reasons"]))
}

#[tokio::test]
async fn what_asks_for_nothing_is_noted() {
    let setup = json!({ "notificationType": "Received", "mail": { "messageId": "AMAZON_SES_SETUP_NOTIFICATION" },
        "receipt": { "action": { "type": "S3", "bucketName": postern_cli::engines::BUCKET,
            "objectKey": "raw/ses/AMAZON_SES_SETUP_NOTIFICATION" } } });
    for (sns, reason) in
        [(Sns::unsubscription("k"), "sns-unsubscribed"), (Sns::notification("a", &setup.to_string()), "ses-setup")]
    {
        let world = World::new().await;
        let app = open(&world, &certificate_host());
        for _ in 0..2 {
            let heard = said(&app, &sns).await;
            assert_eq!((heard.status, heard.text("status")), (200, "ignored"), "{heard:?}");
        }
        let (outcome, reasons) = only_row(&world).await;
        assert!(outcome == "ignored" && reasons.contains(reason), "{outcome} {reasons}");
        assert_eq!((world.objects("payload/ses/").await.len(), world.tickets().await), (1, 0), "kept");
    }
}

#[tokio::test]
async fn what_else_a_topic_tells_is_told_apart() {
    let world = World::new().await;
    let app = open(&world, &certificate_host());
    let before = world.stored().await;
    for message in [
        json!({ "notificationType": "Bounce", "mail": {} }).to_string(),
        json!({ "notificationType": "Delivery" }).to_string(),
        json!({ "eventType": "Open", "mail": {} }).to_string(),
        "Successfully validated SNS topic for Amazon SES event publishing.".to_owned(),
    ] {
        let heard = said(&app, &Sns::notification("a", &message)).await;
        assert_eq!((heard.status, heard.text("error")), (200, "other-webhook"), "{message}");
        assert!(heard.text("message").contains("receipt rule"), "{heard:?}");
    }
    assert_eq!(world.stored().await, before);
    let mut elsewhere = notification(&copy());
    elsewhere["receipt"]["action"]["bucketName"] = json!("theirs");
    for (message, reason) in [
        ("hello".to_owned(), "not-json"),
        (json!({ "mail": {} }).to_string(), "not-a-receipt"),
        (elsewhere.to_string(), "foreign-bucket"),
    ] {
        let heard = said(&app, &Sns::notification("a", &message)).await;
        assert_eq!((heard.status, heard.text("status")), (200, "failed"), "{message}");
        assert!(heard.reasons().contains(&reason) && heard.body["hint"].is_string(), "{heard:?}");
    }
}

#[tokio::test]
async fn raw_message_delivery_is_told_in_words() {
    let world = World::new().await;
    let app = open(&world, &certificate_host());
    let heard = hear(&app, post("/inbound/ses", "text/plain", notification(&copy()).to_string())).await;
    assert_eq!(heard.status, 401);
    assert!(heard.text("message").contains("raw message delivery"), "{heard:?}");
}

#[tokio::test]
async fn the_path_names_the_mailbox() {
    let boxes = vec![
        crate::world::mailbox("billing", "billing@us.example", "BIL"),
        crate::world::mailbox("support", RECIPIENT, "INC"),
    ];
    let world = World::with(boxes).await;
    let app = open(&world, &certificate_host());
    let sns = Sns { path: "/inbound/ses/billing".to_owned(), ..Sns::mail("a", &octets("o")) };
    assert!(said(&app, &sns).await.text("ticket_number").starts_with("BIL-"));
}

#[tokio::test]
async fn a_relay_that_is_vouched_for_needs_no_signature_of_sns() {
    let world = World::new().await;
    let host = certificate_host();
    let secret = json!({ "escalated": { "inbound_secrets": ["shared-Elm"] } }).to_string();
    let app = listening(door_with(world.over(&Wire::new()), SecretSource::Text(secret)), &world, &host);
    let vouched = |sns: &Sns, secret: &'static str| {
        let path = "/escalated/webhook/email/inbound?adapter=ses".to_owned();
        let mut request: Request<bytes::Bytes> = Sns { path, ..sns.clone() }.request();
        request.headers_mut().insert("x-escalated-inbound-secret", secret.parse().unwrap());
        request
    };
    let unsigned = Sns::mail("a", &octets("o")).without("Signature");
    assert_eq!(hear(&app, vouched(&unsigned, "shared-Oak")).await.status, 401);
    let heard = hear(&app, vouched(&unsigned, "shared-Elm")).await;
    assert_eq!((heard.status, heard.text("status")), (200, "created"), "{heard:?}");
    let other = Sns::subscription("k").set("TopicArn", json!(format!("{TOPIC}-2")));
    assert_eq!(hear(&app, vouched(&other, "shared-Elm")).await.status, 401, "topics are confirmed by the list alone");
    assert!(host.asked().is_empty());
}

#[test]
fn the_fixture_is_what_it_says() {
    let json: Value = serde_json::from_str(VERSION_1).unwrap();
    assert_eq!((&json["SignatureVersion"], &json["TopicArn"]), (&json!("1"), &json!(TOPIC)));
    assert!(!operator(&[], &[]).contains("topics"), "topics are no secret");
}
