//! The notice: what a mail system wrote above the mail that it returns, and the signs by which it is known.

mod languages;

use self::languages::{FIRST_PERSON, NOT_DELIVERED, SEPARATORS, SUBJECTS};
use crate::{
    address::NamedAddress,
    envelope::ReversePath,
    headers::Headers,
    parse::{
        fold::{fold, folded_subject, holds_any, prefix},
        mime::Tree,
    },
};

/// Octets of a notice: some systems explain themselves at length, none beyond this.
const OCTETS_MAX: usize = 32 * 1024;
/// The same where sender, subject and structure say nothing of a notice: most mail is of people, and its reading is cheap.
const UNLIKELY_OCTETS_MAX: usize = 4 * 1024;
/// Authors looked at: a mail system is one.
const AUTHORS_MAX: usize = 5;
/// Octets in which a machine comes to the point.
pub(crate) const OPENING_MAX: usize = 400;
/// Octets in which the wording is looked for.
const WORDING_MAX: usize = 16 * 1024;

/// Local parts that only mail systems write from.
const DAEMONS: [&str; 8] = [
    "mailer-daemon",
    "mailerdaemon",
    "mailer_daemon",
    "mail-daemon",
    "maildaemon",
    "mdaemon",
    "mail.delivery.system",
    // Exchange's own sender, in every organisation and language.
    "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e",
];

/// Names that mail systems give themselves, folded.
const DAEMON_NAMES: [&str; 11] = [
    "mail delivery s",
    "mailer-daemon",
    "mailer daemon",
    "delivery subsystem",
    "internet mail delivery",
    "mail delivery agent",
    "maildelivery",
    "mail system",
    "email delivery failure",
    "система доставки",
    "сообщения почтовой системы",
];

/// Names of those who run mail systems: people write under them, too.
const POSTMASTER_NAMES: [&str; 8] = [
    "postmaster",
    "system administrator",
    "systemadministrator",
    "administrateur systeme",
    "administrador del sistema",
    "administrador do sistema",
    "amministratore di sistema",
    "mail administrator",
];

/// Signs of a report in a mail. None of them alone makes a bounce; `classify` weighs them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// The author is named as only mail systems are.
    pub from_daemon: bool,
    /// The author is the postmaster or an administrator.
    pub from_postmaster: bool,
    /// The subject is one of a delivery notice, in any of the languages known.
    pub subject: bool,
    /// The text says that something was not delivered.
    pub wording: bool,
    /// It says so at once, as machines do, and not in the first person.
    pub opening: bool,
    /// The mail returns another, attached or below a separator.
    pub returned: bool,
    /// A delivery-status part that counts.
    pub delivery_status: bool,
    /// A feedback-report part (RFC 5965).
    pub feedback: bool,
    /// A disposition-notification part (RFC 8098).
    pub disposition: bool,
    /// The disposition is a refusal (RFC 5429 section 2.1.1).
    pub rejection: bool,
    /// X-Failed-Recipients names somebody.
    pub failed_recipients: bool,
}

impl Notice {
    /// True where it is worth reading the text as a report.
    pub(super) fn may_be_report(&self) -> bool {
        self.from_daemon
            || self.from_postmaster
            || self.subject
            || self.wording
            || self.failed_recipients
            || self.disposition
    }
}

/// The lines of a notice, and where in the text they end.
#[derive(Debug, Default)]
pub(super) struct Section {
    pub(super) lines: Vec<String>,
    /// A separator or a header ended them.
    pub(super) returned: bool,
    /// Octets of the text up to what follows the separator.
    pub(super) end: usize,
    /// All lines, folded.
    pub(super) folded: String,
}

/// Reads the signs. Linear, and bounded by the limits above.
pub(super) fn read(tree: &Tree<'_>, text: &str, headers: &Headers) -> (Section, Notice) {
    let mut notice = named(headers);
    let null = headers.return_path == ReversePath::Null;
    let report = tree.parts.first().is_some_and(|root| root.content_type.value == "multipart/report");
    let likely = notice.may_be_report() || null || report;
    let section = section(text, if likely { OCTETS_MAX } else { UNLIKELY_OCTETS_MAX });
    // Whole words: `mes` is how half a `message` looks, and French for `my`.
    let opening = prefix(&section.folded, OPENING_MAX);
    let opening = match opening.rsplit_once(' ') {
        Some((whole, _)) if opening.len() < section.folded.len() => whole,
        _ => opening,
    };
    notice.wording = holds_any(prefix(&section.folded, WORDING_MAX), NOT_DELIVERED);
    notice.opening = notice.wording && holds_any(opening, NOT_DELIVERED) && !in_first_person(opening);
    notice.returned = section.returned;
    (section, notice)
}

