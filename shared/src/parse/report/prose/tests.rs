//! Notices in the words of the systems that send them: whom they name, what they say happened, and that they are
//! bounces at all. One row is one system; the layouts are theirs, people and hosts are invented.

mod gateways;
mod languages;
mod providers;
mod servers;

use crate::{
    classify::{self, Kind},
    envelope::{Envelope, ReversePath},
    headers,
    message_id::MessageId,
    parse::{self, ParsedMessage},
};

/// System, From, subject, text; then recipients, status, hard.
type Row =
    (&'static str, &'static str, &'static str, &'static str, &'static [&'static str], &'static str, Option<bool>);

/// Parses and classifies a notice to `desk@postern.test`.
fn read(from: &str, subject: &str, text: &str, null: bool) -> (Kind, ParsedMessage) {
    let path = if null { "Return-Path: <>\n" } else { "" };
    let raw = format!(
        "{path}From: {from}\nTo: desk@postern.test\nSubject: {subject}\nDate: Mon, 2 Mar 2026 09:15:00 +0100\n\
         Message-ID: <notice@mx.example>\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
    );
    let headers = headers::scan(raw.as_bytes());
    let parsed = parse::parse(raw.as_bytes(), &headers);
    let reverse_path = if null { ReversePath::Null } else { ReversePath::Unknown };
    let class = classify::classify(&headers, &parsed, &Envelope { reverse_path, ..Envelope::default() });
    (class.kind, parsed)
}

/// All rows that are not read as they should be, so that one run shows them all.
fn failures(rows: &[Row]) -> Vec<String> {
    let mut failed = Vec::new();
    for (system, from, subject, text, recipients, status, hard) in rows {
        // With the envelope and without it: many doors know none.
        for null in [true, false] {
            let (kind, parsed) = read(from, subject, text, null);
            let report = parsed.delivery_report.unwrap_or_default();
            let told = (
                kind,
                report.recipients.iter().map(String::as_str).collect::<Vec<_>>(),
                report.status.as_deref(),
                report.hard,
            );
            let wanted = (Kind::Bounce, recipients.to_vec(), Some(*status).filter(|status| !status.is_empty()), *hard);
            if told != wanted {
                failed.push(format!("{system} (null {null}):\n  told   {told:?}\n  wanted {wanted:?}"));
            }
        }
    }
    failed
}

#[test]
fn every_system_is_understood() {
    let mut failed = Vec::new();
    for rows in [servers::ROWS, providers::ROWS, gateways::ROWS, languages::ROWS] {
        failed.extend(failures(rows));
    }
    let rows = servers::ROWS.len() + providers::ROWS.len() + gateways::ROWS.len() + languages::ROWS.len();
    assert!(rows >= 120, "{rows} rows");
    assert!(failed.is_empty(), "{} of {}\n{}", failed.len(), 2 * rows, failed.join("\n"));
}

/// The id of the original from wherever a notice quotes it.
#[test]
fn the_original_is_found() {
    let notice = "This message was created automatically by mail delivery software.\nIt could not be delivered to:\n\n  jane@x.example\n";
    let header = "Received: from a by b; Mon, 2 Mar 2026 09:15:00 +0100\nFrom: desk@postern.test\nTo: jane@x.example\nSubject: Hello\nMessage-ID: <orig.1@postern.test>\nDate: Mon, 2 Mar 2026 09:15:00 +0100";
    let quoted = header.replace('\n', "\n> ");
    let folded = header.replace("<orig.1", "\n <orig.1");
    let truncated = header.replace("<orig.1@postern.test>", "<orig.1@pos");
    let truncated = truncated.split("\nDate").next().unwrap();
    for (what, text, expected) in [
        (
            "separator",
            format!("{notice}\n--- Below this line is a copy of the message.\n\n{header}\n\nBody"),
            Some("orig.1@postern.test"),
        ),
        (
            "separator, no blank",
            format!("{notice}\n   ----- Original message -----\n{header}\n\nBody"),
            Some("orig.1@postern.test"),
        ),
        ("no separator", format!("{notice}\n{header}\n\nBody"), Some("orig.1@postern.test")),
        ("quoted", format!("{notice}\n> {quoted}\n>\n> Body"), Some("orig.1@postern.test")),
        ("folded", format!("{notice}\nOriginal message headers:\n\n{folded}\n"), Some("orig.1@postern.test")),
        ("a line", format!("{notice}\nMessage-ID: <orig.1@postern.test>\n"), Some("orig.1@postern.test")),
        (
            "a line, indented",
            format!("The message\n\n   Message-id: <orig.1@postern.test>,\n   To: jane@x.example\n\n{notice}"),
            Some("orig.1@postern.test"),
        ),
        ("truncated", format!("{notice}\n--- Original message follows.\n\n{truncated}"), None),
        ("none", notice.to_owned(), None),
    ] {
        let (kind, parsed) = read("MAILER-DAEMON@mx.example", "failure notice", &text, true);
        let report = parsed.delivery_report.unwrap();
        assert_eq!(kind, Kind::Bounce, "{what}");
        assert_eq!(report.original_message_id.as_ref().map(MessageId::as_str), expected, "{what}");
        assert_eq!(report.recipients, ["jane@x.example"], "{what}");
        if what.starts_with("separator") {
            assert_eq!(
                (report.original_subject.as_deref(), report.original_to),
                (Some("Hello"), vec!["jane@x.example".to_owned()])
            );
        }
    }
}

