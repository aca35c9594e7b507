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
use crate::{event::Due, records::Outcome, retention::TOLD_BEFORE_SECONDS};

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
    /// When it is due next, where it is: partition and sort key.
    next: Option<(String, String)>,
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
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(mark.key.attributes()))
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values));
        let request = match &mark.next {
            None => request.update_expression("REMOVE #gsi4pk, #gsi4sk"),
            Some((pk, sk)) => request
                .update_expression("SET #gsi4pk = :next, #gsi4sk = :nextsk")
                .expression_attribute_values(":next", AttributeValue::S(pk.clone()))
                .expression_attribute_values(":nextsk", AttributeValue::S(sk.clone())),
        };
        let answer = request.send().await;
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

    /// Makes due again what will end within a week and was not told of yet, the first `limit` of it: the stream brings it
    /// to be told. One query a shard.
    ///
    /// # Errors
    /// Any store error; what was marked before it stays marked.
    pub async fn warn_of_ends(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let before = keys::instant(now);
        let shards = stream::iter((0..keys::SHARDS).map(keys::expiring));
        let queries = shards.map(|shard| self.due_in(shard, &before, limit)).buffered(CONCURRENCY);
        let due: Vec<Mark> = queries.try_collect::<Vec<_>>().await?.into_iter().flatten().take(limit).collect();
        let warnings = stream::iter(due).map(|mark| async move { self.warn(&mark, now).await });
        let warned: Vec<bool> = warnings.buffer_unordered(CONCURRENCY).try_collect().await?;
        Ok(warned.into_iter().filter(|warned| *warned).count())
    }

    /// Transport time of the mail that has been held longest; `None` = none is held. One query a shard.
    ///
    /// # Errors
    /// Any store error.
    pub async fn oldest_held(&self) -> Result<Option<Timestamp>, StoreError> {
        let shards = stream::iter((0..keys::SHARDS).map(|shard| keys::by_attention(Outcome::Held, shard)));
        let queries = shards.map(|shard| self.first_in(shard)).buffered(CONCURRENCY);
        let firsts: Vec<Option<Timestamp>> = queries.try_collect().await?;
        Ok(firsts.into_iter().flatten().min())
    }

    async fn first_in(&self, partition: String) -> Result<Option<Timestamp>, StoreError> {
        let query = self.client.query().table_name(&self.table).index_name("gsi1");
        let query = query
            .key_condition_expression("gsi1pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(partition))
            .limit(1);
        let answer = query.send().await.map_err(|error| StoreError::from_sdk(&error))?;
        let sk = answer.items().first().and_then(|item| item.get("gsi1sk")?.as_s().ok());
        Ok(sk.and_then(|sk| sk.split_once('#')?.0.parse().ok()))
    }

    async fn warn(&self, mark: &Mark, now: Timestamp) -> Result<bool, StoreError> {
        let (condition, names, values) = mark.condition();
        let what = mark.since().split_once('#').map_or("", |(_, what)| what);
        let shard = keys::hash_shard(mark.key.hash());
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(mark.key.attributes()))
            .update_expression("SET warned = :true, #gsi4pk = :outbox, #gsi4sk = :due")
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .expression_attribute_values(":outbox", AttributeValue::S(keys::outbox(shard)))
            .expression_attribute_values(":due", AttributeValue::S(keys::due(now, what)))
            .send()
            .await;
        changed(answer.map(drop).map_err(|error| StoreError::from_sdk(&error)))
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
            marks.extend(Mark::read(&super::query::key_of(item)?, item));
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
    /// `None` where the item is not marked as due.
    fn of(key: &Key, item: &Item) -> Option<Self> {
        let due = item.get("gsi4pk")?.as_s().ok()?.starts_with(keys::OUTBOX_PREFIX);
        Self::read(key, item).filter(|_| due)
    }

    /// `None` where the item is not in gsi4.
    fn read(key: &Key, item: &Item) -> Option<Self> {
        let marked = |name: &str| item.get(name).is_some_and(AttributeValue::is_s);
        let state = STATE.iter().filter_map(|name| Some((*name, item.get(*name)?.clone())));
        let there = marked("gsi4pk") && marked("gsi4sk");
        there.then(|| Self { key: key.clone(), state: state.collect(), next: next(key, item) })
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

/// When mail that is held or failed and will end is to be told of again: a week before, once.
fn next(key: &Key, item: &Item) -> Option<(String, String)> {
    let id = LedgerId::from_key(&key.pk, &key.sk)?;
    let ends: i64 = item.get("expires_at")?.as_n().ok()?.parse().ok()?;
    let outcome = item.get("outcome")?.as_s().ok()?;
    let waits = [Outcome::Held, Outcome::Failed].iter().any(|waits| waits.as_str() == outcome);
    let told = item.contains_key("warned");
    let at = Timestamp::from_second(ends.saturating_sub(TOLD_BEFORE_SECONDS)).ok()?;
    (waits && !told).then(|| (keys::expiring(keys::hash_shard(key.hash())), keys::due(at, id)))
}

/// A lost condition is no failure here.
fn changed(answer: Result<(), StoreError>) -> Result<bool, StoreError> {
    match answer {
        Ok(()) => Ok(true),
        Err(StoreError::Refused) => Ok(false),
        Err(error) => Err(error),
    }
}
