//! How the function starts and what it logs.

use std::{
    io::Write,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

use jiff::Timestamp;
use postern::{ambient::Ambient, config::Config};
use postern_publish::App;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::{KINDS, app, config, handle, records, world_with};
use crate::{
    harness::{fault::Fault, topic::Topic, wire::Wire},
    world::World,
};

#[tokio::test]
async fn a_topic_of_the_wrong_kind_ends_the_start() {
    let world = World::new().await;
    let clients = Wire::new().aws(&world.engines);
    for arn in ["postern-events", "arn:aws:sns:eu-central-1:000000000000:events.fifo"] {
        let config = Config { events_topic: arn.to_owned(), ..config() };
        let why = App::new(config, &clients, Ambient::fixed(Timestamp::UNIX_EPOCH, 0)).unwrap_err().to_string();
        assert!(why.contains("POSTERN_EVENTS_TOPIC") && why.contains("standard"), "{why}");
    }
}

#[test]
fn a_process_without_configuration_ends_and_names_everything() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_publish-under-test"));
    let ended = command.env_clear().stdin(Stdio::null()).output().unwrap();
    assert!(!ended.status.success());
    let log = String::from_utf8_lossy(&ended.stdout);
    for name in ["POSTERN_TABLE", "POSTERN_EVENTS_TOPIC", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        assert!(log.contains(&format!("{name} is not set")), "{name} is not named: {log}");
    }
}

#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<u8>>>);

impl Write for Collected {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Collected {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_subject_and_no_address_is_logged() {
    let collected = Collected::default();
    let filter = EnvFilter::new("warn,postern=trace,postern_publish=trace");
    let subscriber = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(collected.clone()).finish();
    // As in providers/logs.rs: while there is one subscriber only, other threads may switch a line off for all.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_env_filter(EnvFilter::new("off")).finish());
    let _guard = tracing::subscriber::set_default(subscriber);
    for (kind, _) in KINDS {
        let world = world_with(kind).await;
        let topic = Topic::default();
        let wire = Wire::new().with_topic(&topic);
        let app = app(&world, &wire);
        let batch = records(&world).await;
        wire.fail_call(1, Fault::ServerError);
        wire.fail_call(3, Fault::Throttled);
        wire.fail_call(4, Fault::Refused);
        for _ in 0..4 {
            handle(&app, &batch).await;
        }
        assert!(!topic.published().is_empty(), "{kind}");
        assert!(app.handle(serde_json::json!({"Records": [{"eventSource": "aws:sns"}]})).await.is_err());
    }
    let log = String::from_utf8(collected.0.lock().unwrap().clone()).unwrap();
    for expected in ["stream records worked off", "not told yet", "TICKET#1 ENTRY#"] {
        assert!(log.contains(expected), "the log lacks {expected:?}, so this test sees nothing: {log}");
    }
    for word in ["subject", "people.example", "us.example", "ids.example", "agent-7", "INC-0"] {
        let line = log.lines().find(|line| line.contains(word));
        assert_eq!(line, None, "{word:?} is in the log");
    }
}
