//! The poll of a mailbox elsewhere: what is new there goes through [`Ingest::run`], oldest first.
//!
//! ```text
//! lease     one conditional update takes the folder, writes the time and reads the cursor
//! look      connect, log in, EXAMINE, UID SEARCH: at most four commands where nothing is new
//! message   written down as being tried; UID FETCH; Ingest::run; only then may it be filed over there
//! cursor    moved with the next message's announcement, after the commit and never before
//! end       the lease is given back; `last_good` where all that was there has been seen
//! ```
//!
//! Nothing here decides anything about a mail. What breaks off at any point is done again by the next poll; raw key,
//! ledger and message index see to it that nothing counts twice. A message that comes to no end three times, also when
//! it takes the process along, is left aside with a failed row, and the rest goes on.

mod door;
mod folder;
mod look;
mod message;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use thiserror::Error;

pub use self::look::{Freshness, Tried};
use crate::{
    imap::{ImapError, token::Tokens},
    ingest::Ingest,
    outbound::Outbound,
    outcome::IngestError,
    secrets::Secrets,
    store::StoreError,
};

/// Refused logins in a row that pause a door.
const REFUSED_MAX: u32 = 3;
/// Attempts at one message before it is left aside (DESIGN section 3: three).
const ATTEMPTS_MAX: u32 = 3;
/// Mail older than the last good poll by more than this is taken for what it is after a change of UIDVALIDITY: old.
const RESYNC_BACK: SignedDuration = SignedDuration::from_hours(72);
/// Messages that are asked about at once.
const BATCH: usize = 100;

/// One who polls. Clones share the caches of secrets and tokens.
#[derive(Clone, Debug)]
pub struct Poller {
    /// The pipeline, with the retry queue behind it.
    pub ingest: Ingest,
    secrets: Arc<Secrets>,
    tokens: Tokens,
}

/// How a poll is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// No message is begun after that.
    pub until: Timestamp,
    /// Instead of the door's `first_days`, where a folder is polled for the first time; how far back a backfill goes.
    pub since: Option<Timestamp>,
    /// Everything since then is gone through again; the cursor stays where it is.
    pub backfill: bool,
    /// What was left aside is tried now.
    pub parked: bool,
}

impl Ask {
    /// The usual poll.
    #[must_use]
    pub const fn until(until: Timestamp) -> Self {
        Self { until, since: None, backfill: false, parked: false }
    }
}

/// What a poll of a door did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Polled {
    /// Messages that came to their end, or are safe and queued.
    pub taken: usize,
    /// Of these, known already: decided before.
    pub known: usize,
    /// Messages that were gone before they could be fetched.
    pub vanished: usize,
    /// Messages older than the horizon: not taken.
    pub before_horizon: usize,
    /// Messages that were left aside.
    pub parked: usize,
    /// Messages that could not be marked, moved or deleted over there.
    pub not_filed: usize,
    /// Folders that somebody else is at.
    pub busy: usize,
    /// There is more: time was up.
    pub left: bool,
    /// The door is paused; nobody logged in.
    pub paused: bool,
    /// What went wrong, in words without names.
    pub trouble: Vec<String>,
}

/// Why a folder came to no good end.
#[derive(Debug, Error)]
enum Trouble {
    #[error(transparent)]
    Imap(#[from] ImapError),
    #[error("the table: {0}")]
    Store(#[from] StoreError),
    #[error("this mail: {0}")]
    Ingest(#[from] IngestError),
    #[error("a message came to no end ({0}); it is tried {ATTEMPTS_MAX} times")]
    Message(&'static str),
}

impl Trouble {
    const fn slug(&self) -> &'static str {
        match self {
            Self::Imap(error) => error.slug(),
            Self::Store(_) => "table",
            Self::Ingest(_) => "not-safe",
            Self::Message(slug) => slug,
        }
    }

    /// True where the connection still is good for the next folder.
    const fn leaves_the_connection(&self) -> bool {
        match self {
            Self::Imap(error) => error.is_an_answer(),
            Self::Store(_) | Self::Ingest(_) | Self::Message(_) => true,
        }
    }
}

impl Poller {
    /// One over a pipeline.
    #[must_use]
    pub fn new(ingest: Ingest, secrets: Secrets, outbound: Outbound) -> Self {
        Self { ingest, secrets: Arc::new(secrets), tokens: Tokens::new(outbound) }
    }

    /// The same over another state of the settings.
    #[must_use]
    pub fn with(&self, settings: &crate::settings::Settings) -> Self {
        Self { ingest: self.ingest.with(settings), ..self.clone() }
    }

    fn now(&self) -> Timestamp {
        self.ingest.ambient.now()
    }
}
