//! Every read: the snapshot of one decision, and the listings that people look at.

use std::collections::{BTreeSet, HashMap, HashSet};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{Timestamp, tz::TimeZone};

use super::{
    NetRow, RETRY_BASE, RETRY_CAP, Store, TRIES_MAX,
    error::StoreError,
    items::{self, Item},
    keys::{self, Key, LedgerId},
};
use crate::{
    message_id::MessageId,
    records::{IndexRow, LedgerRow, Outcome},
    thread::Seen,
    ticket::{Entry, Status, Ticket},
};

/// BatchGetItem takes 100 keys (Amazon DynamoDB API Reference, BatchGetItem).
const BATCH_KEYS_MAX: usize = 100;
/// Queries of one listing under way at once.
const LISTING_CONCURRENCY: usize = 8;

/// What to read for one decision.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The copy's ledger row.
    pub ledger: &'a LedgerId,
    /// Read the safety net's row for the same object too.
    pub net: bool,
    /// Scope of the mailbox.
    pub scope: &'a str,
    /// Own id.
    pub own: Option<&'a MessageId>,
    /// Referenced ids.
    pub ids: &'a [MessageId],
    /// Tickets.
    pub tickets: &'a [u64],
    /// What is remembered of the author.
    pub requester: Option<&'a Key>,
}

impl<'a> Wanted<'a> {
    /// A ledger row, and nothing else.
    #[must_use]
    pub const fn of(ledger: &'a LedgerId) -> Self {
        Self { ledger, net: false, scope: "", own: None, ids: &[], tickets: &[], requester: None }
    }
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The copy's ledger row.
    pub ledger: Option<LedgerRow>,
    /// The safety net's row for the same object.
    pub net: NetRow,
    /// Index rows and tickets.
    pub seen: Seen,
}

/// Which tickets to list.
#[derive(Clone, Debug)]
pub struct TicketFilter<'a> {
    /// Queues.
    pub queues: &'a BTreeSet<String>,
    /// Statuses.
    pub statuses: &'a [Status],
    /// At most this many, newest first.
    pub limit: usize,
}

/// A ticket as listings show it.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct TicketLine {
    /// Public number.
    pub number: String,
    /// Subject.
    pub subject: String,
    /// Status.
    pub status: Status,
    /// Queue.
    pub queue: String,
    /// Address of the requester.
    #[serde(default)]
    pub requester: Option<crate::ticket::Participant>,
    /// Entries on it.
    #[serde(default)]
    pub entry_count: u64,
    /// Newest entry or change.
    pub updated_at: Timestamp,
}

/// A ledger row as listings show it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct LedgerLine {
    /// `<hash>/<mailbox>`.
    pub id: String,
    /// The row's listed attributes.
    #[serde(flatten)]
    pub row: LedgerSummary,
}

/// The attributes of a ledger row that the listing index carries.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct LedgerSummary {
    /// How it ended.
    pub outcome: Outcome,
    /// What it did.
    #[serde(default)]
    pub effect: Option<crate::records::Effect>,
    /// Why it is held, ignored or failed.
    #[serde(default)]
    pub cause: Option<crate::records::Cause>,
    /// Why.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// Who wrote it.
    #[serde(default)]
    pub author: Option<String>,
    /// Its subject.
    #[serde(default)]
    pub subject: String,
    /// Ticket number.
    #[serde(default)]
    pub ticket_number: Option<String>,
    /// Door.
    #[serde(default)]
    pub door: String,
    /// Object key of the raw.
    pub raw_key: String,
    /// Transport time.
    pub received_at: Timestamp,
}

