//! From a decision to the rows that are written: plain construction, every cap in one place.

mod people;
mod ticket;
mod unread;

use std::collections::BTreeSet;

use jiff::Timestamp;

use self::ticket::{new_tags, new_ticket};
pub(super) use self::unread::{given_up, parked, queued, to_be_fetched, unaccounted, unreadable};
use super::{Arrival, Copy, Release};
use crate::{
    address::{AddrSpec, NamedAddress},
    blobs::BlobKey,
    decide::{Decision, End, IndexSlot, People, Plan, Target, Verb},
    headers::Headers,
    inbound::{AcceptRecord, EVENT_ID_OCTETS_MAX, InboundMessage, Origin},
    mailbox::{MailboxId, Mailboxes},
    records::{Cause, IndexDirection, IndexRow, LedgerRow, Outcome},
    store::{
        EntryWrite, PersonWrite, StoreError,
        keys::{self, Key},
    },
    thread,
    ticket::{
        ATTACHMENT_CONTAINS_MAX, AttachmentRef, Direction, ENTRY_ATTACHMENTS_MAX, ENTRY_EVENTS_MAX,
        ENTRY_TEXT_OCTETS_MAX, Entry, Participant, RELATED_MAX, SUBJECT_OCTETS_MAX, Ticket, Visibility, cut_at,
    },
};

/// Octets of a subject in listings.
const LISTED_SUBJECT_OCTETS_MAX: usize = 200;
/// Octets of a display name kept: 200 participants stay far under the 400 KB of an item.
const NAME_OCTETS_MAX: usize = 128;
/// Recipients kept of one envelope: RFC 5321 section 4.5.3.1.8 asks for 100.
const FORWARD_PATHS_MAX: usize = 100;

pub(super) fn accept_record(
    inbound: &InboundMessage,
    headers: &Headers,
    raw_key: String,
    mailboxes: &Mailboxes,
) -> AcceptRecord {
    let mut envelope = inbound.envelope.clone();
    envelope.forward_paths.truncate(FORWARD_PATHS_MAX);
    let mut ingress = inbound.ingress.clone();
    ingress.event_id = ingress.event_id.map(|id| cut_at(&id, EVENT_ID_OCTETS_MAX).to_owned());
    AcceptRecord {
        raw_key,
        origin: inbound.origin.clone(),
        envelope,
        ingress,
        verdicts: inbound.verdicts.clone(),
        mailboxes: choose(inbound, headers, mailboxes),
        replay_guard: inbound.replay_guard.clone(),
        payload_key: inbound
            .payload
            .as_ref()
            .map(|body| BlobKey::payload(&inbound.ingress.door, body).as_str().to_owned()),
        fetch: inbound.fetch.clone(),
        flags: Vec::new(),
    }
}

/// DESIGN section 3: by the operator's word, else all configured addresses of the first source that holds one, else
/// the only mailbox there is.
pub(super) fn choose(inbound: &InboundMessage, headers: &Headers, mailboxes: &Mailboxes) -> Vec<MailboxId> {
    if let Some(id) = &inbound.mailbox {
        return vec![id.clone()];
    }
    let written = |list: &[NamedAddress]| list.iter().filter_map(NamedAddress::addr_spec).collect();
    let topmost = |list: &[AddrSpec]| list.iter().take(1).cloned().collect();
    let sources: [Vec<AddrSpec>; 6] = [
        inbound.envelope.forward_paths.clone(),
        topmost(&headers.delivered_to),
        topmost(&headers.x_original_to),
        topmost(&headers.x_forwarded_to),
        written(&headers.to),
        written(&headers.cc),
    ];
    for source in sources {
        let mut found: Vec<MailboxId> =
            source.iter().filter_map(|address| mailboxes.by_address(address)).map(|m| m.id.clone()).collect();
        found.sort();
        found.dedup();
        if !found.is_empty() {
            return found;
        }
    }
    mailboxes.only().map(|mailbox| mailbox.id.clone()).into_iter().collect()
}

