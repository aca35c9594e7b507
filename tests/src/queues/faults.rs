//! A failure at every call of what queues bring: the queue delivers again, and the end state is the one without faults.

use postern::store::{LedgerId, keys::NO_MAILBOX};

use super::{Line, decide, key_of, object_created, until_done};
use crate::{
    harness::{fault::Fault, wire::Wire},
    world::{Copy, EndState, World, keyring, mail, with_file},
};

/// Calls looked at; more than any delivery makes, its own retries included.
const CALLS_MAX: usize = 40;

/// What stands before the message comes.
enum Before {
    /// SES has written the object.
    Received,
    /// A door of ours has written the object and died.
    Orphaned,
}

struct Case {
    title: &'static str,
    earlier: Vec<Copy>,
    copy: Copy,
    before: Before,
    line: Line,
}

fn cases(tag: &str) -> Vec<Case> {
    let o = || mail("o", "cust").to(&["bob"]);
    let r = || mail("r", "bob").to(&["cust"]).reply_to(&["o"]).date(2);
    let mut anonymous = o();
    anonymous.id.clear();
    let receipt = |title, earlier, copy| Case { title, earlier, copy, before: Before::Received, line: Line::Receipt };
    let ours = |title, line, copy| Case { title, earlier: Vec::new(), copy, before: Before::Orphaned, line };
    vec![
        receipt("SES: new ticket", vec![], o().copy("1")),
        receipt("SES: new ticket with a file", vec![], with_file("o", "cust").copy("1")),
        receipt("SES: without Message-ID", vec![], anonymous.copy("1")),
        receipt("SES: reply by stored Message-ID", vec![o().copy("0")], r().copy("1")),
        receipt("SES: reply by tag", vec![o().copy("0")], mail("t", "cust").to(&[tag]).copy("1")),
        receipt("SES: duplicate", vec![o().copy("0")], o().copy("1")),
        receipt("SES: held", vec![], o().copy("1").spam()),
        ours("retry queue: new ticket", Line::Retry, o().copy("1")),
        ours("retry queue: with a single-use token", Line::Retry, o().copy("1").token("t", "A")),
        ours("safety net: an orphan", Line::Net, o().copy("1")),
        Case {
            title: "safety net: nobody told of it",
            earlier: vec![],
            copy: o().copy("1"),
            before: Before::Received,
            line: Line::Net,
        },
        Case {
            title: "dead letter: a receipt",
            earlier: vec![],
            copy: o().copy("1"),
            before: Before::Received,
            line: Line::Dead,
        },
        ours("dead letter: an object", Line::Dead, o().copy("1")),
    ]
}

/// The world before the message, and the message.
async fn before(case: &Case) -> (World, String) {
    let world = World::new().await;
    for copy in &case.earlier {
        world.deliver(copy).await;
    }
    let receipt = match case.before {
        Before::Received => world.received(&case.copy).await,
        Before::Orphaned => {
            let wire = Wire::new();
            wire.fail_call(2, Fault::Refused);
            world.over(&wire).run(case.copy.inbound()).await.unwrap_err();
            String::new()
        }
    };
    let own = || async {
        let key = world.objects("raw/").await.remove(0);
        let accept = world.ingest.blobs.head(&key).await.unwrap().unwrap().accept;
        (key, accept)
    };
    let body = match (case.line, &case.before) {
        (Line::Receipt | Line::Dead, Before::Received) => receipt,
        (Line::Retry, _) => decide(own().await.1.unwrap()),
        (Line::Net, Before::Received) => object_created(&key_of(&case.copy)),
        (Line::Net | Line::Dead | Line::Receipt, _) => object_created(&own().await.0),
    };
    (world, body)
}

async fn end_of(world: &World) -> EndState {
    let end = world.end_state().await;
    for ((pk, mailbox), row) in world.items("MAIL#").await {
        let alone = world.items(&pk).await.len() == 1;
        let held = crate::world::text(&row, "outcome") == "held";
        assert!(mailbox != NO_MAILBOX || !held || alone, "`unaccounted` stays held beside an ended row");
    }
    end
}

async fn disturbed(case: &Case, fault: Fault, expected: &EndState) -> usize {
    let mut points = 0;
    for n in 1..CALLS_MAX {
        let what = format!("{}, call {n}, {fault:?}", case.title);
        let (world, body) = before(case).await;
        let wire = Wire::new();
        wire.fail_call(n, fault);
        until_done(&world, &wire, case.line, ("m", &body), &what).await;
        if wire.struck() == 0 {
            if n > wire.count() {
                return points;
            }
            continue;
        }
        points += 1;
        assert_eq!(&end_of(&world).await, expected, "{what}");
    }
    panic!("{}: more than {CALLS_MAX} calls", case.title);
}

#[tokio::test]
async fn any_call_of_a_queue_function_may_fail() {
    let world = World::new().await;
    let tag = keyring().reply_address(world.mailboxes.only().unwrap(), 1).unwrap();
    let mut all = 0;
    println!("| case | fault points |\n|---|---|");
    for case in cases(tag.as_str()) {
        let (world, body) = before(&case).await;
        until_done(&world, &Wire::new(), case.line, ("m", &body), case.title).await;
        let expected = end_of(&world).await;
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

/// Redriving: read, update, message; then the delivery. Whatever fails, another redrive mends it.
#[tokio::test]
async fn any_call_of_a_redrive_may_fail() {
    let mut points = 0;
    for fault in Fault::ALL {
        for n in 1..4 {
            let world = World::new().await;
            let copy = mail("o", "cust").copy("1");
            let body = world.received(&copy).await;
            until_done(&world, &Wire::new(), Line::Dead, ("m", &body), "dead letter").await;
            let id = LedgerId::of("raw/ses/1", "support");
            let wire = Wire::new();
            wire.fail_call(n, fault);
            let ingest = world.door_over(&wire);
            let mut tries = 0;
            while ingest.redrive(&id).await.is_err() {
                tries += 1;
                assert!(tries < 5, "call {n}, {fault:?}: never redriven");
            }
            points += wire.struck();
            super::redrive::work_off_the_retry_queue(&world, &Wire::new()).await;
            assert_eq!(end_of(&world).await.ledger, ["1/support created committed"], "call {n}, {fault:?}");
        }
    }
    println!("redrive: {points} fault points");
    assert!(points >= 12, "{points}");
}

/// The HTTP door with the queue behind it: after a fault the provider hears 200 or tries again, and nothing stays behind.
#[tokio::test]
async fn any_call_of_the_door_may_fail_with_the_queue_behind_it() {
    let mut points = 0;
    for fault in Fault::ALL {
        for n in 1..CALLS_MAX {
            let world = World::new().await;
            let copy = mail("o", "cust").copy("1").token("t", "A");
            let wire = Wire::new();
            for burst in n..n + 8 {
                wire.fail_call(burst, fault);
            }
            let ingest = world.door_over(&wire);
            let mut tries = 0;
            while let Err(error) = ingest.run(copy.inbound()).await {
                tries += 1;
                assert!(error.retryable() && tries < 12, "call {n}, {fault:?}: {error}");
            }
            if wire.struck() == 0 {
                break;
            }
            points += 1;
            super::redrive::work_off_the_retry_queue(&world, &Wire::new()).await;
            let end = world.end_state().await;
            assert_eq!(end.ledger, ["1/support created committed"], "call {n}, {fault:?}");
        }
    }
    println!("door with queue: {points} bursts of eight faults");
    assert!(points > 12, "{points}");
}
