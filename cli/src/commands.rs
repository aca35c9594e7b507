//! One function a verb. Each returns what is printed and the exit code; nothing prints by itself.

mod again;
mod desk;
mod doctor;
mod door;
mod doors;
mod explain;
mod hold;
mod ingest;
mod lists;
mod mailbox;
mod participant;
mod poll;
mod probe;
mod regroup;
mod requester;
mod rule;
mod secret;
mod settings;

use std::path::Path;

use anyhow::{Context, anyhow};
use postern::{
    records::{LedgerRow, Outcome},
    store::{LedgerId, Store, query::LedgerLine},
    ticket::Ticket,
};

use crate::system::System;

pub use again::{redrive, replay};
pub use desk::{approve, token};
pub use doctor::doctor;
pub use door::door;
pub use doors::doors;
pub use explain::explain;
pub use hold::hold;
pub use ingest::{ingest, inspect};
pub use lists::{mail, ticket, tickets};
pub use mailbox::mailbox;
pub use participant::participant;
pub use poll::poll;
pub use regroup::{merge, split};
pub use requester::requester;
pub use rule::rule;
pub use secret::secret;

/// Exit codes (BSD `sysexits.h`): what Postfix's pipe(8) understands.
pub mod exit {
    /// Done.
    pub const OK: u8 = 0;
    /// Understood, and not done: the text says why.
    pub const REFUSED: u8 = 1;
    /// The command was used incorrectly.
    pub const USAGE: u8 = 64;
    /// A message that no door takes.
    pub const DATA: u8 = 65;
    /// A file that was named does not read.
    pub const NO_INPUT: u8 = 66;
    /// Something is wrong with the installation, the data directory or the stack.
    pub const SOFTWARE: u8 = 70;
    /// Not safe yet: the sender keeps the mail and tries again.
    pub const TEMP_FAIL: u8 = 75;
}

/// What a verb has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// For standard output.
    pub text: String,
    /// For standard error.
    pub trouble: String,
    /// Exit code.
    pub code: u8,
}

impl Output {
    fn ok(text: String) -> Self {
        Self { text, ..Self::default() }
    }

    fn refused(why: &str) -> Self {
        Self::trouble(why, exit::REFUSED)
    }

    fn trouble(why: &str, code: u8) -> Self {
        Self { trouble: format!("postern: {why}\n"), code, text: String::new() }
    }
}

/// Words on the command line that cannot be meant: exit code 64, not a fault of the installation.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

pub(crate) fn usage(why: impl Into<String>) -> anyhow::Error {
    UsageError(why.into()).into()
}

/// Something named that is not there: exit code 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotFound(String);

fn not_found(why: impl Into<String>) -> anyhow::Error {
    NotFound(why.into()).into()
}

/// Exit code of a verb that did not work. 75 for `ingest` is decided there.
#[must_use]
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<UsageError>() || error.is::<postern::config::ConfigError>() {
        exit::USAGE
    } else if error.is::<NotFound>() {
        exit::REFUSED
    } else {
        exit::SOFTWARE
    }
}

/// Held, failed and queued mail, counted; the end of every listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Attention {
    /// Waits for a person.
    pub held: usize,
    /// Could not be processed.
    pub failed: usize,
    /// Safe, not decided yet.
    pub queued: usize,
}

/// More than this many are "many": counting stops.
const COUNTED_MAX: usize = 10_000;

async fn attention(system: &System) -> anyhow::Result<Attention> {
    count_attention(&system.store).await
}

async fn count_attention(store: &Store) -> anyhow::Result<Attention> {
    let lines = store.attention(&[Outcome::Held, Outcome::Failed, Outcome::Queued], COUNTED_MAX).await?;
    let count = |outcome| lines.iter().filter(|line| line.row.outcome == outcome).count();
    Ok(Attention { held: count(Outcome::Held), failed: count(Outcome::Failed), queued: count(Outcome::Queued) })
}

/// Reads `INC-00042`, `INC-2026-00042` or `42`; a number must be the ticket's own.
async fn find_ticket(system: &System, text: &str) -> anyhow::Result<Ticket> {
    let digits = text.rsplit('-').next().unwrap_or(text);
    let ordinal: u64 =
        digits.parse().map_err(|_| usage(format!("{text:?} is no ticket number (INC-00042) and no id (42)")))?;
    let ticket = system.store.ticket(ordinal).await?.ok_or_else(|| not_found(format!("there is no ticket {text}")))?;
    if text.contains('-') && !ticket.number.eq_ignore_ascii_case(text) {
        return Err(not_found(format!("there is no ticket {text}; ticket {ordinal} is {}", ticket.number)));
    }
    Ok(ticket)
}

/// Reads a whole ledger id, or enough of its beginning to be one of the last weeks' or of those that wait.
async fn find_mail(system: &System, text: &str) -> anyhow::Result<(LedgerId, LedgerRow)> {
    let id = match LedgerId::parse(text) {
        Some(id) => id,
        None => match beginning_with(system, text).await?.as_slice() {
            [] => {
                let seen = "no mail of the last 7 days, and none that waits, begins with";
                return Err(not_found(format!("{seen} {text:?}; `postern mail` lists them")));
            }
            [one] => LedgerId::parse(&one.id).ok_or_else(|| anyhow!("{} is no ledger id", one.id))?,
            several => {
                return Err(usage(format!("{text:?} is the beginning of {} mails; use more of the id", several.len())));
            }
        },
    };
    let row = system.store.ledger_row(&id).await?.ok_or_else(|| not_found(format!("there is no mail {id}")))?;
    Ok((id, row))
}

async fn beginning_with(system: &System, text: &str) -> anyhow::Result<Vec<LedgerLine>> {
    if text.len() < 4 {
        return Err(usage(format!("{text:?} is too short: use at least four characters of the id")));
    }
    let store = &system.store;
    let mut lines = store.attention(&[Outcome::Held, Outcome::Failed, Outcome::Queued], COUNTED_MAX).await?;
    lines.extend(store.ledger(system.ambient.now(), 7, &Outcome::ALL, COUNTED_MAX).await?);
    lines.retain(|line| line.id.starts_with(text));
    lines.sort_by(|a, b| a.id.cmp(&b.id));
    lines.dedup_by(|a, b| a.id == b.id);
    Ok(lines)
}

fn pretty(value: &impl serde::Serialize) -> anyhow::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// Reads a file, or standard input for `-`.
fn read_input(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut octets = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut octets).context("standard input")?;
        return Ok(octets);
    }
    std::fs::read(path).with_context(|| path.display().to_string())
}
