//! HTML of a mail: as readable text, and made safe to show.
//!
//! Both read the same tokens with a stack of their own ([`tokens`]), never a tree of the mail's making: their cost grows
//! with the octets and their memory is bounded, whatever shape the HTML has.

mod allowed;
mod entities;
mod links;
mod page;
mod safe;
mod sources;
mod style;
mod text;
mod tokens;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod clients;

use std::panic::catch_unwind;

use super::Attachment;

/// Readable text: the lines a person would see. The slug says that elements were nested deeper than is followed; their
/// words are there.
pub(crate) fn to_text(html: &str) -> (String, Option<&'static str>) {
    let (text, too_deep) = text::read(html);
    (text, too_deep.then_some("html-too-deep"))
}

/// Safe to show beside other content: an allow-list of elements, attributes and styles, nothing that runs, loads or
/// submits. Remote images wait in `data-src` (`data-srcset`, `data-background`) until a reader asks for them: loading
/// one tells the sender who reads. Images of the mail itself carry their attachment's SHA-256 in
/// `data-postern-attachment`; one that refers to nothing has neither.
pub(crate) fn sanitised(html: &str, attachments: &[Attachment]) -> String {
    let attached = sources::Attached::new(attachments);
    let rewritten = safe::rewritten(html, &attached);
    // A fault in the parser costs the looks, not the words.
    catch_unwind(std::panic::AssertUnwindSafe(|| allowed::cleaned(&rewritten, &attached)))
        .unwrap_or_else(|_| format!("<pre>{}</pre>", ammonia::clean_text(&text::read(html).0)))
}

/// Which of the open elements, innermost first, an end tag closes: one of its name, but never past the table or the cell that
/// it stands in.
fn closed_by<'a>(name: &str, in_table: bool, open: impl Iterator<Item = (usize, &'a str)>) -> Option<usize> {
    for (at, element) in open {
        if element == name {
            return Some(at);
        }
        if element == "table" || !in_table && matches!(element, "td" | "th") {
            return None;
        }
    }
    None
}

/// True where text says itself that it is an HTML document, whatever its label says.
pub(crate) fn is_document(text: &str) -> bool {
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}');
    let start: String = start.chars().take(14).collect::<String>().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html>") || start.starts_with("<html ")
}
