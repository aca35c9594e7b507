//! Bounded header scan: ids, addresses, subject, own tags. Never fails, safe before S3 has the octets.
//!
//! The scan looks at the first [`SCAN_OCTETS_MAX`] octets and [`FIELDS_MAX`] fields at most, so that a hostile header
//! costs a fixed amount. `parse` reads the body later; both see the same header.

pub(crate) mod addresses;
pub(crate) mod date;
pub(crate) mod fields;
mod results;
mod subject;
pub(crate) mod words;

use std::borrow::Cow;

use jiff::Timestamp;

use self::fields::Limits;
pub use self::results::{UNNAMED, trusted_results};
pub(crate) use self::subject::base as base_subject;
use crate::{
    address::{AddrSpec, NamedAddress},
    envelope::ReversePath,
    message_id::MessageId,
    parse::params::Structured,
};

/// Octets of header looked at. Real headers stay under 64 KiB; the largest seen in practice are ARC and DKIM chains.
pub const SCAN_OCTETS_MAX: usize = 512 * 1024;
/// Fields kept.
pub const FIELDS_MAX: usize = 2_000;

/// A ticket number as it stands in a subject: `[INC-00042]` or `[INC-2026-00042]`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TicketRef {
    /// Prefix, upper case.
    pub prefix: String,
    /// Year, where the number carries one.
    pub year: Option<i16>,
    /// The ordinal: what alone identifies.
    pub ordinal: u64,
}

/// The topmost block of Resent fields: a mail that somebody sent on as it was, to new recipients.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Resent {
    /// Resent-From.
    pub from: Vec<NamedAddress>,
    /// Resent-Sender.
    pub sender: Option<NamedAddress>,
    /// Resent-To.
    pub to: Vec<NamedAddress>,
    /// Resent-Cc.
    pub cc: Vec<NamedAddress>,
    /// Resent-Date.
    pub date: Option<Timestamp>,
    /// Resent-Message-ID.
    pub message_id: Option<MessageId>,
}

/// What the header block says. Every list is in header order, topmost first.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    /// Own Message-ID.
    pub message_id: Option<MessageId>,
    /// In-Reply-To.
    pub in_reply_to: Vec<MessageId>,
    /// References, oldest first as written.
    pub references: Vec<MessageId>,
    /// From.
    pub from: Vec<NamedAddress>,
    /// Sender.
    pub sender: Option<NamedAddress>,
    /// To, groups flattened.
    pub to: Vec<NamedAddress>,
    /// Cc, groups flattened.
    pub cc: Vec<NamedAddress>,
    /// Names of groups in To and Cc (RFC 5322 section 3.4).
    pub groups: Vec<String>,
    /// Who sent it on unchanged (RFC 5322 section 3.6.6), the last time.
    pub resent: Option<Resent>,
    /// Reply-To.
    pub reply_to: Vec<NamedAddress>,
    /// Delivered-To fields.
    pub delivered_to: Vec<AddrSpec>,
    /// X-Original-To fields.
    pub x_original_to: Vec<AddrSpec>,
    /// X-Forwarded-To fields.
    pub x_forwarded_to: Vec<AddrSpec>,
    /// Resent-To and Resent-Cc fields.
    pub resent_to: Vec<AddrSpec>,
    /// Topmost Return-Path.
    pub return_path: ReversePath,
    /// Decoded subject, unfolded, without controls; empty where there is none.
    pub subject: String,
    /// RFC 5256 section 2.1 base subject.
    pub base_subject: String,
    /// Ticket numbers in brackets found in the subject.
    pub ticket_refs: Vec<TicketRef>,
    /// The Date field as an instant.
    pub date: Option<Timestamp>,
    /// The Date field as RFC 3339 text with its own offset.
    pub date_rfc3339: Option<String>,
    /// When the last hop took it, by the topmost Received field: what the mail has where its Date is missing or wrong.
    pub received_at: Option<Timestamp>,
    /// Value of the bottom-most Received field, unfolded.
    pub first_received: Option<String>,
    /// All fields kept: lower-case name and unfolded value, not decoded (octets that are not UTF-8
    /// are read by the body's charset, else by statistics).
    pub fields: Vec<(String, String)>,
    /// What was wrong, as slugs: `header-too-long`, `header-too-many-fields`, `header-not-utf8`, `date-unreadable`, ...
    pub defects: Vec<&'static str>,
}

