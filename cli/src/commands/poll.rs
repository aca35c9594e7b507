//! `poll`: looks into mailboxes elsewhere now, and how fresh they are.

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use postern::{
    door::Door,
    ingest::Ingest,
    outbound::Outbound,
    poll::{Ask, Polled, Poller},
    secrets::{SecretSource, Secrets},
};
use serde_json::{Value, json};

use super::{Output, exit, not_found, pretty, usage};
use crate::{
    args, sources,
    system::{Place, System},
};

/// Who typed the command waits; a backfill of years may take that long.
const WAIT_MAX: SignedDuration = SignedDuration::from_hours(24);
/// Turns of the local event sources afterwards.
const TURNS_MAX: usize = 100_000;

/// One who polls for a system.
///
/// # Errors
/// Its secrets or queues are not there.
pub(super) async fn poller(system: &System) -> anyhow::Result<Poller> {
    let ingest = Ingest { retry: Some(system.retry_queue()?), ..system.ingest().await? };
    let ambient = system.ambient.clone();
    let secrets = match &system.place {
        Place::Data(local) => {
            let file = SecretSource::File(local.data.join("secrets").join("operator.json"));
            Secrets::new(file, ambient).with_environment(local.environment_secrets.clone())
        }
        Place::Stack(stack) => {
            let arn = stack.output("OperatorSecretArn")?.to_owned();
            Secrets::new(SecretSource::Manager(stack.clients.secrets.clone(), arn), ambient)
        }
    };
    Ok(Poller::new(ingest, secrets, Outbound::new()))
}

/// Polls now.
///
/// # Errors
/// Wrong usage, no such door; the data directory or stack cannot be opened.
pub async fn poll(args: &args::Poll) -> anyhow::Result<Output> {
    let since = args.since.as_deref().map(read).transpose()?;
    let system = System::open(&args.common).await?;
    let polled = Box::pin(polled(&system, args, since)).await;
    if polled.is_ok() {
        Box::pin(sources::work_off(&system, TURNS_MAX)).await?;
    }
    system.close().await;
    let polled = polled?;
    let bad = polled.iter().any(|(_, did)| !did.trouble.is_empty() || did.paused);
    let code = if bad { exit::REFUSED } else { exit::OK };
    let text = if args.common.json {
        let all: Vec<Value> = polled.iter().map(|(id, did)| json!({ "door": id, "did": did })).collect();
        pretty(&json!({ "polled": all }))?
    } else {
        polled.iter().map(|(id, did)| told(id, did)).collect()
    };
    Ok(Output { text, code, ..Output::default() })
}

async fn polled(system: &System, args: &args::Poll, since: Option<Timestamp>) -> anyhow::Result<Vec<(String, Polled)>> {
    let poller = poller(system).await?;
    let named = |door: &&Door| args.door.as_deref().is_none_or(|id| door.id.as_str() == id);
    let doors: Vec<&Door> = system.settings.doors.iter().filter(|door| door.polled().is_some()).filter(named).collect();
    if doors.is_empty() {
        return Err(not_found(match &args.door {
            Some(id) => format!("there is no door {id} that is polled and switched on"),
            None => "no door is polled: `postern door add ID --provider imap --host HOST --user USER` makes one".into(),
        }));
    }
    let now = system.ambient.now();
    let until = now.checked_add(WAIT_MAX).unwrap_or(now);
    let ask = Ask { until, since, backfill: args.backfill, parked: args.parked };
    let mut all = Vec::new();
    for door in doors {
        all.push((door.id.as_str().to_owned(), Box::pin(poller.door(door, &ask)).await));
    }
    Ok(all)
}

fn told(id: &str, did: &Polled) -> String {
    if did.paused {
        return format!(
            "{id}: paused, because its credentials were refused; set the right ones, then `postern door resume {id}`\n"
        );
    }
    let mut line = format!("{id}: {} taken", did.taken);
    for (count, what) in [
        (did.known, "of them known before"),
        (did.vanished, "gone meanwhile"),
        (did.before_horizon, "too old (--since DATE --backfill takes them)"),
        (did.parked, "left aside (`postern mail` says why)"),
        (did.not_filed, "not marked or moved over there"),
        (did.busy, "folders that somebody else is at"),
    ] {
        if count > 0 {
            line.push_str(&format!(", {count} {what}"));
        }
    }
    line.push('\n');
    line.extend(did.trouble.iter().map(|why| format!("  {why}\n")));
    line
}

fn read(text: &str) -> anyhow::Result<Timestamp> {
    let day = || text.parse::<civil::Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    let read = text.parse::<Timestamp>().ok().or_else(day);
    read.ok_or_else(|| usage(format!("--since {text:?} is no date: 2026-11-01, or 2026-11-01T09:00:00Z")))
}
