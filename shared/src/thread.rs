//! Threading: evidence names a ticket (DESIGN section 5). What the author may do there is `decide`.
//!
//! [`keys`] takes from the header what could name a ticket; the shell reads those rows; [`resolve`] weighs them. It is
//! pure: where it needs a ticket that was not read, it says which.

mod clue;
mod keys;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::keys::Key;
pub use self::{
    clue::{Clue, Naming, Place, Signature, Standing, Weight, kept, lines},
    keys::{ThreadKeys, keys},
};
use crate::{
    address::AddrSpec,
    headers::TicketRef,
    mailbox::{Mailbox, StrangerPolicy},
    message_id::MessageId,
    records::{Claim, IndexDirection, IndexRow, Requester},
    ticket::{ReplyEffect, Ticket, number_matches},
};

/// Referenced ids looked at: the last 49 and the first (DESIGN section 4).
pub const IDS_MAX: usize = 50;
/// Tickets looked at that tags, signed ids or the subject name.
const NAMED_TICKETS_MAX: usize = 20;
/// Hops over `merged_into` and `followed_by`.
const HOPS_MAX: usize = 5;

/// How strong evidence is, highest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// Signed reply address.
    E1,
    /// Signed Message-ID, or the id of a mail we sent.
    E2,
    /// Stored or claimed Message-ID.
    E3,
    /// Ticket number in the subject.
    E4,
}

/// What was read for one decision.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Row of the mail's own id.
    pub own: Option<IndexRow>,
    /// Rows of the referenced ids; absent ids are not in it.
    pub by_id: HashMap<MessageId, IndexRow>,
    /// Tickets read; `None` = read and absent.
    pub tickets: BTreeMap<u64, Option<Ticket>>,
    /// What is remembered of the author.
    pub requester: Option<Requester>,
}

/// Who writes, for the weighing.
#[derive(Clone, Debug, Default)]
pub struct Speaker {
    /// Address; `None` = unknown.
    pub address: Option<AddrSpec>,
    /// [`crate::records::author_hash`] of it.
    pub hash: Option<String>,
    /// Hashes of everybody named in From, To and Cc.
    pub named: BTreeSet<String>,
    /// Authentication passed.
    pub authenticated: bool,
    /// His address is an agent's of this mailbox.
    pub agent: bool,
}

impl Speaker {
    /// What he is on a ticket. Who is a participant needs no agent's power there.
    #[must_use]
    pub fn standing_on(&self, ticket: &Ticket) -> Standing {
        let participant = self.address.as_ref().and_then(|address| ticket.participant(address));
        match participant.map(|p| p.approved) {
            Some(true) => Standing::Participant,
            _ if self.agent && self.authenticated => Standing::Agent,
            _ if self.agent => Standing::AgentClaim,
            Some(false) => Standing::Pending,
            None => Standing::Stranger,
        }
    }
}

/// The ticket chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// As read, after following merges and follow-ups.
    pub ticket: Ticket,
    /// What named it.
    pub level: Level,
    /// The kind of evidence, as a reason slug.
    pub source: &'static str,
    /// What the author is there.
    pub standing: Standing,
    /// The index row that named it, where one did.
    pub row: Option<NamedBy>,
}

/// A row of the message index as it named a ticket. An agent may move the entry meanwhile, and the ticket that was read
/// after the row would not tell: the commit holds the row to what was read of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedBy {
    /// The id.
    pub id: MessageId,
    /// The ticket that it named, before merges and follow-ups.
    pub ticket: u64,
    /// Which of its holders named it; `None` = the row itself.
    pub holder: Option<usize>,
}

/// What the evidence came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// The ticket, if any.
    pub chosen: Option<Chosen>,
    /// Tickets named by evidence that may not decide.
    pub related: BTreeSet<u64>,
    /// Reason slugs.
    pub reasons: Vec<&'static str>,
    /// What could name a ticket, and what came of it, for the ledger.
    pub evidence: Vec<Clue>,
}

/// The result of one weighing.
#[derive(Clone, Debug)]
pub enum Resolution {
    /// These tickets must be read first.
    Need(Vec<u64>),
    /// Weighed.
    Resolved(Box<Match>),
}

/// One ticket that one trace names.
struct Candidate<'a> {
    /// Which of the mail's traces.
    trace: usize,
    level: Level,
    ticket: u64,
    /// By somebody's claim; true where that somebody is the author, or is named by the mail.
    claim: Option<bool>,
    source: &'static str,
    number: Option<&'a TicketRef>,
    standing: Option<Standing>,
    leads_to: Option<u64>,
    weight: Weight,
}

