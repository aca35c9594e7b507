//! Every list and text has its cap: what a mail brings fits the item, and what is cut is in the raw.

use postern::{address::AddrSpec, ingest::Released, store::LedgerId};

use super::{attachments, bad_mails, delivery, headers, hostile_names, nested, with_headers};
use crate::world::{Item, World, boundless, mailbox, one, text};

async fn entry_of(raw: Vec<u8>) -> (Item, Item) {
    let world = World::new().await;
    let answer = one(world.ingest.run(delivery("d", raw)).await);
    assert_eq!(answer.status, "created", "{:?}", answer.reasons);
    let mut items = world.items("TICKET#").await;
    let ticket = items.remove(&("TICKET#1".to_owned(), "TICKET".to_owned()));
    let ticket = ticket.or_else(|| items.iter().find(|((_, sk), _)| sk == "TICKET").map(|(_, item)| item.clone()));
    let entry = items.into_iter().find(|((_, sk), _)| sk.starts_with("ENTRY#")).unwrap().1;
    (ticket.unwrap(), entry)
}

fn mail_named(what: &str) -> Vec<u8> {
    bad_mails().into_iter().find(|(name, _)| *name == what).unwrap().1
}

fn list<'a>(item: &'a Item, name: &str) -> &'a [aws_sdk_dynamodb::types::AttributeValue] {
    item[name].as_l().unwrap()
}

/// An estimate from above of what an item weighs in the table.
fn weight(item: &Item) -> usize {
    format!("{item:?}").len()
}

#[tokio::test]
async fn a_ticket_keeps_some_of_five_thousand_recipients() {
    for what in ["5,000 recipients", "long names of 500"] {
        let (ticket, _) = entry_of(mail_named(what)).await;
        let people = list(&ticket, "participants");
        assert!((40..=200).contains(&people.len()), "{what}: {}", people.len());
        assert!(people.iter().all(|p| text(p.as_m().unwrap(), "name").len() <= 128), "{what}");
        assert!(weight(&ticket) < 100_000, "{what}: {}", weight(&ticket));
    }
}

#[tokio::test]
async fn long_texts_are_cut_and_say_so() {
    let (_, entry) = entry_of(mail_named("800 kB of text")).await;
    assert_eq!(entry["text_cut"].as_bool(), Ok(&true));
    let kept = text(&entry, "text").len();
    assert!((32_000..=32 * 1024).contains(&kept), "{kept}");
    let (ticket, entry) = entry_of(mail_named("subject of 100 kB")).await;
    let subject = text(&ticket, "subject");
    assert!(subject.len() <= 998, "{}", subject.len());
    assert!(weight(&entry) < 10_000);
    let (_, entry) = entry_of(mail_named("Message-ID of 100 kB")).await;
    assert!(text(&entry, "message_id").len() <= 998);
}

#[tokio::test]
async fn every_attachment_is_listed_or_counted() {
    let mut support = crate::world::mailbox("support", crate::world::SUPPORT, "INC");
    support.attachments.count = 300;
    let world = World::with(vec![support]).await;
    one(world.ingest.run(delivery("d", attachments(300))).await);
    let entries = world.items("ENTRY#").await;
    let entry = entries.values().next().unwrap();
    let (listed, more) = (list(entry, "attachments").len(), text(entry, "attachments_more"));
    assert_eq!((listed, more.as_str()), (200, "100"));
    assert!(weight(entry) < 400_000, "{}", weight(entry));
    assert_eq!(world.objects("attachments/").await.len(), 300, "those not listed are stored as well");
}

#[tokio::test]
async fn names_of_files_lead_nowhere() {
    let (_, entry) = entry_of(hostile_names()).await;
    let files = list(&entry, "attachments");
    assert_eq!(files.len(), 13, "every part is accounted for");
    for file in files {
        let file = file.as_m().unwrap();
        let name = text(file, "filename");
        assert!(!name.contains(['/', '\\', '\0', '\n', '\u{202e}']) && name != ".." && name != ".", "{name:?}");
        let key = text(file, "key");
        assert!(key.is_empty() || key.starts_with("attachments/") && !key.contains(".."), "{key}");
    }
}

