//! The operations of SQS that Postern, its command line and an operator with the AWS CLI use.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use md5::{Digest as _, Md5};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::super::ACCOUNT;
use super::protocol::{Fault, Held, Receive, Send};
use super::queue::{Message, Queue};
use super::{DEAD_QUEUE, POLL_QUEUE, RECEIPT_QUEUE, RETRY_QUEUE};
use super::{MESSAGE_SIZE_MAX, NET_DELAY, NET_QUEUE, QUEUES, Queues, RECEIVES_MAX, VISIBILITY, queue_arn};

/// Entries of a batch (SQS quotas).
const ENTRIES_MAX: usize = 10;
/// Seconds (SQS API): visibility, delay, wait.
const VISIBILITY_MAX: i64 = 43_200;
const DELAY_MAX: i64 = 900;
const WAIT_MAX: i64 = 20;

/// Runs one operation; `url` is the engine's own.
pub(super) async fn run(queues: &Arc<Queues>, url: &str, operation: String, body: Bytes) -> Result<Value, Fault> {
    let input: Value = serde_json::from_slice(&body).map_err(|_| Fault::parameter("The request is not JSON."))?;
    if operation == "ReceiveMessage" {
        return receive(queues, input).await;
    }
    let (queues, url) = (Arc::clone(queues), url.to_owned());
    // Files are written: not on the threads that everything else runs on.
    let done = tokio::task::spawn_blocking(move || run_blocking(&queues, &url, &operation, &input)).await;
    done.map_err(|error| Fault::from(std::io::Error::other(error)))?
}

fn run_blocking(queues: &Queues, url: &str, operation: &str, input: &Value) -> Result<Value, Fault> {
    let nothing = |()| json!({});
    match operation {
        "SendMessage" => send(queues, queue_name(input)?, &read(input)?),
        "SendMessageBatch" => send_batch(queues, input),
        "DeleteMessage" => delete(queues, queue_name(input)?, &read(input)?).map(nothing),
        "DeleteMessageBatch" => held_batch(queues, input, delete),
        "ChangeMessageVisibility" => change_visibility(queues, queue_name(input)?, &read(input)?).map(nothing),
        "ChangeMessageVisibilityBatch" => held_batch(queues, input, change_visibility),
        "GetQueueUrl" => {
            let name = input.get("QueueName").and_then(Value::as_str).unwrap_or_default();
            Ok(json!({"QueueUrl": queue_url(url, known(name)?)}))
        }
        "ListQueues" => {
            let prefix = input.get("QueueNamePrefix").and_then(Value::as_str).unwrap_or_default();
            let urls = QUEUES.iter().filter(|name| name.starts_with(prefix)).map(|name| queue_url(url, name));
            Ok(json!({"QueueUrls": urls.collect::<Vec<_>>()}))
        }
        "GetQueueAttributes" => attributes(queues, input),
        "PurgeQueue" => in_queue(queues, queue_name(input)?, |queue| Ok(queue.purge()?)).map(nothing),
        other => Err(Fault::unsupported(other)),
    }
}

/// URL of a queue at an engine.
pub(in crate::engines) fn queue_url(engine: &str, name: &str) -> String {
    format!("{engine}/{ACCOUNT}/{name}")
}

/// The queue that `QueueUrl` names. Only its last part counts: ports change with each start.
fn queue_name(input: &Value) -> Result<&'static str, Fault> {
    let url = input.get("QueueUrl").and_then(Value::as_str).ok_or_else(|| Fault::missing("QueueUrl"))?;
    known(url.rsplit('/').next().unwrap_or(url))
}

fn known(name: &str) -> Result<&'static str, Fault> {
    QUEUES.into_iter().find(|queue| *queue == name).ok_or_else(Fault::no_queue)
}

fn read<T: DeserializeOwned>(input: &Value) -> Result<T, Fault> {
    T::deserialize(input).map_err(|error| Fault::parameter(format!("The request cannot be read: {error}.")))
}

fn in_queue<T>(queues: &Queues, name: &str, step: impl FnOnce(&mut Queue) -> Result<T, Fault>) -> Result<T, Fault> {
    step(queues.lock().get_mut(name).ok_or_else(Fault::no_queue)?)
}

/// A number of seconds between 0 and `most`.
fn seconds(value: Option<i64>, name: &str, most: i64) -> Result<Option<Duration>, Fault> {
    let Some(value) = value else { return Ok(None) };
    let fits = u64::try_from(value).ok().filter(|_| value <= most);
    let fits = fits.ok_or_else(|| Fault::value(value, name, &format!("Must be between 0 and {most}")))?;
    Ok(Some(Duration::from_secs(fits)))
}

