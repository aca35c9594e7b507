//! Message identifiers (RFC 5322 section 3.6.4) in canonical form.
//!
//! Canonical: brackets, folding white space and comments removed, domain lower-cased, local part kept. Mail in the
//! wild folds ids, forgets brackets, separates by commas and appends remarks; all of that is read, nothing is guessed.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::{Deserialize, Serialize};

/// Ids kept from one field. RFC 5322 sets no limit; References of long threads hold hundreds, a hostile one millions.
const IDS_PER_FIELD_MAX: usize = 1_000;
/// Under which Amazon SES writes the ids of what it sends (Amazon SES Developer Guide, header fields).
const SES_DOMAIN: &str = "amazonses.com";
/// Schemes that stand before an id which was taken for a link.
const LINK_SCHEMES: [&str; 2] = ["mid:", "mailto:"];

/// What ids begin with that stand for something else: a mail without an id, a merge key.
const STAND_INS: [&str; 2] = ["digest:", "key:"];

/// A canonical Message-ID without brackets. Never empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(String);

impl MessageId {
    /// Reads the value of a Message-ID field: the first bracketed id, else the first word. `None` when empty.
    ///
    /// Seen in practice: `<id@host> (added by postmaster@host)`, `id@host` without brackets, `<id with space@host>`.
    #[must_use]
    pub fn parse(field_value: &str) -> Option<Self> {
        let value = readable(field_value);
        Written::of(&value).find_map(|written| canonical(written.text)).or_else(|| {
            let word = |word: &str| canonical(word.trim_matches([',', ';']));
            value.split_whitespace().find_map(word)
        })
    }

    /// Reads all ids of an In-Reply-To or References value in their order, each once. Without any bracket the words count
    /// only if every one looks like an id: In-Reply-To may hold prose (RFC 822 phrases), such as
    /// `jane@host's message of "Tue, 1 Jan"` or `<id> from jane@host (Jane) on Tue`, and an address is not an id.
    #[must_use]
    pub fn parse_list(field_value: &str) -> Vec<Self> {
        let value = readable(field_value);
        let (mut seen, mut ids) = (HashSet::new(), Vec::new());
        let mut push = |id: Option<Self>| {
            ids.extend(id.filter(|id| seen.insert(id.clone())));
        };
        for written in Written::of(&value).take(IDS_PER_FIELD_MAX) {
            // A long list that a gateway cut ends in a piece of an id, which names nothing.
            let piece = !written.closed && written.last && !written.text.contains('@') && written.number > 0;
            push(canonical(written.text).filter(|_| !piece));
        }
        if ids.is_empty() {
            let separator = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>');
            let words = || value.split(separator).filter(|word| !word.is_empty());
            let id_like = |word: &str| word.contains('@') && !word.starts_with('@') && !word.contains(['"', '\'']);
            if words().all(id_like) {
                let mut seen = HashSet::new();
                let read = words().take(IDS_PER_FIELD_MAX).filter_map(canonical);
                ids = read.filter(|id| seen.insert(id.clone())).collect();
            }
        }
        ids
    }

    /// What stands right of the last `@`; empty where there is none.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// What is hashed as the key of the id's row. Amazon SES gives back the local part of the id that it puts on what we
    /// send, and people answer to that part `@email.amazonses.com` (us-east-1) or `@<region>.amazonses.com`: the region
    /// tells nothing, so both are one key.
    #[must_use]
    pub fn key_form(&self) -> Cow<'_, str> {
        match self.0.rsplit_once('@') {
            Some((local, domain)) if domain.strip_suffix(SES_DOMAIN).is_some_and(|host| host.ends_with('.')) => {
                Cow::Owned(format!("{local}@{SES_DOMAIN}"))
            }
            _ => Cow::Borrowed(&self.0),
        }
    }

    /// The stand-in for a missing id. Text of its form in a mail is no id.
    #[must_use]
    pub(crate) fn from_digest(hex: &str) -> Self {
        Self(format!("digest:{hex}"))
    }

    /// What stands for a merge key in the index; of another form than any id that a mail can have.
    #[must_use]
    pub(crate) fn from_key(hex: &str) -> Self {
        Self(format!("key:{hex}"))
    }

    /// The id without brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands left of the last `@`; the whole id where there is none.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or(self.0.as_str(), |(local, _)| local)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Ids often hold an address: `{:?}` shows the length only.
impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({} octets)", self.0.len())
    }
}

/// The value with what gateways put around ids taken away: RFC 2047 words, escapes of links and of HTML, comments.
fn readable(field_value: &str) -> String {
    let mut value = Cow::Borrowed(field_value);
    if value.contains("=?") {
        value = Cow::Owned(crate::headers::words::decode(&value));
    }
    if !value.contains('<') && value.contains("&lt;") {
        value = Cow::Owned(value.replace("&lt;", "<").replace("&gt;", ">"));
    }
    // A link's `In-Reply-To=%3Cid%40host%3E`, taken over as it stood. An id of its own has its `@`.
    if !value.contains('@') && value.contains("%40") {
        value = Cow::Owned(percent_decoded(&value));
    }
    without_comments(&value)
}