#[tokio::test]
async fn nesting_ends_and_what_lies_below_is_in_the_raw() {
    for levels in [10, 100, 1_000] {
        let (_, entry) = entry_of(nested(levels)).await;
        let shown = text(&entry, "text").contains("at the bottom");
        assert!(shown || !list(&entry, "attachments").is_empty(), "{levels} levels: the leaf is accounted for");
    }
}

#[tokio::test]
async fn evidence_of_many_long_ids_fits_its_row() {
    let world = World::with(vec![boundless()]).await;
    let long = |n: usize| format!("{n}{}", "i".repeat(900));
    for n in 0..30 {
        one(world.ingest.run(delivery(&format!("{n}"), with_headers(&headers(&long(n)), "text"))).await);
    }
    let ids: Vec<String> = (0..30).map(|n| format!("<{}@ids.example>", long(n))).collect();
    let raw = with_headers(&(headers("all") + &format!("References: {}\r\n", ids.join("\r\n "))), "text");
    let answer = one(world.ingest.run(delivery("all", raw)).await);
    assert_eq!(answer.status, "matched", "{:?}", answer.reasons);
    let id = LedgerId::parse(&answer.inbound_id).unwrap();
    let row = world.ingest.store.ledger_row(&id).await.unwrap().unwrap();
    let octets: usize = row.evidence.iter().map(String::len).sum();
    assert!(octets <= 16 * 1024 && !row.evidence.is_empty(), "{octets} octets of evidence");
}

#[tokio::test]
async fn a_long_accept_record_lies_beside_the_raw_and_releases_the_mail() {
    let boxes = vec![mailbox("billing", "billing@us.example", "BIL"), mailbox("support", "support@us.example", "INC")];
    let world = World::with(boxes).await;
    let raw = with_headers(&headers("long").replace("support@", "nobody@"), "text");
    let mut inbound = delivery("long", raw.clone());
    let one_path = |n: usize| AddrSpec::parse(&format!("{}{n}@elsewhere.example", "r".repeat(40))).unwrap();
    inbound.envelope.forward_paths = (0..5_000).map(one_path).collect();
    let answer = one(world.ingest.run(inbound).await);
    assert_eq!((answer.status, answer.reasons[0].as_str()), ("held", "unknown-recipient"));
    let [sidecar] = &world.objects("accept/").await[..] else { panic!("the accept record is an object of its own") };
    let [key] = &world.objects("raw/").await[..] else { panic!("one raw object") };
    assert_eq!(*sidecar, format!("accept/{key}.json"));
    let (octets, accept) = world.ingest.blobs.get_accepted(key).await.unwrap();
    assert_eq!(octets, raw);
    assert_eq!(accept.envelope.forward_paths, (0..100).map(one_path).collect::<Vec<_>>(), "the first hundred");
    assert!(accept.mailboxes.is_empty());
    let id = LedgerId::parse(&answer.inbound_id).unwrap();
    let refused = world.ingest.release(&id, None, "test").await.unwrap();
    assert!(matches!(refused, Released::Refused(_)), "two mailboxes, none named: {refused:?}");
    let billing = postern::mailbox::MailboxId::parse("billing");
    let Released::Done(released) = world.ingest.release(&id, billing.as_ref(), "test").await.unwrap() else {
        panic!("released into a mailbox")
    };
    assert_eq!((released.status, released.ticket_number.as_deref()), ("created", Some("BIL-00001")));
}

#[tokio::test]
async fn a_short_accept_record_travels_with_the_raw() {
    let world = World::new().await;
    one(world.ingest.run(delivery("short", with_headers(&headers("short"), "text"))).await);
    assert!(world.objects("accept/").await.is_empty());
    let [key] = &world.objects("raw/").await[..] else { panic!("one raw object") };
    let (_, accept) = world.ingest.blobs.get_accepted(key).await.unwrap();
    assert_eq!((accept.mailboxes.len(), accept.ingress.event_id.as_deref()), (1, Some("short")));
}
