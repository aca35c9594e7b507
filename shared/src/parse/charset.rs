//! Octets of text parts, fields and encoded words to Unicode, saying what was used and what was lost.
//!
//! Labels follow the WHATWG encoding standard (`encoding_rs`), as browsers and therefore mailers do: `iso-8859-1`
//! means windows-1252, `gb2312` means gb18030. Where no label helps, statistics do (`chardetng`, made for Firefox).
//! UTF-7 (RFC 2152) is not in that standard, is never guessed, and comes from mail-parser.
//!
//! A declared label loses against the octets where they can't be what it says:
//!
//! 1. A byte order mark stands at the start.
//! 2. It says nothing (`unknown-8bit`, no label), or UTF-8 or US-ASCII, and the octets are something else.
//! 3. It says a legacy encoding and the octets are UTF-8: text of an 8-bit or East Asian encoding is not well-formed
//!    UTF-8 by chance but for some two-letter words ([`is_surely_utf8`]), while web mailers and scripts that convert to
//!    UTF-8 and keep the label are common.
//! 4. It says a part of ISO 8859 and octets 0x80-0x9F stand there, which are controls: the Windows page is meant.
//! 5. It says an East Asian encoding, the octets break its rules, and they keep those of another.
//! 6. Escapes of ISO 2022 stand in 7-bit text, whatever single-octet label is there.

mod hint;
mod labels;
mod sniff;
mod tables;
#[cfg(test)]
mod tests;
mod wide;

use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE};

pub(crate) use self::hint::of_html;
use self::{
    labels::Declared,
    sniff::{Sniffed, sniff},
};

/// Text and how it was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) text: String,
    /// What the octets say of themselves; `us-ascii` where they say nothing.
    pub(crate) sniffed: String,
    pub(crate) used: String,
    /// Characters that had to be replaced by U+FFFD; those that the sender wrote do not count.
    pub(crate) replaced: usize,
}

/// Decodes by the declared label where that can be true, else by content.
pub(crate) fn decode(octets: &[u8], declared: Option<&str>) -> Decoded {
    decode_beside(octets, declared, None)
}

/// The same; `beside` is the label of text that stands next to it, for octets that neither label nor mark explains.
pub(crate) fn decode_beside(octets: &[u8], declared: Option<&str>, beside: Option<&str>) -> Decoded {
    let like = match beside.map(|label| labels::read(Some(label))) {
        Some(Declared::Known(encoding)) => Some(encoding),
        _ => None,
    };
    let label = labels::read(declared);
    let sniffed = sniff(octets, like);
    let (text, used, replaced) = read(octets, label, sniffed);
    Decoded { text, sniffed: sniffed.name(), used, replaced }
}

type Read = (String, String, usize);

fn read(octets: &[u8], label: Declared, sniffed: Sniffed) -> Read {
    if sniff::mark(octets).is_some() {
        return as_sniffed(octets, sniffed);
    }
    match label {
        Declared::Utf7 if octets.is_ascii() => utf_7(octets),
        Declared::Utf16(default) => utf_16(octets, default, sniffed),
        Declared::Utf32(big) => {
            let big = if let Some(Sniffed::Utf32(told)) = sniff::zeros(octets) { told } else { big };
            // Said, but nothing of four octets stands there.
            if octets.contains(&0) { as_sniffed(octets, Sniffed::Utf32(big)) } else { as_sniffed(octets, sniffed) }
        }
        Declared::Hz if octets.is_ascii() => {
            let (text, _, replaced) = with(&wide::hz(octets), encoding_rs::GB18030);
            (text, "hz-gb-2312".to_owned(), replaced)
        }
        Declared::Iso2022 if octets.is_ascii() => iso_2022(octets),
        // 7-bit text that switches by escapes, under any label but one of its own kind.
        _ if matches!(sniffed, Sniffed::Known(encoding) if encoding == ISO_2022_JP)
            || matches!(sniffed, Sniffed::Iso2022(_)) =>
        {
            as_sniffed(octets, sniffed)
        }
        Declared::Known(encoding) if encoding == UTF_8 => utf_8(octets, sniffed),
        Declared::Known(encoding) => known(octets, encoding, sniffed),
        Declared::Table(table) if !is_surely_utf8(octets, 1) => {
            let (text, replaced) = tables::decode(octets, table);
            (text, table.0.to_owned(), replaced)
        }
        _ => as_sniffed(octets, sniffed),
    }
}

fn as_sniffed(octets: &[u8], sniffed: Sniffed) -> Read {
    match sniffed {
        Sniffed::Ascii => with(octets, UTF_8),
        Sniffed::Known(encoding) => with(octets, encoding),
        Sniffed::Utf32(big) => {
            let (text, replaced) = wide::utf_32(octets, big);
            (text, sniffed.name(), replaced)
        }
        Sniffed::Iso2022(_) => iso_2022(octets),
    }
}

