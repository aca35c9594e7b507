//! A mailbox is what people write to: addresses, queue, ticket type, policies. (A door is how mail arrives.)

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::address::AddrSpec;

/// RFC 5321 section 4.5.3.1.1: a local part holds 64 octets at most.
const LOCAL_PART_OCTETS_MAX: usize = 64;
/// `+` and the longest tag that `token` makes (DESIGN section 5: at most 26 characters).
const TAG_OCTETS_MAX: usize = 1 + 26;

/// Id of a mailbox: `[a-z0-9-]{1,64}`, never `mime` (a last path segment `mime` is a suffix) and never `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MailboxId(String);

impl MailboxId {
    /// Checks the form. `None` where it is not an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && text != "mime"
            && text != "-";
        fits.then(|| Self(text.to_owned()))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a signed reply address is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyMode {
    /// `local+tag@domain`.
    #[default]
    Plus,
    /// No tag: where plus addressing is not proven. Threading then rests on signed Message-IDs.
    Off,
}

/// What mail of a stranger does that names an existing ticket by E1 to E3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrangerPolicy {
    /// An `unverified` entry: agents see it, nothing else happens.
    #[default]
    Unverified,
    /// A public entry, as if a participant had written.
    Append,
    /// A new ticket, related.
    New,
    /// Held with cause `stranger`.
    Hold,
}

/// Configuration of one mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// Its id.
    pub id: MailboxId,
    /// Addresses people write to; the first is the one reply addresses are made from.
    pub addresses: Vec<AddrSpec>,
    /// Mailboxes with the same scope share tickets; default: the id.
    pub scope: String,
    /// Ticket number prefix, `[A-Z]{2,8}`.
    pub prefix: String,
    /// Ticket numbers carry the year (UTC of receipt).
    pub year_in_number: bool,
    /// Queue of new tickets.
    pub queue: String,
    /// Type of new tickets: `incident`, `change`, ...
    pub ticket_type: String,
    /// How reply addresses are written.
    pub reply_mode: ReplyMode,
    /// What a stranger's mail does.
    pub strangers: StrangerPolicy,
    /// A subject number from a participant whose authentication is unknown appends (default: new related ticket).
    pub subject_number_unauthenticated: bool,
    /// Closed tickets reopen for this many days after closing; `None` = always.
    pub reopen_window_days: Option<u16>,
}

/// Why a mailbox cannot be used as configured.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum MailboxError {
    /// No address.
    #[error("mailbox {0}: no address is configured")]
    NoAddress(String),
    /// The prefix has the wrong form.
    #[error("mailbox {0}: prefix {1:?} must be 2 to 8 letters A to Z")]
    Prefix(String, String),
    /// A signed tag would not fit.
    #[error(
        "mailbox {0}: a reply tag needs {TAG_OCTETS_MAX} octets and a local part holds {LOCAL_PART_OCTETS_MAX}; \
         use a shorter address or reply mode `off`"
    )]
    TagDoesNotFit(String),
    /// Two mailboxes share an id.
    #[error("mailbox {0} is configured twice")]
    Twice(String),
    /// Two mailboxes claim one address.
    #[error("mailboxes {0} and {1} claim the same address")]
    AddressClaimed(String, String),
}

impl Mailbox {
    /// A mailbox with default policies.
    #[must_use]
    pub fn new(id: MailboxId, address: AddrSpec, prefix: &str) -> Self {
        Self {
            scope: id.as_str().to_owned(),
            id,
            addresses: vec![address],
            prefix: prefix.to_owned(),
            year_in_number: false,
            queue: "support".to_owned(),
            ticket_type: "incident".to_owned(),
            reply_mode: ReplyMode::Plus,
            strangers: StrangerPolicy::Unverified,
            subject_number_unauthenticated: false,
            reopen_window_days: Some(14),
        }
    }

    /// True where `address` is one of ours, with or without a tag.
    #[must_use]
    pub fn owns(&self, address: &AddrSpec) -> bool {
        self.addresses.contains(address)
            || address.plus_tags().any(|(base, _)| self.addresses.contains(&base))
    }

