//! The queues, through the real SQS client, at a time that the test sets.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName,
    SendMessageBatchRequestEntry,
};
use postern_cli::engines::queues::{DEAD_QUEUE, NET_QUEUE, RECEIPT_QUEUE, RECEIVES_MAX, RETRY_QUEUE, queue_arn};
use postern_cli::engines::{Endpoints, Engines};

use super::clock::Clock;
use crate::world;

/// Engines at a set time, and an SQS client for them.
struct Sqs {
    clock: Clock,
    engines: Engines,
    client: aws_sdk_sqs::Client,
}

impl Sqs {
    async fn new() -> Self {
        Self::over(None, Clock::new()).await
    }

    async fn over(data: Option<&std::path::Path>, clock: Clock) -> Self {
        let engines = Engines::start_at(data, clock.ambient()).await.unwrap();
        let client = engines.endpoints().all_clients(None).sqs;
        Self { clock, engines, client }
    }

    fn url(&self, queue: &str) -> String {
        let urls = self.engines.endpoints().queue_urls();
        let all = [urls.retry, urls.receipt, urls.net, urls.dead];
        all.into_iter().find(|url| url.ends_with(queue)).unwrap_or_else(|| panic!("{queue}"))
    }

    async fn send(&self, queue: &str, body: &str) {
        self.client.send_message().queue_url(self.url(queue)).message_body(body).send().await.unwrap();
    }

    async fn receive(&self, queue: &str, visibility: Option<i32>) -> Option<Message> {
        let request = self.client.receive_message().queue_url(self.url(queue)).set_visibility_timeout(visibility);
        let answer = request.message_system_attribute_names(MessageSystemAttributeName::All).send().await.unwrap();
        answer.messages.unwrap_or_default().pop()
    }

    async fn delete(&self, queue: &str, message: &Message) {
        let handle = message.receipt_handle().unwrap();
        self.client.delete_message().queue_url(self.url(queue)).receipt_handle(handle).send().await.unwrap();
    }

    /// Due, in flight, delayed.
    async fn depth(&self, queue: &str) -> [String; 3] {
        let request = self.client.get_queue_attributes().queue_url(self.url(queue));
        let answer = request.attribute_names(QueueAttributeName::All).send().await.unwrap();
        let attributes = answer.attributes.unwrap();
        assert_eq!(attributes[&QueueAttributeName::QueueArn], queue_arn(queue));
        [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ]
        .map(|name| attributes[&name].clone())
    }
}

fn attribute<'a>(message: &'a Message, name: &MessageSystemAttributeName) -> &'a str {
    message.attributes().and_then(|attributes| attributes.get(name)).map_or("-", String::as_str)
}

