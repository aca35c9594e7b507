//! Splits a header block into fields: the one splitter for the message and for every MIME entity below it.
//!
//! RFC 5322 section 2.2, read as mail stands in the wild: bare LF, mbox separator lines, leading blank lines, lines
//! that are no field, a missing blank line before the body. Linear, keeps slices, copies nothing.

use std::borrow::Cow;

use crate::parse::charset;

/// One field as it stands: name without colon, value with its folds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    name: &'a [u8],
    pub(crate) value: &'a [u8],
}

impl Field<'_> {
    /// True where this is the field `name`, in any case.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The name as it stands.
    pub(crate) fn written_name(&self) -> String {
        String::from_utf8_lossy(self.name).into_owned()
    }

    /// The name, lower case.
    pub(crate) fn lower_name(&self) -> String {
        String::from_utf8_lossy(self.name).to_ascii_lowercase()
    }

    /// The value without line breaks and NULs (RFC 5322 section 2.2.3); a fold keeps its white space.
    pub(crate) fn unfolded(&self) -> Vec<u8> {
        self.value.iter().copied().filter(|octet| !matches!(octet, b'\r' | b'\n' | 0)).collect()
    }
}

/// How much of a block is kept. The rest is still scanned for the blank line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) octets: usize,
    pub(crate) fields: usize,
}

/// A header block and where the body begins.
#[derive(Debug, Default)]
pub(crate) struct Block<'a> {
    pub(crate) fields: Vec<Field<'a>>,
    /// Offset of the body in the octets given.
    pub(crate) body: usize,
    pub(crate) defects: Vec<&'static str>,
}

impl<'a> Block<'a> {
    /// The topmost field of that name.
    pub(crate) fn first(&self, name: &str) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.is(name))
    }

    fn defect(&mut self, slug: &'static str) {
        if !self.defects.contains(&slug) {
            self.defects.push(slug);
        }
    }
}

/// Octets as text: UTF-8 (RFC 6532), else by escapes and statistics ([`charset`]).
pub(crate) fn octets_as_text(octets: &[u8]) -> Cow<'_, str> {
    octets_beside(octets, None)
}

/// The same, where text of that charset stands below the field: what wrote the one wrote the other.
pub(crate) fn octets_beside<'a>(octets: &'a [u8], label: Option<&str>) -> Cow<'a, str> {
    match std::str::from_utf8(octets) {
        Ok(text) if !octets.contains(&0x1B) => Cow::Borrowed(text),
        _ => Cow::Owned(charset::decode_beside(octets, None, label).text),
    }
}

/// End of the line that starts at `from`: (end of its text, start of the next line).
pub(crate) fn line_end(octets: &[u8], from: usize) -> (usize, usize) {
    let rest = octets.get(from..).unwrap_or_default();
    let Some(at) = rest.iter().position(|octet| *octet == b'\n') else {
        return (octets.len(), octets.len());
    };
    let text = rest.get(..at).unwrap_or_default();
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    (from + text.len(), from + at + 1)
}

/// Splits the block that starts at offset 0. `top` = the block of a whole message, which may stand in an mbox.
pub(crate) fn split(octets: &[u8], top: bool, limits: Limits) -> Block<'_> {
    split_until(octets, top, limits, |_| false)
}

/// The same, ending before the first line that `stop` knows (a boundary of the multipart around the entity).
pub(crate) fn split_until(octets: &[u8], top: bool, limits: Limits, stop: impl Fn(&[u8]) -> bool) -> Block<'_> {
    let mut block = Block::default();
    let mut at = if top { skip_preface(octets, &mut block) } else { 0 };
    // Name and value start of the field being read.
    let mut open: Option<(&[u8], usize, usize)> = None;
    while at < octets.len() {
        let (end, next) = line_end(octets, at);
        let line = octets.get(at..end).unwrap_or_default();
        if line.is_empty() {
            close(octets, &mut open, &mut block, limits);
            block.body = next;
            return block;
        }
        if stop(line) {
            close(octets, &mut open, &mut block, limits);
            block.body = at;
            return block;
        }
        match (line.first(), &mut open) {
            (Some(b' ' | b'\t'), Some((_, _, value_end))) => *value_end = end,
            _ => {
                close(octets, &mut open, &mut block, limits);
                if let Some((name, value)) = field_start(line) {
                    open = Some((name, at + value, end));
                } else if !is_separator(line) {
                    let (next_end, _) = line_end(octets, next);
                    let follower = octets.get(next..next_end).unwrap_or_default();
                    // One stray line between fields is skipped; anything else is a body without its blank line.
                    if field_start(follower).is_none() || (block.fields.is_empty() && !follower.contains(&b':')) {
                        block.defect("header-no-blank-line");
                        block.body = at;
                        return block;
                    }
                    block.defect("header-stray-line");
                }
            }
        }
        at = next;
    }
    close(octets, &mut open, &mut block, limits);
    block.body = octets.len();
    block
}

