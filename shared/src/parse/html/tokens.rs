//! HTML as tags and text, by the tokenizer of the HTML standard (section 13.2.5) with the bounds that mail needs.
//!
//! Both readers of HTML, to text and to safe HTML, work on these tokens with a stack of their own, so no tree is built
//! from what a stranger wrote. Where the standard would swallow the rest of the mail (a comment or a quote that never
//! ends) words are kept instead: safe HTML is written anew from the tokens, so no second parser sees the original.

use std::borrow::Cow;

use super::entities;

/// Attributes of one tag that are kept; the rest is passed over. Real tags have a dozen.
const ATTRIBUTES_MAX: usize = 64;
/// Tags whose quotes never end, before quotes are no longer believed: each costs a look to the end.
const OPEN_QUOTES_MAX: usize = 8;

/// Elements whose content is no markup and is not shown.
const RAW: [&str; 6] = ["script", "style", "title", "iframe", "noembed", "noframes"];

/// One token; comments, declarations and raw content are left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Text, character references decoded.
    Text(Cow<'a, str>),
    Start(Tag<'a>),
    /// An end tag's name, lower case.
    End(Cow<'a, str>),
}

/// A start tag.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// Lower case.
    pub(super) name: Cow<'a, str>,
    attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl Tag<'_> {
    /// Value of an attribute: the first of that name, as browsers read it.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(written, _)| written == name).map(|(_, value)| value.as_ref())
    }

    /// All that were kept, as written.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

/// The tokens of a piece of HTML.
pub(super) struct Tokens<'a> {
    rest: &'a str,
    open_quotes: usize,
    /// No `-->` stands in `rest`: need not be sought again.
    no_comment_end: bool,
    /// No `</title` stands in `rest`.
    no_title_end: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self { rest: html, open_quotes: 0, no_comment_end: false, no_title_end: false }
    }

    /// Goes on after `octets` of the rest.
    fn skip(&mut self, octets: usize) {
        self.rest = self.rest.get(octets..).unwrap_or_default();
    }

    /// Everything before the next `<` that begins a tag.
    fn text(&mut self) -> Option<Token<'a>> {
        let octets = self.rest.as_bytes();
        let mut end = 0;
        while let Some(at) = octets.get(end..).and_then(|rest| rest.iter().position(|octet| *octet == b'<')) {
            end += at;
            if octets.get(end + 1).is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, b'/' | b'!' | b'?'))
            {
                break;
            }
            end += 1;
        }
        if octets.get(end) != Some(&b'<') {
            end = octets.len();
        }
        let (text, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!text.is_empty()).then(|| Token::Text(entities::decoded(text, false)))
    }

    /// `<!…>`, `<?…>` and `</` before anything but a letter: not shown.
    fn comment(&mut self) {
        if self.rest.starts_with("<!--") && !self.no_comment_end {
            let body = self.rest.get(4..).unwrap_or_default();
            if body.starts_with('>') {
                return self.skip(5);
            }
            if body.starts_with("->") {
                return self.skip(6);
            }
            match body.find("-->") {
                Some(at) => return self.skip(4 + at + 3),
                None => self.no_comment_end = true,
            }
        }
        match self.rest.find('>') {
            Some(at) => self.skip(at + 1),
            None => self.rest = "",
        }
    }

    fn tag(&mut self) -> Option<Token<'a>> {
        let closing = self.rest.starts_with("</");
        let from = if closing { 2 } else { 1 };
        let inside = self.rest.get(from..).unwrap_or_default();
        let name_end = inside.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')).unwrap_or(inside.len());
        let (written, after_name) = inside.split_at_checked(name_end)?;
        // Plain text that was labelled HTML: an address in angle brackets is no tag.
        if written.contains('@') || written.ends_with(':') && after_name.starts_with('/') {
            let end = self.rest.find('>').map_or(self.rest.len(), |at| at + 1);
            let (text, rest) = self.rest.split_at_checked(end)?;
            self.rest = rest;
            return Some(Token::Text(entities::decoded(text, false)));
        }
        let believed = self.open_quotes < OPEN_QUOTES_MAX;
        let (attributes, rest) = match believed.then(|| attributes(after_name, true)).flatten() {
            Some(read) => read,
            None => {
                self.open_quotes += 1;
                let Some(read) = attributes(after_name, false) else { return self.cut_short() };
                read
            }
        };
        self.rest = rest;
        let name = lower(written);
        if closing {
            return Some(Token::End(name));
        }
        if RAW.contains(&name.as_ref()) {
            self.raw(&name);
        }
        Some(Token::Start(Tag { name, attributes }))
    }

    /// A tag that never ends: as in browsers nothing is shown of it, unless it is no tag but a sentence.
    fn cut_short(&mut self) -> Option<Token<'a>> {
        let rest = std::mem::take(&mut self.rest);
        let sentence = rest.contains(char::is_whitespace) && !rest.contains('=');
        sentence.then(|| Token::Text(entities::decoded(rest, false)))
    }

    /// Passes over the content of a raw element, to its end tag.
    fn raw(&mut self, name: &str) {
        if name == "title" && self.no_title_end {
            return;
        }
        let octets = self.rest.as_bytes();
        let mut at = 0;
        while let Some(found) = self.rest.get(at..).and_then(|rest| rest.find("</")) {
            at += found + 2;
            let follows = octets.get(at..).unwrap_or_default();
            let named = follows.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()));
            let ended = follows.get(name.len()).is_some_and(|c| c.is_ascii_whitespace() || matches!(c, b'/' | b'>'));
            if named && ended {
                return self.skip(at - 2);
            }
        }
        // A title that never ends would take the whole mail with it; styles and scripts are no words.
        if name == "title" {
            self.no_title_end = true;
        } else {
            self.rest = "";
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        while !self.rest.is_empty() {
            let second = self.rest.as_bytes().get(1).copied().unwrap_or_default();
            let third = self.rest.as_bytes().get(2).copied().unwrap_or_default();
            let token = match (self.rest.starts_with('<'), second) {
                (true, b'/') if third.is_ascii_alphabetic() => self.tag(),
                (true, b'!' | b'?' | b'/') => {
                    self.comment();
                    None
                }
                (true, letter) if letter.is_ascii_alphabetic() => self.tag(),
                _ => self.text(),
            };
            if token.is_some() {
                return token;
            }
        }
        None
    }
}

