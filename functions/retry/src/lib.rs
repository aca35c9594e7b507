//! What is safe and not decided yet. Event in, [`App::handle`], answer out.
//!
//! | event | what is done |
//! |---|---|
//! | SQS, the retry queue | mail is brought to its end as first accepted; held mail is released |
//! | SQS, the safety net: a raw object was written fifteen minutes ago | is its mail accounted for? else it is brought in |
//! | SQS, the dead letters | each copy is parked as failed, without a look at the mail |
//! | `{"work": "sweep"}` by the schedule | what is due to be told is touched, so that the stream brings it again; mail that is to be fetched and has lost its letter gets another |
//! | `{"work": "reconcile"}` by the schedule | providers are asked for mail that no webhook brought |
//! | `{"work": "close"}` by the schedule | tickets that were resolved and left alone are closed, where their mailbox says so |

mod dead;
mod notification;

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use bytes::Bytes;
use jiff::SignedDuration;
use postern::{
    ambient::Ambient,
    aws::Clients,
    config::Config,
    fetch::Fetcher,
    inbound::Ingress,
    ingest::{Delivery, Ingest, Open, Reconciled},
    outbound::Outbound,
    outcome::IngestError,
    queue::{self, Letter, Queue, Work},
    secrets::{SecretError, Secrets},
    settings::{SettingsError, SettingsSource},
    store::{LedgerId, desk::AutoClosed, outbox::Swept},
    telemetry::{self, Measurement, Metric},
};
use serde_json::{Value, json};
use thiserror::Error;
use tracing::Instrument;

/// How long the stream has to bring what is due before it counts as lost.
const SWEPT_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// Items of one sweep; the next one, five minutes later, goes on.
const SWEPT_MAX: usize = 500;
/// Tickets closed in one run; the next one, an hour later, goes on.
const CLOSED_MAX: usize = 500;
/// Door of a message that names none.
const DOOR: &str = "retry";

/// Everything one instance keeps between events.
#[derive(Clone, Debug)]
pub struct App {
    /// The pipeline.
    pub ingest: Ingest,
    /// Its queues.
    pub queues: Queues,
    /// Mailboxes and doors.
    pub settings: SettingsSource,
}

/// The queues that bring work.
#[derive(Clone, Debug)]
pub struct Queues {
    /// Work.
    pub retry: Queue,
    /// Raw objects, fifteen minutes after they were written.
    pub net: Queue,
    /// Dead letters of all queues.
    pub dead: Queue,
}

