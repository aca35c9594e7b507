//! A mailbox is what people write to: addresses, queue, ticket type, policies. (A door is how mail arrives.)

mod id;
mod lifecycle;
mod limits;
mod pattern;
mod policies;

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::{
    id::MailboxId,
    lifecycle::{CourtesyPolicy, LifecyclePolicy},
    limits::{AttachmentLimits, Caps},
    pattern::AddressPattern,
    policies::{AuthenticationPolicy, CcPolicy, ReplyMode, ReplyToPolicy, StrangerPolicy, Who},
};
use crate::{
    address::AddrSpec,
    retention::Days,
    rules::Rules,
    token::{has_tag_form, readings, unwrapped},
};

/// RFC 5321 section 4.5.3.1.1: a local part holds 64 octets at most.
const LOCAL_PART_OCTETS_MAX: usize = 64;
/// `+` and the longest tag that `token` makes (DESIGN section 5: at most 26 characters).
const TAG_OCTETS_MAX: usize = 1 + 26;

/// Addresses that one address is tried as.
const BASES_MAX: usize = 64;

/// Configuration of one mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// Its id.
    pub id: MailboxId,
    /// Mail for it becomes tickets; else it is held, cause `mailbox-disabled`.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Addresses people write to; the first is the one reply addresses are made from.
    pub addresses: Vec<AddrSpec>,
    /// Further addresses, by pattern.
    #[serde(default)]
    pub patterns: Vec<AddressPattern>,
    /// Mailboxes with the same scope share tickets; default: the id.
    pub scope: String,
    /// Ticket number prefix, `[A-Z]{2,8}`.
    pub prefix: String,
    /// Other prefixes for some ticket types.
    #[serde(default)]
    pub prefixes: BTreeMap<String, String>,
    /// Ticket numbers carry the year (UTC of receipt).
    #[serde(default)]
    pub year_in_number: bool,
    /// Queue of new tickets.
    pub queue: String,
    /// Type of new tickets: `incident`, `change`, ...
    pub ticket_type: String,
    /// How reply addresses are written.
    #[serde(default)]
    pub reply_mode: ReplyMode,
    /// What a stranger's mail does.
    #[serde(default)]
    pub strangers: StrangerPolicy,
    /// What failed authentication does.
    #[serde(default)]
    pub authentication: AuthenticationPolicy,
    /// Who answers: they may write on every ticket of the mailbox, and open tickets for those whose mail they forward,
    /// where their authentication has passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<Who>,
    /// What becomes of those in To and Cc.
    #[serde(default)]
    pub cc: CcPolicy,
    /// When Reply-To names the requester.
    #[serde(default)]
    pub reply_to: ReplyToPolicy,
    /// Addresses that write for others, as a contact form or a group that rewrites From: the person stands in Reply-To.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub form_senders: Vec<Who>,
    /// A subject number from a participant whose authentication is unknown appends (default: new related ticket).
    #[serde(default)]
    pub subject_number_unauthenticated: bool,
    /// Closed tickets reopen for this many days after closing; `None` = always.
    #[serde(default)]
    pub reopen_window_days: Option<u16>,
    /// What mail and time do to the status of its tickets.
    #[serde(flatten)]
    pub lifecycle: LifecyclePolicy,
    /// Which attachments are taken out of its mail.
    #[serde(default)]
    pub attachments: AttachmentLimits,
    /// How long its held mail and its ledger rows are kept, where that is not as the stack says.
    #[serde(default)]
    pub retention: Days,
    /// How much is too much.
    #[serde(default)]
    pub caps: Caps,
    /// Authors who may bring any number of mails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncapped: Vec<Who>,
    /// Its routing rules. They stand in an item of their own beside it, because a thousand of them are large.
    #[serde(skip)]
    pub rules: Rules,
}

fn yes() -> bool {
    true
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
    /// A queue, a ticket type or a scope that cannot stand in a key.
    #[error("mailbox {0}: {1} {2:?} must be 1 to 64 letters a to z, digits, hyphens or underscores")]
    Word(String, &'static str, String),
    /// A signed tag would not fit.
    #[error(
        "mailbox {0}: a reply tag needs {TAG_OCTETS_MAX} octets and a local part holds {LOCAL_PART_OCTETS_MAX}; \
         use a shorter address or reply mode `off`"
    )]
    TagDoesNotFit(String),
    /// The local part cannot be a label of a domain.
    #[error(
        "mailbox {0}: reply mode `subdomain` needs a first address whose local part can stand in a domain (letters, \
         digits, hyphens, at most 63)"
    )]
    NoSubdomain(String),
    /// A limit that lets nothing through.
    #[error(
        "mailbox {0}: attachment limits are octets and a count above zero, and the total is not below the limit of one"
    )]
    Limits(String),
    /// Two mailboxes share an id.
    #[error("mailbox {0} is configured twice")]
    Twice(String),
    /// Two mailboxes claim one address or pattern.
    #[error("mailboxes {0} and {1} claim the same address, {2}")]
    AddressClaimed(String, String, String),
    /// One mailbox's pattern takes the signed reply addresses of another.
    #[error("mailbox {0} claims {2}, and reply addresses of mailbox {1} are of that form; use reply mode `off` there")]
    TagsClaimed(String, String, String),
}

