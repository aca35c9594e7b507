//! Message identifiers (RFC 5322 section 3.6.4) in canonical form.
//!
//! Canonical: brackets, folding white space and comments removed, domain lower-cased, local part kept. Mail in the
//! wild folds ids, forgets brackets, separates by commas and appends remarks; all of that is read, nothing is guessed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Ids kept from one field. RFC 5322 sets no limit; References of long threads hold hundreds, a hostile one millions.
const IDS_PER_FIELD_MAX: usize = 1_000;

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
        bracketed(&without_comments(field_value)).next().or_else(|| {
            let value = without_comments(field_value);
            value.split_whitespace().next().and_then(canonical)
        })
    }

    /// Reads all ids of an In-Reply-To or References value in their order, each once. Without any bracket the words count
    /// only if every one looks like an id: In-Reply-To may hold prose (RFC 822 phrases), such as
    /// `jane@host's message of "Tue, 1 Jan"` or `<id> from jane@host (Jane) on Tue`, and an address is not an id.
    #[must_use]
    pub fn parse_list(field_value: &str) -> Vec<Self> {
        let value = without_comments(field_value);
        let mut ids: Vec<Self> = Vec::new();
        // A lost closing bracket: the next opening one ends the id.
        for rest in value.split('<').skip(1).take(IDS_PER_FIELD_MAX) {
            push_new(&mut ids, canonical(rest.split('>').next().unwrap_or(rest)));
        }
        if ids.is_empty() {
            let separator = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>');
            let words = || value.split(separator).filter(|word| !word.is_empty());
            let id_like = |word: &str| word.contains('@') && !word.starts_with('@') && !word.contains(['"', '\'']);
            if words().all(id_like) {
                words().take(IDS_PER_FIELD_MAX).for_each(|word| push_new(&mut ids, canonical(word)));
            }
        }
        ids
    }

    /// The stand-in for a missing id. Without an `@` it cannot be written in a reference by a well-behaved client.
    #[must_use]
    pub(crate) fn from_digest(hex: &str) -> Self {
        Self(format!("digest:{hex}"))
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

fn push_new(ids: &mut Vec<MessageId>, id: Option<MessageId>) {
    if let Some(id) = id
        && !ids.contains(&id)
    {
        ids.push(id);
    }
}

fn bracketed(value: &str) -> impl Iterator<Item = MessageId> {
    value.split('<').skip(1).filter_map(|rest| canonical(rest.split('>').next().unwrap_or(rest)))
}

fn canonical(text: &str) -> Option<MessageId> {
    let joined: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let id = joined.trim_matches(|c| c == '<' || c == '>');
    match id.rsplit_once('@') {
        Some((local, domain)) => Some(MessageId(format!("{local}@{}", domain.to_ascii_lowercase()))),
        None if id.is_empty() => None,
        None => Some(MessageId(id.to_owned())),
    }
    .filter(|id| id.0 != "@")
}

/// Drops RFC 5322 comments outside brackets and quotes; nesting is counted, not recursed into.
fn without_comments(value: &str) -> String {
    let mut kept = String::with_capacity(value.len());
    let (mut depth, mut quoted, mut bracket) = (0_usize, false, false);
    for c in value.chars() {
        match c {
            '"' if depth == 0 => quoted = !quoted,
            '<' if depth == 0 && !quoted => bracket = true,
            '>' if depth == 0 && !quoted => bracket = false,
            '(' if !quoted && !bracket => {
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
            ("<no-at-sign>", Some("no-at-sign")),
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
            ("<a@b> from jane@c.example (Jane) on Tue", vec!["a@b"]),
            ("", vec![]),
        ] {
            let ids = MessageId::parse_list(field);
            assert_eq!(ids.iter().map(MessageId::as_str).collect::<Vec<_>>(), expected, "{field:?}");
        }
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
