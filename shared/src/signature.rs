//! Comparisons in constant time: signatures and credentials.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// True where `hex` is the HMAC-SHA256 of the parts under the key. A blank key matches nothing.
#[must_use]
pub fn hmac_sha256_hex(key: &str, parts: &[&[u8]], hex: &str) -> bool {
    if key.trim().is_empty() {
        return false;
    }
    let Ok(signature) = data_encoding::HEXLOWER_PERMISSIVE.decode(hex.trim().as_bytes()) else { return false };
    let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return false };
    for part in parts {
        hmac.update(part);
    }
    hmac.verify_slice(&signature).is_ok()
}

/// True where the presented text equals one of the live credentials. All are compared, each by its digest, so that
/// neither the time nor the length tells which was near. Blank credentials match nothing.
#[must_use]
pub fn one_of(presented: &[u8], live: &[String]) -> bool {
    let presented = Sha256::digest(presented);
    let mut found = subtle::Choice::from(0);
    for credential in live.iter().filter(|credential| !credential.trim().is_empty()) {
        found |= presented.ct_eq(&Sha256::digest(credential.as_bytes()));
    }
    found.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_matches_rfc_4231() {
        // RFC 4231 section 4.3, test case 2.
        let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert!(hmac_sha256_hex("Jefe", &[b"what do ya want ", b"for nothing?"], hex));
        assert!(hmac_sha256_hex("Jefe", &[b"what do ya want for nothing?"], &hex.to_uppercase()));
        for wrong in ["", "zz", hex.get(1..).unwrap(), &hex.replace('5', "6")] {
            assert!(!hmac_sha256_hex("Jefe", &[b"what do ya want for nothing?"], wrong), "{wrong}");
        }
    }

    #[test]
    fn blank_secrets_accept_nothing() {
        assert!(!hmac_sha256_hex(" ", &[b"x"], &"0".repeat(64)));
        assert!(!one_of(b"", &[String::new(), " ".into()]));
        assert!(one_of(b"b:2", &["a:1".into(), "b:2".into()]));
        assert!(!one_of(b"b:3", &["a:1".into(), "b:2".into()]));
    }
}
