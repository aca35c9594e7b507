//! A real Postfix with the lines of `docs/PROVIDERS.md`, "Your own MX": SMTP in, tickets in a data directory.
//!
//! Needs root (pipe(8) changes its user) and an installed Postfix; where either is missing the tests pass over themselves,
//! which `scripts/test.sh` says in words. With `CI=true` a missing Postfix fails.

mod relay;
mod smtp;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use postern::envelope::ReversePath;
use postern_cli::local::Local;
use serde_json::Value;

use self::smtp::Smtp;

const GUIDE: &str = include_str!("../../docs/PROVIDERS.md");
/// Who the deliveries run as; pipe(8) refuses root.
const USER: &str = "nobody";
const HELP: &str = "help@support.example.com";
const CUSTOMER: &str = "cust@people.example";

/// The block of the guide that begins with this line.
fn block(first_line: &str) -> &'static str {
    let (_, rest) = GUIDE.split_once(&format!("```\n{first_line}\n")).expect("the guide has that block");
    rest.split_once("```").unwrap().0
}

/// Runs a command to its end, at most 30 seconds.
fn run(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new("timeout");
    command.arg("30").arg(program).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

#[expect(clippy::disallowed_methods, reason = "whether a missing Postfix is a fault is the caller's word")]
fn missing_is_a_fault() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true")
}

/// One instance in a directory of its own. Stopped and removed when it goes.
struct Postfix {
    folder: tempfile::TempDir,
    port: u16,
    log: BufReader<ChildStdout>,
    reader: Child,
    seen: String,
}

impl Postfix {
    /// Starts it with these lines added to `main.cf`; `None` where that is not possible here.
    fn start(more: &str) -> Option<Self> {
        Self::start_with(more, "")
    }

    /// The same with more services.
    fn start_with(more: &str, services: &str) -> Option<Self> {
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            eprintln!("SKIPPED: pipe(8) needs root");
            return None;
        }
        if !Path::new("/usr/sbin/postfix").exists() {
            assert!(!missing_is_a_fault(), "Postfix is not installed; scripts/test.sh --install installs it");
            eprintln!("SKIPPED: Postfix is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["etc", "queue", "state", "home"] {
            fs::create_dir(at.join(name)).unwrap();
        }
        assert!(run("chown", &["postfix", at.join("state").to_str().unwrap()]));
        assert!(run("chown", &[USER, at.join("home").to_str().unwrap()]));
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        configure(at, port, more, services);
        fs::write(at.join("mail.log"), "").unwrap();
        // Ends by itself, so that a test that waits in vain fails instead of hanging.
        let mut reader = Command::new("timeout");
        reader.args(["90", "tail", "-n", "+1", "-f", at.join("mail.log").to_str().unwrap()]).stdout(Stdio::piped());
        let mut reader = reader.spawn().unwrap();
        let log = BufReader::new(reader.stdout.take().unwrap());
        let postfix = Self { folder, port, log, reader, seen: String::new() };
        assert!(postfix.command("start"), "{}", fs::read_to_string(postfix.path("mail.log")).unwrap());
        Some(postfix)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("home/data")
    }

    fn command(&self, word: &str) -> bool {
        run("/usr/sbin/postfix", &["-c", self.path("etc").to_str().unwrap(), word])
    }

