//! The tree of MIME entities (RFC 2046), as a flat list in the order they stand in.
//!
//! One pass over the lines with a stack of open multiparts and attached messages: cost is linear and depth is bounded
//! whatever the mail says. (mail-parser's own tree walk recurses through attached messages, when it drops them and
//! where they are encoded, and searches to the end for each boundary that never comes; so only fields are read by it.)
//! Any boundary of an open multipart ends what stands in it, as RFC 2046 section 5.1.2 asks.

use std::collections::HashMap;

use memchr::memmem;

use super::params::Structured;
use crate::headers::{
    fields::{self, Block, Limits},
    words,
};

/// Multiparts and attached messages within one another; 100 levels must still be read.
pub(crate) const DEPTH_MAX: usize = 128;
/// Entities told apart; the rest of the message is one leaf.
pub(crate) const PARTS_MAX: usize = 20_000;
/// Searches through the rest of the mail for boundaries that end in blanks: more would make nested ones quadratic.
const BLANKS_SOUGHT_MAX: usize = 8;
/// What is kept of one entity's header.
const ENTITY_LIMITS: Limits = Limits { octets: 512 * 1024, fields: 2_000 };

/// What an entity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartKind {
    /// Holds parts.
    Multipart,
    /// An attached message in the clear: the part after it is its root.
    Message,
    /// Holds octets.
    Leaf,
}

/// One entity.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub(crate) kind: PartKind,
    /// Index of the multipart or message it stands in.
    pub(crate) parent: Option<usize>,
    /// Index of the attached message it belongs to; `None` = the mail itself.
    pub(crate) message: Option<usize>,
    /// Content-Type, the RFC's default filled in.
    pub(crate) content_type: Structured,
    pub(crate) disposition: Option<Structured>,
    /// Content-Transfer-Encoding as written.
    pub(crate) encoding: String,
    pub(crate) content_id: Option<String>,
    /// Content-Description, decoded.
    pub(crate) description: Option<String>,
    /// Octets as they stand, still encoded.
    pub(crate) body: &'a [u8],
}

/// All entities and what was wrong.
#[derive(Debug, Default)]
pub(crate) struct Tree<'a> {
    pub(crate) parts: Vec<Part<'a>>,
    pub(crate) defects: Vec<&'static str>,
}

/// An open container.
struct Frame {
    part: usize,
    /// Where its body begins.
    start: usize,
    /// `None` for an attached message.
    boundary: Option<Vec<u8>>,
    /// True once its boundary was met.
    met: bool,
}

/// A boundary line.
struct Delimiter {
    /// End of the content before it.
    content_end: usize,
    /// Start of the line after it.
    next: usize,
    frame: usize,
    closing: bool,
}

struct Walk<'a> {
    octets: &'a [u8],
    tree: Tree<'a>,
    frames: Vec<Frame>,
    /// Boundary to the frames that use it, innermost last.
    boundaries: HashMap<Vec<u8>, Vec<usize>>,
    /// Searches for boundaries that end in blanks.
    blanks_sought: usize,
}

/// Reads the tree. There is always at least one part.
pub(crate) fn tree(octets: &[u8]) -> Tree<'_> {
    let mut walk =
        Walk { octets, tree: Tree::default(), frames: Vec::new(), boundaries: HashMap::new(), blanks_sought: 0 };
    let mut at = Some(0);
    while let Some(start) = at {
        at = walk.entity(start);
    }
    walk.close_frames(0, octets.len());
    walk.tree
}

impl<'a> Walk<'a> {
    fn defect(&mut self, slug: &'static str) {
        if !self.tree.defects.contains(&slug) {
            self.tree.defects.push(slug);
        }
    }

