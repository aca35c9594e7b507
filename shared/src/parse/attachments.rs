//! Every leaf that is not the mail's text: named safely, measured, typed by content, held back where dangerous.
//!
//! An attached message is one attachment, whole; its own leaves are inside it and are looked at for danger only.

use std::{borrow::Cow, collections::HashSet};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{
    Attachment, file_types,
    mime::{self, Part, PartKind, Tree},
    transfer,
};
use crate::headers::{self, words};

/// Attachments listed; of the rest the number stands in the defect `attachment-count-limit`.
pub const ATTACHMENTS_MAX: usize = 1_000;
/// Decoded octets of all attachments of one mail: what the largest door (SES, 40 MB) takes.
pub const DECODED_OCTETS_MAX: usize = 40 * 1024 * 1024;
/// Longest file name, in characters; file systems end at 255 octets.
const NAME_CHARS_MAX: usize = 200;
/// Encoded messages within encoded messages looked into for danger.
const ENCODED_MESSAGES_DEPTH_MAX: usize = 3;

/// The attachments and what was wrong.
#[derive(Debug, Default)]
pub(crate) struct Attached {
    pub(crate) all: Vec<Attachment>,
    pub(crate) defects: Vec<String>,
}

/// Reads all leaves that are not in `body_leaves`. `html` is asked which Content-IDs it shows.
pub(crate) fn read(tree: &Tree<'_>, body_leaves: &[usize], html: Option<&str>) -> Attached {
    let mut attached = Attached::default();
    let body: HashSet<usize> = body_leaves.iter().copied().collect();
    let shown = shown_ids(html.unwrap_or_default());
    let dangerous_messages = dangerous_messages(tree);
    let (mut octets_left, mut unlisted) = (DECODED_OCTETS_MAX, 0_usize);
    for (index, part) in tree.parts.iter().enumerate() {
        if part.kind == PartKind::Multipart || part.message.is_some() || body.contains(&index) {
            continue;
        }
        if attached.all.len() >= ATTACHMENTS_MAX {
            unlisted += 1;
            continue;
        }
        let mut one = attachment(part, &shown, &mut attached.defects);
        if one.refused.is_none() && dangerous_messages.contains(&index) {
            one.refused = Some("dangerous-type".to_owned());
        }
        match octets_left.checked_sub(one.content.len()) {
            Some(left) => octets_left = left,
            None => one.refused = Some("attachment-limit".to_owned()),
        }
        if one.refused.is_some() {
            one.content = Bytes::new();
        }
        attached.all.push(one);
    }
    if unlisted > 0 {
        attached.defects.push("attachment-count-limit".to_owned());
        attached.defects.push(format!("attachments-not-listed-{unlisted}"));
    }
    number_duplicates(&mut attached.all);
    attached
}

fn attachment(part: &Part<'_>, shown: &HashSet<String>, defects: &mut Vec<String>) -> Attachment {
    let octets: Cow<'_, [u8]> = match part.kind {
        PartKind::Message => Cow::Borrowed(part.body),
        _ => {
            let (octets, defect) = transfer::decode(part.body, &part.encoding);
            defects.extend(defect.map(str::to_owned));
            octets
        }
    };
    let is_message = matches!(part.content_type.value.as_str(), "message/rfc822" | "message/global");
    let filename = filename(part, is_message.then_some(octets.as_ref()));
    let detected = if is_message { None } else { file_types::detect(&octets) };
    let dangerous = file_types::is_dangerous(filename.as_deref(), detected, &octets);
    let inline = part.disposition.as_ref().is_some_and(|d| d.value == "inline")
        || part.content_id.as_ref().is_some_and(|id| shown.contains(id));
    Attachment {
        filename,
        content_type: part.content_type.value.clone(),
        detected_type: detected.map(str::to_owned),
        size: u64::try_from(octets.len()).unwrap_or(u64::MAX),
        sha256: data_encoding::HEXLOWER.encode(&Sha256::digest(&octets)),
        inline,
        content_id: part.content_id.clone(),
        refused: dangerous.then(|| "dangerous-type".to_owned()),
        content: Bytes::from(octets.into_owned()),
    }
}

/// The Content-IDs that HTML refers to by `cid:` (RFC 2392).
fn shown_ids(html: &str) -> HashSet<String> {
    let ids = html.split("cid:").skip(1).filter_map(|after| {
        after.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '>' | ')' | '<' | '&')).next()
    });
    ids.filter(|id| !id.is_empty()).map(|id| id.replace("%40", "@")).collect()
}

/// Attached messages that hold something dangerous at any depth: held back whole.
fn dangerous_messages(tree: &Tree<'_>) -> HashSet<usize> {
    let mut dangerous = HashSet::new();
    for (index, part) in tree.parts.iter().enumerate() {
        let encoded_message = part.content_type.value.starts_with("message/") && part.kind == PartKind::Leaf;
        let looked_into = part.message.is_some() || encoded_message;
        if part.kind == PartKind::Leaf && looked_into && leaf_is_dangerous(part, ENCODED_MESSAGES_DEPTH_MAX) {
            dangerous.insert(outermost_message(tree, index));
        }
    }
    dangerous
}

