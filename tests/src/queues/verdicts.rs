//! Spam and virus verdicts of SES, and what they do.

use serde_json::json;

use super::{Line, notification, once, only_row, sns};
use crate::{
    harness::wire::Wire,
    world::{Copy, World, keyring, mail, text, with_file},
};

/// Delivers a copy with verdicts set by path.
async fn with(world: &World, copy: &Copy, set: &[(&str, &str)]) {
    world.received(copy).await;
    let mut json = notification(copy);
    for (name, status) in set {
        match *status {
            "missing" => drop(json["receipt"].as_object_mut().unwrap().remove(*name)),
            status => json["receipt"][name] = json!({ "status": status }),
        }
    }
    assert!(once(world, &Wire::new(), Line::Receipt, ("m", &sns(&json)), 1).await);
}

#[tokio::test]
async fn a_virus_is_held_always() {
    let world = World::new().await;
    let tag = keyring().reply_address(world.mailboxes.only().unwrap(), 1).unwrap();
    world.deliver(&mail("o", "cust").copy("0")).await;
    with(&world, &mail("v", "cust").to(&[tag.as_str()]).copy("1"), &[("virusVerdict", "FAIL")]).await;
    let rows = world.items("MAIL#").await;
    assert!(rows.values().any(|row| text(row, "cause") == "virus"), "whoever speaks for it");
    assert_eq!(world.end_state().await.partition, "o");
}

#[tokio::test]
async fn spam_is_held_unless_all_three_speak_for_it() {
    let fail: &[(&str, &str)] = &[("spamVerdict", "FAIL")];
    let world = World::new().await;
    let tag = keyring().reply_address(world.mailboxes.only().unwrap(), 1).unwrap();
    let tag = tag.as_str();
    world.deliver(&mail("o", "cust").copy("0")).await;
    with(&world, &mail("all", "cust").to(&[tag]).copy("1"), fail).await;
    with(&world, &mail("no-token", "cust").reply_to(&["o"]).copy("2"), fail).await;
    with(&world, &mail("no-participant", "eve").to(&[tag]).copy("3"), fail).await;
    with(&world, &mail("no-authentication", "cust").to(&[tag]).copy("4").auth(None), fail).await;
    let end = world.end_state().await;
    assert_eq!(end.partition, "all o");
    let held: Vec<&String> = end.ledger.iter().filter(|line| line.ends_with("held")).collect();
    assert_eq!(held, ["2/support  held", "3/support  held", "4/support  held"]);
}

#[tokio::test]
async fn scanners_in_doubt_are_flagged() {
    for (verdict, status, flag) in [
        ("spamVerdict", "GRAY", "spam-unsure"),
        ("spamVerdict", "PROCESSING_FAILED", "spam-unsure"),
        ("virusVerdict", "GRAY", "virus-unsure"),
        ("virusVerdict", "PROCESSING_FAILED", "virus-unsure"),
    ] {
        let world = World::new().await;
        with(&world, &mail("o", "cust").copy("1"), &[(verdict, status)]).await;
        let entries = world.items("ENTRY#").await;
        let flags = entries.values().next().unwrap()["flags"].as_l().unwrap();
        assert!(flags.iter().any(|f| f.as_s().unwrap() == flag), "{verdict} {status}: {flags:?}");
        assert!(only_row(&world).await.2.iter().any(|reason| reason == flag));
    }
    let world = World::new().await;
    with(&world, &mail("o", "cust").copy("1"), &[("spamVerdict", "DISABLED")]).await;
    assert!(!only_row(&world).await.2.iter().any(|reason| reason.ends_with("unsure")), "not scanned is not in doubt");
}

#[tokio::test]
async fn attachments_are_withheld_unless_the_scanner_passed_them() {
    for (status, stored) in
        [("PASS", 1), ("GRAY", 0), ("PROCESSING_FAILED", 0), ("DISABLED", 0), ("missing", 0), ("pass ", 1)]
    {
        let world = World::new().await;
        with(&world, &with_file("o", "cust").copy("1"), &[("virusVerdict", status)]).await;
        assert_eq!(world.objects("attachments/").await.len(), stored, "{status}");
        let entries = world.items("ENTRY#").await;
        let listed = entries.values().next().unwrap()["attachments"].as_l().unwrap();
        assert_eq!(listed.len(), 1, "{status}: listed in any case");
        let refused = text(listed[0].as_m().unwrap(), "refused");
        assert_eq!(refused, if stored == 1 { "" } else { "not-scanned" }, "{status}");
    }
}

#[tokio::test]
async fn fields_in_the_mail_are_no_verdicts() {
    let world = World::new().await;
    let forged = with_file("o", "cust")
        .field("X-SES-Virus-Verdict: PASS")
        .field("X-SES-Spam-Verdict: PASS")
        .field("Authentication-Results: amazonses.com; spf=pass; dkim=pass; dmarc=pass");
    let copy = forged.copy("1").auth(None);
    with(&world, &copy, &[("virusVerdict", "missing"), ("spamVerdict", "FAIL")]).await;
    let (outcome, cause, _) = only_row(&world).await;
    assert_eq!((outcome.as_str(), cause.as_str()), ("held", "spam"), "only the notification speaks");
}

#[tokio::test]
async fn released_mail_still_keeps_its_files_back() {
    let world = World::new().await;
    with(&world, &with_file("o", "cust").copy("1"), &[("virusVerdict", "FAIL")]).await;
    let ((pk, sk), _) = world.items("MAIL#").await.into_iter().next().unwrap();
    let id = format!("{}/{sk}", pk.trim_start_matches("MAIL#"));
    let id = postern::store::LedgerId::parse(&id).unwrap();
    world.ingest.release(&id, None, "test").await.unwrap();
    assert_eq!(world.end_state().await.partition, "o", "the envelope and verdicts came back with it");
    assert!(world.objects("attachments/").await.is_empty(), "an operator's word is no scan");
}
