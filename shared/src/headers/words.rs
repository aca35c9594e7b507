//! RFC 2047 encoded words, and text made fit to be shown on one line.

use crate::parse::charset;

/// Bidirectional controls: they make `gpj.exe` read as `exe.jpg` (Unicode TR 36, section 2.10).
const BIDI_CONTROLS: [char; 12] = [
    '\u{061C}', '\u{200E}', '\u{200F}', '\u{202A}', '\u{202B}', '\u{202C}', '\u{202D}', '\u{202E}', '\u{2066}',
    '\u{2067}', '\u{2068}', '\u{2069}',
];

/// A stretch of a field: plain text, or what a run of encoded words says.
pub(crate) enum Run {
    Plain(String),
    Encoded(String),
}

struct Word<'a> {
    charset: &'a str,
    octets: Vec<u8>,
    /// Octets of text taken, delimiters included.
    length: usize,
}

/// Cuts text into plain stretches and runs of encoded words.
///
/// Adjacent words of one charset are decoded as one octet string: Exchange and older PHP mailers split multibyte
/// characters between words, which RFC 2047 section 5 forbids.
pub(crate) fn runs(text: &str) -> Vec<Run> {
    let mut found: Vec<Run> = Vec::new();
    let mut plain = String::new();
    // Words not decoded yet: they may go on.
    let mut pending: Option<(String, Vec<u8>)> = None;
    let mut rest = text;
    // No word ends past here: asked once, so that unfinished words cost no search each.
    let last_end = text.rfind("?=").unwrap_or(0);
    while let Some(at) = rest.find("=?") {
        if text.len() - rest.len() + at >= last_end {
            break;
        }
        let (before, from) = rest.split_at(at);
        let Some(word) = word(from) else {
            flush(&mut pending, &mut found);
            plain.push_str(before);
            plain.push_str("=?");
            rest = from.get(2..).unwrap_or_default();
            continue;
        };
        // RFC 2047 section 6.2: white space between encoded words is not displayed.
        let adjacent = plain.is_empty() && before.trim().is_empty();
        match &mut pending {
            Some((charset, octets)) if adjacent && charset.eq_ignore_ascii_case(word.charset) => {
                octets.extend_from_slice(&word.octets);
            }
            _ => {
                let was_word = pending.is_some();
                flush(&mut pending, &mut found);
                if !(adjacent && was_word) {
                    plain.push_str(before);
                }
                if !plain.is_empty() {
                    found.push(Run::Plain(std::mem::take(&mut plain)));
                }
                pending = Some((word.charset.to_owned(), word.octets));
            }
        }
        rest = from.get(word.length..).unwrap_or_default();
    }
    flush(&mut pending, &mut found);
    plain.push_str(rest);
    if !plain.is_empty() {
        found.push(Run::Plain(plain));
    }
    found
}

fn flush(pending: &mut Option<(String, Vec<u8>)>, found: &mut Vec<Run>) {
    if let Some((label, octets)) = pending.take() {
        found.push(Run::Encoded(charset::decode(&octets, Some(&label)).text));
    }
}

/// Decodes all encoded words of an unstructured field.
pub(crate) fn decode(text: &str) -> String {
    let each = runs(text).into_iter().map(|run| match run {
        Run::Plain(text) | Run::Encoded(text) => text,
    });
    each.collect()
}

/// Reads the word at the start of `from` (which begins with `=?`).
fn word(from: &str) -> Option<Word<'_>> {
    let (charset, after) = from.strip_prefix("=?")?.split_once('?')?;
    if charset.is_empty() || charset.len() > 80 || charset.contains(char::is_whitespace) {
        return None;
    }
    let (encoding, data) = after.split_once('?')?;
    if !matches!(encoding, "B" | "b" | "Q" | "q") {
        return None;
    }
    let (data, _) = data.split_once("?=")?;
    let octets = match encoding {
        "B" | "b" => crate::parse::transfer::base64(data.as_bytes()).0,
        _ => q_decode(data.as_bytes()),
    };
    // RFC 2231 section 5 appends a language: `utf-8*en`.
    let label = charset.split('*').next().unwrap_or(charset);
    let length = 2 + charset.len() + 1 + encoding.len() + 1 + data.len() + 2;
    Some(Word { charset: label, octets, length })
}

/// RFC 2047 section 4.2: `_` is a space, `=XX` an octet; a broken escape stands for itself.
fn q_decode(data: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(data.len());
    let mut rest = data;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'=', [high, low, beyond @ ..]) => match crate::parse::transfer::hex_octet(*high, *low) {
                Some(octet) => {
                    octets.push(octet);
                    rest = beyond;
                }
                None => octets.push(b'='),
            },
            (b'_', _) => octets.push(b' '),
            (octet, _) => octets.push(*octet),
        }
    }
    octets
}

/// One line of readable text: tabs and line breaks become spaces, controls and direction overrides go, ends trimmed.
pub(crate) fn one_line(text: &str) -> String {
    let shown: String = text
        .chars()
        .map(|c| if matches!(c, '\t' | '\n' | '\r') { ' ' } else { c })
        .filter(|c| !c.is_control() && !BIDI_CONTROLS.contains(c))
        .collect();
    shown.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words() {
        for (text, expected) in [
            ("plain", "plain"),
            ("=?ISO-8859-1?Q?Andr=E9?= Pirard", "André Pirard"),
            ("=?utf-8?B?w7w=?=", "ü"),
            ("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
            ("=?ISO-8859-1?Q?a?= b", "a b"),
            ("=?ISO-8859-1?Q?a_b?=", "a b"),
            ("a =?utf-8?Q?b?=  =?iso-8859-1?Q?=E9?= c", "a bé c"),
            // A three-octet character split between two words.
            ("=?utf-8?B?5pel5g==?= =?utf-8?B?nKw=?=", "日本"),
            ("=?utf-8?Q?=E6=97?= =?UTF-8?Q?=A5?=", "日"),
            ("=?utf-8*de?Q?x?=", "x"),
            ("=?utf-8?Q?a b?=", "a b"),
            ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
            ("=?utf-8?Q?broken", "=?utf-8?Q?broken"),
            ("=?utf-8?X?no?=", "=?utf-8?X?no?="),
            ("1 =? 2 ?= 3", "1 =? 2 ?= 3"),
            ("=?no-such-charset?Q?x=FFy?=", "xÿy"),
            ("=?utf-8?Q??=x", "x"),
        ] {
            assert_eq!(decode(text), expected, "{text:?}");
        }
    }

    #[test]
    fn many_unfinished_words_take_linear_time() {
        assert_eq!(decode(&"=?utf-8?q? ".repeat(100_000)).len(), 1_100_000);
        let _ = decode(&format!("{}?=", "=?x ".repeat(100_000)));
    }

    #[test]
    fn one_line_shows_no_controls() {
        assert_eq!(one_line(" a\t\u{202E}b\0c\r\n d "), "a bc   d");
    }
}
