//! What servers do wrong: the rest goes on, nothing is lost, and what comes to no end is told of.

use postern::door::After;

use super::{
    Side,
    fake::{Manners, Trick},
};
use crate::world::{mail, text};

/// Three messages, the middle one of which the server plays a trick with.
async fn tricked(trick: Trick, times: usize) -> Side {
    let side = Side::new().await;
    for name in ["a", "b", "c"] {
        side.arrives(name);
    }
    side.fake.trick(2, trick, times);
    side
}

#[tokio::test]
async fn what_breaks_once_or_twice_comes_with_a_later_poll() {
    for trick in [Trick::Drop, Trick::Truncate, Trick::Bye, Trick::No, Trick::Nothing, Trick::Nil] {
        let side = tricked(trick, 2).await;
        for minute in 0..2 {
            let did = side.poll(minute).await;
            assert_eq!((did.trouble.len(), did.parked), (1, 0), "{trick:?}: {did:?}");
        }
        assert_eq!(side.folder("INBOX").await.0.uid, 1, "{trick:?}: the cursor waits");
        side.good(2).await;
        assert_eq!(side.entries().await, ["a", "b", "c"], "{trick:?}");
        assert!(side.others().await.is_empty(), "{trick:?}: {:?}", side.others().await);
    }
}

#[tokio::test]
async fn what_comes_to_no_end_is_left_aside_with_a_row_and_taken_later() {
    for (trick, reason) in [
        (Trick::Drop, "poll-broken-off"),
        (Trick::Truncate, "poll-broken-off"),
        (Trick::Bye, "poll-broken-off"),
        (Trick::No, "poll-refused"),
        (Trick::Nothing, "poll-not-given"),
        (Trick::Nil, "poll-empty"),
    ] {
        let side = tricked(trick, 3).await;
        for minute in 0..4 {
            side.poll(minute).await;
        }
        assert_eq!(side.entries().await, ["a", "c"], "{trick:?}: the rest goes on");
        assert_eq!(side.others().await, [("failed".to_owned(), reason.to_owned())], "{trick:?}");
        let (_, parked) = side.folder("INBOX").await;
        assert_eq!((parked.len(), parked[0].uid, parked[0].cause.as_str()), (1, 2, reason), "{trick:?}");
        assert_eq!(side.good(30).await.taken, 0, "{trick:?}: not yet");
        assert_eq!(side.good(70).await.taken, 1, "{trick:?}: an hour later it is tried again");
        assert_eq!(side.entries().await, ["a", "b", "c"], "{trick:?}");
        assert!(side.folder("INBOX").await.1.is_empty());
        let rows = side.world.items("MAIL#").await;
        let ended: Vec<_> = rows.values().map(|row| text(row, "outcome")).filter(|word| word != "committed").collect();
        assert_eq!(ended, ["ignored"], "{trick:?}: its row is no fault any more");
    }
}

#[tokio::test]
async fn too_large_is_left_aside_at_once() {
    let side = tricked(Trick::Endless, usize::MAX).await;
    let did = side.poll(0).await;
    assert_eq!((did.parked, did.taken), (1, 1), "{did:?}");
    side.good(1).await;
    assert_eq!(side.entries().await, ["a", "c"]);
    assert_eq!(side.others().await, [("failed".to_owned(), "poll-too-large".to_owned())]);
}

#[tokio::test]
async fn what_vanishes_is_nobodys_trouble() {
    let side = tricked(Trick::Vanish, 1).await;
    let did = side.good(0).await;
    assert_eq!((did.taken, did.vanished), (2, 1));
    assert_eq!(side.entries().await, ["a", "c"]);
    assert!(side.others().await.is_empty());
}

#[tokio::test]
async fn noise_and_the_wrong_order_disturb_nothing() {
    let mut side = tricked(Trick::No, 0).await;
    side.imap().after = After::Seen;
    side.fake.manners(Manners {
        noise: true,
        newest_first: true,
        lacks: vec!["UIDPLUS", "MOVE"],
        ..Manners::default()
    });
    assert_eq!(side.good(0).await.taken, 3);
    assert_eq!(side.entries().await, ["a", "b", "c"]);
    let entry = side.world.items("ENTRY#").await.into_iter().find(|((pk, _), _)| pk == "TICKET#1").unwrap().1;
    assert_eq!(text(&entry, "message_id"), "a@ids.example", "the oldest first");
}

#[tokio::test]
async fn a_mail_of_any_octets_comes_as_it_is() {
    let side = Side::new().await;
    let mut odd = mail("odd", "cust").octets("odd");
    odd.extend(b"P7 OK done\r\n)\r\n* BYE {5}\r\n\0\xff{9}\r\n+ \r\n");
    let size = odd.len();
    side.fake.arrives(odd);
    side.arrives("next");
    assert_eq!(side.good(0).await.taken, 2);
    let rows = side.world.items("MAIL#").await;
    assert!(rows.values().any(|row| text(row, "raw_octets") == size.to_string()), "whole, and nothing more");
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_told() {
    let mut side = Side::new().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    side.imap().port = Some(free);
    let did = side.poll(0).await;
    assert_eq!(did.trouble, ["the server cannot be reached (connection refused)"]);
    assert_eq!(side.folder("INBOX").await.0.trouble.as_deref(), Some("unreachable"));
    assert_eq!(side.folder("INBOX").await.0.holder, None, "the lease is given back");
}
