//! Rehearsing: the pipeline up to its decision, with nothing written. What would be decided today, of a copy in the
//! ledger or of a mail that nobody has brought in.

use super::{Arrival, Copy, Ingest, Recipient, copy::Reading, rows};
use crate::{
    blobs::BlobError,
    decide::{Decision, Verb},
    envelope::Envelope,
    inbound::{AcceptRecord, InboundMessage, Origin},
    mailbox::{Mailbox, MailboxId},
    outcome::IngestError,
    records::{Cause, Effect, IndexDirection, IndexRow, LedgerRow, author_hash},
    store::{LedgerId, keys::NO_MAILBOX, query::Snapshot},
};

/// How a rehearsal ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rehearsed {
    /// The rows that would be written.
    Done(Vec<(LedgerId, LedgerRow)>),
    /// Not possible, in words.
    Refused(String),
}

impl Ingest {
    /// What would be decided today, were this copy to come for the first time.
    ///
    /// # Errors
    /// Table or bucket cannot be had.
    pub async fn rehearse(&self, id: &LedgerId) -> Result<Rehearsed, IngestError> {
        let Some(row) = self.store.ledger_row(id).await? else {
            return Ok(Rehearsed::Refused(format!("no mail {id} in the ledger")));
        };
        let accept = match self.accept_of(id, &row).await {
            Ok(accept) => accept,
            // SES's object says nothing of how it came, and the row of a mail that has ended keeps no envelope.
            Err(BlobError::Missing(_)) if row.raw_key.starts_with("raw/") => accept_from(id, &row, self.blobs.bucket()),
            Err(BlobError::Missing(_)) => {
                return Ok(Rehearsed::Refused("no mail was read from what is kept".to_owned()));
            }
            Err(error) => return Err(IngestError::Unread(error)),
        };
        let raw = match self.blobs.get(&accept.raw_key).await {
            Ok(raw) => raw,
            Err(BlobError::Missing(key)) => return Ok(Rehearsed::Refused(format!("there is no mail at {key}"))),
            Err(error) => return Err(IngestError::Unread(error)),
        };
        let arrival = self.arrived(&accept, raw);
        let own = MailboxId::parse(id.mailbox()).and_then(|id| self.mailboxes.by_id(&id));
        let chosen = || self.recipients(&accept).into_iter().find_map(|recipient| recipient.ours());
        let Some(mailbox) = own.or_else(chosen) else {
            let why = "no mailbox of ours is chosen for it: it would be held, unknown-recipient";
            return Ok(Rehearsed::Refused(why.to_owned()));
        };
        let reading = self.read_in_full(&arrival);
        let rehearsed = self.rehearse_copy(&arrival, &reading, mailbox, id.clone(), Some(&row)).await?;
        Ok(Rehearsed::Done(vec![(id.clone(), rehearsed)]))
    }

    /// What would be decided, were this mail to come now: a row for each mailbox that would get a copy.
    ///
    /// # Errors
    /// The table cannot be had.
    pub async fn rehearse_mail(&self, inbound: InboundMessage) -> Result<Vec<(LedgerId, LedgerRow)>, IngestError> {
        let arrival = self.arrive(inbound).await;
        let reading = self.read_in_full(&arrival);
        let mut rows = Vec::new();
        for recipient in self.recipients(&arrival.accept) {
            let id = LedgerId::of(&arrival.accept.raw_key, recipient.id());
            let cause = match recipient {
                Recipient::Ours(mailbox) if mailbox.enabled => {
                    let row = self.rehearse_copy(&arrival, &reading, mailbox, id.clone(), None).await?;
                    rows.push((id, row));
                    continue;
                }
                Recipient::Ours(_) => Cause::MailboxDisabled,
                Recipient::Removed(_) => Cause::MailboxRemoved,
                Recipient::Nobody => Cause::UnknownRecipient,
            };
            let row = rows::held(&arrival, id.mailbox(), cause, self.ambient.now());
            rows.push((id, row));
        }
        Ok(rows)
    }

    /// `stored`: its row, where it came before; what it wrote itself is then left out of what is read.
    async fn rehearse_copy(
        &self,
        arrival: &Arrival,
        reading: &Reading,
        mailbox: &Mailbox,
        id: LedgerId,
        stored: Option<&LedgerRow>,
    ) -> Result<LedgerRow, IngestError> {
        let mut copy = self.copy_for(arrival, reading, mailbox, id, None);
        self.learnt_by_parsing(&mut copy);
        let mut snapshot = self.read_again(&copy).await?;
        if let Some(stored) = stored {
            without_its_own(&mut snapshot, stored, arrival);
        }
        let decision = self.decide(&copy, snapshot, false).await?;
        Ok(self.as_row(&copy, &decision))
    }

    fn as_row(&self, copy: &Copy<'_>, decision: &Decision) -> LedgerRow {
        let (arrival, now) = (copy.arrival, self.ambient.now());
        match &decision.verb {
            Verb::End(end) => rows::ended(arrival, copy.id.mailbox(), decision, end, now),
            Verb::Commit(plan) => rows::rehearsed(arrival, copy.id.mailbox(), decision, plan, now),
        }
    }
}

/// Takes out what the mail wrote when it came: else it would be a duplicate of itself, or answer its own claims.
fn without_its_own(snapshot: &mut Snapshot, stored: &LedgerRow, arrival: &Arrival) {
    let itself = |own: &IndexRow| own.entry.is_some() && own.entry == stored.entry;
    if let Some(own) = snapshot.seen.own.take_if(|own| itself(own))
        && !own.claims.is_empty()
    {
        let claim =
            IndexRow { direction: IndexDirection::Claim, ticket: None, ticket_number: None, entry: None, ..own };
        snapshot.seen.own = Some(IndexRow { head: None, body: None, holders: Vec::new(), ..claim });
    }
    // The row of a merge key that it took.
    snapshot.seen.by_id.retain(|_, row| !itself(row));
    if stored.effect == Some(Effect::Created) {
        let author = arrival.author.address.as_ref().map(author_hash);
        for row in snapshot.seen.by_id.values_mut() {
            row.claims.retain(|claim| Some(claim.ticket) != stored.ticket || Some(&claim.author) != author.as_ref());
        }
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
