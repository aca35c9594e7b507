//! Mail that the provider keeps for us: first there is only word of it, and `retry` fetches it.
//!
//! ```text
//! word      payload kept; ledger rows `queued`, with the accept record and the single-use token; letter to the retry queue
//! letter    object there? else asked for and put under its raw key, with its accept record; then read back and decided
//! ```
//!
//! The provider hears 200 when row and letter stand. A letter that is lost is written again by the sweep, from the row;
//! an object whose letter is lost is found by the safety net. Where the envelope names no mailbox, word stands under
//! `-`, the header decides once, when the octets are written, and `-` ends as a duplicate of the copies.

use bytes::Bytes;
use jiff::SignedDuration;

use super::{
    Delivery, Ingest, Recipient, already_ended,
    queued::{MISSING_RECEIVES_MAX, PARK_ROUNDS_MAX},
    rows,
};
use crate::{
    blobs::BlobError,
    fetch::FetchError,
    headers,
    inbound::{AcceptRecord, Fetch, InboundMessage},
    outcome::{Answer, IngestError},
    providers::mailgun,
    queue::{Queue, Work},
    records::{Cause, LedgerRow, Outcome},
    store::{Commit, CommitResult, LedgerGuard, LedgerId, NetRow, keys::NO_MAILBOX},
    telemetry::Metric,
};

/// How long a letter has before the sweep takes it for lost.
const LOST_AFTER: SignedDuration = SignedDuration::from_mins(30);
/// How long the sweep leaves a row alone that it has written a letter for: letters rest for an hour at most, so that one
/// which is under way and one more are all there ever is within this time.
const RETOLD_EVERY: SignedDuration = SignedDuration::from_hours(6);
/// Letters of one sweep; the next one, five minutes later, goes on.
const RETOLD_MAX: usize = 200;

impl Ingest {
    /// Takes word of a mail that is to be fetched: kept, a row for each mailbox, and a letter to the retry queue. The
    /// same word again makes the same rows, and a letter that is harmless.
    ///
    /// # Errors
    /// The word is not safe, a row is not written, or the queue did not take the letter: the provider tells again.
    pub async fn announced(&self, inbound: InboundMessage) -> Result<Vec<Answer>, IngestError> {
        let accept = self.accept_unread(&inbound);
        let (ingress, raw_key) = (accept.ingress.clone(), accept.raw_key.clone());
        self.handed_over(&ingress, (&raw_key, false), self.announce_all(&inbound, accept)).await
    }

    async fn announce_all(&self, inbound: &InboundMessage, accept: AcceptRecord) -> Result<Vec<Answer>, IngestError> {
        self.keep(inbound).await.map_err(IngestError::NotSafe)?;
        let mut answers = Vec::new();
        for recipient in self.recipients(&accept) {
            answers.push(self.announce(&accept, recipient).await?);
        }
        let open = answers.iter().any(|answer| answer.status == Outcome::Queued.as_str());
        if open {
            // Nobody would ever fetch it.
            let queue = self.retry.as_ref().ok_or(IngestError::Unfetched(FetchError::NoFetcher))?;
            let work = Work::Decide { accept: Box::new(accept) };
            queue.send(&work).await.map_err(IngestError::Queue)?;
        }
        Ok(answers)
    }

