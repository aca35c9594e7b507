//! Kinds that hold, ignore or note; releasing and discarding.

use postern::{
    ingest::Released,
    mailbox::MailboxId,
    records::Outcome,
    store::{LedgerId, desk::Change},
    ticket::Visibility,
};

use super::{has, visibility, with_ticket};
use crate::world::{Mail, World, keyring, mail, mailbox, now};

fn out_of_office(name: &str) -> Mail {
    mail(name, "cust").field("Auto-Submitted: auto-replied")
}

/// A multipart/report of that type (RFC 6522).
fn report(name: &str, kind: &str) -> Mail {
    let content_type = format!("Content-Type: multipart/report; report-type={kind}; boundary=b");
    let mut mail = mail(name, "cust").field("MIME-Version: 1.0").field(&content_type);
    mail.name =
        format!("{name}\r\n--b\r\n\r\nmail {name}\r\n--b\r\nContent-Type: message/{kind}\r\n\r\nVersion: 1\r\n--b--");
    mail
}

#[tokio::test]
async fn kinds_by_header() {
    let world = with_ticket().await;
    for (mail, outcome, first) in [
        (out_of_office("a"), "held", "auto-reply"),
        (report("b", "disposition-notification"), "ignored", "read-receipt-unmatched"),
        (report("c", "feedback-report"), "held", "abuse-report"),
    ] {
        let answer = world.deliver(&mail.copy("1")).await;
        assert_eq!((answer.outcome, answer.reasons[0].as_str()), (outcome, first), "{}", mail.name);
    }
    for field in
        ["Auto-Submitted: auto-generated", "List-Id: <a.list.example>", "Precedence: bulk", "Auto-Submitted: no"]
    {
        let answer = world.deliver(&mail(&field.replace([' ', ':'], "-"), "cust").field(field).copy("1")).await;
        assert_eq!(answer.outcome, "created_new", "{field}");
    }
}

#[tokio::test]
async fn an_automatic_reply_is_a_note_and_reopens_nothing() {
    let world = with_ticket().await;
    world.ingest.store.set_status(1, postern::ticket::Status::Resolved, "test", now()).await.unwrap();
    let answer = world.deliver(&out_of_office("a").reply_to(&["o"]).copy("1")).await;
    assert_eq!((answer.outcome, answer.ticket_id), ("replied_to_existing", Some(1)));
    assert_eq!(visibility(&world, &answer).await, Visibility::Internal);
    let ticket = world.ingest.store.ticket(1).await.unwrap().unwrap();
    assert_eq!(ticket.status, postern::ticket::Status::Resolved);
}

fn bounce(name: &str, original: &str) -> Mail {
    delivery_status(name, original, "failed")
}

fn delivery_status(name: &str, original: &str, action: &str) -> Mail {
    let mut mail = mail(name, "MAILER-DAEMON@mx.example")
        .field("MIME-Version: 1.0")
        .field("Content-Type: multipart/report; report-type=delivery-status; boundary=b");
    mail.name = format!(
        "{name}\r\n--b\r\n\r\nmail {name}\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
         Final-Recipient: rfc822; cust@people.example\r\nAction: {action}\r\nStatus: 5.1.1\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{original}>\r\nSubject: x\r\n--b--"
    );
    mail
}

#[tokio::test]
async fn a_bounce_counts_only_for_what_we_signed() {
    let world = with_ticket().await;
    let signed = keyring().message_id(world.mailboxes.only().unwrap(), 1, "a1").unwrap();
    let answer = world.deliver(&bounce("a", signed.as_str()).copy("1")).await;
    assert_eq!((answer.outcome, answer.ticket_id), ("replied_to_existing", Some(1)), "{answer:?}");
    assert_eq!(visibility(&world, &answer).await, Visibility::Internal);
    for original in ["o@ids.example", "unknown@ids.example", "pstn.ab.a1.aaaaaaaaaaaaaaaa@us.example"] {
        let answer = world.deliver(&bounce(original, original).copy("1")).await;
        assert_eq!((answer.outcome, answer.reasons[0].as_str()), ("held", "bounce-unmatched"), "{original}");
    }
}

