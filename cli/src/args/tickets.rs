//! Arguments of `merge` and `split`.

use clap::Args;

use super::{Actor, Common};

/// Arguments of `merge`.
#[derive(Debug, Args)]
pub struct Merge {
    /// The ticket that goes: number (INC-00042) or id (42). It is closed; its entries stay on it.
    pub source: String,
    /// The ticket that takes its people and its further mail.
    pub target: String,
    /// Who does it.
    #[command(flatten)]
    pub actor: Actor,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `split`.
#[derive(Debug, Args)]
pub struct Split {
    /// The entry as `postern ticket` shows it: TICKET/HASH.
    pub entry: String,
    /// The ticket that it goes to [default: a new one].
    #[arg(long, value_name = "TICKET")]
    pub to: Option<String>,
    /// Who does it.
    #[command(flatten)]
    pub actor: Actor,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}
