//! HTML as the lines a person would see: one pass over the tokens with a stack, so cost is linear whatever they say.

use std::borrow::Cow;

use super::{
    closed_by, links,
    page::{Page, Row},
    style,
    tokens::{Tag, Token, Tokens},
};

/// Elements open at once; deeper ones add nothing that can be seen.
const DEPTH_MAX: usize = 4_096;
/// How far down the stack the start of an end tag is sought.
const SEEK_MAX: usize = 200;

/// What an element means for the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Inline,
    Block,
    Paragraph,
    Quote,
    List {
        ordered: bool,
    },
    Item,
    Table,
    Row,
    Cell,
    Preformatted,
    Link,
    /// Not text of the mail.
    Hidden,
}

fn shape(name: &str) -> Shape {
    match name {
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "dl" => Shape::Paragraph,
        "div" | "address" | "article" | "aside" | "body" | "center" | "dd" | "details" | "dt" | "fieldset"
        | "figcaption" | "figure" | "footer" | "form" | "header" | "html" | "legend" | "main" | "nav" | "section"
        | "summary" | "caption" => Shape::Block,
        "blockquote" => Shape::Quote,
        "ul" | "menu" | "dir" => Shape::List { ordered: false },
        "ol" => Shape::List { ordered: true },
        "li" => Shape::Item,
        "table" => Shape::Table,
        "tr" => Shape::Row,
        "td" | "th" => Shape::Cell,
        "pre" | "listing" | "xmp" | "plaintext" => Shape::Preformatted,
        "a" => Shape::Link,
        "svg" | "template" | "object" | "select" | "datalist" | "audio" | "video" | "canvas" => Shape::Hidden,
        _ => Shape::Inline,
    }
}

/// What must be put back when the element ends.
enum Undo {
    Nothing,
    Block,
    Paragraph,
    Quote(usize),
    List { indent: usize },
    Item { indent: usize },
    Row(Row),
    Cell,
    Link { start: usize, target: String },
}

struct Open<'a> {
    name: Cow<'a, str>,
    undo: Undo,
    hidden: bool,
    tiny: bool,
    keeps_lines: bool,
}

struct List {
    ordered: bool,
    next: i64,
    letters: Option<char>,
}

struct Reader<'a> {
    page: Page,
    stack: Vec<Open<'a>>,
    lists: Vec<List>,
    /// False when everything was hidden: then hiding is not believed.
    hides: bool,
    keeps_lines: bool,
    too_deep: bool,
    /// An image without a text stands in the open link.
    image_in_link: bool,
}

/// Readable text; true where elements were nested deeper than is followed.
pub(super) fn read(html: &str) -> (String, bool) {
    let (text, too_deep) = read_once(html, true);
    if !text.is_empty() { (text, too_deep) } else { read_once(html, false) }
}

fn read_once(html: &str, hides: bool) -> (String, bool) {
    // Text that a script labelled HTML: without a single element that breaks lines, its own breaks are meant.
    let laid_out = Tokens::new(html).any(|token| match token {
        Token::Start(tag) => tag.name == "br" || !matches!(tag.name.as_ref(), "html" | "body") && is_block(&tag.name),
        _ => false,
    });
    let mut reader = Reader {
        page: Page::default(),
        stack: Vec::new(),
        lists: Vec::new(),
        hides,
        keeps_lines: !laid_out,
        too_deep: false,
        image_in_link: false,
    };
    for token in Tokens::new(html) {
        match token {
            Token::Text(text) => reader.text(&text),
            Token::Start(tag) => reader.start(tag),
            Token::End(name) => reader.end(&name),
        }
    }
    while reader.close_top() {}
    (reader.page.finish(), reader.too_deep)
}

fn is_block(name: &str) -> bool {
    !matches!(shape(name), Shape::Inline | Shape::Link | Shape::Hidden) || name == "hr"
}

impl<'a> Reader<'a> {
    fn is_hidden(&self) -> bool {
        self.stack.last().is_some_and(|open| open.hidden || open.tiny)
    }

    fn text(&mut self, text: &str) {
        if !self.is_hidden() {
            let keep = self.stack.last().map_or(self.keeps_lines, |open| open.keeps_lines);
            self.page.words(&links::twice_escaped(text), keep);
        }
    }

