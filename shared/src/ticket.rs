//! Tickets and entries: the helpdesk's side of the vocabulary, and the one table of status transitions.

mod audit;
mod lifecycle;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

pub use self::{
    audit::{Act, Deed, StatusChange},
    lifecycle::{Event, Next, ReplyEffect},
};
use crate::{address::AddrSpec, classify::Kind, headers::TicketRef, mailbox::MailboxId, parse::Role, records::Effect};

/// Participants on one ticket (DESIGN section 4).
pub const PARTICIPANTS_MAX: usize = 200;
/// Participants taken from one mail.
pub const PARTICIPANTS_PER_MAIL_MAX: usize = 48;
/// Octets of a ticket's subject; RFC 5322 section 2.1.1 limits a line to 998.
pub const SUBJECT_OCTETS_MAX: usize = 998;
/// Octets of visible text kept on an entry; the whole text is in the raw.
pub const ENTRY_TEXT_OCTETS_MAX: usize = 32 * 1024;
/// Attachments listed on an entry; more are counted.
pub const ENTRY_ATTACHMENTS_MAX: usize = 200;
/// Names of an archive's files kept on an entry, each in at most 120 octets, so that 200 attachments stay below 400 KB.
pub const ATTACHMENT_CONTAINS_MAX: usize = 5;
/// Events listed on one entry, each in at most 998 octets.
pub const ENTRY_EVENTS_MAX: usize = 10;
/// Related tickets listed on a ticket.
pub const RELATED_MAX: usize = 50;

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has looked at it.
    New,
    /// An agent works on it, or the requester has answered.
    Open,
    /// Waits for the requester.
    Pending,
    /// Solved, as far as the agent knows.
    Resolved,
    /// Done; reopens only within the window.
    Closed,
}

impl Status {
    /// All statuses, in the order of their life.
    pub const ALL: [Self; 5] = [Self::New, Self::Open, Self::Pending, Self::Resolved, Self::Closed];

    /// The word used in JSON, in the table and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Open => "open",
            Self::Pending => "pending",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// Somebody who may write on a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Comparable address.
    pub address: AddrSpec,
    /// Display name as last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// May speak; everybody on the opening mail may.
    pub approved: bool,
}

/// The public form of a ticket's ordinal: `INC-00042` or `INC-2026-00042`.
#[must_use]
pub fn ticket_number(prefix: &str, year_in_number: bool, received: Timestamp, ordinal: u64) -> String {
    if year_in_number {
        let year = received.to_zoned(TimeZone::UTC).year();
        format!("{prefix}-{year}-{ordinal:05}")
    } else {
        format!("{prefix}-{ordinal:05}")
    }
}

/// True where a number read from a subject names this ticket, with or without its year.
#[must_use]
pub fn number_matches(number: &str, reference: &TicketRef) -> bool {
    let parts: Vec<&str> = number.split('-').collect();
    let (prefix, year, ordinal) = match parts.as_slice() {
        [prefix, year, ordinal] => (*prefix, year.parse::<i16>().ok(), *ordinal),
        [prefix, ordinal] => (*prefix, None, *ordinal),
        _ => return false,
    };
    prefix == reference.prefix
        && ordinal.parse() == Ok(reference.ordinal)
        && (reference.year.is_none() || reference.year == year)
}

/// A helpdesk case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The ordinal: identifies.
    pub ticket_id: u64,
    /// The public number: display only.
    pub number: String,
    /// Subject of the opening mail, cut at [`SUBJECT_OCTETS_MAX`].
    pub subject: String,
    /// Where it stands.
    pub status: Status,
    /// `normal` unless a rule says otherwise.
    pub priority: String,
    /// `incident`, `change`, ...
    #[serde(rename = "type")]
    pub ticket_type: String,
    /// Where it waits.
    pub queue: String,
    /// Mailbox that opened it.
    pub mailbox: MailboxId,
    /// Scope of that mailbox: who shares tickets.
    pub scope: String,
    /// `email`.
    pub source: String,
    /// Who asked; `None` where From named nobody or several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<Participant>,
    /// Who may write; holds the requester.
    pub participants: Vec<Participant>,
    /// Counts changes of `participants`, for conditions.
    pub participants_rev: u64,
    /// The requester is not a known contact.
    pub guest: bool,
    /// Free words.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Entries, unverified ones included.
    pub entry_count: u64,
    /// The last hour in which somebody wrote: hours since the epoch, of transport time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<i64>,
    /// Entries of that hour.
    #[serde(default)]
    pub hour_entries: u64,
    /// Time of the opening mail.
    pub created_at: Timestamp,
    /// Time of the newest entry or change.
    pub updated_at: Timestamp,
    /// Set while closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// Transport time of the newest mail with a merge key on it: an older one changes its status no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_at: Option<Timestamp>,
    /// UTC day that `reopens` counts on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened_on: Option<Date>,
    /// Times that mail reopened it, resolved or closed, on that day.
    #[serde(default)]
    pub reopens: u32,
    /// The ticket this one was merged into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<u64>,
    /// The follow-up that takes further replies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed_by: Option<u64>,
    /// The closed ticket this one follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<u64>,
    /// Tickets that belong to the same story.
    #[serde(default)]
    pub related_to: Vec<u64>,
}

