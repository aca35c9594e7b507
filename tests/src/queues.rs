//! What queues bring: SES receipts, the retry queue, the safety net, dead letters. The handlers that Lambda runs, fed as
//! its event source mappings feed them.

mod bad_input;
mod calls;
mod dead;
mod every_call;
mod fallback;
mod faults;
mod net;
mod poison;
mod races;
mod receipts;
mod redrive;
mod samples;
mod traces;
mod verdicts;

pub(crate) use every_call::{every_call_of_receipt, every_call_of_retry};
pub(crate) use redrive::take_retry_messages;

use aws_sdk_s3::primitives::ByteStream;
use postern::{
    config::QueueUrls,
    inbound::Verdict,
    ingest::Ingest,
    queue::{Queue, Work},
};
use postern_cli::engines::BUCKET;
use serde_json::{Value, json};

use crate::{
    harness::wire::Wire,
    world::{Copy, World, now},
};

/// Deliveries after which a test gives up: above the three that make poison, below those of a missing object.
const DELIVERIES_MAX: u32 = 20;

impl World {
    pub(crate) fn urls(&self) -> QueueUrls {
        self.engines.endpoints().queue_urls()
    }

    fn queue(&self, wire: &Wire, url: &str) -> Queue {
        Queue::new(self.engines.endpoints().all_clients(Some(wire.http())).sqs, url)
    }

    /// The pipeline of the HTTP door: with the retry queue behind it.
    pub(crate) fn door_over(&self, wire: &Wire) -> Ingest {
        Ingest { retry: Some(self.queue(wire, &self.urls().retry)), ..self.over(wire) }
    }

    pub(crate) fn receipt_function(&self, wire: &Wire) -> postern_receipt::App {
        let queue = self.queue(wire, &self.urls().receipt);
        postern_receipt::App { ingest: self.over(wire), queue, settings: self.settings() }
    }

    pub(crate) fn retry_function(&self, wire: &Wire) -> postern_retry::App {
        let urls = self.urls();
        let queue = |url: &str| self.queue(wire, url);
        let queues =
            postern_retry::Queues { retry: queue(&urls.retry), net: queue(&urls.net), dead: queue(&urls.dead) };
        postern_retry::App { ingest: self.over(wire), queues, settings: self.settings() }
    }

    /// Writes an object as SES does.
    async fn ses_writes(&self, key: &str, octets: Vec<u8>) {
        let (_, s3) = self.engines.clients(None);
        s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from(octets)).send().await.unwrap();
    }

    /// SES receives a copy: the object, and the notification's body.
    pub(crate) async fn received(&self, copy: &Copy) -> String {
        self.ses_writes(&key_of(copy), copy.mail.octets(&copy.label)).await;
        sns(&notification(copy))
    }
}

/// Where SES writes the mail of a copy.
fn key_of(copy: &Copy) -> String {
    format!("raw/ses/{}", copy.label)
}

/// A receipt notification of the S3 action, as SES words it.
pub(crate) fn notification(copy: &Copy) -> Value {
    let status = |verdict: Option<Verdict>| match verdict {
        Some(Verdict::Pass) => "PASS",
        Some(Verdict::Fail) => "FAIL",
        Some(_) => "PROCESSING_FAILED",
        None => "GRAY",
    };
    let at = copy.inbound().ingress.transport_time;
    json!({
        "notificationType": "Received",
        "mail": {
            "timestamp": at.to_string(), "source": crate::world::address(&copy.mail.author),
            "messageId": copy.label, "destination": copy.forward, "headersTruncated": false,
        },
        "receipt": {
            "timestamp": at.to_string(), "processingTimeMillis": 500, "recipients": copy.forward,
            "spamVerdict": { "status": if copy.spam.is_some() { "FAIL" } else { "PASS" } },
            "virusVerdict": { "status": "PASS" },
            "spfVerdict": { "status": "GRAY" }, "dkimVerdict": { "status": "GRAY" },
            "dmarcVerdict": { "status": status(copy.dmarc) },
            "action": {
                "type": "S3", "topicArn": "arn:aws:sns:us-east-1:000000000000:receipts",
                "bucketName": BUCKET, "objectKeyPrefix": "raw/ses/", "objectKey": key_of(copy),
            },
        },
    })
}

