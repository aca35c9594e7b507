//! Threading: evidence names a ticket (DESIGN section 5). What the author may do there is `decide`.
//!
//! [`keys`] takes from the header what could name a ticket; the shell reads those rows; [`resolve`] weighs them. It is
//! pure: where it needs a ticket that was not read, it says which.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    address::AddrSpec,
    headers::{Headers, TicketRef},
    inbound::InboundMessage,
    mailbox::{Mailbox, Mailboxes},
    message_id::MessageId,
    records::{IndexDirection, IndexRow},
    ticket::{ReplyEffect, Ticket, number_matches},
    token::{Keyring, Verified},
};

/// Referenced ids looked at: the last 49 and the first (DESIGN section 4).
pub const IDS_MAX: usize = 50;
/// Tickets looked at that tags, signed ids or the subject name.
const NAMED_TICKETS_MAX: usize = 20;
/// Hops over `merged_into` and `followed_by`.
const HOPS_MAX: usize = 5;

/// How strong evidence is, highest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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

/// What a mail brings that could name a ticket.
#[derive(Clone, Debug, Default)]
pub struct ThreadKeys {
    /// Own Message-ID; `None` = missing.
    pub own: Option<MessageId>,
    /// The own id is signed by us: the mail is ours, or a loop.
    pub own_signed: bool,
    /// Referenced ids in order of evidence: In-Reply-To, then References last to first; own id dropped.
    pub ids: Vec<MessageId>,
    /// First id of References.
    pub root: Option<MessageId>,
    /// Tickets named by signed addresses (E1) and signed ids (E2) of this scope, in order of evidence.
    pub signed: Vec<(Level, u64)>,
    /// The ids among `ids` that are signed by us for this scope.
    pub signed_ids: Vec<MessageId>,
    /// Tickets named by tokens of other mailboxes: related, no evidence.
    pub foreign: BTreeSet<u64>,
    /// Numbers in the subject.
    pub numbers: Vec<TicketRef>,
    /// Something looked like ours and did not verify.
    pub forged: bool,
}

impl ThreadKeys {
    /// Tickets to read together with the ids.
    #[must_use]
    pub fn named_tickets(&self) -> Vec<u64> {
        let named = self.signed.iter().map(|(_, ticket)| *ticket).chain(self.numbers.iter().map(|r| r.ordinal));
        let mut tickets: Vec<u64> = Vec::new();
        for ticket in named {
            if !tickets.contains(&ticket) && tickets.len() < NAMED_TICKETS_MAX {
                tickets.push(ticket);
            }
        }
        tickets
    }
}

/// Takes the keys of a mail for one mailbox.
#[must_use]
pub fn keys(
    headers: &Headers,
    inbound: &InboundMessage,
    mailbox: &Mailbox,
    mailboxes: &Mailboxes,
    keyring: &Keyring,
) -> ThreadKeys {
    let own = headers.message_id.clone();
    let mut keys = ThreadKeys {
        own_signed: own.as_ref().is_some_and(|id| names_ticket(id, mailboxes, keyring).is_some()),
        ids: referenced(headers, own.as_ref()),
        root: headers.references.first().filter(|id| Some(*id) != own.as_ref()).cloned(),
        numbers: headers.ticket_refs.clone(),
        own,
        ..ThreadKeys::default()
    };
    for address in recipients(headers, &inbound.envelope.forward_paths) {
        keys.take_tag(&address, mailbox, mailboxes, keyring);
    }
    for id in keys.ids.clone() {
        keys.take_id(&id, mailbox, mailboxes, keyring);
    }
    keys
}

impl ThreadKeys {
    /// Adds an id that only the full parse could find (the original id in a bounce).
    pub fn add_id(&mut self, id: &MessageId, mailbox: &Mailbox, mailboxes: &Mailboxes, keyring: &Keyring) {
        if self.own.as_ref() != Some(id) && !self.ids.contains(id) {
            self.ids.insert(0, id.clone());
            self.ids.truncate(IDS_MAX);
            self.take_id(id, mailbox, mailboxes, keyring);
        }
    }

