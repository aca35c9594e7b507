//! HTML that is safe to show beside other content.
//!
//! In two steps. First the mail's HTML is written anew from its tokens: elements and attributes on a list only,
//! properly nested, with bounded depth and number, so that the tree built next is small and simple whatever the mail
//! says (misnested formatting and stray table content are what makes an HTML5 tree expensive, and what mutates between
//! two parsers). Then `ammonia` parses that and lets through what is on
//! the list once more ([`super::allowed`]).
//!
//! What loads something is kept but neutral: `data-src`, `data-srcset` and `data-background` hold remote addresses,
//! `data-postern-attachment` the SHA-256 of the attachment that an image shows.

use std::borrow::Cow;

use super::{
    allowed::{BLOCKS, DROPPED, INLINE, TABLES, VOID, checked},
    closed_by,
    sources::{self, Attached, Source},
    style,
    tokens::{Tag, Token, Tokens},
};

/// Elements within one another: more are flattened.
const DEPTH_MAX: usize = 128;
/// Elements written: of more only the text is kept, as a tree of them would not fit into a function's memory.
const ELEMENTS_MAX: usize = 200_000;

/// Text written in one run, in octets; then an empty comment ends it, which is not let through. html5ever 0.40 writes a
/// text node by looking to its end for each `&`: its cost grows with the square of the node.
const RUN_OCTETS_MAX: usize = 8 * 1024;

struct Open<'a> {
    name: Cow<'a, str>,
    /// False for elements that are not on the list: their content is kept.
    written: bool,
    dropped: bool,
}

struct Writer<'a, 'b> {
    html: String,
    stack: Vec<Open<'a>>,
    /// Of the stack, those written.
    depth: usize,
    elements: usize,
    /// Octets of text since the last break of a run.
    run: usize,
    attached: &'b Attached<'b>,
}

/// Writes the HTML anew: only what is on the lists, properly nested. Linear.
pub(super) fn rewritten(html: &str, attached: &Attached<'_>) -> String {
    let mut writer =
        Writer { html: String::with_capacity(html.len()), stack: Vec::new(), depth: 0, elements: 0, run: 0, attached };
    for token in Tokens::new(html) {
        match token {
            Token::Text(text) => writer.text(&text),
            Token::Start(tag) => writer.start(tag),
            Token::End(name) => writer.end(&name),
        }
    }
    writer.close_down_to(Some(0));
    writer.html
}

