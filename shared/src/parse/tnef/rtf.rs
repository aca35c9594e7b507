//! The text of an RTF body, and the HTML or text that Outlook wrapped into it (MS-OXRTFEX).
//!
//! `\fromhtml1` means that the groups `{\*\htmltag ...}` hold the tags of the HTML it was made from and that what stands
//! between `\htmlrtf` and `\htmlrtf0` was added for readers of RTF. Anything else is read as plain text.

use super::charset;

/// Octets that a body may have once it is inflated; Outlook's stay below a megabyte.
const INFLATED_OCTETS_MAX: u32 = 8 * 1024 * 1024;
/// Groups within one another.
const DEPTH_MAX: usize = 256;
/// Destinations whose text is not the message's.
const SILENT: [&str; 14] = [
    "fonttbl",
    "colortbl",
    "stylesheet",
    "info",
    "pict",
    "object",
    "header",
    "footer",
    "themedata",
    "datastore",
    "listtable",
    "listoverridetable",
    "generator",
    "xmlnstbl",
];

/// What a body was made from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    Html(String),
    Text(String),
}

/// Inflates and reads a PidTagRtfCompressed. `None` where it can't be inflated.
pub(super) fn read(compressed: &[u8]) -> Option<Read> {
    // The crate takes the sizes in the header at their word.
    let size = |at: usize| compressed.get(at..at + 4)?.first_chunk::<4>().map(|four| u32::from_le_bytes(*four));
    if compressed.len() < 16 || size(4)? > INFLATED_OCTETS_MAX {
        return None;
    }
    let inflated = std::panic::catch_unwind(|| compressed_rtf::decompress_rtf(compressed).ok()).ok().flatten()?;
    // It gives one character for each octet.
    let octets: Vec<u8> = inflated.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
    Some(Reader::new(&octets).run())
}

/// What a group inherits from the one around it.
#[derive(Clone, Copy)]
struct Group {
    silent: bool,
    /// Inside `{\*\htmltag`.
    tag: bool,
    /// Between `\htmlrtf` and `\htmlrtf0`.
    for_rtf: bool,
    /// Octets that follow a `\u` for older readers.
    skip: usize,
}

struct Reader<'a> {
    rest: &'a [u8],
    groups: Vec<Group>,
    now: Group,
    from_html: bool,
    code_page: String,
    written: String,
    /// Octets in the code page, not decoded yet: a character may be several.
    pending: Vec<u8>,
    /// Characters still to be left out after a `\u`.
    to_skip: usize,
    /// The first half of a character beyond 65,535, which stands as two `\u`.
    high: Option<u16>,
}

impl<'a> Reader<'a> {
    fn new(octets: &'a [u8]) -> Self {
        let now = Group { silent: false, tag: false, for_rtf: false, skip: 1 };
        let from_html = memchr::memmem::find(octets.get(..4_096).unwrap_or(octets), b"\\fromhtml1").is_some();
        let code_page = "windows-1252".to_owned();
        Self {
            rest: octets,
            groups: Vec::new(),
            now,
            from_html,
            code_page,
            written: String::new(),
            pending: Vec::new(),
            to_skip: 0,
            high: None,
        }
    }

    fn run(mut self) -> Read {
        while let Some((octet, rest)) = self.rest.split_first() {
            self.rest = rest;
            match octet {
                b'{' => self.open(),
                b'}' => self.close(),
                b'\\' => self.control(),
                b'\r' | b'\n' | 0 => {}
                octet => self.octet(*octet),
            }
        }
        self.flush();
        if self.from_html { Read::Html(self.written) } else { Read::Text(self.written.trim().to_owned()) }
    }

    fn open(&mut self) {
        self.flush();
        // Deeper groups count as the one they stand in.
        if self.groups.len() < DEPTH_MAX {
            self.groups.push(self.now);
        }
    }

    fn close(&mut self) {
        self.flush();
        if let Some(outer) = self.groups.pop() {
            self.now = outer;
        }
    }

    /// True where what stands here is the message's.
    fn shown(&self) -> bool {
        self.now.tag || !(self.now.silent || self.now.for_rtf)
    }

    fn octet(&mut self, octet: u8) {
        if self.to_skip > 0 {
            self.to_skip -= 1;
        } else if self.shown() {
            self.pending.push(octet);
        }
    }

    fn flush(&mut self) {
        if !self.pending.is_empty() {
            let octets = std::mem::take(&mut self.pending);
            let text = charset::decode(&octets, Some(&self.code_page)).text;
            // Text of the message stands as it is between tags; only inside a tag is it markup.
            if self.from_html && !self.now.tag {
                self.written.push_str(&escaped(&text));
            } else {
                self.written.push_str(&text);
            }
        }
    }

    fn write(&mut self, text: &str) {
        self.flush();
        if self.shown() {
            self.written.push_str(text);
        }
    }

    /// A control word or symbol, after its backslash.
    fn control(&mut self) {
        let Some((first, rest)) = self.rest.split_first() else { return };
        if !first.is_ascii_alphabetic() {
            self.rest = rest;
            return self.symbol(*first);
        }
        let letters = self.rest.iter().position(|octet| !octet.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(letters);
        let digits = rest.iter().enumerate().position(|(n, o)| !(o.is_ascii_digit() || n == 0 && *o == b'-'));
        let (number, rest) = rest.split_at(digits.unwrap_or(rest.len()));
        self.rest = rest.strip_prefix(b" ").unwrap_or(rest);
        let number = std::str::from_utf8(number).ok().and_then(|number| number.parse::<i64>().ok());
        self.word(&String::from_utf8_lossy(word), number);
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'\'' => {
                let octet =
                    self.rest.first_chunk::<2>().and_then(|[high, low]| super::super::transfer::hex_octet(*high, *low));
                self.rest = self.rest.get(2..).unwrap_or_default();
                if let Some(octet) = octet {
                    self.octet(octet);
                }
            }
            b'*' => self.star(),
            b'~' => self.write(if self.from_html { "&nbsp;" } else { " " }),
            b'_' => self.write("-"),
            b'\r' | b'\n' => self.line(),
            b'{' | b'}' | b'\\' => self.octet(symbol),
            _ => {}
        }
    }

