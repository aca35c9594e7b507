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

/// Longest charset name looked at, with its language.
const CHARSET_OCTETS_MAX: usize = 80;

struct Word<'a> {
    charset: &'a str,
    octets: Vec<u8>,
    /// Octets of text taken, delimiters included.
    length: usize,
}

/// Cuts text into plain stretches and runs of encoded words.
///
/// Adjacent words of one charset are decoded as one octet string, whatever their encodings: Exchange and older PHP
/// mailers split multibyte characters between words, which RFC 2047 section 5 forbids. Of ISO-2022-JP too: a word that
/// begins without its escape goes on where the one before ended.
pub(crate) fn runs(text: &str) -> Vec<Run> {
    let mut found: Vec<Run> = Vec::new();
    let mut plain = String::new();
    // Words not decoded yet: they may go on.
    let mut pending: Option<(String, Vec<u8>)> = None;
    let mut rest = text;
    // Set once there is no end mark in what follows: the last word of a field may have lost its own. Asked once, so that
    // unfinished words cost no search each.
    let mut past_ends = false;
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        let Some(word) = word(from, &mut past_ends) else {
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
        let text = charset::decode(&octets, Some(&label)).text;
        // Encoded twice, as some gateways and form scripts do: the inner words are meant. Once, so that nothing grows.
        let inner = if is_words(&text) { once(&text) } else { text };
        found.push(Run::Encoded(inner));
    }
}

/// True where text is nothing but encoded words.
fn is_words(text: &str) -> bool {
    text.trim_start().starts_with("=?") && text.trim_end().ends_with("?=")
}

/// Decodes words whose text is not looked into again.
fn once(text: &str) -> String {
    let mut shown = String::new();
    let mut octets: Vec<u8> = Vec::new();
    let mut label = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        let Some(word) = word(from, &mut false) else { break };
        if !before.trim().is_empty() || !label.eq_ignore_ascii_case(word.charset) {
            shown.push_str(&charset::decode(&std::mem::take(&mut octets), Some(&label)).text);
            shown.push_str(if before.trim().is_empty() { "" } else { before });
        }
        word.charset.clone_into(&mut label);
        octets.extend_from_slice(&word.octets);
        rest = from.get(word.length..).unwrap_or_default();
    }
    shown.push_str(&charset::decode(&octets, Some(&label)).text);
    shown.push_str(rest);
    shown
}

/// Decodes all encoded words of an unstructured field.
pub(crate) fn decode(text: &str) -> String {
    let each = runs(text).into_iter().map(|run| match run {
        Run::Plain(text) | Run::Encoded(text) => text,
    });
    each.collect()
}

/// Reads the word at the start of `from` (which begins with `=?`). `past_ends` = no end mark follows: the word then ends
/// at the next blank, or where its encoding does.
fn word<'a>(from: &'a str, past_ends: &mut bool) -> Option<Word<'a>> {
    let head = from.get(..from.floor_char_boundary(CHARSET_OCTETS_MAX + 6))?;
    let (charset, after) = head.strip_prefix("=?")?.split_once('?')?;
    // RFC 2231 section 5 appends a language: `utf-8*en`.
    let label = charset.split('*').next().unwrap_or(charset).trim();
    if charset.len() > CHARSET_OCTETS_MAX || label.contains(char::is_whitespace) || label.contains(['=', '<', '>']) {
        return None;
    }
    let (encoding, _) = after.split_once('?')?;
    let base64 = match encoding.trim() {
        "B" | "b" => true,
        "Q" | "q" => false,
        _ => return None,
    };
    let start = 2 + charset.len() + 1 + encoding.len() + 1;
    let data = from.get(start..)?;
    let ended = if *past_ends { None } else { data.split_once("?=") };
    let (data, marks) = match ended {
        Some((data, _)) => (data, 2),
        None => {
            *past_ends = true;
            (data.get(..unfinished(data, base64)).filter(|data| !data.is_empty())?, 0)
        }
    };
    let octets = if base64 { b_decode(data.as_bytes()) } else { q_decode(data.as_bytes()) };
    Some(Word { charset: label, octets, length: start + data.len() + marks })
}

/// Length of an encoded text whose end mark is missing.
fn unfinished(data: &str, base64: bool) -> usize {
    let belongs = |c: char| {
        let alphabet = c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
        if base64 { alphabet } else { c.is_ascii_graphic() && !matches!(c, '?' | '<' | '>' | '"' | ',') }
    };
    let end = data.find(|c| !belongs(c)).unwrap_or(data.len());
    // A lone question mark is what is left of the end mark.
    if data.get(end..).is_some_and(|rest| rest.trim_end() == "?") { data.len() } else { end }
}

