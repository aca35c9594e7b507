//! HTML of a mail: as readable text, and made safe to show.
//!
//! Both walk a tree that the mail shapes, with costs that grow with depth times size; so hostile shapes are met before
//! the tree is built and read by [`stripped`] instead, which only drops tags.

use std::{borrow::Cow, collections::HashSet, panic::catch_unwind};

use ammonia::{Builder, UrlRelative};
use html2text::render::TextDecorator;

/// Largest HTML laid out, in octets: chosen, not measured.
const LAID_OUT_OCTETS_MAX: usize = 4 * 1024 * 1024;
/// Deepest nesting laid out: chosen so that layout costs stay small, not measured on real threads.
const DEPTH_MAX: usize = 512;
/// Wide enough that no written line is wrapped; html2text needs a width.
const LINE_COLUMNS: usize = 2_000;

/// Marks around a link's target until it is known whether the text says it already (private use).
const LINK: [char; 2] = ['\u{F8FD}', '\u{F8FE}'];

/// Put before a remote image's address by the attribute filter, which can't rename; then taken away with the name.
/// Quotes are escaped inside attributes, so this text can't be forged from within one.
const REMOTE_SCHEME: &str = "x-postern-remote:";
const REMOTE_SRC: &str = " src=\"x-postern-remote:";

const VOID_ELEMENTS: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "o:p"];

/// Writes tags as plain text: quotes as `>`, items as `*`, links with their target after them.
#[derive(Default)]
struct PlainText {
    targets: Vec<String>,
}

impl TextDecorator for PlainText {
    type Annotation = ();

    fn decorate_link_start(&mut self, url: &str) -> (String, Self::Annotation) {
        self.targets.push(url.trim().replace(LINK, ""));
        (String::new(), ())
    }

    fn decorate_link_end(&mut self) -> String {
        let target = self.targets.pop().unwrap_or_default();
        let shown = ["http://", "https://", "mailto:", "tel:"].iter().any(|scheme| target.starts_with(scheme));
        if shown { format!("{}{target}{}", LINK[0], LINK[1]) } else { String::new() }
    }

    fn decorate_em_start(&self) -> (String, Self::Annotation) {
        (String::new(), ())
    }

    fn decorate_em_end(&self) -> String {
        String::new()
    }

    fn decorate_strong_start(&self) -> (String, Self::Annotation) {
        (String::new(), ())
    }

    fn decorate_strong_end(&self) -> String {
        String::new()
    }

    fn decorate_strikeout_start(&self) -> (String, Self::Annotation) {
        (String::new(), ())
    }

    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }

    fn decorate_code_start(&self) -> (String, Self::Annotation) {
        (String::new(), ())
    }

    fn decorate_code_end(&self) -> String {
        String::new()
    }

    fn decorate_preformat_first(&self) -> Self::Annotation {}

    fn decorate_preformat_cont(&self) -> Self::Annotation {}

    fn decorate_image(&mut self, _src: &str, title: &str) -> (String, Self::Annotation) {
        (title.to_owned(), ())
    }

    fn header_prefix(&self, _level: usize) -> String {
        String::new()
    }

    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }

    fn unordered_item_prefix(&self) -> String {
        "* ".to_owned()
    }

    fn ordered_item_prefix(&self, i: i64) -> String {
        format!("{i}. ")
    }

    fn decorate_superscript_start(&self) -> (String, Self::Annotation) {
        (String::new(), ())
    }

    fn decorate_superscript_end(&self) -> String {
        String::new()
    }

    fn make_subblock_decorator(&self) -> Self {
        Self::default()
    }
}

/// Readable text. The slug says that the HTML was too large or too deep to be laid out.
pub(crate) fn to_text(html: &str) -> (String, Option<&'static str>) {
    if let Some(slug) = too_much(html) {
        return (stripped(html), Some(slug));
    }
    let ruled = with_rules(html);
    let laid_out = catch_unwind(|| {
        html2text::config::with_decorator(PlainText::default())
            .raw_mode(true)
            .no_link_wrapping()
            .allow_width_overflow()
            .string_from_read(ruled.as_bytes(), LINE_COLUMNS)
    });
    match laid_out {
        Ok(Ok(text)) => (tidy(&with_links(&text)), None),
        _ => (stripped(html), Some("html-unreadable")),
    }
}

