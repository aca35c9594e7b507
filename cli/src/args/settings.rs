//! Arguments of `mailbox` and `door`.

use clap::{Args, Subcommand};

use super::{Common, ImapFields};

/// Arguments of `mailbox`.
#[derive(Debug, Args)]
pub struct Mailbox {
    /// What to do.
    #[command(subcommand)]
    pub verb: MailboxVerb,
}

/// What can be done with mailboxes.
#[derive(Debug, Subcommand)]
pub enum MailboxVerb {
    /// List all, and where each comes from.
    List {
        /// Where and how.
        #[command(flatten)]
        common: Common,
    },
    /// Show one with all its settings.
    Show(Named),
    /// Set up a new one; --address is needed.
    Add(MailboxChange),
    /// Change what is named, and nothing else.
    Set(MailboxChange),
    /// Take one away that is stored.
    Remove(MailboxRemove),
    /// What leads to it and what does not, and which form of reply address is delivered: a mail is sent to each.
    Test(MailboxTest),
}

/// Arguments of `mailbox test`.
#[derive(Debug, Args)]
pub struct MailboxTest {
    /// Its id.
    pub id: String,
    /// Mail server that takes mail for its addresses, HOST or HOST:PORT (its MX): the mails go there, and the ledger is
    /// watched for them. Without it they go through the pipeline of the data directory; of a stack none is sent.
    #[arg(long, value_name = "HOST")]
    pub smtp: Option<String>,
    /// For so many seconds is the ledger watched for each.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "smtp")]
    pub wait: u64,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// A mailbox or a door.
#[derive(Debug, Args)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `mailbox add` and `mailbox set`.
#[derive(Debug, Args)]
pub struct MailboxChange {
    /// Its id: 1 to 64 letters a-z, digits and hyphens.
    pub id: String,
    /// What shall be.
    #[command(flatten)]
    pub fields: MailboxFields,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `mailbox remove`.
#[derive(Debug, Args)]
pub struct MailboxRemove {
    /// Its id.
    pub id: String,
    /// Also where mail is held for it; that mail then needs `hold release --mailbox`.
    #[arg(long)]
    pub force: bool,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Settings of a mailbox. What is left out stays as it is.
#[derive(Clone, Debug, Default, Args)]
pub struct MailboxFields {
    /// Address that people write to; may be repeated. Reply addresses are made from the first one.
    #[arg(long = "address", value_name = "ADDRESS")]
    pub addresses: Vec<String>,
    /// Further addresses: `*@example.com` (all of a domain that no other mailbox has) or `help+*@example.com` (with any
    /// tag); may be repeated, `-` = none.
    #[arg(long = "pattern", value_name = "PATTERN")]
    pub patterns: Vec<String>,
    /// Prefix of its ticket numbers, 2 to 8 letters A to Z [default: INC].
    #[arg(long)]
    pub prefix: Option<String>,
    /// Another prefix for one type of ticket; may be repeated, nothing behind the `=` takes it away.
    #[arg(long, value_name = "TYPE=PREFIX")]
    pub prefix_for: Vec<String>,
    /// Ticket numbers carry the year [default: false].
    #[arg(long, value_name = "true|false")]
    pub year: Option<bool>,
    /// Queue of its new tickets [default: support].
    #[arg(long)]
    pub queue: Option<String>,
    /// Type of its new tickets [default: incident].
    #[arg(long = "type", value_name = "TYPE")]
    pub ticket_type: Option<String>,
    /// `plus`: reply addresses carry a signed tag (help+TAG@example.com); `subdomain`: they are TAG@help.example.com, for
    /// which that domain needs an MX record and a way in; `off`: no tag, where neither is delivered [default: plus].
    #[arg(long, value_name = "plus|subdomain|off")]
    pub reply_mode: Option<String>,
    /// What a stranger's mail on an existing ticket does: unverified, append, new, hold [default: unverified].
    #[arg(long, value_name = "POLICY")]
    pub strangers: Option<String>,
    /// What failed authentication does: record (in the ledger), flag (on the entry, too), hold [default: flag].
    #[arg(long, value_name = "POLICY")]
    pub authentication: Option<String>,
    /// Somebody who answers, `jane@example.com` or `*@example.com`: with passed authentication he may write on every
    /// ticket, and what he forwards is the ticket of its author; may be repeated, `-` = none.
    #[arg(long = "agent", value_name = "WHO")]
    pub agents: Vec<String>,
    /// Those in To and Cc of a mail that opens a ticket: approved (may write there), pending (once an agent has approved
    /// them), ignored [default: approved].
    #[arg(long, value_name = "POLICY")]
    pub cc: Option<String>,
    /// When Reply-To names the requester: forms (of mail by our own addresses and form senders), always [default: forms].
    #[arg(long, value_name = "forms|always")]
    pub reply_to: Option<String>,
    /// Address that writes for others, as a contact form: the person stands in Reply-To; may be repeated, `-` = none.
    #[arg(long = "form-sender", value_name = "WHO")]
    pub form_senders: Vec<String>,
    /// A ticket number in the subject counts for participants whose authentication is unknown [default: false].
    #[arg(long, value_name = "true|false")]
    pub subject_number_unauthenticated: Option<bool>,
    /// For how long an answer reopens a closed ticket; 0 = never, `always` = without end [default: 14].
    #[arg(long, value_name = "DAYS|always")]
    pub reopen_window: Option<String>,
    /// So often does mail reopen a resolved or closed ticket on one UTC day; further replies are appended and flagged;
    /// `unlimited` = any number [default: 3].
    #[arg(long, value_name = "COUNT|unlimited")]
    pub reopens_per_day: Option<String>,
    /// A reply that only says thanks: reopens (as any reply does), stays (it is appended, a resolved or closed ticket stays
    /// so) [default: reopens].
    #[arg(long, value_name = "reopens|stays")]
    pub courtesy: Option<String>,
    /// Resolved tickets that nobody has touched for so many days are closed [default: never].
    #[arg(long, value_name = "DAYS|never")]
    pub auto_close: Option<String>,
    /// Mailboxes of one scope share tickets [default: the id].
    #[arg(long)]
    pub scope: Option<String>,
    /// Size of an attachment at most, decoded: octets, or 25MB (1 MB = 1,048,576 octets) [default: 25MB].
    #[arg(long, value_name = "SIZE")]
    pub attachment_each: Option<String>,
    /// Size of all attachments of a mail at most [default: 40MB].
    #[arg(long, value_name = "SIZE")]
    pub attachment_total: Option<String>,
    /// Attachments of a mail at most [default: 50].
    #[arg(long, value_name = "COUNT")]
    pub attachment_count: Option<u32>,
    /// Days for which its held and failed mail is kept; 0 = as the stack says [default: 0].
    #[arg(long, value_name = "DAYS")]
    pub keep_held: Option<u16>,
    /// Days for which its ledger rows are kept once the mail has come to its end; 0 = as the stack says [default: 0].
    #[arg(long, value_name = "DAYS")]
    pub keep_ledger: Option<u16>,
    /// Tickets that one author may open within an hour; more are held, cause loop [default: 20].
    #[arg(long, value_name = "COUNT")]
    pub cap_author_tickets: Option<u64>,
    /// Entries that one author may write within an hour [default: 60].
    #[arg(long, value_name = "COUNT")]
    pub cap_author_entries: Option<u64>,
    /// Entries that one ticket may get within an hour [default: 120].
    #[arg(long, value_name = "COUNT")]
    pub cap_ticket_entries: Option<u64>,
    /// Texts of one author in a row that may say the same within an hour [default: 8].
    #[arg(long, value_name = "COUNT")]
    pub cap_alike: Option<u64>,
    /// Somebody who may bring any number of mails, `jane@example.com` or `*@example.com`; may be repeated, `-` = none.
    #[arg(long = "uncapped", value_name = "WHO")]
    pub uncapped: Vec<String>,
    /// Mail for it becomes tickets; else it is held, cause mailbox-disabled [default: true].
    #[arg(long, value_name = "true|false")]
    pub enabled: Option<bool>,
}

/// Arguments of `door`.
#[derive(Debug, Args)]
pub struct Door {
    /// What to do.
    #[command(subcommand)]
    pub verb: DoorVerb,
}

/// What can be done with doors.
#[derive(Debug, Subcommand)]
pub enum DoorVerb {
    /// List all, and where each comes from.
    List {
        /// Where and how.
        #[command(flatten)]
        common: Common,
    },
    /// Show one with all its settings.
    Show(Named),
    /// Set up another door: a second account or domain at a provider.
    Add(DoorAdd),
    /// Change what is named, and nothing else.
    Set(DoorChange),
    /// Take one away that is stored.
    Remove(Named),
    /// Whether it is open and reachable, and what to paste where; of a polled one, whether all works that a poll needs.
    Test(Named),
    /// Let a polled door go on that was paused because its credentials were refused.
    Resume(Named),
}

/// Arguments of `door add`.
#[derive(Debug, Args)]
pub struct DoorAdd {
    /// Its id: 1 to 64 letters a-z, digits and hyphens. It stands in the URL, and in the names of its secrets.
    pub id: String,
    /// Who stands at it: mailgun, postmark, sendgrid, ses, raw, or imap (a mailbox elsewhere that is polled).
    #[arg(long)]
    pub provider: String,
    /// What shall be.
    #[command(flatten)]
    pub fields: DoorFields,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `door set`.
#[derive(Debug, Args)]
pub struct DoorChange {
    /// Its id.
    pub id: String,
    /// What shall be.
    #[command(flatten)]
    pub fields: DoorFields,
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
}

/// Settings of a door. What is left out stays as it is.
#[derive(Clone, Debug, Default, Args)]
pub struct DoorFields {
    /// All its mail is for this mailbox, whatever the addresses; `-` = by address.
    #[arg(long, value_name = "ID")]
    pub mailbox: Option<String>,
    /// It takes mail; else it answers 503 and the provider keeps its mail for hours [default: true].
    #[arg(long, value_name = "true|false")]
    pub enabled: Option<bool>,
    /// The provider is set up to add its spam and authentication fields to the mail, so they count [default: false].
    #[arg(long, value_name = "true|false")]
    pub spam_fields: Option<bool>,
    /// Raw, IMAP: mail server in front of the door whose Authentication-Results count, by the name that it writes there (its
    /// authserv-id); it must take out forged ones. `unnamed` = fields without a name; may be repeated, `-` = none.
    #[arg(long = "authserv-id", value_name = "NAME")]
    pub authserv_ids: Vec<String>,
    /// Where nobody says anything of the author, verify his DKIM signatures here; asks DNS, for 3 s at most [default: false].
    #[arg(long, value_name = "true|false")]
    pub verify_dkim: Option<bool>,
    /// Mailgun: domain whose stored events are gone through for what a webhook missed; may be repeated, `-` = none.
    #[arg(long = "domain", value_name = "DOMAIN")]
    pub domains: Vec<String>,
    /// Mailgun: where these domains live [default: us].
    #[arg(long, value_name = "us|eu")]
    pub mailgun_region: Option<String>,
    /// SNS: topic that may deliver here, as ARN; may be repeated, `-` = none.
    #[arg(long = "topic", value_name = "ARN")]
    pub topics: Vec<String>,
    /// A mailbox elsewhere.
    #[command(flatten)]
    pub imap: ImapFields,
}
