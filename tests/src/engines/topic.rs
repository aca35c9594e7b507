//! The topic, through the real SNS client; and the URL that events are told to.

use std::sync::{Arc, Mutex};

use aws_sdk_sns::error::ProvideErrorMetadata;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use postern_cli::engines::topic::EVENTS_TOPIC;
use postern_cli::engines::{Engines, Settings};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::clock::Clock;
use crate::world;

fn attribute(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
}

fn sns(engines: &Engines) -> aws_sdk_sns::Client {
    engines.endpoints().all_clients(None).sns
}

async fn publish(engines: &Engines, message: &str) {
    sns(engines).publish().topic_arn(EVENTS_TOPIC).message(message).send().await.unwrap();
}

#[tokio::test]
async fn what_is_published_is_kept_with_its_attributes() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::new();
    let engines = Engines::start_at(Some(folder.path()), clock.ambient()).await.unwrap();
    let message = "{\"type\":\"ticket.created\",\"subject\":\"<ä> & \\\"b\\\"\\n\"}";
    let request = sns(&engines).publish().topic_arn(EVENTS_TOPIC).message(message);
    let request = request.message_attributes("type", attribute("ticket.created"));
    let answer = request.message_attributes("queue", attribute("a+b c")).send().await.unwrap();
    engines.stop().await;
    // What a process leaves that is killed while it publishes.
    let log = folder.path().join("events.jsonl");
    let whole = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, format!("{whole}{{\"id\":\"to")).unwrap();

    let engines = Engines::start_at(Some(folder.path()), clock.ambient()).await.unwrap();
    publish(&engines, "second").await;
    let events = engines.events().unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!((Some(events[0].id.as_str()), events[0].at), (answer.message_id(), world::now()));
    assert_eq!((events[0].message.as_str(), events[1].message.as_str()), (message, "second"));
    let attributes: Vec<_> = events[0].attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(attributes, [("queue", "a+b c"), ("type", "ticket.created")]);
}

#[tokio::test]
async fn of_a_batch_the_bad_entries_fail_alone() {
    let engines = Engines::start(None).await.unwrap();
    let entry = |id: &str, message: &str| PublishBatchRequestEntry::builder().id(id).message(message);
    let batch = |entries: Vec<PublishBatchRequestEntry>| {
        sns(&engines).publish_batch().topic_arn(EVENTS_TOPIC).set_publish_batch_request_entries(Some(entries)).send()
    };
    let nothing = MessageAttributeValue::builder().data_type("String").string_value("").build().unwrap();
    let entries = vec![
        entry("good", "one").message_attributes("type", attribute("x")).build().unwrap(),
        entry("bad", "two").message_attributes("queue", nothing).build().unwrap(),
        entry("empty", "").build().unwrap(),
        entry("last", "three").build().unwrap(),
    ];
    let answer = batch(entries).await.unwrap();
    let published = engines.events().unwrap();
    let messages: Vec<_> = published.iter().map(|event| event.message.as_str()).collect();
    assert_eq!(messages, ["one", "three"]);
    let told: Vec<_> =
        answer.successful().iter().map(|entry| (entry.id().unwrap(), entry.message_id().unwrap())).collect();
    assert_eq!(told, [("good", published[0].id.as_str()), ("last", published[1].id.as_str())]);
    let failed: Vec<_> = answer.failed().iter().map(|entry| (entry.id(), entry.code(), entry.sender_fault())).collect();
    assert_eq!(failed, [("bad", "ParameterValueInvalid", true), ("empty", "InvalidParameter", true)]);

    let plain = |id: &str, message: &str| entry(id, message).build().unwrap();
    let twice = batch(vec![plain("a", "x"), plain("a", "y")]).await.unwrap_err();
    assert!(twice.into_service_error().is_batch_entry_ids_not_distinct_exception());
    let eleven = batch((0..11).map(|n| plain(&n.to_string(), "x")).collect()).await.unwrap_err();
    assert!(eleven.into_service_error().is_too_many_entries_in_batch_request_exception());
    let half = "x".repeat(140_000);
    let long = batch(vec![plain("a", &half), plain("b", &half)]).await.unwrap_err();
    assert!(long.into_service_error().is_batch_request_too_long_exception());
    assert_eq!(engines.events().unwrap().len(), 2, "a refused batch publishes nothing");
}

