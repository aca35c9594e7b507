//! Closing what was resolved and left alone: by the schedule, found by index, each ticket by one conditional update.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::with_status;
use crate::{
    mailbox::Mailboxes,
    store::{
        Store, StoreError,
        items::{Item, number},
        keys,
    },
    ticket::{Event, Next, Status},
};

/// Who closes, on the audit trail.
pub const AUTO_CLOSE: &str = "auto-close";
/// Requests of one run under way at once.
const CONCURRENCY: usize = 8;
/// Pages of a thousand looked at in one partition and run. A queue that mailboxes share may hold older tickets of
/// some that close later or never; 20,000 of them in each of the 8 partitions are passed over.
const PAGES_MAX: usize = 20;

/// What one run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AutoClosed {
    /// Tickets that are closed now.
    pub closed: usize,
    /// Tickets due that this run had no room for; at least so many.
    pub left: usize,
}

/// The mailboxes that share a queue and close: before which instant their tickets must have been touched last.
type Cutoffs<'a> = BTreeMap<&'a str, String>;

impl Store {
    /// Closes what has been resolved and untouched for the days that its mailbox says, the `limit` oldest. Mail and agents
    /// win: whatever touches a ticket meanwhile leaves it as they made it.
    ///
    /// # Errors
    /// Any store error; what was closed before it stays closed.
    pub async fn auto_close(
        &self,
        mailboxes: &Mailboxes,
        now: Timestamp,
        limit: usize,
    ) -> Result<AutoClosed, StoreError> {
        let mut due: Vec<(String, u64)> = Vec::new();
        for (queue, cutoffs) in cutoffs(mailboxes, now) {
            for shard in 0..keys::SHARDS {
                let partition = keys::by_status(queue, Status::Resolved, shard);
                due.extend(self.resolved_before(partition, &cutoffs, limit).await?);
            }
        }
        due.sort_unstable();
        let left = due.len().saturating_sub(limit);
        due.truncate(limit);
        let each = stream::iter(due).map(|(_, ordinal)| self.close_if_due(ordinal, mailboxes, now));
        let closed: Vec<bool> = each.buffer_unordered(CONCURRENCY).try_collect().await?;
        Ok(AutoClosed { closed: closed.into_iter().filter(|closed| *closed).count(), left })
    }

    /// The oldest of one partition that are due: sort key in gsi1 and ordinal.
    async fn resolved_before(
        &self,
        partition: String,
        cutoffs: &Cutoffs<'_>,
        limit: usize,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let Some(latest) = cutoffs.values().max() else { return Ok(Vec::new()) };
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("gsi1")
            .key_condition_expression("gsi1pk = :pk AND gsi1sk < :before")
            .expression_attribute_values(":pk", AttributeValue::S(partition))
            .expression_attribute_values(":before", AttributeValue::S(latest.clone()))
            .limit(1_000)
            .into_paginator()
            .send();
        let mut found = Vec::new();
        for _ in 0..PAGES_MAX {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|e| StoreError::from_sdk(&e))?;
            found.extend(page.items().iter().filter_map(|item| due_line(item, cutoffs)));
            if found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }

    /// Closes one ticket, where it is due. The index that named it may be behind, so the ticket itself decides, and the
    /// condition is all that was read of it. `false` = it is not due, or somebody has touched it meanwhile.
    ///
    /// # Errors
    /// Any store error; it may be closed.
    pub async fn close_if_due(&self, ordinal: u64, mailboxes: &Mailboxes, now: Timestamp) -> Result<bool, StoreError> {
        let Some(ticket) = self.ticket(ordinal).await? else { return Ok(false) };
        let Next::Becomes(to) = ticket.status.on(Event::AutoClose) else { return Ok(false) };
        let days = mailboxes.by_id(&ticket.mailbox).and_then(|mailbox| mailbox.lifecycle.auto_close_days);
        let Some(cutoff) = days.and_then(|days| before(now, days)) else { return Ok(false) };
        if ticket.updated_at >= cutoff || ticket.merged_into.is_some() {
            return Ok(false);
        }
        let after = with_status(&ticket, to, now);
        // An entry that came late does not move `updated_at`, but the count.
        let untouched = " AND updated_at = :read AND entry_count = :count";
        let read =
            [(":read", AttributeValue::S(ticket.updated_at.to_string())), (":count", number(ticket.entry_count))];
        let action = self.status_update(&ticket, &after, untouched, &read)?;
        let on_trail = self.changed(&ticket, to, AUTO_CLOSE, now)?;
        Ok(self.transact(vec![action, on_trail]).await?.is_none())
    }
}

/// So many days before `now`.
fn before(now: Timestamp, days: u16) -> Option<Timestamp> {
    now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).ok()
}

fn cutoffs(mailboxes: &Mailboxes, now: Timestamp) -> BTreeMap<&str, Cutoffs<'_>> {
    let mut queues: BTreeMap<&str, Cutoffs<'_>> = BTreeMap::new();
    for mailbox in mailboxes.iter() {
        if let Some(cutoff) = mailbox.lifecycle.auto_close_days.and_then(|days| before(now, days)) {
            // Its own queue, and those that its rules choose.
            for queue in std::iter::once(mailbox.queue.as_str()).chain(mailbox.rules.queues()) {
                queues.entry(queue).or_default().insert(mailbox.id.as_str(), keys::instant(cutoff));
            }
        }
    }
    queues
}

/// The line of a ticket that is due by the days of its own mailbox.
fn due_line(item: &Item, cutoffs: &Cutoffs<'_>) -> Option<(String, u64)> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let (cutoff, touched) = (cutoffs.get(text("mailbox")?.as_str())?, text("gsi1sk")?);
    (touched < cutoff).then_some(())?;
    Some((touched.clone(), keys::ticket_of(text("pk")?)?))
}