impl Store {
    /// Reads all rows of one decision with one BatchGetItem: consistent, keys deduplicated, unprocessed keys asked
    /// again and never taken as absent.
    ///
    /// # Errors
    /// Any store error.
    pub async fn snapshot(&self, wanted: &Wanted<'_>) -> Result<Snapshot, StoreError> {
        let ledger = wanted.ledger.key();
        // A copy for no mailbox has that very row as its own.
        let net = Some(wanted.ledger.of_nobody().key()).filter(|key| wanted.net && *key != ledger);
        let own = wanted.own.map(|id| keys::index(wanted.scope, id));
        let ids: Vec<(&MessageId, Key)> = wanted.ids.iter().map(|id| (id, keys::index(wanted.scope, id))).collect();
        let tickets: Vec<(u64, Key)> = wanted.tickets.iter().map(|t| (*t, keys::ticket(*t))).collect();
        let all = std::iter::once(&ledger)
            .chain(net.as_ref())
            .chain(own.as_ref())
            .chain(ids.iter().map(|(_, key)| key))
            .chain(tickets.iter().map(|(_, key)| key))
            .chain(wanted.requester);
        let mut found = self.batch_get(all.cloned().collect()).await?;
        let mut snapshot = Snapshot::default();
        if let Some(item) = found.remove(&ledger) {
            snapshot.ledger = Some(items::row(item, "MAIL")?);
        }
        if let Some(key) = net {
            snapshot.net = match found.remove(&key).map(|item| items::row::<LedgerRow>(item, "MAIL")).transpose()? {
                None => NetRow::Absent,
                Some(row) if row.outcome == Outcome::Held => NetRow::Held,
                Some(_) => NetRow::None,
            };
        }
        if let Some(item) = wanted.requester.and_then(|key| found.remove(key)) {
            snapshot.seen.requester = Some(items::row(item, "REQUESTER")?);
        }
        if let Some(item) = own.and_then(|key| found.remove(&key)) {
            snapshot.seen.own = Some(items::row(item, "MSGID")?);
        }
        for (id, key) in ids {
            if let Some(item) = found.remove(&key) {
                snapshot.seen.by_id.insert(id.clone(), items::row::<IndexRow>(item, "MSGID")?);
            }
        }
        for (ticket, key) in tickets {
            let row = found.remove(&key).map(|item| items::row::<Ticket>(item, "TICKET")).transpose()?;
            snapshot.seen.tickets.insert(ticket, row);
        }
        Ok(snapshot)
    }

    /// Reads tickets that the decision asked for.
    ///
    /// # Errors
    /// Any store error.
    pub async fn add_tickets(&self, seen: &mut Seen, tickets: &[u64]) -> Result<(), StoreError> {
        let wanted: Vec<(u64, Key)> = tickets.iter().map(|t| (*t, keys::ticket(*t))).collect();
        let mut found = self.batch_get(wanted.iter().map(|(_, key)| key.clone()).collect()).await?;
        for (ticket, key) in wanted {
            let row = found.remove(&key).map(|item| items::row::<Ticket>(item, "TICKET")).transpose()?;
            seen.tickets.insert(ticket, row);
        }
        Ok(())
    }

    /// Reads any number of keys, a hundred at a time: what was asked for and is not in the answer is absent.
    pub(super) async fn batch_get(&self, wanted: Vec<Key>) -> Result<HashMap<Key, Item>, StoreError> {
        let mut asked = HashSet::new();
        let unique: Vec<Key> = wanted.into_iter().filter(|key| asked.insert(key.clone())).collect();
        let mut found = HashMap::new();
        for batch in unique.chunks(BATCH_KEYS_MAX) {
            self.batch(batch, &mut found).await?;
        }
        Ok(found)
    }

    async fn batch(&self, batch: &[Key], found: &mut HashMap<Key, Item>) -> Result<(), StoreError> {
        let mut open: Vec<HashMap<String, AttributeValue>> = batch.iter().map(Key::attributes).collect();
        let mut attempt = 0;
        while !open.is_empty() {
            let request = KeysAndAttributes::builder().set_keys(Some(open)).consistent_read(true).build();
            let request = request.map_err(|e| StoreError::Invalid(format!("keys do not build: {e}")))?;
            let answer = self.client.batch_get_item().request_items(&self.table, request).send().await;
            let answer = answer.map_err(|e| StoreError::from_sdk(&e))?;
            let rows = answer.responses.and_then(|mut tables| tables.remove(&self.table)).unwrap_or_default();
            for item in rows {
                found.insert(key_of(&item)?, item);
            }
            let rest = answer.unprocessed_keys.and_then(|mut tables| tables.remove(&self.table));
            open = rest.map(|rest| rest.keys).unwrap_or_default();
            attempt += 1;
            if !open.is_empty() {
                if attempt >= TRIES_MAX {
                    return Err(StoreError::Throttled("unprocessed keys".to_owned()));
                }
                self.ambient.back_off(attempt, RETRY_BASE, RETRY_CAP).await;
            }
        }
        Ok(())
    }

    /// One ledger row.
    ///
    /// # Errors
    /// Any store error.
    pub async fn ledger_row(&self, id: &LedgerId) -> Result<Option<LedgerRow>, StoreError> {
        let item = self.item(&id.key()).await?;
        item.map(|item| items::row(item, "MAIL")).transpose()
    }

    /// One ticket.
    ///
    /// # Errors
    /// Any store error.
    pub async fn ticket(&self, ordinal: u64) -> Result<Option<Ticket>, StoreError> {
        let item = self.item(&keys::ticket(ordinal)).await?;
        item.map(|item| items::row(item, "TICKET")).transpose()
    }

