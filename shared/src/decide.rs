//! The decision: what one copy of one mail does, with its reasons. Pure: same mail, same rows, same answer.
//!
//! Order: single-use token, verdicts that hold, own id (own copy, duplicate, collision), rules that hold, evidence and
//! standing, kind. A release overrides every cause that holds.

mod caps;
mod note;
mod own;
mod people;
mod plan;
mod reply;
mod ruled;

pub use caps::Count;
use caps::capped;
use jiff::Timestamp;
use note::{bounced, note};
use own::own_row;
pub use people::People;
use people::{Powers, forwarded_for, grown, opening, powers};
use plan::{ended, held, plan};
use reply::reply;

use crate::{
    author::{Authentication, Author},
    classify::{Classification, Kind},
    headers::Headers,
    inbound::{Verdict, Verdicts},
    mailbox::{AuthenticationPolicy, Mailbox, Mailboxes, StrangerPolicy},
    message_id::MessageId,
    parse::ParsedMessage,
    records::{Cause, Claim, Effect, Head, Outcome},
    rules::Ruled,
    thread::{Chosen, Clue, Level, Match, NamedBy, Resolution, Seen, Standing, ThreadKeys, resolve},
    ticket::{Next, Participant, Status, Ticket, Visibility},
};

/// Unknown ids that one entry claims, the root of References included (DESIGN section 4).
const CLAIMS_PER_ENTRY: usize = 4;

/// The mail, read.
#[derive(Clone, Copy, Debug)]
pub struct Mail<'a> {
    /// Header scan.
    pub headers: &'a Headers,
    /// Body.
    pub parsed: &'a ParsedMessage,
    /// Kind.
    pub classification: &'a Classification,
    /// Provider's verdicts.
    pub verdicts: &'a Verdicts,
    /// Author.
    pub author: &'a Author,
    /// What the mailbox's rules say of it.
    pub ruled: &'a Ruled,
    /// Own id, or the digest that stands in for it.
    pub id: &'a MessageId,
    /// Head.
    pub head: &'a Head,
    /// Hash of the visible text.
    pub body: &'a str,
    /// Transport time.
    pub at: Timestamp,
    /// Object key of the raw.
    pub raw_key: &'a str,
}

/// Where and how it is decided.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The mailbox.
    pub mailbox: &'a Mailbox,
    /// All of ours.
    pub mailboxes: &'a Mailboxes,
    /// Keys of the mail for this mailbox.
    pub keys: &'a ThreadKeys,
    /// What was read.
    pub seen: &'a Seen,
    /// An operator releases it: causes that hold are overridden.
    pub release: bool,
    /// The commit found its single-use token spent on another body.
    pub replayed: bool,
}

/// Which index row the mail takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexSlot {
    /// Its own id's row, not there when read.
    Free,
    /// Its own id's row, a claim when read; the claims are kept.
    Claimed(Vec<Claim>),
    /// A row of its own beside another mail with that id; `holders` = how many were on the first row.
    Collision {
        /// Holders when read; `None` where the list is full and an operator released the mail.
        holders: Option<usize>,
    },
}

/// What the mail does to tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Opens one for these people.
    New(People),
    /// Appends to it.
    Append {
        /// As read: the conditions of the commit.
        ticket: Box<Ticket>,
        /// New status, if it changes.
        status: Option<Status>,
        /// New list, if it changes.
        participants: Option<Vec<Participant>>,
    },
    /// Opens one that follows a ticket closed too long ago.
    FollowUp {
        /// The closed one, as read.
        old: Box<Ticket>,
        /// Participants of the new one.
        participants: Vec<Participant>,
    },
}

/// One claim to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimWrite {
    /// The id that was referred to.
    pub id: MessageId,
    /// Claims on its row when read; `None` = no row.
    pub seen: Option<usize>,
    /// Author part of the claim.
    pub author: String,
}

/// A decision to write an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Ticket.
    pub target: Target,
    /// Effect.
    pub effect: Effect,
    /// Who may see the entry.
    pub visibility: Visibility,
    /// Index row.
    pub slot: IndexSlot,
    /// Claims.
    pub claims: Vec<ClaimWrite>,
    /// Tickets to be listed on ours.
    pub related: Vec<u64>,
    /// Tickets that waited for this mail and did not get it: ours is listed on them.
    pub refused_claims: Vec<u64>,
    /// Our sent entry that a bounce speaks of: ticket and sort key.
    pub bounced: Option<(u64, String)>,
    /// Its merge key, where no ticket has that yet.
    pub key: Option<MessageId>,
    /// What agents should know.
    pub flags: Vec<String>,
    /// What it does to the counts of its author.
    pub count: Count,
    /// The index row that led to the ticket, as read.
    pub named_by: Option<NamedBy>,
}

