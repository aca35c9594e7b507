//! The local system: engines of a data directory (or of the `dev` that holds it), secrets, the default mailbox.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use postern::{
    ambient::Ambient,
    blobs::Blobs,
    config::{self, ConfigError},
    dkim::Dkim,
    ingest::Ingest,
    outbound::Outbound,
    providers::sns::Certificates,
    secrets::{OperatorSecrets, SecretSource, Secrets, signing_keys},
    settings::{Settings as MailSettings, SettingsSource},
    store::Store,
};
use postern_webhook::App;
use serde_json::json;

use crate::{
    engines::{BUCKET, Endpoints, EngineError, Engines, Settings, TABLE, read_endpoints},
    sources::retry_queue,
};

/// Address of the default mailbox where `POSTERN_ADDRESS` says nothing.
const DEV_ADDRESS: &str = "support@postern.test";

/// How often a directory that another command holds is tried again, and how long apart: thirty seconds in all.
const LOCK_TRIES_MAX: u32 = 300;
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// An opened local system.
#[derive(Debug)]
pub struct Local {
    /// The pipeline.
    pub ingest: Ingest,
    /// The data directory.
    pub data: PathBuf,
    /// The engines, where this process runs them.
    pub engines: Option<Engines>,
    /// Settings that the environment describes.
    pub defaults: MailSettings,
    /// Settings as they were when it was opened.
    pub settings: MailSettings,
    /// Credentials that the environment holds.
    pub environment_secrets: OperatorSecrets,
    endpoints: Endpoints,
}

impl Local {
    /// Opens a data directory: directly, or through the running `dev` that holds it.
    ///
    /// # Errors
    /// In words: which directory, what failed.
    pub async fn open(data: &Path) -> anyhow::Result<Self> {
        let (endpoints, engines) = reach(data).await?;
        Self::over(endpoints, data, engines).await
    }

    /// Opens a data directory that is there already: looking makes nothing.
    ///
    /// # Errors
    /// There is none, or as [`Local::open`].
    pub async fn existing(data: &Path) -> anyhow::Result<Self> {
        expect_data(data)?;
        Self::open(data).await
    }

    /// Opens a data directory that nobody else may hold.
    ///
    /// # Errors
    /// In words: which directory, what failed, who holds it.
    pub async fn hold(data: &Path) -> anyhow::Result<Self> {
        Self::hold_with(data, Settings::default()).await
    }