fn lower(written: &str) -> Cow<'_, str> {
    // NULs are replaced by the standard, which makes `scr\0ipt` an unknown name; unknown is left out.
    if written.bytes().any(|octet| octet.is_ascii_uppercase()) {
        written.to_ascii_lowercase().into()
    } else {
        written.into()
    }
}

type Attributes<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The attributes up to the `>` that ends the tag, and what follows it. `None` = the tag never ends. Without `quotes`
/// the first `>` ends it.
fn attributes(written: &str, quotes: bool) -> Option<(Attributes<'_>, &str)> {
    let (mut rest, mut after) = (written, "");
    if !quotes {
        (rest, after) = written.split_once('>')?;
    }
    let mut read = Attributes::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if quotes && let Some(follows) = rest.strip_prefix('>') {
            return Some((read, follows));
        }
        if rest.is_empty() {
            return (!quotes).then_some((read, after));
        }
        // An equals sign in the first place belongs to the name (standard, 13.2.5.32).
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let name_end = rest
            .char_indices()
            .find(|(at, c)| *at >= first && (c.is_ascii_whitespace() || matches!(c, '/' | '>' | '=')))
            .map_or(rest.len(), |(at, _)| at);
        let (name, follows) = rest.split_at_checked(name_end)?;
        let (value, follows) = match follows.trim_ascii_start().strip_prefix('=') {
            Some(value) => value_of(value.trim_ascii_start(), quotes)?,
            None => ("", follows),
        };
        rest = follows;
        if read.len() < ATTRIBUTES_MAX {
            read.push((lower(name), entities::decoded(value, true)));
        }
    }
}

/// A value and what follows it. `None` = its quote never ends.
fn value_of(written: &str, quotes: bool) -> Option<(&str, &str)> {
    let quote = written.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote {
        let inside = written.get(1..).unwrap_or_default();
        return match inside.split_once(quote) {
            None if quotes => None,
            None => Some((inside, "")),
            read => read,
        };
    }
    let end = written.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(written.len());
    written.split_at_checked(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `<name a=v>`, `</name>` and text, one after the other.
    fn shown(html: &str) -> String {
        let each = Tokens::new(html).map(|token| match token {
            Token::Text(text) => text.into_owned(),
            Token::End(name) => format!("</{name}>"),
            Token::Start(tag) => {
                let attributes: Vec<String> = tag.attributes.iter().map(|(n, v)| format!(" {n}={v}")).collect();
                format!("<{}{}>", tag.name, attributes.concat())
            }
        });
        each.collect()
    }

    #[test]
    fn tokens() {
        for (html, expected) in [
            ("a<B>c</B\n>d", "a<b>c</b>d"),
            ("<a\nhref = 'x>y'\n  Title=un/quoted disabled>z", "<a href=x>y title=un/quoted disabled=>z"),
            ("<br/><img src=a/>", "<br><img src=a/>"),
            ("a <!-- <b> --> c<!-->d<!--->e", "a  cde"),
            ("<!doctype html><?xml a?><![if !mso]>a<![endif]></ b>c</>", "ac"),
            ("<!--[if mso]><b>no</b><![endif]-->yes<!--[if !mso]><!-->too<!--<![endif]-->", "yestoo"),
            ("1 < 2 <3 & 4 > 3", "1 < 2 <3 & 4 > 3"),
            ("<script>if (a</b>) '</scripty>'</SCRIPT >b", "<script></script>b"),
            ("<style>a{} x", "<style>"),
            ("<title>a", "<title>a"),
            (
                "mail <jane@shop.example> or <https://shop.example/a>",
                "mail <jane@shop.example> or <https://shop.example/a>",
            ),
            // What never ends: words are kept where the standard would drop them.
            ("<!-- a>b", "b"),
            ("<a title=\"x>b</a> c", "<a title=x>b</a> c"),
            ("a <b", "a "),
            ("if a <b then c", "if a <b then c"),
            ("<a href=\"x", ""),
            ("", ""),
        ] {
            assert_eq!(shown(html), expected, "{html:?}");
        }
    }

    #[test]
    fn hostile_tags_are_bounded() {
        let many = format!("<a {}>b", "c=d ".repeat(10_000));
        let Some(Token::Start(tag)) = Tokens::new(&many).next() else { panic!("no tag") };
        assert_eq!(tag.attributes.len(), ATTRIBUTES_MAX);
        for piece in ["<a b=\"", "<!--", "<title>", "</a '", "<", "&", "<!", "<a b='>"] {
            let count = Tokens::new(&piece.repeat(100_000)).count();
            assert!(count <= 200_000, "{piece}: {count}");
        }
    }
}
