//! What is read of a mail in full, now that its octets are safe.

use super::{
    Ingest, attachments,
    copy::{Arrival, Copy, Reading},
};
use crate::{
    classify::{Classification, Kind, classify},
    parse,
    records::{Head, body_hash, digest_id},
    token::Verified,
};

impl Ingest {
    pub(super) fn read_in_full(&self, arrival: &Arrival) -> Reading {
        let Arrival { inbound, headers, accept, .. } = arrival;
        let mut parsed = parse::parse(&inbound.raw, headers);
        parsed.cut_at_separator(headers.is_forward(), |token| {
            let mut judged = self.mailboxes.iter().map(|mailbox| self.keyring.verify_separator(mailbox, token));
            judged.any(|judged| matches!(judged, Verified::Ticket(_)))
        });
        if accept.verdicts.withhold_attachments() {
            attachments::withhold(&mut parsed);
        }
        let mut classification = classify(headers, &parsed, &inbound.envelope);
        let signed = |value| self.mailboxes.iter().any(|mailbox| self.keyring.verify_loop_header(mailbox, value));
        if headers.all("x-postern-loop").any(signed) {
            classification = Classification { kind: Kind::Loop, reasons: vec!["signed-loop-header"] };
        }
        let digest = || digest_id(headers, &parsed.text, accept.ingress.event_id.as_deref());
        let id = headers.message_id.clone().unwrap_or_else(digest);
        Reading { head: Head::of(headers), body: body_hash(&parsed.text), parsed, classification, id }
    }

    /// Adds the keys that only the full parse can know; true where the first snapshot lacks them.
    pub(super) fn learnt_by_parsing(&self, copy: &mut Copy<'_>) -> bool {
        let before = copy.keys.ids.len();
        let report =
            copy.reading.parsed.delivery_report.as_ref().filter(|_| copy.reading.classification.kind.is_report());
        if let Some(original) = report.and_then(|report| report.original_message_id.as_ref()) {
            copy.keys.add_id(original, copy.mailbox, &self.mailboxes, &self.keyring);
        }
        copy.keys.own.is_none() || copy.keys.ids.len() != before || copy.key_unread
    }
}
