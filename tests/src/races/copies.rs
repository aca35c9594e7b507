//! Fifty at once, with conflicts on 30 % of the transactions and the first commit's answer lost: no emulator makes
//! transaction conflicts, so the wire does.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use postern::{outcome::Answer, records::Outcome};

use super::count;
use crate::{
    harness::wire::Wire,
    world::{Copy, World, mail, one},
};

const CONFLICT_PERCENT: usize = 30;

/// Delivers all at once, each over a wire of its own as its own invocation would, retried as the provider would.
async fn storm(world: &World, copies: &[Copy]) -> Vec<Answer> {
    join_all(copies.iter().enumerate().map(|(n, copy)| async move {
        let wire = Wire::new();
        wire.conflicts(u64::try_from(n).unwrap() + 11, CONFLICT_PERCENT);
        if n == 0 {
            wire.lose_answer_of_first("TransactWriteItems");
        }
        let ingest = world.over(&wire);
        for _ in 0..12 {
            match ingest.run(copy.inbound()).await {
                Ok(answers) => return one(Ok(answers)),
                Err(error) => assert!(error.retryable(), "{error}"),
            }
        }
        panic!("retries exhausted");
    }))
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_copies_that_differ_in_one_received_line_are_one_entry() {
    let world = World::new().await;
    let copies: Vec<Copy> = (0..50).map(|n| mail("o", "cust").copy(&format!("{n}"))).collect();
    let answers = storm(&world, &copies).await;
    let end = world.end_state().await;
    assert_eq!(end.partition, "o");
    assert_eq!((count(&end, Outcome::Committed), count(&end, Outcome::Duplicate)), (1, 49));
    assert!(answers.iter().all(|answer| answer.ticket_id == answers[0].ticket_id), "all name the same ticket");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_equal_copies_are_one_row_and_fifty_equal_answers() {
    let world = World::new().await;
    let copies: Vec<Copy> = (0..50).map(|_| mail("o", "cust").copy("same")).collect();
    let mut answers = storm(&world, &copies).await;
    let end = world.end_state().await;
    assert_eq!((end.partition.as_str(), end.ledger.len()), ("o", 1));
    // `seen-before` tells whether this call or an earlier one decided; everything else is equal.
    for answer in &mut answers {
        answer.reasons.retain(|reason| reason != "seen-before");
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].status, "created");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_different_mails_get_fifty_ordinals() {
    let world = World::new().await;
    let copies: Vec<Copy> = (0..50).map(|n| mail(&format!("m{n}"), &format!("cust{n}")).copy("1")).collect();
    let answers = storm(&world, &copies).await;
    let ordinals: BTreeSet<u64> = answers.iter().filter_map(|answer| answer.ticket_id).collect();
    assert_eq!(ordinals.len(), 50);
    assert!(answers.iter().all(|answer| answer.status == "created"));
    assert_eq!(count(&world.end_state().await, Outcome::Committed), 50);
}
