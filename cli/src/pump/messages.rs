//! A queue's event source: what is received and not named in `batchItemFailures` is deleted.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::Context;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use serde_json::{Map, Value, json};

use super::{Handler, Turn};
use crate::engines::{
    Engines, REGION,
    queues::{Queues, queue_arn},
};

/// One queue and its function.
#[derive(Debug)]
pub struct Messages {
    queues: Arc<Queues>,
    client: aws_sdk_sqs::Client,
    name: &'static str,
    url: String,
    batch: u8,
    handler: Handler,
}

impl Messages {
    /// Brings at most `batch` (1 to 10) messages at once of the queue `name`.
    #[must_use]
    pub fn new(engines: &Engines, name: &'static str, batch: u8, handler: Handler) -> Self {
        let endpoints = engines.endpoints();
        Self {
            queues: Arc::clone(engines.queues()),
            client: endpoints.all_clients(None).sqs,
            name,
            url: endpoints.queue_url(name),
            batch,
            handler,
        }
    }

    pub(super) fn name(&self) -> &str {
        self.name
    }

    pub(super) async fn ready(&self) {
        self.queues.ready(self.name).await;
    }

    pub(super) async fn turn(&self) -> anyhow::Result<Turn> {
        let request = self.client.receive_message().queue_url(&self.url).max_number_of_messages(self.batch.into());
        let request = request.message_system_attribute_names(MessageSystemAttributeName::All);
        let received = request.send().await.context("messages are not received")?;
        let messages = received.messages();
        if messages.is_empty() {
            return Ok(Turn::Idle);
        }
        let records: Vec<Value> = messages.iter().map(|message| record(self.name, message)).collect();
        let failed = match self.handler.invoke(json!({ "Records": records })).await {
            Ok(answer) => failures(&answer, messages.iter().filter_map(Message::message_id)),
            Err(error) => {
                tracing::warn!(queue = self.name, error, "the function failed; its messages come again");
                None
            }
        };
        if let Some(failed) = failed {
            self.delete(messages.iter().filter(|message| !failed.contains(message.message_id().unwrap_or_default())))
                .await?;
        }
        Ok(Turn::Worked(messages.len()))
    }

    /// A message that is not deleted comes again: the handlers do nothing twice.
    async fn delete(&self, done: impl Iterator<Item = &Message>) -> anyhow::Result<()> {
        let entry = |(n, message): (usize, &Message)| {
            let handle = message.receipt_handle().unwrap_or_default();
            DeleteMessageBatchRequestEntry::builder().id(n.to_string()).receipt_handle(handle).build()
        };
        let entries: Vec<_> = done.enumerate().map(entry).collect::<Result<_, _>>()?;
        if !entries.is_empty() {
            let request = self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries));
            request.send().await.context("done messages are not deleted")?;
        }
        Ok(())
    }
}

/// The record that Lambda makes of a message (Lambda Developer Guide, "Using Lambda with Amazon SQS").
fn record(queue: &str, message: &Message) -> Value {
    let attributes = message.attributes().into_iter().flatten();
    let attributes: Map<String, Value> =
        attributes.map(|(name, value)| (name.as_str().to_owned(), value.as_str().into())).collect();
    json!({
        "messageId": message.message_id(),
        "receiptHandle": message.receipt_handle(),
        "body": message.body(),
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": message.md5_of_body(),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn(queue),
        "awsRegion": REGION,
    })
}

/// The ids that come again; `None` = all. An answer that cannot be read or names a stranger fails the whole batch, as on
/// Lambda; an empty one fails none.
pub(super) fn failures<'a>(answer: &Value, known: impl Iterator<Item = &'a str>) -> Option<HashSet<String>> {
    let named = match answer.get("batchItemFailures") {
        None | Some(Value::Null) => return Some(HashSet::new()),
        Some(named) => named.as_array()?,
    };
    let known: HashSet<&str> = known.collect();
    let id = |item: &Value| {
        let id = item.get("itemIdentifier").and_then(Value::as_str)?;
        known.contains(id).then(|| id.to_owned())
    };
    named.iter().map(id).collect()
}
