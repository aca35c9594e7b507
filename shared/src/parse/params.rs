//! Structured MIME fields: a value and its parameters (RFC 2045 section 5.1, RFC 2231), as mailers write them.
//!
//! Unquoted file names with blanks and parentheses, raw octets, RFC 2047 words where RFC 2231 belongs, continuations
//! out of order, quotes inside quotes: all seen, all read.

use crate::{
    headers::{fields::octets_as_text, words},
    parse::{charset, transfer},
};

/// Parameters kept of one field.
const PARAMS_MAX: usize = 64;
/// Octets of one field looked at.
const FIELD_OCTETS_MAX: usize = 64 * 1024;

/// A field like Content-Type or Content-Disposition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Structured {
    /// The value before the first semicolon, lower case, without white space and comments.
    pub(crate) value: String,
    params: Vec<(String, String)>,
}

/// One `name*n*=` segment.
struct Segment {
    name: String,
    index: u32,
    percent: bool,
    octets: Vec<u8>,
}

impl Structured {
    /// The parameter of that name (lower case), decoded.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Reads an unfolded field value.
    pub(crate) fn parse(field: &[u8]) -> Self {
        let field = field.get(..FIELD_OCTETS_MAX).unwrap_or(field);
        let at = field.iter().position(|octet| *octet == b';').unwrap_or(field.len());
        let (value, mut rest) = field.split_at(at);
        let value = octets_as_text(value);
        let bare = value.split('(').next().unwrap_or_default().trim().trim_matches('"');
        let value: String = bare.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
        let (mut params, mut segments): (Vec<(String, String)>, Vec<Segment>) = (Vec::new(), Vec::new());
        while params.len() + segments.len() < PARAMS_MAX {
            let Some(after) = skip_to_name(rest) else { break };
            let (name, octets, beyond) = param(after);
            rest = beyond;
            match segment(&name, octets) {
                Ok(found) => segments.push(found),
                Err(octets) => {
                    if !name.is_empty() && !params.iter().any(|(n, _)| *n == name) {
                        params.push((name, words::decode(&octets_as_text(&octets))));
                    }
                }
            }
        }
        for (name, value) in join(segments) {
            // RFC 2231 wins over the plain form that older readers get.
            params.retain(|(n, _)| *n != name);
            params.push((name, value));
        }
        Self { value, params }
    }
}

/// What follows the semicolons and blanks; `None` at the end.
fn skip_to_name(rest: &[u8]) -> Option<&[u8]> {
    let at = rest.iter().position(|octet| !octet.is_ascii_whitespace() && *octet != b';')?;
    rest.get(at..)
}

/// Name (lower case), value octets, rest of the field.
fn param(text: &[u8]) -> (String, Vec<u8>, &[u8]) {
    let stop = text.iter().position(|octet| matches!(octet, b'=' | b';')).unwrap_or(text.len());
    let (name, after) = text.split_at(stop);
    let name = octets_as_text(name.trim_ascii()).to_ascii_lowercase();
    let Some(value) = after.strip_prefix(b"=") else { return (String::new(), Vec::new(), after) };
    let value = value.trim_ascii_start();
    if let Some(quoted) = value.strip_prefix(b"\"") {
        let (octets, rest) = quoted_value(quoted);
        return (name, octets, rest);
    }
    let end = value.iter().position(|octet| *octet == b';').unwrap_or(value.len());
    let (bare, rest) = value.split_at(end);
    let bare = bare.trim_ascii();
    // Blanks and parentheses belong to unquoted file names (older Eudora, PHP scripts), elsewhere a comment follows.
    let is_name = name.starts_with("name") || name.starts_with("filename");
    let word = bare.split(u8::is_ascii_whitespace).next().unwrap_or(bare);
    (name, if is_name { bare } else { word }.to_vec(), rest)
}

/// A quoted value: the quote that ends it is followed by a semicolon, by the end, or by another parameter.
fn quoted_value(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some((octet, after)) = rest.split_first() {
        rest = after;
        match (octet, after.first()) {
            (b'\\', Some(escaped @ (b'"' | b'\\'))) => {
                octets.push(*escaped);
                rest = after.get(1..).unwrap_or_default();
            }
            (b'"', _) if ends_value(after) => break,
            _ => octets.push(*octet),
        }
    }
    (octets, rest)
}

fn ends_value(after: &[u8]) -> bool {
    let next = after.trim_ascii_start();
    match next.first() {
        None | Some(b';' | b'(') => true,
        Some(_) => {
            let token = next.iter().take(40).position(|octet| !octet.is_ascii_alphanumeric() && *octet != b'*');
            token.is_some_and(|at| at > 0 && next.get(at) == Some(&b'='))
        }
    }
}

