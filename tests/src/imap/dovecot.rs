//! A real Dovecot, on loopback ports of its own: plain, STARTTLS, TLS, passwords, access tokens.
//!
//! Needs root (its processes change their user), an installed `dovecot-imapd` and `openssl`; where one is missing the tests
//! pass over themselves, which `scripts/test.sh` says in words. With `CI=true` a missing Dovecot fails.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use postern::{
    door::{After, Auth, Sasl, Security},
    poll::Ask,
};
use serde_json::json;
use sha2::Sha256;

use super::{Side, proxy::Proxy};
use crate::{
    harness::wire::Wire,
    world::{mail, now},
};

const USER: &str = "support@us.example";
const PASSWORD: &str = "hunter2";
/// What signs access tokens; Dovecot's key file has it in Base64.
const KEY: &[u8] = b"secret-secret-secret-secret-32bytes";
const KEY_BASE64: &str = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTMyYnl0ZXM=";

fn run(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new("timeout");
    command.arg("30").arg(program).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

#[expect(clippy::disallowed_methods, reason = "whether a missing Dovecot is a fault is the caller's word")]
fn missing_is_a_fault() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true")
}

/// One instance in a directory of its own. Stopped and removed when it goes.
struct Dovecot {
    folder: tempfile::TempDir,
    plain: u16,
    tls: u16,
}