#[tokio::test]
async fn a_message_is_sent_received_kept_from_others_and_deleted() {
    let sqs = Sqs::new().await;
    let url = sqs.url(RETRY_QUEUE);
    let body = "{\"work\":\"decide\"} äöü \u{1f4e8}";
    let sent = sqs.client.send_message().queue_url(&url).message_body(body).send().await.unwrap();
    // By `printf '{"work":"decide"} äöü 📨' | md5sum`.
    assert_eq!(sent.md5_of_message_body(), Some("b940e88dca35e294b9adeed59537e3b5"));
    assert_eq!(sqs.depth(RETRY_QUEUE).await, ["1", "0", "0"]);

    sqs.clock.pass(2);
    let first = sqs.receive(RETRY_QUEUE, Some(30)).await.unwrap();
    assert_eq!((first.body(), first.message_id()), (Some(body), sent.message_id()));
    assert_eq!(first.md5_of_body(), sent.md5_of_message_body());
    let millis = |seconds: i64| (world::now().as_millisecond() + seconds * 1_000).to_string();
    assert_eq!(attribute(&first, &MessageSystemAttributeName::ApproximateReceiveCount), "1");
    assert_eq!(attribute(&first, &MessageSystemAttributeName::SentTimestamp), millis(0));
    assert_eq!(attribute(&first, &MessageSystemAttributeName::ApproximateFirstReceiveTimestamp), millis(2));
    assert_eq!(sqs.depth(RETRY_QUEUE).await, ["0", "1", "0"]);

    sqs.clock.pass(29);
    assert!(sqs.receive(RETRY_QUEUE, None).await.is_none(), "still kept from others");
    sqs.clock.pass(1);
    let second = sqs.receive(RETRY_QUEUE, None).await.unwrap();
    assert_eq!(attribute(&second, &MessageSystemAttributeName::ApproximateReceiveCount), "2");
    assert_eq!(attribute(&second, &MessageSystemAttributeName::ApproximateFirstReceiveTimestamp), millis(2));
    sqs.delete(RETRY_QUEUE, &first).await;
    assert_eq!(sqs.depth(RETRY_QUEUE).await, ["0", "1", "0"], "the handle of an earlier receive deletes nothing");
    sqs.delete(RETRY_QUEUE, &second).await;
    sqs.delete(RETRY_QUEUE, &second).await;
    assert_eq!(sqs.depth(RETRY_QUEUE).await, ["0", "0", "0"]);
}

#[tokio::test]
async fn a_delay_holds_a_message_back_and_the_net_waits_fifteen_minutes_by_itself() {
    let sqs = Sqs::new().await;
    sqs.send(NET_QUEUE, "by the queue").await;
    let request = sqs.client.send_message().queue_url(sqs.url(NET_QUEUE)).message_body("by the sender");
    request.delay_seconds(5).send().await.unwrap();
    assert_eq!(sqs.depth(NET_QUEUE).await, ["0", "0", "2"]);
    sqs.clock.pass(4);
    assert!(sqs.receive(NET_QUEUE, None).await.is_none());
    sqs.clock.pass(1);
    assert_eq!(sqs.receive(NET_QUEUE, Some(3600)).await.unwrap().body(), Some("by the sender"));
    sqs.clock.pass(894);
    assert!(sqs.receive(NET_QUEUE, None).await.is_none());
    sqs.clock.pass(1);
    assert_eq!(sqs.receive(NET_QUEUE, None).await.unwrap().body(), Some("by the queue"));
}

#[tokio::test]
async fn who_holds_a_message_says_when_it_comes_back() {
    let sqs = Sqs::new().await;
    sqs.send(RETRY_QUEUE, "work").await;
    let first = sqs.receive(RETRY_QUEUE, Some(30)).await.unwrap();
    let change = |message: &Message, seconds: i32| {
        let request = sqs.client.change_message_visibility().queue_url(sqs.url(RETRY_QUEUE));
        request.receipt_handle(message.receipt_handle().unwrap()).visibility_timeout(seconds).send()
    };
    change(&first, 600).await.unwrap();
    sqs.clock.pass(599);
    assert!(sqs.receive(RETRY_QUEUE, None).await.is_none());
    let too_long = change(&first, 43_200).await.unwrap_err();
    assert_eq!(too_long.code(), Some("InvalidParameterValue"), "twelve hours count from the receive");
    change(&first, 0).await.unwrap();
    assert!(change(&first, 5).await.unwrap_err().into_service_error().is_message_not_inflight());
    let second = sqs.receive(RETRY_QUEUE, None).await.unwrap();
    assert_eq!(change(&first, 5).await.unwrap_err().code(), Some("InvalidParameterValue"), "not the holder any more");
    change(&second, 5).await.unwrap();
}

