//! What cannot be fetched: later, or never, and why.

use postern::{
    blobs::OBJECT_OCTETS_MAX,
    fetch::{FetchError, Fetcher},
    ingest::{Redriven, Replayed},
    records::Outcome,
    secrets::{SecretSource, Secrets},
    store::LedgerId,
};

use super::{Page, STORAGE, Side, mail, once, take_retry_messages, url_of, word};
use crate::{harness::wire::Wire, queues::reasons, world::text};

/// A mail that was told of, and its letter.
async fn told() -> (Side, (String, String)) {
    let side = Side::new().await;
    side.tell(word("a", &mail("o", "cust").copy("1"))).await;
    let letter = take_retry_messages(&side.world).await.remove(0);
    (side, letter)
}

/// Outcome, cause, last reason of the only row.
async fn end(side: &Side) -> (String, String, String) {
    let row = side.row().await;
    (text(&row, "outcome"), text(&row, "cause"), reasons(&row).pop().unwrap_or_default())
}

fn parked(cause: &str, reason: &str) -> (String, String, String) {
    ("failed".to_owned(), cause.to_owned(), reason.to_owned())
}

#[tokio::test]
async fn no_key_goes_to_a_foreign_host() {
    for url in [
        "https://evil.example/v3/domains/us.example/messages/a",
        "https://api.mailgun.net.evil.example/a",
        "https://169.254.169.254/latest/meta-data/",
        "http://se.api.mailgun.net/v3/domains/us.example/messages/a",
        "https://se.api.mailgun.net:444/a",
        "https://se.api.mailgun.net@evil.example/a",
    ] {
        let side = Side::new().await;
        let mut told = word("a", &mail("o", "cust").copy("1"));
        told.fetch = told.fetch.map(|fetch| postern::inbound::Fetch { url: url.to_owned(), ..fetch });
        side.tell(told).await;
        assert_eq!(side.work_off(0).await, 1);
        assert_eq!(end(&side).await, parked("fetch-refused", "foreign-host"), "{url}");
        assert!(side.asked().is_empty(), "{url}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (side, letter) = told().await;
    side.provider.put(&url_of("a"), Page::Answer(302, String::new(), Vec::new()));
    assert!(once(&side.after(0), &letter, 1).await);
    assert_eq!(end(&side).await, parked("fetch-refused", "redirected"));
    assert_eq!(side.provider.asked().len(), 1);
    assert!(side.row().await.contains_key("gsi4pk"), "it is told");
}

#[tokio::test]
async fn what_is_too_large_is_parked() {
    let (side, letter) = told().await;
    let octets = usize::try_from(OBJECT_OCTETS_MAX).unwrap() + 1;
    side.provider.put_body(&url_of("a"), "message/rfc822", vec![b'x'; octets]);
    assert!(once(&side.after(0), &letter, 1).await);
    assert_eq!(end(&side).await, parked("too-large", "too-large"));
    assert!(side.world.objects("raw/").await.is_empty());
}

#[tokio::test]
async fn what_is_not_there_yet_comes_later() {
    let (side, letter) = told().await;
    for receives in 1..=8 {
        assert!(!once(&side.after(0), &letter, receives).await, "receive {receives}");
    }
    side.keeps("a", &mail("o", "cust"));
    assert!(once(&side.after(0), &letter, 9).await);
    assert_eq!(side.world.end_state().await.partition, "o", "a failed fetch counts for no poison");
}

#[tokio::test]
async fn what_stays_away_is_parked_and_can_be_redriven() {
    let (side, letter) = told().await;
    assert!(once(&side.after(0), &letter, 9).await);
    assert_eq!(end(&side).await, parked("gone-at-provider", "gone-at-provider"));
    assert!(
        once(&side.after(0), &letter, 10).await && side.provider.asked().len() == 1,
        "what has ended is not asked for"
    );
    side.keeps("a", &mail("o", "cust"));
    let failed = side.world.ingest.store.attention(&[Outcome::Failed], 5).await.unwrap().remove(0);
    let id = LedgerId::parse(&failed.id).unwrap();
    assert_eq!(side.world.door_over(&Wire::new()).redrive(&id).await.unwrap(), Redriven::Queued);
    // A verb asks no provider: it says who does.
    let Replayed::Refused(why) = side.world.ingest.replay(&id).await.unwrap() else { panic!("replayed") };
    assert!(why.contains("postern redrive"), "{why}");
    assert_eq!(side.work_off(0).await, 1);
    assert_eq!(side.world.end_state().await.partition, "o");
}

#[tokio::test]
async fn a_wrong_or_missing_key_is_waited_for() {
    let (mut side, letter) = told().await;
    for status in [401, 403] {
        side.provider.put(&url_of("a"), Page::Answer(status, String::new(), Vec::new()));
        for receives in 1..=30 {
            assert!(!once(&side.after(60), &letter, receives).await, "{status}, receive {receives}");
        }
    }
    let asked = side.provider.asked().len();
    side.operator = r#"{"mailgun":{"api_keys":["  "]}}"#;
    assert!(!once(&side.after(60), &letter, 61).await);
    assert_eq!(side.provider.asked().len(), asked, "without a key nobody is asked");
    assert_eq!(side.rows().await, ["support queued"]);
    side.operator = super::OPERATOR;
    side.keeps("a", &mail("o", "cust"));
    assert!(once(&side.after(60), &letter, 62).await);
    assert_eq!(side.world.end_state().await.partition, "o");
}

#[tokio::test]
async fn errors_name_the_list_and_no_key() {
    let side = Side::new().await;
    side.provider.put(&url_of("a"), Page::Answer(401, String::new(), Vec::new()));
    for (operator, words) in
        [(super::OPERATOR, "refuses the key in mailgun.api_keys"), ("{}", "mailgun.api_keys is not set")]
    {
        let secrets = Secrets::new(SecretSource::Text(operator.to_owned()), side.world.ingest.ambient.clone());
        let fetcher = Fetcher::new(side.provider.outbound(), secrets);
        let error = fetcher.stored("mailgun", &url_of("a")).await.unwrap_err().to_string();
        assert!(error.contains(words) && !error.contains("key-of-the-api") && !error.contains(STORAGE), "{error}");
        assert!(!format!("{fetcher:?}").contains("key-of-the-api"));
        assert_eq!(fetcher.stored("nowhere", &url_of("a")).await.unwrap_err(), FetchError::NoDoor("nowhere".into()));
        assert!(fetcher.stored("postmark", &url_of("a")).await.is_err(), "another provider's door has no such key");
    }
}

#[tokio::test]
async fn a_key_that_was_just_set_is_read_before_anybody_is_told_of_it() {
    let side = Side::new().await;
    side.keeps("a", &mail("o", "cust"));
    let (clock, file) = (crate::engines::clock::Clock::new(), tempfile::NamedTempFile::new().unwrap());
    std::fs::write(file.path(), "{}").unwrap();
    let secrets = Secrets::new(SecretSource::File(file.path().to_owned()), clock.ambient());
    let fetcher = Fetcher::new(side.provider.outbound(), secrets);
    assert!(matches!(fetcher.stored("mailgun", &url_of("a")).await, Err(FetchError::NoKey(_))));
    std::fs::write(file.path(), super::OPERATOR).unwrap();
    clock.pass(61);
    assert!(fetcher.stored("mailgun", &url_of("a")).await.is_ok(), "though what was read is believed for five minutes");
}

#[tokio::test]
async fn after_three_days_it_is_given_up() {
    for (page, reason) in [
        (Page::Away, "fetch-unavailable"),
        (Page::Answer(500, String::new(), Vec::new()), "fetch-unavailable"),
        (Page::Answer(401, String::new(), Vec::new()), "fetch-unauthorized"),
        (Page::Answer(200, "text/html".to_owned(), b"<p>down</p>".to_vec()), "fetch-unreadable"),
        (Page::Answer(200, "application/json".to_owned(), br#"{"body-mime":""}"#.to_vec()), "fetch-unreadable"),
    ] {
        let (side, letter) = told().await;
        side.provider.put(&url_of("a"), page);
        assert!(!once(&side.after(72 * 60), &letter, 60).await, "the last minute counts");
        assert!(once(&side.after(72 * 60 + 1), &letter, 61).await);
        assert_eq!(end(&side).await, parked("fetch-expired", reason));
        assert!(side.row().await.contains_key("gsi4pk"), "it is told");
    }
    // What is still there after that is taken.
    let (side, letter) = told().await;
    side.keeps("a", &mail("o", "cust"));
    assert!(once(&side.after(100 * 60), &letter, 60).await);
    assert_eq!(side.world.end_state().await.partition, "o");
}

#[tokio::test]
async fn mail_that_kills_the_process_is_parked_as_ever() {
    let (side, letter) = told().await;
    side.keeps("a", &mail("o", "cust"));
    // Killed after the count, three times: the delivery neither ends nor takes its count back.
    for receives in 1..=3 {
        let id =
            LedgerId::of(&side.world.ingest.accept_unread(&word("a", &mail("o", "cust").copy("1"))).raw_key, "support");
        let row = side.world.ingest.store.ledger_row(&id).await.unwrap().unwrap();
        side.world.ingest.store.count(&id, &row, &format!("killed#{receives}")).await.unwrap();
    }
    assert!(once(&side.after(0), &letter, 4).await);
    assert_eq!(end(&side).await, parked("poison", "attempts-used-up"));
}

#[tokio::test]
async fn a_letter_that_is_given_up_parks_the_row() {
    let (side, (id, body)) = told().await;
    let event = super::event(&[super::record("postern-dead", &id, &body, 1)]);
    side.after(0).handle(event).await.unwrap();
    assert_eq!(end(&side).await, parked("dead-letter", "receives-used-up"));
    assert!(side.asked().is_empty());
}
