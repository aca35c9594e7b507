//! Every condition and every setting, by mails as they stand.

use super::*;
use crate::{
    classify::classify,
    envelope::{Envelope, ReversePath},
    headers::scan,
    inbound::Verdict,
    mailbox::{Mailbox, MailboxId, Mailboxes},
    parse::parse,
};

const MAIL: &str = "From: Jane <jane@customer.example>\r\nTo: help+billing@us.example, bob@customer.example\r\n\
                    Subject: Server DOWN since noon\r\nX-Priority: 1 (Highest)\r\nX-Alert: =?utf-8?q?St=C3=B6rung?= 7\r\n\
                    Message-ID: <a@customer.example>\r\n\r\nHello,\r\nthe mail server does not answer any more since noon, \
                    and nobody here is able to work. Please help us as soon as you can.\r\n\r\n> urgent please\r\n";

fn judged(rules: &str, mail: &str, verdicts: &Verdicts) -> Ruled {
    let rules = Rules::parse(rules).unwrap_or_else(|error| panic!("{error}"));
    let headers = scan(mail.as_bytes());
    let parsed = parse(mail.as_bytes(), &headers);
    let envelope = Envelope { reverse_path: ReversePath::parse("jane@customer.example"), ..Envelope::default() };
    let ours = Mailbox::new(MailboxId::parse("help").unwrap(), AddrSpec::parse("help@us.example").unwrap(), "INC");
    let author = Author::of(&headers, &envelope, verdicts, &Mailboxes::new(vec![ours]).unwrap());
    let recipients: Vec<AddrSpec> = headers.to.iter().filter_map(NamedAddress::addr_spec).collect();
    let classification = classify(&headers, &parsed, &envelope);
    let octets = mail.len() as u64;
    let (classification, recipients) = (&classification, recipients.as_slice());
    let mail =
        Mail { headers: &headers, parsed: &parsed, classification, verdicts, author: &author, recipients, octets };
    rules.judge(&mail, "help")
}

fn passed() -> Verdicts {
    Verdicts { dmarc: Some(Verdict::Pass), spf: Some(Verdict::Softfail), ..Verdicts::default() }
}

fn ruled(rules: &str) -> Ruled {
    judged(rules, MAIL, &passed())
}