impl Ticket {
    /// The hour that a time lies in, since the epoch.
    #[must_use]
    pub fn hour_of(at: Timestamp) -> i64 {
        at.as_second().div_euclid(3600)
    }

    /// Counts one more entry at that time. What is of an earlier hour came late, and is not counted.
    pub fn count_hour(&mut self, at: Timestamp) {
        let hour = Self::hour_of(at);
        match self.hour {
            Some(counted) if counted > hour => {}
            Some(counted) if counted == hour => self.hour_entries += 1,
            _ => (self.hour, self.hour_entries) = (Some(hour), 1),
        }
    }

    /// The participant with that address; else the one whose address it is but for a `+` tag.
    #[must_use]
    pub fn participant(&self, author: &AddrSpec) -> Option<&Participant> {
        let by_tag = || self.participants.iter().find(|p| p.address.untagged() == author.untagged());
        self.participants.iter().find(|p| p.address == *author).or_else(by_tag)
    }
}

/// Which way an entry went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Towards us.
    In,
    /// From us.
    Out,
}

/// Who may see an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// The requester too.
    Public,
    /// Agents only: notes.
    Internal,
    /// Agents only, flagged: the author may not speak here, or failed authentication.
    Unverified,
}

/// An attachment as listed on an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentRef {
    /// Safe name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Declared type.
    pub content_type: String,
    /// Type by content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_type: Option<String>,
    /// Decoded octets.
    pub size: u64,
    /// SHA-256 of the decoded octets.
    pub sha256: String,
    /// Shown within the text.
    pub inline: bool,
    /// What a picture is for; a file where nothing is said.
    #[serde(default, skip_serializing_if = "Role::is_file")]
    pub role: Role,
    /// What agents should know: `archive-encrypted`, `archive-unreadable`, `type-differs`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// The first [`ATTACHMENT_CONTAINS_MAX`] names in an archive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contains: Vec<String>,
    /// Object key; `None` where it was refused (the octets are in the raw).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Why it was held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// One item on a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The ticket.
    pub ticket: u64,
    /// Its sort key: `ENTRY#<transport time>#<MSGID hash>`.
    pub entry: String,
    /// Which way it went.
    pub direction: Direction,
    /// Who may see it.
    pub visibility: Visibility,
    /// Who wrote it; `None` where From named nobody or several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Participant>,
    /// What the author newly wrote, cut at [`ENTRY_TEXT_OCTETS_MAX`].
    pub text: String,
    /// True where `text` was cut by its limit.
    #[serde(default)]
    pub text_cut: bool,
    /// At most [`ENTRY_ATTACHMENTS_MAX`].
    pub attachments: Vec<AttachmentRef>,
    /// Attachments beyond that.
    #[serde(default)]
    pub attachments_more: u64,
    /// A line for each event of its invitations, at most [`ENTRY_EVENTS_MAX`]; the `.ics` is an attachment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calendar: Vec<String>,
    /// Canonical Message-ID as received, at most 998 octets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Object key of the raw octets.
    pub raw_key: String,
    /// Trace id of the delivery that it came with; `None` on older rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Kind of mail.
    pub kind: Kind,
    /// `received`; later `sent`, `bounced`.
    pub state: String,
    /// What agents should know: `auth-unknown`, `author-unknown`, ...
    #[serde(default)]
    pub flags: Vec<String>,
    /// Transport time.
    pub at: Timestamp,
    /// Our clock at the commit, which may be hours after `at`; `None` on rows older than this field, as the next two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_at: Option<Timestamp>,
    /// What the mail did to the ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// The ticket's status before, where the mail changed it: to open by effect `reopened`, else to resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_status: Option<Status>,
}

/// Cuts at a character boundary at or before `octets`.
#[must_use]
pub fn cut_at(text: &str, octets: usize) -> &str {
    if text.len() <= octets {
        return text;
    }
    let mut end = octets;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
