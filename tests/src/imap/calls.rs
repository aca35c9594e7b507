//! Every call of a poll on the wire, to be held against what its role allows.

use jiff::SignedDuration;
use postern::poll::Ask;

use super::{Side, fake::Trick};
use crate::{
    harness::{call::Call, wire::Wire},
    world::{mail, now, with_file},
};

pub(crate) async fn every_call_of_poll() -> Vec<Call> {
    let wire = Wire::new();
    let mut side = Side::new().await;
    let app = super::function::app(&side, vec![side.door.clone()], &wire);
    app.handle(serde_json::json!({ "work": "poll" }), None).await.unwrap();
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
    wire.calls()
}
