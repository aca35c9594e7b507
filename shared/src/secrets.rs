//! Two secrets: the stack's own (a master key, signing keys are derived from it) and the operator's (credentials of
//! providers). Cached five minutes; read again, once a minute at most, before anybody is refused.
//!
//! ```json
//! {"keys": [{"id": 1, "secret": "…at least 32 characters…"}, {"id": 0, "secret": "…the one before…"}]}
//! {"mailgun": {"signing_keys": ["key-now", "key-before"]}, "postmark": {"credentials": ["user:password"]}}
//! ```
//!
//! The second one holds a section for each door, under its id; [`DoorSecrets`] names what may stand there.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use sha2::Sha256;
use thiserror::Error;
use tokio::sync::Mutex;

use crate::{
    ambient::Ambient,
    door::Door,
    token::{Keyring, KeyringError},
};

/// How long a secret is believed (DESIGN section 8).
const CACHE: SignedDuration = SignedDuration::from_mins(5);
/// How often it is read again before refusing (DESIGN section 6).
const REREAD: SignedDuration = SignedDuration::from_mins(1);
/// Characters of a master secret at least: the stack generates 64.
const MASTER_CHARS_MIN: usize = 32;

/// Why a secret cannot be used. Never holds any of it.
#[derive(Debug, Error)]
pub enum SecretError {
    /// It cannot be read.
    #[error("secret {0} cannot be read: {1}")]
    Unreadable(String, String),
    /// It is not what it should be.
    #[error("secret {0} is not of the documented form: {1}")]
    Form(String, String),
    /// Its keys cannot be used.
    #[error("secret {0}: {1}")]
    Keys(String, KeyringError),
}

/// Where a secret stands.
#[derive(Clone)]
pub enum SecretSource {
    /// A file, for the local run.
    File(PathBuf),
    /// AWS Secrets Manager, by ARN or name.
    Manager(aws_sdk_secretsmanager::Client, String),
    /// Given as text, for tests.
    Text(String),
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl SecretSource {
    fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Manager(_, id) => id.clone(),
            Self::Text(_) => "(given)".to_owned(),
        }
    }

    async fn read(&self) -> Result<String, SecretError> {
        let fault = |why: String| SecretError::Unreadable(self.name(), why);
        match self {
            Self::File(path) => std::fs::read_to_string(path).map_err(|e| fault(e.to_string())),
            Self::Text(text) => Ok(text.clone()),
            Self::Manager(client, id) => {
                let answer = client.get_secret_value().secret_id(id).send().await;
                let answer = answer.map_err(|e| {
                    use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
                    fault(e.code().unwrap_or("no answer").to_owned())
                })?;
                answer.secret_string.ok_or_else(|| fault("it has no text".to_owned()))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Master {
    Several { keys: Vec<MasterKey> },
    One(MasterKey),
}

#[derive(Deserialize)]
struct MasterKey {
    id: u8,
    secret: String,
}

/// Reads the master secret and derives the signing keys.
///
/// # Errors
/// It cannot be read, or no usable key stands in it.
pub async fn signing_keys(source: &SecretSource) -> Result<Keyring, SecretError> {
    let text = source.read().await?;
    let form = |why: String| SecretError::Form(source.name(), why);
    // serde names the place, never the value.
    let master = serde_json::from_str::<Master>(&text).map_err(|e| form(format!("line {}", e.line())))?;
    let keys = match master {
        Master::Several { keys } => keys,
        Master::One(key) => vec![key],
    };
    if let Some(short) = keys.iter().find(|key| key.secret.chars().count() < MASTER_CHARS_MIN) {
        return Err(form(format!("key {} has fewer than {MASTER_CHARS_MIN} characters", short.id)));
    }
    let derived = keys.iter().map(|key| (key.id, derive(&key.secret, "postern signing key"))).collect();
    Keyring::new(derived).map_err(|e| SecretError::Keys(source.name(), e))
}

/// One key for one purpose out of the master key: HMAC-SHA256 over a label (RFC 5869 section 2.3, one block).
fn derive(master: &str, label: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(master.as_bytes()).map_or_else(
        |_| Vec::new(),
        |mut hmac| {
            hmac.update(label.as_bytes());
            hmac.update(&[1]);
            hmac.finalize().into_bytes().to_vec()
        },
    )
}

/// Credentials of one door, newest first. What is missing or blank refuses.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct DoorSecrets {
    /// Mailgun: HTTP webhook signing keys; not the API key.
    pub signing_keys: Vec<String>,
    /// Mailgun: API keys, to read stored mail and events. The first one is used.
    pub api_keys: Vec<String>,
    /// Postmark, SendGrid: `user:password` of the webhook URL.
    pub credentials: Vec<String>,
    /// Postmark: server tokens, to have failed mail delivered again. The first one is used.
    pub server_tokens: Vec<String>,
    /// SendGrid: public keys of signed webhooks, Base64 of a P-256 SubjectPublicKeyInfo.
    pub verification_keys: Vec<String>,
    /// Raw: keys that sign each request.
    pub hmac_keys: Vec<String>,
    /// Raw: keys of `Authorization: Bearer`.
    pub bearer_keys: Vec<String>,
    /// Compatibility routes: shared secrets of `X-Escalated-Inbound-Secret`.
    pub inbound_secrets: Vec<String>,
    /// IMAP: passwords of the user. The first one is used, as of all that follow.
    pub passwords: Vec<String>,
    /// IMAP: access tokens that somebody else keeps fresh.
    pub access_tokens: Vec<String>,
    /// IMAP with Google or Microsoft: client secrets.
    pub client_secrets: Vec<String>,
    /// IMAP with Google: refresh tokens.
    pub refresh_tokens: Vec<String>,
    /// IMAP with Google: key files of a service account, JSON as text.
    pub service_accounts: Vec<String>,
}

impl fmt::Debug for DoorSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DoorSecrets(***)")
    }
}

