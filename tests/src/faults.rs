//! Faults at every call: the n-th call fails, for every n and every kind of failure; the provider retries; the end state
//! is the one without faults. Orphan objects are allowed, orphan rows and second entries are not.

use postern::inbound::Verdict;

use crate::{
    harness::{fault::Fault, wire::Wire},
    world::{Copy, EndState, World, keyring, mail, one},
};

/// Calls looked at; more than any delivery makes, its own retries included.
const CALLS_MAX: usize = 30;

struct Case {
    title: &'static str,
    before: Vec<Copy>,
    copy: Copy,
}

fn cases(tag: &str) -> Vec<Case> {
    let o = || mail("o", "cust").to(&["bob"]);
    let r = || mail("r", "bob").to(&["cust"]).reply_to(&["o"]).date(2);
    let case = |title, before, copy| Case { title, before, copy };
    let mut anonymous = o();
    anonymous.id.clear();
    vec![
        case("new ticket", vec![], o().copy("1")),
        case("new ticket, single-use token", vec![], o().copy("1").token("t", "A")),
        case("new ticket that claims", vec![], r().references(&["root", "p", "o"]).copy("1")),
        case("rebuilt, with its payload", vec![], o().copy("1").rebuilt()),
        case("without Message-ID", vec![], anonymous.copy("1")),
        case("reply by stored Message-ID", vec![o().copy("0")], r().copy("1")),
        case("reply by tag", vec![o().copy("0")], mail("t", "cust").to(&[tag]).copy("1")),
        case("stranger", vec![o().copy("0")], mail("e", "eve").reply_to(&["o"]).copy("1")),
        case("authentication failed", vec![o().copy("0")], r().copy("1").auth(Some(Verdict::Fail))),
        case("late original", vec![r().copy("0")], o().copy("1")),
        case("duplicate", vec![o().copy("0")], o().copy("1")),
        case("collision", vec![o().copy("0")], mail("f", "first").id("o").date(9).subject("another").copy("1")),
        case("held", vec![], o().copy("1").spam()),
        case("replayed token", vec![mail("x", "ann").copy("0").token("t", "A")], o().copy("1").token("t", "B")),
    ]
}

async fn world_before(case: &Case) -> World {
    let world = World::new().await;
    for copy in &case.before {
        world.deliver(copy).await;
    }
    world
}

/// Delivers as the provider would: again while it is told to try again.
async fn until_answered(world: &World, wire: &Wire, copy: &Copy, what: &str) {
    let ingest = world.over(wire);
    for _ in 0..12 {
        match ingest.run(copy.inbound()).await {
            Ok(_) => return,
            Err(error) => assert!(error.retryable(), "{what}: {error} is told to be for good"),
        }
    }
    panic!("{what}: retries exhausted");
}

async fn undisturbed(case: &Case) -> EndState {
    let world = world_before(case).await;
    until_answered(&world, &Wire::new(), &case.copy, case.title).await;
    world.end_state().await
}

async fn disturbed(case: &Case, fault: Fault, expected: &EndState) -> usize {
    let mut points = 0;
    for n in 1..CALLS_MAX {
        let what = format!("{}, call {n}, {fault:?}", case.title);
        let world = world_before(case).await;
        let wire = Wire::new();
        wire.fail_call(n, fault);
        until_answered(&world, &wire, &case.copy, &what).await;
        if wire.struck() == 0 {
            if n > wire.count() {
                return points;
            }
            continue;
        }
        points += 1;
        assert_eq!(&world.end_state().await, expected, "{what}");
        for row in world.items("MAIL#").await.values() {
            let key = crate::world::text(row, "raw_key");
            assert!(world.ingest.blobs.get_accepted(&key).await.is_ok(), "{what}: a row without its octets");
        }
        let payloads = world.objects("payload/").await.len();
        assert_eq!(payloads, usize::from(case.copy.rebuilt), "{what}: the payload is as safe as the mail");
        let tickets = world.items("TICKET#").await;
        for (pk, sk) in tickets.keys().filter(|(_, sk)| sk.starts_with("ENTRY#")) {
            assert!(tickets.contains_key(&(pk.clone(), "TICKET".to_owned())), "{what}: entry {sk} without a ticket");
        }
        let entries = tickets.keys().filter(|(_, sk)| sk.starts_with("ENTRY#")).count();
        let indexed =
            world.items("MSGID#").await.values().filter(|i| crate::world::text(i, "direction") == "in").count();
        assert_eq!(entries, indexed, "{what}: index rows and entries");
    }
    panic!("{}: more than {CALLS_MAX} calls", case.title);
}