    fn start(&mut self, tag: Tag<'a>) {
        match tag.name.as_ref() {
            "br" if !self.is_hidden() => return self.page.br(),
            "hr" if !self.is_hidden() => return self.page.rule(),
            "img" => return self.image(&tag),
            "area" | "base" | "br" | "col" | "embed" | "hr" | "input" | "link" | "meta" | "param" | "source"
            | "track" | "wbr" | "script" | "style" | "title" | "iframe" | "noembed" | "noframes" => return,
            _ => {}
        }
        self.close_implied(&tag.name);
        if self.stack.len() >= DEPTH_MAX {
            self.too_deep = true;
            return;
        }
        let look = tag.attribute("style").map(style::look).unwrap_or_default();
        let shape = shape(&tag.name);
        let above = self.stack.last();
        let hidden = above.is_some_and(|open| open.hidden)
            || shape == Shape::Hidden
            || self.hides && (look.hidden || tag.attribute("hidden").is_some());
        let tiny = self.hides && look.tiny.unwrap_or_else(|| above.is_some_and(|open| open.tiny));
        let inherited = above.map_or(self.keeps_lines, |open| open.keeps_lines);
        let keeps_lines = look.keeps_lines.unwrap_or(inherited) || shape == Shape::Preformatted;
        let undo = if hidden { Undo::Nothing } else { self.open(shape, &tag, &look) };
        self.stack.push(Open { name: tag.name, undo, hidden, tiny, keeps_lines });
    }

    fn open(&mut self, shape: Shape, tag: &Tag<'_>, look: &style::Look) -> Undo {
        // Outlook's paragraphs have no space between them: an empty one makes it.
        let class = tag.attribute("class").unwrap_or_default();
        let is_line = look.is_tight || class.starts_with("Mso") || class.starts_with("x_Mso");
        match shape {
            Shape::Inline | Shape::Hidden => Undo::Nothing,
            Shape::Paragraph if !is_line => {
                self.page.paragraph();
                Undo::Paragraph
            }
            // Indented, not quoted.
            Shape::Quote if look.is_indent || class.contains("webkit-indent-blockquote") => {
                self.page.block();
                Undo::Block
            }
            Shape::Quote => {
                let depth = self.page.quotes();
                self.page.quote();
                Undo::Quote(depth)
            }
            Shape::List { ordered } => self.open_list(ordered, tag),
            Shape::Item => self.open_item(tag),
            Shape::Row => Undo::Row(self.page.row()),
            Shape::Cell => {
                let page = &mut self.page;
                match innermost_row(&mut self.stack) {
                    Some(row) => page.begin_cell(row),
                    None => page.block(),
                }
                Undo::Cell
            }
            Shape::Link => {
                self.image_in_link = false;
                let target = links::target(tag.attribute("href").unwrap_or_default());
                target.map_or(Undo::Nothing, |target| Undo::Link { start: self.page.len(), target })
            }
            Shape::Block | Shape::Paragraph | Shape::Table | Shape::Preformatted => {
                self.page.block();
                Undo::Block
            }
        }
    }

    fn open_list(&mut self, ordered: bool, tag: &Tag<'_>) -> Undo {
        if self.lists.is_empty() {
            self.page.paragraph();
        } else {
            self.page.block();
        }
        let start = tag.attribute("start").and_then(|start| start.trim().parse().ok()).unwrap_or(1);
        let letters = tag.attribute("type").and_then(|kind| kind.trim().chars().next());
        let letters = letters.filter(|c| matches!(c, 'a' | 'A' | 'i' | 'I'));
        self.lists.push(List { ordered, next: start, letters });
        Undo::List { indent: self.page.indent() }
    }

    fn open_item(&mut self, tag: &Tag<'_>) -> Undo {
        self.page.block();
        let marker = match self.lists.last_mut() {
            Some(list) if list.ordered => {
                let value = tag.attribute("value").and_then(|value| value.trim().parse().ok());
                let number: i64 = value.unwrap_or(list.next);
                list.next = number.saturating_add(1);
                links::list_number(number, list.letters)
            }
            _ => "* ".to_owned(),
        };
        let before = self.page.indent();
        self.page.set_indent(before + marker.len());
        self.page.mark(Some(marker));
        Undo::Item { indent: before }
    }

