//! SES receipts. Event in, [`App::handle`], answer out.
//!
//! | event | answer |
//! |---|---|
//! | SQS: SES -> S3 + SNS -> SQS, the deployed way | `batchItemFailures`: what must come again |
//! | SNS: a topic that invokes the function directly | an error where it must come again |
//! | SES: the Lambda action | `{"disposition": "CONTINUE"}`, or an error |
//!
//! A message that is no receipt is kept as a payload with a failed row, because another try would read the same.

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use bytes::Bytes;
use postern::{
    ambient::Ambient,
    aws::Clients,
    config::Config,
    ingest::{Delivery, Ingest},
    outcome::IngestError,
    providers::ses::{self, NotAReceipt},
    queue::{self, Letter, Queue},
    secrets::SecretError,
    settings::SettingsSource,
    telemetry,
};
use serde_json::{Value, json};
use thiserror::Error;
use tracing::Instrument;

/// Everything one instance keeps between events.
#[derive(Debug)]
pub struct App {
    /// The pipeline.
    pub ingest: Ingest,
    /// Where the receipts come from.
    pub queue: Queue,
    /// Mailboxes.
    pub settings: SettingsSource,
}

/// Why an event as a whole comes again, or to nothing.
#[derive(Debug, Error)]
pub enum HandlerError {
    /// Nothing that is understood here.
    #[error("{0}")]
    Foreign(String),
    /// Asynchronous invocations are tried again by Lambda.
    #[error("{0}")]
    Again(String),
}

impl App {
    /// Builds the function from its configuration.
    ///
    /// # Errors
    /// The signing keys cannot be had.
    pub async fn new(config: Config, clients: &Clients, ambient: Ambient) -> Result<Self, SecretError> {
        let ingest = Ingest::new(&config, clients, ambient.clone()).await?;
        let settings = SettingsSource::new(config.settings, ingest.store.clone(), ambient);
        Ok(Self { ingest, queue: Queue::new(clients.sqs.clone(), config.queues.receipt), settings })
    }

    /// Works on one event.
    ///
    /// # Errors
    /// It is none of the three shapes, or what it brings must come again and no queue says so.
    pub async fn handle(&self, event: Value) -> Result<Value, HandlerError> {
        // Nothing is decided for mailboxes that are not known.
        let settings = self.settings.current().await;
        let ingest = settings.map(|settings| self.ingest.with(&settings)).map_err(|error| error.public());
        let direct = || ingest.as_ref().map_err(|why| HandlerError::Again(why.clone()));
        match source(&event) {
            // Each letter rests by itself then, longer each time: an outage is not poison.
            "aws:sqs" => self.by_queue(ingest.as_ref().map_err(String::as_str), event).await,
            "aws:sns" => by_topic(direct()?, &event).await,
            "aws:ses" => by_rule(direct()?, &event).await,
            other => Err(HandlerError::Foreign(format!(
                "an event of source {other:?} is no SES receipt; SQS, SNS and SES events are taken here"
            ))),
        }
    }

    async fn by_queue(&self, ingest: Result<&Ingest, &str>, event: Value) -> Result<Value, HandlerError> {
        let event: SqsEvent = serde_json::from_value(event)
            // serde would quote what stands there.
            .map_err(|_| HandlerError::Foreign("an SQS event that does not read".to_owned()))?;
        let letters: Vec<Letter> = event.records.into_iter().map(letter).collect();
        let ambient = &self.ingest.ambient;
        let again = queue::work_off(std::slice::from_ref(&self.queue), &letters, ambient, |letter| async move {
            let delivery = Delivery { id: letter.delivery(), receives: letter.receives, counts: letter.receives > 1 };
            take(ingest.map_err(str::to_owned)?, &letter.body, Some(&delivery)).await.map_err(|error| error.to_string())
        });
        Ok(queue::failures(&again.await))
    }
}

async fn by_topic(ingest: &Ingest, event: &Value) -> Result<Value, HandlerError> {
    for record in records(event) {
        let message = record.pointer("/Sns/Message").and_then(Value::as_str).unwrap_or_default();
        directly(ingest, message).await?;
    }
    Ok(Value::Null)
}

async fn by_rule(ingest: &Ingest, event: &Value) -> Result<Value, HandlerError> {
    for record in records(event) {
        let message = record.get("ses").unwrap_or(&Value::Null).to_string();
        directly(ingest, &message).await?;
    }
    // Asked synchronously, SES wants to know whether the rules behind ours still count.
    Ok(json!({ "disposition": "CONTINUE" }))
}

/// One message that no queue brings again.
async fn directly(ingest: &Ingest, message: &str) -> Result<(), HandlerError> {
    let taken = Box::pin(take(ingest, message, None)).instrument(telemetry::span("receipt")).await;
    taken.map_err(|error| HandlerError::Again(error.to_string()))
}

/// One message to its end.
async fn take(ingest: &Ingest, message: &str, delivery: Option<&Delivery>) -> Result<(), IngestError> {
    let now = ingest.ambient.now();
    let own_bucket = ingest.blobs.bucket();
    let receipt = match ses::read(message, now).and_then(|receipt| receipt.ours(own_bucket)) {
        Ok(receipt) => receipt,
        Err(NotAReceipt { slug, why }) => {
            tracing::error!(slug, why, "not taken; the message is kept as a payload");
            let body = Bytes::copy_from_slice(message.as_bytes());
            return ingest.unreadable(ses::ingress(None, now), body, slug, None).await.map(drop);
        }
    };
    let setup = receipt.setup;
    let inbound = receipt.into_inbound(own_bucket);
    if setup {
        return ingest.set_up(&inbound).await.map(drop);
    }
    ingest.stored(inbound, delivery).await.map(drop)
}

/// Where the records of an event come from; SNS spells it differently.
fn source(event: &Value) -> &str {
    let first = records(event).first();
    let named = first.and_then(|record| record.get("eventSource").or_else(|| record.get("EventSource")));
    named.and_then(Value::as_str).unwrap_or_default()
}

fn records(event: &Value) -> &[Value] {
    event.get("Records").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn letter(record: SqsMessage) -> Letter {
    let ids = (record.message_id, record.receipt_handle);
    Letter::new(ids, record.body, &record.attributes, record.event_source_arn.as_deref())
}
