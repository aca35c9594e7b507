//! Releasing held mail: the same pipeline once more, with the causes that hold overridden.

use bytes::Bytes;

use super::{Ingest, Release};
use crate::{
    blobs::BlobError,
    inbound::AcceptRecord,
    mailbox::MailboxId,
    outcome::{Answer, IngestError},
    records::{LedgerRow, Outcome},
    store::LedgerId,
    telemetry::note_trace,
};

/// How a release ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Released {
    /// Decided.
    Done(Answer),
    /// Not possible, in words.
    Refused(String),
}

impl Ingest {
    /// Releases held mail; `mailbox` is needed where none could be chosen.
    ///
    /// # Errors
    /// The raw or the table cannot be had.
    pub async fn release(
        &self,
        id: &LedgerId,
        mailbox: Option<&MailboxId>,
        actor: &str,
    ) -> Result<Released, IngestError> {
        let Some(row) = self.store.ledger_row(id).await? else {
            return Ok(Released::Refused(format!("no mail {id} in the ledger")));
        };
        note_trace(&row.ingress, &row.raw_key);
        if row.outcome != Outcome::Held {
            return Ok(Released::Refused(format!("the mail is {}, not held", row.outcome.as_str())));
        }
        let own = MailboxId::parse(id.mailbox());
        let named = mailbox.or(own.as_ref());
        let target = named.map_or_else(|| self.mailboxes.only(), |id| self.mailboxes.by_id(id));
        let Some(target) = target else {
            return Ok(Released::Refused("no such mailbox: name one with --mailbox".to_owned()));
        };
        let (raw, accept) = match self.held_octets(&row).await {
            Ok(accepted) => accepted,
            Err(IngestError::Unread(BlobError::Missing(_))) => {
                let why = "no mail was read from what is kept, so there is none to release; discard it";
                return Ok(Released::Refused(why.to_owned()));
            }
            Err(error) => return Err(error),
        };
        let accept = AcceptRecord { ingress: row.ingress, replay_guard: None, ..accept };
        let arrival = self.arrived(&accept, raw);
        let reading = self.read_in_full(&arrival);
        let release = Some(Release { actor, cause: row.cause });
        let copy = self.copy_for(&arrival, &reading, target, id.clone(), release);
        Ok(Released::Done(Box::pin(self.settle(copy, None)).await?))
    }

    /// What is still with the provider is fetched now: somebody wants it.
    async fn held_octets(&self, row: &LedgerRow) -> Result<(Bytes, AcceptRecord), IngestError> {
        let Some(accept) = &row.accept else {
            return self.blobs.get_accepted(&row.raw_key).await.map_err(IngestError::Unread);
        };
        let raw = match &accept.fetch {
            Some(fetch) => self.octets_of(accept, fetch).await?.0,
            None => self.blobs.get(&row.raw_key).await.map_err(IngestError::Unread)?,
        };
        Ok((raw, AcceptRecord::clone(accept)))
    }
}