    /// Reads one entity at `start`; says where the next begins.
    fn entity(&mut self, start: usize) -> Option<usize> {
        let octets = self.octets;
        let rest = octets.get(start..).unwrap_or_default();
        let in_message = self.frames.last().is_none_or(|frame| frame.boundary.is_none());
        let block = fields::split_until(rest, in_message, ENTITY_LIMITS, |line| self.boundary(line).is_some());
        let body = start + block.body;
        let full = self.tree.parts.len() + 1 >= PARTS_MAX;
        let index = self.add(&block, full);
        if full {
            self.defect("part-limit");
            self.set_body(index, body, octets.len());
            return None;
        }
        match self.tree.parts.get(index).map_or(PartKind::Leaf, |part| part.kind) {
            PartKind::Message => {
                self.frames.push(Frame { part: index, start: body, boundary: None, met: true });
                return Some(body);
            }
            PartKind::Multipart => self.open_multipart(index, body),
            PartKind::Leaf => {}
        }
        self.after(index, body)
    }

    /// Adds the part that a header block describes and decides what it is.
    fn add(&mut self, block: &Block<'_>, leaf_only: bool) -> usize {
        let index = self.tree.parts.len();
        let parent = self.frames.last().map(|frame| frame.part);
        let message = self.frames.iter().rfind(|frame| frame.boundary.is_none()).map(|frame| frame.part);
        let in_digest =
            parent.and_then(|p| self.tree.parts.get(p)).is_some_and(|p| p.content_type.value == "multipart/digest");
        let structured = |name: &str| block.first(name).map(|field| Structured::parse(&field.unfolded()));
        let text = |name: &str| {
            let value = block.first(name).map(|field| fields::octets_as_text(&field.unfolded()).trim().to_owned());
            value.filter(|value| !value.is_empty())
        };
        let mut content_type = structured("content-type").unwrap_or_default();
        content_type.value = effective_type(&content_type.value, in_digest);
        let encoding = text("content-transfer-encoding").unwrap_or_default();
        let encoding = encoding.split([';', '(']).next().unwrap_or_default().trim().to_ascii_lowercase();
        let clear = !matches!(encoding.as_str(), "base64" | "quoted-printable" | "x-uuencode");
        let mut kind = match content_type.value.as_str() {
            "message/rfc822" | "message/global" if clear => PartKind::Message,
            value if value.starts_with("multipart/") => PartKind::Multipart,
            _ => PartKind::Leaf,
        };
        if kind != PartKind::Leaf && (leaf_only || self.frames.len() >= DEPTH_MAX) {
            self.defect("nesting-limit");
            kind = PartKind::Leaf;
        }
        if kind == PartKind::Multipart && content_type.param("boundary").is_none_or(|b| b.trim().is_empty()) {
            self.defect("boundary-missing");
            kind = PartKind::Leaf;
            "text/plain".clone_into(&mut content_type.value);
        }
        let content_id = text("content-id").map(|id| id.trim_matches(['<', '>', ' ']).to_owned());
        let disposition = structured("content-disposition");
        let description = text("content-description").map(|text| words::one_line(&words::decode(&text)));
        let part =
            Part { kind, parent, message, content_type, disposition, encoding, content_id, description, body: &[] };
        self.tree.parts.push(part);
        index
    }

    fn open_multipart(&mut self, index: usize, start: usize) {
        let declared = self.tree.parts.get(index).and_then(|part| part.content_type.param("boundary"));
        let declared = declared.unwrap_or_default();
        let trimmed = declared.trim_end();
        // RFC 2046 section 5.1.1: a boundary ends in no white space, and what stands behind it was added on the way. Some
        // mailers quote one that does; only where its lines do stand there are its blanks part of it.
        let blanks_count = trimmed.len() < declared.len() && self.blanks_sought < BLANKS_SOUGHT_MAX && {
            self.blanks_sought += 1;
            let rest = self.octets.get(start..).unwrap_or_default();
            memmem::find(rest, format!("--{declared}").as_bytes()).is_some()
        };
        let boundary = if blanks_count { declared } else { trimmed }.as_bytes().to_vec();
        self.boundaries.entry(boundary.clone()).or_default().push(self.frames.len());
        self.frames.push(Frame { part: index, start, boundary: Some(boundary), met: false });
    }