/// While the mail system is still trying, and where it says that the mail arrived, nothing has come back.
#[tokio::test]
async fn a_delay_marks_nothing() {
    let world = with_ticket().await;
    let signed = keyring().message_id(world.mailboxes.only().unwrap(), 1, "a1").unwrap();
    let mut row = world.items("MSGID#").await.into_values().next().unwrap();
    row.extend(postern::store::keys::index("support", &signed).attributes());
    row.insert("direction".into(), aws_sdk_dynamodb::types::AttributeValue::S("out".into()));
    world.put_item(row).await;
    for (action, marked) in [("delayed", 0), ("delivered", 0), ("failed", 1)] {
        let answer = world.deliver(&delivery_status(action, signed.as_str(), action).copy("1")).await;
        assert_eq!((answer.outcome, answer.ticket_id), ("replied_to_existing", Some(1)), "{action}: {answer:?}");
        let entries = world.ingest.store.entries(1).await.unwrap();
        let bounced = entries.iter().filter(|entry| entry.state == "bounced").count();
        assert_eq!(bounced, marked, "{action}: {:?}", entries.iter().map(|entry| &entry.state).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn our_signed_loop_header_holds() {
    let world = World::new().await;
    let value = keyring().loop_header(world.mailboxes.only().unwrap()).unwrap();
    let answer = world.deliver(&mail("a", "cust").field(&format!("X-Postern-Loop: {value}")).copy("1")).await;
    assert_eq!((answer.outcome, answer.reasons[0].as_str()), ("held", "loop"));
    let answer = world.deliver(&mail("b", "cust").field("X-Postern-Loop: aaaaaaaaaaaaaaaaaa").copy("1")).await;
    assert_eq!(answer.outcome, "created_new", "a forged one is nothing");
}

#[tokio::test]
async fn held_mail_is_released_once_or_discarded() {
    let world = World::new().await;
    let held = world.deliver(&out_of_office("a").copy("1")).await;
    let id = LedgerId::parse(&held.inbound_id).unwrap();
    let Released::Done(answer) = world.ingest.release(&id, None, "agent").await.unwrap() else { panic!("refused") };
    assert_eq!(answer.outcome, "created_new");
    assert!(has(&answer, "released"));
    let again = world.ingest.release(&id, None, "agent").await.unwrap();
    assert_eq!(again, Released::Refused("the mail is committed, not held".into()));
    let row = world.ingest.store.ledger_row(&id).await.unwrap().unwrap();
    assert_eq!((row.outcome, row.actor.as_deref()), (Outcome::Committed, Some("agent")));
    let held = world.deliver(&out_of_office("b").copy("1")).await;
    let id = LedgerId::parse(&held.inbound_id).unwrap();
    let Change::Made(row) = world.ingest.store.discard(&id, "agent", now()).await.unwrap() else { panic!("refused") };
    assert_eq!(row.outcome, Outcome::Ignored);
    assert!(world.ingest.blobs.get(&row.raw_key).await.is_ok(), "the raw is kept");
    let answer = world.deliver(&out_of_office("b").copy("1")).await;
    assert_eq!(answer.outcome, "ignored", "a retry of discarded mail stays discarded");
}

#[tokio::test]
async fn mail_for_nobody_is_held_and_released_to_a_mailbox() {
    let world =
        World::with(vec![mailbox("alpha", "a@us.example", "AAA"), mailbox("beta", "b@us.example", "BBB")]).await;
    let held = world.deliver(&mail("o", "cust").copy("1").forward(&["c@us.example"])).await;
    assert_eq!((held.outcome, held.reasons[0].as_str()), ("held", "unknown-recipient"));
    let id = LedgerId::parse(&held.inbound_id).unwrap();
    assert!(matches!(world.ingest.release(&id, None, "agent").await.unwrap(), Released::Refused(_)));
    let beta = MailboxId::parse("beta").unwrap();
    let Released::Done(answer) = world.ingest.release(&id, Some(&beta), "agent").await.unwrap() else { panic!() };
    assert_eq!(answer.ticket_number.as_deref(), Some("BBB-00001"));
    assert_eq!(answer.inbound_id, held.inbound_id, "the row is the copy's own");
}

#[tokio::test]
async fn waiting_mail_is_counted_whatever_its_day() {
    let world = World::new().await;
    let old = crate::world::Copy { minutes: -400 * 24 * 60, ..out_of_office("a").copy("1") };
    world.deliver(&old).await;
    world.deliver(&out_of_office("b").copy("1")).await;
    let lines = world.ingest.store.attention(&[Outcome::Held], 100).await.unwrap();
    assert_eq!(lines.len(), 2);
    let today = world.ingest.store.ledger(now(), 7, &Outcome::ALL, 100).await.unwrap();
    assert_eq!(today.len(), 1, "the day's listing shows the day");
}

#[tokio::test]
async fn a_token_spent_on_held_mail_carries_no_other_body() {
    let world = World::new().await;
    let held = world.deliver(&mail("o", "cust").copy("1").spam().token("t", "A")).await;
    assert_eq!((held.outcome, held.reasons[0].as_str()), ("held", "spam"));
    let other = world.deliver(&mail("x", "ann").copy("2").token("t", "B")).await;
    assert_eq!((other.outcome, other.reasons[0].as_str()), ("held", "replayed-token"));
    let again = world.deliver(&mail("o", "cust").copy("3").token("t", "A")).await;
    assert_eq!(again.outcome, "created_new", "the same body may come again");
}

#[tokio::test]
async fn spam_passes_only_with_token_standing_and_authentication() {
    use postern::inbound::Verdict::Pass;
    let world = with_ticket().await;
    let tag = keyring().reply_address(world.mailboxes.only().unwrap(), 1).unwrap().to_string();
    for (name, author, to, auth, expected) in [
        ("a", "cust", tag.as_str(), Some(Pass), "replied_to_existing"),
        ("b", "cust", tag.as_str(), None, "held"),
        ("c", "eve", tag.as_str(), Some(Pass), "held"),
        ("d", "cust", "bob", Some(Pass), "held"),
    ] {
        let answer = world.deliver(&mail(name, author).to(&[to]).copy("1").auth(auth).spam()).await;
        assert_eq!(answer.outcome, expected, "{name}");
    }
}

#[tokio::test]
async fn an_answer_to_held_mail_waits_for_it_on_a_ticket_of_its_own() {
    let world = World::new().await;
    let held = world.deliver(&mail("o", "cust").to(&["bob"]).copy("1").spam()).await;
    assert_eq!(held.outcome, "held");
    let reply = world.deliver(&mail("r", "bob").to(&["cust"]).reply_to(&["o"]).copy("2")).await;
    assert_eq!(reply.outcome, "created_new", "nothing of the held mail is shown to anybody: {reply:?}");
    let id = postern::store::LedgerId::parse(&held.inbound_id).unwrap();
    let released = world.ingest.release(&id, None, "ann").await.unwrap();
    let postern::ingest::Released::Done(answer) = released else { panic!("{released:?}") };
    assert_eq!((answer.ticket_id, has(&answer, "claimed-original")), (reply.ticket_id, true), "{answer:?}");
    assert!(has(&answer, "was-held-spam") && has(&answer, "released"), "{answer:?}");
}
