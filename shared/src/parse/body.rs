//! The text of a mail: which leaves are its body, how their characters were read, what a person would see.

mod enriched;
mod flowed;
mod pgp;
mod stub;
#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use super::{
    CharsetUse, charset, html,
    mime::{Part, PartKind, Tree},
    transfer,
    uuencode::{self, Block},
};

/// Octets of one text part that are read as text; the rest stays in the raw.
const TEXT_OCTETS_MAX: usize = 16 * 1024 * 1024;

/// Pieces before a text that are compared with it: a repetition stands beside what it repeats.
const NEAR_PIECES: usize = 4;
/// Plain text that can be a stub, in octets: a note of some sentences.
const STUB_OCTETS_MAX: usize = 4_096;

/// What the body leaves say.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) text: String,
    pub(crate) html: Option<String>,
    pub(crate) charsets: Vec<CharsetUse>,
    pub(crate) defects: Vec<&'static str>,
    /// Indexes of the leaves read here; all others are attachments.
    pub(crate) leaves: Vec<usize>,
    /// Files that stood in the text.
    pub(crate) blocks: Vec<Block>,
}

impl Body {
    /// Takes a message that was wrapped up in a file, where the mail itself says nothing.
    pub(crate) fn or(&mut self, text: Option<String>, html: Option<String>) {
        if !is_blank(&self.text) || self.html.is_some() {
            return;
        }
        let read = text.map(|text| readable(&text)).or_else(|| html.as_deref().map(|html| html::to_text(html).0));
        self.text = read.unwrap_or_default().trim_end().to_owned();
        self.html = html;
    }
}

/// One body leaf, read.
struct TextLeaf {
    is_html: bool,
    /// The outermost multipart/alternative it stands in.
    alternative: Option<usize>,
    text: String,
}

/// How the octets of a text type become text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Markup {
    Plain,
    Html,
    Enriched,
    Richtext,
}

/// `None` = not a text that is shown as the mail.
fn markup(content_type: &str) -> Option<Markup> {
    match content_type {
        "text/plain" | "text/markdown" | "text/x-markdown" | "text/ascii" | "text/text" | "text/x-plain" => {
            Some(Markup::Plain)
        }
        "text/html" | "application/xhtml+xml" => Some(Markup::Html),
        "text/enriched" => Some(Markup::Enriched),
        "text/richtext" => Some(Markup::Richtext),
        _ => None,
    }
}

/// Reads the body leaves of the mail itself; attached messages keep theirs.
pub(crate) fn read(tree: &Tree<'_>) -> Body {
    let mut body = Body::default();
    let mut leaves = Vec::new();
    for (index, part) in tree.parts.iter().enumerate() {
        body.defects.extend(protection(part));
        if is_body(tree, index, part) {
            body.leaves.push(index);
            leaves.push(leaf(tree, index, part, &mut body));
        }
    }
    body.text = text(&leaves, &mut body.defects);
    // A text that has a name is a file, but it is all that the mail says (Netscape sends dropped files so, and some
    // scripts name their text): it is listed as a file and read as text.
    if body.text.trim().is_empty()
        && let Some((index, part)) = tree.parts.iter().enumerate().find(|(_, part)| is_named_text(part))
    {
        leaves.push(leaf(tree, index, part, &mut body));
        body.text = text(&leaves, &mut body.defects);
    }
    let htmls: Vec<&str> = leaves.iter().filter(|leaf| leaf.is_html).map(|leaf| leaf.text.as_str()).collect();
    body.html = (!htmls.is_empty()).then(|| htmls.join("\n"));
    body
}

/// `encrypted` and `signed` (RFC 1847, RFC 8551): so that a reader knows why there are no words, or that a signature
/// is there to be checked. Nothing is checked or decrypted here.
fn protection(part: &Part<'_>) -> Option<&'static str> {
    if part.message.is_some() {
        return None;
    }
    match part.content_type.value.as_str() {
        "multipart/signed" => Some("signed"),
        "multipart/encrypted" => Some("encrypted"),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
            let kind = part.content_type.param("smime-type").unwrap_or_default().to_ascii_lowercase();
            match kind.as_str() {
                "signed-data" => Some("signed"),
                "certs-only" | "compressed-data" => None,
                _ => Some("encrypted"),
            }
        }
        _ => None,
    }
}

fn is_named_text(part: &Part<'_>) -> bool {
    let shown = part.disposition.as_ref().is_none_or(|d| d.value != "attachment");
    shown && part.kind == PartKind::Leaf && part.message.is_none() && markup(&part.content_type.value).is_some()
}

/// Reads one leaf as text or HTML.
fn leaf(tree: &Tree<'_>, index: usize, part: &Part<'_>, body: &mut Body) -> TextLeaf {
    let octets = decoded(part, &mut body.defects);
    let declared = part.content_type.param("charset").map(str::to_owned);
    let read = charset::decode(&octets, declared.as_deref());
    body.charsets.push(CharsetUse { part: index, declared, used: read.used, replaced: read.replaced });
    let text = readable(&read.text);
    let mut markup = markup(&part.content_type.value).unwrap_or(Markup::Plain);
    // Scripts send whole documents without a type.
    if markup == Markup::Plain && html::is_document(&text) {
        markup = Markup::Html;
    }
    let text = match markup {
        Markup::Plain => plain(part, text, body),
        Markup::Html => text,
        Markup::Enriched => enriched::enriched(&text),
        Markup::Richtext => enriched::richtext(&text),
    };
    TextLeaf { is_html: markup == Markup::Html, alternative: alternative(tree, part), text }
}

