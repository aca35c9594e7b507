//! How the function starts and what it logs.

use std::process::{Command, Stdio};

use jiff::Timestamp;
use postern::{ambient::Ambient, config::Config};
use postern_publish::App;

use super::{KINDS, app, config, handle, records, world_with};
use crate::{
    harness::{fault::Fault, log::Log, topic::Topic, wire::Wire},
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

#[tokio::test]
async fn no_subject_and_no_address_is_logged() {
    let log = Log::of("warn,postern=trace,postern_publish=trace");
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
    let log = log.text();
    for expected in ["stream records worked off", "not told yet", "TICKET#1 ENTRY#"] {
        assert!(log.contains(expected), "the log lacks {expected:?}, so this test sees nothing: {log}");
    }
    for word in ["subject", "people.example", "us.example", "ids.example", "agent-7", "INC-0"] {
        let line = log.lines().find(|line| line.contains(word));
        assert_eq!(line, None, "{word:?} is in the log");
    }
}