fn bare(arrival: &Arrival, mailbox: &str, decision: &Decision, now: Timestamp) -> LedgerRow {
    let accept = &arrival.accept;
    let author = arrival.headers.from.first().and_then(|a| a.address.clone());
    let author_key = arrival.author.address.as_ref().map(keys::by_requester);
    let (clues, clues_more) = thread::kept(&decision.evidence);
    LedgerRow {
        outcome: Outcome::Committed,
        effect: None,
        cause: None,
        reasons: decision.reasons.iter().chain(&accept.flags).cloned().collect(),
        evidence: thread::lines(&decision.evidence),
        clues,
        clues_more,
        verdicts: accept.verdicts.clone(),
        ingress: accept.ingress.clone(),
        mailbox: mailbox.to_owned(),
        raw_key: accept.raw_key.clone(),
        raw_octets: arrival.inbound.raw.len() as u64,
        ticket: None,
        ticket_number: None,
        entry: None,
        index_pk: None,
        author_key,
        author: author.map(|a| cut_at(&a, LISTED_SUBJECT_OCTETS_MAX).to_owned()),
        subject: cut_at(&arrival.headers.subject, LISTED_SUBJECT_OCTETS_MAX).to_owned(),
        attempts: BTreeSet::new(),
        received_at: accept.ingress.transport_time,
        ended_at: now,
        expires_at: None,
        warned: false,
        actor: None,
        accept: None,
    }
}

fn plain_end(outcome: Outcome, cause: Option<Cause>) -> Verb {
    Verb::End(End { outcome, cause, ticket: None, ticket_number: None, entry: None })
}

/// Keeps the accept record on a row that may be brought in again, where the object cannot hold it.
fn with_accept(row: LedgerRow, accept: &AcceptRecord) -> LedgerRow {
    let wanted = (accept.is_stored() || accept.fetch.is_some()) && row.outcome.needs_attention();
    LedgerRow { accept: wanted.then(|| Box::new(accept.clone())), ..row }
}

/// The row of a copy that ends without an entry.
pub(super) fn ended(arrival: &Arrival, mailbox: &str, decision: &Decision, end: &End, now: Timestamp) -> LedgerRow {
    let row = LedgerRow {
        outcome: end.outcome,
        cause: end.cause,
        ticket: end.ticket,
        ticket_number: end.ticket_number.clone(),
        entry: end.entry.clone(),
        ..bare(arrival, mailbox, decision, now)
    };
    with_accept(row, &arrival.accept)
}

/// The row of a copy that is held before anything is decided.
pub(super) fn held(arrival: &Arrival, mailbox: &str, cause: Cause, now: Timestamp) -> LedgerRow {
    let end = End { outcome: Outcome::Held, cause: Some(cause), ticket: None, ticket_number: None, entry: None };
    let decision = Decision { verb: Verb::End(end.clone()), reasons: Vec::new(), evidence: Vec::new() };
    ended(arrival, mailbox, &decision, &end, now)
}

/// The row of a copy that would be committed. A ticket that would be opened has no number yet.
pub(super) fn rehearsed(
    arrival: &Arrival,
    mailbox: &str,
    decision: &Decision,
    plan: &Plan,
    now: Timestamp,
) -> LedgerRow {
    let ticket = match &plan.target {
        Target::Append { ticket, .. } => Some(ticket),
        Target::New(_) | Target::FollowUp { .. } => None,
    };
    LedgerRow {
        effect: Some(plan.effect),
        ticket: ticket.map(|ticket| ticket.ticket_id),
        ticket_number: ticket.map(|ticket| ticket.number.clone()),
        ..bare(arrival, mailbox, decision, now)
    }
}

/// Adds who released the mail and what had held it.
pub(super) fn released(row: &mut LedgerRow, release: Option<Release<'_>>) {
    let Some(Release { actor, cause }) = release else { return };
    row.actor = Some(actor.to_owned());
    row.reasons.extend(cause.map(|cause| format!("was-held-{}", cause.slug())));
}