fn percent_decoded(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = |at: usize| after.get(at).and_then(|octet| char::from(*octet).to_digit(16));
        let escaped = (*first == b'%').then(|| u8::try_from(hex(0)? * 16 + hex(1)?).ok()).flatten();
        octets.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&octets).into_owned()
}

/// One bracketed id as it stands.
struct Written<'a> {
    text: &'a str,
    /// How many stand before it.
    number: usize,
    /// Its closing bracket is there.
    closed: bool,
    /// None stands behind it.
    last: bool,
}

impl<'a> Written<'a> {
    /// Every bracketed id. A lost closing bracket: the next opening one ends the id. A lost opening one: the last word
    /// before the closing one is the id. Brackets within a quoted local part belong to it.
    fn of(value: &'a str) -> impl Iterator<Item = Self> {
        let (mut rest, mut number) = (value, 0);
        std::iter::from_fn(move || {
            loop {
                let at = rest.find(['<', '>'])?;
                let (before, bracket) = rest.split_at_checked(at)?;
                let inner = bracket.get(1..)?;
                if bracket.starts_with('>') {
                    rest = inner;
                    let word = before.rsplit(|c: char| c.is_whitespace() || matches!(c, ',' | ';')).next()?;
                    if word.contains('@') {
                        number += 1;
                        return Some(Self { text: word, number: number - 1, closed: true, last: rest.is_empty() });
                    }
                    continue;
                }
                let quoted = quoted_end(inner);
                let end = inner.get(quoted..)?.find(['<', '>']).map(|end| quoted + end);
                let text = inner.get(..end.unwrap_or(inner.len()))?;
                let after = inner.get(text.len()..)?;
                let closed = after.starts_with('>');
                rest = if closed { after.get(1..)? } else { after };
                if !text.trim().is_empty() {
                    number += 1;
                    return Some(Self { text, number: number - 1, closed, last: !rest.contains('<') });
                }
            }
        })
    }
}

/// Where a quoted local part at the beginning of an id ends, its closing quote included; 0 where there is none.
fn quoted_end(id: &str) -> usize {
    if !id.starts_with('"') {
        return 0;
    }
    let mut escaped = false;
    for (at, c) in id.char_indices().skip(1) {
        match c {
            '"' if !escaped => {
                return if id.get(at + 1..).is_some_and(|rest| rest.starts_with('@')) { at + 1 } else { 0 };
            }
            _ => escaped = c == '\\' && !escaped,
        }
    }
    0
}

fn canonical(text: &str) -> Option<MessageId> {
    let joined: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let bare = joined.trim_matches(|c| c == '<' || c == '>');
    // Written by programs that took the id for a link (RFC 2392, RFC 6068).
    let id = LINK_SCHEMES.iter().find_map(|scheme| bare.strip_prefix(scheme)).unwrap_or(bare);
    match id.rsplit_once('@') {
        Some((local, domain)) => Some(MessageId(format!("{local}@{}", domain.to_ascii_lowercase()))),
        // Forms of ours in the index: nobody takes a key's place, or speaks to it, by writing it.
        None if id.is_empty() || STAND_INS.iter().any(|form| id.starts_with(form)) => None,
        None => Some(MessageId(id.to_owned())),
    }
    .filter(|id| id.0 != "@")
}

