//! Why a mail was decided as it was: told from the row of the ledger that it wrote, or would write. No body, ever.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    inbound::Verdicts,
    records::{Cause, Effect, LedgerRow, Outcome},
    thread::Clue,
};

/// Everything that is kept of one decision, in the order it was come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The ledger id, as `<hash>/<mailbox>`; of a mail that was not brought in, what it would be.
    pub id: String,
    /// Mailbox; `-` where none could be chosen.
    pub mailbox: String,
    /// Door.
    pub door: String,
    /// Transport time.
    pub received_at: Timestamp,
    /// The first From address as written.
    pub author: Option<String>,
    /// Subject, cut.
    pub subject: String,
    /// Whether the author is proven; `None` where nothing depended on it.
    pub authentication: Option<&'static str>,
    /// What the provider asserted.
    pub verdicts: Verdicts,
    /// What could name a ticket, in the order of evidence: where it stood, its signature, what it named, the author's
    /// standing there, what came of it.
    pub clues: Vec<Clue>,
    /// How many more there were than a row holds.
    pub clues_more: u64,
    /// Of rows from before clues were kept: what named which ticket.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// What it did.
    pub effect: Option<Effect>,
    /// Why it is held, ignored or failed.
    pub cause: Option<Cause>,
    /// Ticket; `None` also where one would be opened.
    pub ticket: Option<u64>,
    /// Its number.
    pub ticket_number: Option<String>,
    /// Why, as slugs, in the order they were found.
    pub reasons: Vec<String>,
}

impl Explanation {
    /// Of a row.
    #[must_use]
    pub fn of(id: String, row: &LedgerRow) -> Self {
        let evidence = if row.clues.is_empty() { row.evidence.clone() } else { Vec::new() };
        Self {
            id,
            mailbox: row.mailbox.clone(),
            door: row.ingress.door.clone(),
            received_at: row.received_at,
            author: row.author.clone(),
            subject: row.subject.clone(),
            authentication: authentication(row),
            verdicts: row.verdicts.clone(),
            clues: row.clues.clone(),
            clues_more: row.clues_more,
            evidence,
            outcome: row.outcome,
            effect: row.effect,
            cause: row.cause,
            ticket: row.ticket,
            ticket_number: row.ticket_number.clone(),
            reasons: row.reasons.clone(),
        }
    }

    /// What is decided otherwise in `again`. Reasons that only say how the mail came about do not count.
    #[must_use]
    pub fn differences(&self, again: &Self) -> Vec<Difference> {
        let word = |value: Option<&str>| value.unwrap_or("-").to_owned();
        let json = |value: serde_json::Value| value.as_str().unwrap_or("-").to_owned();
        let effect = |of: &Self| json(serde_json::json!(of.effect));
        let number = |of: &Self| if of.effect == Some(Effect::Created) { "(new)" } else { "-" }.to_owned();
        let ticket = |of: &Self| match (of.effect, &of.ticket_number) {
            (Some(Effect::Created), _) | (_, None) => number(of),
            (_, Some(number)) => number.clone(),
        };
        let reasons = |of: &Self| {
            let told = of.reasons.iter().filter(|reason| !PASSING.iter().any(|word| reason.starts_with(word)));
            told.cloned().collect::<Vec<_>>().join(", ")
        };
        let decided = |of: &Self| {
            let names = of.clues.iter().flat_map(|clue| clue.names.iter().map(move |name| (clue, name)));
            let mut best = names.filter(|(_, name)| name.weight == crate::thread::Weight::Decided);
            word(best.next().map(|(clue, _)| clue.text.as_str()))
        };
        let pairs = [
            ("outcome", self.outcome.as_str().to_owned(), again.outcome.as_str().to_owned()),
            ("effect", effect(self), effect(again)),
            ("cause", word(self.cause.map(Cause::slug).as_deref()), word(again.cause.map(Cause::slug).as_deref())),
            ("ticket", ticket(self), ticket(again)),
            ("decided by", decided(self), decided(again)),
            ("reasons", reasons(self), reasons(again)),
        ];
        let differs = pairs.into_iter().filter(|(_, before, now)| before != now);
        differs.map(|(what, before, now)| Difference { what, before, now }).collect()
    }
}

/// Reasons of how a mail came or was let through, which a rehearsal does not repeat.
const PASSING: [&str; 4] = ["released", "was-held-", "seen-before", "chosen-by-header"];

/// One thing that would be decided otherwise today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What.
    pub what: &'static str,
    /// In the ledger.
    pub before: String,
    /// Today.
    pub now: String,
}

