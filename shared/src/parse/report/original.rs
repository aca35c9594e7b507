//! The mail that a report speaks of: its id, subject and recipients, from wherever the report quotes them.

use super::notice::{self, Section};
use crate::{
    headers::{self, Headers},
    message_id::MessageId,
    parse::{
        mime::{Part, PartKind, Tree},
        transfer,
    },
};

/// Octets of a quoted header that are read.
const QUOTED_OCTETS_MAX: usize = 64 * 1024;
/// Recipients of the original kept.
const TO_MAX: usize = 50;

/// What is known of the original.
#[derive(Debug, Default)]
pub(super) struct Original {
    pub(super) message_id: Option<MessageId>,
    pub(super) subject: Option<String>,
    pub(super) to: Vec<String>,
}

/// The part that holds the original, whole or by its header: the mail's own first, and not one that is itself the
/// wrapped report.
pub(super) fn attached<'a, 't>(tree: &'a Tree<'t>) -> Option<&'a Part<'t>> {
    let quotes = |part: &&Part<'_>| {
        let kind = part.content_type.value.as_str();
        matches!(
            kind,
            "message/rfc822"
                | "message/global"
                | "text/rfc822-headers"
                | "text/rfc822-header"
                | "text/rfc822"
                | "message/rfc822-headers"
                | "message/global-headers"
        )
    };
    let is_report = |part: &Part<'_>| {
        let index = tree.parts.iter().position(|other| std::ptr::eq(other, part));
        tree.parts.iter().any(|below| {
            below.message == index && index.is_some() && below.content_type.value.ends_with("delivery-status")
        })
    };
    tree.parts.iter().filter(quotes).take(TO_MAX).find(|part| !is_report(part))
}

/// Reads what is known: the attached part, a header that follows in the text, a line that names the id, and last the
/// bounce's own references, which some systems set to the original.
pub(super) fn read(tree: &Tree<'_>, bounce: &Headers, text: &str, section: &Section) -> Original {
    let mut original = Original::default();
    if let Some(part) = attached(tree) {
        let header = if part.kind == PartKind::Message {
            headers::scan(part.body)
        } else {
            headers::scan(&transfer::decode(part.body, &part.encoding).0)
        };
        original.take(&header);
    }
    if original.message_id.is_none() {
        original.take(&quoted_header(text.get(section.end..).unwrap_or_default()));
    }
    if original.message_id.is_none() {
        original.message_id = named_in_disposition(tree).or_else(|| named_in(section));
    }
    if original.message_id.is_none() {
        let fields = ["x-original-message-id", "original-message-id", "x-failed-message-id", "x-original-id"];
        let named = fields.iter().find_map(|name| bounce.first(name)).filter(|value| value.contains('@'));
        let named = named.and_then(MessageId::parse);
        original.message_id =
            named.or_else(|| bounce.in_reply_to.first().cloned()).or_else(|| bounce.references.last().cloned());
    }
    original
}

/// The mail's own part of that type.
pub(super) fn own_part<'a, 't>(tree: &'a Tree<'t>, kind: &str) -> Option<&'a Part<'t>> {
    tree.parts.iter().find(|part| part.message.is_none() && part.content_type.value == kind)
}

/// The disposition notification (RFC 8098, RFC 6533).
pub(super) fn disposition<'a, 't>(tree: &'a Tree<'t>) -> Option<&'a Part<'t>> {
    own_part(tree, "message/disposition-notification")
        .or_else(|| own_part(tree, "message/global-disposition-notification"))
}

/// RFC 8098 section 3.2.5: the id of the mail that was read.
fn named_in_disposition(tree: &Tree<'_>) -> Option<MessageId> {
    let part = disposition(tree)?;
    let fields = headers::scan(&transfer::decode(part.body, &part.encoding).0);
    fields.first("original-message-id").filter(|value| !is_cut(value)).and_then(MessageId::parse)
}

impl Original {
    fn take(&mut self, header: &Headers) {
        if let Some(value) = header.first("message-id").filter(|value| !is_cut(value)) {
            self.message_id = MessageId::parse(value);
        }
        if self.subject.is_none() && !header.subject.is_empty() {
            self.subject = Some(header.subject.clone());
        }
        if self.to.is_empty() {
            let named = header.to.iter().filter_map(|one| one.address.clone());
            self.to = named.filter(|address| address.contains('@')).take(TO_MAX).collect();
        }
    }
}

/// An opening bracket without a closing one: the quotation ends within the id, so it names nothing.
fn is_cut(value: &str) -> bool {
    value.contains('<') && !value.contains('>')
}

/// A header that stands in the text, perhaps quoted or indented, perhaps with a blank line above.
fn quoted_header(text: &str) -> Headers {
    let mut block = String::new();
    let lines = text.lines().map(notice::unquoted);
    for line in lines.skip_while(|line| notice::field_name(line).is_none()) {
        if line.trim().is_empty() || block.len() > QUOTED_OCTETS_MAX {
            break;
        }
        block.push_str(line);
        block.push('\n');
    }
    headers::scan(block.as_bytes())
}

/// `Message-ID: <...>` as a line of the notice itself (PMDF, PP, Sun).
fn named_in(section: &Section) -> Option<MessageId> {
    const KEYS: [&str; 6] =
        ["message-id", "message id", "original-message-id", "original message-id", "nachrichten-id", "id du message"];
    let value = |line: &String| {
        let (name, value) = line.trim_start().split_once(':')?;
        let name = crate::parse::fold::fold(name);
        let value = value.trim().trim_end_matches(',');
        (KEYS.contains(&name.as_str()) && value.contains('@') && !is_cut(value)).then(|| value.to_owned())
    };
    section.lines.iter().find_map(value).as_deref().and_then(MessageId::parse)
}
