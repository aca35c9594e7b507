//! What is remembered of those who write, told and changed by people.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::{
    Store, StoreError,
    items::{self, Item},
    keys::{self, Key, LedgerId},
};
use crate::{
    address::AddrSpec,
    records::{LedgerRow, Mark, Requester},
    ticket::{Act, Entry, Ticket},
};

/// What people say of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// His mail is held from now on.
    Blocked,
    /// It is not any more.
    Unblocked,
    /// He is a known contact, no guest.
    Known,
    /// He is a guest.
    Guest,
    /// He can be written to again.
    Deliverable,
}

/// Where somebody's address is found by gsi2: what he opened, and what he wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// Tickets whose requester he is.
    pub tickets: BTreeSet<u64>,
    /// Copies of his mail.
    pub mails: Vec<LedgerId>,
}

impl Store {
    /// What is remembered of an address in a scope.
    ///
    /// # Errors
    /// Any store error.
    pub async fn requester(&self, scope: &str, address: &AddrSpec) -> Result<Option<Requester>, StoreError> {
        let key = keys::requester(scope, Some(address), false);
        self.batch_get(vec![key.clone()]).await?.remove(&key).map(|item| items::row(item, "REQUESTER")).transpose()
    }

    /// Writes down what somebody says of an address, whether it has written yet or not.
    ///
    /// # Errors
    /// Any store error.
    pub async fn say(
        &self,
        (scope, address): (&str, &AddrSpec),
        said: Said,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mark = || {
            let mark = Mark { by: actor.to_owned(), at: now };
            serde_dynamo::to_attribute_value(mark).map_err(|e| StoreError::Invalid(format!("mark: {e}")))
        };
        let (change, value) = match said {
            Said::Blocked => ("blocked = :value", Some(mark()?)),
            Said::Known => ("known = :value", Some(AttributeValue::Bool(true))),
            Said::Guest => ("known = :value", Some(AttributeValue::Bool(false))),
            Said::Unblocked => (" REMOVE blocked", None),
            Said::Deliverable => (" REMOVE undeliverable", None),
        };
        let joint = if value.is_some() { ", " } else { "" };
        let key = keys::requester(scope, Some(address), false);
        let request = self.client.update_item().table_name(&self.table).set_key(Some(key.attributes()));
        let request = request
            .update_expression(format!("SET address = :address{joint}{change}"))
            .expression_attribute_values(":address", AttributeValue::S(address.to_string()));
        let request = match value {
            Some(value) => request.expression_attribute_values(":value", value),
            None => request,
        };
        request.send().await.map(drop).map_err(|e| StoreError::from_sdk(&e))
    }

    /// Everything that gsi2 finds under an address. The index follows the table within moments.
    ///
    /// # Errors
    /// Any store error.
    pub async fn traces(&self, address: &AddrSpec) -> Result<Traces, StoreError> {
        let query = self.client.query().table_name(&self.table).index_name("gsi2");
        let query = query
            .key_condition_expression("gsi2pk = :address")
            .expression_attribute_values(":address", AttributeValue::S(keys::by_requester(address)))
            .projection_expression("pk, sk");
        let items = query.into_paginator().items().send().collect::<Result<Vec<Item>, _>>().await;
        let mut traces = Traces::default();
        for item in items.map_err(|e| StoreError::from_sdk(&e))? {
            let Key { pk, sk } = super::query::key_of(&item)?;
            match (keys::ticket_of(&pk), LedgerId::from_key(&pk, &sk)) {
                (Some(ticket), _) => drop(traces.tickets.insert(ticket)),
                (None, Some(id)) => traces.mails.push(id),
                (None, None) => {}
            }
        }
        Ok(traces)
    }

    /// Takes the words and names out of an entry; that there was one stays.
    ///
    /// # Errors
    /// Any store error.
    pub async fn erase_entry(&self, entry: &Entry) -> Result<(), StoreError> {
        let flags = entry.flags.iter().cloned().chain(["erased".to_owned()]).map(AttributeValue::S).collect();
        let request = self.client.update_item().table_name(&self.table);
        let answer = request
            .set_key(Some(keys::entry(entry.ticket, &entry.entry).attributes()))
            .update_expression(
                "SET #text = :nothing, attachments = :none, flags = :flags REMOVE author, message_id, calendar",
            )
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#text", "text")
            .expression_attribute_values(":nothing", AttributeValue::S(String::new()))
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
            .expression_attribute_values(":flags", AttributeValue::L(flags))
            .send()
            .await;
        answer.map(drop).map_err(|e| StoreError::from_sdk(&e))
    }

    /// Takes whom an act was about off the audit trail; who did it, and when, stays.
    ///
    /// # Errors
    /// Any store error.
    pub async fn erase_act(&self, act: &Act, instead: &str) -> Result<(), StoreError> {
        let request = self.client.update_item().table_name(&self.table);
        let answer = request
            .set_key(Some(keys::entry(act.ticket, &act.act).attributes()))
            .update_expression("SET about = :instead")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":instead", AttributeValue::S(instead.to_owned()))
            .send()
            .await;
        answer.map(drop).map_err(|e| StoreError::from_sdk(&e))
    }

    /// Writes a ticket as it is without somebody, where nobody has changed who takes part meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where somebody has; any store error.
    pub async fn erase_from_ticket(&self, before: &Ticket, after: &Ticket) -> Result<(), StoreError> {
        let mut item = items::ticket(after)?;
        let mut part = |name: &'static str| {
            item.remove(name).ok_or(StoreError::Inconsistent { item: "TICKET", attribute: "a field of the row" })
        };
        let (people, subject) = (part("participants")?, part("subject")?);
        let gone = if after.requester.is_none() { " REMOVE requester, gsi2pk, gsi2sk" } else { "" };
        let request = self.client.update_item().table_name(&self.table);
        let answer = request
            .set_key(Some(keys::ticket(before.ticket_id).attributes()))
            .update_expression(format!(
                "SET participants = :people, participants_rev = participants_rev + :one, subject = :subject{gone}"
            ))
            .condition_expression("attribute_exists(pk) AND participants_rev = :rev")
            .expression_attribute_values(":people", people)
            .expression_attribute_values(":subject", subject)
            .expression_attribute_values(":one", items::number(1))
            .expression_attribute_values(":rev", items::number(before.participants_rev))
            .send()
            .await;
        answer.map(drop).map_err(|e| StoreError::from_sdk(&e))
    }

    /// Replaces a ledger row by what is left of it.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the row has changed meanwhile; any store error.
    pub async fn erase_mail(&self, id: &LedgerId, before: &LedgerRow, after: &LedgerRow) -> Result<(), StoreError> {
        let request = self.client.put_item().table_name(&self.table).set_item(Some(items::ledger(id, after)?));
        let answer = request
            .condition_expression("outcome = :seen")
            .expression_attribute_values(":seen", AttributeValue::S(before.outcome.as_str().to_owned()))
            .send()
            .await;
        answer.map(drop).map_err(|e| StoreError::from_sdk(&e))
    }

    /// Leaves of what is remembered of an address only that it was erased.
    ///
    /// # Errors
    /// Any store error.
    pub async fn erase_requester(
        &self,
        scope: &str,
        address: &AddrSpec,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = Requester { erased: Some(Mark { by: actor.to_owned(), at: now }), ..Requester::default() };
        let item = items::plain(&keys::requester(scope, Some(address), false), &row)?;
        let answer = self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await;
        answer.map(drop).map_err(|e| StoreError::from_sdk(&e))
    }
}
