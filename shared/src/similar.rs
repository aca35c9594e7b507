//! Whether two texts say the same but for a few words: what robots that answer one another have in common.

use sha2::{Digest, Sha256};

/// Words looked at.
const WORDS_MAX: usize = 2_000;
/// Bits of 64 in which fingerprints of texts that say the same may differ.
const BITS_MAX: u32 = 8;
/// Words that are counted together, so that their order counts.
const TOGETHER: usize = 2;

/// The fingerprint of a text (Charikar's simhash over pairs of words, digits and case left out): sixteen hexadecimal
/// digits, empty for a text without words. Texts that differ in a number or a name have nearly the same.
#[must_use]
pub fn fingerprint(text: &str) -> String {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .take(WORDS_MAX)
        .map(str::to_lowercase)
        .collect();
    if words.is_empty() {
        return String::new();
    }
    let mut weights = [0_i32; 64];
    let pairs = words.windows(TOGETHER.min(words.len()));
    for pair in pairs {
        let hash = Sha256::digest(pair.join(" "));
        let bits = hash.iter().flat_map(|octet| (0..8).map(move |bit| octet >> bit & 1 == 1));
        for (weight, bit) in weights.iter_mut().zip(bits) {
            *weight += if bit { 1 } else { -1 };
        }
    }
    let print = weights.iter().fold(0_u64, |print, weight| print << 1 | u64::from(*weight > 0));
    format!("{print:016x}")
}

/// True where two fingerprints are of texts that say the same.
#[must_use]
pub fn alike(one: &str, other: &str) -> bool {
    let read = |text: &str| u64::from_str_radix(text, 16).ok();
    match (read(one), read(other)) {
        (Some(one), Some(other)) => (one ^ other).count_ones() <= BITS_MAX,
        // Nothing said, twice.
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICKET: &str = "Thank you for contacting us. Your request 4711 has been received and is being reviewed by our \
                          support staff. To add additional comments, reply to this mail. We aim to answer within one day.";

    #[test]
    fn texts_that_say_the_same() {
        for (one, other, expected) in [
            (TICKET.to_owned(), TICKET.replace("4711", "4712"), true),
            (TICKET.to_owned(), TICKET.to_uppercase(), true),
            (TICKET.to_owned(), format!("{TICKET} Regards, Jane"), true),
            (
                TICKET.to_owned(),
                "It still burns, and now the stairs are on fire as well. Please come at once.".into(),
                false,
            ),
            ("Yes.".into(), "yes".into(), true),
            ("Yes.".into(), "No.".into(), false),
            (String::new(), "123".into(), true),
            (String::new(), "x".into(), false),
        ] {
            assert_eq!(alike(&fingerprint(&one), &fingerprint(&other)), expected, "{one} / {other}");
        }
    }
}
