//! A parsed payload as RFC 5322 octets again, so that after the door there is one kind of input (DESIGN section 3).
//!
//! Deterministic: the same payload gives the same octets, so a retry is seen to be one. Nothing is invented: no
//! Message-ID, no Date. The header block is the payload's, less what described the structure that the provider took
//! apart (Content-*, MIME-Version): the structure is ours, `multipart/mixed` around `multipart/related` around
//! `multipart/alternative`, each only where it holds something. The octets are readable and not evidence; the pipeline
//! keeps the payload itself beside them.

mod lines;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;

use self::lines::{content_id, field, media_type, named, token};
use crate::{
    digest::{sha256_hex, sha256_parts},
    parse::params::Structured,
};

/// Longest line of text that stands as it is, in octets (RFC 5322 section 2.1.1 ends at 998).
const TEXT_LINE_OCTETS_MAX: usize = 990;
/// Octets that make one line of Base64, 76 characters (RFC 2045 section 6.8).
const BASE64_LINE_OCTETS: usize = 57;
/// Reports that are known by their parts (RFC 3464, RFC 8098, RFC 5965).
const REPORTS: [&str; 3] = ["delivery-status", "disposition-notification", "feedback-report"];
/// Stands below the Base64 of a file that did not decode whole: a reader ends there and notes the defect.
const BROKEN: &[u8] = b"\r\n(not all of this Base64 could be read)";

/// What a provider took apart.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// Header fields in the payload's order, topmost first: name, and value with or without folds.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Plain text bodies.
    pub texts: Vec<String>,
    /// HTML bodies.
    pub htmls: Vec<String>,
    /// Everything else.
    pub attachments: Vec<File>,
}

/// One file of a payload.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// As the provider names it; `None` or blank = it has no name.
    pub name: Option<String>,
    /// Content-Type as the provider tells it; what is none becomes `application/octet-stream`.
    pub content_type: String,
    /// With or without brackets.
    pub content_id: Option<String>,
    /// Decoded octets.
    pub content: Bytes,
    /// The provider says that it is shown within the text.
    pub inline: bool,
    /// Its Base64 did not decode whole: `content` is what could be read. Whoever parses the mail notes a defect.
    pub broken: bool,
}

