//! Octets of text parts and encoded words to Unicode, saying what was used and what was lost.
//!
//! Labels follow the WHATWG encoding standard (`encoding_rs`), as browsers and therefore mailers do: `iso-8859-1`
//! means windows-1252, `gb2312` means gb18030. UTF-7 (RFC 2152) is not in that standard and comes from mail-parser.

use encoding_rs::{Encoding, GB18030, GBK, ISO_2022_JP, REPLACEMENT, UTF_8, WINDOWS_1252};

/// Text and how it was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) text: String,
    pub(crate) used: String,
    pub(crate) replaced: usize,
}

/// Decodes by the declared label where that works, else by content.
///
/// A declared label loses against the octets in two cases only: it is unknown, or it says UTF-8 or US-ASCII and the
/// octets are not (seen from PHP mailers that declare UTF-8 and send Latin-1).
pub(crate) fn decode(octets: &[u8], declared: Option<&str>) -> Decoded {
    let label = declared.map(clean_label).unwrap_or_default();
    if is_utf7(&label)
        && let Some(decoder) = mail_parser::decoders::charsets::map::charset_decoder(b"utf-7")
        && octets.is_ascii()
    {
        let text = std::panic::catch_unwind(|| decoder(octets)).unwrap_or_default();
        let replaced = text.matches(char::REPLACEMENT_CHARACTER).count();
        return Decoded { text, used: "utf-7".to_owned(), replaced };
    }
    match Encoding::for_label(label.as_bytes()).or_else(|| alias(&label)) {
        Some(encoding) if encoding == UTF_8 || encoding == REPLACEMENT => by_content(octets, encoding == UTF_8),
        // `us-ascii` is an alias of windows-1252 there; octets above 127 are then UTF-8 more often than not.
        Some(encoding) if encoding == WINDOWS_1252 && is_ascii_label(&label) => by_content(octets, false),
        Some(encoding) if encoding == GBK => with(octets, GB18030),
        Some(encoding) => with(octets, encoding),
        None => by_content(octets, false),
    }
}

/// The label without quotes, comments and white space, lower case.
fn clean_label(declared: &str) -> String {
    let bare = declared.split(['(', ';']).next().unwrap_or(declared);
    bare.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>')).to_ascii_lowercase()
}

fn is_utf7(label: &str) -> bool {
    matches!(label, "utf-7" | "utf7" | "unicode-1-1-utf-7" | "x-unicode-2-0-utf-7")
}

fn is_ascii_label(label: &str) -> bool {
    matches!(label, "us-ascii" | "ascii" | "ansi_x3.4-1968")
}

/// Labels that mailers write and the standard does not list.
fn alias(label: &str) -> Option<&'static Encoding> {
    let code_page = label.strip_prefix("cp-").or_else(|| label.strip_prefix("cp"));
    let numbered = code_page.and_then(|number| match number {
        "932" => Encoding::for_label(b"shift_jis"),
        "936" => Some(GB18030),
        "949" => Encoding::for_label(b"euc-kr"),
        "950" => Encoding::for_label(b"big5"),
        "65001" => Some(UTF_8),
        other => Encoding::for_label(format!("windows-{other}").as_bytes()),
    });
    numbered.or_else(|| match label {
        "utf8mb4" | "utf-8n" | "utf_8" | "x-utf-8" | "unicode" => Some(UTF_8),
        "iso-2022-jp-1" | "iso-2022-jp-2" | "iso-2022-jp-3" | "iso-2022-jp-ms" | "cp50220" => Some(ISO_2022_JP),
        "iso-8859-8-e" => Encoding::for_label(b"iso-8859-8"),
        "gb_2312" | "gb-2312" | "x-gbk" | "euc-cn" => Some(GB18030),
        "win1250" | "win-1250" => Encoding::for_label(b"windows-1250"),
        "win1251" | "win-1251" => Encoding::for_label(b"windows-1251"),
        other => Encoding::for_label(other.replace('_', "-").as_bytes()),
    })
}

