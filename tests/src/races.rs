//! Races: the scenarios of the protocol's executable model on the real code.
//!
//! For two actors every interleaving of their table calls is run; each end state must be one that some serial order
//! gives, and the partition of mails into tickets one that the scenario allows. More actors walk in random orders.

mod copies;
mod desk;
mod scenarios;

use futures_util::FutureExt;
use postern::{ingest::Ingest, records::Outcome, store::LedgerId, ticket::Status};

use crate::{
    harness::{
        explore::{Race, explore, walk},
        wire::Wire,
    },
    world::{Copy, EndState, World, boundless, now},
};

/// More interleavings than any pair has; it only turns an endless exploration into a failure.
const INTERLEAVINGS_MAX: usize = 20_000;

/// What one actor does.
#[derive(Clone)]
enum Act {
    /// Delivers copies one after the other, each until it is answered.
    Deliver(Vec<Copy>),
    /// The same, and the answer of its first transaction is lost.
    DeliverLosingAnswer(Box<Copy>),
    /// Releases the held mail of that label.
    Release(&'static str),
    /// Delivers a copy that is held, then releases it.
    DeliverAndRelease(Box<Copy>),
}

fn deliver(copy: Copy) -> Act {
    Act::Deliver(vec![copy])
}

/// One scenario.
struct Scenario {
    title: &'static str,
    /// Delivered before, one by one.
    before: Vec<Copy>,
    /// Every ticket's status then.
    status: Option<Status>,
    actors: Vec<Act>,
    /// Partitions that may come out; empty = any.
    allowed: &'static [&'static str],
}

impl Scenario {
    fn new(title: &'static str, actors: Vec<Act>, allowed: &'static [&'static str]) -> Self {
        Self { title, before: Vec::new(), status: None, actors, allowed }
    }

    fn after(mut self, copies: Vec<Copy>) -> Self {
        self.before = copies;
        self
    }

    fn with_status(mut self, status: Status) -> Self {
        self.status = Some(status);
        self
    }

    async fn world(&self) -> World {
        let world = World::with(vec![boundless()]).await;
        for copy in &self.before {
            world.deliver(copy).await;
        }
        if let Some(status) = self.status {
            for (_, sk) in world.items("TICKET#").await.into_keys() {
                assert!(!sk.is_empty());
            }
            let tickets = world.items("TICKET").await;
            for (pk, _) in tickets.into_keys().filter(|(pk, sk)| pk.starts_with("TICKET#") && sk == "TICKET") {
                let ordinal = pk.trim_start_matches("TICKET#").parse().unwrap();
                world.ingest.store.set_status(ordinal, status, "test", now()).await.unwrap();
            }
        }
        world
    }

    fn check(&self, end: &EndState) {
        let fits = self.allowed.is_empty() || self.allowed.contains(&end.partition.as_str());
        assert!(fits, "{}: partition {:?} is none of {:?}", self.title, end.partition, self.allowed);
    }
}

async fn perform(world: &World, wire: &Wire, act: &Act) {
    let ingest = world.over(wire);
    match act {
        Act::Deliver(copies) => {
            for copy in copies {
                until_answered(&ingest, copy).await;
            }
        }
        Act::DeliverLosingAnswer(copy) => {
            wire.lose_answer_of_first("TransactWriteItems");
            until_answered(&ingest, copy).await;
        }
        Act::Release(label) => release(world, &ingest, label).await,
        Act::DeliverAndRelease(copy) => {
            until_answered(&ingest, copy).await;
            release(world, &ingest, &copy.label).await;
        }
    }
}

async fn until_answered(ingest: &Ingest, copy: &Copy) {
    for _ in 0..12 {
        match ingest.run(copy.inbound()).await {
            Ok(_) => return,
            Err(error) => assert!(error.retryable(), "{error}"),
        }
    }
    panic!("retries exhausted");
}

async fn release(world: &World, ingest: &Ingest, label: &str) {
    let held = world.items("MAIL#").await;
    let row = held.iter().find(|(_, item)| {
        item.get("ingress").and_then(|v| v.as_m().ok()).is_some_and(|m| crate::world::text(m, "event_id") == label)
    });
    let (pk, sk) = row.unwrap().0.clone();
    let id = LedgerId::parse(&format!("{}/{sk}", pk.trim_start_matches("MAIL#"))).unwrap();
    ingest.release(&id, None, "test").await.unwrap();
}

async fn raced(scenario: &Scenario, race: &mut Race) -> EndState {
    let world = scenario.world().await;
    let wires: Vec<Wire> = scenario.actors.iter().map(|_| race.wire()).collect();
    let actors = scenario.actors.iter().zip(&wires).map(|(act, wire)| perform(&world, wire, act).boxed_local());
    race.run(actors.collect::<Vec<_>>()).await;
    world.end_state().await
}

async fn serial(scenario: &Scenario, order: &[usize]) -> EndState {
    let world = scenario.world().await;
    for n in order {
        perform(&world, &Wire::new(), &scenario.actors[*n]).await;
    }
    world.end_state().await
}

/// Every interleaving of two actors; each end state is that of a serial order.
async fn every_order(scenario: Scenario) -> usize {
    let orders: &[&[usize]] = if scenario.actors.len() == 1 { &[&[0]] } else { &[&[0, 1], &[1, 0]] };
    let mut possible = Vec::new();
    for order in orders {
        let end = serial(&scenario, order).await;
        scenario.check(&end);
        possible.push(end);
    }
    let visited = explore(INTERLEAVINGS_MAX, async |race| {
        let end = raced(&scenario, race).await;
        scenario.check(&end);
        assert!(possible.contains(&end), "{}: no serial order gives {end:?}, only {possible:?}", scenario.title);
    })
    .await;
    assert!(visited.complete, "{}: cut at {INTERLEAVINGS_MAX}", scenario.title);
    println!("| {} | {} |", scenario.title, visited.interleavings);
    visited.interleavings
}

/// Random orders of more actors.
async fn many_orders(scenario: Scenario, runs: usize) {
    walk(1, runs, async |race| {
        let end = raced(&scenario, race).await;
        scenario.check(&end);
    })
    .await;
    println!("| {} | {runs} random |", scenario.title);
}

/// The words of ended ledger rows, counted.
fn count(end: &EndState, outcome: Outcome) -> usize {
    end.ledger.iter().filter(|line| line.ends_with(outcome.as_str())).count()
}
