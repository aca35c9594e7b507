//! Every leaf that is not the mail's text: named safely, measured, typed by content, held back where dangerous.
//!
//! An attached message is one attachment, whole; its own leaves are inside it and are looked at for danger only. Files
//! that were wrapped up otherwise (`winmail.dat`, uuencoded blocks in the text) are attachments like any.

use std::{borrow::Cow, collections::HashSet};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{
    Attachment, file_types, images,
    mime::{self, Part, PartKind, Tree},
    names::{self, Taken},
    tnef, transfer,
    uuencode::Block,
};
use crate::headers::{self, words};

/// Attachments listed; of the rest the number stands in the defect `attachment-count-limit`.
pub const ATTACHMENTS_MAX: usize = 1_000;
/// Decoded octets of all attachments of one mail: what the largest door (SES, 40 MB) takes.
pub const DECODED_OCTETS_MAX: usize = 40 * 1024 * 1024;
/// Encoded messages within encoded messages looked into for danger.
const ENCODED_MESSAGES_DEPTH_MAX: usize = 3;

/// The attachments and what was wrong.
#[derive(Debug, Default)]
pub(crate) struct Attached {
    pub(crate) all: Vec<Attachment>,
    pub(crate) defects: Vec<String>,
    /// The message of a `winmail.dat`: text and HTML.
    pub(crate) wrapped: Option<(Option<String>, Option<String>)>,
    taken: Taken,
    octets: usize,
    unlisted: usize,
}

/// A file, wherever it stood.
struct File<'a> {
    /// Name by the ladder, as written.
    name: Option<Cow<'a, str>>,
    content_type: String,
    content_id: Option<String>,
    /// The mail says that it belongs into the text.
    inline: bool,
    octets: Bytes,
}

/// Reads all leaves that are not in `body_leaves`, and the blocks that stood in the text. `html` is asked which
/// Content-IDs it shows.
pub(crate) fn read(tree: &Tree<'_>, body_leaves: &[usize], html: Option<&str>, blocks: Vec<Block>) -> Attached {
    let mut attached = Attached::default();
    let body: HashSet<usize> = body_leaves.iter().copied().collect();
    let shown = shown_ids(html.unwrap_or_default());
    let dangerous_messages = dangerous_messages(tree);
    for (index, part) in tree.parts.iter().enumerate() {
        if part.kind == PartKind::Multipart || part.message.is_some() || body.contains(&index) {
            continue;
        }
        attached.part(part, &shown, dangerous_messages.contains(&index));
    }
    for block in blocks {
        if !block.ended {
            attached.defects.push("uuencode-unended".to_owned());
        }
        let name = Some(Cow::Owned(block.name));
        let content_type = "application/octet-stream".to_owned();
        attached.file(File { name, content_type, content_id: None, inline: false, octets: block.octets }, &shown, None);
    }
    if attached.unlisted > 0 {
        attached.defects.push("attachment-count-limit".to_owned());
        attached.defects.push(format!("attachments-not-listed-{}", attached.unlisted));
    }
    attached
}

