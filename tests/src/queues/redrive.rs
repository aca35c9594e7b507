//! Redriving: failed mail comes in again, once.

use postern::{
    ingest::Redriven,
    records::Outcome,
    store::{LedgerId, keys::NO_MAILBOX},
};
use serde_json::json;

use super::{Line, notification, once, sns, until_done};
use crate::{
    harness::{fault::Fault, wire::Wire},
    world::{World, mail},
};

/// Redrives one copy and works the retry queue off.
pub(super) async fn redrive(world: &World, id: &LedgerId) {
    let ingest = world.door_over(&Wire::new());
    assert_eq!(ingest.redrive(id).await.unwrap(), Redriven::Queued);
    work_off_the_retry_queue(world, &Wire::new()).await;
}

/// Takes every message of the retry queue and delivers it until it is done.
pub(super) async fn work_off_the_retry_queue(world: &World, wire: &Wire) {
    for (id, body) in take_retry_messages(world).await {
        until_done(world, wire, Line::Retry, (&id, &body), "retry queue").await;
    }
}

pub(crate) async fn take_retry_messages(world: &World) -> Vec<(String, String)> {
    let sqs = world.engines.endpoints().all_clients(None).sqs;
    let url = world.urls().retry;
    let mut taken = Vec::new();
    loop {
        let answer = sqs.receive_message().queue_url(&url).max_number_of_messages(10).send().await.unwrap();
        let messages = answer.messages.unwrap_or_default();
        if messages.is_empty() {
            return taken;
        }
        for message in messages {
            let handle = message.receipt_handle.unwrap();
            sqs.delete_message().queue_url(&url).receipt_handle(handle).send().await.unwrap();
            taken.push((message.message_id.unwrap(), message.body.unwrap()));
        }
    }
}

/// A copy that failed: its object came only after it was given up.
async fn parked(world: &World) -> LedgerId {
    let copy = mail("o", "cust").copy("1");
    let body = sns(&notification(&copy));
    until_done(world, &Wire::new(), Line::Receipt, ("m", &body), "missing").await;
    world.received(&copy).await;
    LedgerId::of("raw/ses/1", "support")
}

#[tokio::test]
async fn parked_mail_comes_in_again() {
    let world = World::new().await;
    let id = parked(&world).await;
    redrive(&world, &id).await;
    let end = world.end_state().await;
    assert_eq!((end.partition.as_str(), end.ledger), ("o", vec!["1/support created committed".to_owned()]));
    let row = world.ingest.store.ledger_row(&id).await.unwrap().unwrap();
    assert!(row.accept.is_none() && row.attempts.is_empty() && row.cause.is_none());
}

#[tokio::test]
async fn a_redriven_row_is_queued_and_waits_for_nobody_to_look() {
    let world = World::new().await;
    let id = parked(&world).await;
    world.door_over(&Wire::new()).redrive(&id).await.unwrap();
    let waiting = world.ingest.store.attention(&[Outcome::Failed, Outcome::Queued], 10).await.unwrap();
    assert_eq!(waiting.iter().map(|line| line.row.outcome).collect::<Vec<_>>(), [Outcome::Queued]);
    let rows = world.items("MAIL#").await;
    assert!(!rows.values().next().unwrap().contains_key("gsi4pk"), "no message.failed is due any more");
    assert_eq!(take_retry_messages(&world).await.len(), 1);
    // Its message is lost: redriving a queued one tells of it again.
    redrive(&world, &id).await;
    assert_eq!(world.end_state().await.partition, "o");
}

#[tokio::test]
async fn what_cannot_be_redriven_is_refused_in_words() {
    let world = World::new().await;
    let ingest = world.door_over(&Wire::new());
    world.deliver(&mail("o", "cust").copy("1")).await;
    let garbage = "no receipt";
    assert!(once(&world, &Wire::new(), Line::Receipt, ("m", garbage), 1).await);
    let payload = world.objects("payload/").await.remove(0);
    let committed = world.objects("raw/").await.remove(0);
    for (id, words) in [
        (LedgerId::of("raw/nobody", "support"), "no mail"),
        (LedgerId::of(&committed, "support"), "committed, not failed"),
        (LedgerId::of(&payload, NO_MAILBOX), "no mail was read"),
    ] {
        let Redriven::Refused(why) = ingest.redrive(&id).await.unwrap() else { panic!("{words}: not refused") };
        assert!(why.contains(words), "{why}");
    }
    assert!(take_retry_messages(&world).await.is_empty());
}

#[tokio::test]
async fn a_queue_that_is_down_is_told_and_a_second_redrive_mends_it() {
    let world = World::new().await;
    let id = parked(&world).await;
    let wire = Wire::new();
    // Read, update, send.
    wire.fail_call(3, Fault::ServerError);
    let error = world.door_over(&wire).redrive(&id).await.unwrap_err();
    assert!(error.to_string().contains("retry queue"), "{error}");
    redrive(&world, &id).await;
    assert_eq!(world.end_state().await.partition, "o");
}

#[tokio::test]
async fn a_release_by_message_stays_a_release() {
    let world = World::new().await;
    world.deliver(&mail("o", "cust").copy("1").spam()).await;
    let ((pk, _), _) = world.items("MAIL#").await.into_iter().next().unwrap();
    let body =
        json!({ "work": "release", "id": format!("{}/support", pk.trim_start_matches("MAIL#")), "actor": "desk" })
            .to_string();
    for receives in 1..=6 {
        let wire = Wire::new();
        for n in 3..=12 {
            wire.fail_call(n, Fault::Throttled);
        }
        assert!(!once(&world, &wire, Line::Retry, ("m", &body), receives).await, "never counted, never parked");
    }
    assert!(once(&world, &Wire::new(), Line::Retry, ("m", &body), 7).await);
    assert_eq!(world.end_state().await.partition, "o");
    let row = world.items("MAIL#").await.into_values().next().unwrap();
    assert_eq!(crate::world::text(&row, "actor"), "desk");
}
