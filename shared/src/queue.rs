//! SQS: work that is safe and not decided yet, and how a batch of letters is worked off.
//!
//! A queue delivers at least once, in any order. Nothing here relies on more: the ledger row decides what is still to do.

use std::{collections::HashMap, future::Future, panic::AssertUnwindSafe, time::Duration};

use aws_sdk_sqs::{Client, error::ProvideErrorMetadata};
use futures_util::FutureExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tracing::Instrument;

use crate::{
    ambient::Ambient,
    inbound::AcceptRecord,
    mailbox::MailboxId,
    telemetry::{self, Measurement, Metric},
};

/// Pause before a letter that failed for the first time is seen again.
const PAUSE_MIN: Duration = Duration::from_secs(30);
/// Longest pause: a hundred receives (the queues' maxReceiveCount) then outlast a day, so that an outage is not poison.
const PAUSE_MAX: Duration = Duration::from_secs(15 * 60);
/// The same where a provider is asked for the mail: a hundred receives then outlast the three days that it keeps it.
const FETCH_PAUSE_MAX: Duration = Duration::from_secs(60 * 60);

/// What can be asked for by message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum Work {
    /// Bring a safe raw object to its end, exactly as it was first accepted.
    Decide {
        /// How it was accepted.
        accept: Box<AcceptRecord>,
    },
    /// Release held mail. Its flag travels with it, so that a failed attempt stays a release.
    Release {
        /// Ledger id.
        id: String,
        /// Mailbox, where none could be chosen.
        #[serde(default)]
        mailbox: Option<MailboxId>,
        /// Who releases it.
        actor: String,
    },
    /// Tell again what is due and was not told: sent by the schedule.
    Sweep,
    /// Look at the providers for what no webhook brought: sent by the schedule.
    Reconcile,
    /// Close what was resolved and left alone: sent by the schedule.
    Close,
    /// Look into mailboxes elsewhere: sent by the schedule for all doors, and then for each by itself.
    Poll {
        /// Which; none = all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        door: Option<String>,
    },
}

/// The queue did not take a message.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the queue did not take it ({0})")]
pub struct QueueError(String);

/// One queue.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

/// A message as a queue delivered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Id of the message: the same each time it is delivered.
    pub id: String,
    /// Handle of this delivery.
    pub handle: String,
    /// Its body.
    pub body: String,
    /// How often it was delivered, this time included.
    pub receives: u32,
    /// When it was delivered for the first time.
    pub first_received: Option<Timestamp>,
    /// Name of the queue.
    pub queue: String,
}

impl Letter {
    /// A letter from what a delivery says: message id and receipt handle, body, attributes, ARN of the queue.
    #[must_use]
    pub fn new(
        (id, handle): (Option<String>, Option<String>),
        body: Option<String>,
        attributes: &HashMap<String, String>,
        queue_arn: Option<&str>,
    ) -> Self {
        let first = attributes.get("ApproximateFirstReceiveTimestamp").and_then(|millis| millis.parse().ok());
        Self {
            id: id.unwrap_or_default(),
            handle: handle.unwrap_or_default(),
            body: body.unwrap_or_default(),
            receives: attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1),
            first_received: first.and_then(|millis| Timestamp::from_millisecond(millis).ok()),
            queue: queue_arn.and_then(|arn| arn.rsplit(':').next()).unwrap_or_default().to_owned(),
        }
    }

    /// Id of this delivery: what the poison counter counts.
    #[must_use]
    pub fn delivery(&self) -> String {
        format!("{}#{}", self.id, self.receives)
    }

    /// Seconds since it was delivered for the first time.
    fn waited(&self, now: Timestamp) -> u64 {
        let first = self.first_received.unwrap_or(now);
        u64::try_from(now.duration_since(first).as_secs()).unwrap_or(0)
    }

    /// How long it rests where it failed.
    fn pause(&self) -> Duration {
        match serde_json::from_str::<Work>(&self.body) {
            Ok(Work::Decide { accept }) if accept.fetch.is_some() => pause_of_fetch(self.receives),
            _ => pause_after(self.receives),
        }
    }
}

impl Queue {
    /// A queue by its URL.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Its name: the last part of the URL, and of the ARN.
    #[must_use]
    pub fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }

    /// Hands work over. Twice is no harm.
    ///
    /// # Errors
    /// The queue did not answer, or refused; a message may have 1 MiB (Amazon SQS quotas), far above an accept record.
    pub async fn send(&self, work: &Work) -> Result<(), QueueError> {
        let body = serde_json::to_string(work).map_err(|e| QueueError(e.to_string()))?;
        let sent = self.client.send_message().queue_url(&self.url).message_body(body).send().await;
        sent.map(drop).map_err(|e| QueueError(e.code().unwrap_or("no answer").to_owned()))
    }

    /// Puts a failed letter off, longer each time. Where that does not work, the queue's own visibility time holds.
    async fn put_off(&self, letter: &Letter) {
        let seconds = i32::try_from(letter.pause().as_secs()).unwrap_or(i32::MAX);
        let request = self.client.change_message_visibility().queue_url(&self.url);
        let changed = request.receipt_handle(&letter.handle).visibility_timeout(seconds).send().await;
        if let Err(error) = changed {
            let why = error.code().unwrap_or("no answer");
            tracing::warn!(
                queue = self.name(),
                message = letter.id,
                why,
                "a failed message keeps the queue's own pause"
            );
        }
    }
}

