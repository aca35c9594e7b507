//! Clues: everything in one mail that could name a ticket, where it stood, and what came of it. The ledger keeps them,
//! `explain` prints them.

use serde::{Deserialize, Serialize};

use super::Level;
use crate::ticket::cut_at;

/// Octets of a clue's text that are kept: an id or an address is told by less.
const TEXT_OCTETS_MAX: usize = 160;
/// Octets that all clues of a mail may have as JSON: with the lines of evidence they stay below 16 KiB (DESIGN section 4).
const CLUES_OCTETS_MAX: usize = 12 * 1024;

/// Where in a mail a clue stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// RCPT TO.
    Envelope,
    /// To.
    To,
    /// Cc.
    Cc,
    /// Delivered-To.
    DeliveredTo,
    /// X-Original-To.
    XOriginalTo,
    /// Resent-To and Resent-Cc.
    ResentTo,
    /// The mail's own Message-ID.
    MessageId,
    /// In-Reply-To.
    InReplyTo,
    /// References.
    References,
    /// The id that the mail had before its own provider wrote another one over it.
    OriginalMessageId,
    /// The original id in a delivery report.
    Report,
    /// Subject.
    Subject,
    /// The key by which a rule merges mails.
    MergeKey,
    /// Thread-Index.
    ThreadIndex,
}

/// What a signature of our form is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// Ours, for this mailbox or one that shares its tickets.
    Valid,
    /// Ours, and of a mailbox with tickets of its own: no evidence here.
    OfAnotherMailbox,
    /// Ours, put beside an address or a domain that is not its mailbox's.
    OtherDomain,
    /// Ours, of one mailbox put on another.
    OtherMailbox,
    /// Ours, for another purpose.
    OtherPurpose,
    /// Its key is none of the live ones.
    UnknownKey,
    /// Parts of the form are missing.
    Form,
    /// Not over what it stands beside.
    Invalid,
}

impl Signature {
    /// True where it only looks like ours: the reason `forged-token`.
    #[must_use]
    pub const fn is_forged(self) -> bool {
        !matches!(self, Self::Valid | Self::OfAnotherMailbox)
    }
}

/// What the author is on a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// An approved participant.
    Participant,
    /// An agent of the mailbox, proven by authentication.
    Agent,
    /// A participant whom nobody has approved.
    Pending,
    /// An agent's address, and no authentication that proves it.
    AgentClaim,
    /// None of these.
    Stranger,
}

impl Standing {
    /// True where the author may speak there.
    #[must_use]
    pub const fn speaks(self) -> bool {
        matches!(self, Self::Participant | Self::Agent)
    }
}

/// What came of one piece of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// It chose the ticket.
    Decided,
    /// It names the ticket that was chosen, or another one less closely.
    Second,
    /// Stronger evidence had decided.
    Weaker,
    /// The ticket is not there, or belongs to mailboxes that share nothing with this one.
    NoSuchTicket,
    /// Too many hops of merged or followed tickets.
    MergeChain,
    /// Somebody's claim to an id, and the author is a stranger on that ticket or does not write to him.
    ClaimOfOthers,
    /// The ticket has another number.
    NotItsNumber,
    /// The author may not thread by a number.
    NumberRefused,
}

/// One ticket that a clue names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Naming {
    /// How strong.
    pub level: Level,
    /// The kind of evidence, as a reason slug.
    pub source: String,
    /// The ticket.
    pub ticket: u64,
    /// Where merges and follow-ups lead from there, if elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leads_to: Option<u64>,
    /// The author there; `None` where the ticket was not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// What came of it.
    pub weight: Weight,
}

/// One thing in the mail that could name a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clue {
    /// Where it stood.
    pub place: Place,
    /// Which of that field's it was, counted from 1 as written.
    pub position: u16,
    /// The address, id or number; cut at its limit.
    pub text: String,
    /// Where it has our form: what its signature is worth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// What it names; empty = nobody knows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Naming>,
}

impl Clue {
    pub(super) fn new(place: Place, position: usize, text: &str) -> Self {
        let position = u16::try_from(position).unwrap_or(u16::MAX);
        Self { place, position, text: cut_at(text, TEXT_OCTETS_MAX).to_owned(), signature: None, names: Vec::new() }
    }

    /// True where there is something to tell beyond that it stood there.
    fn tells(&self) -> bool {
        self.signature.is_some() || !self.names.is_empty()
    }
}

/// As many as a ledger row holds, in their order: those that name something or are signed before those that nobody
/// knows. With them, how many are left out.
#[must_use]
pub fn kept(clues: &[Clue]) -> (Vec<Clue>, u64) {
    let mut room = CLUES_OCTETS_MAX;
    let mut keep = vec![false; clues.len()];
    for telling in [true, false] {
        for (clue, keep) in clues.iter().zip(&mut keep).filter(|(clue, _)| clue.tells() == telling) {
            let octets = serde_json::to_vec(clue).map_or(usize::MAX, |json| json.len());
            if let Some(left) = room.checked_sub(octets) {
                (room, *keep) = (left, true);
            }
        }
    }
    let kept: Vec<Clue> = clues.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(clue, _)| clue.clone()).collect();
    let more = clues.len().saturating_sub(kept.len());
    (kept, more as u64)
}

/// What named which ticket, one line each: for listings.
#[must_use]
pub fn lines(clues: &[Clue]) -> Vec<String> {
    let names = clues.iter().flat_map(|clue| &clue.names);
    names.take(super::IDS_MAX).map(|n| format!("{:?} {} ticket {}", n.level, n.source, n.ticket)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_ticket_is_kept_before_what_nobody_knows() {
        let long = "i".repeat(900);
        let mut clues: Vec<Clue> =
            (0..100).map(|n| Clue::new(Place::References, n + 1, &format!("{n}-{long}"))).collect();
        let naming = Naming {
            level: Level::E3,
            source: "stored-id".to_owned(),
            ticket: 7,
            leads_to: None,
            standing: Some(Standing::Participant),
            weight: Weight::Decided,
        };
        clues.last_mut().unwrap().names.push(naming);
        let (kept, more) = kept(&clues);
        assert_eq!(kept.len() as u64 + more, 100);
        assert!(more > 0 && kept.last().unwrap().names.len() == 1);
        assert!(serde_json::to_vec(&kept).unwrap().len() < CLUES_OCTETS_MAX + 200);
        assert_eq!(lines(&kept), ["E3 stored-id ticket 7"]);
    }
}
