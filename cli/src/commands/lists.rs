//! `tickets`, `ticket`, `mail`.

use std::collections::BTreeSet;

use postern::{
    blobs::BlobError,
    mailbox::Mailbox,
    records::{LedgerRow, Outcome},
    store::{StoreError, TicketFilter, desk::Change},
    ticket::Status,
};
use serde_json::json;

use super::{Output, attention, desk::actor, find_mail, find_ticket, pretty, usage};
use crate::{args, show, system::System};

fn status(text: &str) -> anyhow::Result<Status> {
    let words = || Status::ALL.map(Status::as_str).join(", ");
    Status::parse(text).ok_or_else(|| usage(format!("{text:?} is no status; there are {}", words())))
}

/// Lists tickets, or says which number the next one gets.
///
/// # Errors
/// Wrong usage, or the data directory cannot be opened or read.
pub async fn tickets(args: &args::Tickets) -> anyhow::Result<Output> {
    if let Some(next) = args.next_number {
        return next_number(args, next).await;
    }
    let statuses = match &args.status {
        Some(text) => vec![status(text)?],
        None => Status::ALL.to_vec(),
    };
    let system = System::open(&args.common).await?;
    let queues = |mailbox: &Mailbox| -> Vec<String> {
        std::iter::once(mailbox.queue.as_str()).chain(mailbox.rules.queues()).map(str::to_owned).collect()
    };
    let queues: BTreeSet<String> = system.settings.mailboxes.iter().flat_map(queues).collect();
    let filter = TicketFilter { queues: &queues, statuses: &statuses, limit: args.limit };
    let lines = system.store.tickets(&filter).await?;
    let waiting = attention(&system).await?;
    system.close().await;
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
    let actor = actor(&args.actor)?;
    let system = System::open(&args.common).await?;
    let mut ticket = find_ticket(&system, &args.ticket).await?;
    if let Some(to) = to {
        let now = system.ambient.now();
        match system.store.set_status(ticket.ticket_id, to, actor, now).await? {
            Change::Made(after) => ticket = after,
            Change::Refused(why) => {
                system.close().await;
                return Ok(Output::refused(&why));
            }
        }
    }
    let entries = system.store.entries(ticket.ticket_id).await?;
    let acts = system.store.acts(ticket.ticket_id).await?;
    let waiting = attention(&system).await?;
    system.close().await;
    Ok(Output::ok(if args.common.json {
        pretty(&json!({ "ticket": ticket, "entries": entries, "acts": acts, "attention": waiting }))?
    } else {
        show::conversation(&ticket, &entries) + &show::acts(&acts) + &show::attention(waiting)
    }))
}

/// Sets the number that the next ticket gets; the same number again changes nothing.
async fn next_number(args: &args::Tickets, next: u64) -> anyhow::Result<Output> {
    let system = System::open(&args.common).await?;
    let set = match system.store.set_next_ordinal(next).await {
        Err(StoreError::Refused) => system.store.last_ordinal().await.map(|last| last.saturating_add(1)),
        set => set.map(|()| next),
    };
    system.close().await;
    let found = set?;
    if found > next {
        let why = format!(
            "{} is the last number given, so the next ticket gets {found}; numbers never go backwards",
            found - 1
        );
        return Ok(Output::refused(&why));
    }
    Ok(Output::ok(if args.common.json {
        pretty(&json!({ "next_number": next }))?
    } else {
        format!("the next ticket gets the number {next}\n")
    }))
}

/// What the raw mail of a row says today: its HTML made safe, or all of it.
async fn from_raw(system: &System, row: &LedgerRow, html: bool) -> anyhow::Result<Output> {
    let raw = match system.blobs()?.get(&row.raw_key).await {
        Ok(raw) => raw,
        Err(BlobError::Missing(key)) => return Ok(Output::refused(&format!("there is no mail at {key}"))),
        Err(error) => return Err(error.into()),
    };
    if !html {
        return Ok(Output::ok(pretty(&postern::inspect::inspect(&raw, true))?));
    }
    let parsed = postern::parse::parse(&raw, &postern::headers::scan(&raw));
    Ok(match postern::parse::sanitised_html(&parsed) {
        Some(safe) => Output::ok(safe + "\n"),
        None => Output::refused("the mail has no HTML; `--inspect` prints its text"),
    })
}

/// Lists the ledger, or shows one mail in full.
///
/// # Errors
/// No such mail, or the data directory cannot be opened or read.
pub async fn mail(args: &args::Mail) -> anyhow::Result<Output> {
    let system = System::open(&args.common).await?;
    if let Some(text) = &args.id {
        let (id, row) = find_mail(&system, text).await?;
        if args.html || args.inspect {
            let read = from_raw(&system, &row, args.html).await;
            system.close().await;
            return read;
        }
        system.close().await;
        return Ok(Output::ok(if args.common.json {
            let mut value = json!(row);
            if let Some(object) = value.as_object_mut() {
                object.insert("id".to_owned(), json!(id.to_string()));
                object.insert("trace_id".to_owned(), json!(row.trace_id()));
            }
            pretty(&value)?
        } else {
            show::mail_in_full(&id, &row)
        }));
    }
    let now = system.ambient.now();
    let lines = system.store.ledger(now, args.days, &Outcome::ALL, args.limit).await?;
    let waiting = attention(&system).await?;
    system.close().await;
    Ok(Output::ok(if args.common.json {
        pretty(&json!({ "mail": lines, "attention": waiting }))?
    } else {
        show::ledger(&lines, args.days) + &show::attention(waiting)
    }))
}
