//! The command line.

mod explain;
mod hold;
mod imap;
mod participant;
mod requester;
mod rule;
mod settings;
mod tickets;

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

pub use explain::{Envelope, Explain};
pub use hold::{Hold, HoldVerb, Selected, Which};
pub use imap::{ImapFields, Poll};
pub use participant::{OnParticipant, Participant, ParticipantVerb};
pub use requester::{Erase, Export, OfRequester, Requester, RequesterVerb};
pub use rule::{Rule, RuleCheck, RuleSet, RuleVerb};
pub use settings::{
    Door, DoorAdd, DoorChange, DoorFields, DoorVerb, Mailbox, MailboxChange, MailboxFields, MailboxRemove, MailboxTest,
    MailboxVerb, Named,
};
pub use tickets::{Merge, Split};

/// Turns inbound e-mail into helpdesk tickets. Without a verb: `dev`.
#[derive(Debug, Parser)]
#[command(name = "postern", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// Where the data is and how it is shown.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Data directory of the local run.
    #[arg(long, default_value = "./.postern", value_name = "DIR", conflicts_with = "stack")]
    pub data: PathBuf,
    /// Print JSON instead of text.
    #[arg(long)]
    pub json: bool,
    /// A deployed stack instead of a data directory.
    #[command(flatten)]
    pub aws: Aws,
}

impl Common {
    /// A data directory, shown as text.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self { data: data.to_owned(), json: false, aws: Aws::default() }
    }
}

/// Which stack, and as whom. Credentials, profiles and regions are found as the AWS CLI finds them.
#[derive(Clone, Debug, Default, Args)]
pub struct Aws {
    /// Name of a deployed CloudFormation stack, instead of --data.
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,
    /// AWS region of the stack [default: AWS_REGION, or the profile's].
    #[arg(long, requires = "stack")]
    pub region: Option<String>,
    /// Profile of the AWS configuration files [default: AWS_PROFILE, or `default`].
    #[arg(long, requires = "stack")]
    pub profile: Option<String>,
}

/// Who acts, in the audit trail.
#[derive(Clone, Debug, Args)]
pub struct Actor {
    /// Who acts, as the ledger notes it.
    #[arg(long = "actor", value_name = "WHO", default_value = DEFAULT_ACTOR)]
    pub name: String,
}

/// Who acts where nobody is named.
const DEFAULT_ACTOR: &str = "cli";

impl Default for Actor {
    fn default() -> Self {
        Self { name: DEFAULT_ACTOR.to_owned() }
    }
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the whole system locally: HTTP door, table and bucket, on 127.0.0.1.
    Dev(Dev),
    /// Show mail becoming tickets in a data directory of its own, then stop.
    Demo,
    /// Read mail from files (`-` = standard input) into the local system.
    Ingest(Ingest),
    /// List tickets, newest change first.
    Tickets(Tickets),
    /// Show one ticket as a conversation, or set its status.
    Ticket(Ticket),
    /// List what came, what was decided and why; with an id, one mail in full.
    Mail(Mail),
    /// Held mail: list, release, discard.
    Hold(Hold),
    /// Bring failed mail in again: its attempts are forgotten and the retry queue hears of it.
    Redrive(Redrive),
    /// Bring queued mail, or a raw object without a row, to its end now; or tell what would be decided today.
    Replay(Replay),
    /// Approve an unverified entry and with it its author.
    Approve(Approve),
    /// Who takes part in a ticket: approve somebody, or take him off.
    Participant(Participant),
    /// Those who write: show, block, export, erase.
    Requester(Requester),
    /// Merge a ticket into another, which takes its people and its further mail.
    Merge(Merge),
    /// Move an entry to another ticket, or to one of its own; later replies to it go there.
    Split(Split),
    /// Print the signed reply address of a ticket, or a signed Message-ID.
    Token(Token),
    /// Read one message and print what Postern understands of it, as JSON.
    Inspect(Inspect),
    /// Tell why a mail went where it went, or where one would go now: evidence, standing, decision, reasons.
    Explain(Explain),
    /// What people write to: list, add, set, remove, test.
    Mailbox(Box<Mailbox>),
    /// What a mailbox does with mail of a certain form: list, set, check.
    Rule(Rule),
    /// How mail arrives: list, add, set, remove, test, resume.
    Door(Box<Door>),
    /// Credentials that providers prove themselves with: list, set, rotate.
    Secret(Secret),
    /// Look into mailboxes elsewhere (doors of provider imap) now.
    Poll(Poll),
    /// Each way in: its URL, what to paste where at the provider, whether its secret is set.
    Doors(Doors),
    /// What is missing or wrong, one line a check; ends with 1 where something fails.
    Doctor(Doctor),
}

/// Arguments of `dev`.
#[derive(Debug, Args)]
pub struct Dev {
    /// Port of the HTTP door; a taken one makes way for the next free one.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Data directory.
    #[arg(long, default_value = "./.postern", value_name = "DIR")]
    pub data: PathBuf,
    /// Post each ticket event there too, as JSON, in order and at least once (also `POSTERN_EVENTS_URL`).
    #[arg(long, value_name = "URL")]
    pub events_url: Option<String>,
}