    fn image(&mut self, tag: &Tag<'_>) {
        let look = tag.attribute("style").map(style::look).unwrap_or_default();
        if self.is_hidden() || look.hidden && self.hides {
            return;
        }
        let alt = tag.attribute("alt").unwrap_or_default();
        // Outlook names its inline images by their Content-ID.
        if alt.trim().is_empty() || alt.starts_with("cid:") {
            self.image_in_link = true;
        } else {
            self.page.words(alt, false);
        }
    }

    /// Ends the elements whose end tag may be left out (HTML standard, section 13.1.2.4).
    fn close_implied(&mut self, name: &str) {
        let (ends, within): (&[&str], &[&str]) = match name {
            "li" => (&["li"], &["ul", "ol", "menu", "dir", "table", "blockquote"]),
            "dd" | "dt" => (&["dd", "dt"], &["dl", "table"]),
            "td" | "th" => (&["td", "th"], &["table", "tr"]),
            "tr" => (&["tr"], &["table"]),
            "tbody" | "thead" | "tfoot" => (&["tbody", "thead", "tfoot", "tr"], &["table"]),
            "a" => (&["a"], &["table"]),
            block if is_block(block) => {
                // Only a paragraph right here; markup of text around it is closed with it.
                (&["p"], &["td", "th", "table", "li", "div", "blockquote", "body", "button", "object"])
            }
            _ => return,
        };
        let stack = self.stack.iter().enumerate().rev().take(SEEK_MAX);
        let found = stack.take_while(|(_, open)| !within.contains(&open.name.as_ref()));
        let lowest = found.filter(|(_, open)| ends.contains(&open.name.as_ref())).last().map(|(at, _)| at);
        self.close_down_to(lowest);
    }

    fn end(&mut self, name: &str) {
        match name {
            // As browsers read them.
            "br" if !self.is_hidden() => return self.page.br(),
            "p" if !self.is_hidden() && !self.stack.iter().rev().take(SEEK_MAX).any(|open| open.name == "p") => {
                return self.page.block();
            }
            _ => {}
        }
        let in_table = matches!(name, "table" | "tr" | "td" | "th" | "tbody" | "thead" | "tfoot");
        let open = self.stack.iter().enumerate().rev().take(SEEK_MAX).map(|(at, open)| (at, &*open.name));
        self.close_down_to(closed_by(name, in_table, open));
    }

    fn close_down_to(&mut self, lowest: Option<usize>) {
        while lowest.is_some_and(|lowest| self.stack.len() > lowest) {
            self.close_top();
        }
    }

    fn close_top(&mut self) -> bool {
        let Some(open) = self.stack.pop() else { return false };
        match open.undo {
            Undo::Nothing => {}
            Undo::Block => self.page.block(),
            Undo::Paragraph => self.page.paragraph(),
            Undo::Quote(depth) => self.page.unquote(depth),
            Undo::List { indent } => {
                self.lists.pop();
                self.page.set_indent(indent);
                if self.lists.is_empty() { self.page.paragraph() } else { self.page.block() }
            }
            Undo::Item { indent } => {
                self.page.block();
                self.page.mark(None);
                self.page.set_indent(indent);
            }
            Undo::Row(row) => self.page.end_row(&row),
            Undo::Cell => {
                let page = &mut self.page;
                match innermost_row(&mut self.stack) {
                    Some(row) => page.end_cell(row),
                    None => page.block(),
                }
            }
            Undo::Link { start, target } => self.close_link(start, &target),
        }
        true
    }

    fn close_link(&mut self, start: usize, target: &str) {
        let said = self.page.since(start);
        if said.trim().is_empty() {
            if std::mem::take(&mut self.image_in_link) {
                self.page.words(&format!("<{target}>"), false);
            }
        } else if !links::says(said, target) {
            self.page.target(target);
        }
    }
}

/// The row that a cell belongs to: right below it, or below a form or the like.
fn innermost_row<'s>(stack: &'s mut [Open<'_>]) -> Option<&'s mut Row> {
    stack.iter_mut().rev().take(4).find_map(|open| match &mut open.undo {
        Undo::Row(row) => Some(row),
        _ => None,
    })
}
