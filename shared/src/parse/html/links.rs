//! Small readings of words: a link's target beside its text, list numbers, text that was escaped twice.

use std::borrow::Cow;

/// What a link leads to, where it is worth writing.
pub(super) fn target(href: &str) -> Option<String> {
    let target: String =
        href.chars().filter(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>')).collect();
    let shown = ["http://", "https://", "mailto:", "tel:", "ftp://"];
    let scheme = target.get(..8.min(target.len())).unwrap_or_default().to_ascii_lowercase();
    shown.iter().any(|shown| scheme.starts_with(shown)).then_some(target)
}

/// True where the link's text names its target already.
pub(super) fn says(said: &str, target: &str) -> bool {
    // The text may be any length; only as much as a target has can be equal.
    let said = said.trim().trim_start_matches(['>', ' ', '\n', '*']);
    if said.len() > target.len().saturating_mul(2) {
        return said.split_whitespace().next_back().is_some_and(|last| bare(last) == bare(target));
    }
    let said = bare(&said.split_whitespace().collect::<String>());
    let target = bare(target);
    said == target || target.split_once('?').is_some_and(|(before, _)| said == before && said.contains('@'))
}

fn bare(address: &str) -> String {
    let mut address = address.trim_matches(['<', '>', '(', ')', '[', ']', '.', ',']).to_ascii_lowercase();
    for scheme in ["mailto:", "tel:", "https://", "http://", "www."] {
        if let Some(rest) = address.strip_prefix(scheme) {
            address = rest.to_owned();
        }
    }
    address.trim_end_matches('/').to_owned()
}

/// `3. `, `c. `, `III. `.
pub(super) fn list_number(number: i64, letters: Option<char>) -> String {
    let letter = |first: u8| match number {
        1..=26 => u8::try_from(number - 1).ok().map(|n| char::from(first + n).to_string()),
        _ => None,
    };
    let written = match letters {
        Some('a') => letter(b'a'),
        Some('A') => letter(b'A'),
        Some('i') => roman(number),
        Some('I') => roman(number).map(|roman| roman.to_ascii_uppercase()),
        _ => None,
    };
    format!("{}. ", written.unwrap_or_else(|| number.to_string()))
}

fn roman(number: i64) -> Option<String> {
    let mut left = (1..=399).contains(&number).then_some(number)?;
    let mut written = String::new();
    for (value, digits) in
        [(100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")]
    {
        while left >= value {
            written.push_str(digits);
            left -= value;
        }
    }
    Some(written)
}

/// Text that a form or a ticket system escaped twice: what is still an entity that nobody types is read once more.
/// `&lt;` stays, it may be what the mail is about.
pub(super) fn twice_escaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let again =
        [("&nbsp;", "\u{A0}"), ("&quot;", "\""), ("&#39;", "'"), ("&apos;", "'"), ("&zwnj;", ""), ("&amp;", "&")];
    again.iter().fold(text.to_owned(), |text, (entity, means)| text.replace(entity, means)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_say_their_target() {
        for (said, target, expected) in [
            ("https://x.example/", "https://x.example", true),
            ("www.x.example", "http://www.x.example/", true),
            ("\n> x.example", "https://x.example", true),
            ("jane@x.example", "mailto:jane@x.example?subject=a", true),
            ("+49 30 123", "tel:+4930123", true),
            ("here", "https://x.example", false),
            ("x.example", "https://evil.example/x.example", false),
            ("example", "https://x.example", false),
        ] {
            assert_eq!(says(said, target), expected, "{said} {target}");
        }
    }

    #[test]
    fn numbers_of_lists() {
        for (number, letters, expected) in [
            (3, None, "3. "),
            (3, Some('a'), "c. "),
            (27, Some('A'), "27. "),
            (4, Some('i'), "iv. "),
            (14, Some('I'), "XIV. "),
            (-1, Some('i'), "-1. "),
        ] {
            assert_eq!(list_number(number, letters), expected);
        }
    }
}
