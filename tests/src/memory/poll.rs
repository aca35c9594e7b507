//! A mail of 40 MB in a mailbox elsewhere, through the process of the function `poll`; engines and server are in this one.

use postern_cli::engines::{BUCKET, Engines};
use serde_json::json;

use super::{Handler, bootstrap, environment, mail_of};
use crate::{
    harness::runtime_api::RuntimeApi,
    imap::{
        door,
        fake::{FakeImap, PASSWORD},
    },
};

/// The number of issue 9.
const PEAK_KIB_MAX: u64 = 128 * 1024;
const LARGEST: usize = 40_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_of_40_mb_stays_under_128_mib() {
    let engines = Engines::start(None).await.unwrap();
    let (api, fake) = (RuntimeApi::start().await, FakeImap::start().await);
    let secrets = tempfile::tempdir().unwrap();
    super::write_secrets(secrets.path());
    let operator = json!({ "elsewhere": { "passwords": [PASSWORD] } }).to_string();
    std::fs::write(secrets.path().join("operator.json"), operator).unwrap();
    let mut environment = environment(&api, &engines, secrets.path());
    environment.push(("POSTERN_POLL_QUEUE", engines.endpoints().queue_urls().poll));
    environment.push(("AWS_ENDPOINT_URL_SQS", engines.endpoints().sqs.clone()));
    let (dynamodb, s3) = engines.clients(None);
    let store = postern::store::Store::new(dynamodb, postern_cli::engines::TABLE, postern::ambient::Ambient::system());
    let mut door = door(fake.port);
    door.imap.as_mut().unwrap().first_days = u16::MAX;
    let change = postern::store::settings::Change::PutDoor(&door);
    store.change_settings(&change, 0).await.unwrap();
    let binary = bootstrap("POSTERN_BOOTSTRAP_POLL", env!("CARGO_BIN_EXE_poll-under-test"));
    let mut handler = Handler::of(&binary, &environment);

    let body = json!({ "work": "poll", "door": "elsewhere" }).to_string();
    let mut letter = crate::queues::event(&[crate::queues::record("postern-poll", "one", &body, 1)]);
    // By the system's clock it would have been overtaken.
    letter["Records"][0]["attributes"].as_object_mut().unwrap().remove("SentTimestamp");
    let done = json!({ "batchItemFailures": [] });
    fake.arrives(mail_of("small", 1_000));
    assert_eq!(handler.invoke(&api, &letter).await.unwrap(), done);
    let before = handler.peak_kib();
    let octets = mail_of("big", LARGEST);
    let size = octets.len();
    fake.arrives(octets);
    assert_eq!(handler.invoke(&api, &letter).await.unwrap(), done);
    let after = handler.peak_kib();

    let stored = s3.list_objects_v2().bucket(BUCKET).prefix("attachments/").send().await.unwrap();
    assert_eq!(stored.contents().len(), 3 + 3, "all files of both mails");
    println!("poll: peak resident {before:?} KiB after a small mail, {after:?} KiB after one of {size} octets");
    if cfg!(target_os = "linux") {
        let after = after.expect("the handler still runs");
        assert!(after <= PEAK_KIB_MAX, "{after} KiB resident at the peak, more than {PEAK_KIB_MAX}");
        assert!(Some(after) > before, "the big mail was in memory");
    }
}