/// Everything that one entry writes.
pub(super) struct Written {
    pub(super) row: LedgerRow,
    ticket: Ticket,
    entry: Entry,
    index: (Key, IndexRow),
    people: Vec<PersonWrite>,
}

impl Written {
    pub(super) fn as_write<'a>(&'a self, copy: &'a Copy<'_>, plan: &'a Plan) -> EntryWrite<'a> {
        EntryWrite {
            plan,
            ticket: &self.ticket,
            entry: &self.entry,
            scope: &copy.mailbox.scope,
            id: &copy.reading.id,
            index: (&self.index.0, &self.index.1),
            people: &self.people,
        }
    }
}

pub(super) fn written(
    copy: &Copy<'_>,
    decision: &Decision,
    plan: &Plan,
    ordinal: Option<u64>,
    now: Timestamp,
) -> Result<Written, StoreError> {
    let at = copy.arrival.accept.ingress.transport_time;
    let ticket = ticket_after(copy, plan, ordinal)?;
    let key = index_key(copy, plan);
    let entry = entry(copy, plan, &ticket, keys::entry_sk(at, &key), now);
    let claims = match &plan.slot {
        IndexSlot::Claimed(claims) => claims.clone(),
        IndexSlot::Free | IndexSlot::Collision { .. } => Vec::new(),
    };
    let index = IndexRow {
        direction: IndexDirection::In,
        ticket: Some(ticket.ticket_id),
        ticket_number: Some(ticket.number.clone()),
        entry: Some(entry.entry.clone()),
        head: Some(copy.reading.head.clone()),
        body: Some(copy.reading.body.clone()),
        claims,
        holders: Vec::new(),
    };
    let row = LedgerRow {
        effect: Some(plan.effect),
        ticket: Some(ticket.ticket_id),
        ticket_number: Some(ticket.number.clone()),
        entry: Some(entry.entry.clone()),
        index_pk: Some(key.pk.clone()),
        ..bare(copy.arrival, copy.id.mailbox(), decision, now)
    };
    let people = people::of(copy, plan, &ticket);
    Ok(Written { row, ticket, entry, index: (key, index), people })
}

fn index_key(copy: &Copy<'_>, plan: &Plan) -> Key {
    let (scope, id, head) = (&copy.mailbox.scope, &copy.reading.id, &copy.reading.head);
    match plan.slot {
        IndexSlot::Free | IndexSlot::Claimed(_) => keys::index(scope, id),
        IndexSlot::Collision { holders: Some(_) } => keys::collision(scope, id, head, ""),
        IndexSlot::Collision { holders: None } => keys::collision(scope, id, head, &copy.arrival.accept.raw_key),
    }
}

fn ticket_after(copy: &Copy<'_>, plan: &Plan, ordinal: Option<u64>) -> Result<Ticket, StoreError> {
    let at = copy.arrival.accept.ingress.transport_time;
    let fresh = |people: &People, follows| {
        let ordinal = ordinal.ok_or(StoreError::Inconsistent { item: "ORDINAL", attribute: "next" })?;
        let mut ticket = new_ticket(copy, copy.mailbox, people, ordinal);
        ticket.follows = follows;
        ticket.related_to = plan.related.iter().copied().take(RELATED_MAX).collect();
        Ok(ticket)
    };
    match &plan.target {
        Target::New(people) => fresh(people, None),
        Target::FollowUp { old, participants } => {
            let requester = copy.arrival.author.participant();
            let people = People { requester, participants: participants.clone(), guest: old.guest };
            fresh(&people, Some(old.ticket_id))
        }
        Target::Append { ticket, status, participants } => {
            let mut after = Ticket::clone(ticket);
            after.entry_count += 1;
            after.count_hour(at);
            after.updated_at = after.updated_at.max(at);
            if let Some(status) = status {
                after.count_reopening(at);
                after.status = *status;
                after.closed_at = None;
            }
            if plan.visibility == Visibility::Public {
                after.tags.extend(new_tags(ticket, &copy.ruled));
                after.alert_at = after.alert_at.max(copy.ruled.merge.as_ref().map(|_| at));
            }
            if let Some(people) = participants {
                after.participants = people.iter().map(short_name).collect();
                after.participants_rev += 1;
            }
            Ok(after)
        }
    }
}

