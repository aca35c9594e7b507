//! Character references (HTML standard, section 13.2.5.72): named by the standard's own table, numeric with the
//! windows-1252 reading of 0x80 to 0x9F that browsers have.

use std::borrow::Cow;

use markup5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// Longest name in the table (`CounterClockwiseContourIntegral;`).
const NAME_OCTETS_MAX: usize = 32;
/// Longest name that needs no semicolon (`frac12`, `Oacute`…).
const BARE_NAME_OCTETS_MAX: usize = 6;

/// The text that `written` means. In an attribute `&copy=1` is part of an address.
pub(super) fn decoded(written: &str, in_attribute: bool) -> Cow<'_, str> {
    if !written.contains(['&', '\0']) {
        return Cow::Borrowed(written);
    }
    let mut text = String::with_capacity(written.len());
    let mut pieces = written.split('&');
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        match reference(piece, in_attribute) {
            Some((first, second, octets)) => {
                text.extend(first);
                text.extend(second);
                text.push_str(piece.get(octets..).unwrap_or_default());
            }
            None => {
                text.push('&');
                text.push_str(piece);
            }
        }
    }
    if text.contains('\0') { text.replace('\0', "").into() } else { text.into() }
}

/// What the reference at the start of `after` (the `&` is gone) means and how many octets it takes.
fn reference(after: &str, in_attribute: bool) -> Option<(Option<char>, Option<char>, usize)> {
    if let Some(digits) = after.strip_prefix('#') {
        return numeric(digits).map(|(c, octets)| (Some(c), None, octets + 1));
    }
    let name = after.bytes().take(NAME_OCTETS_MAX).take_while(u8::is_ascii_alphanumeric).count();
    let known = |octets: usize| {
        let (first, second) = NAMED_ENTITIES.get(after.get(..octets)?).copied()?;
        // The table holds every beginning of a name as (0, 0).
        (first != 0).then(|| (char::from_u32(first), char::from_u32(second).filter(|c| *c != '\0'), octets))
    };
    if after.as_bytes().get(name) == Some(&b';')
        && let Some(found) = known(name + 1)
    {
        return Some(found);
    }
    let found = (2..=name.min(BARE_NAME_OCTETS_MAX)).rev().find_map(known)?;
    let follows = after.as_bytes().get(found.2);
    let in_address = follows.is_some_and(|octet| octet.is_ascii_alphanumeric() || *octet == b'=');
    (!in_attribute || !in_address).then_some(found)
}

fn numeric(digits: &str) -> Option<(char, usize)> {
    let (radix, prefix) = if digits.starts_with(['x', 'X']) { (16, 1) } else { (10, 0) };
    let digits = digits.get(prefix..)?;
    let count = digits.bytes().take_while(|octet| char::from(*octet).is_digit(radix)).count();
    if count == 0 {
        return None;
    }
    let value = digits.get(..count).and_then(|d| u32::from_str_radix(d, radix).ok()).unwrap_or(u32::MAX);
    let semicolon = usize::from(digits.as_bytes().get(count) == Some(&b';'));
    let c1 = value.checked_sub(0x80).and_then(|at| C1_REPLACEMENTS.get(usize::try_from(at).ok()?).copied().flatten());
    let c = c1.or_else(|| char::from_u32(value).filter(|c| *c != '\0')).unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((c, prefix + count + semicolon))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        for (written, in_attribute, expected) in [
            ("a &amp; b &lt;c&gt; &quot;d&quot;", false, "a & b <c> \"d\""),
            ("&euro;&nbsp;&hellip;&NotEqualTilde;", false, "€\u{A0}…≂\u{338}"),
            ("&#8364; &#x20AC; &#X20ac &#128; &#150; &#146;", false, "€ € € € – ’"),
            ("&#0; &#xD800; &#99999999999; &#x110000;", false, "\u{FFFD} \u{FFFD} \u{FFFD} \u{FFFD}"),
            ("&copy 2026 &notit; &unknown; &; & &#; &#x;", false, "© 2026 ¬it; &unknown; &; & &#; &#x;"),
            ("?a=1&copy=2&lt;&reg", true, "?a=1&copy=2<®"),
            ("&amp;nbsp; AT&T", false, "&nbsp; AT&T"),
            ("a\0b", false, "a\0b".replace('\0', "").as_str()),
        ] {
            assert_eq!(decoded(written, in_attribute), expected, "{written:?}");
        }
    }
}
