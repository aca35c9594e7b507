//! message/delivery-status parts (RFC 3464, RFC 6533), as written and as they are meant.

use super::{DeliveryReport, Notice, RECIPIENTS_MAX, RecipientReport, diagnostic, status};
use crate::{
    headers::fields::{self, Field, Limits},
    parse::{
        mime::{Part, Tree},
        transfer,
    },
};

/// What is kept of one group of fields.
const GROUP_LIMITS: Limits = Limits { octets: 64 * 1024, fields: 4_000 };
/// Delivery-status parts read in one mail: a gateway that splits reports writes a handful.
const PARTS_MAX: usize = 20;

/// The delivery-status parts that speak for the mail itself: its own, or those of an attached message where the root
/// or the text says that the mail is a report (scanners wrap bounces so).
pub(super) fn parts<'a, 't>(tree: &'a Tree<'t>, notice: &Notice) -> impl Iterator<Item = &'a Part<'t>> {
    let declared = tree.parts.first().and_then(|root| root.content_type.param("report-type"));
    let wrapped = declared.is_some_and(|kind| kind.eq_ignore_ascii_case("delivery-status"))
        || notice.from_daemon
        || (notice.from_postmaster && notice.subject);
    let rejection = notice.rejection;
    let is_status = move |part: &&Part<'_>| match part.content_type.value.as_str() {
        "message/delivery-status" | "message/global-delivery-status" => true,
        // Sieve's `reject` says it with a disposition notification.
        "message/disposition-notification" => rejection,
        _ => false,
    };
    let own = tree.parts.iter().filter(is_status).any(|part| part.message.is_none());
    let counts = move |part: &&Part<'_>| part.message.is_none() || (wrapped && !own);
    tree.parts.iter().filter(is_status).filter(counts).take(PARTS_MAX)
}

/// Reads them all; `None` where there is none.
pub(super) fn read(tree: &Tree<'_>, notice: &Notice) -> Option<DeliveryReport> {
    let mut found = false;
    let mut groups = Groups::default();
    for part in parts(tree, notice) {
        found = true;
        let (octets, _) = transfer::decode(part.body, &part.encoding);
        groups.read(&octets);
    }
    found.then(|| DeliveryReport { details: groups.finished(), structured: true, ..DeliveryReport::default() })
}

/// The fields of one recipient while they are gathered.
#[derive(Default)]
struct Group {
    original: Option<String>,
    last: Option<String>,
    action: Option<String>,
    status: Option<String>,
    diagnostic: Option<String>,
}

#[derive(Default)]
struct Groups {
    current: Group,
    details: Vec<RecipientReport>,
    seen: std::collections::HashSet<String>,
}

impl Groups {
    fn read(&mut self, octets: &[u8]) {
        let mut rest: &[u8] = octets;
        while !rest.is_empty() && self.details.len() < RECIPIENTS_MAX {
            let block = fields::split(rest, true, GROUP_LIMITS);
            for field in &block.fields {
                self.add(field);
            }
            self.close();
            // A block always takes at least its blank line; a stray line that is no field is stepped over.
            rest = rest.get(block.body.max(1)..).unwrap_or_default();
            if block.fields.is_empty() {
                let (_, next) = fields::line_end(rest, 0);
                rest = rest.get(next..).unwrap_or_default();
            }
        }
    }

    fn add(&mut self, field: &Field<'_>) {
        let value = fields::octets_as_text(&field.unfolded()).trim().to_owned();
        if value.is_empty() {
            return;
        }
        // A second recipient in one group: the blank line between them was lost.
        let name = field.lower_name();
        let again = match name.as_str() {
            "final-recipient" => self.current.last.is_some(),
            "original-recipient" => self.current.original.is_some(),
            _ => false,
        };
        if again {
            self.close();
        }
        let slot = match name.as_str() {
            "original-recipient" => &mut self.current.original,
            "final-recipient" => &mut self.current.last,
            "action" => &mut self.current.action,
            "status" => &mut self.current.status,
            "diagnostic-code" => &mut self.current.diagnostic,
            _ => return,
        };
        slot.get_or_insert(value);
    }

