//! The sample events of the queue functions: each gets its documented end. A sample nobody expects anything of fails.

use std::{collections::BTreeSet, path::PathBuf};

use serde_json::{Value, json};

use crate::{
    harness::wire::Wire,
    world::{World, mail, mailbox, text},
};

/// File; outcome, cause or effect of the row.
const EXPECTED: [(&str, &str, &str); 11] = [
    ("receipt-content-base64", "committed", "created"),
    ("receipt-foreign-bucket", "failed", "unreadable-payload"),
    ("receipt-lambda-action", "committed", "created"),
    ("receipt-raw-delivery", "committed", "created"),
    ("receipt-setup", "ignored", "ses-setup"),
    ("receipt-sns", "committed", "created"),
    ("receipt-sns-in-sqs", "committed", "created"),
    ("receipt-virus", "held", "virus"),
    ("retry-dead-letter", "failed", "dead-letter"),
    ("retry-decide", "committed", "created"),
    ("retry-safety-net", "held", "unaccounted"),
];

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../events"))
}

fn sample(name: &str) -> Value {
    let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).expect(name);
    serde_json::from_str(&text).expect(name)
}

async fn world() -> World {
    let world = World::with(vec![mailbox("support", "support@postern.test", "INC")]).await;
    for key in ["raw/ses/ses-1", "raw/mailgun/sample"] {
        world.ses_writes(key, mail("o", "jane.doe@customer.example").octets("1")).await;
    }
    world
}

#[tokio::test]
async fn every_sample_has_its_documented_end() {
    for (name, outcome, why) in EXPECTED {
        let world = world().await;
        let answer = if name.starts_with("receipt") {
            world.receipt_function(&Wire::new()).handle(sample(name)).await.unwrap()
        } else {
            world.retry_function(&Wire::new()).handle(sample(name)).await.unwrap()
        };
        let failures = answer.get("batchItemFailures").cloned().unwrap_or(json!([]));
        assert_eq!(failures, json!([]), "{name}");
        let rows = world.items("MAIL#").await;
        assert_eq!(rows.len(), 1, "{name}");
        let row = rows.values().next().unwrap();
        let found = text(row, "cause") + &text(row, "effect");
        assert_eq!((text(row, "outcome").as_str(), found.as_str()), (outcome, why), "{name}");
    }
}

#[tokio::test]
async fn the_samples_of_the_schedules_are_understood() {
    for (name, expected) in [
        ("retry-sweep", json!({ "touched": 0, "left": 0, "retold": 0, "warned": 0 })),
        ("retry-reconcile", json!({ "announced": 0, "redriven": 0, "stubs": 0, "broken": 0 })),
        ("retry-close", json!({ "closed": 0, "left": 0 })),
    ] {
        let answer = world().await.retry_function(&Wire::new()).handle(sample(name)).await.unwrap();
        assert_eq!(answer, expected, "{name}");
    }
}

#[test]
fn every_sample_is_expected() {
    let files = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let samples = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let names: BTreeSet<String> = samples.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let functions = ["webhook-", "receipt-", "retry-", "publish-", "poll-"];
    let stray: Vec<&String> = names.iter().filter(|name| !functions.iter().any(|f| name.starts_with(f))).collect();
    assert!(stray.is_empty(), "samples of no function: {stray:?}");
    let ours: BTreeSet<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| name.starts_with("receipt-") || name.starts_with("retry-"))
        .collect();
    let expected: BTreeSet<&str> =
        EXPECTED.iter().map(|(name, ..)| *name).chain(["retry-close", "retry-reconcile", "retry-sweep"]).collect();
    assert_eq!(ours, expected);
}
