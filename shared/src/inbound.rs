//! What every door hands over: one kind of input, one pipeline.

mod verdicts;

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use self::verdicts::comparable;
pub use self::verdicts::{DKIM_DOMAINS_MAX, Verdict, Verdicts};
use crate::{
    digest::sha256_parts,
    door::{Door, Provider},
    envelope::Envelope,
    mailbox::MailboxId,
    ticket::cut_at,
};

/// Octets of a provider's event id kept.
pub(crate) const EVENT_ID_OCTETS_MAX: usize = 256;
/// As many as a W3C trace id has.
const TRACE_ID_DIGITS: usize = 32;

/// How the octets came to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// RFC 5322 octets as received.
    Received,
    /// Rebuilt at the door from a parsed payload: readable, not evidence.
    Rebuilt,
    /// The provider wrote the object itself (SES): it is read, not copied.
    Stored {
        /// Bucket the provider wrote to.
        bucket: String,
        /// Object key.
        key: String,
    },
}

/// Door, provider and time of one delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingress {
    /// Id of the door, `[a-z0-9-]`.
    pub door: String,
    /// Who stands at it: `mailgun`, `postmark`, `cli`, ...
    pub provider: String,
    /// The provider's own id of this event, stable across its retries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// When the transport took the mail: the provider's timestamp, else our clock at the door.
    pub transport_time: Timestamp,
}

impl Ingress {
    /// Something that came through a door at a time.
    #[must_use]
    pub fn at(door: &Door, event_id: Option<String>, transport_time: Timestamp) -> Self {
        let provider = door.provider.name().to_owned();
        Self { door: door.id.as_str().to_owned(), provider, event_id, transport_time }
    }

    /// What all log lines, measurements, rows and events about one delivery have in common: 32 hex digits, from the door
    /// and the provider's own id of the event, so that its retries have the same. Where there is none, from the object
    /// key; `None` while neither is known. Nobody can read an address or an id out of it.
    #[must_use]
    pub fn trace_id(&self, raw_key: &str) -> Option<String> {
        // What stands for the event id of a polled mail is a second, which two mails may share.
        let event = self.event_id.as_deref().filter(|_| self.provider != Provider::Imap.name());
        let of = match event {
            Some(id) => cut_at(id, EVENT_ID_OCTETS_MAX),
            None if raw_key.is_empty() => return None,
            None => raw_key,
        };
        let hash = sha256_parts(&[b"trace", self.door.as_bytes(), of.as_bytes()]);
        hash.get(..TRACE_ID_DIGITS).map(str::to_owned)
    }
}

/// A provider's signed token that may authenticate one body only (DESIGN section 6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayGuard {
    /// SHA-256 of provider and token, lower-case hex.
    pub token_sha256: String,
    /// SHA-256 of the decoded fields less timestamp, token and signature, lower-case hex.
    pub body_digest: String,
}

/// One delivery, ready for the pipeline.
#[derive(Clone)]
pub struct InboundMessage {
    /// RFC 5322 octets; never edited.
    pub raw: Bytes,
    /// How the octets came to be.
    pub origin: Origin,
    /// What the transport said.
    pub envelope: Envelope,
    /// Which door.
    pub ingress: Ingress,
    /// What the provider asserts.
    pub verdicts: Verdicts,
    /// Mailbox named by the operator in the path or query; wins over every address.
    pub mailbox: Option<MailboxId>,
    /// Set where the delivery carries a single-use token.
    pub replay_guard: Option<ReplayGuard>,
    /// What the provider sent, where the octets were made from it: kept beside them.
    pub payload: Option<Bytes>,
    /// Set where the octets are still with the provider; `raw` is empty then.
    pub fetch: Option<Fetch>,
}

/// Where a provider keeps a mail for us to fetch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    /// The URL to ask. Its host is checked before a key goes there.
    pub url: String,
    /// What the provider says of its size, octets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Names of its attachments, as answered while it waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<String>,
    /// The provider keeps it until then.
    pub until: Timestamp,
}

/// The URL opens the mail for whoever has the key, and names are the customer's.
impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetch").field("size", &self.size).field("until", &self.until).finish_non_exhaustive()
    }
}

/// Never the octets.
impl fmt::Debug for InboundMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundMessage")
            .field("raw_octets", &self.raw.len())
            .field("ingress", &self.ingress)
            .finish_non_exhaustive()
    }
}

/// Everything that decides how a raw object is ingested; kept beside it, so that it can be ingested again exactly as
/// first accepted (DESIGN section 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptRecord {
    /// Object key of the raw octets.
    pub raw_key: String,
    /// How the octets came to be.
    pub origin: Origin,
    /// What the transport said.
    pub envelope: Envelope,
    /// Which door.
    pub ingress: Ingress,
    /// What the provider asserts.
    pub verdicts: Verdicts,
    /// The mailboxes chosen at the door, in id order; empty = none could be chosen.
    pub mailboxes: Vec<MailboxId>,
    /// Set where the delivery carries a single-use token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_guard: Option<ReplayGuard>,
    /// Object key of the provider's payload that the octets were made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_key: Option<String>,
    /// Where the octets can be fetched while they are not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetch: Option<Fetch>,
    /// What its door says of it: flags of its entry, and reasons. `too-large`: it stands for a mail that did not fit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
}

impl AcceptRecord {
    /// The message as it was first accepted. What names its mailboxes and its single-use token stays in the record.
    #[must_use]
    pub fn message(&self, raw: Bytes) -> InboundMessage {
        InboundMessage {
            raw,
            origin: self.origin.clone(),
            envelope: self.envelope.clone(),
            ingress: self.ingress.clone(),
            verdicts: self.verdicts.clone(),
            mailbox: None,
            replay_guard: None,
            payload: None,
            fetch: None,
        }
    }

    /// True where the provider wrote the object: its metadata cannot hold this record.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        matches!(self.origin, Origin::Stored { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_id_follows_from_the_event() {
        let of = |provider: &str, door: &str, event: Option<&str>, key: &str| {
            let (provider, door, event_id) = (provider.to_owned(), door.to_owned(), event.map(str::to_owned));
            Ingress { door, provider, event_id, transport_time: Timestamp::UNIX_EPOCH }.trace_id(key)
        };
        let one = of("ses", "ses", Some("e-1"), "").unwrap();
        assert!(one.len() == 32 && one.chars().all(|c| c.is_ascii_hexdigit()), "{one}");
        assert_eq!(of("ses", "ses", Some("e-1"), "raw/ses/x"), Some(one.clone()), "the event alone");
        assert_ne!(of("ses", "other", Some("e-1"), ""), Some(one.clone()), "another door");
        assert_ne!(of("ses", "ses", Some("e-2"), ""), Some(one));
        assert_eq!(of("raw", "raw", None, ""), None);
        assert_ne!(of("raw", "raw", None, "raw/a"), of("raw", "raw", None, "raw/b"));
        let polled = |key| of("imap", "imap", Some("internaldate:1"), key);
        assert_ne!(polled("raw/a"), polled("raw/b"), "two mails of one second");
        let long = "e".repeat(300);
        assert_eq!(of("raw", "raw", Some(&long), ""), of("raw", "raw", Some(&"e".repeat(256)), ""), "as it is kept");
    }
}
