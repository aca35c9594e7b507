//! What rules change of a decision, cell by cell. Ticket 1 is cust's, opened by a mail with the key `7`.

use jiff::Timestamp;

use super::super::{Decision, Effect, Head, Participant, Seen, decide};
use super::*;
use crate::records::{IndexDirection, IndexRow};
use crate::{
    address::AddrSpec,
    author::Author,
    classify::classify,
    envelope::Envelope,
    headers::scan,
    inbound::{InboundMessage, Ingress, Origin, Verdict, Verdicts},
    mailbox::{Mailbox, MailboxId, Mailboxes},
    parse::parse,
    rules::{self, Rules},
    token::Keyring,
};

const KEYED: &str = r#"{ "rules": [{ "name": "k", "then": { "merge_key": { "by": "header", "name": "X-Key",
    "recovered": ["is over"] } } }] }"#;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn people(plan: &Plan) -> Vec<Participant> {
    match &plan.target {
        Target::New(people) => people.participants.clone(),
        other => panic!("not a new ticket: {other:?}"),
    }
}

fn person(name: &str) -> Participant {
    let address = AddrSpec::parse(&format!("{name}@people.example")).unwrap();
    Participant { name: address.derived_name(), address, approved: true }
}

/// A mail of cust's with further header lines, in a mailbox with these rules.
struct Cell {
    rules: &'static str,
    header: &'static str,
    verdicts: Verdicts,
    status: Status,
    alert_at: Option<Timestamp>,
    release: bool,
}

fn cell(rules: &'static str, header: &'static str) -> Cell {
    let verdicts = Verdicts { dmarc: Some(Verdict::Pass), ..Verdicts::default() };
    Cell { rules, header, verdicts, status: Status::Open, alert_at: None, release: false }
}

impl Cell {
    fn ticket(&self) -> Ticket {
        let support = MailboxId::parse("support").unwrap();
        Ticket {
            ticket_id: 1,
            number: "INC-00001".into(),
            subject: "subject".into(),
            status: self.status,
            priority: "normal".into(),
            ticket_type: "incident".into(),
            queue: "support".into(),
            mailbox: support,
            scope: "support".into(),
            source: "email".into(),
            requester: Some(person("cust")),
            participants: vec![person("cust")],
            participants_rev: 0,
            guest: true,
            tags: Vec::new(),
            entry_count: 1,
            reopened_on: None,
            reopens: 0,
            hour: None,
            hour_entries: 0,
            created_at: at("2026-11-01T09:00:00Z"),
            updated_at: at("2026-11-01T09:00:00Z"),
            closed_at: (self.status == Status::Closed).then(|| at("2026-01-01T00:00:00Z")),
            alert_at: self.alert_at,
            merged_into: None,
            followed_by: None,
            follows: None,
            related_to: Vec::new(),
        }
    }

    fn raw(&self) -> String {
        let from = if self.header.contains("From:") { "" } else { "From: cust@people.example\r\n" };
        format!(
            "{from}To: support@us.example\r\nCc: eve@people.example\r\nMessage-ID: <m@people.example>\r\n\
             In-Reply-To: <none@people.example>\r\n{}\r\n\r\nhello\r\n",
            self.header
        )
    }

    fn decide(&self) -> Decision {
        let raw = self.raw();
        let headers = scan(raw.as_bytes());
        let parsed = parse(raw.as_bytes(), &headers);
        let envelope = Envelope::default();
        let address = AddrSpec::parse("support@us.example").unwrap();
        let mailbox = Mailbox {
            rules: Rules::parse(self.rules).unwrap(),
            ..Mailbox::new(MailboxId::parse("support").unwrap(), address, "INC")
        };
        let mailboxes = Mailboxes::new(vec![mailbox.clone()]).unwrap();
        let author = Author::of(&headers, &envelope, &self.verdicts, &mailboxes);
        let time = at("2026-11-02T09:00:00Z");
        let inbound = InboundMessage {
            raw: raw.clone().into(),
            origin: Origin::Received,
            envelope: envelope.clone(),
            ingress: Ingress { door: "raw".into(), provider: "raw".into(), event_id: None, transport_time: time },
            verdicts: self.verdicts.clone(),
            mailbox: None,
            replay_guard: None,
            payload: None,
            fetch: None,
        };
        let mut keys = crate::thread::keys(
            &headers,
            &inbound,
            &mailbox,
            &mailboxes,
            &Keyring::new(vec![(0, vec![1; 32])]).unwrap(),
        );
        let classification = classify(&headers, &parsed, &envelope);
        let (recipients, octets) = (&[][..], raw.len() as u64);
        let seen_by_rules = rules::Mail {
            headers: &headers,
            parsed: &parsed,
            classification: &classification,
            verdicts: &self.verdicts,
            author: &author,
            recipients,
            octets,
        };
        let ruled = mailbox.rules.judge(&seen_by_rules, "support");
        let mut seen = Seen::default();
        seen.tickets.insert(1, Some(self.ticket()));
        if let Some(merge) = &ruled.merge {
            keys.add_merge(merge);
            if merge.shown.ends_with(": 7") {
                seen.by_id.insert(merge.id.clone(), key_row());
            }
        }
        let (id, head) = (headers.message_id.clone().unwrap(), Head::of(&headers));
        let mail = Mail {
            headers: &headers,
            parsed: &parsed,
            classification: &classification,
            verdicts: &self.verdicts,
            author: &author,
            ruled: &ruled,
            id: &id,
            head: &head,
            body: "",
            at: time,
            raw_key: "raw/raw/1",
        };
        let (release, replayed) = (self.release, false);
        let place = Place { mailbox: &mailbox, mailboxes: &mailboxes, keys: &keys, seen: &seen, release, replayed };
        decide(&mail, &place).unwrap()
    }

