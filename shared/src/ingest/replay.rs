//! Replaying: a raw object once more through the pipeline, exactly as first accepted; for real, or to see what would be
//! decided today.

use super::{Copy, Ingest, Open, Recipient, already_ended, queued::arrived, rows};
use crate::{
    blobs::BlobError,
    decide::{Target, Verb},
    envelope::Envelope,
    fetch::FetchError,
    inbound::{AcceptRecord, Origin},
    mailbox::MailboxId,
    outcome::{Answer, IngestError},
    records::{LedgerRow, Outcome},
    store::{LedgerId, keys::NO_MAILBOX},
};

/// How a replay ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// What was decided, now or before.
    Done(Vec<Answer>),
    /// Not possible, in words.
    Refused(String),
}

impl Ingest {
    /// Brings a copy in that is queued; one that has ended answers with its end. Replaying never makes anything twice.
    ///
    /// # Errors
    /// Table or bucket cannot be had, or the mail cannot be brought to its end now.
    pub async fn replay(&self, id: &LedgerId) -> Result<Replayed, IngestError> {
        let Some(row) = self.store.ledger_row(id).await? else {
            return Ok(Replayed::Refused(format!("no mail {id} in the ledger")));
        };
        if let Some(ended) = already_ended(id, Some(&row)) {
            return Ok(Replayed::Done(vec![ended]));
        }
        match self.accept_of(id, &row).await {
            Ok(accept) => match self.again(&accept, None).await {
                Err(IngestError::Unfetched(error @ FetchError::NoFetcher)) => {
                    Ok(Replayed::Refused(format!("{error}; `postern redrive` has it fetched")))
                }
                replayed => replayed.map(Replayed::Done),
            },
            Err(BlobError::Missing(key)) => Ok(Replayed::Refused(format!("there is no mail at {key}"))),
            Err(error) => Err(IngestError::Unread(error)),
        }
    }

    /// As [`Ingest::replay`], by the object's key: also mail that has no row at all.
    ///
    /// # Errors
    /// As there.
    pub async fn replay_object(&self, key: &str) -> Result<Replayed, IngestError> {
        self.account_for(key, Open::BringIn(None)).await?;
        let copies = self.store.copies(key).await?;
        if copies.is_empty() {
            return Ok(Replayed::Refused(format!("there is no mail at {key}")));
        }
        let mut answers = Vec::new();
        for (id, _) in &copies {
            match self.replay(id).await? {
                Replayed::Done(done) => answers.extend(done),
                refused @ Replayed::Refused(_) => return Ok(refused),
            }
        }
        Ok(Replayed::Done(answers))
    }

    /// What would be decided today, were this copy to come for the first time. Writes nothing, holds nothing back.
    ///
    /// # Errors
    /// Table or bucket cannot be had.
    pub async fn rehearse(&self, id: &LedgerId) -> Result<Replayed, IngestError> {
        let Some(row) = self.store.ledger_row(id).await? else {
            return Ok(Replayed::Refused(format!("no mail {id} in the ledger")));
        };
        let accept = match self.accept_of(id, &row).await {
            Ok(accept) => accept,
            // SES's object says nothing of how it came, and the row of a mail that has ended keeps no envelope.
            Err(BlobError::Missing(_)) if row.raw_key.starts_with("raw/") => accept_from(id, &row, self.blobs.bucket()),
            Err(BlobError::Missing(_)) => {
                return Ok(Replayed::Refused("no mail was read from what is kept".to_owned()));
            }
            Err(error) => return Err(IngestError::Unread(error)),
        };
        let raw = match self.blobs.get(&accept.raw_key).await {
            Ok(raw) => raw,
            Err(BlobError::Missing(key)) => return Ok(Replayed::Refused(format!("there is no mail at {key}"))),
            Err(error) => return Err(IngestError::Unread(error)),
        };
        let arrival = arrived(&accept, raw);
        let recipients = self.recipients(&accept);
        let Some(Recipient::Ours(mailbox)) = recipients.first() else {
            let why = "no mailbox of ours is chosen for it: it would be held, unknown-recipient";
            return Ok(Replayed::Refused(why.to_owned()));
        };
        let reading = self.read_in_full(&arrival);
        let keys = self.keys(&arrival, mailbox);
        let copy = Copy { arrival: &arrival, reading: &reading, mailbox, id: id.clone(), keys, release: None };
        let mut snapshot = self.read_again(&copy).await?;
        // Its own index row would make it a duplicate of itself.
        if snapshot.seen.own.as_ref().is_some_and(|own| own.entry.is_some() && own.entry == row.entry) {
            snapshot.seen.own = None;
        }
        let decision = self.decide(&copy, snapshot, false).await?;
        let now = self.ambient.now();
        let rehearsed = match &decision.verb {
            Verb::End(end) => rows::ended(&arrival, id.mailbox(), &decision, end, now),
            Verb::Commit(plan) => {
                let ticket = match &plan.target {
                    Target::Append { ticket, .. } => Some(ticket),
                    Target::New(_) | Target::FollowUp { .. } => None,
                };
                LedgerRow {
                    outcome: Outcome::Committed,
                    effect: Some(plan.effect),
                    reasons: decision.reasons.clone(),
                    ticket: ticket.map(|ticket| ticket.ticket_id),
                    ticket_number: ticket.map(|ticket| ticket.number.clone()),
                    cause: None,
                    entry: None,
                    ..row
                }
            }
        };
        Ok(Replayed::Done(vec![Answer::of(id.to_string(), &rehearsed)]))
    }
}

fn accept_from(id: &LedgerId, row: &LedgerRow, bucket: &str) -> AcceptRecord {
    let own = Some(id.mailbox()).filter(|mailbox| *mailbox != NO_MAILBOX).and_then(MailboxId::parse);
    AcceptRecord {
        raw_key: row.raw_key.clone(),
        origin: Origin::Stored { bucket: bucket.to_owned(), key: row.raw_key.clone() },
        envelope: Envelope::default(),
        ingress: row.ingress.clone(),
        verdicts: row.verdicts.clone(),
        mailboxes: own.into_iter().collect(),
        replay_guard: None,
        payload_key: None,
        fetch: None,
        flags: Vec::new(),
    }
}
