//! Told of, fetched, decided.

use postern::{ingest::Released, mailbox::MailboxId, records::Outcome, secrets::SecretSource, store::LedgerId};
use serde_json::json;

use super::{BASIC, Side, mail, once, take_retry_messages, url_of, word};
use crate::{
    doors::{Encoding, Form, MAILGUN_KEY, door_with, hear, operator},
    harness::wire::Wire,
    queues::reasons,
    world::{mailbox, text},
};

#[tokio::test]
async fn mail_is_told_of_fetched_and_decided() {
    let side = Side::new().await;
    side.keeps("a", &mail("o", "cust"));
    let answer = side.tell(word("a", &mail("o", "cust").copy("1").token("t", "A"))).await;
    assert_eq!((answer.status, answer.reasons.as_slice()), ("queued", ["to-be-fetched".to_owned()].as_slice()));
    assert_eq!(answer.pending_attachment_downloads, ["film.mp4"]);
    let row = side.row().await;
    assert_eq!((text(&row, "outcome"), reasons(&row)), ("queued".to_owned(), vec!["to-be-fetched".to_owned()]));
    assert!(row.contains_key("accept") && side.world.items("TOKEN#").await.len() == 1);
    assert_eq!(side.world.objects("payload/").await.len(), 1, "the word is kept");
    assert!(side.asked().is_empty(), "the door asks nobody");

    let letter = take_retry_messages(&side.world).await.remove(0);
    assert!(once(&side.after(0), &letter, 1).await);
    let asked = side.provider.asked();
    assert_eq!((asked.len(), asked[0].url.as_str()), (1, url_of("a").as_str()));
    assert_eq!(asked[0].header("authorization"), Some(BASIC));
    assert_eq!(asked[0].header("accept"), Some("message/rfc2822"));
    let end = side.world.end_state().await;
    assert_eq!((end.partition.as_str(), end.ledger), ("o", vec!["1/support created committed".to_owned()]));
    assert!(!side.row().await.contains_key("accept"), "an end needs no way back");
    let key = side.world.objects("raw/").await.remove(0);
    assert_eq!(side.world.ingest.blobs.get(&key).await.unwrap(), mail("o", "cust").octets("1"));

    // The queue delivers it again, and the provider tells again.
    assert!(once(&side.after(0), &letter, 2).await);
    let again = side.tell(word("a", &mail("o", "cust").copy("1").token("t", "A"))).await;
    assert_eq!((again.status, again.was_seen_before()), ("created", true));
    assert_eq!(side.work_off(0).await, 0, "no letter about what has ended");
    assert_eq!(side.provider.asked().len(), 1);
}

#[tokio::test]
async fn told_twice_is_one_row_and_letters_that_do_no_harm() {
    let side = Side::new().await;
    side.keeps("a", &mail("o", "cust"));
    for token in ["t", "u"] {
        let answer = side.tell(word("a", &mail("o", "cust").copy("1").token(token, "A"))).await;
        assert_eq!(answer.status, "queued");
    }
    assert_eq!(side.rows().await, ["support queued"]);
    assert_eq!(side.work_off(0).await, 2);
    assert_eq!(side.world.end_state().await.partition, "o");
    assert_eq!(side.provider.asked().len(), 1, "fetched once");
}

#[tokio::test]
async fn json_and_bare_answers_are_the_same_mail() {
    let octets = mail("o", "cust").octets("1");
    let mut ends = Vec::new();
    for (kind, body) in [
        (
            "application/json",
            serde_json::json!({ "body-mime": String::from_utf8(octets.clone()).unwrap() }).to_string(),
        ),
        ("text/plain", serde_json::json!({ "body-mime": String::from_utf8(octets.clone()).unwrap() }).to_string()),
        ("message/rfc822", String::from_utf8(octets.clone()).unwrap()),
        ("Message/RFC2822; charset=utf-8", String::from_utf8(octets.clone()).unwrap()),
    ] {
        let side = Side::new().await;
        side.provider.put_body(&url_of("a"), kind, body);
        side.tell(word("a", &mail("o", "cust").copy("1"))).await;
        side.work_off(0).await;
        let key = side.world.objects("raw/").await.remove(0);
        assert_eq!(side.world.ingest.blobs.get(&key).await.unwrap(), octets, "{kind}");
        ends.push(side.world.end_state().await);
    }
    ends.dedup();
    assert_eq!(ends.len(), 1);
}

