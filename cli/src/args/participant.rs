//! Arguments of `participant`.

use clap::{Args, Subcommand};

use super::{Actor, Common};

/// Arguments of `participant`.
#[derive(Debug, Args)]
pub struct Participant {
    /// What to do.
    #[command(subcommand)]
    pub verb: ParticipantVerb,
}

/// What can be done with participants.
#[derive(Debug, Subcommand)]
pub enum ParticipantVerb {
    /// Let somebody write on a ticket; who is no participant becomes one.
    Approve(OnParticipant),
    /// Take somebody off a ticket: what he writes there is a stranger's from then on.
    Remove(OnParticipant),
}

/// A ticket and somebody.
#[derive(Debug, Args)]
pub struct OnParticipant {
    /// Ticket number (INC-00042) or id (42).
    pub ticket: String,
    /// His address.
    pub address: String,
    /// Who does it.
    #[command(flatten)]
    pub actor: Actor,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}
