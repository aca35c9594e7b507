//! The text of a mail: which leaves are its body, how their characters were read, what a person would see.

use std::borrow::Cow;

use super::{
    CharsetUse, charset, html,
    mime::{Part, PartKind, Tree},
    transfer,
};

/// Octets of one text part that are read as text; the rest stays in the raw.
const TEXT_OCTETS_MAX: usize = 16 * 1024 * 1024;

/// What the body leaves say.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) text: String,
    pub(crate) html: Option<String>,
    pub(crate) charsets: Vec<CharsetUse>,
    pub(crate) defects: Vec<&'static str>,
    /// Indexes of the leaves read here; all others are attachments.
    pub(crate) leaves: Vec<usize>,
}

/// One body leaf, read.
struct TextLeaf {
    is_html: bool,
    /// The outermost multipart/alternative it stands in.
    alternative: Option<usize>,
    text: String,
}

/// Reads the body leaves of the mail itself; attached messages keep theirs.
pub(crate) fn read(tree: &Tree<'_>) -> Body {
    let mut body = Body::default();
    let mut leaves = Vec::new();
    for (index, part) in tree.parts.iter().enumerate() {
        if !is_body(tree, index, part) {
            continue;
        }
        body.leaves.push(index);
        let octets = decoded(part, &mut body.defects);
        let declared = part.content_type.param("charset").map(str::to_owned);
        let read = charset::decode(&octets, declared.as_deref());
        body.charsets.push(CharsetUse { part: index, declared, used: read.used, replaced: read.replaced });
        let text = readable(&read.text);
        let is_html = part.content_type.value == "text/html";
        leaves.push(TextLeaf { is_html, alternative: alternative(tree, part), text });
    }
    let htmls: Vec<&str> = leaves.iter().filter(|leaf| leaf.is_html).map(|leaf| leaf.text.as_str()).collect();
    body.html = (!htmls.is_empty()).then(|| htmls.join("\n"));
    body.text = text(&leaves, &mut body.defects);
    if body.text.is_empty() {
        body.text = inline_file_text(tree, &mut body.defects).unwrap_or_default();
    }
    body
}

/// A mail that is nothing but a text file shown inline (Netscape sends dropped files so): the file is its text too.
fn inline_file_text(tree: &Tree<'_>, defects: &mut Vec<&'static str>) -> Option<String> {
    let part = tree.parts.iter().find(|part| {
        let inline = part.disposition.as_ref().is_some_and(|d| d.value == "inline");
        inline && part.kind == PartKind::Leaf && part.message.is_none() && part.content_type.value == "text/plain"
    })?;
    let octets = decoded(part, defects);
    Some(readable(&charset::decode(&octets, part.content_type.param("charset")).text))
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

/// Text that is shown as the mail: plain or HTML, not in an attached message, not a file.
fn is_body(tree: &Tree<'_>, index: usize, part: &Part<'_>) -> bool {
    let is_text = matches!(part.content_type.value.as_str(), "text/plain" | "text/html");
    if part.kind != PartKind::Leaf || part.message.is_some() || !is_text {
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

/// Joins the leaves in their order. Of an alternative the plain text is taken, unless it is blank and the HTML is not.
fn text(leaves: &[TextLeaf], defects: &mut Vec<&'static str>) -> String {
    let plain_wins = |alternative: usize| {
        let mut plain = leaves.iter().filter(|leaf| !leaf.is_html && leaf.alternative == Some(alternative));
        plain.any(|leaf| !leaf.text.trim().is_empty())
    };
    let mut pieces: Vec<String> = Vec::new();
    for leaf in leaves {
        if !leaf.is_html {
            pieces.push(leaf.text.clone());
            continue;
        }
        if leaf.alternative.is_some_and(plain_wins) {
            continue;
        }
        let (converted, defect) = html::to_text(&leaf.text);
        defects.extend(defect);
        // Plain text and its own HTML side by side in a multipart/mixed, as some scripts send.
        if leaf.alternative.is_some() || !pieces.iter().any(|piece| same_words(piece, &converted)) {
            pieces.push(converted);
        }
    }
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces.iter().map(|piece| piece.trim_matches('\n')).collect::<Vec<_>>().join("\n\n").trim_end().to_owned()
}

fn same_words(a: &str, b: &str) -> bool {
    a.chars().filter(|c| !c.is_whitespace()).eq(b.chars().filter(|c| !c.is_whitespace()))
}
