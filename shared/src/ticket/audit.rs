//! The audit trail of a ticket: what people did to it. What mail did stands on its entries.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Status;

/// A ticket's status changed by an agent: the audit trail. Changes by mail stand on the entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusChange {
    /// The ticket.
    pub ticket: u64,
    /// Its sort key: `CHANGE#<instant>#<unique>`.
    pub change: String,
    /// Before.
    pub from: Status,
    /// After.
    pub to: Status,
    /// Who did it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Somebody may speak on the ticket from now on.
    ParticipantApproved,
    /// Somebody is no participant any more.
    ParticipantRemoved,
    /// The ticket was merged into another, which takes its mail.
    MergedInto,
    /// Another ticket was merged into this one.
    MergedFrom,
    /// An entry moved to another ticket.
    EntryMovedTo,
    /// An entry came from another ticket.
    EntryMovedFrom,
}

/// Something that was done to a ticket, apart from its status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// The ticket.
    pub ticket: u64,
    /// Its sort key: `ACT#<instant>#<unique>`.
    pub act: String,
    /// What.
    pub deed: Deed,
    /// To whom or to what: an address, an entry, a ticket.
    pub about: String,
    /// Who did it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}
