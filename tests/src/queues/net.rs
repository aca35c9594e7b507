//! The safety net: every raw object comes to an end, whoever died on the way.

use super::{Line, decide, key_of, object_created, once, only_row, until_done};
use postern::ingest::{Accounted, Open};

use crate::{
    harness::{fault::Fault, wire::Wire},
    world::{SUPPORT, World, mail, mailbox},
};

/// The octets are safe, then the process dies.
async fn orphaned(world: &World, copy: &crate::world::Copy) -> String {
    let wire = Wire::new();
    wire.fail_call(2, Fault::Refused);
    world.over(&wire).run(copy.inbound()).await.unwrap_err();
    world.objects("raw/").await.remove(0)
}

#[tokio::test]
async fn an_orphan_is_brought_in_as_first_accepted() {
    let world = World::new().await;
    let key = orphaned(&world, &mail("o", "cust").to(&["bob"]).copy("1")).await;
    assert!(world.items("").await.is_empty());
    assert!(once(&world, &Wire::new(), Line::Net, ("m", &object_created(&key)), 1).await);
    let end = world.end_state().await;
    assert_eq!((end.partition.as_str(), end.ledger), ("o", vec!["1/support created committed".to_owned()]));
}

/// In an outage the net's letter may be the first to get through; that is no mail that a dying function forgot.
#[tokio::test]
async fn what_somebody_works_on_was_not_forgotten() {
    let world = World::new().await;
    let key = orphaned(&world, &mail("o", "cust").copy("1")).await;
    let accept = world.ingest.blobs.head(&key).await.unwrap().unwrap().accept.unwrap();
    let wire = Wire::new();
    wire.fail_next("TransactWriteItems", Fault::ServerError, usize::MAX);
    wire.fail_next("BatchGetItem", Fault::ServerError, usize::MAX);
    assert!(!once(&world, &wire, Line::Retry, ("r", &decide(accept)), 1).await, "the table is down");
    assert_eq!(only_row(&world).await.0, "queued");
    let seen = world.ingest.account_for(&key, Open::BringIn(None)).await.unwrap();
    assert_eq!((seen, only_row(&world).await.0.as_str()), (Accounted::Already, "committed"));

    let world = World::new().await;
    let key = orphaned(&world, &mail("o", "cust").copy("1")).await;
    let seen = world.ingest.account_for(&key, Open::BringIn(None)).await.unwrap();
    assert_eq!((seen, only_row(&world).await.0.as_str()), (Accounted::Caught, "committed"));
}

#[tokio::test]
async fn half_a_fan_out_is_finished() {
    let boxes = vec![mailbox("billing", "billing@us.example", "BIL"), mailbox("support", SUPPORT, "INC")];
    let world = World::with(boxes).await;
    let copy = mail("o", "cust").copy("1").forward(&[SUPPORT, "billing@us.example"]);
    let wire = Wire::new();
    // PUT, BatchGet, ordinal, transaction for the first; then the table is gone.
    for n in 5..=12 {
        wire.fail_call(n, Fault::Refused);
    }
    world.over(&wire).run(copy.inbound()).await.unwrap_err();
    assert_eq!(world.items("MAIL#").await.len(), 1);
    let key = world.objects("raw/").await.remove(0);
    assert!(once(&world, &Wire::new(), Line::Net, ("m", &object_created(&key)), 1).await);
    let end = world.end_state().await;
    assert_eq!(end.ledger, ["1/billing created committed", "1/support created committed"]);
}

#[tokio::test]
async fn an_accept_record_too_large_for_metadata_is_found_beside() {
    let world = World::new().await;
    let many: Vec<String> = (0..90).map(|n| format!("some-long-name-{n}@a-long-domain-name.example")).collect();
    let mut forward: Vec<&str> = many.iter().map(String::as_str).collect();
    forward.push(SUPPORT);
    let copy = mail("o", "cust").copy("1").forward(&forward);
    let wire = Wire::new();
    // The record, the octets and the read stand side by side: the table is gone for all of them.
    for n in 1..=4 {
        wire.fail_call(n, Fault::Refused);
    }
    world.over(&wire).run(copy.inbound()).await.unwrap_err();
    let accept = world.ingest.accept_unread(&copy.inbound());
    let accept = postern::inbound::AcceptRecord { raw_key: "raw/mailgun/1".to_owned(), ..accept };
    world.ingest.blobs.put_raw(&accept, copy.inbound().raw).await.unwrap();
    assert_eq!(world.objects("accept/").await.len(), 1);
    assert!(once(&world, &Wire::new(), Line::Net, ("m", &object_created("raw/mailgun/1")), 1).await);
    assert_eq!(world.end_state().await.partition, "o");
}

