//! The handler process itself, against the Lambda Runtime API on loopback: what it needs of memory, and what it says
//! where nothing is configured. This is the only test by the system's clock: the process has no other.
//!
//! The binary is the tests' own build of `functions/webhook/src/main.rs`; `POSTERN_BOOTSTRAP=<path>` measures another,
//! such as the one that is deployed.

mod poll;
mod receipt;
mod said;

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::header;
use jiff::Timestamp;
use postern_cli::engines::{BUCKET, Engines, TABLE};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::{
    doors::{Encoding, Form, MAILGUN_KEY, POSTMARK_LOGIN, operator},
    harness::runtime_api::{Invoked, RuntimeApi, apigw_v2_event, peak_resident_kib},
    world::SUPPORT,
};

/// What the process may need at its peak, unoptimised: twice what it needed when this was written.
const PEAK_KIB_MAX: u64 = 96 * 1024;
/// Lambda takes 6 MB a request.
const EVENT_OCTETS_MAX: usize = 6 * 1024 * 1024;
/// Octets of the big mail: base64 of it and of the form around it just fit an event.
const BIG_MAIL_OCTETS: usize = 4_400_000;

#[expect(
    clippy::disallowed_methods,
    reason = "the handler process reads the system's clock, so its mail is signed by it"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

/// The binary of a function: what `variable` names, else the tests' own build.
#[expect(clippy::disallowed_methods, reason = "which binary is measured is said outside")]
fn bootstrap(variable: &str, built: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| built.to_owned())
}

/// A running handler; killed on drop.
struct Handler {
    child: Child,
    ended: oneshot::Receiver<Vec<String>>,
}

impl Handler {
    fn start(environment: &[(&str, String)]) -> Self {
        Self::of(&bootstrap("POSTERN_BOOTSTRAP", env!("CARGO_BIN_EXE_webhook-under-test")), environment)
    }

    fn of(binary: &str, environment: &[(&str, String)]) -> Self {
        let mut command = Command::new(binary);
        command.env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the handler's binary starts");
        let log = BufReader::new(child.stdout.take().unwrap());
        let (tell, ended) = oneshot::channel();
        // Its end closes the pipe; until then its log is read away, so that it never waits for a reader.
        std::thread::spawn(move || tell.send(log.lines().map_while(Result::ok).collect()));
        Self { child, ended }
    }

    /// What the handler makes of an event; panics where it ends instead.
    async fn invoke(&mut self, api: &RuntimeApi, event: &Value) -> Invoked {
        tokio::select! {
            answer = api.invoke(event) => answer,
            log = &mut self.ended => panic!("the handler process ended: {log:?}"),
        }
    }

    /// Ends it; all that it wrote to its log.
    async fn log(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        (&mut self.ended).await.unwrap()
    }

