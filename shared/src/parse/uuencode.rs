//! Files that stand in the text itself as uuencoded blocks (POSIX `uuencode`): `begin 644 name`, lines, `end`.
//!
//! Old Outlooks, printers and scripts still send them. What only looks like one stays text: after `begin` there must be
//! a mode, a name, and at once lines whose first character tells their length.

use bytes::Bytes;

/// Blocks taken out of one text.
const BLOCKS_MAX: usize = 200;
/// A block that never ends must have as many lines of data to count as one.
const UNENDED_LINES_MIN: usize = 2;

/// A file found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) name: String,
    pub(crate) octets: Bytes,
    /// False where no `end` came.
    pub(crate) ended: bool,
}

/// Takes the blocks out of a text; what is left is the text. `None` where there is none.
pub(crate) fn extract(text: &str) -> Option<(String, Vec<Block>)> {
    // Asked first, because hardly any mail has one.
    memchr::memmem::find(text.as_bytes(), b"begin ")?;
    let mut left = String::with_capacity(text.len());
    let mut blocks = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = next_line(rest);
        let found = begins(line).filter(|_| blocks.len() < BLOCKS_MAX).and_then(|name| block(name, after));
        rest = match found {
            Some((block, after)) => {
                blocks.push(block);
                after
            }
            None => {
                left.push_str(line);
                if line.len() < rest.len() {
                    left.push('\n');
                }
                after
            }
        };
    }
    (!blocks.is_empty()).then_some((left, blocks))
}

fn next_line(text: &str) -> (&str, &str) {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    (line.strip_suffix('\r').unwrap_or(line), rest)
}

/// The name in a line that begins a block.
fn begins(line: &str) -> Option<&str> {
    let (mode, name) = line.strip_prefix("begin ")?.trim_start().split_once(' ')?;
    let is_mode = (3..=4).contains(&mode.len()) && mode.bytes().all(|octet| matches!(octet, b'0'..=b'7'));
    let name = name.trim();
    (is_mode && !name.is_empty()).then_some(name)
}

/// The block that goes on with `text`, and what follows it. A line that is none of a block's ends it.
fn block<'a>(name: &str, text: &'a str) -> Option<(Block, &'a str)> {
    let mut octets = Vec::new();
    let (mut rest, mut lines, mut ended) = (text, 0_usize, false);
    while !rest.is_empty() {
        let (line, after) = next_line(rest);
        if line == "end" {
            (rest, ended) = (after, true);
            break;
        }
        // A line of no octets: `end` comes next.
        let last = matches!(line, "`" | " " | "");
        if !last && !decode_line(line.as_bytes(), &mut octets) {
            break;
        }
        lines += usize::from(!last);
        rest = after;
    }
    let sound = lines > 0 && (ended || lines >= UNENDED_LINES_MIN);
    sound.then(|| (Block { name: name.to_owned(), octets: Bytes::from(octets), ended }, rest))
}

/// Adds a line's octets; false where it is none. Blanks at the end of a line are often lost on the way.
pub(super) fn decode_line(line: &[u8], octets: &mut Vec<u8>) -> bool {
    let Some((first, data)) = line.split_first() else { return false };
    let value = |octet: &u8| matches!(octet, b' '..=b'`').then(|| (octet - b' ') & 0x3F);
    let Some(length) = value(first).map(usize::from).filter(|length| (1..=45).contains(length)) else { return false };
    let wanted = length.div_ceil(3) * 4;
    // A checksum character may follow; more than that is prose.
    if data.len() > wanted + 2 || data.len() + 3 < wanted / 4 * 3 || !data.iter().all(|octet| value(octet).is_some()) {
        return false;
    }
    let sixes: Vec<u8> = data.iter().take(wanted).filter_map(value).chain(std::iter::repeat(0)).take(wanted).collect();
    let decoded = sixes.chunks_exact(4).flat_map(|four| {
        let bits = four.iter().fold(0_u32, |bits, six| bits << 6 | u32::from(*six));
        let [_, a, b, c] = bits.to_be_bytes();
        [a, b, c]
    });
    octets.extend(decoded.take(length));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAT: &str = "begin 644 cat.txt\n#0V%T\n`\nend\n";

    #[test]
    fn blocks_leave_the_text() {
        for (text, left, names) in [
            (format!("Hello\n{CAT}Bye\n"), "Hello\nBye\n", vec![("cat.txt", "Cat", true)]),
            (CAT.replace('\n', "\r\n"), "", vec![("cat.txt", "Cat", true)]),
            (format!("{CAT}{CAT}"), "", vec![("cat.txt", "Cat", true), ("cat.txt", "Cat", true)]),
            // Never ended: as far as it goes.
            ("begin 600 a b.bin\n#0V%T\n#0V%T\n".to_owned(), "", vec![("a b.bin", "CatCat", false)]),
            // The last blanks of a line are gone.
            ("begin 644 z\n%86%A80\n`\nend\n".to_owned(), "", vec![("z", "aaaa\0", true)]),
        ] {
            let (rest, blocks) = extract(&text).unwrap();
            assert_eq!(rest, left, "{text:?}");
            let read: Vec<_> =
                blocks.iter().map(|b| (b.name.as_str(), std::str::from_utf8(&b.octets).unwrap(), b.ended)).collect();
            assert_eq!(read, names, "{text:?}");
        }
    }

    #[test]
    fn prose_stays() {
        for text in [
            "begin with the first\nand end\n",
            "begin 644 a.txt\nis how such a block starts.\nend\n",
            "begin 644 a.txt\nend\n",
            "begin 644 a.txt",
            "we begin 644 a.txt\n#0V%T\nend\n",
            "begin 999 a.txt\n#0V%T\nend\n",
            "begin 644 a.txt\n#0V%T\n",
            "",
        ] {
            assert_eq!(extract(text), None, "{text:?}");
        }
    }

    #[test]
    fn many_beginnings_end() {
        let _ = extract(&"begin 644 a\n".repeat(50_000));
        let _ = extract(&"begin 644 a\n#0V%T\n".repeat(50_000));
    }
}