/// A decision that writes the ledger row only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Duplicate, held or ignored.
    pub outcome: Outcome,
    /// Why, unless a duplicate.
    pub cause: Option<Cause>,
    /// Ticket of the first copy.
    pub ticket: Option<u64>,
    /// Its number.
    pub ticket_number: Option<String>,
    /// Its entry.
    pub entry: Option<String>,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// An entry is written.
    Commit(Box<Plan>),
    /// The ledger row says it all.
    End(End),
}

/// A decision with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What happens.
    pub verb: Verb,
    /// Why, as slugs.
    pub reasons: Vec<String>,
    /// What could name a ticket, and what came of it.
    pub evidence: Vec<Clue>,
}

/// Decides.
///
/// # Errors
/// The ordinals of tickets that must be read first.
pub fn decide(mail: &Mail<'_>, place: &Place<'_>) -> Result<Decision, Vec<u64>> {
    let mut reasons: Vec<String> = mail.classification.reasons.iter().map(|r| (*r).to_owned()).collect();
    reasons.extend(mail.author.flags.iter().map(|flag| (*flag).to_owned()));
    reasons.extend(mail.verdicts.doubts().into_iter().map(str::to_owned));
    reasons.extend(mail.ruled.reasons());
    if place.release {
        reasons.push("released".to_owned());
    }
    let end = |verb, reasons, evidence| Ok(Decision { verb, reasons, evidence });
    if place.replayed {
        return end(held(Cause::ReplayedToken), reasons, Vec::new());
    }
    if mail.verdicts.virus == Some(Verdict::Fail) && !place.release {
        return end(held(Cause::Virus), reasons, Vec::new());
    }
    let spam = mail.verdicts.spam == Some(Verdict::Fail) && !place.release && !ruled::vouched_for(mail);
    let own = own_row(mail, place, &mut reasons);
    if let (Err(verb), false) = (&own, spam) {
        // Known already: no ticket needs to be read.
        return end(verb.clone(), reasons, Vec::new());
    }
    if let Some(verb) = ruled::stopped(mail, place) {
        return end(verb, reasons, Vec::new());
    }
    if place.seen.requester.as_ref().is_some_and(|known| known.blocked.is_some()) && !place.release {
        return end(held(Cause::BlockedSender), reasons, Vec::new());
    }
    if mail.author.authentication == Authentication::Failed
        && place.mailbox.authentication == AuthenticationPolicy::Hold
        && !place.release
    {
        return end(held(Cause::AuthFailed), reasons, Vec::new());
    }
    match powers(mail, place) {
        Powers::None => {}
        Powers::Agent => reasons.push("agent".to_owned()),
        Powers::Claimed => reasons.push("agent-claim".to_owned()),
    }
    let speaker = mail.author.speaker(mail.headers, place.mailbox);
    let found = match resolve(place.keys, place.seen, &speaker, place.mailbox, mail.at) {
        Resolution::Need(tickets) => return Err(tickets),
        Resolution::Resolved(found) => *found,
    };
    reasons.extend(found.reasons.iter().map(|r| (*r).to_owned()));
    if spam && !spoken_for(mail, found.chosen.as_ref()) {
        return end(held(Cause::Spam), reasons, found.evidence);
    }
    if ruled::unwelcome(mail, place, found.chosen.as_ref()) {
        return end(held(Cause::NotAllowed), reasons, found.evidence);
    }
    let slot = match own {
        Ok(slot) => slot,
        Err(verb) => return end(verb, reasons, found.evidence),
    };
    let mut verb = by_kind(mail, place, slot, &found, &mut reasons);
    ruled::finish(mail, place, &mut verb, &mut reasons);
    let verb = capped(mail, place, verb, &mut reasons);
    end(verb, reasons, found.evidence)
}

/// Spam holds unless a valid token, an approved participant and passed authentication speak for the mail.
fn spoken_for(mail: &Mail<'_>, chosen: Option<&Chosen>) -> bool {
    chosen.is_some_and(|c| c.level <= Level::E2 && c.standing.speaks())
        && mail.author.authentication == Authentication::Passed
}

fn by_kind(mail: &Mail<'_>, place: &Place<'_>, slot: IndexSlot, found: &Match, reasons: &mut Vec<String>) -> Verb {
    if place.release {
        return by_standing(mail, place, slot, found, reasons);
    }
    let automatic = matches!(mail.classification.kind, Kind::AutoReply | Kind::ReadReceipt | Kind::Bounce);
    if let Some(chosen) = found.chosen.as_ref().filter(|_| automatic) {
        reasons.push(chosen.source.to_owned());
    }
    match (mail.classification.kind, &found.chosen) {
        (Kind::Loop, _) => held(Cause::Loop),
        (Kind::AbuseReport, _) => held(Cause::AbuseReport),
        (Kind::AutoReply, None) => held(Cause::AutoReply),
        (Kind::ReadReceipt, None) => ended(Outcome::Ignored, Some(Cause::ReadReceiptUnmatched), None),
        (Kind::Bounce, chosen) => match bounced(mail, place) {
            Some(entry) if chosen.is_some() => note(mail, place, slot, found, entry),
            _ => held(Cause::BounceUnmatched),
        },
        (Kind::AutoReply | Kind::ReadReceipt, Some(_)) => note(mail, place, slot, found, None),
        (Kind::Human | Kind::AutoGenerated | Kind::List, _) => by_standing(mail, place, slot, found, reasons),
    }
}

