//! What octets say of themselves, whatever was declared.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::wide;

/// Octets that statistics look at: sure long before, and each octet costs some thirty comparisons.
const STATISTICS_OCTETS_MAX: usize = 8 * 1024;
/// Octets looked at for the zeros of UTF-16 and UTF-32.
const ZEROS_OCTETS_MAX: usize = 4 * 1024;

/// What octets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sniffed {
    /// 7-bit, without escapes.
    Ascii,
    Known(&'static Encoding),
    /// UTF-32, big-endian or not.
    Utf32(bool),
    /// ISO-2022-KR or -CN by its designation.
    Iso2022(&'static str),
}

impl Sniffed {
    pub(super) fn name(self) -> String {
        match self {
            Self::Ascii => "us-ascii".to_owned(),
            Self::Known(encoding) => encoding.name().to_ascii_lowercase(),
            Self::Utf32(big) => if big { "utf-32be" } else { "utf-32le" }.to_owned(),
            Self::Iso2022(name) => name.to_owned(),
        }
    }
}

/// A byte order mark, which wins over everything (WHATWG "BOM sniff", and UTF-32 that it leaves out).
pub(super) fn mark(octets: &[u8]) -> Option<Sniffed> {
    match octets {
        [0xFF, 0xFE, 0, 0, ..] if octets.len().is_multiple_of(4) => Some(Sniffed::Utf32(false)),
        [0, 0, 0xFE, 0xFF, ..] => Some(Sniffed::Utf32(true)),
        [0xEF, 0xBB, 0xBF, ..] => Some(Sniffed::Known(UTF_8)),
        [0xFF, 0xFE, ..] => Some(Sniffed::Known(UTF_16LE)),
        [0xFE, 0xFF, ..] => Some(Sniffed::Known(UTF_16BE)),
        _ => None,
    }
}

/// UTF-16 or UTF-32 by where zero octets stand: half of Western text's octets, and every line break has one.
pub(super) fn zeros(octets: &[u8]) -> Option<Sniffed> {
    let looked_at = octets.get(..ZEROS_OCTETS_MAX).unwrap_or(octets);
    let mut count = [0_usize; 4];
    for four in looked_at.chunks(4) {
        for (seen, octet) in count.iter_mut().zip(four) {
            *seen += usize::from(*octet == 0);
        }
    }
    let [first, second, third, fourth] = count;
    let quarter = looked_at.len() / 4;
    if quarter > 0 && octets.len().is_multiple_of(4) {
        if first == quarter && second == quarter && fourth == 0 {
            return Some(Sniffed::Utf32(true));
        }
        if fourth == quarter && third == quarter && first == 0 {
            return Some(Sniffed::Utf32(false));
        }
    }
    let (even, odd, pairs) = (first + third, second + fourth, looked_at.len() / 2);
    // A tenth of the pairs: mixed text has its blanks and line breaks; the other side has none.
    match (even * 10 >= pairs && even > 0 && odd * 10 < even, odd * 10 >= pairs && odd > 0 && even * 10 < odd) {
        (true, _) if pairs > 0 => Some(Sniffed::Known(UTF_16BE)),
        (_, true) if pairs > 0 => Some(Sniffed::Known(UTF_16LE)),
        _ => None,
    }
}

/// ISO 2022 by its escapes, in 7-bit text.
pub(super) fn escapes(octets: &[u8]) -> Option<Sniffed> {
    if !octets.is_ascii() {
        return None;
    }
    let mut rest = octets;
    while let Some(at) = rest.iter().position(|octet| *octet == 0x1B) {
        rest = rest.get(at + 1..).unwrap_or_default();
        match rest {
            [b'$', b'B' | b'@', ..] | [b'(', b'J' | b'I', ..] | [b'$', b'(', b'D', ..] => {
                return Some(Sniffed::Known(ISO_2022_JP));
            }
            [b'$', b')', b'C', ..] => return Some(Sniffed::Iso2022(wide::ISO_2022_KR)),
            [b'$', b')', b'A', ..] => return Some(Sniffed::Iso2022(wide::ISO_2022_CN)),
            _ => {}
        }
    }
    None
}

/// What the octets are, by mark, escapes, zeros, UTF-8 and statistics, in that order. `like` = the encoding of text
/// that stands beside, which decides where the octets fit it without error.
pub(super) fn sniff(octets: &[u8], like: Option<&'static Encoding>) -> Sniffed {
    if let Some(sure) = mark(octets).or_else(|| escapes(octets)) {
        return sure;
    }
    // Zeros at the end are the end of a string of C.
    let end = octets.iter().rposition(|octet| *octet != 0).unwrap_or(0);
    // A few strange zeros in text that is fine without them are dirt; of Western text half the octets are zeros.
    let looked_at = octets.get(..end.min(ZEROS_OCTETS_MAX)).unwrap_or_default();
    let zero_octets = looked_at.iter().filter(|octet| **octet == 0).count();
    if zero_octets > 0
        && (zero_octets * 4 >= looked_at.len() || std::str::from_utf8(octets).is_err())
        && let Some(wide) = zeros(octets)
    {
        return wide;
    }
    if octets.is_ascii() {
        return Sniffed::Ascii;
    }
    if is_utf8(octets) {
        return Sniffed::Known(UTF_8);
    }
    if let Some(like) = like.filter(|like| *like != UTF_8 && fits(octets, like)) {
        return Sniffed::Known(like);
    }
    Sniffed::Known(statistics(octets))
}

/// UTF-8 whole, or but for a character cut at the end.
pub(super) fn is_utf8(octets: &[u8]) -> bool {
    match std::str::from_utf8(octets) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0 && !valid_part(octets, &error).is_ascii(),
    }
}

fn valid_part<'a>(octets: &'a [u8], error: &std::str::Utf8Error) -> &'a [u8] {
    octets.get(..error.valid_up_to()).unwrap_or_default()
}

fn fits(octets: &[u8], encoding: &'static Encoding) -> bool {
    encoding.decode_without_bom_handling_and_without_replacement(octets).is_some()
}

/// The likeliest legacy encoding. Only octets above 127 and their neighbours say something, so the look starts there.
pub(super) fn statistics(octets: &[u8]) -> &'static Encoding {
    let first = octets.iter().position(|octet| !octet.is_ascii()).unwrap_or(0);
    // Two octets before: a letter in front changes what `n.º` is taken for.
    let looked_at = octets.get(first.saturating_sub(2)..).unwrap_or(octets);
    let cut = looked_at.len() > STATISTICS_OCTETS_MAX;
    let looked_at = looked_at.get(..STATISTICS_OCTETS_MAX).unwrap_or(looked_at);
    let guess = std::panic::catch_unwind(|| {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(looked_at, !cut);
        detector.guess(None, Utf8Detection::Deny)
    });
    let guess = guess.unwrap_or(WINDOWS_1252);
    // It answers GBK, of which GB18030 holds all.
    if guess == encoding_rs::GBK { encoding_rs::GB18030 } else { guess }
}
