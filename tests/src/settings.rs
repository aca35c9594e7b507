//! Mailboxes and doors in the table: in force within a minute, checked as a whole, written once.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use jiff::SignedDuration;
use postern::{
    ambient::Ambient,
    door::{Door, Provider},
    ingest::{Ingest, Released},
    mailbox::{AddressPattern, AttachmentLimits, Mailbox, MailboxId, ReplyMode},
    secrets::SecretSource,
    store::{LedgerId, Store, StoreError, settings::Change},
};
use postern_webhook::App;

use crate::{
    doors::{
        Heard, door_with, hear,
        raw::{RAW_BEARER, Raw, raw_operator},
    },
    harness::wire::Wire,
    world::{World, mail, mailbox, now},
};

/// Two mailboxes of the environment, and a running door whose clock moves.
struct Town {
    world: World,
    app: App,
    seconds: Arc<AtomicI64>,
}

impl Town {
    async fn new() -> Self {
        let world =
            World::with(vec![mailbox("alpha", "a@us.example", "AAA"), mailbox("beta", "b@us.example", "BBB")]).await;
        let seconds = Arc::new(AtomicI64::new(0));
        let app = running(&world, &seconds);
        Self { world, app, seconds }
    }

    fn store(&self) -> &Store {
        &self.world.ingest.store
    }

    async fn change(&self, change: Change<'_>) {
        let revision = self.store().settings().await.unwrap().revision;
        self.store().change_settings(&change, revision).await.unwrap();
    }

    /// A minute later, functions have read them again.
    fn a_minute_later(&self) {
        self.seconds.fetch_add(61, Ordering::Relaxed);
    }

    /// A mail handed over for this address.
    async fn post(&self, name: &str, to: &str) -> Heard {
        self.post_octets(name, to, &mail(name, "cust").octets(name)).await
    }

    async fn post_octets(&self, name: &str, to: &str, octets: &[u8]) -> Heard {
        let raw = Raw::unsigned(name, octets).set("x-postern-rcpt-to", to).bearer(RAW_BEARER);
        hear(&self.app, raw.request()).await
    }
}

fn running(world: &World, seconds: &Arc<AtomicI64>) -> App {
    let seconds = Arc::clone(seconds);
    let clock = move || now() + SignedDuration::from_secs(seconds.load(Ordering::Relaxed));
    let ingest = Ingest { ambient: Ambient::with_clock(clock, 77), ..world.over(&Wire::new()) };
    door_with(ingest, SecretSource::Text(raw_operator(&[], &[RAW_BEARER])))
}

#[tokio::test]
async fn a_change_is_in_force_within_a_minute() {
    let town = Town::new().await;
    let before = town.post("m1", "c@us.example").await;
    assert_eq!((before.text("status"), before.reasons()[0]), ("held", "unknown-recipient"));
    let gamma = mailbox("gamma", "c@us.example", "CCC");
    town.change(Change::PutMailbox(&gamma)).await;
    assert_eq!(town.post("m2", "c@us.example").await.text("status"), "held", "read a moment ago");
    town.a_minute_later();
    let after = town.post("m3", "c@us.example").await;
    assert_eq!((after.text("status"), after.text("ticket_number")), ("created", "CCC-00001"), "{after:?}");
    let other = town.post("m4", "a@us.example").await;
    assert_eq!(other.text("ticket_number"), "AAA-00002", "those of the environment stay");

    let moved =
        Mailbox { addresses: mailbox("x", "z@us.example", "XX").addresses, ..mailbox("alpha", "z@us.example", "ZZZ") };
    town.change(Change::PutMailbox(&moved)).await;
    town.a_minute_later();
    assert_eq!(town.post("m5", "z@us.example").await.text("ticket_number"), "ZZZ-00003", "the stored one wins");
    assert_eq!(town.post("m6", "a@us.example").await.reasons()[0], "unknown-recipient", "as a whole");

    town.change(Change::RemoveMailbox(&gamma.id)).await;
    town.change(Change::RemoveMailbox(&moved.id)).await;
    town.a_minute_later();
    assert_eq!(town.post("m7", "c@us.example").await.reasons()[0], "unknown-recipient");
    assert_eq!(town.post("m8", "a@us.example").await.text("ticket_number"), "AAA-00004", "the environment's again");
}