/// How long a letter rests after so many receives: 30 s, doubled each time, at most 15 minutes.
#[must_use]
pub fn pause_after(receives: u32) -> Duration {
    doubled(receives).min(PAUSE_MAX)
}

/// The same for a letter about mail that is to be fetched: at most an hour.
#[must_use]
pub fn pause_of_fetch(receives: u32) -> Duration {
    doubled(receives).min(FETCH_PAUSE_MAX)
}

fn doubled(receives: u32) -> Duration {
    let doublings = receives.saturating_sub(1).min(16);
    PAUSE_MIN.saturating_mul(2_u32.saturating_pow(doublings))
}

/// Works off a batch, one letter after the other; the ids of those that must come again. A panic is one letter's own.
///
/// How long a letter has been tried in vain is measured here: the age that SQS tells of a queue leaves out what was received
/// three times and more (Amazon SQS Developer Guide, "Available CloudWatch metrics").
pub async fn work_off<F>(
    queues: &[Queue],
    letters: &[Letter],
    ambient: &Ambient,
    handle: impl Fn(Letter) -> F,
) -> Vec<String>
where
    F: Future<Output = Result<(), String>>,
{
    let mut again = Vec::new();
    for letter in letters {
        // On the heap: what works on a mail is a large future, and threads have small stacks.
        let span = telemetry::span("letter");
        let worked = AssertUnwindSafe(Box::pin(handle(letter.clone())).instrument(span.clone())).catch_unwind().await;
        let why = match worked {
            Ok(Ok(())) => continue,
            Ok(Err(why)) => why,
            Err(_) => "a panic while working on it".to_owned(),
        };
        span.in_scope(|| {
            tracing::warn!(queue = letter.queue, message = letter.id, receives = letter.receives, why, "comes again");
        });
        let now = ambient.now();
        Measurement::at(now).with(Metric::Waiting, letter.waited(now)).tell();
        if let Some(queue) = queues.iter().find(|queue| queue.name() == letter.queue) {
            queue.put_off(letter).instrument(span).await;
        }
        again.push(letter.id.clone());
    }
    again
}

/// A partial batch response (AWS Lambda Developer Guide, "Implementing partial batch responses").
#[must_use]
pub fn failures(ids: &[String]) -> serde_json::Value {
    let items: Vec<_> = ids.iter().map(|id| serde_json::json!({ "itemIdentifier": id })).collect();
    serde_json::json!({ "batchItemFailures": items })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_outlast_a_day() {
        let seconds: Vec<u64> = (1..=7).map(|n| pause_after(n).as_secs()).collect();
        assert_eq!(seconds, [30, 60, 120, 240, 480, 900, 900]);
        let all: u64 = (1..=100).map(|n| pause_after(n).as_secs()).sum();
        assert!(all > 20 * 3600, "a hundred receives: {all} s");
        assert_eq!(pause_after(u32::MAX).as_secs(), 900);
    }

    #[test]
    fn pauses_of_fetches_outlast_three_days() {
        let seconds: Vec<u64> = (1..=9).map(|n| pause_of_fetch(n).as_secs()).collect();
        assert_eq!(seconds, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        let all: u64 = (1..=100).map(|n| pause_of_fetch(n).as_secs()).sum();
        assert!(all > 80 * 3600, "a hundred receives: {all} s");
    }

    #[test]
    fn a_letter_knows_how_long_it_waits() {
        let attributes = |all: &[(&str, &str)]| all.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let read = |all: &[(&str, &str)]| {
            Letter::new((None, None), None, &attributes(all), Some("arn:aws:sqs:eu-west-1:1:retry"))
        };
        let first = ("ApproximateFirstReceiveTimestamp", "1793610000000");
        let letter = read(&[("ApproximateReceiveCount", "4"), ("SentTimestamp", "1793600000000"), first]);
        let now = Timestamp::from_second(1_793_610_000 + 1_801).unwrap();
        assert_eq!((letter.receives, letter.waited(now), letter.queue.as_str()), (4, 1_801, "retry"));
        assert_eq!(letter.waited(Timestamp::UNIX_EPOCH), 0, "clocks that disagree");
        assert_eq!((read(&[]).receives, read(&[]).waited(now)), (1, 0));
    }

    #[test]
    fn work_has_one_written_form() {
        assert_eq!(serde_json::to_string(&Work::Sweep).unwrap(), r#"{"work":"sweep"}"#);
        assert_eq!(serde_json::to_string(&Work::Reconcile).unwrap(), r#"{"work":"reconcile"}"#);
        assert_eq!(serde_json::to_string(&Work::Poll { door: None }).unwrap(), r#"{"work":"poll"}"#);
        assert_eq!(serde_json::to_string(&Work::Close).unwrap(), r#"{"work":"close"}"#);
        let release: Work = serde_json::from_str(r#"{"work":"release","id":"a/b","actor":"cli"}"#).unwrap();
        assert_eq!(release, Work::Release { id: "a/b".into(), mailbox: None, actor: "cli".into() });
    }
}
