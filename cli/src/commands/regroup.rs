//! `merge`, `split`: what belongs together.

use anyhow::anyhow;
use postern::store::desk::Change;

use super::{
    Output,
    desk::{actor, find_entry},
    find_ticket, pretty,
};
use crate::{args, system::System};

/// Merges a ticket into another.
///
/// # Errors
/// No such ticket, or the data directory or stack cannot be opened or read.
pub async fn merge(args: &args::Merge) -> anyhow::Result<Output> {
    let actor = actor(&args.actor)?;
    let system = System::open(&args.common).await?;
    let source = find_ticket(&system, &args.source).await?;
    let target = find_ticket(&system, &args.target).await?;
    let change = system.store.merge(source.ticket_id, target.ticket_id, actor, system.ambient.now()).await?;
    system.close().await;
    Ok(match change {
        Change::Made(ticket) if args.common.json => Output::ok(pretty(&ticket)?),
        Change::Made(ticket) => {
            let (source, target) = (&source.number, &ticket.number);
            Output::ok(format!("{source} is merged into {target}, which takes its mail from now on\n"))
        }
        Change::Refused(why) => Output::refused(&why),
    })
}

/// Moves an entry to another ticket.
///
/// # Errors
/// No such entry or ticket, or the data directory or stack cannot be opened or read.
pub async fn split(args: &args::Split) -> anyhow::Result<Output> {
    let actor = actor(&args.actor)?;
    let system = System::open(&args.common).await?;
    let (source, entry) = find_entry(&system, &args.entry).await?;
    let to = match &args.to {
        Some(text) => Some(find_ticket(&system, text).await?.ticket_id),
        None => None,
    };
    let mailbox = system.settings.mailboxes.by_id(&source.mailbox);
    let mailbox = mailbox.ok_or_else(|| anyhow!("mailbox {:?} is not configured any more", source.mailbox.as_str()))?;
    let change = system.store.split(&entry, to, mailbox, actor, system.ambient.now()).await?;
    system.close().await;
    Ok(match change {
        Change::Made(ticket) if args.common.json => Output::ok(pretty(&ticket)?),
        Change::Made(ticket) => Output::ok(format!("moved to {}; replies to it go there from now on\n", ticket.number)),
        Change::Refused(why) => Output::refused(&why),
    })
}
