//! Ticket events: the stream's records into the handler, over the embedded table and a topic that remembers.

mod batches;
mod ends;
mod faults;
mod form;
mod races;
mod samples;
mod start;
mod sweep;
mod trail;

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use postern::{
    ambient::Ambient,
    config::{Config, Function},
    inbound::Ingress,
    ticket::Status,
};
use postern_cli::engines::TABLE;
use postern_publish::App;
use serde_json::{Map, Value, json};

use crate::{
    harness::{call::Call, topic::Topic, wire::Wire},
    world::{Copy, Item, World, mail, now, text},
};

const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:postern-events";

fn config() -> Config {
    Config::read(Function::Publish, |name| {
        Some(match name {
            "POSTERN_TABLE" => TABLE.to_owned(),
            "POSTERN_EVENTS_TOPIC" => TOPIC.to_owned(),
            "AWS_REGION" => "us-east-1".to_owned(),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "postern".to_owned(),
            _ => return None,
        })
    })
    .unwrap()
}

/// The function as one instance has it.
fn app(world: &World, wire: &Wire) -> App {
    App::new(config(), &wire.aws(&world.engines), Ambient::fixed(now(), 77)).unwrap()
}

/// What can become due, each with the types of its events.
const KINDS: [(&str, &[&str]); 9] = [
    ("opens a ticket", &["ticket.created", "entry.created"]),
    ("joins a ticket", &["entry.created"]),
    ("stranger", &["entry.created"]),
    ("reopens a ticket", &["entry.created", "ticket.reopened", "ticket.status_changed"]),
    ("an agent sets the status", &["ticket.status_changed"]),
    ("held", &["message.held"]),
    ("ends soon", &["message.expiring"]),
    ("failed", &["message.failed"]),
    ("a door is paused", &["door.paused"]),
];

fn opening() -> Copy {
    mail("o", "cust").to(&["bob"]).copy("0")
}

fn reply() -> Copy {
    mail("r", "bob").to(&["cust"]).reply_to(&["o"]).date(2).copy("1")
}

fn held() -> Copy {
    mail("h", "cust").copy("2").spam()
}

/// A world in which exactly one item is due, of that kind.
async fn world_with(kind: &str) -> World {
    let world = World::new().await;
    let store = &world.ingest.store;
    if !matches!(kind, "opens a ticket" | "held" | "ends soon" | "failed" | "a door is paused") {
        world.deliver(&opening()).await;
    }
    if kind == "reopens a ticket" {
        store.set_status(1, Status::Resolved, "test", now()).await.unwrap();
    }
    let told = until_told(&app(&world, &Wire::new().with_topic(&Topic::default())), &records(&world).await).await;
    assert_eq!(told, 1, "what came before is told");
    match kind {
        "opens a ticket" => drop(world.deliver(&opening()).await),
        "joins a ticket" | "reopens a ticket" => drop(world.deliver(&reply()).await),
        "stranger" => drop(world.deliver(&mail("e", "eve").reply_to(&["o"]).copy("3")).await),
        "an agent sets the status" => drop(store.set_status(1, Status::Pending, "agent-7", now()).await.unwrap()),
        "held" => drop(world.deliver(&held()).await),
        "ends soon" => {
            ends::keeping(&world, Some(30), None).run(held().inbound()).await.unwrap();
            let app = app(&world, &Wire::new().with_topic(&Topic::default()));
            until_told(&app, &records(&world).await).await;
            assert_eq!(store.warn_of_ends(ends::days(24), 10).await.unwrap(), 1);
        }
        "failed" => unreadable(&world).await,
        "a door is paused" => {
            let door = crate::imap::door(143);
            let seen = store.polled_door(&door.id).await.unwrap();
            drop(store.refused_login(&door, &seen, 1, now()).await.unwrap());
        }
        other => panic!("{other}"),
    }
    assert_eq!(due(&world).await.len(), 1, "{kind}");
    world
}

/// Every kind of call that telling makes, and every one that the sweep makes: held against their roles.
pub(crate) async fn every_call_of_telling() -> (Vec<Call>, Vec<Call>) {
    let (mut told, mut swept) = (Vec::new(), Vec::new());
    for (kind, _) in KINDS {
        let world = world_with(kind).await;
        let wire = Wire::new();
        let later = now() + SignedDuration::from_hours(24 * 40);
        let found = world.over(&wire).store.sweep_due(later, later, 100).await.unwrap();
        assert_eq!(found.touched, 1, "{kind}");
        swept.extend(wire.take());
        let wire = wire.with_topic(&Topic::default());
        assert!(handle(&app(&world, &wire), &records(&world).await).await.is_empty(), "{kind}");
        told.extend(wire.calls());
    }
    (told, swept)
}

/// Tells what is due; all that was told.
pub(crate) async fn tell_all(world: &World) -> Vec<Value> {
    let topic = Topic::default();
    let again = handle(&app(world, &Wire::new().with_topic(&topic)), &records(world).await).await;
    assert!(again.is_empty());
    topic.published().into_iter().map(|published| published.event).collect()
}

