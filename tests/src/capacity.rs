//! What a mail takes, in DynamoDB's units, as the engine reports them (`ConsumedCapacity`): the arithmetic of
//! docs/OPERATIONS.md stands on it.
//!
//! A unit is 1 KiB of an item, begun; a write within a transaction counts twice (Amazon DynamoDB developer guide,
//! "Read and write capacity"). An index takes one write for an item that is new there or changed in place, two where its
//! key in the index changed.

use crate::{
    harness::{meter::Consumed, wire::Wire},
    world::{Copy, World, mail},
};

/// Units of one delivery.
async fn consumed(world: &World, copy: &Copy) -> Consumed {
    let wire = Wire::new().metered();
    world.over(&wire).run(copy.inbound()).await.unwrap();
    wire.consumed()
}

#[tokio::test]
async fn the_capacity_table() {
    let world = World::new().await;
    let long = |mut mail: crate::world::Mail| {
        // 2,000 octets of text, as a customer's mail has.
        mail.name = format!("{}\r\n{}", mail.name, "What a customer writes when something does not work. ".repeat(38));
        mail
    };
    let first = long(mail("o", "cust").subject("The export button does nothing")).copy("a");
    let reply =
        long(mail("r", "cust").reply_to(&["o"]).subject("Re: The export button does nothing").date(2)).copy("b");
    let rows = [
        ("new ticket", first.clone(), 20.0),
        ("reply by stored Message-ID", reply, 24.0),
        ("duplicate by another door", first.clone().door("postmark"), 5.0),
        ("retry: same octets, same door", first, 0.0),
    ];
    println!("| case | write units | of the table | of the indexes | read units |\n|---|---|---|---|---|");
    for (case, copy, most) in rows {
        let consumed = consumed(&world, &copy).await;
        let Consumed { table, indexes, read } = consumed;
        println!("| {case} | {} | {table} | {indexes} | {read} |", consumed.written());
        assert!(consumed.written() <= most, "{case} writes {table} + {indexes} units");
        assert!(read >= 1.0, "{case}: nothing is read without units, so the engine was not asked");
    }
}