impl Attached {
    /// One leaf, or what is wrapped up in it.
    fn part(&mut self, part: &Part<'_>, shown: &HashSet<String>, dangerous: bool) {
        if self.all.len() >= ATTACHMENTS_MAX {
            self.unlisted += 1;
            return;
        }
        let octets: Cow<'_, [u8]> = match part.kind {
            PartKind::Message => Cow::Borrowed(part.body),
            _ => {
                let (octets, defect) = transfer::decode(part.body, &part.encoding);
                self.defects.extend(defect.map(str::to_owned));
                octets
            }
        };
        let is_message = matches!(part.content_type.value.as_str(), "message/rfc822" | "message/global");
        let name = name(part, is_message.then_some(octets.as_ref()));
        if tnef::is_tnef(&part.content_type.value, name.as_deref(), &octets) && self.unpacked(&octets, shown) {
            return;
        }
        let inline = part.disposition.as_ref().is_some_and(|d| d.value == "inline");
        let file = File {
            name,
            content_type: part.content_type.value.clone(),
            content_id: part.content_id.clone(),
            inline,
            octets: Bytes::from(octets.into_owned()),
        };
        self.file(file, shown, dangerous.then_some("dangerous-type"));
    }

    /// The files of a `winmail.dat`; false where it must be listed itself, because not all of it could be read.
    fn unpacked(&mut self, octets: &[u8], shown: &HashSet<String>) -> bool {
        let Some(unpacked) = tnef::unpack(octets) else {
            self.defects.push("tnef-unreadable".to_owned());
            return false;
        };
        // What such a message shows is its own HTML's business.
        let own = unpacked.html.as_deref().map(shown_ids).unwrap_or_default();
        let shown = if own.is_empty() { shown } else { &own };
        for packed in unpacked.files {
            let content_type = packed.content_type.map(|kind| kind.trim().to_ascii_lowercase());
            let content_type = content_type.filter(|kind| kind.contains('/')).unwrap_or_default();
            let file = File {
                name: packed.name.map(Cow::Owned),
                content_type: if content_type.is_empty() {
                    "application/octet-stream".to_owned()
                } else {
                    content_type
                },
                content_id: packed.content_id.map(|id| id.trim_matches(['<', '>']).to_owned()),
                inline: false,
                octets: packed.octets,
            };
            self.file(file, shown, None);
        }
        if self.wrapped.is_none() && (unpacked.text.is_some() || unpacked.html.is_some()) {
            self.wrapped = Some((unpacked.text, unpacked.html));
        }
        self.defects.extend(unpacked.defects.iter().map(|slug| (*slug).to_owned()));
        !unpacked.defects.contains(&"tnef-cut")
    }

    fn file(&mut self, file: File<'_>, shown: &HashSet<String>, refused: Option<&'static str>) {
        if self.all.len() >= ATTACHMENTS_MAX {
            self.unlisted += 1;
            return;
        }
        let is_message = matches!(file.content_type.as_str(), "message/rfc822" | "message/global");
        let filename = self.filename(&file);
        let examined = if is_message {
            file_types::Examined::default()
        } else {
            file_types::examine(Some(&filename), &file.content_type, &file.octets)
        };
        let size = file.octets.len();
        let too_much = self.octets.saturating_add(size) > DECODED_OCTETS_MAX;
        if !too_much {
            self.octets += size;
        }
        let limit = too_much.then_some("attachment-limit");
        let refused = limit.or(refused).or(examined.refused);
        let referred = file.content_id.as_ref().is_some_and(|id| shown.contains(id));
        let kind = examined.detected.unwrap_or(&file.content_type);
        self.all.push(Attachment {
            role: images::role(kind, Some(&filename), referred, &file.octets),
            filename: Some(filename),
            detected_type: examined.detected.map(str::to_owned),
            size: u64::try_from(size).unwrap_or(u64::MAX),
            sha256: data_encoding::HEXLOWER.encode(&Sha256::digest(&file.octets)),
            inline: file.inline || referred,
            content_id: file.content_id,
            flags: examined.flags,
            contains: examined.contains,
            content: if refused.is_some() { Bytes::new() } else { file.octets },
            refused: refused.map(str::to_owned),
            content_type: file.content_type,
        });
    }

    /// The name, made safe; where the mail gives none, one by its kind.
    fn filename(&mut self, file: &File<'_>) -> String {
        let given = file.name.as_deref().and_then(names::safe);
        let by_kind = || {
            let stem = match file.content_type.split('/').next() {
                _ if file.content_type == "text/calendar" => "invite",
                Some("image") => "image",
                Some("message") => "message",
                _ => "attachment",
            };
            format!("{stem}.{}", names::extension_of(&file.content_type))
        };
        let name = given.unwrap_or_else(by_kind);
        self.taken.unique(&name)
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
    let name = name(part, None).and_then(|name| names::safe(&name));
    let is_danger = |octets: &[u8], name: Option<&str>| {
        file_types::examine(name, &part.content_type.value, octets).refused.is_some()
    };
    if tnef::is_tnef(&part.content_type.value, name.as_deref(), &octets)
        && let Some(unpacked) = tnef::unpack(&octets)
    {
        return unpacked.files.iter().any(|file| is_danger(&file.octets, file.name.as_deref()));
    }
    is_danger(&octets, name.as_deref())
}

