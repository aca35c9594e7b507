//! How long things are kept, where that is not for ever. Rows end by the table's TTL, objects by the bucket's lifecycle
//! rules; both are told the same days, and a row of mail that may still be wanted never outlives its octets.
//!
//! Never ended: tickets, entries, and the message index, so that a late copy or reply always finds its ticket.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::records::Outcome;

/// Seconds of a day.
const DAY: i64 = 24 * 3600;
/// How long before held mail ends it is told.
pub const TOLD_BEFORE_SECONDS: i64 = 7 * DAY;

/// Days; `None` = for ever, or as the stack says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Days {
    /// Held and failed mail, from the day on which it was held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<u16>,
    /// Ledger rows of mail that has come to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<u16>,
}

/// What is kept how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Raw octets, by the bucket's lifecycle rule.
    pub raw: Option<u16>,
    /// What the stack says.
    pub stack: Days,
    /// What mailboxes say of their own.
    pub mailboxes: BTreeMap<String, Days>,
}

impl Retention {
    /// When a ledger row may be removed, seconds since the epoch; `None` = never.
    #[must_use]
    pub fn expires_at(&self, mailbox: &str, outcome: Outcome, ended_at: Timestamp) -> Option<i64> {
        let own = self.mailboxes.get(mailbox).copied().unwrap_or_default();
        let days = match outcome {
            Outcome::Queued => None,
            // Without its octets nothing can be done with it.
            Outcome::Held | Outcome::Failed => [own.held.or(self.stack.held), self.raw].into_iter().flatten().min(),
            Outcome::Committed | Outcome::Duplicate | Outcome::Ignored => own.ledger.or(self.stack.ledger),
        };
        days.map(|days| ended_at.as_second().saturating_add(i64::from(days) * DAY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_when() {
        let at: Timestamp = "2026-11-02T00:00:00Z".parse().unwrap();
        let days = |held, ledger| Days { held, ledger };
        let of = |raw, stack, own: Option<Days>| Retention {
            raw,
            stack,
            mailboxes: own.map(|own| ("support".to_owned(), own)).into_iter().collect(),
        };
        let none = Days::default();
        for (retention, held, ended) in [
            (of(None, none, None), None, None),
            (of(None, days(Some(30), Some(400)), None), Some(30), Some(400)),
            (of(None, days(Some(30), Some(400)), Some(days(Some(60), None))), Some(60), Some(400)),
            (of(None, none, Some(days(None, Some(5)))), None, Some(5)),
            // Never longer than the octets.
            (of(Some(20), days(Some(30), Some(400)), None), Some(20), Some(400)),
            (of(Some(20), none, None), Some(20), None),
            (of(Some(90), days(Some(30), None), None), Some(30), None),
        ] {
            let in_days =
                |outcome| retention.expires_at("support", outcome, at).map(|end| (end - at.as_second()) / DAY);
            assert_eq!((in_days(Outcome::Held), in_days(Outcome::Failed)), (held, held), "{retention:?}");
            for outcome in [Outcome::Committed, Outcome::Duplicate, Outcome::Ignored] {
                assert_eq!(in_days(outcome), ended, "{retention:?} {outcome:?}");
            }
            assert_eq!(in_days(Outcome::Queued), None, "what is not decided never ends");
        }
    }
}
