//! Every verb does on a stack what it does on a data directory, and asks AWS for no more than it needs.

use serde_json::{Value, json};

use super::{Rig, cloud::MASTER_ARN};
use crate::world::mail;

/// Three mails: a ticket, a stranger's entry on it, one that is held.
async fn filled() -> (Rig, Value) {
    let rig = Rig::new().await;
    rig.desk.receive(&mail("a", "cust")).await;
    rig.desk.receive(&mail("s", "stranger").reply_to(&["a"]).date(2)).await;
    let held = rig.desk.receive(&mail("h", "robot").field("Auto-Submitted: auto-replied")).await;
    (rig, held)
}

#[tokio::test]
async fn reading_shows_the_same_and_reads_no_secret() {
    let (rig, held) = filled().await;
    let id = held["inbound_id"].as_str().unwrap();
    for words in [
        &["tickets"][..],
        &["tickets", "--status", "new"],
        &["ticket", "1"],
        &["ticket", "INC-00001"],
        &["mail"],
        &["mail", id],
        &["mail", id.get(..12).unwrap()],
        &["hold", "list"],
        &["explain", id],
    ] {
        assert_eq!(rig.json(words).await, rig.desk.json(words).await, "{words:?}");
        assert_eq!(rig.text(words).await, rig.desk.text(words).await, "{words:?}");
    }
    let calls = rig.cloud.state().calls.clone();
    assert!(!calls.is_empty() && calls.iter().all(|call| call == "DescribeStacks"), "{calls:?}");
    let again = &["explain", id, "--again"][..];
    let file = rig.desk.file("f.eml", &mail("f", "cust").reply_to(&["a"]).octets("f"));
    let told = rig.text(&["explain", &file]).await;
    assert!(told.contains("E3 stored-id -> ticket 1, author is participant: decided"), "{told}");
    assert_eq!(rig.json(again).await, rig.desk.json(again).await, "with the stack's own key");
    rig.end().await;
}

#[tokio::test]
async fn changes_are_made_and_noted_with_who_made_them() {
    let (rig, held) = filled().await;
    let other = rig.desk.receive(&mail("h2", "robot").field("Auto-Submitted: auto-replied")).await;
    let (held, other) = (held["inbound_id"].as_str().unwrap(), other["inbound_id"].as_str().unwrap());
    assert!(rig.text(&["ticket", "1", "--status", "pending"]).await.contains("status pending"));
    assert!(rig.trouble(&["ticket", "1", "--status", "new"], 1).await.contains("cannot become new"));

    let conversation = rig.text(&["ticket", "1"]).await;
    let (_, behind) = conversation.split_once("postern approve ").unwrap();
    let entry: String = behind.chars().take_while(|c| *c != ']').collect();
    assert!(rig.text(&["approve", &entry]).await.contains("INC-00001"));
    assert_eq!(rig.desk.json(&["ticket", "1"]).await["ticket"]["status"], "open", "as on a data directory");

    let released = rig.json(&["hold", "release", held, "--actor", "ben@ops"]).await;
    assert_eq!((&released["status"], &released["ticket_id"]), (&json!("created"), &json!(2)), "{released}");
    assert!(rig.text(&["hold", "discard", other]).await.contains("the raw octets are kept"));
    assert_eq!(rig.desk.json(&["mail", held]).await["actor"], "ben@ops");
    assert_eq!(rig.desk.json(&["mail", other]).await["actor"], "cli", "where nobody says who");
    for actor in ["", &"x".repeat(65), "a\nb"] {
        let told = rig.trouble(&["hold", "discard", other, "--actor", actor], 64).await;
        assert!(told.contains("--actor"), "{told}");
    }
    rig.end().await;
}

#[tokio::test]
async fn tokens_are_signed_by_the_stacks_key_and_read_as_its_parameters_say() {
    let (rig, _) = filled().await;
    let address = rig.text(&["token", "1"]).await;
    assert_eq!(address, rig.desk.text(&["token", "1"]).await, "the same master secret");
    assert!(rig.cloud.state().calls.contains(&"GetSecretValue".to_owned()));
    let other_key = json!({ "keys": [{ "id": 0, "secret": "another-master-secret-of-enough-characters" }] });
    rig.cloud.state().keep_secret(MASTER_ARN, &other_key.to_string());
    assert_ne!(rig.text(&["token", "1"]).await, address);
    rig.cloud.state().parameters.insert("Address".to_owned(), "help@elsewhere.example".to_owned());
    let elsewhere = rig.text(&["token", "1"]).await;
    assert!(elsewhere.starts_with("help+") && elsewhere.trim_end().ends_with("@elsewhere.example"), "{elsewhere}");
    rig.cloud.state().parameters.insert("ReplyMode".to_owned(), "off".to_owned());
    assert!(rig.trouble(&["token", "1"], 70).await.contains("writes no reply tags"));
    rig.end().await;
}

#[tokio::test]
async fn new_tickets_are_numbered_as_the_parameters_say() {
    let (rig, held) = filled().await;
    for (name, value) in [("TicketPrefix", "HELP"), ("NumberYear", "true")] {
        rig.cloud.state().parameters.insert(name.to_owned(), value.to_owned());
    }
    let released = rig.json(&["hold", "release", held["inbound_id"].as_str().unwrap()]).await;
    let number = released["ticket_number"].as_str().unwrap();
    assert!(number.starts_with("HELP-20") && number.ends_with("-00002"), "{number}");
    rig.end().await;
}