    fn end(&self) -> Option<(Outcome, Option<Cause>)> {
        match self.decide().verb {
            Verb::End(end) => Some((end.outcome, end.cause)),
            Verb::Commit(_) => None,
        }
    }

    fn plan(&self) -> (Plan, Vec<String>) {
        let decision = self.decide();
        match decision.verb {
            Verb::Commit(plan) => (*plan, decision.reasons),
            Verb::End(end) => panic!("{end:?} {:?}", decision.reasons),
        }
    }
}

fn key_row() -> IndexRow {
    IndexRow {
        direction: IndexDirection::In,
        ticket: Some(1),
        ticket_number: None,
        entry: None,
        head: None,
        body: None,
        claims: Vec::new(),
        holders: Vec::new(),
    }
}

#[test]
fn what_holds_ignores_and_blocks() {
    let hold = r#"{ "rules": [{ "name": "h", "then": { "hold": true } }] }"#;
    let ignore = r#"{ "rules": [{ "name": "i", "then": { "ignore": true } }] }"#;
    let block = r#"{ "block": ["*@people.example"] }"#;
    let only = r#"{ "allow": ["jane@people.example"], "only_allowed": true }"#;
    let held = |cause| Some((Outcome::Held, Some(cause)));
    for (rules, header, expected) in [
        (hold, "X: 1", held(Cause::Rule)),
        (ignore, "X: 1", Some((Outcome::Ignored, Some(Cause::Rule)))),
        (ignore, "Auto-Submitted: auto-replied", Some((Outcome::Ignored, Some(Cause::Rule)))),
        (block, "X: 1", held(Cause::BlockedSender)),
        (only, "X: 1", held(Cause::NotAllowed)),
        (only, "From: jane@people.example", None),
        // Not by its author: an out-of-office answer and mail systems are judged by what they speak of.
        (only, "Auto-Submitted: auto-replied", held(Cause::AutoReply)),
    ] {
        let mut cell = cell(rules, header);
        assert_eq!(cell.end(), expected, "{rules} {header}");
        cell.release = true;
        assert_eq!(cell.end(), None, "released: {rules} {header}");
    }
}

#[test]
fn who_may_answer_need_not_be_allowed() {
    let only = r#"{ "allow": ["jane@people.example"], "only_allowed": true, "rules": [{ "name": "k",
        "then": { "merge_key": { "by": "header", "name": "X-Key" } } }] }"#;
    assert_eq!(cell(only, "X-Key: 7").end(), None, "cust answers on the ticket that is his");
    assert_eq!(cell(only, "X-Key: 8").end(), Some((Outcome::Held, Some(Cause::NotAllowed))));
    let stranger = cell(only, "From: bob@people.example\r\nX-Key: 7").end();
    assert_eq!(stranger, Some((Outcome::Held, Some(Cause::NotAllowed))));
}

#[test]
fn the_allow_list_outvotes_a_spam_filter_and_never_a_virus() {
    let allow = r#"{ "allow": ["cust@people.example"] }"#;
    let verdicts = |dmarc, spam, virus| Verdicts { dmarc, spam, virus, ..Verdicts::default() };
    let (pass, fail) = (Some(Verdict::Pass), Some(Verdict::Fail));
    for (verdicts, expected) in [
        (verdicts(pass, fail, None), None),
        (verdicts(None, fail, None), Some(Cause::Spam)),
        (verdicts(fail, fail, None), Some(Cause::Spam)),
        (verdicts(pass, fail, fail), Some(Cause::Virus)),
    ] {
        let end = Cell { verdicts: verdicts.clone(), ..cell(allow, "X: 1") }.end();
        assert_eq!(end.and_then(|(_, cause)| cause), expected, "{verdicts:?}");
    }
}

