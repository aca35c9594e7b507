//! Signed reply addresses and signed Message-IDs: proof that a mail answers something we sent.
//!
//! HMAC-SHA256 cut to 80 bits, over length-prefixed (purpose, key id, mailbox, ticket, entry). The purpose keeps the
//! two apart: a reply address cannot be made from a Message-ID. Several keys live at once: the newest signs, all
//! verify. Everything is lower-case base32, because gateways lower-case local parts.
//!
//! ```text
//! tag          k tttttttt mmmmmmmmmmmmmmmm      key id (1), ordinal (1 to 8), MAC (16): at most 25 characters
//! Message-ID   <pstn.k tttttttt.entry.mmmmmmmmmmmmmmmm@domain>
//! ```
//!
//! Where a tag stands in an address, also after what gateways do to addresses: `reading`.

mod reading;

use std::fmt;

use data_encoding::{Encoding, Specification};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

pub use self::reading::{Reading, readings, unwrapped};
use crate::{
    address::AddrSpec,
    mailbox::{Mailbox, ReplyMode},
    message_id::MessageId,
};

/// MAC octets kept: 80 bits (DESIGN section 5), 16 base32 characters.
const MAC_OCTETS: usize = 10;
const MAC_CHARS: usize = 16;
/// Ordinals are written in at most 8 base32 digits: 2^40 tickets.
const ORDINAL_CHARS_MAX: usize = 8;
/// Smallest and largest number of key octets: NIST SP 800-107 wants a key at least as long as the security strength.
const KEY_OCTETS_MIN: usize = 16;
/// Words of our Message-IDs begin so.
const MESSAGE_ID_MARK: &str = "pstn.";
const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// What a token speaks of; part of what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    ReplyAddress,
    MessageId,
    LoopHeader,
    Separator,
}

impl Purpose {
    const ALL: [Self; 4] = [Self::ReplyAddress, Self::MessageId, Self::LoopHeader, Self::Separator];

    const fn label(self) -> &'static [u8] {
        match self {
            Self::ReplyAddress => b"reply-address",
            Self::MessageId => b"message-id",
            Self::LoopHeader => b"loop-header",
            Self::Separator => b"separator",
        }
    }
}

/// Why keys cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum KeyringError {
    /// No key at all.
    #[error("no signing key is configured")]
    Empty,
    /// A key id is out of range or used twice.
    #[error("signing key id {0} must be unique and between 0 and 31")]
    Id(u8),
    /// A key is too short.
    #[error("signing key {0} is shorter than {KEY_OCTETS_MIN} octets")]
    Short(u8),
}

/// Live signing keys.
#[derive(Clone)]
pub struct Keyring {
    /// Newest first.
    keys: Vec<(u8, Vec<u8>)>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

/// Why something of our form does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Parts of the form are missing.
    Form,
    /// Its key is none of the live ones: removed, or never there.
    UnknownKey,
    /// Signed by us for another purpose.
    OtherPurpose,
    /// The signature is not over what it stands beside.
    Signature,
}

/// What text that may be ours turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// Signed by us for this mailbox, names this ticket.
    Ticket(u64),
    /// Has our form and does not verify: no evidence, reason `forged-token`.
    LookAlike(Flaw),
    /// Nothing of ours.
    Foreign,
}

impl Keyring {
    /// Takes `(id, key)`, newest first.
    ///
    /// # Errors
    /// No key, a short key, an id over 31 or used twice.
    pub fn new(keys: Vec<(u8, Vec<u8>)>) -> Result<Self, KeyringError> {
        if keys.is_empty() {
            return Err(KeyringError::Empty);
        }
        for (n, (id, key)) in keys.iter().enumerate() {
            if *id > 31 || keys.iter().skip(n + 1).any(|(other, _)| other == id) {
                return Err(KeyringError::Id(*id));
            }
            if key.len() < KEY_OCTETS_MIN {
                return Err(KeyringError::Short(*id));
            }
        }
        Ok(Self { keys })
    }

