//! What a queue brings: first receipts of SES, mail that could not be decided at its door, dead letters, redriven mail.
//!
//! A queue delivers the same mail again until it has ended. From its second delivery on each one is counted before the
//! mail is parsed; what is wrong with our infrastructure is not counted; after three that came to no end the mail is
//! parked as poison. So mail that kills the process cannot go round for ever, and an outage parks nothing.

use bytes::Bytes;

use super::{Arrival, Ingest, Recipient, already_ended, rows};
use crate::{
    author::Author,
    blobs::{BlobError, BlobKey},
    headers::{self, Headers},
    inbound::{AcceptRecord, InboundMessage, Origin},
    mailbox::MailboxId,
    outcome::{Answer, IngestError},
    queue::Work,
    records::{Cause, LedgerRow, Outcome},
    store::{Commit, CommitResult, Counted, LedgerGuard, LedgerId, keys::NO_MAILBOX, query::Wanted},
    telemetry::{self, Metric, note_trace},
};

/// Deliveries without an end before a mail is poison (DESIGN section 3).
const ATTEMPTS_MAX: usize = 3;
/// Receives during which an object that is not there may still come: over an hour, by the queue's growing pauses.
pub(super) const MISSING_RECEIVES_MAX: u32 = 8;
/// Rounds of parking beside others.
pub(super) const PARK_ROUNDS_MAX: usize = 5;

/// One delivery by a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id: the same for the same delivery only.
    pub id: String,
    /// How often the queue has delivered the message, this time included.
    pub receives: u32,
    /// The mail was tried before: count this one.
    pub counts: bool,
}

/// How a redrive ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redriven {
    /// It is on its way.
    Queued,
    /// Not possible, in words.
    Refused(String),
}

impl Ingest {
    /// Brings in mail whose octets the provider wrote to the bucket. `inbound.raw` is not looked at.
    ///
    /// # Errors
    /// It cannot be brought to its end now.
    pub async fn stored(
        &self,
        inbound: InboundMessage,
        delivery: Option<&Delivery>,
    ) -> Result<Vec<Answer>, IngestError> {
        let (ingress, key) = (inbound.ingress.clone(), key_of(&inbound));
        let work = self.brought(inbound, delivery);
        let raw_key = key.as_deref().unwrap_or_default();
        match delivery {
            // What comes again was counted when it first came.
            Some(delivery) if delivery.counts => {
                note_trace(&ingress, raw_key);
                work.await
            }
            _ => self.handed_over(&ingress, (raw_key, delivery.is_some()), work).await,
        }
    }

    async fn brought(&self, inbound: InboundMessage, delivery: Option<&Delivery>) -> Result<Vec<Answer>, IngestError> {
        // On the heap: large futures, and callers hold this one in theirs.
        match key_of(&inbound) {
            Some(key) => Box::pin(self.stored_at(&key, inbound, delivery)).await,
            None => Box::pin(self.first(inbound, delivery)).await,
        }
    }

    async fn stored_at(
        &self,
        key: &str,
        inbound: InboundMessage,
        delivery: Option<&Delivery>,
    ) -> Result<Vec<Answer>, IngestError> {
        match self.blobs.get(key).await {
            Ok(raw) => {
                let arrival = self.arrive(InboundMessage { raw, ..inbound }).await;
                self.deliver(&arrival, false, delivery).await
            }
            Err(error) => {
                let accept = self.accept_unread(&inbound);
                self.unfetched(&accept, error, delivery).await
            }
        }
    }

    /// As [`Ingest::stored`], where no queue brings it again: what cannot be read or decided now goes to the retry queue.
    ///
    /// # Errors
    /// Neither decided nor queued.
    pub async fn told_of(&self, inbound: InboundMessage) -> Result<Vec<Answer>, IngestError> {
        let accept = self.accept_unread(&inbound);
        let (ingress, raw_key) = (accept.ingress.clone(), accept.raw_key.clone());
        let work = async {
            match self.brought(inbound, None).await {
                // An object that is not there may come: the queue asks for over an hour, the sender's side for a minute.
                Err(error) if error.retryable() || matches!(error, IngestError::Unread(_)) => {
                    self.queue(&accept, error).await
                }
                ended => ended,
            }
        };
        self.handed_over(&ingress, (&raw_key, false), work).await
    }

