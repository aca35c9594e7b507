//! The parsed form, for rebuilding.
//!
//! - `headers` is the header block as it stands in the mail; `to`, `cc`, `from`, `subject` are decoded copies of it.
//! - `text` and `html` are octets in the charset that `charsets` names for the field.
//! - `attachment1` ... `attachmentN` are files; `attachment-info` (JSON by field) knows their names, types and
//!   Content-IDs; `content-ids` (JSON) is Content-ID to field.

use serde_json::Value;

use crate::{
    headers::{
        FIELDS_MAX, SCAN_OCTETS_MAX,
        fields::{self, Limits},
    },
    parse::charset,
    providers::{
        content_ids,
        form::{Field, Form},
        rebuild::{File, Parsed},
    },
};

/// Fields that stand for the header where its block is missing.
const COPIES: [(&str, &str); 4] = [("from", "From"), ("to", "To"), ("cc", "Cc"), ("subject", "Subject")];
/// What the scan of the mail itself would look at.
const LIMITS: Limits = Limits { octets: SCAN_OCTETS_MAX, fields: FIELDS_MAX };

pub(super) fn of(form: &Form) -> Parsed {
    let charsets: Value = json(form, "charsets");
    let text = |name: &str| -> Vec<String> {
        let label = charsets.get(name).and_then(Value::as_str);
        let read = form.all(name).map(|octets| charset::decode(octets, label).text);
        read.filter(|text| !text.trim().is_empty()).collect()
    };
    let mut headers = headers(form);
    if headers.is_empty() {
        let copies = COPIES.iter().flat_map(|(field, name)| text(field).into_iter().map(|value| (*name, value)));
        headers = copies.map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
    }
    Parsed { headers, texts: text("text"), htmls: text("html"), attachments: files(form) }
}

fn json(form: &Form, name: &str) -> Value {
    form.text(name).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

fn headers(form: &Form) -> Vec<(String, Vec<u8>)> {
    let Some(block) = form.once("headers") else { return Vec::new() };
    let block = fields::split(block, true, LIMITS);
    block.fields.iter().map(|field| (field.written_name(), field.unfolded())).collect()
}

fn files(form: &Form) -> Vec<File> {
    let info = json(form, "attachment-info");
    let ids = content_ids::read(form.text("content-ids").unwrap_or_default());
    let number = |field: &Field| field.name.strip_prefix("attachment").and_then(|n| n.parse::<u32>().ok());
    // Some libraries post every field with a file name.
    let is_body = |field: &Field| matches!(field.name.as_str(), "headers" | "text" | "html" | "email");
    let is_file = |field: &&Field| number(field).is_some() || (field.filename.is_some() && !is_body(field));
    let mut files: Vec<&Field> = form.iter().filter(is_file).collect();
    files.sort_by_key(|field| number(field).unwrap_or(u32::MAX));
    let made = files.into_iter().map(|field| {
        let told = |name: &str| {
            let told = info.get(&field.name)?.get(name)?.as_str()?;
            Some(told.to_owned()).filter(|told| !told.trim().is_empty())
        };
        let id = told("content-id").or_else(|| ids.get(&field.name).cloned());
        File {
            name: told("filename").or_else(|| told("name")).or_else(|| field.filename.clone()),
            content_type: told("type").unwrap_or_else(|| field.content_type.clone()),
            inline: id.is_some(),
            content_id: id,
            content: field.value.clone(),
            broken: false,
        }
    });
    made.collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    async fn form(fields: &[(&str, &[u8])]) -> Form {
        let mut body = Vec::new();
        for (name, value) in fields {
            let file = if name.starts_with("attachment1") { "; filename=\"part.bin\"" } else { "" };
            let head = format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
            body.extend_from_slice(&[head.as_bytes(), value, b"\r\n"].concat());
        }
        body.extend_from_slice(b"--B--\r\n");
        Form::read("multipart/form-data; boundary=B", &Bytes::from(body)).await.unwrap()
    }

    #[tokio::test]
    async fn each_field_is_read_in_its_own_charset() {
        let parsed = of(&form(&[
            ("charsets", br#"{"text":"iso-8859-1","html":"UTF-8","subject":"windows-1251","from":"no-such"}"#),
            ("text", b"Gr\xFC\xDFe"),
            ("html", "<p>Grüße".as_bytes()),
            ("subject", b"\xCF\xF0\xE8"),
            ("from", "Jürgen <j@x.example>".as_bytes()),
        ])
        .await);
        assert_eq!((parsed.texts, parsed.htmls), (vec!["Grüße".to_owned()], vec!["<p>Grüße".to_owned()]));
        let headers: Vec<_> = parsed.headers.into_iter().map(|(n, v)| (n, String::from_utf8(v).unwrap())).collect();
        assert_eq!(headers, [("From".into(), "Jürgen <j@x.example>".into()), ("Subject".into(), "При".to_owned())]);
    }

    #[tokio::test]
    async fn the_header_block_wins_over_the_copies() {
        let block =
            b"Received: a\r\n by b\r\nFrom: =?utf-8?Q?J?= <j@x.example>\nX-Latin: Gr\xFC\xDFe\nno field\n\nbody";
        let parsed = of(&form(&[("headers", block), ("from", b"other@x.example"), ("subject", b"other")]).await);
        let expected: [(&str, &[u8]); 3] =
            [("Received", b" a by b"), ("From", b" =?utf-8?Q?J?= <j@x.example>"), ("X-Latin", b" Gr\xFC\xDFe")];
        let headers: Vec<_> = parsed.headers.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
        assert_eq!(headers, expected);
    }

    #[tokio::test]
    async fn files_are_what_the_info_says() {
        let parsed = of(&form(&[
            ("attachment-info", br#"{"attachment1":{"filename":"p.png","type":"image/png","content-id":"ii_1"},"attachment2":{"name":"n.txt"}}"#),
            ("content-ids", br#"{"ii_1":"attachment1","ii_3":"attachment10"}"#),
            ("attachment10", b"ten"),
            ("attachment2", b"two"),
            ("attachment1", b"one"),
        ])
        .await);
        let told: Vec<_> = parsed
            .attachments
            .iter()
            .map(|f| (f.name.as_deref(), f.content_type.as_str(), f.content_id.as_deref(), f.inline, &f.content[..]))
            .collect();
        assert_eq!(
            told,
            [
                (Some("p.png"), "image/png", Some("ii_1"), true, &b"one"[..]),
                (Some("n.txt"), "", None, false, b"two"),
                (Some("part.bin"), "", Some("ii_3"), true, b"ten"),
            ]
        );
    }
}
