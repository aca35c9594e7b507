//! Lines as they are written: breaks, blanks, quote marks and indents, one character after the other.

/// Quote marks before a line, at most: more are one as unreadable as the other, and each costs on every line.
const QUOTES_MAX: usize = 20;
/// Columns a line is indented, at most.
const INDENT_MAX: usize = 20;
/// Octets of a table row whose cells go on one line; longer ones are columns of text.
const ROW_OCTETS_MAX: usize = 400;

/// Text under construction.
#[derive(Default)]
pub(super) struct Page {
    text: String,
    /// Line breaks before the next words; two are a blank line, more are not written.
    breaks: usize,
    /// The current line has words.
    filled: bool,
    /// The current line has nothing but hard spaces: how mailers write an empty line.
    blank: bool,
    spaces: usize,
    /// A zero-width joiner, which has a meaning only between two letters.
    joiner: Option<char>,
    quotes: usize,
    quotes_before: usize,
    indent: usize,
    marker: Option<String>,
    /// A quote begins here: the space above its first paragraph is not seen.
    quote_begins: bool,
    lines: usize,
    /// Where the last line's break and its first word stand.
    line: (usize, usize),
}

/// A table row: where it begins and its cells that have text.
#[derive(Default)]
pub(super) struct Row {
    lines_before: usize,
    cell_lines_before: usize,
    cells: Vec<(usize, usize)>,
    /// A cell has several lines.
    is_layout: bool,
}

impl Page {
    pub(super) fn finish(mut self) -> String {
        let end = self.text.trim_end().len();
        self.text.truncate(end);
        self.text
    }

    /// Writes text with its blanks run together; `keep` keeps blanks and line breaks.
    pub(super) fn words(&mut self, text: &str, keep: bool) {
        for c in text.chars() {
            match c {
                '\n' if keep => self.br(),
                '\t' if keep => self.spaces += 4,
                ' ' if keep => self.spaces += 1,
                '\r' if keep => {}
                '\u{A0}' | '\u{2007}' | '\u{202F}' => {
                    self.blank = true;
                    self.spaces += 1;
                }
                ' ' | '\t' | '\n' | '\r' | '\u{C}' => self.spaces = self.spaces.max(1),
                '\u{200B}' | '\u{FEFF}' | '\u{AD}' | '\u{2060}' | '\u{34F}' | '\u{180E}' => {}
                '\u{200C}' | '\u{200D}' => self.joiner = (self.filled && self.spaces == 0).then_some(c),
                _ => self.character(c, keep),
            }
        }
    }

    fn character(&mut self, c: char, keep: bool) {
        if !self.filled {
            self.begin_line();
            self.spaces = if keep { self.spaces } else { 0 };
            self.joiner = None;
        }
        self.text.extend(std::iter::repeat_n(' ', self.spaces));
        self.text.extend(self.joiner.take().filter(|_| self.spaces == 0));
        self.spaces = 0;
        self.text.push(c);
    }

    fn begin_line(&mut self) {
        let break_at = self.text.len();
        if !self.text.is_empty() {
            self.text.push('\n');
            if self.breaks > 1 {
                let between = self.quotes.min(self.quotes_before);
                self.text.push_str("> ".repeat(between).trim_end());
                self.text.push('\n');
            }
        }
        self.text.push_str(&"> ".repeat(self.quotes));
        let marker = self.marker.take().unwrap_or_default();
        self.text.extend(std::iter::repeat_n(' ', self.indent.min(INDENT_MAX).saturating_sub(marker.len())));
        self.text.push_str(&marker);
        self.line = (break_at, self.text.len());
        self.lines += 1;
        self.quotes_before = self.quotes;
        self.filled = true;
        self.quote_begins = false;
        self.breaks = 0;
    }

    fn end_line(&mut self) {
        self.filled = false;
        self.blank = false;
        self.spaces = 0;
        self.joiner = None;
    }

