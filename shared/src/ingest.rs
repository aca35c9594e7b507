//! The one orchestrator: accept, resolve, commit (DESIGN section 3). Everything that happens to a mail is visible here.
//!
//! ```text
//! accept    header scan; in parallel: PUT raw | BatchGet ledger row, index rows, tickets named by tags or the subject
//! resolve   full parse, classify, thread, decide: pure; in parallel: PUT attachments | next ordinal, if creating
//! commit    one transaction; a lost condition reads again and decides again, at most five times
//! ```
//!
//! Where that comes to no end: `queued.rs` (what a queue brings again, and poison), `net.rs` (what nobody brought).

mod attachments;
mod copy;
mod fetched;
mod measured;
mod net;
mod queued;
mod reading;
mod reconcile;
mod rehearse;
mod release;
mod replay;
mod rows;
mod ruled;
mod undecided;
mod vouched;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{
    ambient::Ambient,
    author::Author,
    aws::Clients,
    blobs::{BlobKey, Blobs},
    config::Config,
    decide::{Decision, End, Place, Target, Verb, decide},
    dkim::Dkim,
    door::Doors,
    fetch::Fetcher,
    headers,
    inbound::{AcceptRecord, InboundMessage, Origin},
    mailbox::Mailboxes,
    outcome::{Answer, IngestError},
    queue::Queue,
    records::{Cause, LedgerRow, Outcome},
    secrets::{SecretError, signing_keys},
    settings::Settings,
    store::{
        Commit, CommitResult, EntryWrite, LedgerGuard, LedgerId, NetRow, Store, StoreError,
        query::{Snapshot, Wanted},
    },
    telemetry::note_trace,
    thread::ThreadKeys,
    token::Keyring,
};

use copy::{Arrival, Copy, Reading, Recipient, Release};
pub use net::{Accounted, Open};
pub use queued::{Delivery, Redriven};
pub use reconcile::Reconciled;
pub use rehearse::Rehearsed;
pub use release::Released;
pub use replay::Replayed;

/// Rounds of deciding before other mail has to be given way to.
const ROUNDS_MAX: usize = 5;
/// Reads that one decision may ask for: merge and follow-up hops (DESIGN section 5: five).
const LOOKUPS_MAX: usize = 8;

/// The pipeline with its edges.
#[derive(Clone, Debug)]
pub struct Ingest {
    /// The table.
    pub store: Store,
    /// The bucket.
    pub blobs: Blobs,
    /// Signing keys.
    pub keyring: Keyring,
    /// Ours.
    pub mailboxes: Mailboxes,
    /// How mail arrives.
    pub doors: Doors,
    /// Signatures, for doors that ask for it.
    pub dkim: Dkim,
    /// Clock, randomness, waiting.
    pub ambient: Ambient,
    /// Where safe mail goes that cannot be decided now; `None` where a queue brings it again by itself.
    pub retry: Option<Queue>,
    /// Who asks providers for what they keep; only the function `retry` has one.
    pub fetcher: Option<Fetcher>,
}

impl Ingest {
    /// The pipeline of a function, without a retry queue behind it.
    ///
    /// # Errors
    /// The signing keys cannot be had.
    pub async fn new(config: &Config, clients: &Clients, ambient: Ambient) -> Result<Self, SecretError> {
        Ok(Self {
            store: Store::new(clients.dynamodb.clone(), config.table.as_str(), ambient.clone())
                .keeping(config.settings.retention()),
            blobs: Blobs::new(clients.s3.clone(), config.bucket.as_str()),
            keyring: signing_keys(&clients.secret(&config.master_secret)).await?,
            mailboxes: config.settings.mailboxes.clone(),
            doors: config.settings.doors.clone(),
            dkim: Dkim::system(),
            ambient,
            retry: None,
            fetcher: None,
        })
    }

    /// The same pipeline for mailboxes as they are set up now.
    #[must_use]
    pub fn with(&self, settings: &Settings) -> Self {
        let fetcher = self.fetcher.as_ref().map(|fetcher| fetcher.with(settings));
        let store = self.store.keeping(settings.retention());
        Self { store, mailboxes: settings.mailboxes.clone(), doors: settings.doors.clone(), fetcher, ..self.clone() }
    }

