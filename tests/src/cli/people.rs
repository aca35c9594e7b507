//! `participant`, `requester`, and `hold` in bulk: what is said of people, and of their mail.

use serde_json::{Value, json};

use super::Desk;
use crate::world::{Mail, mail};

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|line| line["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_participant_is_let_in_and_taken_off() {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust")).await;
    let on = |verb: &'static str, who: &'static str| ["participant", verb, "INC-00001", who];
    assert!(desk.text(&on("approve", "pat@people.example")).await.contains("may write on INC-00001 from now on"));
    let public = desk.receive(&mail("b", "pat").reply_to(&["a"])).await;
    assert_eq!((&public["ticket_id"], &public["outcome"]), (&json!(1), &json!("replied_to_existing")));
    assert!(!public["reasons"].to_string().contains("stranger"), "{public}");
    assert!(desk.refusal(&on("approve", "pat@people.example")).await.contains("already"));
    assert!(desk.refusal(&on("remove", "cust@people.example")).await.contains("is the requester"));
    let removed = desk.json(&[&on("remove", "pat@people.example")[..], &["--actor", "bea"]].concat()).await;
    assert_eq!(removed["participants"].as_array().unwrap().len(), 1);
    let shown = desk.text(&["ticket", "1"]).await;
    assert!(shown.contains("participant-removed pat@people.example by bea"), "{shown}");
    assert_eq!(desk.json(&["ticket", "1"]).await["acts"].as_array().unwrap().len(), 2);
    assert!(desk.misuse(&on("approve", "pat")).await.contains("no e-mail address"));
    assert!(desk.refusal(&["participant", "approve", "7", "pat@people.example"]).await.contains("there is no ticket"));
}

#[tokio::test]
async fn a_requester_is_shown_blocked_exported_and_erased() {
    let desk = Desk::new();
    desk.receive(&mail("a", "pat")).await;
    desk.receive(&mail("b", "pat").reply_to(&["a"]).date(3)).await;
    let of = |verb: &'static str| ["requester", verb, "pat@people.example"];
    let shown = desk.text(&of("show")).await;
    assert!(shown.contains("in support: Pat (guest), 1 tickets") && shown.contains("tickets INC-00001"), "{shown}");
    assert!(desk.text(&of("known")).await.contains("known contact"));
    assert!(desk.text(&of("block")).await.contains("blocked-sender"));
    assert_eq!(desk.receive(&mail("c", "pat").date(4)).await["outcome"], "held");
    let shown = desk.text(&of("show")).await;
    assert!(shown.contains("(known contact)") && shown.contains("blocked by cli"), "{shown}");
    desk.text(&of("unblock")).await;
    assert_eq!(desk.receive(&mail("d", "pat").date(5)).await["outcome"], "created_new");
    let everything = desk.json(&of("export")).await;
    assert_eq!(
        (everything["entries"].as_array().unwrap().len(), everything["mails"].as_object().unwrap().len()),
        (3, 4)
    );
    let folder = desk.folder.path().join("export");
    let told = desk.text(&[&of("export")[..], &["--to", folder.to_str().unwrap()]].concat()).await;
    assert!(told.contains("and 4 mails"), "{told}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 5);
    let asked = desk.refusal(&of("erase")).await;
    assert!(asked.contains("3 entries, 4 mails and 2 tickets") && asked.contains("--yes"), "{asked}");
    let erased = desk.json(&[&of("erase")[..], &["--yes", "--actor", "dpo"]].concat()).await;
    assert_eq!(erased, json!({ "tickets": 2, "entries": 3, "mails": 4, "objects": 4 }));
    let ticket = desk.text(&["ticket", "1"]).await;
    assert!(!ticket.contains("pat@") && ticket.contains("(erased)"), "{ticket}");
    assert!(desk.text(&of("show")).await.contains("erased by dpo"));
    assert!(desk.refusal(&["requester", "show", "nobody@people.example"]).await.contains("nothing is remembered"));
    assert!(desk.misuse(&["requester", "show", "nobody"]).await.contains("no e-mail address"));
    let elsewhere = desk.refusal(&[&of("show")[..], &["--mailbox", "elsewhere"]].concat()).await;
    assert!(elsewhere.contains("there is no mailbox elsewhere"), "{elsewhere}");
}

#[tokio::test]
async fn held_mail_is_ended_by_cause_and_author_in_bulk() {
    let desk = Desk::new();
    desk.receive(&mail("o", "cust")).await;
    desk.text(&["mailbox", "set", "support", "--cap-author-tickets", "2"]).await;
    let away = |name: &str, author: &str| mail(name, author).field("Auto-Submitted: auto-replied");
    for n in 0..3 {
        desk.receive(&away(&format!("a{n}"), "ann")).await;
    }
    desk.receive(&away("z", "zoe")).await;
    let flood = |n: i64| -> Mail { mail(&format!("f{n}"), "flood").date(n) };
    for n in 0..6 {
        desk.receive(&flood(n)).await;
    }
    let all = desk.json(&["hold", "list"]).await;
    assert_eq!(ids(&all["mail"]).len(), 8);
    assert_eq!(all["groups"], json!([{ "cause": "loop", "author": "flood@people.example", "mails": 4 }]));
    let text = desk.text(&["hold", "list"]).await;
    assert!(text.contains("loop: 4 mails of flood@people.example"), "{text}");
    assert!(text.contains("postern hold release --cause loop --from flood@people.example"), "{text}");
    let one = desk.json(&["hold", "list", "--cause", "auto-reply", "--from", "zoe@people.example"]).await;
    let [zoes] = ids(&one["mail"])[..] else { panic!("{one}") };
    assert!(desk.text(&["hold", "show", zoes]).await.contains("auto-reply"));
    let discarded = desk.json(&["hold", "discard", "--cause", "auto-reply", "--from", "ann@people.example"]).await;
    assert_eq!(discarded["discarded"].as_array().unwrap().len(), 3);
    let released = desk.text(&["hold", "release", "--cause", "loop", "--from", "flood@people.example"]).await;
    assert!(released.ends_with("4 released\n"), "{released}");
    assert_eq!(desk.json(&["tickets"]).await["tickets"].as_array().unwrap().len(), 7);
    assert_eq!(ids(&desk.json(&["hold", "list"]).await["mail"]), [zoes]);
    assert!(desk.refusal(&["hold", "show", "0000"]).await.contains("no mail"));
    assert!(desk.misuse(&["hold", "list", "--cause", "boredom"]).await.contains("is none"));
    assert!(desk.run(&["hold", "release"]).await.is_err(), "everything that is held is not meant by nothing");
}
