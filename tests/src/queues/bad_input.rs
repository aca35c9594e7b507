//! What is wrong with an event, a message, an object, and what becomes of it.

use aws_sdk_s3::primitives::ByteStream;
use postern_cli::engines::BUCKET;
use serde_json::{Value, json};

use super::{Line, event, failed, notification, once, only_row, record, sns};
use crate::{
    harness::wire::Wire,
    world::{World, boundless, mail},
};

#[tokio::test]
async fn events_of_another_source_are_refused_in_words() {
    let world = World::new().await;
    for foreign in [
        json!({ "Records": [{ "eventSource": "aws:s3", "s3": {} }] }),
        json!({ "Records": [] }),
        json!({ "source": "aws.events" }),
        Value::Null,
    ] {
        let error = world.receipt_function(&Wire::new()).handle(foreign.clone()).await.unwrap_err().to_string();
        assert!(error.contains("SQS, SNS and SES events are taken here"), "{error}");
    }
    for foreign in [json!({ "source": "aws.events" }), json!({ "work": "dance" }), Value::Null] {
        let error = world.retry_function(&Wire::new()).handle(foreign).await.unwrap_err().to_string();
        assert!(error.contains("sweep"), "{error}");
    }
    assert!(world.items("").await.is_empty());
}

#[tokio::test]
async fn messages_that_are_no_receipt_are_kept_and_failed() {
    let copy = mail("o", "cust").copy("1");
    let changed = |path: &str, value: Value| {
        let mut json = notification(&copy);
        *json.pointer_mut(path).unwrap() = value;
        sns(&json)
    };
    for (what, body, reason) in [
        ("not JSON", "hello".to_owned(), "not-json"),
        ("empty", String::new(), "not-json"),
        ("JSON that is not SES", r#"{"hello": "world"}"#.to_owned(), "not-a-receipt"),
        ("another notification", changed("/notificationType", json!("Bounce")), "not-a-receipt"),
        ("a message that is no JSON", json!({ "Type": "Notification", "Message": "x" }).to_string(), "not-json"),
        ("another bucket", changed("/receipt/action/bucketName", json!("theirs")), "foreign-bucket"),
        ("another prefix", changed("/receipt/action", json!({ "objectKey": "mail/1" })), "foreign-prefix"),
        (
            "raw mail of another door",
            changed("/receipt/action/objectKeyPrefix", json!("raw/mailgun/")),
            "foreign-prefix",
        ),
        ("no octets at all", changed("/receipt/action", json!({ "bucketName": BUCKET })), "no-octets"),
    ] {
        let world = World::new().await;
        world.received(&copy).await;
        assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &body), 1).await, "{what}: another try reads the same");
        let (outcome, cause, reasons) = only_row(&world).await;
        assert_eq!((outcome.as_str(), cause.as_str()), ("failed", "unreadable-payload"), "{what}");
        assert_eq!(reasons, [reason], "{what}");
        let kept = world.objects("payload/ses/").await;
        assert_eq!(kept.len(), 1, "{what}");
        assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &body), 2).await, "{what}: again");
        only_row(&world).await;
    }
}

#[tokio::test]
async fn one_broken_record_of_a_hundred_is_its_own() {
    let world = World::with(vec![boundless()]).await;
    let mut records = Vec::new();
    for n in 0..100 {
        let copy = mail(&format!("m{n}"), "cust").copy(&format!("{n}"));
        let body = if n == 41 { sns(&notification(&copy)) } else { world.received(&copy).await };
        records.push(record("postern-receipt", &format!("id{n}"), &body, 1));
    }
    let answer = world.receipt_function(&Wire::new()).handle(event(&records)).await.unwrap();
    assert_eq!(failed(&answer), ["id41"], "its object is not there; it alone comes again");
    assert_eq!(world.tickets().await, 99);
}

#[tokio::test]
async fn a_record_twice_in_one_event_is_one_mail() {
    let world = World::new().await;
    let body = world.received(&mail("o", "cust").copy("1")).await;
    let twice = [record("postern-receipt", "a", &body, 1), record("postern-receipt", "b", &body, 1)];
    let answer = world.receipt_function(&Wire::new()).handle(event(&twice)).await.unwrap();
    assert!(failed(&answer).is_empty());
    assert_eq!(world.end_state().await.partition, "o");
    assert_eq!(world.items("MAIL#").await.len(), 1);
}

#[tokio::test]
async fn objects_that_the_provider_encrypted_are_told_in_words() {
    for marker in ["x-amz-key-v2", "x-amz-key"] {
        let world = World::new().await;
        let (_, s3) = world.engines.clients(None);
        let put = s3.put_object().bucket(BUCKET).key("raw/ses/1").metadata(marker, "wrapped key");
        put.body(ByteStream::from_static(b"\x00\x01")).send().await.unwrap();
        let body = sns(&notification(&mail("o", "cust").copy("1")));
        assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &body), 1).await, "no retry brings the key");
        let (outcome, cause, _) = only_row(&world).await;
        assert_eq!((outcome.as_str(), cause.as_str()), ("failed", "client-encrypted"));
    }
    let why = postern::blobs::BlobError::ClientEncrypted("raw/ses/1".to_owned()).to_string();
    assert!(why.contains("leave KmsKeyArn of the receipt rule's S3 action empty"), "{why}");
}

#[tokio::test]
async fn retry_messages_that_say_nothing_are_kept_and_failed() {
    for (body, reason) in [
        ("hello", "not-understood"),
        (r#"{"work":"decide"}"#, "not-understood"),
        (r#"{"work":"release","id":"nonsense","actor":"x"}"#, "no-ledger-id"),
        (r#"{"Records":[{"s3":{"bucket":{"name":"theirs"},"object":{"key":"raw/x"}}}]}"#, "foreign-object"),
    ] {
        let world = World::new().await;
        assert!(once(&world, &Wire::new(), Line::Retry, ("m", body), 1).await, "{body}");
        let (outcome, _, reasons) = only_row(&world).await;
        assert_eq!((outcome.as_str(), reasons), ("failed", vec![reason.to_owned()]), "{body}");
    }
    let world = World::new().await;
    let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#;
    assert!(once(&world, &Wire::new(), Line::Net, ("m", test), 1).await);
    assert!(world.items("").await.is_empty(), "the notification's set-up is nothing");
}

#[tokio::test]
async fn a_panic_is_one_letters_own() {
    use postern::queue::{Letter, work_off};
    let letters = ["a", "panic", "b"].map(|id| Letter {
        id: id.to_owned(),
        handle: String::new(),
        body: String::new(),
        receives: 1,
        first_received: None,
        queue: "none".to_owned(),
    });
    let seen = std::sync::Mutex::new(Vec::new());
    let ambient = postern::ambient::Ambient::fixed(crate::world::now(), 1);
    let again = work_off(&[], &letters, &ambient, |letter| {
        let seen = &seen;
        async move {
            assert_ne!(letter.id, "panic", "on purpose");
            seen.lock().unwrap().push(letter.id);
            Ok(())
        }
    });
    assert_eq!(again.await, ["panic"]);
    assert_eq!(*seen.lock().unwrap(), ["a", "b"]);
}
