//! What the guide says of a raw relay, against the local HTTP door of `postern dev`: `scripts/relay.sh`, Postfix's lines for
//! it, and the lines for a shell.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use postern::envelope::ReversePath;
use postern_cli::local::Local;
use serde_json::json;

use super::{HELP, Postfix, USER, block, run};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/relay.sh");
const KEY: &str = "hmac-key-Rowan-0123456789";

/// A running `postern dev`. Killed when it goes; the data directory takes that.
struct Dev {
    folder: tempfile::TempDir,
    process: Child,
    url: String,
}

impl Dev {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let secrets = folder.path().join("data/secrets");
        fs::create_dir_all(&secrets).unwrap();
        let operator = json!({ "raw": { "hmac_keys": ["an older one", KEY] } });
        fs::write(secrets.join("operator.json"), operator.to_string()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern-under-test"));
        command.env_clear().args(["dev", "--port", "18025", "--data"]).arg(folder.path().join("data"));
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let mut dev = Self { folder, process, url: String::new() };
        while dev.url.is_empty() {
            let mut line = String::new();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "dev ended before its door was open");
            if let Some((_, rest)) = line.split_once("the HTTP door is open at ") {
                rest.split(';').next().unwrap().clone_into(&mut dev.url);
            }
        }
        // What it goes on to say is read, lest it waits for a reader.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        dev
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn key(&self, key: &str) -> PathBuf {
        let path = self.folder.path().join("relay.key");
        fs::write(&path, format!("{key}\n")).unwrap();
        path
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // An error: it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the script; gives its exit code and what it says.
fn relay(url: &str, key: &Path, words: &[&str], mail: &[u8]) -> (i32, String) {
    let mut command = Command::new("timeout");
    command.args(["60", SCRIPT, url]).arg(key).args(words);
    let mut process = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A script that refuses at once does not read; that is told by its code.
    let _ = process.stdin.take().unwrap().write_all(mail);
    let output = process.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn mail(id: &str) -> Vec<u8> {
    let head = format!("From: cust@people.example\r\nMessage-ID: <{id}@ids.example>\r\nSubject: relayed\r\n\r\n");
    [head.as_bytes(), b"octets: \x00\xff\xfe\r\n"].concat()
}

/// True where the tools are not there, which is said.
fn without_tools() -> bool {
    let missing = ["curl", "openssl"].iter().any(|tool| !Path::new("/usr/bin").join(tool).exists());
    if missing {
        eprintln!("SKIPPED: relay.sh needs curl and openssl");
    }
    missing
}

/// What the door took: octets, null senders, recipients.
async fn taken(dev: &Dev) -> (Vec<bytes::Bytes>, usize, usize) {
    let local = Local::open(&dev.data()).await.unwrap();
    let (_, s3) = local.endpoints().clients(None);
    let listed = s3.list_objects_v2().bucket(postern_cli::engines::BUCKET).prefix("raw/raw/").send().await.unwrap();
    let (mut octets, mut null_paths, mut recipients) = (Vec::new(), 0, 0);
    for object in listed.contents() {
        let (raw, accept) = local.ingest.blobs.get_accepted(object.key().unwrap()).await.unwrap();
        octets.push(raw);
        null_paths += usize::from(accept.envelope.reverse_path == ReversePath::Null);
        recipients += accept.envelope.forward_paths.len();
    }
    (octets, null_paths, recipients)
}

#[tokio::test]
async fn postfix_relays_with_the_lines_of_the_guide() {
    if without_tools() {
        return;
    }
    let dev = Dev::start();
    let at = dev.folder.path();
    fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
    let (script, key) = (at.join("relay.sh"), dev.key(KEY));
    fs::copy(SCRIPT, &script).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o400)).unwrap();
    let head = "postern-relay unix - n n - 10 pipe";
    let lines = block(head).replace("/usr/local/bin/relay.sh", script.to_str().unwrap());
    let lines = lines.replace("/etc/postern/relay.key", key.to_str().unwrap());
    let lines = lines.replace("https://HOST", &dev.url).replace("user=postern", &format!("user={USER}"));
    let started = Postfix::start_with("virtual_transport = postern-relay", &format!("{head}\n{lines}"));
    let Some(mut postfix) = started else { return };
    assert!(run("chown", &[USER, key.to_str().unwrap()]));
    postfix.send("", &[HELP, "help+tag@support.example.com"], &super::mail("a"));
    for _ in 0..2 {
        postfix.wait_for(&["relay=postern-relay", "status=sent"]);
    }
    let (octets, null_paths, recipients) = taken(&dev).await;
    assert_eq!((octets.len(), null_paths, recipients), (1, 1, 2), "one request for both");
    assert!(octets[0].starts_with(b"Return-Path: <>"));
}

#[tokio::test]
async fn the_guides_lines_for_a_shell_sign_well() {
    if without_tools() {
        return;
    }
    let dev = Dev::start();
    dev.key(KEY);
    fs::write(dev.folder.path().join("mail.eml"), mail("a")).unwrap();
    let (_, rest) = super::GUIDE.split_once("```sh\n# Signs mail.eml").unwrap();
    let lines = rest.split_once("```").unwrap().0.replace("https://HOST", &dev.url);
    let lines = format!("set -e\n# {}", lines.replace("curl ", "curl --silent --fail --max-time 30 "));
    let output = Command::new("bash").args(["-c", &lines]).current_dir(dev.folder.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(taken(&dev).await.0, [mail("a")], "octet for octet");
}

#[tokio::test]
async fn the_script_signs_and_posts_and_its_code_tells_the_mail_server_what_to_do() {
    if without_tools() {
        return;
    }
    let dev = Dev::start();
    let door = format!("{}/inbound/raw", dev.url);
    let key = dev.key(KEY);
    let envelope = ["4XyzQueue", "cust@people.example", "support@postern.test"];
    assert_eq!(relay(&door, &key, &envelope, &mail("a")), (0, String::new()));
    assert_eq!(relay(&format!("{door}/support"), &key, &envelope, &mail("b")).0, 0, "the mailbox is signed too");
    let null = ["5XyzQueue", "", "support@postern.test", "support+x@postern.test"];
    assert_eq!(relay(&door, &key, &null, &mail("c")), (0, String::new()), "null sender, two recipients");

    let (code, said) = relay(&door, &dev.key("hmac-key-Alder-0123456789"), &envelope, &mail("d"));
    assert!(code == 75 && said.contains("HTTP 401") && said.contains("raw.hmac_keys"), "{code} {said}");
    let key = dev.key(KEY);
    for (what, url, key, words) in [
        ("another path", format!("{door}/elsewhere"), key.as_path(), &envelope[..]),
        ("nobody there", "http://127.0.0.1:1/inbound/raw".to_owned(), &key, &envelope),
        ("no key", door.clone(), Path::new("/nonexistent"), &envelope),
        ("no recipient", door.clone(), &key, &envelope[..2]),
    ] {
        let (code, said) = relay(&url, key, words, &mail("e"));
        assert!(code == 75 && !said.is_empty(), "{what}: {code} {said}");
    }
    assert_eq!(relay(&door, &dev.key("short"), &envelope, &mail("e")).0, 75, "a key that is too short");
    let key = dev.key(KEY);
    let large = [mail("f"), vec![b'x'; 5 * 1024 * 1024]].concat();
    assert_eq!(relay(&door, &key, &envelope, &large).0, 65, "too large for Lambda: returned");

    let (octets, null_paths, recipients) = taken(&dev).await;
    assert_eq!((octets.len(), null_paths, recipients), (3, 1, 4));
    for id in ["a", "b", "c"] {
        assert!(octets.contains(&mail(id).into()), "{id}: as sent, octet for octet");
    }
}
