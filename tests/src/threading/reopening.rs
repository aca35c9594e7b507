//! What keeps a ticket as it is although somebody who may speak writes: the reopen cap, and courtesy.

use jiff::SignedDuration;
use postern::{
    mailbox::{CourtesyPolicy, LifecyclePolicy},
    records::Effect,
    ticket::{Status, Ticket},
};

use super::{has, outcome, saying};
use crate::{
    harness::wire::Wire,
    world::{Copy, SUPPORT, World, mail, mailbox, now, one},
};

/// Minutes of a day.
const DAY: i64 = 24 * 60;

async fn with(lifecycle: LifecyclePolicy) -> World {
    let mut support = mailbox("support", SUPPORT, "INC");
    support.lifecycle = lifecycle;
    let world = World::with(vec![support]).await;
    world.deliver(&mail("o", "cust").to(&["bob"]).copy("0")).await;
    world
}

async fn set(world: &World, status: Status) {
    world.ingest.store.set_status(1, status, "test", now()).await.unwrap();
}

async fn ticket(world: &World) -> Ticket {
    world.ingest.store.ticket(1).await.unwrap().unwrap()
}

/// The `n`-th reply, so many minutes after the opening.
fn reply(n: i64, minutes: i64) -> Copy {
    mail(&format!("r{n}"), "bob").reply_to(&["o"]).date(minutes).copy(&format!("k{n}"))
}

#[tokio::test]
async fn so_often_a_day_and_then_it_is_appended() {
    let world = with(LifecyclePolicy { reopens_per_day: Some(2), ..LifecyclePolicy::default() }).await;
    for (n, status, expected) in [
        (1, Status::Resolved, "reopened"),
        (2, Status::Closed, "reopened"),
        (3, Status::Resolved, "replied_to_existing"),
        (4, Status::Closed, "replied_to_existing"),
    ] {
        set(&world, status).await;
        let answer = world.deliver(&reply(n, n)).await;
        let capped = expected == "replied_to_existing";
        assert_eq!((answer.outcome, has(&answer, "reopen-capped")), (expected, capped), "{n}");
        let after = ticket(&world).await;
        assert_eq!(after.status, if capped { status } else { Status::Open }, "{n}");
        assert_eq!(
            (after.entry_count, after.reopens),
            (n.cast_unsigned() + 1, u32::try_from(n.min(2)).unwrap()),
            "{n}"
        );
        let entries = world.ingest.store.entries(1).await.unwrap();
        let flagged = entries.last().unwrap().flags.contains(&"reopen-capped".to_owned());
        assert_eq!((flagged, entries.last().unwrap().effect == Some(Effect::Matched)), (capped, capped), "{n}");
    }
    // Whom pending waits for opens it, however often.
    set(&world, Status::Pending).await;
    assert_eq!(outcome(&world, &reply(5, 5)).await.0, "reopened");
    assert_eq!(ticket(&world).await.reopens, 2, "and that is no reopening");
    // Another day begins anew, and mail that comes late counts on it.
    set(&world, Status::Resolved).await;
    assert_eq!(outcome(&world, &reply(6, DAY)).await.0, "reopened");
    set(&world, Status::Resolved).await;
    assert_eq!(outcome(&world, &reply(7, 7)).await.0, "reopened");
    set(&world, Status::Resolved).await;
    assert_eq!(outcome(&world, &reply(8, 8)).await.0, "replied_to_existing", "yesterday's mail of today");
    set(&world, Status::Closed).await;
    let late = world.deliver(&reply(9, 20 * DAY)).await;
    assert_eq!((late.outcome, has(&late, "reopen-capped")), ("created_new", false), "a follow-up is no reopening");
}

#[tokio::test]
async fn without_a_cap_and_with_none_at_all() {
    let world = with(LifecyclePolicy { reopens_per_day: None, ..LifecyclePolicy::default() }).await;
    for n in 1..=5 {
        set(&world, Status::Resolved).await;
        assert_eq!(outcome(&world, &reply(n, n)).await.0, "reopened");
    }
    let never = with(LifecyclePolicy { reopens_per_day: Some(0), ..LifecyclePolicy::default() }).await;
    set(&never, Status::Resolved).await;
    assert_eq!(outcome(&never, &reply(1, 1)).await.0, "replied_to_existing");
}

#[tokio::test]
async fn counting_costs_no_call() {
    let world = with(LifecyclePolicy { reopens_per_day: Some(1), ..LifecyclePolicy::default() }).await;
    let mut calls = Vec::new();
    for n in 1..=3 {
        let wire = Wire::new();
        world.over(&wire).run(reply(n, n).inbound()).await.unwrap();
        calls.push(wire.count());
        if n < 3 {
            set(&world, Status::Resolved).await;
        }
    }
    assert_eq!((calls, ticket(&world).await.reopens), (vec![4, 4, 4], 1), "open, reopened, capped");
}

#[tokio::test]
async fn thanks_leave_a_ticket_settled_where_the_mailbox_says_so() {
    for (courtesy, text, status, after) in [
        (CourtesyPolicy::Stays, "Thanks a lot!", Status::Resolved, Status::Resolved),
        (CourtesyPolicy::Stays, "Thanks a lot!", Status::Closed, Status::Closed),
        (CourtesyPolicy::Stays, "Thanks a lot!", Status::Pending, Status::Open),
        (CourtesyPolicy::Stays, "Thanks, but it still fails", Status::Resolved, Status::Open),
        (CourtesyPolicy::Reopens, "Thanks a lot!", Status::Resolved, Status::Open),
    ] {
        let world = with(LifecyclePolicy { courtesy, ..LifecyclePolicy::default() }).await;
        set(&world, status).await;
        let answer = one(world.ingest.run(saying(&reply(1, 1), text)).await);
        let found = ticket(&world).await;
        assert_eq!((found.status, found.entry_count), (after, 2), "{courtesy:?} {text} {status:?}");
        let flags = world.ingest.store.entries(1).await.unwrap().pop().unwrap().flags;
        let kept = after == status;
        assert_eq!(
            (has(&answer, "courtesy"), flags.contains(&"courtesy".to_owned())),
            (kept, kept),
            "{text} {status:?}"
        );
    }
}

#[tokio::test]
async fn late_thanks_open_no_follow_up() {
    let world = with(LifecyclePolicy { courtesy: CourtesyPolicy::Stays, ..LifecyclePolicy::default() }).await;
    set(&world, Status::Closed).await;
    let late = one(world.ingest.run(saying(&reply(1, 30 * DAY), "Thank you!")).await);
    assert_eq!((late.outcome, late.ticket_id), ("replied_to_existing", Some(1)), "{late:?}");
    let after = ticket(&world).await;
    assert_eq!((after.status, after.followed_by), (Status::Closed, None));
    assert_eq!(after.updated_at, now() + SignedDuration::from_mins(30 * DAY));
}
