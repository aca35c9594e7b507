//! Delivers a telling: shuffled, a few mails at once, each over a wire of its own that is not always kind.

use futures_util::future::join_all;
use postern::{ingest::Ingest, outcome::Answer, ticket::Status};

use super::told::{Again, Telling, Told};
use crate::{
    harness::{fault::Dice, wire::Wire},
    world::{Copy, Mail, World, mail, now, one},
};

/// Share of the transactions that meet another one, percent.
const CONFLICT_PERCENT: usize = 15;
/// Mails on their way at once, at most.
const AT_ONCE_MAX: usize = 4;

/// One copy and what was answered.
pub(super) struct Delivered {
    pub(super) answer: Answer,
}

/// The mail as it is written in one run.
pub(super) fn written(told: &Told, label: &str) -> Mail {
    let ids = |names: &[String]| names.iter().map(|name| format!("{label}{name}")).collect::<Vec<_>>();
    let people: Vec<String> = told.to.iter().map(|who| format!("{label}{who}")).collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let (in_reply_to, references) = (ids(&told.in_reply_to), ids(&told.references));
    mail(&format!("{label}{}", told.name), &format!("{label}{}", told.author))
        .to(&people)
        .reply_to(&in_reply_to.iter().map(String::as_str).collect::<Vec<_>>())
        .references(&references.iter().map(String::as_str).collect::<Vec<_>>())
        .date(told.minutes)
}

/// All copies of a mail, the first one first.
fn copies(told: &Told, label: &str) -> Vec<Copy> {
    let mail = written(told, label);
    let again = told.copies.iter().map(|again| match again {
        Again::SameOctets => mail.copy("1"),
        Again::OtherDoor => mail.copy("2").door("postmark"),
        Again::ThroughList => mail.clone().subject("[list] subject").field("List-Post: <x>").copy("3"),
    });
    std::iter::once(mail.copy("1")).chain(again).collect()
}

/// Delivers everything. Where `first` is given these come alone, in that order, and the rest is shuffled.
pub(super) async fn deliver_all(
    stage: &Stage,
    telling: &Telling,
    label: &str,
    first: Option<&[String]>,
    dice: &mut Dice,
) -> Vec<Delivered> {
    let mut all = Vec::new();
    let is_first = |told: &&Told| first.is_some_and(|names| names.contains(&told.name));
    let mut rest: Vec<Copy> =
        telling.mails.iter().filter(|told| !is_first(told)).flat_map(|t| copies(t, label)).collect();
    for told in telling.mails.iter().filter(is_first) {
        let mut copies = copies(told, label);
        rest.extend(copies.drain(1..));
        let delivered = stage.at_once(&copies, dice).await;
        if telling.resolved_early {
            let ticket = delivered[0].answer.ticket_id.unwrap();
            stage.world.ingest.store.set_status(ticket, Status::Resolved, "test", now()).await.unwrap();
        }
        all.extend(delivered);
    }
    shuffle(&mut rest, dice);
    while !rest.is_empty() {
        all.extend(stage.at_once(&wave(&mut rest, dice), dice).await);
    }
    all
}

/// A system, and as many invocations as ever run at once, each over a wire of its own.
pub(super) struct Stage {
    pub(super) world: World,
    invocations: Vec<(Wire, Ingest)>,
}

impl Stage {
    pub(super) fn new(world: World) -> Self {
        let wires = std::iter::repeat_with(Wire::new).take(AT_ONCE_MAX);
        let invocations = wires.map(|wire| (wire.clone(), world.over(&wire))).collect();
        Self { world, invocations }
    }

    /// Delivers these at once, each tried again as the provider would.
    pub(super) async fn at_once(&self, wave: &[Copy], dice: &mut Dice) -> Vec<Delivered> {
        let seeds: Vec<usize> = wave.iter().map(|_| dice.roll(1_000_000)).collect();
        assert!(wave.len() <= self.invocations.len());
        let each = wave.iter().zip(seeds).zip(&self.invocations);
        join_all(each.map(|((copy, seed), (wire, ingest))| deliver(wire, ingest, copy, seed))).await
    }
}

async fn deliver(wire: &Wire, ingest: &Ingest, copy: &Copy, seed: usize) -> Delivered {
    wire.take();
    wire.conflicts(u64::try_from(seed).unwrap() + 1, CONFLICT_PERCENT);
    if seed.is_multiple_of(7) {
        wire.lose_answer_of_first("TransactWriteItems");
    }
    for _ in 0..12 {
        match ingest.run(copy.inbound()).await {
            Ok(answers) => return Delivered { answer: one(Ok(answers)) },
            Err(error) => assert!(error.retryable(), "{error}"),
        }
    }
    panic!("retries exhausted: {}", copy.mail.name);
}

/// Takes up to [`AT_ONCE_MAX`] from the end.
pub(super) fn wave(rest: &mut Vec<Copy>, dice: &mut Dice) -> Vec<Copy> {
    rest.split_off(rest.len().saturating_sub(1 + dice.roll(AT_ONCE_MAX)))
}

fn shuffle<T>(list: &mut [T], dice: &mut Dice) {
    for n in (1..list.len()).rev() {
        list.swap(n, dice.roll(n + 1));
    }
}
