//! Every pk, sk and index key. Nothing else builds one.

use std::{collections::HashMap, fmt};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    address::AddrSpec,
    digest::sha256_parts,
    door::DoorId,
    mailbox::MailboxId,
    message_id::MessageId,
    records::{Head, Outcome},
    ticket::Status,
};

/// Shards of the listing indexes: one busy queue or day spreads over this many partitions.
pub const SHARDS: u64 = 8;
/// The mailbox part of a ledger key where none could be chosen.
pub const NO_MAILBOX: &str = "-";

/// A primary key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    /// As a request's key.
    #[must_use]
    pub fn attributes(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }

    /// The part of the pk behind `MAIL#`, `MSGID#`, ...
    #[must_use]
    pub fn hash(&self) -> &str {
        self.pk.split_once('#').map_or(self.pk.as_str(), |(_, hash)| hash)
    }
}

/// A ledger row as people and providers name it: `<hash>/<mailbox>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerId {
    hash: String,
    mailbox: String,
}

impl LedgerId {
    /// The row of a copy = (raw key, mailbox).
    #[must_use]
    pub fn of(raw_key: &str, mailbox: &str) -> Self {
        Self { hash: sha256_parts(&[raw_key.as_bytes()]), mailbox: mailbox.to_owned() }
    }

    /// Reads the written form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (hash, mailbox) = text.split_once('/')?;
        let hex = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        (hex && !mailbox.is_empty()).then(|| Self { hash: hash.to_ascii_lowercase(), mailbox: mailbox.to_owned() })
    }

    /// The row of the same object for no mailbox.
    #[must_use]
    pub fn of_nobody(&self) -> Self {
        Self { hash: self.hash.clone(), mailbox: NO_MAILBOX.to_owned() }
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::new(format!("MAIL#{}", self.hash), self.mailbox.as_str())
    }

    /// The mailbox part.
    #[must_use]
    pub fn mailbox(&self) -> &str {
        &self.mailbox
    }

    /// Reads a key; `None` where it is none of a ledger row.
    #[must_use]
    pub fn from_key(pk: &str, sk: &str) -> Option<Self> {
        Some(Self { hash: pk.strip_prefix("MAIL#")?.to_owned(), mailbox: sk.to_owned() })
    }
}

impl fmt::Display for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.hash, self.mailbox)
    }
}

/// Message index row of an id within a scope.
#[must_use]
pub fn index(scope: &str, id: &MessageId) -> Key {
    let hash = sha256_parts(&[scope.as_bytes(), id.key_form().as_bytes()]);
    Key::new(format!("MSGID#{hash}"), "MSGID")
}

/// Index row of another mail under an id that is taken; `unique` keeps released ninth mails apart.
#[must_use]
pub fn collision(scope: &str, id: &MessageId, head: &Head, unique: &str) -> Key {
    let digest = head.digest();
    let hash = sha256_parts(&[scope.as_bytes(), id.key_form().as_bytes(), digest.as_bytes(), unique.as_bytes()]);
    Key::new(format!("MSGID#{hash}"), "MSGID")
}

/// A ticket.
#[must_use]
pub fn ticket(ordinal: u64) -> Key {
    Key::new(format!("TICKET#{ordinal}"), "TICKET")
}

/// The ordinal of the ticket that an item lies under.
#[must_use]
pub fn ticket_of(pk: &str) -> Option<u64> {
    pk.strip_prefix("TICKET#")?.parse().ok()
}

/// An entry or a change, by its sort key.
#[must_use]
pub fn entry(ordinal: u64, sk: &str) -> Key {
    Key::new(format!("TICKET#{ordinal}"), sk)
}

/// What every entry's sort key begins with.
pub const ENTRY_PREFIX: &str = "ENTRY#";

/// Sort key of an entry: transport time first, so that a ticket reads in order.
#[must_use]
pub fn entry_sk(at: Timestamp, index: &Key) -> String {
    format!("{ENTRY_PREFIX}{}#{}", instant(at), index.hash())
}

/// The index row of an entry: its hash ends the entry's sort key. `None` where the key is none of an entry.
#[must_use]
pub fn index_of_entry(sk: &str) -> Option<Key> {
    let (_, hash) = sk.strip_prefix(ENTRY_PREFIX)?.split_once('#')?;
    Some(Key::new(format!("MSGID#{hash}"), "MSGID"))
}

/// What the sort key of every change begins with.
pub const CHANGE_PREFIX: &str = "CHANGE#";

/// Sort key of a change of status; `unique` keeps changes within one millisecond apart.
#[must_use]
pub fn change_sk(at: Timestamp, unique: u64) -> String {
    format!("{CHANGE_PREFIX}{}#{unique:016x}", instant(at))
}

/// What the sort key of everything else that people did to a ticket begins with.
pub const ACT_PREFIX: &str = "ACT#";

/// Sort key of an act; `unique` keeps acts within one millisecond apart.
#[must_use]
pub fn act_sk(at: Timestamp, unique: u64) -> String {
    format!("{ACT_PREFIX}{}#{unique:016x}", instant(at))
}

/// The ticket counter.
#[must_use]
pub fn ordinal() -> Key {
    Key::new("ORDINAL", "TICKET")
}

/// Partition of all mailboxes.
pub const MAILBOXES: &str = "MAILBOX";
/// Partition of all doors.
pub const DOORS: &str = "DOOR";
/// Sort key of the row that counts changes of the settings: no mailbox can be called so.
pub const REVISION: &str = "-";

/// A mailbox.
#[must_use]
pub fn mailbox(id: &MailboxId) -> Key {
    Key::new(MAILBOXES, id.as_str())
}

/// What the sort key of a mailbox's rules ends with: no mailbox can be called so.
pub const RULES_SUFFIX: &str = "#rules";

