//! `secret set` and `secret list`: the credentials that providers prove themselves with. A value is never printed.

mod name;
mod prompt;
mod vault;

use anyhow::bail;
use postern::{digest::sha256_hex, door::Doors};
use serde_json::json;

use super::{Output, pretty, read_input, settings, usage};
use crate::{
    args,
    setup::{Setup, Site},
};

pub(super) use name::{Name, label};
pub(super) use vault::Vault;

/// Rounds of reading, changing and writing before other changes have to be given way to.
const ROUNDS_MAX: usize = 5;
/// Hex digits of a fingerprint.
const FINGERPRINT_CHARS: usize = 8;
/// How long a running function may believe the list it has read (`shared/src/secrets.rs`).
const BELIEVED: &str = "5 minutes";

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

/// The vault, and the doors whose credentials stand in it.
async fn opened(common: &args::Common) -> anyhow::Result<(Vault, Doors)> {
    let setup = Setup::open(common).await?;
    let vault = match &setup.site {
        Site::Data(data, _) => Ok(Vault::of_data(data)),
        Site::Stack(stack) => Vault::of_stack(stack),
    };
    let view = setup.view().await;
    setup.close().await;
    Ok((vault?, settings::in_force(&view?)?.doors.clone()))
}

async fn list(common: &args::Common) -> anyhow::Result<Output> {
    let (vault, doors) = opened(common).await?;
    let secret = vault.read().await?.json;
    let names = Name::all(&doors);
    let mut text = format!("{:<26} {:>4}  FINGERPRINTS (newest first)\n", "NAME", "LIVE");
    let mut rows = Vec::new();
    for name in &names {
        let marks = name.fingerprints(&secret)?;
        let missing = || format!("- {} ({})", name.missing(name.has_another(&names, &secret)), name.list.means);
        let shown = if marks.is_empty() { missing() } else { marks.join(", ") };
        text.push_str(&format!("{:<26} {:>4}  {shown}\n", name.to_string(), marks.len()));
        rows.push(json!({ "name": name.to_string(), "live": marks.len(), "fingerprints": marks }));
    }
    Ok(Output::ok(if common.json { pretty(&json!({ "secrets": rows }))? } else { text }))
}

async fn set(args: &args::SecretSet) -> anyhow::Result<Output> {
    // Whoever sets a credential of a provider's own door need not be allowed to read the table.
    let own = Name::built_in(&args.name)?;
    let value = value(args)?;
    if let (Some(name), false) = (&own, args.remove) {
        name.check(&value)?;
    }
    let (name, vault) = match own {
        Some(name) => (name, Vault::open(&args.common).await?),
        None => {
            let (vault, doors) = opened(&args.common).await?;
            let name = Name::among(&args.name, &doors)?;
            if !args.remove {
                name.check(&value)?;
            }
            (name, vault)
        }
    };
    for _ in 0..ROUNDS_MAX {
        let held = vault.read().await?;
        let before = name.live(&held.json)?;
        let Some(after) = changed(&before, &value, args) else {
            let marks = name.fingerprints(&held.json)?.join(", ");
            return Ok(Output::refused(&format!("{name} holds no such credential; live: {marks}")));
        };
        let json = name.with(&held.json, &after)?;
        let last = after.is_empty() && name.list.opens && !others_open(&name, &json);
        if after == before || vault.write(&held, &json).await? {
            return told(&name, &value, args, &before, &After { live: after, last });
        }
    }
    bail!("the operator's secret was changed by others {ROUNDS_MAX} times meanwhile; try again")
}

/// True where another list of the same door lets mail in.
fn others_open(name: &Name, secret: &serde_json::Value) -> bool {
    name.has_another(&name.siblings(), secret)
}

/// The list as it is now.
struct After {
    live: Vec<String>,
    /// The door is shut by it.
    last: bool,
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
    name: &Name,
    value: &str,
    args: &args::SecretSet,
    before: &[String],
    After { live: after, last }: &After,
) -> anyhow::Result<Output> {
    let marks: Vec<String> = after.iter().map(|value| fingerprint(value)).collect();
    if args.common.json {
        let changed = before != after;
        return Ok(Output::ok(pretty(
            &json!({ "name": name.to_string(), "live": marks.len(), "fingerprints": marks, "changed": changed }),
        )?));
    }
    let live = if marks.is_empty() { "none".to_owned() } else { marks.join(", ") };
    let mut text = format!("{name}: live {live}");
    if before == after {
        return Ok(Output::ok(text + "; nothing to change\n"));
    }
    text.push_str(&format!("\nrunning functions believe the list they have read for up to {BELIEVED}\n"));
    let gone: Vec<String> = before.iter().filter(|live| !after.contains(live)).map(|live| fingerprint(live)).collect();
    if *last {
        text.push_str(&format!("warning: no credential is left; the door of {} answers 503\n", name.whose()));
    } else if !gone.is_empty() {
        let gone = gone.join(", ");
        text.push_str(&format!("what {} still proves by {gone} is refused from then on\n", name.whose()));
    }
    if let Some(warning) = name.warning(value).filter(|_| !args.remove) {
        text.push_str(&format!("warning: {warning}\n"));
    }
    Ok(Output::ok(text))
}
