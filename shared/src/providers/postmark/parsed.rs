//! The JSON without `RawEmail`, for rebuilding.
//!
//! - `Headers` is the header less what Postmark lifts out of it: From, To, Cc, Subject, Date and Reply-To stand in fields
//!   of their own and are put back. Its first field is Postmark's, where that is a Return-Path.
//! - The Message-ID stands in `Headers`. `MessageID` is an event's UUID; some systems write the mail's own id there, and
//!   then it counts, where no header has one.
//! - A file is Base64 in `Content`; in the payload of the dashboard's test button in `Data`.

use serde_json::Value;

use super::text;
use crate::{
    headers::FIELDS_MAX,
    parse::transfer,
    providers::rebuild::{File, Parsed},
};

pub(super) fn of(payload: &Value) -> Parsed {
    let body = |name: &str| text(payload, name).filter(|text| !text.trim().is_empty()).map(str::to_owned);
    Parsed {
        headers: headers(payload),
        texts: body("TextBody").into_iter().collect(),
        htmls: body("HtmlBody").into_iter().collect(),
        attachments: items(payload, "Attachments").map(file).collect(),
    }
}

fn items<'a>(payload: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    payload.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn headers(payload: &Value) -> Vec<(String, Vec<u8>)> {
    let listed = items(payload, "Headers").filter_map(|field| Some((text(field, "Name")?, text(field, "Value")?)));
    let is_envelope = |n: usize, name: &str| n == 0 && name.eq_ignore_ascii_case("return-path");
    let listed = listed.enumerate().filter(|(n, (name, _))| !is_envelope(*n, name)).map(|(_, field)| field);
    let mut headers: Vec<(String, Vec<u8>)> =
        listed.take(FIELDS_MAX).map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect();
    let own_id = text(payload, "MessageID").map(str::trim).filter(|id| is_message_id(id)).map(str::to_owned);
    for (name, value) in [
        ("From", from(payload)),
        ("To", addresses(payload, "ToFull", "To")),
        ("Cc", addresses(payload, "CcFull", "Cc")),
        ("Reply-To", plain(payload, "ReplyTo")),
        ("Subject", plain(payload, "Subject")),
        ("Date", plain(payload, "Date")),
        ("Message-ID", own_id),
    ] {
        let known = headers.iter().any(|(listed, _)| listed.trim().eq_ignore_ascii_case(name));
        headers.extend(value.filter(|_| !known).map(|value| (name.to_owned(), value.into_bytes())));
    }
    headers
}