/// The reasons say it where something depended on it.
fn authentication(row: &LedgerRow) -> Option<&'static str> {
    let has = |slug: &str| row.reasons.iter().any(|reason| reason == slug);
    let weighed = row.clues.iter().any(|clue| !clue.names.is_empty());
    match (has("auth-failed"), has("auth-unknown")) {
        (true, _) => Some("failed"),
        (_, true) => Some("unknown"),
        _ => (weighed && row.outcome == Outcome::Committed && !has("stranger") && !has("no-evidence"))
            .then_some("passed"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        inbound::Ingress,
        thread::{Level, Naming, Place, Standing, Weight},
    };

    fn row(ticket: u64, effect: Effect, reasons: &[&str], clues: Vec<Clue>) -> LedgerRow {
        LedgerRow {
            outcome: Outcome::Committed,
            effect: Some(effect),
            cause: None,
            reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
            evidence: vec!["E3 stored-id ticket 1".to_owned()],
            clues,
            clues_more: 0,
            verdicts: Verdicts::default(),
            ingress: Ingress {
                door: "raw".into(),
                provider: "raw".into(),
                event_id: None,
                transport_time: Timestamp::UNIX_EPOCH,
            },
            mailbox: "support".into(),
            raw_key: "raw/raw/1".into(),
            raw_octets: 1,
            ticket: Some(ticket),
            ticket_number: Some(format!("INC-{ticket:05}")),
            entry: None,
            index_pk: None,
            author: Some("jane@customer.example".into()),
            subject: "s".into(),
            attempts: BTreeSet::new(),
            received_at: Timestamp::UNIX_EPOCH,
            ended_at: Timestamp::UNIX_EPOCH,
            author_key: None,
            expires_at: None,
            warned: false,
            actor: None,
            accept: None,
        }
    }

    fn clue(text: &str, ticket: u64) -> Clue {
        let naming = Naming {
            level: Level::E3,
            source: "stored-id".into(),
            ticket,
            leads_to: None,
            standing: Some(Standing::Participant),
            weight: Weight::Decided,
        };
        Clue { place: Place::InReplyTo, position: 1, text: text.into(), signature: None, names: vec![naming] }
    }

    #[test]
    fn an_old_row_tells_its_lines_and_a_new_one_its_clues() {
        let old = Explanation::of("x/support".into(), &row(1, Effect::Matched, &["stored-id"], Vec::new()));
        assert_eq!((old.evidence.len(), old.clues.len(), old.authentication), (1, 0, None));
        let new = Explanation::of("x/support".into(), &row(1, Effect::Matched, &["stored-id"], vec![clue("a@b", 1)]));
        assert_eq!((new.evidence.len(), new.clues.len(), new.authentication), (0, 1, Some("passed")));
        let json = serde_json::to_value(&new).unwrap();
        assert_eq!(json["clues"][0]["place"], "in-reply-to");
        assert_eq!(json["clues"][0]["names"][0]["weight"], "decided");
        assert_eq!(json["clues"][0]["names"][0]["standing"], "participant");
        let back: LedgerRow =
            serde_json::from_value(serde_json::to_value(row(1, Effect::Note, &[], vec![])).unwrap()).unwrap();
        assert!(back.clues.is_empty(), "rows of before read");
    }

    #[test]
    fn differences_are_those_of_the_decision() {
        let of = |row: &LedgerRow| Explanation::of("x/support".into(), row);
        let then = of(&row(1, Effect::Matched, &["stored-id", "released", "was-held-spam"], vec![clue("a@b", 1)]));
        let same = of(&row(1, Effect::Matched, &["stored-id"], vec![clue("a@b", 1)]));
        assert!(then.differences(&same).is_empty(), "a release is no difference: {:?}", then.differences(&same));
        let now = of(&row(2, Effect::Unverified, &["stored-id", "stranger"], vec![clue("c@d", 2)]));
        let what: Vec<&str> = then.differences(&now).iter().map(|difference| difference.what).collect();
        assert_eq!(what, ["effect", "ticket", "decided by", "reasons"]);
        let opened = of(&row(9, Effect::Created, &["no-evidence"], Vec::new()));
        let opens =
            of(&LedgerRow { ticket: None, ticket_number: None, ..row(9, Effect::Created, &["no-evidence"], vec![]) });
        assert!(opened.differences(&opens).is_empty(), "a ticket that would be opened has no number yet");
    }
}
