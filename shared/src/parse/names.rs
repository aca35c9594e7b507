//! File names of attachments: the best that the mail gives, made safe, no two alike.

use std::collections::HashSet;

use crate::headers::words;

/// Longest name, in characters, and in octets of UTF-8: file systems end at 255 octets.
pub(crate) const NAME_CHARS_MAX: usize = 200;
const NAME_OCTETS_MAX: usize = 255;
/// Longest extension kept when a name is cut.
const EXTENSION_CHARS_MAX: usize = 10;
/// Names that Windows takes for devices, whatever the extension.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// Extensions for files without any name, by type; what is not here is `bin`.
const EXTENSIONS: [(&str, &str); 24] = [
    ("application/gzip", "gz"),
    ("application/ics", "ics"),
    ("application/msword", "doc"),
    ("application/pdf", "pdf"),
    ("application/pgp-signature", "asc"),
    ("application/pkcs7-signature", "p7s"),
    ("application/rtf", "rtf"),
    ("application/zip", "zip"),
    ("audio/mpeg", "mp3"),
    ("image/gif", "gif"),
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/svg+xml", "svg"),
    ("image/tiff", "tif"),
    ("image/webp", "webp"),
    ("message/delivery-status", "txt"),
    ("message/global", "eml"),
    ("message/rfc822", "eml"),
    ("text/calendar", "ics"),
    ("text/csv", "csv"),
    ("text/html", "html"),
    ("text/plain", "txt"),
    ("text/vcard", "vcf"),
    ("text/xml", "xml"),
];

/// The extension that files of this type usually have.
pub(crate) fn extension_of(content_type: &str) -> &'static str {
    let known = EXTENSIONS.iter().find(|(kind, _)| *kind == content_type).map(|(_, extension)| *extension);
    known.unwrap_or(if content_type.starts_with("text/") { "txt" } else { "bin" })
}

/// The part of a Content-ID that is a file name: Outlook writes `image001.png@01DA2B3C.4D5E6F70`.
pub(crate) fn of_content_id(id: &str) -> Option<&str> {
    let name = id.split('@').next()?;
    let (stem, extension) = name.rsplit_once('.')?;
    let fits = !stem.is_empty() && (2..=4).contains(&extension.len());
    (fits && extension.bytes().all(|octet| octet.is_ascii_alphanumeric())).then_some(name)
}

/// True where a text looks like the name of a file: short, with an extension.
pub(crate) fn is_file_name(text: &str) -> bool {
    let extension = text.rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default();
    text.len() <= 120 && (2..=4).contains(&extension.len()) && extension.bytes().all(|o| o.is_ascii_alphanumeric())
}

/// A name without directories, controls, direction overrides and characters that file systems refuse. `None` where
/// nothing is left.
pub(crate) fn safe(written: &str) -> Option<String> {
    let shown = words::one_line(written);
    let components: Vec<&str> =
        shown.split(['/', '\\']).map(str::trim).filter(|c| !matches!(*c, "" | "." | "..")).collect();
    // A path (older Internet Explorer and scanners send it whole) gives its last component; a name that merely has
    // a slash in it (`Invoice 3/2026.pdf`) is kept.
    let is_path = shown.starts_with(['/', '\\', '.']) || shown.get(1..2) == Some(":") || shown.contains("..");
    let name = if is_path { (*components.last()?).to_owned() } else { components.join("_") };
    let name: String =
        name.chars().map(|c| if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { c }).collect();
    let name = name.trim_end_matches(['.', ' ', '\u{A0}']).trim_start();
    if name.is_empty() {
        return None;
    }
    let name = without_gap(name);
    let name = if is_device(&name) { format!("_{name}") } else { name };
    Some(cut(&name))
}

/// A run of blanks is one blank: `invoice.pdf            .exe` shows its extension only in a wide window.
fn without_gap(name: &str) -> String {
    let mut kept = String::with_capacity(name.len());
    let mut blanks = 0_usize;
    for c in name.chars() {
        blanks = if c.is_whitespace() { blanks + 1 } else { 0 };
        if blanks <= 2 {
            kept.push(c);
        }
    }
    kept
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = stem.strip_suffix(|c: char| c.is_ascii_digit()).filter(|base| matches!(*base, "com" | "lpt"));
    numbered.is_some() || DEVICES[..4].contains(&stem.as_str())
}

