//! A mail as large as SES receives, through the process of the receipt function; the engines are in this process.

use aws_sdk_s3::primitives::ByteStream;
use postern_cli::engines::{BUCKET, Engines};
use serde_json::{Value, json};

use super::{Handler, bootstrap, environment, mail_of, write_secrets};
use crate::{
    harness::runtime_api::RuntimeApi,
    queues::{event, notification, sns},
    world::mail,
};

/// What the process may need at its peak: half of the smallest memory that the template gives it.
const PEAK_KIB_MAX: u64 = 128 * 1024;
/// Octets of a mail at SES's limit of 40 MB.
const LARGEST: usize = 40_000_000;

/// SES writes a mail and tells of it.
async fn received(engines: &Engines, id: &str, octets: Vec<u8>) -> Value {
    let (_, s3) = engines.clients(None);
    s3.put_object().bucket(BUCKET).key(format!("raw/ses/{id}")).body(ByteStream::from(octets)).send().await.unwrap();
    let body = sns(&notification(&mail(id, "cust").copy(id)));
    event(&[crate::queues::record("postern-receipt", id, &body, 1)])
}

#[tokio::test]
async fn the_largest_mail_of_ses_stays_under_128_mib() {
    let engines = Engines::start(None).await.unwrap();
    let api = RuntimeApi::start().await;
    let secrets = tempfile::tempdir().unwrap();
    write_secrets(secrets.path());
    let mut environment = environment(&api, &engines, secrets.path());
    environment.push(("POSTERN_RECEIPT_QUEUE", engines.endpoints().queue_urls().receipt));
    environment.push(("AWS_ENDPOINT_URL_SQS", engines.endpoints().sqs.clone()));
    let binary = bootstrap("POSTERN_BOOTSTRAP_RECEIPT", env!("CARGO_BIN_EXE_receipt-under-test"));
    let mut handler = Handler::of(&binary, &environment);

    let done = json!({ "batchItemFailures": [] });
    let small = received(&engines, "small", mail_of("small", 1_000)).await;
    assert_eq!(handler.invoke(&api, &small).await.unwrap(), done);
    let before = handler.peak_kib();

    let octets = mail_of("big", LARGEST);
    let size = octets.len();
    assert!((39_500_000..=LARGEST + 1_000_000).contains(&size), "{size}");
    let big = received(&engines, "big", octets).await;
    assert_eq!(handler.invoke(&api, &big).await.unwrap(), done);
    let after = handler.peak_kib();

    let (_, s3) = engines.clients(None);
    let stored = s3.list_objects_v2().bucket(BUCKET).prefix("attachments/").send().await.unwrap();
    assert_eq!(stored.contents().len(), 3 + 3, "all files of both mails");
    println!("receipt: peak resident {before:?} KiB after a small mail, {after:?} KiB after one of {size} octets");
    if cfg!(target_os = "linux") {
        let after = after.expect("the handler still runs");
        assert!(after <= PEAK_KIB_MAX, "{after} KiB resident at the peak, more than {PEAK_KIB_MAX}");
        assert!(Some(after) > before, "the big mail was in memory");
    }
}

#[tokio::test]
async fn a_queue_function_without_configuration_does_not_start_and_names_all_that_is_missing() {
    let api = RuntimeApi::start().await;
    let lambdas = |(name, _): &(&str, String)| name.starts_with("AWS_LAMBDA_");
    let bare: Vec<_> = api.environment().into_iter().filter(lambdas).collect();
    for binary in [
        env!("CARGO_BIN_EXE_receipt-under-test"),
        env!("CARGO_BIN_EXE_retry-under-test"),
        env!("CARGO_BIN_EXE_poll-under-test"),
    ] {
        let output = std::process::Command::new(binary)
            .env_clear()
            .envs(bare.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap();
        assert!(!output.status.success(), "{binary}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        for name in ["POSTERN_TABLE", "POSTERN_BUCKET", "POSTERN_ADDRESS", "POSTERN_MASTER_SECRET"] {
            assert!(said.contains(name), "{name} is not named: {said}");
        }
    }
}