/// UTF-8 where the octets are UTF-8; ISO-2022-JP where its escapes stand in 7-bit text; else windows-1252.
fn by_content(octets: &[u8], declared_utf8: bool) -> Decoded {
    let escapes = [&b"\x1b$B"[..], b"\x1b$@", b"\x1b(J", b"\x1b$(D"];
    if octets.is_ascii() && escapes.iter().any(|escape| octets.windows(escape.len()).any(|window| window == *escape)) {
        return with(octets, ISO_2022_JP);
    }
    if octets.starts_with(b"\xFF\xFE") || octets.starts_with(b"\xFE\xFF") {
        let (text, encoding, _) = UTF_8.decode(octets);
        let replaced = text.matches(char::REPLACEMENT_CHARACTER).count();
        return Decoded { text: text.into_owned(), used: encoding.name().to_ascii_lowercase(), replaced };
    }
    match std::str::from_utf8(octets) {
        Ok(_) => with(octets, UTF_8),
        // Declared UTF-8 and nearly so: a cut or a few broken octets; the rest must stay readable.
        Err(_) if declared_utf8 && mostly_utf8(octets) => with(octets, UTF_8),
        Err(_) => with(octets, WINDOWS_1252),
    }
}

/// True where multibyte characters that decode outnumber the ones that do not.
fn mostly_utf8(octets: &[u8]) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in octets.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good > bad
}

fn with(octets: &[u8], encoding: &'static Encoding) -> Decoded {
    let (text, had_errors) = encoding.decode_with_bom_removal(octets);
    let already = if encoding == UTF_8 { octets.windows(3).filter(|w| *w == b"\xEF\xBF\xBD").count() } else { 0 };
    let replaced = text.matches(char::REPLACEMENT_CHARACTER).count().saturating_sub(already);
    let replaced = if had_errors { replaced } else { 0 };
    Decoded { text: text.into_owned(), used: encoding.name().to_ascii_lowercase(), replaced }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_contents() {
        for (octets, declared, text, used, replaced) in [
            (&b"Gr\xFC\xDFe"[..], Some("iso-8859-1"), "Grüße", "windows-1252", 0),
            (b"Gr\xFC\xDFe", Some("\"ISO-8859-1\""), "Grüße", "windows-1252", 0),
            (b"Gr\xFC\xDFe", None, "Grüße", "windows-1252", 0),
            (b"Gr\xFC\xDFe", Some("utf-8"), "Grüße", "windows-1252", 0),
            (b"Gr\xC3\xBC\xC3\x9Fe", None, "Grüße", "utf-8", 0),
            (b"Gr\xC3\xBC\xC3\x9Fe", Some("us-ascii"), "Grüße", "utf-8", 0),
            (b"Gr\xC3\xBC\xC3\x9Fe", Some("x-unknown"), "Grüße", "utf-8", 0),
            (b"\xC3\xBC\xC3\x9F\xC3", Some("UTF-8"), "üß\u{FFFD}", "utf-8", 1),
            (b"\x1b$BF|K\\\x1b(B", None, "日本", "iso-2022-jp", 0),
            (b"\x1b$BF|K\\\x1b(B", Some("iso-2022-jp"), "日本", "iso-2022-jp", 0),
            (b"\xC8\xD5\xB1\xBE", Some("gb2312"), "日本", "gb18030", 0),
            (b"\x93\xFA\x96{", Some("cp932"), "日本", "shift_jis", 0),
            (b"\xEF\xBB\xBFa", Some("utf-8"), "a", "utf-8", 0),
            (b"+ZeVnLA-", Some("utf-7"), "日本", "utf-7", 0),
            (b"+ZeVnLA-", None, "+ZeVnLA-", "utf-8", 0),
            (b"\xCF\xF0\xE8", Some("cp-1251"), "При", "windows-1251", 0),
            (b"", Some("utf-8"), "", "utf-8", 0),
        ] {
            let decoded = decode(octets, declared);
            assert_eq!((decoded.text.as_str(), decoded.used.as_str(), decoded.replaced), (text, used, replaced));
        }
    }
}
