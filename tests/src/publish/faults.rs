//! Every call of publishing fails in every way; the stream brings the record again; in the end each event was told at
//! least once under one id, and nothing is due.

use super::{KINDS, app, due, records, until_told, world_with};
use crate::harness::{fault::Fault, topic::Topic, wire::Wire};

/// More calls than one record takes, its own retries included.
const CALLS_MAX: usize = 12;

async fn disturbed(kind: &str, types: &[&str], fault: Fault) -> usize {
    let mut points = 0;
    for n in 1..CALLS_MAX {
        let what = format!("{kind}, call {n}, {fault:?}");
        let world = world_with(kind).await;
        let topic = Topic::default();
        let wire = Wire::new().with_topic(&topic);
        wire.fail_call(n, fault);
        until_told(&app(&world, &wire), &records(&world).await).await;
        if wire.struck() == 0 {
            if n > wire.count() {
                return points;
            }
            continue;
        }
        points += 1;
        assert!(due(&world).await.is_empty(), "{what}: still due");
        let mut told = topic.types();
        told.sort();
        told.dedup();
        let mut expected = types.to_vec();
        expected.sort_unstable();
        assert_eq!(told, expected, "{what}");
        assert_eq!(topic.ids().len(), types.len(), "{what}: one id for each event, however often it was told");
    }
    panic!("{kind}: more than {CALLS_MAX} calls");
}

#[tokio::test]
async fn any_call_of_publishing_may_fail() {
    println!("| due | fault points |\n|---|---|");
    let mut all = 0;
    for (kind, types) in KINDS {
        let mut points = 0;
        for fault in Fault::ALL.into_iter().chain([Fault::Unprocessed]) {
            points += disturbed(kind, types, fault).await;
        }
        // Three calls, five failures of each, a conflict of the update, keys that were not processed.
        assert_eq!(points, 3 * 5 + 1 + 1, "{kind}");
        println!("| {kind} | {points} |");
        all += points;
    }
    println!("{all} fault points");
}
