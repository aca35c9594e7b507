//! Files with one fault each, and what is told of it.

use super::*;

/// Every fault of a file with one rule `r`, whose `if` and `then` are given.
fn faults(when: &str, then: &str) -> String {
    let file = format!(r#"{{ "rules": [{{ "name": "r", "if": {when}, "then": {then} }}] }}"#);
    read(&file).map_or_else(|error| error.to_string(), |_| String::new())
}

#[test]
fn a_fault_names_the_rule_and_the_field() {
    let queue = r#"{ "queue": "x" }"#;
    for (when, told) in [
        (r#"{ "subjct": ["x"] }"#, "rule 1 (r): field `if.subjct`: unknown field `subjct`, expected one of `all`"),
        (r#"{ "subject": "x" }"#, "rule 1 (r): field `if.subject`: invalid type: string \"x\", expected a sequence"),
        (r#"{ "subject": [] }"#, "rule 1 (r): field `if.subject`: is empty"),
        (r#"{ "subject": ["*x"] }"#, "rule 1 (r): field `if.subject`: \"*x\" `*` may stand at the end only"),
        (r#"{ "author": ["jane"] }"#, "rule 1 (r): field `if.author`: \"jane\" must be an address"),
        (r#"{ "author_domain": ["@x"] }"#, "rule 1 (r): field `if.author_domain`: \"@x\" must be a domain"),
        (r#"{ "kind": ["humane"] }"#, "rule 1 (r): field `if.kind`: unknown variant `humane`"),
        (r#"{ "kind": [] }"#, "rule 1 (r): field `if.kind`: is empty"),
        (r#"{ "language": ["xx"] }"#, "rule 1 (r): field `if.language`: \"xx\" is no language"),
        (r#"{ "size_over": 9, "size_under": 10 }"#, "rule 1 (r): field `if.size_under`: leaves no size"),
        (r#"{ "any": [{}] }"#, "rule 1 (r): field `if.any[0]`: asks for nothing"),
        (r#"{ "not": { "tag": [""] } }"#, "rule 1 (r): field `if.not.tag`: \"\" is empty"),
        (r#"{ "header": [{ "name": "a:b" }] }"#, "rule 1 (r): field `if.header[0].name`: must be the name"),
        (r#"{ "header": [{ "name": "a", "present": true, "equals": ["b"] }] }"#, "can have one of"),
        (r#"{ "verdict": {} }"#, "rule 1 (r): field `if.verdict`: names no check"),
        (r#"{ "not": { "not": { "not": { "not": { "not": { "tag": ["x"] } } } } } }"#, "levels deep"),
        ("[]", "rule 1 (r): field `if`: must be an object"),
    ] {
        let all = faults(when, queue);
        assert!(all.contains(told), "{when}: {all}");
    }
}

#[test]
fn what_a_rule_may_set() {
    for (then, told) in [
        (r#"{ "queue": "Second Level" }"#, "rule 1 (r): field `then.queue`: must be 1 to 64 letters"),
        (r#"{ "type": "" }"#, "rule 1 (r): field `then.type`: must be 1 to 64"),
        (r#"{ "priority": "highest" }"#, "rule 1 (r): field `then.priority`: unknown variant `highest`"),
        (r#"{ "tags": ["A"] }"#, "rule 1 (r): field `then.tags`: each must be"),
        (r#"{ "tags": ["a","b","c","d","e","f","g","h","i","j","k"] }"#, "more than 10 tags"),
        (r#"{ "hold": true, "ignore": true }"#, "rule 1 (r): field `then.ignore`: cannot stand beside `hold`"),
        (r#"{ "merge_key": { "by": "subject" } }"#, "rule 1 (r): field `then.merge_key`: by `subject` needs"),
        (r#"{ "merge_key": { "by": "header" } }"#, "by `header` needs `name`"),
        (r#"{ "merge_key": { "by": "monitoring", "name": "x" } }"#, "takes nothing else"),
        (r#"{ "merge_key": { "by": "clock" } }"#, "field `then.merge_key`: unknown variant `clock`"),
        ("{}", "rule 1 (r): field `then`: sets nothing"),
    ] {
        let all = faults("{}", then);
        assert!(all.contains(told), "{then}: {all}");
    }
}

#[test]
fn files_as_a_whole() {
    let rule = r#"{ "name": "r", "then": { "queue": "x" } }"#;
    let many = vec![rule; RULES_MAX + 1].join(",");
    let long = format!(r#"{{ "allow": [{}] }}"#, vec![r#""a-rather-long-name@customer.example""#; 12_000].join(","));
    for (file, told) in [
        ("", "no JSON"),
        ("[]", "file: must be an object"),
        (r#"{ "rule": [] }"#, "file: field `rule`: unknown field"),
        (r#"{ "rules": {} }"#, "file: field `rules`: must be a list"),
        (r#"{ "rules": [7] }"#, "rule 1: must be an object"),
        (r#"{ "rules": [{}] }"#, "rule 1: missing field `name`"),
        (r#"{ "rules": [{ "name": "r", "when": {} }] }"#, "rule 1 (r): unknown field `when`"),
        (r#"{ "rules": [], "rules": [] }"#, "duplicate field `rules`"),
        (r#"{ "rules": [{ "name": "R", "stop": true }] }"#, "rule 1 (R): field `name`: must be 1 to 40"),
        (r#"{ "block": ["nobody"] }"#, "file: field `block`: \"nobody\" must be an address"),
        (r#"{ "only_allowed": true }"#, "file: field `only_allowed`: needs somebody"),
        (&format!(r#"{{ "rules": [{rule}, {rule}] }}"#), "rule 2 (r): field `name`: is another rule's"),
        (&format!(r#"{{ "rules": [{many}] }}"#), "file: field `rules`: has 1001 rules; 1000 at most"),
        (&long, "350000 at most"),
    ] {
        let told_of = read(file).map_or_else(|error| error.to_string(), |_| "no fault".to_owned());
        assert!(told_of.contains(told), "{told}: {told_of}");
    }
    assert!(read("{}").is_ok() && read(&format!(r#"{{ "rules": [{rule}] }}"#)).is_ok());
    let every = read(r#"{ "rules": [{ "name": "a", "x": 1 }, { "name": "b", "x": 1 }] }"#).unwrap_err();
    assert_eq!(every.0.len(), 2, "all faults at once: {every}");
    let stored = format!(r#"{{"rules":[{rule}]}}"#);
    assert_eq!(read_stored(&stored), read(&stored), "what is stored reads as it was written");
    for wrong in [r#"{"rule":[]}"#, r#"{"rules":[{"name":"r"}]}"#, &format!(r#"{{"rules":[{many}]}}"#)] {
        assert!(read_stored(wrong).is_err(), "nobody wrote it by our hand");
    }
}
