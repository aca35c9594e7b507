//! The call budget of DESIGN section 3 for SES and for what queues bring again.

use super::{Line, decide, key_of, object_created, once};
use crate::{
    harness::wire::Wire,
    world::{World, keyring, mail},
};

/// Calls, depth and names of one delivery.
async fn cost(world: &World, line: Line, body: &str, receives: u32) -> (usize, usize, Vec<String>) {
    let wire = Wire::new();
    assert!(once(world, &wire, line, ("m", body), receives).await);
    let names = wire.calls().iter().map(|call| call.operation.clone()).collect();
    (wire.count(), wire.depth(), names)
}

#[tokio::test]
async fn the_wire_call_table_of_ses() {
    let world = World::new().await;
    let first = mail("o", "cust").to(&["bob"]);
    let tag = keyring().reply_address(world.mailboxes.only().unwrap(), 1).unwrap();
    let rows = [
        ("new ticket", first.copy("a"), 1, 4, 4),
        ("reply by tag", mail("t", "cust").to(&[tag.as_str()]).date(3).copy("c"), 1, 3, 3),
        ("reply by subject", mail("n", "cust").subject("Re: [INC-00001] subject").date(4).copy("d"), 1, 3, 3),
        ("reply by stored Message-ID", mail("r", "bob").to(&["cust"]).reply_to(&["o"]).date(2).copy("b"), 1, 4, 4),
        ("the notification again", first.copy("a"), 1, 2, 2),
        ("the message delivered again, its mail has ended", first.copy("a"), 2, 2, 2),
        ("duplicate: another object", first.copy("a2"), 1, 3, 3),
        ("second delivery, new ticket: counted", mail("x", "ann").copy("e"), 2, 5, 5),
    ];
    println!("| SES | calls | depth |\n|---|---|---|");
    for (case, copy, receives, calls, depth) in rows {
        let body = world.received(&copy).await;
        let (counted, deep, names) = cost(&world, Line::Receipt, &body, receives).await;
        println!("| {case} | {counted}: {} | {deep} |", names.join(", "));
        assert_eq!((counted, deep), (calls, depth), "{case}: {names:?}");
    }
    assert_eq!(world.end_state().await.partition, "n o r t | x");
}

#[tokio::test]
async fn the_wire_call_table_of_retry_and_net() {
    println!("| retry | calls | depth |\n|---|---|---|");
    let world = World::new().await;
    let copy = mail("o", "cust").copy("1");
    // Safe, and nothing else happened.
    let wire = Wire::new();
    for n in 2..=2 {
        wire.fail_call(n, crate::harness::fault::Fault::ServerError);
    }
    world.over(&wire).run(copy.inbound()).await.unwrap_err();
    let key = world.objects("raw/").await.remove(0);
    let accept = world.ingest.blobs.head(&key).await.unwrap().unwrap().accept.unwrap();
    for (case, line, body, calls, depth) in [
        ("retry queue, new ticket", Line::Retry, decide(accept.clone()), 5, 5),
        ("retry queue, ended meanwhile", Line::Retry, decide(accept), 2, 2),
        ("safety net, accounted for", Line::Net, object_created(&key), 2, 1),
    ] {
        let (counted, deep, names) = cost(&world, line, &body, 1).await;
        println!("| {case} | {counted}: {} | {deep} |", names.join(", "));
        assert_eq!((counted, deep), (calls, depth), "{case}: {names:?}");
    }
    let ses = mail("s", "cust").copy("2");
    let body = world.received(&ses).await;
    cost(&world, Line::Receipt, &body, 1).await;
    let (counted, deep, names) = cost(&world, Line::Net, &object_created(&key_of(&ses)), 1).await;
    println!("| safety net, SES, accounted for | {counted}: {} | {deep} |", names.join(", "));
    assert_eq!((counted, deep), (2, 1), "{names:?}");
}
