//! What the table remembers of mail: ledger rows and message index rows, and the words they use.
//!
//! Plain data: how it is written is `store/items.rs`, under which condition `store/commit.rs`.

mod cause;
mod polled;
mod requester;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::{
    cause::Cause,
    polled::{Folder, Horizon, Parked, PolledDoor, Trying},
    requester::{Counted, Mark, Requester},
};
use crate::{
    address::AddrSpec,
    digest::sha256_parts,
    headers::Headers,
    inbound::{AcceptRecord, Ingress, Verdicts},
    message_id::MessageId,
    thread::Clue,
};

/// Claims kept on one message index row, and holders of one id (DESIGN section 4).
pub const CLAIMS_MAX: usize = 8;

/// How a copy ended. Every word but `queued` is an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Safe, not decided yet.
    Queued,
    /// An entry was written.
    Committed,
    /// A sighting of a mail that has its entry already.
    Duplicate,
    /// Kept back with a cause.
    Held,
    /// No ticket, with a cause.
    Ignored,
    /// Could not be processed; the octets are kept.
    Failed,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Committed, Self::Duplicate, Self::Held, Self::Ignored, Self::Failed];

    /// The word used in JSON and in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Committed => "committed",
            Self::Duplicate => "duplicate",
            Self::Held => "held",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
        }
    }

    /// True for those a person should look at: listed and counted everywhere.
    #[must_use]
    pub const fn needs_attention(self) -> bool {
        matches!(self, Self::Held | Self::Failed | Self::Queued)
    }
}

/// What a committed mail did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Opened a ticket.
    Created,
    /// Appended to a ticket.
    Matched,
    /// Appended and reopened it.
    Reopened,
    /// An internal note (out of office, receipt, bounce).
    Note,
    /// An entry of somebody who may not speak there.
    Unverified,
}

/// What tells a duplicate from a collision: Date instant, author and base subject, hashed (DESIGN section 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Seconds since the epoch; `None` = no readable Date.
    pub date: Option<i64>,
    /// Hash of the From addresses.
    pub author: String,
    /// Hash of the base subject.
    pub subject: String,
}

impl Head {
    /// Takes the head of a message.
    #[must_use]
    pub fn of(headers: &Headers) -> Self {
        let mut from: Vec<String> = headers.from.iter().filter_map(|a| a.addr_spec().map(|a| a.to_string())).collect();
        from.sort_unstable();
        let parts: Vec<&[u8]> = from.iter().map(String::as_bytes).collect();
        Self {
            date: headers.date.map(Timestamp::as_second),
            author: sha256_parts(&parts),
            subject: sha256_parts(&[headers.base_subject.as_bytes()]),
        }
    }

    /// The duplicate rule: Date equal (missing on one side = equal) and author or base subject equal.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        let date = self.date.is_none() || other.date.is_none() || self.date == other.date;
        date && (self.author == other.author || self.subject == other.subject)
    }

    /// One hash over all of it, for the key of a collision.
    #[must_use]
    pub fn digest(&self) -> String {
        let date = self.date.map(|seconds| seconds.to_string()).unwrap_or_default();
        sha256_parts(&[date.as_bytes(), self.author.as_bytes(), self.subject.as_bytes()])
    }
}

/// A ticket that waits for the mail of this id: somebody there has referred to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The ticket.
    pub ticket: u64,
    /// [`author_hash`] of who referred.
    pub author: String,
}

/// Another mail under the same id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its ticket.
    pub ticket: u64,
    /// Its head.
    pub head: Head,
}

/// What a message index row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexDirection {
    /// A mail that came in.
    In,
    /// A mail that we sent.
    Out,
    /// Nobody has seen it yet; tickets wait for it.
    Claim,
}

/// One row of the message index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexRow {
    /// What it stands for.
    pub direction: IndexDirection,
    /// Ticket of the entry; `None` on a claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<u64>,
    /// That ticket's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_number: Option<String>,
    /// Sort key of the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Head of the mail; `None` on a claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Head>,
    /// Hash of the visible text without white space: a differing one is a `variant`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Who waits, or waited.
    pub claims: Vec<Claim>,
    /// Other mails under this id.
    pub holders: Vec<Holder>,
}

/// The author as claims remember it: comparable, not readable.
#[must_use]
pub fn author_hash(address: &AddrSpec) -> String {
    sha256_parts(&[b"author", address.as_str().as_bytes()])
}

/// Hash of the visible text without white space.
#[must_use]
pub fn body_hash(text: &str) -> String {
    let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    sha256_parts(&[dense.as_bytes()])
}

/// The stand-in for a missing Message-ID (DESIGN section 4): never random, never our clock. Without a Date, the
/// bottom-most Received line or the delivery's own stable id keeps hourly alarms of a device apart.
#[must_use]
pub fn digest_id(headers: &Headers, text: &str, delivery_id: Option<&str>) -> MessageId {
    let head = Head::of(headers);
    let date = head.date.map(|seconds| seconds.to_string()).unwrap_or_default();
    let body = body_hash(text);
    let other = match (headers.date, &headers.first_received) {
        (Some(_), _) => String::new(),
        (None, Some(received)) => received.clone(),
        (None, None) => delivery_id.unwrap_or_default().to_owned(),
    };
    let digest = sha256_parts(&[
        head.author.as_bytes(),
        date.as_bytes(),
        headers.subject.as_bytes(),
        body.as_bytes(),
        other.as_bytes(),
    ]);
    MessageId::from_digest(&digest)
}

