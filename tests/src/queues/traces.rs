//! One trace id on every line about a mail, by whichever queue it comes to its end.

use std::collections::{BTreeMap, BTreeSet};

use postern::{queue::Work, store::keys::NO_MAILBOX};
use serde_json::Value;

use super::{Line, object_created, once};
use crate::{
    harness::{log::Log, wire::Wire},
    world::{World, mail},
};

const FILTER: &str = "warn,postern=info,postern_receipt=info,postern_retry=info,postern_poll=info";

fn lines(log: &Log) -> Vec<Value> {
    log.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn trace_of(line: &Value) -> &str {
    line["span"]["trace_id"].as_str().unwrap_or_default()
}

/// For each mail that came to an end, the trace ids on the lines that say so.
fn traces(log: &Log) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in lines(log).iter().filter(|line| line["message"] == "mail decided") {
        let id = line["inbound_id"].as_str().unwrap().to_owned();
        all.entry(id).or_default().insert(trace_of(line).to_owned());
    }
    all
}

fn expect_one_each(log: &Log, mails: usize) {
    let traces = traces(log);
    assert!(traces.len() >= mails, "{}", log.text());
    for (id, traces) in traces {
        assert!(traces.len() == 1 && !traces.contains(""), "{id}: {traces:?}\n{}", log.text());
    }
}

#[tokio::test]
async fn every_end_has_its_trace() {
    let log = Log::of(FILTER);
    super::every_call_of_receipt().await;
    expect_one_each(&log, 5);
    drop(log);
    let log = Log::of(FILTER);
    super::every_call_of_retry().await;
    expect_one_each(&log, 5);
    drop(log);
    let log = Log::of(FILTER);
    crate::imap::every_call_of_poll().await;
    expect_one_each(&log, 5);
}

/// Released by message, and three objects in one letter: each line has the id of the mail that it is about.
#[tokio::test]
async fn releases_and_objects_have_their_own() {
    let world = World::new().await;
    let log = Log::of(FILTER);
    let held = world.deliver(&mail("h", "cust").copy("1").spam()).await;
    let work = Work::Release { id: held.inbound_id.clone(), mailbox: None, actor: "me".to_owned() };
    let body = serde_json::to_string(&work).unwrap();
    assert!(once(&world, &Wire::new(), Line::Retry, ("m", &body), 1).await);
    let released = lines(&log).into_iter().find(|line| line["message"] == "released by message").unwrap();
    let row = world.items("MAIL#").await.into_values().next().unwrap();
    assert_eq!(trace_of(&released), row_trace(&row), "{released}");

    world.received(&mail("a", "cust").copy("2")).await;
    let (known, unknown) = (crate::world::text(&row, "raw_key"), "raw/ses/2".to_owned());
    let mut all: Value = serde_json::from_str(&object_created(&unknown)).unwrap();
    for key in [known.as_str(), "raw/mailgun/gone"] {
        let other: Value = serde_json::from_str(&object_created(key)).unwrap();
        all["Records"].as_array_mut().unwrap().push(other["Records"][0].clone());
    }
    assert!(once(&world, &Wire::new(), Line::Net, ("n", &all.to_string()), 1).await);
    let accounted: BTreeMap<String, String> = lines(&log)
        .iter()
        .filter(|line| line["message"] == "a raw object is accounted for")
        .map(|line| (line["key"].as_str().unwrap().to_owned(), trace_of(line).to_owned()))
        .collect();
    let nobodys = world.items("MAIL#").await.into_values().find(|row| crate::world::text(row, "sk") == NO_MAILBOX);
    let gone = ("raw/mailgun/gone".to_owned(), String::new());
    let expected = [(known, row_trace(&row)), (unknown, row_trace(&nobodys.unwrap())), gone];
    assert_eq!(accounted, BTreeMap::from(expected));
}

fn row_trace(row: &crate::world::Item) -> String {
    let ingress = row["ingress"].as_m().unwrap();
    let ingress = postern::inbound::Ingress {
        door: crate::world::text(ingress, "door"),
        provider: crate::world::text(ingress, "provider"),
        event_id: Some(crate::world::text(ingress, "event_id")).filter(|id| !id.is_empty()),
        transport_time: crate::world::now(),
    };
    ingress.trace_id(&crate::world::text(row, "raw_key")).unwrap()
}
