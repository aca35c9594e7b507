//! UIDs that count anew: nothing is lost, nothing counts twice, and old mail stays old.

use jiff::SignedDuration;

use super::Side;
use crate::world::{mail, now};

#[tokio::test]
async fn known_mail_stays_one_new_mail_comes_and_old_mail_stays_out() {
    let side = Side::new().await;
    let days = |days: i64| now() - SignedDuration::from_hours(24 * days);
    side.fake.arrives_in("INBOX", mail("ancient", "cust").octets("ancient"), days(400));
    for name in ["a", "b"] {
        side.arrives(name);
    }
    side.good(0).await;
    assert_eq!(side.entries().await, ["a", "b"]);
    side.renumbered_with("c");
    let did = side.good(1).await;
    assert_eq!((did.taken, did.known, did.before_horizon), (3, 2, 1), "{did:?}");
    assert_eq!(side.entries().await, ["a", "b", "c"]);
    assert_eq!(side.others().await, [("ignored".to_owned(), "before-horizon".to_owned())]);
    let did = side.good(2).await;
    assert_eq!((did.taken, did.before_horizon), (0, 0), "once");
    let (state, _) = side.folder("INBOX").await;
    assert_eq!((state.uid_validity, state.uid, state.horizon), (Some(8), 503, None));
}

/// By their octets and their INTERNALDATE, which outlives UIDs.
#[tokio::test]
async fn mail_without_message_id_and_date_stays_one() {
    let side = Side::new().await;
    let bare = b"From: device@people.example\r\nTo: support@us.example\r\nSubject: alarm\r\n\r\ndoor open\r\n".to_vec();
    side.fake.arrives(bare.clone());
    let later = now() + SignedDuration::from_mins(60);
    side.fake.arrives_in("INBOX", bare, later);
    assert_eq!(side.good(90).await.taken, 2, "an hour apart they are two alarms");
    assert_eq!(side.entries().await.len(), 2);
    side.fake.renumber(40);
    let did = side.good(91).await;
    assert_eq!((did.taken, did.known), (2, 2), "{did:?}");
    assert_eq!(side.entries().await.len(), 2);
}

#[tokio::test]
async fn a_resync_that_breaks_off_goes_on() {
    let side = Side::new().await;
    for n in 0..6 {
        side.arrives(&format!("m{n}"));
    }
    side.good(0).await;
    side.renumbered_with("n");
    side.fake.trick(502, super::fake::Trick::Drop, 1);
    assert_eq!(side.poll(1).await.trouble.len(), 1);
    let did = side.good(2).await;
    assert_eq!((did.taken, did.known), (5, 4), "{did:?}");
    assert_eq!(side.entries().await, ["m0", "m1", "m2", "m3", "m4", "m5", "n"]);
    let notes = side.others().await.into_iter().filter(|(_, why)| why == "before-horizon").count();
    assert_eq!(notes, 1);
}

/// The same UIDVALIDITY at another server says nothing: many begin with 1.
#[tokio::test]
async fn a_door_that_leads_elsewhere_begins_anew_there() {
    let mut side = Side::new().await;
    for name in ["a", "b", "c"] {
        side.arrives(name);
    }
    side.good(0).await;
    side.imap().user = "other@us.example".to_owned();
    let moved = super::fake::FakeImap::start().await;
    side.imap().port = Some(moved.port);
    moved.arrives(mail("b", "cust").octets("b"));
    moved.arrives(mail("d", "cust").octets("d"));
    let did = side.good(1).await;
    assert_eq!((did.taken, did.known), (2, 1), "{did:?}");
    assert_eq!(side.entries().await, ["a", "b", "c", "d"]);
}

impl Side {
    /// The server numbers all messages anew from 500, and a mail arrives.
    fn renumbered_with(&self, name: &str) {
        self.fake.renumber(500);
        self.arrives(name);
    }
}