#[tokio::test]
async fn after_a_hundred_receives_a_message_is_a_dead_letter_its_body_unchanged() {
    let sqs = Sqs::new().await;
    for queue in [RETRY_QUEUE, RECEIPT_QUEUE, NET_QUEUE] {
        sqs.send(queue, queue).await;
        sqs.clock.pass(900);
        for receive in 1..=RECEIVES_MAX {
            let message = sqs.receive(queue, Some(0)).await.unwrap();
            assert_eq!(attribute(&message, &MessageSystemAttributeName::ApproximateReceiveCount), receive.to_string());
        }
        assert!(sqs.receive(queue, Some(0)).await.is_none());
        assert_eq!(sqs.depth(queue).await, ["0", "0", "0"]);
        let letter = sqs.receive(DEAD_QUEUE, None).await.unwrap();
        assert_eq!(letter.body(), Some(queue));
        assert_eq!(attribute(&letter, &MessageSystemAttributeName::DeadLetterQueueSourceArn), queue_arn(queue));
        sqs.delete(DEAD_QUEUE, &letter).await;
    }
    sqs.send(DEAD_QUEUE, "stays").await;
    for _ in 0..=RECEIVES_MAX {
        sqs.receive(DEAD_QUEUE, Some(0)).await.expect("dead letters go nowhere");
    }
}

#[tokio::test]
async fn a_restart_keeps_messages_their_counts_and_their_times() {
    let folder = tempfile::tempdir().unwrap();
    let sqs = Sqs::over(Some(folder.path()), Clock::new()).await;
    for body in ["waits", "deleted"] {
        sqs.send(RETRY_QUEUE, body).await;
        sqs.clock.pass(1);
    }
    let waits = sqs.receive(RETRY_QUEUE, Some(120)).await.unwrap();
    let deleted = sqs.receive(RETRY_QUEUE, Some(120)).await.unwrap();
    assert_eq!((waits.body(), deleted.body()), (Some("waits"), Some("deleted")), "in the order they were sent");
    sqs.delete(RETRY_QUEUE, &deleted).await;
    sqs.send(NET_QUEUE, "in the net").await;
    let Sqs { clock, engines, .. } = sqs;
    engines.stop().await;
    // What a process leaves that is killed while it sends.
    std::fs::write(folder.path().join("queues").join(RETRY_QUEUE).join("torn.new"), b"{\"id\":").unwrap();

    let sqs = Sqs::over(Some(folder.path()), clock).await;
    assert_eq!(sqs.depth(RETRY_QUEUE).await, ["0", "1", "0"]);
    assert_eq!(sqs.depth(NET_QUEUE).await, ["0", "0", "1"]);
    sqs.clock.pass(119);
    assert!(sqs.receive(RETRY_QUEUE, None).await.is_none());
    sqs.clock.pass(1);
    let again = sqs.receive(RETRY_QUEUE, None).await.unwrap();
    assert_eq!(attribute(&again, &MessageSystemAttributeName::ApproximateReceiveCount), "2");
    sqs.delete(RETRY_QUEUE, &waits).await;
    assert_eq!(sqs.depth(RETRY_QUEUE).await, ["0", "1", "0"], "handles of the last run are old ones");
    sqs.delete(RETRY_QUEUE, &again).await;
    assert_eq!(std::fs::read_dir(folder.path().join("queues").join(RETRY_QUEUE)).unwrap().count(), 0);
}

#[tokio::test]
async fn a_message_file_that_is_not_ours_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let queue = folder.path().join("queues").join(NET_QUEUE);
    std::fs::create_dir_all(&queue).unwrap();
    std::fs::write(queue.join("odd.json"), b"{}").unwrap();
    let refused = Engines::start(Some(folder.path())).await.unwrap_err();
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert!(refused.to_string().contains(NET_QUEUE) && cause.contains("odd.json"), "{refused}: {cause}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_receivers_never_share_a_message() {
    let sqs = Arc::new(Sqs::new().await);
    for n in 0..64 {
        sqs.send(RECEIPT_QUEUE, &format!("message {n}")).await;
    }
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let receivers: Vec<_> = (0..16)
        .map(|_| {
            let (sqs, seen) = (Arc::clone(&sqs), Arc::clone(&seen));
            tokio::spawn(async move {
                let url = sqs.url(RECEIPT_QUEUE);
                loop {
                    let request = sqs.client.receive_message().queue_url(&url).max_number_of_messages(3);
                    let messages = request.send().await.unwrap().messages.unwrap_or_default();
                    if messages.is_empty() {
                        return;
                    }
                    seen.lock().unwrap().extend(messages.iter().map(|message| message.body().unwrap().to_owned()));
                }
            })
        })
        .collect();
    for receiver in receivers {
        receiver.await.unwrap();
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 64);
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 64);
}

