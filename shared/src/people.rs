//! What a person may ask of a desk: everything that is kept of him, and that it is erased.
//!
//! Erased are the raw mails, what was made from them, the words and names on entries, tickets and ledger rows, and what
//! is remembered of the address. What is left names nobody and keeps its use: a hash of each Message-ID, so that a copy
//! that comes late is still a duplicate; the row of each copy with its outcome; the ticket's number and times. What others
//! quoted of him stays in their mail.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

use crate::{
    address::AddrSpec,
    blobs::{BlobError, Blobs},
    records::{Cause, LedgerRow, Outcome, Requester},
    store::{LedgerId, Store, StoreError},
    ticket::{Act, Entry, Ticket},
};

/// Tries of an erasure that others overtake.
const ROUNDS_MAX: usize = 5;
/// What stands where a subject stood.
const ERASED: &str = "(erased)";

/// Why it could not be done, wholly. What is done stays done: it can be asked again.
#[derive(Debug, Error)]
pub enum PeopleError {
    /// Table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Bucket.
    #[error(transparent)]
    Blobs(#[from] BlobError),
}

/// Everything that is kept of an address.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Everything {
    /// By scope, what is remembered.
    pub remembered: BTreeMap<String, Requester>,
    /// Tickets that were opened for it, or on which it wrote.
    pub tickets: Vec<Ticket>,
    /// Its entries.
    pub entries: Vec<Entry>,
    /// What people did about it, on the audit trails of tickets.
    pub acts: Vec<Act>,
    /// Copies of its mail, by their ledger id.
    pub mails: BTreeMap<String, LedgerRow>,
}

/// How much was erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// Tickets that named it.
    pub tickets: usize,
    /// Entries.
    pub entries: usize,
    /// Copies of mail.
    pub mails: usize,
    /// Objects in the bucket.
    pub objects: usize,
}

/// Gathers everything that is kept of an address in these scopes.
///
/// # Errors
/// Table.
pub async fn everything(
    store: &Store,
    scopes: &BTreeSet<String>,
    address: &AddrSpec,
) -> Result<Everything, StoreError> {
    let mut found = Everything::default();
    for scope in scopes {
        let remembered = store.requester(scope, address).await?;
        found.remembered.extend(remembered.map(|row| (scope.clone(), row)));
    }
    let traces = store.traces(address).await?;
    let mut tickets = traces.tickets;
    for id in traces.mails {
        let Some(row) = store.ledger_row(&id).await? else { continue };
        tickets.extend(row.ticket);
        found.mails.insert(id.to_string(), row);
    }
    // Who takes part goes along when a ticket is merged or followed up; there nothing else may name him.
    let mut seen = BTreeSet::new();
    while let Some(ordinal) = tickets.pop_first() {
        let true = seen.insert(ordinal) else { continue };
        let Some(ticket) = store.ticket(ordinal).await? else { continue };
        tickets.extend(ticket.merged_into.iter().chain(&ticket.followed_by));
        let own = |entry: &Entry| entry.author.as_ref().is_some_and(|author| author.address == *address);
        found.entries.extend(store.entries(ordinal).await?.into_iter().filter(own));
        let about = |act: &Act| act.about == address.as_str();
        found.acts.extend(store.acts(ordinal).await?.into_iter().filter(about));
        let named = ticket.participants.iter().chain(&ticket.requester).any(|p| p.address == *address);
        found.tickets.extend(Some(ticket).filter(|_| named));
    }
    Ok(found)
}

/// Erases everything that is kept of an address. Told twice, it does what is left to do.
///
/// # Errors
/// Table or bucket; ask again.
pub async fn erase(
    store: &Store,
    blobs: &Blobs,
    (scopes, address): (&BTreeSet<String>, &AddrSpec),
    actor: &str,
    now: Timestamp,
) -> Result<Erased, PeopleError> {
    let found = everything(store, scopes, address).await?;
    let mut erased = Erased::default();
    // Objects first, the rows that lead to them last: what breaks off is found again.
    for entry in &found.entries {
        let files: Vec<String> = entry.attachments.iter().filter_map(|file| file.key.clone()).collect();
        erased.objects += blobs.delete(&files).await?;
        erased.objects += blobs.delete_mail(&entry.raw_key).await?;
        store.erase_entry(entry).await?;
        erased.entries += 1;
    }
    for act in &found.acts {
        store.erase_act(act, ERASED).await?;
    }
    for ticket in &found.tickets {
        from_ticket(store, ticket.ticket_id, address).await?;
        erased.tickets += 1;
    }
    for (id, row) in &found.mails {
        let Some(id) = LedgerId::parse(id) else { continue };
        erased.objects += blobs.delete_mail(&row.raw_key).await?;
        match store.erase_mail(&id, row, &what_is_left(row, actor, now)).await {
            // Released or decided meanwhile: its entry is found when it is asked again.
            Ok(()) | Err(StoreError::Refused) => erased.mails += 1,
            Err(error) => return Err(error.into()),
        }
    }
    for scope in found.remembered.keys() {
        store.erase_requester(scope, address, actor, now).await?;
    }
    Ok(erased)
}

async fn from_ticket(store: &Store, ordinal: u64, address: &AddrSpec) -> Result<(), StoreError> {
    for _ in 0..ROUNDS_MAX {
        let Some(before) = store.ticket(ordinal).await? else { return Ok(()) };
        let mut after = before.clone();
        after.participants.retain(|p| p.address != *address);
        if after.requester.as_ref().is_some_and(|requester| requester.address == *address) {
            after.requester = None;
            after.subject = ERASED.to_owned();
        }
        if after == before {
            return Ok(());
        }
        match store.erase_from_ticket(&before, &after).await {
            Err(StoreError::Refused) => {}
            ended => return ended,
        }
    }
    Err(StoreError::Refused)
}

/// A row without words, names and addresses. Mail that waited for somebody waits no more: its octets are gone.
fn what_is_left(row: &LedgerRow, actor: &str, now: Timestamp) -> LedgerRow {
    let waits = row.outcome.needs_attention();
    LedgerRow {
        outcome: if waits { Outcome::Ignored } else { row.outcome },
        cause: if waits { Some(Cause::Erased) } else { row.cause },
        evidence: Vec::new(),
        clues: Vec::new(),
        clues_more: 0,
        author: None,
        author_key: None,
        subject: ERASED.to_owned(),
        accept: None,
        actor: Some(actor.to_owned()),
        ended_at: now,
        ..row.clone()
    }
}