#[tokio::test]
async fn what_sns_refuses_is_refused_in_its_words() {
    let engines = Engines::start(None).await.unwrap();
    let nowhere = sns(&engines).publish().topic_arn(format!("{EVENTS_TOPIC}-other")).message("x").send().await;
    assert!(nowhere.unwrap_err().into_service_error().is_not_found_exception());
    let large = sns(&engines).publish().topic_arn(EVENTS_TOPIC).message("x".repeat(262_145)).send().await;
    let large = large.unwrap_err();
    assert_eq!(large.message(), Some("Invalid parameter: Message too long"));
    assert!(large.into_service_error().is_invalid_parameter_exception());
    publish(&engines, &"&".repeat(262_144)).await;
    assert_eq!(engines.events().unwrap().len(), 1);
}

/// A receiver of events. It answers with the statuses it was given, then with 200.
struct Receiver {
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
    heard: Arc<Notify>,
}

impl Receiver {
    async fn new(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?a=b", listener.local_addr().unwrap());
        let (seen, heard): (Arc<Mutex<Vec<String>>>, Arc<Notify>) = Default::default();
        let statuses = Arc::new(Mutex::new(statuses.to_vec()));
        let state = (Arc::clone(&seen), Arc::clone(&heard));
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (state, statuses) = (state.clone(), Arc::clone(&statuses));
                let service = service_fn(move |request: Request<Incoming>| {
                    let ((seen, heard), statuses) = (state.clone(), Arc::clone(&statuses));
                    async move {
                        assert_eq!(request.uri().path_and_query().unwrap(), "/hook?a=b");
                        assert_eq!(request.headers()["content-type"], "application/json");
                        let body = request.into_body().collect().await.unwrap().to_bytes();
                        let mut statuses = statuses.lock().unwrap();
                        let status = if statuses.is_empty() { 200 } else { statuses.remove(0) };
                        seen.lock().unwrap().push(format!("{status} {}", String::from_utf8_lossy(&body)));
                        heard.notify_one();
                        let answer = Response::builder().status(status).body(Full::new(Bytes::new()));
                        Ok::<_, std::convert::Infallible>(answer.unwrap())
                    }
                });
                let connection =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service);
                tokio::spawn(connection);
            }
        });
        Self { url, seen, heard }
    }

    /// Waits until it has heard so many requests.
    async fn seen(&self, count: usize) -> Vec<String> {
        loop {
            let heard = self.heard.notified();
            let seen = self.seen.lock().unwrap().clone();
            if seen.len() >= count {
                return seen;
            }
            heard.await;
        }
    }
}

async fn telling(data: &std::path::Path, url: &str) -> Engines {
    let settings = Settings { ambient: Clock::new().ambient(), events_url: Some(url.to_owned()) };
    Engines::start_with(Some(data), settings).await.unwrap()
}

#[tokio::test]
async fn an_url_is_told_each_event_in_order_and_again_until_it_takes_it() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::new(&[500, 429, 200, 400]).await;
    let engines = telling(folder.path(), &receiver.url).await;
    for message in ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"] {
        publish(&engines, message).await;
    }
    let seen = receiver.seen(5).await;
    // 400 refuses for good, as with SNS.
    assert_eq!(seen, ["500 {\"n\":1}", "429 {\"n\":1}", "200 {\"n\":1}", "400 {\"n\":2}", "200 {\"n\":3}"]);
    engines.stop().await;

    let engines = telling(folder.path(), &receiver.url).await;
    publish(&engines, "{\"n\":4}").await;
    assert_eq!(receiver.seen(6).await[5], "200 {\"n\":4}", "a restart goes on where it stopped");
}

#[tokio::test]
async fn a_dead_url_stops_nothing_and_hears_later_what_it_missed() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::new(&[]).await;
    let engines = Engines::start(Some(folder.path())).await.unwrap();
    publish(&engines, "before anybody subscribed").await;
    engines.stop().await;

    let engines = telling(folder.path(), &receiver.url).await;
    publish(&engines, "heard").await;
    receiver.seen(1).await;
    engines.stop().await;
    // Nobody subscribes for a while.
    let engines = Engines::start(Some(folder.path())).await.unwrap();
    publish(&engines, "missed").await;
    engines.stop().await;
    let engines = telling(folder.path(), &receiver.url).await;
    assert_eq!(receiver.seen(2).await, ["200 heard", "200 missed"]);
    engines.stop().await;

    let engines = telling(folder.path(), "http://127.0.0.1:9/nobody").await;
    publish(&engines, "kept").await;
    assert_eq!(engines.events().unwrap().last().unwrap().message, "kept");
    engines.stop().await;
}

#[tokio::test]
async fn listeners_hear_what_is_published() {
    let engines = Engines::start(None).await.unwrap();
    let mut listener = engines.topic().listen();
    publish(&engines, "now").await;
    assert_eq!(listener.recv().await.unwrap().message, "now");
}
