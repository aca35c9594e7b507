//! Folder names: modified UTF-7 (RFC 3501 section 5.1.3).

use data_encoding::{Encoding, Specification};

/// Base64 with a comma for the slash and without padding.
fn base64() -> Option<Encoding> {
    let mut specification = Specification::new();
    specification.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,");
    specification.encoding().ok()
}

/// A name as the server knows it.
#[must_use]
pub fn encode(name: &str) -> String {
    let Some(base64) = base64() else { return name.to_owned() };
    let mut out = String::with_capacity(name.len());
    let mut foreign: Vec<u16> = Vec::new();
    let flush = |foreign: &mut Vec<u16>, out: &mut String| {
        if !foreign.is_empty() {
            let octets: Vec<u8> = foreign.drain(..).flat_map(u16::to_be_bytes).collect();
            out.push('&');
            out.push_str(&base64.encode(&octets));
            out.push('-');
        }
    };
    for c in name.chars() {
        if c == ' ' || c.is_ascii_graphic() {
            flush(&mut foreign, &mut out);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            foreign.extend(c.encode_utf16(&mut [0; 2]).iter());
        }
    }
    flush(&mut foreign, &mut out);
    out
}

/// A name as people read it; what is not modified UTF-7 stays as it stands (servers with UTF8=ACCEPT, RFC 6855).
#[must_use]
pub fn decode(name: &str) -> String {
    decoded(name).unwrap_or_else(|| name.to_owned())
}

fn decoded(name: &str) -> Option<String> {
    let base64 = base64()?;
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (shifted, behind) = after.split_once('-')?;
        if shifted.is_empty() {
            out.push('&');
        } else {
            let octets = base64.decode(shifted.as_bytes()).ok()?;
            let (pairs, odd) = octets.as_chunks::<2>();
            if !odd.is_empty() {
                return None;
            }
            let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            out.push_str(&String::from_utf16(&units).ok()?);
        }
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_the_standard_and_of_the_world() {
        for (people, server) in [
            ("INBOX", "INBOX"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("R&D", "R&-D"),
            ("Boîte de réception", "Bo&AO4-te de r&AOk-ception"),
            ("📮", "&2D3c7g-"),
        ] {
            assert_eq!(encode(people), server);
            assert_eq!(decode(server), people);
        }
        for broken in ["a&b", "&U,B-", "&====-", "Entwürfe"] {
            assert_eq!(decode(broken), broken, "stays as it stands");
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in "\\PC{0,40}") {
            prop_assert_eq!(&decode(&encode(&name)), &name);
            let foreign = ["ü", name.as_str()].concat();
            prop_assert!(encode(&foreign).is_ascii());
        }
    }
}
