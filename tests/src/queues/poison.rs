//! Poison: three deliveries without an end, counted before the parse; an outage is not poison.

use postern::{
    inbound::{AcceptRecord, Origin},
    records::{LedgerRow, Outcome},
    store::{Counted, LedgerId},
};

use super::{Line, decide, notification, once, only_row, sns, until_done};
use crate::{
    harness::{fault::Fault, wire::Wire},
    world::{Copy, World, mail},
};

/// A delivery that died on the way: counted, and nothing after it.
async fn dies(world: &World, id: &LedgerId, delivery: &str) {
    let row =
        world.ingest.store.ledger_row(id).await.unwrap().unwrap_or_else(|| queued(world, &mail("o", "cust").copy("1")));
    let counted = world.ingest.store.count(id, &row, delivery).await.unwrap();
    assert!(matches!(counted, Counted::Open(_)), "{counted:?}");
}

/// The row of a receipt that is under way.
pub(super) fn queued(world: &World, copy: &Copy) -> LedgerRow {
    let receipt = postern::providers::ses::receipt(&notification(copy), crate::world::now());
    let accept = world.ingest.accept_unread(&receipt.unwrap().into_inbound("postern"));
    LedgerRow {
        outcome: Outcome::Queued,
        effect: None,
        cause: None,
        reasons: Vec::new(),
        evidence: Vec::new(),
        clues: Vec::new(),
        clues_more: 0,
        verdicts: accept.verdicts.clone(),
        ingress: accept.ingress.clone(),
        mailbox: "support".to_owned(),
        raw_key: accept.raw_key.clone(),
        raw_octets: 1,
        ticket: None,
        ticket_number: None,
        entry: None,
        index_pk: None,
        author_key: None,
        expires_at: None,
        warned: false,
        author: None,
        subject: String::new(),
        attempts: std::collections::BTreeSet::default(),
        received_at: accept.ingress.transport_time,
        ended_at: accept.ingress.transport_time,
        actor: None,
        accept: Some(Box::new(accept)),
    }
}

#[tokio::test]
async fn the_fourth_delivery_parks_without_parsing() {
    let world = World::new().await;
    let copy = mail("o", "cust").copy("1");
    let body = world.received(&copy).await;
    let id = LedgerId::of("raw/ses/1", "support");
    for delivery in ["m#2", "m#3", "m#4"] {
        dies(&world, &id, delivery).await;
    }
    let wire = Wire::new();
    assert!(once(&world, &wire, Line::Receipt, ("m", &body), 5).await, "parked is an end");
    let (outcome, cause, reasons) = only_row(&world).await;
    assert_eq!((outcome.as_str(), cause.as_str()), ("failed", "poison"));
    assert_eq!(reasons, ["attempts-used-up"]);
    let names: Vec<String> = wire.calls().iter().map(|call| call.operation.clone()).collect();
    assert_eq!(names, ["GetObject", "UpdateItem", "BatchGetItem", "TransactWriteItems"]);
    assert_eq!(world.tickets().await, 0, "nothing was read from it");
}

#[tokio::test]
async fn three_deliveries_are_still_tried() {
    let world = World::new().await;
    let body = world.received(&mail("o", "cust").copy("1")).await;
    let id = LedgerId::of("raw/ses/1", "support");
    dies(&world, &id, "m#2").await;
    dies(&world, &id, "m#3").await;
    assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &body), 4).await);
    assert_eq!(world.end_state().await.partition, "o");
}

#[tokio::test]
async fn one_delivery_counts_once_however_often_it_is_counted() {
    let world = World::new().await;
    world.received(&mail("o", "cust").copy("1")).await;
    let id = LedgerId::of("raw/ses/1", "support");
    for _ in 0..9 {
        dies(&world, &id, "m#2").await;
    }
    let row = world.ingest.store.ledger_row(&id).await.unwrap().unwrap();
    assert_eq!(row.attempts.len(), 1);
}