    /// Brings in mail whose octets came along.
    ///
    /// # Errors
    /// It cannot be brought to its end now.
    pub async fn first(
        &self,
        inbound: InboundMessage,
        delivery: Option<&Delivery>,
    ) -> Result<Vec<Answer>, IngestError> {
        let arrival = self.arrive(inbound).await;
        let counts = delivery.is_some_and(|delivery| delivery.counts);
        if counts {
            // Before it may be given up: the message that it came with is deleted then.
            self.blobs.put_raw(&arrival.accept, arrival.inbound.raw.clone()).await.map_err(IngestError::NotSafe)?;
        }
        self.deliver(&arrival, !counts, delivery).await
    }

    /// Brings in safe octets again, exactly as they were first accepted: each copy whose row is missing or queued.
    ///
    /// # Errors
    /// It cannot be brought to its end now.
    pub async fn again(&self, accept: &AcceptRecord, delivery: Option<&Delivery>) -> Result<Vec<Answer>, IngestError> {
        note_trace(&accept.ingress, &accept.raw_key);
        if let Some(fetch) = &accept.fetch {
            return self.fetched_again(accept, fetch, delivery).await;
        }
        match self.blobs.get(&accept.raw_key).await {
            Ok(raw) => self.deliver(&self.arrived(accept, raw), false, delivery).await,
            Err(error) => self.unfetched(accept, error, delivery).await,
        }
    }

    /// What is known of how a mail is accepted before it is read: its mailboxes by the envelope alone.
    #[must_use]
    pub fn accept_unread(&self, inbound: &InboundMessage) -> AcceptRecord {
        let key = match (&inbound.origin, &inbound.fetch) {
            (Origin::Stored { key, .. }, _) => key.clone(),
            (_, Some(fetch)) => BlobKey::fetched(&inbound.ingress.door, &fetch.url).as_str().to_owned(),
            (Origin::Received | Origin::Rebuilt, None) => String::new(),
        };
        rows::accept_record(inbound, &Headers::default(), key, &self.mailboxes)
    }

    /// An object that cannot be had: later, or never.
    pub(super) async fn unfetched(
        &self,
        accept: &AcceptRecord,
        error: BlobError,
        delivery: Option<&Delivery>,
    ) -> Result<Vec<Answer>, IngestError> {
        let why = match &error {
            BlobError::Missing(_) if delivery.is_some_and(|d| d.receives > MISSING_RECEIVES_MAX) => {
                (Cause::ObjectMissing, "object-missing")
            }
            BlobError::ClientEncrypted(_) => (Cause::ClientEncrypted, "client-encrypted"),
            BlobError::TooLarge(..) => (Cause::TooLarge, "too-large"),
            BlobError::Missing(_) | BlobError::Unavailable(_) | BlobError::Other(_) => {
                return Err(IngestError::Unread(error));
            }
        };
        tracing::error!(%error, "this mail cannot be read; parked");
        self.park_copies(accept, why).await
    }

    /// Counts a delivery; the answer where the copy has ended or is given up now.
    pub(super) async fn counted(
        &self,
        arrival: &Arrival,
        recipient: Recipient<'_>,
        delivery: Option<&Delivery>,
    ) -> Result<Option<Answer>, IngestError> {
        let Some(delivery) = delivery.filter(|delivery| delivery.counts) else { return Ok(None) };
        let id = LedgerId::of(&arrival.accept.raw_key, recipient.id());
        let row = rows::queued(arrival, recipient.id(), self.ambient.now());
        let counted = match self.store.count(&id, &row, &delivery.id).await {
            Ok(counted) => counted,
            Err(error) => {
                // It may have been counted.
                self.take_count_back(arrival, recipient, Some(delivery)).await;
                return Err(error.into());
            }
        };
        match counted {
            Counted::Ended(row) => Ok(already_ended(&id, Some(&row))),
            Counted::Open(attempts) if attempts > ATTEMPTS_MAX => {
                tracing::error!(inbound_id = %id, attempts, "three deliveries came to no end; parked as poison");
                let row = rows::given_up(row, Cause::Poison, "attempts-used-up");
                self.park_copy(&id, row, arrival.accept.is_stored()).await.map(Some)
            }
            Counted::Open(_) => Ok(None),
        }
    }

