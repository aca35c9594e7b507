//! Settings of a mailbox elsewhere that is polled by IMAP.

use std::path::PathBuf;

use clap::Args;

/// What is left out stays as it is.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "IMAP")]
pub struct ImapFields {
    /// Host name of the server, as its certificate has it.
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// Port [default: 993 with tls, else 143].
    #[arg(long = "imap-port", value_name = "PORT")]
    pub port: Option<u16>,
    /// `tls` from the first octet, `starttls`, or `plain`, which goes to this machine only [default: tls].
    #[arg(long, value_name = "tls|starttls|plain")]
    pub security: Option<String>,
    /// Who logs in; with Google and Microsoft the address of the mailbox.
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// How: `password`, `token` (one that somebody else keeps fresh), `google` (refresh token), `google-service` (service
    /// account), `microsoft` (client credentials) [default: password].
    #[arg(long, value_name = "HOW")]
    pub auth: Option<String>,
    /// Client id of the application at Google or Microsoft.
    #[arg(long, value_name = "ID")]
    pub client: Option<String>,
    /// Microsoft: directory (tenant) id.
    #[arg(long, value_name = "ID")]
    pub tenant: Option<String>,
    /// Mechanism of access tokens [default: xoauth2].
    #[arg(long, value_name = "xoauth2|oauthbearer")]
    pub sasl: Option<String>,
    /// Where access tokens are had, where not at Google or Microsoft; `-` = there.
    #[arg(long, value_name = "URL")]
    pub token_endpoint: Option<String>,
    /// Folder that is polled, as people read its name; may be repeated [default: INBOX].
    #[arg(long = "folder", value_name = "NAME")]
    pub folders: Vec<String>,
    /// What happens over there to mail that is safe here: nothing, seen, delete, or move=FOLDER [default: nothing].
    #[arg(long, value_name = "WHAT")]
    pub after: Option<String>,
    /// Days back that the first poll of a folder looks [default: 3].
    #[arg(long, value_name = "DAYS")]
    pub first_days: Option<u16>,
    /// Certificate of an authority of one's own, a PEM file; `-` = none.
    #[arg(long, value_name = "FILE")]
    pub authority: Option<PathBuf>,
}

/// Arguments of `poll`.
#[derive(Debug, Args)]
pub struct Poll {
    /// Poll now, once. (A stack and a running `dev` poll every minute by themselves.)
    #[arg(long, required = true)]
    pub once: bool,
    /// Only this door.
    #[arg(long, value_name = "ID")]
    pub door: Option<String>,
    /// How far back a first poll or a backfill goes: 2026-11-01, or with a time, 2026-11-01T09:00:00Z.
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// Go through everything since then again, whatever was seen. Mail that is here already stays one.
    #[arg(long, requires = "since")]
    pub backfill: bool,
    /// Try now what was left aside.
    #[arg(long, conflicts_with = "backfill")]
    pub parked: bool,
    /// Where and how.
    #[command(flatten)]
    pub common: super::Common,
}
