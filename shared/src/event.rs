//! What others are told of tickets and mail: from a stored item to versioned events (`docs/EVENTS.md`).
//!
//! Pure: the same item gives the same events with the same ids, however often it is told. No text of a mail, no name of
//! an attachment and no octets are ever in an event; every list and text has a cap, so that ten events stay far below
//! the 256 KiB that SNS takes at once (Amazon SNS API Reference, PublishBatch).

mod facts;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

pub use self::facts::{ChangeFacts, DoorFacts, EntryFacts, MailFacts, Person, TicketFacts};
use crate::{
    digest::sha256_parts,
    records::{Effect, LedgerRow, Outcome, PolledDoor},
    retention::TOLD_BEFORE_SECONDS,
    ticket::{Entry, Status, StatusChange, Ticket, cut_at},
};

/// Version of the form of events. A field may be added within a version; one that goes or changes its meaning makes
/// the next.
pub const VERSION: u32 = 1;
/// Reasons or flags listed in one event.
const LISTED_MAX: usize = 20;
/// Octets of one word: a reason, a flag, a name, an actor.
const WORD_OCTETS_MAX: usize = 128;

/// What is due to be told, as read from the table.
#[derive(Clone, Debug, PartialEq)]
pub enum Due {
    /// An entry and its ticket as it is now.
    Entry(Box<Entry>, Box<Ticket>),
    /// A change of status and its ticket as it is now.
    Change(Box<StatusChange>, Box<Ticket>),
    /// A held or failed ledger row under its id, `<hash>/<mailbox>`.
    Mail(String, Box<LedgerRow>),
    /// A polled door that is paused.
    Door(Box<PolledDoor>),
}

/// The kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum EventType {
    /// A mail opened a ticket.
    #[serde(rename = "ticket.created")]
    TicketCreated,
    /// A mail was added to a ticket, the opening one included.
    #[serde(rename = "entry.created")]
    EntryCreated,
    /// A mail opened a ticket again.
    #[serde(rename = "ticket.reopened")]
    TicketReopened,
    /// A ticket's status changed, by mail or by an agent.
    #[serde(rename = "ticket.status_changed")]
    TicketStatusChanged,
    /// A mail is held, with a cause.
    #[serde(rename = "message.held")]
    MessageHeld,
    /// Held or failed mail is removed within a week.
    #[serde(rename = "message.expiring")]
    MessageExpiring,
    /// A mail could not be processed, with a cause.
    #[serde(rename = "message.failed")]
    MessageFailed,
    /// A polled door is paused: its credentials were refused.
    #[serde(rename = "door.paused")]
    DoorPaused,
}

impl EventType {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::TicketCreated,
        Self::EntryCreated,
        Self::TicketReopened,
        Self::TicketStatusChanged,
        Self::MessageHeld,
        Self::MessageExpiring,
        Self::MessageFailed,
        Self::DoorPaused,
    ];

    /// The word in the event and in its attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TicketCreated => "ticket.created",
            Self::EntryCreated => "entry.created",
            Self::TicketReopened => "ticket.reopened",
            Self::TicketStatusChanged => "ticket.status_changed",
            Self::MessageHeld => "message.held",
            Self::MessageExpiring => "message.expiring",
            Self::MessageFailed => "message.failed",
            Self::DoorPaused => "door.paused",
        }
    }
}

/// One event. Sections that do not apply are left out; within a section every field is there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// [`VERSION`].
    pub version: u32,
    /// The same for the same happening, however often it is told: consumers drop ids they know.
    pub id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// When it was committed, by our clock.
    pub occurred_at: Timestamp,
    /// The ticket as it was when the event was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<TicketFacts>,
    /// The entry, where a mail did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<EntryFacts>,
    /// The change of status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeFacts>,
    /// The mail, where it reached no ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<MailFacts>,
    /// The door, where it is one's own trouble.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub door: Option<DoorFacts>,
}

impl Due {
    /// The trace id of the mail that it is about, where it is about one.
    #[must_use]
    pub fn trace_id(&self) -> Option<String> {
        match self {
            Self::Entry(entry, _) => entry.trace_id.clone(),
            Self::Mail(_, row) => Some(row.trace_id()),
            Self::Change(..) | Self::Door(_) => None,
        }
    }
}

impl Event {
    /// The JSON that is sent.
    #[must_use]
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        // Two code points that XML, and so SNS, cannot carry; outside a JSON string they cannot stand.
        json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
    }

    /// What filter policies look at: `type`, and `queue` and `mailbox` where they are known (SNS refuses empty ones).
    #[must_use]
    pub fn attributes(&self) -> Vec<(&'static str, &str)> {
        let ticket = self.ticket.as_ref();
        let queue = ticket.map(|ticket| ticket.queue.as_str());
        let mailbox = ticket.map(|ticket| ticket.mailbox.as_str());
        let mailbox = mailbox.or_else(|| self.mail.as_ref()?.mailbox.as_deref());
        let known = [("type", Some(self.event_type.as_str())), ("queue", queue), ("mailbox", mailbox)];
        known.into_iter().filter_map(|(name, value)| Some((name, value.filter(|v| !v.is_empty())?))).collect()
    }
}