/// Defects of reading that agents should see: why there are no words, and that the time is when we received it.
const NOTED_DEFECTS: [&str; 4] = ["encrypted", "signed", "date-missing", "date-unreadable"];

fn entry(copy: &Copy<'_>, plan: &Plan, ticket: &Ticket, sk: String, now: Timestamp) -> Entry {
    let parsed = &copy.reading.parsed;
    // An opening mail is shown whole: what it quotes is not on the ticket yet.
    let opens = matches!(plan.target, Target::New(_) | Target::FollowUp { .. });
    let shown = if opens { &parsed.text } else { &parsed.reply };
    let text = cut_at(shown, ENTRY_TEXT_OCTETS_MAX);
    let raw_key = &copy.arrival.accept.raw_key;
    let listed = parsed.attachments.iter().enumerate().take(ENTRY_ATTACHMENTS_MAX);
    let refused = copy.refused_attachments();
    let why = |n: usize| refused.get(n).cloned().flatten();
    let attachments = listed.map(|(n, a)| AttachmentRef {
        filename: a.filename.clone(),
        content_type: cut_at(&a.content_type, NAME_OCTETS_MAX).to_owned(),
        detected_type: a.detected_type.clone(),
        size: a.size,
        sha256: a.sha256.clone(),
        inline: a.inline,
        role: a.role,
        flags: a.flags.iter().map(|flag| (*flag).to_owned()).collect(),
        contains: a.contains.iter().take(ATTACHMENT_CONTAINS_MAX).map(|name| cut_at(name, 120).to_owned()).collect(),
        key: why(n).is_none().then(|| BlobKey::attachment(raw_key, n, &a.sha256).as_str().to_owned()),
        refused: why(n),
    });
    let events = parsed.calendar.iter().take(ENTRY_EVENTS_MAX);
    let events = events.map(|event| cut_at(&event.line(), SUBJECT_OCTETS_MAX).to_owned());
    let mut flags = plan.flags.clone();
    if copy.arrival.accept.origin == Origin::Rebuilt {
        flags.push("rebuilt".to_owned());
    }
    flags.extend(copy.arrival.accept.flags.iter().cloned());
    flags.extend(parsed.defects.iter().filter(|slug| NOTED_DEFECTS.contains(&slug.as_str())).cloned());
    let previous_status = match &plan.target {
        Target::Append { ticket, status: Some(_), .. } => Some(ticket.status),
        Target::Append { .. } | Target::New(_) | Target::FollowUp { .. } => None,
    };
    Entry {
        ticket: ticket.ticket_id,
        entry: sk,
        direction: Direction::In,
        visibility: plan.visibility,
        author: copy.arrival.author.participant().as_ref().map(short_name),
        text_cut: text.len() < shown.len(),
        text: text.to_owned(),
        attachments: attachments.collect(),
        attachments_more: parsed.attachments.len().saturating_sub(ENTRY_ATTACHMENTS_MAX) as u64,
        calendar: events.collect(),
        message_id: Some(cut_at(copy.reading.id.as_str(), SUBJECT_OCTETS_MAX).to_owned()),
        raw_key: raw_key.clone(),
        trace_id: copy.arrival.accept.ingress.trace_id(raw_key),
        kind: copy.reading.classification.kind,
        state: "received".to_owned(),
        flags,
        at: copy.arrival.accept.ingress.transport_time,
        committed_at: Some(now),
        effect: Some(plan.effect),
        previous_status,
    }
}

fn short_name(person: &Participant) -> Participant {
    let name = person.name.as_deref().map(|name| cut_at(name, NAME_OCTETS_MAX).to_owned());
    Participant { name, ..person.clone() }
}
