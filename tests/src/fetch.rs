//! Mail that is fetched, and what no webhook brought: the function `retry` in front of a provider that the tests play.

mod faults;
mod happy;
mod lost;
mod postmark;
mod reconcile;
mod refused;
mod unreliable;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use jiff::{SignedDuration, Timestamp};
use postern::{
    door::{Door, Doors, Provider},
    fetch::Fetcher,
    inbound::{Fetch, InboundMessage},
    ingest::Ingest,
    outbound::Outbound,
    secrets::{SecretSource, Secrets},
    settings::{Settings, SettingsSource},
};
use serde_json::{Value, json};

use crate::{
    harness::{
        call::Call,
        fake_https::{FakeHttps, Page},
        wire::Wire,
    },
    queues::{event, failed, object_created, record, take_retry_messages},
    world::{Copy, Item, Mail, World, mail, mailbox, now, text},
};
use unreliable::Unreliable;

/// Deliveries after which a test gives up.
const DELIVERIES_MAX: u32 = 20;
const OPERATOR: &str =
    r#"{"mailgun":{"api_keys":["key-of-the-api"]},"postmark":{"server_tokens":["token-of-the-server"]}}"#;
/// Where Mailgun keeps the mail of that name.
const STORAGE: &str = "https://se.api.mailgun.net/v3/domains/us.example/messages/";
const DOMAIN: &str = "us.example";
/// What curl would send for the key of [`OPERATOR`].
const BASIC: &str = "Basic YXBpOmtleS1vZi10aGUtYXBp";

/// A system with a provider at its side.
struct Side {
    world: World,
    provider: FakeHttps,
    settings: Settings,
    operator: &'static str,
}

fn url_of(name: &str) -> String {
    format!("{STORAGE}{name}")
}

impl Side {
    async fn new() -> Self {
        Self::over(World::new().await)
    }

    /// Two mailboxes, so that none is the only one.
    async fn with_two() -> Self {
        let all =
            vec![mailbox("billing", "billing@us.example", "BIL"), mailbox("support", "support@us.example", "INC")];
        Self::over(World::with(all).await)
    }

    fn over(world: World) -> Self {
        let door = Door { domains: vec![DOMAIN.to_owned()], ..Door::own(Provider::Mailgun) };
        let doors = Doors::new(vec![door], &world.mailboxes).unwrap();
        let settings = Settings { mailboxes: world.mailboxes.clone(), doors, ..Settings::default() };
        Self { world, provider: FakeHttps::default(), settings, operator: OPERATOR }
    }

    /// The function `retry`, over wires that are watched, at a time.
    fn retry(&self, wire: &Wire, outbound: Outbound, time: Timestamp) -> postern_retry::App {
        let ingest = self.world.over_at(wire, time);
        let secrets = Secrets::new(SecretSource::Text(self.operator.to_owned()), ingest.ambient.clone());
        let settings = SettingsSource::fixed(self.settings.clone(), ingest.ambient.clone());
        let ingest = Ingest { fetcher: Some(Fetcher::new(outbound, secrets)), ..ingest };
        postern_retry::App { ingest, settings, ..self.world.retry_function(wire) }
    }

    /// The same, undisturbed, so many minutes after [`now`].
    fn after(&self, minutes: i64) -> postern_retry::App {
        self.retry(&Wire::new(), self.provider.outbound(), now() + SignedDuration::from_mins(minutes))
    }

    /// Mailgun has a mail.
    fn keeps(&self, name: &str, mail: &Mail) {
        let body = json!({ "body-mime": String::from_utf8(mail.octets("1")).unwrap(), "subject": "s" });
        self.provider.put_body(&url_of(name), "application/json", body.to_string());
    }

    /// Tells of it at the door.
    async fn tell(&self, word: InboundMessage) -> postern::outcome::Answer {
        self.world.door_over(&Wire::new()).announced(word).await.unwrap().remove(0)
    }

    /// Takes the letters of the retry queue, and delivers each until it is done.
    async fn work_off(&self, minutes: i64) -> usize {
        let letters = take_retry_messages(&self.world).await;
        for letter in &letters {
            until_done(&self.after(minutes), letter, "letter").await;
        }
        letters.len()
    }

    async fn reconcile(&self, minutes: i64) -> Value {
        self.after(minutes).handle(json!({ "work": "reconcile" })).await.unwrap()
    }

    async fn sweep(&self, minutes: i64) -> Value {
        self.after(minutes).handle(json!({ "work": "sweep" })).await.unwrap()["retold"].clone()
    }

    /// The only ledger row.
    async fn row(&self) -> Item {
        let rows = self.world.items("MAIL#").await;
        assert_eq!(rows.len(), 1, "{:?}", rows.keys());
        rows.into_values().next().unwrap()
    }

    /// Mailbox, outcome, cause of each row.
    async fn rows(&self) -> Vec<String> {
        let rows = self.world.items("MAIL#").await.into_iter();
        let mut rows: Vec<String> = rows
            .map(|((_, mailbox), row)| format!("{mailbox} {} {}", text(&row, "outcome"), text(&row, "cause")))
            .map(|row| row.trim().to_owned())
            .collect();
        rows.sort();
        rows
    }

    /// URLs that were asked, with their method.
    fn asked(&self) -> Vec<String> {
        self.provider.asked().iter().map(|asked| format!("{} {}", asked.method, asked.url)).collect()
    }
}

/// Word of a mail: what the door makes of a notification.
fn word(name: &str, copy: &Copy) -> InboundMessage {
    let inbound = copy.inbound();
    let fetch = Fetch {
        url: url_of(name),
        size: Some(1_000),
        attachments: vec!["film.mp4".to_owned()],
        until: now() + SignedDuration::from_hours(72),
    };
    let payload = Some(format!("notification of {name}").into_bytes().into());
    InboundMessage { raw: bytes::Bytes::new(), payload, fetch: Some(fetch), ..inbound }
}

/// One delivery; true where it is done.
async fn once(app: &postern_retry::App, (id, body): &(String, String), receives: u32) -> bool {
    let event = event(&[record("postern-retry", id, body, receives)]);
    failed(&Box::pin(app.handle(event)).await.unwrap()).is_empty()
}

/// Delivers until it is done; how often it took.
async fn until_done(app: &postern_retry::App, letter: &(String, String), what: &str) -> u32 {
    for receives in 1..=DELIVERIES_MAX {
        if once(app, letter, receives).await {
            return receives;
        }
    }
    panic!("{what}: {DELIVERIES_MAX} deliveries and no end");
}

/// Each kind of call that fetching, sweep and reconciliation make: held against the role of the function.
pub(crate) async fn every_call_of_fetching() -> Vec<Call> {
    let side = Side::with_two().await;
    let wire = Wire::new();
    let later = now() + SignedDuration::from_hours(1);
    let app = side.retry(&wire, side.provider.outbound(), later);
    side.keeps("a", &mail("o", "cust"));
    side.tell(word("a", &mail("o", "cust").copy("1").forward(&["nobody@us.example"]))).await;
    let letter = take_retry_messages(&side.world).await.remove(0);
    app.handle(json!({ "work": "sweep" })).await.unwrap();
    assert!(once(&app, &letter, 1).await);
    reconcile::stored_events(&side, later, &[reconcile::stored("b", "b", 0)]);
    side.keeps("b", &mail("b", "cust"));
    postmark::lists(&side, later, &[]);
    let told = app.handle(json!({ "work": "reconcile" })).await.unwrap();
    assert_eq!((told["announced"].as_u64(), told["broken"].as_u64()), (Some(1), Some(0)), "{told}");
    wire.calls()
}