/// RFC 2047 section 4.1, forgiving: padding missing, in the middle (two encodings joined), or too much; blanks, illegal
/// characters and the alphabet of URLs.
fn b_decode(data: &[u8]) -> Vec<u8> {
    let plain: Vec<u8> = data
        .iter()
        .filter_map(|octet| match octet {
            b'-' => Some(b'+'),
            b'_' => Some(b'/'),
            b'+' | b'/' | b'=' => Some(*octet),
            octet => octet.is_ascii_alphanumeric().then_some(*octet),
        })
        .collect();
    crate::parse::transfer::base64(&plain).0
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
        .map(|c| if matches!(c, '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}') { ' ' } else { c })
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
            ("=?utf-8?Q?broken", "broken"),
            ("=?utf-8?Q?b=C3=BCro=20 and more", "büro  and more"),
            ("=?utf-8?B?w7w", "ü"),
            ("=?utf-8?B?w7w=?", "ü"),
            ("=?utf-8?Q?a?= =?utf-8?Q?=C3=BC", "aü"),
            ("=?utf-8?Q?", "=?utf-8?Q?"),
            // Padding missing, illegal characters, blanks inside, the alphabet of URLs.
            ("=?utf-8?B?w7w?=", "ü"),
            ("=?utf-8?B?w7*w!?=", "ü"),
            ("=?utf-8?B?5pel 5pys?=", "日本"),
            ("=?utf-8?B?8J-Yig?=", "😊"),
            ("=?utf-8?B?w7w=w7w=?=", "üü"),
            // One character over two words, one of each encoding.
            ("=?utf-8?Q?=E6=97?= =?utf-8?B?pQ==?=", "日"),
            // A shift that the word before left open.
            ("=?iso-2022-jp?B?GyRCRnw=?= =?iso-2022-jp?B?S1wbKEI=?=", "日本"),
            // Encoded twice.
            ("=?utf-8?B?PT91dGYtOD9RP0I9QzM9QkNybz89?=", "Büro"),
            ("=?utf-8?Q?=3D=3Fiso-8859-1=3FQ=3FB=FCro=3F=3D?=", "Büro"),
            // In the middle of a word, without blanks between, a question mark in the text, an empty text.
            ("foo=?utf-8?Q?b=C3=BCr?=bar", "foobürbar"),
            ("=?utf-8?Q?a?==?utf-8?Q?b?=", "ab"),
            ("=?utf-8?Q?Why=3F?_?=", "Why?? "),
            ("=?utf-8?Q?Why??=", "Why?"),
            ("=?utf-8?Q?=C3=BC?=", "ü"),
            ("=?utf-8?Q??= x", " x"),
            ("=?utf-8?B??=", ""),
            ("=? utf-8 ?Q?a?=", "a"),
            ("=?unknown-8bit?Q?Gr=FC=DFe?=", "Grüße"),
            ("=??Q?Gr=FC=DFe?=", "Grüße"),
            ("=?utf-8?Q?Gr=FC=DFe?=", "Grüße"),
            ("=?gb2312?B?yNWxvg==?=", "日本"),
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
        let _ = decode(&"=?utf-8?q?a".repeat(100_000));
        let _ = decode(&format!("{}?=", "=?utf-8?b?".repeat(100_000)));
        let _ = decode(&format!("{}?=", "=?x ".repeat(100_000)));
    }

    proptest::proptest! {
        #[test]
        fn what_was_encoded_is_read(text in "\\PC{0,40}", cut in 0_usize..60) {
            let octets = text.as_bytes();
            let (first, second) = octets.split_at(cut.min(octets.len()));
            let b = |octets: &[u8]| format!("=?utf-8?B?{}?=", data_encoding::BASE64.encode(octets));
            let q = |octets: &[u8]| -> String {
                let escaped: String = octets.iter().map(|octet| format!("={octet:02X}")).collect();
                format!("=?UTF-8?q?{escaped}?=")
            };
            // A mark at the start is taken off, and what looks like words is read once more.
            proptest::prop_assume!(!text.starts_with('\u{FEFF}') && !text.contains("=?"));
            for written in [b(octets), q(octets), format!("{} {}", b(first), q(second)), format!("{}{}", q(first), b(second))] {
                proptest::prop_assert_eq!(decode(&written), text.as_str());
            }
        }

        #[test]
        fn one_line_is_one_line(text in "(?s).{0,80}") {
            proptest::prop_assert!(!one_line(&text).contains(|c: char| c.is_control() || BIDI_CONTROLS.contains(&c)));
        }
    }

    #[test]
    fn one_line_shows_no_controls() {
        assert_eq!(one_line(" a\t\u{202E}b\0c\r\n d "), "a bc   d");
    }
}
