//! The safety net: fifteen minutes after a raw object was written, somebody looks whether its mail has come to an end.
//!
//! Octets that a door of ours wrote carry their accept record, so they are brought in here as first accepted. An object
//! that SES wrote carries none: if no receipt has told of it, it is held under `-`, cause `unaccounted`, and a person
//! looks. A receipt that comes later turns that row into a duplicate (`store/commit.rs`, the row `-`).

use super::{Delivery, Ingest, already_ended, rows};
use crate::{
    blobs::ObjectHead,
    envelope::Envelope,
    inbound::{AcceptRecord, Origin, Verdicts},
    outcome::IngestError,
    providers::ses,
    records::{Cause, LedgerRow, Outcome},
    store::{Commit, CommitResult, LedgerGuard, LedgerId, NetRow, keys::NO_MAILBOX},
    telemetry::{Metric, note_trace},
};

/// What becomes of mail that has not come to an end.
#[derive(Clone, Copy, Debug)]
pub enum Open<'a> {
    /// It is brought in.
    BringIn(Option<&'a Delivery>),
    /// It is parked without a look at it: too many have died of it.
    GiveUp,
}

/// What the net found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accounted {
    /// Somebody has seen to it.
    Already,
    /// It had no end and nobody knew of it; it has one now.
    Caught,
    /// Nobody told of it: held.
    Held,
    /// The object is gone.
    Gone,
}

impl Ingest {
    /// Sees to one raw object.
    ///
    /// # Errors
    /// Table or bucket cannot be had, or the mail cannot be brought to its end now.
    pub async fn account_for(&self, key: &str, open: Open<'_>) -> Result<Accounted, IngestError> {
        let (head, rows) = tokio::join!(self.blobs.head(key), self.store.copies(key));
        let (head, rows) = (head.map_err(IngestError::Unread)?, rows?);
        let Some(head) = head else { return Ok(Accounted::Gone) };
        let known = rows.first().map(|(_, row)| &row.ingress).or(head.accept.as_ref().map(|accept| &accept.ingress));
        if let Some(ingress) = known {
            note_trace(ingress, key);
        }
        let ended =
            |mailbox: &str| rows.iter().any(|(id, row)| id.mailbox() == mailbox && row.outcome != Outcome::Queued);
        let accept = match head.accept.clone() {
            Some(accept) => Some(accept),
            // A receipt knows this object, and its queue sees to it.
            None if key.starts_with(ses::KEY_PREFIX) && !rows.is_empty() => {
                self.account_for_ours(&rows).await?;
                return Ok(Accounted::Already);
            }
            None => self.blobs.sidecar(key).await.map_err(IngestError::Unread)?,
        };
        let Some(accept) = accept else { return self.hold_unaccounted(key, &head).await };
        if self.recipients(&accept).iter().all(|recipient| ended(recipient.id())) {
            return Ok(Accounted::Already);
        }
        let answers = match open {
            Open::BringIn(delivery) => self.again(&accept, delivery).await?,
            Open::GiveUp => self.park_copies(&accept, (Cause::DeadLetter, "receives-used-up")).await?,
        };
        // A queued row says that a letter about this copy is under way, as in an outage: the net's was only faster.
        let unknown = |mailbox: &str| !rows.iter().any(|(id, _)| id.mailbox() == mailbox);
        let forgotten = self.recipients(&accept).iter().any(|recipient| unknown(recipient.id()));
        let caught = forgotten && answers.iter().any(|answer| !answer.was_seen_before());
        self.metric(Metric::Unaccounted, u64::from(caught));
        Ok(if caught { Accounted::Caught } else { Accounted::Already })
    }

    async fn hold_unaccounted(&self, key: &str, head: &ObjectHead) -> Result<Accounted, IngestError> {
        let id = LedgerId::of(key, NO_MAILBOX);
        let accept = self.accept_of_nobody(key, head);
        note_trace(&accept.ingress, key);
        let row = if ses::is_setup_key(key) {
            rows::parked(&accept, NO_MAILBOX, (Cause::SesSetup, "ses-setup"), self.ambient.now())
        } else {
            rows::unaccounted(&accept, head.octets, self.ambient.now())
        };
        if self.store.commit(&bare(&id, &row, LedgerGuard::Absent)).await? != CommitResult::Done {
            return Ok(Accounted::Already);
        }
        self.told(&id, &row);
        if row.outcome != Outcome::Held {
            return Ok(Accounted::Already);
        }
        // A receipt that read before our row was there, and committed after: ours must not stay held beside its.
        if self.account_for_ours(&self.store.copies(key).await?).await? {
            return Ok(Accounted::Already);
        }
        self.metric(Metric::Unaccounted, 1);
        Ok(Accounted::Held)
    }

    /// Makes our own held row a duplicate where a receipt's row has ended beside it. True where one has.
    async fn account_for_ours(&self, rows: &[(LedgerId, LedgerRow)]) -> Result<bool, IngestError> {
        let nobodys = |id: &LedgerId| id.mailbox() == NO_MAILBOX;
        let told_of = rows.iter().any(|(id, row)| !nobodys(id) && already_ended(id, Some(row)).is_some());
        let ours = rows.iter().find(|(id, row)| nobodys(id) && row.cause == Some(Cause::Unaccounted));
        if let (true, Some((id, row))) = (told_of, ours) {
            let row = LedgerRow { outcome: Outcome::Duplicate, cause: None, accept: None, ..row.clone() };
            self.store.commit(&bare(id, &row, LedgerGuard::Held)).await?;
        }
        Ok(told_of)
    }

    /// All that an object says of itself.
    pub(super) fn accept_of_nobody(&self, key: &str, head: &ObjectHead) -> AcceptRecord {
        AcceptRecord {
            raw_key: key.to_owned(),
            origin: Origin::Stored { bucket: self.blobs.bucket().to_owned(), key: key.to_owned() },
            envelope: Envelope::default(),
            ingress: ses::ingress(
                key.rsplit('/').next().map(str::to_owned),
                head.modified.unwrap_or_else(|| self.ambient.now()),
            ),
            verdicts: Verdicts { scans_for_viruses: true, ..Verdicts::default() },
            mailboxes: Vec::new(),
            replay_guard: None,
            payload_key: None,
            fetch: None,
            flags: Vec::new(),
        }
    }
}

fn bare<'a>(id: &'a LedgerId, row: &'a LedgerRow, guard: LedgerGuard) -> Commit<'a> {
    Commit { id, row, guard, token: None, net: NetRow::None, write: None }
}