    /// The tag of a reply address for a ticket; `None` beyond 2^40 tickets.
    #[must_use]
    pub fn tag(&self, mailbox: &Mailbox, ticket: u64) -> Option<String> {
        let (id, key) = self.keys.first()?;
        let head = head(*id, ticket)?;
        let mac = mac(key, Purpose::ReplyAddress, *id, mailbox, ticket, "");
        Some(format!("{head}{}", encode(&mac)))
    }

    /// The reply address of a ticket; `None` where the mailbox writes no tags.
    #[must_use]
    pub fn reply_address(&self, mailbox: &Mailbox, ticket: u64) -> Option<AddrSpec> {
        let base = mailbox.addresses.first()?;
        let (local, domain) = (base.local_part(), base.domain());
        let tag = self.tag(mailbox, ticket)?;
        match mailbox.reply_mode {
            ReplyMode::Plus => AddrSpec::parse(&format!("{local}+{tag}@{domain}")),
            ReplyMode::Subdomain => AddrSpec::parse(&format!("{tag}@{local}.{domain}")),
            ReplyMode::Off => None,
        }
    }

    /// A signed Message-ID for an entry of a ticket. `entry` is `[a-z0-9]`, unique within the ticket.
    #[must_use]
    pub fn message_id(&self, mailbox: &Mailbox, ticket: u64, entry: &str) -> Option<MessageId> {
        let (id, key) = self.keys.first()?;
        let mac = mac(key, Purpose::MessageId, *id, mailbox, ticket, entry);
        let domain = mailbox.addresses.first()?.domain();
        MessageId::parse(&format!("<{MESSAGE_ID_MARK}{}.{entry}.{}@{domain}>", head(*id, ticket)?, encode(&mac)))
    }

    /// The value of the loop header that our own mail carries.
    #[must_use]
    pub fn loop_header(&self, mailbox: &Mailbox) -> Option<String> {
        let (id, key) = self.keys.first()?;
        Some(format!("{}{}", head(*id, 0)?, encode(&mac(key, Purpose::LoopHeader, *id, mailbox, 0, ""))))
    }

    /// True where a loop header value was signed by us for this mailbox.
    #[must_use]
    pub fn verify_loop_header(&self, mailbox: &Mailbox, value: &str) -> bool {
        let value = value.trim().to_ascii_lowercase();
        matches!(self.verify(mailbox, Purpose::LoopHeader, &value, ""), Verified::Ticket(0))
    }

    /// What the line carries that our mail has above everything it quotes.
    #[must_use]
    pub fn separator(&self, mailbox: &Mailbox, ticket: u64) -> Option<String> {
        let (id, key) = self.keys.first()?;
        Some(format!("{}{}", head(*id, ticket)?, encode(&mac(key, Purpose::Separator, *id, mailbox, ticket, ""))))
    }

    /// Judges the token of a separator line.
    #[must_use]
    pub fn verify_separator(&self, mailbox: &Mailbox, token: &str) -> Verified {
        self.verify(mailbox, Purpose::Separator, &token.to_ascii_lowercase(), "")
    }

    /// Judges the tag of an address at this mailbox.
    #[must_use]
    pub fn verify_tag(&self, mailbox: &Mailbox, tag: &str) -> Verified {
        self.verify(mailbox, Purpose::ReplyAddress, &tag.to_ascii_lowercase(), "")
    }

    /// Judges a Message-ID.
    #[must_use]
    pub fn verify_message_id(&self, mailbox: &Mailbox, id: &MessageId) -> Verified {
        let local = id.local_part().to_ascii_lowercase();
        let Some(rest) = local.strip_prefix(MESSAGE_ID_MARK) else { return Verified::Foreign };
        let mut parts = rest.split('.');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(head), Some(entry), Some(mac), None) => {
                match self.verify(mailbox, Purpose::MessageId, &format!("{head}{mac}"), entry) {
                    Verified::Foreign => Verified::LookAlike(Flaw::Form),
                    judged => judged,
                }
            }
            _ => Verified::LookAlike(Flaw::Form),
        }
    }

    fn verify(&self, mailbox: &Mailbox, purpose: Purpose, tag: &str, entry: &str) -> Verified {
        let Some((id, ticket, sent)) = read(tag) else { return Verified::Foreign };
        let Some((_, key)) = self.keys.iter().find(|(known, _)| *known == id) else {
            return Verified::LookAlike(Flaw::UnknownKey);
        };
        let signed_for = |purpose| {
            let mut expected = keyed(key);
            sign_over(&mut expected, purpose, id, mailbox, ticket, entry);
            // Constant time; the cut is on the left, as `mac` takes it.
            expected.verify_truncated_left(&sent).is_ok()
        };
        if signed_for(purpose) {
            return Verified::Ticket(ticket);
        }
        let other = Purpose::ALL.into_iter().any(|other| other != purpose && signed_for(other));
        Verified::LookAlike(if other { Flaw::OtherPurpose } else { Flaw::Signature })
    }
}

