//! What is remembered of people: counted, said, exported, erased.

use std::collections::BTreeSet;

use postern::{
    address::AddrSpec,
    people::{Erased, erase, everything},
    records::Requester,
    store::requesters::Said,
    ticket::Status,
};

use crate::world::{Copy, World, address, keyring, mail, now, with_file};

fn named(name: &str) -> AddrSpec {
    AddrSpec::parse(&address(name)).unwrap()
}

async fn remembered(world: &World, name: &str) -> Option<Requester> {
    world.ingest.store.requester("support", &named(name)).await.unwrap()
}

#[tokio::test]
async fn a_requester_is_remembered_from_the_first_mail() {
    let world = World::new().await;
    assert!(remembered(&world, "cust").await.is_none());
    world.deliver(&mail("o", "cust").copy("a")).await;
    world.deliver(&mail("p", "cust").date(3).copy("a")).await;
    world.deliver(&mail("r", "cust").reply_to(&["o"]).date(5).copy("a")).await;
    world.deliver(&mail("r", "cust").reply_to(&["o"]).date(5).copy("another copy")).await;
    let cust = remembered(&world, "cust").await.unwrap();
    assert_eq!((cust.tickets, cust.name.as_deref(), cust.known), (2, Some("Cust"), false));
    assert_eq!(cust.hour_entries, 3, "a copy is no entry");
    assert!(cust.first_seen.unwrap() < cust.last_seen.unwrap());
}

#[tokio::test]
async fn a_blocked_authors_mail_is_held_until_he_is_let_in() {
    let world = World::new().await;
    world.deliver(&mail("o", "eve").copy("a")).await;
    let store = &world.ingest.store;
    let eve = named("eve");
    store.say(("support", &eve), Said::Blocked, "ann", now()).await.unwrap();
    for mail in [mail("a", "eve"), mail("b", "eve").reply_to(&["o"])] {
        let answer = world.deliver(&mail.copy("a")).await;
        assert_eq!((answer.outcome, answer.reasons[0].as_str()), ("held", "blocked-sender"), "{answer:?}");
    }
    assert_eq!(remembered(&world, "eve").await.unwrap().blocked.unwrap().by, "ann");
    assert_eq!(world.deliver(&mail("c", "cust").copy("a")).await.outcome, "created_new");
    store.say(("support", &eve), Said::Unblocked, "ann", now()).await.unwrap();
    assert_eq!(world.deliver(&mail("d", "eve").copy("a")).await.outcome, "created_new");
    // Known, his tickets are no guest's.
    store.say(("support", &eve), Said::Known, "ann", now()).await.unwrap();
    let known = world.deliver(&mail("k", "eve").copy("a")).await.ticket_id.unwrap();
    let guests = [1, known].map(|ticket| store.ticket(ticket));
    let [first, last] = guests;
    assert!(first.await.unwrap().unwrap().guest && !last.await.unwrap().unwrap().guest);
    // Blocked before he has ever written.
    store.say(("support", &named("mallory")), Said::Blocked, "ann", now()).await.unwrap();
    assert_eq!(world.deliver(&mail("e", "mallory").copy("a")).await.outcome, "held");
}

#[tokio::test]
async fn only_a_bounce_of_what_we_sent_marks_an_address() {
    let world = World::new().await;
    world.deliver(&mail("o", "cust").to(&["bob"]).copy("a")).await;
    let bounce = |name: &str, original: &str, recipient: &str, status: &str| {
        let mut mail = mail(name, "MAILER-DAEMON@mx.example")
            .field("MIME-Version: 1.0")
            .field("Content-Type: multipart/report; report-type=delivery-status; boundary=b");
        mail.name = format!(
            "{name}\r\n--b\r\n\r\nmail {name}\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; {recipient}@people.example\r\nAction: failed\r\n\
             Status: {status}\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{original}>\r\n\r\n--b--"
        );
        mail
    };
    let ours = keyring().message_id(world.mailboxes.only().unwrap(), 1, "a1").unwrap().to_string();
    for (n, (original, recipient, status)) in [
        ("o@ids.example", "cust", "5.1.1"),
        ("pstn.ab.a1.aaaaaaaaaaaaaaaa@us.example", "cust", "5.1.1"),
        (ours.as_str(), "cust", "4.2.2"),
        (ours.as_str(), "zoe", "5.1.1"),
    ]
    .into_iter()
    .enumerate()
    {
        world.deliver(&bounce(&format!("b{n}"), original, recipient, status).copy("a")).await;
        for name in ["cust", "zoe"] {
            let marked = remembered(&world, name).await.is_some_and(|row| row.undeliverable.is_some());
            assert!(!marked, "{original} {recipient} {status}");
        }
    }
    let answer = world.deliver(&bounce("b", &ours, "cust", "5.1.1").copy("a")).await;
    assert_eq!(answer.ticket_id, Some(1), "{answer:?}");
    assert_eq!(remembered(&world, "cust").await.unwrap().undeliverable.unwrap().by, "5.1.1");
    // Who writes, proven, is there.
    world.deliver(&mail("x", "cust").copy("a").auth(None)).await;
    assert!(remembered(&world, "cust").await.unwrap().undeliverable.is_some());
    world.deliver(&mail("y", "cust").copy("a")).await;
    assert!(remembered(&world, "cust").await.unwrap().undeliverable.is_none());
}