#[tokio::test]
async fn a_receiver_that_waits_gets_what_is_sent_meanwhile() {
    let engines = Engines::start(None).await.unwrap();
    let client = engines.endpoints().all_clients(None).sqs;
    let url = engines.endpoints().queue_urls().retry;
    let waits = tokio::spawn(client.receive_message().queue_url(&url).wait_time_seconds(2).send());
    // Sent until the receiver has one: it may not have asked yet.
    while !waits.is_finished() {
        client.send_message().queue_url(&url).message_body("now").send().await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(waits.await.unwrap().unwrap().messages()[0].body(), Some("now"));
}

#[tokio::test]
async fn batches_are_answered_entry_by_entry() {
    let sqs = Sqs::new().await;
    let url = sqs.url(RETRY_QUEUE);
    let entry = |id: &str, body: &str, delay: Option<i32>| {
        SendMessageBatchRequestEntry::builder().id(id).message_body(body).set_delay_seconds(delay).build().unwrap()
    };
    let batch = |entries: Vec<_>| sqs.client.send_message_batch().queue_url(&url).set_entries(Some(entries)).send();
    let entries = vec![entry("good", "one", None), entry("late", "two", Some(901)), entry("control", "\u{1}", None)];
    let answer = batch(entries).await.unwrap();
    assert_eq!(answer.successful()[0].id(), "good");
    assert_eq!(answer.successful()[0].md5_of_message_body(), "f97c5d29941bfb1b2fdab0874906ab82");
    let failed: Vec<_> = answer.failed().iter().map(|failed| (failed.id(), failed.code())).collect();
    assert_eq!(failed, [("late", "InvalidParameterValue"), ("control", "InvalidMessageContents")]);

    assert!(batch(Vec::new()).await.unwrap_err().into_service_error().is_empty_batch_request());
    let twice = batch(vec![entry("a", "x", None), entry("a", "y", None)]).await.unwrap_err();
    assert!(twice.into_service_error().is_batch_entry_ids_not_distinct());
    let eleven = (0..11).map(|n| entry(&n.to_string(), "x", None)).collect();
    assert!(batch(eleven).await.unwrap_err().into_service_error().is_too_many_entries_in_batch_request());
    let half = "x".repeat(600_000);
    let long = batch(vec![entry("a", &half, None), entry("b", &half, None)]).await.unwrap_err();
    assert!(long.into_service_error().is_batch_request_too_long());
    assert_eq!(sqs.depth(RETRY_QUEUE).await, ["1", "0", "0"], "a refused batch sends nothing");

    let held = sqs.receive(RETRY_QUEUE, None).await.unwrap();
    let entry = |id: &str, handle: &str| {
        DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(handle).build().unwrap()
    };
    let request = sqs.client.delete_message_batch().queue_url(&url);
    let request = request.entries(entry("good", held.receipt_handle().unwrap())).entries(entry("bad", "no handle"));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.successful()[0].id(), "good");
    assert_eq!((answer.failed()[0].id(), answer.failed()[0].code()), ("bad", "ReceiptHandleIsInvalid"));
    assert_eq!(sqs.depth(RETRY_QUEUE).await, ["0", "0", "0"]);
}

