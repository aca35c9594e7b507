//! `secret set` and `secret list`: the credentials that providers prove themselves with. A value is never printed.

mod prompt;
mod vault;

use anyhow::bail;
use postern::digest::sha256_hex;
use serde_json::{Value, json};

use super::{Output, pretty, read_input, usage};
use crate::args;

pub(super) use vault::Vault;

/// Rounds of reading, changing and writing before other changes have to be given way to.
const ROUNDS_MAX: usize = 5;
/// Octets of a credential at most; Secrets Manager takes 64 KB for all of them.
const VALUE_OCTETS_MAX: usize = 1024;
/// Characters of a password below which `set` warns (docs/PROVIDERS.md, Postmark).
const PASSWORD_CHARS: usize = 24;
/// Hex digits of a fingerprint.
const FINGERPRINT_CHARS: usize = 8;
/// How long a running function may believe the list it has read (`shared/src/secrets.rs`).
const BELIEVED: &str = "5 minutes";

/// A list of live credentials in the operator's secret.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    /// As it is typed.
    pub(super) name: &'static str,
    /// Object in the secret.
    object: &'static str,
    /// List in that object.
    list: &'static str,
    /// The provider, as people write it.
    pub(super) provider: &'static str,
}

/// All of them.
pub(super) const NAMES: [Name; 2] = [MAILGUN, POSTMARK];
/// Mailgun's HTTP webhook signing keys.
pub(super) const MAILGUN: Name =
    Name { name: "mailgun.signing_keys", object: "mailgun", list: "signing_keys", provider: "Mailgun" };
/// `user:password` of Postmark's webhook URL.
pub(super) const POSTMARK: Name =
    Name { name: "postmark.credentials", object: "postmark", list: "credentials", provider: "Postmark" };

impl Name {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let known = || NAMES.map(|name| name.name).join(" and ");
        let found = NAMES.into_iter().find(|name| name.name == text);
        found.ok_or_else(|| usage(format!("{text:?} is no secret that Postern reads; there are {}", known())))
    }

    /// The live credentials, newest first.
    fn live(self, secret: &Value) -> anyhow::Result<Vec<String>> {
        let list = match secret.pointer(&format!("/{}/{}", self.object, self.list)) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(list) => serde_json::from_value::<Vec<String>>(list.clone()),
        };
        // What serde says of a wrong form may quote the value.
        let Ok(list) = list else { bail!("{} is not a list of texts in the operator's secret", self.name) };
        Ok(list.into_iter().filter(|value| !value.trim().is_empty()).collect())
    }

    /// Fingerprints of the live credentials, newest first.
    pub(super) fn fingerprints(self, secret: &Value) -> anyhow::Result<Vec<String>> {
        Ok(self.live(secret)?.iter().map(|value| fingerprint(value)).collect())
    }

    fn with(self, secret: &Value, live: &[String]) -> anyhow::Result<Value> {
        let mut secret = secret.clone();
        let Some(object) = secret.as_object_mut() else { bail!("the operator's secret is no JSON object") };
        let part = object.entry(self.object).or_insert_with(|| json!({}));
        let Some(part) = part.as_object_mut() else { bail!("{} is no object in the operator's secret", self.object) };
        part.insert(self.list.to_owned(), json!(live));
        Ok(secret)
    }

    /// What can be told wrong about a value without knowing the provider's side.
    fn check(self, value: &str) -> anyhow::Result<()> {
        let blank = value.is_empty() || value.chars().any(|c| c.is_whitespace() || c.is_control());
        if blank || value.len() > VALUE_OCTETS_MAX {
            bail!(usage(format!("a credential is one word of at most {VALUE_OCTETS_MAX} characters")));
        }
        let login = value.split_once(':').is_some_and(|(user, password)| !user.is_empty() && !password.is_empty());
        if self.name == POSTMARK.name && !login {
            bail!(usage("Postmark's credential has the form USER:PASSWORD, as in https://USER:PASSWORD@… at Postmark"));
        }
        Ok(())
    }
}

/// What stands for a credential where it must not be shown: the beginning of its SHA-256.
fn fingerprint(value: &str) -> String {
    sha256_hex(value.as_bytes()).chars().take(FINGERPRINT_CHARS).collect()
}

/// `secret set` and `secret list`.
///
/// # Errors
/// Wrong usage; the secret cannot be read or written, or is not of the documented form.
pub async fn secret(args: &args::Secret) -> anyhow::Result<Output> {
    match &args.verb {
        args::SecretVerb::List { common } => Box::pin(list(common)).await,
        args::SecretVerb::Set(args) => Box::pin(set(args)).await,
    }
}

