//! `merge` and `split`, as they are typed.

use serde_json::{Value, json};

use super::Desk;
use crate::world::mail;

/// The names of a ticket's entries, as `ticket` shows them.
async fn names(desk: &Desk, ticket: &str) -> Vec<String> {
    let shown = desk.text(&["ticket", ticket]).await;
    let heads = shown.lines().filter(|line| line.starts_with("── "));
    heads.filter_map(|line| line.split_whitespace().last().map(str::to_owned)).collect()
}

async fn desk() -> Desk {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust")).await;
    desk.receive(&mail("b", "cust").reply_to(&["a"]).date(2).subject("the scanner")).await;
    desk.receive(&mail("c", "ann")).await;
    desk
}

#[tokio::test]
async fn a_ticket_is_merged() {
    let desk = desk().await;
    let told = desk.text(&["merge", "2", "INC-00001", "--actor", "ann"]).await;
    assert_eq!(told, "INC-00002 is merged into INC-00001, which takes its mail from now on\n");
    let shown = desk.text(&["ticket", "2"]).await;
    assert!(shown.contains("status closed") && shown.contains("merged into ticket 1"), "{shown}");
    assert!(shown.contains("merged-into INC-00001 by ann"), "{shown}");
    let shown = desk.text(&["ticket", "1"]).await;
    assert!(shown.contains("ann@people.example"), "{shown}");
    assert!(shown.contains("merged-from INC-00002 by ann"), "{shown}");
    assert_eq!(desk.receive(&mail("d", "ann").reply_to(&["c"]).date(3)).await["ticket_id"], 1);
    assert!(desk.refusal(&["merge", "2", "1"]).await.contains("was merged into ticket 1"));
    assert!(desk.refusal(&["merge", "1", "1"]).await.contains("into itself"));
    assert!(desk.refusal(&["merge", "1", "9"]).await.contains("there is no ticket 9"));
    assert!(desk.misuse(&["merge", "1", "x"]).await.contains("no ticket number"));
    assert!(desk.misuse(&["merge", "1", "2", "--actor", ""]).await.contains("--actor"));
    assert!(desk.refusal(&["ticket", "2", "--status", "open"]).await.contains("was merged"));
}

#[tokio::test]
async fn an_entry_is_split_off() {
    let desk = desk().await;
    let names_of_1 = names(&desk, "1").await;
    let [first, second] = names_of_1.as_slice() else { panic!("{names_of_1:?}") };
    assert_eq!(desk.text(&["split", second]).await, "moved to INC-00003; replies to it go there from now on\n");
    let made = desk.json(&["ticket", "3"]).await;
    assert_eq!((&made["ticket"]["subject"], &made["ticket"]["status"]), (&json!("the scanner"), &json!("open")));
    assert_eq!(desk.receive(&mail("d", "cust").reply_to(&["b"]).date(3)).await["ticket_id"], 3);
    assert!(desk.refusal(&["split", first]).await.contains("postern merge INC-00001 TICKET"));
    let moved = names(&desk, "3").await.remove(0);
    let back = desk.json(&["split", &moved, "--to", "INC-00001", "--actor", "ann"]).await;
    assert_eq!((&back["ticket_id"], &back["entry_count"]), (&json!(1), &json!(2)));
    let shown = desk.text(&["ticket", "3"]).await;
    assert!(shown.contains(&format!("entry-moved-to INC-00001/{} by ann", moved.trim_start_matches("3/"))), "{shown}");
    assert!(desk.refusal(&["split", &moved]).await.contains("has no entry"));
    assert!(desk.refusal(&["split", second, "--to", "9"]).await.contains("there is no ticket 9"));
    assert!(desk.misuse(&["split", "1"]).await.contains("use TICKET/HASH"));
    let mail = desk.json(&["mail"]).await;
    let tickets: Vec<&Value> = mail["mail"].as_array().unwrap().iter().map(|line| &line["ticket_number"]).collect();
    assert!(tickets.contains(&&json!("INC-00003")) && tickets.contains(&&json!("INC-00001")), "{tickets:?}");
}
