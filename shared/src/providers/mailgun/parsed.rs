//! The parsed form, for rebuilding.
//!
//! - `message-headers`: JSON array of `[name, value]` in order, the only lossless header; besides, every field of the
//!   header is a field of the form, and `from` and `subject` stand in lower case.
//! - `body-plain` is always there, made from the HTML where the mail has no text. `body-html` is a string or a JSON array
//!   of all HTML parts. Other text parts are `body-<subtype>`.
//! - `attachment-1` ... `attachment-n` are files; `content-id-map` is JSON, Content-ID to `attachment-n`, and a
//!   Content-ID may occur twice in it, or be empty: all of them are shown inline.

use serde_json::Value;

use crate::{
    headers::FIELDS_MAX,
    parse::charset,
    providers::{
        content_ids,
        form::{Field, Form},
        rebuild::{File, Parsed},
    },
};

/// Fields of a header that a form of few fields gives in any case.
const KNOWN: [&str; 9] = ["From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-Id", "In-Reply-To", "References"];

pub(super) fn of(form: &Form) -> Parsed {
    let mut parsed = Parsed { headers: headers(form), htmls: htmls(form), ..Parsed::default() };
    let written: Vec<String> = form.all("body-plain").map(text).filter(|text| !text.trim().is_empty()).collect();
    // A mail that is one HTML part has no text: this one was made by Mailgun.
    let html_only = parsed.header("content-type").is_some_and(|kind| starts_with(kind.trim(), "text/html"));
    if !html_only || parsed.htmls.is_empty() {
        parsed.texts = written;
    }
    if parsed.texts.is_empty() && parsed.htmls.is_empty() {
        parsed.texts = form.all("stripped-text").map(text).filter(|text| !text.trim().is_empty()).collect();
    }
    parsed.attachments = other_bodies(form).chain(files(form)).collect();
    parsed
}

/// Mailgun turns texts into UTF-8.
fn text(octets: &bytes::Bytes) -> String {
    charset::decode(octets, None).text
}

fn starts_with(text: &str, beginning: &str) -> bool {
    text.get(..beginning.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(beginning))
}

/// Names of the header's fields, as they stand in the mail.
pub(super) fn header_names(form: &Form) -> Vec<String> {
    let listed = form.text("message-headers").and_then(|json| serde_json::from_str::<Vec<Vec<Value>>>(json).ok());
    let name = |pair: Vec<Value>| pair.first().and_then(Value::as_str).map(str::to_owned);
    listed.into_iter().flatten().filter_map(name).take(FIELDS_MAX).collect()
}

fn headers(form: &Form) -> Vec<(String, Vec<u8>)> {
    let listed = form.text("message-headers").and_then(|json| serde_json::from_str::<Vec<Vec<Value>>>(json).ok());
    let pair = |pair: Vec<Value>| match pair.as_slice() {
        [Value::String(name), Value::String(value)] => Some((name.clone(), value.clone().into_bytes())),
        _ => None,
    };
    let mut headers: Vec<(String, Vec<u8>)> = listed.into_iter().flatten().filter_map(pair).take(FIELDS_MAX).collect();
    if headers.is_empty() {
        let capital =
            |field: &&Field| field.filename.is_none() && field.name.starts_with(|c: char| c.is_ascii_uppercase());
        headers = form.iter().filter(capital).map(|field| (field.name.clone(), field.value.to_vec())).collect();
    }
    for name in KNOWN {
        if headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            continue;
        }
        let named = |field: &&Field| field.filename.is_none() && field.name.eq_ignore_ascii_case(name);
        let given = form.iter().find(|field| named(field) && !field.value.trim_ascii().is_empty());
        headers.extend(given.map(|field| (name.to_owned(), field.value.to_vec())));
    }
    headers
}

fn htmls(form: &Form) -> Vec<String> {
    let mut htmls = Vec::new();
    for html in form.all("body-html").map(text) {
        match serde_json::from_str::<Vec<String>>(&html) {
            Ok(several) => htmls.extend(several),
            Err(_) => htmls.push(html),
        }
    }
    htmls.retain(|html| !html.trim().is_empty());
    htmls
}

/// `body-calendar` and the like.
fn other_bodies(form: &Form) -> impl Iterator<Item = File> {
    form.iter().filter_map(|field| {
        let subtype = field.name.strip_prefix("body-")?;
        let other = !matches!(subtype, "plain" | "html" | "mime") && !field.value.is_empty();
        let content_type = format!("text/{subtype}; charset=utf-8");
        other.then(|| File { content_type, content: field.value.clone(), ..File::default() })
    })
}

