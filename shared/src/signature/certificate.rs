//! An X.509 certificate whose RSA key signs: as SNS uses it (Amazon SNS Developer Guide, "Verifying the signatures of
//! Amazon SNS messages").
//!
//! Its issuer is not looked at: who may sign is decided by where the certificate was fetched from.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
};
use x509_parser::{oid_registry::OID_PKCS1_RSAENCRYPTION, pem::parse_x509_pem};

/// The parts of a certificate that count here.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    /// RSAPublicKey (RFC 8017 appendix A.1.1).
    key: Vec<u8>,
    not_before: i64,
    not_after: i64,
}

impl Certificate {
    /// Reads the first certificate of a PEM file. `None`: there is none, or its key is not RSA.
    #[must_use]
    pub fn parse(pem: &[u8]) -> Option<Self> {
        let (_, pem) = parse_x509_pem(pem).ok()?;
        let certificate = pem.parse_x509().ok()?;
        let spki = certificate.public_key();
        if spki.algorithm.algorithm != OID_PKCS1_RSAENCRYPTION {
            return None;
        }
        let validity = certificate.validity();
        Some(Self {
            key: spki.subject_public_key.data.to_vec(),
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
        })
    }

    /// True within its validity period, both ends included (RFC 5280 section 4.1.2.5).
    #[must_use]
    pub fn valid_at(&self, now: Timestamp) -> bool {
        (self.not_before..=self.not_after).contains(&now.as_second())
    }

    /// RSASSA-PKCS1-v1_5 with SHA-1, for what still signs so; keys of 2048 to 8192 bits.
    #[must_use]
    pub fn rsa_sha1(&self, message: &[u8], signature_base64: &str) -> bool {
        self.verify(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, message, signature_base64)
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256; keys of 2048 to 8192 bits.
    #[must_use]
    pub fn rsa_sha256(&self, message: &[u8], signature_base64: &str) -> bool {
        self.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature_base64)
    }

    fn verify(&self, algorithm: &'static RsaParameters, message: &[u8], signature_base64: &str) -> bool {
        let Ok(signature) = BASE64_STANDARD.decode(signature_base64.trim()) else { return false };
        UnparsedPublicKey::new(algorithm, &self.key).verify(message, &signature).is_ok()
    }
}

/// Public, and of no use in a log.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("not_after", &self.not_after).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &[u8] = include_bytes!("../../../tests/fixtures/signatures/certificate.pem");
    const OTHER: &[u8] = include_bytes!("../../../tests/fixtures/signatures/other.pem");
    const ELLIPTIC: &[u8] = include_bytes!("../../../tests/fixtures/signatures/elliptic.pem");
    // `openssl dgst -sha1|-sha256 -sign` over this message.
    const MESSAGE: &[u8] = b"Message\nhello\n";
    const SHA1: &str = "pYqS5D7jzIC9xXMt+la3K4QZLSY3loXb5hPpFpGKu5jX4gd6WSTorVj+JxC35g2NrB79Rr4EXN5IIEdc57Y8J65jt4zTaZXPkqFF\
        5tvXwFzcZIvVSl3X53n/8ID6TEmbiXPQk639VliFcb7LsDM6jAKlbkQjj54FzBJ8r54tDWVqHrPXaCTbWJKd9UyCKu0emcTsbarI\
        wSbpe1gwDPq57KF5GZXBJzds1+ER1pJGFeGWl5m2RkYvoZ42tA2gVvQoiVeYrhvkVCe6qMkOdA1ebvGK8aGB3iP3XdznVB4CCdTK\
        Jif5+mhoiKb2dlO73H2ww8aiDo5I9VlDhqrSM39OTQ==";
    const SHA256: &str = "KmSvL0D5n77/yBb4bqyzvrEKL5/APncGTJWP7uVg5teb8Q6tOFgH7+JVve9nhLOM1DppZ5VWXMsvpPdBDWMgi8/hDNH1FnwyI0+x\
        4QkSLdLDOUxDuLgK/uYQd6BWAksAzRKFC1vzg5+pAZYSszxhF5SL8zisx4BK/LtnvM5oDu43J/C1yIMxVvYKuqPfGRD8VM9kk/e5\
        CeXcxAIyv1Oh5xwyynpqKKyXVRvMpmpSoQNFRPk2hv6rSBgXIfz7YNt4RZFmVJgbIG4qI1hx1H9QSC1MnCdTklOHt1JYcZJkPUZ4\
        FFSbXbCkYszBGCljjNCxvF6IEmwHkvbM+6XqpTvm8w==";

    #[test]
    fn what_openssl_signed_verifies() {
        let certificate = Certificate::parse(CERTIFICATE).unwrap();
        assert!(certificate.rsa_sha1(MESSAGE, SHA1) && certificate.rsa_sha256(MESSAGE, SHA256));
        assert!(certificate.rsa_sha256(MESSAGE, &format!(" {SHA256}\n")));
        assert!(
            !certificate.rsa_sha1(MESSAGE, SHA256) && !certificate.rsa_sha256(MESSAGE, SHA1),
            "each its own digest"
        );
        assert!(!certificate.rsa_sha256(b"Message\nhallo\n", SHA256));
        for wrong in ["", "AAAA", "%", &SHA256.replace('A', "B"), SHA256.split_at(4).1] {
            assert!(!certificate.rsa_sha256(MESSAGE, wrong), "{wrong}");
        }
        assert!(!Certificate::parse(OTHER).unwrap().rsa_sha256(MESSAGE, SHA256), "another key");
    }

    #[test]
    fn the_validity_period_has_two_ends() {
        let certificate = Certificate::parse(CERTIFICATE).unwrap();
        for (time, valid) in [
            ("2025-12-31T23:59:59Z", false),
            ("2026-01-01T00:00:00Z", true),
            ("2046-01-01T00:00:00Z", true),
            ("2046-01-01T00:00:01Z", false),
        ] {
            assert_eq!(certificate.valid_at(time.parse().unwrap()), valid, "{time}");
        }
    }

    #[test]
    fn what_is_no_rsa_certificate_is_none() {
        let cut = &CERTIFICATE[..CERTIFICATE.len() / 2];
        let damaged = String::from_utf8_lossy(CERTIFICATE).replace("MII", "MIJ");
        for (what, pem) in [
            ("nothing", &b""[..]),
            ("another document", b"<Error><Code>AccessDenied</Code></Error>"),
            ("cut off", cut),
            ("damaged", damaged.as_bytes()),
            ("an elliptic key", ELLIPTIC),
        ] {
            assert!(Certificate::parse(pem).is_none(), "{what}");
        }
    }
}
