//! `format=flowed` (RFC 3676): lines that end in a blank go on in the next.

/// Quote marks written before a line, at most.
const QUOTES_MAX: usize = 50;

/// Paragraphs as one line each. `delsp` = the blank at the end was put there by the sender's mailer (section 4.1:
/// DelSp, for languages without blanks between words).
pub(super) fn unflowed(text: &str, delsp: bool) -> String {
    let mut written = String::with_capacity(text.len());
    // Quote depth of the paragraph that goes on.
    let mut open: Option<usize> = None;
    for (n, line) in text.lines().enumerate() {
        let content = line.trim_start_matches('>');
        let depth = line.len() - content.len();
        // Section 4.4: a blank in front was stuffed in by the sender.
        let content = content.strip_prefix(' ').unwrap_or(content);
        // Section 4.3: the signature mark ends in a blank and is never flowed, neither into nor out of.
        let signature = content == "-- ";
        if open != Some(depth) || signature {
            if n > 0 {
                written.push('\n');
            }
            written.push_str(&">".repeat(depth.min(QUOTES_MAX)));
            if depth > 0 && !content.is_empty() {
                written.push(' ');
            }
        }
        let flows = content.ends_with(' ') && !signature;
        written.push_str(if flows && delsp { content.strip_suffix(' ').unwrap_or(content) } else { content });
        open = flows.then_some(depth);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_flow() {
        for (text, delsp, expected) in [
            ("one \ntwo \nthree\nfour", false, "one two three\nfour"),
            ("日本 \n語", true, "日本語"),
            ("> a \n> b\n>> c \n>> d\ne", false, "> a b\n>> c d\ne"),
            // Another depth ends a paragraph, whatever its end says.
            ("> a \nb", false, "> a \nb"),
            (" > not quoted\n  two\n From here", false, "> not quoted\n two\nFrom here"),
            ("a \n-- \nJane", false, "a \n-- \nJane"),
            ("> a \n> -- \n> Jane", false, "> a \n> -- \n> Jane"),
            ("a\n\n\nb \n\nc", false, "a\n\n\nb \nc"),
            ("\na", false, "\na"),
            ("", false, ""),
        ] {
            assert_eq!(unflowed(text, delsp), expected, "{text:?}");
        }
    }
}