#[tokio::test]
async fn what_sqs_refuses_is_refused_in_its_words() {
    let sqs = Sqs::new().await;
    let url = sqs.url(RETRY_QUEUE);
    let send = |url: &str, body: &str| sqs.client.send_message().queue_url(url).message_body(body).send();
    let nowhere = send("http://127.0.0.1/000000000000/postern-other", "x").await.unwrap_err();
    assert_eq!(nowhere.raw_response().unwrap().status().as_u16(), 400);
    assert!(nowhere.into_service_error().is_queue_does_not_exist());
    let large = send(&url, &"x".repeat(1_048_577)).await.unwrap_err();
    assert_eq!(large.code(), Some("InvalidParameterValue"));
    assert!(large.message().unwrap().contains("shorter than 1048576 bytes"));
    send(&url, &"\u{7f}".repeat(1_048_576)).await.unwrap();
    assert!(send(&url, "a\u{0}b").await.unwrap_err().into_service_error().is_invalid_message_contents());
    assert_eq!(send(&url, "").await.unwrap_err().code(), Some("MissingParameter"));

    let receive = || sqs.client.receive_message().queue_url(&url);
    for refused in [
        receive().max_number_of_messages(11).send().await,
        receive().max_number_of_messages(0).send().await,
        receive().wait_time_seconds(21).send().await,
        receive().visibility_timeout(43_201).send().await,
    ] {
        assert_eq!(refused.unwrap_err().code(), Some("InvalidParameterValue"));
    }
    let delete = sqs.client.delete_message().queue_url(&url).receipt_handle("nonsense").send().await.unwrap_err();
    assert!(delete.into_service_error().is_receipt_handle_is_invalid());
}

#[tokio::test]
async fn queues_are_found_by_name_and_emptied() {
    let sqs = Sqs::new().await;
    let listed = sqs.client.list_queues().send().await.unwrap();
    assert_eq!(listed.queue_urls().len(), 5);
    let found = sqs.client.get_queue_url().queue_name(DEAD_QUEUE).send().await.unwrap();
    assert_eq!(found.queue_url(), Some(sqs.url(DEAD_QUEUE).as_str()));
    assert!(listed.queue_urls().contains(&sqs.url(DEAD_QUEUE)));
    let none = sqs.client.get_queue_url().queue_name("other").send().await.unwrap_err();
    assert!(none.into_service_error().is_queue_does_not_exist());
    for body in ["a", "b"] {
        sqs.send(DEAD_QUEUE, body).await;
    }
    sqs.client.purge_queue().queue_url(sqs.url(DEAD_QUEUE)).send().await.unwrap();
    assert_eq!(sqs.depth(DEAD_QUEUE).await, ["0", "0", "0"]);
}

/// Any page in a browser may post a form to loopback; the fields that make a request an SDK's it may not set.
#[tokio::test]
async fn a_request_without_a_signature_is_refused() {
    let sqs = Sqs::new().await;
    let address = sqs.engines.endpoints().sqs.trim_start_matches("http://").to_owned();
    let mut socket = tokio::net::TcpStream::connect(&address).await.unwrap();
    let body = format!("{{\"QueueUrl\":\"{}\",\"MessageBody\":\"x\"}}", sqs.url(RETRY_QUEUE));
    let request = format!(
        "POST / HTTP/1.1\r\nhost: {address}\r\nx-amz-target: AmazonSQS.SendMessage\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    tokio::io::AsyncWriteExt::write_all(&mut socket, request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut socket, &mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert_eq!(sqs.depth(RETRY_QUEUE).await, ["0", "0", "0"]);
}

#[test]
fn endpoints_of_an_older_version_are_read_and_known_to_be_incomplete() {
    let old = r#"{"dynamodb":"http://127.0.0.1:1","s3":"http://127.0.0.1:2","http":null,"pid":7}"#;
    let endpoints: Endpoints = serde_json::from_str(old).unwrap();
    assert!(!endpoints.are_complete());
}