    /// Reads the log on until a line holds all of these.
    fn wait_for(&mut self, words: &[&str]) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "no line with {words:?} in:\n{}", self.seen);
            self.seen.push_str(&line);
            if words.iter().all(|word| line.contains(word)) {
                return line;
            }
        }
    }

    /// Hands over one mail.
    fn send(&self, from: &str, to: &[&str], mail: &str) {
        Smtp::connect(self.port).mail(from, to, mail).unwrap();
    }

    /// What the command line says, as the user of the deliveries.
    fn postern(&self, words: &[&str]) -> Value {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", USER, "--regid", "nogroup", "--clear-groups"]).arg(self.path("postern")).args(words);
        let output = command.arg("--json").arg("--data").arg(self.data()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn tickets(&self) -> usize {
        self.postern(&["tickets"])["tickets"].as_array().unwrap().len()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // `stop` waits for deliveries, `abort` does not.
        if !self.command("stop") {
            self.command("abort");
        }
        // An error: it has ended already.
        let _ = self.reader.kill();
        let _ = self.reader.wait();
    }
}

/// The guide's lines, and beside them what makes this instance one of its own.
fn configure(at: &Path, port: u16, more: &str, services: &str) {
    let binary = at.join("postern");
    let built = env!("CARGO_BIN_EXE_postern-under-test");
    // Where the deliveries' user may not look, the same file under another name.
    if fs::hard_link(built, &binary).is_err() {
        fs::copy(built, &binary).unwrap();
    }
    let place = |text: &str| {
        let text = text.replace("/usr/local/bin/postern", binary.to_str().unwrap());
        text.replace("/var/lib/postern", at.join("home").to_str().unwrap()).replace("user=postern", "user=nobody")
    };
    let here = at.to_str().unwrap();
    let main = format!(
        "compatibility_level = 3.6\nmyhostname = mx.example.com\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
         queue_directory = {here}/queue\ndata_directory = {here}/state\nmaillog_file = {here}/mail.log\n\
         maillog_file_prefixes = {here}\ndefault_transport = discard\ndisable_dns_lookups = yes\n\
         smtpd_peername_lookup = no\n{}{more}\n",
        block("# main.cf")
    );
    fs::write(at.join("etc/main.cf"), main).unwrap();
    let services = format!(
        "127.0.0.1:{port} inet n - n - - smtpd\npickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n\
         rewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\n\
         trace unix - - n - 0 bounce\nshowq unix n - n - - showq\nerror unix - - n - - error\n\
         retry unix - - n - - error\ndiscard unix - - n - - discard\nanvil unix - - n - 1 anvil\n\
         flush unix n - n 1000? 0 flush\nproxymap unix - - n - - proxymap\npostlog unix-dgram n - n - 1 postlogd\n{}{services}",
        place(block("# master.cf"))
    );
    fs::write(at.join("etc/master.cf"), services).unwrap();
}

fn mail(id: &str) -> String {
    format!(
        "From: {CUSTOMER}\r\nTo: {HELP}\r\nMessage-ID: <{id}@ids.example>\r\nSubject: mail {id}\r\n\
         Date: Mon, 2 Nov 2026 09:00:00 +0000\r\n\r\nbody of {id}\r\n"
    )
}

#[tokio::test]
async fn each_recipient_is_a_delivery_and_a_copy_is_a_duplicate() {
    let Some(mut postfix) = Postfix::start("") else { return };
    postfix.send(CUSTOMER, &[HELP, "help+tag@support.example.com"], &mail("a"));
    for seen_before in ["created_new", "seen-before"] {
        postfix.wait_for(&["dsn=2.0.0, status=sent", seen_before]);
    }
    assert_eq!(postfix.tickets(), 1, "both recipients are one mailbox");
    postfix.send(CUSTOMER, &[HELP], &mail("a"));
    postfix.wait_for(&["status=sent", "duplicate"]);
    assert_eq!(postfix.tickets(), 1, "sent again, with another Received line");

    // What RFC 5321 allows as a sender is no reason to return a mail.
    postfix.send("\"a strange one\"@[192.0.2.1]", &[HELP], &mail("b"));
    postfix.wait_for(&["status=sent", "created_new"]);
    postfix.send("", &[HELP], &mail("c"));
    postfix.wait_for(&["status=sent", "created_new"]);
    let newest = postfix.postern(&["mail"])["mail"][0]["raw_key"].as_str().unwrap().to_owned();
    let local = Local::open(&postfix.data()).await.unwrap();
    let (raw, accept) = local.ingest.blobs.get_accepted(&newest).await.unwrap();
    assert_eq!(accept.envelope.reverse_path, ReversePath::Null);
    assert_eq!(accept.envelope.forward_paths.len(), 1);
    assert!(!accept.envelope.from_header && raw.starts_with(b"Return-Path: <>"), "{accept:?}");
    local.close().await;
}

#[tokio::test]
async fn what_is_not_ours_or_too_large_is_refused_while_the_sender_waits() {
    let Some(postfix) = Postfix::start("") else { return };
    let refusal = |from: &str, to: &str| Smtp::connect(postfix.port).mail(from, &[to], "x\r\n").unwrap_err();
    assert!(refusal(CUSTOMER, "nobody@support.example.com").starts_with("550 5.1.1"));
    assert!(refusal(CUSTOMER, "help@elsewhere.example").starts_with("554 5.7.1"), "nobody relays here");
    let large = Smtp::connect(postfix.port).command(&format!("MAIL FROM:<{CUSTOMER}> SIZE=41943041"));
    assert!(large.starts_with("552 5.3.4"), "{large}");
    let fits = Smtp::connect(postfix.port).command(&format!("MAIL FROM:<{CUSTOMER}> SIZE=41943040"));
    assert!(fits.starts_with("250"), "{fits}");
}

#[tokio::test]
async fn a_directory_that_cannot_be_opened_defers_the_mail_until_it_can() {
    // Short, lest a flush that comes before the mail is put aside makes the test wait for minutes.
    let Some(mut postfix) = Postfix::start("queue_run_delay = 5s\nminimal_backoff_time = 5s") else { return };
    let home = postfix.path("home");
    assert!(run("chown", &["root", home.to_str().unwrap()]));
    postfix.send(CUSTOMER, &[HELP], &mail("a"));
    postfix.wait_for(&["dsn=4.3.0, status=deferred", "temporary failure"]);
    assert!(run("chown", &[USER, home.to_str().unwrap()]));
    assert!(postfix.command("flush"));
    postfix.wait_for(&["status=sent", "created_new"]);
    assert_eq!(postfix.tickets(), 1);
}

#[tokio::test]
async fn a_mail_over_the_limit_is_returned_to_its_sender() {
    let Some(mut postfix) = Postfix::start("message_size_limit = 0") else { return };
    let line = format!("{}\r\n", "x".repeat(998));
    postfix.send(CUSTOMER, &[HELP], &format!("{}{}", mail("a"), line.repeat(43_000)));
    postfix.wait_for(&["dsn=5.6.0, status=bounced", "data format error"]);
    postfix.wait_for(&["sender non-delivery notification"]);
    assert_eq!(postfix.tickets(), 0);
}
