//! SHA-256 over length-prefixed parts: the only way Postern hashes structured data, so that no two inputs meet.

use sha2::{Digest, Sha256};

/// Lower-case hex SHA-256 of plain octets.
#[must_use]
pub fn sha256_hex(octets: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(octets))
}

/// Lower-case hex SHA-256 over the parts, each with its length in front: `("ab", "c")` is not `("a", "bc")`.
#[must_use]
pub fn sha256_parts(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    data_encoding::HEXLOWER.encode(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_one_another() {
        assert_ne!(sha256_parts(&[b"ab", b"c"]), sha256_parts(&[b"a", b"bc"]));
        assert_ne!(sha256_parts(&[b"", b"a"]), sha256_parts(&[b"a", b""]));
        assert_eq!(sha256_hex(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
