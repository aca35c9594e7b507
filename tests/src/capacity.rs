//! What a mail writes, in DynamoDB's units: the arithmetic of docs/OPERATIONS.md stands on it.
//!
//! A unit is 1 KiB of an item, begun; a write within a transaction counts twice (Amazon DynamoDB developer guide,
//! "Read and write capacity"). An index takes one write for an item that is new there or changed in place, two where its
//! key in the index changed.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use postern_cli::engines::table_definition;

use crate::{
    harness::wire::Wire,
    world::{Copy, Item, World, mail, text},
};

type Items = BTreeMap<(String, String), Item>;

/// Octets of a value as DynamoDB counts them, a little above: numbers as their digits.
fn octets(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        AttributeValue::B(blob) => blob.as_ref().len(),
        AttributeValue::L(values) => 3 + values.iter().map(|value| 1 + octets(value)).sum::<usize>(),
        AttributeValue::M(members) => {
            3 + members.iter().map(|(name, value)| 1 + name.len() + octets(value)).sum::<usize>()
        }
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        _ => 1,
    }
}

fn size<'a>(attributes: impl Iterator<Item = (&'a String, &'a AttributeValue)>) -> usize {
    attributes.map(|(name, value)| name.len() + octets(value)).sum()
}

/// What one index takes in for an item that was `before`.
fn index_units(index: &serde_json::Value, before: Option<&Item>, after: &Item) -> usize {
    let name = index["IndexName"].as_str().unwrap();
    let keys = |item: &Item| (text(item, &format!("{name}pk")), text(item, &format!("{name}sk")));
    let listed = index["Projection"]["NonKeyAttributes"].as_array().unwrap();
    let projected = |item: &Item| -> BTreeMap<String, AttributeValue> {
        let own = ["pk".to_owned(), "sk".to_owned(), format!("{name}pk"), format!("{name}sk")];
        let names = listed.iter().map(|name| name.as_str().unwrap().to_owned()).chain(own);
        names.filter_map(|name| item.get(&name).map(|value| (name, value.clone()))).collect()
    };
    let there = |item: &&Item| !text(item, &format!("{name}pk")).is_empty();
    let units = |item: &Item| size(projected(item).iter()).div_ceil(1024);
    match (before.filter(there), Some(after).filter(there)) {
        (None, None) => 0,
        (None, Some(item)) | (Some(item), None) => units(item),
        (Some(old), Some(new)) if keys(old) != keys(new) => units(old) + units(new),
        (Some(old), Some(new)) => {
            if projected(old) == projected(new) {
                0
            } else {
                units(new)
            }
        }
    }
}

/// Write units of one delivery: of the table, and of its indexes.
async fn units(world: &World, copy: &Copy) -> (usize, usize, Vec<String>) {
    let before: Items = world.items("").await;
    world.over(&Wire::new()).run(copy.inbound()).await.unwrap();
    let (mut table, mut indexes, mut told) = (0, 0, Vec::new());
    for (key, after) in world.items("").await {
        let old = before.get(&key);
        if old == Some(&after) {
            continue;
        }
        let octets = size(after.iter());
        // The ordinal is counted up outside the transaction.
        let factor = if key.0 == "ORDINAL" { 1 } else { 2 };
        let definition = table_definition();
        let own = factor * octets.div_ceil(1024);
        let taken: usize = definition["GlobalSecondaryIndexes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|index| index_units(index, old, &after))
            .sum();
        let kind = key.1.split('#').next().unwrap_or_default();
        told.push(format!("{}/{kind} {octets} octets: {own} + {taken}", key.0.split('#').next().unwrap_or_default()));
        table += own;
        indexes += taken;
    }
    (table, indexes, told)
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
        ("new ticket", first.clone(), 20),
        ("reply by stored Message-ID", reply, 22),
        ("duplicate by another door", first.clone().door("postmark"), 5),
        ("retry: same octets, same door", first, 0),
    ];
    println!("| case | write units | of the table | of the indexes |\n|---|---|---|---|");
    for (case, copy, most) in rows {
        let (table, indexes, told) = units(&world, &copy).await;
        println!("| {case} | {} | {table} | {indexes} | {}", table + indexes, told.join("; "));
        assert!(table + indexes <= most, "{case} writes {table} + {indexes} units: {told:?}");
    }
}
