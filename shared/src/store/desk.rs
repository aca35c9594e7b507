//! What agents and operators do to stored tickets and mail: status, approval, merging, splitting, closing, discarding.

mod close;
mod merge;
mod participants;
mod split;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::Timestamp;

pub use self::close::{AUTO_CLOSE, AutoClosed};
use super::{
    Store, StoreError,
    commit::{Commit, LedgerGuard, NetRow, put, update},
    items, keys,
    keys::LedgerId,
};
use crate::{
    mailbox::Mailbox,
    records::{Cause, LedgerRow, Outcome},
    ticket::{Entry, PARTICIPANTS_MAX, Participant, ReplyEffect, Status, StatusChange, Ticket, Visibility},
};

/// Tries of a change that others overtake.
const ROUNDS_MAX: usize = 5;

/// How an administrative change ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<T> {
    /// Made; the value as it is now.
    Made(T),
    /// Not possible, in words.
    Refused(String),
}

impl Store {
    /// Sets a ticket's status as an agent does, with a change on the audit trail.
    ///
    /// # Errors
    /// Any store error; [`StoreError::Refused`] when others changed it five times meanwhile.
    pub async fn set_status(
        &self,
        ordinal: u64,
        to: Status,
        actor: &str,
        now: Timestamp,
    ) -> Result<Change<Ticket>, StoreError> {
        for _ in 0..ROUNDS_MAX {
            let Some(ticket) = self.ticket(ordinal).await? else {
                return Ok(Change::Refused(format!("ticket {ordinal} does not exist")));
            };
            if let Some(target) = ticket.merged_into {
                return Ok(Change::Refused(format!("{} was merged into ticket {target}", ticket.number)));
            }
            if !ticket.status.agent_may_set(to) {
                let from = ticket.status.as_str();
                return Ok(Change::Refused(format!("{} is {from} and cannot become {}", ticket.number, to.as_str())));
            }
            let after = with_status(&ticket, to, now);
            let action = self.status_update(&ticket, &after, "", &[])?;
            let on_trail = self.changed(&ticket, to, actor, now)?;
            if self.transact(vec![action, on_trail]).await?.is_none() {
                return Ok(Change::Made(after));
            }
        }
        Err(StoreError::Refused)
    }

