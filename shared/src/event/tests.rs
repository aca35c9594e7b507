use std::collections::HashSet;

use serde_json::{Value, json};

use super::*;
use crate::{
    address::AddrSpec,
    classify::Kind,
    inbound::{Ingress, Verdicts},
    mailbox::MailboxId,
    records::Cause,
    ticket::{AttachmentRef, Direction, Participant, Visibility},
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn person(name: &str) -> Participant {
    let address = AddrSpec::parse(&format!("{name}@people.example")).unwrap();
    Participant { address, name: Some(name.to_owned()), approved: true }
}

fn ticket() -> Ticket {
    Ticket {
        ticket_id: 42,
        number: "INC-00042".into(),
        subject: "printer".into(),
        status: Status::Pending,
        priority: "normal".into(),
        ticket_type: "incident".into(),
        queue: "first-line".into(),
        mailbox: MailboxId::parse("support").unwrap(),
        scope: "support".into(),
        source: "email".into(),
        requester: Some(person("ann")),
        participants: vec![person("ann"), person("bob")],
        participants_rev: 0,
        guest: true,
        tags: Vec::new(),
        entry_count: 2,
        hour: None,
        hour_entries: 0,
        created_at: at("2026-11-02T09:00:00Z"),
        updated_at: at("2026-11-02T09:00:00Z"),
        closed_at: None,
        alert_at: None,
        reopened_on: None,
        reopens: 0,
        merged_into: None,
        followed_by: None,
        follows: None,
        related_to: Vec::new(),
    }
}

fn entry(effect: Option<Effect>, previous_status: Option<Status>) -> Entry {
    let attachment = AttachmentRef {
        filename: Some("salary.pdf".into()),
        content_type: "application/pdf".into(),
        detected_type: None,
        size: 1,
        sha256: "0".repeat(64),
        inline: false,
        role: crate::parse::Role::File,
        flags: Vec::new(),
        contains: Vec::new(),
        key: None,
        refused: None,
    };
    Entry {
        ticket: 42,
        entry: "ENTRY#2026-11-02T09:00:00.000Z#ab".into(),
        direction: Direction::In,
        visibility: Visibility::Public,
        author: Some(person("bob")),
        text: "the secret text".into(),
        text_cut: false,
        attachments: vec![attachment],
        attachments_more: 3,
        calendar: Vec::new(),
        message_id: Some("id@people.example".into()),
        raw_key: "raw/mailgun/ab".into(),
        trace_id: Some("0123456789abcdef0123456789abcdef".into()),
        kind: Kind::Human,
        state: "received".into(),
        flags: vec!["auth-unknown".into()],
        at: at("2026-11-02T03:00:00Z"),
        committed_at: Some(at("2026-11-02T09:00:00Z")),
        effect,
        previous_status,
    }
}

fn row(outcome: Outcome) -> LedgerRow {
    let received_at = at("2026-11-02T03:00:00Z");
    LedgerRow {
        outcome,
        effect: None,
        cause: Some(Cause::Spam),
        reasons: vec!["spam-verdict".into()],
        evidence: Vec::new(),
        clues: Vec::new(),
        clues_more: 0,
        verdicts: Verdicts::default(),
        ingress: Ingress {
            door: "mailgun".into(),
            provider: "mailgun".into(),
            event_id: None,
            transport_time: received_at,
        },
        mailbox: "support".into(),
        raw_key: "raw/mailgun/ab".into(),
        raw_octets: 1,
        ticket: None,
        ticket_number: None,
        entry: None,
        index_pk: None,
        author: Some("eve@people.example".into()),
        subject: "the secret subject".into(),
        attempts: std::collections::BTreeSet::new(),
        received_at,
        ended_at: at("2026-11-02T09:00:00Z"),
        author_key: None,
        expires_at: None,
        warned: false,
        actor: None,
        accept: None,
    }
}

fn due(effect: Option<Effect>, previous: Option<Status>) -> Due {
    Due::Entry(Box::new(entry(effect, previous)), Box::new(ticket()))
}

fn held(row: LedgerRow) -> Due {
    Due::Mail("ab/support".into(), Box::new(row))
}

fn types(due: &Due) -> Vec<EventType> {
    of(due).iter().map(|event| event.event_type).collect()
}

#[test]
fn which_item_tells_what() {
    use EventType::{EntryCreated, MessageFailed, MessageHeld, TicketCreated, TicketReopened, TicketStatusChanged};
    let resolved = Some(Status::Resolved);
    for (due, expected) in [
        (due(Some(Effect::Created), None), vec![TicketCreated, EntryCreated]),
        (due(Some(Effect::Matched), None), vec![EntryCreated]),
        (due(Some(Effect::Note), None), vec![EntryCreated]),
        (due(Some(Effect::Unverified), None), vec![EntryCreated]),
        (due(Some(Effect::Reopened), resolved), vec![EntryCreated, TicketReopened, TicketStatusChanged]),
        (due(None, None), vec![EntryCreated]),
        (held(row(Outcome::Held)), vec![MessageHeld]),
        (held(row(Outcome::Failed)), vec![MessageFailed]),
        (held(row(Outcome::Committed)), vec![]),
        (held(row(Outcome::Queued)), vec![]),
        (held(row(Outcome::Duplicate)), vec![]),
        (held(row(Outcome::Ignored)), vec![]),
    ] {
        assert_eq!(types(&due), expected, "{due:?}");
    }
}

#[test]
fn an_entry_in_full() {
    let event = of(&due(Some(Effect::Reopened), Some(Status::Resolved))).remove(1);
    let json: Value = serde_json::from_str(&event.to_json()).unwrap();
    assert_eq!(
        json,
        json!({
            "version": 1,
            "id": event.id,
            "type": "ticket.reopened",
            "occurred_at": "2026-11-02T09:00:00Z",
            "ticket": {
                "id": 42, "number": "INC-00042", "status": "pending", "queue": "first-line", "mailbox": "support",
                "type": "incident", "priority": "normal", "subject": "printer",
                "requester": {"address": "ann@people.example", "name": "ann"},
            },
            "entry": {
                "id": "ENTRY#2026-11-02T09:00:00.000Z#ab", "message_id": "id@people.example", "visibility": "public",
                "kind": "human", "author": {"address": "bob@people.example", "name": "bob"}, "effect": "reopened",
                "attachments": 4, "flags": ["auth-unknown"], "received_at": "2026-11-02T03:00:00Z",
                "trace_id": "0123456789abcdef0123456789abcdef",
            },
            "change": {"from": "resolved", "to": "open", "actor": "mail"},
        })
    );
}

#[test]
fn an_agents_change_and_a_held_mail_in_full() {
    let change = StatusChange {
        ticket: 42,
        change: "CHANGE#2026-11-02T09:00:00.000Z#0".into(),
        from: Status::Open,
        to: Status::Pending,
        actor: "cli".into(),
        at: at("2026-11-02T09:00:00Z"),
    };
    let events = of(&Due::Change(Box::new(change), Box::new(ticket())));
    assert_eq!(events.len(), 1);
    let json: Value = serde_json::from_str(&events[0].to_json()).unwrap();
    assert_eq!((&json["type"], &json["entry"]), (&json!("ticket.status_changed"), &Value::Null));
    assert_eq!(json["change"], json!({"from": "open", "to": "pending", "actor": "cli"}));
    let event = of(&held(row(Outcome::Held))).remove(0);
    assert_eq!(
        serde_json::to_value(&event).unwrap()["mail"],
        json!({
            "inbound_id": "ab/support", "outcome": "held", "cause": "spam", "reasons": ["spam-verdict"],
            "mailbox": "support", "door": "mailgun", "received_at": "2026-11-02T03:00:00Z", "expires_at": null,
            "trace_id": row(Outcome::Held).trace_id(),
        })
    );
    assert_eq!(event.occurred_at, at("2026-11-02T09:00:00Z"), "when it ended, not when it came");
}

#[test]
fn nothing_that_a_mail_says_but_the_tickets_subject_is_told() {
    let all = [due(Some(Effect::Created), None), held(row(Outcome::Held)), held(row(Outcome::Failed))];
    for event in all.iter().flat_map(of) {
        let json = event.to_json();
        for secret in ["secret", "salary", "eve@"] {
            assert!(!json.contains(secret), "{secret} stands in {json}");
        }
    }
}

#[test]
fn a_mail_opens_a_ticket_or_tells_of_a_recovery() {
    for (effect, from, to) in
        [(Effect::Reopened, Status::Resolved, Status::Open), (Effect::Matched, Status::Open, Status::Resolved)]
    {
        let events = of(&due(Some(effect), Some(from)));
        let changed = events.iter().find(|event| event.event_type == EventType::TicketStatusChanged).unwrap();
        let expected = ChangeFacts { from, to, actor: "mail".to_owned() };
        assert_eq!(changed.change.as_ref(), Some(&expected), "{effect:?}");
        let reopened = events.iter().any(|event| event.event_type == EventType::TicketReopened);
        assert_eq!(reopened, effect == Effect::Reopened);
    }
}

#[test]
fn ids_tell_happenings_apart_and_stay_when_told_again() {
    let reopened = due(Some(Effect::Reopened), Some(Status::Closed));
    let mut later = row(Outcome::Failed);
    later.ended_at = at("2026-11-03T09:00:00Z");
    let mut elsewhere = ticket();
    elsewhere.status = Status::Closed;
    let again = Due::Entry(Box::new(entry(Some(Effect::Reopened), Some(Status::Closed))), Box::new(elsewhere));
    let ids = |due: &Due| of(due).into_iter().map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(ids(&reopened), ids(&again), "what the ticket is by now changes no id");
    let all: Vec<String> =
        [reopened, held(row(Outcome::Held)), held(row(Outcome::Failed)), held(later)].iter().flat_map(ids).collect();
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "{all:?}");
    assert_eq!(
        ids(&held(row(Outcome::Held))),
        ["c07a08a9888d31c99a57123562efa97b334fd8a5d6ad031cf183b7c511e86493"],
        "consumers know this id: another Postern must give the same"
    );
}