/// The two tables of DESIGN section 5: evidence by standing.
fn by_standing(mail: &Mail<'_>, place: &Place<'_>, slot: IndexSlot, found: &Match, reasons: &mut Vec<String>) -> Verb {
    let Some(chosen) = &found.chosen else {
        reasons.push("no-evidence".to_owned());
        return open_new(mail, place, slot, found, None, reasons);
    };
    reasons.push(chosen.source.to_owned());
    let named = Some(chosen.ticket.ticket_id);
    if mail.author.authentication == Authentication::Unknown {
        reasons.push("auth-unknown".to_owned());
    }
    let failed = mail.author.authentication == Authentication::Failed;
    match (chosen.standing, place.mailbox.strangers) {
        (Standing::Participant, _) if failed => {
            reasons.push("auth-failed".to_owned());
            unverified(mail, place, slot, found, &chosen.ticket)
        }
        (Standing::Participant | Standing::Agent, _) => append(mail, place, slot, found, chosen, reasons),
        // Whoever releases it vouches for the agent.
        (Standing::AgentClaim, _) if place.release => append(mail, place, slot, found, chosen, reasons),
        (_, StrangerPolicy::Append) if !failed => append(mail, place, slot, found, chosen, reasons),
        (Standing::AgentClaim, StrangerPolicy::Unverified | StrangerPolicy::New | StrangerPolicy::Hold) => {
            held(Cause::AgentUnverified)
        }
        (_, StrangerPolicy::New) => open_new(mail, place, slot, found, named, reasons),
        (_, StrangerPolicy::Hold) if !place.release => held(Cause::Stranger),
        (standing, _) => {
            let why = if standing == Standing::Pending { "not-approved" } else { "stranger" };
            reasons.push(why.to_owned());
            unverified(mail, place, slot, found, &chosen.ticket)
        }
    }
}

fn open_new(
    mail: &Mail<'_>,
    place: &Place<'_>,
    slot: IndexSlot,
    found: &Match,
    named: Option<u64>,
    reasons: &mut Vec<String>,
) -> Verb {
    let powers = powers(mail, place);
    if powers == Powers::Claimed && forwarded_for(mail, place).is_some() {
        return held(Cause::AgentUnverified);
    }
    let people = opening(mail, place, powers, reasons);
    let mut plan = plan(mail, place, slot, found, Target::New(people), (Effect::Created, Visibility::Public));
    plan.related.extend(named.filter(|ticket| !found.related.contains(ticket)));
    Verb::Commit(Box::new(plan))
}

fn append(
    mail: &Mail<'_>,
    place: &Place<'_>,
    slot: IndexSlot,
    found: &Match,
    chosen: &Chosen,
    reasons: &mut Vec<String>,
) -> Verb {
    let ticket = &chosen.ticket;
    let (next, flag) = reply(mail, place, chosen);
    let participants = grown(mail, place, ticket, chosen.standing);
    let (target, effect) = match next {
        Next::FollowsUp => {
            let participants = participants.unwrap_or_else(|| ticket.participants.clone());
            (Target::FollowUp { old: Box::new(ticket.clone()), participants }, Effect::Created)
        }
        Next::Becomes(status) => {
            let effect = if status == Status::Open { Effect::Reopened } else { Effect::Matched };
            let status = Some(status);
            (Target::Append { ticket: Box::new(ticket.clone()), status, participants }, effect)
        }
        Next::Stays | Next::Refused => {
            (Target::Append { ticket: Box::new(ticket.clone()), status: None, participants }, Effect::Matched)
        }
    };
    let mut plan = plan(mail, place, slot, found, target, (effect, Visibility::Public));
    plan.flags.extend(flag.map(str::to_owned));
    reasons.extend(flag.map(str::to_owned));
    Verb::Commit(Box::new(plan))
}

fn unverified(mail: &Mail<'_>, place: &Place<'_>, slot: IndexSlot, found: &Match, ticket: &Ticket) -> Verb {
    let target = Target::Append { ticket: Box::new(ticket.clone()), status: None, participants: None };
    let mut plan = plan(mail, place, slot, found, target, (Effect::Unverified, Visibility::Unverified));
    plan.claims.clear();
    Verb::Commit(Box::new(plan))
}

#[cfg(test)]
mod cells;