    /// Brings one delivery to its end: one answer for each mailbox that gets a copy, in id order. Mail that is safe and
    /// cannot be decided now goes to the retry queue, if there is one.
    ///
    /// # Errors
    /// The mail is not safe, or neither decided nor queued; see [`IngestError::retryable`].
    pub async fn run(&self, inbound: InboundMessage) -> Result<Vec<Answer>, IngestError> {
        let ingress = inbound.ingress.clone();
        let work = async {
            // On the heap, as below: callers hold this future in theirs.
            let arrival = Box::pin(self.arrive(inbound)).await;
            Box::pin(self.run_arrival(arrival)).await
        };
        self.handed_over(&ingress, ("", false), work).await
    }

    async fn run_arrival(&self, arrival: Arrival) -> Result<Vec<Answer>, IngestError> {
        match self.deliver(&arrival, true, None).await {
            Err(error) if error.raw_is_safe() && error.retryable() => self.queue(&arrival.accept, error).await,
            ended => ended,
        }
    }

    /// `put`: the octets are not in the bucket yet. `delivery`: a queue's, where it counts.
    async fn deliver(
        &self,
        arrival: &Arrival,
        put: bool,
        delivery: Option<&Delivery>,
    ) -> Result<Vec<Answer>, IngestError> {
        let mut reading: Option<Reading> = None;
        let mut answers = Vec::new();
        for (n, recipient) in self.recipients(&arrival.accept).into_iter().enumerate() {
            if let Some(ended) = self.counted(arrival, recipient, delivery).await? {
                answers.push(ended);
                continue;
            }
            // On the heap: a large future, and threads have small stacks.
            let answer = Box::pin(self.to_one(arrival, recipient, put && n == 0, &mut reading)).await;
            if answer.as_ref().is_err_and(IngestError::retryable) {
                self.take_count_back(arrival, recipient, delivery).await;
            }
            answers.push(answer?);
        }
        Ok(answers)
    }

    async fn to_one(
        &self,
        arrival: &Arrival,
        recipient: Recipient<'_>,
        put: bool,
        reading: &mut Option<Reading>,
    ) -> Result<Answer, IngestError> {
        let snapshot = if put { self.accept(arrival, recipient).await? } else { self.look(arrival, recipient).await? };
        self.copy(arrival, recipient, snapshot, reading).await
    }

    async fn arrive(&self, inbound: InboundMessage) -> Arrival {
        let headers = headers::scan(&inbound.raw);
        let inbound = InboundMessage { verdicts: Box::pin(self.vouched(&inbound, &headers)).await, ..inbound };
        let anonymous = headers.message_id.is_none() && headers.date.is_none();
        let delivery_id = inbound.ingress.event_id.as_deref().filter(|_| anonymous);
        let raw_key = match &inbound.origin {
            Origin::Stored { key, .. } => key.clone(),
            Origin::Received | Origin::Rebuilt => {
                BlobKey::raw(&inbound.ingress.door, &inbound.raw, delivery_id).as_str().to_owned()
            }
        };
        let accept = rows::accept_record(&inbound, &headers, raw_key, &self.mailboxes);
        note_trace(&accept.ingress, &accept.raw_key);
        let author = Author::of(&headers, &accept.envelope, &accept.verdicts, &self.mailboxes);
        Arrival { inbound, headers, author, accept }
    }

    fn recipients<'a>(&'a self, accept: &'a AcceptRecord) -> Vec<Recipient<'a>> {
        let of = |id| self.mailboxes.by_id(id).map_or(Recipient::Removed(id), Recipient::Ours);
        let chosen: Vec<Recipient<'_>> = accept.mailboxes.iter().map(of).collect();
        if chosen.is_empty() { vec![Recipient::Nobody] } else { chosen }
    }

    /// Makes the octets safe and reads what the header names, both at once.
    async fn accept(&self, arrival: &Arrival, recipient: Recipient<'_>) -> Result<Snapshot, IngestError> {
        let put = self.blobs.put_raw(&arrival.accept, arrival.inbound.raw.clone());
        let (put, kept, snapshot) = tokio::join!(put, self.keep(&arrival.inbound), self.look(arrival, recipient));
        put.and(kept).map_err(IngestError::NotSafe)?;
        snapshot
    }