    /// Seeks the end of a leaf, or the first part of a multipart whose preamble begins at `body`.
    fn after(&mut self, index: usize, body: usize) -> Option<usize> {
        let mut from = body;
        let mut leaf = Some(index).filter(|i| self.tree.parts.get(*i).is_some_and(|p| p.kind == PartKind::Leaf));
        loop {
            let found = self.seek(from);
            let end = found.as_ref().map_or(self.octets.len(), |delimiter| delimiter.content_end.max(from));
            if let Some(leaf) = leaf.take() {
                self.set_body(leaf, body, end);
            }
            let delimiter = found?;
            self.close_frames(delimiter.frame + 1, end);
            if let Some(frame) = self.frames.get_mut(delimiter.frame) {
                frame.met = true;
            }
            if !delimiter.closing {
                return Some(delimiter.next);
            }
            self.close_frames(delimiter.frame, delimiter.next);
            from = delimiter.next;
        }
    }

    /// The next boundary line of any open multipart at or after `from`, which is the start of a line.
    fn seek(&self, from: usize) -> Option<Delimiter> {
        let mut at = from;
        while at < self.octets.len() {
            let (end, next) = fields::line_end(self.octets, at);
            let line = self.octets.get(at..end).unwrap_or_default();
            if let Some((frame, closing)) = self.boundary(line) {
                // RFC 2046 section 5.1.1: the line break before a delimiter belongs to the delimiter.
                let before = self.octets.get(..at).unwrap_or_default();
                let before = before.strip_suffix(b"\n").map_or(before, |b| b.strip_suffix(b"\r").unwrap_or(b));
                return Some(Delimiter { content_end: before.len(), next, frame, closing });
            }
            at = next;
        }
        None
    }

    /// Frame whose boundary this line is, and whether it closes it.
    ///
    /// The whole line decides; else what stands before its first blank does: RFC 2046 section 5.1.1 lets anything follow
    /// a boundary, but one boundary often begins like another (`b` and `b1`), so a blank must part them.
    fn boundary(&self, line: &[u8]) -> Option<(usize, bool)> {
        let whole = line.strip_prefix(b"--")?;
        let word = whole.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        [whole, whole.trim_ascii_end(), word].into_iter().filter(|text| !text.is_empty()).find_map(|text| {
            let innermost = |text: &[u8]| self.boundaries.get(text).and_then(|frames| frames.last().copied());
            let opening = innermost(text).map(|frame| (frame, false));
            opening.or_else(|| {
                let closed = text.strip_suffix(b"--")?;
                innermost(closed).or_else(|| innermost(closed.trim_ascii_end())).map(|frame| (frame, true))
            })
        })
    }

    /// Closes every frame from `keep` on; their content ends at `end`.
    fn close_frames(&mut self, keep: usize, end: usize) {
        while self.frames.len() > keep {
            let Some(frame) = self.frames.pop() else { return };
            if let Some(boundary) = &frame.boundary
                && let Some(users) = self.boundaries.get_mut(boundary)
            {
                users.pop();
                if users.is_empty() {
                    self.boundaries.remove(boundary);
                }
            }
            self.set_body(frame.part, frame.start, end);
            if !frame.met {
                self.defect("boundary-not-found");
                // Nothing but a preamble: somebody wrote it, so it is read as text.
                if let Some(part) = self.tree.parts.get_mut(frame.part) {
                    part.kind = PartKind::Leaf;
                    "text/plain".clone_into(&mut part.content_type.value);
                }
            }
        }
    }

    fn set_body(&mut self, index: usize, start: usize, end: usize) {
        let body = self.octets.get(start..end).unwrap_or_default();
        if let Some(part) = self.tree.parts.get_mut(index) {
            part.body = body;
        }
    }
}

