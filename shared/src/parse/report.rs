//! Delivery status notifications (RFC 3464, RFC 6533): who was not reached, why, and by which mail.

use super::{
    DeliveryReport,
    mime::{Part, PartKind, Tree},
    transfer,
};
use crate::{
    headers::{
        self,
        fields::{self, Block, Limits},
    },
    message_id::MessageId,
};

/// Recipients kept. A list's bounce may name thousands.
const RECIPIENTS_MAX: usize = 1_000;
/// What is kept of one group of fields.
const GROUP_LIMITS: Limits = Limits { octets: 64 * 1024, fields: 100 };

/// Reads the report of the mail itself; a report inside an attached message was somebody else's.
pub(crate) fn read(tree: &Tree<'_>) -> Option<DeliveryReport> {
    let own = || tree.parts.iter().filter(|part| part.message.is_none());
    let status = own().find(|part| {
        matches!(part.content_type.value.as_str(), "message/delivery-status" | "message/global-delivery-status")
    })?;
    let (octets, _) = transfer::decode(status.body, &status.encoding);
    let mut report = DeliveryReport::default();
    let mut rest: &[u8] = &octets;
    while !rest.is_empty() && report.recipients.len() < RECIPIENTS_MAX {
        let block = fields::split(rest, true, GROUP_LIMITS);
        add_group(&mut report, &block);
        // A block always takes at least its blank line; a stray line that is no field ends the report.
        rest = rest.get(block.body.max(1)..).unwrap_or_default();
        if block.fields.is_empty() {
            let (_, next) = fields::line_end(rest, 0);
            rest = rest.get(next..).unwrap_or_default();
        }
    }
    report.original_message_id = own().find_map(original_message_id);
    Some(report)
}

fn text(block: &Block<'_>, name: &str) -> Option<String> {
    let field = block.first(name)?;
    let value = fields::octets_as_text(&field.unfolded()).trim().to_owned();
    (!value.is_empty()).then_some(value)
}

fn add_group(report: &mut DeliveryReport, block: &Block<'_>) {
    let recipient = ["final-recipient", "original-recipient"]
        .iter()
        .find_map(|name| text(block, name).and_then(|value| address(&value)));
    let Some(recipient) = recipient else { return };
    if report.recipients.is_empty() {
        let first_word = |value: String| value.split_whitespace().next().map(str::to_ascii_lowercase);
        report.action = text(block, "action").and_then(first_word);
        report.status = text(block, "status").and_then(first_word);
        report.diagnostic = text(block, "diagnostic-code");
    }
    if !report.recipients.contains(&recipient) {
        report.recipients.push(recipient);
    }
}

/// RFC 3464 section 2.3.1: `rfc822; jane@example.com`; the type and brackets are dropped.
fn address(value: &str) -> Option<String> {
    let bare = value.split_once(';').map_or(value, |(_, address)| address);
    let bare = bare.trim().trim_matches(['<', '>', '"']).trim();
    (!bare.is_empty()).then(|| bare.to_owned())
}

/// The Message-ID of the mail that a part quotes, whole or by its header.
fn original_message_id(part: &Part<'_>) -> Option<MessageId> {
    let kind = part.content_type.value.as_str();
    let quotes = matches!(
        kind,
        "message/rfc822"
            | "message/global"
            | "text/rfc822-headers"
            | "message/rfc822-headers"
            | "message/global-headers"
    );
    if !quotes {
        return None;
    }
    if part.kind == PartKind::Message {
        return headers::scan(part.body).message_id;
    }
    headers::scan(&transfer::decode(part.body, &part.encoding).0).message_id
}
