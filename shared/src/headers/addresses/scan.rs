//! One pass over an address field: where mailboxes and groups begin and end.

use super::Mailbox;

/// Comments within one another that are followed.
const COMMENT_DEPTH_MAX: usize = 32;

/// Names of groups kept of one field.
const GROUPS_MAX: usize = 100;

/// Reads characters; goes back only where a quote or comment never ends, once for each kind.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    quotes_end: bool,
    /// Where the last `"@` stands: a quoted local part ends no later.
    last_local_quote: usize,
    /// The mailbox has letters, and has an `@`, outside of brackets and comments.
    named: bool,
    at_sign: bool,
    comments_end: bool,
    in_group: bool,
    mailbox: Mailbox,
    found: Vec<Mailbox>,
    groups: Vec<String>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            quotes_end: true,
            last_local_quote: text.rfind("\"@").unwrap_or(0),
            named: false,
            at_sign: false,
            comments_end: true,
            in_group: false,
            mailbox: Mailbox::default(),
            found: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// The mailboxes, at most `most`, and the names of the groups.
    pub(super) fn read(mut self, most: usize) -> (Vec<Mailbox>, Vec<String>) {
        while self.found.len() < most {
            let Some(c) = self.next() else { break };
            match c {
                '"' if self.quotes_end => self.quoted(),
                '"' | '>' => {}
                '(' if self.comments_end => self.comment(),
                '<' => self.bracket(),
                ',' => self.comma(),
                ';' => {
                    self.end();
                    self.in_group = false;
                }
                ':' if self.opens_group() => self.group(),
                '\\' => {
                    if let Some(escaped) = self.next() {
                        self.push(escaped);
                    }
                }
                c => self.push(c),
            }
        }
        self.end();
        (self.found, self.groups)
    }

    fn next(&mut self) -> Option<char> {
        let c = self.text.get(self.at..)?.chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Runs of blanks are one blank (RFC 5322 section 3.2.2).
    fn push(&mut self, c: char) {
        self.named |= !c.is_whitespace();
        self.at_sign |= c == '@';
        for text in [&mut self.mailbox.name, &mut self.mailbox.written] {
            if !c.is_whitespace() {
                text.push(c);
            } else if !text.ends_with(' ') && !text.is_empty() {
                text.push(' ');
            }
        }
    }

    fn quoted(&mut self) {
        let start = self.at;
        let mut inside = String::new();
        while let Some(c) = self.next() {
            match c {
                '"' => {
                    self.named |= !inside.is_empty();
                    self.at_sign |= inside.contains('@');
                    self.mailbox.name.push_str(&inside);
                    self.mailbox.written.push('"');
                    self.mailbox.written.push_str(&inside);
                    self.mailbox.written.push('"');
                    return;
                }
                '\\' => inside.extend(self.next()),
                c => inside.push(c),
            }
        }
        self.quotes_end = false;
        self.at = start;
    }

    fn comment(&mut self) {
        let start = self.at;
        let (mut depth, mut inside) = (1_usize, String::new());
        while let Some(c) = self.next() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            match c {
                _ if depth == 0 => {
                    self.mailbox.comment = inside;
                    return;
                }
                _ if depth > COMMENT_DEPTH_MAX => break,
                '\\' => inside.extend(self.next()),
                c => inside.push(c),
            }
        }
        self.comments_end = false;
        self.at = start;
        self.push('(');
    }

    fn bracket(&mut self) {
        if self.mailbox.bracket.is_some() {
            self.end();
        }
        let (mut inside, mut quoted, mut at_sign, mut route, mut begun) = (String::new(), false, false, false, false);
        while let Some(c) = self.next() {
            match c {
                // A quote that never ends must not swallow the other addresses.
                '"' => quoted = !quoted && self.at <= self.last_local_quote,
                '@' => {
                    route |= !begun;
                    at_sign = true;
                }
                '>' if !quoted => break,
                '<' if !begun => continue,
                // The bracket was never closed.
                ',' | ';' | '<' if !quoted && at_sign && !route => {
                    self.at -= c.len_utf8();
                    break;
                }
                _ => {}
            }
            begun |= !c.is_whitespace();
            inside.push(c);
        }
        self.mailbox.bracket = Some(inside);
    }

    /// A comma ends a mailbox; after a bare name it belongs to the name: `Doe, Jane <jane@example.com>`.
    fn comma(&mut self) {
        let bare_name = self.named && !self.at_sign && self.mailbox.bracket.is_none();
        if bare_name && self.bracket_follows() {
            self.push(',');
        } else {
            self.end();
        }
    }

    /// True where the next mailbox has brackets and its name no `@`.
    fn bracket_follows(&self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let next = rest.find(['<', ',', ';', '@']);
        next.and_then(|at| rest.get(at..)).is_some_and(|rest| rest.starts_with('<'))
    }

    fn opens_group(&self) -> bool {
        !self.in_group && self.mailbox.bracket.is_none() && !self.at_sign
    }

    fn group(&mut self) {
        let name = std::mem::take(&mut self.mailbox).name;
        self.named = false;
        // `mailto:jane@example.com` opens none.
        if !name.trim().eq_ignore_ascii_case("mailto") {
            if self.groups.len() < GROUPS_MAX {
                self.groups.push(name);
            }
            self.in_group = true;
        }
    }

    fn end(&mut self) {
        let mailbox = std::mem::take(&mut self.mailbox);
        (self.named, self.at_sign) = (false, false);
        if !mailbox.is_empty() {
            self.found.push(mailbox);
        }
    }
}