    /// As [`Local::hold`], with what can be set of the engines.
    ///
    /// # Errors
    /// As there.
    pub async fn hold_with(data: &Path, settings: Settings) -> anyhow::Result<Self> {
        match Engines::start_with(Some(data), settings).await {
            Ok(engines) => Self::over_engines(engines, data).await,
            Err(EngineError::InUse { directory }) => {
                let at = read_endpoints(data)?.and_then(|endpoints| endpoints.http);
                let at = at.map(|http| format!(" at {http}")).unwrap_or_default();
                bail!("a `postern dev` runs on {} already{at}; stop it, or use --data DIR", directory.display())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn over_engines(engines: Engines, data: &Path) -> anyhow::Result<Self> {
        let endpoints = engines.endpoints().clone();
        Self::over(endpoints, data, Some(engines)).await
    }

    async fn over(endpoints: Endpoints, data: &Path, engines: Option<Engines>) -> anyhow::Result<Self> {
        let (dynamodb, s3) = endpoints.clients(None);
        let ambient = Ambient::system();
        let secrets = data.join("secrets");
        make_secrets(&secrets)?;
        let keyring = signing_keys(&SecretSource::File(secrets.join("master.json"))).await?;
        let (defaults, environment_secrets) = of_environment()?;
        let store = Store::new(dynamodb, TABLE, ambient.clone());
        let settings = defaults.overlaid(&store.settings().await?)?;
        let ingest = Ingest {
            store,
            blobs: Blobs::new(s3, BUCKET),
            keyring,
            mailboxes: settings.mailboxes.clone(),
            doors: settings.doors.clone(),
            dkim: Dkim::system(),
            ambient,
            retry: None,
            fetcher: None,
        };
        Ok(Self { ingest, data: data.to_owned(), engines, defaults, settings, environment_secrets, endpoints })
    }

    /// The HTTP door over this system, with the retry queue behind it.
    #[must_use]
    pub fn door(&self) -> App {
        let operator = SecretSource::File(self.data.join("secrets").join("operator.json"));
        let ingest = Ingest { retry: Some(retry_queue(&self.endpoints)), ..self.ingest.clone() };
        let ambient = ingest.ambient.clone();
        App {
            secrets: Secrets::new(operator, ambient.clone()).with_environment(self.environment_secrets.clone()),
            settings: SettingsSource::new(self.defaults.clone(), ingest.store.clone(), ambient),
            certificates: Certificates::new(Outbound::new()),
            sns: self.endpoints.all_clients(None).sns,
            ingest,
        }
    }

    /// Where the engines are, for `endpoints.json`.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Stops the engines that this process runs, waiting until everything is on disk.
    pub async fn close(self) {
        if let Some(engines) = self.engines {
            engines.stop().await;
        }
    }
}

/// The engines of a data directory: in this process, or those of the `dev` that holds it.
///
/// # Errors
/// In words: which directory, what failed.
pub(crate) async fn reach(data: &Path) -> anyhow::Result<(Endpoints, Option<Engines>)> {
    let ambient = Ambient::system();
    for _ in 0..LOCK_TRIES_MAX {
        match Engines::start(Some(data)).await {
            Ok(engines) => return Ok((engines.endpoints().clone(), Some(engines))),
            Err(EngineError::InUse { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        // Either a `dev` serves the directory, or another command holds it for a moment.
        if let Some(endpoints) = read_endpoints(data)?
            && answers(&endpoints).await
        {
            return Ok((endpoints, None));
        }
        ambient.sleep(LOCK_PAUSE).await;
    }
    Err(anyhow!("{} has been in use by another postern for too long; is one hanging?", data.display()))
}

/// Refuses a data directory that is not there.
///
/// # Errors
/// In words: which directory, and how one is made.
pub fn expect_data(data: &Path) -> anyhow::Result<()> {
    if !data.is_dir() {
        bail!(
            "there is no data in {}: `postern dev` or `postern ingest` makes it, --data names another",
            data.display()
        );
    }
    Ok(())
}

/// The URL of the HTTP door of the `dev` that runs on a data directory, where one does.
///
/// # Errors
/// `endpoints.json` does not read.
pub async fn running_door(data: &Path) -> anyhow::Result<Option<String>> {
    let Some(endpoints) = read_endpoints(data)? else { return Ok(None) };
    Ok(if answers(&endpoints).await { endpoints.http } else { None })
}

/// True where somebody listens at these endpoints, and not an older version; a file left behind by a `dev` that was killed
/// names nobody.
async fn answers(endpoints: &Endpoints) -> bool {
    if !endpoints.are_complete() {
        return false;
    }
    let address = endpoints.dynamodb.trim_start_matches("http://");
    tokio::net::TcpStream::connect(address).await.is_ok()
}

/// What the environment says: settings, and credentials that people bring along.
#[expect(clippy::disallowed_methods, reason = "the command line's shell: the environment comes in here")]
pub(crate) fn of_environment() -> anyhow::Result<(MailSettings, OperatorSecrets)> {
    let lookup = |name: &str| std::env::var(name).ok().map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
    let names = [
        "POSTERN_ADDRESS",
        "ESCALATED_INBOUND_ADDRESS",
        "ESCALATED_INBOUND_EMAIL_ADDRESS",
        "POSTERN_MAIL_DOMAIN",
        "ESCALATED_MAIL_DOMAIN",
    ];
    let addressed = names.iter().any(|name| lookup(name).is_some());
    let with_address =
        |name: &str| lookup(name).or_else(|| (!addressed && name == "POSTERN_ADDRESS").then(|| DEV_ADDRESS.to_owned()));
    let mut faults = Vec::new();
    let settings = config::settings(&with_address, &mut faults);
    if faults.is_empty() {
        Ok((settings, config::environment_secrets(&lookup)))
    } else {
        Err(ConfigError(faults).into())
    }
}

/// Makes both secrets where they are missing: random, readable by the owner only.
fn make_secrets(directory: &Path) -> anyhow::Result<()> {
    let fault = || format!("{} cannot be made", directory.display());
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).with_context(fault)?;
    let master = json!({ "keys": [{ "id": 0, "secret": random_word(64)? }] });
    let operator = json!({
        "mailgun": { "signing_keys": [format!("key-{}", random_word(32)?)] },
        "postmark": { "credentials": [format!("postern:{}", random_word(24)?)] },
        "sendgrid": { "credentials": [format!("postern:{}", random_word(24)?)] },
        "raw": { "hmac_keys": [random_word(32)?], "bearer_keys": [random_word(32)?] },
        "escalated": { "inbound_secrets": [random_word(32)?] },
    });
    for (name, secret) in [("master.json", master), ("operator.json", operator)] {
        let path = directory.join(name);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match made {
            Ok(mut file) => writeln!(file, "{secret:#}").with_context(|| format!("{}", path.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("{} cannot be written", path.display())),
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "secrets of the local run need the system's randomness")]
fn random_word(chars: usize) -> anyhow::Result<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut octets = vec![0_u8; chars];
    getrandom::fill(&mut octets).map_err(|error| anyhow!("no randomness: {error}"))?;
    let letter = |octet: u8| LETTERS.get(usize::from(octet & 31)).map(|b| char::from(*b));
    Ok(octets.into_iter().filter_map(letter).collect())
}

/// What a provider needs to know to reach the local door: the first live credentials. Not `Debug`: they are secrets.
#[derive(Clone)]
pub struct DoorKeys {
    /// Mailgun's HTTP webhook signing key.
    pub mailgun: String,
    /// Postmark's `user:password`.
    pub postmark: String,
    /// The bearer key of raw mail; empty where an older version made the secret.
    pub raw: String,
}

/// Reads the local operator's secret.
///
/// # Errors
/// It is missing or of another form.
pub fn door_keys(data: &Path) -> anyhow::Result<DoorKeys> {
    let path = data.join("secrets").join("operator.json");
    let text = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
    let json: serde_json::Value = serde_json::from_str(&text).with_context(|| format!("{}", path.display()))?;
    let text = |pointer: &str| json.pointer(pointer).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    Ok(DoorKeys {
        mailgun: text("/mailgun/signing_keys/0"),
        postmark: text("/postmark/credentials/0"),
        raw: text("/raw/bearer_keys/0"),
    })
}
