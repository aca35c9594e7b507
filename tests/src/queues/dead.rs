//! Dead letters of every kind become failed rows, and nothing looks at the mail.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use postern::store::LedgerId;
use serde_json::json;

use super::{Line, decide, key_of, notification, object_created, once, only_row, sns};
use crate::{
    harness::{fault::Fault, wire::Wire},
    world::{World, mail},
};

/// Buries a letter; the calls that took.
async fn bury(world: &World, body: &str) -> Vec<String> {
    let wire = Wire::new();
    assert!(once(world, &wire, Line::Dead, ("m", body), 1).await);
    wire.calls().iter().map(|call| call.operation.clone()).collect()
}

async fn expect_dead_letter(world: &World) {
    let (outcome, cause, _) = only_row(world).await;
    assert_eq!((outcome.as_str(), cause.as_str()), ("failed", "dead-letter"));
}

#[tokio::test]
async fn a_receipt_is_parked_unread_and_can_be_redriven() {
    let inner = notification(&mail("o", "cust").copy("1"));
    for body in [sns(&inner), inner.to_string()] {
        let world = World::new().await;
        world.received(&mail("o", "cust").copy("1")).await;
        let calls = bury(&world, &body).await;
        assert_eq!(calls, ["Query", "BatchGetItem", "TransactWriteItems"], "the octets are not touched");
        expect_dead_letter(&world).await;
        super::redrive::redrive(&world, &LedgerId::of("raw/ses/1", "support")).await;
        assert_eq!(world.end_state().await.partition, "o", "with its envelope and verdicts");
    }
}

#[tokio::test]
async fn what_lambda_gave_up_within_minutes_is_brought_in() {
    let world = World::new().await;
    let copy = mail("o", "cust").copy("1");
    world.received(&copy).await;
    let message = notification(&copy).to_string();
    let body = json!({
        "version": "1.0", "requestContext": { "condition": "RetriesExhausted" },
        "requestPayload": { "Records": [{ "EventSource": "aws:sns", "Sns": { "Message": message } }] },
    })
    .to_string();
    let wire = Wire::new();
    wire.fail_service(crate::harness::call::Service::DynamoDb, Fault::ServerError);
    assert!(!once(&world, &wire, Line::Dead, ("m", &body), 1).await, "an outage is waited for");
    assert!(once(&world, &Wire::new(), Line::Dead, ("m", &body), 2).await);
    assert_eq!(world.end_state().await.partition, "o");
}

#[tokio::test]
async fn a_dead_letter_parks_the_row_that_was_counted() {
    let boxes = vec![
        crate::world::mailbox("billing", "billing@us.example", "BIL"),
        crate::world::mailbox("support", crate::world::SUPPORT, "INC"),
    ];
    let world = World::with(boxes).await;
    // Known by its To only: the envelope names nobody of ours.
    let copy = mail("o", "cust").copy("1").forward(&["elsewhere@us.example"]);
    let body = world.received(&copy).await;
    let wire = Wire::new();
    wire.fail_call(3, Fault::Refused);
    assert!(!once(&world, &wire, Line::Receipt, ("m", &body), 2).await);
    bury(&world, &body).await;
    expect_dead_letter(&world).await;
}

#[tokio::test]
async fn octets_that_came_along_are_made_safe() {
    let world = World::new().await;
    let copy = mail("o", "cust").copy("1");
    let mut json = notification(&copy);
    json["receipt"]["action"] = json!({ "type": "SNS", "encoding": "BASE64" });
    json["content"] = json!(BASE64_STANDARD.encode(copy.mail.octets("1")));
    bury(&world, &sns(&json)).await;
    expect_dead_letter(&world).await;
    let key = world.objects("raw/ses/").await.remove(0);
    super::redrive::redrive(&world, &LedgerId::of(&key, "support")).await;
    assert_eq!(world.end_state().await.partition, "o");
}

#[tokio::test]
async fn work_and_objects_are_parked_by_what_they_say() {
    let world = World::new().await;
    let wire = Wire::new();
    wire.fail_call(2, Fault::Refused);
    world.over(&wire).run(mail("o", "cust").copy("1").inbound()).await.unwrap_err();
    let key = world.objects("raw/").await.remove(0);
    let accept = world.ingest.blobs.head(&key).await.unwrap().unwrap().accept.unwrap();
    assert_eq!(bury(&world, &decide(accept)).await, ["BatchGetItem", "TransactWriteItems"]);
    expect_dead_letter(&world).await;
    assert_eq!(bury(&world, &object_created(&key)).await.len(), 2, "ended: looked at, not parked twice");
    expect_dead_letter(&world).await;
    super::redrive::redrive(&world, &LedgerId::of(&key, "support")).await;
    assert_eq!(world.end_state().await.partition, "o");

    let world = World::new().await;
    let copy = mail("o", "cust").copy("1");
    let wire = Wire::new();
    wire.fail_call(2, Fault::Refused);
    world.over(&wire).run(copy.inbound()).await.unwrap_err();
    let key = world.objects("raw/").await.remove(0);
    let calls = bury(&world, &object_created(&key)).await;
    assert!(!calls.iter().any(|call| call == "GetObject"), "{calls:?}");
    expect_dead_letter(&world).await;
}

#[tokio::test]
async fn mail_that_has_ended_stays_as_it_is() {
    let world = World::new().await;
    let copy = mail("o", "cust").copy("1");
    let body = world.received(&copy).await;
    assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &body), 1).await);
    let end = world.end_state().await;
    bury(&world, &body).await;
    bury(&world, &object_created(&key_of(&copy))).await;
    assert_eq!(world.end_state().await, end);
}

#[tokio::test]
async fn a_dead_release_leaves_the_mail_held_and_garbage_is_kept() {
    let world = World::new().await;
    world.deliver(&mail("o", "cust").copy("1").spam()).await;
    let ((pk, _), _) = world.items("MAIL#").await.into_iter().next().unwrap();
    let release =
        json!({ "work": "release", "id": format!("{}/support", pk.trim_start_matches("MAIL#")), "actor": "x" });
    assert!(bury(&world, &release.to_string()).await.is_empty());
    assert_eq!(only_row(&world).await.0, "held");
    let world = World::new().await;
    bury(&world, "garbage").await;
    assert_eq!(only_row(&world).await.1, "unreadable-payload");
}

#[tokio::test]
async fn while_the_table_is_down_a_dead_letter_stays() {
    let world = World::new().await;
    let wire = Wire::new();
    wire.fail_call(1, Fault::ServerError);
    let body = sns(&notification(&mail("o", "cust").copy("1")));
    assert!(!once(&world, &wire, Line::Dead, ("m", &body), 1).await);
    assert!(once(&world, &Wire::new(), Line::Dead, ("m", &body), 2).await);
    expect_dead_letter(&world).await;
}
