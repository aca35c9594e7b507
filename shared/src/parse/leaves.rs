//! Every MIME leaf with its octets, also those inside attached messages: what a measurement compares, and the proof
//! that nothing of a mail is left out of the count.

use super::{
    mime::{self, Part, PartKind},
    transfer,
};

/// Encoded messages within encoded messages that are opened.
const ENCODED_MESSAGES_DEPTH_MAX: usize = 3;

/// A leaf, transfer-decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Lower-case `type/subtype`.
    pub content_type: String,
    /// Decoded octets, as they stand: no charset, no line break is changed.
    pub octets: Vec<u8>,
}

/// Reads the leaves in the order they stand in. Attached messages are opened, in the clear at any depth that the walk
/// allows, encoded ones (RFC 2046 forbids them, mailers send them) at most three within one another.
#[must_use]
pub fn leaves(raw: &[u8]) -> Vec<Leaf> {
    let mut found = Vec::new();
    collect(raw, ENCODED_MESSAGES_DEPTH_MAX, &mut found);
    found
}

/// Recursion is bounded by `depth`, not by the mail.
fn collect(raw: &[u8], depth: usize, found: &mut Vec<Leaf>) {
    for part in mime::tree(raw).parts.iter().filter(|part| part.kind == PartKind::Leaf) {
        let (octets, _) = transfer::decode(part.body, &part.encoding);
        if depth > 0 && is_message(part) {
            collect(&octets, depth - 1, found);
        } else {
            found.push(Leaf { content_type: part.content_type.value.clone(), octets: octets.into_owned() });
        }
    }
}

fn is_message(part: &Part<'_>) -> bool {
    matches!(part.content_type.value.as_str(), "message/rfc822" | "message/global")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attached_messages_are_opened_in_any_encoding() {
        let inner = "Content-Type: multipart/mixed; boundary=i\n\n--i\n\none\n--i\nContent-Type: image/gif\nContent-Transfer-Encoding: base64\n\nR0lG\n--i--\n";
        let encoded = data_encoding::BASE64.encode(inner.as_bytes());
        for (encoding, body) in [("7bit", inner), ("base64", encoded.as_str())] {
            let raw = format!("Content-Type: message/rfc822\nContent-Transfer-Encoding: {encoding}\n\n{body}");
            let read: Vec<(String, Vec<u8>)> =
                leaves(raw.as_bytes()).into_iter().map(|leaf| (leaf.content_type, leaf.octets)).collect();
            let expected = vec![("text/plain".to_owned(), b"one".to_vec()), ("image/gif".to_owned(), b"GIF".to_vec())];
            assert_eq!(read, expected, "{encoding}");
        }
    }

    #[test]
    fn messages_encoded_within_one_another_end() {
        let mut raw = "\nx".to_owned();
        for _ in 0..8 {
            let encoded = data_encoding::BASE64.encode(raw.as_bytes());
            raw = format!("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{encoded}");
        }
        assert_eq!(leaves(raw.as_bytes()).len(), 1);
    }
}