#[tokio::test]
async fn each_mailbox_gets_its_copy_and_the_mail_is_fetched_once() {
    let side = Side::with_two().await;
    side.keeps("a", &mail("o", "cust"));
    let both = ["support@us.example", "billing@us.example"];
    let copy = mail("o", "cust").copy("1").forward(&both);
    let answers = side.world.door_over(&Wire::new()).announced(word("a", &copy)).await.unwrap();
    assert_eq!(answers.len(), 2);
    assert_eq!(side.work_off(0).await, 1);
    assert_eq!(side.rows().await, ["billing committed", "support committed"]);
    assert_eq!(side.provider.asked().len(), 1);
    // Another recipient of the same stored mail, told of by a notification of its own.
    let third = side.tell(word("a", &copy.forward(&["support@us.example"]))).await;
    assert!(third.was_seen_before());
}

#[tokio::test]
async fn where_the_envelope_names_nobody_the_header_does() {
    let side = Side::with_two().await;
    side.keeps("a", &mail("o", "cust").to(&["billing@us.example"]));
    let answer = side.tell(word("a", &mail("o", "cust").copy("1").forward(&["alias@us.example"]))).await;
    assert!(answer.inbound_id.ends_with("/-"), "{}", answer.inbound_id);
    assert_eq!(side.rows().await, ["- queued"]);
    let letter = take_retry_messages(&side.world).await.remove(0);
    assert!(once(&side.after(0), &letter, 1).await && once(&side.after(0), &letter, 2).await);
    assert_eq!(side.rows().await, ["- duplicate", "billing committed", "support committed"]);
    let rows = side.world.items("MAIL#").await;
    let word = rows.iter().find(|((_, mailbox), _)| mailbox == "-").unwrap().1;
    assert_eq!(reasons(word), ["chosen-by-header"]);
    assert!(!word.contains_key("accept") && !word.contains_key("gsi1pk"));
}

#[tokio::test]
async fn the_header_decides_once() {
    let mut side = Side::with_two().await;
    side.keeps("a", &mail("o", "cust"));
    side.tell(word("a", &mail("o", "cust").copy("1").forward(&["alias@us.example"]))).await;
    let letter = take_retry_messages(&side.world).await.remove(0);
    // The octets are written, then the table is away for good.
    let wire = Wire::new();
    for n in 6..40 {
        wire.fail_call(n, crate::harness::fault::Fault::Refused);
    }
    let app = side.retry(&wire, side.provider.outbound(), crate::world::now());
    assert!(!once(&app, &letter, 1).await);
    assert_eq!(side.world.objects("raw/").await.len(), 1);
    // Meanwhile the address belongs to another mailbox; the choice stands on the object.
    let moved = vec![mailbox("billing", "support@us.example", "BIL"), mailbox("support", "other@us.example", "INC")];
    side.settings.mailboxes = postern::mailbox::Mailboxes::new(moved).unwrap();
    assert!(once(&side.after(0), &letter, 2).await);
    assert_eq!(side.rows().await, ["- duplicate", "support committed"]);
}

#[tokio::test]
async fn mail_for_nobody_is_held_and_can_be_released() {
    let side = Side::with_two().await;
    let mut stray = mail("o", "cust");
    stray.extra = vec!["X-Nothing: here".to_owned()];
    let octets = String::from_utf8(stray.octets("1")).unwrap().replace("support@us.example", "who@us.example");
    side.provider.put_body(&url_of("a"), "message/rfc822", octets);
    side.tell(word("a", &stray.copy("1").forward(&["alias@us.example"]))).await;
    side.work_off(0).await;
    assert_eq!(side.rows().await, ["- held unknown-recipient"]);
    let held = side.world.ingest.store.attention(&[Outcome::Held], 5).await.unwrap().remove(0);
    let (id, target) = (LedgerId::parse(&held.id).unwrap(), MailboxId::parse("billing"));
    let released = side.world.ingest.release(&id, target.as_ref(), "desk").await.unwrap();
    assert!(matches!(released, Released::Done(answer) if answer.status == "created"));
}

