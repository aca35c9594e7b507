//! The one transaction that decides: nothing happened before it, everything after follows from it.
//!
//! ```text
//!  A  reads ──────────────── decides ── TransactWriteItems ── applied
//!  B     reads ── decides ─────────────────────────────────── TransactWriteItems ── condition fails ── reads again
//!                                                                                   and sees what A wrote
//! ```
//!
//! Conditions are exactly what the decision read (DESIGN section 4):
//!
//! | action | condition |
//! |---|---|
//! | Put ledger row | `attribute_not_exists(pk) OR outcome = queued`; releasing: `outcome = held` |
//! | row `-` of an object that the provider wrote | read absent: `attribute_not_exists(pk)`; read held: `outcome = held`, and becomes a duplicate |
//! | Put TOKEN | `attribute_not_exists(pk) OR body_digest = :digest` |
//! | Put MSGID | read absent: `attribute_not_exists(pk)`; read as claim: `direction = claim AND size(claims) = :seen` |
//! | Update MSGID (holder) | `size(holders) = :seen` |
//! | Put ENTRY, Put TICKET | `attribute_not_exists(pk)` |
//! | Put MSGID (merge key) | `attribute_not_exists(pk)` |
//! | Update TICKET (reply) | exists, not merged, `#status = :seen AND participants_rev = :seen`; what else it changes (`tags`, `alert_at`, the count of reopenings) as read |
//! | check MSGID that named the ticket | `ticket = :seen`, or of the holder that did: its entry was not moved meanwhile |
//! | Update TICKET (old, follow-up) | `attribute_not_exists(followed_by) AND #status = :seen` |
//! | Update REQUESTER | counts as read to be below their caps; hour as read, where counts begin anew |
//! | Update MSGID (claim) | absent as read, or `direction = claim AND size(claims) = :seen` |

mod actions;
mod people;

use std::collections::HashSet;

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::{SignedDuration, Timestamp};

use super::{
    RETRY_BASE, RETRY_CAP, Store, TRIES_MAX,
    error::{Cancelled, StoreError},
    keys::{Key, LedgerId},
};
use crate::{
    decide::{Count, Plan},
    inbound::ReplayGuard,
    message_id::MessageId,
    records::{IndexRow, LedgerRow, Mark},
    ticket::{Entry, Participant, Ticket},
};

pub(super) use actions::{put, update};

/// Seconds that a single-use token is remembered: two days (DESIGN section 4).
const TOKEN_SECONDS: i64 = 2 * 24 * 3600;

/// No new try after so long (DESIGN section 3).
const TRIES_WITHIN: SignedDuration = SignedDuration::from_secs(3);

/// In which state the ledger row may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerGuard {
    /// Absent or queued.
    Open,
    /// Held: a release.
    Held,
    /// Absent: the safety net's own row.
    Absent,
}

/// The row that the safety net writes under `-` where it knew of an object and of nobody who told of it, as it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NetRow {
    /// Not asked for, or it has ended otherwise: says nothing.
    #[default]
    None,
    /// Not there: nothing may be there at the commit either, else the net's row would stay held beside ours.
    Absent,
    /// Held, `unaccounted`: accounted for by this commit.
    Held,
}

/// One commit: the ledger row, and the entry with all that belongs to it where there is one.
#[derive(Clone, Copy, Debug)]
pub struct Commit<'a> {
    /// Which row.
    pub id: &'a LedgerId,
    /// What it says.
    pub row: &'a LedgerRow,
    /// In which state it may be replaced.
    pub guard: LedgerGuard,
    /// Single-use token of the delivery.
    pub token: Option<&'a ReplayGuard>,
    /// The safety net's row for the same object, as read.
    pub net: NetRow,
    /// The entry; `None` = the ledger row says it all.
    pub write: Option<EntryWrite<'a>>,
}

/// An entry and what its decision changes.
#[derive(Clone, Copy, Debug)]
pub struct EntryWrite<'a> {
    /// The decision.
    pub plan: &'a Plan,
    /// The ticket as it will be.
    pub ticket: &'a Ticket,
    /// The entry.
    pub entry: &'a Entry,
    /// Scope of the mailbox.
    pub scope: &'a str,
    /// Own id of the mail.
    pub id: &'a MessageId,
    /// Key and row of the message index.
    pub index: (&'a Key, &'a IndexRow),
    /// What is remembered of those who write.
    pub people: &'a [PersonWrite],
}

/// What one entry changes of what is remembered of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonWrite {
    /// His row.
    pub key: Key,
    /// His address, where the row is one person's.
    pub person: Option<Participant>,
    /// Transport time of his mail; `None` where he has written none.
    pub seen_at: Option<Timestamp>,
    /// A ticket is opened for him.
    pub opened: bool,
    /// What it does to his counts.
    pub count: Option<Count>,
    /// Mail to him came back for good, with this status; or he writes, proven, so that it cannot be.
    pub undeliverable: Option<Option<Mark>>,
}

/// What an action was about, to judge a lost race.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    Ledger,
    Token,
    Other,
}

/// How a commit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitResult {
    /// Applied.
    Done,
    /// Something that was read has changed: read again, decide again.
    Lost,
    /// The single-use token is spent on another body.
    Replayed,
}

impl Store {
    /// Writes a decision. Conflict, throttle or lost answer: the same request with the same ClientRequestToken, full
    /// jitter, at most six tries in three seconds.
    ///
    /// # Errors
    /// Every try failed, or the request is invalid.
    pub async fn commit(&self, commit: &Commit<'_>) -> Result<CommitResult, StoreError> {
        let actions = actions::of(&self.table, commit, &self.retention, self.ambient.now())?;
        let (subjects, items): (Vec<Subject>, Vec<TransactWriteItem>) = actions.into_iter().unzip();
        Ok(match self.transact(items).await? {
            None => CommitResult::Done,
            Some(failed) => {
                let about: HashSet<Subject> = failed.iter().filter_map(|n| subjects.get(*n).copied()).collect();
                // Judged in this order: ledger, TOKEN, then the rest by reading again.
                if about.contains(&Subject::Token) && !about.contains(&Subject::Ledger) {
                    CommitResult::Replayed
                } else {
                    CommitResult::Lost
                }
            }
        })
    }

    /// `None` = applied; else the positions whose condition did not hold.
    pub(super) async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<Option<Vec<usize>>, StoreError> {
        let token = format!("{:016x}{:016x}", self.ambient.entropy(), self.ambient.entropy());
        let mut attempt = 0;
        let begun = self.ambient.now();
        loop {
            let request = self.client.transact_write_items().set_transact_items(Some(items.clone()));
            match request.client_request_token(&token).send().await.map_err(|e| Cancelled::from_sdk(&e)) {
                Ok(_) => return Ok(None),
                Err(Cancelled::Conditions(failed)) => return Ok(Some(failed)),
                Err(Cancelled::Error(error)) => return Err(error),
                Err(Cancelled::Again(error)) => {
                    attempt += 1;
                    // Tries that hang end by time: a function that is killed cannot take its count back, or queue.
                    let late = self.ambient.now().duration_since(begun) >= TRIES_WITHIN;
                    if attempt >= TRIES_MAX || late {
                        return Err(error);
                    }
                    self.ambient.back_off(attempt, RETRY_BASE, RETRY_CAP).await;
                }
            }
        }
    }
}

/// When a token may be forgotten, seconds since the epoch.
fn token_expires_at(now: Timestamp) -> i64 {
    now.as_second().saturating_add(TOKEN_SECONDS)
}