/// As SNS hands it to a queue.
pub(crate) fn sns(message: &Value) -> String {
    json!({
        "Type": "Notification", "MessageId": "5b4f0b5c-0000-4000-8000-000000000001",
        "TopicArn": "arn:aws:sns:us-east-1:000000000000:receipts", "Subject": "Amazon SES Email Receipt Notification",
        "Message": message.to_string(), "Timestamp": now().to_string(), "SignatureVersion": "1",
    })
    .to_string()
}

/// An SQS record as Lambda hands it over.
pub(crate) fn record(queue: &str, id: &str, body: &str, receives: u32) -> Value {
    json!({
        "messageId": id, "receiptHandle": format!("handle of {id}"), "body": body,
        "attributes": { "ApproximateReceiveCount": receives.to_string(), "SentTimestamp": "1793610000000" },
        "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs", "awsRegion": "us-east-1",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:000000000000:{queue}"),
    })
}

pub(crate) fn event(records: &[Value]) -> Value {
    json!({ "Records": records })
}

fn decide(accept: postern::inbound::AcceptRecord) -> String {
    serde_json::to_string(&Work::Decide { accept: Box::new(accept) }).unwrap()
}

/// An S3 event notification as the safety net gets it.
pub(crate) fn object_created(key: &str) -> String {
    json!({ "Records": [{
        "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": BUCKET }, "object": { "key": key, "size": 1 } },
    }]})
    .to_string()
}

/// Ids that must come again.
pub(crate) fn failed(answer: &Value) -> Vec<String> {
    let items = answer["batchItemFailures"].as_array().expect("a partial batch response");
    items.iter().map(|item| item["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

/// A function with a queue in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Receipt,
    Retry,
    Net,
    Dead,
}

impl Line {
    fn queue(self) -> &'static str {
        match self {
            Self::Receipt => "postern-receipt",
            Self::Retry => "postern-retry",
            Self::Net => "postern-net",
            Self::Dead => "postern-dead",
        }
    }
}

/// One delivery of one message; true where it is done.
async fn once(world: &World, wire: &Wire, line: Line, (id, body): (&str, &str), receives: u32) -> bool {
    let event = event(&[record(line.queue(), id, body, receives)]);
    let answer = match line {
        Line::Receipt => Box::pin(world.receipt_function(wire).handle(event)).await.unwrap(),
        Line::Retry | Line::Net | Line::Dead => Box::pin(world.retry_function(wire).handle(event)).await.unwrap(),
    };
    failed(&answer).is_empty()
}

/// Delivers a message until it is done, as a queue does; how often it took.
async fn until_done(world: &World, wire: &Wire, line: Line, message: (&str, &str), what: &str) -> u32 {
    for receives in 1..=DELIVERIES_MAX {
        if Box::pin(once(world, wire, line, message, receives)).await {
            return receives;
        }
    }
    panic!("{what}: {DELIVERIES_MAX} deliveries and no end");
}

/// The only ledger row: outcome, cause, reasons.
async fn only_row(world: &World) -> (String, String, Vec<String>) {
    let rows = world.items("MAIL#").await;
    assert_eq!(rows.len(), 1, "{:?}", rows.keys());
    let row = rows.values().next().unwrap();
    (crate::world::text(row, "outcome"), crate::world::text(row, "cause"), reasons(row))
}

pub(crate) fn reasons(row: &crate::world::Item) -> Vec<String> {
    let list = row["reasons"].as_l().unwrap();
    list.iter().map(|reason| reason.as_s().unwrap().clone()).collect()
}
