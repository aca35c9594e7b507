//! Address lists (RFC 5322 section 3.4), groups flattened.

use mail_parser::{Addr, Address, HeaderValue, parsers::MessageStream};

use super::words::{self, Run};
use crate::address::NamedAddress;

/// Addresses kept of one field.
const ADDRESSES_PER_FIELD_MAX: usize = 2_000;

/// Stands for an encoded word while the structure is read, so that a decoded comma or bracket can't change who is
/// named (private use; removed from the field first).
const MARK: char = '\u{F8FF}';

/// Reads an unfolded address field.
pub(crate) fn list(field: &str) -> Vec<NamedAddress> {
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
    structure.push('\n');
    let HeaderValue::Address(parsed) = MessageStream::new(structure.as_bytes()).parse_address() else {
        return Vec::new();
    };
    let named = |addr: Addr<'_>| {
        let name = addr.name.map(|name| words::one_line(&restore(&name, &decoded)));
        let address = addr.address.map(|address| words::one_line(&restore(&address, &decoded)));
        tidy(name.filter(|n| !n.is_empty()), address.filter(|a| !a.is_empty()))
    };
    let all: Vec<Addr<'_>> = match parsed {
        Address::List(list) => list,
        Address::Group(groups) => groups.into_iter().flat_map(|group| group.addresses).collect(),
    };
    all.into_iter().take(ADDRESSES_PER_FIELD_MAX).filter_map(named).collect()
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

/// `None` where neither is left. A bare word without `@` is a name, not an address (`To: undisclosed recipients`).
fn tidy(name: Option<String>, address: Option<String>) -> Option<NamedAddress> {
    match (name, address) {
        (None, None) => None,
        (None, Some(text)) if !text.contains('@') => Some(NamedAddress { name: Some(text), address: None }),
        // Seen from Exchange: 'jane@example.com' in single quotes as display name.
        (name, address) => Some(NamedAddress { name, address }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(field: &str) -> Vec<(String, String)> {
        let each = list(field).into_iter();
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
            ("<>", vec![]),
            ("", vec![]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(n, a)| (n.to_owned(), a.to_owned())).collect();
            assert_eq!(read(field), expected, "{field:?}");
        }
    }
}