fn plain(payload: &Value, name: &str) -> Option<String> {
    text(payload, name).filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

/// `<x@y>`, which a UUID is not.
fn is_message_id(text: &str) -> bool {
    let inner = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    inner.and_then(|id| id.split_once('@')).is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

fn from(payload: &Value) -> Option<String> {
    let full = payload.get("FromFull").and_then(person).map(|(name, email)| mailbox(name, email));
    full.or_else(|| {
        let from = plain(payload, "From")?;
        let name = text(payload, "FromName").filter(|name| !name.trim().is_empty() && !from.contains('<'));
        Some(name.map_or(from.clone(), |name| mailbox(name, &from)))
    })
}

/// Names and addresses of a list.
pub(super) fn people<'a>(payload: &'a Value, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    items(payload, name).filter_map(person)
}

fn person(full: &Value) -> Option<(&str, &str)> {
    let email = text(full, "Email").map(str::trim).filter(|email| !email.is_empty())?;
    Some((text(full, "Name").unwrap_or_default(), email))
}

fn addresses(payload: &Value, full: &str, written: &str) -> Option<String> {
    let each: Vec<String> = people(payload, full).map(|(name, email)| mailbox(name, email)).collect();
    if each.is_empty() { plain(payload, written) } else { Some(each.join(", ")) }
}

/// RFC 5322 section 3.4 `mailbox`: whatever the name is, it names nobody else.
pub(crate) fn mailbox(name: &str, email: &str) -> String {
    let email: String = email.chars().filter(|c| !matches!(c, '<' | '>') && !c.is_control()).collect();
    let name: String = name.trim().chars().filter(|c| !c.is_control()).collect();
    if name.is_empty() {
        return email;
    }
    format!("\"{}\" <{email}>", name.replace('\\', "\\\\").replace('"', "\\\""))
}

fn file(one: &Value) -> File {
    let encoded = text(one, "Content").or_else(|| text(one, "Data")).unwrap_or_default();
    let (content, defect) = transfer::decode(encoded.as_bytes(), "base64");
    let id = text(one, "ContentID").filter(|id| !id.trim().is_empty());
    File {
        name: text(one, "Name").map(str::to_owned),
        content_type: text(one, "ContentType").unwrap_or_default().to_owned(),
        content_id: id.map(str::to_owned),
        content: content.into_owned().into(),
        inline: id.is_some(),
        broken: defect.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(payload: &Value) -> Vec<(String, String)> {
        of(payload).headers.into_iter().map(|(n, v)| (n, String::from_utf8(v).unwrap())).collect()
    }

    fn field(payload: &Value, name: &str) -> Vec<String> {
        told(payload).into_iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    #[test]
    fn what_was_lifted_out_is_put_back() {
        let payload = json!({
            "FromFull": { "Email": "jane@x.example", "Name": "Doe, \"J\" \\ <evil@y.example>" },
            "From": "other@x.example", "FromName": "Other",
            "ToFull": [{ "Email": "a@x.example", "Name": "" }, { "Email": "b@x.example", "Name": "B" }, { "Name": "nobody" }],
            "To": "other@x.example", "Cc": "c@x.example", "ReplyTo": "r@x.example", "Subject": "s", "Date": "d",
            "Bcc": "bcc@x.example", "MessageID": "22c74902-a0c1-4511-804f2-341342852c90",
            "Headers": [
                { "Name": "Return-Path", "Value": "<envelope@x.example>" }, { "Name": "X-A", "Value": "1" },
                { "Name": "Return-Path", "Value": "<fake@x.example>" }, { "Name": "X-A", "Value": "2" },
                { "Name": "date", "Value": "theirs" }, { "Name": 7 }, "text",
            ],
        });
        let expected = [
            ("X-A", "1"),
            ("Return-Path", "<fake@x.example>"),
            ("X-A", "2"),
            ("date", "theirs"),
            ("From", "\"Doe, \\\"J\\\" \\\\ <evil@y.example>\" <jane@x.example>"),
            ("To", "a@x.example, \"B\" <b@x.example>"),
            ("Cc", "c@x.example"),
            ("Reply-To", "r@x.example"),
            ("Subject", "s"),
        ];
        let expected: Vec<_> = expected.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        assert_eq!(told(&payload), expected);
    }

    #[test]
    fn the_id_of_an_event_is_no_message_id() {
        for (id, expected) in [
            ("22c74902-a0c1-4511-804f2-341342852c90", None),
            ("<abc@mail>", Some("<abc@mail>")),
            ("abc@mail", None),
            ("<abc>", None),
            ("<@>", None),
            ("", None),
        ] {
            assert_eq!(field(&json!({ "MessageID": id }), "message-id"), expected.into_iter().collect::<Vec<_>>());
            let own = json!({ "MessageID": id, "Headers": [{ "Name": "Message-Id", "Value": "<own@x.example>" }] });
            assert_eq!(field(&own, "message-id"), ["<own@x.example>"], "{id}");
        }
    }

    #[test]
    fn who_wrote_where_little_is_told() {
        for (payload, expected) in [
            (json!({ "From": "a@x.example" }), "a@x.example"),
            (json!({ "From": "a@x.example", "FromName": "A" }), "\"A\" <a@x.example>"),
            (json!({ "From": "A <a@x.example>", "FromName": "B" }), "A <a@x.example>"),
            (json!({ "FromFull": { "Email": " ", "Name": "A" }, "From": "a@x.example" }), "a@x.example"),
            (json!({ "FromFull": { "Email": "a@x.example>\r\nX: <b@x.example" } }), "a@x.exampleX: b@x.example"),
        ] {
            assert_eq!(field(&payload, "from"), [expected], "{payload}");
        }
        assert!(
            of(&json!({ "MailboxHash": "x", "Tag": "", "Headers": {}, "Attachments": 7, "TextBody": " " })).is_empty()
        );
        assert!(of(&json!([1, 2])).is_empty() && of(&json!(7)).is_empty());
    }

    #[test]
    fn files_as_webhook_and_dashboard_write_them() {
        let files = json!({ "Attachments": [
            { "Name": "a.txt", "Content": "aGVsbG8=", "ContentType": "text/plain" },
            { "Name": "b.txt", "Data": "aGVs\r\nbG8", "ContentType": "text/plain", "ContentID": "<b@x>" },
            { "Name": "c.txt", "Content": "aGVsbG8=\n(cut off)", "ContentType": "text/plain", "ContentID": "" },
            { "Name": "d.txt", "Content": "!!! no Base64 !!!" },
            { "Name": 7, "Content": 7 },
        ]});
        let files = of(&files).attachments;
        let told: Vec<_> = files.iter().map(|f| (&f.content[..], f.inline, f.broken)).collect();
        assert_eq!(
            told,
            [
                (&b"hello"[..], false, false),
                (b"hello", true, false),
                (b"hello", false, true),
                (b"!!! no Base64 !!!", false, true),
                (b"", false, false),
            ]
        );
    }
}
