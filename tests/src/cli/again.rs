//! Mail once more: `redrive` and `replay`.

use postern::{
    inbound::{AcceptRecord, InboundMessage},
    records::Cause,
};
use postern_cli::{
    engines::{BUCKET, queues::RETRY_QUEUE},
    local::Local,
};

use super::Desk;
use crate::world::mail;

/// Puts safe octets into the data directory: with a failed row, or with none at all.
async fn left_behind(desk: &Desk, name: &str, failed: bool) -> String {
    let local = Local::open(&desk.data()).await.unwrap();
    let inbound: InboundMessage = mail(name, "cust").copy(name).inbound();
    let accept = AcceptRecord {
        raw_key: format!("raw/mailgun/{name}"),
        mailboxes: vec![local.ingest.mailboxes.only().unwrap().id.clone()],
        ..local.ingest.accept_unread(&inbound)
    };
    local.ingest.blobs.put_raw(&accept, inbound.raw).await.unwrap();
    if failed {
        local.ingest.park_copies(&accept, (Cause::DeadLetter, "receives-used-up")).await.unwrap();
    }
    local.close().await;
    accept.raw_key
}

async fn id_of_the_only_mail(desk: &Desk) -> String {
    let listed = desk.json(&["mail", "--days", "60"]).await;
    let mails = listed["mail"].as_array().unwrap();
    assert_eq!(mails.len(), 1, "{listed}");
    mails[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn failed_mail_is_redriven_and_becomes_a_ticket() {
    for words in [["redrive", "--all"].as_slice(), &["redrive", "--cause", "dead-letter"]] {
        let desk = Desk::new();
        left_behind(&desk, "o", true).await;
        assert!(desk.text(&["tickets"]).await.contains("1 failed"), "counted below every listing");
        let told = desk.text(words).await;
        assert!(told.contains("1 of 1 brought in again"), "{told}");
        assert_eq!(desk.json(&["tickets"]).await["tickets"].as_array().unwrap().len(), 1);
        assert!(desk.text(&["redrive", "--all"]).await.contains("0 of 0"), "nothing is left");
    }
}

#[tokio::test]
async fn one_mail_is_redriven_by_the_beginning_of_its_id() {
    let desk = Desk::new();
    left_behind(&desk, "o", true).await;
    let id = id_of_the_only_mail(&desk).await;
    let told = desk.json(&["redrive", id.get(..12).unwrap()]).await;
    assert_eq!((told["status"].as_str(), told["inbound_id"].as_str()), (Some("queued"), Some(id.as_str())));
    assert!(desk.refusal(&["redrive", &id]).await.contains("committed, not failed"));
    let none = desk.text(&["redrive", "--cause", "poison"]).await;
    assert!(none.contains("0 of 0"), "{none}");
}

#[tokio::test]
async fn redrive_wants_to_be_told_what() {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust")).await;
    assert!(desk.misuse(&["redrive"]).await.contains("--all"));
    let (code, _) = desk.trouble(&["redrive", "--all", "--cause", "poison"]).await;
    assert_ne!(code, 0);
}

#[tokio::test]
async fn a_replay_makes_nothing_twice_and_a_rehearsal_makes_nothing() {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust")).await;
    let id = id_of_the_only_mail(&desk).await;
    let replayed = desk.json(&["replay", &id]).await;
    assert_eq!(replayed["outcome"], "created_new");
    assert!(replayed["reasons"].to_string().contains("seen-before"), "{replayed}");
    let rehearsed = desk.json(&["replay", "--dry-run", &id]).await;
    assert_eq!(rehearsed["outcome"], "created_new", "as if it came for the first time: {rehearsed}");
    assert!(!rehearsed["reasons"].to_string().contains("same-message-id"), "{rehearsed}");
    assert!(desk.text(&["replay", "--dry-run", &id]).await.contains("not written"));
    assert_eq!(desk.json(&["tickets"]).await["tickets"].as_array().unwrap().len(), 1);
    assert_eq!(desk.json(&["ticket", "1"]).await["entries"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_rehearsal_tells_what_a_held_mail_waits_for() {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust").field("Auto-Submitted: auto-replied")).await;
    let id = id_of_the_only_mail(&desk).await;
    let rehearsed = desk.json(&["replay", "--dry-run", &id]).await;
    assert_eq!((rehearsed["outcome"].as_str(), rehearsed["reasons"][0].as_str()), (Some("held"), Some("auto-reply")));
}

#[tokio::test]
async fn an_object_without_a_row_is_replayed_by_its_key() {
    let desk = Desk::new();
    let key = left_behind(&desk, "o", false).await;
    assert_eq!(desk.json(&["replay", &key]).await["outcome"], "created_new");
    assert_eq!(desk.json(&["tickets"]).await["tickets"].as_array().unwrap().len(), 1);
    assert!(desk.refusal(&["replay", "raw/mailgun/nobody"]).await.contains("there is no mail at"));
    assert!(desk.misuse(&["replay", "--dry-run", &key]).await.contains("--dry-run"));
}

#[tokio::test]
async fn one_that_cannot_be_replayed_keeps_no_other_from_it() {
    let desk = Desk::new();
    let (first, second) = (left_behind(&desk, "o", false).await, left_behind(&desk, "p", false).await);
    let nobodys = format!("{}/support", "0".repeat(64));
    let (code, said) = desk.trouble(&["replay", &nobodys, &first, "raw/mailgun/nobody", &second]).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(&format!("there is no mail {nobodys}")) && said.contains("raw/mailgun/nobody: "), "{said}");
    assert_eq!(desk.json(&["tickets"]).await["tickets"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_release_that_cannot_be_now_is_queued_with_its_word() {
    let desk = Desk::new();
    desk.receive(&mail("a", "cust").field("Auto-Submitted: auto-replied")).await;
    let listed = desk.json(&["mail", "--days", "60"]).await;
    let (id, key) = (listed["mail"][0]["id"].as_str().unwrap(), listed["mail"][0]["raw_key"].as_str().unwrap());
    let local = Local::open(&desk.data()).await.unwrap();
    let s3 = local.endpoints().all_clients(None).s3;
    // What says how it was accepted does not read now: an operator's matter, so it is tried again.
    s3.delete_object().bucket(BUCKET).key(key).send().await.unwrap();
    s3.put_object().bucket(BUCKET).key(key).metadata("accept", "!").send().await.unwrap();
    local.close().await;
    let told = desk.text(&["hold", "release", id, "--actor", "ann"]).await;
    assert!(told.contains("the retry queue releases"), "{told}");
    let local = Local::open(&desk.data()).await.unwrap();
    let depth = local.engines.as_ref().unwrap().queues().depth(RETRY_QUEUE);
    assert_eq!(depth.due, 1);
    local.close().await;
    assert!(desk.text(&["tickets"]).await.contains("1 held"), "held as before");
}
