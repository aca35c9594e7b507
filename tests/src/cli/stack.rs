//! The command line against a deployed stack: the binary in an environment of its own, table and bucket at the embedded
//! engines, every other service of AWS at a stand-in. Nothing here reaches a network.

mod cloud;
mod doctor;
mod doors;
mod secrets;
mod settings;
mod trouble;
mod verbs;

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use postern_cli::{
    engines::{Endpoints, write_endpoints},
    local::Local,
};
use serde_json::Value;

use self::cloud::{Cloud, MASTER_ARN, OPERATOR_ARN};
use super::Desk;

/// Name of the stack that is there.
const STACK: &str = "postern-test";
/// Its region.
const REGION: &str = "eu-central-1";
/// Key id and secret key: the engines accept no others.
const KEY: &str = "postern";
/// Part of the credentials, never to be printed.
const SESSION_TOKEN: &str = "session-token-Rowan";

/// A deployed stack and a folder to run the binary in.
struct Rig {
    cloud: Cloud,
    desk: Desk,
    local: Local,
    /// Environment of the binary.
    environment: BTreeMap<&'static str, String>,
}

/// How a run of the binary ended.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Rig {
    async fn new() -> Self {
        let desk = Desk::new();
        let local = Local::hold(&desk.data()).await.unwrap();
        let engines = local.endpoints().clone();
        write_endpoints(&desk.data(), &engines).unwrap();
        let cloud = Cloud::start(STACK).await;
        let secret = |name: &str| std::fs::read_to_string(desk.data().join("secrets").join(name)).unwrap();
        cloud.state().keep_secret(MASTER_ARN, &secret("master.json"));
        cloud.state().keep_secret(OPERATOR_ARN, &secret("operator.json"));
        let environment = environment(&cloud, &engines, desk.folder.path());
        Self { cloud, desk, local, environment }
    }

    /// Runs the binary with these words, `--stack` not added.
    async fn run_plain(&self, words: &[&str], input: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern-under-test"));
        command.env_clear().envs(&self.environment).current_dir(self.desk.folder.path()).args(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let input = input.to_owned();
        let ran = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            child.wait_with_output().unwrap()
        });
        let ran = ran.await.unwrap();
        let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
        let ran = Ran { code: ran.status.code().unwrap(), out: text(ran.stdout), err: text(ran.stderr) };
        let shown = format!("{}{}", ran.out, ran.err);
        assert!(!shown.contains(SESSION_TOKEN), "{words:?} prints credentials: {shown}");
        for secret in self.cloud.state().secret_words() {
            assert!(!shown.contains(&secret), "{words:?} prints a secret: {shown}");
        }
        ran
    }

    async fn run(&self, words: &[&str]) -> Ran {
        self.run_plain(&[words, &["--stack", STACK]].concat(), "").await
    }

    /// What is printed by a run that ends with 0.
    async fn text(&self, words: &[&str]) -> String {
        let ran = self.run(words).await;
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{words:?}: {ran:?}");
        ran.out
    }

    async fn json(&self, words: &[&str]) -> Value {
        let text = self.text(&[words, &["--json"]].concat()).await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{words:?}: {error}: {text}"))
    }

    /// What goes to standard error of a run that ends with `code`.
    async fn trouble(&self, words: &[&str], code: u8) -> String {
        let ran = self.run(words).await;
        assert_eq!(ran.code, i32::from(code), "{words:?}: {ran:?}");
        ran.err
    }

    async fn end(self) {
        self.local.close().await;
    }
}

fn environment(cloud: &Cloud, engines: &Endpoints, home: &Path) -> BTreeMap<&'static str, String> {
    let mut environment = BTreeMap::from([
        ("HOME", home.to_str().unwrap().to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", KEY.to_owned()),
        ("AWS_SESSION_TOKEN", SESSION_TOKEN.to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB", engines.dynamodb.clone()),
        ("AWS_ENDPOINT_URL_S3", engines.s3.clone()),
    ]);
    for service in ["CLOUDFORMATION", "LAMBDA", "SECRETS_MANAGER", "SES", "SQS", "STS"] {
        let name: &'static str = Box::leak(format!("AWS_ENDPOINT_URL_{service}").into_boxed_str());
        environment.insert(name, cloud.url());
    }
    environment
}