impl DoorSecrets {
    /// Adds the other's behind these.
    fn join(&mut self, other: Self) {
        self.signing_keys.extend(other.signing_keys);
        self.api_keys.extend(other.api_keys);
        self.credentials.extend(other.credentials);
        self.server_tokens.extend(other.server_tokens);
        self.verification_keys.extend(other.verification_keys);
        self.hmac_keys.extend(other.hmac_keys);
        self.bearer_keys.extend(other.bearer_keys);
        self.inbound_secrets.extend(other.inbound_secrets);
        self.passwords.extend(other.passwords);
        self.access_tokens.extend(other.access_tokens);
        self.client_secrets.extend(other.client_secrets);
        self.refresh_tokens.extend(other.refresh_tokens);
        self.service_accounts.extend(other.service_accounts);
    }
}

/// The first that is not blank.
#[must_use]
pub fn first_of(live: &[String]) -> Option<&str> {
    live.iter().map(|value| value.trim()).find(|value| !value.is_empty())
}

/// Those that are not blank.
#[must_use]
pub fn live(all: &[String]) -> Vec<&String> {
    all.iter().filter(|value| !value.trim().is_empty()).collect()
}

/// Section of the shared secrets of compatibility routes.
pub const ESCALATED: &str = "escalated";

/// The operator's secret: credentials by the id of the door. Everything is optional: what is missing refuses.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct OperatorSecrets(BTreeMap<String, DoorSecrets>);

impl OperatorSecrets {
    /// Adds credentials to a door's.
    pub fn add(&mut self, section: &str, secrets: DoorSecrets) {
        self.0.entry(section.to_owned()).or_default().join(secrets);
    }

    /// A door's credentials: those under its id. Only each provider's own door is called as the provider, so that a
    /// second account never opens with the first one's.
    #[must_use]
    pub fn door(&self, door: &Door) -> DoorSecrets {
        self.section(door.id.as_str())
    }

    /// A section.
    #[must_use]
    pub fn section(&self, name: &str) -> DoorSecrets {
        self.0.get(name).cloned().unwrap_or_default()
    }

    fn joined(mut self, other: &Self) -> Self {
        for (section, secrets) in &other.0 {
            self.add(section, secrets.clone());
        }
        self
    }
}

impl fmt::Debug for OperatorSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorSecrets(***)")
    }
}

/// The operator's secret with its cache.
#[derive(Debug)]
pub struct Secrets {
    source: SecretSource,
    environment: OperatorSecrets,
    ambient: Ambient,
    cached: Mutex<Option<(Timestamp, Arc<OperatorSecrets>)>>,
}

impl Secrets {
    /// Reads nothing yet.
    #[must_use]
    pub fn new(source: SecretSource, ambient: Ambient) -> Self {
        Self { source, environment: OperatorSecrets::default(), ambient, cached: Mutex::new(None) }
    }

