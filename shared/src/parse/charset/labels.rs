//! What a label means: the WHATWG names, what mailers write beside them, and what the standard leaves out.

use encoding_rs::{Encoding, GB18030, GBK, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::tables::{self, Table};

/// A declared label, understood.
#[derive(Clone, Copy)]
pub(super) enum Declared {
    /// No label, or one that says nothing: `unknown-8bit`, `x-user-defined`, `default`, a name nobody knows.
    Nothing,
    /// `us-ascii`: octets above 127 contradict it.
    Ascii,
    /// Any encoding of the standard.
    Known(&'static Encoding),
    /// RFC 2152.
    Utf7,
    /// UTF-16; the byte order is for the octets to tell, this is what to take where they don't.
    Utf16(&'static Encoding),
    /// UTF-32; true = big-endian where the octets don't tell.
    Utf32(bool),
    /// RFC 1843.
    Hz,
    /// RFC 1557 and RFC 1922: 7-bit, switched by escapes and shifts.
    Iso2022,
    /// A code page that the standard leaves out.
    Table(&'static Table),
}

/// Reads a label.
pub(super) fn read(declared: Option<&str>) -> Declared {
    let label = clean(declared.unwrap_or_default());
    match label.as_str() {
        "us-ascii" | "ascii" | "ansi_x3.4-1968" | "ansi_x3.4-1986" | "iso646-us" | "7bit" => return Declared::Ascii,
        // The standard makes the last of these a private-use mapping: nobody means that in mail.
        "" | "unknown-8bit" | "unknown" | "8bit" | "binary" | "default" | "x-unknown" | "x-user-defined" | "none" => {
            return Declared::Nothing;
        }
        "utf-7" | "utf7" | "unicode-1-1-utf-7" | "unicode-2-0-utf-7" | "x-unicode-2-0-utf-7" | "csutf7" => {
            return Declared::Utf7;
        }
        "hz-gb-2312" | "hz" | "hz-gb" => return Declared::Hz,
        "utf-32" | "utf32" | "utf-32be" | "ucs-4" | "ucs4" | "iso-10646-ucs-4" => return Declared::Utf32(true),
        "utf-32le" | "utf32le" => return Declared::Utf32(false),
        _ => {}
    }
    if label.starts_with("iso-2022-kr") || label.starts_with("iso-2022-cn") || label == "csiso2022kr" {
        return Declared::Iso2022;
    }
    if let Some(table) = tables::of(&label) {
        return Declared::Table(table);
    }
    match Encoding::for_label(label.as_bytes()).or_else(|| alias(&label)) {
        Some(encoding) if encoding == UTF_16LE && !label.contains("le") => Declared::Utf16(UTF_16BE),
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Declared::Utf16(encoding),
        Some(encoding) if encoding == REPLACEMENT => Declared::Nothing,
        // GB18030 holds all of GBK, and that all of GB2312: senders label by the oldest name and write the newest.
        Some(encoding) if encoding == GBK => Declared::Known(GB18030),
        Some(encoding) => Declared::Known(encoding),
        None => Declared::Nothing,
    }
}

/// The label without quotes, comments, language (RFC 2231 section 5), escapes and white space, lower case.
pub(super) fn clean(declared: &str) -> String {
    let bare = declared.split(['(', ';', '*', ',']).next().unwrap_or(declared);
    // `_iso-2022-jp$esc`, as one Japanese mailer writes.
    let bare = bare.trim_start_matches('_').split('$').next().unwrap_or(bare);
    let bare = bare.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '='));
    let bare = bare.to_ascii_lowercase();
    bare.strip_prefix("charset=").map(str::to_owned).unwrap_or(bare)
}

/// Labels that mailers write and the standard does not list.
fn alias(label: &str) -> Option<&'static Encoding> {
    let code_page = ["cp-", "cp", "windows-", "windows", "win-", "win", "ms", "x-windows-", "x-cp", "ansi-"];
    let numbered =
        code_page.iter().find_map(|prefix| match label.strip_prefix(prefix)?.trim_start_matches(['-', '_']) {
            "932" | "31j" => Encoding::for_label(b"shift_jis"),
            "936" | "54936" => Some(GB18030),
            "949" => Encoding::for_label(b"euc-kr"),
            "950" => Encoding::for_label(b"big5"),
            "20866" => Encoding::for_label(b"koi8-r"),
            "21866" => Encoding::for_label(b"koi8-u"),
            "28591" => Some(WINDOWS_1252),
            "50220" | "50221" | "50222" => Some(ISO_2022_JP),
            "51932" | "20932" => Encoding::for_label(b"euc-jp"),
            "65001" => Some(UTF_8),
            other if other.len() <= 8 => Encoding::for_label(format!("windows-{other}").as_bytes()),
            _ => None,
        });
    numbered.or_else(|| match label {
        "utf8mb4" | "utf-8n" | "utf_8" | "x-utf-8" | "unicode" | "utf-8-sig" | "utf-8-mac" | "cesu-8" => Some(UTF_8),
        "utf-16-be" | "utf16be" | "utf_16be" => Some(UTF_16BE),
        "utf16" | "utf_16" | "utf16le" | "utf-16-le" | "ucs2" => Some(UTF_16LE),
        "iso-2022-jp-1" | "iso-2022-jp-2" | "iso-2022-jp-3" | "iso-2022-jp-ms" | "iso2022jp" | "jis" => {
            Some(ISO_2022_JP)
        }
        "iso-8859-8-e" => Encoding::for_label(b"iso-8859-8"),
        "gb_2312" | "gb-2312" | "gb_2312_80" | "x-gbk" | "euc-cn" | "euccn" | "gb" => Some(GB18030),
        "eucjp" | "ujis" => Encoding::for_label(b"euc-jp"),
        "euckr" | "uhc" | "ks_c_5601" | "ksc5601" | "x-windows-949" => Encoding::for_label(b"euc-kr"),
        "sjis" | "s-jis" | "shift-jis" | "shiftjis" => Encoding::for_label(b"shift_jis"),
        "koi8" | "koi" | "koi-8-r" => Encoding::for_label(b"koi8-r"),
        "latin-1" | "latin_1" | "iso-latin-1" | "western" | "iso-8859" => Some(WINDOWS_1252),
        "latin-9" | "latin9" => Encoding::for_label(b"iso-8859-15"),
        "macintosh-roman" | "mac-roman" | "macroman" => Encoding::for_label(b"macintosh"),
        "mac-cyrillic" => Encoding::for_label(b"x-mac-cyrillic"),
        "tis620" | "thai" => Encoding::for_label(b"tis-620"),
        other if other.contains(['_', ' ']) => Encoding::for_label(other.replace(['_', ' '], "-").as_bytes()),
        _ => None,
    })
}

/// The Windows code page that text means which says this ISO 8859 part but holds octets of 0x80-0x9F: controls there,
/// that nobody writes, quotes and letters here. The standard itself does this for parts 1, 9 and 11.
pub(super) fn windows_sibling(encoding: &'static Encoding) -> Option<&'static Encoding> {
    let sibling: &[u8] = match encoding.name() {
        "ISO-8859-2" | "ISO-8859-16" => b"windows-1250",
        "ISO-8859-3" => b"windows-1254",
        "ISO-8859-4" | "ISO-8859-10" | "ISO-8859-13" => b"windows-1257",
        "ISO-8859-5" => b"windows-1251",
        "ISO-8859-6" => b"windows-1256",
        "ISO-8859-7" => b"windows-1253",
        "ISO-8859-8" | "ISO-8859-8-I" => b"windows-1255",
        "ISO-8859-14" | "ISO-8859-15" => b"windows-1252",
        _ => return None,
    };
    Encoding::for_label(sibling)
}