fn plain(part: &Part<'_>, mut text: String, body: &mut Body) -> String {
    let is = |name: &str, value: &str| part.content_type.param(name).is_some_and(|v| v.eq_ignore_ascii_case(value));
    if let Some((left, blocks)) = uuencode::extract(&text) {
        text = left;
        body.blocks.extend(blocks);
    }
    let (text, slug) = pgp::read(&text);
    body.defects.extend(slug);
    if is("format", "flowed") { flowed::unflowed(&text, is("delsp", "yes")) } else { text }
}

/// One kind of line break, no NULs.
fn readable(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "")
}

fn decoded<'a>(part: &Part<'a>, defects: &mut Vec<&'static str>) -> Cow<'a, [u8]> {
    let (octets, defect) = transfer::decode(part.body, &part.encoding);
    defects.extend(defect);
    if octets.len() > TEXT_OCTETS_MAX {
        defects.push("text-too-long");
        return octets.get(..TEXT_OCTETS_MAX).unwrap_or_default().to_vec().into();
    }
    octets
}

/// Text that is shown as the mail: of a type that is read, not in an attached message, not a file.
fn is_body(tree: &Tree<'_>, index: usize, part: &Part<'_>) -> bool {
    if part.kind != PartKind::Leaf || part.message.is_some() || markup(&part.content_type.value).is_none() {
        return false;
    }
    let disposition = part.disposition.as_ref();
    let named = disposition.and_then(|d| d.param("filename")).or_else(|| part.content_type.param("name"));
    match disposition.map(|d| d.value.as_str()) {
        // A lone part marked as attachment without a name is still the mail (seen from scanners and fax gateways).
        Some("attachment") => index == 0 && named.is_none(),
        // Some mailers give their body a name; in a multipart/alternative it is the body all the same.
        _ => named.is_none() || index == 0 || alternative(tree, part).is_some(),
    }
}

fn alternative(tree: &Tree<'_>, part: &Part<'_>) -> Option<usize> {
    let mut found = None;
    let mut parent = part.parent;
    while let Some((index, above)) = parent.and_then(|index| tree.parts.get(index).map(|above| (index, above))) {
        if above.content_type.value == "multipart/alternative" {
            found = Some(index);
        }
        parent = above.parent;
    }
    found
}

/// Joins the leaves in their order. Of an alternative the plain text is taken, unless it is blank and the HTML is not,
/// or is a stub: then the HTML comes first.
fn text(leaves: &[TextLeaf], defects: &mut Vec<&'static str>) -> String {
    let htmls: HashSet<usize> = html_alternatives(leaves);
    let with_plain: HashSet<usize> = leaves.iter().filter(|leaf| !leaf.is_html).filter_map(said_in).collect();
    let mut pieces: Vec<String> = Vec::new();
    let mut notes: Vec<&str> = Vec::new();
    for leaf in leaves {
        let html_wins = leaf.alternative.is_some_and(|alternative| htmls.contains(&alternative));
        let (piece, defect) = match leaf.is_html {
            false if html_wins => {
                notes.push(&leaf.text);
                continue;
            }
            false => (leaf.text.clone(), None),
            true if !html_wins && leaf.alternative.is_some_and(|a| with_plain.contains(&a)) => continue,
            true => html::to_text(&leaf.text),
        };
        defects.extend(defect);
        // Plain text and its own HTML side by side in a multipart/mixed, as some scripts send, or the same text in two
        // charsets.
        let near = pieces.iter().rev().take(NEAR_PIECES);
        if !is_blank(&piece) && !near.into_iter().any(|before| same_words(before, &piece)) {
            pieces.push(piece);
        }
    }
    // What only the plain text says follows the HTML's: no word is lost by a guess.
    let said = stub::letters(&pieces.concat());
    let unsaid = notes.into_iter().take(NEAR_PIECES).filter(|note| !said.contains(&stub::letters(note)));
    pieces.extend(unsaid.map(str::to_owned));
    pieces.iter().map(|piece| piece.trim_matches('\n')).collect::<Vec<_>>().join("\n\n").trim_end().to_owned()
}

/// The alternative in which a leaf says something.
fn said_in(leaf: &TextLeaf) -> Option<usize> {
    leaf.alternative.filter(|_| !is_blank(&leaf.text))
}

/// Alternatives whose plain text is no text of its own: see [`stub::is_stub`].
fn html_alternatives(leaves: &[TextLeaf]) -> HashSet<usize> {
    let mut plain: HashMap<usize, String> = HashMap::new();
    for leaf in leaves.iter().filter(|leaf| !leaf.is_html) {
        if let Some(alternative) = said_in(leaf) {
            plain.entry(alternative).or_default().push_str(&leaf.text);
        }
    }
    let mut html: HashMap<usize, String> = HashMap::new();
    for leaf in leaves.iter().filter(|leaf| leaf.is_html) {
        // Only a short text can be one: of other mail the HTML is not laid out at all.
        let alternative = leaf.alternative.filter(|a| plain.get(a).is_some_and(|plain| plain.len() < STUB_OCTETS_MAX));
        if let Some(alternative) = alternative {
            html.entry(alternative).or_default().push_str(&html::to_text(&leaf.text).0);
        }
    }
    let stubs = html.iter().filter(|(a, html)| plain.get(a).is_some_and(|plain| stub::is_stub(plain, html)));
    stubs.map(|(alternative, _)| *alternative).collect()
}

/// Nothing that a person would see.
fn is_blank(text: &str) -> bool {
    let unseen =
        |c: char| matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}' | '\u{34F}' | '\u{180E}');
    text.chars().all(|c| c.is_whitespace() || c.is_control() || unseen(c))
}

fn same_words(a: &str, b: &str) -> bool {
    a.chars().filter(|c| !c.is_whitespace()).eq(b.chars().filter(|c| !c.is_whitespace()))
}
