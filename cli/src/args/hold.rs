//! Arguments of `hold`.

use clap::{Args, Subcommand};

use super::{Actor, Common};

/// Arguments of `hold`.
#[derive(Debug, Args)]
pub struct Hold {
    /// What to do.
    #[command(subcommand)]
    pub verb: HoldVerb,
}

/// What can be done with held mail.
#[derive(Debug, Subcommand)]
pub enum HoldVerb {
    /// List held mail of all days. What one author has too much of is one line.
    List {
        /// Only some of it.
        #[command(flatten)]
        which: Which,
        /// Where and how.
        #[command(flatten)]
        common: Common,
    },
    /// One held mail in full.
    Show {
        /// Ledger id, or enough of its beginning.
        id: String,
        /// Where and how.
        #[command(flatten)]
        common: Common,
    },
    /// Let it through: its cause is overridden.
    Release {
        /// Which.
        #[command(flatten)]
        of: Selected,
        /// Mailbox, where none could be chosen.
        #[arg(long, value_name = "ID")]
        mailbox: Option<String>,
        /// Who acts.
        #[command(flatten)]
        actor: Actor,
        /// Where and how.
        #[command(flatten)]
        common: Common,
    },
    /// Throw it away; the row and the raw octets stay.
    Discard {
        /// Which.
        #[command(flatten)]
        of: Selected,
        /// Who acts.
        #[command(flatten)]
        actor: Actor,
        /// Where and how.
        #[command(flatten)]
        common: Common,
    },
}

/// Held mail by what it has in common.
#[derive(Clone, Debug, Default, Args)]
pub struct Which {
    /// All that is held for this cause: `loop`, `spam`, `agent-unverified`, ...
    #[arg(long, value_name = "CAUSE")]
    pub cause: Option<String>,
    /// All of this author.
    #[arg(long = "from", value_name = "ADDRESS")]
    pub author: Option<String>,
}

/// Held mail, one by one or in bulk.
#[derive(Clone, Debug, Default, Args)]
pub struct Selected {
    /// Ledger ids, or enough of their beginnings.
    #[arg(value_name = "ID", required_unless_present_any = ["cause", "author"], conflicts_with_all = ["cause", "author"])]
    pub ids: Vec<String>,
    /// Or by what it has in common.
    #[command(flatten)]
    pub which: Which,
}