impl Headers {
    /// Values of all fields of that name (lower case), topmost first.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Value of the topmost field of that name (lower case).
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// True where the subject begins with a forward prefix of a known mail program.
    #[must_use]
    pub fn is_forward(&self) -> bool {
        subject::is_forward(&self.subject)
    }

    /// The author: the one address in From. `None` where there are several or none (RFC 5322 section 3.6.2 allows
    /// several; a helpdesk then cannot know who speaks).
    #[must_use]
    pub fn author(&self) -> Option<AddrSpec> {
        match self.from.as_slice() {
            [one] => one.addr_spec(),
            _ => None,
        }
    }
}

/// Scans the header block of `raw`. Costs a fixed amount at most, never fails.
#[must_use]
pub fn scan(raw: &[u8]) -> Headers {
    let looked_at = raw.get(..SCAN_OCTETS_MAX).unwrap_or(raw);
    let block = fields::split(looked_at, true, Limits { octets: SCAN_OCTETS_MAX, fields: FIELDS_MAX });
    let mut headers = Headers { defects: block.defects.clone(), ..Headers::default() };
    if block.body == looked_at.len() && raw.len() > looked_at.len() {
        headers.defect("header-too-long");
    }
    let mut kept = Vec::with_capacity(block.fields.len());
    // What wrote raw octets into the header wrote the body too (RFC 6532 allows UTF-8 only).
    let beside = block.first("content-type").map(|field| Structured::parse(&field.unfolded()));
    let beside = beside.as_ref().and_then(|structured| structured.param("charset"));
    for field in &block.fields {
        let mut octets = field.unfolded();
        if std::str::from_utf8(&octets).is_err() {
            headers.defect("header-not-utf8");
            octets = fields::octets_beside(&octets, beside).into_owned().into_bytes();
        }
        kept.push((field.lower_name(), octets));
    }
    headers.read_ids(&kept);
    headers.read_addresses(&kept);
    headers.read_subject(&kept);
    headers.read_date(&kept);
    headers.read_repetitions(&kept);
    headers.resent = resent(&kept);
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).trim().to_owned();
    headers.first_received = kept.iter().rfind(|(name, _)| name == "received").map(|(_, value)| text(value));
    headers.fields = kept.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    headers
}

type Kept = [(String, Vec<u8>)];

/// Values of a field as text, topmost first.
fn values<'a>(kept: &'a Kept, name: &'a str) -> impl Iterator<Item = Cow<'a, str>> {
    kept.iter().filter(move |(n, _)| n == name).map(|(_, value)| fields::octets_as_text(value))
}

/// Runs a parser that is not ours: a panic in it costs its result, not the mail.
pub(crate) fn guarded<T: Default>(read: impl FnOnce() -> T + std::panic::UnwindSafe) -> T {
    std::panic::catch_unwind(read).unwrap_or_default()
}

impl Headers {
    fn defect(&mut self, slug: &'static str) {
        if !self.defects.contains(&slug) {
            self.defects.push(slug);
        }
    }

    fn read_ids(&mut self, kept: &Kept) {
        self.message_id = values(kept, "message-id").find_map(|value| MessageId::parse(&value));
        if self.message_id.is_none() {
            self.defect("message-id-missing");
        }
        for (name, list) in [("in-reply-to", &mut self.in_reply_to), ("references", &mut self.references)] {
            // A repeated field is joined: some gateways add a References of their own (RFC 5322 allows one).
            let joined = values(kept, name).collect::<Vec<_>>().join(" ");
            *list = MessageId::parse_list(&joined);
        }
    }

