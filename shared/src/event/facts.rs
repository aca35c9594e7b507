//! What events say of tickets, entries, mail and doors: every list and text with its cap.

use jiff::Timestamp;
use serde::Serialize;

use super::{word, words};
use crate::{
    address::AddrSpec,
    classify::Kind,
    records::{Cause, Effect, Outcome},
    ticket::{Entry, Participant, SUBJECT_OCTETS_MAX, Status, Ticket, Visibility, cut_at},
};

/// A polled door that is paused.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DoorFacts {
    /// Its id.
    pub id: String,
    /// Host that refuses the login.
    pub host: String,
    /// Refused logins in a row.
    pub refused: u32,
}

/// Somebody, as events name people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Person {
    /// Comparable address.
    pub address: AddrSpec,
    /// Display name as last seen.
    pub name: Option<String>,
}

/// A ticket, as events show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TicketFacts {
    /// The ordinal: identifies.
    pub id: u64,
    /// The public number.
    pub number: String,
    /// Where it stands now.
    pub status: Status,
    /// Where it waits.
    pub queue: String,
    /// Mailbox that opened it.
    pub mailbox: String,
    /// `incident`, `change`, ...
    #[serde(rename = "type")]
    pub ticket_type: String,
    /// `normal` unless a rule says otherwise.
    pub priority: String,
    /// Subject of the opening mail.
    pub subject: String,
    /// Who asked; null where From named nobody or several.
    pub requester: Option<Person>,
}

/// An entry, as events show it: never its text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EntryFacts {
    /// Its sort key: identifies it on its ticket.
    pub id: String,
    /// Canonical Message-ID of the mail.
    pub message_id: Option<String>,
    /// Who may see it.
    pub visibility: Visibility,
    /// Kind of mail.
    pub kind: Kind,
    /// Who wrote it, as the mail says; null where From named nobody or several.
    pub author: Option<Person>,
    /// What it did; null on entries older than this field.
    pub effect: Option<Effect>,
    /// Attachments, refused ones included.
    pub attachments: u64,
    /// What agents should know.
    pub flags: Vec<String>,
    /// When the transport took the mail.
    pub received_at: Timestamp,
    /// What the log lines about its delivery have in common; null on entries older than this field.
    pub trace_id: Option<String>,
}

/// A change of status.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangeFacts {
    /// Before.
    pub from: Status,
    /// After.
    pub to: Status,
    /// Who did it; `mail` where a mail did.
    pub actor: String,
}

/// A mail that reached no ticket.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MailFacts {
    /// `<hash>/<mailbox>`: the id of the ledger row.
    pub inbound_id: String,
    /// `held` or `failed`.
    pub outcome: Outcome,
    /// Why, as one slug.
    pub cause: Option<Cause>,
    /// Why, as slugs.
    pub reasons: Vec<String>,
    /// Mailbox; null where none could be chosen.
    pub mailbox: Option<String>,
    /// Which door.
    pub door: String,
    /// When the transport took the mail.
    pub received_at: Timestamp,
    /// When it is removed; null = never.
    pub expires_at: Option<Timestamp>,
    /// What the log lines about its delivery have in common.
    pub trace_id: String,
}

impl TicketFacts {
    pub(super) fn of(ticket: &Ticket) -> Self {
        Self {
            id: ticket.ticket_id,
            number: word(&ticket.number),
            status: ticket.status,
            queue: word(&ticket.queue),
            mailbox: ticket.mailbox.as_str().to_owned(),
            ticket_type: word(&ticket.ticket_type),
            priority: word(&ticket.priority),
            subject: cut_at(&ticket.subject, SUBJECT_OCTETS_MAX).to_owned(),
            requester: ticket.requester.as_ref().map(person),
        }
    }
}

impl EntryFacts {
    pub(super) fn of(entry: &Entry) -> Self {
        Self {
            id: entry.entry.clone(),
            message_id: entry.message_id.as_deref().map(|id| cut_at(id, SUBJECT_OCTETS_MAX).to_owned()),
            visibility: entry.visibility,
            kind: entry.kind,
            author: entry.author.as_ref().map(person),
            effect: entry.effect,
            attachments: (entry.attachments.len() as u64).saturating_add(entry.attachments_more),
            flags: words(&entry.flags),
            received_at: entry.at,
            trace_id: entry.trace_id.clone(),
        }
    }
}

fn person(of: &Participant) -> Person {
    Person { address: of.address.clone(), name: of.name.as_deref().map(word) }
}