#[tokio::test]
async fn an_object_of_ses_that_nobody_told_of_is_held_and_can_be_released() {
    let world = World::new().await;
    let copy = mail("o", "cust").copy("1");
    world.received(&copy).await;
    assert!(once(&world, &Wire::new(), Line::Net, ("m", &object_created(&key_of(&copy))), 1).await);
    let (outcome, cause, _) = only_row(&world).await;
    assert_eq!((outcome.as_str(), cause.as_str()), ("held", "unaccounted"));
    let id = postern::store::LedgerId::of("raw/ses/1", "-");
    world.ingest.release(&id, None, "test").await.unwrap();
    assert_eq!(world.end_state().await.partition, "o");
}

#[tokio::test]
async fn a_receipt_that_comes_late_accounts_for_it() {
    let world = World::new().await;
    let copy = mail("o", "cust").copy("1");
    let body = world.received(&copy).await;
    assert!(once(&world, &Wire::new(), Line::Net, ("n", &object_created(&key_of(&copy))), 1).await);
    assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &body), 1).await);
    let rows = world.items("MAIL#").await;
    let outcomes: Vec<String> = rows.values().map(|row| crate::world::text(row, "outcome")).collect();
    assert_eq!(outcomes, ["duplicate", "committed"], "nothing stays held beside it");
    let dash = rows.values().next().unwrap();
    for mark in ["cause", "gsi1pk", "gsi4pk"] {
        assert!(!dash.contains_key(mark), "{mark}: it waits for nobody");
    }
    assert_eq!(super::reasons(dash), ["no-receipt", "was-held-unaccounted"]);
}

#[tokio::test]
async fn a_net_that_died_half_way_is_mended_by_the_next() {
    let world = World::new().await;
    let copy = mail("o", "cust").copy("1");
    let body = world.received(&copy).await;
    assert!(once(&world, &Wire::new(), Line::Net, ("n", &object_created(&key_of(&copy))), 1).await);
    let held = world.items("MAIL#").await.into_values().next().unwrap();
    assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &body), 1).await);
    // As if the receipt had read before that row was there.
    world.put_item(held).await;
    assert!(once(&world, &Wire::new(), Line::Net, ("n", &object_created(&key_of(&copy))), 2).await);
    let rows = world.items("MAIL#").await;
    let outcomes: Vec<String> = rows.values().map(|row| crate::world::text(row, "outcome")).collect();
    assert_eq!(outcomes, ["duplicate", "committed"]);
}

#[tokio::test]
async fn the_set_up_object_and_one_that_is_gone_are_nothing() {
    let world = World::new().await;
    assert!(once(&world, &Wire::new(), Line::Net, ("m", &object_created("raw/mailgun/gone")), 1).await);
    assert!(world.items("").await.is_empty());
    world.ses_writes("raw/ses/AMAZON_SES_SETUP_NOTIFICATION", b"hello".to_vec()).await;
    let body = object_created("raw/ses/AMAZON_SES_SETUP_NOTIFICATION");
    assert!(once(&world, &Wire::new(), Line::Net, ("m", &body), 1).await);
    assert_eq!(only_row(&world).await.0, "ignored");
}

#[tokio::test]
async fn what_waits_in_a_queue_is_not_the_nets_to_hold() {
    let world = World::new().await;
    let copy = mail("o", "cust").copy("1");
    let body = world.received(&copy).await;
    let wire = Wire::new();
    wire.fail_call(3, Fault::Refused);
    assert!(!once(&world, &wire, Line::Receipt, ("m", &body), 2).await);
    assert!(once(&world, &Wire::new(), Line::Net, ("n", &object_created(&key_of(&copy))), 1).await);
    assert_eq!(world.items("MAIL#").await.len(), 1, "the queued row accounts for it");
    until_done(&world, &Wire::new(), Line::Receipt, ("m", &body), "queued").await;
    assert_eq!(world.end_state().await.partition, "o");
}

#[tokio::test]
async fn net_and_retry_queue_together_are_one_entry() {
    let world = World::new().await;
    let key = orphaned(&world, &mail("o", "cust").copy("1")).await;
    let accept = world.ingest.blobs.head(&key).await.unwrap().unwrap().accept.unwrap();
    assert!(once(&world, &Wire::new(), Line::Retry, ("m", &decide(accept.clone())), 1).await);
    assert!(once(&world, &Wire::new(), Line::Net, ("n", &object_created(&key)), 1).await);
    assert!(once(&world, &Wire::new(), Line::Retry, ("m", &decide(accept)), 2).await);
    assert_eq!(world.end_state().await.ledger, ["1/support created committed"]);
}
