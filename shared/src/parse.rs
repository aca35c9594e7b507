//! Octets to [`ParsedMessage`]. Total: hostile mail never fails to parse, what is wrong becomes a defect.

mod archive;
pub mod attachments;
mod body;
pub mod calendar;
pub(crate) mod charset;
mod file_types;
pub(crate) mod fold;
mod html;
pub mod images;
mod leaves;
mod mime;
mod names;
pub(crate) mod params;
pub mod quoted;
mod report;
mod tnef;
pub(crate) mod transfer;
mod uuencode;

use bytes::Bytes;
use serde::Serialize;

use self::mime::PartKind;

pub use self::{
    calendar::CalendarEvent,
    images::Role,
    leaves::{Leaf, leaves},
    quoted::{ForwardedFrom, ReplyCut},
};

pub use self::report::{DeliveryReport, Notice, RecipientReport};
pub(crate) use self::report::{OPENING_MAX, in_first_person, says_undelivered};
use crate::headers::Headers;

/// The defect of a mail that the parser broke on: nothing was read.
pub(crate) const PARSER_PANIC: &str = "parser-panic";

/// One MIME leaf that is not the text of the mail: stored, inline, or refused with a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attachment {
    /// Name made safe and unique within the mail; made up from the type where the mail gives none.
    pub filename: Option<String>,
    /// Declared type, lower case `type/subtype`.
    pub content_type: String,
    /// Type by content, `None` where the first octets tell nothing.
    pub detected_type: Option<String>,
    /// Decoded octets.
    pub size: u64,
    /// SHA-256 of the decoded octets, lower-case hex.
    pub sha256: String,
    /// Shown within the text (Content-Disposition inline, or referenced by Content-ID).
    pub inline: bool,
    /// What a picture is for; anything else is a file.
    pub role: Role,
    /// Content-ID without brackets.
    pub content_id: Option<String>,
    /// What agents should know: `archive-encrypted`, `archive-unreadable`, `type-differs` (content is no picture, ...).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<&'static str>,
    /// Names in an archive, the first 200; nothing of it is unpacked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contains: Vec<String>,
    /// Reason slug why it is held back (`dangerous-type`, `dangerous-archive`, `attachment-limit`, ...); it stays in the
    /// raw.
    pub refused: Option<String>,
    /// The decoded octets; empty where refused.
    #[serde(skip)]
    pub content: Bytes,
}

/// How the characters of one text part were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CharsetUse {
    /// Index of the MIME part, depth first.
    pub part: usize,
    /// What Content-Type said.
    pub declared: Option<String>,
    /// What the octets say of themselves; `us-ascii` where nothing in them tells.
    pub sniffed: String,
    /// What was used.
    pub used: String,
    /// Characters that had to be replaced by U+FFFD.
    pub replaced: usize,
}

/// A message, read.
#[derive(Clone, Debug, Default)]
pub struct ParsedMessage {
    /// Full readable text; from HTML where there is no text part.
    pub text: String,
    /// What the author newly wrote.
    pub reply: String,
    /// What of the text is not in the reply, and why.
    pub reply_cut: ReplyCut,
    /// The original of a forward.
    pub forwarded_from: Option<ForwardedFrom>,
    /// The HTML part as it stands in the mail: hostile, never shown; see [`sanitised_html`].
    pub html: Option<String>,
    /// Every leaf that is not text or html above.
    pub attachments: Vec<Attachment>,
    /// Events of its invitations, at most 50; a mail that says nothing else has them as its text.
    pub calendar: Vec<CalendarEvent>,
    /// Charsets of the text parts.
    pub charsets: Vec<CharsetUse>,
    /// Lower-case `type/subtype` of the root.
    pub content_type: String,
    /// `report-type` parameter of a multipart/report root, lower case.
    pub report_type: Option<String>,
    /// What the mail reports of a delivery, by structure or by its wording; it counts where the mail is a bounce.
    pub delivery_report: Option<DeliveryReport>,
    /// Signs of a report, for `classify`.
    pub notice: Notice,
    /// What was wrong, as slugs.
    pub defects: Vec<String>,
}

/// Reads the body below an already scanned header. Total: what is wrong becomes a defect.
#[must_use]
pub fn parse(raw: &[u8], headers: &Headers) -> ParsedMessage {
    let mut parsed = std::panic::catch_unwind(|| read(raw, headers)).unwrap_or_else(|_| unreadable(raw));
    for slug in &headers.defects {
        parsed.defects.push((*slug).to_owned());
    }
    let mut seen = std::collections::HashSet::new();
    parsed.defects.retain(|slug| seen.insert(slug.clone()));
    parsed
}

fn read(raw: &[u8], headers: &Headers) -> ParsedMessage {
    let tree = mime::tree(raw);
    let mut body = body::read(&tree);
    let blocks = std::mem::take(&mut body.blocks);
    let attached = attachments::read(&tree, &body.leaves, body.html.as_deref(), blocks);
    if let Some((text, html)) = attached.wrapped {
        body.or(text, html);
    }
    let calendar = calendar::of_tree(&tree);
    body.or(Some(calendar.iter().map(CalendarEvent::line).collect::<Vec<_>>().join("\n")), None);
    let root = tree.parts.first();
    let content_type = root.map(|part| part.content_type.value.clone()).unwrap_or_default();
    let report_type = root.and_then(|part| part.content_type.param("report-type")).map(str::to_ascii_lowercase);
    let mut defects: Vec<String> = tree.defects.iter().chain(&body.defects).map(|slug| (*slug).to_owned()).collect();
    defects.extend(attached.defects);
    let reports = report::read(&tree, headers, &body.text);
    let visible = quoted::visible_reply(&body.text, headers.is_forward());
    let attached_message = tree.parts.iter().find(|part| part.kind == PartKind::Message && part.message.is_none());
    ParsedMessage {
        forwarded_from: quoted::forwarded_from(&body.text, headers, attached_message.map(|part| part.body)),
        reply: visible.reply,
        reply_cut: visible.cut,
        text: body.text,
        html: body.html,
        attachments: attached.all,
        calendar,
        charsets: body.charsets,
        report_type: report_type.filter(|_| content_type.starts_with("multipart/")),
        content_type,
        delivery_report: reports.delivery,
        notice: reports.notice,
        defects,
    }
}

/// A fault of ours in reading costs the structure, not the mail: what follows the header is shown as it stands.
fn unreadable(raw: &[u8]) -> ParsedMessage {
    let header_end =
        raw.windows(2).position(|w| w == b"\n\n").or_else(|| raw.windows(4).position(|w| w == b"\r\n\r\n"));
    let body = raw.get(header_end.unwrap_or(0)..).unwrap_or_default();
    let text = String::from_utf8_lossy(body).replace('\0', "").trim().to_owned();
    ParsedMessage {
        reply: text.clone(),
        text,
        content_type: "text/plain".to_owned(),
        defects: vec![PARSER_PANIC.to_owned()],
        ..ParsedMessage::default()
    }
}

/// The mail's HTML made safe by an allow-list parser, by today's rules; `None` where the mail has none.
#[must_use]
pub fn sanitised_html(parsed: &ParsedMessage) -> Option<String> {
    parsed.html.as_deref().map(|html| html::sanitised(html, &parsed.attachments))
}
