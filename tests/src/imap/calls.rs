//! Every call of a poll on the wire, to be held against what its role allows.

use jiff::SignedDuration;
use postern::poll::Ask;
use serde_json::json;

use super::{
    Side,
    fake::{PASSWORD, Trick},
};
use crate::{
    harness::{call::Call, fault::Fault, wire::Wire},
    world::{mail, now, with_file},
};

pub(crate) async fn every_call_of_poll() -> Vec<Call> {
    let wire = Wire::new();
    let mut side = Side::new().await;
    side.world.read_settings(&wire).await;
    let app = super::function::app(&side, vec![side.door.clone()], &wire);
    app.handle(json!({ "work": "poll" }), None).await.unwrap();
    for copy in [with_file("f", "cust"), mail("a", "cust"), mail("b", "cust"), mail("r", "cust").reply_to(&["a"])] {
        side.fake.arrives(copy.octets("1"));
    }
    side.fake.trick(3, Trick::No, 3);
    let poll = async |side: &Side, minutes: i64| {
        let at = now() + SignedDuration::from_mins(minutes);
        side.poller(&wire, at).door(&side.door, &Ask::until(at + SignedDuration::from_mins(1))).await
    };
    for minute in [0, 1, 2, 3, 90] {
        poll(&side, minute).await;
    }
    assert_eq!(side.entries().await, ["a", "b", "f", "r"], "left aside, and taken later");
    side.fake.renumber(50);
    poll(&side, 91).await;
    side.operator = r#"{"elsewhere":{"passwords":["wrong"]}}"#.to_owned();
    for minute in 92..96 {
        poll(&side, minute).await;
    }
    side.operator = json!({ "elsewhere": { "passwords": [PASSWORD] } }).to_string();
    side.world.ingest.store.resume_door(&side.door.id).await.unwrap();
    side.fake.arrives(mail("q", "cust").octets("1"));
    let down = Wire::new();
    down.fail_next("TransactWriteItems", Fault::ServerError, usize::MAX);
    let at = now() + SignedDuration::from_mins(120);
    let mut poller = side.poller(&down, at);
    poller.ingest.retry = side.world.door_over(&down).retry;
    let polled = poller.door(&side.door, &Ask::until(at + SignedDuration::from_mins(1))).await;
    assert_eq!(polled.taken, 1, "queued: {polled:?}");
    wire.calls().into_iter().chain(down.calls()).collect()
}
