//! The samples `events/publish-*.json`: each is a batch as Lambda delivers it, and gets its documented answer. A sample
//! nobody expects anything of fails, so that none can rot.

use std::{collections::BTreeSet, path::PathBuf};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

use super::{app, due, form, opening, records, until_told};
use crate::{
    harness::{topic::Topic, wire::Wire},
    world::{Item, World},
};

/// File, types of the events, sequence numbers that must come again.
const EXPECTED: [(&str, &[&str], &[&str]); 8] = [
    ("publish-entry-joined", &["entry.created"], &[]),
    ("publish-expired", &[], &[]),
    ("publish-mail-failed", &["message.failed"], &[]),
    ("publish-mail-held", &["message.held"], &[]),
    ("publish-one-broken", &["message.held", "entry.created"], &["000000000000000100001"]),
    ("publish-status-changed", &["ticket.status_changed"], &[]),
    ("publish-ticket-opened", &["ticket.created", "entry.created"], &[]),
    ("publish-ticket-reopened", &["entry.created", "ticket.reopened", "ticket.status_changed"], &[]),
];
/// The one that is no batch of a stream.
const WRONG_SOURCE: &str = "publish-wrong-source";

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../events"))
}

fn sample(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap()).unwrap()
}

fn item(image: &Value) -> Item {
    image.as_object().unwrap().iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

fn attribute(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    let text = || value.as_str().unwrap().to_owned();
    let list = || value.as_array().unwrap().iter();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "NS" => AttributeValue::Ns(list().map(|number| number.as_str().unwrap().to_owned()).collect()),
        "L" => AttributeValue::L(list().map(attribute).collect()),
        "M" => AttributeValue::M(item(value)),
        other => panic!("{other} is not among our attributes"),
    }
}

/// A world with the ticket that the samples speak of, told already, and the items of the sample's records.
async fn world_of(event: &Value) -> World {
    let world = World::new().await;
    world.deliver(&opening()).await;
    until_told(&app(&world, &Wire::new().with_topic(&Topic::default())), &records(&world).await).await;
    for record in event["Records"].as_array().unwrap() {
        let image = record.pointer("/dynamodb/NewImage").filter(|image| image.is_object());
        if let Some(image) = image {
            world.put_item(item(image)).await;
        }
    }
    world
}

#[tokio::test]
async fn every_sample_gets_its_documented_answer() {
    let validator = form::validator();
    for (name, types, again) in EXPECTED {
        let event = sample(name);
        let world = world_of(&event).await;
        let topic = Topic::default();
        let answer = app(&world, &Wire::new().with_topic(&topic)).handle(event).await.unwrap();
        assert_eq!(topic.types(), types, "{name}");
        let failures = answer["batchItemFailures"].as_array().unwrap();
        let failed: Vec<&str> = failures.iter().map(|f| f["itemIdentifier"].as_str().unwrap()).collect();
        assert_eq!(failed, again, "{name}");
        assert_eq!(due(&world).await.len(), again.len(), "{name}: what is told is not due");
        for published in topic.published() {
            assert!(validator.is_valid(&published.event), "{name}: {:#}", published.event);
        }
    }
}

#[tokio::test]
async fn the_sample_of_another_source_is_refused() {
    let world = World::new().await;
    let app = app(&world, &Wire::new().with_topic(&Topic::default()));
    let why = app.handle(sample(WRONG_SOURCE)).await.unwrap_err().to_string();
    assert!(why.contains("aws:sqs"), "{why}");
}

#[test]
fn every_sample_is_expected_and_documented() {
    let files = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let found: BTreeSet<String> = files
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .filter(|n| n.starts_with("publish-"))
        .collect();
    let expected = EXPECTED.iter().map(|(name, ..)| *name).chain([WRONG_SOURCE]).map(str::to_owned).collect();
    assert_eq!(found, expected);
    let page = std::fs::read_to_string(folder().join("README.md")).unwrap();
    for name in found {
        assert!(page.contains(&format!("`{name}.json`")), "events/README.md does not name {name}");
    }
}
