//! Arguments of `rule`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Common, Envelope};

/// Arguments of `rule`.
#[derive(Debug, Args)]
pub struct Rule {
    /// What to do.
    #[command(subcommand)]
    pub verb: RuleVerb,
}

/// What can be done with routing rules.
#[derive(Debug, Subcommand)]
pub enum RuleVerb {
    /// List the rules of every mailbox, or of one; with --json of one, its rules file.
    List {
        /// Mailbox.
        #[arg(value_name = "MAILBOX")]
        mailbox: Option<String>,
        /// Where and how.
        #[command(flatten)]
        common: Common,
    },
    /// Set the rules of a mailbox to what a file says (docs/RULES.md); a file with `{}` takes them away.
    Set(RuleSet),
    /// Tell what rules would do with a mail: which hold, what is set, what is decided. Writes nothing.
    Check(RuleCheck),
}

/// Arguments of `rule set`.
#[derive(Debug, Args)]
pub struct RuleSet {
    /// Mailbox.
    #[arg(value_name = "MAILBOX")]
    pub mailbox: String,
    /// Rules file, JSON; `-` = standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `rule check`.
#[derive(Debug, Args)]
pub struct RuleCheck {
    /// An RFC 5322 message; `-` = standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// By these rules instead of the stored ones, for every mailbox that gets the mail: a rules file before it is set.
    #[arg(long, value_name = "RULES")]
    pub rules: Option<PathBuf>,
    /// How it comes.
    #[command(flatten)]
    pub envelope: Envelope,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}
