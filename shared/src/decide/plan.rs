//! What a decision writes: the plan of an entry, its claims, and ends without an entry.

use super::{
    CLAIMS_PER_ENTRY, ClaimWrite, Count, End, IndexSlot, Mail, Place, Plan, Target, Verb,
    people::{Powers, disowned, powers},
};
use crate::{
    author::Authentication,
    mailbox::AuthenticationPolicy,
    message_id::MessageId,
    records::{CLAIMS_MAX, Cause, Effect, IndexDirection, IndexRow, Outcome, author_hash},
    thread::Match,
    ticket::Visibility,
};

pub(super) fn plan(
    mail: &Mail<'_>,
    place: &Place<'_>,
    slot: IndexSlot,
    found: &Match,
    target: Target,
    (effect, visibility): (Effect, Visibility),
) -> Plan {
    let chosen = found.chosen.as_ref().map(|c| c.ticket.ticket_id);
    let waiting = place.seen.own.iter().flat_map(|row| &row.claims).map(|claim| claim.ticket);
    let mut refused_claims: Vec<u64> = waiting.filter(|ticket| Some(*ticket) != chosen).collect();
    refused_claims.sort_unstable();
    refused_claims.dedup();
    let mut flags: Vec<String> = mail.author.flags.iter().map(|flag| (*flag).to_owned()).collect();
    flags.extend(mail.verdicts.doubts().into_iter().map(str::to_owned));
    match (mail.author.authentication, place.mailbox.authentication) {
        (Authentication::Passed, _) | (_, AuthenticationPolicy::Record) => {}
        (Authentication::Failed, _) => flags.push("auth-failed".to_owned()),
        (Authentication::Unknown, _) => flags.push("auth-unknown".to_owned()),
    }
    match powers(mail, place) {
        Powers::None => {}
        Powers::Agent => flags.push("agent".to_owned()),
        Powers::Claimed => flags.push("agent-claim".to_owned()),
    }
    Plan {
        effect,
        visibility,
        slot,
        // What its author's own domain disowns draws nobody's mail to its ticket.
        claims: if disowned(mail) { Vec::new() } else { claims(mail, place, target_ticket(&target)) },
        named_by: found
            .chosen
            .as_ref()
            .and_then(|chosen| chosen.row.clone())
            .filter(|_| !matches!(target, Target::New(_))),
        target,
        related: found.related.iter().copied().collect(),
        refused_claims,
        bounced: None,
        key: None,
        flags,
        count: Count { counted: None, opens: false, below: None },
    }
}

/// Claims the first unknown ids and the root, so that reply and original meet in whatever order they come.
fn claims(mail: &Mail<'_>, place: &Place<'_>, ticket: Option<u64>) -> Vec<ClaimWrite> {
    let row = |id: &MessageId| place.seen.by_id.get(id);
    let free = |id: &&MessageId| row(id).is_none_or(|row| row.direction == IndexDirection::Claim);
    let unknown: Vec<&MessageId> = place.keys.ids.iter().filter(free).collect();
    let mut picked: Vec<&MessageId> = unknown.iter().copied().take(CLAIMS_PER_ENTRY).collect();
    if let Some(root) = place.keys.root.as_ref().filter(|root| unknown.contains(root) && !picked.contains(root)) {
        picked.pop();
        picked.push(root);
    }
    // An unknown author claims under a name that nobody else has: it holds the place and matches no one.
    let nobody = || crate::digest::sha256_parts(&[b"nobody", mail.raw_key.as_bytes()]);
    let author = mail.author.address.as_ref().map_or_else(nobody, author_hash);
    let room = |row: &IndexRow| {
        let there = row.claims.iter().any(|c| Some(c.ticket) == ticket && c.author == author);
        row.claims.len() < CLAIMS_MAX && !there
    };
    let open = picked.into_iter().filter(|id| row(id).is_none_or(room));
    let write = |id: &MessageId| ClaimWrite {
        id: id.clone(),
        seen: row(id).map(|row| row.claims.len()),
        author: author.clone(),
    };
    open.map(write).collect()
}

/// The ticket an entry goes to, where it exists already.
fn target_ticket(target: &Target) -> Option<u64> {
    match target {
        Target::Append { ticket, .. } => Some(ticket.ticket_id),
        Target::New(_) | Target::FollowUp { .. } => None,
    }
}

pub(super) fn bare_end(outcome: Outcome, cause: Option<Cause>) -> End {
    End { outcome, cause, ticket: None, ticket_number: None, entry: None }
}

pub(super) fn held(cause: Cause) -> Verb {
    Verb::End(bare_end(Outcome::Held, Some(cause)))
}

pub(super) fn ended(outcome: Outcome, cause: Option<Cause>, row: Option<&IndexRow>) -> Verb {
    let mut end = bare_end(outcome, cause);
    if let Some(row) = row {
        (end.ticket, end.ticket_number, end.entry) = (row.ticket, row.ticket_number.clone(), row.entry.clone());
    }
    Verb::End(end)
}
