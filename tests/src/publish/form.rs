//! The form of events: what is published is what `docs/events.schema.json` and `docs/EVENTS.md` say.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::{KINDS, app, handle, records, world_with};
use crate::{
    harness::{
        topic::{Published, Topic},
        wire::Wire,
    },
    world::{World, mail},
};

const SCHEMA: &str = include_str!("../../../docs/events.schema.json");
const DOCUMENTED: &str = include_str!("../../../docs/EVENTS.md");

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

pub(super) fn validator() -> Validator {
    jsonschema::draft202012::options().should_validate_formats(true).build(&schema()).unwrap()
}

/// The same schema, with nothing allowed that it does not name: what we send has no undocumented field.
fn strict() -> Validator {
    fn close(schema: &mut Value) {
        if schema.get("type") == Some(&json!("object")) {
            schema["additionalProperties"] = json!(false);
        }
        match schema {
            Value::Object(members) => members.values_mut().for_each(close),
            Value::Array(members) => members.iter_mut().for_each(close),
            _ => {}
        }
    }
    let mut schema = schema();
    close(&mut schema);
    jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap()
}

/// Every event of every kind, and of mail of many sorts.
async fn all_events() -> Vec<Published> {
    let topic = Topic::default();
    for (kind, _) in KINDS {
        let world = world_with(kind).await;
        let batch = records(&world).await;
        assert!(handle(&app(&world, &Wire::new().with_topic(&topic)), &batch).await.is_empty());
    }
    let world = World::new().await;
    let nobody = mail("n", "");
    let automatic = mail("a", "cust").field("Auto-Submitted: auto-generated");
    let out_of_office = mail("x", "cust").field("Auto-Submitted: auto-replied");
    let answered = mail("y", "cust").reply_to(&["n"]).field("Auto-Submitted: auto-replied");
    let odd = mail("z", "cust").subject("\u{1}\u{7f}\u{fffe} Ä 中");
    for (n, mail) in [nobody, automatic, out_of_office, answered, odd].into_iter().enumerate() {
        world.deliver(&mail.copy(&format!("k{n}"))).await;
    }
    let several = World::with(vec![
        crate::world::mailbox("billing", "billing@us.example", "BIL"),
        crate::world::mailbox("support", crate::world::SUPPORT, "INC"),
    ])
    .await;
    let mut nobodys = mail("nobodys", "cust").copy("1").forward(&["other@us.example"]);
    nobodys.mail.to = vec!["other@us.example".to_owned()];
    several.deliver(&nobodys).await;
    for world in [&world, &several] {
        let batch = records(world).await;
        assert!(handle(&app(world, &Wire::new().with_topic(&topic)), &batch).await.is_empty());
    }
    topic.published()
}

#[tokio::test]
async fn every_event_is_what_the_schema_says_and_no_more() {
    let (lenient, strict) = (validator(), strict());
    let all = all_events().await;
    for Published { event, attributes } in &all {
        for validator in [&lenient, &strict] {
            let faults: Vec<String> = validator.iter_errors(event).map(|error| error.to_string()).collect();
            assert!(faults.is_empty(), "{faults:?}: {event:#}");
        }
        let of = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        let mailbox = of("/ticket/mailbox").or(of("/mail/mailbox"));
        let expected = [("type", of("/type")), ("queue", of("/ticket/queue")), ("mailbox", mailbox)];
        let known = expected.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        assert_eq!(attributes, &known.collect(), "{event:#}");
    }
    let types: BTreeSet<&str> = all.iter().map(|published| published.text("type")).collect();
    assert_eq!(types.len(), postern::event::EventType::ALL.len(), "a type that no test produces: {types:?}");
}

#[tokio::test]
async fn an_event_that_lacks_a_field_does_not_validate() {
    fn removals(event: &Value, at: &str, found: &mut Vec<(String, Value)>, whole: &Value) {
        for (name, value) in event.as_object().into_iter().flatten() {
            let pointer = format!("{at}/{name}");
            let mut without = whole.clone();
            without.pointer_mut(at).unwrap().as_object_mut().unwrap().remove(name);
            // An agent's change has no entry, a mail's has one.
            if !(name == "entry" && whole["type"] == "ticket.status_changed") {
                found.push((pointer.clone(), without));
            }
            removals(value, &pointer, found, whole);
        }
    }
    let validator = validator();
    let mut checked = 0;
    for Published { event, .. } in all_events().await {
        let mut found = Vec::new();
        removals(&event, "", &mut found, &event);
        for (pointer, without) in found {
            assert!(!validator.is_valid(&without), "{pointer} can be missing from {event:#}");
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked}");
}

#[tokio::test]
async fn wrong_values_do_not_validate() {
    let validator = validator();
    let events = all_events().await;
    let created = events.iter().find(|published| published.text("type") == "ticket.created").unwrap();
    for (pointer, wrong) in [
        ("/version", json!(2)),
        ("/id", json!("7")),
        ("/type", json!("ticket.merged")),
        ("/occurred_at", json!("yesterday")),
        ("/ticket/id", json!("1")),
        ("/ticket/status", json!("done")),
        ("/entry/visibility", json!("secret")),
        ("/entry/attachments", json!(-1)),
        ("/entry/author/address", json!(null)),
    ] {
        let mut event = created.event.clone();
        *event.pointer_mut(pointer).unwrap() = wrong;
        assert!(!validator.is_valid(&event), "{pointer}");
    }
    let mut later = created.event.clone();
    later["ticket"]["team"] = json!("blue");
    assert!(validator.is_valid(&later), "a field of a later Postern is no fault");
}

#[test]
fn every_field_and_type_stands_in_the_page() {
    let schema = schema();
    let mut names: Vec<String> = Vec::new();
    let sections = std::iter::once(&schema).chain(schema["$defs"].as_object().unwrap().values());
    for section in sections {
        names.extend(section["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
    }
    for event_type in schema["properties"]["type"]["enum"].as_array().unwrap() {
        names.push(event_type.as_str().unwrap().to_owned());
    }
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        assert!(DOCUMENTED.contains(&format!("`{name}`")), "docs/EVENTS.md does not say what {name} is");
    }
    let words: Vec<Value> = postern::event::EventType::ALL.iter().map(|word| json!(word.as_str())).collect();
    assert_eq!(schema["properties"]["type"]["enum"], json!(words));
}

#[test]
fn the_events_of_the_page_validate() {
    let validator = validator();
    let blocks: Vec<Value> = DOCUMENTED
        .split("```json\n")
        .skip(1)
        .filter_map(|rest| rest.split("\n```").next())
        .map(|block| serde_json::from_str(block).unwrap())
        .collect();
    let events: Vec<&Value> = blocks.iter().filter(|block| block.get("version").is_some()).collect();
    assert!(events.len() >= 2, "{}", blocks.len());
    for event in events {
        let faults: Vec<String> = validator.iter_errors(event).map(|error| error.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?}: {event:#}");
    }
}
