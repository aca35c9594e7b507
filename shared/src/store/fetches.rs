//! Mail that is still to be fetched: queued rows whose letter may be lost.

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{
    Store,
    error::StoreError,
    items::{self, Item},
    keys::{self, Key, LedgerId},
};
use crate::{
    inbound::AcceptRecord,
    records::{LedgerRow, Outcome},
};

/// Queries under way at once.
const CONCURRENCY: usize = 8;
/// Queued rows that are looked at in each shard, the oldest: in an outage other mail is queued too.
const LOOKED_AT_MAX: i32 = 200;
/// When the sweep last wrote a letter for the row.
const RETOLD_AT: &str = "retold_at";

impl Store {
    /// Mail to be fetched that was told of before `told_before` and not again since `retold_before`; at most so many, the
    /// oldest first. One query a shard.
    ///
    /// # Errors
    /// Any store error.
    pub async fn fetches_left(
        &self,
        told_before: Timestamp,
        retold_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(LedgerId, AcceptRecord)>, StoreError> {
        let shards = stream::iter((0..keys::SHARDS).map(|shard| keys::by_attention(Outcome::Queued, shard)));
        let before = keys::instant(told_before);
        let queries = shards.map(|shard| self.queued_in(shard, &before)).buffered(CONCURRENCY);
        let keys: Vec<Key> = queries.try_collect::<Vec<_>>().await?.into_iter().flatten().collect();
        let mut left = Vec::new();
        for (key, item) in self.batch_get(keys).await? {
            let retold = item.get(RETOLD_AT).and_then(|at| at.as_s().ok()).and_then(|at| at.parse().ok());
            let row: LedgerRow = items::row(item, "MAIL")?;
            let lately = row.ended_at > told_before || retold.is_some_and(|at: Timestamp| at > retold_before);
            let (id, fetch) = (LedgerId::from_key(&key.pk, &key.sk), row.accept.filter(|a| a.fetch.is_some()));
            if let (Some(id), Some(accept), Outcome::Queued, false) = (id, fetch, row.outcome, lately) {
                // This copy only: the others have rows of their own.
                let own = accept.mailboxes.iter().filter(|mailbox| mailbox.as_str() == id.mailbox()).cloned();
                let accept = AcceptRecord { mailboxes: own.collect(), ..*accept };
                left.push((row.received_at, id, accept));
            }
        }
        left.sort_by(|(a, id_a, _), (b, id_b, _)| a.cmp(b).then_with(|| id_a.to_string().cmp(&id_b.to_string())));
        left.truncate(limit);
        Ok(left.into_iter().map(|(_, id, accept)| (id, accept)).collect())
    }

    /// Notes that a letter was written for a row, if it is still queued.
    ///
    /// # Errors
    /// Any store error but a lost condition.
    pub async fn retold(&self, id: &LedgerId, now: Timestamp) -> Result<(), StoreError> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(id.key().attributes()))
            .update_expression("SET #retold = :now")
            .condition_expression("outcome = :queued")
            .expression_attribute_names("#retold", RETOLD_AT)
            .expression_attribute_values(":now", AttributeValue::S(keys::instant(now)))
            .expression_attribute_values(":queued", AttributeValue::S(Outcome::Queued.as_str().to_owned()))
            .send()
            .await;
        match answer.map_err(|error| StoreError::from_sdk(&error)) {
            Ok(_) | Err(StoreError::Refused) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn queued_in(&self, shard: String, before: &str) -> Result<Vec<Key>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("gsi1")
            .key_condition_expression("#pk = :pk AND #sk < :before")
            .expression_attribute_names("#pk", "gsi1pk")
            .expression_attribute_names("#sk", "gsi1sk")
            .expression_attribute_values(":pk", AttributeValue::S(shard))
            .expression_attribute_values(":before", AttributeValue::S(before.to_owned()))
            .limit(LOOKED_AT_MAX)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(&error))?;
        answer.items().iter().map(|item: &Item| super::query::key_of(item)).collect()
    }
}