    /// A line break that was asked for: on an empty line it makes a blank one.
    pub(super) fn br(&mut self) {
        self.breaks = if self.filled { self.breaks.max(1) } else { (self.breaks + 1).min(2) };
        self.end_line();
    }

    /// Begins or ends a block: what follows stands on a line of its own.
    pub(super) fn block(&mut self) {
        if self.filled {
            self.breaks = self.breaks.max(1);
        } else if self.blank {
            self.breaks = (self.breaks + 1).min(2);
        }
        self.end_line();
    }

    /// Begins or ends a paragraph: a blank line stands between, but not after a list's mark.
    pub(super) fn paragraph(&mut self) {
        self.block();
        if self.marker.is_none() && !self.quote_begins {
            self.breaks = 2;
        }
    }

    /// The line of underscores that Outlook writes for a rule.
    pub(super) fn rule(&mut self) {
        self.block();
        self.words("________________________________", false);
        self.block();
    }

    pub(super) fn quote(&mut self) {
        self.block();
        self.quotes = (self.quotes + 1).min(QUOTES_MAX);
        self.quote_begins = true;
    }

    /// Ends a quote that was opened at `depth` quotes.
    pub(super) fn unquote(&mut self, depth: usize) {
        self.block();
        self.quotes = depth;
        self.quote_begins = false;
        self.breaks = self.breaks.max(1);
    }

    pub(super) fn quotes(&self) -> usize {
        self.quotes
    }

    /// Sets the indent; returns the one before.
    pub(super) fn set_indent(&mut self, columns: usize) -> usize {
        std::mem::replace(&mut self.indent, columns)
    }

    pub(super) fn indent(&self) -> usize {
        self.indent
    }

    /// A list's mark, written before the item's first words.
    pub(super) fn mark(&mut self, marker: Option<String>) {
        self.marker = marker;
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// What was written since the page was `start` long.
    pub(super) fn since(&self, start: usize) -> &str {
        self.text.get(start..).unwrap_or_default()
    }

    /// Puts a link's target behind the last words.
    pub(super) fn target(&mut self, target: &str) {
        self.text.push_str(" <");
        self.text.push_str(target);
        self.text.push('>');
    }

    pub(super) fn row(&mut self) -> Row {
        self.block();
        Row { lines_before: self.lines, ..Row::default() }
    }

    pub(super) fn begin_cell(&mut self, row: &mut Row) {
        self.blank = false;
        self.block();
        row.cell_lines_before = self.lines;
    }

    pub(super) fn end_cell(&mut self, row: &mut Row) {
        // A cell of nothing but a hard space holds its place open, it is no blank line.
        self.blank = false;
        self.block();
        match self.lines.saturating_sub(row.cell_lines_before) {
            0 => {}
            1 => row.cells.push(self.line),
            _ => row.is_layout = true,
        }
    }

    /// Ends a row: cells of one line each stand beside one another with a tab between, as when copied from a browser.
    pub(super) fn end_row(&mut self, row: &Row) {
        self.block();
        let (Some((_, first)), Some((second, _))) = (row.cells.first(), row.cells.get(1)) else { return };
        let one_line_each = self.lines.saturating_sub(row.lines_before) == row.cells.len() && !row.is_layout;
        if !one_line_each || self.text.len().saturating_sub(*first) > ROW_OCTETS_MAX {
            return;
        }
        let (first_line, second) = ((row.cells.first().map_or(0, |c| c.0), *first), *second);
        let tail = self.text.get(second..).unwrap_or_default().to_owned();
        self.text.truncate(second);
        let ends = row.cells.iter().skip(2).map(|(break_at, _)| *break_at).chain([second + tail.len()]);
        for ((_, word_at), end) in row.cells.iter().skip(1).zip(ends) {
            self.text.push('\t');
            let cell = tail.get(word_at.saturating_sub(second)..end.saturating_sub(second));
            self.text.push_str(cell.unwrap_or_default());
        }
        self.lines = row.lines_before + 1;
        self.line = first_line;
    }
}