/// The routing rules of a mailbox: in the partition of the mailboxes, so that one query reads both.
#[must_use]
pub fn rules(mailbox: &MailboxId) -> Key {
    Key::new(MAILBOXES, format!("{}{RULES_SUFFIX}", mailbox.as_str()))
}

/// A door.
#[must_use]
pub fn door(id: &DoorId) -> Key {
    Key::new(DOORS, id.as_str())
}

/// How often mailboxes and doors were changed.
#[must_use]
pub fn settings_revision() -> Key {
    Key::new(MAILBOXES, REVISION)
}

/// How far a scheduled pass has come: at a door, in a domain or a list.
#[must_use]
pub fn poll(door: &DoorId, what: &str) -> Key {
    Key::new(format!("POLL#{door}#{what}"), "POLL")
}

/// A polled door: refused logins, pause.
#[must_use]
pub fn polled_door(door: &DoorId) -> Key {
    Key::new(format!("{POLLED_PREFIX}{door}"), "DOOR")
}

/// What the pk of everything about polls begins with.
pub const POLLED_PREFIX: &str = "POLL#";
/// What the sort key of every message that was left aside begins with.
pub const PARKED_PREFIX: &str = "PARKED#";

/// A message that a poll has left aside.
#[must_use]
pub fn parked(door: &DoorId, folder: &str, uid_validity: u32, uid: u32) -> Key {
    Key::new(poll(door, folder).pk, format!("{PARKED_PREFIX}{uid_validity}#{uid:010}"))
}

/// A single-use token.
#[must_use]
pub fn token(token_sha256: &str) -> Key {
    Key::new(format!("TOKEN#{token_sha256}"), "TOKEN")
}

/// Somebody who writes, or all of whom From names nobody. `disowned`: mail that his own domain disowns.
#[must_use]
pub fn requester(scope: &str, address: Option<&AddrSpec>, disowned: bool) -> Key {
    let kind: &[u8] = if disowned { b"disowned" } else { b"requester" };
    let address = address.map_or("", AddrSpec::as_str);
    Key::new(format!("REQUESTER#{}", sha256_parts(&[kind, scope.as_bytes(), address.as_bytes()])), "REQUESTER")
}

/// gsi1: tickets by queue and status.
#[must_use]
pub fn by_status(queue: &str, status: Status, shard: u64) -> String {
    format!("{queue}#{}#{shard}", status.as_str())
}

/// gsi1: mail that needs attention, whatever the day, so that counting it costs the same every day.
#[must_use]
pub fn by_attention(outcome: Outcome, shard: u64) -> String {
    format!("MAIL#{}#{shard}", outcome.as_str())
}

/// gsi2: tickets of a requester, and ledger rows of an author.
#[must_use]
pub fn by_requester(address: &AddrSpec) -> String {
    sha256_parts(&[b"requester", address.as_str().as_bytes()])
}

/// gsi3: the ledger by day (UTC of the transport time) and outcome.
#[must_use]
pub fn by_day(day: &str, outcome: Outcome, shard: u64) -> String {
    format!("{day}#{}#{shard}", outcome.as_str())
}

/// What the gsi4 partition of everything due begins with.
pub const OUTBOX_PREFIX: &str = "outbox#";

/// gsi4, sparse: held and failed mail that will end, by when that is to be told.
#[must_use]
pub fn expiring(shard: u64) -> String {
    format!("expiring#{shard}")
}

/// gsi4, sparse: what is due to be told.
#[must_use]
pub fn outbox(shard: u64) -> String {
    format!("{OUTBOX_PREFIX}{shard}")
}

/// gsi4: since when it is due (the commit's clock, not the mail's), and what.
#[must_use]
pub fn due(since: Timestamp, what: impl fmt::Display) -> String {
    format!("{}#{what}", instant(since))
}

/// Shard of a ticket.
#[must_use]
pub fn ticket_shard(ordinal: u64) -> u64 {
    ordinal % SHARDS
}

/// Shard of a hashed key: its last hex digit.
#[must_use]
pub fn hash_shard(hash: &str) -> u64 {
    hash.chars().last().and_then(|c| c.to_digit(16)).map_or(0, u64::from) % SHARDS
}

/// A time in the one form that sorts as text: UTC, milliseconds.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// The UTC day of a time, `2026-11-22`.
#[must_use]
pub fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ledger_ids_round_trip() {
        let id = LedgerId::of("raw/mailgun/ab", "support");
        assert_eq!(LedgerId::parse(&id.to_string()), Some(id.clone()));
        assert_eq!(LedgerId::from_key(&id.key().pk, &id.key().sk), Some(id));
        for wrong in ["", "abc/support", "support", "x".repeat(64).as_str()] {
            assert_eq!(LedgerId::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn times_sort_as_text() {
        let early: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let late: Timestamp = "2026-01-02T03:04:05.1Z".parse().unwrap();
        assert_eq!(instant(early), "2026-01-02T03:04:05.000Z");
        assert!(instant(early) < instant(late));
        assert_eq!(day(late), "2026-01-02");
    }

    #[test]
    fn an_entrys_sort_key_names_its_index_row() {
        let row = index("one", &MessageId::parse("<a@b>").unwrap());
        assert_eq!(index_of_entry(&entry_sk(Timestamp::UNIX_EPOCH, &row)), Some(row));
        for wrong in ["", "TICKET", "ENTRY#", "CHANGE#2026-01-02T03:04:05.000Z#ab"] {
            assert_eq!(index_of_entry(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn scopes_do_not_share_ids() {
        let id = MessageId::parse("<a@b>").unwrap();
        assert_ne!(index("one", &id), index("two", &id));
    }
}