/// Declared UTF-8: that, but for text that is plainly something else (PHP mailers that declare it and send Latin-1).
fn utf_8(octets: &[u8], sniffed: Sniffed) -> Read {
    let wide = matches!(sniffed, Sniffed::Utf32(_))
        || matches!(sniffed, Sniffed::Known(encoding) if encoding == UTF_16LE || encoding == UTF_16BE);
    // Nearly UTF-8: a cut or a few broken octets; the rest must stay readable.
    if wide || !(sniff::is_utf8(octets) || mostly_utf8(octets)) {
        return as_sniffed(octets, sniffed);
    }
    with(octets, UTF_8)
}

/// Declared a legacy encoding of the standard.
fn known(octets: &[u8], encoding: &'static Encoding, sniffed: Sniffed) -> Read {
    let by_label = with(octets, encoding);
    if octets.is_ascii() {
        return by_label;
    }
    // Two-octet characters of an East Asian encoding can be two of UTF-8 by chance, in a word or two.
    let many = if encoding.is_single_byte() || by_label.2 > 0 { 1 } else { 4 };
    if is_surely_utf8(octets, many) {
        return with(octets, UTF_8);
    }
    if let Some(windows) = labels::windows_sibling(encoding)
        && octets.iter().any(|octet| (0x80..0xA0).contains(octet) && *octet != 0x85)
    {
        // KOI8-R and the code pages of DOS have letters there too: Cyrillic text tells them apart by statistics.
        let cyrillic = ["KOI8-R", "KOI8-U", "IBM866", "x-mac-cyrillic"];
        return match sniffed {
            Sniffed::Known(other) if encoding.name() == "ISO-8859-5" && cyrillic.contains(&other.name()) => {
                with(octets, other)
            }
            _ => with(octets, windows),
        };
    }
    match sniffed {
        Sniffed::Known(other) if by_label.2 > 0 && !encoding.is_single_byte() && other != encoding => {
            let high = octets.iter().filter(|octet| !octet.is_ascii()).count();
            // What is right in another East Asian encoding is not so by chance. A single-octet one is always right:
            // there some broken characters are a cut text, and only one in eight octets says more.
            let likely = !other.is_single_byte() || by_label.2.saturating_mul(8) > high;
            let other = with(octets, other);
            if likely && other.2 == 0 { other } else { by_label }
        }
        _ => by_label,
    }
}

/// True where UTF-8 holds and can't be chance: one character of three octets, or `many` of two.
fn is_surely_utf8(octets: &[u8], many: usize) -> bool {
    if octets.is_ascii() || !sniff::is_utf8(octets) {
        return false;
    }
    let mut seen = 0;
    for chunk in octets.utf8_chunks() {
        for c in chunk.valid().chars().filter(|c| !c.is_ascii()) {
            seen += if c.len_utf8() > 2 { many } else { 1 };
            if seen >= many {
                return true;
            }
        }
    }
    false
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

/// Declared UTF-16. A page that was converted to UTF-8 and still says UTF-16 is known by having no zero octets though
/// it is long enough for a blank or a line break, and by being text as it stands.
fn utf_16(octets: &[u8], default: &'static Encoding, sniffed: Sniffed) -> Read {
    if let Some(Sniffed::Known(told)) = sniff::zeros(octets) {
        return with(octets, told);
    }
    let one_octet = !octets.contains(&0) && octets.len() >= 16 && std::str::from_utf8(octets).is_ok();
    if one_octet { as_sniffed(octets, sniffed) } else { with(octets, default) }
}

fn utf_7(octets: &[u8]) -> Read {
    let decoder = mail_parser::decoders::charsets::map::charset_decoder(b"utf-7");
    let text = decoder.and_then(|decoder| std::panic::catch_unwind(|| decoder(octets)).ok());
    let text = text.unwrap_or_else(|| String::from_utf8_lossy(octets).into_owned());
    let replaced = text.matches(char::REPLACEMENT_CHARACTER).count();
    (text, "utf-7".to_owned(), replaced)
}

fn iso_2022(octets: &[u8]) -> Read {
    let (euc, encoding, name) = wide::iso_2022(octets);
    let (text, _, replaced) = with(&euc, encoding);
    (text, name.to_owned(), replaced)
}

fn with(octets: &[u8], encoding: &'static Encoding) -> Read {
    let (text, had_errors) = encoding.decode_with_bom_removal(octets);
    let replaced = if had_errors {
        let already = if encoding == UTF_8 { octets.windows(3).filter(|w| *w == b"\xEF\xBF\xBD").count() } else { 0 };
        text.matches(char::REPLACEMENT_CHARACTER).count().saturating_sub(already)
    } else {
        0
    };
    (text.into_owned(), encoding.name().to_ascii_lowercase(), replaced)
}