    /// Writes the row of one copy, and the token with it.
    async fn announce(&self, accept: &AcceptRecord, recipient: Recipient<'_>) -> Result<Answer, IngestError> {
        let id = LedgerId::of(&accept.raw_key, recipient.id());
        let names = accept.fetch.as_ref().map(|fetch| fetch.attachments.as_slice()).unwrap_or_default();
        let queued = || Ok(Answer::to_fetch(id.to_string(), names));
        for _ in 0..PARK_ROUNDS_MAX {
            let before = self.store.ledger_row(&id).await?;
            if let Some(ended) = already_ended(&id, before.as_ref()) {
                return Ok(ended);
            }
            // A row that is there stays as it is, with its attempts; only the token is new.
            let row = before.unwrap_or_else(|| rows::to_be_fetched(accept, recipient.id(), self.ambient.now()));
            let commit = Commit { token: accept.replay_guard.as_ref(), ..bare(&id, &row, LedgerGuard::Open) };
            match self.store.commit(&commit).await? {
                CommitResult::Done => {
                    tracing::info!(inbound_id = %id, door = accept.ingress.door, "told of; to be fetched");
                    return queued();
                }
                CommitResult::Lost => {}
                CommitResult::Replayed => {
                    // Only where nothing stands: a stolen token is not to hold the mail that it was stolen from.
                    let cause = Some(Cause::ReplayedToken);
                    let row = rows::to_be_fetched(accept, recipient.id(), self.ambient.now());
                    let row = LedgerRow { outcome: Outcome::Held, cause, reasons: Vec::new(), ..row };
                    return match self.store.commit(&bare(&id, &row, LedgerGuard::Absent)).await? {
                        CommitResult::Done => Ok(self.told(&id, &row)),
                        CommitResult::Lost | CommitResult::Replayed => {
                            let row = self.store.ledger_row(&id).await?;
                            already_ended(&id, row.as_ref()).map_or_else(queued, Ok)
                        }
                    };
                }
            }
        }
        Err(IngestError::Contended)
    }

    /// A letter about such a mail: fetched, unless its octets are here already, and decided.
    pub(super) async fn fetched_again(
        &self,
        told: &AcceptRecord,
        fetch: &Fetch,
        delivery: Option<&Delivery>,
    ) -> Result<Vec<Answer>, IngestError> {
        if let Some(ended) = self.all_ended(told).await? {
            return Ok(ended);
        }
        let (raw, kept) = match self.octets_of(told, fetch).await {
            Ok(found) => found,
            Err(IngestError::Unread(error)) => return self.unfetched(told, error, delivery).await,
            Err(IngestError::Unfetched(error)) => return self.not_fetched(told, fetch, error, delivery).await,
            Err(error) => return Err(error),
        };
        let by_header = told.mailboxes.is_empty();
        // Which copies: as the letter says. What is known of the mail itself: as it was found when it was fetched.
        let mailboxes = if by_header { kept.mailboxes.clone() } else { told.mailboxes.clone() };
        let accept = AcceptRecord { mailboxes, ..kept };
        let moved = by_header && !accept.mailboxes.is_empty();
        let answers = self.deliver(&self.arrived(&accept, raw), false, delivery).await?;
        if moved {
            self.end_nobodys(&accept).await?;
        }
        Ok(answers)
    }

    /// The answers where every copy that was told of has ended.
    async fn all_ended(&self, told: &AcceptRecord) -> Result<Option<Vec<Answer>>, IngestError> {
        let mut answers = Vec::new();
        for recipient in self.recipients(told) {
            let id = LedgerId::of(&told.raw_key, recipient.id());
            match already_ended(&id, self.store.ledger_row(&id).await?.as_ref()) {
                Some(ended) => answers.push(ended),
                None => return Ok(None),
            }
        }
        Ok(Some(answers))
    }

