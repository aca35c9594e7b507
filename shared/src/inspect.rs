//! Everything Postern reads out of one mail, as one JSON object: what `postern inspect` prints and the corpus records.

use serde_json::{Value, json};

use crate::{
    address::NamedAddress,
    classify::{Kind, classify},
    envelope::Envelope,
    headers::{self, Headers},
    parse::{self, ParsedMessage},
};

/// Longest sanitised HTML printed unless the whole is asked for.
const HTML_OCTETS_MAX: usize = 256 * 1024;

/// Reads any octets whatever. The reverse path is the topmost Return-Path, as a file knows no envelope.
#[must_use]
pub fn inspect(raw: &[u8], full_html: bool) -> Value {
    let read = std::panic::catch_unwind(|| {
        let headers = headers::scan(raw);
        let parsed = parse::parse(raw, &headers);
        object(&headers, parsed, full_html)
    });
    read.unwrap_or_else(|_| {
        let parsed = ParsedMessage { defects: vec![parse::PARSER_PANIC.to_owned()], ..ParsedMessage::default() };
        object(&Headers::default(), parsed, full_html)
    })
}

fn object(headers: &Headers, mut parsed: ParsedMessage, full_html: bool) -> Value {
    let envelope = Envelope { reverse_path: headers.return_path.clone(), forward_paths: Vec::new(), from_header: true };
    let class = classify(headers, &parsed, &envelope);
    let mut html = parse::sanitised_html(&parsed);
    if !full_html && html.as_ref().is_some_and(|html| html.len() > HTML_OCTETS_MAX) {
        html = None;
        parsed.defects.push("html-omitted".to_owned());
    }
    // What reads like a report is one only where the kind says so: people forward bounces.
    let bounce = parsed.delivery_report.as_ref().filter(|report| match class.kind {
        Kind::Bounce => true,
        Kind::ReadReceipt => report.structured,
        _ => false,
    });
    json!({
        "message_id": headers.message_id,
        "in_reply_to": headers.in_reply_to,
        "references": headers.references,
        "from": author(&headers.from),
        "sender": headers.sender,
        "to": headers.to,
        "cc": headers.cc,
        "reply_to": headers.reply_to,
        "groups": headers.groups,
        "resent": headers.resent,
        "subject": headers.subject,
        "base_subject": headers.base_subject,
        "ticket_refs": headers.ticket_refs,
        "date": headers.date_rfc3339,
        "received_at": headers.received_at,
        "kind": class.kind,
        "kind_reasons": class.reasons,
        "text": parsed.text,
        "reply": parsed.reply,
        "reply_cut": parsed.reply_cut,
        "forwarded_from": parsed.forwarded_from,
        "html": html,
        "attachments": parsed.attachments,
        "calendar": parsed.calendar,
        "bounce": bounce,
        "charsets": parsed.charsets,
        "defects": parsed.defects,
    })
}

/// The first From address; that there are several is a defect of its own.
fn author(from: &[NamedAddress]) -> Option<&NamedAddress> {
    from.first()
}
