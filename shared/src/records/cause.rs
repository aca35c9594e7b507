//! Why a mail came to no ticket: one word each.

use serde::{Deserialize, Serialize};

/// Why a mail is held, ignored or failed: stable slugs, listed in `docs/THREADING.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// No configured address among the recipients, and more than one mailbox.
    UnknownRecipient,
    /// The provider calls it spam.
    Spam,
    /// The provider found a virus.
    Virus,
    /// An automatic reply that names no ticket.
    AutoReply,
    /// A bounce that names nothing we sent.
    BounceUnmatched,
    /// A complaint (RFC 5965).
    AbuseReport,
    /// Something of ours came back in the wrong place.
    Loop,
    /// The ninth mail under one Message-ID.
    Collision,
    /// A stranger, where the mailbox's policy is to hold.
    Stranger,
    /// Somebody has blocked the author, or he stands on the mailbox's block list.
    BlockedSender,
    /// The author's address failed authentication, where the mailbox's policy is to hold.
    AuthFailed,
    /// An agent's address without passed authentication, and only an agent may do what the mail asks for.
    AgentUnverified,
    /// A rule of the mailbox says so.
    Rule,
    /// The author does not stand on the mailbox's allow list, and it takes nobody else's mail.
    NotAllowed,
    /// A single-use token came with another body.
    ReplayedToken,
    /// Our own mail, seen from outside.
    OwnCopy,
    /// A read receipt that names no ticket.
    ReadReceiptUnmatched,
    /// Held mail that an operator threw away; the raw is kept.
    Discarded,
    /// Held mail of somebody of whom everything was erased; the octets are gone.
    Erased,
    /// An authenticated payload that could not be read.
    UnreadablePayload,
    /// Processing broke on it, three times.
    Poison,
    /// Its queue gave up after a hundred receives.
    DeadLetter,
    /// A raw object of which nobody has told: found by the safety net.
    Unaccounted,
    /// The raw object that the provider told of is not there.
    ObjectMissing,
    /// The raw object was encrypted by the provider's client; only the key's owner can read it.
    ClientEncrypted,
    /// Larger than any door takes.
    TooLarge,
    /// The provider did not give it away for as long as it keeps mail.
    FetchExpired,
    /// It was to be fetched from a host that is none of the provider's, or the provider pointed elsewhere.
    FetchRefused,
    /// The provider told of it and does not have it.
    GoneAtProvider,
    /// Its mailbox is switched off.
    MailboxDisabled,
    /// It waited for a mailbox that is not configured any more.
    MailboxRemoved,
    /// A provider's word that is no mail and asks for nothing, as of an ended subscription.
    ProvidersNote,
    /// Amazon's note that a receipt rule was set up.
    SesSetup,
}

impl Cause {
    /// The slug.
    #[must_use]
    pub fn slug(self) -> String {
        serde_json::to_value(self).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
    }
}