#[tokio::test]
async fn any_call_may_fail() {
    let world = World::new().await;
    let tag = keyring().reply_address(world.mailboxes.only().unwrap(), 1).unwrap();
    let mut all = 0;
    println!("| case | fault points |\n|---|---|");
    for case in cases(tag.as_str()) {
        let expected = undisturbed(&case).await;
        let mut points = 0;
        for fault in Fault::ALL {
            points += disturbed(&case, fault, &expected).await;
        }
        println!("| {} | {points} |", case.title);
        assert!(points > 0, "{}: no fault struck", case.title);
        all += points;
    }
    println!("{all} fault points");
}

#[tokio::test]
async fn while_the_bucket_is_down_nothing_is_claimed() {
    let world = World::new().await;
    let copy = mail("o", "cust").copy("1");
    let wire = Wire::new();
    wire.fail_call(1, Fault::ServerError);
    let refused = world.over(&wire).run(copy.inbound()).await.unwrap_err();
    assert!(refused.retryable(), "{refused}");
    assert_eq!(wire.calls()[0].operation, "PutObject", "the fault struck the bucket, the table was well");
    assert!(world.items("").await.is_empty(), "no row without the octets");
    world.deliver(&copy).await;
    assert_eq!(world.end_state().await.partition, "o");
}

#[tokio::test]
async fn unprocessed_keys_are_asked_for_again_and_never_absent() {
    let world = World::new().await;
    let opened = world.deliver(&mail("o", "cust").copy("1")).await;
    for (copy, outcome, reason) in [
        (mail("o", "cust").copy("1"), "created_new", "seen-before"),
        (mail("o", "cust").copy("2"), "duplicate", "same-message-id"),
        (mail("r", "cust").reply_to(&["o"]).copy("3"), "replied_to_existing", "stored-id"),
    ] {
        let wire = Wire::new();
        wire.fail_call(2, Fault::Unprocessed);
        let answer = one(world.over(&wire).run(copy.inbound()).await);
        assert_eq!(wire.struck(), 1);
        // Taken as absent, the decision would lose its transaction and be made again.
        let transactions = wire.calls().iter().filter(|call| call.operation == "TransactWriteItems").count();
        assert!(transactions <= usize::from(reason != "seen-before"), "{:?}", wire.calls());
        assert_eq!((answer.outcome, answer.ticket_id), (outcome, opened.ticket_id));
        assert!(answer.reasons.iter().any(|r| r == reason), "{answer:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_by_the_same_request() {
    let world = World::new().await;
    let wire = Wire::new();
    wire.lose_answer_of_first("TransactWriteItems");
    let answer = one(world.over(&wire).run(mail("o", "cust").copy("1").inbound()).await);
    // Another ClientRequestToken would meet its own first try, lose, and find the mail there already.
    assert_eq!((answer.outcome, answer.reasons.as_slice()), ("created_new", ["no-evidence".to_owned()].as_slice()));
    let transactions = wire.calls().iter().filter(|call| call.operation == "TransactWriteItems").count();
    assert_eq!(transactions, 2);
}

#[tokio::test]
async fn a_table_that_stays_away_is_given_up_in_three_seconds_worth_of_tries() {
    let world = World::new().await;
    let wire = Wire::new();
    for n in 4..=20 {
        wire.fail_call(n, Fault::Throttled);
    }
    let error = world.over(&wire).run(mail("o", "cust").copy("1").inbound()).await.unwrap_err();
    assert!(error.retryable(), "{error}");
    let transactions = wire.calls().iter().filter(|call| call.operation == "TransactWriteItems").count();
    assert_eq!(transactions, 6, "DESIGN section 3: at most six tries");
}
