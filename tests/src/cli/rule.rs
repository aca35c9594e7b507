//! `rule`: listed, set with every fault told, tried on a mail before and after.

use serde_json::{Value, json};

use super::Desk;
use crate::world::{Mail, mail};

const RULES: &str = r#"{
    "$schema": "https://example.com/rules.schema.json",
    "rules": [
        { "name": "vip", "if": { "author_domain": ["people.example"] }, "then": { "priority": "high", "tags": ["vip"] } },
        { "name": "outage", "note": "by phone, too", "if": { "subject": ["down"] },
          "then": { "queue": "ops", "type": "outage", "priority": "urgent", "acknowledge": false }, "stop": true },
        { "name": "rest", "then": { "tags": ["rest"] } }
    ],
    "block": ["eve@people.example"]
}"#;

async fn made() -> Desk {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust")).await;
    desk
}

fn eml(desk: &Desk, mail: &Mail) -> String {
    desk.file(&format!("{}.eml", mail.name), &mail.octets("1"))
}

#[tokio::test]
async fn rules_are_set_listed_and_taken_away() {
    let desk = made().await;
    let file = desk.file("rules.json", RULES.as_bytes());
    let set = desk.text(&["rule", "set", "support", &file]).await;
    assert!(set.contains("support: 3 rules, 0 allowed, 1 blocked") && set.contains("within a minute"), "{set}");
    let again = desk.json(&["rule", "set", "support", &file]).await;
    assert_eq!(again, json!({ "mailbox": "support", "rules": 3, "changed": false, "follow_seconds": 60 }));
    let listed = desk.text(&["rule", "list"]).await;
    let line = r#"   2  outage  if {"subject":["down"]}  then {"queue":"ops","type":"outage","priority":"urgent","acknowledge":false}  stop"#;
    assert!(listed.contains(line), "{listed}");
    let mut expected: Value = serde_json::from_str(RULES).unwrap();
    expected.as_object_mut().unwrap().remove("$schema");
    assert_eq!(desk.json(&["rule", "list", "support"]).await, expected, "the file comes back");
    assert_eq!(desk.json(&["rule", "list"]).await["mailboxes"]["support"], expected);
    // A change of the mailbox leaves its rules; it is stored now, and removing it takes them along.
    desk.text(&["mailbox", "set", "support", "--prefix", "SUP"]).await;
    assert_eq!(desk.json(&["rule", "list", "support"]).await, expected);
    desk.text(&["mailbox", "remove", "support"]).await;
    assert_eq!(desk.json(&["rule", "list", "support"]).await, json!({}));
    desk.text(&["rule", "set", "support", &file]).await;
    let nothing = desk.file("none.json", b"{}");
    assert!(desk.text(&["rule", "set", "support", &nothing]).await.contains("support: 0 rules"));
    assert!(desk.refusal(&["rule", "set", "nobody", &file]).await.contains("there is no mailbox nobody"));
    assert!(desk.refusal(&["rule", "list", "nobody"]).await.contains("postern mailbox list"));
}

#[tokio::test]
async fn every_fault_of_a_file_is_told() {
    let desk = made().await;
    let file = desk.file(
        "wrong.json",
        br#"{ "rules": [{ "name": "a", "then": { "quue": "x" } }, { "name": "b", "then": { "queue": "Second Level" } }] }"#,
    );
    let told = desk.misuse(&["rule", "set", "support", &file]).await;
    assert!(told.contains("rule 1 (a): field `then.quue`: unknown field"), "{told}");
    assert!(told.contains("rule 2 (b): field `then.queue`: must be 1 to 64 letters"), "{told}");
    assert_eq!(desk.json(&["rule", "list", "support"]).await, json!({}), "nothing was set");
    let mail = eml(&desk, &mail("m", "cust"));
    assert!(desk.misuse(&["rule", "check", &mail, "--rules", &file]).await.contains("rule 2 (b)"));
    let (code, told) = desk.trouble(&["rule", "set", "support", "no-such-file"]).await;
    assert_eq!(code, 66, "{told}");
    let (code, told) = desk.trouble(&["rule", "check", "no-such-file"]).await;
    assert_eq!(code, 66, "{told}");
    assert!(desk.misuse(&["rule", "check", &mail, "--mailbox", "nobody"]).await.contains("not configured"));
}

#[tokio::test]
async fn a_mail_is_tried_before_rules_are_set_and_after() {
    let desk = made().await;
    let file = desk.file("rules.json", RULES.as_bytes());
    let outage = eml(&desk, &mail("m", "cust").subject("Server DOWN"));
    let before = desk.json(&["mail", "--days", "60"]).await;
    let tried = desk.text(&["rule", "check", &outage, "--rules", &file]).await;
    for words in [
        "mailbox   support\nrules     vip, outage\n",
        "  queue         ops\n  type          outage\n  priority      urgent\n  tags          vip\n  acknowledge   no\n",
        "decision  committed, effect created, a new ticket",
    ] {
        assert!(tried.contains(words), "{words}: {tried}");
    }
    assert!(desk.text(&["rule", "check", &outage]).await.contains("rules     none\ndecision  committed"));
    desk.text(&["rule", "set", "support", &file]).await;
    let told = desk.json(&["rule", "check", &outage, "--mailbox", "support"]).await;
    let one = &told["mailboxes"][0];
    assert_eq!(one["fired"], json!(["vip", "outage"]), "{told}");
    assert_eq!((&one["set"]["queue"], &one["set"]["hold"]), (&json!("ops"), &json!(false)));
    let eve = eml(&desk, &mail("e", "eve"));
    let told = desk.text(&["rule", "check", &eve]).await;
    assert!(told.contains("author        blocked") && told.contains("decision  held"), "{told}");
    assert_eq!(desk.json(&["mail", "--days", "60"]).await, before, "nothing was written");
}

#[tokio::test]
async fn rules_are_in_force_and_explain_tells_which_held() {
    let desk = made().await;
    let file = desk.file("rules.json", RULES.as_bytes());
    desk.text(&["rule", "set", "support", &file]).await;
    let answer = desk.receive(&mail("m", "cust").subject("server down")).await;
    let number = answer["ticket_number"].as_str().unwrap();
    let ticket = desk.json(&["ticket", number]).await;
    let of = |name: &str| ticket["ticket"][name].clone();
    assert_eq!((of("queue"), of("type"), of("priority")), (json!("ops"), json!("outage"), json!("urgent")));
    assert_eq!(of("tags"), json!(["vip"]));
    assert!(ticket["entries"][0]["flags"].as_array().unwrap().contains(&json!("no-acknowledgement")));
    assert!(desk.text(&["ticket", number]).await.contains("priority urgent   tags vip"));
    assert!(desk.text(&["tickets"]).await.contains(number), "its queue is listed, though no mailbox has it");
    let id = answer["inbound_id"].as_str().unwrap();
    let told = desk.text(&["explain", id]).await;
    assert!(told.contains("rule:outage") && told.contains("rule of that name held"), "{told}");
    assert!(desk.text(&["explain", id, "--again"]).await.ends_with("today     the same\n"));
    let held = desk.receive(&mail("e", "eve")).await;
    assert_eq!((held["status"].as_str(), held["reasons"][0].as_str()), (Some("held"), Some("blocked-sender")));
    desk.text(&["hold", "release", held["inbound_id"].as_str().unwrap()]).await;
    let told = desk.text(&["explain", held["inbound_id"].as_str().unwrap()]).await;
    assert!(told.contains("was-held-blocked-sender") && told.contains("effect created"), "{told}");
}
