//! Who takes part in a ticket, changed by people.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::Timestamp;

use super::{Change, ROUNDS_MAX};
use crate::{
    address::AddrSpec,
    store::{
        Store, StoreError,
        commit::{put, update},
        items, keys,
    },
    ticket::{Act, Deed, PARTICIPANTS_MAX, Participant, Ticket},
};

impl Store {
    /// Lets somebody speak on a ticket; who is no participant becomes one.
    ///
    /// # Errors
    /// Any store error; [`StoreError::Refused`] when others changed the ticket five times meanwhile.
    pub async fn approve_participant(
        &self,
        ordinal: u64,
        address: &AddrSpec,
        actor: &str,
        now: Timestamp,
    ) -> Result<Change<Ticket>, StoreError> {
        let approve = |ticket: &Ticket| approved(ticket, address);
        self.change_participants(ordinal, (Deed::ParticipantApproved, address, actor), now, approve).await
    }

    /// Takes somebody off a ticket: what he writes there is a stranger's from now on.
    ///
    /// # Errors
    /// As [`Store::approve_participant`].
    pub async fn remove_participant(
        &self,
        ordinal: u64,
        address: &AddrSpec,
        actor: &str,
        now: Timestamp,
    ) -> Result<Change<Ticket>, StoreError> {
        let remove = |ticket: &Ticket| removed(ticket, address);
        self.change_participants(ordinal, (Deed::ParticipantRemoved, address, actor), now, remove).await
    }

    async fn change_participants(
        &self,
        ordinal: u64,
        (deed, about, actor): (Deed, &AddrSpec, &str),
        now: Timestamp,
        change: impl Fn(&Ticket) -> Result<Vec<Participant>, String>,
    ) -> Result<Change<Ticket>, StoreError> {
        for _ in 0..ROUNDS_MAX {
            let Some(ticket) = self.ticket(ordinal).await? else {
                return Ok(Change::Refused(format!("ticket {ordinal} does not exist")));
            };
            if let Some(target) = ticket.merged_into {
                return Ok(Change::Refused(format!("{} was merged into ticket {target}", ticket.number)));
            }
            let participants = match change(&ticket) {
                Ok(participants) => participants,
                Err(why) => return Ok(Change::Refused(why)),
            };
            let rev = ticket.participants_rev;
            let after = Ticket { participants, participants_rev: rev + 1, ..ticket };
            let people = items::ticket(&after)?.remove("participants");
            let people = people.ok_or(StoreError::Inconsistent { item: "TICKET", attribute: "participants" })?;
            let values =
                [(":people", people), (":rev", items::number(rev)), (":next", items::number(after.participants_rev))];
            let set = "SET participants = :people, participants_rev = :next";
            let condition = "attribute_not_exists(merged_into) AND participants_rev = :rev";
            let (_, on_ticket) = update(&self.table, &keys::ticket(ordinal), set, condition, &values, false)?;
            let on_trail = self.act(ordinal, deed, about.as_str(), actor, now)?;
            if self.transact(vec![on_ticket, on_trail]).await?.is_none() {
                return Ok(Change::Made(after));
            }
        }
        Err(StoreError::Refused)
    }

    /// One act on the audit trail of a ticket.
    pub(in crate::store) fn act(
        &self,
        ticket: u64,
        deed: Deed,
        about: &str,
        actor: &str,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let act = keys::act_sk(now, self.ambient.entropy());
        let row = Act { ticket, act, deed, about: about.to_owned(), actor: actor.to_owned(), at: now };
        let item = items::plain(&keys::entry(ticket, &row.act), &row)?;
        Ok(put(&self.table, item, "attribute_not_exists(pk)", &[])?.1)
    }

    /// What people did to a ticket, apart from its status, oldest first.
    ///
    /// # Errors
    /// Any store error.
    pub async fn acts(&self, ordinal: u64) -> Result<Vec<Act>, StoreError> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query
            .key_condition_expression("pk = :pk AND begins_with(sk, :act)")
            .expression_attribute_values(":pk", AttributeValue::S(keys::ticket(ordinal).pk))
            .expression_attribute_values(":act", AttributeValue::S(keys::ACT_PREFIX.to_owned()));
        let items = query.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        let items = items.map_err(|e| StoreError::from_sdk(&e))?;
        items.into_iter().map(|item| items::row(item, "ACT")).collect()
    }
}

fn approved(ticket: &Ticket, address: &AddrSpec) -> Result<Vec<Participant>, String> {
    let mut people = ticket.participants.clone();
    let full = people.len() >= PARTICIPANTS_MAX;
    match people.iter_mut().find(|p| p.address == *address) {
        Some(known) if known.approved => return Err(format!("{address} may write on {} already", ticket.number)),
        Some(known) => known.approved = true,
        None if full => return Err(format!("{} has {PARTICIPANTS_MAX} participants", ticket.number)),
        None => people.push(Participant { address: address.clone(), name: address.derived_name(), approved: true }),
    }
    Ok(people)
}

fn removed(ticket: &Ticket, address: &AddrSpec) -> Result<Vec<Participant>, String> {
    if ticket.requester.as_ref().is_some_and(|requester| requester.address == *address) {
        return Err(format!("{address} is the requester of {}, who stays", ticket.number));
    }
    let mut people = ticket.participants.clone();
    people.retain(|p| p.address != *address);
    if people.len() == ticket.participants.len() {
        return Err(format!("{address} is no participant of {}", ticket.number));
    }
    Ok(people)
}