/// Weighs the evidence for one mailbox at the time of the mail.
#[must_use]
pub fn resolve(keys: &ThreadKeys, seen: &Seen, speaker: &Speaker, mailbox: &Mailbox, at: Timestamp) -> Resolution {
    let mut candidates = candidates(keys, seen, speaker, mailbox.strangers);
    let mut outcome = Match { related: keys.foreign.clone(), ..Match::default() };
    if keys.forged {
        outcome.reasons.push("forged-token");
    }
    for level in [Level::E1, Level::E2, Level::E3, Level::E4] {
        let mut options: Vec<(Standing, usize, &Ticket)> = Vec::new();
        let mut need = Vec::new();
        for (n, candidate) in candidates.iter_mut().enumerate().filter(|(_, c)| c.level == level) {
            let found = match follow(candidate.ticket, seen, mailbox, at) {
                Followed::Ticket(found) => found,
                Followed::Need(ticket) => {
                    need.push(ticket);
                    continue;
                }
                Followed::TooFar => {
                    candidate.weight = Weight::MergeChain;
                    continue;
                }
                Followed::Nothing => {
                    candidate.weight = Weight::NoSuchTicket;
                    continue;
                }
            };
            candidate.leads_to = Some(found.ticket_id).filter(|ticket| *ticket != candidate.ticket);
            let standing = speaker.standing_on(found);
            candidate.standing = Some(standing);
            candidate.weight = weigh(candidate, seen, speaker, mailbox);
            match candidate.weight {
                Weight::Second => options.push((standing, n, found)),
                Weight::NumberRefused => {
                    outcome.related.insert(found.ticket_id);
                }
                _ => {}
            }
        }
        if !need.is_empty() {
            need.sort_unstable();
            need.dedup();
            return Resolution::Need(need);
        }
        // A ticket where the author may speak first; among those the order of evidence.
        if let Some((standing, n, ticket)) = options.into_iter().min_by_key(|(s, n, _)| (!s.speaks(), *n))
            && let Some(best) = candidates.get_mut(n)
        {
            best.weight = Weight::Decided;
            outcome.related.remove(&ticket.ticket_id);
            let (source, row) = (best.source, named_by(keys, seen, best));
            outcome.chosen = Some(Chosen { ticket: ticket.clone(), level, source, standing, row });
            break;
        }
    }
    let refused = [(Weight::MergeChain, "merge-chain"), (Weight::NumberRefused, "subject-number-refused")];
    outcome.reasons.extend(refused.into_iter().filter(|(w, _)| candidates.iter().any(|c| c.weight == *w)).map(|r| r.1));
    outcome.evidence = clues(keys, &candidates);
    Resolution::Resolved(Box::new(outcome))
}

/// Claims are nobody's entry, and do not move.
fn named_by(keys: &ThreadKeys, seen: &Seen, candidate: &Candidate<'_>) -> Option<NamedBy> {
    let Key::Id(id, _) = &keys.traces.get(candidate.trace)?.key else { return None };
    let row = seen.by_id.get(id)?;
    let holder = match candidate.source {
        "stored-id" | "sent-id" => None,
        "holder" => Some(row.holders.iter().position(|holder| holder.ticket == candidate.ticket)?),
        _ => return None,
    };
    Some(NamedBy { id: id.clone(), ticket: candidate.ticket, holder })
}

fn candidates<'a>(
    keys: &'a ThreadKeys,
    seen: &Seen,
    speaker: &Speaker,
    strangers: StrangerPolicy,
) -> Vec<Candidate<'a>> {
    let mut all: Vec<Candidate<'a>> = Vec::new();
    let ours = |claim: &&Claim| Some(&claim.author) == speaker.hash.as_ref() || speaker.named.contains(&claim.author);
    let everybody = strangers == StrangerPolicy::Append;
    for (trace, key) in keys.traces.iter().map(|trace| &trace.key).enumerate() {
        let mut add = |level, ticket, claim, source| {
            let number = if let Key::Number(number) = key { Some(number) } else { None };
            let (standing, leads_to, weight) = (None, None, Weight::Weaker);
            all.push(Candidate { trace, level, ticket, claim, source, number, standing, leads_to, weight });
        };
        match key {
            Key::Own => {
                // A late original: the first claim whose author is its own or is named by it.
                let claims = || seen.own.iter().flat_map(|row| &row.claims);
                if let Some(claim) = claims().find(ours).or_else(|| claims().next().filter(|_| everybody)) {
                    add(Level::E3, claim.ticket, None, "claimed-original");
                }
            }
            Key::Signed(level, ticket) => add(*level, *ticket, None, "reply-address"),
            Key::Id(id, signed) => {
                if let Some(ticket) = signed {
                    add(Level::E2, *ticket, None, "signed-id");
                }
                let Some(row) = seen.by_id.get(id) else { continue };
                match (row.direction, row.ticket) {
                    (IndexDirection::Out, Some(ticket)) => add(Level::E2, ticket, None, "sent-id"),
                    (IndexDirection::In, Some(ticket)) => {
                        add(Level::E3, ticket, None, "stored-id");
                        row.holders.iter().for_each(|holder| add(Level::E3, holder.ticket, None, "holder"));
                    }
                    _ => {}
                }
                for claim in &row.claims {
                    add(Level::E3, claim.ticket, Some(ours(&claim)), "claim");
                }
            }
            Key::Merge(id) => {
                let ticket = seen.by_id.get(id).and_then(|row| row.ticket);
                ticket.into_iter().for_each(|ticket| add(Level::E3, ticket, None, "merge-key"));
            }
            Key::Number(number) => add(Level::E4, number.ordinal, None, "subject-number"),
            Key::Nothing => {}
        }
    }
    all
}