async fn list(common: &args::Common) -> anyhow::Result<Output> {
    let vault = Vault::open(common).await?;
    let secret = vault.read().await?.json;
    let mut text = format!("{:<22} {:>4}  FINGERPRINTS (newest first)\n", "NAME", "LIVE");
    let mut rows = Vec::new();
    for name in NAMES {
        let marks = name.fingerprints(&secret)?;
        let shown = if marks.is_empty() { "- the door refuses everything".to_owned() } else { marks.join(", ") };
        text.push_str(&format!("{:<22} {:>4}  {shown}\n", name.name, marks.len()));
        rows.push(json!({ "name": name.name, "live": marks.len(), "fingerprints": marks }));
    }
    Ok(Output::ok(if common.json { pretty(&json!({ "secrets": rows }))? } else { text }))
}

async fn set(args: &args::SecretSet) -> anyhow::Result<Output> {
    let name = Name::parse(&args.name)?;
    let value = value(args)?;
    if !args.remove {
        name.check(&value)?;
    }
    let vault = Vault::open(&args.common).await?;
    for _ in 0..ROUNDS_MAX {
        let held = vault.read().await?;
        let before = name.live(&held.json)?;
        let Some(after) = changed(&before, &value, args) else {
            let marks = name.fingerprints(&held.json)?.join(", ");
            return Ok(Output::refused(&format!("{} holds no such credential; live: {marks}", name.name)));
        };
        if after == before || vault.write(&held, &name.with(&held.json, &after)?).await? {
            return told(name, &value, args, &before, &after);
        }
    }
    bail!("the operator's secret was changed by others {ROUNDS_MAX} times meanwhile; try again")
}

fn value(args: &args::SecretSet) -> anyhow::Result<String> {
    if args.value != "-" {
        return Ok(args.value.trim().to_owned());
    }
    if let Some(typed) = prompt::ask(&format!("{} (not shown): ", args.name))? {
        return Ok(typed.trim().to_owned());
    }
    let Ok(text) = String::from_utf8(read_input("-".as_ref())?) else {
        bail!(usage("standard input is not text"));
    };
    Ok(text.trim().to_owned())
}

/// The list as it is to be; `None` where what is to be removed is not there.
fn changed(before: &[String], value: &str, args: &args::SecretSet) -> Option<Vec<String>> {
    let named = |live: &String| live == value || (args.remove && fingerprint(live) == value);
    let others = before.iter().filter(|live| !named(live)).cloned();
    if args.remove {
        return before.iter().any(named).then(|| others.collect());
    }
    let new = std::iter::once(value.to_owned());
    Some(if args.replace { new.collect() } else { new.chain(others).collect() })
}

fn told(
    name: Name,
    value: &str,
    args: &args::SecretSet,
    before: &[String],
    after: &[String],
) -> anyhow::Result<Output> {
    let marks: Vec<String> = after.iter().map(|value| fingerprint(value)).collect();
    if args.common.json {
        let changed = before != after;
        return Ok(Output::ok(pretty(
            &json!({ "name": name.name, "live": marks.len(), "fingerprints": marks, "changed": changed }),
        )?));
    }
    let live = if marks.is_empty() { "none".to_owned() } else { marks.join(", ") };
    let mut text = format!("{}: live {live}", name.name);
    if before == after {
        return Ok(Output::ok(text + "; nothing to change\n"));
    }
    text.push_str(&format!("\nrunning functions believe the list they have read for up to {BELIEVED}\n"));
    let gone: Vec<String> = before.iter().filter(|live| !after.contains(live)).map(|live| fingerprint(live)).collect();
    if after.is_empty() {
        text.push_str(&format!("warning: no credential is left; the door of {} answers 503\n", name.provider));
    } else if !gone.is_empty() {
        let gone = gone.join(", ");
        text.push_str(&format!("what {} still proves by {gone} is refused from then on\n", name.provider));
    }
    let short = value.split_once(':').is_some_and(|(_, password)| password.chars().count() < PASSWORD_CHARS);
    if name.name == POSTMARK.name && !args.remove && short {
        text.push_str(&format!(
            "warning: the password is all that keeps others out; take at least {PASSWORD_CHARS} random characters\n"
        ));
    }
    Ok(Output::ok(text))
}
