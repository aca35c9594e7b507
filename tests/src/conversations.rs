//! Generated conversations through the real pipeline and the real engines, in random order, several at once, with
//! conflicts and lost answers injected.
//!
//! Two conversations of the same people under the same subject are always delivered together, so that what joins by
//! anything but evidence is found out. `POSTERN_CONVERSATIONS` sets how many are generated in all (10,000 for the slow
//! run, an hour in a debug build), `POSTERN_SEED` where they begin; both are printed.

mod deliver;
mod safety;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use postern::{mailbox::StrangerPolicy, ticket::Status};

use self::{
    deliver::{Delivered, Stage, deliver_all},
    told::{Clients, Telling},
};
use crate::{
    harness::fault::Dice,
    world::{SUPPORT, World, mailbox},
};

/// Conversations of all suites together where nobody asks for more, and how many suites there are.
const CONVERSATIONS: usize = 240;
const SUITES: usize = 4;
/// Pairs of conversations in one world: an engine's table grows with them.
const PAIRS_PER_WORLD: usize = 10;
/// Orders in which each pair is delivered: two that begin with the first mails, and one that begins anywhere.
const ORDERS: [bool; 3] = [true, true, false];

/// How many conversations, and the first seed.
#[expect(clippy::disallowed_methods, reason = "how long it runs is the developer's word")]
fn asked_for() -> (usize, u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let count = number("POSTERN_CONVERSATIONS").map_or(CONVERSATIONS, |count: u64| usize::try_from(count).unwrap());
    (count.div_ceil(2 * SUITES), number("POSTERN_SEED").unwrap_or(7))
}

/// Runs `pair` for as many pairs of conversations as are asked for, a fresh world for each ten.
async fn all_pairs(title: &str, strangers: StrangerPolicy, mut pair: impl AsyncFnMut(&Stage, u64)) {
    let (pairs, first) = asked_for();
    println!("{title}: {} conversations from seed {first}", pairs * 2);
    let mut seeds = (first..).take(pairs).peekable();
    let mut passed = 0;
    while seeds.peek().is_some() {
        let mut support = mailbox("support", SUPPORT, "INC");
        support.strangers = strangers;
        support.reopen_window_days = None;
        let stage = Stage::new(World::with(vec![support]).await);
        for seed in seeds.by_ref().take(PAIRS_PER_WORLD) {
            pair(&stage, seed).await;
            passed += 2;
        }
        if passed % 100 == 0 {
            println!("{title}: {passed} so far");
        }
    }
    println!("{title}: {} conversations passed", pairs * 2);
}

/// What came of a pair: which mails share a ticket, and per ticket who asked, who takes part, where it stands.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    partition: BTreeSet<BTreeSet<String>>,
    entries: BTreeMap<String, usize>,
    people: BTreeSet<(Option<String>, BTreeSet<String>)>,
    statuses: Vec<Status>,
}

async fn came_of(world: &World, delivered: &[Delivered], label: &str) -> Came {
    let tickets: BTreeSet<u64> = delivered.iter().filter_map(|delivered| delivered.answer.ticket_id).collect();
    let mut came =
        Came { partition: BTreeSet::new(), entries: BTreeMap::new(), people: BTreeSet::new(), statuses: Vec::new() };
    for id in tickets {
        let ticket = world.ingest.store.ticket(id).await.unwrap().unwrap();
        let entries = world.ingest.store.entries(id).await.unwrap();
        let name = |text: &str| text.split_whitespace().nth(1).unwrap_or("-").trim_start_matches(label).to_owned();
        let names: Vec<String> = entries.iter().map(|entry| name(&entry.text)).collect();
        names.iter().for_each(|name| *came.entries.entry(name.clone()).or_default() += 1);
        came.partition.insert(names.into_iter().collect());
        let bare = |address: &postern::address::AddrSpec| address.local_part().trim_start_matches(label).to_owned();
        let people = ticket.participants.iter().map(|p| bare(&p.address)).collect();
        came.people.insert((ticket.requester.as_ref().map(|p| bare(&p.address)), people));
        came.statuses.push(ticket.status);
    }
    came.statuses.sort_by_key(|status| status.as_str());
    came
}

/// Each mail exactly once, and no ticket with mails of both conversations.
fn kept_apart(came: &Came, telling: &Telling, seed: u64) {
    let written: BTreeMap<String, usize> = telling.mails.iter().map(|mail| (mail.name.clone(), 1)).collect();
    assert_eq!(came.entries, written, "seed {seed}: each mail exactly once");
    for ticket in &came.partition {
        let conversations: BTreeSet<char> = ticket.iter().filter_map(|name| name.chars().next()).collect();
        assert_eq!(conversations.len(), 1, "seed {seed}: two conversations in one ticket: {ticket:?}");
    }
}

/// Caps and windows off, everybody may append, References kept: the order does not matter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_full_references_the_order_does_not_matter() {
    all_pairs("full references", StrangerPolicy::Append, async |stage, seed| {
        let telling = Telling::new(&mut Dice::new(seed), Clients::KeepAll);
        let mut partitions = BTreeSet::new();
        let mut with_first: BTreeMap<Vec<String>, Came> = BTreeMap::new();
        for (order, in_front) in ORDERS.into_iter().enumerate() {
            let label = format!("s{seed}o{order}.");
            let mut dice = Dice::new(seed * 31 + order as u64 + 1);
            let first = in_front.then(|| telling.firsts());
            let delivered = deliver_all(stage, &telling, &label, first.as_deref(), &mut dice).await;
            let came = came_of(&stage.world, &delivered, &label).await;
            kept_apart(&came, &telling, seed);
            assert_eq!(came.partition.len(), 2, "seed {seed}: one ticket each: {:?}", came.partition);
            partitions.insert(came.partition.clone());
            if let Some(before) = first.and_then(|first| with_first.insert(first, came)) {
                let after = with_first.values().next().unwrap();
                assert_eq!(before.statuses, after.statuses, "seed {seed}");
                let requesters = |came: &Came| came.people.iter().map(|(who, _)| who.clone()).collect::<Vec<_>>();
                assert_eq!(requesters(&before), requesters(after), "seed {seed}");
                if telling.closed_circle {
                    assert_eq!(before.people, after.people, "seed {seed}: who takes part");
                }
            }
        }
        assert_eq!(partitions.len(), 1, "seed {seed}: {partitions:?}");
    })
    .await;
}

/// Clients that drop References, or both, as clients do: nothing is lost, nothing twice, nothing mixed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_dropped_headers_nothing_is_lost_or_mixed() {
    for (title, strangers) in
        [("dropped headers", StrangerPolicy::Append), ("dropped headers, strict", StrangerPolicy::Unverified)]
    {
        all_pairs(title, strangers, async |stage, seed| {
            let telling = Telling::new(&mut Dice::new(seed), Clients::DropSome);
            let label = format!("s{seed}.");
            let delivered = deliver_all(stage, &telling, &label, None, &mut Dice::new(seed + 1)).await;
            kept_apart(&came_of(&stage.world, &delivered, &label).await, &telling, seed);
        })
        .await;
    }
}