    fn read_addresses(&mut self, kept: &Kept) {
        let all = |name: &str| -> Vec<NamedAddress> {
            values(kept, name).flat_map(|value| addresses::list(&value).addresses).collect()
        };
        for name in ["to", "cc"] {
            self.groups.extend(values(kept, name).flat_map(|value| addresses::list(&value).groups));
        }
        let specs = |name: &str| -> Vec<AddrSpec> { all(name).iter().filter_map(NamedAddress::addr_spec).collect() };
        let (from, to, cc, reply_to) = (all("from"), all("to"), all("cc"), all("reply-to"));
        self.sender = all("sender").into_iter().next();
        self.delivered_to = specs("delivered-to");
        self.x_original_to = specs("x-original-to");
        self.x_forwarded_to = specs("x-forwarded-to");
        self.resent_to = specs("resent-to");
        self.resent_to.extend(specs("resent-cc"));
        self.return_path =
            values(kept, "return-path").next().map_or(ReversePath::Unknown, |value| reverse_path(&value));
        (self.from, self.to, self.cc, self.reply_to) = (from, to, cc, reply_to);
        // The same author twice is one author; different ones stay, so that nobody counts as the author.
        let mut seen: Vec<NamedAddress> = Vec::new();
        if values(kept, "from").nth(1).is_some() {
            self.defect("from-repeated");
            self.from.retain(|one| {
                let new = !seen.iter().any(|other| other.addr_spec() == one.addr_spec());
                seen.push(one.clone());
                new
            });
        }
        match self.from.len() {
            0 => self.defect("from-missing"),
            1 => {}
            _ => self.defect("from-several"),
        }
    }

    fn read_subject(&mut self, kept: &Kept) {
        let Some(value) = values(kept, "subject").next() else { return };
        self.subject = words::one_line(&words::decode(&value));
        self.ticket_refs = subject::ticket_refs(&self.subject);
        self.base_subject = guarded(|| subject::base(&self.subject));
    }

    fn read_date(&mut self, kept: &Kept) {
        // The topmost Received field is the last hop's own: what its clock said.
        let received = values(kept, "received").next();
        let stamp = received.as_deref().and_then(|value| value.rsplit_once(';')).map(|(_, stamp)| stamp);
        self.received_at = stamp.and_then(date::read).map(|read| read.instant);
        let mut dates = values(kept, "date").peekable();
        if dates.peek().is_none() {
            self.defect("date-missing");
            return;
        }
        // Of several the first that can be read.
        match dates.find_map(|value| date::read(&value)) {
            Some(read) => {
                (self.date, self.date_rfc3339) = (Some(read.instant), Some(read.written));
                if let Some(slug) = read.defect {
                    self.defect(slug);
                }
            }
            None => self.defect("date-unreadable"),
        }
    }

    /// RFC 5322 section 3.6 allows one of each; the topmost is read.
    fn read_repetitions(&mut self, kept: &Kept) {
        for (name, slug) in [
            ("subject", "subject-repeated"),
            ("date", "date-repeated"),
            ("to", "to-repeated"),
            ("cc", "cc-repeated"),
            ("sender", "sender-repeated"),
            ("reply-to", "reply-to-repeated"),
            ("message-id", "message-id-repeated"),
        ] {
            if kept.iter().filter(|(n, _)| n == name).nth(1).is_some() {
                self.defect(slug);
            }
        }
    }
}

/// The fields of one block stand together; the block of an earlier resending is parted from it by trace fields.
fn resent(kept: &Kept) -> Option<Resent> {
    let is_resent = |name: &str| name.starts_with("resent-");
    let start = kept.iter().position(|(name, _)| is_resent(name))?;
    let rest = kept.get(start..)?;
    let end = rest.iter().position(|(name, _)| !is_resent(name)).unwrap_or(rest.len());
    let block = rest.get(..end)?;
    let all = |name: &str| -> Vec<NamedAddress> {
        values(block, name).flat_map(|value| addresses::list(&value).addresses).collect()
    };
    Some(Resent {
        from: all("resent-from"),
        sender: all("resent-sender").into_iter().next(),
        to: all("resent-to"),
        cc: all("resent-cc"),
        date: values(block, "resent-date").find_map(|value| date::read(&value)).map(|read| read.instant),
        message_id: values(block, "resent-message-id").find_map(|value| MessageId::parse(&value)),
    })
}

/// RFC 5321 section 4.4: `<>` is null. An empty field says nothing (seen where a filter blanks it).
fn reverse_path(value: &str) -> ReversePath {
    let bare = value.split('(').next().unwrap_or(value).trim();
    if bare.is_empty() { ReversePath::Unknown } else { ReversePath::parse(bare) }
}

#[cfg(test)]
mod tests;
