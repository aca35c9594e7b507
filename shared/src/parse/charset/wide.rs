//! Encodings that the WHATWG standard leaves out and that are more than a table: UTF-32, HZ, ISO-2022-KR and -CN.

use encoding_rs::{EUC_KR, Encoding, GB18030};

pub(super) const ISO_2022_KR: &str = "iso-2022-kr";
pub(super) const ISO_2022_CN: &str = "iso-2022-cn";

/// UTF-32, with how many characters were replaced; a mark at the start is taken off.
pub(super) fn utf_32(octets: &[u8], big_endian: bool) -> (String, usize) {
    let mut replaced = 0;
    let mut text = String::with_capacity(octets.len() / 4);
    for four in octets.chunks(4) {
        let scalar = <[u8; 4]>::try_from(four).ok().and_then(|four| {
            char::from_u32(if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
        });
        replaced += usize::from(scalar.is_none());
        text.push(scalar.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    let text = text.strip_prefix('\u{FEFF}').map(str::to_owned).unwrap_or(text);
    (text, replaced)
}

/// RFC 1843: `~{` and `~}` around pairs of 7-bit octets, which are GB2312 less the high bit.
pub(super) fn hz(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    let (mut rest, mut shifted) = (octets, false);
    while let Some((octet, after)) = rest.split_first() {
        rest = after;
        match (octet, after) {
            (b'~', [b'{', beyond @ ..]) if !shifted => (shifted, rest) = (true, beyond),
            (b'~', [b'}', beyond @ ..]) if shifted => (shifted, rest) = (false, beyond),
            (b'~', [b'~', beyond @ ..]) if !shifted => {
                out.push(b'~');
                rest = beyond;
            }
            // A soft line break.
            (b'~', [b'\n', beyond @ ..]) if !shifted => rest = beyond,
            // A line break ends the shift, as RFC 1843 wants it ended before.
            (b'\r' | b'\n', _) => {
                shifted = false;
                out.push(*octet);
            }
            (0x21..=0x7E, [second @ 0x21..=0x7E, beyond @ ..]) if shifted => {
                out.extend([octet | 0x80, second | 0x80]);
                rest = beyond;
            }
            _ => out.push(*octet),
        }
    }
    out
}

/// RFC 1557, RFC 1922: designations are taken out, what stands between SO and SI gets its high bit, and is then
/// EUC-KR or GB2312.
pub(super) fn iso_2022(octets: &[u8]) -> (Vec<u8>, &'static Encoding, &'static str) {
    let korean = octets.windows(4).take(64 * 1024).any(|four| four == b"\x1b$)C");
    let mut out = Vec::with_capacity(octets.len());
    let (mut rest, mut shifted) = (octets, false);
    while let Some((octet, after)) = rest.split_first() {
        rest = after;
        match (octet, after) {
            (0x1B, [b'$', b')' | b'*' | b'+', _, beyond @ ..]) => rest = beyond,
            (0x0E, _) => shifted = true,
            (0x0F, _) => shifted = false,
            (b'\r' | b'\n', _) => {
                shifted = false;
                out.push(*octet);
            }
            (0x21..=0x7E, _) if shifted => out.push(octet | 0x80),
            _ => out.push(*octet),
        }
    }
    if korean { (out, EUC_KR, ISO_2022_KR) } else { (out, GB18030, ISO_2022_CN) }
}