/// RFC 2045 section 5.2: no type, or one that can't be read, is text/plain; RFC 2046 section 5.1.5: in a digest a
/// missing type is a message.
fn effective_type(written: &str, in_digest: bool) -> String {
    match written.split_once('/') {
        Some((main, sub)) if !main.is_empty() && !sub.is_empty() => written.to_owned(),
        _ if written.is_empty() && in_digest => "message/rfc822".to_owned(),
        _ if written == "html" => "text/html".to_owned(),
        _ => "text/plain".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `type@parent` and the body of every leaf.
    fn shape(raw: &str) -> Vec<String> {
        let tree = tree(raw.as_bytes());
        let each = tree.parts.iter().map(|part| {
            let body = if part.kind == PartKind::Leaf { String::from_utf8_lossy(part.body) } else { "".into() };
            format!("{}@{}:{body}", part.content_type.value, part.parent.map_or("-".into(), |p| p.to_string()))
        });
        each.collect()
    }

    #[test]
    fn shapes() {
        let multipart = "Content-Type: multipart/mixed; boundary=b\n\n";
        for (raw, expected) in [
            ("A: 1\n\nx\n".to_owned(), vec!["text/plain@-:x\n"]),
            (
                format!("{multipart}pre\n--b\n\none\n--b\n\ntwo\n--b--\npost"),
                vec!["multipart/mixed@-:", "text/plain@0:one", "text/plain@0:two"],
            ),
            (format!("{multipart}--b\r\n\r\none\r\n--b--\r\n"), vec!["multipart/mixed@-:", "text/plain@0:one"]),
            // Unterminated, an empty part, and no blank line after the part's header.
            (
                format!("{multipart}--b\n--b\nContent-Type: text/html\n--b\n\nx"),
                vec!["multipart/mixed@-:", "text/plain@0:", "text/html@0:", "text/plain@0:x"],
            ),
            (format!("{multipart}no boundary at all"), vec!["text/plain@-:no boundary at all"]),
            ("Content-Type: multipart/mixed\n\nx".to_owned(), vec!["text/plain@-:x"]),
            // The outer boundary ends an inner multipart that never ends.
            (
                format!("{multipart}--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nin\n--b\n\nout\n--b--"),
                vec!["multipart/mixed@-:", "multipart/mixed@0:", "text/plain@1:in", "text/plain@0:out"],
            ),
            // What follows a boundary on its line is no content; a boundary that only begins alike is.
            (
                format!("{multipart}--b ignored\n\none\n--b1\n--b-\n--b-- ignored\n--b\n"),
                vec!["multipart/mixed@-:", "text/plain@0:one\n--b1\n--b-"],
            ),
            // Blanks at the end of a boundary count where its lines have them, and only there.
            (
                "Content-Type: multipart/mixed; boundary=\"b \"\n\n--b \n\none\n--b\n--b --\n".to_owned(),
                vec!["multipart/mixed@-:", "text/plain@0:one\n--b"],
            ),
            (
                "Content-Type: multipart/mixed; boundary=\"b \"\n\n--b\n\none\n--b--\n".to_owned(),
                vec!["multipart/mixed@-:", "text/plain@0:one"],
            ),
            // An attached message, and a digest whose parts are messages without saying so.
            (
                format!("{multipart}--b\nContent-Type: message/rfc822\n\nSubject: s\n\nin\n--b--"),
                vec!["multipart/mixed@-:", "message/rfc822@0:", "text/plain@1:in"],
            ),
            (
                "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: s\n\nin\n--b--".to_owned(),
                vec!["multipart/digest@-:", "message/rfc822@0:", "text/plain@1:in"],
            ),
            ("garbage".to_owned(), vec!["text/plain@-:garbage"]),
            (String::new(), vec!["text/plain@-:"]),
        ] {
            assert_eq!(shape(&raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn hostile_shapes_are_bounded() {
        let level = "Content-Type: multipart/mixed; boundary=b\n\n--b\n";
        let unterminated: String =
            (0..20_000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")).collect();
        for (raw, defect) in [
            (level.repeat(10_000), "nesting-limit"),
            (unterminated, "nesting-limit"),
            ("Content-Type: message/rfc822\n\n".repeat(10_000), "nesting-limit"),
            (format!("{level}{}", "\nx\n--b\n".repeat(30_000)), "part-limit"),
        ] {
            let tree = tree(raw.as_bytes());
            assert!(tree.defects.contains(&defect), "{defect}");
            assert!(tree.parts.len() <= PARTS_MAX);
        }
    }
}