    fn close(&mut self) {
        let group = std::mem::take(&mut self.current);
        let original = group.original.as_deref().and_then(address);
        let last = group.last.as_deref().and_then(address);
        // The original recipient is whom our mail was addressed to; the final one may be an alias or an X.400 name that
        // nobody here knows (Sun, PMDF and older Exchange report those). Whichever is no address gives way.
        let is_address = |value: &String| value.contains('@');
        let recipient = original.clone().filter(is_address).or(last.clone().filter(is_address)).or(original).or(last);
        let Some(recipient) = recipient else {
            self.complete(&group);
            return;
        };
        if self.details.len() >= RECIPIENTS_MAX || !self.seen.insert(recipient.to_lowercase()) {
            return;
        }
        let action = group.action.as_deref().and_then(action);
        let said = group.diagnostic.as_deref();
        let judged = status::judge(action.as_deref(), group.status.as_deref(), &said_in(group.status.as_deref(), said));
        let diagnostic = said.and_then(diagnostic);
        self.details.push(RecipientReport { recipient, action, status: judged.status, hard: judged.hard, diagnostic });
    }

    /// A blank line too many parted a recipient from what befell him.
    fn complete(&mut self, group: &Group) {
        let Some(last) = self.details.last_mut().filter(|last| last.action.is_none() && last.diagnostic.is_none())
        else {
            return;
        };
        last.action = group.action.as_deref().and_then(action);
        let said = group.diagnostic.as_deref();
        let status = group.status.as_deref().or(last.status.as_deref());
        let judged = status::judge(last.action.as_deref(), status, &said_in(status, said));
        (last.status, last.hard, last.diagnostic) = (judged.status, judged.hard, said.and_then(diagnostic));
    }

    fn finished(mut self) -> Vec<RecipientReport> {
        self.close();
        self.details
    }
}

/// Some write the reason into Status (`553 Exceeded maximum message size`, `5.1.1 (no such user)`).
fn said_in(status: Option<&str>, diagnostic: Option<&str>) -> String {
    let reason = status.filter(|status| status.contains(char::is_alphabetic)).unwrap_or_default();
    format!("{} {reason}", diagnostic.unwrap_or_default())
}

/// The word of RFC 3464 section 2.3.3 that is meant (`failed (Bad destination mailbox address)`, `failure`, `error`).
fn action(value: &str) -> Option<String> {
    let word = value.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty())?.to_lowercase();
    let meant = match word.as_str() {
        "failure" | "fail" | "failed" | "error" | "bounced" | "rejected" => "failed",
        "delay" | "delayed" => "delayed",
        "delivery" | "delivered" => "delivered",
        _ => return Some(word),
    };
    Some(meant.to_owned())
}

/// RFC 3464 section 2.3.1: `rfc822; jane@example.com`; the type and brackets are dropped, and what X.400 gateways (RFC
/// 2156), RFC 3461 section 4 (`+2B`) and RFC 6533 section 3 (`\x{E9}`) made of it is undone.
fn address(value: &str) -> Option<String> {
    let (kind, bare) = value.split_once(';').unwrap_or(("", value));
    let bare = bare.trim().trim_matches(['<', '>', '"', '\'']).trim();
    let lower = bare.to_ascii_lowercase();
    let inside = ["rfc-822=", "rfc822=", "smtp=", "smtp:"].iter().find_map(|key| {
        let start = lower.find(key)? + key.len();
        bare.get(start..)?.split(['/', ';']).next()
    });
    let mut text = match inside {
        Some(inside) => inside.replace("(a)", "@").replace("(u)", "_"),
        None => bare.to_owned(),
    };
    if kind.trim().eq_ignore_ascii_case("utf-8") {
        text = embedded(&text);
    }
    if !text.contains('@') || text.contains("+2B") {
        text = text.replace("+40", "@").replace("+3D", "=").replace("+2B", "+");
    }
    // A name after the address, as some write.
    let text = if text.contains('@') { text.split_whitespace().find(|word| word.contains('@'))? } else { &text };
    let text = text.trim_matches(['<', '>', ',', '"']);
    (!text.is_empty()).then(|| text.to_owned())
}

/// RFC 6533 section 3: `\x{HEX}` stands for a code point.
fn embedded(text: &str) -> String {
    let mut pieces = text.split("\\x{");
    let mut read = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let point = piece.split_once('}').and_then(|(hex, rest)| Some((u32::from_str_radix(hex, 16).ok()?, rest)));
        match point.and_then(|(point, rest)| Some((char::from_u32(point)?, rest))) {
            Some((c, rest)) => {
                read.push(c);
                read.push_str(rest);
            }
            None => {
                read.push_str("\\x{");
                read.push_str(piece);
            }
        }
    }
    read
}

#[cfg(test)]
mod tests;
