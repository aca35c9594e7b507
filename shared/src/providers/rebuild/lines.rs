//! Header lines of a rebuilt mail: what stands in a payload cannot write a line of its own.

use crate::parse::params::Structured;

/// Where lines are folded if a blank allows it (RFC 5322 section 2.1.1).
const LINE_OCTETS: usize = 78;
/// Longer field names are noise.
const NAME_OCTETS_MAX: usize = 200;
/// Longest file name in quotes; a longer one is cut into segments.
const QUOTED_CHARS_MAX: usize = 60;
/// Characters of one RFC 2231 segment.
const SEGMENT_CHARS: usize = 600;
/// Characters kept of a file name at either end: its end says what it is.
const FILE_NAME_END_CHARS: usize = 500;

/// Writes one field, folded. Nothing is written where the name has no printable character or is no name at all.
pub(super) fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    let name = field_name(name);
    if name.is_empty() || name.len() > NAME_OCTETS_MAX {
        return;
    }
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    let value = one_line(value);
    let (mut column, mut first) = (name.len() + 2, true);
    let mut rest = value.as_slice();
    while !rest.is_empty() {
        let blanks = rest.iter().position(|octet| !is_blank(*octet)).unwrap_or(rest.len());
        let word = rest.iter().skip(blanks).position(|octet| is_blank(*octet)).unwrap_or(rest.len() - blanks);
        let (piece, after) = rest.split_at(blanks + word);
        // The blank that the fold is made before stays: unfolded, the value is what it was.
        if !first && column + piece.len() > LINE_OCTETS {
            out.extend_from_slice(b"\r\n");
            column = 0;
        }
        out.extend_from_slice(piece);
        (column, first, rest) = (column + piece.len(), false, after);
    }
    out.extend_from_slice(b"\r\n");
}

fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// A name in which nothing ends it: what RFC 5322 section 2.2 does not allow becomes a hyphen, so that no other field's
/// name comes out.
fn field_name(name: &str) -> String {
    name.trim().chars().map(|c| if c.is_ascii_graphic() && c != ':' { c } else { '-' }).collect()
}

/// A value on one line: folds are taken out, any other line break becomes a space, NULs go, as do blanks at the ends.
pub(super) fn one_line(value: &[u8]) -> Vec<u8> {
    let mut line: Vec<u8> = Vec::with_capacity(value.len());
    let mut octets = value.trim_ascii().iter().copied().filter(|octet| *octet != 0).peekable();
    while let Some(octet) = octets.next() {
        if !matches!(octet, b'\r' | b'\n') {
            line.push(octet);
            continue;
        }
        while octets.next_if(|next| matches!(next, b'\r' | b'\n')).is_some() {}
        let blank_beside = line.last().copied().is_some_and(is_blank) || octets.peek().copied().is_some_and(is_blank);
        if !blank_beside {
            line.push(b' ');
        }
    }
    line
}

/// RFC 2045 section 5.1 token.
pub(super) fn token(text: &str) -> bool {
    let special =
        |c: char| matches!(c, '(' | ')' | '<' | '>' | '@' | ',' | ';' | ':' | '\\' | '"' | '/' | '[' | ']' | '?' | '=');
    !text.is_empty() && text.len() <= 80 && text.chars().all(|c| c.is_ascii_graphic() && !special(c))
}

/// A file's Content-Type, with its charset; multiparts are no files.
pub(super) fn media_type(told: &str) -> String {
    let told = Structured::parse(&one_line(told.as_bytes()));
    let known = told.value.split_once('/').filter(|(main, sub)| token(main) && token(sub) && *main != "multipart");
    if known.is_none() {
        return "application/octet-stream".to_owned();
    }
    match told.param("charset").filter(|charset| token(charset)) {
        Some(charset) => format!("{}; charset={charset}", told.value),
        None => told.value,
    }
}

/// A Content-ID without brackets; `None` where nothing is left of it.
pub(super) fn content_id(told: &str) -> Option<String> {
    let id: String =
        told.chars().filter(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>')).collect();
    (!id.is_empty()).then(|| id.chars().take(NAME_OCTETS_MAX).collect())
}

/// The parameter that names a file, with what stands before it; empty for no name.
pub(super) fn named(name: &str) -> String {
    if name.is_empty() {
        return String::new();
    }
    let plain = |c: char| (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\');
    if name.chars().all(plain) && name.len() <= QUOTED_CHARS_MAX {
        return format!(";\r\n filename=\"{name}\"");
    }
    match segments(&both_ends(name)).as_slice() {
        [one] => format!(";\r\n filename*={one}"),
        several => several.iter().enumerate().map(|(n, part)| format!(";\r\n filename*{n}*={part}")).collect(),
    }
}

fn both_ends(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    match chars.len().checked_sub(2 * FILE_NAME_END_CHARS) {
        None | Some(0) => name.to_owned(),
        Some(between) => {
            let ends = chars.iter().take(FILE_NAME_END_CHARS).chain(chars.iter().skip(FILE_NAME_END_CHARS + between));
            ends.collect()
        }
    }
}

/// RFC 2231 section 7: `attribute-char`s stand, any other octet is encoded, and none is cut in two.
fn segments(name: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut open = "utf-8''".to_owned();
    for octet in name.bytes() {
        if open.len() + 3 > SEGMENT_CHARS {
            done.push(std::mem::take(&mut open));
        }
        if octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_') {
            open.push(char::from(octet));
        } else {
            open.push_str(&format!("%{octet:02X}"));
        }
    }
    done.push(open);
    done
}
