//! Mail about our mail, seen by agents and changing nothing: out of office, receipts, bounces.

use super::{
    IndexSlot, Mail, Place, Target, Verb,
    plan::{held, plan},
};
use crate::{
    classify::Kind,
    records::{Cause, Effect, IndexDirection},
    thread::Match,
    ticket::Visibility,
};

/// Out of office, receipts and bounces: seen by agents, changing nothing.
pub(super) fn note(
    mail: &Mail<'_>,
    place: &Place<'_>,
    slot: IndexSlot,
    found: &Match,
    bounced: Option<(u64, String)>,
) -> Verb {
    let Some(chosen) = &found.chosen else { return held(Cause::AutoReply) };
    let target = Target::Append { ticket: Box::new(chosen.ticket.clone()), status: None, participants: None };
    let by_stranger = !chosen.standing.speaks() && mail.classification.kind != Kind::Bounce;
    let what =
        if by_stranger { (Effect::Unverified, Visibility::Unverified) } else { (Effect::Note, Visibility::Internal) };
    let mut plan = plan(mail, place, slot, found, target, what);
    plan.bounced = bounced;
    if by_stranger {
        plan.claims.clear();
    }
    Verb::Commit(Box::new(plan))
}

/// What a bounce speaks of: `Some` only where it quotes an id that we signed, or one that is stored as sent; inside,
/// the entry to mark where the index knows it.
pub(super) fn bounced(mail: &Mail<'_>, place: &Place<'_>) -> Option<Option<(u64, String)>> {
    let report = mail.parsed.delivery_report.as_ref()?;
    let original = report.original_message_id.as_ref()?;
    if let Some(row) = place.seen.by_id.get(original).filter(|row| row.direction == IndexDirection::Out) {
        // While the mail system is still trying, nothing has come back.
        return Some(row.ticket.zip(row.entry.clone()).filter(|_| !report.is_delay()));
    }
    place.keys.signed_ids.contains(original).then_some(None)
}
