//! `approve`, `token`: the way out of unverified, and what proves a thread.

use anyhow::anyhow;
use postern::{
    parse::quoted::separator,
    store::desk::Change,
    ticket::{Entry, Ticket, Visibility},
};
use serde_json::json;

use super::{Output, find_ticket, not_found, pretty, usage};
use crate::{args, system::System};

/// Characters of `--actor` at most: it is kept in every row it acts on.
const ACTOR_CHARS_MAX: usize = 64;

pub(super) fn actor(args: &args::Actor) -> anyhow::Result<&str> {
    let name = args.name.as_str();
    let fits = (1..=ACTOR_CHARS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits { Ok(name) } else { Err(usage(format!("--actor takes 1 to {ACTOR_CHARS_MAX} printable characters"))) }
}

/// Approves an unverified entry.
///
/// # Errors
/// No such entry, or the data directory cannot be opened or read.
pub async fn approve(args: &args::Approve) -> anyhow::Result<Output> {
    let actor = actor(&args.actor)?;
    let system = System::open(&args.common).await?;
    let (ticket, entry) = find_entry(&system, &args.entry).await?;
    if entry.visibility != Visibility::Unverified {
        system.close().await;
        return Ok(Output::refused("the entry is not unverified"));
    }
    let mailbox = system.settings.mailboxes.by_id(&ticket.mailbox);
    let mailbox = mailbox.ok_or_else(|| anyhow!("mailbox {:?} is not configured any more", ticket.mailbox.as_str()))?;
    let change = system.store.approve(&entry, mailbox, actor, system.ambient.now()).await?;
    system.close().await;
    Ok(match change {
        Change::Made(ticket) if args.common.json => Output::ok(pretty(&ticket)?),
        Change::Made(ticket) => {
            Output::ok(format!("approved; its author may write on {} from now on\n", ticket.number))
        }
        Change::Refused(why) => Output::refused(&why),
    })
}

/// Reads TICKET/HASH, as `postern ticket` shows it.
pub(super) async fn find_entry(system: &System, text: &str) -> anyhow::Result<(Ticket, Entry)> {
    let parts = text.split_once('/');
    let (ticket, hash) =
        parts.ok_or_else(|| usage(format!("{text:?} is no entry: use TICKET/HASH as `postern ticket` shows it")))?;
    let ticket = find_ticket(system, ticket).await?;
    let mut wanted = system.store.entries(ticket.ticket_id).await?;
    wanted.retain(|entry| named(entry, hash));
    match wanted.pop() {
        None => Err(not_found(format!("{} has no entry {hash}", ticket.number))),
        Some(one) if wanted.is_empty() => Ok((ticket, one)),
        Some(_) => Err(usage(format!("{hash} names several entries of {}; use more of it", ticket.number))),
    }
}

/// The hash part of an entry's sort key, or the whole key.
fn named(entry: &Entry, text: &str) -> bool {
    let hash = entry.entry.rsplit('#').next().unwrap_or_default();
    entry.entry == text || (text.len() >= 4 && hash.starts_with(text))
}

/// Prints a signed reply address or Message-ID.
///
/// # Errors
/// No such ticket, or the mailbox writes no tags.
pub async fn token(args: &args::Token) -> anyhow::Result<Output> {
    let system = System::open(&args.common).await?;
    let ticket = find_ticket(&system, &args.ticket).await?;
    let mailbox = system.settings.mailboxes.by_id(&ticket.mailbox);
    let mailbox = mailbox.ok_or_else(|| anyhow!("mailbox {:?} is not configured any more", ticket.mailbox.as_str()))?;
    let keyring = &system.ingest().await?.keyring;
    let (name, token) = if args.message_id {
        let entry = format!("{:012x}", system.ambient.entropy() & 0xffff_ffff_ffff);
        let id = keyring.message_id(mailbox, ticket.ticket_id, &entry);
        ("message_id", id.map(|id| format!("<{id}>")))
    } else if args.separator {
        let token = keyring.separator(mailbox, ticket.ticket_id);
        ("separator", token.map(|token| separator::line(&token)))
    } else {
        ("reply_address", keyring.reply_address(mailbox, ticket.ticket_id).map(|address| address.to_string()))
    };
    system.close().await;
    let token = token.ok_or_else(|| anyhow!("mailbox {:?} writes no reply tags", ticket.mailbox.as_str()))?;
    Ok(Output::ok(if args.common.json {
        pretty(&json!({ "ticket_number": ticket.number, name: token }))?
    } else {
        format!("{token}\n")
    }))
}