    async fn look(&self, arrival: &Arrival, recipient: Recipient<'_>) -> Result<Snapshot, IngestError> {
        let id = LedgerId::of(&arrival.accept.raw_key, recipient.id());
        let keys = recipient.mailbox().map(|mailbox| self.keys(arrival, mailbox)).unwrap_or_default();
        let scope = recipient.mailbox().map_or("", |mailbox| mailbox.scope.as_str());
        let author = recipient.mailbox().map(|mailbox| arrival.requester_key(&mailbox.scope));
        let wanted = Wanted { net: arrival.accept.is_stored(), scope, own: keys.own.as_ref(), ..Wanted::of(&id) };
        self.read(&Wanted { requester: author.as_ref(), ..wanted }, &keys).await
    }

    /// Reads what is wanted, and what the keys name.
    async fn read(&self, wanted: &Wanted<'_>, keys: &ThreadKeys) -> Result<Snapshot, IngestError> {
        let (ids, tickets) = (&keys.wanted(), &keys.named_tickets());
        Ok(self.store.snapshot(&Wanted { ids, tickets, ..*wanted }).await?)
    }

    async fn copy(
        &self,
        arrival: &Arrival,
        recipient: Recipient<'_>,
        snapshot: Snapshot,
        reading: &mut Option<Reading>,
    ) -> Result<Answer, IngestError> {
        let id = LedgerId::of(&arrival.accept.raw_key, recipient.id());
        if let Some(answer) = already_ended(&id, snapshot.ledger.as_ref()) {
            return Ok(answer);
        }
        let mailbox = match recipient {
            Recipient::Ours(mailbox) if mailbox.enabled => mailbox,
            Recipient::Ours(_) => return self.held_for(arrival, &id, Cause::MailboxDisabled, snapshot.net).await,
            Recipient::Removed(_) => return self.held_for(arrival, &id, Cause::MailboxRemoved, snapshot.net).await,
            Recipient::Nobody => return self.held_for(arrival, &id, Cause::UnknownRecipient, snapshot.net).await,
        };
        let reading = reading.get_or_insert_with(|| self.read_in_full(arrival));
        let copy = self.copy_for(arrival, reading, mailbox, id, None);
        self.settle(copy, Some(snapshot)).await
    }

    /// Decides and commits, again and again until nothing that was read has changed in between.
    async fn settle(&self, mut copy: Copy<'_>, first: Option<Snapshot>) -> Result<Answer, IngestError> {
        let mut ready = first.filter(|_| !self.learnt_by_parsing(&mut copy));
        let mut ordinal = None;
        let mut uploaded = false;
        let mut replayed = false;
        for _ in 0..ROUNDS_MAX {
            let snapshot = match ready.take() {
                Some(snapshot) => snapshot,
                None => self.read_again(&copy).await?,
            };
            let net = snapshot.net;
            let ended = snapshot.ledger.as_ref().filter(|row| copy.release.is_none() || row.outcome != Outcome::Held);
            if let Some(answer) = already_ended(&copy.id, ended) {
                return Ok(answer);
            }
            let decision = self.decide(&copy, snapshot, replayed).await?;
            if let Verb::Commit(plan) = &decision.verb {
                let creates = matches!(plan.target, Target::New(_) | Target::FollowUp { .. }) && ordinal.is_none();
                let (upload, next) = tokio::join!(self.upload(&copy, uploaded), self.ordinal_if(creates));
                upload?;
                uploaded = true;
                ordinal = next?.or(ordinal);
            }
            match self.commit(&copy, &decision, ordinal, replayed, net).await {
                Ok((CommitResult::Done, row)) => return Ok(self.told_of_copy(&copy, &row)),
                Ok((CommitResult::Lost, _)) => {}
                Ok((CommitResult::Replayed, _)) => replayed = true,
                // A retry would repeat the fault. The octets are safe; a person looks.
                Err(error) if !error.retryable() => return self.park(&copy, &error, net).await,
                Err(error) => return Err(error.into()),
            }
        }
        Err(IngestError::Contended)
    }

