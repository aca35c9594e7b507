//! What is lost on the way is found: the sweep finds rows without a letter, the safety net objects without a row's end.

use serde_json::json;

use super::{Side, event, failed, mail, object_created, record, take_retry_messages, word};
use crate::{
    harness::{fault::Fault, wire::Wire},
    world::now,
};

#[tokio::test]
async fn a_lost_letter_is_written_again() {
    let side = Side::new().await;
    side.keeps("a", &mail("o", "cust"));
    side.tell(word("a", &mail("o", "cust").copy("1"))).await;
    assert_eq!(take_retry_messages(&side.world).await.len(), 1, "and dropped");
    assert_eq!(side.sweep(29).await, json!(0), "a letter has half an hour");
    assert_eq!(side.sweep(32).await, json!(1));
    assert_eq!(side.sweep(37).await, json!(0), "one letter is enough");
    assert_eq!(take_retry_messages(&side.world).await.len(), 1, "lost too");
    assert_eq!(side.sweep(6 * 60 + 33).await, json!(1), "but not for ever");
    assert_eq!(side.work_off(400).await, 1);
    assert_eq!(side.world.end_state().await.partition, "o");
    assert_eq!(side.sweep(24 * 60).await, json!(0), "what has ended is left alone");
}

#[tokio::test]
async fn the_row_is_enough_where_the_queue_was_down() {
    let side = Side::new().await;
    side.keeps("a", &mail("o", "cust"));
    let wire = Wire::new();
    wire.fail_service(crate::harness::call::Service::Sqs, Fault::ServerError);
    let refused = side.world.door_over(&wire).announced(word("a", &mail("o", "cust").copy("1"))).await;
    assert!(refused.unwrap_err().retryable(), "the provider hears 503");
    assert_eq!(side.rows().await, ["support queued"]);
    assert_eq!(side.sweep(32).await, json!(1));
    side.work_off(32).await;
    assert_eq!(side.world.end_state().await.partition, "o");
}

#[tokio::test]
async fn a_word_for_nobody_and_one_for_two_are_written_again_each() {
    let side = Side::with_two().await;
    side.keeps("a", &mail("o", "cust"));
    side.keeps("b", &mail("p", "cust"));
    side.tell(word("a", &mail("o", "cust").copy("1").forward(&["alias@us.example"]))).await;
    let both = ["support@us.example", "billing@us.example"];
    side.tell(word("b", &mail("p", "cust").copy("2").forward(&both))).await;
    take_retry_messages(&side.world).await;
    assert_eq!(side.sweep(32).await, json!(3), "one for each row");
    side.work_off(32).await;
    let ends = ["- duplicate", "billing committed", "support committed", "support committed"];
    assert_eq!(side.rows().await, ends);
}

#[tokio::test]
async fn other_queued_mail_is_left_to_its_queue() {
    let side = Side::new().await;
    side.world.received(&mail("o", "cust").copy("1")).await;
    let accept = side.world.ingest.accept_unread(&mail("o", "cust").copy("1").inbound());
    let accept = postern::inbound::AcceptRecord { raw_key: "raw/ses/1".to_owned(), ..accept };
    side.world.ingest.park_copies(&accept, (postern::records::Cause::DeadLetter, "receives-used-up")).await.unwrap();
    let id = postern::store::LedgerId::of("raw/ses/1", "support");
    let row = side.world.ingest.store.ledger_row(&id).await.unwrap().unwrap();
    assert!(side.world.ingest.store.requeue(&id, &row).await.unwrap());
    assert_eq!(side.rows().await, ["support queued"]);
    assert_eq!(side.sweep(600).await, json!(0));
}

#[tokio::test]
async fn an_object_whose_letter_is_lost_is_found_by_the_net() {
    let side = Side::new().await;
    side.keeps("a", &mail("o", "cust"));
    side.tell(word("a", &mail("o", "cust").copy("1"))).await;
    let letter = take_retry_messages(&side.world).await.remove(0);
    // Row, object, fetch, PUT; then nothing more.
    let wire = Wire::new();
    for n in 4..40 {
        wire.fail_call(n, Fault::Refused);
    }
    assert!(!super::once(&side.retry(&wire, side.provider.outbound(), now()), &letter, 1).await);
    let key = side.world.objects("raw/").await.remove(0);
    let body = object_created(&key);
    let found = side.after(15).handle(event(&[record("postern-net", "n", &body, 1)])).await.unwrap();
    assert!(failed(&found).is_empty());
    assert_eq!(side.world.end_state().await.partition, "o");
    assert_eq!(side.provider.asked().len(), 1);
}