    pub(super) async fn item(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key.attributes()));
        Ok(request.consistent_read(true).send().await.map_err(|e| StoreError::from_sdk(&e))?.item)
    }

    /// All entries of a ticket, oldest first.
    ///
    /// # Errors
    /// Any store error.
    pub async fn entries(&self, ordinal: u64) -> Result<Vec<Entry>, StoreError> {
        let items = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :entry)")
            .expression_attribute_values(":pk", AttributeValue::S(keys::ticket(ordinal).pk))
            .expression_attribute_values(":entry", AttributeValue::S(keys::ENTRY_PREFIX.to_owned()))
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<Item>, _>>()
            .await
            .map_err(|e| StoreError::from_sdk(&e))?;
        items.into_iter().map(|item| items::row(item, "ENTRY")).collect()
    }

    /// Tickets by queue and status, newest first.
    ///
    /// # Errors
    /// Any store error.
    pub async fn tickets(&self, filter: &TicketFilter<'_>) -> Result<Vec<TicketLine>, StoreError> {
        let shards = 0..keys::SHARDS;
        let partitions = filter.queues.iter().flat_map(|queue| {
            let shards = shards.clone();
            filter
                .statuses
                .iter()
                .flat_map(move |status| shards.clone().map(move |shard| keys::by_status(queue, *status, shard)))
        });
        let mut lines: Vec<TicketLine> = Vec::new();
        for item in self.list("gsi1", partitions.collect(), filter.limit).await? {
            lines.push(items::row(item, "TICKET")?);
        }
        lines.sort_by(|a, b| b.updated_at.cmp(&a.updated_at).then_with(|| b.number.cmp(&a.number)));
        lines.truncate(filter.limit);
        Ok(lines)
    }

    /// The ledger of the last `days` days, newest first.
    ///
    /// # Errors
    /// Any store error.
    pub async fn ledger(
        &self,
        until: Timestamp,
        days: u16,
        outcomes: &[Outcome],
        limit: usize,
    ) -> Result<Vec<LedgerLine>, StoreError> {
        let last = until.to_zoned(TimeZone::UTC).date();
        let mut partitions = Vec::new();
        for back in 0..i64::from(days.max(1)) {
            let Ok(day) = last.checked_sub(jiff::Span::new().days(back)) else { break };
            for outcome in outcomes {
                partitions.extend((0..keys::SHARDS).map(|n| keys::by_day(&day.to_string(), *outcome, n)));
            }
        }
        self.ledger_lines("gsi3", partitions, limit).await
    }

    /// Held, failed and queued mail of all days, newest first.
    ///
    /// # Errors
    /// Any store error.
    pub async fn attention(&self, outcomes: &[Outcome], limit: usize) -> Result<Vec<LedgerLine>, StoreError> {
        let of = |outcome: &Outcome| {
            let outcome = *outcome;
            (0..keys::SHARDS).map(move |shard| keys::by_attention(outcome, shard))
        };
        self.ledger_lines("gsi1", outcomes.iter().flat_map(of).collect(), limit).await
    }

    async fn ledger_lines(
        &self,
        index: &'static str,
        partitions: Vec<String>,
        limit: usize,
    ) -> Result<Vec<LedgerLine>, StoreError> {
        let mut lines = Vec::new();
        for item in self.list(index, partitions, limit).await? {
            let key = key_of(&item)?;
            let id = LedgerId::from_key(&key.pk, &key.sk)
                .ok_or(StoreError::Inconsistent { item: "MAIL", attribute: "pk" })?;
            lines.push(LedgerLine { id: id.to_string(), row: items::row(item, "MAIL")? });
        }
        lines.sort_by(|a, b| b.row.received_at.cmp(&a.row.received_at).then_with(|| a.id.cmp(&b.id)));
        lines.truncate(limit);
        Ok(lines)
    }

    /// Newest `limit` items of each partition of an index.
    async fn list(&self, index: &str, partitions: Vec<String>, limit: usize) -> Result<Vec<Item>, StoreError> {
        let pages = stream::iter(partitions).map(|partition| self.partition(index, partition, limit));
        let pages: Vec<Vec<Item>> = pages.buffered(LISTING_CONCURRENCY).try_collect().await?;
        Ok(pages.into_iter().flatten().collect())
    }

    async fn partition(&self, index: &str, partition: String, limit: usize) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::new();
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", format!("{index}pk"))
            .expression_attribute_values(":pk", AttributeValue::S(partition))
            .scan_index_forward(false)
            .limit(i32::try_from(limit.clamp(1, 1_000)).unwrap_or(1_000))
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            found.extend(page.map_err(|e| StoreError::from_sdk(&e))?.items.unwrap_or_default());
            if found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }
}

pub(super) fn key_of(item: &Item) -> Result<Key, StoreError> {
    let text = |name: &'static str| {
        let value = item.get(name).and_then(|v| v.as_s().ok()).cloned();
        value.ok_or(StoreError::Inconsistent { item: "item", attribute: name })
    };
    Ok(Key { pk: text("pk")?, sk: text("sk")? })
}