#[test]
fn every_condition() {
    for (when, expected) in [
        ("{}", true),
        (r#"{ "recipient": ["help@us.example"] }"#, true),
        (r#"{ "recipient": ["help+billing@us.example"] }"#, true),
        (r#"{ "recipient": ["help+sales@us.example"] }"#, false),
        (r#"{ "recipient": ["*@us.example"] }"#, true),
        (r#"{ "tag": ["bill*"] }"#, true),
        (r#"{ "tag": ["sales"] }"#, false),
        (r#"{ "author": ["jane@customer.example"] }"#, true),
        (r#"{ "author": ["bob@customer.example", "j*@*.example"] }"#, true),
        (r#"{ "author": ["bob@customer.example"] }"#, false),
        (r#"{ "author_domain": ["customer.example"] }"#, true),
        (r#"{ "author_domain": ["*.customer.example"] }"#, false),
        (r#"{ "subject": ["server down"] }"#, true),
        (r#"{ "subject": ["serv"] }"#, false),
        (r#"{ "body": ["mail server does not"] }"#, true),
        (r#"{ "body": ["urgent"] }"#, false),
        (r#"{ "header": [{ "name": "x-alert" }] }"#, true),
        (r#"{ "header": [{ "name": "X-Alert", "present": false }] }"#, false),
        (r#"{ "header": [{ "name": "X-None", "present": false }] }"#, true),
        (r#"{ "header": [{ "name": "X-Alert", "equals": ["STÖRUNG 7"] }] }"#, true),
        (r#"{ "header": [{ "name": "X-Alert", "equals": ["Störung"] }] }"#, false),
        (r#"{ "header": [{ "name": "X-Alert", "contains": ["rung"] }] }"#, true),
        (r#"{ "header": [{ "name": "X-Alert" }, { "name": "X-None" }] }"#, false),
        (r#"{ "verdict": { "spf": ["fail", "softfail"] } }"#, true),
        (r#"{ "verdict": { "spf": ["softfail"], "spam": ["neutral"] } }"#, false),
        (r#"{ "authentication": ["passed"] }"#, true),
        (r#"{ "authentication": ["failed", "unknown"] }"#, false),
        (r#"{ "size_over": 100, "size_under": 10000 }"#, true),
        (r#"{ "size_over": 10000 }"#, false),
        (r#"{ "size_under": 100 }"#, false),
        (r#"{ "kind": ["human", "list"] }"#, true),
        (r#"{ "kind": ["bounce"] }"#, false),
        (r#"{ "language": ["en", "de"] }"#, true),
        (r#"{ "language": ["fra"] }"#, false),
        (r#"{ "importance": ["high"] }"#, true),
        (r#"{ "importance": ["normal", "low"] }"#, false),
        (r#"{ "tag": ["billing"], "subject": ["up"] }"#, false),
        (r#"{ "any": [{ "subject": ["up"] }, { "tag": ["billing"] }] }"#, true),
        (r#"{ "all": [{ "subject": ["down"] }, { "tag": ["sales"] }] }"#, false),
        (r#"{ "not": { "subject": ["up"] } }"#, true),
    ] {
        let rules = format!(r#"{{ "rules": [{{ "name": "r", "if": {when}, "stop": true }}] }}"#);
        assert_eq!(ruled(&rules).fired.len(), usize::from(expected), "{when}");
    }
}

#[test]
fn later_words_replace_tags_gather_and_stop_ends() {
    let ruled = ruled(
        r#"{ "rules": [
            { "name": "all", "then": { "queue": "first", "priority": "low", "tags": ["a"], "hold": true, "acknowledge": true } },
            { "name": "no", "if": { "tag": ["x"] }, "then": { "queue": "never" }, "stop": true },
            { "name": "more", "if": { "subject": ["down"] }, "then": { "type": "outage", "priority": "urgent",
              "tags": ["a", "b"], "hold": false, "participants": "author-only", "reopen": false }, "stop": true },
            { "name": "after", "then": { "queue": "never", "ignore": true } } ] }"#,
    );
    let expected = Ruled {
        queue: Some("first".into()),
        ticket_type: Some("outage".into()),
        priority: Some(Priority::Urgent),
        tags: vec!["a".into(), "b".into()],
        acknowledge: Some(true),
        participants: Some(ParticipantsPolicy::AuthorOnly),
        reopen: Some(false),
        fired: vec!["all".into(), "more".into()],
        ..Ruled::default()
    };
    assert_eq!(ruled, expected);
    assert_eq!(ruled.reasons().collect::<Vec<_>>(), ["rule:all", "rule:more"]);
}

#[test]
fn reasons_have_an_end() {
    let rules: Vec<String> =
        (0..21).map(|n| format!(r#"{{ "name": "r{n}", "then": {{ "tags": ["t{n}"] }} }}"#)).collect();
    let ruled = ruled(&format!(r#"{{ "rules": [{}] }}"#, rules.join(",")));
    let reasons: Vec<String> = ruled.reasons().collect();
    assert_eq!((reasons.len(), reasons.last().map(String::as_str)), (21, Some("rules-more")));
}

#[test]
fn lists_of_authors() {
    let failed = Verdicts { dmarc: Some(Verdict::Fail), ..Verdicts::default() };
    for (lists, verdicts, expected) in [
        (r#"{ "allow": ["*@customer.example"] }"#, passed(), Listed::Allowed),
        (r#"{ "allow": ["*@customer.example"] }"#, failed.clone(), Listed::Nowhere),
        (r#"{ "allow": ["*@customer.example"], "only_allowed": true }"#, failed, Listed::NotAllowed),
        (r#"{ "allow": ["*@other.example"], "only_allowed": true }"#, passed(), Listed::NotAllowed),
        (r#"{ "allow": ["*@customer.example"], "block": ["jane@customer.example"] }"#, passed(), Listed::Blocked),
        (r#"{ "block": ["john@customer.example"] }"#, passed(), Listed::Nowhere),
    ] {
        assert_eq!(judged(lists, MAIL, &verdicts).listed, expected, "{lists}");
    }
    let two = MAIL.replacen("From: Jane", "From: eve@evil.example, Jane", 1);
    assert_eq!(
        judged(r#"{ "block": ["eve@evil.example"] }"#, &two, &passed()).listed,
        Listed::Blocked,
        "one of several"
    );
}

#[test]
fn merge_keys() {
    let rules = r#"{ "rules": [{ "name": "m", "then": { "merge_key": { "by": "subject", "after": "server",
        "before": "since", "recovered": ["is up"] } } }] }"#;
    let problem = ruled(rules).merge.unwrap();
    assert_eq!((problem.shown.as_str(), problem.state), ("subject: down", State::Problem));
    let over = MAIL.replacen("DOWN since noon", "down since noon is up", 1);
    let recovery = judged(rules, &over, &passed()).merge.unwrap();
    assert_eq!((recovery.id, recovery.state), (problem.id, State::Recovery));
    let failed = Verdicts { dmarc: Some(Verdict::Fail), ..Verdicts::default() };
    assert_eq!(judged(rules, MAIL, &failed).merge, None, "nobody's key whose domain disowns the mail");
}

#[test]
fn the_header_alone_tells_the_key_where_it_can() {
    let rules =
        Rules::parse(r#"{ "rules": [{ "name": "m", "then": { "merge_key": { "by": "monitoring" } } }] }"#).unwrap();
    let author = |authentication| Author {
        address: AddrSpec::parse("icinga@mon.example"),
        name: None,
        authentication,
        flags: Vec::new(),
    };
    let keys = |subject: &str, authentication| {
        let headers = scan(format!("Subject: {subject}\r\n\r\n").as_bytes());
        rules.header_keys(&headers, &author(authentication), "help").len()
    };
    assert_eq!(keys("[PROBLEM] HTTP on web01 is CRITICAL!", Authentication::Unknown), 1);
    assert_eq!(keys("[PROBLEM] HTTP on web01 is CRITICAL!", Authentication::Failed), 0);
    assert_eq!(keys("Problem: High CPU", Authentication::Passed), 0, "the body tells");
}

#[test]
fn rules_tell_no_address_and_come_back_as_they_were() {
    let text = r#"{"rules":[{"name":"r","if":{"author":["jane@customer.example"]},"then":{"queue":"x"}}]}"#;
    let rules = Rules::parse(text).unwrap();
    assert_eq!(format!("{rules:?}"), "Rules(1)");
    assert_eq!(rules.to_json(), text);
    assert!(Rules::parse("{}").unwrap().is_empty() && Rules::parse(r#"{"rules":[]}"#).unwrap().is_empty());
}
