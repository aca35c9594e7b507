//! The scenarios of the protocol's model that queues bring about: receipts against the safety net, counting against the
//! commit, parking, redriving, releasing. Every interleaving of two actors' table calls.

use futures_util::FutureExt;
use postern::{
    ingest::Ingest,
    mailbox::Mailbox,
    records::Outcome,
    store::{LedgerId, keys::NO_MAILBOX},
};
use serde_json::json;

use super::{DELIVERIES_MAX, Line, decide, key_of, object_created, once};
use crate::{
    harness::{
        explore::{Race, explore, walk},
        fault::Fault,
        wire::Wire,
    },
    world::{Copy, EndState, SUPPORT, World, mail, mailbox, text},
};

/// More interleavings than any pair has.
const INTERLEAVINGS_MAX: usize = 20_000;
/// Tries of one transaction: all of them losing their answer makes a delivery fail that was applied.
const TRIES: usize = 6;

#[derive(Clone)]
enum Act {
    /// SES's notification, from that receive on; the transaction of the first delivery fails so.
    Receipt(Copy, u32, Option<Fault>),
    /// The retry queue's message for the object that lies there.
    Decide(u32, Option<Fault>),
    /// The safety net's message for that object.
    Net,
    /// At the HTTP door, until answered.
    Deliver(Copy, Option<Fault>),
    /// By message; the mailbox part of the row.
    Release(&'static str, Option<Fault>),
    Redrive,
}

/// What stands before the race.
#[derive(Clone)]
enum Before {
    /// SES has written it.
    Received(Copy),
    /// As that, with so many deliveries counted that came to no end.
    Counted(Copy, usize),
    /// As that, and given up.
    GivenUp(Copy),
    /// As that, and held by the net.
    Unaccounted(Copy),
    /// A door of ours wrote it and died.
    Orphaned(Copy),
    /// Held as spam at the HTTP door.
    Held(Copy),
}

#[derive(Clone)]
struct Scenario {
    title: &'static str,
    boxes: Vec<Mailbox>,
    before: Before,
    actors: Vec<Act>,
    allowed: &'static [&'static str],
    serial: bool,
}

