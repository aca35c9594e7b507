//! What a poll does where nothing goes wrong.

use jiff::SignedDuration;
use postern::{door::After, poll::Ask};

use super::{Side, fake::Manners};
use crate::{
    harness::{call::Service, wire::Wire},
    world::{mail, now, text},
};

#[tokio::test]
async fn new_mail_becomes_tickets_oldest_first_and_once() {
    let side = Side::new().await;
    for name in ["a", "b", "c"] {
        side.arrives(name);
    }
    assert_eq!(side.good(0).await.taken, 3);
    assert_eq!(side.entries().await, ["a", "b", "c"]);
    let numbers: Vec<_> = side.world.items("TICKET#").await.into_iter().filter(|((_, sk), _)| sk == "TICKET").collect();
    assert_eq!(numbers.len(), 3);
    let first = side.world.ingest.store.ticket(1).await.unwrap().unwrap();
    assert_eq!(first.created_at, now(), "INTERNALDATE is the transport's time");
    let entry = side.world.items("ENTRY#").await.into_iter().find(|((pk, _), _)| pk == "TICKET#1").unwrap().1;
    assert_eq!(text(&entry, "message_id"), "a@ids.example", "the oldest has the first number");
    // A gap, and the last message is named again by `n:*`.
    side.fake.state().folders.get_mut("INBOX").unwrap().next = 90;
    side.arrives("d");
    let did = side.good(1).await;
    assert_eq!((did.taken, did.known), (1, 0));
    assert_eq!(side.good(2).await.taken, 0);
    assert_eq!(side.folder("INBOX").await.0.uid, 90);
    let untouched = side.fake.state().folders["INBOX"].messages.values().all(|stored| !stored.seen && !stored.deleted);
    assert!(untouched, "no flag is touched");
}

/// The numbers of issue 9: at most four commands, and two writes.
#[tokio::test]
async fn a_poll_with_nothing_new_costs_four_commands_and_two_writes() {
    let side = Side::new().await;
    side.arrives("a");
    side.good(0).await;
    side.fake.take_commands();
    let wire = Wire::new();
    let at = now() + SignedDuration::from_mins(1);
    side.poller(&wire, at).door(&side.door, &Ask::until(at + SignedDuration::from_mins(1))).await;
    assert_eq!(side.fake.take_commands(), ["LOGIN", "EXAMINE", "UID SEARCH", "LOGOUT"]);
    let calls = wire.take();
    assert!(calls.iter().all(|call| call.service == Service::DynamoDb), "nothing else is asked");
    let mut operations: Vec<&str> = calls.iter().map(|call| call.operation.as_str()).collect();
    operations.sort_unstable();
    assert_eq!(operations, ["GetItem", "PutItem", "Query", "UpdateItem"], "two of them write");
}

#[tokio::test]
async fn the_first_poll_looks_back_a_few_days_and_a_backfill_further() {
    let side = Side::new().await;
    let days = |days: i64| now() - SignedDuration::from_hours(24 * days);
    for (name, back) in [("old", 30), ("edge", 4), ("young", 2), ("new", 0)] {
        side.fake.arrives_in("INBOX", mail(name, "cust").octets(name), days(back));
    }
    let did = side.good(0).await;
    assert_eq!((did.taken, did.before_horizon), (2, 1), "a day is asked for more than counts");
    assert_eq!(side.entries().await, ["new", "young"]);
    assert_eq!(side.good(1).await.taken, 0, "the horizon is behind");
    let late = side.fake.arrives_in("INBOX", mail("late", "cust").octets("late"), days(20));
    side.good(2).await;
    assert_eq!(side.folder("INBOX").await.0.uid, late, "what comes later counts, whatever its time");
    let ask = Ask { since: Some(days(10)), backfill: true, ..Ask::until(now() + SignedDuration::from_hours(1)) };
    let before = side.folder("INBOX").await.0.uid;
    let did = side.poller(&Wire::new(), now() + SignedDuration::from_mins(3)).door(&side.door, &ask).await;
    assert_eq!((did.taken, did.known, did.trouble.len()), (3, 2, 0), "{did:?}");
    assert_eq!(side.entries().await, ["edge", "late", "new", "young"]);
    assert_eq!(side.folder("INBOX").await.0.uid, before, "the cursor stays");
}

#[tokio::test]
async fn folders_by_their_names_and_one_that_is_not_there() {
    let mut side = Side::new().await;
    side.fake.folder("Entw&APw-rfe/R&-D");
    side.imap().folders = ["nowhere", "Entwürfe/R&D", "INBOX"].map(str::to_owned).to_vec();
    side.fake.arrives_in("Entw&APw-rfe/R&-D", mail("u", "cust").octets("u"), now());
    side.arrives("i");
    let did = side.poll(0).await;
    assert_eq!((did.taken, did.trouble.len()), (2, 1), "{did:?}");
    assert!(did.trouble[0].contains("EXAMINE (NONEXISTENT)"), "{did:?}");
    assert_eq!(side.entries().await, ["i", "u"]);
}

