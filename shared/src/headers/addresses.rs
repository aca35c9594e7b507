//! Address lists (RFC 5322 section 3.4, obsolete forms of section 4.4), and lists as people and scripts write them:
//! names with commas, brackets that are missing or doubled, semicolons, `mailto:`, source routes.

mod scan;

use self::scan::Scanner;
use super::words::{self, Run};
use crate::address::NamedAddress;

/// Addresses kept of one field.
const ADDRESSES_PER_FIELD_MAX: usize = 2_000;

/// Stands for an encoded word while the structure is read, so that a decoded comma or bracket can't change who is
/// named (private use; removed from the field first).
const MARK: char = '\u{F8FF}';

/// An address field, read.
#[derive(Debug, Default)]
pub(crate) struct List {
    /// Members of groups too.
    pub(crate) addresses: Vec<NamedAddress>,
    /// Names of the groups.
    pub(crate) groups: Vec<String>,
}

/// One mailbox as the scanner found it.
#[derive(Debug, Default)]
struct Mailbox {
    /// What stands outside of brackets and comments, quotes taken off.
    name: String,
    /// The same with its quotes.
    written: String,
    comment: String,
    bracket: Option<String>,
}

/// Reads an unfolded address field.
pub(crate) fn list(field: &str) -> List {
    let mut decoded: Vec<String> = Vec::new();
    let mut structure = String::with_capacity(field.len() + 1);
    for run in words::runs(&field.replace([MARK, '\0'], "")) {
        match run {
            Run::Plain(text) => structure.push_str(&text),
            Run::Encoded(text) => {
                structure.push_str(&format!("{MARK}{}{MARK}", decoded.len()));
                decoded.push(text);
            }
        }
    }
    let (mailboxes, groups) = Scanner::new(&structure).read(ADDRESSES_PER_FIELD_MAX);
    let shown = |text: &str| words::one_line(&restore(text, &decoded));
    List {
        addresses: mailboxes.into_iter().filter_map(|mailbox| mailbox.named(&shown)).collect(),
        groups: groups.iter().map(|group| shown(group)).filter(|group| !group.is_empty()).collect(),
    }
}

impl Mailbox {
    fn is_empty(&self) -> bool {
        self.name.trim().is_empty() && self.written.trim().is_empty() && self.bracket.is_none()
    }

    /// `None` where neither name nor address is left. A bare word without `@` is a name, not an address
    /// (`To: undisclosed recipients`).
    fn named(self, shown: &impl Fn(&str) -> String) -> Option<NamedAddress> {
        let bracket = self.bracket.as_deref().map(|text| bare(&shown(text))).filter(|text| !text.is_empty());
        let (name, address) = match bracket {
            // `jane@example.com <Jane>`: the other way around.
            Some(text) if !text.contains('@') && self.written.contains('@') => {
                let (_, address) = unbracketed(&shown(&self.written));
                (shown(self.bracket.as_deref().unwrap_or_default()), address)
            }
            Some(address) => (shown(&self.name), Some(address)),
            None if self.written.contains('@') => unbracketed(&shown(&self.written)),
            // An address that somebody encoded as a whole.
            None => match shown(&self.name) {
                text if text.contains('@') && !text.contains(char::is_whitespace) && self.bracket.is_none() => {
                    (String::new(), Some(bare(&text)))
                }
                text => (text, None),
            },
        };
        let name = Some(name).filter(|name| !name.is_empty()).or_else(|| Some(shown(&self.comment)));
        let name = name.filter(|name| !name.is_empty());
        (name.is_some() || address.is_some()).then_some(NamedAddress { name, address })
    }
}

/// An address without `mailto:`, source route (RFC 5322 section 4.4), blanks and what punctuation clings to it.
fn bare(text: &str) -> String {
    let text = text.trim();
    let text = match text.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => text.get(7..).unwrap_or_default(),
        _ => text,
    };
    let text = match text.strip_prefix('@').and_then(|route| route.rsplit_once(':')) {
        Some((_, address)) => address,
        None => text,
    };
    let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '\''));
    // Blanks belong to a quoted local part, and to nothing else.
    if text.starts_with('"') { text.to_owned() } else { text.chars().filter(|c| !c.is_whitespace()).collect() }
}

/// Name and address where no brackets stand: the word with the `@` is the address, what is before it the name.
fn unbracketed(text: &str) -> (String, Option<String>) {
    if text.starts_with('"') && text.contains("\"@") {
        return (String::new(), Some(bare(text)));
    }
    // `jane @ example.com`
    let joined = text.split('@').map(str::trim).collect::<Vec<_>>().join("@");
    let words: Vec<&str> = joined.split_whitespace().collect();
    let Some(at) = words.iter().position(|word| word.contains('@')) else { return (joined, None) };
    let name = words.get(..at).unwrap_or_default().join(" ").trim_matches([',', '"']).trim().to_owned();
    (name, words.get(at).map(|word| bare(word.trim_matches('"'))))
}