/// The events of an item, in the order in which they are told.
#[must_use]
pub fn of(due: &Due) -> Vec<Event> {
    match due {
        Due::Entry(entry, ticket) => of_entry(entry, ticket),
        Due::Change(change, ticket) => vec![of_change(change, ticket)],
        Due::Mail(id, row) => of_mail(id, row).into_iter().collect(),
        Due::Door(door) => of_door(door).into_iter().collect(),
    }
}

fn of_entry(entry: &Entry, ticket: &Ticket) -> Vec<Event> {
    let item = [entry.ticket.to_string(), entry.entry.clone()];
    // A mail changes a status in two ways: it opens (DESIGN section 5), or it tells of a recovery.
    let to = if entry.effect == Some(Effect::Reopened) { Status::Open } else { Status::Resolved };
    let change = entry.previous_status.map(|from| ChangeFacts { from, to, actor: "mail".to_owned() });
    let event = |event_type, change| Event {
        ticket: Some(TicketFacts::of(ticket)),
        entry: Some(EntryFacts::of(entry)),
        change,
        ..bare(event_type, &item, entry.committed_at.unwrap_or(entry.at))
    };
    let mut events = Vec::new();
    if entry.effect == Some(Effect::Created) {
        events.push(event(EventType::TicketCreated, None));
    }
    events.push(event(EventType::EntryCreated, None));
    if entry.effect == Some(Effect::Reopened) {
        events.push(event(EventType::TicketReopened, change.clone()));
    }
    if change.is_some() {
        events.push(event(EventType::TicketStatusChanged, change));
    }
    events
}

fn of_change(change: &StatusChange, ticket: &Ticket) -> Event {
    let facts = ChangeFacts { from: change.from, to: change.to, actor: word(&change.actor) };
    let item = [change.ticket.to_string(), change.change.clone()];
    Event {
        ticket: Some(TicketFacts::of(ticket)),
        change: Some(facts),
        ..bare(EventType::TicketStatusChanged, &item, change.at)
    }
}

/// How long before mail ends it is told.
const TOLD_BEFORE: SignedDuration = SignedDuration::from_secs(TOLD_BEFORE_SECONDS);

/// `None` where the row is neither held nor failed: nobody is told of the others.
fn of_mail(id: &str, row: &LedgerRow) -> Option<Event> {
    let event_type = match row.outcome {
        Outcome::Held | Outcome::Failed if row.warned => EventType::MessageExpiring,
        Outcome::Held => EventType::MessageHeld,
        Outcome::Failed => EventType::MessageFailed,
        Outcome::Queued | Outcome::Committed | Outcome::Duplicate | Outcome::Ignored => return None,
    };
    // The same row may fail, be redriven, and fail again: its end tells the two apart.
    let item = [id.to_owned(), row.ended_at.to_string()];
    let mail = MailFacts {
        inbound_id: id.to_owned(),
        outcome: row.outcome,
        cause: row.cause,
        reasons: words(&row.reasons),
        mailbox: Some(row.mailbox.clone()).filter(|mailbox| mailbox != "-"),
        door: word(&row.ingress.door),
        received_at: row.received_at,
        expires_at: row.expires_at.and_then(|end| Timestamp::from_second(end).ok()),
        trace_id: row.trace_id(),
    };
    let week_before = mail.expires_at.and_then(|end| end.checked_sub(TOLD_BEFORE).ok());
    let occurred_at = week_before.filter(|_| event_type == EventType::MessageExpiring).unwrap_or(row.ended_at);
    Some(Event { mail: Some(mail), ..bare(event_type, &item, occurred_at) })
}

/// `None` where it goes on again.
fn of_door(door: &PolledDoor) -> Option<Event> {
    let paused_at = door.paused_at?;
    let facts = DoorFacts { id: word(&door.door), host: word(&door.host), refused: door.refused };
    let item = [door.door.clone(), paused_at.to_string()];
    Some(Event { door: Some(facts), ..bare(EventType::DoorPaused, &item, paused_at) })
}

fn bare(event_type: EventType, item: &[String; 2], occurred_at: Timestamp) -> Event {
    let [of, key] = item;
    let id = sha256_parts(&[b"event", event_type.as_str().as_bytes(), of.as_bytes(), key.as_bytes()]);
    Event {
        version: VERSION,
        id,
        event_type,
        occurred_at,
        ticket: None,
        entry: None,
        change: None,
        mail: None,
        door: None,
    }
}

fn word(text: &str) -> String {
    cut_at(text, WORD_OCTETS_MAX).to_owned()
}

fn words(list: &[String]) -> Vec<String> {
    list.iter().take(LISTED_MAX).map(|text| word(text)).collect()
}