/// Why an event as a whole comes to nothing.
#[derive(Debug, Error)]
pub enum HandlerError {
    /// Nothing that is understood here.
    #[error("{0}")]
    Foreign(String),
    /// A scheduled run did not come to its end; the next one goes on.
    #[error("the scheduled run broke off: {0}")]
    Sweep(#[from] IngestError),
    /// Nothing is decided for mailboxes that are not known.
    #[error("{}", .0.public())]
    Settings(#[from] SettingsError),
}

impl App {
    /// Builds the function from its configuration.
    ///
    /// # Errors
    /// The signing keys cannot be had.
    pub async fn new(config: Config, clients: &Clients, ambient: Ambient) -> Result<Self, SecretError> {
        let secrets = Secrets::new(clients.secret(&config.operator_secret), ambient.clone())
            .with_environment(config.environment_secrets.clone());
        let fetcher = Some(Fetcher::new(Outbound::new(), secrets));
        let ingest = Ingest { fetcher, ..Ingest::new(&config, clients, ambient.clone()).await? };
        let queue = |url| Queue::new(clients.sqs.clone(), url);
        let queues = Queues {
            retry: queue(config.queues.retry),
            net: queue(config.queues.net),
            dead: queue(config.queues.dead),
        };
        let settings = SettingsSource::new(config.settings, ingest.store.clone(), ambient);
        Ok(Self { ingest, queues, settings })
    }

    /// Works on one event.
    ///
    /// # Errors
    /// It is nothing that is understood here, or the sweep broke off.
    pub async fn handle(&self, event: Value) -> Result<Value, HandlerError> {
        let settings = self.settings.current().await;
        if event.get("Records").is_some() {
            let now = settings.map(|settings| Self { ingest: self.ingest.with(&settings), ..self.clone() });
            // Each letter rests by itself where they cannot be had, longer each time: an outage is not poison.
            return self.work_off(now.as_ref().map_err(SettingsError::public), event).await;
        }
        let settings = settings?;
        let now = Self { ingest: self.ingest.with(&settings), ..self.clone() };
        now.work_on(event, settings.closed).await
    }

    async fn work_off(&self, now: Result<&Self, String>, event: Value) -> Result<Value, HandlerError> {
        let event: SqsEvent = serde_json::from_value(event)
            // serde would quote what stands there.
            .map_err(|_| HandlerError::Foreign("an SQS event that does not read".to_owned()))?;
        let letters: Vec<Letter> = event.records.into_iter().map(letter).collect();
        let queues = [self.queues.retry.clone(), self.queues.net.clone(), self.queues.dead.clone()];
        let now = now.as_ref();
        let again = queue::work_off(&queues, &letters, &self.ingest.ambient, |letter| async move {
            now.map_err(Clone::clone)?.open(&letter).await.map_err(|error| error.to_string())
        });
        Ok(queue::failures(&again.await))
    }

    async fn work_on(&self, event: Value, closed: bool) -> Result<Value, HandlerError> {
        match serde_json::from_value(event) {
            Ok(Work::Sweep) => self.sweep().await,
            // Where no door takes mail, none is asked for either.
            Ok(Work::Reconcile) if closed => Ok(json!({})),
            Ok(Work::Reconcile) => Ok(self.reconcile().await),
            Ok(Work::Close) => Ok(self.close().await?),
            _ => Err(HandlerError::Foreign(
                "neither SQS records nor {\"work\": \"sweep\"}, \"reconcile\" or \"close\": nothing else is taken here"
                    .to_owned(),
            )),
        }
    }

    /// One letter to its end.
    async fn open(&self, letter: &Letter) -> Result<(), IngestError> {
        if letter.queue == self.queues.dead.name() {
            return self.bury(letter).await;
        }
        let delivery = |counts| Delivery { id: letter.delivery(), receives: letter.receives, counts };
        if let Ok(work) = serde_json::from_str::<Work>(&letter.body) {
            return self.work(work, letter, &delivery(true)).await;
        }
        let Some(objects) = notification::read(&letter.body, self.ingest.blobs.bucket()) else {
            return self.kept(letter, "not-understood", "neither work nor an S3 notification").await;
        };
        for key in &objects.keys {
            let delivery = delivery(letter.receives > 1);
            // A span of its own: one letter may name several mails.
            let account = async {
                let seen = self.ingest.account_for(key, Open::BringIn(Some(&delivery))).await?;
                tracing::info!(key, ?seen, "a raw object is accounted for");
                Ok::<_, IngestError>(())
            };
            account.instrument(telemetry::span("object")).await?;
        }
        if objects.unread > 0 {
            let why = "an S3 notification with records of another bucket, or without a key";
            return self.kept(letter, "foreign-object", why).await;
        }
        Ok(())
    }

    async fn work(&self, work: Work, letter: &Letter, delivery: &Delivery) -> Result<(), IngestError> {
        match work {
            Work::Decide { accept } => self.ingest.again(&accept, Some(delivery)).await.map(drop),
            Work::Release { id, mailbox, actor } => {
                let Some(id) = LedgerId::parse(&id) else {
                    return self.kept(letter, "no-ledger-id", "a release names no ledger row").await;
                };
                // Never counted: it is a person's word, and the row stays held until it is done.
                let released = self.ingest.release(&id, mailbox.as_ref(), &actor).await?;
                tracing::info!(inbound_id = %id, ?released, "released by message");
                Ok(())
            }
            Work::Sweep => self.sweep_all().await.map(drop),
            Work::Close => self.close().await.map(drop),
            Work::Reconcile => {
                self.reconcile().await;
                Ok(())
            }
            Work::Poll { .. } => self.kept(letter, "not-understood", "the function poll polls, not this one").await,
        }
    }

    /// A message that says nothing we know: kept, with a failed row, because another try would read the same.
    async fn kept(&self, letter: &Letter, slug: &str, why: &str) -> Result<(), IngestError> {
        tracing::error!(queue = letter.queue, message = letter.id, slug, why, "not understood; kept as a payload");
        let ingress = Ingress {
            door: DOOR.to_owned(),
            provider: DOOR.to_owned(),
            event_id: Some(letter.id.clone()),
            transport_time: self.ingest.ambient.now(),
        };
        let body = Bytes::copy_from_slice(letter.body.as_bytes());
        self.ingest.unreadable(ingress, body, slug, None).await.map(drop)
    }

    async fn sweep(&self) -> Result<Value, HandlerError> {
        Ok(self.sweep_all().await?)
    }

    /// Touches what was due to be told ten minutes ago and still is, so that the stream brings it to `publish` again; and
    /// writes letters for mail that is to be fetched and seems to have none. Neither waits for the other.
    async fn sweep_all(&self) -> Result<Value, IngestError> {
        let now = self.ingest.ambient.now();
        let older_than = now.checked_sub(SWEPT_AFTER).unwrap_or(now);
        let retold = self.ingest.retell(&self.queues.retry).await;
        let Swept { touched, left } = self.ingest.store.sweep_due(older_than, now, SWEPT_MAX).await?;
        telemetry::count(Metric::OutboxSwept, touched as u64, now);
        if touched > 0 {
            tracing::warn!(touched, left, "the stream has lost what was due; it is told again");
        }
        let warned = self.ingest.store.warn_of_ends(now, SWEPT_MAX).await?;
        let oldest = self.ingest.store.oldest_held().await?;
        let hours = oldest.map_or(0, |held| now.duration_since(held).as_hours().max(0));
        Measurement::at(now).with(Metric::OldestHeldHours, hours.unsigned_abs()).tell();
        let retold = retold?;
        telemetry::count(Metric::FetchesRetold, retold as u64, now);
        Ok(json!({ "touched": touched, "left": left, "retold": retold, "warned": warned }))
    }

    /// Closes what was resolved and left alone for the days that its mailbox says.
    async fn close(&self) -> Result<Value, IngestError> {
        let now = self.ingest.ambient.now();
        let AutoClosed { closed, left } = self.ingest.store.auto_close(&self.ingest.mailboxes, now, CLOSED_MAX).await?;
        telemetry::count(Metric::TicketsAutoClosed, closed as u64, now);
        Ok(json!({ "closed": closed, "left": left }))
    }

    /// Asks providers for what no webhook brought. What is found goes through the retry queue, as word of it does.
    async fn reconcile(&self) -> Value {
        let ingest = Ingest { retry: Some(self.queues.retry.clone()), ..self.ingest.clone() };
        let Reconciled { announced, redriven, stubs, broken } = ingest.reconcile().await;
        json!({ "announced": announced, "redriven": redriven, "stubs": stubs, "broken": broken })
    }
}

fn letter(record: SqsMessage) -> Letter {
    let ids = (record.message_id, record.receipt_handle);
    Letter::new(ids, record.body, &record.attributes, record.event_source_arn.as_deref())
}