impl MailboxError {
    /// In words without addresses.
    #[must_use]
    pub fn public(&self) -> String {
        match self {
            Self::AddressClaimed(a, b, _) | Self::TagsClaimed(a, b, _) => {
                format!("mailboxes {a} and {b} claim the same addresses; `postern mailbox list` shows them")
            }
            other => other.to_string(),
        }
    }
}

impl Mailbox {
    /// A mailbox with default policies.
    #[must_use]
    pub fn new(id: MailboxId, address: AddrSpec, prefix: &str) -> Self {
        Self {
            scope: id.as_str().to_owned(),
            id,
            enabled: true,
            addresses: vec![address],
            patterns: Vec::new(),
            prefix: prefix.to_owned(),
            prefixes: BTreeMap::new(),
            year_in_number: false,
            queue: "support".to_owned(),
            ticket_type: "incident".to_owned(),
            reply_mode: ReplyMode::Plus,
            strangers: StrangerPolicy::Unverified,
            authentication: AuthenticationPolicy::Flag,
            agents: Vec::new(),
            cc: CcPolicy::Approved,
            reply_to: ReplyToPolicy::Forms,
            form_senders: Vec::new(),
            subject_number_unauthenticated: false,
            reopen_window_days: Some(14),
            lifecycle: LifecyclePolicy::default(),
            attachments: AttachmentLimits::default(),
            retention: Days::default(),
            caps: Caps::default(),
            uncapped: Vec::new(),
            rules: Rules::default(),
        }
    }

    /// True where `address` is one of ours: written out, with or without a tag, or by a pattern.
    #[must_use]
    pub fn owns(&self, address: &AddrSpec) -> bool {
        self.claim(address, &bases(address)).is_some()
    }

    /// True where the address is one of its agents'. Whether it is the agent is a matter of authentication.
    #[must_use]
    pub fn is_agent(&self, address: &AddrSpec) -> bool {
        self.agents.iter().any(|agent| agent.is(address))
    }

    /// The prefix of a ticket of that type.
    #[must_use]
    pub fn prefix_of(&self, ticket_type: &str) -> &str {
        self.prefixes.get(ticket_type).unwrap_or(&self.prefix)
    }

    /// How closely an address is this mailbox's: the lower the closer.
    fn claim(&self, address: &AddrSpec, bases: &[AddrSpec]) -> Option<u8> {
        let by_pattern = |tagged: bool| {
            let of = |pattern: &&AddressPattern| matches!(pattern, AddressPattern::Tagged(_)) == tagged;
            self.patterns.iter().filter(of).any(|pattern| pattern.holds(address))
        };
        if self.addresses.contains(address) {
            Some(0)
        } else if by_pattern(true) {
            Some(1)
        } else if bases.iter().any(|base| self.addresses.contains(base)) {
            Some(2)
        } else {
            by_pattern(false).then_some(3)
        }
    }

    /// The subdomain that mode `subdomain` writes reply addresses in.
    #[must_use]
    pub fn reply_subdomain(&self) -> Option<String> {
        let first = self.addresses.first()?;
        (self.reply_mode == ReplyMode::Subdomain).then(|| format!("{}.{}", first.local_part(), first.domain()))
    }

    fn check(&self) -> Result<(), MailboxError> {
        let id = || self.id.as_str().to_owned();
        let Some(first) = self.addresses.first() else { return Err(MailboxError::NoAddress(id())) };
        for prefix in std::iter::once(&self.prefix).chain(self.prefixes.values()) {
            if !(2..=8).contains(&prefix.len()) || !prefix.bytes().all(|b| b.is_ascii_uppercase()) {
                return Err(MailboxError::Prefix(id(), prefix.clone()));
            }
        }
        let types = self.prefixes.keys().map(|kind| ("ticket type", kind));
        let words = [("queue", &self.queue), ("ticket type", &self.ticket_type), ("scope", &self.scope)];
        if let Some((what, word)) = words.into_iter().chain(types).find(|(_, word)| !is_word(word)) {
            return Err(MailboxError::Word(id(), what, word.clone()));
        }
        if self.reply_mode == ReplyMode::Plus && first.local_part().len() + TAG_OCTETS_MAX > LOCAL_PART_OCTETS_MAX {
            return Err(MailboxError::TagDoesNotFit(id()));
        }
        if self.reply_subdomain().is_some_and(|subdomain| !is_host(&subdomain)) {
            return Err(MailboxError::NoSubdomain(id()));
        }
        let AttachmentLimits { each, total, count } = self.attachments;
        if each == 0 || count == 0 || total < each {
            return Err(MailboxError::Limits(id()));
        }
        Ok(())
    }