/// Rules become the line of underscores that Outlook writes in text: html2text would draw them as wide as its page.
fn with_rules(html: &str) -> Cow<'_, str> {
    if !html.as_bytes().windows(3).any(|window| window.eq_ignore_ascii_case(b"<hr")) {
        return Cow::Borrowed(html);
    }
    html.replace("<hr", "<p>________________________________</p><br")
        .replace("<HR", "<p>________________________________</p><br")
        .into()
}

/// Writes a link's target after its text, unless the text is the target.
fn with_links(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut pieces = text.split(LINK[0]);
    written.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (target, after) = piece.split_once(LINK[1]).unwrap_or(("", piece));
        let bare = |url: &str| -> String {
            let url =
                ["mailto:", "tel:", "https://", "http://", "www."].iter().fold(url, |u, s| u.trim_start_matches(s));
            url.trim_end_matches('/').to_ascii_lowercase()
        };
        let said = written.split_whitespace().next_back().map(bare).unwrap_or_default();
        if !target.is_empty() && !bare(target).ends_with(&said) || said.is_empty() {
            written.push_str(" <");
            written.push_str(target);
            written.push('>');
        }
        written.push_str(after);
    }
    written
}

/// Without trailing blanks, without runs of empty lines, hard spaces as spaces.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut empty = 0_usize;
    for line in text.lines() {
        let line = line.replace(['\u{A0}', '\u{200B}', '\u{FEFF}'], " ");
        let line = line.trim_end();
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            tidied.push_str(line);
            tidied.push('\n');
        }
    }
    tidied.trim_matches('\n').to_owned()
}

/// Why the HTML is not laid out: its size, or the number of elements open at once. Elements whose end tag may be
/// left out count too, generously.
fn too_much(html: &str) -> Option<&'static str> {
    if html.len() > LAID_OUT_OCTETS_MAX {
        return Some("html-too-large");
    }
    let mut depth = 0_usize;
    for tag in html.split('<').skip(1) {
        let closing = tag.starts_with('/');
        let name = tag.trim_start_matches('/').split(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).next();
        let name = name.unwrap_or_default();
        let is_tag = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !is_tag || VOID_ELEMENTS.iter().any(|void| name.eq_ignore_ascii_case(void)) {
            continue;
        }
        // An unclosed `<p>` or `<li>` is closed by the next one.
        let optional_end =
            ["p", "li", "td", "tr", "th", "dd", "dt", "option"].iter().any(|o| name.eq_ignore_ascii_case(o));
        if closing && !optional_end {
            depth = depth.saturating_sub(1);
        } else if !closing && !optional_end {
            depth += 1;
        }
        if depth > DEPTH_MAX {
            return Some("html-too-deep");
        }
    }
    // Depth by optional-end elements alone: tables in tables, lists in lists. Their containers are counted above.
    None
}

/// The text between the tags, entities of the basic set decoded; scripts and styles left out. Linear.
fn stripped(html: &str) -> String {
    let mut text = String::new();
    let mut hidden = false;
    for (n, piece) in html.split('<').enumerate() {
        let (tag, after) = if n == 0 { ("", piece) } else { piece.split_once('>').unwrap_or((piece, "")) };
        let name = tag.split(|c: char| c.is_whitespace()).next().unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "script" | "style" | "title" => hidden = true,
            "/script" | "/style" | "/title" => hidden = false,
            "br" | "br/" | "/p" | "/div" | "/tr" | "/li" | "/h1" | "/h2" | "/h3" => text.push('\n'),
            _ => {}
        }
        if !hidden {
            text.push_str(after);
        }
    }
    let entities = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    tidy(&entities.iter().fold(text, |text, (entity, means)| text.replace(entity, means)))
}

/// Safe to show beside other content: an allow-list of tags and attributes, nothing that runs, loads or submits.
/// Remote images wait in `data-src` until a reader asks for them: loading one tells the sender who reads.
pub(crate) fn sanitised(html: &str) -> String {
    if too_much(html).is_some() {
        return format!("<pre>{}</pre>", ammonia::clean_text(&stripped(html)));
    }
    let cleaned = catch_unwind(|| builder().clean(html).to_string().replace(REMOTE_SRC, " data-src=\""));
    cleaned.unwrap_or_else(|_| format!("<pre>{}</pre>", ammonia::clean_text(&stripped(html))))
}

