//! The event sources: what a handler refuses comes back, what it takes is gone, and they stop without losing anything.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postern::ambient::Ambient;
use postern_cli::engines::Engines;
use postern_cli::engines::queues::{DEAD_QUEUE, Depth, RECEIVES_MAX, RETRY_QUEUE};
use postern_cli::pump::{Handler, Messages, Pump, Records, Schedule, drain, run};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::clock::Clock;
use super::stream::{names, write};

/// Events that a handler saw.
type Seen = Arc<Mutex<Vec<Value>>>;

/// How a handler answers an event.
type Answers = fn(&Value) -> Result<Value, String>;

/// A handler that answers by `answer`, and what it was given.
fn handler(answer: impl Fn(&Value) -> Result<Value, String> + Send + Sync + 'static) -> (Handler, Seen) {
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    let handler = Handler::new(move |event: Value| {
        let answer = answer(&event);
        log.lock().unwrap().push(event);
        async move { answer }
    });
    (handler, seen)
}

fn bodies(event: &Value) -> Vec<&str> {
    event["Records"].as_array().unwrap().iter().map(|record| record["body"].as_str().unwrap()).collect()
}

fn fail_where(event: &Value, id: &str, fails: impl Fn(&Value) -> bool) -> Value {
    let records = event["Records"].as_array().unwrap().iter().filter(|record| fails(record));
    let failures: Vec<Value> = records.map(|record| json!({"itemIdentifier": record.pointer(id)})).collect();
    json!({ "batchItemFailures": failures })
}

async fn engines(clock: &Clock) -> Engines {
    Engines::start_at(None, clock.ambient()).await.unwrap()
}

fn send(engines: &Engines, bodies: &[&str]) {
    for body in bodies {
        engines.queues().send(RETRY_QUEUE, (*body).to_owned(), None).unwrap();
    }
}

#[tokio::test]
async fn a_message_arrives_as_lambda_shapes_it_and_is_gone_when_it_is_done() {
    let clock = Clock::new();
    let engines = engines(&clock).await;
    send(&engines, &["{\"work\":1}"]);
    let (handler, seen) = handler(|_| Ok(json!({"batchItemFailures": []})));
    let mut pumps: [Pump; 1] = [Messages::new(&engines, RETRY_QUEUE, 1, handler).into()];
    assert_eq!(drain(&mut pumps, 10).await.unwrap(), 1);
    assert_eq!(engines.queues().depth(RETRY_QUEUE), Depth::default());
    let event = seen.lock().unwrap()[0].clone();
    let record = &event["Records"][0];
    assert_eq!(record["eventSource"], "aws:sqs");
    assert_eq!(record["eventSourceARN"], "arn:aws:sqs:us-east-1:000000000000:postern-retry");
    assert_eq!(
        (&record["body"], &record["attributes"]["ApproximateReceiveCount"]),
        (&"{\"work\":1}".into(), &"1".into())
    );
    let event: aws_lambda_events::event::sqs::SqsEvent = serde_json::from_value(event).unwrap();
    assert!(event.records[0].message_id.is_some() && event.records[0].receipt_handle.is_some());
}

#[tokio::test]
async fn of_a_batch_only_what_is_named_comes_back_when_its_time_is_over() {
    let clock = Clock::new();
    let engines = engines(&clock).await;
    send(&engines, &["good", "bad", "fine"]);
    let failing = Arc::new(AtomicUsize::new(1));
    let left = Arc::clone(&failing);
    let (handler, seen) = handler(move |event| {
        let fails = left.load(Ordering::SeqCst) > 0;
        Ok(fail_where(event, "/messageId", |record| fails && record["body"] == "bad"))
    });
    let mut pumps: [Pump; 1] = [Messages::new(&engines, RETRY_QUEUE, 10, handler).into()];
    assert_eq!(drain(&mut pumps, 10).await.unwrap(), 3);
    assert_eq!(engines.queues().depth(RETRY_QUEUE), Depth { in_flight: 1, ..Depth::default() });
    assert_eq!(drain(&mut pumps, 10).await.unwrap(), 0, "not before its time");
    failing.store(0, Ordering::SeqCst);
    clock.pass(60);
    assert_eq!(drain(&mut pumps, 10).await.unwrap(), 1);
    assert_eq!(bodies(&seen.lock().unwrap()[1]), ["bad"]);
    assert_eq!(engines.queues().depth(RETRY_QUEUE), Depth::default());
}

