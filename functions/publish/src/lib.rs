//! Ticket events: from the table's stream to SNS.
//!
//! ```text
//! stream record ─► what is marked, and its ticket ─► events ─► topic ─► mark off
//!                  one consistent BatchGetItem                 PublishBatch  Update, if still as read
//! ```
//!
//! A record only says which item to look at: what is told is what the table holds. So an item that was told is passed
//! over when Lambda brings its record again, and one that has changed meanwhile is told as what it is now.

mod record;

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use postern::{
    ambient::Ambient,
    aws::Clients,
    config::Config,
    event,
    events::{Topic, TopicError},
    store::{Store, StoreError},
    telemetry,
};
use serde_json::{Value, json};
use thiserror::Error;
use tracing::Instrument;

use record::Record;

/// Failures in a row, none of them the record's own, after which the rest of a batch is left to Lambda's next attempt:
/// while the table or the topic is away, each record would only wait for its timeouts.
const AWAY_AFTER: usize = 3;

/// What one instance keeps between batches.
#[derive(Debug)]
pub struct App {
    store: Store,
    topic: Topic,
}

/// An event that is no batch of stream records: the function is wired to the wrong source.
#[derive(Debug, Error)]
#[error("not a DynamoDB stream event: {0}; the function takes batches of the table's stream and nothing else")]
pub struct NotAStream(String);

/// Why a record is not told yet.
#[derive(Debug, Error)]
enum Untold {
    #[error("the record is broken: {0}")]
    Broken(String),
    #[error("the table: {0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Topic(#[from] TopicError),
    #[error("a panic")]
    Panic,
}

impl Untold {
    /// True where the next record would meet the same.
    fn is_everybodys(&self) -> bool {
        match self {
            Self::Broken(_) | Self::Panic => false,
            Self::Store(error) => error.retryable(),
            Self::Topic(error) => matches!(error, TopicError::Unavailable(_)),
        }
    }
}

/// What became of a record that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    /// So many events were sent.
    Told(usize),
    /// Nothing to tell: removed, not marked, or told before.
    Passed,
}

impl App {
    /// Builds the function from its configuration.
    ///
    /// # Errors
    /// The topic is none that events can be sent to.
    pub fn new(config: Config, clients: &Clients, ambient: Ambient) -> Result<Self, TopicError> {
        let topic = Topic::new(clients.sns.clone(), &config.events_topic, ambient.clone())?;
        Ok(Self { store: Store::new(clients.dynamodb.clone(), config.table, ambient), topic })
    }

    /// Tells one batch of stream records, in order. Answers which of them must come again: Lambda goes back to the
    /// first of those, and what was told after it is passed over then.
    ///
    /// # Errors
    /// [`NotAStream`].
    pub async fn handle(&self, event: Value) -> Result<Value, NotAStream> {
        let records = record::of(&event).map_err(NotAStream)?;
        let (mut events, mut passed, mut in_a_row) = (0, 0, 0);
        let mut again = Vec::new();
        for record in &records {
            if in_a_row >= AWAY_AFTER {
                again.extend(record.sequence());
                continue;
            }
            match self.record(record).await {
                Ok(Done::Told(sent)) => (events, in_a_row) = (events + sent, 0),
                Ok(Done::Passed) => passed += 1,
                Err(why) => {
                    in_a_row = if why.is_everybodys() { in_a_row + 1 } else { 0 };
                    again.extend(record.sequence());
                }
            }
        }
        tracing::info!(records = records.len(), events, passed, again = again.len(), "stream records worked off");
        let failures: Vec<Value> = again.iter().map(|sequence| json!({ "itemIdentifier": sequence })).collect();
        Ok(json!({ "batchItemFailures": failures }))
    }

    /// One record; what breaks in it stays in it.
    async fn record(&self, record: &Record) -> Result<Done, Untold> {
        // Boxed: the compiler's depth limit counts every future within another one.
        let span = telemetry::span("record");
        let told = AssertUnwindSafe(self.tell(record).boxed().instrument(span.clone())).catch_unwind().await;
        let told = told.unwrap_or(Err(Untold::Panic));
        if let Err(why) = &told {
            span.in_scope(|| tracing::error!(item = %record.item(), %why, "not told yet; the stream brings it again"));
        }
        told
    }

    async fn tell(&self, record: &Record) -> Result<Done, Untold> {
        let Some(key) = record.key().map_err(Untold::Broken)? else { return Ok(Done::Passed) };
        let Some((due, mark)) = self.store.due(key).await? else { return Ok(Done::Passed) };
        telemetry::note_trace_id(due.trace_id());
        let events = event::of(&due);
        self.topic.publish(&events).await?;
        if !self.store.told(&mark).await? {
            tracing::info!(item = %record.item(), "it changed while it was told; its newer state is told on its own");
        }
        Ok(Done::Told(events.len()))
    }
}