/// Cut to what file systems take, the extension kept.
fn cut(name: &str) -> String {
    if name.chars().count() <= NAME_CHARS_MAX && name.len() <= NAME_OCTETS_MAX {
        return name.to_owned();
    }
    let extension = name.rsplit_once('.').map(|(_, e)| e).filter(|e| e.chars().count() <= EXTENSION_CHARS_MAX);
    let extension = extension.map(|extension| format!(".{extension}")).unwrap_or_default();
    let room = (NAME_CHARS_MAX - extension.chars().count(), NAME_OCTETS_MAX - extension.len());
    let mut stem = String::new();
    for c in name.chars().take(room.0) {
        if stem.len() + c.len_utf8() > room.1 {
            break;
        }
        stem.push(c);
    }
    stem + &extension
}

/// Gives each name once, in any case: `a.txt`, `a (2).txt`, `a (3).txt`.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    names: HashSet<String>,
    /// The next number of a name that was asked for before, so that a thousand equal names cost a thousand steps.
    next: std::collections::HashMap<String, usize>,
}

impl Taken {
    /// The name, numbered where it is taken.
    pub(crate) fn unique(&mut self, name: &str) -> String {
        let lower = name.to_lowercase();
        if self.names.insert(lower.clone()) {
            return name.to_owned();
        }
        let (stem, extension) = match name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) {
            Some((stem, extension)) => (stem, format!(".{extension}")),
            None => (name, String::new()),
        };
        let mut number = *self.next.get(&lower).unwrap_or(&2);
        loop {
            let candidate = format!("{stem} ({number}){extension}");
            number += 1;
            if self.names.insert(candidate.to_lowercase()) {
                self.next.insert(lower, number);
                return candidate;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_safe() {
        for (written, expected) in [
            ("report.pdf", Some("report.pdf")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\Users\\jane\\report.pdf", Some("report.pdf")),
            ("Invoice 3/2026.pdf", Some("Invoice 3_2026.pdf")),
            ("a\u{202E}fdp.exe", Some("afdp.exe")),
            ("tab\tname\r\n.txt", Some("tab name  .txt")),
            ("a<b>|c?.txt", Some("a_b__c_.txt")),
            ("trailing. . ", Some("trailing")),
            ("invoice.pdf          .exe", Some("invoice.pdf  .exe")),
            ("CON", Some("_CON")),
            ("nul.txt", Some("_nul.txt")),
            ("com1.log", Some("_com1.log")),
            ("company.log", Some("company.log")),
            ("\u{65E5}\u{672C}.txt", Some("\u{65E5}\u{672C}.txt")),
            ("..", None),
            ("///", None),
            ("", None),
        ] {
            assert_eq!(safe(written).as_deref(), expected, "{written:?}");
        }
    }

    #[test]
    fn long_names_keep_their_extension() {
        for letter in ["ü", "x", "\u{65E5}", "\u{1F600}"] {
            let long = safe(&format!("{}.pdf", letter.repeat(400))).unwrap();
            assert!(long.chars().count() <= NAME_CHARS_MAX && long.len() <= NAME_OCTETS_MAX, "{letter}");
            assert!(long.ends_with(".pdf") && long.len() > 150, "{letter}");
        }
    }

    #[test]
    fn content_ids_that_are_names() {
        for (id, expected) in [
            ("image001.png@01DA2B3C.4D5E6F70", Some("image001.png")),
            ("logo.gif", Some("logo.gif")),
            ("part1.abcdef.12345@mail.example", None),
            ("ii_l0abc@mail.example", None),
            ("@x", None),
        ] {
            assert_eq!(of_content_id(id), expected, "{id}");
        }
    }

    #[test]
    fn equal_names_are_numbered() {
        let mut taken = Taken::default();
        let given: Vec<String> = ["a.txt", "A.TXT", "a.txt", "a (2).txt", "b", "b"].map(|n| taken.unique(n)).into();
        assert_eq!(given, ["a.txt", "A (2).TXT", "a (3).txt", "a (2) (2).txt", "b", "b (2)"]);
    }
}