/// One row of the ledger: one copy of one mail for one mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// How it ended.
    pub outcome: Outcome,
    /// What it did, when committed (for a duplicate: what the first copy did is on the entry).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// Why it is held, ignored or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Why, as slugs, in the order they were found.
    pub reasons: Vec<String>,
    /// What named which ticket, as lines for listings; with `clues` at most 16 KiB.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// What could have named a ticket, where it stood, and what came of it: for `explain`. Older rows have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clues: Vec<Clue>,
    /// How many clues there was no room for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub clues_more: u64,
    /// What the provider asserted.
    pub verdicts: Verdicts,
    /// Which door.
    pub ingress: Ingress,
    /// Mailbox; `-` where none could be chosen.
    pub mailbox: String,
    /// Object key of the raw octets (or of the payload).
    pub raw_key: String,
    /// Size of the raw, octets.
    pub raw_octets: u64,
    /// Ticket it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<u64>,
    /// That ticket's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_number: Option<String>,
    /// Sort key of the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Partition key of the message index row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_pk: Option<String>,
    /// Hash of the author's address, where one is known: gsi2 finds his mail by it. Stands there and nowhere else, because
    /// most rows are just below a kilobyte.
    #[serde(default, rename = "gsi2pk", skip_serializing_if = "Option::is_none")]
    pub author_key: Option<String>,
    /// Who wrote it, for listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Subject, cut at 200 octets, for listings.
    #[serde(default)]
    pub subject: String,
    /// Deliveries of a queue that are under way or came to no end, by their ids: a set, so that one delivery counts
    /// once however often its answer was lost.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty", deserialize_with = "delivery_ids")]
    pub attempts: BTreeSet<String>,
    /// Transport time.
    pub received_at: Timestamp,
    /// Our clock when it ended.
    pub ended_at: Timestamp,
    /// When the table may remove the row, seconds since the epoch; `None` = never. Set as it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// It was told that it ends within a week.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warned: bool,
    /// Who released or discarded it, if anybody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// How it was accepted, where the object itself cannot say it: on rows of an object that the provider wrote, as
    /// long as a person or a queue may bring it in again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept: Option<Box<AcceptRecord>>,
}

impl LedgerRow {
    /// The trace id of the delivery that this copy came with: see [`Ingress::trace_id`].
    #[must_use]
    pub fn trace_id(&self) -> String {
        // A row always has its object's key.
        self.ingress.trace_id(&self.raw_key).unwrap_or_default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A set, or the number that rows had before deliveries were told apart: it was always zero.
fn delivery_ids<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Ids(BTreeSet<String>),
        Number(serde::de::IgnoredAny),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Ids(ids) => ids,
        Written::Number(_) => BTreeSet::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_before_read_as_not_tried() {
        #[derive(Deserialize)]
        struct Row {
            #[serde(default, deserialize_with = "delivery_ids")]
            attempts: BTreeSet<String>,
        }
        let read = |json: &str| serde_json::from_str::<Row>(json).unwrap().attempts.len();
        assert_eq!((read("{}"), read(r#"{"attempts":0}"#), read(r#"{"attempts":["a","b"]}"#)), (0, 0, 2));
    }

    fn head(date: Option<i64>, author: &str, subject: &str) -> Head {
        Head { date, author: author.into(), subject: subject.into() }
    }

    #[test]
    fn the_duplicate_rule() {
        let first = head(Some(1), "a", "s");
        for (other, same) in [
            (head(Some(1), "a", "s"), true),
            (head(Some(1), "list", "s"), true),
            (head(Some(1), "a", "other"), true),
            (head(None, "a", "s"), true),
            (head(Some(2), "a", "s"), false),
            (head(Some(1), "b", "other"), false),
            (head(None, "b", "other"), false),
        ] {
            assert_eq!(first.same(&other), same, "{other:?}");
            assert_eq!(other.same(&first), same, "symmetric: {other:?}");
        }
    }

    #[test]
    fn hourly_alarms_without_id_and_date_are_not_duplicates() {
        let mut headers = Headers { subject: "disk full".into(), ..Headers::default() };
        let by_delivery = |headers: &Headers, id| digest_id(headers, "text", id);
        assert_ne!(by_delivery(&headers, Some("1")), by_delivery(&headers, Some("2")));
        assert_eq!(by_delivery(&headers, Some("1")), by_delivery(&headers, Some("1")));
        headers.date = Some(Timestamp::UNIX_EPOCH);
        assert_eq!(by_delivery(&headers, Some("1")), by_delivery(&headers, Some("2")), "the Date decides");
        assert_eq!(digest_id(&headers, "a b\n", None), digest_id(&headers, "ab", None), "white space is nothing");
    }

    #[test]
    fn causes_are_slugs() {
        assert_eq!(Cause::BounceUnmatched.slug(), "bounce-unmatched");
        assert_eq!(Cause::ReplayedToken.slug(), "replayed-token");
    }
}