    /// With credentials that the environment holds, behind those of the secret.
    #[must_use]
    pub fn with_environment(self, environment: OperatorSecrets) -> Self {
        Self { environment, ..self }
    }

    /// As cached, at most five minutes old.
    ///
    /// # Errors
    /// It cannot be read now and nothing is cached.
    pub async fn operator(&self) -> Result<Arc<OperatorSecrets>, SecretError> {
        self.at_most(CACHE).await
    }

    /// As it stands now, for one more look before refusing; at most a minute old.
    ///
    /// # Errors
    /// It cannot be read now and nothing is cached.
    pub async fn operator_now(&self) -> Result<Arc<OperatorSecrets>, SecretError> {
        self.at_most(REREAD).await
    }

    async fn at_most(&self, age: SignedDuration) -> Result<Arc<OperatorSecrets>, SecretError> {
        let now = self.ambient.now();
        let mut cached = self.cached.lock().await;
        if let Some((read_at, secrets)) = cached.as_ref()
            && now.duration_since(*read_at) < age
        {
            return Ok(Arc::clone(secrets));
        }
        let text = self.source.read().await;
        let parsed = text.and_then(|text| {
            let form = |e: serde_json::Error| SecretError::Form(self.source.name(), format!("line {}", e.line()));
            serde_json::from_str::<OperatorSecrets>(&text).map_err(form).map(|read| read.joined(&self.environment))
        });
        match (parsed, cached.as_ref()) {
            (Ok(secrets), _) => {
                let secrets = Arc::new(secrets);
                *cached = Some((now, Arc::clone(&secrets)));
                Ok(secrets)
            }
            // Secrets Manager is down: what was read before still authenticates; it refuses nothing new.
            (Err(error), Some((_, old))) => {
                tracing::warn!(%error, "operator secret not refreshed; the one read before is used");
                Ok(Arc::clone(old))
            }
            (Err(error), None) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> SecretSource {
        SecretSource::Text(text.to_owned())
    }

    #[tokio::test]
    async fn master_secret_forms() {
        let long = "s".repeat(64);
        for (text, good) in [
            (format!(r#"{{"id":0,"secret":"{long}"}}"#), true),
            (format!(r#"{{"keys":[{{"id":1,"secret":"{long}"}},{{"id":0,"secret":"{long}"}}]}}"#), true),
            (r#"{"id":0,"secret":"short"}"#.to_owned(), false),
            (r#"{"keys":[]}"#.to_owned(), false),
            (long.clone(), false),
            (String::new(), false),
        ] {
            let read = signing_keys(&source(&text)).await;
            assert_eq!(read.is_ok(), good, "{text}");
            if let Err(error) = read {
                assert!(!error.to_string().contains("sss"), "the message shows the secret: {error}");
            }
        }
    }

    #[tokio::test]
    async fn a_changed_secret_is_seen_within_its_minute() {
        let dir = std::env::temp_dir().join(format!("postern-secrets-{}", std::process::id()));
        std::fs::write(&dir, r#"{"postmark":{"credentials":["a:1"]}}"#).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let mut secrets = Secrets::new(SecretSource::File(dir.clone()), Ambient::fixed(now, 0));
        assert_eq!(secrets.operator().await.unwrap().section("postmark").credentials, ["a:1"]);
        std::fs::write(&dir, r#"{"postmark":{"credentials":["b:2"]}}"#).unwrap();
        assert_eq!(secrets.operator_now().await.unwrap().section("postmark").credentials, ["a:1"], "read a moment ago");
        secrets.ambient = Ambient::fixed(now + SignedDuration::from_secs(61), 0);
        assert_eq!(secrets.operator().await.unwrap().section("postmark").credentials, ["a:1"], "still believed");
        assert_eq!(
            secrets.operator_now().await.unwrap().section("postmark").credentials,
            ["b:2"],
            "read again before refusing"
        );
        std::fs::remove_file(&dir).unwrap();
        secrets.ambient = Ambient::fixed(now + SignedDuration::from_hours(1), 0);
        assert_eq!(
            secrets.operator().await.unwrap().section("postmark").credentials,
            ["b:2"],
            "a lost secret refuses nothing new"
        );
    }

    #[tokio::test]
    async fn a_missing_secret_is_an_error() {
        let secrets =
            Secrets::new(SecretSource::File("/nonexistent/secret".into()), Ambient::fixed(Timestamp::UNIX_EPOCH, 0));
        assert!(secrets.operator().await.is_err());
    }
}