#[tokio::test]
async fn an_error_a_panic_and_an_answer_that_names_a_stranger_fail_the_whole_batch() {
    let answers: [Answers; 4] = [
        |_| Err("down".to_owned()),
        |_| panic!("a handler's panic"),
        |_| Ok(json!({"batchItemFailures": [{"itemIdentifier": "stranger"}]})),
        |_| Ok(json!({"batchItemFailures": [{"itemIdentifier": ""}]})),
    ];
    for answer in answers {
        let clock = Clock::new();
        let engines = engines(&clock).await;
        send(&engines, &["a", "b"]);
        // The panic must come while the answer is awaited.
        let handler = Handler::new(move |event: Value| async move { answer(&event) });
        let mut pumps: [Pump; 1] = [Messages::new(&engines, RETRY_QUEUE, 10, handler).into()];
        assert_eq!(drain(&mut pumps, 10).await.unwrap(), 2);
        assert_eq!(engines.queues().depth(RETRY_QUEUE), Depth { in_flight: 2, ..Depth::default() });
        clock.pass(60);
        assert_eq!(engines.queues().depth(RETRY_QUEUE), Depth { due: 2, ..Depth::default() });
    }
}

#[tokio::test]
async fn a_handler_may_change_when_its_message_comes_back() {
    let clock = Clock::new();
    let engines = engines(&clock).await;
    send(&engines, &["later"]);
    let (client, url) = (engines.endpoints().all_clients(None).sqs, engines.endpoints().queue_urls().retry);
    let handler = Handler::new(move |event: Value| {
        let handle = event["Records"][0]["receiptHandle"].as_str().unwrap().to_owned();
        let change = client.change_message_visibility().queue_url(&url).receipt_handle(handle).visibility_timeout(300);
        async move {
            change.send().await.map_err(|error| error.to_string())?;
            Err::<Value, _>("not yet".to_owned())
        }
    });
    let mut pumps: [Pump; 1] = [Messages::new(&engines, RETRY_QUEUE, 1, handler).into()];
    assert_eq!(drain(&mut pumps, 10).await.unwrap(), 1);
    clock.pass(299);
    assert_eq!(drain(&mut pumps, 10).await.unwrap(), 0);
    clock.pass(1);
    assert_eq!(drain(&mut pumps, 10).await.unwrap(), 1);
}

#[tokio::test]
async fn what_never_succeeds_ends_among_the_dead_letters() {
    let clock = Clock::new();
    let engines = engines(&clock).await;
    send(&engines, &["poison"]);
    let (fails, tried) = handler(|_| Err("no".to_owned()));
    let (takes, letters) = handler(|_| Ok(Value::Null));
    let mut pumps: [Pump; 2] =
        [Messages::new(&engines, RETRY_QUEUE, 1, fails).into(), Messages::new(&engines, DEAD_QUEUE, 1, takes).into()];
    for _ in 0..=RECEIVES_MAX {
        drain(&mut pumps, 10).await.unwrap();
        clock.pass(60);
    }
    assert_eq!(tried.lock().unwrap().len(), usize::try_from(RECEIVES_MAX).unwrap());
    let letters = letters.lock().unwrap();
    assert_eq!((letters.len(), bodies(&letters[0])), (1, vec!["poison"]));
    assert_eq!(letters[0]["Records"][0]["eventSourceARN"], "arn:aws:sqs:us-east-1:000000000000:postern-dead");
    assert_eq!(engines.queues().depth(DEAD_QUEUE), Depth::default());
}

#[tokio::test]
async fn draining_what_never_ends_is_told() {
    let clock = Clock::new();
    let engines = engines(&clock).await;
    send(&engines, &["again"]);
    let queues = Arc::clone(engines.queues());
    let handler = Handler::new(move |_: Value| {
        let sent = queues.send(RETRY_QUEUE, "again".to_owned(), None);
        async move { sent.map(|_| Value::Null) }
    });
    let mut pumps: [Pump; 1] = [Messages::new(&engines, RETRY_QUEUE, 1, handler).into()];
    let why = drain(&mut pumps, 5).await.unwrap_err().to_string();
    assert!(why.contains("postern-retry") && why.contains('5'), "{why}");
}

#[tokio::test]
async fn the_stream_comes_again_from_the_first_that_failed_and_passes_over_what_never_succeeds() {
    let clock = Clock::new();
    let engines = engines(&clock).await;
    for pk in ["A", "B", "C", "D"] {
        write(&engines, pk, true).await;
    }
    let (handler, seen) =
        handler(|event| Ok(fail_where(event, "/dynamodb/SequenceNumber", |r| r["dynamodb"]["Keys"]["pk"]["S"] == "B")));
    let mut pumps: [Pump; 1] = [Records::new(&engines, &clock.ambient(), 3, 2, handler).into()];
    drain(&mut pumps, 20).await.unwrap();
    let seen: Vec<Vec<String>> = seen
        .lock()
        .unwrap()
        .iter()
        .map(|event| names(event["Records"].as_array().unwrap()).into_iter().map(str::to_owned).collect())
        .collect();
    assert_eq!(seen, [vec!["A", "B", "C"], vec!["B", "C", "D"], vec!["B", "C", "D"], vec!["C", "D"]]);
    let given_up: Vec<_> = std::fs::read_dir(engines.directory().join("stream-failures")).unwrap().collect();
    assert_eq!(given_up.len(), 1);
    let kept = std::fs::read(given_up[0].as_ref().unwrap().path()).unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!(kept["record"]["dynamodb"]["Keys"]["pk"]["S"], "B");
    assert_eq!(engines.stream().read(100).unwrap().records.len(), 0, "all is settled");
}

