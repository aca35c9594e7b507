//! Keys that change, are blank, missing or cannot be read.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::SignedDuration;
use postern::{ambient::Ambient, secrets::SecretSource};
use postern_webhook::App;

use super::{WAYS, Way, octets};
use crate::{
    doors::{Form, MAILGUN_KEY, POSTMARK_LOGIN, Postmark, door_with, hear, operator},
    harness::wire::Wire,
    world::{World, now},
};

const NEW_KEY: &str = "signing-key-new";
const NEW_LOGIN: &str = "postern:new";

/// A door that reads its secret from a file, by a clock that the test moves.
struct Rotating {
    world: World,
    app: App,
    file: tempfile::NamedTempFile,
    seconds: Arc<AtomicI64>,
}

impl Rotating {
    async fn new(secret: &str) -> Self {
        let world = World::new().await;
        let file = tempfile::NamedTempFile::new().unwrap();
        let seconds = Arc::new(AtomicI64::new(0));
        let mut ingest = world.over(&Wire::new());
        let clock = Arc::clone(&seconds);
        let time = move || now() + SignedDuration::from_secs(clock.load(Ordering::Relaxed));
        ingest.ambient = Ambient::with_clock(time, 1);
        let app = door_with(ingest, SecretSource::File(file.path().to_owned()));
        let rotating = Self { world, app, file, seconds };
        rotating.write(secret);
        rotating
    }

    fn write(&self, secret: &str) {
        std::fs::write(self.file.path(), secret).unwrap();
    }

    fn after_seconds(&self, seconds: i64) {
        self.seconds.store(seconds, Ordering::Relaxed);
    }

    /// What a good request hears that is signed with the old or the new key.
    async fn status(&self, way: Way, delivery: &str, new: bool) -> u16 {
        let mime = octets(delivery);
        let request = match way {
            Way::Mailgun(encoding) => {
                let key = if new { NEW_KEY } else { MAILGUN_KEY };
                Form::mailgun(encoding, delivery, &mime).signed(key, now(), delivery).request()
            }
            Way::Postmark => {
                let login = if new { NEW_LOGIN } else { POSTMARK_LOGIN };
                Postmark::new(delivery, &String::from_utf8(mime).unwrap()).login(Some(login)).request()
            }
        };
        hear(&self.app, request).await.status
    }
}

fn old() -> String {
    operator(&[MAILGUN_KEY], &[POSTMARK_LOGIN])
}

fn both() -> String {
    operator(&[NEW_KEY, MAILGUN_KEY], &[NEW_LOGIN, POSTMARK_LOGIN])
}

fn new() -> String {
    operator(&[NEW_KEY], &[NEW_LOGIN])
}

#[tokio::test]
async fn two_live_keys_are_both_good_and_a_removed_one_is_not() {
    for way in WAYS {
        let door = Rotating::new(&both()).await;
        assert_eq!(door.status(way, "a", false).await, 200, "{way:?}");
        assert_eq!(door.status(way, "b", true).await, 200, "{way:?}");
        door.write(&new());
        assert_eq!(door.status(way, "c", false).await, 200, "{way:?}: a read secret is believed for five minutes");
        door.after_seconds(301);
        assert_eq!(door.status(way, "d", false).await, 401, "{way:?}: removed");
        assert_eq!(door.status(way, "e", true).await, 200, "{way:?}");
        assert_eq!(door.world.items("MAIL#").await.len(), 4, "{way:?}");
    }
}

#[tokio::test]
async fn a_fresh_key_is_good_within_a_minute_of_a_refusal() {
    for way in WAYS {
        let door = Rotating::new(&old()).await;
        assert_eq!(door.status(way, "a", false).await, 200, "{way:?}");
        door.write(&new());
        door.after_seconds(59);
        assert_eq!(door.status(way, "b", true).await, 401, "{way:?}: read less than a minute ago");
        door.after_seconds(61);
        assert_eq!(door.status(way, "b", true).await, 200, "{way:?}: read again before refusing");
        assert_eq!(door.status(way, "c", false).await, 401, "{way:?}: the old one has gone with that reading");
    }
}

#[tokio::test]
async fn a_secret_that_was_read_once_survives_its_loss() {
    for way in WAYS {
        let door = Rotating::new(&old()).await;
        assert_eq!(door.status(way, "a", false).await, 200, "{way:?}");
        for (n, broken) in ["", "{", "7", "{\"mailgun\":{\"signing_keys\":\"no list\"}}"].iter().enumerate() {
            door.write(broken);
            door.after_seconds(3_600 * (1 + i64::try_from(n).unwrap()));
            assert_eq!(door.status(way, &format!("b{n}"), false).await, 200, "{way:?} {broken:?}");
            assert_eq!(door.status(way, &format!("c{n}"), true).await, 401, "{way:?} {broken:?}");
        }
    }
}

/// What is wrong with a secret, and what the body must name.
#[tokio::test]
async fn without_a_usable_secret_nobody_is_let_in() {
    for way in WAYS {
        let (field, word) = match way {
            Way::Mailgun(_) => ("mailgun.signing_keys", "mailgun"),
            Way::Postmark => ("postmark.credentials", "postmark"),
        };
        let list = |list: &str| format!("{{\"{word}\": {{\"{}\": {list}}}}}", field.split_once('.').unwrap().1);
        let cases = [
            ("{}".to_owned(), "not-configured", field),
            (list("[]"), "not-configured", field),
            (list("[\"\"]"), "not-configured", field),
            (list("[\" \", \"\\t\"]"), "not-configured", field),
            (String::new(), "secret-unreadable", "line"),
            ("not json".to_owned(), "secret-unreadable", "line 1"),
            (list("\"text\""), "secret-unreadable", "line 1"),
            (list("[1]"), "secret-unreadable", "line 1"),
        ];
        for (secret, error, named) in cases {
            let door = Rotating::new(&secret).await;
            let before = door.world.stored().await;
            for delivery in ["", "b"] {
                // Blank keys sign nothing, though the caller signs with the blank as well.
                let request = match way {
                    Way::Mailgun(encoding) if delivery.is_empty() => {
                        Form::mailgun(encoding, "a", &octets("a")).signed("", now(), "a").request()
                    }
                    Way::Postmark if delivery.is_empty() => Postmark::new("a", "").login(Some("")).request(),
                    _ => way.good(delivery, &octets("b")),
                };
                let heard = hear(&door.app, request).await;
                assert_eq!((heard.status, heard.text("error")), (503, error), "{way:?} {secret:?}");
                assert!(heard.text("message").contains(named), "{way:?} {secret:?}: {:?}", heard.body);
            }
            assert_eq!(door.world.stored().await, before, "{way:?} {secret:?}");
        }
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_a_503_until_it_is() {
    for way in WAYS {
        let door = Rotating::new(&old()).await;
        std::fs::remove_file(door.file.path()).unwrap();
        let before = door.world.stored().await;
        assert_eq!(door.status(way, "a", false).await, 503, "{way:?}");
        assert_eq!(door.world.stored().await, before, "{way:?}");
        door.write(&old());
        assert_eq!(door.status(way, "a", false).await, 200, "{way:?}: the provider's retry");
    }
}