pub(super) fn md5(body: &str) -> String {
    Md5::digest(body.as_bytes()).iter().map(|octet| format!("{octet:02x}")).collect()
}

fn send(queues: &Queues, name: &'static str, message: &Send) -> Result<Value, Fault> {
    let delay = seconds(message.delay_seconds, "DelaySeconds", DELAY_MAX)?;
    if message.message_body.is_empty() {
        return Err(Fault::missing("MessageBody"));
    }
    if message.message_body.len() > MESSAGE_SIZE_MAX {
        let reason = format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {MESSAGE_SIZE_MAX} bytes."
        );
        return Err(Fault::parameter(reason));
    }
    if message.message_body.chars().any(refused_in_a_body) {
        return Err(Fault::contents());
    }
    let attributes = [&message.message_attributes, &message.message_system_attributes];
    if attributes.into_iter().flatten().any(|attributes| !attributes.is_empty()) {
        return Err(Fault::unsupported("message attributes"));
    }
    if message.message_group_id.is_some() {
        return Err(Fault::unsupported("message groups"));
    }
    let id = queues.send(name, message.message_body.clone(), delay)?;
    Ok(json!({"MessageId": id, "MD5OfMessageBody": md5(&message.message_body)}))
}

/// SQS takes what XML 1.0 takes (its API, SendMessage).
fn refused_in_a_body(c: char) -> bool {
    matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

/// The entries of a batch, each with its id.
fn entries<T: DeserializeOwned>(input: &Value, id: impl Fn(&T) -> &str) -> Result<Vec<T>, Fault> {
    let entries: Vec<T> = read(input.get("Entries").unwrap_or(&Value::Array(Vec::new())))?;
    let mut ids = HashSet::new();
    match entries.len() {
        0 => return Err(Fault::empty_batch()),
        1..=ENTRIES_MAX => {}
        _ => return Err(Fault::large_batch()),
    }
    if let Some(repeated) = entries.iter().map(id).find(|id| !ids.insert((*id).to_owned())) {
        return Err(Fault::repeated_entry(repeated));
    }
    Ok(entries)
}

fn send_batch(queues: &Queues, input: &Value) -> Result<Value, Fault> {
    let name = queue_name(input)?;
    let entries: Vec<Send> = entries(input, |entry: &Send| &entry.id)?;
    if entries.iter().map(|entry| entry.message_body.len()).sum::<usize>() > MESSAGE_SIZE_MAX {
        return Err(Fault::long_batch(MESSAGE_SIZE_MAX));
    }
    let mut answer = Batch::default();
    for entry in &entries {
        answer.add(&entry.id, send(queues, name, entry));
    }
    Ok(answer.value())
}

fn held_batch(
    queues: &Queues,
    input: &Value,
    step: impl Fn(&Queues, &'static str, &Held) -> Result<(), Fault>,
) -> Result<Value, Fault> {
    let name = queue_name(input)?;
    let mut answer = Batch::default();
    for entry in &entries(input, |entry: &Held| &entry.id)? {
        answer.add(&entry.id, step(queues, name, entry).map(|()| json!({})));
    }
    Ok(answer.value())
}

#[derive(Default)]
struct Batch {
    successful: Vec<Value>,
    failed: Vec<Value>,
}

impl Batch {
    fn add(&mut self, id: &str, result: Result<Value, Fault>) {
        match result {
            Ok(Value::Object(mut entry)) => {
                entry.insert("Id".to_owned(), id.into());
                self.successful.push(entry.into());
            }
            Ok(other) => self.successful.push(other),
            Err(fault) => self.failed.push(fault.entry(id)),
        }
    }

    fn value(self) -> Value {
        json!({"Successful": self.successful, "Failed": self.failed})
    }
}

fn delete(queues: &Queues, name: &'static str, held: &Held) -> Result<(), Fault> {
    in_queue(queues, name, |queue| Ok(queue.delete(&held.receipt_handle)?))
}

fn change_visibility(queues: &Queues, name: &'static str, held: &Held) -> Result<(), Fault> {
    let after = seconds(held.visibility_timeout, "VisibilityTimeout", VISIBILITY_MAX)?;
    let after = after.ok_or_else(|| Fault::missing("VisibilityTimeout"))?;
    let now = queues.ambient.now();
    in_queue(queues, name, |queue| Ok(queue.change_visibility(&held.receipt_handle, now, after)?))?;
    queues.arrived.notify_waiters();
    Ok(())
}

async fn receive(queues: &Arc<Queues>, input: Value) -> Result<Value, Fault> {
    let name = queue_name(&input)?;
    let request: Receive = read(&input)?;
    let wait = seconds(request.wait_time_seconds, "WaitTimeSeconds", WAIT_MAX)?.unwrap_or_default();
    let visibility = seconds(request.visibility_timeout, "VisibilityTimeout", VISIBILITY_MAX)?.unwrap_or(VISIBILITY);
    let wished = request.max_number_of_messages.unwrap_or(1);
    let at_most = usize::try_from(wished).ok().filter(|wished| (1..=10).contains(wished));
    let reason = "Must be between 1 and 10, if provided";
    let at_most = at_most.ok_or_else(|| Fault::value(wished, "MaxNumberOfMessages", reason))?;
    let take = || {
        let queues = Arc::clone(queues);
        let taken = tokio::task::spawn_blocking(move || queues.receive(name, at_most, visibility));
        async { taken.await.map_err(|error| Fault::from(std::io::Error::other(error)))? }
    };
    let mut messages = take().await?;
    if messages.is_empty() && !wait.is_zero() {
        queues.wait(name, wait).await;
        messages = take().await?;
    }
    let names = [request.attribute_names, request.message_system_attribute_names].concat();
    let messages: Vec<Value> = messages.iter().map(|message| received(message, &names)).collect();
    Ok(json!({ "Messages": messages }))
}

/// A message as its receiver sees it, with the attributes that were asked for.
fn received(message: &Message, names: &[String]) -> Value {
    let millis = |at: Option<jiff::Timestamp>| at.map(|at| at.as_millisecond().to_string());
    let known = [
        ("SenderId", Some(ACCOUNT.to_owned())),
        ("SentTimestamp", millis(Some(message.sent))),
        ("ApproximateReceiveCount", Some(message.received.to_string())),
        ("ApproximateFirstReceiveTimestamp", millis(message.first_received)),
        ("DeadLetterQueueSourceArn", message.given_up_by.as_deref().map(queue_arn)),
    ];
    let wanted = |name: &str| names.iter().any(|wanted| wanted == "All" || wanted == name);
    let attributes: Map<String, Value> = known
        .into_iter()
        .filter(|(name, _)| wanted(name))
        .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
        .collect();
    json!({
        "MessageId": message.id,
        "ReceiptHandle": message.handle(),
        "MD5OfBody": md5(&message.body),
        "Body": message.body,
        "Attributes": attributes,
    })
}

fn attributes(queues: &Queues, input: &Value) -> Result<Value, Fault> {
    let name = queue_name(input)?;
    let depth = queues.depth(name);
    let redrive = json!({"deadLetterTargetArn": queue_arn(DEAD_QUEUE), "maxReceiveCount": RECEIVES_MAX});
    let known = [
        ("QueueArn", Some(queue_arn(name))),
        ("ApproximateNumberOfMessages", Some(depth.due.to_string())),
        ("ApproximateNumberOfMessagesNotVisible", Some(depth.in_flight.to_string())),
        ("ApproximateNumberOfMessagesDelayed", Some(depth.delayed.to_string())),
        ("DelaySeconds", Some(own_delay(name).as_secs().to_string())),
        ("VisibilityTimeout", Some(VISIBILITY.as_secs().to_string())),
        ("MaximumMessageSize", Some(MESSAGE_SIZE_MAX.to_string())),
        (
            "RedrivePolicy",
            matches!(name, RECEIPT_QUEUE | RETRY_QUEUE | NET_QUEUE | POLL_QUEUE).then(|| redrive.to_string()),
        ),
    ];
    let names: Vec<String> = read(input.get("AttributeNames").unwrap_or(&Value::Array(Vec::new())))?;
    let wanted = |name: &str| names.iter().any(|wanted| wanted == "All" || wanted == name);
    let attributes = known.into_iter().filter(|(name, _)| wanted(name));
    let attributes: Map<String, Value> =
        attributes.filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
    Ok(json!({ "Attributes": attributes }))
}

/// How long the queue holds each message back where the sender does not say.
pub(super) fn own_delay(name: &str) -> Duration {
    if name == NET_QUEUE { NET_DELAY } else { Duration::ZERO }
}