#[tokio::test]
async fn a_warm_call_reads_no_settings() {
    let town = Town::new().await;
    let wire = Wire::new();
    let app = door_with(town.world.over(&wire), SecretSource::Text(raw_operator(&[], &[RAW_BEARER])));
    let posted = |name: &str| {
        let raw = Raw::unsigned(name, &mail(name, "cust").octets(name)).set("x-postern-rcpt-to", "a@us.example");
        raw.bearer(RAW_BEARER).request()
    };
    assert_eq!(hear(&app, posted("m1")).await.status, 200);
    let queries = || wire.calls().iter().filter(|call| call.operation == "Query").count();
    let cold = queries();
    assert!(cold >= 2, "mailboxes and doors: {cold}");
    assert_eq!(hear(&app, posted("m2")).await.status, 200);
    assert_eq!(queries(), cold);
}

#[tokio::test]
async fn mail_for_a_disabled_mailbox_is_held_and_released_later() {
    let town = Town::new().await;
    let off = Mailbox { enabled: false, ..mailbox("alpha", "a@us.example", "AAA") };
    town.change(Change::PutMailbox(&off)).await;
    let held = town.post("m1", "a@us.example").await;
    assert_eq!((held.status, held.text("status"), held.reasons()[0]), (200, "held", "mailbox-disabled"), "{held:?}");
    assert_eq!(town.world.tickets().await, 0);
    town.change(Change::PutMailbox(&Mailbox { enabled: true, ..off })).await;
    town.a_minute_later();
    let id = LedgerId::parse(held.text("inbound_id")).unwrap();
    assert_eq!(id.mailbox(), "alpha", "held for that mailbox");
    let Released::Done(answer) = town.world.ingest.release(&id, None, "agent").await.unwrap() else {
        panic!("refused")
    };
    assert_eq!(answer.ticket_number.as_deref(), Some("AAA-00001"));
    assert!(answer.reasons.iter().any(|reason| reason == "was-held-mailbox-disabled"), "{answer:?}");
    assert_eq!(town.post("m2", "a@us.example").await.text("status"), "created");
}

#[tokio::test]
async fn a_door_that_is_switched_off_takes_nothing() {
    let town = Town::new().await;
    let off = Door { enabled: false, ..Door::own(Provider::Raw) };
    town.change(Change::PutDoor(&off)).await;
    let before = town.world.stored().await;
    let heard = town.post("m1", "a@us.example").await;
    assert_eq!((heard.status, heard.text("error")), (503, "switched-off"), "{heard:?}");
    assert!(heard.text("message").contains("postern door set raw --enabled true"), "{heard:?}");
    assert_eq!(town.world.stored().await, before, "nothing is stored, so the sender keeps it");
    let bound = Door { mailbox: MailboxId::parse("beta"), ..Door::own(Provider::Raw) };
    town.change(Change::PutDoor(&bound)).await;
    town.a_minute_later();
    let heard = town.post("m1", "a@us.example").await;
    assert_eq!(heard.text("ticket_number"), "BBB-00001", "all its mail is for that mailbox: {heard:?}");
}

#[tokio::test]
async fn patterns_and_prefixes_are_gone_by() {
    let town = Town::new().await;
    let patterns = ["*@fair.example", "a+*@us.example"].map(|text| AddressPattern::parse(text).unwrap()).to_vec();
    let prefixes = BTreeMap::from([("change".to_owned(), "CHG".to_owned())]);
    let fair = Mailbox { patterns, prefixes, ..mailbox("fair", "fair@us.example", "FAIR") };
    let clash = town.world.mailboxes.iter().next().unwrap().clone();
    // Its tags are another's, so it signs none.
    town.change(Change::PutMailbox(&Mailbox { reply_mode: ReplyMode::Off, ..clash })).await;
    town.change(Change::PutMailbox(&fair)).await;
    for (name, to, number) in [
        ("m1", "whoever@fair.example", "FAIR-00001"),
        ("m2", "a+anything@us.example", "FAIR-00002"),
        ("m3", "a@us.example", "AAA-00003"),
    ] {
        assert_eq!(town.post(name, to).await.text("ticket_number"), number, "{to}");
    }
    town.change(Change::PutMailbox(&Mailbox { ticket_type: "change".to_owned(), ..fair })).await;
    town.a_minute_later();
    assert_eq!(town.post("m4", "fair@us.example").await.text("ticket_number"), "CHG-00004");
}