    fn take_tag(&mut self, address: &AddrSpec, mailbox: &Mailbox, mailboxes: &Mailboxes, keyring: &Keyring) {
        for (base, tag) in address.plus_tags() {
            let Some(owner) = mailboxes.iter().find(|m| m.addresses.contains(&base)) else { continue };
            match keyring.verify_tag(owner, tag) {
                Verified::Ticket(ticket) => return self.take_signed(Level::E1, ticket, owner, mailbox),
                Verified::LookAlike => self.forged = true,
                Verified::Foreign => {}
            }
        }
    }

    fn take_id(&mut self, id: &MessageId, mailbox: &Mailbox, mailboxes: &Mailboxes, keyring: &Keyring) {
        match names_ticket(id, mailboxes, keyring) {
            Some((ticket, owner)) => {
                if owner.scope == mailbox.scope {
                    self.signed_ids.push(id.clone());
                }
                self.take_signed(Level::E2, ticket, owner, mailbox);
            }
            None if looks_signed(id, mailboxes, keyring) => self.forged = true,
            None => {}
        }
    }

    /// A token addresses its own mailbox and those that share its tickets.
    fn take_signed(&mut self, level: Level, ticket: u64, owner: &Mailbox, mailbox: &Mailbox) {
        if owner.scope == mailbox.scope {
            if !self.signed.contains(&(level, ticket)) {
                self.signed.push((level, ticket));
            }
        } else {
            self.foreign.insert(ticket);
        }
    }
}

fn names_ticket<'a>(id: &MessageId, mailboxes: &'a Mailboxes, keyring: &Keyring) -> Option<(u64, &'a Mailbox)> {
    mailboxes.iter().find_map(|mailbox| match keyring.verify_message_id(mailbox, id) {
        Verified::Ticket(ticket) => Some((ticket, mailbox)),
        Verified::LookAlike | Verified::Foreign => None,
    })
}

fn looks_signed(id: &MessageId, mailboxes: &Mailboxes, keyring: &Keyring) -> bool {
    mailboxes.iter().any(|mailbox| keyring.verify_message_id(mailbox, id) == Verified::LookAlike)
}

/// Every place a reply address may stand (DESIGN section 5, E1).
fn recipients(headers: &Headers, forward_paths: &[AddrSpec]) -> Vec<AddrSpec> {
    let written = headers.to.iter().chain(&headers.cc).filter_map(crate::address::NamedAddress::addr_spec);
    let mut all: Vec<AddrSpec> = Vec::new();
    let fields = headers.delivered_to.iter().chain(&headers.x_original_to).chain(&headers.resent_to).cloned();
    for address in forward_paths.iter().cloned().chain(written).chain(fields) {
        if !all.contains(&address) {
            all.push(address);
        }
    }
    all
}