impl Scenario {
    fn new(title: &'static str, before: Before, actors: Vec<Act>, allowed: &'static [&'static str]) -> Self {
        let boxes = vec![mailbox("support", SUPPORT, "INC")];
        Self { title, boxes, before, actors, allowed, serial: true }
    }

    /// Reasons or rows may depend on who was first; the mails' tickets may not.
    fn in_any_order(mut self) -> Self {
        self.serial = false;
        self
    }

    fn with_boxes(mut self, boxes: Vec<Mailbox>) -> Self {
        self.boxes = boxes;
        self
    }

    async fn world(&self) -> World {
        let world = World::with(self.boxes.clone()).await;
        match &self.before {
            Before::Received(copy) => drop(world.received(copy).await),
            Before::Counted(copy, n) => counted(&world, copy, *n).await,
            Before::GivenUp(copy) => {
                counted(&world, copy, 3).await;
                let body = world.received(copy).await;
                assert!(once(&world, &Wire::new(), Line::Receipt, ("m", &body), 9).await);
            }
            Before::Unaccounted(copy) => {
                world.received(copy).await;
                assert!(once(&world, &Wire::new(), Line::Net, ("n", &object_created(&key_of(copy))), 1).await);
            }
            Before::Orphaned(copy) => {
                let wire = Wire::new();
                wire.fail_call(2, Fault::Refused);
                world.over(&wire).run(copy.inbound()).await.unwrap_err();
            }
            Before::Held(copy) => drop(world.deliver(copy).await),
        }
        world
    }
}

/// Deliveries of a receipt that died after they were counted.
async fn counted(world: &World, copy: &Copy, n: usize) {
    world.received(copy).await;
    let id = LedgerId::of(&key_of(copy), "support");
    for n in 0..n {
        let row = super::poison::queued(world, copy);
        world.ingest.store.count(&id, &row, &format!("before#{n}")).await.unwrap();
    }
}

async fn perform(world: &World, wire: &Wire, act: &Act) {
    let fault = match act {
        Act::Receipt(_, _, fault) | Act::Decide(_, fault) | Act::Deliver(_, fault) | Act::Release(_, fault) => *fault,
        Act::Net | Act::Redrive => None,
    };
    match fault {
        // The read fails: before the commit.
        Some(Fault::Refused) => wire.fail_next("BatchGetItem", Fault::Refused, 1),
        // Every answer of the commit is lost: after it.
        Some(fault) => wire.fail_next("TransactWriteItems", fault, TRIES),
        None => {}
    }
    match act {
        Act::Receipt(copy, first, _) => {
            let body = super::sns(&super::notification(copy));
            Box::pin(from(world, wire, Line::Receipt, &body, *first)).await;
        }
        Act::Decide(first, _) => {
            let key = world.objects("raw/").await.remove(0);
            let accept = world.ingest.blobs.head(&key).await.unwrap().unwrap().accept.unwrap();
            Box::pin(from(world, wire, Line::Retry, &decide(accept), *first)).await;
        }
        Act::Net => {
            let key = world.objects("raw/").await.remove(0);
            Box::pin(from(world, wire, Line::Net, &object_created(&key), 1)).await;
        }
        Act::Deliver(copy, _) => {
            let ingest: Ingest = world.over(wire);
            for _ in 0..DELIVERIES_MAX {
                if ingest.run(copy.inbound()).await.is_ok() {
                    return;
                }
            }
            panic!("retries exhausted");
        }
        Act::Release(part, _) => {
            let rows = world.items("MAIL#").await;
            let held = |row: &crate::world::Item| text(row, "outcome") == Outcome::Held.as_str();
            // Whoever was first may have accounted for it already.
            let Some(((pk, _), _)) = rows.iter().find(|((_, sk), row)| sk == part && held(row)) else { return };
            let body = json!({ "work": "release", "id": format!("{}/{part}", pk.trim_start_matches("MAIL#")), "actor": "test" });
            Box::pin(from(world, wire, Line::Retry, &body.to_string(), 1)).await;
        }
        Act::Redrive => {
            let ingest = world.door_over(wire);
            ingest.redrive(&LedgerId::of("raw/ses/1", "support")).await.unwrap();
            Box::pin(super::redrive::work_off_the_retry_queue(world, wire)).await;
        }
    }
}

/// Delivers a message from that receive on, until it is done.
async fn from(world: &World, wire: &Wire, line: Line, body: &str, first: u32) {
    for receives in first..first + DELIVERIES_MAX {
        // Two actors are two messages; what they share is the mail.
        let id = format!("{line:?} of {first}");
        if once(world, wire, line, (&id, body), receives).await {
            return;
        }
    }
    panic!("retries exhausted");
}

async fn end_of(world: &World, scenario: &Scenario) -> EndState {
    // A harness that leaves work in a queue would not see what that work does.
    super::redrive::work_off_the_retry_queue(world, &Wire::new()).await;
    let end = world.end_state().await;
    let rows = world.items("MAIL#").await;
    for ((pk, sk), row) in &rows {
        let beside = rows.keys().any(|(other, part)| other == pk && part != NO_MAILBOX);
        let held = sk == NO_MAILBOX && text(row, "outcome") == Outcome::Held.as_str();
        assert!(!held || !beside, "{}: `unaccounted` stays held beside an ended row", scenario.title);
    }
    let fits = scenario.allowed.contains(&end.partition.as_str());
    assert!(fits, "{}: partition {:?} is none of {:?}", scenario.title, end.partition, scenario.allowed);
    end
}

async fn raced(scenario: &Scenario, race: &mut Race) -> EndState {
    let world = scenario.world().await;
    let wires: Vec<Wire> = scenario.actors.iter().map(|_| race.wire()).collect();
    let actors = scenario.actors.iter().zip(&wires).map(|(act, wire)| perform(&world, wire, act).boxed_local());
    race.run(actors.collect::<Vec<_>>()).await;
    end_of(&world, scenario).await
}

async fn every_order(scenario: Scenario) -> usize {
    let mut possible = Vec::new();
    for order in [[0, 1], [1, 0]] {
        let world = scenario.world().await;
        for n in order {
            perform(&world, &Wire::new(), &scenario.actors[n]).await;
        }
        possible.push(end_of(&world, &scenario).await);
    }
    let visited = explore(INTERLEAVINGS_MAX, async |race| {
        let end = raced(&scenario, race).await;
        let known = !scenario.serial || possible.contains(&end);
        assert!(known, "{}: no serial order gives {end:?}, only {possible:?}", scenario.title);
    })
    .await;
    assert!(visited.complete, "{}: cut at {INTERLEAVINGS_MAX}", scenario.title);
    println!("| {} | {} |", scenario.title, visited.interleavings);
    visited.interleavings
}

async fn all(scenarios: Vec<Scenario>) {
    let mut interleavings = 0;
    let number = scenarios.len();
    for scenario in scenarios {
        interleavings += every_order(scenario).await;
    }
    println!("{number} scenarios, {interleavings} interleavings");
}

fn o() -> Copy {
    mail("o", "cust").to(&["bob"]).copy("1")
}

fn reply() -> Copy {
    mail("r", "bob").to(&["cust"]).reply_to(&["o"]).copy("2")
}

#[tokio::test]
async fn receipts_and_the_net() {
    let received = || Before::Received(o());
    all(vec![
        Scenario::new("SES receipt + net", received(), vec![Act::Receipt(o(), 1, None), Act::Net], &["o"])
            .in_any_order(),
        Scenario::new(
            "SES receipt, a fault + net",
            received(),
            vec![Act::Receipt(o(), 1, Some(Fault::Refused)), Act::Net],
            &["o"],
        )
        .in_any_order(),
        Scenario::new(
            "SES receipt + release of unaccounted",
            Before::Unaccounted(o()),
            vec![Act::Receipt(o(), 1, None), Act::Release(NO_MAILBOX, None)],
            &["o"],
        )
        .in_any_order(),
        Scenario::new("two nets", received(), vec![Act::Net, Act::Net], &[""]),
    ])
    .await;
    let lost = vec![Act::Receipt(o(), 1, Some(Fault::AnswerLost)), Act::Net];
    many(Scenario::new("SES receipt, its answers lost + net", received(), lost, &["o"]), 25).await;
}

#[tokio::test]
async fn counting_and_parking() {
    let copies = |a: u32, b: u32| vec![Act::Receipt(o(), a, None), Act::Receipt(o(), b, None)];
    all(vec![
        Scenario::new("counter racing the commit", Before::Counted(o(), 1), copies(1, 2), &["o"]),
        Scenario::new("two counters", Before::Received(o()), copies(2, 3), &["o"]),
        Scenario::new("park racing the commit", Before::Counted(o(), 3), copies(1, 5), &["", "o"]),
        Scenario::new("two parks", Before::Counted(o(), 3), copies(5, 6), &[""]),
    ])
    .await;
    let given_up = || Before::GivenUp(o());
    many(Scenario::new("redrive twice", given_up(), vec![Act::Redrive, Act::Redrive], &["o"]), 40).await;
    let again = vec![Act::Redrive, Act::Receipt(o(), 9, None)];
    many(Scenario::new("redrive + the receipt again", given_up(), again, &["o"]), 40).await;
    let lost = vec![Act::Receipt(o(), 1, Some(Fault::AnswerLost)), Act::Receipt(o(), 2, None)];
    many(Scenario::new("lost answers, another invocation", Before::Received(o()), lost, &["o"]), 25).await;
}

#[tokio::test]
async fn retry_queue_and_net() {
    let two = |scope: &str| {
        let mut billing = mailbox("billing", "billing@us.example", "INC");
        let mut support = mailbox("support", SUPPORT, "INC");
        if !scope.is_empty() {
            scope.clone_into(&mut billing.scope);
            scope.clone_into(&mut support.scope);
        }
        vec![billing, support]
    };
    let both = || o().forward(&[SUPPORT, "billing@us.example"]);
    all(vec![
        Scenario::new(
            "a fault, retry queue + net",
            Before::Orphaned(o()),
            vec![Act::Decide(1, Some(Fault::Refused)), Act::Net],
            &["o"],
        ),
        Scenario::new(
            "release meets a fault + reply",
            Before::Held(o().spam()),
            vec![Act::Release("support", Some(Fault::Refused)), Act::Deliver(reply(), None)],
            &["o r"],
        ),
    ])
    .await;
    // Two entries each: too many orders to run them all.
    let scopes = Scenario::new(
        "fan-out two scopes + net",
        Before::Orphaned(both()),
        vec![Act::Deliver(both(), Some(Fault::Refused)), Act::Net],
        &["o | o"],
    )
    .with_boxes(two(""));
    many(scopes, 40).await;
    let shared = Scenario::new(
        "fan-out same scope + net",
        Before::Orphaned(both()),
        vec![Act::Deliver(both(), Some(Fault::Refused)), Act::Net],
        &["o"],
    )
    .with_boxes(two("shared"));
    many(shared, 40).await;
}

#[tokio::test]
async fn more_than_two() {
    let four = vec![
        Act::Release("support", None),
        Act::Deliver(reply(), None),
        Act::Deliver(o().spam(), None),
        Act::Deliver(mail("o", "cust").to(&["bob"]).copy("3").spam(), None),
    ];
    many(Scenario::new("release, reply, retry, copy", Before::Held(o().spam()), four, &["o r"]), 25).await;
    let storm = vec![Act::Receipt(o(), 1, None), Act::Receipt(o(), 2, None), Act::Net, Act::Deliver(reply(), None)];
    many(Scenario::new("receipt twice, net, reply", Before::Received(o()), storm, &["o r"]), 25).await;
}

async fn many(scenario: Scenario, runs: usize) {
    walk(1, runs, async |race| drop(raced(&scenario, race).await)).await;
    println!("| {} | {runs} random |", scenario.title);
}
