//! Copies on their way: which there are of one object, how often each was tried, and the way back from failed.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::{
    RETRY_BASE, RETRY_CAP, Store, StoreError, TRIES_MAX,
    error::refused_with,
    items::{self, Item},
    keys::LedgerId,
};
use crate::records::{LedgerRow, Outcome};

/// What counting found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// The copy is open; so many deliveries are under way or came to no end, this one included.
    Open(usize),
    /// It has ended.
    Ended(Box<LedgerRow>),
}

impl Store {
    /// All rows of one object: one for each mailbox that a copy went to, and `-`.
    ///
    /// # Errors
    /// Any store error.
    pub async fn copies(&self, raw_key: &str) -> Result<Vec<(LedgerId, LedgerRow)>, StoreError> {
        let id = LedgerId::of(raw_key, super::keys::NO_MAILBOX);
        let items = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(id.key().pk))
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<Item>, _>>()
            .await
            .map_err(|e| StoreError::from_sdk(&e))?;
        let of = |item: Item| {
            let sk = item.get("sk").and_then(|v| v.as_s().ok()).cloned();
            let sk = sk.ok_or(StoreError::Inconsistent { item: "MAIL", attribute: "sk" })?;
            Ok((LedgerId::of(raw_key, &sk), items::row(item, "MAIL")?))
        };
        items.into_iter().map(of).collect()
    }

    /// Counts a delivery, before anything is parsed: on a new row `queued`, or on the one that is there, unless it has
    /// ended. The same delivery counts once, however often it is counted.
    ///
    /// # Errors
    /// Any store error; the delivery may have been counted.
    pub async fn count(&self, id: &LedgerId, queued: &LedgerRow, delivery: &str) -> Result<Counted, StoreError> {
        let mut item = items::ledger(id, queued)?;
        for name in ["pk", "sk", "attempts"] {
            item.remove(name);
        }
        let mut request = self.client.update_item().table_name(&self.table).set_key(Some(id.key().attributes()));
        let mut set = Vec::new();
        // Every attribute by a placeholder: some are reserved words, and a row that is there keeps its own.
        for (n, (name, value)) in item.into_iter().enumerate() {
            set.push(format!("#n{n} = if_not_exists(#n{n}, :v{n})"));
            request = request
                .expression_attribute_names(format!("#n{n}"), name)
                .expression_attribute_values(format!(":v{n}"), value);
        }
        let answer = request
            .update_expression(format!("SET {} ADD attempts :delivery", set.join(", ")))
            .condition_expression("attribute_not_exists(pk) OR outcome = :queued")
            .expression_attribute_values(":queued", AttributeValue::S(Outcome::Queued.as_str().to_owned()))
            .expression_attribute_values(":delivery", AttributeValue::Ss(vec![delivery.to_owned()]))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match answer {
            Ok(answer) => {
                let row = answer.attributes.ok_or(StoreError::Inconsistent { item: "MAIL", attribute: "attempts" })?;
                return Ok(Counted::Open(items::row::<LedgerRow>(row, "MAIL")?.attempts.len()));
            }
            Err(error) => error,
        };
        match refused_with(&error) {
            Some(item) => Ok(Counted::Ended(Box::new(items::row(item, "MAIL")?))),
            None => Err(StoreError::from_sdk(&error)),
        }
    }

    /// Takes a count back: the delivery failed by no fault of the mail. Nothing happens to a row that has ended. Tried
    /// again like a commit: a count that stays brings an innocent mail nearer to being parked.
    ///
    /// # Errors
    /// Any store error but a lost condition.
    pub async fn uncount(&self, id: &LedgerId, delivery: &str) -> Result<(), StoreError> {
        let mut attempt = 0;
        loop {
            match self.uncount_once(id, delivery).await {
                Ok(()) | Err(StoreError::Refused) => return Ok(()),
                Err(error) if !error.retryable() || attempt + 1 >= TRIES_MAX => return Err(error),
                Err(_) => attempt += 1,
            }
            self.ambient.back_off(attempt, RETRY_BASE, RETRY_CAP).await;
        }
    }

    async fn uncount_once(&self, id: &LedgerId, delivery: &str) -> Result<(), StoreError> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(id.key().attributes()))
            .update_expression("DELETE attempts :delivery")
            .condition_expression("outcome = :queued")
            .expression_attribute_values(":queued", AttributeValue::S(Outcome::Queued.as_str().to_owned()))
            .expression_attribute_values(":delivery", AttributeValue::Ss(vec![delivery.to_owned()]))
            .send()
            .await;
        answer.map(drop).map_err(|e| StoreError::from_sdk(&e))
    }

    /// Makes a failed copy queued again, with no delivery counted. `false` = it is not failed any more.
    ///
    /// # Errors
    /// Any store error.
    pub async fn requeue(&self, id: &LedgerId, row: &LedgerRow) -> Result<bool, StoreError> {
        let queued = LedgerRow { outcome: Outcome::Queued, ..row.clone() };
        let item = items::ledger(id, &queued)?;
        let mut request = self.client.update_item().table_name(&self.table).set_key(Some(id.key().attributes()));
        for (name, placeholder) in [("gsi1pk", ":g1"), ("gsi1sk", ":g2"), ("gsi3pk", ":g3")] {
            let value = item.get(name).ok_or(StoreError::Inconsistent { item: "MAIL", attribute: "an index key" })?;
            request = request.expression_attribute_values(placeholder, value.clone());
        }
        let text = |outcome: Outcome| AttributeValue::S(outcome.as_str().to_owned());
        let answer = request
            .update_expression(
                "SET outcome = :queued, gsi1pk = :g1, gsi1sk = :g2, gsi3pk = :g3 REMOVE attempts, cause, gsi4pk, gsi4sk",
            )
            .condition_expression("outcome = :failed")
            .expression_attribute_values(":queued", text(Outcome::Queued))
            .expression_attribute_values(":failed", text(Outcome::Failed))
            .send()
            .await;
        match answer.map_err(|e| StoreError::from_sdk(&e)) {
            Ok(_) => Ok(true),
            Err(StoreError::Refused) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
