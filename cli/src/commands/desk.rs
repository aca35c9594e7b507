//! `hold`, `approve`, `token`: the way out of held, closed and unverified.

use anyhow::anyhow;
use postern::{
    ingest::Released,
    mailbox::MailboxId,
    records::Outcome,
    store::desk::Change,
    ticket::{Entry, Visibility},
};
use serde_json::json;

use super::{COUNTED_MAX, Output, attention, find_mail, find_ticket, not_found, pretty, usage};
use crate::{args, local::Local, show};

/// Who acts, in the audit trail of the local run.
pub(super) const ACTOR: &str = "cli";

/// Held mail: list, release, discard.
///
/// # Errors
/// No such mail, or the data directory cannot be opened or read.
pub async fn hold(args: &args::Hold) -> anyhow::Result<Output> {
    match &args.verb {
        args::HoldVerb::List { common } => {
            let local = Local::existing(&common.data).await?;
            let lines = local.ingest.store.attention(&[Outcome::Held], COUNTED_MAX).await?;
            let waiting = attention(&local).await?;
            local.close().await;
            Ok(Output::ok(if common.json {
                pretty(&json!({ "mail": lines, "attention": waiting }))?
            } else if lines.is_empty() {
                "no mail is held\n".to_owned() + &show::attention(waiting)
            } else {
                show::ledger(&lines, 0) + &show::attention(waiting)
            }))
        }
        args::HoldVerb::Release { id, mailbox, common } => {
            let mailbox = mailbox.as_deref().map(|text| {
                MailboxId::parse(text).ok_or_else(|| usage(format!("--mailbox {text:?} is no mailbox id")))
            });
            let mailbox = mailbox.transpose()?;
            let local = Local::existing(&common.data).await?;
            let (id, _) = find_mail(&local, id).await?;
            let released = local.ingest.release(&id, mailbox.as_ref(), ACTOR).await?;
            local.close().await;
            match released {
                Released::Done(answer) => Ok(Output::ok(show::answer(&answer, "released", common.json)?)),
                Released::Refused(why) => Ok(Output::refused(&why)),
            }
        }
        args::HoldVerb::Discard { id, common } => {
            let local = Local::existing(&common.data).await?;
            let (id, _) = find_mail(&local, id).await?;
            let change = local.ingest.store.discard(&id, ACTOR, local.ingest.ambient.now()).await?;
            local.close().await;
            match change {
                Change::Made(row) if common.json => Ok(Output::ok(pretty(&row)?)),
                Change::Made(_) => Ok(Output::ok(format!("discarded {id}; the raw octets are kept\n"))),
                Change::Refused(why) => Ok(Output::refused(&why)),
            }
        }
    }
}

/// Approves an unverified entry.
///
/// # Errors
/// No such entry, or the data directory cannot be opened or read.
pub async fn approve(args: &args::Approve) -> anyhow::Result<Output> {
    let local = Local::existing(&args.common.data).await?;
    let (ticket, hash) = args
        .entry
        .split_once('/')
        .ok_or_else(|| usage(format!("{:?} is no entry: use TICKET/HASH as `postern ticket` shows it", args.entry)))?;
    let ticket = find_ticket(&local, ticket).await?;
    let entries = local.ingest.store.entries(ticket.ticket_id).await?;
    let wanted: Vec<&Entry> = entries.iter().filter(|entry| named(entry, hash)).collect();
    let entry = match wanted.as_slice() {
        [] => return Err(not_found(format!("{} has no entry {hash}", ticket.number))),
        [one] => *one,
        _ => return Err(usage(format!("{hash} names several entries of {}; use more of it", ticket.number))),
    };
    if entry.visibility != Visibility::Unverified {
        local.close().await;
        return Ok(Output::refused("the entry is not unverified"));
    }
    let mailbox = local.ingest.mailboxes.by_id(&ticket.mailbox);
    let mailbox = mailbox.ok_or_else(|| anyhow!("mailbox {:?} is not configured any more", ticket.mailbox.as_str()))?;
    let change = local.ingest.store.approve(entry, mailbox, ACTOR, local.ingest.ambient.now()).await?;
    local.close().await;
    Ok(match change {
        Change::Made(ticket) if args.common.json => Output::ok(pretty(&ticket)?),
        Change::Made(ticket) => {
            Output::ok(format!("approved; its author may write on {} from now on\n", ticket.number))
        }
        Change::Refused(why) => Output::refused(&why),
    })
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
    let local = Local::existing(&args.common.data).await?;
    let ticket = find_ticket(&local, &args.ticket).await?;
    let mailbox = local.ingest.mailboxes.by_id(&ticket.mailbox);
    let mailbox = mailbox.ok_or_else(|| anyhow!("mailbox {:?} is not configured any more", ticket.mailbox.as_str()))?;
    let keyring = &local.ingest.keyring;
    let (name, token) = if args.message_id {
        let entry = format!("{:012x}", local.ingest.ambient.entropy() & 0xffff_ffff_ffff);
        let id = keyring.message_id(mailbox, ticket.ticket_id, &entry);
        ("message_id", id.map(|id| format!("<{id}>")))
    } else {
        ("reply_address", keyring.reply_address(mailbox, ticket.ticket_id).map(|address| address.to_string()))
    };
    local.close().await;
    let token = token.ok_or_else(|| anyhow!("mailbox {:?} writes no reply tags", ticket.mailbox.as_str()))?;
    Ok(Output::ok(if args.common.json {
        pretty(&json!({ "ticket_number": ticket.number, name: token }))?
    } else {
        format!("{token}\n")
    }))
}