#[test]
fn attributes_are_what_is_known() {
    let of_ticket = of(&due(Some(Effect::Matched), None)).remove(0);
    let expected = [("type", "entry.created"), ("queue", "first-line"), ("mailbox", "support")];
    assert_eq!(of_ticket.attributes(), expected);
    let mut nobodys = row(Outcome::Held);
    nobodys.mailbox = "-".into();
    assert_eq!(of(&held(nobodys)).remove(0).attributes(), [("type", "message.held")], "no mailbox, no attribute");
    assert_eq!(
        of(&held(row(Outcome::Failed))).remove(0).attributes(),
        [("type", "message.failed"), ("mailbox", "support")]
    );
}

#[test]
fn the_greatest_event_is_far_below_what_sns_takes() {
    let long = || "\u{1}".repeat(100_000);
    let mut ticket = ticket();
    let mut entry = entry(Some(Effect::Created), None);
    for text in [&mut ticket.subject, &mut ticket.number, &mut ticket.queue, &mut ticket.ticket_type] {
        *text = long();
    }
    ticket.requester = Some(Participant { name: Some(long()), ..person("ann") });
    entry.author = ticket.requester.clone();
    entry.message_id = Some(long());
    entry.flags = vec![long(); 1_000];
    let mut row = row(Outcome::Failed);
    row.reasons = vec![long(); 1_000];
    row.ingress.door = long();
    let all = [Due::Entry(Box::new(entry), Box::new(ticket)), held(row)];
    for event in all.iter().flat_map(of) {
        let octets = event.to_json().len();
        assert!(octets < 32 * 1024, "{:?}: {octets} octets; a batch holds up to three of one item", event.event_type);
    }
}

#[test]
fn what_xml_cannot_carry_is_escaped() {
    let mut odd = ticket();
    odd.subject = "a\u{fffe}b\u{ffff}c\u{0}d".to_owned();
    let json = of(&Due::Entry(Box::new(entry(None, None)), Box::new(odd.clone()))).remove(0).to_json();
    assert!(!json.contains(['\u{fffe}', '\u{ffff}', '\u{0}']), "{json}");
    let back: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(back["ticket"]["subject"], json!(odd.subject), "and reads as what it was");
}

#[test]
fn words_in_json_and_attributes_agree() {
    for event_type in EventType::ALL {
        assert_eq!(serde_json::to_value(event_type).unwrap(), json!(event_type.as_str()));
    }
}