    /// The ticket with another status, where it still has the one that was read and is not merged; `more` = further
    /// conditions, with their values.
    fn status_update(
        &self,
        seen: &Ticket,
        after: &Ticket,
        more: &str,
        read: &[(&'static str, AttributeValue)],
    ) -> Result<TransactWriteItem, StoreError> {
        let set = if after.closed_at.is_some() {
            "SET #status = :status, updated_at = :updated, gsi1pk = :listed, gsi1sk = :listed_at, closed_at = :updated"
        } else {
            "SET #status = :status, updated_at = :updated, gsi1pk = :listed, gsi1sk = :listed_at REMOVE closed_at"
        };
        let (pk, sk) = items::ticket_listing(after);
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let mut values = vec![
            (":status", text(after.status.as_str())),
            (":updated", text(&after.updated_at.to_string())),
            (":listed", text(&pk)),
            (":listed_at", text(&sk)),
            (":seen", text(seen.status.as_str())),
        ];
        values.extend(read.iter().cloned());
        let condition = format!("#status = :seen AND attribute_not_exists(merged_into){more}");
        Ok(update(&self.table, &keys::ticket(seen.ticket_id), set, &condition, &values, true)?.1)
    }

    /// Approves an unverified entry: it becomes public, its author a participant, and the ticket takes it as it takes
    /// a participant's reply.
    ///
    /// # Errors
    /// Any store error; [`StoreError::Refused`] when others changed the ticket five times meanwhile.
    pub async fn approve(
        &self,
        entry: &Entry,
        mailbox: &Mailbox,
        actor: &str,
        now: Timestamp,
    ) -> Result<Change<Ticket>, StoreError> {
        for _ in 0..ROUNDS_MAX {
            let Some(ticket) = self.ticket(entry.ticket).await? else {
                return Ok(Change::Refused(format!("ticket {} does not exist", entry.ticket)));
            };
            if let Some(target) = ticket.merged_into {
                let number = &ticket.number;
                let way =
                    format!("move the entry there first: `postern split {}/HASH --to {target}`", ticket.ticket_id);
                return Ok(Change::Refused(format!("{number} was merged into ticket {target}; {way}")));
            }
            let Some(after) = with_author(&ticket, entry, mailbox, now) else {
                return Ok(Change::Refused(format!("{} has {PARTICIPANTS_MAX} participants", ticket.number)));
            };
            let people = items::ticket(&after)?.remove("participants");
            let people = people.ok_or(StoreError::Inconsistent { item: "TICKET", attribute: "participants" })?;
            let (pk, sk) = items::ticket_listing(&after);
            let text = |value: &str| AttributeValue::S(value.to_owned());
            let values = [
                (":people", people),
                (":rev", items::number(ticket.participants_rev)),
                (":next", items::number(after.participants_rev)),
                (":status", text(after.status.as_str())),
                (":updated", text(&after.updated_at.to_string())),
                (":listed", text(&pk)),
                (":listed_at", text(&sk)),
                (":seen", text(ticket.status.as_str())),
            ];
            let mut set = "SET participants = :people, participants_rev = :next, #status = :status, \
                           updated_at = :updated, gsi1pk = :listed, gsi1sk = :listed_at"
                .to_owned();
            if after.closed_at.is_none() {
                set.push_str(" REMOVE closed_at");
            }
            let condition = "attribute_not_exists(merged_into) AND #status = :seen AND participants_rev = :rev";
            let (_, on_ticket) = update(&self.table, &keys::ticket(entry.ticket), &set, condition, &values, true)?;
            let (_, on_entry) = self.publish_entry(entry)?;
            let mut actions = vec![on_entry, on_ticket];
            if after.status != ticket.status {
                actions.push(self.changed(&ticket, after.status, actor, now)?);
            }
            match self.transact(actions).await? {
                None => return Ok(Change::Made(after)),
                Some(failed) if failed.contains(&0) => {
                    return Ok(Change::Refused("the entry is not unverified any more".to_owned()));
                }
                Some(_) => {}
            }
        }
        Err(StoreError::Refused)
    }

    /// The change on the audit trail, due to be told: in the same transaction, so that neither is without the other.
    fn changed(
        &self,
        before: &Ticket,
        to: Status,
        actor: &str,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let change = StatusChange {
            ticket: before.ticket_id,
            change: keys::change_sk(now, self.ambient.entropy()),
            from: before.status,
            to,
            actor: actor.to_owned(),
            at: now,
        };
        Ok(put(&self.table, items::change(&change)?, "attribute_not_exists(pk)", &[])?.1)
    }

    fn publish_entry(&self, entry: &Entry) -> Result<(super::commit::Subject, TransactWriteItem), StoreError> {
        let values = [
            (":public", AttributeValue::S("public".to_owned())),
            (":unverified", AttributeValue::S("unverified".to_owned())),
        ];
        let key = keys::entry(entry.ticket, &entry.entry);
        update(&self.table, &key, "SET visibility = :public", "visibility = :unverified", &values, false)
    }

    /// Throws held mail away: the row stays, ignored, and the raw is kept.
    ///
    /// # Errors
    /// Any store error.
    pub async fn discard(&self, id: &LedgerId, actor: &str, now: Timestamp) -> Result<Change<LedgerRow>, StoreError> {
        let Some(mut row) = self.ledger_row(id).await? else {
            return Ok(Change::Refused(format!("no mail {id} in the ledger")));
        };
        if row.outcome != Outcome::Held {
            return Ok(Change::Refused(format!("the mail is {}, not held", row.outcome.as_str())));
        }
        if let Some(cause) = row.cause.replace(Cause::Discarded) {
            row.reasons.push(format!("was-held-{}", cause.slug()));
        }
        row.outcome = Outcome::Ignored;
        row.actor = Some(actor.to_owned());
        row.ended_at = now;
        let commit = Commit { id, row: &row, guard: LedgerGuard::Held, token: None, net: NetRow::None, write: None };
        Ok(match self.commit(&commit).await? {
            super::CommitResult::Done => Change::Made(row),
            _ => Change::Refused("somebody else released or discarded it meanwhile".to_owned()),
        })
    }
}

fn with_status(ticket: &Ticket, to: Status, now: Timestamp) -> Ticket {
    let closed_at = (to == Status::Closed).then_some(now);
    Ticket { status: to, updated_at: now.max(ticket.updated_at), closed_at, ..ticket.clone() }
}

/// `None` where the list of participants is full.
fn with_author(ticket: &Ticket, entry: &Entry, mailbox: &Mailbox, now: Timestamp) -> Option<Ticket> {
    let mut after = ticket.clone();
    after.participants_rev += 1;
    after.updated_at = now.max(ticket.updated_at);
    if let Some(author) = &entry.author {
        let full = after.participants.len() >= PARTICIPANTS_MAX;
        match after.participants.iter_mut().find(|p| p.address == author.address) {
            Some(known) => known.approved = true,
            None if full => return None,
            None => after.participants.push(Participant { approved: true, ..author.clone() }),
        }
    }
    let reply = ticket.status.after_reply(ticket.closed_at, mailbox.reopen_window_days, entry.at);
    if reply == ReplyEffect::Reopens && entry.visibility == Visibility::Unverified {
        after.status = Status::Open;
        after.closed_at = None;
    }
    Some(after)
}