impl<'a> Writer<'a, '_> {
    fn is_dropped(&self) -> bool {
        self.stack.last().is_some_and(|open| open.dropped)
    }

    /// Name of the innermost element written.
    fn within(&self) -> &str {
        self.stack.iter().rev().find(|open| open.written).map_or("", |open| open.name.as_ref())
    }

    fn text(&mut self, text: &str) {
        if self.is_dropped() {
            return;
        }
        if matches!(self.within(), "table" | "thead" | "tbody" | "tfoot" | "tr") {
            if text.trim().is_empty() {
                return;
            }
            self.open_cell();
        }
        let mut rest = text;
        while self.run + rest.len() > RUN_OCTETS_MAX {
            let at = rest.floor_char_boundary(RUN_OCTETS_MAX.saturating_sub(self.run));
            let Some((now, later)) = rest.split_at_checked(at) else { break };
            escape(now, &mut self.html);
            self.html.push_str("<!---->");
            (rest, self.run) = (later, 0);
        }
        self.run += rest.len();
        escape(rest, &mut self.html);
    }

    /// Text and elements between a table's rows get a cell, where the standard would move each before the table.
    fn open_cell(&mut self) {
        self.open_row();
        if self.within() == "tr" {
            self.push("td".into(), "");
        }
    }

    fn open_row(&mut self) {
        self.open_section();
        if matches!(self.within(), "thead" | "tbody" | "tfoot") {
            self.push("tr".into(), "");
        }
    }

    fn open_section(&mut self) {
        if self.within() == "table" {
            self.push("tbody".into(), "");
        }
    }

    fn push(&mut self, name: Cow<'a, str>, attributes: &str) {
        self.html.push('<');
        self.html.push_str(&name);
        self.html.push_str(attributes);
        self.html.push('>');
        self.elements += 1;
        if !VOID.contains(&name.as_ref()) {
            self.depth += 1;
            self.stack.push(Open { name, written: true, dropped: false });
        }
    }

    fn start(&mut self, tag: Tag<'a>) {
        let name = tag.name.as_ref();
        if self.is_dropped() && !DROPPED.contains(&name) {
            return;
        }
        if DROPPED.contains(&name) {
            if self.stack.len() < 2 * DEPTH_MAX {
                self.stack.push(Open { name: tag.name, written: false, dropped: true });
            }
            return;
        }
        let is_table = TABLES.contains(&name);
        if !is_table && ![&INLINE[..], &BLOCKS, &VOID].iter().any(|list| list.contains(&name)) {
            return;
        }
        self.close_implied(name);
        if is_table && name != "table" {
            if !self.stack.iter().any(|open| open.name == "table") {
                return;
            }
            match name {
                "td" | "th" => self.open_row(),
                "tr" => self.open_section(),
                _ => {}
            }
        } else if matches!(self.within(), "table" | "thead" | "tbody" | "tfoot" | "tr") {
            // Whatever comes of the element, its text will stand here.
            self.open_cell();
        }
        // A table reserves the depth of its rows and cells, which may be left out.
        let needs = match name {
            "table" => 4,
            _ if is_table || VOID.contains(&name) => 0,
            _ => 1,
        };
        if self.elements >= ELEMENTS_MAX || self.depth + needs > DEPTH_MAX {
            return;
        }
        let attributes = self.attributes(&tag);
        // A link that leads nowhere is none; its end tag still belongs to it.
        if name == "a" && !attributes.contains(" href=") {
            self.stack.push(Open { name: tag.name, written: false, dropped: false });
            return;
        }
        self.push(tag.name, &attributes);
    }

    /// The attributes that may stay, each with a blank before it.
    fn attributes(&self, tag: &Tag<'_>) -> String {
        let mut written = String::new();
        let mut add = |name: &str, value: &str| {
            written.push(' ');
            written.push_str(name);
            written.push_str("=\"");
            escape(value, &mut written);
            written.push('"');
        };
        let name = tag.name.as_ref();
        let mut remote = tag.attribute("data-background").and_then(sources::remote);
        for (attribute, value) in tag.attributes() {
            match (name, attribute) {
                ("img", "src") => match sources::image(value, self.attached) {
                    Source::Attachment(sha256) => add("data-postern-attachment", &sha256),
                    Source::Data(address) => add("src", &address),
                    Source::Remote(address) => add("data-src", &address),
                    Source::Nothing => {}
                },
                ("img", "srcset") => {
                    // The first of its addresses: the others are the same picture in other sizes.
                    let first = value.split_whitespace().next().map(|first| first.trim_end_matches(','));
                    if let Some(address) = first.and_then(sources::remote) {
                        add("data-srcset", &address);
                    }
                }
                (_, "background") => remote = remote.or_else(|| sources::remote(value)),
                (_, "style") => {
                    remote = remote.or_else(|| sources::remote(style::background(value)?));
                    if let Some(value) = checked(name, attribute, value, &self.attached.digests) {
                        add(attribute, &value);
                    }
                }
                (_, "data-background") => {}
                _ => {
                    if let Some(value) = checked(name, attribute, value, &self.attached.digests) {
                        add(attribute, &value);
                    }
                }
            }
        }
        if let Some(address) = remote {
            add("data-background", &address);
        }
        written
    }

    /// Closes what the standard would close before this element, so that the tree is as it is written here.
    fn close_implied(&mut self, name: &str) {
        let (ends, within): (&[&str], &[&str]) = match name {
            "li" => (&["li", "p"], &["ul", "ol", "td", "th"]),
            "dd" | "dt" => (&["dd", "dt", "p"], &["dl", "td", "th"]),
            "td" | "th" => (&["td", "th"], &["table"]),
            "tr" => (&["tr"], &["table"]),
            "tbody" | "thead" | "tfoot" => (&["tbody", "thead", "tfoot", "tr"], &["table"]),
            "a" => (&["a"], &["table", "td", "th"]),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                (&["p", "h1", "h2", "h3", "h4", "h5", "h6"], &["td", "th", "table"])
            }
            block if block == "table" || BLOCKS.contains(&block) => (&["p"], &["td", "th", "table"]),
            _ => return,
        };
        let stack = self.stack.iter().enumerate().rev();
        let found = stack.take_while(|(_, open)| !within.contains(&open.name.as_ref()));
        let lowest = found.filter(|(_, open)| ends.contains(&open.name.as_ref())).last().map(|(at, _)| at);
        self.close_down_to(lowest);
    }

    fn end(&mut self, name: &str) {
        if self.is_dropped() {
            // Only its own end tag ends what is dropped.
            if self.stack.last().is_some_and(|open| open.name == name) {
                self.stack.pop();
            }
            return;
        }
        let in_table = TABLES.contains(&name);
        let open = self.stack.iter().enumerate().rev().map(|(at, open)| (at, &*open.name));
        self.close_down_to(closed_by(name, in_table, open));
    }

    fn close_down_to(&mut self, lowest: Option<usize>) {
        while lowest.is_some_and(|lowest| self.stack.len() > lowest) {
            let Some(open) = self.stack.pop() else { return };
            if open.written {
                self.depth = self.depth.saturating_sub(1);
                self.html.push_str("</");
                self.html.push_str(&open.name);
                self.html.push('>');
            }
        }
    }
}

fn escape(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\0' => {}
            _ => html.push(c),
        }
    }
}