fn outermost_message(tree: &Tree<'_>, index: usize) -> usize {
    let mut outermost = index;
    while let Some(above) = tree.parts.get(outermost).and_then(|part| part.message) {
        outermost = above;
    }
    outermost
}

fn leaf_is_dangerous(part: &Part<'_>, depth: usize) -> bool {
    let (octets, _) = transfer::decode(part.body, &part.encoding);
    if matches!(part.content_type.value.as_str(), "message/rfc822" | "message/global") {
        // Recursion here is bounded by `depth`, not by the mail.
        return depth > 0
            && mime::tree(&octets).parts.iter().any(|p| p.kind == PartKind::Leaf && leaf_is_dangerous(p, depth - 1));
    }
    file_types::is_dangerous(filename(part, None).as_deref(), file_types::detect(&octets), &octets)
}

/// The name a person would save it under. `message` = octets of an attached message, named by its subject.
fn filename(part: &Part<'_>, message: Option<&[u8]>) -> Option<String> {
    let by_disposition = part.disposition.as_ref().and_then(|d| d.param("filename"));
    let named = by_disposition.or_else(|| part.content_type.param("name")).and_then(safe_name);
    named.or_else(|| {
        let subject = headers::scan(message?).subject.replace(['/', '\\'], "_");
        let subject: String = subject.chars().take(NAME_CHARS_MAX - 4).collect();
        safe_name(&format!("{}.eml", if subject.is_empty() { "message" } else { &subject }))
    })
}

/// A name without directories, controls, direction overrides and characters that file systems refuse.
fn safe_name(written: &str) -> Option<String> {
    let shown = words::one_line(written);
    let components: Vec<&str> =
        shown.split(['/', '\\']).map(str::trim).filter(|c| !matches!(*c, "" | "." | "..")).collect();
    // A path (older Internet Explorer and scanners send it whole) gives its last component; a name that merely has
    // a slash in it (`Invoice 3/2026.pdf`) is kept.
    let is_path = shown.starts_with(['/', '\\', '.']) || shown.get(1..2) == Some(":") || shown.contains("..");
    let name = if is_path { (*components.last()?).to_owned() } else { components.join("_") };
    let name: String =
        name.chars().map(|c| if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { c }).collect();
    let name = name.trim_end_matches(['.', ' ']).trim_start();
    if name.is_empty() {
        return None;
    }
    if name.chars().count() <= NAME_CHARS_MAX {
        return Some(name.to_owned());
    }
    let extension = name.rsplit_once('.').map(|(_, e)| e).filter(|e| e.chars().count() <= 10);
    let kept = NAME_CHARS_MAX - extension.map_or(0, |e| e.chars().count() + 1);
    let stem: String = name.chars().take(kept).collect();
    Some(extension.map_or(stem.clone(), |e| format!("{stem}.{e}")))
}

/// `a.txt`, `a (2).txt`, `a (3).txt`: names are unique, in any case.
fn number_duplicates(all: &mut [Attachment]) {
    let mut taken: HashSet<String> = HashSet::new();
    for one in all {
        let Some(name) = &one.filename else { continue };
        if taken.insert(name.to_lowercase()) {
            continue;
        }
        let (stem, extension) = match name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) {
            Some((stem, extension)) => (stem, format!(".{extension}")),
            None => (name.as_str(), String::new()),
        };
        let numbered = (2..=ATTACHMENTS_MAX + 1).map(|n| format!("{stem} ({n}){extension}"));
        let free = numbered.into_iter().find(|candidate| taken.insert(candidate.to_lowercase()));
        one.filename = free.or_else(|| Some(name.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_safe() {
        for (written, expected) in [
            ("report.pdf", Some("report.pdf")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\Users\\jane\\report.pdf", Some("report.pdf")),
            ("Invoice 3/2026.pdf", Some("Invoice 3_2026.pdf")),
            ("a\u{202E}fdp.exe", Some("afdp.exe")),
            ("tab\tname\r\n.txt", Some("tab name  .txt")),
            ("a<b>|c?.txt", Some("a_b__c_.txt")),
            ("trailing. . ", Some("trailing")),
            ("..", None),
            ("///", None),
            ("", None),
        ] {
            assert_eq!(safe_name(written).as_deref(), expected, "{written:?}");
        }
        let long = safe_name(&format!("{}.pdf", "ü".repeat(400))).unwrap();
        assert_eq!(long.chars().count(), NAME_CHARS_MAX);
        assert!(long.ends_with(".pdf"));
    }

    #[test]
    fn content_ids_in_html() {
        let ids = shown_ids("<img src=\"cid:a@x\"> url(cid:b%40x) cid:");
        assert_eq!(ids, HashSet::from(["a@x".to_owned(), "b@x".to_owned()]));
    }
}
