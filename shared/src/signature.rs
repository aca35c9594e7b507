//! Signatures and credentials: what is secret is compared in constant time, what is public is verified by `ring`.

mod certificate;

use base64::{Engine, prelude::BASE64_STANDARD};
pub use certificate::Certificate;
use hmac::{Hmac, KeyInit, Mac};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use x509_parser::{
    oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY},
    prelude::FromDer as _,
    x509::SubjectPublicKeyInfo,
};

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

/// True where the signature, Base64 of ASN.1 DER, is ECDSA with SHA-256 of the parts under a P-256 public key, Base64 of
/// its SubjectPublicKeyInfo (RFC 5480); PEM armour and line breaks around the key are passed over. Any other key, and a
/// blank one, matches nothing.
#[must_use]
pub fn ecdsa_p256_sha256(spki_base64: &str, message: &[&[u8]], der_signature_base64: &str) -> bool {
    let Some(point) = p256_point(spki_base64) else { return false };
    let Ok(signature) = BASE64_STANDARD.decode(der_signature_base64.trim()) else { return false };
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(&message.concat(), &signature).is_ok()
}

/// The point of the curve that the key is.
fn p256_point(spki_base64: &str) -> Option<Vec<u8>> {
    let dense: String = spki_base64.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    let der = BASE64_STANDARD.decode(dense).ok()?;
    let (rest, spki) = SubjectPublicKeyInfo::from_der(&der).ok()?;
    let curve = spki.algorithm.parameters.as_ref()?.as_oid().ok()?;
    let wanted = spki.algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY && curve == OID_EC_P256;
    (wanted && rest.is_empty()).then(|| spki.subject_public_key.data.to_vec())
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

    // Made by `openssl ecparam -genkey`, `openssl ec -pubout` and `openssl dgst -sha256 -sign`.
    const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4NHgvR+8pABIgGrHgo/5TofgMRIOZlm1lvfl8+Jug9JG\
        yzzLjoi9ezlhJ84E4fafSTe1CCSvHP6zQ48+gOx2bA==";
    const SIGNED: &[u8] = b"1793610000{\"to\":\"x\"}\r\n";
    const SIGNATURE: &str =
        "MEUCIQCewWbf46Bdasx83mA1zrYwF7bOem4dVdziDDHsPtHJTgIgDoFYmUscejTBdKwSOB/lp1qVbJIbf2iqkv+m0oObjqU=";

    #[test]
    fn what_openssl_signed_with_p256_verifies() {
        assert!(ecdsa_p256_sha256(KEY, &[SIGNED], SIGNATURE));
        assert!(ecdsa_p256_sha256(KEY, &[&SIGNED[..10], &SIGNED[10..]], &format!("{SIGNATURE}\n")), "in parts");
        let (begin, end) = KEY.split_at(64);
        let armoured = format!("-----BEGIN PUBLIC KEY-----\n{begin}\n{end}\n-----END PUBLIC KEY-----\n");
        assert!(ecdsa_p256_sha256(&armoured, &[SIGNED], SIGNATURE));
        assert!(!ecdsa_p256_sha256(KEY, &[&SIGNED[1..]], SIGNATURE));
        for wrong in ["", "%", "MAAA", &SIGNATURE.replace('A', "B"), SIGNATURE.split_at(4).1] {
            assert!(!ecdsa_p256_sha256(KEY, &[SIGNED], wrong), "{wrong}");
        }
    }

    #[test]
    fn any_other_key_matches_nothing() {
        let p384 = "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE6EFFx969ZD2T7uXvBudXMSG7DjXzWIjxXcmlOz/hUWqiW1lEyZxV4fE5uFooZkSO/beWQ7LFJ9VmJup4ZrcPrhlWdgWif9GU4RDXKP6R9K6P4BDSIBnYxf7yb3GuSufB";
        let other = KEY.replace("bA==", "bQ==");
        let (begin, _) = KEY.split_at(KEY.len() - 4);
        for key in ["", " ", "%", "MFkw", begin, &format!("{begin}AAAA"), &other, p384] {
            assert!(!ecdsa_p256_sha256(key, &[SIGNED], SIGNATURE), "{key}");
        }
    }
}
