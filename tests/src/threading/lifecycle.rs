//! Statuses, follow-ups, merges, approval.

use jiff::SignedDuration;
use postern::{
    store::desk::Change,
    ticket::{Status, Visibility},
};

use super::{has, outcome, with_ticket};
use crate::world::{Copy, World, address, mail, now};

async fn set(world: &World, status: Status) {
    let change = world.ingest.store.set_status(1, status, "test", now()).await.unwrap();
    assert!(matches!(change, Change::Made(_)), "{change:?}");
}

async fn status(world: &World, ticket: u64) -> Status {
    world.ingest.store.ticket(ticket).await.unwrap().unwrap().status
}

#[tokio::test]
async fn a_participants_reply_reopens_and_a_strangers_does_not() {
    for (from, name) in [(Status::Pending, "a"), (Status::Resolved, "b"), (Status::Closed, "c")] {
        let world = with_ticket().await;
        set(&world, from).await;
        let stranger = mail("e", "eve").reply_to(&["o"]).copy("1");
        assert_eq!(outcome(&world, &stranger).await, ("replied_to_existing", Some(1)));
        assert_eq!(status(&world, 1).await, from, "a stranger changes nothing");
        let reply = mail(name, "bob").reply_to(&["o"]).copy("2");
        assert_eq!(outcome(&world, &reply).await, ("reopened", Some(1)), "{from:?}");
        assert_eq!(status(&world, 1).await, Status::Open);
        let ticket = world.ingest.store.ticket(1).await.unwrap().unwrap();
        assert_eq!(ticket.closed_at, None);
    }
}

#[tokio::test]
async fn closed_beyond_the_window_a_follow_up_takes_all_further_replies() {
    let world = with_ticket().await;
    set(&world, Status::Closed).await;
    let late = |name: &str, id: &str, days: i64| Copy {
        minutes: days * 24 * 60,
        ..mail(name, "bob").reply_to(&[id]).copy("1")
    };
    assert_eq!(outcome(&world, &late("r", "o", 15)).await, ("created_new", Some(2)));
    let (old, new) =
        (world.ingest.store.ticket(1).await.unwrap().unwrap(), world.ingest.store.ticket(2).await.unwrap().unwrap());
    assert_eq!((old.followed_by, new.follows), (Some(2), Some(1)));
    let cust = postern::address::AddrSpec::parse(&address("cust")).unwrap();
    assert!(new.participant(&cust).is_some_and(|p| p.approved), "participants are inherited");
    assert_eq!(
        outcome(&world, &late("r2", "o", 16)).await,
        ("replied_to_existing", Some(2)),
        "the old id leads there too"
    );
}

#[tokio::test]
async fn a_merged_ticket_leads_to_its_target() {
    let world = with_ticket().await;
    for (name, ticket) in [("p", 2), ("q", 3)] {
        assert_eq!(outcome(&world, &mail(name, "cust").copy("1")).await.1, Some(ticket));
    }
    merge(&world, 1, 2).await;
    merge(&world, 2, 3).await;
    assert_eq!(outcome(&world, &mail("r", "cust").reply_to(&["o"]).copy("1")).await.1, Some(3));
    let numbered = mail("s", "cust").subject("[INC-00001] x").copy("1");
    assert_eq!(outcome(&world, &numbered).await.1, Some(3), "by its number as well");
}

#[tokio::test]
async fn a_chain_of_merges_that_is_too_long_is_no_evidence() {
    let world = with_ticket().await;
    for n in 2..=8 {
        assert_eq!(outcome(&world, &mail(&format!("p{n}"), "cust").copy("1")).await.1, Some(n));
        merge(&world, n - 1, n).await;
    }
    let answer = world.deliver(&mail("r", "cust").reply_to(&["o"]).copy("1")).await;
    assert_eq!(answer.outcome, "created_new");
    assert!(has(&answer, "merge-chain"), "{answer:?}");
}

async fn merge(world: &World, from: u64, into: u64) {
    let change = world.ingest.store.merge(from, into, "test", now()).await.unwrap();
    assert!(matches!(change, Change::Made(_)), "{change:?}");
}

#[tokio::test]
async fn approval_makes_a_participant_once() {
    let world = with_ticket().await;
    set(&world, Status::Resolved).await;
    world.deliver(&mail("e", "eve").reply_to(&["o"]).copy("1")).await;
    let entries = world.ingest.store.entries(1).await.unwrap();
    let entry = entries.iter().find(|entry| entry.visibility == Visibility::Unverified).unwrap();
    let mailbox = world.mailboxes.only().unwrap();
    let Change::Made(ticket) = world.ingest.store.approve(entry, mailbox, "test", now()).await.unwrap() else {
        panic!()
    };
    assert_eq!(ticket.status, Status::Open, "taken as a participant's reply is");
    let stored = world.ingest.store.ticket(1).await.unwrap().unwrap();
    assert_eq!((stored.status, stored.participants_rev), (Status::Open, 1));
    let again = world.ingest.store.approve(entry, mailbox, "test", now()).await.unwrap();
    assert!(matches!(again, Change::Refused(_)), "{again:?}");
    let next = world.deliver(&mail("e2", "eve").reply_to(&["o"]).date(3).copy("2")).await;
    assert!(!has(&next, "stranger"), "eve may speak now: {next:?}");
    assert_eq!(world.end_state().await.partition, "e e2 o");
}

#[tokio::test]
async fn agents_set_statuses_by_one_table() {
    let world = with_ticket().await;
    for (to, made) in [
        (Status::New, false),
        (Status::Pending, true),
        (Status::Pending, false),
        (Status::Closed, true),
        (Status::Open, true),
        (Status::New, false),
    ] {
        let change =
            world.at(now() + SignedDuration::from_mins(5)).store.set_status(1, to, "test", now()).await.unwrap();
        assert_eq!(matches!(change, Change::Made(_)), made, "{to:?}: {change:?}");
        let ticket = world.ingest.store.ticket(1).await.unwrap().unwrap();
        assert_eq!(ticket.closed_at.is_some(), ticket.status == Status::Closed);
    }
    let none = world.ingest.store.set_status(99, Status::Open, "test", now()).await.unwrap();
    assert_eq!(none, Change::Refused("ticket 99 does not exist".into()));
}

#[tokio::test]
async fn numbers_start_where_people_who_migrate_say() {
    let world = World::new().await;
    world.ingest.store.set_next_ordinal(5000).await.unwrap();
    assert_eq!(outcome(&world, &mail("o", "cust").copy("1")).await.1, Some(5000));
    assert!(world.ingest.store.set_next_ordinal(100).await.is_err(), "never backwards");
}
