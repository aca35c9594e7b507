//! The sweep: what a stream lost is brought again, oldest first, nothing hides anything, and it asks eight times.

use futures_util::FutureExt;
use jiff::SignedDuration;

use super::{app, due, handle, held, opening, record, sweep, unreadable, until_told};
use crate::{
    harness::{explore::explore, topic::Topic, wire::Wire},
    world::{World, mail, now, text},
};

#[tokio::test]
async fn what_the_stream_lost_is_brought_again() {
    let world = World::new().await;
    world.deliver(&opening()).await;
    world.deliver(&held()).await;
    unreadable(&world).await;
    world.ingest.store.set_status(1, postern::ticket::Status::Open, "test", now()).await.unwrap();
    assert_eq!(sweep(&world, 9, 100).await.touched, 0, "the stream still has its time");
    let swept = sweep(&world, 11, 100).await;
    assert_eq!((swept.touched, swept.left), (4, 0));
    let items = due(&world).await;
    let later = (now() + SignedDuration::from_mins(11)).strftime("%Y-%m-%dT%H:%M:%S.000Z#").to_string();
    for item in &items {
        assert_eq!(text(item, "swept"), "1");
        assert!(text(item, "gsi4sk").starts_with(&later), "{}", text(item, "gsi4sk"));
    }
    assert_eq!(sweep(&world, 20, 100).await.touched, 0, "it has ten minutes again");
    assert_eq!(sweep(&world, 22, 100).await.touched, 4);
    let topic = Topic::default();
    let brought: Vec<_> = due(&world).await.iter().enumerate().map(|(n, item)| record("MODIFY", item, n)).collect();
    assert_eq!(until_told(&app(&world, &Wire::new().with_topic(&topic)), &brought).await, 1);
    let mut types = topic.types();
    types.sort();
    let expected = ["entry.created", "message.failed", "message.held", "ticket.created", "ticket.status_changed"];
    assert_eq!(types, expected);
    assert!(due(&world).await.is_empty());
    assert_eq!(sweep(&world, 60, 100).await.touched, 0, "what was told is not due");
}

#[tokio::test]
async fn an_item_is_due_from_its_commit_not_from_its_mails_time() {
    let world = World::new().await;
    let mut late = mail("o", "cust").copy("1");
    late.minutes = -5 * 60;
    world.deliver(&late).await;
    unreadable(&world).await;
    assert_eq!(due(&world).await.len(), 2);
    assert_eq!(sweep(&world, 1, 100).await.touched, 0, "the mails are five hours old, their commits a minute");
    assert_eq!(sweep(&world, 11, 100).await.touched, 2);
}

#[tokio::test]
async fn an_item_that_cannot_be_told_hides_no_other() {
    let world = World::new().await;
    for n in 0..3 {
        let ingest = world.at(now() + SignedDuration::from_secs(n));
        let copy = mail(&format!("m{n}"), "cust").copy(&format!("k{n}"));
        ingest.run(copy.inbound()).await.unwrap();
    }
    let mut order = Vec::new();
    for minutes in [20, 40, 60, 80] {
        let before = due(&world).await;
        let swept = sweep(&world, minutes, 1).await;
        assert_eq!(swept.touched, 1);
        assert_eq!(swept.left, 2, "the others wait for the next run");
        let after = due(&world).await;
        let moved = before.iter().zip(&after).find(|(a, b)| text(a, "gsi4sk") != text(b, "gsi4sk")).unwrap();
        order.push(text(moved.1, "pk"));
    }
    assert_eq!(order, ["TICKET#1", "TICKET#2", "TICKET#3", "TICKET#1"], "oldest first, each in turn");
}

#[tokio::test]
async fn a_sweep_asks_each_shard_once_and_never_scans() {
    let world = World::new().await;
    for n in 0..12 {
        world.deliver(&mail(&format!("m{n}"), "cust").copy(&format!("k{n}"))).await;
    }
    let wire = Wire::new();
    let at = now() + SignedDuration::from_mins(20);
    let swept = world.over(&wire).store.sweep_due(at - SignedDuration::from_mins(10), at, 5).await.unwrap();
    assert_eq!((swept.touched, swept.left), (5, 7));
    let calls = wire.calls();
    let of = |operation: &str| calls.iter().filter(|call| call.operation == operation).count();
    assert_eq!((of("Query"), of("UpdateItem"), calls.len()), (8, 5, 13));
    assert!(calls.iter().filter(|call| call.operation == "Query").all(|call| call.target == "gsi4"));
    assert_eq!(wire.depth(), 2, "the queries at once, then the touches");
}

#[tokio::test]
async fn a_quiet_table_costs_eight_queries() {
    let world = World::new().await;
    let wire = Wire::new();
    world.over(&wire).store.sweep_due(now(), now(), 100).await.unwrap();
    assert_eq!(wire.count(), 8);
    assert!(wire.calls().iter().all(|call| call.operation == "Query"));
}

#[tokio::test]
async fn a_touch_brings_no_mark_back() {
    // The index may lag behind the table: an item that was told between the query and the touch stays told.
    let world = World::new().await;
    world.deliver(&opening()).await;
    let all = world.items("TICKET#").await;
    let topic = Topic::default();
    let (mut too_late, mut runs) = (0, 0);
    // The sweep begins; the first orders explored are those that part late: after the queries.
    explore(40, async |race| {
        let world = World::new().await;
        for item in all.values() {
            world.put_item(item.clone()).await;
        }
        let batch = super::records(&world).await;
        let (sweeper, publisher) = (race.wire(), race.wire().with_topic(&topic));
        let app = app(&world, &publisher);
        let store = world.over(&sweeper).store;
        let at = now() + SignedDuration::from_mins(20);
        let actors = [
            async { store.sweep_due(at - SignedDuration::from_mins(10), at, 10).await.unwrap().touched }.boxed_local(),
            async { handle(&app, &batch).await.len() }.boxed_local(),
        ];
        let touched = race.run(actors).await[0];
        for item in world.items("").await.values() {
            let marked = item.contains_key("gsi4pk");
            assert_eq!(item.contains_key("gsi4sk"), marked, "a half of a mark came back");
            assert!(!marked || touched == 1, "a mark came back");
        }
        too_late += usize::from(touched == 0 && sweeper.calls().iter().any(|call| call.operation == "UpdateItem"));
        runs += 1;
    })
    .await;
    assert!(too_late > 0 && too_late < runs, "the touch came too late in {too_late} of {runs}: both are wanted");
}
