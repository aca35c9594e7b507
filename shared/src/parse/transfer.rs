//! Content-Transfer-Encoding (RFC 2045 section 6): octets of a leaf as they were before encoding.
//!
//! Nothing is refused: what can't be decoded is kept as it stands and named as a defect. Linear.

use std::borrow::Cow;

use super::uuencode;

/// What decoding met.
pub(crate) type Defect = Option<&'static str>;

/// Decodes by the name of the encoding; unknown names mean identity (RFC 2045 section 6.4).
pub(crate) fn decode<'a>(octets: &'a [u8], encoding: &str) -> (Cow<'a, [u8]>, Defect) {
    match encoding.trim().trim_matches('"').to_ascii_lowercase().as_str() {
        "base64" | "x-base64" => {
            let (decoded, defect) = base64(octets);
            // A list footer or a plain text under a wrong label: better shown than decoded to noise.
            if defect == Some("base64-invalid") { (Cow::Borrowed(octets), defect) } else { (decoded.into(), defect) }
        }
        "quoted-printable" | "quoted_printable" => (quoted_printable(octets).into(), None),
        "x-uuencode" | "uuencode" | "x-uue" | "uue" => match uuencoded(octets) {
            Some(decoded) => (decoded.into(), None),
            None => (Cow::Borrowed(octets), Some("uuencode-invalid")),
        },
        "" | "7bit" | "8bit" | "binary" => (Cow::Borrowed(octets), None),
        _ => (Cow::Borrowed(octets), Some("transfer-encoding-unknown")),
    }
}

fn sextet(octet: u8) -> Option<u32> {
    let value = match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

/// Base64 as mailers write it: line breaks anywhere, padding missing, several encodings after one another, text that a
/// list manager appended (that text ends the decoding: `base64-trailing-text`).
pub(crate) fn base64(octets: &[u8]) -> (Vec<u8>, Defect) {
    let mut decoded = Vec::with_capacity(octets.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0_u32, 0_u8);
    let mut defect = None;
    for line in octets.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii) {
        let strange = line.iter().filter(|octet| sextet(**octet).is_none() && **octet != b'=').count();
        if strange * 8 > line.len() {
            defect = Some(if decoded.is_empty() { "base64-invalid" } else { "base64-trailing-text" });
            break;
        }
        if strange > 0 {
            defect = Some("base64-strange-octets");
        }
        for octet in line {
            match sextet(*octet) {
                Some(value) => {
                    (bits, count) = ((bits << 6) | value, count + 1);
                    if count == 4 {
                        decoded.extend_from_slice(bits.to_be_bytes().get(1..).unwrap_or_default());
                        (bits, count) = (0, 0);
                    }
                }
                None if *octet == b'=' => {
                    finish(bits, count, &mut decoded);
                    (bits, count) = (0, 0);
                }
                None => {}
            }
        }
    }
    finish(bits, count, &mut decoded);
    (decoded, defect)
}

/// The octets of a quantum that ended early.
fn finish(bits: u32, count: u8, decoded: &mut Vec<u8>) {
    let (aligned, octets) = match count {
        2 => (bits << 12, 1),
        3 => (bits << 6, 2),
        _ => return,
    };
    decoded.extend(aligned.to_be_bytes().iter().skip(1).take(octets));
}

/// The octet that two hexadecimal digits name.
pub(crate) fn hex_octet(high: u8, low: u8) -> Option<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

/// Quoted-printable; a broken escape stands for itself, trailing blanks of a line are transport padding.
pub(crate) fn quoted_printable(octets: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(octets.len());
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        let (text, ending): (&[u8], &[u8]) = match line {
            [text @ .., b'\r', b'\n'] => (text, b"\r\n"),
            [text @ .., b'\n'] => (text, b"\n"),
            text => (text, b""),
        };
        let text = text.trim_ascii_end();
        let (text, soft) = text.strip_suffix(b"=").map_or((text, false), |text| (text, true));
        let mut rest = text;
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            match (first, after) {
                (b'=', [high, low, beyond @ ..]) if hex_octet(*high, *low).is_some() => {
                    decoded.extend(hex_octet(*high, *low));
                    rest = beyond;
                }
                (octet, _) => decoded.push(*octet),
            }
        }
        if !soft {
            decoded.extend_from_slice(ending);
        }
    }
    decoded
}

/// The first `begin` ... `end` file in the octets. `None` where there is none.
fn uuencoded(octets: &[u8]) -> Option<Vec<u8>> {
    let mut lines = octets.split(|octet| *octet == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.find(|line| line.starts_with(b"begin "))?;
    let mut decoded = Vec::new();
    for line in lines.take_while(|line| *line != b"end") {
        uuencode::decode_line(line, &mut decoded);
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_mailers_write_it() {
        for (encoded, expected, defect) in [
            ("aGVsbG8=", "hello", None),
            ("aGVs\r\nbG8", "hello", None),
            ("aGVsbG8=\r\naGVsbG8=", "hellohello", None),
            ("aGVsbG8=\r\n_____\r\nlist footer!", "hello", Some("base64-trailing-text")),
            ("aGV!sbG8gaGVsbG8gaGVsbG8=", "hello hello hello", Some("base64-strange-octets")),
            ("", "", None),
            ("a", "", None),
        ] {
            let (decoded, found) = base64(encoded.as_bytes());
            assert_eq!((String::from_utf8_lossy(&decoded).as_ref(), found), (expected, defect), "{encoded:?}");
        }
        let text = b"This is no base64, at all: (really) it isn't!";
        assert_eq!(decode(text, "base64"), (Cow::Borrowed(&text[..]), Some("base64-invalid")));
    }

    #[test]
    fn quoted_printable_as_mailers_write_it() {
        for (encoded, expected) in [
            ("a=3Db", "a=b"),
            ("soft=\r\nbreak", "softbreak"),
            ("soft=  \nbreak", "softbreak"),
            ("padding  \r\nnext", "padding\r\nnext"),
            ("broken =ZZ =", "broken =ZZ "),
            ("=c3=bc", "ü"),
            ("=", ""),
        ] {
            assert_eq!(String::from_utf8_lossy(&quoted_printable(encoded.as_bytes())), expected, "{encoded:?}");
        }
    }

    #[test]
    fn uuencode() {
        assert_eq!(decode(b"begin 644 x\n#0V%T\n`\nend\n", "x-uuencode").0.as_ref(), b"Cat");
        assert_eq!(decode(b"nothing", "x-uuencode").1, Some("uuencode-invalid"));
    }
}