/// Blank lines and mbox separators before the first field (left by mbox exports and by some MTAs' pipes).
fn skip_preface(octets: &[u8], block: &mut Block<'_>) -> usize {
    let mut at = 0;
    while at < octets.len() {
        let (end, next) = line_end(octets, at);
        let line = octets.get(at..end).unwrap_or_default();
        if line.is_empty() {
            block.defect("header-leading-blank-line");
        } else if is_separator(line) {
            block.defect("header-mbox-line");
        } else {
            break;
        }
        at = next;
    }
    at
}

fn is_separator(line: &[u8]) -> bool {
    line.starts_with(b"From ") || line.starts_with(b">From ")
}

/// Name and offset of the value, where the line opens a field: printable ASCII, optional blanks, a colon.
fn field_start(line: &[u8]) -> Option<(&[u8], usize)> {
    let colon = line.iter().position(|octet| *octet == b':')?;
    let name = line.get(..colon)?.trim_ascii_end();
    let printable = !name.is_empty() && name.iter().all(|octet| (33..=126).contains(octet));
    printable.then_some((name, colon + 1))
}

fn close<'a>(octets: &'a [u8], open: &mut Option<(&'a [u8], usize, usize)>, block: &mut Block<'a>, limits: Limits) {
    let Some((name, start, end)) = open.take() else { return };
    if end > limits.octets {
        block.defect("header-too-long");
    } else if block.fields.len() >= limits.fields {
        block.defect("header-too-many-fields");
    } else {
        block.fields.push(Field { name, value: octets.get(start..end).unwrap_or_default() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { octets: 1000, fields: 10 };

    #[test]
    fn blocks_in_the_wild() {
        for (raw, names, body, defects) in [
            ("A: 1\r\nB: 2\r\n\r\nx", vec!["a", "b"], "x", vec![]),
            ("A: 1\nB : 2\n\nx", vec!["a", "b"], "x", vec![]),
            ("From a@b Mon\nA: 1\n\nx", vec!["a"], "x", vec!["header-mbox-line"]),
            ("\n\r\nA: 1\n\nx", vec!["a"], "x", vec!["header-leading-blank-line"]),
            ("A: 1\nno field\nB: 2\n\nx", vec!["a", "b"], "x", vec!["header-stray-line"]),
            ("A: 1\nDear all,\nhello\n", vec!["a"], "Dear all,\nhello\n", vec!["header-no-blank-line"]),
            ("just text", vec![], "just text", vec!["header-no-blank-line"]),
            ("A: 1\n folded\n\tagain\n\n", vec!["a"], "", vec![]),
            ("A: 1", vec!["a"], "", vec![]),
            ("", vec![], "", vec![]),
            ("\n\n", vec![], "", vec!["header-leading-blank-line"]),
        ] {
            let block = split(raw.as_bytes(), true, LIMITS);
            assert_eq!(block.fields.iter().map(Field::lower_name).collect::<Vec<_>>(), names, "{raw:?}");
            assert_eq!(raw.get(block.body..), Some(body), "{raw:?}");
            assert_eq!(block.defects, defects, "{raw:?}");
        }
    }

    #[test]
    fn limits_keep_the_body_offset() {
        let raw = format!("{}\n\nbody", "A: 1\n".repeat(500).trim_end());
        let block = split(raw.as_bytes(), true, LIMITS);
        assert_eq!(block.fields.len(), 10);
        assert_eq!(raw.get(block.body..), Some("body"));
        assert_eq!(block.defects, ["header-too-many-fields", "header-too-long"]);
    }

    #[test]
    fn folds_and_nuls_are_taken_out() {
        let block = split(b"A: 1\r\n\t2\0 3\r\n\r\n", true, LIMITS);
        assert_eq!(block.first("a").unwrap().unfolded(), b" 1\t2 3");
    }
}