    /// The octets as they stand in the bucket, and how they were accepted; fetched and put there where they are missing.
    pub(super) async fn octets_of(
        &self,
        told: &AcceptRecord,
        fetch: &Fetch,
    ) -> Result<(Bytes, AcceptRecord), IngestError> {
        match self.blobs.get_accepted(&told.raw_key).await {
            Err(BlobError::Missing(_)) => {}
            found => return found.map_err(IngestError::Unread),
        }
        let fetcher = self.fetcher.as_ref().ok_or(IngestError::Unfetched(FetchError::NoFetcher))?;
        let raw = fetcher.stored(&told.ingress.door, &fetch.url).await.map_err(IngestError::Unfetched)?;
        let mut accept = told.clone();
        // As the door would have read them, had the octets come to it.
        if fetcher.doors().by_id(&told.ingress.door).is_some_and(|door| door.spam_fields) {
            accept.verdicts = mailgun::verdicts(&raw);
        }
        accept.verdicts = self.vouched(&accept.message(raw.clone()), &headers::scan(&raw)).await;
        if accept.mailboxes.is_empty() {
            let arrival = self.arrived(told, raw.clone());
            accept.mailboxes = rows::choose(&arrival.inbound, &arrival.headers, &self.mailboxes);
        }
        self.blobs.put_raw(&accept, raw).await.map_err(IngestError::NotSafe)?;
        // What another letter has put there counts, and nothing that is only in memory.
        self.blobs.get_accepted(&told.raw_key).await.map_err(IngestError::Unread)
    }

    /// Mail that could not be fetched: later, or never.
    async fn not_fetched(
        &self,
        told: &AcceptRecord,
        fetch: &Fetch,
        error: FetchError,
        delivery: Option<&Delivery>,
    ) -> Result<Vec<Answer>, IngestError> {
        if error.is_operators() {
            tracing::error!(door = told.ingress.door, %error, "mail waits at its provider for a key");
            self.metric(Metric::FetchUnauthorized, 1);
        }
        let expired = self.ambient.now() > fetch.until;
        let why = match &error {
            FetchError::ForeignHost | FetchError::Redirect(_) => (Cause::FetchRefused, error.slug()),
            FetchError::TooLarge => (Cause::TooLarge, error.slug()),
            FetchError::Gone if delivery.is_some_and(|d| d.receives > MISSING_RECEIVES_MAX) => {
                (Cause::GoneAtProvider, error.slug())
            }
            FetchError::NoFetcher => return Err(IngestError::Unfetched(error)),
            _ if expired => (Cause::FetchExpired, error.slug()),
            _ => return Err(IngestError::Unfetched(error)),
        };
        tracing::error!(%error, "this mail cannot be fetched; parked");
        self.park_copies(told, why).await
    }

    /// Ends the word that stood under `-`, once the copies that the header named have ended.
    async fn end_nobodys(&self, accept: &AcceptRecord) -> Result<(), IngestError> {
        let id = LedgerId::of(&accept.raw_key, NO_MAILBOX);
        let row = self.store.ledger_row(&id).await?.filter(|row| row.outcome == Outcome::Queued);
        let Some(row) = row else { return Ok(()) };
        let (reasons, ended_at) = (vec!["chosen-by-header".to_owned()], self.ambient.now());
        let row = LedgerRow { outcome: Outcome::Duplicate, cause: None, reasons, ended_at, accept: None, ..row };
        match self.store.commit(&bare(&id, &row, LedgerGuard::Open)).await? {
            CommitResult::Done => Ok(()),
            CommitResult::Lost | CommitResult::Replayed => self.ended_meanwhile(&id).await.map(drop),
        }
    }

    /// Writes letters again for mail that is to be fetched and was told of half an hour ago; how many.
    ///
    /// # Errors
    /// Table or queue; the next sweep goes on.
    pub async fn retell(&self, queue: &Queue) -> Result<usize, IngestError> {
        let now = self.ambient.now();
        let before = |pause| now.checked_sub(pause).unwrap_or(now);
        let lost = self.store.fetches_left(before(LOST_AFTER), before(RETOLD_EVERY), RETOLD_MAX).await?;
        for (id, accept) in &lost {
            queue.send(&Work::Decide { accept: Box::new(accept.clone()) }).await.map_err(IngestError::Queue)?;
            self.store.retold(id, now).await?;
        }
        Ok(lost.len())
    }
}

fn bare<'a>(id: &'a LedgerId, row: &'a LedgerRow, guard: LedgerGuard) -> Commit<'a> {
    Commit { id, row, guard, token: None, net: NetRow::None, write: None }
}
