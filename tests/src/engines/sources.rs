//! The whole local system: what is written and sent reaches the functions that `template.yaml` wires to it.

use aws_sdk_s3::primitives::ByteStream;
use postern_cli::engines::queues::{DEAD_QUEUE, Depth, NET_QUEUE, POLL_QUEUE, RECEIPT_QUEUE, RETRY_QUEUE};
use postern_cli::engines::{BUCKET, Engines, Settings};
use postern_cli::local::Local;
use postern_cli::pump::drain;
use postern_cli::sources::{self, event_line};
use serde_json::json;

const MAIL: &str = "From: ada@people.example\r\nTo: support@postern.test\r\nSubject: door\r\n\
                    Message-ID: <one@ids.example>\r\nDate: Mon, 02 Nov 2026 09:00:00 +0000\r\n\r\nIt squeaks.\r\n";

/// SES wrote the object; its notification as SNS hands it to a queue.
fn notification(key: &str) -> String {
    let message = json!({
        "notificationType": "Received",
        "mail": {
            "timestamp": "2026-11-02T09:00:00.000Z", "source": "ada@people.example", "messageId": "ses1",
            "destination": ["support@postern.test"],
        },
        "receipt": {
            "timestamp": "2026-11-02T09:00:00.000Z", "recipients": ["support@postern.test"],
            "spamVerdict": {"status": "PASS"}, "virusVerdict": {"status": "PASS"}, "spfVerdict": {"status": "PASS"},
            "dkimVerdict": {"status": "PASS"}, "dmarcVerdict": {"status": "PASS"},
            "action": {"type": "S3", "bucketName": BUCKET, "objectKey": key},
        },
    });
    json!({"Type": "Notification", "Message": message.to_string()}).to_string()
}

async fn put(engines: &Engines, key: &str) {
    let (_, objects) = engines.clients(None);
    let body = ByteStream::from_static(MAIL.as_bytes());
    objects.put_object().bucket(BUCKET).key(key).body(body).send().await.unwrap();
}

async fn local(data: &std::path::Path, clock: &super::clock::Clock) -> Local {
    let settings = Settings { ambient: clock.ambient(), ..Settings::default() };
    let mut local = Local::hold_with(data, settings).await.unwrap();
    local.ingest.ambient = clock.ambient();
    local
}

#[tokio::test]
async fn a_receipt_becomes_a_ticket_and_the_net_finds_it_accounted_for() {
    let folder = tempfile::tempdir().unwrap();
    let clock = super::clock::Clock::new();
    let local = local(folder.path(), &clock).await;
    let engines = local.engines.as_ref().unwrap();
    let mut pumps = sources::pumps(&local).await.unwrap();
    put(engines, "raw/ses/one").await;
    engines.queues().send(RECEIPT_QUEUE, notification("raw/ses/one"), None).unwrap();
    // The receipt, and the stream's record of its entry.
    assert_eq!(drain(&mut pumps, 100).await.unwrap(), 2);
    assert_eq!(local.ingest.store.ticket(1).await.unwrap().unwrap().subject, "door");
    assert_eq!(engines.queues().depth(NET_QUEUE), Depth { delayed: 1, ..Depth::default() });

    clock.pass(900);
    // The net, and all three schedules, whose time has come as well.
    assert_eq!(drain(&mut pumps, 100).await.unwrap(), 4);
    for queue in [RECEIPT_QUEUE, RETRY_QUEUE, NET_QUEUE, DEAD_QUEUE, POLL_QUEUE] {
        assert_eq!(engines.queues().depth(queue), Depth::default(), "{queue}");
    }
    assert!(local.ingest.store.ticket(2).await.unwrap().is_none());
}

#[tokio::test]
async fn a_receipt_before_its_object_comes_back_and_a_letter_nobody_reads_is_parked() {
    let folder = tempfile::tempdir().unwrap();
    let clock = super::clock::Clock::new();
    let local = local(folder.path(), &clock).await;
    let engines = local.engines.as_ref().unwrap();
    let mut pumps = sources::pumps(&local).await.unwrap();
    engines.queues().send(RECEIPT_QUEUE, notification("raw/ses/late"), None).unwrap();
    assert_eq!(drain(&mut pumps, 100).await.unwrap(), 1);
    assert_eq!(engines.queues().depth(RECEIPT_QUEUE), Depth { in_flight: 1, ..Depth::default() });
    put(engines, "raw/ses/late").await;
    clock.pass(60);
    assert_eq!(drain(&mut pumps, 100).await.unwrap(), 3, "and its record, and the minute's poll");
    assert!(local.ingest.store.ticket(1).await.unwrap().is_some());

    engines.queues().send(DEAD_QUEUE, "nobody reads that".to_owned(), None).unwrap();
    assert_eq!(drain(&mut pumps, 100).await.unwrap(), 2, "and the record of its row");
    assert_eq!(engines.queues().depth(DEAD_QUEUE), Depth::default());
    let failed = local.ingest.store.attention(&[postern::records::Outcome::Failed], 10).await.unwrap();
    assert_eq!(failed.len(), 1);
}

#[tokio::test]
async fn a_ticket_is_told_on_the_topic_and_its_mark_is_taken_off() {
    let folder = tempfile::tempdir().unwrap();
    let local = local(folder.path(), &super::clock::Clock::new()).await;
    let engines = local.engines.as_ref().unwrap();
    let mut pumps = sources::pumps(&local).await.unwrap();
    put(engines, "raw/ses/one").await;
    engines.queues().send(RECEIPT_QUEUE, notification("raw/ses/one"), None).unwrap();
    drain(&mut pumps, 100).await.unwrap();
    let told: Vec<String> = engines.events().unwrap().iter().filter_map(|event| event_line(&event.message)).collect();
    assert_eq!(told, ["event  ticket.created  INC-00001\n", "event  entry.created  INC-00001\n"]);
    assert_eq!(drain(&mut pumps, 100).await.unwrap(), 0, "the mark is off, and taking it off is no event");

    let config = sources::config(&local);
    assert_eq!(config.queues, engines.endpoints().queue_urls());
    assert_eq!(config.aws.sns.as_deref(), Some(engines.endpoints().sns.as_str()));
}

#[test]
fn an_event_is_one_line_without_what_a_sender_wrote() {
    let event = json!({"type": "entry.created", "ticket": {"number": "INC-00001", "subject": "secret"}}).to_string();
    assert_eq!(event_line(&event).as_deref(), Some("event  entry.created  INC-00001\n"));
    assert_eq!(event_line("{\"type\":\"message.held\",\"mail\":{}}").as_deref(), Some("event  message.held\n"));
    assert_eq!(event_line("not ours"), None);
}