#[tokio::test]
async fn erased_is_everything_but_what_finds_a_copy() {
    let world = World::new().await;
    let secret = "pat@people.example";
    world.deliver(&with_file("o", "pat").to(&["bob"]).subject("about pat").copy("a")).await;
    world.deliver(&mail("r", "bob").to(&["pat"]).reply_to(&["o"]).date(2).copy("a")).await;
    world.deliver(&mail("s", "pat").reply_to(&["r"]).date(3).copy("a")).await;
    world.deliver(&mail("t", "cust").to(&["pat"]).date(4).copy("a")).await;
    world.deliver(&mail("u", "pat").reply_to(&["t"]).date(5).copy("a")).await;
    world
        .deliver(&with_file("o", "pat").to(&["bob"]).subject("about pat").copy("by another door").door("postmark"))
        .await;
    let away = mail("v", "pat").field("Auto-Submitted: auto-replied").copy("a");
    assert_eq!(world.deliver(&away).await.outcome, "held");
    let scopes = BTreeSet::from(["support".to_owned()]);
    let pat = named("pat");
    let store = &world.ingest.store;
    let found = everything(store, &scopes, &pat).await.unwrap();
    assert_eq!((found.mails.len(), found.entries.len(), found.tickets.len()), (5, 3, 2));
    let about = (&scopes, &pat);
    let erased = erase(store, &world.ingest.blobs, about, "ann", now()).await.unwrap();
    assert_eq!(erased, Erased { tickets: 2, entries: 3, mails: 5, objects: 6 });
    // Of the table: only what bob and cust wrote may still name her, in their own mail.
    for ((pk, sk), item) in world.items("").await {
        let told = format!("{item:?}");
        assert!(!told.contains(secret) && !told.contains("about pat"), "{pk} {sk}: {told}");
    }
    let ticket = store.ticket(1).await.unwrap().unwrap();
    assert_eq!((ticket.requester, ticket.subject.as_str(), ticket.participants.len()), (None, "(erased)", 1));
    let entries = store.entries(1).await.unwrap();
    let texts: Vec<&str> = entries.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(texts, ["", "mail r", ""]);
    let objects = [world.objects("raw/").await, world.objects("attachments/").await].concat();
    assert_eq!(objects.len(), 2, "bob's and cust's: {objects:?}");
    // Held mail of hers waits for nobody; a late copy is a duplicate still.
    assert!(store.attention(&[postern::records::Outcome::Held], 10).await.unwrap().is_empty());
    let causes: Vec<String> = world.items("MAIL#").await.values().map(|row| crate::world::text(row, "cause")).collect();
    assert_eq!(causes.iter().filter(|cause| *cause == "erased").count(), 1, "{causes:?}");
    let late = world.deliver(&mail("s", "pat").reply_to(&["r"]).date(3).copy("late copy")).await;
    assert_eq!(late.outcome, "duplicate");
    // Asked again, what came meanwhile goes too.
    let again = erase(store, &world.ingest.blobs, about, "ann", now()).await.unwrap();
    assert_eq!((again.mails, again.entries), (1, 0));
    let row = remembered(&world, "pat").await.unwrap();
    assert!(row.address.is_none() && row.erased.is_some_and(|mark| mark.by == "ann"));
}

#[tokio::test]
async fn erased_is_whom_an_act_was_about_and_who_came_along_to_other_tickets() {
    let world = World::new().await;
    let store = &world.ingest.store;
    let pat = named("pat");
    // Her ticket is merged into cust's; bob's, on which she wrote, is closed for long and followed up by bob.
    world.deliver(&mail("o", "pat").copy("a")).await;
    world.deliver(&mail("t", "cust").date(1).copy("a")).await;
    store.merge(1, 2, "ann", now()).await.unwrap();
    world.deliver(&mail("b", "bob").to(&["pat"]).date(2).copy("a")).await;
    world.deliver(&mail("s", "pat").reply_to(&["b"]).date(3).copy("a")).await;
    store.set_status(3, Status::Closed, "ann", now()).await.unwrap();
    let late = Copy { minutes: 60 * 24 * 60, ..mail("f", "bob").reply_to(&["b"]).copy("a") };
    let follow_up = world.deliver(&late).await;
    assert_eq!((follow_up.outcome, follow_up.ticket_id), ("created_new", Some(4)), "{follow_up:?}");
    store.remove_participant(3, &pat, "ann", now()).await.unwrap();
    store.approve_participant(3, &pat, "ann", now()).await.unwrap();
    let naming = async || {
        let items = world.items("").await.into_iter();
        items.filter(|(_, item)| format!("{item:?}").contains(pat.as_str())).map(|(key, _)| key).collect::<Vec<_>>()
    };
    for (ticket, trail) in [(2, "TICKET"), (4, "TICKET"), (3, "ACT#")] {
        let named = naming().await;
        let here = |(pk, sk): &(String, String)| pk.ends_with(&ticket.to_string()) && sk.starts_with(trail);
        assert!(named.iter().any(here), "{ticket} {trail}: {named:?}");
    }
    let scopes = BTreeSet::from(["support".to_owned()]);
    erase(store, &world.ingest.blobs, (&scopes, &pat), "ann", now()).await.unwrap();
    assert_eq!(naming().await, []);
    let acts = store.acts(3).await.unwrap();
    let told: Vec<(&str, &str)> = acts.iter().map(|act| (act.about.as_str(), act.actor.as_str())).collect();
    assert_eq!(told, [("(erased)", "ann"), ("(erased)", "ann")]);
}
