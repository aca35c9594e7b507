//! Rows of copies whose octets nobody has read: queued, to be fetched, given up, unaccounted, unreadable.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{bare, plain_end, with_accept};
use crate::{
    author::Author,
    decide::Decision,
    headers::Headers,
    inbound::{AcceptRecord, Ingress},
    ingest::Arrival,
    outcome::TO_BE_FETCHED,
    records::{Cause, LedgerRow, Outcome},
    store::keys::NO_MAILBOX,
};

/// The row of a copy that a queue has brought and that has not ended.
pub(in crate::ingest) fn queued(arrival: &Arrival, mailbox: &str, now: Timestamp) -> LedgerRow {
    let nothing = Decision { verb: plain_end(Outcome::Queued, None), reasons: Vec::new(), evidence: Vec::new() };
    let row = LedgerRow { outcome: Outcome::Queued, ..bare(arrival, mailbox, &nothing, now) };
    with_accept(row, &arrival.accept)
}

/// The row of a copy that is given up: what is known without reading the mail.
pub(in crate::ingest) fn parked(accept: &AcceptRecord, mailbox: &str, why: (Cause, &str), now: Timestamp) -> LedgerRow {
    let (cause, reason) = why;
    let outcome = if cause == Cause::SesSetup { Outcome::Ignored } else { Outcome::Failed };
    unread(accept, mailbox, (outcome, Some(cause), reason), now)
}

/// The row of a copy whose octets are still with the provider.
pub(in crate::ingest) fn to_be_fetched(accept: &AcceptRecord, mailbox: &str, now: Timestamp) -> LedgerRow {
    unread(accept, mailbox, (Outcome::Queued, None, TO_BE_FETCHED), now)
}

fn unread(
    accept: &AcceptRecord,
    mailbox: &str,
    (outcome, cause, reason): (Outcome, Option<Cause>, &str),
    now: Timestamp,
) -> LedgerRow {
    let nothing = accept.message(bytes::Bytes::new());
    let arrival =
        Arrival { inbound: nothing, headers: Headers::default(), author: Author::unknown(), accept: accept.clone() };
    let decision = Decision { verb: plain_end(outcome, cause), reasons: vec![reason.to_owned()], evidence: Vec::new() };
    let row = LedgerRow { outcome, cause, ..bare(&arrival, mailbox, &decision, now) };
    with_accept(row, accept)
}

/// A queued row, given up.
pub(in crate::ingest) fn given_up(row: LedgerRow, cause: Cause, reason: &str) -> LedgerRow {
    LedgerRow { outcome: Outcome::Failed, cause: Some(cause), reasons: vec![reason.to_owned()], ..row }
}

/// The row of an object that nobody has told of.
pub(in crate::ingest) fn unaccounted(accept: &AcceptRecord, octets: u64, now: Timestamp) -> LedgerRow {
    let row = parked(accept, NO_MAILBOX, (Cause::Unaccounted, "no-receipt"), now);
    LedgerRow { outcome: Outcome::Held, raw_octets: octets, ..row }
}

/// The row of a payload that could not be read.
pub(in crate::ingest) fn unreadable(ingress: Ingress, key: &str, octets: u64, why: &str, now: Timestamp) -> LedgerRow {
    LedgerRow {
        outcome: Outcome::Failed,
        effect: None,
        cause: Some(Cause::UnreadablePayload),
        reasons: vec![why.to_owned()],
        evidence: Vec::new(),
        clues: Vec::new(),
        clues_more: 0,
        verdicts: crate::inbound::Verdicts::default(),
        received_at: ingress.transport_time,
        ingress,
        mailbox: NO_MAILBOX.to_owned(),
        raw_key: key.to_owned(),
        raw_octets: octets,
        ticket: None,
        ticket_number: None,
        entry: None,
        index_pk: None,
        author: None,
        author_key: None,
        subject: String::new(),
        attempts: BTreeSet::new(),
        ended_at: now,
        expires_at: None,
        warned: false,
        actor: None,
        accept: None,
    }
}
