//! `tickets`, `ticket`, `mail`.

use std::collections::BTreeSet;

use postern::{
    records::Outcome,
    store::{TicketFilter, desk::Change},
    ticket::Status,
};
use serde_json::json;

use super::{Output, attention, desk::ACTOR, find_mail, find_ticket, pretty, usage};
use crate::{args, local::Local, show};

fn status(text: &str) -> anyhow::Result<Status> {
    let words = || Status::ALL.map(Status::as_str).join(", ");
    Status::parse(text).ok_or_else(|| usage(format!("{text:?} is no status; there are {}", words())))
}

/// Lists tickets.
///
/// # Errors
/// Wrong usage, or the data directory cannot be opened or read.
pub async fn tickets(args: &args::Tickets) -> anyhow::Result<Output> {
    let statuses = match &args.status {
        Some(text) => vec![status(text)?],
        None => Status::ALL.to_vec(),
    };
    let local = Local::existing(&args.common.data).await?;
    let queues: BTreeSet<String> = local.ingest.mailboxes.iter().map(|mailbox| mailbox.queue.clone()).collect();
    let filter = TicketFilter { queues: &queues, statuses: &statuses, limit: args.limit };
    let lines = local.ingest.store.tickets(&filter).await?;
    let waiting = attention(&local).await?;
    local.close().await;
    Ok(Output::ok(if args.common.json {
        pretty(&json!({ "tickets": lines, "attention": waiting }))?
    } else {
        show::tickets(&lines) + &show::attention(waiting)
    }))
}

/// Shows a ticket, after setting its status where that is asked for.
///
/// # Errors
/// No such ticket, wrong usage, or the data directory cannot be opened or read.
pub async fn ticket(args: &args::Ticket) -> anyhow::Result<Output> {
    let to = args.status.as_deref().map(status).transpose()?;
    let local = Local::existing(&args.common.data).await?;
    let mut ticket = find_ticket(&local, &args.ticket).await?;
    if let Some(to) = to {
        let now = local.ingest.ambient.now();
        match local.ingest.store.set_status(ticket.ticket_id, to, ACTOR, now).await? {
            Change::Made(after) => ticket = after,
            Change::Refused(why) => {
                local.close().await;
                return Ok(Output::refused(&why));
            }
        }
    }
    let entries = local.ingest.store.entries(ticket.ticket_id).await?;
    let waiting = attention(&local).await?;
    local.close().await;
    Ok(Output::ok(if args.common.json {
        pretty(&json!({ "ticket": ticket, "entries": entries, "attention": waiting }))?
    } else {
        show::conversation(&ticket, &entries) + &show::attention(waiting)
    }))
}

/// Lists the ledger, or shows one mail in full.
///
/// # Errors
/// No such mail, or the data directory cannot be opened or read.
pub async fn mail(args: &args::Mail) -> anyhow::Result<Output> {
    let local = Local::existing(&args.common.data).await?;
    if let Some(text) = &args.id {
        let (id, row) = find_mail(&local, text).await?;
        local.close().await;
        return Ok(Output::ok(if args.common.json {
            let mut value = json!(row);
            if let Some(object) = value.as_object_mut() {
                object.insert("id".to_owned(), json!(id.to_string()));
            }
            pretty(&value)?
        } else {
            show::mail_in_full(&id, &row)
        }));
    }
    let now = local.ingest.ambient.now();
    let lines = local.ingest.store.ledger(now, args.days, &Outcome::ALL, args.limit).await?;
    let waiting = attention(&local).await?;
    local.close().await;
    Ok(Output::ok(if args.common.json {
        pretty(&json!({ "mail": lines, "attention": waiting }))?
    } else {
        show::ledger(&lines, args.days) + &show::attention(waiting)
    }))
}
