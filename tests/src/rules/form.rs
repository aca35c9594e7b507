//! `docs/rules.schema.json`, `docs/RULES.md` and the types: what one takes, the others take.

use std::collections::BTreeSet;

use jsonschema::Validator;
use postern::rules::Rules;
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../../docs/rules.schema.json");
const PAGE: &str = include_str!("../../../docs/RULES.md");

/// Every field of every type, each with a value.
const EVERYTHING: &str = r#"{
    "$schema": "rules.schema.json",
    "rules": [
        { "name": "everything", "note": "all of it", "stop": true,
          "if": {
            "all": [{ "size_over": 1 }], "any": [{ "size_under": 9 }], "not": { "tag": ["x"] },
            "recipient": ["help+*@us.example"], "tag": ["x*"], "author": ["jane@customer.example"],
            "author_domain": ["*.customer.example"], "subject": ["server down"], "body": ["outag*"],
            "header": [{ "name": "X-A", "present": true }, { "name": "X-B", "equals": ["b"] }, { "name": "X-C", "contains": ["c"] }],
            "verdict": { "spf": ["pass"], "dkim": ["fail"], "dmarc": ["softfail"], "spam": ["neutral"], "virus": ["error"] },
            "authentication": ["passed", "failed", "unknown"], "size_over": 10, "size_under": 1000,
            "kind": ["human", "auto_generated", "auto_reply", "bounce", "list", "read_receipt", "abuse_report", "loop"],
            "language": ["de", "deu"], "importance": ["low", "normal", "high"] },
          "then": { "queue": "ops", "type": "outage", "priority": "urgent", "tags": ["a"], "acknowledge": false,
            "participants": "author-only", "hold": true, "ignore": false, "reopen": false,
            "merge_key": { "by": "header", "name": "X-Key", "after": "No. ", "before": " ", "recovered": ["ok"] } } },
        { "name": "m", "then": { "participants": "all", "priority": "low", "merge_key": { "by": "monitoring" } } },
        { "name": "s", "then": { "priority": "normal", "merge_key": { "by": "subject", "after": "No. " } } }
    ],
    "allow": ["*@customer.example"], "block": ["eve@evil.example"], "only_allowed": true
}"#;

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

fn names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.keys().cloned());
            members.values().for_each(|value| names(value, found));
        }
        Value::Array(members) => members.iter().for_each(|value| names(value, found)),
        _ => {}
    }
}

#[test]
fn every_field_of_the_types_is_in_the_schema_and_the_other_way_round() {
    let everything: Value = serde_json::from_str(EVERYTHING).unwrap();
    let faults: Vec<String> = validator().iter_errors(&everything).map(|error| error.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let rules = Rules::parse(EVERYTHING).unwrap_or_else(|error| panic!("{error}"));
    let mut written = everything.clone();
    written.as_object_mut().unwrap().remove("$schema");
    assert_eq!(serde_json::from_str::<Value>(&rules.to_json()).unwrap(), written, "each field is kept");
    let mut used = BTreeSet::new();
    names(&everything, &mut used);
    let schema = schema();
    let mut known = BTreeSet::new();
    let sections = std::iter::once(&schema).chain(schema["$defs"].as_object().unwrap().values());
    for section in sections {
        known.extend(section["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
    }
    assert_eq!(used, known);
    // One that the type knows and this test forgot would be named here as one of those expected.
    for (when, then) in [(json!({ "?": 1 }), json!({})), (json!({}), json!({ "?": 1 }))] {
        let file = json!({ "rules": [{ "name": "r", "if": when, "then": then }] }).to_string();
        let told = Rules::parse(&file).unwrap_err().to_string();
        let expected: Vec<&str> =
            told.split("expected one of ").nth(1).unwrap().split('`').skip(1).step_by(2).collect();
        assert!(expected.len() > 8, "{told}");
        expected.iter().for_each(|name| assert!(used.contains(*name), "{name} is in no test and not in the schema"));
    }
    for name in &known {
        assert!(PAGE.contains(&format!("`{name}`")), "docs/RULES.md does not say what {name} is");
    }
}

#[test]
fn what_the_schema_refuses_is_refused_and_told() {
    let validator = validator();
    let rule = |when: Value, then: Value| json!({ "rules": [{ "name": "r", "if": when, "then": then }] });
    let then = json!({ "queue": "x" });
    for wrong in [
        json!([]),
        json!({ "rule": [] }),
        json!({ "rules": [{ "name": "R", "stop": true }] }),
        json!({ "rules": [{ "name": "r" }] }),
        json!({ "rules": [{ "name": "r", "then": {} }] }),
        json!({ "only_allowed": true }),
        json!({ "block": ["nobody"] }),
        rule(json!([]), then.clone()),
        rule(json!({ "subjct": ["x"] }), then.clone()),
        rule(json!({ "subject": [] }), then.clone()),
        rule(json!({ "subject": ["*x"] }), then.clone()),
        rule(json!({ "any": [{}] }), then.clone()),
        rule(json!({ "author_domain": ["a@b.example"] }), then.clone()),
        rule(json!({ "kind": ["humane"] }), then.clone()),
        rule(json!({ "language": ["german"] }), then.clone()),
        rule(json!({ "header": [{ "name": "a:b" }] }), then.clone()),
        rule(json!({ "header": [{ "name": "a", "equals": ["b"], "contains": ["c"] }] }), then.clone()),
        rule(json!({ "verdict": {} }), then.clone()),
        rule(json!({ "size_over": -1 }), then),
        rule(json!({}), json!({ "queue": "Second Level" })),
        rule(json!({}), json!({ "priority": "highest" })),
        rule(json!({}), json!({ "tags": [] })),
        rule(json!({}), json!({ "hold": true, "ignore": true })),
        rule(json!({}), json!({ "merge_key": { "by": "subject" } })),
        rule(json!({}), json!({ "merge_key": { "by": "subject", "name": "x", "after": "No. " } })),
        rule(json!({}), json!({ "merge_key": { "by": "header" } })),
        rule(json!({}), json!({ "merge_key": { "by": "monitoring", "after": "No. " } })),
    ] {
        assert!(!validator.is_valid(&wrong), "the schema takes {wrong}");
        assert!(Rules::parse(&wrong.to_string()).is_err(), "the code takes {wrong}");
    }
}

#[test]
fn the_examples_of_the_page_are_taken() {
    let validator = validator();
    let blocks: Vec<&str> = PAGE.split("```json\n").skip(1).filter_map(|rest| rest.split("\n```").next()).collect();
    assert!(blocks.len() >= 5, "{}", blocks.len());
    for block in blocks {
        let value: Value = serde_json::from_str(block).unwrap_or_else(|error| panic!("{error}: {block}"));
        let faults: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?}: {block}");
        assert!(Rules::parse(block).is_ok_and(|rules| !rules.is_empty()), "{block}");
    }
}
