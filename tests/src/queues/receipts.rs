//! The shapes in which SES receipts reach the function.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{Line, event, notification, once, only_row, record, sns};
use crate::{
    harness::wire::Wire,
    world::{SUPPORT, World, mail, mailbox},
};

/// What the receipt function answers to one event.
async fn handle(world: &World, event: Value) -> Result<Value, String> {
    world.receipt_function(&Wire::new()).handle(event).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn every_shape_becomes_the_same_ticket() {
    let copy = mail("o", "cust").to(&["bob"]).copy("1");
    let inner = notification(&copy);
    let from_topic = json!({ "Records": [{
        "EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": "arn",
        "Sns": { "Type": "Notification", "MessageId": "m", "Subject": null, "Message": inner.to_string() },
    }]});
    let mut by_rule = inner.clone();
    by_rule["receipt"]["action"] = json!({ "type": "Lambda", "functionArn": "arn", "invocationType": "Event" });
    by_rule.as_object_mut().unwrap().remove("notificationType");
    let by_rule = json!({ "Records": [{ "eventSource": "aws:ses", "eventVersion": "1.0", "ses": by_rule }] });
    let no_failures = json!({ "batchItemFailures": [] });
    for (shape, event, expected) in [
        ("SNS in SQS", event(&[record("postern-receipt", "m", &sns(&inner), 1)]), no_failures.clone()),
        ("raw delivery in SQS", event(&[record("postern-receipt", "m", &inner.to_string(), 1)]), no_failures),
        ("SNS", from_topic, Value::Null),
        ("the Lambda action", by_rule, json!({ "disposition": "CONTINUE" })),
    ] {
        let world = World::new().await;
        world.received(&copy).await;
        assert_eq!(handle(&world, event.clone()).await.as_ref(), Ok(&expected), "{shape}");
        let end = world.end_state().await;
        assert_eq!(end.partition, "o", "{shape}");
        assert_eq!(end.ledger, ["1/support created committed"], "{shape}");
        assert_eq!(world.objects("raw/").await, ["raw/ses/1"], "{shape}: read where it is, not copied");
        assert_eq!(handle(&world, event).await, Ok(expected), "{shape}: again");
        assert_eq!(world.end_state().await, end, "{shape}: twice is once");
    }
}

#[tokio::test]
async fn content_that_comes_along_is_made_safe_first() {
    let copy = mail("o", "cust").copy("1");
    let octets = copy.mail.octets("1");
    for (encoding, content) in
        [("BASE64", BASE64_STANDARD.encode(&octets)), ("UTF8", String::from_utf8(octets.clone()).unwrap())]
    {
        let world = World::new().await;
        let mut json = notification(&copy);
        json["receipt"]["action"] = json!({ "type": "SNS", "topicArn": "arn", "encoding": encoding });
        json["content"] = json!(content);
        assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &sns(&json)), 1).await);
        assert_eq!(world.end_state().await.partition, "o", "{encoding}");
        let keys = world.objects("raw/ses/").await;
        assert_eq!(keys.len(), 1);
        assert_eq!(world.ingest.blobs.get(&keys[0]).await.unwrap(), octets, "{encoding}: as received");
    }
}

#[tokio::test]
async fn several_recipients_fan_out() {
    let boxes = vec![mailbox("billing", "billing@us.example", "BIL"), mailbox("support", SUPPORT, "INC")];
    let world = World::with(boxes).await;
    let copy = mail("o", "cust").copy("1").forward(&["other@else.example", SUPPORT, "billing@us.example"]);
    let body = world.received(&copy).await;
    assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &body), 1).await);
    let end = world.end_state().await;
    assert_eq!(end.ledger, ["1/billing created committed", "1/support created committed"]);
    assert_eq!(end.partition, "o | o", "one ticket each");
}

#[tokio::test]
async fn mail_for_nobody_is_held() {
    let boxes = vec![mailbox("billing", "billing@us.example", "BIL"), mailbox("support", SUPPORT, "INC")];
    let world = World::with(boxes).await;
    let mut copy = mail("o", "cust").copy("1").forward(&["nobody@us.example"]);
    copy.mail.extra.clear();
    let octets = String::from_utf8(copy.mail.octets("1")).unwrap().replace(SUPPORT, "nobody@us.example");
    world.ses_writes("raw/ses/1", octets.into_bytes()).await;
    assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &sns(&notification(&copy))), 1).await);
    assert_eq!(only_row(&world).await.1, "unknown-recipient");
}

#[tokio::test]
async fn the_set_up_note_is_ignored_with_a_row() {
    let world = World::new().await;
    let mut json = notification(&mail("o", "amazon").copy("AMAZON_SES_SETUP_NOTIFICATION"));
    json["receipt"]["recipients"] = json!([]);
    assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &sns(&json)), 1).await, "the object is never read");
    let (outcome, cause, _) = only_row(&world).await;
    assert_eq!((outcome.as_str(), cause.as_str()), ("ignored", "ses-setup"));
    assert_eq!(world.tickets().await, 0);
}

/// AWS's own sample of its developer guide: four verdicts, no DMARC, From in the common headers only.
#[tokio::test]
async fn the_sample_of_the_developer_guide_is_read() {
    let world = World::new().await;
    let text = include_str!("../../../events/receipt-sns-in-sqs.json");
    let event: Value = serde_json::from_str(text).unwrap();
    let body: Value = serde_json::from_str(event["Records"][0]["body"].as_str().unwrap()).unwrap();
    let message: Value = serde_json::from_str(body["Message"].as_str().unwrap()).unwrap();
    let key = message["receipt"]["action"]["objectKey"].as_str().unwrap().to_owned();
    world.ses_writes(&key, mail("o", "cust").octets("1")).await;
    assert_eq!(handle(&world, event).await, Ok(json!({ "batchItemFailures": [] })));
    assert_eq!(world.end_state().await.partition, "o");
}