    async fn read_again(&self, copy: &Copy<'_>) -> Result<Snapshot, IngestError> {
        // A release of the net's own row is about that very row.
        let net = copy.arrival.accept.is_stored();
        let (scope, own, author) = (&copy.mailbox.scope, Some(&copy.reading.id), copy.requester_key());
        let wanted = Wanted { net, scope, own, requester: Some(&author), ..Wanted::of(&copy.id) };
        self.read(&wanted, &copy.keys).await
    }

    async fn decide(&self, copy: &Copy<'_>, snapshot: Snapshot, replayed: bool) -> Result<Decision, IngestError> {
        let mut seen = snapshot.seen;
        for _ in 0..LOOKUPS_MAX {
            let mail = copy.mail();
            let place = Place {
                mailbox: copy.mailbox,
                mailboxes: &self.mailboxes,
                keys: &copy.keys,
                seen: &seen,
                release: copy.release.is_some(),
                replayed,
            };
            match catch_unwind(AssertUnwindSafe(|| decide(&mail, &place))) {
                Ok(Ok(decision)) => return Ok(decision),
                Ok(Err(tickets)) => self.store.add_tickets(&mut seen, &tickets).await?,
                Err(_) => return Ok(broken("decide-panic")),
            }
        }
        Ok(broken("too-many-lookups"))
    }

    async fn ordinal_if(&self, creates: bool) -> Result<Option<u64>, IngestError> {
        if creates { Ok(Some(self.store.next_ordinal().await?)) } else { Ok(None) }
    }

    async fn commit(
        &self,
        copy: &Copy<'_>,
        decision: &Decision,
        ordinal: Option<u64>,
        replayed: bool,
        net: NetRow,
    ) -> Result<(CommitResult, LedgerRow), StoreError> {
        let now = self.ambient.now();
        let guard = if copy.release.is_some() { LedgerGuard::Held } else { LedgerGuard::Open };
        // Never on a release, and not where the token is spent already.
        let token = copy.arrival.accept.replay_guard.as_ref().filter(|_| copy.release.is_none() && !replayed);
        match &decision.verb {
            Verb::End(end) => {
                let mut row = rows::ended(copy.arrival, copy.id.mailbox(), decision, end, now);
                rows::released(&mut row, copy.release);
                let commit = Commit { id: &copy.id, row: &row, guard, token, net, write: None };
                Ok((self.store.commit(&commit).await?, row))
            }
            Verb::Commit(plan) => {
                let mut written = rows::written(copy, decision, plan, ordinal, now)?;
                rows::released(&mut written.row, copy.release);
                let write: Option<EntryWrite<'_>> = Some(written.as_write(copy, plan));
                let commit = Commit { id: &copy.id, row: &written.row, guard, token, net, write };
                Ok((self.store.commit(&commit).await?, written.row))
            }
        }
    }

    /// Ends a copy whose decision cannot be written: failed, with what the table said.
    async fn park(&self, copy: &Copy<'_>, error: &StoreError, net: NetRow) -> Result<Answer, IngestError> {
        tracing::error!(inbound_id = %copy.id, %error, "this mail's rows cannot be written or read; parked");
        let decision = broken("refused-by-table");
        match self.commit(copy, &decision, None, false, net).await? {
            (CommitResult::Done, row) => Ok(self.told_of_copy(copy, &row)),
            _ => self.ended_meanwhile(&copy.id).await,
        }
    }
}

fn broken(reason: &str) -> Decision {
    let end =
        End { outcome: Outcome::Failed, cause: Some(Cause::Poison), ticket: None, ticket_number: None, entry: None };
    Decision { verb: Verb::End(end), reasons: vec![reason.to_owned()], evidence: Vec::new() }
}

/// The answer from a ledger row that has ended; `None` while it is open.
fn already_ended(id: &LedgerId, row: Option<&LedgerRow>) -> Option<Answer> {
    let row = row.filter(|row| row.outcome != Outcome::Queued)?;
    Some(Answer::of(id.to_string(), row).seen_before())
}
