//! What is told of a copy that has come to its end: one line in the log, one measurement.

use std::future::Future;

use super::{Copy, Ingest};
use crate::{
    door::Provider,
    inbound::Ingress,
    outcome::{Answer, IngestError},
    parse::PARSER_PANIC,
    records::{Cause, LedgerRow, Outcome},
    store::{LedgerId, keys::NO_MAILBOX},
    telemetry::{Measurement, Metric, catalogue, note_trace},
};

/// A mail that takes longer from its transport to its ticket is late, milliseconds.
const LATE_AFTER: u64 = 60_000;
/// The same of a polled mail: up to a minute it lies there before anybody asks.
const LATE_AFTER_POLL: u64 = LATE_AFTER + 60_000;

impl Ingest {
    /// Works on what a door hands over, and tells that it was taken and how long it took. `safe`: it lies in a queue, so it
    /// was taken however this try ends.
    pub(super) async fn handed_over<T>(
        &self,
        ingress: &Ingress,
        (raw_key, safe): (&str, bool),
        work: impl Future<Output = Result<T, IngestError>>,
    ) -> Result<T, IngestError> {
        note_trace(ingress, raw_key);
        let began = self.ambient.now();
        let taken = work.await;
        if safe || taken.is_ok() {
            let now = self.ambient.now();
            let measured = Measurement::at(now).by(catalogue::DOOR, &ingress.door).with(Metric::Inbound, 1);
            measured.with(Metric::ProcessingTime, milliseconds(began, now)).tell();
        }
        taken
    }

    /// Answers, and says so once in the log: queryable, without subject, address or text.
    pub(super) fn told(&self, id: &LedgerId, row: &LedgerRow) -> Answer {
        let answer = Answer::of(id.to_string(), row);
        log(&answer, row);
        of_row(&answer, row).counting(Metric::ParseFailures, u64::from(is_unread(row))).tell();
        answer
    }

    /// The same of a mail that was read.
    pub(super) fn told_of_copy(&self, copy: &Copy<'_>, row: &LedgerRow) -> Answer {
        let answer = Answer::of(copy.id.to_string(), row);
        log(&answer, row);
        let parsed = &copy.reading.parsed;
        let octets: u64 = parsed.attachments.iter().map(|attachment| attachment.size).sum();
        let refused = copy.refused_attachments().iter().flatten().count();
        let unread = is_unread(row) || parsed.defects.iter().any(|slug| slug == PARSER_PANIC);
        let measured = of_row(&answer, row).counting(Metric::ParseDefects, parsed.defects.len() as u64);
        let measured = measured.counting(Metric::AttachmentBytes, octets);
        let measured = measured.counting(Metric::AttachmentsRefused, refused as u64);
        measured.counting(Metric::ParseFailures, u64::from(unread)).tell();
        answer
    }
}

fn log(answer: &Answer, row: &LedgerRow) {
    note_trace(&row.ingress, &row.raw_key);
    tracing::info!(
        inbound_id = %answer.inbound_id,
        door = row.ingress.door,
        status = answer.status,
        outcome = answer.outcome,
        ticket = row.ticket,
        reasons = ?answer.reasons,
        octets = row.raw_octets,
        "mail decided"
    );
}

fn of_row(answer: &Answer, row: &LedgerRow) -> Measurement {
    let measured = Measurement::at(row.ended_at).of_trace(row.trace_id());
    let measured = measured.by(catalogue::DOOR, &row.ingress.door).by(catalogue::OUTCOME, answer.status);
    let measured = measured.with(Metric::Mails, 1);
    match row.outcome {
        // What somebody released waited for him.
        Outcome::Committed if row.actor.is_none() => {
            let took = milliseconds(row.received_at, row.ended_at);
            let most = if row.ingress.provider == Provider::Imap.name() { LATE_AFTER_POLL } else { LATE_AFTER };
            measured.with(Metric::TimeToTicket, took).counting(Metric::Late, u64::from(took > most))
        }
        Outcome::Held => {
            let cause = row.cause.map(Cause::slug).unwrap_or_default();
            measured.by(catalogue::CAUSE, &cause).with(Metric::Held, 1)
        }
        Outcome::Failed => {
            let mailbox = Some(row.mailbox.as_str()).filter(|mailbox| *mailbox != NO_MAILBOX);
            measured.by(catalogue::MAILBOX, mailbox.unwrap_or_default()).with(Metric::Failed, 1)
        }
        Outcome::Committed | Outcome::Queued | Outcome::Duplicate | Outcome::Ignored => measured,
    }
}

/// True where it failed because it could not be read.
fn is_unread(row: &LedgerRow) -> bool {
    row.outcome == Outcome::Failed && matches!(row.cause, Some(Cause::UnreadablePayload | Cause::Poison))
}

/// Nothing where the clocks disagree.
fn milliseconds(from: jiff::Timestamp, to: jiff::Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