/// The ladder: `filename` of the disposition (RFC 2231 before RFC 2047 there), `name` of the type, a description or a
/// Content-ID that is a file name, the subject of an attached message (`message` = its octets).
fn name<'a>(part: &'a Part<'_>, message: Option<&[u8]>) -> Option<Cow<'a, str>> {
    let by_disposition = part.disposition.as_ref().and_then(|d| d.param("filename"));
    let written = by_disposition.filter(|name| names::safe(name).is_some()).or_else(|| part.content_type.param("name"));
    let written = written.filter(|name| names::safe(name).is_some());
    let described = || part.description.as_deref().filter(|text| names::is_file_name(text));
    let by_id = || part.content_id.as_deref().and_then(names::of_content_id);
    let found = written.or_else(described).or_else(by_id).map(Cow::Borrowed);
    found.or_else(|| {
        let subject = words::one_line(&headers::scan(message?).subject).replace(['/', '\\'], "_");
        let subject: String = subject.chars().take(names::NAME_CHARS_MAX - 4).collect();
        Some(Cow::Owned(format!("{}.eml", if subject.is_empty() { "message" } else { &subject })))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ids_in_html() {
        let ids = shown_ids("<img src=\"cid:a@x\"> url(cid:b%40x) cid:");
        assert_eq!(ids, HashSet::from(["a@x".to_owned(), "b@x".to_owned()]));
    }

    fn attached(parts: &[&str]) -> Vec<Attachment> {
        let all: String = parts.iter().map(|part| format!("--b\n{part}\n")).collect();
        let raw = format!("Content-Type: multipart/mixed; boundary=b\n\n{all}--b--\n");
        read(&mime::tree(raw.as_bytes()), &[], None, Vec::new()).all
    }

    #[test]
    fn the_ladder_of_names() {
        for (part, expected) in [
            (
                "Content-Type: a/b; name=n.txt\nContent-Disposition: attachment; filename*=utf-8''%C3%BC.txt; filename=f.txt\n\nx",
                "ü.txt",
            ),
            (
                "Content-Type: a/b; name=n.txt\nContent-Disposition: attachment; filename=\"=?utf-8?Q?=C3=BC.txt?=\"\n\nx",
                "ü.txt",
            ),
            ("Content-Type: a/b; name=n.txt\nContent-Disposition: attachment; filename=\"..\"\n\nx", "n.txt"),
            ("Content-Type: a/b\nContent-Description: scan.pdf\nContent-ID: <image001.png@1>\n\nx", "scan.pdf"),
            ("Content-Type: a/b\nContent-Description: our offer\nContent-ID: <image001.png@1>\n\nx", "image001.png"),
            ("Content-Type: message/rfc822\n\nSubject: Re: a/b\n\nx", "Re: a_b.eml"),
            ("Content-Type: message/rfc822\n\nFrom: x\n\nx", "message.eml"),
            ("Content-Type: image/png\n\nx", "image.png"),
            ("Content-Type: application/pdf\n\nx", "attachment.pdf"),
            ("Content-Type: text/calendar\n\nx", "invite.ics"),
            ("Content-Type: x/y\n\nx", "attachment.bin"),
        ] {
            let expected = expected.replace(':', "_");
            assert_eq!(attached(&[part])[0].filename.as_deref(), Some(expected.as_str()), "{part}");
        }
        let names: Vec<_> =
            attached(&["Content-Type: a/b; name=x.txt\n\n1"; 3]).into_iter().map(|a| a.filename.unwrap()).collect();
        assert_eq!(names, ["x.txt", "x (2).txt", "x (3).txt"]);
    }
}