#[tokio::test]
async fn an_outage_of_any_length_parks_nothing() {
    for fault in [Fault::ServerError, Fault::AnswerLost, Fault::Refused, Fault::Throttled] {
        let world = World::new().await;
        let body = world.received(&mail("o", "cust").copy("1")).await;
        for receives in 1..=12 {
            let wire = Wire::new();
            // Counting works, deciding does not, and taking the count back only at its third try.
            for n in 3..=5 {
                wire.fail_call(n, fault);
            }
            assert!(!once(&world, &wire, Line::Receipt, ("m", &body), receives).await);
            if receives == 1 {
                continue;
            }
            let id = LedgerId::of("raw/ses/1", "support");
            let row = world.ingest.store.ledger_row(&id).await.unwrap().unwrap();
            assert!(row.attempts.is_empty(), "{fault:?}, delivery {receives}: {:?} stays counted", row.attempts);
        }
        assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &body), 13).await);
        assert_eq!(world.end_state().await.partition, "o", "{fault:?}");
    }
}

#[tokio::test]
async fn octets_that_came_along_are_safe_before_they_are_given_up() {
    let world = World::new().await;
    let copy = mail("o", "cust").copy("1");
    let body = super::every_call::with_content(&copy);
    let key = postern::blobs::BlobKey::raw("ses", &copy.mail.octets("1"), None);
    let id = LedgerId::of(key.as_str(), "support");
    for delivery in ["m#2", "m#3", "m#4"] {
        dies(&world, &id, delivery).await;
    }
    assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &body), 5).await);
    assert_eq!(only_row(&world).await.1, "poison");
    assert_eq!(world.objects("raw/ses/").await, [key.as_str()], "the message is gone; the mail is not");
}

#[tokio::test]
async fn counting_whose_answer_is_always_lost_parks_nothing() {
    let world = World::new().await;
    let body = world.received(&mail("o", "cust").copy("1")).await;
    for receives in 2..=9 {
        let wire = Wire::new();
        wire.fail_call(2, Fault::AnswerLost);
        assert!(!once(&world, &wire, Line::Receipt, ("m", &body), receives).await);
    }
    assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &body), 10).await);
    assert_eq!(world.end_state().await.partition, "o");
}

#[tokio::test]
async fn a_row_that_has_ended_is_not_counted() {
    let world = World::new().await;
    let body = world.received(&mail("o", "cust").copy("1")).await;
    assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &body), 1).await);
    let end = world.end_state().await;
    for receives in 2..=9 {
        assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &body), receives).await);
    }
    assert_eq!(world.end_state().await, end);
    assert!(!world.items("MAIL#").await.values().next().unwrap().contains_key("attempts"));
}

#[tokio::test]
async fn an_object_that_is_not_there_yet_comes() {
    let world = World::new().await;
    let copy = mail("o", "cust").copy("1");
    let body = sns(&notification(&copy));
    for receives in 1..=3 {
        assert!(!once(&world, &Wire::new(), Line::Receipt, ("m", &body), receives).await, "not there yet");
    }
    world.received(&copy).await;
    assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &body), 4).await);
    assert_eq!(world.end_state().await.partition, "o");
}

#[tokio::test]
async fn an_object_that_never_comes_is_parked_in_words() {
    let world = World::new().await;
    let body = sns(&notification(&mail("o", "cust").copy("1")));
    let receives = until_done(&world, &Wire::new(), Line::Receipt, ("m", &body), "missing").await;
    assert_eq!(receives, 9, "over an hour by the queue's pauses");
    let (outcome, cause, _) = only_row(&world).await;
    assert_eq!((outcome.as_str(), cause.as_str()), ("failed", "object-missing"));
}

#[tokio::test]
async fn a_mailbox_that_is_gone_holds_its_mail() {
    let world = World::new().await;
    let copy = mail("o", "cust").copy("1");
    let inbound = copy.inbound();
    let accept = AcceptRecord {
        mailboxes: vec![postern::mailbox::MailboxId::parse("old").unwrap()],
        raw_key: "raw/mailgun/1".to_owned(),
        origin: Origin::Received,
        ..world.ingest.accept_unread(&inbound)
    };
    world.ingest.blobs.put_raw(&accept, inbound.raw).await.unwrap();
    assert!(once(&world, &Wire::new(), Line::Retry, ("m", &decide(accept)), 1).await);
    let (outcome, cause, _) = only_row(&world).await;
    assert_eq!((outcome.as_str(), cause.as_str()), ("held", "mailbox-removed"));
    let id = LedgerId::of("raw/mailgun/1", "old");
    let support = postern::mailbox::MailboxId::parse("support").unwrap();
    world.ingest.release(&id, Some(&support), "test").await.unwrap();
    assert_eq!(world.end_state().await.partition, "o", "and can be let in elsewhere");
}