/// Reads `name*`, `name*0`, `name*0*`; gives the octets back where the name is plain.
fn segment(name: &str, octets: Vec<u8>) -> Result<Segment, Vec<u8>> {
    let Some((base, tail)) = name.split_once('*') else { return Err(octets) };
    let (index, percent) = match tail.strip_suffix('*') {
        Some(index) => (index, true),
        None => (tail, tail.is_empty()),
    };
    let index = if index.is_empty() { Some(0) } else { index.parse().ok() };
    match index {
        Some(index) => Ok(Segment { name: base.to_owned(), index, percent, octets }),
        None => Err(octets),
    }
}

/// Joins the segments of each name and decodes them at once: a character may be split between two of them.
fn join(mut segments: Vec<Segment>) -> Vec<(String, String)> {
    segments.sort_by(|a, b| a.name.cmp(&b.name).then(a.index.cmp(&b.index)));
    let mut joined = Vec::new();
    for group in segments.chunk_by(|a, b| a.name == b.name) {
        let Some(first) = group.first() else { continue };
        let (mut octets, mut label) = (Vec::new(), None);
        for (n, segment) in group.iter().enumerate() {
            let mut text = segment.octets.as_slice();
            if n == 0 && segment.percent {
                let mut parts = text.splitn(3, |octet| *octet == b'\'');
                if let (Some(charset), Some(_language), Some(rest)) = (parts.next(), parts.next(), parts.next()) {
                    label = Some(octets_as_text(charset).into_owned()).filter(|label| !label.is_empty());
                    text = rest;
                }
            }
            if segment.percent { percent_decode(text, &mut octets) } else { octets.extend_from_slice(text) }
        }
        let text = charset::decode(&octets, label.as_deref()).text;
        joined.push((first.name.clone(), if text.contains("=?") { words::decode(&text) } else { text }));
    }
    joined
}

fn percent_decode(text: &[u8], octets: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((octet, after)) = rest.split_first() {
        rest = after;
        match (octet, after) {
            (b'%', [high, low, beyond @ ..]) if transfer::hex_octet(*high, *low).is_some() => {
                octets.extend(transfer::hex_octet(*high, *low));
                rest = beyond;
            }
            _ => octets.push(*octet),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_as_mailers_write_them() {
        for (field, value, name, expected) in [
            ("Text/Plain; charset=utf-8", "text/plain", "charset", Some("utf-8")),
            ("text/plain; charset=us-ascii (Plain text)", "text/plain", "charset", Some("us-ascii")),
            ("text/plain (comment) ; CharSet = \"utf-8\" ", "text/plain", "charset", Some("utf-8")),
            ("a/b;; name=two words (1).pdf; x=y", "a/b", "name", Some("two words (1).pdf")),
            ("a/b; name=\"semi;colon \\\"q\\\".txt\"", "a/b", "name", Some("semi;colon \"q\".txt")),
            ("a/b; name=\"C:\\dir\\file.txt\"", "a/b", "name", Some("C:\\dir\\file.txt")),
            ("a/b; name=\"an \"inner\" quote.txt\"", "a/b", "name", Some("an \"inner\" quote.txt")),
            ("a/b; name=\"x\" filename=\"y\"", "a/b", "filename", Some("y")),
            ("a/b; name=\"unterminated", "a/b", "name", Some("unterminated")),
            ("a/b; name*=utf-8''%C3%BC.txt; name=plain", "a/b", "name", Some("ü.txt")),
            ("a/b; name*1*=%BC.txt; name*0*=utf-8''%C3", "a/b", "name", Some("ü.txt")),
            ("a/b; name*0=one; name*1=\" two\"", "a/b", "name", Some("one two")),
            ("a/b; name=\"=?utf-8?Q?=C3=BC.txt?=\"", "a/b", "name", Some("ü.txt")),
            ("a/b; name=\"gr\u{fc}n\"", "a/b", "name", Some("grün")),
            ("a/b; name*x=1", "a/b", "name", None),
            ("", "", "name", None),
            (";;;=;=", "", "name", None),
        ] {
            let read = Structured::parse(field.as_bytes());
            assert_eq!((read.value.as_str(), read.param(name)), (value, expected), "{field:?}");
        }
    }

    #[test]
    fn many_parameters_cost_a_fixed_amount() {
        let _ = Structured::parse(format!("a/b{}", "; name*0*=x".repeat(100_000)).as_bytes());
        let _ = Structured::parse(format!("a/b; name=\"{}", "\" ".repeat(100_000)).as_bytes());
    }
}
