//! Batches: one broken record stops none of the others, and what was told is not told again.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use super::{app, due, handle, record, records, sequence, until_told, world_with};
use crate::{
    harness::{fault::Fault, topic::Topic, wire::Wire},
    world::{World, boundless, mail},
};

/// A world with that many tickets, none of them told.
async fn tickets(number: usize) -> World {
    let world = World::with(vec![boundless()]).await;
    for n in 0..number {
        world.deliver(&mail(&format!("m{n}"), "cust").copy(&format!("k{n}"))).await;
    }
    world
}

/// Gives all records sequence numbers in their order.
fn numbered(mut records: Vec<Value>) -> Vec<Value> {
    for (n, record) in records.iter_mut().enumerate() {
        record["dynamodb"]["SequenceNumber"] = json!(format!("{:021}", 200_000 + n));
    }
    records
}

#[tokio::test]
async fn one_broken_record_of_a_hundred_stops_no_other() {
    let world = tickets(99).await;
    let topic = Topic::default();
    let app = app(&world, &Wire::new().with_topic(&topic));
    let mut all = records(&world).await;
    let mut broken = all[0].clone();
    broken["dynamodb"]["Keys"] = json!({"pk": {"N": "1"}});
    all.insert(40, broken);
    let all = numbered(all);
    let failed = handle(&app, &all).await;
    assert_eq!(failed.into_iter().collect::<Vec<_>>(), [sequence(&all[40])]);
    assert_eq!(topic.published().len(), 2 * 99, "each of the others is told");
    assert!(due(&world).await.is_empty());
    // Lambda begins again at the broken one.
    assert_eq!(handle(&app, &all[40..]).await.len(), 1);
    assert_eq!(topic.published().len(), 2 * 99, "and what was told is not told again");
}

#[tokio::test]
async fn an_item_that_does_not_read_fails_alone_and_stays_due() {
    let world = tickets(3).await;
    let mut items = due(&world).await;
    items[1].insert("visibility".to_owned(), AttributeValue::N("7".to_owned()));
    world.put_item(items[1].clone()).await;
    let mut strange = items[2].clone();
    strange.insert("sk".to_owned(), AttributeValue::S("PARCEL#1".to_owned()));
    world.put_item(strange.clone()).await;
    let mut orphan = items[2].clone();
    orphan.insert("pk".to_owned(), AttributeValue::S("TICKET#9".to_owned()));
    world.put_item(orphan.clone()).await;
    let batch = [&items[0], &items[1], &strange, &orphan, &items[2]];
    let batch: Vec<Value> = batch.iter().enumerate().map(|(n, item)| record("INSERT", item, n)).collect();
    let topic = Topic::default();
    let wire = Wire::new().with_topic(&topic);
    let failed = handle(&app(&world, &wire), &batch).await;
    assert_eq!(failed, batch[1..4].iter().map(sequence).collect());
    assert_eq!(topic.types(), ["ticket.created", "entry.created", "ticket.created", "entry.created"]);
    assert_eq!(due(&world).await.len(), 3, "the unreadable, the strange and the orphan one");
}

#[tokio::test]
async fn a_panic_stays_within_its_record() {
    let world = tickets(3).await;
    let topic = Topic::default();
    topic.panic_at("INC-00002");
    let app = app(&world, &Wire::new().with_topic(&topic));
    let all = records(&world).await;
    assert_eq!(handle(&app, &all).await.into_iter().collect::<Vec<_>>(), [sequence(&all[1])]);
    assert_eq!(topic.published().len(), 4);
    topic.panic_at("nothing");
    assert_eq!(until_told(&app, &all[1..]).await, 1);
    assert_eq!(topic.published().len(), 6);
}

#[tokio::test]
async fn of_a_batch_only_what_sns_did_not_take_is_sent_again() {
    let world = world_with("reopens a ticket").await;
    let topic = Topic::default();
    topic.refuse("\"ticket.reopened\"", 2, false);
    let wire = Wire::new().with_topic(&topic);
    assert!(handle(&app(&world, &wire), &records(&world).await).await.is_empty());
    assert_eq!(topic.types(), ["entry.created", "ticket.status_changed", "ticket.reopened"], "each once");
    let names: Vec<String> = wire.calls().into_iter().map(|call| call.operation).collect();
    assert_eq!(names, ["BatchGetItem", "PublishBatch", "PublishBatch", "PublishBatch", "UpdateItem"]);
    assert!(due(&world).await.is_empty());
}

#[tokio::test]
async fn what_sns_never_takes_stays_due() {
    for (sender_fault, tries) in [(true, 1), (false, 3)] {
        let world = world_with("opens a ticket").await;
        let topic = Topic::default();
        topic.refuse("\"ticket.created\"", 100, sender_fault);
        let wire = Wire::new().with_topic(&topic);
        let records = records(&world).await;
        assert_eq!(handle(&app(&world, &wire), &records).await.len(), 1);
        assert_eq!(due(&world).await.len(), 1, "an event that was not sent keeps its mark");
        let sent = wire.calls().iter().filter(|call| call.operation == "PublishBatch").count();
        assert_eq!(sent, tries, "sender's fault: {sender_fault}");
    }
}

#[tokio::test]
async fn while_the_topic_is_away_the_rest_of_a_batch_waits() {
    let world = tickets(6).await;
    let topic = Topic::default();
    let wire = Wire::new().with_topic(&topic);
    let app = app(&world, &wire);
    let all = records(&world).await;
    for n in [2, 4, 6] {
        wire.fail_call(n, Fault::TimedOut);
    }
    assert_eq!(handle(&app, &all).await.len(), 6, "three have failed, three were not tried");
    assert_eq!(wire.take().len(), 6, "three reads, three attempts to send");
    assert!(topic.published().is_empty());
    assert_eq!(until_told(&app, &all).await, 1);
    assert_eq!(topic.ids().len(), 12);
    assert!(due(&world).await.is_empty());
}

#[tokio::test]
async fn what_is_removed_or_unmarked_costs_nothing() {
    let world = world_with("opens a ticket").await;
    let [item] = due(&world).await.try_into().unwrap();
    let mut expired = record("REMOVE", &item, 1);
    expired["userIdentity"] = json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"});
    let mut unmarked = record("MODIFY", &item, 2);
    unmarked["dynamodb"]["NewImage"].as_object_mut().unwrap().remove("gsi4pk");
    let mut odd = record("MODIFY", &item, 3);
    odd["userIdentity"] = expired["userIdentity"].clone();
    let wire = Wire::new().with_topic(&Topic::default());
    assert!(handle(&app(&world, &wire), &[expired, unmarked, odd]).await.is_empty());
    assert_eq!(wire.count(), 0);
    assert_eq!(due(&world).await.len(), 1, "still due: its own record tells it");
}

#[tokio::test]
async fn other_sources_are_refused_in_words() {
    let world = World::new().await;
    let app = app(&world, &Wire::new().with_topic(&Topic::default()));
    for event in [json!({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}), json!({"work": "sweep"})] {
        let why = app.handle(event).await.unwrap_err().to_string();
        assert!(why.contains("not a DynamoDB stream event"), "{why}");
    }
}
