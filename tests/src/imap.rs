//! The IMAP door: a poll that loses nothing, against a server that does everything that servers do.

mod basics;
mod calls;
mod dovecot;
pub(crate) mod fake;
mod function;
mod hostile;
mod killed;
mod login;
mod proxy;
mod resync;

use jiff::{SignedDuration, Timestamp};
use postern::{
    door::{Door, DoorId, Imap, Provider, Security},
    outbound::Outbound,
    poll::{Ask, Polled, Poller},
    records::{Folder, Parked},
    secrets::{SecretSource, Secrets},
};
use serde_json::json;

use crate::{
    harness::wire::Wire,
    world::{World, boundless, mail, now, text},
};
pub(crate) use calls::every_call_of_poll;
use fake::{FakeImap, PASSWORD};

/// A door to a server on this machine.
pub(crate) fn door(port: u16) -> Door {
    let imap = Imap {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        security: Security::Plain,
        user: "support@us.example".to_owned(),
        ..Imap::default()
    };
    Door { imap: Some(imap), ..Door::new(DoorId::parse("elsewhere").unwrap(), Provider::Imap) }
}

/// A system with a mailbox elsewhere.
struct Side {
    world: World,
    fake: FakeImap,
    door: Door,
    operator: String,
}

impl Side {
    async fn new() -> Self {
        let (world, fake) = (World::with(vec![boundless()]).await, FakeImap::start().await);
        let operator = json!({ "elsewhere": { "passwords": [PASSWORD] } }).to_string();
        Self { world, door: door(fake.port), fake, operator }
    }

    fn imap(&mut self) -> &mut Imap {
        self.door.imap.as_mut().unwrap()
    }

    /// One who polls at a time, over a wire.
    fn poller(&self, wire: &Wire, at: Timestamp) -> Poller {
        let ingest = self.world.over_at(wire, at);
        let secrets = Secrets::new(SecretSource::Text(self.operator.clone()), ingest.ambient.clone());
        Poller::new(ingest, secrets, Outbound::new())
    }

    /// Polls so many minutes after the beginning.
    async fn poll(&self, minutes: i64) -> Polled {
        let at = now() + SignedDuration::from_mins(minutes);
        let ask = Ask::until(at + SignedDuration::from_mins(1));
        self.poller(&Wire::new(), at).door(&self.door, &ask).await
    }

    /// Polls, and nothing may go wrong.
    async fn good(&self, minutes: i64) -> Polled {
        let did = self.poll(minutes).await;
        assert_eq!((did.trouble.as_slice(), did.left), (&[][..], false), "{did:?}");
        did
    }

    async fn folder(&self, name: &str) -> (Folder, Vec<Parked>) {
        let (state, parked) = self.world.ingest.store.folder(&self.door.id, name).await.unwrap();
        (state.unwrap(), parked)
    }

    /// A mail of that name arrives.
    fn arrives(&self, name: &str) -> u32 {
        self.fake.arrives(mail(name, "cust").octets(name))
    }

    /// The Message-IDs of all entries, sorted: exactly one for each mail.
    async fn entries(&self) -> Vec<String> {
        let items = self.world.items("ENTRY#").await;
        let mut ids: Vec<String> =
            items.values().map(|item| text(item, "message_id").replace("@ids.example", "")).collect();
        ids.sort();
        ids
    }

    /// Outcome and first reason of every row that is no entry, sorted.
    async fn others(&self) -> Vec<(String, String)> {
        let rows = self.world.items("MAIL#").await;
        let reason = |item: &crate::world::Item| match item.get("reasons") {
            Some(aws_sdk_dynamodb::types::AttributeValue::L(all)) => {
                all.first().and_then(|one| one.as_s().ok()).cloned().unwrap_or_default()
            }
            _ => String::new(),
        };
        let mut all: Vec<_> = rows.values().map(|row| (text(row, "outcome"), reason(row))).collect();
        all.retain(|(outcome, _)| outcome != "committed");
        all.sort();
        all
    }
}
