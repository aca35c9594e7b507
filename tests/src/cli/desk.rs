//! The ways out: status, held mail, unverified entries, signed addresses.

use serde_json::{Value, json};

use super::Desk;
use crate::world::{Mail, mail};

/// Enough of a ledger id, as listings show it.
fn beginning(id: &str) -> &str {
    id.get(..12).unwrap()
}

async fn status_of(desk: &Desk, ticket: &str) -> Value {
    desk.json(&["ticket", ticket]).await["ticket"]["status"].clone()
}

/// Mail whose author is known to be who he says, as far as a file can tell: it says nothing.
fn reply(name: &str, author: &str, minutes: i64) -> Mail {
    mail(name, author).reply_to(&["a"]).date(minutes)
}

#[tokio::test]
async fn a_status_goes_where_it_may() {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust")).await;
    assert_eq!(status_of(&desk, "1").await, "new");
    for to in ["open", "pending", "resolved", "closed", "open", "closed", "resolved", "pending"] {
        let shown = desk.text(&["ticket", "1", "--status", to]).await;
        assert!(shown.contains(&format!("status {to}")), "{shown}");
        assert_eq!(status_of(&desk, "1").await, to);
        assert_eq!(desk.json(&["tickets", "--status", to]).await["tickets"].as_array().unwrap().len(), 1, "{to}");
        let same = desk.refusal(&["ticket", "1", "--status", to]).await;
        assert!(same.contains("cannot become"), "{same}");
    }
    assert!(desk.refusal(&["ticket", "1", "--status", "new"]).await.contains("cannot become new"));
    for to in ["solved", "", "Open"] {
        let told = desk.misuse(&["ticket", "1", "--status", to]).await;
        assert!(told.contains("is no status"), "{to:?}: {told}");
    }
    assert_eq!(status_of(&desk, "1").await, "pending");
    assert!(desk.refusal(&["ticket", "2", "--status", "open"]).await.contains("there is no ticket"));
}