#[tokio::test]
async fn a_batch_that_fails_whole_is_halved_until_the_culprit_is_alone() {
    let clock = Clock::new();
    let engines = engines(&clock).await;
    for pk in ["A", "B", "C", "D"] {
        write(&engines, pk, true).await;
    }
    let (handler, seen) = handler(|event| {
        let culprit = names(event["Records"].as_array().unwrap()).contains(&"C");
        if culprit { Err("no".to_owned()) } else { Ok(json!({})) }
    });
    let mut pumps: [Pump; 1] = [Records::new(&engines, &clock.ambient(), 25, 2, handler).into()];
    drain(&mut pumps, 30).await.unwrap();
    let seen = seen.lock().unwrap();
    let taken: Vec<_> = seen
        .iter()
        .map(|event| names(event["Records"].as_array().unwrap()))
        .filter(|names| !names.contains(&"C"))
        .collect();
    assert_eq!(taken, [vec!["A", "B"], vec!["D"]]);
    assert_eq!(std::fs::read_dir(engines.directory().join("stream-failures")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_schedule_runs_once_each_time_and_a_failed_run_is_not_tried_again() {
    let clock = Clock::new();
    let (handler, seen) = handler(|_| Err("no".to_owned()));
    let every = Duration::from_secs(300);
    let mut pumps: [Pump; 1] = [Schedule::new(&clock.ambient(), every, json!({"work": "sweep"}), handler).into()];
    let mut runs = Vec::new();
    for seconds in [0, 299, 1, 0, 3_000] {
        clock.pass(seconds);
        runs.push(drain(&mut pumps, 10).await.unwrap());
    }
    assert_eq!(runs, [0, 0, 1, 0, 1]);
    assert_eq!(seen.lock().unwrap()[0], json!({"work": "sweep"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_finishes_what_is_under_way() {
    let engines = Engines::start(None).await.unwrap();
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let finished = Arc::new(AtomicUsize::new(0));
    let handler = {
        let (begun, go_on, finished) = (Arc::clone(&begun), Arc::clone(&go_on), Arc::clone(&finished));
        Handler::new(move |_: Value| {
            let (begun, go_on, finished) = (Arc::clone(&begun), Arc::clone(&go_on), Arc::clone(&finished));
            async move {
                begun.notify_one();
                go_on.notified().await;
                finished.fetch_add(1, Ordering::SeqCst);
                Ok::<_, String>(Value::Null)
            }
        })
    };
    let ambient = Ambient::system();
    let idle = Handler::new(|_: Value| async { Ok::<_, String>(Value::Null) });
    let pumps = vec![
        Messages::new(&engines, RETRY_QUEUE, 1, handler).into(),
        Messages::new(&engines, DEAD_QUEUE, 1, idle.clone()).into(),
        Records::new(&engines, &ambient, 25, 8, idle.clone()).into(),
        Schedule::new(&ambient, Duration::from_secs(300), Value::Null, idle).into(),
    ];
    let running = run(pumps, &ambient);
    send(&engines, &["under way", "waits"]);
    begun.notified().await;
    let mut stopping = std::pin::pin!(running.stop());
    // Polled once: it has told the pumps before the handler goes on.
    tokio::select! {
        biased;
        () = &mut stopping => panic!("the handler is still busy"),
        () = tokio::task::yield_now() => {}
    }
    go_on.notify_one();
    stopping.await;
    assert_eq!(finished.load(Ordering::SeqCst), 1);
    let depth = engines.queues().depth(RETRY_QUEUE);
    assert_eq!((depth.due, depth.in_flight), (1, 0), "what is done is deleted, what was not begun still lies there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn running_pumps_hear_of_what_comes_while_they_are_idle() {
    let engines = Engines::start(None).await.unwrap();
    let (told, heard) = tokio::sync::mpsc::unbounded_channel();
    let mut heard = heard;
    let handler = Handler::new(move |event: Value| {
        let source = event["Records"][0]["eventSource"].as_str().unwrap().to_owned();
        let sent = told.send(source);
        async move { sent.map(|()| json!({})) }
    });
    let ambient = Ambient::system();
    let pumps = vec![
        Messages::new(&engines, RETRY_QUEUE, 1, handler.clone()).into(),
        Records::new(&engines, &ambient, 25, 8, handler).into(),
    ];
    let running = run(pumps, &ambient);
    tokio::task::yield_now().await;
    send(&engines, &["now"]);
    assert_eq!(heard.recv().await.unwrap(), "aws:sqs");
    write(&engines, "A", true).await;
    assert_eq!(heard.recv().await.unwrap(), "aws:dynamodb");
    running.stop().await;
}