    /// `\*`: a destination that readers who don't know it leave out; the tags are the one known here.
    fn star(&mut self) {
        self.flush();
        if let Some(rest) = self.rest.strip_prefix(b"\\htmltag") {
            let digits = rest.iter().position(|octet| !octet.is_ascii_digit()).unwrap_or(rest.len());
            let rest = rest.get(digits..).unwrap_or_default();
            self.rest = rest.strip_prefix(b" ").unwrap_or(rest);
            self.now.tag = self.from_html;
            self.now.silent = !self.from_html;
        } else {
            self.now.silent = true;
            self.now.tag = false;
        }
    }

    fn word(&mut self, word: &str, number: Option<i64>) {
        match word {
            "htmlrtf" => {
                self.flush();
                self.now.for_rtf = number != Some(0);
            }
            "ansicpg" => {
                if let Some(page) = number.filter(|page| (1..=65_001).contains(page)) {
                    self.code_page = format!("cp{page}");
                }
            }
            "par" | "line" | "row" | "sect" | "page" => self.line(),
            "tab" | "cell" => self.write(if self.from_html { "&nbsp;" } else { "\t" }),
            "uc" => self.now.skip = number.and_then(|n| usize::try_from(n).ok()).unwrap_or(1).min(8),
            "u" => self.unicode(number.unwrap_or_default()),
            "lquote" => self.write("\u{2018}"),
            "rquote" => self.write("\u{2019}"),
            "ldblquote" => self.write("\u{201C}"),
            "rdblquote" => self.write("\u{201D}"),
            "bullet" => self.write("\u{2022}"),
            "endash" => self.write("\u{2013}"),
            "emdash" => self.write("\u{2014}"),
            "bin" => {
                let octets = number.and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
                self.rest = self.rest.get(octets..).unwrap_or_default();
            }
            word if SILENT.contains(&word) => {
                self.flush();
                self.now.silent = true;
                self.now.tag = false;
            }
            _ => {}
        }
    }

    fn line(&mut self) {
        self.write(if self.from_html && !self.now.tag { "<br>\n" } else { "\n" });
    }

    /// `\uN`: a UTF-16 unit, negative above 32,767; then so many octets for readers that don't know it.
    fn unicode(&mut self, number: i64) {
        let unit = u16::try_from(if number < 0 { number + 65_536 } else { number }).unwrap_or(0xFFFD);
        self.to_skip = self.now.skip;
        if (0xD800..0xDC00).contains(&unit) {
            self.high = Some(unit);
            return;
        }
        let units: Vec<u16> = self.high.take().into_iter().chain([unit]).collect();
        self.write(&String::from_utf16_lossy(&units));
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rtf(text: &str) -> Read {
        read(&compressed_rtf::compress_rtf(text).unwrap()).unwrap()
    }

    #[test]
    fn bodies_as_outlook_writes_them() {
        for (written, expected) in [
            ("{\\rtf1\\ansi One\\par Two\\tab x}", Read::Text("One\nTwo\tx".to_owned())),
            ("{\\rtf1\\ansi\\ansicpg1252 Gr\\'fc\\'dfe \\{a\\}}", Read::Text("Grüße {a}".to_owned())),
            ("{\\rtf1\\ansi\\ansicpg932 \\'93\\'fa\\'96\\'7b}", Read::Text("日本".to_owned())),
            ("{\\rtf1\\uc1 \\u26085?\\u26412? \\u-3999?}", Read::Text("日本 \u{F061}".to_owned())),
            ("{\\rtf1\\uc0 \\u-10179\\u-8704 !}", Read::Text("\u{1F600}!".to_owned())),
            ("{\\rtf1{\\fonttbl{\\f0 Arial;}}{\\*\\generator x;}{\\pict 00ff}Text}", Read::Text("Text".to_owned())),
            ("{\\rtf1 a\\bin3 }}}b}", Read::Text("ab".to_owned())),
            (
                "{\\rtf1\\ansi\\fromhtml1 {\\*\\htmltag64 <p class=\"a\">}\\htmlrtf {\\f1 \\htmlrtf0 a < b\\htmlrtf }\\par\\htmlrtf0 {\\*\\htmltag72 </p>}}",
                Read::Html("<p class=\"a\">a &lt; b</p>".to_owned()),
            ),
        ] {
            assert_eq!(rtf(written), expected, "{written}");
        }
    }

    #[test]
    fn hostile_bodies_end() {
        let mut lying = compressed_rtf::compress_rtf("{\\rtf1 x}").unwrap();
        lying[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(read(&lying), None);
        for cut in 0..lying.len() {
            let _ = read(&lying[..cut]);
        }
        let _ = Reader::new("{".repeat(100_000).as_bytes()).run();
        let _ = Reader::new("\\u".repeat(100_000).as_bytes()).run();
        let _ = Reader::new(b"\\bin99999999999999999999 \\'\\'f\\u99999999999").run();
    }
}
