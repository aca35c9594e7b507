//! What is due to be told. The write that makes an item due marks it in gsi4, in the same transaction; `publish` takes
//! the mark off once it has told; the sweep touches what stayed marked, so that the stream brings it again.
//!
//! A mark is taken off only as it was read: an item that has changed meanwhile is due anew.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{
    Store,
    error::StoreError,
    items::{self, Item},
    keys::{self, Key, LedgerId},
};
use crate::event::Due;

/// Requests of one sweep under way at once.
const CONCURRENCY: usize = 8;
/// What tells one state of a due item from another; `outcome` stands on ledger rows only, for two ends within the one
/// millisecond that gsi4sk has.
const STATE: [&str; 3] = ["gsi4pk", "gsi4sk", "outcome"];

/// A mark as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    key: Key,
    state: Vec<(&'static str, AttributeValue)>,
}

/// What one sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Items that the stream will bring again.
    pub touched: usize,
    /// Items due that this run had no room for; at least so many.
    pub left: usize,
}

impl Store {
    /// Reads what is due under a key, and its ticket, with one consistent BatchGetItem. `None` = not marked: told
    /// already, or nothing to tell any more.
    ///
    /// # Errors
    /// Any store error; [`StoreError::Inconsistent`] where a marked item is none that can be told.
    pub async fn due(&self, key: &Key) -> Result<Option<(Due, Mark)>, StoreError> {
        let ticket = keys::ticket_of(&key.pk);
        let ticket_key = ticket.map(keys::ticket);
        let wanted = std::iter::once(key.clone()).chain(ticket_key.clone()).collect();
        let mut found = self.batch_get(wanted).await?;
        let Some(item) = found.remove(key) else { return Ok(None) };
        let Some(mark) = Mark::of(key, &item) else { return Ok(None) };
        if let Some(id) = LedgerId::from_key(&key.pk, &key.sk) {
            return Ok(Some((Due::Mail(id.to_string(), Box::new(items::row(item, "MAIL")?)), mark)));
        }
        if key.pk.starts_with(keys::POLLED_PREFIX) {
            return Ok(Some((Due::Door(Box::new(super::poll::due_door(item)?)), mark)));
        }
        let ticket =
            ticket_key.and_then(|key| found.remove(&key)).map(|item| items::row(item, "TICKET")).transpose()?;
        let ticket = || ticket.ok_or(StoreError::Inconsistent { item: "TICKET", attribute: "row" });
        if key.sk.starts_with(keys::ENTRY_PREFIX) {
            return Ok(Some((Due::Entry(Box::new(items::row(item, "ENTRY")?), Box::new(ticket()?)), mark)));
        }
        if key.sk.starts_with(keys::CHANGE_PREFIX) {
            return Ok(Some((Due::Change(Box::new(items::row(item, "CHANGE")?), Box::new(ticket()?)), mark)));
        }
        Err(StoreError::Inconsistent { item: "outbox", attribute: "key of a kind that is told" })
    }

