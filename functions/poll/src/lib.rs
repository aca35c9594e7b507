//! Mailboxes elsewhere. Event in, [`App::handle`], answer out.
//!
//! | event | what is done |
//! |---|---|
//! | `{"work": "poll"}` by the schedule | a letter for each door that is polled, and how fresh each is as a metric |
//! | SQS, the poll queue | the door is polled |
//!
//! A letter for each, so that a mailbox that hangs delays no other. No letter comes again because its poll failed: a
//! minute later the schedule writes another, and where a poll stopped stands in the table.

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use futures_util::{FutureExt, future::join_all};
use jiff::{SignedDuration, Timestamp};
use postern::{
    ambient::Ambient,
    aws::Clients,
    config::Config,
    door::Door,
    ingest::Ingest,
    outbound::Outbound,
    poll::{Ask, Polled, Poller},
    queue::{Queue, QueueError, Work, failures},
    secrets::{SecretError, Secrets},
    settings::{Settings, SettingsError, SettingsSource},
    telemetry::{Measurement, Metric, catalogue},
};
use serde_json::{Value, json};
use std::panic::AssertUnwindSafe;
use thiserror::Error;

/// How long a poll goes on where nobody says.
const RUN_MAX: SignedDuration = SignedDuration::from_mins(2);
/// A letter older than this has been overtaken by others.
const LETTER_MAX: SignedDuration = SignedDuration::from_mins(3);

/// Everything one instance keeps between events.
#[derive(Clone, Debug)]
pub struct App {
    /// Who polls.
    pub poller: Poller,
    /// The queue of doors that are to be polled.
    pub queue: Queue,
    /// Mailboxes and doors.
    pub settings: SettingsSource,
}

/// Why an event as a whole comes to nothing.
#[derive(Debug, Error)]
pub enum HandlerError {
    /// Nothing that is understood here.
    #[error("{0}")]
    Foreign(&'static str),
    /// A door has no letter: the next minute writes one.
    #[error("not every door has a letter: {0}")]
    Queue(#[from] QueueError),
    /// Nobody knows the doors.
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
        let queue = |url: &str| Queue::new(clients.sqs.clone(), url);
        let retry = Some(queue(&config.queues.retry));
        let ingest = Ingest { retry, ..Ingest::new(&config, clients, ambient.clone()).await? };
        let queue = queue(&config.queues.poll);
        let settings = SettingsSource::new(config.settings, ingest.store.clone(), ambient);
        Ok(Self { poller: Poller::new(ingest, secrets, Outbound::new()), queue, settings })
    }

    /// Works on one event. `until`: no message is begun after that; `None` = for two minutes.
    ///
    /// # Errors
    /// It is nothing that is understood here; the doors are not known; the queue takes no letter.
    pub async fn handle(&self, event: Value, until: Option<Timestamp>) -> Result<Value, HandlerError> {
        let settings = self.settings.current().await?;
        if event.get("Records").is_none() {
            return match serde_json::from_value(event) {
                Ok(Work::Poll { door: None }) => self.fan_out(&settings).await,
                _ => Err(HandlerError::Foreign(
                    "neither SQS records nor {\"work\": \"poll\"}: nothing else is taken here",
                )),
            };
        }
        let event: SqsEvent = serde_json::from_value(event)
            // serde would quote what stands there.
            .map_err(|_| HandlerError::Foreign("an SQS event that does not read"))?;
        let now = self.poller.ingest.ambient.now();
        let until = until.unwrap_or_else(|| now.checked_add(RUN_MAX).unwrap_or(now));
        let fresh = event.records.iter().filter(|record| !is_overtaken(record, now));
        join_all(fresh.map(|record| self.letter(record, &settings, until))).await;
        Ok(failures(&[]))
    }

    /// A letter for each door, so that none waits for another.
    async fn fan_out(&self, settings: &Settings) -> Result<Value, HandlerError> {
        // Where no door takes mail, none is asked for either.
        let doors: Vec<&Door> =
            settings.doors.iter().filter(|door| door.polled().is_some() && !settings.closed).collect();
        join_all(doors.iter().map(|door| self.freshness(door))).await;
        let letters = doors.iter().map(|door| Work::Poll { door: Some(door.id.as_str().to_owned()) });
        let letters: Vec<Work> = letters.collect();
        let sent = join_all(letters.iter().map(|work| self.queue.send(work))).await;
        sent.into_iter().collect::<Result<Vec<()>, QueueError>>()?;
        Ok(json!({ "doors": doors.len() }))
    }

    /// Seconds since the last good poll, of the folder that is worst off. A folder that was never polled well counts from
    /// the first try.
    async fn freshness(&self, door: &Door) {
        let ingest = &self.poller.ingest;
        let now = ingest.ambient.now();
        let folders = match ingest.store.freshness(door).await {
            Ok(folders) => folders,
            Err(error) => {
                tracing::warn!(door = door.id.as_str(), %error, "how fresh it is cannot be read");
                return;
            }
        };
        if let Some(worst) = folders.iter().filter_map(|folder| folder.age_or_tried(now)).max() {
            Measurement::at(now).by(catalogue::DOOR, door.id.as_str()).with(Metric::Freshness, worst).tell();
        }
    }

    async fn letter(&self, record: &SqsMessage, settings: &Settings, until: Timestamp) {
        let body = record.body.as_deref().unwrap_or_default();
        let Ok(Work::Poll { door: Some(id) }) = serde_json::from_str(body) else {
            tracing::error!(message = record.message_id, "a letter that names no door; passed over");
            return;
        };
        let Some(door) = settings.doors.by_id(&id).filter(|door| door.polled().is_some() && !settings.closed) else {
            return;
        };
        let poller = self.poller.with(settings);
        let ask = Ask::until(until);
        // What breaks in one door stays in it.
        let polled = AssertUnwindSafe(Box::pin(poller.door(door, &ask))).catch_unwind().await;
        match polled {
            Ok(Polled { taken, known, parked, left, .. }) if taken + parked > 0 || left => {
                tracing::info!(door = id, taken, known, parked, left, "polled");
            }
            Ok(_) => {}
            Err(_) => tracing::error!(door = id, "a panic while polling; the next poll goes on"),
        }
    }
}

/// True where the queue has kept the letter so long that others were written meanwhile.
fn is_overtaken(record: &SqsMessage, now: Timestamp) -> bool {
    let sent = record.attributes.get("SentTimestamp").and_then(|at| at.parse().ok());
    let sent = sent.and_then(|at| Timestamp::from_millisecond(at).ok());
    sent.is_some_and(|sent| now.duration_since(sent) > LETTER_MAX)
}
