//! The event sources of `template.yaml` in one process: the same functions, the same sources, the same numbers.

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use postern::{
    aws::Clients,
    config::{AwsConfig, AwsCredentials, Config},
};
use serde_json::{Value, json};

use crate::{
    engines::{
        BUCKET, Endpoints, KEY, REGION, TABLE,
        queues::{DEAD_QUEUE, NET_QUEUE, POLL_QUEUE, RECEIPT_QUEUE, RETRY_QUEUE},
        topic::EVENTS_TOPIC,
    },
    local::Local,
    pump::{self, Handler, Messages, Pump, Records, Schedule},
    system::{Place, System},
};

/// Messages at once, of each queue: no innocent is tried again with a culprit.
const MESSAGES: u8 = 1;
/// Stream records at once, and tries of a record.
const RECORDS: usize = 25;
const RECORD_TRIES: u32 = 8;
/// How often what is due to be told is looked through.
const SWEEP_EVERY: Duration = Duration::from_secs(300);
/// How often providers are asked for what no webhook brought.
const RECONCILE_EVERY: Duration = Duration::from_secs(900);
/// How often tickets that were resolved and left alone are closed.
const CLOSE_EVERY: Duration = Duration::from_secs(3600);

/// How often mailboxes elsewhere are looked into.
const POLL_EVERY: Duration = Duration::from_secs(60);
/// Doors that are polled at once: on Lambda each has a process of its own.
const DOORS_AT_ONCE: u8 = 10;

/// The configuration of a function over these engines, as its environment would give it.
#[must_use]
pub fn config(local: &Local) -> Config {
    let endpoints = local.endpoints();
    let at = |url: &String| Some(url.clone()).filter(|url| !url.is_empty());
    let secret = |name: &str| format!("file:{}", local.data.join("secrets").join(name).display());
    Config {
        aws: AwsConfig {
            region: REGION.to_owned(),
            credentials: AwsCredentials {
                access_key_id: KEY.to_owned(),
                secret_access_key: KEY.to_owned(),
                session_token: None,
            },
            dynamodb: at(&endpoints.dynamodb),
            s3: at(&endpoints.s3),
            sqs: at(&endpoints.sqs),
            sns: at(&endpoints.sns),
            secrets: None,
        },
        table: TABLE.to_owned(),
        bucket: BUCKET.to_owned(),
        settings: local.defaults.clone(),
        master_secret: secret("master.json"),
        operator_secret: secret("operator.json"),
        environment_secrets: local.environment_secrets.clone(),
        queues: endpoints.queue_urls(),
        events_topic: EVENTS_TOPIC.to_owned(),
    }
}

/// A handler of a function's `App::handle`, which is called like `handle(&app, event)`.
fn function<T, F, A, E>(app: T, handle: F) -> Handler
where
    T: Send + Sync + 'static,
    F: Fn(Arc<T>, Value) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Value, E>> + Send + 'static,
    E: Display,
{
    let app = Arc::new(app);
    Handler::new(move |event| handle(Arc::clone(&app), event))
}

/// All event sources.
///
/// # Errors
/// This process does not run the engines, or the signing keys cannot be read.
pub async fn pumps(local: &Local) -> anyhow::Result<Vec<Pump>> {
    let engines = local.engines.as_ref().context("only the process that runs the engines brings events")?;
    let clients: Clients = local.endpoints().all_clients(None);
    let ambient = &local.ingest.ambient;
    let receipt = postern_receipt::App::new(config(local), &clients, ambient.clone()).await?;
    let receipt = function(receipt, |app, event| async move { app.handle(event).await });
    let retry = postern_retry::App::new(config(local), &clients, ambient.clone()).await?;
    let retry = function(retry, |app, event| async move { app.handle(event).await });
    let publish = postern_publish::App::new(config(local), &clients, ambient.clone())?;
    let publish = function(publish, |app, event| async move { app.handle(event).await });
    let poll = postern_poll::App::new(config(local), &clients, ambient.clone()).await?;
    let poll = function(poll, |app, event| async move { app.handle(event, None).await });
    Ok(vec![
        Messages::new(engines, RECEIPT_QUEUE, MESSAGES, receipt).into(),
        Messages::new(engines, RETRY_QUEUE, MESSAGES, retry.clone()).into(),
        Messages::new(engines, NET_QUEUE, MESSAGES, retry.clone()).into(),
        Messages::new(engines, DEAD_QUEUE, MESSAGES, retry.clone()).into(),
        Schedule::new(ambient, SWEEP_EVERY, json!({"work": "sweep"}), retry.clone()).into(),
        Schedule::new(ambient, RECONCILE_EVERY, json!({"work": "reconcile"}), retry.clone()).into(),
        Schedule::new(ambient, CLOSE_EVERY, json!({"work": "close"}), retry).into(),
        Messages::new(engines, POLL_QUEUE, DOORS_AT_ONCE, poll.clone()).into(),
        Schedule::new(ambient, POLL_EVERY, json!({"work": "poll"}), poll).into(),
        Records::new(engines, ambient, RECORDS, RECORD_TRIES, publish).into(),
    ])
}

/// Works off what is due in the queues and the stream, where this process runs the engines: a stack or a running `dev`
/// does it by itself.
///
/// # Errors
/// An engine does not answer, or something comes back each time.
pub async fn work_off(system: &System, turns_max: usize) -> anyhow::Result<()> {
    let Place::Data(local) = &system.place else { return Ok(()) };
    if local.engines.is_some() {
        pump::drain(&mut pumps(local).await?, turns_max).await?;
    }
    Ok(())
}

/// One line of an event: its type and its ticket, nothing that a sender wrote. `None` where it is no event of ours.
#[must_use]
pub fn event_line(message: &str) -> Option<String> {
    let event: Value = serde_json::from_str(message).ok()?;
    let kind = event.get("type")?.as_str()?;
    let ticket = event.pointer("/ticket/number").and_then(Value::as_str);
    Some(ticket.map_or_else(|| format!("event  {kind}\n"), |ticket| format!("event  {kind}  {ticket}\n")))
}

/// Where mail goes that is safe and cannot be decided now.
#[must_use]
pub fn retry_queue(endpoints: &Endpoints) -> postern::queue::Queue {
    postern::queue::Queue::new(endpoints.all_clients(None).sqs, endpoints.queue_url(RETRY_QUEUE))
}
