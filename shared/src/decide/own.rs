//! The row of the mail's own id: own copy, duplicate, collision, loop, or a place to take.

use super::{
    End, IndexSlot, Mail, Place, Verb,
    plan::{bare_end, ended, held},
};
use crate::records::{CLAIMS_MAX, Cause, Holder, IndexDirection, IndexRow, Outcome};

/// Judges the row of the mail's own id: which slot the mail takes, or how it ends there.
pub(super) fn own_row(mail: &Mail<'_>, place: &Place<'_>, reasons: &mut Vec<String>) -> Result<IndexSlot, Verb> {
    let Some(row) = &place.seen.own else {
        return if place.keys.own_signed && !place.release { Err(held(Cause::Loop)) } else { Ok(IndexSlot::Free) };
    };
    let same = row.head.as_ref().is_some_and(|head| head.same(mail.head));
    match row.direction {
        IndexDirection::Claim if place.keys.own_signed && !place.release => Err(held(Cause::Loop)),
        IndexDirection::Claim => Ok(IndexSlot::Claimed(row.claims.clone())),
        IndexDirection::Out if same => Err(ended(Outcome::Ignored, Some(Cause::OwnCopy), Some(row))),
        IndexDirection::Out if place.keys.own_signed && !place.release => Err(held(Cause::Loop)),
        IndexDirection::In if same => {
            reasons.push("same-message-id".to_owned());
            if row.body.as_deref().is_some_and(|body| body != mail.body) {
                reasons.push("variant".to_owned());
            }
            Err(ended(Outcome::Duplicate, None, Some(row)))
        }
        IndexDirection::In | IndexDirection::Out => collision(mail, place, row, reasons),
    }
}

/// Another mail under the same id: a holder's duplicate, a new holder, or the ninth.
fn collision(mail: &Mail<'_>, place: &Place<'_>, row: &IndexRow, reasons: &mut Vec<String>) -> Result<IndexSlot, Verb> {
    if let Some(Holder { ticket, .. }) = row.holders.iter().find(|holder| holder.head.same(mail.head)) {
        reasons.push("same-message-id".to_owned());
        let twin = End { ticket: Some(*ticket), ..bare_end(Outcome::Duplicate, None) };
        return Err(Verb::End(twin));
    }
    reasons.push("collision".to_owned());
    if row.holders.len() < CLAIMS_MAX {
        return Ok(IndexSlot::Collision { holders: Some(row.holders.len()) });
    }
    if place.release { Ok(IndexSlot::Collision { holders: None }) } else { Err(held(Cause::Collision)) }
}
