//! What a file is, by its first octets and by its name, and whether it is held back.
//!
//! Held back is what runs when it is opened: programs, scripts, shortcuts, disk images, installers, office files with
//! macros; and archives that hold any of these. The name and the content are both asked, because each lies in its own
//! way.

mod extensions;

use memchr::memmem;

use self::extensions::{DANGEROUS_EXTENSIONS, MACRO_EXTENSIONS};
use super::archive;

/// Types by content that run.
const DANGEROUS_TYPES: &[&str] = &[
    "application/x-executable",
    "application/vnd.microsoft.portable-executable",
    "application/java",
    "application/x-llvm",
    "application/x-mach-binary",
    "application/vnd.android.dex",
    "application/vnd.android.dey",
    "application/x-ms-shortcut",
    "application/x-iso9660-image",
    "application/x-virtual-disk",
    "application/x-apple-diskimage",
    "application/x-ms-wim",
    "application/vnd.ms-cab-compressed",
    "application/x-msi",
    "application/x-internet-shortcut",
    "application/vnd.debian.binary-package",
    "application/x-rpm",
    "application/hta",
    "text/x-shellscript",
];

/// Octets looked at where a marker may stand anywhere.
const SEARCHED_OCTETS_MAX: usize = 8 * 1024 * 1024;
/// Compound files: Office up to 2003, Outlook messages, installers (MS-CFB section 2.2).
const OLE: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

/// What was found out about a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Examined {
    /// Type by content; `None` where the octets tell nothing (most text).
    pub(crate) detected: Option<&'static str>,
    /// Why it is held back: `dangerous-type`, or `dangerous-archive` for what stands in it.
    pub(crate) refused: Option<&'static str>,
    /// What agents should know: `archive-encrypted`, `archive-unreadable`, `type-differs`.
    pub(crate) flags: Vec<&'static str>,
    /// Names in an archive, at most [`archive::NAMES_MAX`].
    pub(crate) contains: Vec<String>,
}

/// Looks at a file. `declared` is its lower-case `type/subtype`.
pub(crate) fn examine(filename: Option<&str>, declared: &str, octets: &[u8]) -> Examined {
    let detected = detect(octets);
    let mut examined = Examined { detected, ..Examined::default() };
    if is_dangerous(filename, detected, octets) {
        examined.refused = Some("dangerous-type");
    }
    if differs(declared, detected) {
        examined.flags.push("type-differs");
    }
    if let Some(listing) = archive::list(octets, filename) {
        examined.listed(&listing);
    }
    examined
}

impl Examined {
    fn listed(&mut self, listing: &archive::Listing) {
        let names = &listing.names;
        // An office file is a ZIP too; what stands in it are its parts, not files that somebody packed.
        let packed = names.iter().any(|name| matches!(name.as_str(), "[Content_Types].xml" | "mimetype"));
        let macros = names.iter().any(|name| is_macro_part(name));
        let inside = listing.head.as_deref().is_some_and(|head| is_dangerous(None, detect(head), head));
        if packed && macros {
            self.refused = Some("dangerous-type");
        } else if !packed && (inside || names.iter().any(|name| is_dangerous_name(name))) {
            self.refused.get_or_insert("dangerous-archive");
        }
        if listing.encrypted {
            self.flags.push("archive-encrypted");
        }
        if listing.unreadable {
            self.flags.push("archive-unreadable");
        }
        if !packed {
            self.contains = names.iter().take(archive::NAMES_MAX).cloned().collect();
        }
    }
}

/// Parts of office files that hold code: VBA and Excel 4 macros in OOXML, Basic in OpenDocument.
fn is_macro_part(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("vbaproject.bin") || name.starts_with("xl/macrosheets/") || name.starts_with("basic/")
}

/// A picture that is a program, a text that is an archive: only what differs in its first half, or is none of what
/// it says; `application/octet-stream` says nothing, and types that are ZIP underneath are detected as such.
fn differs(declared: &str, detected: Option<&str>) -> bool {
    let Some(detected) = detected else { return false };
    let half = |kind: &str| kind.split('/').next().unwrap_or_default().to_owned();
    let telling = ["image", "audio", "video", "text"];
    let (declared_half, detected_half) = (half(declared), half(detected));
    declared_half != detected_half
        && (telling.contains(&declared_half.as_str()) && DANGEROUS_TYPES.contains(&detected)
            || telling[..3].contains(&declared_half.as_str())
            || declared == "application/pdf")
}

/// Type by content; `None` where the octets tell nothing (most text).
pub(crate) fn detect(octets: &[u8]) -> Option<&'static str> {
    if let Some(found) = detect_dangerous(octets) {
        return Some(found);
    }
    if is_html(octets) {
        return Some(if contains(octets, b"<hta:application") { "application/hta" } else { "text/html" });
    }
    let start = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets).trim_ascii_start();
    for (beginning, kind) in [
        (&b"BEGIN:VCALENDAR"[..], "text/calendar"),
        (b"BEGIN:VCARD", "text/vcard"),
        (b"<svg", "image/svg+xml"),
        (b"{\\rtf", "application/rtf"),
    ] {
        if start.get(..beginning.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(beginning)) {
            return Some(kind);
        }
    }
    if start.starts_with(b"<?xml") && memmem::find(start.get(..1_024).unwrap_or(start), b"<svg").is_some() {
        return Some("image/svg+xml");
    }
    let found = std::panic::catch_unwind(|| infer::get(octets)).ok().flatten();
    // It asks for two letters only; what begins with them and is a program was found above.
    found.map(|kind| kind.mime_type()).filter(|kind| *kind != "application/vnd.microsoft.portable-executable")
}

