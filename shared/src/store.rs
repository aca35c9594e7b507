//! DynamoDB: one table, spoken to through the AWS SDK (DESIGN section 4).
//!
//! `keys` alone builds keys, `items` alone turns rows into items, `commit` holds every write that decides something
//! with its condition, `query` every read, `outbox` what is due to be told, `error` is the only place that looks into SDK errors.

pub mod commit;
pub mod copies;
pub mod cursor;
pub mod desk;
pub mod error;
pub mod fetches;
pub mod items;
pub mod keys;
pub mod outbox;
pub mod poll;
pub mod query;
pub mod requesters;
pub mod settings;

use std::{sync::Arc, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ReturnValue},
};

pub use self::{
    commit::{Commit, CommitResult, EntryWrite, LedgerGuard, NetRow, PersonWrite},
    copies::Counted,
    error::StoreError,
    keys::{Key, LedgerId},
    query::TicketFilter,
};
use crate::{ambient::Ambient, retention::Retention};

/// First pause between two tries of the same request.
const RETRY_BASE: Duration = Duration::from_millis(50);
/// Longest pause between two tries. Six tries with full jitter stay under three seconds.
const RETRY_CAP: Duration = Duration::from_millis(600);
/// Tries of one request: conflict, throttle or lost answer (DESIGN section 3).
const TRIES_MAX: u32 = 6;

/// The table.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: String,
    ambient: Ambient,
    retention: Arc<Retention>,
}

impl Store {
    /// A store over one table. The client's own retries must be off: `commit` counts its tries itself.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>, ambient: Ambient) -> Self {
        Self { client, table: table.into(), ambient, retention: Arc::default() }
    }

    /// The same table, where rows are kept so long.
    #[must_use]
    pub fn keeping(&self, retention: Retention) -> Self {
        Self { retention: Arc::new(retention), ..self.clone() }
    }

    /// Takes the next ticket ordinal. Gaps are fine, doubles are not: an ordinal that is not used is never used again.
    ///
    /// # Errors
    /// Any store error; a lost answer leaves a gap.
    pub async fn next_ordinal(&self) -> Result<u64, StoreError> {
        let key = keys::ordinal();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .update_expression("ADD #next :one")
            .expression_attribute_names("#next", "next")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk(&e))?;
        let next = answer.attributes().and_then(|item| item.get("next")).and_then(|v| v.as_n().ok());
        next.and_then(|n| n.parse().ok()).ok_or(StoreError::Inconsistent { item: "ORDINAL", attribute: "next" })
    }

    /// The ordinal that was taken last; 0 = none yet.
    ///
    /// # Errors
    /// Any store error.
    pub async fn last_ordinal(&self) -> Result<u64, StoreError> {
        let Some(item) = self.item(&keys::ordinal()).await? else { return Ok(0) };
        let last = item.get("next").and_then(|value| value.as_n().ok()).and_then(|number| number.parse().ok());
        last.ok_or(StoreError::Inconsistent { item: "ORDINAL", attribute: "next" })
    }

    /// Sets the ordinal that the next ticket gets, for people who migrate. Never backwards.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where tickets that high exist already.
    pub async fn set_next_ordinal(&self, next: u64) -> Result<(), StoreError> {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::ordinal().attributes()))
            .update_expression("SET #next = :last")
            .condition_expression("attribute_not_exists(#next) OR #next < :last")
            .expression_attribute_names("#next", "next")
            .expression_attribute_values(":last", AttributeValue::N(next.saturating_sub(1).to_string()))
            .send()
            .await
            .map(drop)
            .map_err(|e| StoreError::from_sdk(&e))
    }
}
