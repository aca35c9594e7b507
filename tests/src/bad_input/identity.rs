//! Mail without id, date or author, and mail under somebody else's id: nothing is taken for another.

use super::{delivery, headers, with_headers};
use crate::world::{World, one, text};

/// Neither From nor Date nor Message-ID: two devices may say the same words.
const NOBODY: &[u8] = b"Subject: disk full\r\n\r\ndisk full\r\n";

#[tokio::test]
async fn mail_without_any_identity_is_told_apart_by_its_delivery() {
    let world = World::new().await;
    let first = one(world.ingest.run(delivery("delivery 1", NOBODY.to_vec())).await);
    assert_eq!(first.status, "created");
    let retry = one(world.ingest.run(delivery("delivery 1", NOBODY.to_vec())).await);
    assert_eq!((retry.status, retry.ticket_id), ("created", first.ticket_id));
    assert!(retry.reasons.iter().any(|r| r == "seen-before"));
    assert_eq!((world.tickets().await, world.items("MAIL#").await.len()), (1, 1), "a retry is one");
    let another = one(world.ingest.run(delivery("delivery 2", NOBODY.to_vec())).await);
    assert_eq!((another.status, another.ticket_id), ("created", Some(2)), "{:?}", another.reasons);
    assert_eq!((world.tickets().await, world.items("MAIL#").await.len()), (2, 2), "another delivery is another");
}

#[tokio::test]
async fn mail_without_message_id_is_told_apart_by_author_date_subject_and_text() {
    let world = World::new().await;
    let line = |name: &str| headers("x").split_inclusive("\r\n").find(|l| l.starts_with(name)).unwrap().to_owned();
    let base: String = ["From", "To", "Subject", "Date"].map(line).concat();
    let with = |from: &str, to: &str| with_headers(&base.replace(from, to), "text\r\n");
    for (n, (what, raw, tickets)) in [
        ("first", with("", ""), 1),
        ("the same with a Received line more", with_headers(&format!("Received: x\r\n{base}"), "text\r\n"), 1),
        ("white space in the text", with_headers(&base, "  te xt\r\n\r\n"), 1),
        ("another author", with("cust@", "other@"), 2),
        ("another date", with("09:00:00", "09:00:01"), 3),
        ("another subject", with("s x", "s y"), 4),
        ("another text", with_headers(&base, "other\r\n"), 5),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = one(world.ingest.run(delivery(&format!("{n}"), raw)).await);
        assert_eq!(world.tickets().await, tickets, "{what}: {answer:?}");
        assert_eq!(world.items("MAIL#").await.len(), n + 1, "{what}");
    }
}

#[tokio::test]
async fn nobody_suppresses_a_mail_by_reusing_its_id() {
    let world = World::new().await;
    let original = with_headers(&headers("id"), "the original");
    let other_head = headers("id").replace("s id", "something else").replace("09:00", "10:00").replace("cust@", "m@");
    let collision = with_headers(&other_head, "not the original");
    let variant = with_headers(&headers("id"), "the original\r\n-- \r\nlist footer");
    let first = one(world.ingest.run(delivery("1", original)).await);
    let second = one(world.ingest.run(delivery("2", collision.clone())).await);
    assert_eq!((first.status, second.status), ("created", "created"), "{second:?}");
    assert_ne!(first.ticket_id, second.ticket_id);
    let third = one(world.ingest.run(delivery("3", variant)).await);
    assert_eq!((third.status, third.ticket_id), ("duplicate", first.ticket_id));
    assert!(third.reasons.iter().any(|r| r == "variant"), "{:?}", third.reasons);
    let copy = [b"Received: again\r\n".to_vec(), collision].concat();
    let fourth = one(world.ingest.run(delivery("4", copy)).await);
    assert_eq!((fourth.status, fourth.ticket_id), ("duplicate", second.ticket_id), "a copy of the second");
    let entries = world.items("ENTRY#").await;
    let texts: Vec<String> = entries.values().map(|entry| text(entry, "text")).collect();
    assert!(texts.iter().any(|t| t.contains("not the original")) && texts.len() == 2, "{texts:?}");
    assert_eq!(world.items("MAIL#").await.len(), 4);
}

#[tokio::test]
async fn the_tenth_mail_under_one_id_is_held_and_not_lost() {
    let world = World::new().await;
    for n in 0..12 {
        let head = headers("id").replace("s id", &format!("subject {n}")).replace("cust@", &format!("c{n}@"));
        let raw = with_headers(&head.replace("09:00", &format!("1{}:0{}", n / 6, n % 6)), "text");
        let answer = one(world.ingest.run(delivery(&format!("{n}"), raw)).await);
        // The first, and the eight holders beside it.
        let expected = if n < 9 { "created" } else { "held" };
        assert_eq!(answer.status, expected, "{n}: {:?}", answer.reasons);
        if n >= 9 {
            assert_eq!(answer.reasons[0], "collision");
        }
        assert_eq!(world.items("MAIL#").await.len(), n + 1);
    }
}
