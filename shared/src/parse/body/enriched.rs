//! text/enriched (RFC 1896) and its forerunner text/richtext (RFC 1341, section 7.1.3) as plain text.

/// Reads text/enriched: `<<` is a `<`, a lone line break is a blank, of several one less is meant.
pub(super) fn enriched(text: &str) -> String {
    read(text, true)
}

/// Reads text/richtext: line breaks are blanks, `<nl>` is a line break and `<lt>` a `<`.
pub(super) fn richtext(text: &str) -> String {
    read(text, false)
}

fn read(text: &str, is_enriched: bool) -> String {
    let mut written = String::with_capacity(text.len());
    // Elements that hide their content, and that keep its lines.
    let (mut hidden, mut nofill) = (0_usize, 0_usize);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        if c == '<' && is_enriched && after.starts_with('<') {
            written.push('<');
            rest = after.get(1..).unwrap_or_default();
            continue;
        }
        // Names are of 60 characters at most (RFC 1896, section 4).
        let close = (c == '<').then(|| after.bytes().take(62).position(|octet| octet == b'>')).flatten();
        if let Some((tag, beyond)) = close.and_then(|at| Some((after.get(..at)?, after.get(at + 1..)?))) {
            let opens = !tag.starts_with('/');
            let count = |depth: usize| if opens { depth + 1 } else { depth.saturating_sub(1) };
            match tag.trim_start_matches('/').to_ascii_lowercase().as_str() {
                "param" | "comment" => hidden = count(hidden),
                "nofill" | "verbatim" => nofill = count(nofill),
                "nl" | "np" | "paragraph" if !is_enriched => written.push('\n'),
                "lt" if !is_enriched => written.push('<'),
                _ => {}
            }
            rest = beyond;
            continue;
        }
        rest = after;
        match c {
            _ if hidden > 0 => {}
            '\n' if nofill == 0 => {
                let more = rest.bytes().take_while(|octet| *octet == b'\n').count();
                if is_enriched && more > 0 {
                    written.extend(std::iter::repeat_n('\n', more));
                    rest = rest.get(more..).unwrap_or_default();
                } else {
                    written.push(' ');
                }
            }
            _ => written.push(c),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enriched_is_read() {
        for (text, expected) in [
            ("<bold>Now</bold> is the\ntime.\n\nNext <<here>", "Now is the time.\nNext <here>"),
            ("<color><param>red</param>a</color>b", "ab"),
            ("<nofill>a\nb</nofill>", "a\nb"),
            ("a < b", "a < b"),
            ("</param></param>a<param>b", "a"),
        ] {
            assert_eq!(enriched(text), expected, "{text:?}");
        }
        assert_eq!(richtext("<bold>a</bold>\nb<nl>c <lt>d><comment>e</comment>"), "a b\nc <d>");
    }
}
