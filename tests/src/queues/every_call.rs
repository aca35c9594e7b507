//! Every kind of call that the queue functions make: held against their roles (`template/reach.rs`).

use base64::{Engine as _, prelude::BASE64_STANDARD};
use postern::ticket::Status;
use serde_json::json;

use super::{Line, decide, notification, object_created, once, sns};
use crate::{
    harness::{call::Call, fault::Fault, wire::Wire},
    world::{Copy, SUPPORT, World, mail, mailbox, with_file},
};

/// A notification that brings the octets along.
pub(super) fn with_content(copy: &Copy) -> String {
    let mut json = notification(copy);
    json["receipt"]["action"] = json!({ "type": "SNS", "encoding": "BASE64" });
    json["content"] = json!(BASE64_STANDARD.encode(copy.mail.octets(&copy.label)));
    sns(&json)
}

pub(crate) async fn every_call_of_receipt() -> Vec<Call> {
    let world = World::new().await;
    let wire = Wire::new();
    world.read_settings(&wire).await;
    for (copy, receives) in [
        (mail("o", "cust").to(&["bob"]).copy("1"), 1),
        (mail("r", "bob").reply_to(&["o"]).references(&["p", "o"]).copy("2"), 2),
        (with_file("f", "cust").copy("3"), 1),
        (mail("h", "cust").copy("4").spam(), 1),
    ] {
        let body = world.received(&copy).await;
        assert!(once(&world, &wire, Line::Receipt, ("m", &body), receives).await);
    }
    assert!(
        once(&world, &wire, Line::Receipt, ("m", &with_content(&mail("c", "ann").copy("5").for_a_crowd())), 1).await
    );
    for receives in [1, 2] {
        assert!(once(&world, &wire, Line::Receipt, ("m", "no receipt"), receives).await);
    }
    let missing = sns(&notification(&mail("x", "cust").copy("9")));
    assert!(!once(&world, &wire, Line::Receipt, ("m", &missing), 1).await, "put off");
    wire.calls()
}

pub(crate) async fn every_call_of_retry() -> Vec<Call> {
    let mut support = mailbox("support", SUPPORT, "INC");
    support.lifecycle.auto_close_days = Some(7);
    let world = World::with(vec![support]).await;
    let orphan = |copy: Copy| {
        let world = &world;
        async move {
            let before = world.objects("raw/").await;
            let wire = Wire::new();
            wire.fail_call(2, Fault::Refused);
            world.over(&wire).run(copy.inbound()).await.unwrap_err();
            let after = world.objects("raw/").await;
            after.into_iter().find(|key| !before.contains(key)).unwrap()
        }
    };
    let wire = Wire::new();
    world.read_settings(&wire).await;
    for copy in
        [with_file("f", "cust").copy("1").token("t", "A"), mail("r", "cust").reply_to(&["f"]).copy("6").token("u", "B")]
    {
        let key = orphan(copy).await;
        let accept = world.ingest.blobs.head(&key).await.unwrap().unwrap().accept.unwrap();
        assert!(once(&world, &wire, Line::Retry, ("m", &decide(accept)), 1).await);
    }
    let key = orphan(mail("n", "cust").copy("2")).await;
    assert!(once(&world, &wire, Line::Net, ("m", &object_created(&key)), 1).await);
    world.received(&mail("s", "cust").copy("3")).await;
    assert!(once(&world, &wire, Line::Net, ("m", &object_created("raw/ses/3")), 1).await);
    let crowded = mail("d", "ann").copy("4").for_a_crowd();
    assert!(once(&world, &wire, Line::Dead, ("m", &with_content(&crowded)), 1).await);
    assert!(once(&world, &wire, Line::Dead, ("m", "garbage"), 1).await);
    let down = Wire::new();
    down.fail_call(1, Fault::ServerError);
    let receipt = sns(&notification(&mail("e", "ann").copy("5")));
    assert!(!once(&world, &down, Line::Dead, ("m", &receipt), 1).await, "put off");
    let later = crate::world::now() + jiff::SignedDuration::from_hours(1);
    let app = postern_retry::App { ingest: world.over_at(&wire, later), ..world.retry_function(&wire) };
    let swept = app.handle(json!({ "work": "sweep" })).await.unwrap();
    assert!(swept["touched"].as_u64() > Some(0), "{swept}");
    world.ingest.store.set_status(1, Status::Resolved, "test", crate::world::now()).await.unwrap();
    let a_week_later = later + jiff::SignedDuration::from_hours(24 * 8);
    let app = postern_retry::App { ingest: world.over_at(&wire, a_week_later), ..app };
    assert_eq!(app.handle(json!({ "work": "close" })).await.unwrap(), json!({ "closed": 1, "left": 0 }));
    let fetching = crate::fetch::every_call_of_fetching().await;
    wire.calls().into_iter().chain(down.calls()).chain(fetching).collect()
}
