//! Why a mail went where it went.

use super::Desk;
use crate::world::{Mail, mail};

/// Cust has opened ticket 1 with bob in Cc, and bob has answered.
async fn conversation() -> (Desk, String) {
    let desk = Desk::new();
    desk.receive(&mail("o", "cust").to(&["support@postern.test", "bob"])).await;
    let answered = desk.receive(&mail("r", "bob").reply_to(&["o"]).references(&["lost", "o"])).await;
    assert_eq!(answered["ticket_id"], 1, "{answered}");
    let id = answered["inbound_id"].as_str().unwrap().to_owned();
    (desk, id)
}

fn file(desk: &Desk, mail: &Mail) -> String {
    desk.file(&format!("{}.eml", mail.name), &mail.octets("1"))
}

#[tokio::test]
async fn a_stored_mail_is_explained_from_what_was_kept() {
    let (desk, id) = conversation().await;
    let told = desk.json(&["explain", &id]).await;
    let one = &told["mail"][0];
    assert_eq!((one["outcome"].as_str(), one["effect"].as_str()), (Some("committed"), Some("matched")), "{told}");
    assert_eq!(one["authentication"], "unknown");
    let clues = one["clues"].as_array().unwrap();
    let places: Vec<String> = clues
        .iter()
        .map(|c| format!("{} {} {}", c["place"].as_str().unwrap(), c["position"], c["text"].as_str().unwrap()))
        .collect();
    assert_eq!(places, ["in-reply-to 1 o@ids.example", "references 1 lost@ids.example"]);
    let name = &clues[0]["names"][0];
    assert_eq!((name["level"].as_str(), name["source"].as_str()), (Some("E3"), Some("stored-id")), "{name}");
    assert_eq!((name["standing"].as_str(), name["weight"].as_str()), (Some("participant"), Some("decided")), "{name}");
    assert!(clues[1].get("names").is_none(), "nobody knows that id: {told}");
    let text = desk.text(&["explain", id.get(..12).unwrap()]).await;
    for words in [
        "o@ids.example",
        "E3 stored-id -> ticket 1, author is participant: decided",
        "names nothing that is known",
        "decision  committed, effect matched, ticket INC-00001",
        "stored-id     E3: a stored Message-ID",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("mail r") && !told.to_string().contains("mail r"), "never a body: {text}");
}

#[tokio::test]
async fn a_file_is_explained_as_it_would_be_decided_and_nothing_is_written() {
    let (desk, _) = conversation().await;
    let tag = desk.text(&["token", "1"]).await.trim().to_owned();
    let before = desk.json(&["mail", "--days", "60"]).await;
    for (one, words) in [
        (
            mail("a", "eve").to(&[&tag]),
            vec!["[signature valid]", "E1 reply-address -> ticket 1, author is stranger: decided", "effect unverified"],
        ),
        (
            mail("b", "cust").subject("[INC-00001] more"),
            vec!["[INC-00001]", "dropped: a number needs a proven participant", "a new ticket"],
        ),
        (
            mail("c", "cust").to(&["support+abaaaaaaaaaaaaaaaa@postern.test"]),
            vec!["[signature invalid]", "forged-token"],
        ),
        (mail("d", "cust"), vec!["evidence\n  none", "no-evidence", "a new ticket"]),
        (mail("e", "cust").field("Auto-Submitted: auto-replied"), vec!["decision  held", "auto-reply"]),
    ] {
        let text = desk.text(&["explain", &file(&desk, &one), "--from", "cust@people.example"]).await;
        for word in words {
            assert!(text.contains(word), "{}: {word}: {text}", one.name);
        }
    }
    assert_eq!(desk.json(&["mail", "--days", "60"]).await, before);
    assert_eq!(desk.json(&["tickets"]).await["tickets"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_decision_is_come_to_again_and_what_differs_is_told() {
    let (desk, id) = conversation().await;
    let same = desk.json(&["explain", &id, "--again"]).await;
    assert_eq!(same["differences"].as_array().map(Vec::len), Some(0), "{same}");
    assert!(desk.text(&["explain", &id, "--again"]).await.ends_with("today     the same\n"));
    let opened = desk.json(&["mail", "--days", "60"]).await;
    let of_o = opened["mail"].as_array().unwrap().iter().find(|m| m["effect"] == "created").unwrap();
    let first = desk.json(&["explain", of_o["id"].as_str().unwrap(), "--again"]).await;
    assert_eq!(first["differences"].as_array().map(Vec::len), Some(0), "it is no duplicate of itself: {first}");
    // Its ticket was opened by a mailbox that takes no strangers' word any more; bob's answer stays his.
    desk.text(&["mailbox", "set", "support", "--strangers", "hold"]).await;
    let eve = desk.receive(&mail("e", "eve").reply_to(&["o"])).await;
    assert_eq!(eve["status"], "held");
    desk.text(&["mailbox", "set", "support", "--strangers", "new"]).await;
    let id = eve["inbound_id"].as_str().unwrap();
    let told = desk.text(&["explain", id, "--again"]).await;
    for words in [
        "decision  held",
        "today     committed, effect created",
        "outcome     held -> committed",
        "cause       stranger -> -",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[tokio::test]
async fn words_that_cannot_be_meant_are_told() {
    let (desk, id) = conversation().await;
    let path = file(&desk, &mail("a", "cust"));
    assert!(desk.misuse(&["explain", &path, "--again"]).await.contains("a file is decided anew anyway"));
    assert!(desk.misuse(&["explain", &id, "--mailbox", "support"]).await.contains("is no file"));
    assert!(desk.misuse(&["explain", &path, "--mailbox", "nobody"]).await.contains("not configured"));
    assert!(desk.refusal(&["explain", "00000000"]).await.contains("begins with"));
}