    /// What this mailbox takes from another, or both claim.
    fn clash(&self, other: &Self) -> Result<(), MailboxError> {
        let ids = || (self.id.as_str().to_owned(), other.id.as_str().to_owned());
        if self.id == other.id {
            return Err(MailboxError::Twice(ids().0));
        }
        let address = self.addresses.iter().find(|address| other.addresses.contains(address)).map(ToString::to_string);
        let pattern = || self.patterns.iter().find(|pattern| other.patterns.contains(pattern)).map(ToString::to_string);
        if let Some(claimed) = address.or_else(pattern) {
            let (a, b) = ids();
            return Err(MailboxError::AddressClaimed(a, b, claimed));
        }
        for (taker, signer) in [(self, other), (other, self)] {
            let signs = signer.addresses.first().filter(|_| signer.reply_mode == ReplyMode::Plus);
            let taken = taker.patterns.iter().find(|pattern| match pattern {
                AddressPattern::Tagged(base) => Some(base) == signs,
                AddressPattern::Domain(_) => false,
            });
            if let Some(pattern) = taken {
                let (a, b) = (taker.id.as_str().to_owned(), signer.id.as_str().to_owned());
                return Err(MailboxError::TagsClaimed(a, b, pattern.to_string()));
            }
        }
        Ok(())
    }
}

/// Whose an address may be without what was put to it: any tag behind a `+`, what has the form of a signed tag in front of
/// a subdomain, and the wrappings of gateways (SRS, BATV). Most addresses have nothing of it.
fn bases(address: &AddrSpec) -> Vec<AddrSpec> {
    let local = address.local_part();
    if !local.contains(['+', '=', '"', '%']) && !has_tag_form(local) {
        return Vec::new();
    }
    let plain = unwrapped(address);
    let plus = plain.iter().flat_map(|inner| inner.plus_tags().map(|(base, _)| base));
    let tagged = readings(address).into_iter().filter(|reading| has_tag_form(&reading.tag)).map(|reading| reading.base);
    plain.iter().skip(1).cloned().chain(plus).chain(tagged).take(BASES_MAX).collect()
}

/// RFC 1123 section 2.1 and RFC 1035 section 2.3.4: labels of letters, digits and inner hyphens.
fn is_host(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.len() <= 253 && domain.split('.').all(label)
}

/// What may stand in a key between `#` signs.
pub(crate) fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
}

/// All mailboxes of a stack, checked, in id order. Clones share them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailboxes(Arc<[Mailbox]>);

impl Default for Mailboxes {
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

impl Mailboxes {
    /// Checks and orders.
    ///
    /// # Errors
    /// The first fault found, naming the mailbox.
    pub fn new(mut all: Vec<Mailbox>) -> Result<Self, MailboxError> {
        all.sort_by(|a, b| a.id.cmp(&b.id));
        for (n, mailbox) in all.iter().enumerate() {
            mailbox.check()?;
            all.iter().skip(n + 1).try_for_each(|other| mailbox.clash(other))?;
        }
        Ok(Self(all.into()))
    }

    /// By id.
    #[must_use]
    pub fn by_id(&self, id: &MailboxId) -> Option<&Mailbox> {
        self.0.iter().find(|mailbox| mailbox.id == *id)
    }

    /// The mailbox that owns an address: written out before a pattern of tags, before a tagged form, before a whole
    /// domain.
    #[must_use]
    pub fn by_address(&self, address: &AddrSpec) -> Option<&Mailbox> {
        let bases = bases(address);
        let claims = self.0.iter().filter_map(|mailbox| Some((mailbox.claim(address, &bases)?, mailbox)));
        claims.min_by_key(|(claim, _)| *claim).map(|(_, mailbox)| mailbox)
    }

    /// True where the address writes for others: ours, or a form sender of any mailbox.
    #[must_use]
    pub fn writes_for_others(&self, address: &AddrSpec) -> bool {
        let form = |mailbox: &Mailbox| mailbox.form_senders.iter().any(|sender| sender.is(address));
        self.by_address(address).is_some() || self.iter().any(form)
    }

    /// The only mailbox, where there is exactly one.
    #[must_use]
    pub fn only(&self) -> Option<&Mailbox> {
        match self.0.as_ref() {
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
mod tests;
