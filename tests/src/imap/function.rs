//! The function `poll`: its events, and many doors of which one hangs.

use futures_util::FutureExt as _;
use jiff::SignedDuration;
use postern::{
    door::{Door, DoorId, Doors},
    secrets::SecretSource,
    settings::{Settings, SettingsSource},
};
use postern_poll::App;
use serde_json::{Value, json};

use super::{Side, door, fake::FakeImap};
use crate::{
    harness::wire::Wire,
    world::{mail, now},
};

pub(super) fn app(side: &Side, doors: Vec<Door>, wire: &Wire) -> App {
    let poller = side.poller(wire, now());
    let doors = Doors::new(doors, &side.world.mailboxes).unwrap();
    let settings = Settings { mailboxes: side.world.mailboxes.clone(), doors, ..Settings::default() };
    let settings = SettingsSource::fixed(settings, poller.ingest.ambient.clone());
    let url = side.world.engines.endpoints().queue_urls().poll;
    App { queue: postern::queue::Queue::new(wire.aws(&side.world.engines).sqs, url), poller, settings }
}

fn sample(name: &str) -> Value {
    let file = format!("{}/../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn letter(id: &str) -> Value {
    let mut record = sample("poll-door")["Records"][0].clone();
    record["body"] = json!(json!({ "work": "poll", "door": id }).to_string());
    json!({ "Records": [record] })
}

fn named(id: &str, port: u16) -> Door {
    Door { id: DoorId::parse(id).unwrap(), ..door(port) }
}

#[tokio::test]
async fn the_schedule_writes_a_letter_for_each_door_that_is_polled() {
    let side = Side::new().await;
    let off = Door { enabled: false, ..named("off", side.fake.port) };
    let wire = Wire::new();
    let app = app(&side, vec![named("one", side.fake.port), named("two", side.fake.port), off], &wire);
    assert_eq!(app.handle(sample("poll-schedule"), None).await.unwrap(), json!({ "doors": 2 }));
    let sends = wire.calls().iter().filter(|call| call.operation == "SendMessage").count();
    assert_eq!(sends, 2);
    for foreign in
        [json!({}), json!({ "work": "sweep" }), json!({ "work": "poll", "door": "one" }), json!({ "Records": 1 })]
    {
        assert!(app.handle(foreign.clone(), None).await.is_err(), "{foreign}");
    }
}

#[tokio::test]
async fn a_letter_polls_its_door_and_never_comes_again() {
    let side = Side::new().await;
    side.arrives("a");
    let operator = json!({ "sample": { "passwords": [super::fake::PASSWORD] } }).to_string();
    let side = Side { operator, ..side };
    let app = app(&side, vec![named("sample", side.fake.port)], &Wire::new());
    let done = json!({ "batchItemFailures": [] });
    assert_eq!(app.handle(sample("poll-door"), None).await.unwrap(), done);
    assert_eq!(side.entries().await, ["a"]);
    for other in [letter("nowhere"), letter("mailgun")] {
        assert_eq!(app.handle(other, None).await.unwrap(), done);
    }
    side.arrives("b");
    let mut late = letter("sample");
    late["Records"][0]["attributes"]["SentTimestamp"] =
        json!((now() - SignedDuration::from_mins(4)).as_millisecond().to_string());
    assert_eq!(app.handle(late, None).await.unwrap(), done);
    assert_eq!(side.entries().await, ["a"], "a letter that was overtaken does nothing");
    let broken = FakeImap::start().await;
    broken.trick(1, super::fake::Trick::Drop, 1);
    broken.arrives(mail("x", "cust").octets("x"));
    let side = Side { fake: broken, ..side };
    let app = self::app(&side, vec![named("sample", side.fake.port)], &Wire::new());
    assert_eq!(app.handle(letter("sample"), None).await.unwrap(), done, "the next minute goes on");
}

/// A sender that heard 200 there would think its mail safe.
#[tokio::test]
async fn no_request_comes_through_a_polled_door() {
    let side = Side::new().await;
    let mut webhook = crate::doors::door_with(side.world.over(&Wire::new()), SecretSource::Text("{}".to_owned()));
    webhook.settings = app(&side, vec![side.door.clone()], &Wire::new()).settings;
    for path in ["/inbound/elsewhere", "/inbound/elsewhere/mime", "/inbound/imap"] {
        let request = http::Request::post(path).body(bytes::Bytes::from_static(b"mail")).unwrap();
        let answer = webhook.handle(request).await;
        assert_eq!(answer.status(), 404, "{path}: {}", answer.body());
        assert!(!answer.body().contains("elsewhere,"), "it is none of those to be named");
    }
}

/// The number of issue 9: one mailbox that hangs delays none of the other nineteen.
#[tokio::test]
async fn twenty_doors_and_one_that_hangs() {
    let side = Side::new().await;
    let mute = FakeImap::start().await;
    mute.state().manners.mute = true;
    side.arrives("a");
    let ids: Vec<String> = (0..20).map(|n| format!("door-{n:02}")).collect();
    let secret = |id: &String| (id.clone(), json!({ "passwords": [super::fake::PASSWORD] }));
    let operator = Value::Object(ids.iter().map(secret).collect()).to_string();
    let side = Side { operator, ..side };
    let port = |n: usize| if n == 0 { mute.port } else { side.fake.port };
    let doors: Vec<Door> = ids.iter().enumerate().map(|(n, id)| named(id, port(n))).collect();
    let app = app(&side, doors.clone(), &Wire::new());
    // As many letters are worked on as Lambda has processes: here all of them.
    let hanging = app.handle(letter(&ids[0]), None);
    let mut hanging = Box::pin(hanging);
    assert!((&mut hanging).now_or_never().is_none());
    let others = futures_util::future::join_all(ids[1..].iter().map(|id| app.handle(letter(id), None)));
    tokio::select! {
        biased;
        _ = others => {}
        _ = &mut hanging => panic!("the one that hangs was first"),
    }
    for door in &doors[1..] {
        let fresh = side.world.ingest.store.freshness(door).await.unwrap();
        assert_eq!(fresh[0].age(now()), Some(0), "{}", door.id);
    }
    assert_eq!(side.entries().await, ["a"], "nineteen sightings of one mail are one");
}

/// Also where no poll has ever been good: a wrong password from the first day on is an alarm, not silence.
#[tokio::test]
async fn a_folder_that_was_never_good_counts_from_its_first_try() {
    let mut side = Side::new().await;
    side.operator = "{}".to_owned();
    assert_eq!(side.world.ingest.store.freshness(&side.door).await.unwrap()[0].age_or_tried(now()), None);
    for minute in [0, 1, 19] {
        assert_eq!(side.poll(minute).await.trouble.len(), 1, "there is no password");
    }
    let at = |minutes| now() + SignedDuration::from_mins(minutes);
    let fresh = side.world.ingest.store.freshness(&side.door).await.unwrap().remove(0);
    assert_eq!((fresh.age(at(20)), fresh.age_or_tried(at(20))), (None, Some(20 * 60)));
    side.operator = json!({ "elsewhere": { "passwords": [super::fake::PASSWORD] } }).to_string();
    side.poll(30).await;
    let fresh = side.world.ingest.store.freshness(&side.door).await.unwrap().remove(0);
    assert_eq!(fresh.age_or_tried(at(31)), Some(60));
}