fn builder() -> Builder<'static> {
    let mut builder = Builder::default();
    builder
        .add_tags(["font"])
        // What stands in these is not text of the mail.
        .add_clean_content_tags(["head", "title", "object", "template", "noscript", "iframe", "svg", "math"])
        .add_tag_attributes("font", ["color", "face", "size"])
        .add_tag_attributes("table", ["border", "cellpadding", "cellspacing", "width"])
        .add_generic_attributes(["align", "valign", "bgcolor", "dir"])
        .url_schemes(HashSet::from(["http", "https", "mailto", "cid", "tel"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer"))
        .attribute_filter(|element, attribute, value| match (element, attribute) {
            ("img", "src") if value.trim_start().get(..4).is_some_and(|s| s.eq_ignore_ascii_case("cid:")) => {
                Some(value.into())
            }
            ("img", "src") => Some(format!("{REMOTE_SCHEME}{value}").into()),
            _ => Some(value.into()),
        });
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_lines() {
        for (html, expected) in [
            ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
            ("<div>a</div><div>b &amp; c</div>", "a\nb & c"),
            ("<style>p{}</style><script>x()</script><p>shown</p>", "shown"),
            ("<a href=\"https://x.example/y\">here</a>", "here <https://x.example/y>"),
            ("<a href=\"https://x.example/\">x.example</a>", "x.example"),
            ("<a href=\"mailto:a@x.example\">a@x.example</a>", "a@x.example"),
            ("<blockquote>quoted</blockquote>", "> quoted"),
            ("<table><tr><td>a</td><td>b</td></tr></table>", "a\nb"),
            ("no tags", "no tags"),
            ("", ""),
        ] {
            assert_eq!(to_text(html), (expected.to_owned(), None), "{html:?}");
        }
    }

    #[test]
    fn hostile_html_is_only_stripped() {
        let deep = format!("{}text", "<div>".repeat(100_000));
        assert_eq!(to_text(&deep), ("text".to_owned(), Some("html-too-deep")));
        assert_eq!(sanitised(&deep), "<pre>text</pre>");
        let large = format!("a<script>b</script>{}", "<br>".repeat(LAID_OUT_OCTETS_MAX / 4 + 1));
        assert_eq!(to_text(&large), ("a".to_owned(), Some("html-too-large")));
    }

    #[test]
    fn nothing_active_survives() {
        for (html, expected) in [
            ("<p onclick=\"x()\">a</p>", "<p>a</p>"),
            ("<script>x()</script>a<style>b{}</style>", "a"),
            ("<form action=\"http://x\"><input name=\"a\"></form>", ""),
            ("<a href=\"javascript:x()\">a</a>", "<a rel=\"noopener noreferrer\">a</a>"),
            ("<a href=\"data:text/html,x\">a</a>", "<a rel=\"noopener noreferrer\">a</a>"),
            ("<a href=\"https://x.example\">a</a>", "<a href=\"https://x.example\" rel=\"noopener noreferrer\">a</a>"),
            ("<img src=\"https://x.example/pixel.gif\">", "<img data-src=\"https://x.example/pixel.gif\">"),
            ("<img src=\"cid:logo@x\">", "<img src=\"cid:logo@x\">"),
            ("<img src=\"file:///etc/passwd\">", "<img>"),
            ("<iframe src=\"https://x\">a</iframe><object data=\"x\"></object>", ""),
            ("<img data-src=\"javascript:x()\">", "<img>"),
            ("<svg><script>x()</script></svg>b", "b"),
            ("<p style=\"background:url(http://x)\">a</p>", "<p>a</p>"),
        ] {
            assert_eq!(sanitised(html), expected, "{html:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn html_never_panics(html in "[<>/a-z\"'= &;!\\-]{0,300}") {
            let (_, _) = to_text(&html);
            let clean = sanitised(&html);
            proptest::prop_assert!(!clean.contains("<script"));
        }
    }
}
