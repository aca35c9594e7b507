//! People and mail at once: merging, splitting and closing beside a reply. Whichever commits last has seen the other, so the
//! order of the commits says where the reply must be.

use std::cell::RefCell;

use futures_util::FutureExt;
use jiff::SignedDuration;
use postern::{ingest::Ingest, mailbox::LifecyclePolicy, store::desk::Change, ticket::Status};

use super::{INTERLEAVINGS_MAX, until_answered};
use crate::{
    harness::explore::{Race, explore},
    world::{Copy, SUPPORT, World, mail, mailbox, now},
};

/// What a person, or the schedule, does.
#[derive(Clone, Copy, Debug)]
enum Deed {
    /// Ticket 1 into ticket 2.
    Merge,
    /// The entry of that mail from ticket 1, to another or a new one.
    Split(&'static str, Option<u64>),
    /// What was left alone is closed.
    Close,
}

/// Ticket 1: o of cust to bob, r of bob. Ticket 2: p of ann.
async fn world(status: Option<Status>) -> World {
    let mut support = mailbox("support", SUPPORT, "INC");
    support.lifecycle = LifecyclePolicy { auto_close_days: Some(7), ..LifecyclePolicy::default() };
    let world = World::with(vec![support]).await;
    world.deliver(&mail("o", "cust").to(&["bob"]).copy("0")).await;
    world.deliver(&mail("r", "bob").to(&["cust"]).reply_to(&["o"]).copy("1")).await;
    world.deliver(&mail("p", "ann").copy("2")).await;
    if let Some(status) = status {
        world.ingest.store.set_status(1, status, "test", now()).await.unwrap();
    }
    world
}

/// The reply that races: bob, to his own mail.
fn s() -> Copy {
    mail("s", "bob").reply_to(&["r"]).date(3).copy("3")
}

async fn does(ingest: &Ingest, world: &World, deed: Deed) {
    let change = match deed {
        Deed::Merge => ingest.store.merge(1, 2, "test", now()).await.unwrap(),
        Deed::Split(name, to) => {
            let entries = world.ingest.store.entries(1).await.unwrap();
            let entry = entries.into_iter().find(|entry| entry.text == format!("mail {name}")).unwrap();
            let mailbox = world.mailboxes.only().unwrap();
            ingest.store.split(&entry, to, mailbox, "test", now()).await.unwrap()
        }
        Deed::Close => {
            let later = now() + SignedDuration::from_hours(24 * 8);
            // What the index says does not matter here: each ticket that it names is read anew.
            ingest.store.close_if_due(1, &world.mailboxes, later).await.unwrap();
            return;
        }
    };
    assert!(matches!(change, Change::Made(_)), "{change:?}");
}

/// Every interleaving of a deed and the delivery of a mail; `check` sees the world and whether the mail's commit was the
/// last.
async fn beside(deed: Deed, copy: Copy, status: Option<Status>, check: impl AsyncFn(&World, bool)) {
    let mut orders = [0_usize, 0];
    let visited = explore(INTERLEAVINGS_MAX, async |race: &mut Race| {
        let world = world(status).await;
        let (by_person, by_mail) = (world.over(&race.wire()), world.over(&race.wire()));
        // An actor has ended when its commit is answered: nothing comes behind it.
        let ended = RefCell::new(Vec::new());
        let actors = [
            async {
                does(&by_person, &world, deed).await;
                ended.borrow_mut().push("person");
            }
            .boxed_local(),
            async {
                until_answered(&by_mail, &copy).await;
                ended.borrow_mut().push("mail");
            }
            .boxed_local(),
        ];
        race.run(actors).await;
        let mail_was_last = ended.borrow().last() == Some(&"mail");
        orders[usize::from(mail_was_last)] += 1;
        world.end_state().await;
        check(&world, mail_was_last).await;
    })
    .await;
    assert!(visited.complete && orders.iter().all(|times| *times > 0), "{deed:?}: {visited:?} {orders:?}");
    println!("| {deed:?} beside a reply | {} |", visited.interleavings);
}

async fn partition(world: &World) -> String {
    world.end_state().await.partition
}

#[tokio::test]
async fn a_reply_to_a_moved_mail_is_where_the_mail_is() {
    beside(Deed::Split("r", None), s(), None, async |world, mail_was_last| {
        let expected = if mail_was_last { "o | p | r s" } else { "o s | p | r" };
        assert_eq!(partition(world).await, expected);
    })
    .await;
    beside(Deed::Split("r", Some(2)), s(), Some(Status::Resolved), async |world, mail_was_last| {
        let expected = if mail_was_last { "o | p r s" } else { "o s | p r" };
        assert_eq!(partition(world).await, expected);
        let status = world.ingest.store.ticket(1).await.unwrap().unwrap().status;
        assert_eq!(status, if mail_was_last { Status::Resolved } else { Status::Open }, "no reply, no reopening");
    })
    .await;
}

/// Of two entries one may go; a reply that is being written may make it possible, and counts stay right.
#[tokio::test]
async fn the_last_entry_stays_whatever_comes() {
    beside(Deed::Split("o", None), s(), None, async |world, _| {
        let entries = world.ingest.store.entries(1).await.unwrap().len();
        let counted = world.ingest.store.ticket(1).await.unwrap().unwrap().entry_count;
        assert_eq!((entries, counted), (2, 2), "r and s; o is gone");
    })
    .await;
    let (world, only) = (world(None).await, |world: &World| world.mailboxes.only().unwrap().clone());
    let entries = world.ingest.store.entries(1).await.unwrap();
    let mailbox = only(&world);
    let split = |n: usize| world.ingest.store.split(&entries[n], None, &mailbox, "test", now());
    let (first, second) = tokio::join!(split(0), split(1));
    let made = [first.unwrap(), second.unwrap()].iter().filter(|change| matches!(change, Change::Made(_))).count();
    assert_eq!((made, world.ingest.store.entries(1).await.unwrap().len()), (1, 1), "two at once: one stays");
}

#[tokio::test]
async fn a_reply_to_a_merged_ticket_is_on_its_target() {
    beside(Deed::Merge, s(), Some(Status::Resolved), async |world, mail_was_last| {
        let expected = if mail_was_last { "o r | p s" } else { "o r s | p" };
        assert_eq!(partition(world).await, expected);
        let source = world.ingest.store.ticket(1).await.unwrap().unwrap();
        assert_eq!((source.status, source.merged_into), (Status::Closed, Some(2)));
    })
    .await;
}

#[tokio::test]
async fn two_tickets_are_merged_one_way_only() {
    let visited = explore(INTERLEAVINGS_MAX, async |race: &mut Race| {
        let world = world(None).await;
        let (one, other) = (world.over(&race.wire()).store, world.over(&race.wire()).store);
        let merges = [one.merge(1, 2, "test", now()).boxed_local(), other.merge(2, 1, "test", now()).boxed_local()];
        let made = race.run(merges).await.into_iter().map(Result::unwrap);
        assert_eq!(made.filter(|change| matches!(change, Change::Made(_))).count(), 1, "the other one was refused");
        let (first, second) =
            (world.ingest.store.ticket(1).await.unwrap(), world.ingest.store.ticket(2).await.unwrap());
        let led = [first, second].map(|ticket| ticket.unwrap().merged_into);
        assert!(led == [Some(2), None] || led == [None, Some(1)], "{led:?}");
    })
    .await;
    assert!(visited.complete, "{visited:?}");
    println!("| two merged into one another | {} |", visited.interleavings);
}

#[tokio::test]
async fn a_reply_beside_the_closing_wins() {
    beside(Deed::Close, s(), Some(Status::Resolved), async |world, _| {
        let ticket = world.ingest.store.ticket(1).await.unwrap().unwrap();
        assert_eq!((ticket.status, ticket.closed_at, ticket.entry_count), (Status::Open, None, 3));
    })
    .await;
}

/// An entry that changes nothing on the ticket but its count: what was read of it is not what it is.
#[tokio::test]
async fn a_strangers_mail_beside_the_closing_is_a_touch() {
    let stranger = mail("e", "eve").reply_to(&["o"]).date(-60).copy("3");
    beside(Deed::Close, stranger, Some(Status::Resolved), async |world, _| {
        let ticket = world.ingest.store.ticket(1).await.unwrap().unwrap();
        assert_eq!(ticket.entry_count, 3);
        assert_eq!(ticket.closed_at.is_some(), ticket.status == Status::Closed);
    })
    .await;
}