    fn check(&self) -> Result<(), MailboxError> {
        let id = || self.id.as_str().to_owned();
        let first = self.addresses.first().ok_or_else(|| MailboxError::NoAddress(id()))?;
        if !(2..=8).contains(&self.prefix.len()) || !self.prefix.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(MailboxError::Prefix(id(), self.prefix.clone()));
        }
        if self.reply_mode == ReplyMode::Plus && first.local_part().len() + TAG_OCTETS_MAX > LOCAL_PART_OCTETS_MAX {
            return Err(MailboxError::TagDoesNotFit(id()));
        }
        Ok(())
    }
}

/// All mailboxes of a stack, checked, in id order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailboxes(Vec<Mailbox>);

impl Mailboxes {
    /// Checks and orders.
    ///
    /// # Errors
    /// The first fault found, naming the mailbox.
    pub fn new(mut all: Vec<Mailbox>) -> Result<Self, MailboxError> {
        all.sort_by(|a, b| a.id.cmp(&b.id));
        for (n, mailbox) in all.iter().enumerate() {
            mailbox.check()?;
            for other in all.iter().skip(n + 1) {
                if other.id == mailbox.id {
                    return Err(MailboxError::Twice(mailbox.id.as_str().to_owned()));
                }
                if mailbox.addresses.iter().any(|a| other.addresses.contains(a)) {
                    let (a, b) = (mailbox.id.as_str().to_owned(), other.id.as_str().to_owned());
                    return Err(MailboxError::AddressClaimed(a, b));
                }
            }
        }
        Ok(Self(all))
    }

    /// By id.
    #[must_use]
    pub fn by_id(&self, id: &MailboxId) -> Option<&Mailbox> {
        self.0.iter().find(|mailbox| mailbox.id == *id)
    }

    /// The mailbox that owns an address, exact addresses before tagged ones.
    #[must_use]
    pub fn by_address(&self, address: &AddrSpec) -> Option<&Mailbox> {
        let exact = self.0.iter().find(|mailbox| mailbox.addresses.contains(address));
        exact.or_else(|| self.0.iter().find(|mailbox| mailbox.owns(address)))
    }

    /// The only mailbox, where there is exactly one.
    #[must_use]
    pub fn only(&self) -> Option<&Mailbox> {
        match self.0.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// In id order.
    pub fn iter(&self) -> impl Iterator<Item = &Mailbox> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(id: &str, address: &str, prefix: &str) -> Mailbox {
        Mailbox::new(MailboxId::parse(id).unwrap(), AddrSpec::parse(address).unwrap(), prefix)
    }

    #[test]
    fn ids_have_one_form() {
        for (text, fits) in
            [("support", true), ("a-1", true), ("mime", false), ("-", false), ("", false), ("A", false), ("a/b", false)]
        {
            assert_eq!(MailboxId::parse(text).is_some(), fits, "{text:?}");
        }
    }

    #[test]
    fn faults_are_named() {
        let cases = [
            (vec![mailbox("a", "a@x.example", "A")], "prefix"),
            (vec![mailbox("a", &format!("{}@x.example", "l".repeat(38)), "AB")], "reply tag"),
            (vec![mailbox("a", "a@x.example", "AB"), mailbox("a", "b@x.example", "AB")], "twice"),
            (vec![mailbox("a", "a@x.example", "AB"), mailbox("b", "a@x.example", "AB")], "claim"),
        ];
        for (mailboxes, expected) in cases {
            let error = Mailboxes::new(mailboxes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error} lacks {expected}");
        }
    }

    #[test]
    fn tagged_addresses_belong_to_their_mailbox() {
        let all = Mailboxes::new(vec![mailbox("b", "a+b@x.example", "BB"), mailbox("a", "a@x.example", "AA")]).unwrap();
        let owner = |text: &str| all.by_address(&AddrSpec::parse(text).unwrap()).map(|m| m.id.as_str().to_owned());
        assert_eq!(owner("a@x.example").as_deref(), Some("a"));
        assert_eq!(owner("a+b@x.example").as_deref(), Some("b"));
        assert_eq!(owner("a+tag@x.example").as_deref(), Some("a"));
        assert_eq!(owner("c@x.example"), None);
    }
}
