//! Publishing against what changes meanwhile, in every order of their calls to the table.

use futures_util::FutureExt;
use jiff::SignedDuration;
use postern::{
    records::{Cause, Outcome},
    store::{Commit, LedgerGuard, LedgerId},
};
use serde_json::Value;

use super::{app, due, handle, held, opening, records, reply, until_told, world_with};
use crate::{
    harness::{
        explore::{Race, explore},
        topic::Topic,
        wire::Wire,
    },
    world::{World, now, text},
};

/// More interleavings than any pair here has.
const INTERLEAVINGS_MAX: usize = 2_000;

/// What happens beside the publishing of the one due item.
#[derive(Clone, Copy, Debug)]
enum Beside {
    Publish,
    Release,
    Fail,
    Sweep,
    Reply,
}

async fn beside(world: &World, wire: &Wire, topic: &Topic, records: &[Value], act: Beside) {
    let ingest = world.over(wire);
    match act {
        Beside::Publish => {
            assert!(until_told(&app(world, &wire.clone().with_topic(topic)), records).await > 0);
        }
        Beside::Release => drop(ingest.release(&ledger_id(records), None, "test").await.unwrap()),
        Beside::Fail => {
            let id = ledger_id(records);
            let mut row = ingest.store.ledger_row(&id).await.unwrap().unwrap();
            // By the same clock: the row's times are those of the held one.
            (row.outcome, row.cause) = (Outcome::Failed, Some(Cause::Poison));
            let commit = Commit { id: &id, row: &row, guard: LedgerGuard::Held, token: None, write: None };
            ingest.store.commit(&commit).await.unwrap();
        }
        Beside::Sweep => {
            let later = now() + SignedDuration::from_mins(20);
            ingest.store.sweep_due(later - SignedDuration::from_mins(10), later, 10).await.unwrap();
        }
        Beside::Reply => drop(ingest.run(reply().inbound()).await.unwrap()),
    }
}

fn ledger_id(records: &[Value]) -> LedgerId {
    let key = |name: &str| records[0].pointer(&format!("/dynamodb/Keys/{name}/S")).unwrap().as_str().unwrap();
    LedgerId::from_key(key("pk"), key("sk")).unwrap()
}

/// Every order; afterwards the stream brings what is marked then, once. Gives back what was told in each run.
async fn every_order(kind: &str, act: Beside) -> Vec<Vec<String>> {
    let mut told = Vec::new();
    let visited = explore(INTERLEAVINGS_MAX, async |race: &mut Race| {
        let world = world_with(kind).await;
        let batch = records(&world).await;
        let topic = Topic::default();
        let (first, second) = (race.wire().with_topic(&topic), race.wire());
        let publisher = app(&world, &first);
        let actors = [
            async { assert!(until_told(&publisher, &batch).await > 0) }.boxed_local(),
            beside(&world, &second, &topic, &batch, act).boxed_local(),
        ];
        race.run(actors).await;
        let left = records(&world).await;
        assert!(handle(&app(&world, &Wire::new().with_topic(&topic)), &left).await.is_empty());
        assert!(due(&world).await.is_empty(), "{kind}, {act:?}: due for ever");
        told.push(topic.types());
    })
    .await;
    assert!(visited.complete, "{kind}, {act:?}: cut");
    println!("| {kind} | {act:?} | {} |", visited.interleavings);
    assert!(visited.interleavings > 1, "{kind}, {act:?}: no race");
    told
}

fn count(told: &[String], event_type: &str) -> usize {
    told.iter().filter(|told| *told == event_type).count()
}

#[tokio::test]
async fn a_held_mail_that_is_released_meanwhile() {
    for told in every_order("held", Beside::Release).await {
        assert_eq!((count(&told, "ticket.created"), count(&told, "entry.created")), (1, 1), "{told:?}");
        assert!(count(&told, "message.held") <= 1, "{told:?}");
    }
}

#[tokio::test]
async fn a_held_mail_that_fails_meanwhile() {
    for told in every_order("held", Beside::Fail).await {
        assert_eq!(count(&told, "message.failed"), 1, "the mark of the newer state was taken off: {told:?}");
        assert!(count(&told, "message.held") <= 1, "{told:?}");
    }
}

#[tokio::test]
async fn one_record_told_by_two() {
    for kind in ["opens a ticket", "held", "an agent sets the status"] {
        for told in every_order(kind, Beside::Publish).await {
            let once = told.iter().collect::<std::collections::BTreeSet<_>>().len();
            assert!((1..=2).contains(&(told.len() / once)), "{kind}: {told:?}");
        }
    }
}

#[tokio::test]
async fn the_sweep_beside_publishing() {
    for kind in ["opens a ticket", "failed"] {
        for told in every_order(kind, Beside::Sweep).await {
            assert!(!told.is_empty() && told.len() <= 4, "{kind}: {told:?}");
        }
    }
}

#[tokio::test]
async fn a_reply_beside_publishing_is_told_on_its_own() {
    for told in every_order("opens a ticket", Beside::Reply).await {
        assert_eq!((count(&told, "ticket.created"), count(&told, "entry.created")), (1, 2), "{told:?}");
    }
}

#[tokio::test]
async fn a_release_before_it_was_told_leaves_nothing_held_to_tell() {
    let world = World::new().await;
    world.deliver(&held()).await;
    let batch = records(&world).await;
    world.ingest.release(&ledger_id(&batch), None, "test").await.unwrap();
    let topic = Topic::default();
    let app = app(&world, &Wire::new().with_topic(&topic));
    assert!(handle(&app, &batch).await.is_empty());
    assert!(topic.published().is_empty(), "the held state is over, and the row's mark with it");
    assert!(handle(&app, &records(&world).await).await.is_empty());
    assert_eq!(topic.types(), ["ticket.created", "entry.created"]);
    world.deliver(&opening()).await;
    assert_eq!(text(&due(&world).await[0], "pk"), "TICKET#2");
}