    /// An attempt that failed by no fault of the mail does not count. Where even that fails, it does.
    pub(super) async fn take_count_back(
        &self,
        arrival: &Arrival,
        recipient: Recipient<'_>,
        delivery: Option<&Delivery>,
    ) {
        let Some(delivery) = delivery.filter(|delivery| delivery.counts) else { return };
        let id = LedgerId::of(&arrival.accept.raw_key, recipient.id());
        if let Err(error) = self.store.uncount(&id, &delivery.id).await {
            tracing::warn!(inbound_id = %id, %error, "an attempt stays counted that should not");
        }
    }

    /// Hands safe mail to the retry queue; where that fails too, the first error stands and the sender tries again.
    pub(super) async fn queue(&self, accept: &AcceptRecord, error: IngestError) -> Result<Vec<Answer>, IngestError> {
        let Some(queue) = &self.retry else { return Err(error) };
        if let Err(refused) = queue.send(&Work::Decide { accept: Box::new(accept.clone()) }).await {
            tracing::error!(%error, %refused, "neither decided nor queued");
            return Err(error);
        }
        let answers: Vec<Answer> = self
            .recipients(accept)
            .iter()
            .map(|recipient| Answer::queued(LedgerId::of(&accept.raw_key, recipient.id()).to_string()))
            .collect();
        self.metric(Metric::Queued, answers.len() as u64);
        for answer in &answers {
            tracing::warn!(inbound_id = answer.inbound_id, %error, "safe, not decided yet; queued");
        }
        Ok(answers)
    }

    /// Parks every copy of a mail that has not ended, without looking at its octets.
    ///
    /// # Errors
    /// The table cannot be read or written.
    pub async fn park_copies(&self, accept: &AcceptRecord, why: (Cause, &str)) -> Result<Vec<Answer>, IngestError> {
        note_trace(&accept.ingress, &accept.raw_key);
        let mut answers = Vec::new();
        for recipient in self.recipients(accept) {
            let id = LedgerId::of(&accept.raw_key, recipient.id());
            let row = rows::parked(accept, recipient.id(), why, self.ambient.now());
            answers.push(self.park_copy(&id, row, accept.is_stored()).await?);
        }
        Ok(answers)
    }

    /// Parks mail whose octets came along with a message that died: they are made safe first.
    ///
    /// # Errors
    /// The octets are not safe, or the table cannot be read or written.
    pub async fn park_unstored(&self, inbound: InboundMessage, why: (Cause, &str)) -> Result<Vec<Answer>, IngestError> {
        let arrival = self.arrive(inbound).await;
        self.blobs.put_raw(&arrival.accept, arrival.inbound.raw.clone()).await.map_err(IngestError::NotSafe)?;
        self.park_copies(&arrival.accept, why).await
    }

    /// Writes a row that gives a copy up, unless it has ended. Lost to others: what they wrote.
    async fn park_copy(&self, id: &LedgerId, row: LedgerRow, stored: bool) -> Result<Answer, IngestError> {
        for _ in 0..PARK_ROUNDS_MAX {
            let wanted = Wanted { net: stored, ..Wanted::of(id) };
            let snapshot = self.store.snapshot(&wanted).await?;
            if let Some(answer) = already_ended(id, snapshot.ledger.as_ref()) {
                return Ok(answer);
            }
            let net = snapshot.net;
            let commit = Commit { id, row: &row, guard: LedgerGuard::Open, token: None, net, write: None };
            if self.store.commit(&commit).await? == CommitResult::Done {
                return Ok(self.told(id, &row));
            }
        }
        Err(IngestError::Contended)
    }