/// Drops RFC 5322 comments outside brackets and quotes; nesting is counted, not recursed into. A comment that does not
/// end is none: what follows its parenthesis may be all there is.
fn without_comments(value: &str) -> String {
    let mut kept = String::with_capacity(value.len());
    let (mut depth, mut quoted, mut bracket) = (0_usize, false, false);
    let mut opened = 0;
    for (at, c) in value.char_indices() {
        match c {
            '"' if depth == 0 => quoted = !quoted,
            '<' if depth == 0 && !quoted => bracket = true,
            '>' if depth == 0 && !quoted => bracket = false,
            '(' if !quoted && !bracket => {
                if depth == 0 {
                    opened = at;
                }
                depth += 1;
                continue;
            }
            ')' if depth > 0 => {
                depth -= 1;
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            kept.push(c);
        }
    }
    if depth > 0 {
        kept.push(' ');
        kept.push_str(value.get(opened + 1..).unwrap_or_default());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_id() {
        for (field, expected) in [
            ("<a@B.Example>", Some("a@b.example")),
            (" <A@b.example> (added by postmaster@b.example)", Some("A@b.example")),
            ("a@b.example", Some("a@b.example")),
            ("<long\r\n\t-folded@b.example>", Some("long-folded@b.example")),
            ("<\"quoted part\"@b.example>", Some("\"quotedpart\"@b.example")),
            ("<\"a>b\"@c.example>", Some("\"a>b\"@c.example")),
            ("<\"lost quote@c.example>", Some("\"lostquote@c.example")),
            ("<id with spaces@b.example>", Some("idwithspaces@b.example")),
            ("<<a@b.example>>", Some("a@b.example")),
            ("a@b.example>", Some("a@b.example")),
            ("a@b.example;", Some("a@b.example")),
            ("%3Ca%40b.example%3E", Some("a@b.example")),
            ("<50%40off@b.example>", Some("50%40off@b.example")),
            ("&lt;a@b.example&gt;", Some("a@b.example")),
            ("=?utf-8?q?=3Ca=40b=2Eexample=3E?=", Some("a@b.example")),
            ("<mailto:a@b.example>", Some("a@b.example")),
            ("(lost end <a@b.example>", Some("a@b.example")),
            ("(a (nested) comment) <a@b.example>", Some("a@b.example")),
            ("<a(no-comment)@b.example>", Some("a(no-comment)@b.example")),
            ("<no-at-sign>", Some("no-at-sign")),
            ("<key:0123>", None),
            ("<digest:0123>", None),
            ("<key:0123@b.example>", Some("key:0123@b.example")),
            ("<>", None),
            ("", None),
            ("<@>", None),
            ("(only a comment)", None),
        ] {
            assert_eq!(MessageId::parse(field).as_ref().map(MessageId::as_str), expected, "{field:?}");
        }
    }

    #[test]
    fn many_ids() {
        for (field, expected) in [
            ("<a@b> <c@d>\r\n <a@B>", vec!["a@b", "c@d"]),
            ("<a@b>,<c@d>", vec!["a@b", "c@d"]),
            ("<a@b><c@d>", vec!["a@b", "c@d"]),
            ("a@b c@d", vec!["a@b", "c@d"]),
            ("<a@b <c@d>", vec!["a@b", "c@d"]),
            ("Your message of \"Tue, 1 Jan\" <a@b>", vec!["a@b"]),
            ("<a@b> (Jane's message of Tue)", vec!["a@b"]),
            ("jane@c.example's message of \"Tue, 1 Jan\"", vec![]),
            ("message of jane@c.example", vec![]),
            ("<trunca", vec!["trunca"]),
            ("<a@b> <c@d> <trunca", vec!["a@b", "c@d"]),
            ("<a@b> <c@d", vec!["a@b", "c@d"]),
            ("<a@b>; <c@d>", vec!["a@b", "c@d"]),
            ("<a@b> c@d> <e@f>", vec!["a@b", "c@d", "e@f"]),
            ("a@b; c@d, e@f", vec!["a@b", "c@d", "e@f"]),
            ("<a@b> <> <c@d>", vec!["a@b", "c@d"]),
            ("<a@b> (Re: <no@comment>) <c@d>", vec!["a@b", "c@d"]),
            ("<\"x <y> z\"@b> <c@d>", vec!["\"x<y>z\"@b", "c@d"]),
            ("Message from Jane of Tue <a@b>", vec!["a@b"]),
            ("<a@b> from jane@c.example (Jane) on Tue", vec!["a@b"]),
            ("", vec![]),
        ] {
            let ids = MessageId::parse_list(field);
            assert_eq!(ids.iter().map(MessageId::as_str).collect::<Vec<_>>(), expected, "{field:?}");
        }
    }

    #[test]
    fn ids_of_ses_are_one_key_in_every_region() {
        let key = |id: &str| MessageId::parse(id).unwrap().key_form().into_owned();
        for domain in ["email.amazonses.com", "eu-west-1.amazonses.com", "EU-central-1.AmazonSES.com", "amazonses.com"]
        {
            assert_eq!(key(&format!("<0102-ab@{domain}>")), "0102-ab@amazonses.com", "{domain}");
        }
        for id in ["0102-ab@notamazonses.com", "a@amazonses.com.example", "amazonses.com"] {
            assert_eq!(key(id), id, "somebody else's");
        }
    }

    #[test]
    fn a_hostile_list_costs_little() {
        let many = "<a@b".repeat(100_000);
        assert!(MessageId::parse_list(&many).len() <= IDS_PER_FIELD_MAX);
        assert!(MessageId::parse_list(&"(".repeat(400_000)).is_empty());
        assert!(MessageId::parse_list(&">".repeat(400_000)).is_empty());
        assert!(MessageId::parse_list(&"<\"".repeat(200_000)).len() <= IDS_PER_FIELD_MAX);
    }

    proptest::proptest! {
        #[test]
        fn canonical_is_idempotent(field in ".{0,80}") {
            if let Some(id) = MessageId::parse(&field) {
                let again = MessageId::parse(&format!("<{id}>"));
                // Brackets inside a bracketed id end it early; everything else must come back equal.
                if !id.as_str().contains(['<', '>']) {
                    proptest::prop_assert_eq!(again, Some(id));
                }
            }
        }

        #[test]
        fn lists_never_panic(field in "\\PC{0,200}") {
            let _ = MessageId::parse_list(&field);
        }
    }
}