#[tokio::test]
async fn an_answer_reopens_what_was_closed_lately() {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust")).await;
    for (n, (from, outcome, to)) in [
        ("open", "replied_to_existing", "open"),
        ("pending", "reopened", "open"),
        ("resolved", "reopened", "open"),
        ("closed", "reopened", "open"),
    ]
    .into_iter()
    .enumerate()
    {
        if status_of(&desk, "1").await != from {
            desk.text(&["ticket", "1", "--status", from]).await;
        }
        let answer = desk.receive(&reply(&format!("r{n}"), "cust", 2)).await;
        assert_eq!((&answer["outcome"], &answer["ticket_id"]), (&json!(outcome), &json!(1)), "{from}: {answer}");
        assert_eq!(status_of(&desk, "1").await, to, "{from}");
    }
    let ticket = desk.json(&["ticket", "1"]).await;
    assert!(ticket["ticket"].get("closed_at").is_none_or(Value::is_null), "{ticket}");
    assert_eq!(ticket["entries"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn held_mail_is_released_or_discarded_once() {
    let desk = Desk::new();
    let held = |name: &str| mail(name, "robot").field("Auto-Submitted: auto-replied");
    let (first, second) = (desk.receive(&held("h1")).await, desk.receive(&held("h2")).await);
    let list = desk.text(&["hold", "list"]).await;
    let (one, two) = (first["inbound_id"].as_str().unwrap(), second["inbound_id"].as_str().unwrap());
    assert!(list.contains(beginning(one)) && list.contains(beginning(two)) && list.contains("auto-reply"), "{list}");

    let released = desk.json(&["hold", "release", beginning(one)]).await;
    assert_eq!((&released["status"], &released["ticket_id"]), (&json!("created"), &json!(1)), "{released}");
    assert!(released["reasons"].as_array().unwrap().contains(&json!("released")));
    assert!(desk.text(&["ticket", "1"]).await.contains("mail h1"));
    for verb in ["release", "discard"] {
        let told = desk.refusal(&["hold", verb, one]).await;
        assert!(told.contains("not held"), "{verb}: {told}");
    }

    assert!(desk.text(&["hold", "discard", two]).await.contains("the raw octets are kept"));
    for verb in ["release", "discard"] {
        let told = desk.refusal(&["hold", verb, two]).await;
        assert!(told.contains("not held"), "{verb}: {told}");
    }
    assert_eq!(desk.text(&["hold", "list"]).await, "no mail is held\n");
    let row = desk.json(&["mail", two]).await;
    assert_eq!(
        (&row["outcome"], &row["cause"], &row["actor"]),
        (&json!("ignored"), &json!("discarded"), &json!("cli"))
    );
    assert_eq!(desk.json(&["mail", one]).await["actor"], "cli");
    assert_eq!(desk.json(&["tickets"]).await["tickets"].as_array().unwrap().len(), 1);
    assert!(desk.refusal(&["hold", "release", "0000"]).await.contains("no mail"));
    let elsewhere = desk.receive(&held("h3")).await;
    let told =
        desk.refusal(&["hold", "release", elsewhere["inbound_id"].as_str().unwrap(), "--mailbox", "elsewhere"]).await;
    assert!(told.contains("no such mailbox"), "{told}");
}

#[tokio::test]
async fn a_strangers_entry_waits_for_approval() {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust")).await;
    desk.text(&["ticket", "1", "--status", "pending"]).await;
    let stranger = desk.receive(&reply("s", "stranger", 2)).await;
    assert_eq!((&stranger["status"], &stranger["ticket_id"]), (&json!("matched"), &json!(1)), "{stranger}");
    assert_eq!(status_of(&desk, "1").await, "pending", "it changes nothing");
    let shown = desk.text(&["ticket", "1"]).await;
    let (_, behind) = shown.split_once("postern approve ").expect("how to approve stands there");
    let entry: String = behind.chars().take_while(|c| *c != ']').collect();

    let approved = desk.text(&["approve", &entry]).await;
    assert!(approved.contains("INC-00001"), "{approved}");
    assert!(!desk.text(&["ticket", "1"]).await.contains("[unverified"));
    assert_eq!(status_of(&desk, "1").await, "open", "taken as a participant's reply");
    let again = desk.refusal(&["approve", &entry]).await;
    assert!(again.contains("not unverified"), "{again}");

    let next = desk.receive(&reply("s2", "stranger", 3)).await;
    assert_eq!(next["ticket_id"], 1);
    let ticket = desk.json(&["ticket", "1"]).await;
    let visible = ticket["entries"].as_array().unwrap().iter().filter(|entry| entry["visibility"] == "public").count();
    assert_eq!(visible, 3, "approved once, he may speak: {ticket}");
    assert!(desk.misuse(&["approve", "1"]).await.contains("is no entry"));
    assert!(desk.refusal(&["approve", "1/ffffffff"]).await.contains("no entry"));
    assert!(desk.refusal(&["approve", "9/ffff"]).await.contains("no ticket"));
}

#[tokio::test]
async fn printed_tokens_verify() {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust")).await;
    desk.receive(&mail("b", "other")).await;
    let address = desk.text(&["token", "2"]).await.trim().to_owned();
    assert!(address.starts_with("support+") && address.ends_with("@postern.test"), "{address}");
    assert_eq!(desk.json(&["token", "INC-00002"]).await["reply_address"], address.as_str());
    let id = desk.text(&["token", "2", "--message-id"]).await.trim().to_owned();
    assert!(id.starts_with('<') && id.ends_with('>'), "{id}");

    let in_to = desk.receive(&mail("t", "other").to(&[&address]).date(2)).await;
    assert_eq!((&in_to["status"], &in_to["ticket_id"]), (&json!("matched"), &json!(2)), "{in_to}");
    let file = desk.file("e.eml", &mail("e", "other").date(3).octets("e"));
    let in_envelope = desk.json(&["ingest", &file, "--to", &address]).await;
    assert_eq!((&in_envelope["status"], &in_envelope["ticket_id"]), (&json!("matched"), &json!(2)), "{in_envelope}");
    let mut by_id = mail("i", "other").date(4);
    by_id.in_reply_to = vec![id.trim_matches(['<', '>']).to_owned()];
    let by_id = desk.receive(&by_id).await;
    assert_eq!((&by_id["status"], &by_id["ticket_id"]), (&json!("matched"), &json!(2)), "{by_id}");

    let (local, domain) = address.split_once('@').unwrap();
    let mut forged = local.to_owned();
    let last = if forged.pop() == Some('a') { 'b' } else { 'a' };
    let forged = format!("{forged}{last}@{domain}");
    let forged = desk.receive(&mail("f", "other").to(&[&forged]).date(5)).await;
    assert_eq!((&forged["status"], &forged["ticket_id"]), (&json!("created"), &json!(3)), "{forged}");
    assert!(forged["reasons"].as_array().unwrap().contains(&json!("forged-token")), "{forged}");
    assert!(desk.refusal(&["token", "9"]).await.contains("there is no ticket"));
}

#[tokio::test]
async fn what_stands_below_our_own_line_is_no_answer() {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust")).await;
    let ours = desk.text(&["token", "1", "--separator"]).await.trim().to_owned();
    assert!(ours.starts_with("--- reply above this line --- [postern:"), "{ours}");
    // Somebody else's line is text, and so is ours with a letter changed.
    let forged = ours.replace("]", "a]");
    for (n, line, shown) in [(1, &ours, false), (2, &forged, true)] {
        let answer = mail(&format!("r{n}"), "cust").reply_to(&["a"]).date(n);
        let octets = String::from_utf8(answer.octets("cli")).unwrap();
        let (header, _) = octets.split_once("\r\n\r\n").unwrap();
        let body = format!("The answer {n}.\n\n{line}\n\nUnmarked history {n}.\n");
        let file = desk.file(&format!("r{n}.eml"), format!("{header}\r\n\r\n{body}").as_bytes());
        desk.json(&["ingest", &file]).await;
        let conversation = desk.text(&["ticket", "1"]).await;
        assert!(conversation.contains(&format!("The answer {n}.")), "{conversation}");
        assert_eq!(conversation.contains(&format!("Unmarked history {n}.")), shown, "{conversation}");
    }
}

#[tokio::test]
async fn who_migrates_says_the_next_number() {
    let desk = Desk::new();
    assert_eq!(desk.receive(&mail("before", "cust")).await["ticket_number"], "INC-00001");
    assert_eq!(desk.text(&["tickets", "--next-number", "5000"]).await, "the next ticket gets the number 5000\n");
    assert_eq!(desk.json(&["tickets", "--next-number", "5000"]).await["next_number"], 5000, "twice changes nothing");
    assert_eq!(desk.receive(&mail("first", "cust")).await["ticket_number"], "INC-05000");
    let told = desk.refusal(&["tickets", "--next-number", "4000"]).await;
    assert!(told.contains("5000 is the last number given, so the next ticket gets 5001"), "{told}");
    assert_eq!(desk.receive(&mail("second", "cust")).await["ticket_number"], "INC-05001", "as it was");
    assert!(desk.run(&["tickets", "--next-number", "0"]).await.is_err(), "numbers begin with 1");
}
