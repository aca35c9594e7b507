//! What the sender's side hears: [`Answer`] is the body of a 200, [`IngestError`] everything that is not an outcome.

use serde::Serialize;
use thiserror::Error;

use crate::{
    blobs::BlobError,
    fetch::FetchError,
    queue::QueueError,
    records::{Effect, LedgerRow, Outcome},
    store::StoreError,
};

/// Reason of an answer that was given from the ledger.
const SEEN_BEFORE: &str = "seen-before";
/// Reason of mail that the provider keeps for us.
pub(crate) const TO_BE_FETCHED: &str = "to-be-fetched";

/// Body of a 200 (DESIGN section 6). Field names are a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// `<hash>/<mailbox>`: the id of the ledger row.
    pub inbound_id: String,
    /// `created`, `matched`, `duplicate`, `held`, `ignored`, `failed`, `queued`.
    pub status: &'static str,
    /// `created_new`, `replied_to_existing`, `reopened`, and as `status`.
    pub outcome: &'static str,
    /// The ticket's ordinal.
    pub ticket_id: Option<u64>,
    /// The ticket's public number.
    pub ticket_number: Option<String>,
    /// Sort key of the entry, where the mail joined a ticket.
    pub reply_id: Option<String>,
    /// Why, as slugs; the cause first where there is one.
    pub reasons: Vec<String>,
    /// Attachments that are still to be fetched from the provider.
    pub pending_attachment_downloads: Vec<String>,
}

impl Answer {
    /// Tells a ledger row. `inbound_id` comes from the key, which is not part of the row.
    #[must_use]
    pub fn of(inbound_id: String, row: &LedgerRow) -> Self {
        let (status, outcome) = match (row.outcome, row.effect) {
            (Outcome::Committed, Some(Effect::Created)) => ("created", "created_new"),
            (Outcome::Committed, Some(Effect::Reopened)) => ("matched", "reopened"),
            (Outcome::Committed, _) => ("matched", "replied_to_existing"),
            (other, _) => (other.as_str(), other.as_str()),
        };
        let opened = status == "created";
        let cause = row.cause.map(crate::records::Cause::slug);
        Self {
            inbound_id,
            status,
            outcome,
            ticket_id: row.ticket,
            ticket_number: row.ticket_number.clone(),
            reply_id: row.entry.clone().filter(|_| !opened),
            reasons: cause.into_iter().chain(row.reasons.iter().cloned()).collect(),
            pending_attachment_downloads: Vec::new(),
        }
    }

    /// Tells a copy that is safe and waits to be decided.
    #[must_use]
    pub fn queued(inbound_id: String) -> Self {
        let word = Outcome::Queued.as_str();
        Self {
            inbound_id,
            status: word,
            outcome: word,
            ticket_id: None,
            ticket_number: None,
            reply_id: None,
            reasons: vec!["retry-queue".to_owned()],
            pending_attachment_downloads: Vec::new(),
        }
    }

    /// Tells a copy whose octets are still to be fetched, with the names of what hangs on it.
    #[must_use]
    pub fn to_fetch(inbound_id: String, attachments: &[String]) -> Self {
        let reasons = vec![TO_BE_FETCHED.to_owned()];
        Self { reasons, pending_attachment_downloads: attachments.to_vec(), ..Self::queued(inbound_id) }
    }

    /// True where it was given from the ledger.
    #[must_use]
    pub fn was_seen_before(&self) -> bool {
        self.reasons.iter().any(|reason| reason == SEEN_BEFORE)
    }

    /// Marks an answer given from the ledger without deciding again.
    #[must_use]
    pub fn seen_before(mut self) -> Self {
        self.reasons.push(SEEN_BEFORE.to_owned());
        self
    }
}

/// Why a mail could not be brought to an end now.
#[derive(Debug, Error)]
pub enum IngestError {
    /// The octets are not safe yet.
    #[error("the raw octets could not be stored: {0}")]
    NotSafe(#[source] BlobError),
    /// The octets are safe and cannot be had.
    #[error("the raw octets could not be read: {0}")]
    Unread(#[source] BlobError),
    /// The octets are still with the provider.
    #[error("not fetched: {0}")]
    Unfetched(#[source] FetchError),
    /// The octets are safe, an attachment is not.
    #[error("an attachment could not be stored: {0}")]
    Attachment(#[source] BlobError),
    /// The table could not be read or written.
    #[error("the table: {0}")]
    Store(#[from] StoreError),
    /// The retry queue did not take it.
    #[error("the retry queue: {0}")]
    Queue(#[source] QueueError),
    /// SNS did not take our word for a subscription.
    #[error("the subscription could not be confirmed ({0})")]
    Unconfirmed(String),
    /// Five rounds were lost to other mail.
    #[error("gave way to other mail five times")]
    Contended,
}

impl IngestError {
    /// The one place that tells what a retry can cure from what it cannot.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::NotSafe(error) | Self::Unread(error) | Self::Attachment(error) => error.retryable(),
            Self::Store(error) => error.retryable(),
            Self::Contended | Self::Queue(_) | Self::Unconfirmed(_) | Self::Unfetched(_) => true,
        }
    }

    /// True where nothing can be lost any more: what is left can be done later.
    #[must_use]
    pub fn raw_is_safe(&self) -> bool {
        !matches!(self, Self::NotSafe(_) | Self::Unfetched(_))
    }
}