impl Default for Dev {
    fn default() -> Self {
        Self { port: 8080, data: PathBuf::from("./.postern"), events_url: None }
    }
}

/// Arguments of `ingest`.
#[derive(Debug, Args)]
pub struct Ingest {
    /// RFC 5322 messages; `-` reads one from standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How it comes.
    #[command(flatten)]
    pub envelope: Envelope,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `secret`.
#[derive(Debug, Args)]
pub struct Secret {
    /// What to do.
    #[command(subcommand)]
    pub verb: SecretVerb,
}

/// What can be done with the operator's secret.
#[derive(Debug, Subcommand)]
pub enum SecretVerb {
    /// Add a credential in front of the live ones, which stay valid.
    Set(SecretSet),
    /// List the names, how many live credentials each has, and their fingerprints; never a value.
    List {
        /// Where and how.
        #[command(flatten)]
        common: Common,
    },
}

/// Arguments of `secret set`.
#[derive(Debug, Args)]
pub struct SecretSet {
    /// DOOR.LIST: mailgun.signing_keys, mailgun.api_keys, postmark.credentials, postmark.server_tokens,
    /// postmark.inbound_secrets, sendgrid.verification_keys, sendgrid.credentials, raw.hmac_keys, raw.bearer_keys, the
    /// same of a door of your own (mailgun-eu.signing_keys), escalated.inbound_secrets; of a mailbox elsewhere passwords,
    /// client_secrets, refresh_tokens, service_accounts or access_tokens, as it logs in.
    pub name: String,
    /// The credential. Better left out: then it is asked for without being shown, or read from standard input (as with
    /// `-`), and stands in no shell history and no process list.
    #[arg(default_value = "-", hide_default_value = true)]
    pub value: String,
    /// Keep only this one: what the provider signs with any other is refused from then on.
    #[arg(long)]
    pub replace: bool,
    /// Take this one away; its fingerprint, as `secret list` shows it, will do.
    #[arg(long, conflicts_with = "replace")]
    pub remove: bool,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `doors`.
#[derive(Debug, Args)]
pub struct Doors {
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Name server that is asked for MX records, IP or IP:PORT [default: the system's].
    #[arg(long, value_name = "SERVER")]
    pub resolver: Option<String>,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// The highest number that somebody may begin with: what other systems have is far below.
const NUMBER_MAX: u64 = 999_999_999;

/// Arguments of `tickets`.
#[derive(Debug, Args)]
pub struct Tickets {
    /// Only this status: new, open, pending, resolved, closed.
    #[arg(long)]
    pub status: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
    /// The next ticket gets this number: for people who bring tickets of another system along. Never backwards.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=NUMBER_MAX))]
    pub next_number: Option<u64>,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `ticket`.
#[derive(Debug, Args)]
pub struct Ticket {
    /// Ticket number (INC-00042) or id (42).
    pub ticket: String,
    /// Set the status first: open, pending, resolved, closed.
    #[arg(long)]
    pub status: Option<String>,
    /// Who does it.
    #[command(flatten)]
    pub actor: Actor,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `mail`.
#[derive(Debug, Args)]
pub struct Mail {
    /// A ledger id (`inbound_id` of an answer), or enough of its beginning.
    pub id: Option<String>,
    /// Of that mail, its HTML made safe to show, read from the raw mail now; nothing of it is stored.
    #[arg(long, requires = "id", conflicts_with = "inspect")]
    pub html: bool,
    /// Of that mail, what Postern understands of it today, as `inspect` prints it.
    #[arg(long, requires = "id")]
    pub inspect: bool,
    /// So many days back.
    #[arg(long, default_value_t = 7)]
    pub days: u16,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `redrive`.
#[derive(Debug, Args)]
pub struct Redrive {
    /// Ledger ids, or enough of their beginnings.
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// All failed mail, and what is queued.
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
    /// All that failed for this cause: `dead-letter`, `poison`, `object-missing`, ...
    #[arg(long, value_name = "CAUSE", conflicts_with_all = ["ids", "all"])]
    pub cause: Option<String>,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// Ledger ids (or enough of their beginnings), or object keys (`raw/...`).
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    /// Only tell what would be decided, were it to come today; nothing is written.
    #[arg(long)]
    pub dry_run: bool,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `approve`.
#[derive(Debug, Args)]
pub struct Approve {
    /// The entry as `postern ticket` shows it: TICKET/HASH.
    pub entry: String,
    /// Who does it.
    #[command(flatten)]
    pub actor: Actor,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `token`.
#[derive(Debug, Args)]
pub struct Token {
    /// Ticket number or id.
    pub ticket: String,
    /// A signed Message-ID instead of a reply address.
    #[arg(long)]
    pub message_id: bool,
    /// The line that stands above what our mail quotes instead: below it nothing counts as newly written.
    #[arg(long, conflicts_with = "message_id")]
    pub separator: bool,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The message; `-` reads standard input.
    pub file: PathBuf,
    /// Print `html` however long it is; without this, more than 256 KiB become null and the defect `html-omitted`.
    #[arg(long)]
    pub html: bool,
}
