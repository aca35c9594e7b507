//! A new raw object is told to the safety net, once, and nothing else is.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use postern_cli::engines::queues::{NET_QUEUE, RECEIPT_QUEUE, RETRY_QUEUE};
use postern_cli::engines::{BUCKET, Engines};
use serde_json::Value;

use super::clock::Clock;

async fn put(engines: &Engines, key: &str, conditional: bool) -> Option<String> {
    let (_, objects) = engines.clients(None);
    let put = objects.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"eleven oct."));
    let put = put.set_if_none_match(conditional.then(|| "*".to_owned()));
    put.send().await.err().and_then(|error| error.code().map(str::to_owned))
}

#[tokio::test]
async fn a_raw_object_is_told_once_after_fifteen_minutes() {
    let clock = Clock::new();
    let engines = Engines::start_at(None, clock.ambient()).await.unwrap();
    let key = "raw/ses/a+b c=ä~*-._";
    assert_eq!(put(&engines, key, true).await, None);
    assert_eq!(put(&engines, key, true).await.as_deref(), Some("PreconditionFailed"));
    assert_eq!(put(&engines, key, false).await, None);
    for other in ["payload/webhook/x", "accept/raw/webhook/x.json", "attachments/x/0-y", "rawer/x"] {
        assert_eq!(put(&engines, other, true).await, None);
    }
    let depth = engines.queues().depth(NET_QUEUE);
    assert_eq!((depth.due, depth.delayed), (0, 1), "once, and not yet");
    for queue in [RETRY_QUEUE, RECEIPT_QUEUE] {
        assert_eq!(engines.queues().depth(queue), Default::default());
    }

    clock.pass(900);
    let sqs = engines.endpoints().all_clients(None).sqs;
    let answer = sqs.receive_message().queue_url(engines.endpoints().queue_urls().net).send().await.unwrap();
    let event: Value = serde_json::from_str(answer.messages()[0].body().unwrap()).unwrap();
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned();
    assert_eq!(text("/Records/0/eventSource"), "aws:s3");
    assert_eq!(text("/Records/0/eventName"), "ObjectCreated:Put");
    assert_eq!(text("/Records/0/eventTime"), "2026-11-02T09:00:00.000Z");
    assert_eq!(text("/Records/0/s3/bucket/name"), BUCKET);
    assert_eq!(text("/Records/0/s3/object/key"), "raw/ses/a%2Bb+c%3D%C3%A4%7E*-._");
    assert_eq!(event.pointer("/Records/0/s3/object/size"), Some(&11.into()));
    let read: aws_lambda_events::event::s3::S3Event = serde_json::from_value(event).unwrap();
    assert_eq!(read.records[0].s3.object.size, Some(11));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_concurrent_writers_one_is_told() {
    let engines = std::sync::Arc::new(Engines::start(None).await.unwrap());
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let engines = std::sync::Arc::clone(&engines);
            tokio::spawn(async move { put(&engines, "raw/webhook/one", true).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(engines.queues().depth(NET_QUEUE).delayed, 1);
}

#[tokio::test]
async fn an_object_that_the_net_does_not_know_is_not_safe() {
    let engines = Engines::start(None).await.unwrap();
    let net = engines.directory().join("queues").join(NET_QUEUE);
    std::fs::remove_dir_all(&net).unwrap();
    assert_eq!(put(&engines, "raw/webhook/one", true).await.as_deref(), Some("InternalError"));
    let (_, objects) = engines.clients(None);
    let head = objects.head_object().bucket(BUCKET).key("raw/webhook/one").send().await.unwrap_err();
    assert!(head.into_service_error().is_not_found());

    std::fs::create_dir(&net).unwrap();
    assert_eq!(put(&engines, "raw/webhook/one", true).await, None, "the writer's next try");
    assert_eq!(engines.queues().depth(NET_QUEUE).delayed, 1);
}