    /// Brings a failed copy in again: its row becomes queued with no attempt counted, then the retry queue hears of it.
    /// A queued one is only told of again.
    ///
    /// # Errors
    /// Table, bucket or queue; the row may be queued already, and redriving it again is right then.
    pub async fn redrive(&self, id: &LedgerId) -> Result<Redriven, IngestError> {
        let Some(row) = self.store.ledger_row(id).await? else {
            return Ok(Redriven::Refused(format!("no mail {id} in the ledger")));
        };
        if !matches!(row.outcome, Outcome::Failed | Outcome::Queued) {
            return Ok(Redriven::Refused(format!("the mail is {}, not failed", row.outcome.as_str())));
        }
        let accept = match self.accept_of(id, &row).await {
            Ok(accept) => accept,
            Err(BlobError::Missing(_)) => {
                let why = "no mail was read from what is kept, so there is none to bring in; see its reasons";
                return Ok(Redriven::Refused(why.to_owned()));
            }
            Err(error) => return Err(IngestError::Unread(error)),
        };
        let Some(queue) = &self.retry else {
            return Ok(Redriven::Refused("there is no retry queue here".to_owned()));
        };
        if row.outcome == Outcome::Failed && !self.store.requeue(id, &row).await? {
            return Ok(Redriven::Refused("somebody else has redriven it meanwhile".to_owned()));
        }
        queue.send(&Work::Decide { accept: Box::new(accept) }).await.map_err(IngestError::Queue)?;
        Ok(Redriven::Queued)
    }

    /// How one copy was accepted: as its row says, else as its object says; this copy's mailbox only.
    ///
    /// # Errors
    /// Missing where no mail was read, or any bucket error.
    pub async fn accept_of(&self, id: &LedgerId, row: &LedgerRow) -> Result<AcceptRecord, BlobError> {
        let accept = match &row.accept {
            Some(accept) => AcceptRecord::clone(accept),
            None => match self.blobs.head(&row.raw_key).await? {
                Some(head) => match head.accept {
                    Some(accept) => accept,
                    None => {
                        let sidecar = self.blobs.sidecar(&row.raw_key).await?;
                        sidecar.ok_or_else(|| BlobError::Missing(row.raw_key.clone()))?
                    }
                },
                None => return Err(BlobError::Missing(row.raw_key.clone())),
            },
        };
        let own = Some(id.mailbox()).filter(|mailbox| *mailbox != NO_MAILBOX).and_then(MailboxId::parse);
        Ok(AcceptRecord { mailboxes: own.into_iter().collect(), ..accept })
    }

    pub(super) fn metric(&self, metric: Metric, value: u64) {
        telemetry::count(metric, value, self.ambient.now());
    }

    /// Writes that the provider set up a receipt rule: ignored, with a row.
    ///
    /// # Errors
    /// The table cannot be read or written.
    pub async fn set_up(&self, inbound: &InboundMessage) -> Result<Answer, IngestError> {
        let accept = AcceptRecord { mailboxes: Vec::new(), ..self.accept_unread(inbound) };
        let id = LedgerId::of(&accept.raw_key, NO_MAILBOX);
        let row = rows::parked(&accept, NO_MAILBOX, (Cause::SesSetup, "ses-setup"), self.ambient.now());
        self.park_copy(&id, row, false).await
    }
}

/// Where its octets lie already; `None` = they came along.
fn key_of(inbound: &InboundMessage) -> Option<String> {
    match &inbound.origin {
        Origin::Stored { key, .. } => Some(key.clone()),
        Origin::Received | Origin::Rebuilt => None,
    }
}

impl Ingest {
    /// A message as it was first accepted. Its single-use token is in the accept record, where the commit looks for it.
    pub(super) fn arrived(&self, accept: &AcceptRecord, raw: Bytes) -> Arrival {
        let inbound = accept.message(raw);
        let headers = headers::scan(&inbound.raw);
        let author = Author::of(&headers, &accept.envelope, &accept.verdicts, &self.mailboxes);
        Arrival { headers, author, inbound, accept: accept.clone() }
    }
}