impl Dovecot {
    /// Starts it; `None` where that is not possible here.
    fn start() -> Option<Self> {
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            eprintln!("SKIPPED: Dovecot's processes change their user, which needs root");
            return None;
        }
        if !Path::new("/usr/sbin/dovecot").exists() {
            assert!(!missing_is_a_fault(), "Dovecot is not installed; scripts/test.sh --install installs it");
            eprintln!("SKIPPED: Dovecot is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dovecot = Self { folder, plain: free(), tls: free() };
        dovecot.certificates();
        dovecot.configure();
        let conf = dovecot.path("dovecot.conf");
        // Its master goes into the background once all listeners are open.
        assert!(run("/usr/sbin/dovecot", &["-c", conf.to_str().unwrap()]), "{}", dovecot.log());
        Some(dovecot)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// An authority of its own, and a certificate for `localhost` by it.
    fn certificates(&self) {
        let at = |name: &str| self.path(name).to_str().unwrap().to_owned();
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        let ca = [
            "req",
            "-x509",
            "-days",
            "30",
            "-subj",
            "/CN=test authority",
            "-keyout",
            &at("ca.key"),
            "-out",
            &at("ca.pem"),
        ];
        let request = ["req", "-subj", "/CN=localhost", "-keyout", &at("key.pem"), "-out", &at("csr.pem")];
        fs::write(self.path("ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
        let signed = [
            "x509",
            "-req",
            "-days",
            "30",
            "-in",
            &at("csr.pem"),
            "-CA",
            &at("ca.pem"),
            "-CAkey",
            &at("ca.key"),
            "-CAcreateserial",
            "-extfile",
            &at("ext"),
            "-out",
            &at("cert.pem"),
        ];
        for arguments in [[&ca[..], &key].concat(), [&request[..], &key].concat(), signed.to_vec()] {
            assert!(run("openssl", &arguments), "{arguments:?}");
        }
    }

    fn configure(&self) {
        let at = self.folder.path().display();
        for name in ["run", "mail", "keys/default/HS256"] {
            fs::create_dir_all(self.path(name)).unwrap();
        }
        fs::write(self.path("users"), format!("{USER}:{{PLAIN}}{PASSWORD}::::::\n")).unwrap();
        fs::write(self.path("keys/default/HS256/default"), KEY_BASE64).unwrap();
        let oauth2 = format!(
            "introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={at}/keys/\nusername_attribute = email\n"
        );
        fs::write(self.path("oauth2.ext"), oauth2).unwrap();
        let (plain, tls) = (self.plain, self.tls);
        let conf = format!(
            "base_dir = {at}/run\nstate_dir = {at}/run\nlog_path = {at}/log\ninstance_name = t{plain}\nprotocols = imap\n\
             listen = 127.0.0.1\nssl = yes\nssl_cert = <{at}/cert.pem\nssl_key = <{at}/key.pem\n\
             disable_plaintext_auth = no\nauth_failure_delay = 0\nauth_mechanisms = plain login xoauth2 oauthbearer\n\
             mail_location = maildir:{at}/mail/%u\nmail_uid = nobody\nmail_gid = nogroup\nfirst_valid_uid = 1\n\
             first_valid_gid = 1\npassdb {{\n  driver = passwd-file\n  mechanisms = plain login\n  \
             args = username_format=%u {at}/users\n}}\npassdb {{\n  driver = oauth2\n  \
             mechanisms = xoauth2 oauthbearer\n  args = {at}/oauth2.ext\n}}\nuserdb {{\n  driver = static\n  \
             args = uid=nobody gid=nogroup home={at}/mail/%u\n}}\nnamespace inbox {{\n  inbox = yes\n  separator = /\n}}\n\
             service imap-login {{\n  inet_listener imap {{\n    port = {plain}\n  }}\n  inet_listener imaps {{\n    \
             port = {tls}\n    ssl = yes\n  }}\n}}\n"
        );
        fs::write(self.path("dovecot.conf"), conf).unwrap();
        assert!(run("chown", &["-R", "nobody:nogroup", self.path("mail").to_str().unwrap()]));
    }

    /// A mail arrives, as a delivery agent writes it: into `new` of the Maildir (`cur` of a folder would do as well).
    fn arrives(&self, folder: &str, name: &str) {
        let folder = self.path("mail").join(USER).join(folder);
        for part in ["new", "cur", "tmp"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        // Maildir names begin with the second: it gives INTERNALDATE and the order.
        fs::write(folder.join("new").join(name), mail(name, "cust").octets(name)).unwrap();
        assert!(run("chown", &["-R", "nobody:nogroup", self.path("mail").to_str().unwrap()]));
    }

    /// Its UIDs count anew.
    fn renumber(&self) {
        let folder = self.path("mail").join(USER);
        let list = fs::read_to_string(folder.join("dovecot-uidlist")).unwrap();
        let (first, rest) = list.split_once('\n').unwrap();
        let words: Vec<String> = first
            .split(' ')
            .map(|word| if word.starts_with('V') { "V4242".to_owned() } else { word.to_owned() })
            .collect();
        fs::write(folder.join("dovecot-uidlist"), format!("{}\n{rest}", words.join(" "))).unwrap();
        for name in ["dovecot.index", "dovecot.index.log", "dovecot.index.cache"] {
            let _ = fs::remove_file(folder.join(name));
        }
    }

    /// A door to it.
    async fn side(&self, security: Security) -> Side {
        let mut side = Side::new().await;
        side.operator = json!({ "elsewhere": { "passwords": [PASSWORD], "access_tokens": [token(3600)] } }).to_string();
        let port = if security == Security::Tls { self.tls } else { self.plain };
        let authority = fs::read_to_string(self.path("ca.pem")).unwrap();
        let imap = side.imap();
        (imap.host, imap.port, imap.security) = ("localhost".to_owned(), Some(port), security);
        (imap.authority, imap.first_days) = (Some(authority), u16::MAX);
        side
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        let conf = self.path("dovecot.conf");
        if !run("/usr/sbin/dovecot", &["-c", conf.to_str().unwrap(), "stop"]) {
            eprintln!("Dovecot did not stop: {}", self.log());
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "Dovecot judges tokens by the system's clock")]
fn clock() -> Timestamp {
    Timestamp::now()
}

/// A JWT that is good for so many seconds (RFC 7519), signed as Dovecot's key says.
fn token(seconds: i64) -> String {
    let now = clock().as_second();
    let claims = json!({ "email": USER, "iat": now - 10, "exp": now + seconds, "sub": USER }).to_string();
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let signed = format!("{header}.{}", BASE64_URL_SAFE_NO_PAD.encode(claims));
    let mut hmac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
    hmac.update(signed.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(hmac.finalize().into_bytes()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_in_takes_the_mail() {
    let Some(dovecot) = Dovecot::start() else { return };
    for name in ["1793610000.a", "1793610060.b"] {
        dovecot.arrives("", name);
    }
    for (security, auth, sasl) in [
        (Security::Plain, Auth::Password, Sasl::Xoauth2),
        (Security::Starttls, Auth::Password, Sasl::Xoauth2),
        (Security::Tls, Auth::Password, Sasl::Xoauth2),
        (Security::Tls, Auth::Token, Sasl::Xoauth2),
        (Security::Starttls, Auth::Token, Sasl::Oauthbearer),
    ] {
        let mut side = dovecot.side(security).await;
        (side.imap().auth, side.imap().sasl) = (auth.clone(), sasl);
        let did = side.good(0).await;
        assert_eq!(did.taken, 2, "{security:?} {auth:?}: {}", dovecot.log());
        assert_eq!(side.entries().await, ["1793610000.a", "1793610060.b"]);
        assert_eq!(side.good(1).await.taken, 0);
        let tried = side.poller(&Wire::new(), now()).test(&side.door).await;
        assert!(tried.iter().all(|tried| tried.good), "{tried:?}");
        assert!(tried.iter().any(|tried| tried.found.contains("INBOX: 2 messages, first UID 1")), "{tried:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_passwords_stale_tokens_and_foreign_certificates_are_told_apart() {
    let Some(dovecot) = Dovecot::start() else { return };
    let mut side = dovecot.side(Security::Tls).await;
    side.operator = json!({ "elsewhere": { "passwords": ["wrong"], "access_tokens": [token(-60)] } }).to_string();
    let did = side.poll(0).await;
    assert!(did.trouble[0].contains("credentials are refused"), "{did:?}");
    for sasl in [Sasl::Xoauth2, Sasl::Oauthbearer] {
        (side.imap().auth, side.imap().sasl) = (Auth::Token, sasl);
        let did = side.poll(1).await;
        assert!(did.trouble[0].contains("credentials are refused"), "{sasl:?}: {did:?} {}", dovecot.log());
    }
    assert!(side.poll(2).await.paused, "three in a row");
    let mut side = dovecot.side(Security::Tls).await;
    side.imap().authority = None;
    let did = side.poll(0).await;
    assert!(did.trouble[0].contains("no TLS with the server"), "{did:?}");
    for security in [Security::Tls, Security::Starttls] {
        let mut side = dovecot.side(security).await;
        side.imap().host = "127.0.0.2".to_owned();
        let did = side.poll(0).await;
        assert!(!did.trouble.is_empty(), "a name that is not in the certificate");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uids_that_count_anew_folders_and_moves() {
    let Some(dovecot) = Dovecot::start() else { return };
    let mut side = dovecot.side(Security::Tls).await;
    dovecot.arrives("", "1793610000.a");
    dovecot.arrives(".Entw&APw-rfe", "1793610001.u");
    dovecot.arrives(".Done", "1793610002.d");
    side.imap().folders = vec!["INBOX".to_owned(), "Entwürfe".to_owned()];
    let did = side.good(0).await;
    assert_eq!(did.taken, 2, "{did:?}");
    dovecot.renumber();
    dovecot.arrives("", "1793610100.b");
    let did = side.good(1).await;
    assert_eq!((did.taken, did.known), (2, 1), "{did:?}");
    assert_eq!(side.entries().await, ["1793610000.a", "1793610001.u", "1793610100.b"]);
    side.imap().after = After::Move { folder: "Done".to_owned() };
    dovecot.arrives("", "1793610200.c");
    assert_eq!(side.good(2).await.not_filed, 0);
    side.imap().folders = vec!["Done".to_owned()];
    side.imap().after = After::Delete;
    let did = side.good(3).await;
    assert_eq!((did.taken, did.known), (2, 1), "what was moved is known there: {did:?}");
    side.imap().folders = vec!["INBOX".to_owned()];
    assert_eq!(side.good(4).await.taken, 0);
}

/// TLS that is cut at any octet, and the poller that goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_costs_a_poll() {
    let Some(dovecot) = Dovecot::start() else { return };
    let mut side = dovecot.side(Security::Tls).await;
    let proxy = Proxy::start(dovecot.tls, 512).await;
    side.imap().port = Some(proxy.port);
    let mut names = Vec::new();
    for round in 0..12 {
        let name = format!("{}.m", 1_793_610_000 + round);
        dovecot.arrives("", &name);
        names.push(name);
        proxy.cut_after(200 + usize::try_from(round).unwrap() * 330);
        let at = now() + SignedDuration::from_mins(round);
        side.poller(&Wire::new(), at).door(&side.door, &Ask::until(at + SignedDuration::from_mins(1))).await;
    }
    side.good(30).await;
    assert_eq!(side.entries().await, names);
}
