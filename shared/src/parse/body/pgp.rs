//! PGP written into the text itself (RFC 9580, sections 6.2 and 7): what is signed is read, what is encrypted marked.

const SIGNED: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
const SIGNATURE_END: &str = "-----END PGP SIGNATURE-----";
const ENCRYPTED: &str = "-----BEGIN PGP MESSAGE-----";

/// The text without the armour around signed words, and whether something in it is signed or encrypted. An encrypted
/// block stays: it is all there is.
pub(super) fn read(text: &str) -> (String, Option<&'static str>) {
    if !text.contains("-----BEGIN PGP ") {
        return (text.to_owned(), None);
    }
    let encrypted = text.lines().any(|line| line.trim_end() == ENCRYPTED);
    if !text.lines().any(|line| line.trim_end() == SIGNED) {
        return (text.to_owned(), encrypted.then_some("encrypted"));
    }
    let mut kept: Vec<&str> = Vec::new();
    // In the armour's header, in signed text, in a signature.
    let (mut header, mut signed, mut signature) = (false, false, false);
    for line in text.lines() {
        match line.trim_end() {
            SIGNED if !signed => (header, signed) = (true, true),
            SIGNATURE if signed => (signed, signature) = (false, true),
            SIGNATURE_END if signature => signature = false,
            "" if header => header = false,
            _ if header || signature => {}
            // Section 7.2: lines that begin with a dash are escaped.
            _ if signed => kept.push(line.strip_prefix("- ").unwrap_or(line)),
            _ => kept.push(line),
        }
    }
    (kept.join("\n"), Some(if encrypted { "encrypted" } else { "signed" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn armour_is_taken_off() {
        let armoured = format!(
            "above\n{SIGNED}\nHash: SHA256\n\nwords\n- -- \nJane\n{SIGNATURE}\n\niQEz\n{SIGNATURE_END}\n\nfooter"
        );
        assert_eq!(read(&armoured), ("above\nwords\n-- \nJane\n\nfooter".to_owned(), Some("signed")));
        let block = format!("{ENCRYPTED}\n\nhQEM\n-----END PGP MESSAGE-----");
        assert_eq!(read(&block), (block.clone(), Some("encrypted")));
        // Quoted, or talked about.
        for text in ["> -----BEGIN PGP MESSAGE-----", "the line -----BEGIN PGP SIGNED MESSAGE----- is missing", ""] {
            assert_eq!(read(text), (text.to_owned(), None));
        }
    }
}