#[tokio::test]
async fn what_is_safe_is_marked_moved_or_deleted() {
    for lacks in [vec![], vec!["MOVE"], vec!["MOVE", "UIDPLUS"]] {
        for after in [After::Seen, After::Move { folder: "Done".into() }, After::Delete] {
            let mut side = Side::new().await;
            side.fake.folder("Done");
            side.fake.manners(Manners { lacks: lacks.clone(), ..Manners::default() });
            side.imap().after = after.clone();
            side.arrives("a");
            let others = side.arrives("b");
            side.fake.state().folders.get_mut("INBOX").unwrap().messages.get_mut(&others).unwrap().deleted = true;
            let did = side.good(0).await;
            assert_eq!((did.taken, did.not_filed), (2, 0));
            let state = side.fake.state();
            let (inbox, done) = (&state.folders["INBOX"].messages, &state.folders["Done"].messages);
            let expunges = !lacks.contains(&"UIDPLUS");
            match after {
                After::Seen => assert!(inbox.len() == 2 && inbox.values().all(|stored| stored.seen)),
                After::Delete if expunges => assert!(inbox.is_empty()),
                After::Delete => assert!(inbox.len() == 2 && inbox.values().all(|stored| stored.deleted)),
                _ if expunges => assert!(inbox.is_empty() && done.len() == 2),
                _ => assert!(done.len() == 2 && inbox.values().all(|stored| stored.deleted)),
            }
        }
    }
}

#[tokio::test]
async fn what_the_server_does_not_let_us_do_stays_undone() {
    let mut side = Side::new().await;
    side.imap().after = After::Delete;
    side.fake.manners(Manners { keeps: true, ..Manners::default() });
    side.arrives("a");
    side.arrives("b");
    let did = side.good(0).await;
    assert_eq!((did.taken, did.not_filed), (2, 2));
    assert_eq!(side.good(1).await.taken, 0, "and is not taken again");
}

#[tokio::test]
async fn nothing_is_filed_before_it_is_safe() {
    let mut side = Side::new().await;
    side.imap().after = After::Delete;
    side.arrives("a");
    let wire = Wire::new();
    wire.fail_service(Service::S3, crate::harness::fault::Fault::Refused);
    let at = now();
    let did = side.poller(&wire, at).door(&side.door, &Ask::until(at + SignedDuration::from_mins(1))).await;
    assert_eq!((did.taken, did.trouble.len()), (0, 1), "{did:?}");
    assert_eq!(side.fake.state().folders["INBOX"].messages.len(), 1);
    for minute in 1..6 {
        let did = side.poller(&wire, at).door(&side.door, &Ask::until(at + SignedDuration::from_mins(1))).await;
        assert_eq!(did.parked, 0, "an outage parks nothing, poll {minute}");
    }
    assert_eq!(side.good(9).await.taken, 1);
    assert!(side.fake.state().folders["INBOX"].messages.is_empty());
}

#[tokio::test]
async fn one_at_a_time_and_a_lease_that_was_left_behind_runs_out() {
    let side = Side::new().await;
    side.arrives("a");
    let store = &side.world.ingest.store;
    assert!(store.lease(&side.door.id, "INBOX", "somebody", now()).await.unwrap().is_some());
    let did = side.good(1).await;
    assert_eq!((did.taken, did.busy), (0, 1), "somebody else is at it");
    let mut late = store.lease(&side.door.id, "INBOX", "somebody", now()).await.unwrap().unwrap();
    assert_eq!(side.good(5).await.taken, 1, "three minutes are over");
    late.uid = 0;
    let refused = store.go_on(&side.door.id, "INBOX", &mut late, now()).await;
    assert!(refused.is_err(), "who was too slow moves nothing any more");
    assert_eq!(side.folder("INBOX").await.0.uid, 1);
}

#[tokio::test]
async fn time_is_up_and_the_next_poll_goes_on() {
    let side = Side::new().await;
    for n in 0..5 {
        side.arrives(&format!("m{n}"));
    }
    let did = side.poller(&Wire::new(), now()).door(&side.door, &Ask::until(now())).await;
    assert_eq!((did.taken, did.left), (0, true));
    assert_eq!(side.folder("INBOX").await.0.last_good, None, "not all was seen");
    assert_eq!(side.good(1).await.taken, 5);
}

#[tokio::test]
async fn the_mail_of_two_doors_is_one() {
    let side = Side::new().await;
    side.world.deliver(&mail("a", "cust").copy("by webhook")).await;
    side.arrives("a");
    assert_eq!(side.good(0).await.taken, 1);
    assert_eq!(side.entries().await, ["a"]);
    assert_eq!(side.others().await.len(), 1, "the second sighting has its row");
}