fn referenced(headers: &Headers, own: Option<&MessageId>) -> Vec<MessageId> {
    let mut ids: Vec<MessageId> = Vec::new();
    for id in headers.in_reply_to.iter().chain(headers.references.iter().rev()) {
        if Some(id) != own && !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    if ids.len() > IDS_MAX {
        let first = ids.pop();
        ids.truncate(IDS_MAX - 1);
        ids.extend(first);
    }
    ids
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
    /// The author may not speak there.
    pub stranger: bool,
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
    /// What named which ticket, for the ledger.
    pub evidence: Vec<String>,
}

/// The result of one weighing.
#[derive(Clone, Debug)]
pub enum Resolution {
    /// These tickets must be read first.
    Need(Vec<u64>),
    /// Weighed.
    Resolved(Box<Match>),
}

struct Candidate {
    level: Level,
    ticket: u64,
    by_claim: bool,
    source: &'static str,
}

/// Weighs the evidence for one mailbox at the time of the mail.
#[must_use]
pub fn resolve(keys: &ThreadKeys, seen: &Seen, speaker: &Speaker, mailbox: &Mailbox, at: Timestamp) -> Resolution {
    let candidates = candidates(keys, seen, speaker);
    let mut outcome = Match { related: keys.foreign.clone(), ..Match::default() };
    if keys.forged {
        outcome.reasons.push("forged-token");
    }
    outcome.evidence =
        candidates.iter().take(50).map(|c| format!("{:?} {} ticket {}", c.level, c.source, c.ticket)).collect();
    for level in [Level::E1, Level::E2, Level::E3, Level::E4] {
        let mut options: Vec<Chosen> = Vec::new();
        let mut need = Vec::new();
        for candidate in candidates.iter().filter(|c| c.level == level) {
            let found = match follow(candidate.ticket, seen, mailbox, at) {
                Followed::Ticket(found) => found,
                Followed::Need(ticket) => {
                    need.push(ticket);
                    continue;
                }
                Followed::TooFar => {
                    outcome.reasons.push("merge-chain");
                    continue;
                }
                Followed::Nothing => continue,
            };
            if let Some(option) = weigh(candidate, found, (keys, seen), speaker, mailbox, &mut outcome) {
                options.push(option);
            }
        }
        if !need.is_empty() {
            need.sort_unstable();
            need.dedup();
            return Resolution::Need(need);
        }
        // A ticket where the author is participant first; among those the order of evidence (the sort is stable).
        options.sort_by_key(|option| option.stranger);
        if let Some(best) = options.into_iter().next() {
            outcome.related.remove(&best.ticket.ticket_id);
            outcome.chosen = Some(best);
            break;
        }
    }
    Resolution::Resolved(Box::new(outcome))
}

fn candidates(keys: &ThreadKeys, seen: &Seen, speaker: &Speaker) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = Vec::new();
    let mut add = |level, ticket, by_claim, source| all.push(Candidate { level, ticket, by_claim, source });
    for (level, ticket) in &keys.signed {
        add(*level, *ticket, false, if *level == Level::E1 { "reply-address" } else { "signed-id" });
    }
    // A late original: the first claim whose author is its own or is named by it.
    let own_claims = seen.own.iter().flat_map(|row| &row.claims);
    let waits_for_us = |hash: &String| Some(hash) == speaker.hash.as_ref() || speaker.named.contains(hash);
    if let Some(claim) = own_claims.into_iter().find(|claim| waits_for_us(&claim.author)) {
        add(Level::E3, claim.ticket, false, "claimed-original");
    }
    for row in keys.ids.iter().filter_map(|id| seen.by_id.get(id)) {
        match (row.direction, row.ticket) {
            (IndexDirection::Out, Some(ticket)) => add(Level::E2, ticket, false, "sent-id"),
            (IndexDirection::In, Some(ticket)) => {
                add(Level::E3, ticket, false, "stored-id");
                for holder in &row.holders {
                    add(Level::E3, holder.ticket, false, "holder");
                }
            }
            _ => {}
        }
        for claim in &row.claims {
            add(Level::E3, claim.ticket, true, "claim");
        }
    }
    for number in &keys.numbers {
        add(Level::E4, number.ordinal, false, "subject-number");
    }
    all
}

fn weigh(
    candidate: &Candidate,
    found: &Ticket,
    (keys, seen): (&ThreadKeys, &Seen),
    speaker: &Speaker,
    mailbox: &Mailbox,
    outcome: &mut Match,
) -> Option<Chosen> {
    let stranger = !found.speaks_for(speaker.address.as_ref());
    if candidate.by_claim && stranger && mailbox.strangers != crate::mailbox::StrangerPolicy::Append {
        return None;
    }
    if candidate.level == Level::E4 {
        // The number must be the named ticket's own; where that one was merged, its target is reached all the same.
        let named = seen.tickets.get(&candidate.ticket).and_then(Option::as_ref)?;
        if !keys.numbers.iter().any(|r| r.ordinal == candidate.ticket && number_matches(&named.number, r)) {
            return None;
        }
        let may_thread = !stranger && (speaker.authenticated || mailbox.subject_number_unauthenticated);
        if !may_thread {
            outcome.reasons.push("subject-number-refused");
            outcome.related.insert(found.ticket_id);
            return None;
        }
    }
    Some(Chosen { ticket: found.clone(), level: candidate.level, source: candidate.source, stranger })
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