#[test]
fn participants_and_acknowledgement() {
    let rules = r#"{ "rules": [{ "name": "q", "then": { "participants": "author-only", "acknowledge": false } }] }"#;
    let (plan, reasons) = cell(rules, "X: 1").plan();
    assert_eq!(people(&plan), [person("cust")]);
    assert!(plan.flags.contains(&"no-acknowledgement".to_owned()) && reasons.contains(&"rule:q".to_owned()));
    assert_eq!(people(&cell("{}", "X: 1").plan().0), [person("cust"), person("eve")]);
    let keyed = r#"{ "rules": [{ "name": "k", "then": { "participants": "author-only",
        "merge_key": { "by": "header", "name": "X-Key" } } }] }"#;
    for (rules, grows) in [(KEYED, true), (keyed, false)] {
        let Target::Append { participants, .. } = cell(rules, "X-Key: 7").plan().0.target else { panic!("appended") };
        assert_eq!(participants.is_some(), grows, "{rules}");
    }
}

#[test]
fn reopening_by_rule() {
    let closed = r#"{ "rules": [{ "name": "k", "then": { "reopen": false,
        "merge_key": { "by": "header", "name": "X-Key" } } }] }"#;
    for (rules, expected) in [(KEYED, Effect::Reopened), (closed, Effect::Matched)] {
        let (plan, _) = Cell { status: Status::Pending, ..cell(rules, "X-Key: 7") }.plan();
        assert_eq!(plan.effect, expected);
    }
}

#[test]
fn merge_keys_find_open_and_resolve_tickets() {
    let (early, late) = (Some(at("2026-11-02T08:00:00Z")), Some(at("2026-11-02T10:00:00Z")));
    let problem = "X-Key: 7\r\nSubject: disk full";
    let recovery = "X-Key: 7\r\nSubject: disk full is over";
    let resolves = Some(Status::Resolved);
    for (header, status, alert_at, expected, told) in [
        (problem, Status::Open, early, None, "merge-key"),
        (problem, Status::Resolved, early, Some(Status::Open), "merge-key"),
        (problem, Status::Resolved, late, None, "overtaken"),
        (recovery, Status::New, None, resolves, "recovered"),
        (recovery, Status::Pending, early, resolves, "recovered"),
        (recovery, Status::Open, late, None, "overtaken"),
        (recovery, Status::Resolved, early, None, "merge-key"),
        (recovery, Status::Closed, early, None, "merge-key"),
    ] {
        let (plan, reasons) = Cell { status, alert_at, ..cell(KEYED, header) }.plan();
        let Target::Append { status: to, .. } = plan.target else { panic!("{header} {status:?}: {:?}", plan.target) };
        assert_eq!((to, plan.key), (expected, None), "{header} {status:?} {alert_at:?}");
        assert!(reasons.iter().any(|reason| reason == told), "{told}: {reasons:?}");
    }
    let (plan, _) = Cell { status: Status::Closed, ..cell(KEYED, problem) }.plan();
    assert!(matches!(plan.target, Target::FollowUp { .. }), "closed long ago: {:?}", plan.target);
}

#[test]
fn a_new_key_is_taken_and_a_strangers_word_resolves_nothing() {
    let (plan, reasons) = cell(KEYED, "X-Key: 8").plan();
    assert!(matches!(plan.target, Target::New(_)) && plan.key.is_some(), "{reasons:?}");
    assert!(reasons.contains(&"no-evidence".to_owned()));
    let (plan, reasons) = cell(KEYED, "X-Key: 8\r\nSubject: it is over").plan();
    assert!(matches!(plan.target, Target::New(_)) && reasons.contains(&"recovery-unmatched".to_owned()));
    let (plan, reasons) = cell(KEYED, "From: bob@people.example\r\nX-Key: 7\r\nSubject: it is over").plan();
    assert_eq!((plan.effect, plan.key), (Effect::Unverified, None));
    assert!(reasons.contains(&"stranger".to_owned()) && !reasons.contains(&"recovered".to_owned()), "{reasons:?}");
    let failed = Verdicts { dmarc: Some(Verdict::Fail), ..Verdicts::default() };
    let (plan, _) = Cell { verdicts: failed, ..cell(KEYED, "X-Key: 7") }.plan();
    assert!(matches!(plan.target, Target::New(_)) && plan.key.is_none(), "no key for who is disowned");
}