/// A mail with files of so many octets.
fn with_files(name: &str, sizes: &[usize]) -> Vec<u8> {
    let parts = sizes.iter().enumerate().map(|(n, size)| {
        let text = "x".repeat(*size);
        format!("\r\n--b\r\nContent-Disposition: attachment; filename=f{n}.txt\r\n\r\n{text}")
    });
    let mut mail = mail(name, "cust").field("MIME-Version: 1.0").field("Content-Type: multipart/mixed; boundary=b");
    mail.name = format!("{name}\r\n--b\r\n\r\nsee below{}\r\n--b--", parts.collect::<String>());
    mail.octets(name)
}

#[tokio::test]
async fn attachments_beyond_the_limits_stay_in_the_raw_and_say_why() {
    let town = Town::new().await;
    let attachments = AttachmentLimits { each: 10, total: 15, count: 3 };
    let small = Mailbox { attachments, ..mailbox("alpha", "a@us.example", "AAA") };
    town.change(Change::PutMailbox(&small)).await;
    let octets = with_files("m1", &[11, 10, 6, 2, 1, 1]);
    let heard = town.post_octets("m1", "a@us.example", &octets).await;
    assert_eq!(heard.text("status"), "created", "{heard:?}");
    let entries = town.store().entries(1).await.unwrap();
    let refused: Vec<Option<&str>> = entries[0].attachments.iter().map(|file| file.refused.as_deref()).collect();
    let [each, total, count] = ["attachment-too-large", "attachments-too-large", "too-many-attachments"];
    assert_eq!(refused, [Some(each), None, Some(total), None, None, Some(count)]);
    let kept = entries[0].attachments.iter().filter(|file| file.key.is_some()).count();
    assert_eq!((kept, town.world.objects("attachments/").await.len()), (3, 3));
    let raw = town.world.objects("raw/raw/").await;
    assert_eq!(town.world.ingest.blobs.get(&raw[0]).await.unwrap(), octets, "the raw has all of them");
    for reason in [each, total, count] {
        let listed = include_str!("../../docs/THREADING.md").contains(&format!("`{reason}`"));
        assert!(listed, "{reason} is not in docs/THREADING.md");
    }
}

#[tokio::test]
async fn of_two_writers_one_wins_and_the_other_reads_again() {
    let town = Town::new().await;
    let seen = town.store().settings().await.unwrap().revision;
    let (c, d) = (mailbox("c", "c@us.example", "CC"), mailbox("d", "c@us.example", "DD"));
    town.store().change_settings(&Change::PutMailbox(&c), seen).await.unwrap();
    let lost = town.store().change_settings(&Change::PutMailbox(&d), seen).await;
    assert_eq!(lost, Err(StoreError::Refused), "what was checked together is written together");
    let stored = town.store().settings().await.unwrap();
    assert_eq!((stored.mailboxes.as_slice(), stored.revision), (&[c][..], seen + 1));
    let lost = town.store().change_settings(&Change::RemoveMailbox(&d.id), seen + 2).await;
    assert_eq!(lost, Err(StoreError::Refused), "a revision that was never there");
}