/// Puts decoded words back where their marks stand.
fn restore(text: &str, decoded: &[String]) -> String {
    let mut restored = String::with_capacity(text.len());
    for (n, piece) in text.split(MARK).enumerate() {
        match piece.parse::<usize>().ok().filter(|_| n % 2 == 1).and_then(|index| decoded.get(index)) {
            Some(word) => restored.push_str(word),
            None => restored.push_str(piece),
        }
    }
    restored
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(field: &str) -> Vec<(String, String)> {
        let each = list(field).addresses.into_iter();
        each.map(|a| (a.name.unwrap_or_default(), a.address.unwrap_or_default())).collect()
    }

    #[test]
    fn address_lists() {
        for (field, expected) in [
            ("jane@example.com", vec![("", "jane@example.com")]),
            ("Jane Doe <jane@example.com>", vec![("Jane Doe", "jane@example.com")]),
            ("\"Doe, Jane\" <j@x.example>, b@x.example", vec![("Doe, Jane", "j@x.example"), ("", "b@x.example")]),
            ("j@x.example (Jane)", vec![("Jane", "j@x.example")]),
            ("Team: a@x.example, B <b@x.example>;", vec![("", "a@x.example"), ("B", "b@x.example")]),
            ("undisclosed-recipients:;", vec![]),
            ("=?utf-8?Q?Doe,_Jane?= <j@x.example>", vec![("Doe, Jane", "j@x.example")]),
            ("=?utf-8?Q?evil@y.example>,?= <j@x.example>", vec![("evil@y.example>,", "j@x.example")]),
            ("\"=?utf-8?Q?J=C3=A4n?=\" <j@x.example>", vec![("Jän", "j@x.example")]),
            ("=?utf-8?B?5pel5g==?= =?utf-8?B?nKw=?= <j@x.example>", vec![("日本", "j@x.example")]),
            ("Jürgen <j@bücher.example>", vec![("Jürgen", "j@bücher.example")]),
            ("\"Jane\" <j@x.example>", vec![("Jane", "j@x.example")]),
            ("\"J \\\"Q\\\" \\\\ D\" <j@x.example>", vec![("J \"Q\" \\ D", "j@x.example")]),
            ("Doe, Jane <j@x.example>", vec![("Doe, Jane", "j@x.example")]),
            (
                "Doe, Jane <j@x.example>, Roe, Rick <r@x.example>",
                vec![("Doe, Jane", "j@x.example"), ("Roe, Rick", "r@x.example")],
            ),
            (
                "a@x.example; b@x.example ;c@x.example",
                vec![("", "a@x.example"), ("", "b@x.example"), ("", "c@x.example")],
            ),
            ("j@x.example (Jane (at home) Doe)", vec![("Jane (at home) Doe", "j@x.example")]),
            ("Jane (the boss) Doe <j@x.example> (at work)", vec![("Jane Doe", "j@x.example")]),
            ("Jane Doe j@x.example", vec![("Jane Doe", "j@x.example")]),
            ("Jane Doe <j@x.example", vec![("Jane Doe", "j@x.example")]),
            ("Jane <j@x.example, b@x.example", vec![("Jane", "j@x.example"), ("", "b@x.example")]),
            ("Jane <<j@x.example>>", vec![("Jane", "j@x.example")]),
            ("Jane < j@x.example >", vec![("Jane", "j@x.example")]),
            ("Jane <j @ x.example>", vec![("Jane", "j@x.example")]),
            ("j @ x.example", vec![("", "j@x.example")]),
            ("Jane <mailto:j@x.example>", vec![("Jane", "j@x.example")]),
            ("mailto:j@x.example", vec![("", "j@x.example")]),
            ("Jane <@relay.example,@b.example:j@x.example>", vec![("Jane", "j@x.example")]),
            ("j@x.example <j@x.example>", vec![("j@x.example", "j@x.example")]),
            ("\"evil@y.example\" <j@x.example>", vec![("evil@y.example", "j@x.example")]),
            ("j@x.example <Jane>", vec![("Jane", "j@x.example")]),
            ("<a@x.example> <b@x.example>", vec![("", "a@x.example"), ("", "b@x.example")]),
            ("<j@x.example> trailing", vec![("trailing", "j@x.example")]),
            ("\"Jane <j@x.example>", vec![("Jane", "j@x.example")]),
            ("Jane (oops <j@x.example>", vec![("Jane (oops", "j@x.example")]),
            ("\"j d\"@x.example", vec![("", "\"j d\"@x.example")]),
            ("<\"j>d\"@x.example>", vec![("", "\"j>d\"@x.example")]),
            ("j@[IPv6:::1]", vec![("", "j@[IPv6:::1]")]),
            ("a@b@x.example", vec![("", "a@b@x.example")]),
            (",, a@x.example,,", vec![("", "a@x.example")]),
            ("undisclosed recipients", vec![("undisclosed recipients", "")]),
            (
                "A: a@x.example;, B: \"b\" <b@x.example>; c@x.example",
                vec![("", "a@x.example"), ("b", "b@x.example"), ("", "c@x.example")],
            ),
            ("=?utf-8?Q?J=C3=A4n?= (=?utf-8?Q?B=C3=BCro?=) <j@x.example>", vec![("Jän", "j@x.example")]),
            ("j@x.example (=?utf-8?Q?J=C3=A4n?=)", vec![("Jän", "j@x.example")]),
            ("=?utf-8?Q?j=40x.example?=", vec![("", "j@x.example")]),
            ("Jane\t  Doe <j@x.example>", vec![("Jane Doe", "j@x.example")]),
            ("<>", vec![]),
            ("", vec![]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(n, a)| (n.to_owned(), a.to_owned())).collect();
            assert_eq!(read(field), expected, "{field:?}");
        }
    }

    #[test]
    fn groups_have_names() {
        assert_eq!(list("Team A: a@x.example;, undisclosed-recipients:;").groups, ["Team A", "undisclosed-recipients"]);
    }

    #[test]
    fn hostile_lists_take_linear_time() {
        for piece in
            ["\"", "(", "<", ":", ",", "a, ", "<a@b", "\"(<", "a@b ", "\\", "x (\"", "a, \"<\" ", "< ", "a: ", "<\""]
        {
            let _ = list(&piece.repeat(50_000));
        }
    }
}
