//! Held mail that ends by its retention: told a week before, once, and never behind somebody's back.

use jiff::{SignedDuration, Timestamp};
use postern::{
    ingest::Released,
    retention::{Days, Retention},
    store::LedgerId,
};

use super::{app, held, records, until_told};
use crate::{
    harness::{topic::Topic, wire::Wire},
    world::{World, mail, now, text},
};

pub(super) fn keeping(world: &World, held: Option<u16>, ledger: Option<u16>) -> postern::ingest::Ingest {
    let retention = Retention { stack: Days { held, ledger }, ..Retention::default() };
    postern::ingest::Ingest { store: world.ingest.store.keeping(retention), ..world.ingest.clone() }
}

pub(super) fn days(days: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * days)
}

async fn events(world: &World) -> Vec<(String, serde_json::Value)> {
    let topic = Topic::default();
    until_told(&app(world, &Wire::new().with_topic(&topic)), &records(world).await).await;
    let told = topic.published().into_iter().map(|message| message.event);
    told.map(|event| (event["type"].as_str().unwrap().to_owned(), event)).collect()
}

#[tokio::test]
async fn held_mail_that_ends_is_told_a_week_before() {
    let world = World::new().await;
    let ingest = keeping(&world, Some(30), Some(400));
    ingest.run(held().inbound()).await.unwrap();
    ingest.run(mail("o", "cust").copy("x").inbound()).await.unwrap();
    let end = |at: Timestamp| at.as_second().to_string();
    let rows = world.items("MAIL#").await;
    let ends: Vec<(String, String)> =
        rows.values().map(|row| (text(row, "outcome"), text(row, "expires_at"))).collect();
    assert!(ends.contains(&("held".into(), end(days(30)))) && ends.contains(&("committed".into(), end(days(400)))));
    let told = events(&world).await;
    let first = told.iter().find(|(name, _)| name == "message.held").unwrap();
    assert_eq!(first.1["mail"]["expires_at"].as_str().unwrap().parse::<Timestamp>().unwrap(), days(30));
    let store = &world.ingest.store;
    for (day, due) in [(0, 0), (22, 0), (24, 1), (25, 0)] {
        assert_eq!(store.warn_of_ends(days(day), 100).await.unwrap(), due, "day {day}");
        let expiring = events(&world).await;
        assert_eq!(expiring.len(), due, "day {day}");
        assert!(expiring.iter().all(|(name, event)| name == "message.expiring" && event["mail"]["cause"] == "spam"));
    }
}

#[tokio::test]
async fn what_is_released_or_kept_for_ever_is_never_told_to_end() {
    let world = World::new().await;
    let ingest = keeping(&world, Some(30), None);
    let answer = ingest.run(held().inbound()).await.unwrap().remove(0);
    keeping(&world, None, None).run(mail("k", "cust").copy("x").spam().inbound()).await.unwrap();
    events(&world).await;
    let id = LedgerId::parse(&answer.inbound_id).unwrap();
    assert!(matches!(ingest.release(&id, None, "ann").await.unwrap(), Released::Done(_)));
    events(&world).await;
    assert_eq!(world.ingest.store.warn_of_ends(days(1_000), 100).await.unwrap(), 0);
    let rows = world.items("MAIL#").await;
    assert!(rows.values().all(|row| text(row, "expires_at").is_empty()), "a released mail has come to its end");
    // What finds a copy or a reply never ends.
    for kind in ["MSGID#", "TICKET#"] {
        assert!(world.items(kind).await.values().all(|row| text(row, "expires_at").is_empty()), "{kind}");
    }
}

#[tokio::test]
async fn the_mail_that_is_held_longest_is_found() {
    let world = World::new().await;
    assert_eq!(world.ingest.store.oldest_held().await.unwrap(), None);
    for minutes in [9, 3, 7] {
        world.deliver(&mail(&format!("h{minutes}"), "cust").date(minutes).copy("1").spam()).await;
    }
    let oldest = world.ingest.store.oldest_held().await.unwrap();
    assert_eq!(oldest, Some(now() + SignedDuration::from_mins(3)));
}