    fn peak_kib(&self) -> Option<u64> {
        peak_resident_kib(self.child.id())
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn environment(api: &RuntimeApi, engines: &Engines, secrets: &Path) -> Vec<(&'static str, String)> {
    let file = |name: &str| format!("file:{}", secrets.join(name).display());
    let mut environment = api.environment();
    environment.extend([
        ("AWS_ENDPOINT_URL_DYNAMODB", engines.dynamodb_endpoint().to_owned()),
        ("AWS_ENDPOINT_URL_S3", engines.s3_endpoint().to_owned()),
        ("POSTERN_TABLE", TABLE.to_owned()),
        ("POSTERN_BUCKET", BUCKET.to_owned()),
        ("POSTERN_ADDRESS", SUPPORT.to_owned()),
        ("POSTERN_MASTER_SECRET", file("master.json")),
        ("POSTERN_OPERATOR_SECRET", file("operator.json")),
        ("POSTERN_RETRY_QUEUE", "http://127.0.0.1:9/000000000000/postern-retry".to_owned()),
    ]);
    environment
}

fn write_secrets(directory: &Path) {
    let master = json!({ "id": 0, "secret": "m".repeat(64) });
    std::fs::write(directory.join("master.json"), master.to_string()).unwrap();
    std::fs::write(directory.join("operator.json"), operator(&[MAILGUN_KEY], &[POSTMARK_LOGIN])).unwrap();
}

/// A mail of about so many octets, all of it in three attachments.
fn mail_of(name: &str, octets: usize) -> Vec<u8> {
    let mut mail = format!(
        "From: cust@people.example\r\nTo: {SUPPORT}\r\nSubject: {name}\r\nDate: Mon, 02 Nov 2026 09:00:00 +0000\r\n\
         Message-ID: <{name}@ids.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\n\r\nthree files\r\n"
    );
    for n in 0..3_u8 {
        let file: Vec<u8> = (0..octets / 3 / 78 * 57).map(|at| n ^ at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
        let head = "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64";
        mail.push_str(&format!("--b\r\n{head}\r\nContent-Disposition: attachment; filename=f{n}.bin\r\n\r\n"));
        for line in file.chunks(57) {
            mail.push_str(&BASE64_STANDARD.encode(line));
            mail.push_str("\r\n");
        }
    }
    mail.push_str("--b--\r\n");
    mail.into_bytes()
}

fn event(name: &str, mime: &[u8]) -> Value {
    let request = Form::mailgun(Encoding::Multipart, name, mime).signed(MAILGUN_KEY, now(), name).request();
    let content_type = request.headers()[header::CONTENT_TYPE].to_str().unwrap();
    apigw_v2_event("POST", "/inbound/mailgun/mime", &[("content-type", content_type)], request.body())
}

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn the_handler_process_takes_the_largest_mail_in_little_memory() {
    let engines = Engines::start(None).await.unwrap();
    let api = RuntimeApi::start().await;
    let secrets = tempfile::tempdir().unwrap();
    write_secrets(secrets.path());
    let mut handler = Handler::start(&environment(&api, &engines, secrets.path()));

    let small = handler.invoke(&api, &event("small", &mail_of("small", 1_000))).await.unwrap();
    assert_eq!((&small["statusCode"], &body(&small)["status"]), (&json!(200), &json!("created")), "{small}");
    let before = handler.peak_kib();

    let mail = mail_of("big", BIG_MAIL_OCTETS);
    let event = event("big", &mail);
    let octets = event.to_string().len();
    assert!((5_700_000..EVENT_OCTETS_MAX).contains(&octets), "the event is just under 6 MB: {octets}");
    let big = handler.invoke(&api, &event).await.unwrap();
    assert_eq!((&big["statusCode"], &body(&big)["status"]), (&json!(200), &json!("created")), "{big}");
    let after = handler.peak_kib();

    let (dynamodb, s3) = engines.clients(None);
    let stored = s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    let sizes: Vec<i64> = stored.contents().iter().filter_map(aws_sdk_s3::types::Object::size).collect();
    assert!(sizes.contains(&i64::try_from(mail.len()).unwrap()), "the raw object, whole: {sizes:?}");
    assert_eq!(sizes.len(), 2 + 3 + 3, "two raw objects, three files each: {sizes:?}");
    drop(dynamodb);

    println!(
        "peak resident memory: {before:?} KiB after a small mail, {after:?} KiB after one of {} octets",
        mail.len()
    );
    if cfg!(target_os = "linux") {
        let after = after.expect("the handler still runs");
        assert!(after <= PEAK_KIB_MAX, "{after} KiB resident at the peak, more than {PEAK_KIB_MAX}");
        assert!(Some(after) > before, "the big mail was in memory");
    }
}

#[tokio::test]
async fn a_process_without_configuration_answers_503_and_names_all_that_is_missing() {
    let api = RuntimeApi::start().await;
    let lambdas = |(name, _): &(&str, String)| name.starts_with("AWS_LAMBDA_");
    let bare: Vec<_> = api.environment().into_iter().filter(lambdas).collect();
    let mut handler = Handler::start(&bare);
    for _ in 0..2 {
        let answer = handler.invoke(&api, &event("mail", &mail_of("mail", 1_000))).await.unwrap();
        assert_eq!(answer["statusCode"], 503, "{answer}");
        let told = body(&answer);
        for name in [
            "AWS_REGION",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "POSTERN_TABLE",
            "POSTERN_BUCKET",
            "POSTERN_ADDRESS",
            "POSTERN_MASTER_SECRET",
            "POSTERN_OPERATOR_SECRET",
            "POSTERN_RETRY_QUEUE",
        ] {
            assert!(told["message"].as_str().unwrap().contains(name), "{name} is not named: {told}");
        }
    }
}

#[tokio::test]
async fn a_master_secret_that_cannot_be_read_is_named() {
    let engines = Engines::start(None).await.unwrap();
    let api = RuntimeApi::start().await;
    let nothing = tempfile::tempdir().unwrap();
    let mut handler = Handler::start(&environment(&api, &engines, nothing.path()));
    let answer = handler.invoke(&api, &event("mail", &mail_of("mail", 1_000))).await.unwrap();
    assert_eq!(answer["statusCode"], 503, "{answer}");
    assert!(body(&answer)["message"].as_str().unwrap().contains("master.json"), "{answer}");
}
