//! Postmark's failed mail: delivered again, or a stub where it can never come.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::{Side, mail, now};
use crate::{
    queues::reasons,
    world::{Item, text},
};

const API: &str = "https://api.postmarkapp.com/messages/inbound";

fn list_url(run: Timestamp, offset: usize) -> String {
    let day = (run - SignedDuration::from_hours(7 * 24)).to_zoned(TimeZone::UTC).date();
    format!("{API}?count=50&offset={offset}&status=failed&fromdate={day}")
}

fn lists_at(side: &Side, run: Timestamp, offset: usize, ids: &[&str]) {
    let lines: Vec<Value> = ids.iter().map(|id| json!({ "MessageID": id, "Status": "Failed" })).collect();
    let list = json!({ "TotalCount": ids.len(), "InboundMessages": lines });
    side.provider.put_body(&list_url(run, offset), "application/json", list.to_string());
}

/// Postmark lists these as failed.
pub(super) fn lists(side: &Side, run: Timestamp, ids: &[&str]) {
    lists_at(side, run, 0, ids);
}

/// Postmark tells of a mail, and would deliver it again.
pub(super) fn keeps(side: &Side, id: &str, name: &str, octets: u64) {
    let details = json!({
        "FromFull": { "Email": "cust@people.example", "Name": "Cust" }, "From": "cust@people.example",
        "ToFull": [{ "Email": "support@us.example", "Name": null }], "CcFull": [], "Cc": "",
        "OriginalRecipient": "support@us.example", "Subject": "the film", "Date": "Mon, 02 Nov 2026 09:01:00 +0000",
        "TextBody": format!("mail {name}"), "HtmlBody": null, "Tag": null, "MessageID": id, "Status": "Failed",
        "Headers": [{ "Name": "Message-ID", "Value": format!("<{name}@ids.example>") }],
        "Attachments": [{ "Name": "film.mp4", "ContentType": "video/mp4", "ContentLength": octets }],
    });
    side.provider.put_body(&format!("{API}/{id}/details"), "application/json", details.to_string());
    side.provider.put_body(&format!("{API}/{id}/retry"), "application/json", r#"{"ErrorCode":0,"Message":"OK"}"#);
}

fn puts(side: &Side) -> Vec<String> {
    side.asked().into_iter().filter(|asked| asked.starts_with("PUT")).collect()
}

/// A system whose only other look, at Mailgun, finds nothing.
async fn quiet() -> Side {
    let mut side = Side::new().await;
    side.settings.doors = postern::door::Doors::default();
    side
}

async fn entry(side: &Side) -> Item {
    let items = side.world.items("ENTRY#").await;
    assert_eq!(items.len(), 1, "{:?}", items.keys());
    items.into_values().next().unwrap()
}

#[tokio::test]
async fn failed_mail_is_delivered_again_unless_it_is_here() {
    let side = quiet().await;
    side.world.deliver(&mail("here", "cust").copy("1").door("postmark")).await;
    lists(&side, now(), &["id-1", "id-2"]);
    keeps(&side, "id-1", "here", 100);
    keeps(&side, "id-2", "missing", 100);
    let told = side.reconcile(0).await;
    assert_eq!(told, json!({ "announced": 0, "redriven": 1, "stubs": 0, "broken": 0 }));
    assert_eq!(puts(&side), [format!("PUT {API}/id-2/retry")]);
    for asked in side.provider.asked() {
        assert_eq!(asked.header("x-postmark-server-token"), Some("token-of-the-server"));
        assert_eq!(asked.header("accept"), Some("application/json"));
    }
}

#[tokio::test]
async fn what_can_never_come_gets_one_stub() {
    let side = quiet().await;
    lists(&side, now(), &["id-1"]);
    keeps(&side, "id-1", "film", 30_000_000);
    let told = side.reconcile(0).await;
    assert_eq!(told, json!({ "announced": 0, "redriven": 0, "stubs": 1, "broken": 0 }));
    let (row, written) = (side.row().await, entry(&side).await);
    assert_eq!((text(&row, "outcome"), text(&row, "effect")), ("committed".to_owned(), "created".to_owned()));
    assert!(reasons(&row).contains(&"too-large".to_owned()), "{:?}", reasons(&row));
    let flags: Vec<&String> = written["flags"].as_l().unwrap().iter().map(|flag| flag.as_s().unwrap()).collect();
    assert!(["rebuilt", "too-large", "auth-unknown"].iter().all(|flag| flags.iter().any(|f| f == flag)), "{flags:?}");
    let shown = text(&written, "text");
    for part in ["could not deliver", "film.mp4 (video/mp4, 30000000 octets)", "id-1", "mail film"] {
        assert!(shown.contains(part), "{shown} lacks {part}");
    }
    // It stays on Postmark's list for days.
    for minutes in [15, 30] {
        assert_eq!(side.reconcile(minutes).await["stubs"], json!(0));
    }
    assert_eq!(entry(&side).await["text"], written["text"]);
    assert!(puts(&side).is_empty(), "a hopeless delivery is not asked for");
    // The stub decides the same when it is brought in again: its flag stands beside the octets.
    let key = side.world.objects("raw/postmark").await.remove(0);
    let accept = side.world.ingest.blobs.head(&key).await.unwrap().unwrap().accept.unwrap();
    assert_eq!(accept.flags, ["too-large"]);
}

#[tokio::test]
async fn a_stub_answers_the_ticket_that_its_mail_answers() {
    let side = quiet().await;
    side.world.deliver(&mail("o", "cust").copy("1")).await;
    lists(&side, now(), &["id-1"]);
    keeps(&side, "id-1", "film", 30_000_000);
    let details = format!("{API}/id-1/details");
    let headers = json!([{ "Name": "Message-ID", "Value": "<film@ids.example>" }, { "Name": "In-Reply-To", "Value": "<o@ids.example>" }]);
    let body = json!({
        "FromFull": { "Email": "cust@people.example" }, "OriginalRecipient": "support@us.example", "Subject": "Re: subject",
        "Headers": headers, "Attachments": [{ "ContentLength": 30_000_000 }], "TextBody": "mail film",
    });
    side.provider.put_body(&details, "application/json", body.to_string());
    assert_eq!(side.reconcile(0).await["stubs"], json!(1));
    let tickets = side.world.items("TICKET#").await.into_keys().filter(|(_, sk)| sk == "TICKET").count();
    assert_eq!(tickets, 1);
}

#[tokio::test]
async fn mail_that_fails_each_time_hides_none() {
    let side = quiet().await;
    let stuck: Vec<String> = (0..50).map(|n| format!("stuck-{n}")).collect();
    let stuck: Vec<&str> = stuck.iter().map(String::as_str).collect();
    lists(&side, now(), &stuck);
    for id in &stuck {
        keeps(&side, id, "x", 100);
        side.provider.put(&format!("{API}/{id}/retry"), super::Page::Answer(422, String::new(), Vec::new()));
    }
    lists_at(&side, now(), 50, &["behind"]);
    keeps(&side, "behind", "behind", 100);
    assert_eq!(side.reconcile(0).await["broken"], json!(1));
    assert_eq!(side.reconcile(0).await["redriven"], json!(1));
    assert_eq!(side.asked().last(), Some(&format!("PUT {API}/behind/retry")));
    // The end of the list: from the beginning again.
    assert_eq!(side.reconcile(0).await["broken"], json!(1));
}

#[tokio::test]
async fn without_a_token_nobody_is_asked() {
    let mut side = quiet().await;
    side.operator = "{}";
    assert_eq!(side.reconcile(0).await["broken"], json!(0));
    assert!(side.asked().is_empty());
}
