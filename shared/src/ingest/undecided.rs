//! Ends that need no decision: an unreadable payload, mail for no configured mailbox.

use bytes::Bytes;

use super::{Arrival, Ingest, already_ended, rows};
use crate::{
    blobs::BlobKey,
    inbound::{Ingress, ReplayGuard},
    outcome::{Answer, IngestError},
    records::{Cause, LedgerRow, Outcome},
    store::{Commit, CommitResult, LedgerGuard, LedgerId, NetRow, keys::NO_MAILBOX},
    telemetry::note_trace,
};

impl Ingest {
    /// Records an authenticated payload that could not be read: kept, failed, answered.
    ///
    /// # Errors
    /// The payload is not safe or its row not written.
    pub async fn unreadable(
        &self,
        ingress: Ingress,
        body: Bytes,
        why: &str,
        guard: Option<&ReplayGuard>,
    ) -> Result<Answer, IngestError> {
        let key = BlobKey::payload(&ingress.door, &body);
        let octets = body.len() as u64;
        let from = ingress.clone();
        let work = async {
            self.blobs.put_payload(&key, body).await.map_err(IngestError::NotSafe)?;
            let id = LedgerId::of(key.as_str(), NO_MAILBOX);
            let row = rows::unreadable(ingress, key.as_str(), octets, why, self.ambient.now());
            self.end_now(&id, row, guard, NetRow::None).await
        };
        self.handed_over(&from, (key.as_str(), false), work).await
    }

    /// Notes an authenticated request that is no mail and asks for nothing: kept, ignored, answered.
    ///
    /// # Errors
    /// The payload is not safe or its row not written.
    pub async fn noted(&self, ingress: Ingress, body: Bytes, why: &str) -> Result<Answer, IngestError> {
        let key = BlobKey::payload(&ingress.door, &body);
        let octets = body.len() as u64;
        note_trace(&ingress, key.as_str());
        self.blobs.put_payload(&key, body).await.map_err(IngestError::NotSafe)?;
        let id = LedgerId::of(key.as_str(), NO_MAILBOX);
        let row = rows::unreadable(ingress, key.as_str(), octets, why, self.ambient.now());
        let row = LedgerRow { outcome: Outcome::Ignored, cause: Some(Cause::ProvidersNote), ..row };
        self.end_now(&id, row, None, NetRow::None).await
    }

    /// Ends the failed row of a payload whose matter has come to its end by another way. No row, or another end: nothing
    /// happens.
    ///
    /// # Errors
    /// The table cannot be read or written; the row may be queued then, and doing it again is right.
    pub async fn settled(&self, door: &str, body: &[u8], why: &str) -> Result<(), IngestError> {
        let key = BlobKey::payload(door, body);
        let id = LedgerId::of(key.as_str(), NO_MAILBOX);
        let Some(row) = self.store.ledger_row(&id).await? else { return Ok(()) };
        let open =
            row.outcome == Outcome::Queued || (row.outcome == Outcome::Failed && self.store.requeue(&id, &row).await?);
        if open {
            let reasons = row.reasons.iter().cloned().chain([why.to_owned()]).collect();
            let row = LedgerRow { outcome: Outcome::Ignored, cause: Some(Cause::ProvidersNote), reasons, ..row };
            self.end_now(&id, LedgerRow { ended_at: self.ambient.now(), ..row }, None, NetRow::None).await?;
        }
        Ok(())
    }

    /// Writes a row that needs no decision. Where its single-use token is spent on another body, it is held for that.
    async fn end_now(
        &self,
        id: &LedgerId,
        row: LedgerRow,
        token: Option<&ReplayGuard>,
        net: NetRow,
    ) -> Result<Answer, IngestError> {
        let commit = Commit { id, row: &row, guard: LedgerGuard::Open, token, net, write: None };
        match self.store.commit(&commit).await? {
            CommitResult::Done => return Ok(self.told(id, &row)),
            CommitResult::Lost => return self.ended_meanwhile(id).await,
            CommitResult::Replayed => {}
        }
        let row = LedgerRow { outcome: Outcome::Held, cause: Some(Cause::ReplayedToken), ..row };
        let commit = Commit { id, row: &row, guard: LedgerGuard::Open, token: None, net, write: None };
        match self.store.commit(&commit).await? {
            CommitResult::Done => Ok(self.told(id, &row)),
            CommitResult::Lost | CommitResult::Replayed => self.ended_meanwhile(id).await,
        }
    }

    /// Mail for no mailbox of ours: held.
    pub(super) async fn held_for(
        &self,
        arrival: &Arrival,
        id: &LedgerId,
        cause: Cause,
        net: NetRow,
    ) -> Result<Answer, IngestError> {
        let row = rows::held(arrival, id.mailbox(), cause, self.ambient.now());
        self.end_now(id, row, arrival.accept.replay_guard.as_ref(), net).await
    }

    pub(super) async fn ended_meanwhile(&self, id: &LedgerId) -> Result<Answer, IngestError> {
        let row = self.store.ledger_row(id).await?;
        already_ended(id, row.as_ref()).ok_or(IngestError::Contended)
    }
}