impl Parsed {
    /// Topmost value of a field (any case) as text; `None` where it is missing or not UTF-8.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(n, _)| n.trim().eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// True where the payload holds nothing that a mail is made of.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.texts.is_empty() && self.htmls.is_empty() && self.attachments.is_empty()
    }

    /// Another one for another payload.
    fn digest(&self) -> String {
        let files: Vec<String> = self.attachments.iter().map(File::digest).collect();
        let headers = self.headers.iter().flat_map(|(name, value)| [b"h", name.as_bytes(), value.as_slice()]);
        let texts = self.texts.iter().flat_map(|text| [&b"t"[..], text.as_bytes()]);
        let htmls = self.htmls.iter().flat_map(|html| [&b"m"[..], html.as_bytes()]);
        let files = files.iter().flat_map(|file| [&b"f"[..], file.as_bytes()]);
        sha256_parts(&headers.chain(texts).chain(htmls).chain(files).collect::<Vec<_>>())
    }

    /// What no body holds, so that boundaries made of it end nothing but what they bound.
    fn seed(&self, digest: String) -> String {
        let mut seed = digest;
        while self.texts.iter().chain(&self.htmls).any(|text| text.contains(&seed)) {
            seed = sha256_hex(seed.as_bytes());
        }
        seed
    }

    /// RFC 6522: what kind of report the mail is. Bounces and receipts are told by it, so our root says it again. Where
    /// the payload does not say what the root was, the part that makes a report tells.
    fn report_type(&self) -> Option<String> {
        let Some(declared) = self.header("content-type") else {
            let types: Vec<String> = self.attachments.iter().map(|file| media_type(&file.content_type)).collect();
            let kind = REPORTS.into_iter().find(|kind| types.contains(&format!("message/{kind}")));
            return kind.map(str::to_owned);
        };
        let declared = Structured::parse(&lines::one_line(declared.as_bytes()));
        let kind = declared.param("report-type").filter(|_| declared.value == "multipart/report")?;
        token(kind).then(|| kind.to_ascii_lowercase())
    }

    fn tree(&self) -> Entity<'_> {
        let text = joined("plain", &self.texts);
        let html = joined("html", &self.htmls);
        let has_html = html.is_some();
        let mut body = match (text, html) {
            (Some(text), Some(html)) => Some(Entity::multipart("alternative", vec![text, html])),
            (text, html) => text.or(html),
        };
        let shown = |file: &&File| has_html && file.is_inline() && file.content_id.is_some();
        let related: Vec<Entity<'_>> = self.attachments.iter().filter(shown).map(Entity::File).collect();
        if let Some(root) = body.take_if(|_| !related.is_empty()) {
            // RFC 2387 section 3.1 asks for the type of the root.
            let kind = format!("related; type=\"{}\"", root.kind());
            body = Some(Entity::multipart(kind, std::iter::once(root).chain(related).collect()));
        }
        let files = self.attachments.iter().filter(|file| !shown(file)).map(Entity::File);
        let mut all: Vec<Entity<'_>> = body.into_iter().chain(files).collect();
        let report = self.report_type();
        match (report, all.len()) {
            (Some(kind), 1..) => Entity::multipart(format!("report; report-type={kind}"), all),
            (None | Some(_), 0) => Entity::Text { subtype: "plain", text: "" },
            // A lone file would be read as the text of the mail.
            (None, 1) if !matches!(all.first(), Some(Entity::File(_))) => all.remove(0),
            (None, _) => Entity::multipart("mixed", all),
        }
    }
}

impl File {
    fn digest(&self) -> String {
        let (name, id) = (self.name.as_deref().unwrap_or_default(), self.content_id.as_deref().unwrap_or_default());
        let flags = [u8::from(self.inline), u8::from(self.broken)];
        sha256_parts(&[name.as_bytes(), self.content_type.as_bytes(), id.as_bytes(), &flags, &self.content])
    }

    fn named(&self) -> Option<&str> {
        self.name.as_deref().map(str::trim).filter(|name| !name.is_empty())
    }

    /// A nameless text shown inline would be read as the mail's own words.
    fn is_inline(&self) -> bool {
        self.inline && (self.named().is_some() || !media_type(&self.content_type).starts_with("text/"))
    }
}

