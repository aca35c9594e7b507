//! Arguments of `explain`, and how mail from a file comes.

use clap::Args;

use super::Common;

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// A ledger id (`inbound_id` of an answer, or enough of its beginning): told as it was decided. Or a file (`-` =
    /// standard input): told as it would be decided now; nothing is written.
    #[arg(value_name = "FILE|LEDGER-ID")]
    pub mail: String,
    /// Decide a mail of the ledger anew, and show what would be otherwise; nothing is written.
    #[arg(long)]
    pub again: bool,
    /// Of a file: how it comes.
    #[command(flatten)]
    pub envelope: Envelope,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// How mail from a file comes.
#[derive(Clone, Debug, Default, Args)]
pub struct Envelope {
    /// Envelope recipient (RCPT TO); may be repeated. Without it: the topmost Delivered-To.
    #[arg(long, value_name = "ADDRESS")]
    pub to: Vec<String>,
    /// Envelope sender (MAIL FROM), `<>` for none. Without it: the topmost Return-Path.
    #[arg(long, value_name = "REVERSE-PATH", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Mail server whose Authentication-Results count, by the name that it writes there; `unnamed` = fields without a
    /// name; may be repeated.
    #[arg(long = "authserv-id", value_name = "NAME")]
    pub authserv_ids: Vec<String>,
    /// Mailbox; wins over every address.
    #[arg(long, value_name = "ID")]
    pub mailbox: Option<String>,
}
