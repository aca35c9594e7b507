//! Where the operator's secret is kept, and how it is changed without losing what others change at the same time.
//!
//! Secrets Manager has no conditional write, but moving a staging label is one: `UpdateSecretVersionStage` moves
//! `AWSCURRENT` only if it is still on the version named in `RemoveFromVersionId` (its API reference). So the new text is
//! put as a version of its own first, under a label that no function reads. A file is compared and replaced under a lock
//! on its directory.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use aws_sdk_secretsmanager::{Client, error::ProvideErrorMetadata};
use serde_json::{Value, json};

use crate::{
    args::Common,
    local,
    stack::{Stack, trouble::AwsTrouble},
};

const CURRENT: &str = "AWSCURRENT";
/// Label of a version that is to become the current one.
const PENDING: &str = "POSTERN_PENDING";

/// Where the secret is.
#[derive(Clone, Debug)]
pub(in crate::commands) enum Vault {
    /// A file of the data directory.
    File(PathBuf),
    /// Secrets Manager, by ARN.
    Manager(Client, String),
}

/// The secret as it was read. Not `Debug`: it is one.
pub(in crate::commands) struct Held {
    /// What stands in it; an empty object where nothing does.
    pub(in crate::commands) json: Value,
    /// The text, where there is one.
    text: Option<String>,
    /// Its version at Secrets Manager.
    version: Option<String>,
}

impl Vault {
    /// The vault of a stack or a data directory.
    ///
    /// # Errors
    /// There is none, in words.
    pub(in crate::commands) async fn open(common: &Common) -> anyhow::Result<Self> {
        match &common.aws.stack {
            Some(name) => Self::of_stack(&Stack::find(name, &common.aws).await?),
            None => {
                local::expect_data(&common.data)?;
                Ok(Self::of_data(&common.data))
            }
        }
    }

    pub(in crate::commands) fn of_stack(stack: &Stack) -> anyhow::Result<Self> {
        Ok(Self::Manager(stack.clients.secrets.clone(), stack.output("OperatorSecretArn")?.to_owned()))
    }

    pub(in crate::commands) fn of_data(data: &Path) -> Self {
        Self::File(data.join("secrets").join("operator.json"))
    }

    /// Reads it.
    ///
    /// # Errors
    /// It cannot be read, or is no JSON object. Never shows any of it.
    pub(in crate::commands) async fn read(&self) -> anyhow::Result<Held> {
        let (name, text, version) = match self {
            Self::File(path) => (path.display().to_string(), read_file(path)?, None),
            Self::Manager(client, arn) => match client.get_secret_value().secret_id(arn).send().await {
                Ok(answer) => (arn.clone(), answer.secret_string, answer.version_id),
                // A secret that was made without a value has no current version.
                Err(error) if error.code() == Some("ResourceNotFoundException") => (arn.clone(), None, None),
                Err(error) => bail!(AwsTrouble::of("secretsmanager:GetSecretValue", arn, &error)),
            },
        };
        let json = match text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            None => json!({}),
            Some(text) => match serde_json::from_str::<Value>(text) {
                Ok(json) if json.is_object() => json,
                // What serde says may quote the text.
                _ => bail!("secret {name} is not of the documented form (a JSON object); set it right by hand first"),
            },
        };
        Ok(Held { json, text, version })
    }

    /// Writes it, if it still is what was read; false where others were faster.
    ///
    /// # Errors
    /// It cannot be written.
    pub(in crate::commands) async fn write(&self, held: &Held, json: &Value) -> anyhow::Result<bool> {
        let text = format!("{json:#}\n");
        match self {
            Self::File(path) => write_file(path, held.text.as_deref(), &text),
            Self::Manager(client, arn) => put(client, arn, held.version.as_deref(), &text).await,
        }
    }
}

async fn put(client: &Client, arn: &str, before: Option<&str>, text: &str) -> anyhow::Result<bool> {
    let request = client.put_secret_value().secret_id(arn).secret_string(text);
    // The first version becomes the current one by itself.
    let request = if before.is_some() { request.version_stages(PENDING) } else { request };
    let put = request.send().await.map_err(|e| AwsTrouble::of("secretsmanager:PutSecretValue", arn, &e))?;
    let (Some(before), Some(after)) = (before, put.version_id()) else { return Ok(true) };
    let request = client.update_secret_version_stage().secret_id(arn).version_stage(CURRENT);
    let Err(error) = request.move_to_version_id(after).remove_from_version_id(before).send().await else {
        return Ok(true);
    };
    // Either somebody else moved the label, or we did and the answer was lost.
    let now = client.get_secret_value().secret_id(arn).send().await;
    match now.ok().and_then(|answer| answer.version_id) {
        Some(version) if version == after => Ok(true),
        Some(version) if version != before => Ok(false),
        _ => bail!(AwsTrouble::of("secretsmanager:UpdateSecretVersionStage", arn, &error)),
    }
}

fn read_file(path: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

fn write_file(path: &Path, before: Option<&str>, text: &str) -> anyhow::Result<bool> {
    let fault = || format!("{} cannot be written", path.display());
    let directory = path.parent().with_context(fault)?;
    let lock = File::open(directory).with_context(fault)?;
    lock.lock().with_context(fault)?;
    if read_file(path)?.as_deref() != before {
        return Ok(false);
    }
    let new = path.with_extension("json.new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new).with_context(fault)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(fault)?;
    fs::rename(&new, path).with_context(fault)?;
    Ok(true)
}
