//! What is remembered of somebody who writes: who he is, and how much he has written within the hour.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{address::AddrSpec, similar::alike};

/// Seconds of an hour.
const HOUR: i64 = 3600;

/// One address in one scope. Where From names nobody, all such authors share one; mail that its author's own domain
/// disowns has one beside the author's, so that a forger uses nothing of his up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requester {
    /// The address; `None` on the rows that only count, and on what is left of an erased one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<AddrSpec>,
    /// Display name as last seen, or made from the address.
    #[serde(default, rename = "display_name", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Somebody has said that this is a known contact.
    #[serde(default)]
    pub known: bool,
    /// Tickets that were opened for it.
    #[serde(default)]
    pub tickets: u64,
    /// Transport time of its first mail here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Timestamp>,
    /// Of its newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// Its mail is held, `blocked-sender`: who said so, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Mark>,
    /// Mail of ours came back as undeliverable for good: enhanced status code, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undeliverable: Option<Mark>,
    /// Everything about it was erased: who did it, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<Mark>,
    /// The last hour in which it wrote: hours since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<i64>,
    /// Tickets that were opened in it.
    #[serde(default)]
    pub hour_tickets: u64,
    /// Entries that were written in it, those included.
    #[serde(default)]
    pub hour_entries: u64,
    /// Fingerprint of the last text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// How many texts of that hour in a row were alike, the last one included.
    #[serde(default)]
    pub alike: u64,
}

/// What one more entry makes of the counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The hour that is counted.
    pub hour: i64,
    /// The hour that was counted, where it is another: counts begin anew.
    pub anew: Option<Option<i64>>,
    /// Tickets of the hour, this one included.
    pub tickets: u64,
    /// Entries of the hour, this one included.
    pub entries: u64,
    /// Fingerprint of this text.
    pub print: String,
    /// Texts in a row that are alike, this one included.
    pub alike: u64,
}

impl Requester {
    /// What one more entry at that time makes of the counts; `None` where it is of an hour before the one that is
    /// counted: it came late, and counts for nothing.
    #[must_use]
    pub fn with(&self, at: Timestamp, opens: bool, print: &str) -> Option<Counted> {
        let hour = at.as_second().div_euclid(HOUR);
        if self.hour.is_some_and(|counted| counted > hour) {
            return None;
        }
        let same = self.hour == Some(hour);
        let before = |count: u64| if same { count } else { 0 };
        let last = self.fingerprint.as_deref().filter(|_| same);
        let alike = if last.is_some_and(|last| alike(last, print)) { self.alike + 1 } else { 1 };
        Some(Counted {
            hour,
            anew: (!same).then_some(self.hour),
            tickets: before(self.hour_tickets) + u64::from(opens),
            entries: before(self.hour_entries) + 1,
            print: print.to_owned(),
            alike,
        })
    }
}

/// Something said of a requester.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Who said it, or what was said.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::similar::fingerprint;

    #[test]
    fn counts_are_of_one_hour() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let write = |row: &Requester, time: &str, opens: bool, text: &str| {
            let counted = row.with(at(time), opens, &fingerprint(text)).unwrap();
            let row = Requester {
                hour: Some(counted.hour),
                hour_tickets: counted.tickets,
                hour_entries: counted.entries,
                fingerprint: Some(counted.print.clone()),
                alike: counted.alike,
                ..Requester::default()
            };
            (row, counted)
        };
        let (first, counted) = write(&Requester::default(), "2026-11-02T09:00:00Z", true, "the printer burns again");
        assert_eq!((counted.tickets, counted.entries, counted.alike, counted.anew), (1, 1, 1, Some(None)));
        let (second, counted) = write(&first, "2026-11-02T09:59:59Z", false, "the printer burns again 2");
        assert_eq!((counted.tickets, counted.entries, counted.alike, counted.anew), (1, 2, 2, None));
        let (_, counted) =
            write(&second, "2026-11-02T09:59:59Z", false, "something else, nothing of what it was before");
        assert_eq!((counted.entries, counted.alike), (3, 1));
        let (next, counted) = write(&second, "2026-11-02T10:00:00Z", true, "the printer burns again");
        assert_eq!((counted.tickets, counted.entries, counted.alike), (1, 1, 1), "another hour");
        assert!(counted.anew.is_some());
        assert_eq!(next.with(at("2026-11-02T09:30:00Z"), true, "x"), None, "what comes late counts for nothing");
    }
}