/// What sender and subject say.
fn named(headers: &Headers) -> Notice {
    let name = |one: &NamedAddress| folded_subject(one.name.as_deref().unwrap_or_default());
    let local = |one: &NamedAddress| {
        let written = one.address.as_deref().unwrap_or_default();
        written.rsplit_once('@').map_or(written, |(local, _)| local).trim_matches('"').to_ascii_lowercase()
    };
    let authors = || headers.from.iter().take(AUTHORS_MAX);
    let by_name = |names: &[&str]| authors().any(|one| holds_any(&name(one), names));
    let daemon = |local: &str| DAEMONS.iter().any(|daemon| local.starts_with(daemon));
    let by_path = matches!(&headers.return_path, ReversePath::Address(address) if daemon(address.local_part()));
    Notice {
        from_daemon: authors().any(|one| daemon(&local(one))) || by_name(&DAEMON_NAMES) || by_path,
        from_postmaster: authors().any(|one| local(one).starts_with("postmaster")) || by_name(&POSTMASTER_NAMES),
        subject: holds_any(&folded_subject(&headers.subject), SUBJECTS),
        failed_recipients: headers.first("x-failed-recipients").is_some_and(|value| value.contains('@')),
        ..Notice::default()
    }
}

/// True where folded text says that something was not delivered.
pub(crate) fn says_undelivered(folded: &str) -> bool {
    holds_any(folded, NOT_DELIVERED)
}

/// A person who tells of a bounce says `I` or `my`.
pub(crate) fn in_first_person(folded: &str) -> bool {
    /// qmail and Postfix say `I`, too.
    const MACHINES: [&str; 6] = [
        "i'm afraid i",
        "i'm sorry to have to",
        "i've given up",
        "i'm not going to",
        "i was unable to deliver",
        "i could not deliver",
    ];
    let spoken = MACHINES.iter().fold(folded.to_owned(), |text, machine| text.replace(machine, ""));
    let mut words = spoken.split(|c: char| !c.is_alphanumeric());
    words.any(|word| FIRST_PERSON.contains(&word))
}

/// True where a disposition notification tells of a refusal: Sieve's `reject` answers so.
pub(super) fn is_rejection(section: &Section) -> bool {
    holds_any(&section.folded, &["rejected", "refused", "zuruckgewiesen", "abgelehnt", "rejete", "refuse", "rechazado"])
}

/// The text up to the mail that it returns.
fn section(text: &str, octets: usize) -> Section {
    let mut section = Section { end: text.len(), ..Section::default() };
    let mut at = 0;
    let mut spoken = false;
    let mut fields_in_a_row: Vec<String> = Vec::new();
    let mut fields_start = 0;
    for line in text.split_inclusive('\n') {
        if at >= octets {
            break;
        }
        let start = at;
        at += line.len();
        let line = line.trim_end();
        let first = !spoken;
        spoken |= !line.trim().is_empty();
        if is_separator(line, first) {
            section.end = at;
            section.returned = true;
            break;
        }
        // A header block without a separator. A fold belongs to the field above it.
        match field_name(unquoted(line)) {
            Some(name) => {
                if fields_in_a_row.is_empty() {
                    fields_start = start;
                }
                fields_in_a_row.push(name);
            }
            None if line.starts_with([' ', '\t']) && !fields_in_a_row.is_empty() => {}
            None => fields_in_a_row.clear(),
        }
        section.lines.push(line.to_owned());
        if is_header(&fields_in_a_row) {
            section.end = fields_start;
            section.returned = true;
            let kept = text.get(..fields_start).unwrap_or_default().lines().count();
            section.lines.truncate(kept);
            break;
        }
    }
    let own: Vec<&str> = section.lines.iter().map(String::as_str).filter(|line| !line.starts_with('>')).collect();
    section.folded = fold(&own.join("\n"));
    section
}

/// `----- Original message -----` and its likes. A line of prose that merely mentions one is longer.
fn is_separator(line: &str, first: bool) -> bool {
    if line.len() > 160 || line.is_empty() {
        return false;
    }
    let folded = fold(line);
    let bare = folded.trim_matches(|c: char| !c.is_alphanumeric());
    // `Returned mail` above everything is the heading of the notice.
    let heading = first && ["returned", "rejected", "bounced", "undelivered"].iter().any(|word| bare.starts_with(word));
    let lines = bare.starts_with("the first ") && bare.contains(" lines ");
    (lines || SEPARATORS.iter().any(|separator| bare.starts_with(separator)))
        && !heading
        && !bare.starts_with("original message was")
}

/// Enough fields to be the header of a mail: a trace field, or an id and an author. `To`, `Subject` and `Date` alone
/// are how notices name the mail they speak of.
fn is_header(names: &[String]) -> bool {
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    let traced = has("received") || has("return-path") || has("mime-version") || has("dkim-signature");
    names.len() >= 3
        && ((traced && (has("from") || has("date") || has("message-id")))
            || (has("message-id") && has("from") && has("date")))
}

/// A line without the marks of a quotation.
pub(super) fn unquoted(line: &str) -> &str {
    match line.strip_prefix('>') {
        Some(rest) => rest.strip_prefix(' ').unwrap_or(rest),
        None => line,
    }
}

/// The lower-case name of a header field that begins at the margin.
pub(super) fn field_name(line: &str) -> Option<String> {
    let (name, _) = line.split_once(':')?;
    let token = !name.is_empty() && name.len() <= 60 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    (token && name.starts_with(|c: char| c.is_ascii_alphabetic())).then(|| name.to_ascii_lowercase())
}
