//! Mail taken apart, as providers that parse hand it over.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use postern::{
    address::NamedAddress,
    headers::{self, Headers},
    parse::{self, Attachment, ParsedMessage},
};
use serde_json::{Map, Value, json};

use super::{Encoding, Form, FormFile, Postmark, RECIPIENT, SENDER};

/// A mail, taken apart.
pub(super) struct Taken {
    pub(super) headers: Headers,
    pub(super) message: ParsedMessage,
    /// The header as it stands in the mail, without the blank line.
    pub(super) block: Vec<u8>,
    /// It has a text part; else its text is made from the HTML.
    pub(super) has_text: bool,
}

impl Taken {
    pub(super) fn of(mime: &[u8]) -> Self {
        let headers = headers::scan(mime);
        let message = parse::parse(mime, &headers);
        let end = mime.windows(4).position(|window| window == b"\r\n\r\n").map_or(mime.len(), |at| at + 2);
        let has_text = message.html.is_none() || message.content_type.starts_with("multipart/alternative");
        Self { headers, message, block: mime[..end].to_vec(), has_text }
    }

    /// `[name, value]` of each field.
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The files as parts of a form, called `<prefix>1` and so on; and Content-ID to part.
    pub(super) fn files(&self, prefix: &str) -> (Vec<FormFile>, Map<String, Value>) {
        let mut ids = Map::new();
        let named = self.message.attachments.iter().enumerate().map(|(n, one)| {
            let field = format!("{prefix}{}", n + 1);
            if let Some(id) = one.content_id.as_ref().filter(|_| one.inline) {
                ids.insert(format!("<{id}>"), json!(field));
            }
            let name = one.filename.clone().unwrap_or_default();
            FormFile { field, name, content_type: one.content_type.clone(), content: one.content.to_vec() }
        });
        (named.collect(), ids)
    }
}

impl Form {
    /// Mailgun's parsed form with a good signature. A urlencoded one has no files.
    pub(crate) fn mailgun_parsed(encoding: Encoding, token: &str, mime: &[u8]) -> Self {
        let taken = Taken::of(mime);
        let mut form = Self::mailgun(encoding, token, b"").without("body-mime");
        form.path = "/inbound/mailgun".to_owned();
        for (name, value) in taken.pairs() {
            let capital: String =
                name.chars().take(1).map(|c| c.to_ascii_uppercase()).chain(name.chars().skip(1)).collect();
            form = form.add(&capital, value.as_bytes());
        }
        let listed: Vec<_> = taken.pairs().map(|(name, value)| json!([name, value])).collect();
        form = form.set("message-headers", json!(listed).to_string().as_bytes());
        form = form.set("subject", taken.headers.subject.as_bytes()).set("body-plain", taken.message.text.as_bytes());
        form = form.set("stripped-text", b"what Mailgun takes for the reply");
        if let Some(html) = &taken.message.html {
            form = form.set("body-html", html.as_bytes());
        }
        let (files, ids) = taken.files("attachment-");
        if files.is_empty() {
            return form;
        }
        form = form.set("attachment-count", files.len().to_string().as_bytes());
        form = form.set("content-id-map", json!(ids).to_string().as_bytes());
        Self { files, ..form }
    }

    /// What `store(notify=...)` posts: the parsed form less the files, and where the mail is.
    pub(crate) fn mailgun_stored(encoding: Encoding, token: &str, mime: &[u8], url: &str) -> Self {
        let taken = Taken::of(mime);
        let form = Self { files: Vec::new(), ..Self::mailgun_parsed(encoding, token, mime) };
        let of = |one: &Attachment| {
            let name = one.filename.as_deref().unwrap_or_default();
            json!({ "url": format!("{url}/attachments/0"), "content-type": one.content_type, "name": name, "size": one.size })
        };
        let files: Vec<Value> = taken.message.attachments.iter().map(of).collect();
        let form = form.without("attachment-count").without("content-id-map").set("domain", b"us.example");
        form.set("message-url", url.as_bytes()).set("attachments", json!(files).to_string().as_bytes())
    }
}

impl Postmark {
    /// Postmark's JSON without `RawEmail`.
    pub(crate) fn parsed(uuid: &str, mime: &[u8]) -> Self {
        let taken = Taken::of(mime);
        let lifted = ["from", "to", "cc", "subject", "date", "reply-to", "content-type", "mime-version"];
        let path = json!({ "Name": "Return-Path", "Value": format!("<{SENDER}>") });
        let kept = taken.pairs().filter(|(name, _)| !lifted.contains(name));
        let kept = kept.map(|(name, value)| json!({ "Name": name, "Value": value }));
        let fields: Vec<Value> = std::iter::once(path).chain(kept).collect();
        let full = |one: &NamedAddress| json!({ "Email": one.address, "Name": one.name, "MailboxHash": "" });
        let all = |list: &[NamedAddress]| list.iter().map(full).collect::<Vec<_>>();
        let headers = &taken.headers;
        let files = taken.message.attachments.iter().map(|one| {
            json!({
                "Name": one.filename, "Content": BASE64_STANDARD.encode(&one.content), "ContentType": one.content_type,
                "ContentLength": one.size, "ContentID": one.content_id.as_ref().filter(|_| one.inline),
            })
        });
        let json = json!({
            "MessageStream": "inbound", "MessageID": uuid, "OriginalRecipient": RECIPIENT,
            "FromFull": headers.from.first().map(full), "ToFull": all(&headers.to), "CcFull": all(&headers.cc),
            "ReplyTo": headers.first("reply-to").unwrap_or_default(), "Subject": headers.subject,
            "Date": headers.first("date").unwrap_or_default(), "MailboxHash": "", "Tag": "",
            "TextBody": if taken.has_text { &taken.message.text } else { "" },
            "HtmlBody": taken.message.html.as_deref().unwrap_or_default(),
            "StrippedTextReply": "what Postmark takes for the reply", "Headers": fields,
            "Attachments": files.collect::<Vec<_>>(),
        });
        Self { json, ..Self::new(uuid, "") }
    }
}
