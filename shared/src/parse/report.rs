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

/// Reads the report of the mail itself; a report inside an attached message was somebody else's, unless the root says
/// that the mail is one (scanners wrap bounces so).
pub(crate) fn read(tree: &Tree<'_>) -> Option<DeliveryReport> {
    let is_report = tree.parts.first().and_then(|root| root.content_type.param("report-type"));
    let wrapped = is_report.is_some_and(|kind| kind.eq_ignore_ascii_case("delivery-status"));
    let status = tree.parts.iter().filter(|part| is_status(part)).find(|part| part.message.is_none() || wrapped)?;
    let own = || tree.parts.iter().filter(|part| part.message == status.message);
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

fn is_status(part: &Part<'_>) -> bool {
    matches!(part.content_type.value.as_str(), "message/delivery-status" | "message/global-delivery-status")
}

fn text(block: &Block<'_>, name: &str) -> Option<String> {
    let field = block.first(name)?;
    let value = fields::octets_as_text(&field.unfolded()).trim().to_owned();
    (!value.is_empty()).then_some(value)
}

fn add_group(report: &mut DeliveryReport, block: &Block<'_>) {
    // The original recipient is whom our mail was addressed to; the final one may be an alias or an X.400 name that
    // nobody here knows (Sun, PMDF and older Exchange report those).
    let recipient = ["original-recipient", "final-recipient"]
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read_status(status: &str) -> DeliveryReport {
        let raw = format!(
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nx\n--b\n\
             Content-Type: message/delivery-status\n\n{status}\n--b--\n"
        );
        read(&super::super::mime::tree(raw.as_bytes())).unwrap()
    }

    #[test]
    fn recipients_as_systems_write_them() {
        for (status, expected) in [
            ("Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@x.example\n", vec!["a@x.example"]),
            ("Reporting-MTA: dns; x\n\nFinal-Recipient: RFC822;<a@x.example>\n", vec!["a@x.example"]),
            ("\nFinal-Recipient: x400;/s=a/\nOriginal-Recipient: rfc822;a@x.example\n", vec!["a@x.example"]),
            (
                "Final-Recipient: rfc822;a@x.example\n\nFinal-Recipient: rfc822;b@x.example\n",
                vec!["a@x.example", "b@x.example"],
            ),
            ("Final-Recipient: a@x.example\n", vec!["a@x.example"]),
            ("Final-Recipient: rfc822;\n", vec![]),
            ("no fields at all\nnone\n", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(read_status(status).recipients, expected, "{status:?}");
        }
    }

    #[test]
    fn a_long_report_takes_linear_time() {
        let _ = read_status(&"no field\n".repeat(20_000));
        let _ = read_status(&"\n".repeat(20_000));
    }
}
