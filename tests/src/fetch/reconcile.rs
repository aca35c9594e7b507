//! Mailgun's stored events: what a webhook missed is found, what is here is not.

use jiff::{SignedDuration, Timestamp};
use postern::{door::DoorId, store::cursor::Cursor};
use serde_json::{Value, json};

use super::{BASIC, DOMAIN, Page, Side, mail, now, url_of, word};
use crate::harness::wire::Wire;

const API: &str = "https://api.mailgun.net/v3/us.example/events";

fn at(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

/// A stored event, so many minutes after [`now`]: the mail's name in the storage, and its id.
pub(super) fn stored(name: &str, id: &str, minutes: i64) -> Value {
    json!({
        "event": "stored", "timestamp": at(minutes).as_second(), "id": format!("event-{name}"),
        "storage": { "url": url_of(name), "key": name },
        "message": {
            "headers": { "message-id": format!("{id}@ids.example") }, "size": 900,
            "recipients": ["support@us.example"], "attachments": [{ "filename": "a.txt" }],
        },
    })
}

fn next(n: usize) -> String {
    format!("{API}/page{n}")
}

fn put(side: &Side, url: &str, items: &[Value], n: usize) {
    let page = json!({ "items": items, "paging": { "next": next(n) } });
    side.provider.put_body(url, "application/json", page.to_string());
}

fn first(since: Timestamp) -> String {
    format!("{API}?begin={}&ascending=yes&limit=300&event=stored", since.as_second())
}

/// One page of events and an empty one, for a first pass at that time.
pub(super) fn stored_events(side: &Side, run: Timestamp, events: &[Value]) {
    put(side, &first(run - SignedDuration::from_hours(72)), events, 2);
    put(side, &next(2), &[], 3);
}

/// What a second pass finds.
pub(super) fn nothing_since(side: &Side, since: Timestamp) {
    put(side, &first(since), &[], 9);
}

async fn cursor(side: &Side) -> Cursor {
    side.world.ingest.store.cursor(&DoorId::parse("mailgun").unwrap(), DOMAIN).await.unwrap()
}

fn announced(told: &Value) -> (u64, u64) {
    (told["announced"].as_u64().unwrap(), told["broken"].as_u64().unwrap())
}

#[tokio::test]
async fn what_is_missing_is_found_and_nothing_else() {
    let side = Side::new().await;
    // One is told of and queued, one came by another door, one is told of and decided.
    side.keeps("missed", &mail("m", "cust"));
    side.keeps("decided", &mail("d", "cust"));
    side.tell(word("decided", &mail("d", "cust").copy("1"))).await;
    side.work_off(0).await;
    side.tell(word("queued", &mail("q", "cust").copy("2"))).await;
    side.world.deliver(&mail("other", "cust").copy("3").door("postmark")).await;
    super::take_retry_messages(&side.world).await;
    let events = [
        stored("missed", "m", 0),
        stored("decided", "d", 1),
        stored("queued", "q", 2),
        stored("o", "other", 3),
        stored("young", "y", 50),
    ];
    stored_events(&side, at(60), &events);
    let before = side.provider.asked().len();
    assert_eq!(announced(&side.reconcile(60).await), (1, 0));
    let asked = side.provider.asked().split_off(before);
    assert!(asked.iter().all(|asked| asked.header("authorization") == Some(BASIC)));
    assert_eq!(cursor(&side).await.seen_until, Some(at(30)), "never nearer than half an hour");
    let rows = side.world.items("MAIL#").await.into_values();
    let missed: Vec<_> = rows.filter(|row| row.contains_key("accept") && row["received_at"] == time(0)).collect();
    assert_eq!(missed.len(), 1, "its transport time is the event's");
    assert_eq!(side.work_off(60).await, 1);
    assert!(side.world.items("TICKET#").await.values().any(|item| crate::world::text(item, "text") == "mail m"));
    // The next pass begins half an hour before that, and tells of nothing twice; the young one has grown old.
    put(&side, &first(at(0)), &events, 2);
    assert_eq!(announced(&side.reconcile(75).await), (1, 0));
    assert_eq!(cursor(&side).await.seen_until, Some(at(45)));
    put(&side, &first(at(15)), &events, 2);
    assert_eq!(announced(&side.reconcile(90).await), (0, 0));
}

fn time(minutes: i64) -> aws_sdk_dynamodb::types::AttributeValue {
    aws_sdk_dynamodb::types::AttributeValue::S(at(minutes).to_string())
}

#[tokio::test]
async fn a_pass_that_breaks_off_goes_on_where_it_was() {
    let side = Side::new().await;
    put(&side, &first(at(60) - SignedDuration::from_hours(72)), &[stored("a", "a", 0)], 2);
    side.provider.put(&next(2), Page::Answer(500, String::new(), Vec::new()));
    assert_eq!(announced(&side.reconcile(60).await), (1, 1));
    let stands = cursor(&side).await;
    assert_eq!((stands.seen_until, stands.pass.map(|pass| (pass.until, pass.next))), (None, Some((at(30), next(2)))));
    put(&side, &next(2), &[stored("b", "b", 1)], 3);
    put(&side, &next(3), &[], 4);
    let before = side.asked().len();
    assert_eq!(announced(&side.reconcile(75).await), (1, 0));
    let asked = side.asked().split_off(before);
    assert_eq!(asked, [format!("GET {}", next(2)), format!("GET {}", next(3))], "not from the beginning");
    let stands = cursor(&side).await;
    assert_eq!((stands.seen_until, stands.pass), (Some(at(30)), None), "what the pass began with");
}

#[tokio::test]
async fn a_page_that_is_gone_begins_the_pass_anew() {
    let side = Side::new().await;
    put(&side, &first(at(60) - SignedDuration::from_hours(72)), &[stored("a", "a", 0)], 2);
    assert_eq!(announced(&side.reconcile(60).await), (1, 1), "page 2 is 404");
    assert_eq!((cursor(&side).await.pass, cursor(&side).await.seen_until), (None, None), "nothing counts as seen");
    stored_events(&side, at(90), &[stored("a", "a", 0), stored("b", "b", 1)]);
    assert_eq!(announced(&side.reconcile(90).await), (1, 0));
}

#[tokio::test]
async fn the_next_page_is_on_the_providers_host_too() {
    let side = Side::new().await;
    let page = json!({ "items": [stored("a", "a", 0)], "paging": { "next": "https://evil.example/next" } });
    let url = first(at(60) - SignedDuration::from_hours(72));
    side.provider.put_body(&url, "application/json", page.to_string());
    assert_eq!(announced(&side.reconcile(60).await), (1, 1));
    assert_eq!(side.asked(), [format!("GET {url}")], "nobody else is asked");
    assert_eq!(cursor(&side).await.pass, None);
}

#[tokio::test]
async fn the_same_mail_under_two_urls_is_one_entry() {
    let side = Side::new().await;
    side.keeps("a", &mail("o", "cust"));
    side.tell(word("a", &mail("o", "cust").copy("1"))).await;
    // The event names another host, and the webhook's word is not fetched yet.
    let mut event = stored("a", "o", 0);
    let elsewhere = "https://storage-us-east4.api.mailgun.net/v3/domains/us.example/messages/a";
    event["storage"]["url"] = json!(elsewhere);
    let body = json!({ "body-mime": String::from_utf8(mail("o", "cust").octets("1")).unwrap() });
    side.provider.put_body(elsewhere, "application/json", body.to_string());
    stored_events(&side, at(60), &[event]);
    assert_eq!(announced(&side.reconcile(60).await), (1, 0));
    assert_eq!(side.work_off(60).await, 2);
    assert_eq!(side.world.end_state().await.partition, "o");
    assert_eq!(side.rows().await, ["support committed", "support duplicate"]);
}

#[tokio::test]
async fn doors_that_are_shut_or_have_no_domains_are_not_asked() {
    let mut side = Side::new().await;
    side.settings.closed = true;
    assert_eq!(side.reconcile(60).await, json!({}));
    side.settings.closed = false;
    side.settings.doors = postern::door::Doors::default();
    assert_eq!(announced(&side.reconcile(60).await), (0, 1), "Postmark's list is 404 here");
    assert!(side.asked().iter().all(|asked| asked.contains("api.postmarkapp.com")));
    // Without the provider's answers the function does without, and says so.
    let app = side.world.retry_function(&Wire::new());
    assert_eq!(announced(&app.handle(json!({ "work": "reconcile" })).await.unwrap()), (0, 0));
}

#[tokio::test]
async fn mail_that_a_url_sent_to_another_mailbox_is_here() {
    let side = Side::with_two().await;
    side.keeps("k", &mail("m", "cust"));
    let billing = postern::mailbox::MailboxId::parse("billing");
    side.tell(postern::inbound::InboundMessage { mailbox: billing, ..word("k", &mail("m", "cust").copy("1")) }).await;
    side.work_off(0).await;
    assert_eq!(side.rows().await, ["billing committed"]);
    stored_events(&side, at(60), &[stored("k", "m", 0)]);
    assert_eq!(announced(&side.reconcile(60).await), (0, 0), "though its address is another mailbox's");
}

#[tokio::test]
async fn mail_of_somebody_elses_route_is_left_alone() {
    let side = Side::new().await;
    let mut others = stored("k", "m", 0);
    others["message"]["recipients"] = json!(["invoices@us.example"]);
    stored_events(&side, at(60), &[others]);
    assert_eq!(announced(&side.reconcile(60).await), (0, 0));
    assert!(side.world.items("MAIL#").await.is_empty());
}