/// What a piece of evidence is worth whose ticket is there: [`Weight::Second`] where it may decide.
fn weigh(candidate: &Candidate<'_>, seen: &Seen, speaker: &Speaker, mailbox: &Mailbox) -> Weight {
    let stranger = !candidate.standing.is_some_and(Standing::speaks);
    // A claim is somebody's word about an id that nobody has seen. That he wrote to the author makes the author a
    // participant of his ticket; that the author writes to him, too, makes it one conversation.
    let in_company = candidate.claim.is_none_or(|named| named && !stranger);
    if !in_company && mailbox.strangers != StrangerPolicy::Append {
        return Weight::ClaimOfOthers;
    }
    if let Some(number) = candidate.number {
        // The number must be the named ticket's own; where that one was merged, its target is reached all the same.
        let named = seen.tickets.get(&candidate.ticket).and_then(Option::as_ref);
        if !named.is_some_and(|named| number_matches(&named.number, number)) {
            return Weight::NotItsNumber;
        }
        // What only an agent could do is not refused but held, until somebody says that it is the agent.
        if candidate.standing == Some(Standing::AgentClaim) && mailbox.strangers != StrangerPolicy::Append {
            return Weight::Second;
        }
        if stranger || !(speaker.authenticated || mailbox.subject_number_unauthenticated) {
            return Weight::NumberRefused;
        }
    }
    Weight::Second
}

/// The mail's clues with what each names. Its own id is one only where somebody had claimed it.
fn clues(keys: &ThreadKeys, candidates: &[Candidate<'_>]) -> Vec<Clue> {
    let mut clues: Vec<Clue> = keys.traces.iter().map(|trace| trace.clue.clone()).collect();
    for candidate in candidates {
        let Some(clue) = clues.get_mut(candidate.trace) else { continue };
        clue.names.push(Naming {
            level: candidate.level,
            source: candidate.source.to_owned(),
            ticket: candidate.ticket,
            leads_to: candidate.leads_to,
            standing: candidate.standing,
            weight: candidate.weight,
        });
    }
    clues.retain(|clue| clue.place != Place::MessageId || !clue.names.is_empty());
    clues
}

enum Followed<'a> {
    Ticket(&'a Ticket),
    Need(u64),
    TooFar,
    Nothing,
}

/// Follows `merged_into`, and `followed_by` of tickets closed beyond their window, within the scope.
fn follow<'a>(ticket: u64, seen: &'a Seen, mailbox: &Mailbox, at: Timestamp) -> Followed<'a> {
    let mut next = ticket;
    for _ in 0..=HOPS_MAX {
        let row = match seen.tickets.get(&next) {
            None => return Followed::Need(next),
            Some(None) => return Followed::Nothing,
            Some(Some(row)) if row.scope != mailbox.scope => return Followed::Nothing,
            Some(Some(row)) => row,
        };
        next = match (row.merged_into, row.followed_by) {
            (Some(target), _) => target,
            (None, Some(target)) if expired(row, mailbox, at) => target,
            _ => return Followed::Ticket(row),
        };
    }
    Followed::TooFar
}

fn expired(ticket: &Ticket, mailbox: &Mailbox, at: Timestamp) -> bool {
    ticket.status.after_reply(ticket.closed_at, mailbox.reopen_window_days, at) == ReplyEffect::FollowsUp
}

#[cfg(test)]
mod tests;