#[tokio::test]
async fn settings_that_stop_going_together_leave_running_doors_as_they_were() {
    let town = Town::new().await;
    assert_eq!(town.post("m1", "a@us.example").await.text("status"), "created");
    // As after a deployment with another Address.
    town.change(Change::PutMailbox(&mailbox("gamma", "b@us.example", "CCC"))).await;
    town.a_minute_later();
    assert_eq!(town.post("m2", "a@us.example").await.text("status"), "created", "those read before hold on");
    let fresh = running(&town.world, &town.seconds);
    let raw = Raw::unsigned("m3", &mail("m3", "cust").octets("m3")).bearer(RAW_BEARER);
    let heard = hear(&fresh, raw.request()).await;
    assert_eq!((heard.status, heard.text("error")), (503, "unavailable"), "{heard:?}");
    assert!(heard.text("message").contains("claim the same address"), "{heard:?}");
}

#[tokio::test]
async fn what_was_set_up_a_moment_ago_is_not_refused() {
    let town = Town::new().await;
    assert_eq!(town.post("m1", "a@us.example").await.text("status"), "created");
    let gamma = mailbox("gamma", "c@us.example", "CCC");
    town.change(Change::PutMailbox(&gamma)).await;
    town.seconds.fetch_add(6, Ordering::Relaxed);
    let named = Raw::unsigned("m2", &mail("m2", "cust").octets("m2")).path("/inbound/raw/gamma").bearer(RAW_BEARER);
    let heard = hear(&town.app, named.request()).await;
    assert_eq!((heard.status, heard.text("ticket_number")), (200, "CCC-00002"), "{heard:?}");
    let nowhere = Raw::unsigned("m3", &mail("m3", "cust").octets("m3")).path("/inbound/raw/delta").bearer(RAW_BEARER);
    assert_eq!(hear(&town.app, nowhere.request()).await.status, 404, "looked at again, and not there");
}

/// Settings that do not go together: somebody has stored an address that the environment has.
async fn clashing() -> (World, postern::settings::SettingsSource) {
    let world = World::new().await;
    let store = &world.ingest.store;
    let thief = mailbox("thief", crate::world::SUPPORT, "THI");
    store.change_settings(&Change::PutMailbox(&thief), 0).await.unwrap();
    let defaults = postern::settings::Settings { mailboxes: world.mailboxes.clone(), ..Default::default() };
    let source = postern::settings::SettingsSource::new(defaults, store.clone(), world.ingest.ambient.clone());
    (world, source)
}

#[tokio::test]
async fn settings_that_clash_are_told_without_an_address() {
    let (world, settings) = clashing().await;
    let app =
        App { settings, ..door_with(world.over(&Wire::new()), SecretSource::Text(raw_operator(&[], &[RAW_BEARER]))) };
    let heard = hear(&app, Raw::unsigned("m", &mail("m", "cust").octets("m")).bearer(RAW_BEARER).request()).await;
    assert_eq!((heard.status, heard.text("error")), (503, "unavailable"), "{heard:?}");
    let said = heard.text("message");
    assert!(said.contains("support") && said.contains("thief") && !said.contains('@'), "{said}");
    assert!(world.items("MAIL#").await.is_empty());
}

#[tokio::test]
async fn while_settings_clash_letters_rest_by_themselves() {
    let (world, settings) = clashing().await;
    let copy = mail("o", "cust").copy("1");
    let letter = world.received(&copy).await;
    let wire = Wire::new();
    let receipt = postern_receipt::App { settings: settings.clone(), ..world.receipt_function(&wire) };
    let retry = postern_retry::App { settings, ..world.retry_function(&wire) };
    for queue in ["postern-receipt", "postern-retry"] {
        let event = crate::queues::event(&[crate::queues::record(queue, "m", &letter, 3)]);
        let answer = match queue {
            "postern-receipt" => receipt.handle(event).await.unwrap(),
            _ => retry.handle(event).await.unwrap(),
        };
        assert_eq!(answer["batchItemFailures"][0]["itemIdentifier"], "m", "{queue}: comes again");
    }
    let put_off = wire.calls().iter().filter(|call| call.operation == "ChangeMessageVisibility").count();
    assert_eq!(put_off, 2, "each with a pause of its own");
    assert!(world.items("MAIL#").await.is_empty(), "nothing is counted, nothing decided");
}
