//! DKIM signatures (RFC 6376, RFC 8463) made by hand, so that what verifies them is not what made them.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::signature::{Ed25519KeyPair, KeyPair};
use sha2::{Digest, Sha256};

/// Selector `s1`, Ed25519.
pub(super) struct Signer(Ed25519KeyPair);

impl Signer {
    pub(super) fn new() -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap())
    }

    /// The TXT record of its key.
    pub(super) fn record(&self) -> String {
        format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(self.0.public_key().as_ref()))
    }

    /// The mail with a signature of that domain on top, over From, Subject and the body.
    pub(super) fn sign(&self, raw: &[u8], domain: &str) -> Vec<u8> {
        let text = std::str::from_utf8(raw).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let bh = STANDARD.encode(Sha256::digest(body));
        let unsigned =
            format!("v=1; a=ed25519-sha256; c=relaxed/simple; d={domain}; s=s1; h=From:Subject; bh={bh}; b=");
        let field = |name: &str| {
            let line = head.lines().find(|line| line.starts_with(&format!("{name}: "))).unwrap();
            let (_, value) = line.split_once(':').unwrap();
            format!("{}:{}\r\n", name.to_lowercase(), value.trim())
        };
        let data = format!("{}{}dkim-signature:{unsigned}", field("From"), field("Subject"));
        // RFC 8463 section 3: the signature is over the hash.
        let signature = STANDARD.encode(self.0.sign(&Sha256::digest(data)));
        format!("DKIM-Signature: {unsigned}{signature}\r\n{text}").into_bytes()
    }
}