async fn unreadable(world: &World) {
    let ingress = Ingress {
        door: "mailgun".to_owned(),
        provider: "mailgun".to_owned(),
        event_id: None,
        transport_time: now() - SignedDuration::from_hours(5),
    };
    world.ingest.unreadable(ingress, "no mail".into(), "no-mime-field", None).await.unwrap();
}

/// Items that are marked.
async fn due(world: &World) -> Vec<Item> {
    world.items("").await.into_values().filter(|item| item.contains_key("gsi4pk")).collect()
}

/// A stream record for each marked item, as an insert.
async fn records(world: &World) -> Vec<Value> {
    due(world).await.iter().enumerate().map(|(n, item)| record("INSERT", item, n)).collect()
}

/// A record as Lambda delivers it.
fn record(name: &str, item: &Item, n: usize) -> Value {
    let key = |name: &str| json!({"S": text(item, name)});
    json!({
        "eventID": format!("{n:032x}"),
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_793_610_000.0,
            "Keys": {"pk": key("pk"), "sk": key("sk")},
            "NewImage": image(item),
            "SequenceNumber": format!("{:021}", 100_000 + n),
            "SizeBytes": 1_000,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/postern/stream/2026-11-02T09:00:00.000",
    })
}

/// An item in the stream's JSON.
fn image(item: &Item) -> Value {
    Value::Object(item.iter().map(|(name, value)| (name.clone(), attribute(value))).collect::<Map<_, _>>())
}

fn attribute(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(yes) => json!({ "BOOL": yes }),
        AttributeValue::Ns(numbers) => json!({ "NS": numbers }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(attribute).collect::<Vec<_>>() }),
        AttributeValue::M(members) => json!({ "M": image(members) }),
        other => panic!("{other:?} is not among our attributes"),
    }
}

fn sequence(record: &Value) -> String {
    record.pointer("/dynamodb/SequenceNumber").and_then(Value::as_str).unwrap_or_default().to_owned()
}

async fn handle(app: &App, records: &[Value]) -> BTreeSet<String> {
    let answer = app.handle(json!({ "Records": records })).await.unwrap();
    let failures = answer["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

/// Delivers as Lambda does: again from the first record that failed. Says how often it was delivered.
async fn until_told(app: &App, records: &[Value]) -> usize {
    let mut open = records.to_vec();
    for delivery in 1..12 {
        let failed = handle(app, &open).await;
        let Some(first) = open.iter().position(|record| failed.contains(&sequence(record))) else { return delivery };
        open.drain(..first);
    }
    panic!("records fail for ever");
}

/// The sweep at `minutes` after [`now`], of what is ten minutes old by then.
async fn sweep(world: &World, minutes: i64, limit: usize) -> postern::store::outbox::Swept {
    let at: Timestamp = now() + SignedDuration::from_mins(minutes);
    world.ingest.store.sweep_due(at - SignedDuration::from_mins(10), at, limit).await.unwrap()
}

#[tokio::test]
async fn each_kind_is_told_in_three_calls_and_then_is_due_no_more() {
    println!("| due | calls | events |\n|---|---|---|");
    for (kind, types) in KINDS {
        let world = world_with(kind).await;
        let topic = Topic::default();
        let wire = Wire::new().with_topic(&topic);
        let app = app(&world, &wire);
        let records = records(&world).await;
        assert!(handle(&app, &records).await.is_empty(), "{kind}");
        assert_eq!(topic.types(), types, "{kind}");
        assert!(due(&world).await.is_empty(), "{kind}: still due");
        let names: Vec<String> = wire.take().into_iter().map(|call| call.operation).collect();
        assert_eq!(names, ["BatchGetItem", "PublishBatch", "UpdateItem"], "{kind}");
        println!("| {kind} | {}: {} | {} |", names.len(), names.join(", "), types.join(", "));
        assert!(handle(&app, &records).await.is_empty());
        assert_eq!(topic.published().len(), types.len(), "{kind}: told again by a second record");
        assert_eq!(wire.count(), 1, "a record of what was told costs one read");
    }
}

#[tokio::test]
async fn nothing_is_told_before_the_commit() {
    let world = world_with("opens a ticket").await;
    let [entry] = due(&world).await.try_into().unwrap();
    let before = World::new().await;
    let topic = Topic::default();
    let app = app(&before, &Wire::new().with_topic(&topic));
    // The record of a commit that this table never saw; then of one whose item lost its mark.
    assert!(handle(&app, &[record("INSERT", &entry, 1)]).await.is_empty());
    let mut told = entry.clone();
    told.retain(|name, _| !name.starts_with("gsi4"));
    before.put_item(told).await;
    assert!(handle(&app, &[record("MODIFY", &entry, 2)]).await.is_empty());
    assert!(topic.published().is_empty());
    let failing = Wire::new();
    failing.conflicts(1, 100);
    assert!(before.over(&failing).run(opening().inbound()).await.is_err());
    assert!(due(&before).await.is_empty(), "a delivery that was not committed marks nothing");
}