    /// Takes a mark off, where the item still is as it was read. False: it has changed meanwhile, and what it is now
    /// is told on its own.
    ///
    /// # Errors
    /// Any store error; the mark may be off or not.
    pub async fn told(&self, mark: &Mark) -> Result<bool, StoreError> {
        let (condition, names, values) = mark.condition();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(mark.key.attributes()))
            .update_expression("REMOVE #gsi4pk, #gsi4sk")
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .send()
            .await;
        changed(answer.map(drop).map_err(|error| StoreError::from_sdk(&error)))
    }

    /// Touches what has been due since before `older_than`, the oldest `limit` of it: the stream brings each again, and
    /// it is due from `now` on, behind all others, so that an item that cannot be told hides none. One query a shard.
    ///
    /// # Errors
    /// Any store error; what was touched before it stays touched.
    pub async fn sweep_due(&self, older_than: Timestamp, now: Timestamp, limit: usize) -> Result<Swept, StoreError> {
        let before = keys::instant(older_than);
        let shards = stream::iter((0..keys::SHARDS).map(keys::outbox));
        let queries = shards.map(|shard| self.due_in(shard, &before, limit)).buffered(CONCURRENCY);
        let mut due: Vec<Mark> = queries.try_collect::<Vec<_>>().await?.into_iter().flatten().collect();
        due.sort_by(|a, b| a.since().cmp(b.since()));
        let left = due.len().saturating_sub(limit);
        due.truncate(limit);
        // Owned marks: a borrowed one would not live long enough for every caller's executor.
        let touches = stream::iter(due).map(|mark| async move { self.touch(&mark, now).await });
        let touches = touches.buffer_unordered(CONCURRENCY);
        let touched: Vec<bool> = touches.try_collect().await?;
        Ok(Swept { touched: touched.into_iter().filter(|touched| *touched).count(), left })
    }

    async fn due_in(&self, shard: String, before: &str, limit: usize) -> Result<Vec<Mark>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("gsi4")
            .key_condition_expression("#pk = :pk AND #sk < :before")
            .expression_attribute_names("#pk", "gsi4pk")
            .expression_attribute_names("#sk", "gsi4sk")
            .expression_attribute_values(":pk", AttributeValue::S(shard))
            .expression_attribute_values(":before", AttributeValue::S(before.to_owned()))
            .limit(i32::try_from(limit.clamp(1, 1_000)).unwrap_or(1_000))
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(&error))?;
        let mut marks = Vec::new();
        for item in answer.items() {
            marks.extend(Mark::of(&super::query::key_of(item)?, item));
        }
        Ok(marks)
    }

    async fn touch(&self, mark: &Mark, now: Timestamp) -> Result<bool, StoreError> {
        let (condition, names, values) = mark.condition();
        let what = mark.since().split_once('#').map_or("", |(_, what)| what);
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(mark.key.attributes()))
            .update_expression("SET #swept = if_not_exists(#swept, :zero) + :one, #gsi4sk = :due")
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .expression_attribute_names("#swept", "swept")
            .set_expression_attribute_values(Some(values))
            .expression_attribute_values(":zero", items::number(0))
            .expression_attribute_values(":one", items::number(1))
            .expression_attribute_values(":due", AttributeValue::S(keys::due(now, what)))
            .send()
            .await;
        changed(answer.map(drop).map_err(|error| StoreError::from_sdk(&error)))
    }
}

impl Mark {
    /// `None` where the item is not marked.
    fn of(key: &Key, item: &Item) -> Option<Self> {
        let marked = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
        let due = marked("gsi4pk")?.starts_with(keys::OUTBOX_PREFIX) && marked("gsi4sk").is_some();
        let state = STATE.iter().filter_map(|name| Some((*name, item.get(*name)?.clone())));
        due.then(|| Self { key: key.clone(), state: state.collect() })
    }

    /// The sort key in gsi4: since when, and what.
    fn since(&self) -> &str {
        let found = self.state.iter().find(|(name, _)| *name == "gsi4sk");
        found.and_then(|(_, value)| value.as_s().ok()).map_or("", String::as_str)
    }

    /// That the item is as it was read: expression, names, values.
    fn condition(&self) -> (String, HashMap<String, String>, HashMap<String, AttributeValue>) {
        let equal: Vec<String> = self.state.iter().map(|(name, _)| format!("#{name} = :{name}")).collect();
        let names = self.state.iter().map(|(name, _)| (format!("#{name}"), (*name).to_owned())).collect();
        let values = self.state.iter().map(|(name, value)| (format!(":{name}"), value.clone())).collect();
        (equal.join(" AND "), names, values)
    }
}

/// A lost condition is no failure here.
fn changed(answer: Result<(), StoreError>) -> Result<bool, StoreError> {
    match answer {
        Ok(()) => Ok(true),
        Err(StoreError::Refused) => Ok(false),
        Err(error) => Err(error),
    }
}