/// Every file: `attachment-n` by number, and whatever else came as one.
fn files(form: &Form) -> impl Iterator<Item = File> {
    let ids = content_ids::read(form.text("content-id-map").unwrap_or_default());
    let number = |field: &Field| field.name.strip_prefix("attachment-").and_then(|n| n.parse::<u32>().ok());
    // Some libraries post every field with a file name.
    let is_body = |field: &Field| field.name.starts_with("body-") || field.name.starts_with("stripped-");
    let is_file = |field: &&Field| number(field).is_some() || (field.filename.is_some() && !is_body(field));
    let mut files: Vec<&Field> = form.iter().filter(is_file).collect();
    files.sort_by_key(|field| number(field).unwrap_or(u32::MAX));
    let made = files.into_iter().map(move |field| {
        let id = ids.get(&field.name);
        File {
            name: field.filename.clone(),
            content_type: field.content_type.clone(),
            content_id: id.cloned(),
            content: field.value.clone(),
            inline: id.is_some(),
            broken: false,
        }
    });
    made.collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn form(fields: &[(&str, &str)]) -> Form {
        let pairs = fields.iter().map(|(name, value)| {
            let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            format!("{}={}", encode(name), encode(value))
        });
        let body = pairs.collect::<Vec<_>>().join("&").into();
        Form::read("application/x-www-form-urlencoded", &body).await.unwrap()
    }

    fn told(parsed: &Parsed) -> Vec<(&str, &str)> {
        parsed.headers.iter().map(|(n, v)| (n.as_str(), std::str::from_utf8(v).unwrap())).collect()
    }

    #[tokio::test]
    async fn the_header_is_the_lossless_one_where_it_is_there() {
        let fields = [("from", "a@x.example"), ("X-Twice", "only once here"), ("subject", "s"), ("body-plain", "x")];
        let listed = r#"[["X-Twice","1"],["From","A <a@x.example>"],["X-Twice","2"],["odd"],[1,2],"text"]"#;
        let one = of(&form(&[&fields[..], &[("message-headers", &listed.replace(",\"text\"", ""))]].concat()).await);
        assert_eq!(told(&one), [("X-Twice", "1"), ("From", "A <a@x.example>"), ("X-Twice", "2"), ("Subject", "s")]);
        let without = [("X-Twice", "only once here"), ("From", "a@x.example"), ("Subject", "s")];
        for broken in ["", "[]", "{}", "nonsense", listed] {
            let parsed = of(&form(&[&fields[..], &[("message-headers", broken)]].concat()).await);
            assert_eq!(told(&parsed), without, "{broken}");
        }
    }

    #[tokio::test]
    async fn bodies_as_mailgun_writes_them() {
        let html = r#"[["Content-Type","text/html; charset=utf-8"]]"#;
        for (fields, texts, htmls) in [
            (vec![("body-plain", "t"), ("body-html", "<p>")], vec!["t"], vec!["<p>"]),
            (vec![("body-html", r#"["<p>1","<p>2"]"#)], vec![], vec!["<p>1", "<p>2"]),
            (vec![("body-html", "[not JSON]")], vec![], vec!["[not JSON]"]),
            (vec![("body-html", "<p>1"), ("body-html", "<p>2")], vec![], vec!["<p>1", "<p>2"]),
            // Made by Mailgun from the HTML.
            (vec![("body-plain", "t"), ("body-html", "<p>t"), ("message-headers", html)], vec![], vec!["<p>t"]),
            (vec![("body-plain", "t"), ("message-headers", html)], vec!["t"], vec![]),
            (vec![("body-plain", " \n"), ("body-html", "<p>")], vec![], vec!["<p>"]),
            (vec![("body-plain", ""), ("stripped-text", "s")], vec!["s"], vec![]),
            (vec![("body-plain", "t"), ("stripped-text", "s")], vec!["t"], vec![]),
        ] {
            let parsed = of(&form(&fields).await);
            assert_eq!(
                (parsed.texts.join("|"), parsed.htmls.join("|")),
                (texts.join("|"), htmls.join("|")),
                "{fields:?}"
            );
        }
        let calendar = of(&form(&[("body-calendar", "BEGIN:VCALENDAR")]).await).attachments;
        assert_eq!(calendar[0].content_type, "text/calendar; charset=utf-8");
    }
}