/// Types that are held back and that `infer` does not know, or knows by less.
fn detect_dangerous(octets: &[u8]) -> Option<&'static str> {
    for (magic, kind) in [
        (&b"\x4C\0\0\0\x01\x14\x02\0"[..], "application/x-ms-shortcut"),
        (b"vhdxfile", "application/x-virtual-disk"),
        (b"conectix", "application/x-virtual-disk"),
        (b"MSWIM\0\0\0", "application/x-ms-wim"),
        (b"MSCF\0\0\0\0", "application/vnd.ms-cab-compressed"),
        (b"[InternetShortcut]", "application/x-internet-shortcut"),
    ] {
        if octets.starts_with(magic) {
            return Some(kind);
        }
    }
    // ISO 9660 and UDF: the first volume descriptor stands in sector 16 (ECMA-119, ECMA-167).
    if matches!(octets.get(0x8001..0x8006), Some(b"CD001" | b"BEA01")) {
        return Some("application/x-iso9660-image");
    }
    // Apple's trailer.
    if octets.len() >= 512 && octets.get(octets.len() - 512..).is_some_and(|end| end.starts_with(b"koly")) {
        return Some("application/x-apple-diskimage");
    }
    // A DOS header has zeros in its first 64 octets; a text that begins with these letters has none.
    if octets.starts_with(b"MZ") && octets.get(..64).is_some_and(|header| header.contains(&0)) {
        return Some("application/vnd.microsoft.portable-executable");
    }
    // The class id of Windows Installer (MS-CFB section 2.6.1) in its root entry.
    let installer = b"\x84\x10\x0C\0\0\0\0\0\xC0\0\0\0\0\0\0\x46";
    (octets.starts_with(OLE) && memmem::find(searched(octets), installer).is_some()).then_some("application/x-msi")
}

fn is_html(octets: &[u8]) -> bool {
    let start = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets).trim_ascii_start();
    let start = start.get(..16).unwrap_or(start).to_ascii_lowercase();
    [&b"<!doctype html"[..], b"<html", b"<script", b"<hta:applicatio", b"<body"]
        .iter()
        .any(|tag| start.starts_with(tag))
}

/// True where a file is held back, by extension or by content.
pub(crate) fn is_dangerous(filename: Option<&str>, detected: Option<&str>, octets: &[u8]) -> bool {
    filename.is_some_and(is_dangerous_name)
        || detected.is_some_and(|kind| DANGEROUS_TYPES.contains(&kind))
        || runs_what_it_holds(detected, octets)
}

/// By the last extension, blanks and dots behind it set aside as Windows does.
fn is_dangerous_name(name: &str) -> bool {
    let name = name.trim_end_matches(|c: char| c == '.' || c.is_whitespace());
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    last.rsplit_once('.').is_some_and(|(_, extension)| {
        let extension = extension.to_ascii_lowercase();
        DANGEROUS_EXTENSIONS.contains(&extension.as_str()) || MACRO_EXTENSIONS.contains(&extension.as_str())
    })
}

/// Documents with code or with files inside that a click runs.
fn runs_what_it_holds(detected: Option<&str>, octets: &[u8]) -> bool {
    if octets.starts_with(OLE) {
        // The storage of a macro project, in UTF-16 (MS-OVBA section 2.2.1).
        return contains(octets, b"_\0v\0b\0a\0_\0p\0r\0o\0j\0e\0c\0t\0");
    }
    if octets.starts_with(b"{\\rt") {
        return contains(octets, b"\\objdata");
    }
    if octets.starts_with(b"\xE4\x52\x5C\x7B\x8C\xD8\xA7\x4D\xAE\xB1\x53\x78\xD0\x29\x96\xD3") {
        // OneNote with an embedded file: FileDataStoreObject (MS-ONESTORE section 2.6.13).
        let embedded = b"\xE7\x16\xE3\xBD\x65\x26\x11\x45\xA4\xC4\x8D\x4D\x0B\x7A\x9E\xAC";
        return memmem::find(searched(octets), embedded).is_some();
    }
    detected == Some("image/svg+xml") && contains(octets, b"<script")
}

fn searched(octets: &[u8]) -> &[u8] {
    octets.get(..SEARCHED_OCTETS_MAX).unwrap_or(octets)
}

/// Searches for lower-case `needle` in any case.
fn contains(octets: &[u8], needle: &[u8]) -> bool {
    let searched = searched(octets);
    let first = needle.first().copied().unwrap_or_default();
    memchr::memchr2_iter(first, first.to_ascii_uppercase(), searched)
        .any(|at| searched.get(at..at + needle.len()).is_some_and(|window| window.eq_ignore_ascii_case(needle)))
}

#[cfg(test)]
mod tests;
