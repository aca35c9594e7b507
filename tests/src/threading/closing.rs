//! Closing by the schedule: what was resolved and left alone, and nothing else.

use jiff::{SignedDuration, Timestamp};
use postern::{
    mailbox::{CourtesyPolicy, LifecyclePolicy, Mailbox},
    store::desk::AutoClosed,
    ticket::Status,
};
use serde_json::json;

use super::saying;
use crate::{
    harness::wire::Wire,
    world::{SUPPORT, World, mail, mailbox, now, text},
};

fn closing(id: &str, address: &str, days: Option<u16>) -> Mailbox {
    let mut mailbox = mailbox(id, address, "INC");
    mailbox.lifecycle =
        LifecyclePolicy { auto_close_days: days, courtesy: CourtesyPolicy::Stays, ..LifecyclePolicy::default() };
    mailbox
}

/// Tickets 1 to `n`, all resolved.
async fn resolved(mailboxes: Vec<Mailbox>, n: u64) -> World {
    let world = World::with(mailboxes).await;
    for ordinal in 1..=n {
        world.deliver(&mail(&format!("t{ordinal}"), "cust").copy("0")).await;
        world.ingest.store.set_status(ordinal, Status::Resolved, "test", now()).await.unwrap();
    }
    world
}

fn after(days: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * days) + SignedDuration::from_mins(2)
}

async fn run(world: &World, at: Timestamp, limit: usize) -> (usize, usize) {
    let AutoClosed { closed, left } = world.at(at).store.auto_close(&world.mailboxes, at, limit).await.unwrap();
    (closed, left)
}

async fn statuses(world: &World) -> Vec<String> {
    let tickets = world.items("TICKET").await;
    tickets
        .iter()
        .filter(|((pk, sk), _)| pk.starts_with("TICKET#") && sk == "TICKET")
        .map(|(_, item)| text(item, "status"))
        .collect()
}

#[tokio::test]
async fn what_was_left_alone_is_closed_and_told() {
    let world = resolved(vec![closing("support", SUPPORT, Some(7))], 2).await;
    let at = after(7);
    assert_eq!(run(&world, at - SignedDuration::from_mins(3), 10).await, (0, 0), "seven days are not over");
    // Thanks are mail, too: the days begin anew.
    let thanks = mail("r", "cust").reply_to(&["t2"]).date(60).copy("1");
    world.ingest.run(saying(&thanks, "Thanks!")).await.unwrap();
    assert_eq!(run(&world, at, 10).await, (1, 0));
    assert_eq!(statuses(&world).await, ["closed", "resolved"]);
    let ticket = world.ingest.store.ticket(1).await.unwrap().unwrap();
    assert_eq!((ticket.closed_at, ticket.updated_at), (Some(at), at));
    let change = world.items("CHANGE#").await.into_values().find(|item| text(item, "actor") == "auto-close").unwrap();
    let told = ["from", "to", "gsi4pk"].map(|name| text(&change, name));
    assert_eq!(told, ["resolved", "closed", "outbox#1"]);
    assert_eq!(run(&world, at, 10).await, (0, 0), "once");
    assert_eq!(run(&world, after(9), 10).await, (1, 0));
    let reply = mail("s", "cust").reply_to(&["t1"]).date(8 * 24 * 60).copy("2");
    assert_eq!(world.deliver(&reply).await.outcome, "reopened", "the window counts from the closing");
}

#[tokio::test]
async fn each_mailbox_by_its_own_days() {
    let mailboxes = vec![
        closing("never", "never@us.example", None),
        closing("slow", "slow@us.example", Some(30)),
        closing("support", SUPPORT, Some(7)),
    ];
    let world = World::with(mailboxes).await;
    for (ordinal, to) in (1..).zip(["never@us.example", "slow@us.example", SUPPORT, SUPPORT]) {
        world.deliver(&mail(&format!("t{ordinal}"), "cust").copy("0").forward(&[to])).await;
        world.ingest.store.set_status(ordinal, Status::Resolved, "test", now()).await.unwrap();
    }
    assert_eq!(run(&world, after(8), 1).await, (1, 1), "the oldest first; the next run goes on");
    assert_eq!(run(&world, after(8), 10).await, (1, 0));
    assert_eq!(statuses(&world).await, ["resolved", "resolved", "closed", "closed"]);
    assert_eq!(run(&world, after(400), 10).await, (1, 0));
    assert_eq!(statuses(&world).await, ["resolved", "closed", "closed", "closed"]);
}

#[tokio::test]
async fn the_schedule_asks_by_index_and_never_scans() {
    let world = resolved(vec![closing("support", SUPPORT, Some(7))], 3).await;
    let wire = Wire::new();
    let app = postern_retry::App { ingest: world.over_at(&wire, after(8)), ..world.retry_function(&wire) };
    wire.take();
    assert_eq!(app.handle(json!({ "work": "close" })).await.unwrap(), json!({ "closed": 3, "left": 0 }));
    let count = |operation: &str| wire.calls().iter().filter(|call| call.operation == operation).count();
    let counted = ["Query", "GetItem", "TransactWriteItems", "Scan"].map(count);
    assert_eq!(counted, [8, 3, 3, 0], "a query a shard, two calls a ticket: {:?}", wire.calls());
    let quiet = resolved(vec![closing("support", SUPPORT, None)], 1).await;
    let wire = Wire::new();
    assert_eq!(quiet.over(&wire).store.auto_close(&quiet.mailboxes, after(400), 10).await.unwrap().closed, 0);
    assert_eq!(wire.count(), 0, "nobody closes, nothing is asked");
}