/// A notice that names nobody else tells of the mail's own fields.
#[test]
fn the_fields_of_the_mail_spoken_of_are_a_last_resort() {
    let fields = "Subject: [List] Re: Name\nTo: jane@x.example\n";
    for (text, expected) in [
        (
            format!(
                "I'm afraid I wasn't able to deliver the following message.\n\n{fields}\n---Below this line is a copy of the message.\n"
            ),
            "jane@x.example",
        ),
        (
            format!(
                "I'm afraid I wasn't able to deliver to the following address.\n\n<li@x.example>:\nNo such user.\n\n{fields}"
            ),
            "li@x.example",
        ),
    ] {
        let report = read("MAILER-DAEMON@mx.example", "Delivery failed", &text, true).1.delivery_report.unwrap();
        assert_eq!(report.recipients, [expected], "{text}");
    }
}

/// Without a quotation the bounce's own references name the original, and a disposition part says it outright.
#[test]
fn the_original_by_fields_and_parts() {
    for (fields, body, expected) in [
        ("In-Reply-To: <orig.1@postern.test>", "Could not be delivered to jane@x.example", "orig.1@postern.test"),
        (
            "References: <first@postern.test> <orig.1@postern.test>",
            "Could not be delivered to jane@x.example",
            "orig.1@postern.test",
        ),
        (
            "X-Original-Message-ID: <orig.1@postern.test>",
            "Could not be delivered to jane@x.example",
            "orig.1@postern.test",
        ),
        (
            "Content-Type: multipart/mixed; boundary=b",
            "--b\n\nCould not be delivered to jane@x.example\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <orig.1@postern.test>\n--b--",
            "orig.1@postern.test",
        ),
        (
            "Content-Type: multipart/mixed; boundary=b",
            "--b\n\nCould not be delivered to jane@x.example\n--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nTWVzc2FnZS1JRDogPG9yaWcuMUBwb3N0ZXJuLnRlc3Q+CgpoaQo=\n--b--",
            "orig.1@postern.test",
        ),
        (
            "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
            "--b\n\nread\n--b\nContent-Type: message/disposition-notification\n\nOriginal-Message-ID: <orig.1@postern.test>\n--b--",
            "orig.1@postern.test",
        ),
    ] {
        let raw = format!(
            "From: MAILER-DAEMON@mx.example\nTo: desk@postern.test\nSubject: failure notice\n{fields}\n\n{body}\n"
        );
        let headers = headers::scan(raw.as_bytes());
        let report = parse::parse(raw.as_bytes(), &headers).delivery_report.unwrap();
        assert_eq!(report.original_message_id.unwrap().as_str(), expected, "{fields}");
    }
}

#[test]
fn hostile_notices_are_bounded() {
    let deny = "550 5.1.1 <jane@x.example> user unknown could not be delivered\n";
    for text in [
        deny.repeat(20_000),
        "a@b.example ".repeat(50_000),
        format!("could not be delivered {}", "<".repeat(500_000)),
        "Message-ID: <a@b>\n".repeat(20_000),
        "> ".repeat(300_000),
        "Recipient: x@y.example:\n\n".repeat(20_000),
    ] {
        let (_, parsed) = read("MAILER-DAEMON@mx.example", "failure notice", &text, true);
        let report = parsed.delivery_report.unwrap();
        assert!(report.recipients.len() <= super::RECIPIENTS_MAX);
        assert!(report.details.iter().all(|one| one.diagnostic.as_ref().is_none_or(|text| text.len() <= 1_024)));
    }
}