/// One entity of the mail to be.
enum Entity<'a> {
    Text { subtype: &'static str, text: &'a str },
    File(&'a File),
    Multipart { subtype: String, parts: Vec<Entity<'a>> },
}

impl<'a> Entity<'a> {
    fn multipart(subtype: impl Into<String>, parts: Vec<Self>) -> Self {
        Self::Multipart { subtype: subtype.into(), parts }
    }

    /// `type/subtype` of a body.
    fn kind(&self) -> String {
        match self {
            Self::Text { subtype, .. } => format!("text/{subtype}"),
            Self::File(file) => media_type(&file.content_type),
            Self::Multipart { subtype, .. } => format!("multipart/{subtype}"),
        }
    }
}

/// The bodies of one kind: several stand one after another.
fn joined<'a>(subtype: &'static str, texts: &'a [String]) -> Option<Entity<'a>> {
    let mut each: Vec<Entity<'a>> = texts.iter().map(|text| Entity::Text { subtype, text }).collect();
    match each.len() {
        0 => None,
        1 => each.pop(),
        _ => Some(Entity::multipart("mixed", each)),
    }
}

/// The mail. Never fails: a field whose name is no name is left out, line breaks inside a value become a space.
#[must_use]
pub fn rebuild(parsed: &Parsed) -> Bytes {
    let size: usize = parsed.attachments.iter().map(|file| file.content.len()).sum();
    let mut mail =
        Mail { octets: Vec::with_capacity(size / 2 * 3 + 4096), seed: parsed.seed(parsed.digest()), multiparts: 0 };
    let root = parsed.tree();
    // First, because readers keep a limited number of fields and these must be among them.
    mail.field("MIME-Version", b"1.0");
    let boundary = mail.describe(&root);
    for (name, value) in &parsed.headers {
        if !describes_structure(name) {
            field(&mut mail.octets, name, value);
        }
    }
    mail.octets.extend_from_slice(b"\r\n");
    mail.body(&root, &boundary);
    mail.octets.extend_from_slice(b"\r\n");
    mail.octets.into()
}

fn describes_structure(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    name == "mime-version" || name.starts_with("content-")
}

struct Mail {
    octets: Vec<u8>,
    seed: String,
    multiparts: usize,
}

impl Mail {
    fn field(&mut self, name: &str, value: &[u8]) {
        field(&mut self.octets, name, value);
    }

    fn line(&mut self, line: &str) {
        self.octets.extend_from_slice(line.as_bytes());
        self.octets.extend_from_slice(b"\r\n");
    }

    /// Writes an entity's Content fields; the boundary that a multipart is to be written with.
    fn describe(&mut self, entity: &Entity<'_>) -> String {
        match entity {
            Entity::Text { subtype, text } => {
                self.line(&format!("Content-Type: text/{subtype}; charset=utf-8"));
                let encoding = if stands_as_it_is(text) { "8bit" } else { "base64" };
                self.line(&format!("Content-Transfer-Encoding: {encoding}"));
                String::new()
            }
            Entity::File(file) => {
                self.line(&format!("Content-Type: {}", media_type(&file.content_type)));
                self.line("Content-Transfer-Encoding: base64");
                let disposition = if file.is_inline() { "inline" } else { "attachment" };
                self.line(&format!("Content-Disposition: {disposition}{}", named(file.named().unwrap_or_default())));
                if let Some(id) = file.content_id.as_deref().and_then(content_id) {
                    self.line(&format!("Content-ID: <{id}>"));
                }
                String::new()
            }
            Entity::Multipart { subtype, .. } => {
                self.multiparts += 1;
                let boundary = format!("{}-{}", self.seed, self.multiparts);
                self.line(&format!("Content-Type: multipart/{subtype};\r\n boundary=\"{boundary}\""));
                boundary
            }
        }
    }

    /// Depth is at most four: mixed, related, alternative, and the texts of one kind.
    fn body(&mut self, entity: &Entity<'_>, boundary: &str) {
        match entity {
            Entity::Text { text, .. } => {
                let text = with_crlf(text);
                if stands_as_it_is(&text) {
                    self.octets.extend_from_slice(text.as_bytes());
                } else {
                    self.base64(text.as_bytes());
                }
            }
            Entity::File(file) => {
                self.base64(&file.content);
                if file.broken {
                    self.octets.extend_from_slice(BROKEN);
                }
            }
            Entity::Multipart { parts, .. } => {
                for part in parts {
                    self.line(&format!("--{boundary}"));
                    let inner = self.describe(part);
                    self.line("");
                    self.body(part, &inner);
                    self.line("");
                }
                self.octets.extend_from_slice(format!("--{boundary}--").as_bytes());
            }
        }
    }

    fn base64(&mut self, octets: &[u8]) {
        let mut line = String::with_capacity(80);
        for (n, chunk) in octets.chunks(BASE64_LINE_OCTETS).enumerate() {
            line.clear();
            BASE64_STANDARD.encode_string(chunk, &mut line);
            if n > 0 {
                self.octets.extend_from_slice(b"\r\n");
            }
            self.octets.extend_from_slice(line.as_bytes());
        }
    }
}

fn with_crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

/// True where text needs no encoding to arrive as it is.
fn stands_as_it_is(text: &str) -> bool {
    !text.contains('\0') && text.split(['\r', '\n']).all(|line| line.len() <= TEXT_LINE_OCTETS_MAX)
}

#[cfg(test)]
mod tests;