/// True where text has the form of a tag, whoever signed it.
#[must_use]
pub fn has_tag_form(text: &str) -> bool {
    read(text).is_some()
}

/// Key id, ticket and signature of a tag.
fn read(tag: &str) -> Option<(u8, u64, Vec<u8>)> {
    let (head, sent) = tag.len().checked_sub(MAC_CHARS).and_then(|at| tag.split_at_checked(at))?;
    let ((id, ticket), sent) = (read_head(head)?, decode(sent)?);
    Some((id, ticket, sent))
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of any length (RFC 2104 section 2); the fallback cannot be reached and still fails closed.
    Hmac::<Sha256>::new_from_slice(key)
        .unwrap_or_else(|_| Hmac::<Sha256>::new(&hmac::digest::Key::<Hmac<Sha256>>::default()))
}

fn sign_over(hmac: &mut Hmac<Sha256>, purpose: Purpose, id: u8, mailbox: &Mailbox, ticket: u64, entry: &str) {
    let parts: [&[u8]; 5] =
        [purpose.label(), &[id], mailbox.id.as_str().as_bytes(), &ticket.to_be_bytes(), entry.as_bytes()];
    for part in parts {
        hmac.update(&(part.len() as u64).to_be_bytes());
        hmac.update(part);
    }
}

fn mac(key: &[u8], purpose: Purpose, id: u8, mailbox: &Mailbox, ticket: u64, entry: &str) -> Vec<u8> {
    let mut hmac = keyed(key);
    sign_over(&mut hmac, purpose, id, mailbox, ticket, entry);
    hmac.finalize().into_bytes().into_iter().take(MAC_OCTETS).collect()
}

fn base32() -> Option<Encoding> {
    let mut specification = Specification::new();
    specification.symbols.push_str(std::str::from_utf8(DIGITS).ok()?);
    specification.encoding().ok()
}

fn encode(octets: &[u8]) -> String {
    base32().map(|encoding| encoding.encode(octets)).unwrap_or_default()
}

fn decode(text: &str) -> Option<Vec<u8>> {
    base32()?.decode(text.as_bytes()).ok().filter(|octets| octets.len() == MAC_OCTETS)
}

fn head(id: u8, ticket: u64) -> Option<String> {
    let digit = |value: u64| DIGITS.get(usize::try_from(value & 31).ok()?).map(|b| char::from(*b));
    let mut text = vec![digit(ticket)?];
    let mut rest = ticket >> 5;
    while rest > 0 {
        text.push(digit(rest)?);
        rest >>= 5;
    }
    if text.len() > ORDINAL_CHARS_MAX {
        return None;
    }
    text.push(digit(u64::from(id))?);
    Some(text.into_iter().rev().collect())
}

fn read_head(text: &str) -> Option<(u8, u64)> {
    if !(2..=1 + ORDINAL_CHARS_MAX).contains(&text.len()) {
        return None;
    }
    let mut digits = text.bytes().map(|b| DIGITS.iter().position(|d| *d == b).map(|at| at as u64));
    let id = u8::try_from(digits.next()??).ok()?;
    let mut ticket = 0_u64;
    for digit in digits {
        ticket = (ticket << 5) | digit?;
    }
    Some((id, ticket))
}

#[cfg(test)]
mod tests;
