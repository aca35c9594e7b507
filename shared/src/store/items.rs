//! Rows to items and back. Index attributes are added here, from the row itself.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    error::StoreError,
    keys::{self, Key, LedgerId},
};
use crate::{
    records::{IndexRow, LedgerRow, Outcome},
    ticket::{Entry, StatusChange, Ticket},
};

/// An item as DynamoDB has it.
pub type Item = HashMap<String, AttributeValue>;

/// A row without index attributes.
pub(super) fn plain(key: &Key, row: &impl Serialize) -> Result<Item, StoreError> {
    item(key, row)
}

fn item(key: &Key, row: &impl Serialize) -> Result<Item, StoreError> {
    let mut item: Item =
        serde_dynamo::to_item(row).map_err(|e| StoreError::Invalid(format!("row does not serialise: {e}")))?;
    item.extend(key.attributes());
    Ok(item)
}

fn set(item: &mut Item, name: &str, value: String) {
    item.insert(name.to_owned(), AttributeValue::S(value));
}

pub(super) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Reads any row; attributes that it does not know are passed over.
pub(super) fn row<T: DeserializeOwned>(item: Item, name: &'static str) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(|_| StoreError::Inconsistent { item: name, attribute: "a field of the row" })
}

/// A ticket with gsi1 (queue and status) and gsi2 (requester).
pub(super) fn ticket(ticket: &Ticket) -> Result<Item, StoreError> {
    let mut item = item(&keys::ticket(ticket.ticket_id), ticket)?;
    // A set, so that relating twice is the same as once; empty sets do not exist.
    let related: Vec<String> = ticket.related_to.iter().map(u64::to_string).collect();
    item.remove("related_to");
    if !related.is_empty() {
        item.insert("related_to".to_owned(), AttributeValue::Ns(related));
    }
    let (pk, sk) = ticket_listing(ticket);
    set(&mut item, "gsi1pk", pk);
    set(&mut item, "gsi1sk", sk);
    if let Some(requester) = &ticket.requester {
        set(&mut item, "gsi2pk", keys::by_requester(&requester.address));
        set(&mut item, "gsi2sk", format!("{}#{}", keys::instant(ticket.created_at), ticket.ticket_id));
    }
    Ok(item)
}

/// gsi1 keys of a ticket as it is.
pub(super) fn ticket_listing(ticket: &Ticket) -> (String, String) {
    let shard = keys::ticket_shard(ticket.ticket_id);
    let pk = keys::by_status(&ticket.queue, ticket.status, shard);
    (pk, format!("{}#{}", keys::instant(ticket.updated_at), ticket.ticket_id))
}

/// An entry with gsi4: it is to be told.
pub(super) fn entry(entry: &Entry) -> Result<Item, StoreError> {
    let mut item = item(&keys::entry(entry.ticket, &entry.entry), entry)?;
    set(&mut item, "gsi4pk", keys::outbox(keys::ticket_shard(entry.ticket)));
    set(&mut item, "gsi4sk", keys::due(entry.committed_at.unwrap_or(entry.at), entry.ticket));
    Ok(item)
}

/// A change of status with gsi4.
pub(super) fn change(change: &StatusChange) -> Result<Item, StoreError> {
    let mut item = item(&keys::entry(change.ticket, &change.change), change)?;
    set(&mut item, "gsi4pk", keys::outbox(keys::ticket_shard(change.ticket)));
    set(&mut item, "gsi4sk", keys::due(change.at, change.ticket));
    Ok(item)
}

/// A message index row.
pub(super) fn index(key: &Key, row: &IndexRow) -> Result<Item, StoreError> {
    item(key, row)
}

/// A ledger row with gsi3 (day and outcome), and where somebody should look at it gsi1 and gsi4.
pub(super) fn ledger(id: &LedgerId, row: &LedgerRow) -> Result<Item, StoreError> {
    let key = id.key();
    let mut item = item(&key, row)?;
    let shard = keys::hash_shard(key.hash());
    let listed = format!("{}#{id}", keys::instant(row.received_at));
    set(&mut item, "gsi3pk", keys::by_day(&keys::day(row.received_at), row.outcome, shard));
    set(&mut item, "gsi3sk", listed.clone());
    if row.outcome.needs_attention() {
        set(&mut item, "gsi1pk", keys::by_attention(row.outcome, shard));
        set(&mut item, "gsi1sk", listed);
    }
    if matches!(row.outcome, Outcome::Held | Outcome::Failed) {
        set(&mut item, "gsi4pk", keys::outbox(shard));
        set(&mut item, "gsi4sk", keys::due(row.ended_at, id));
    }
    if row.author_key.is_some() {
        set(&mut item, "gsi2sk", format!("MAIL#{}", keys::instant(row.received_at)));
    }
    // Listings show the door without reading the row.
    set(&mut item, "door", row.ingress.door.clone());
    Ok(item)
}

/// What makes a held ledger row a duplicate: the update, and its values.
pub(super) fn accounted(id: &LedgerId, received_at: Timestamp) -> (String, Vec<(&'static str, AttributeValue)>) {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let day = keys::by_day(&keys::day(received_at), Outcome::Duplicate, keys::hash_shard(id.key().hash()));
    let values = vec![
        (":held", text(Outcome::Held.as_str())),
        (":duplicate", text(Outcome::Duplicate.as_str())),
        (":day", text(&day)),
        (":why", AttributeValue::L(vec![text("was-held-unaccounted")])),
    ];
    let set = "SET outcome = :duplicate, gsi3pk = :day, reasons = list_append(reasons, :why) \
               REMOVE cause, gsi1pk, gsi1sk, gsi4pk, gsi4sk";
    (set.to_owned(), values)
}
