//! Arguments of `requester`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Actor, Common};

/// Arguments of `requester`.
#[derive(Debug, Args)]
pub struct Requester {
    /// What to do.
    #[command(subcommand)]
    pub verb: RequesterVerb,
}

/// What can be done with those who write.
#[derive(Debug, Subcommand)]
pub enum RequesterVerb {
    /// What is remembered of an address: its tickets, whether it is blocked, whether mail to it came back.
    Show(OfRequester),
    /// Hold its mail from now on, cause blocked-sender.
    Block(OfRequester),
    /// Let its mail in again. What is held meanwhile stays held.
    Unblock(OfRequester),
    /// It is a known contact, no guest.
    Known(OfRequester),
    /// It is a guest.
    Guest(OfRequester),
    /// It can be written to again: forget that mail to it came back.
    Deliverable(OfRequester),
    /// Everything that is kept of it, as JSON; with --to also its raw mails, as files.
    Export(Export),
    /// Erase everything that is kept of it, for good. Hashes of its Message-IDs stay, so that late copies are duplicates.
    Erase(Erase),
}

/// An address.
#[derive(Debug, Args)]
pub struct OfRequester {
    /// Its address.
    pub address: String,
    /// In this mailbox, and those that share its tickets; without it in all.
    #[arg(long, value_name = "ID")]
    pub mailbox: Option<String>,
    /// Who says so.
    #[command(flatten)]
    pub actor: Actor,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `requester export`.
#[derive(Debug, Args)]
pub struct Export {
    /// Which.
    #[command(flatten)]
    pub of: OfRequester,
    /// Directory for everything.json and the raw mails; it is made.
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
}

/// Arguments of `requester erase`.
#[derive(Debug, Args)]
pub struct Erase {
    /// Which.
    #[command(flatten)]
    pub of: OfRequester,
    /// It is meant. Without it, only how much there is to erase is told.
    #[arg(long)]
    pub yes: bool,
}