#[tokio::test]
async fn a_spent_token_brings_nothing_in_and_holds_nothing_up() {
    let side = Side::new().await;
    side.keeps("a", &mail("o", "cust"));
    side.tell(word("a", &mail("o", "cust").copy("1").token("t", "A"))).await;
    // The same token over another body: elsewhere, and about the mail that is on its way.
    let elsewhere = side.tell(word("b", &mail("p", "eve").copy("2").token("t", "B"))).await;
    assert_eq!((elsewhere.status, elsewhere.reasons[0].as_str()), ("held", "replayed-token"));
    let same = side.tell(word("a", &mail("o", "cust").copy("1").token("t", "B"))).await;
    assert_eq!(same.status, "queued");
    side.work_off(0).await;
    assert_eq!(side.rows().await, ["support committed", "support held replayed-token"]);
    assert_eq!(side.asked(), [format!("GET {}", url_of("a"))], "nobody asks for what is held");
    // Released by a person, it is fetched.
    side.keeps("b", &mail("p", "eve"));
    let id = LedgerId::parse(&elsewhere.inbound_id).unwrap();
    let error = side.world.ingest.release(&id, None, "desk").await.unwrap_err();
    assert!(error.retryable() && error.to_string().contains("only the function `retry`"), "{error}");
    let released = side.after(0).ingest.with(&side.settings).release(&id, None, "desk").await.unwrap();
    assert!(matches!(released, Released::Done(answer) if answer.status == "created"));
}

#[tokio::test]
async fn a_signed_notification_becomes_a_ticket_by_the_door_and_retry() {
    let side = Side::new().await;
    let mut filmed = mail("o", "cust").field("MIME-Version: 1.0").field("Content-Type: multipart/mixed; boundary=b");
    filmed.name =
        "o\r\n--b\r\n\r\nmail o\r\n--b\r\nContent-Disposition: attachment; filename=film.mp4\r\n\r\nframes\r\n\
                   --b--"
            .to_owned();
    side.keeps("k", &filmed);
    let secret = SecretSource::Text(operator(&[MAILGUN_KEY], &[]));
    let door = door_with(side.world.door_over(&Wire::new()), secret);
    let told = Form::mailgun_stored(Encoding::Multipart, "t", &filmed.octets("1"), &url_of("k"));
    let heard = hear(&door, told.request()).await;
    assert_eq!((heard.status, heard.text("status"), heard.reasons()), (200, "queued", vec!["to-be-fetched"]));
    assert_eq!(heard.body["pending_attachment_downloads"], json!(["film.mp4"]));
    assert_eq!(side.work_off(1).await, 1);
    let again = hear(&door, told.request()).await;
    assert_eq!((again.text("inbound_id"), again.text("status")), (heard.text("inbound_id"), "created"), "{again:?}");
    assert_eq!(
        (again.text("ticket_number"), again.body["pending_attachment_downloads"].clone()),
        ("INC-00001", json!([]))
    );
    let [key] = &side.world.objects("raw/").await[..] else { panic!("one raw object") };
    assert_eq!(side.world.ingest.blobs.get(key).await.unwrap(), filmed.octets("1"), "as the provider kept it");
    assert_eq!(side.world.objects("payload/").await.len(), 1, "the notification is kept too");
}

#[tokio::test]
async fn fetched_mail_has_the_verdicts_that_forwarded_mail_has() {
    for (spam_fields, expected) in [(true, "support held spam"), (false, "support committed")] {
        let mut side = Side::new().await;
        let door = postern::door::Door { spam_fields, ..side.settings.doors.by_id("mailgun").unwrap().clone() };
        side.settings.doors = postern::door::Doors::new(vec![door], &side.world.mailboxes).unwrap();
        let marked = mail("o", "cust").field("X-Mailgun-Sflag: Yes");
        side.keeps("k", &marked);
        side.tell(word("k", &marked.copy("1").auth(None))).await;
        assert_eq!(side.work_off(0).await, 1);
        assert_eq!(side.rows().await, [expected], "spam fields count: {spam_fields}");
    }
}
