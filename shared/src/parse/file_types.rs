//! What a file is, by its first octets and by its name, and whether it is held back.
//!
//! Held back is what runs when it is opened: programs, scripts, shortcuts, disk images, installers, office files with
//! macros. The name and the content are both asked, because each lies in its own way.

/// Extensions that run or install. Put together by us; not checked against any mail program's own list.
const DANGEROUS_EXTENSIONS: &[&str] = &[
    "ade",
    "adp",
    "apk",
    "app",
    "appinstaller",
    "application",
    "appref-ms",
    "appx",
    "appxbundle",
    "bas",
    "bat",
    "cab",
    "chm",
    "cmd",
    "cnt",
    "com",
    "command",
    "cpl",
    "crt",
    "csh",
    "deb",
    "der",
    "desktop",
    "diagcab",
    "dll",
    "dmg",
    "ex",
    "ex_",
    "exe",
    "fxp",
    "gadget",
    "grp",
    "hlp",
    "hpj",
    "hta",
    "htc",
    "img",
    "inf",
    "ins",
    "inx",
    "iso",
    "isp",
    "isu",
    "its",
    "jar",
    "jnlp",
    "job",
    "js",
    "jse",
    "ksh",
    "lib",
    "lnk",
    "mad",
    "maf",
    "mag",
    "mam",
    "mda",
    "mdb",
    "mde",
    "mdt",
    "mdw",
    "mdz",
    "mht",
    "msc",
    "msh",
    "msi",
    "msix",
    "msixbundle",
    "msp",
    "mst",
    "ops",
    "pcd",
    "pif",
    "pkg",
    "prf",
    "prg",
    "ps1",
    "ps1xml",
    "ps2",
    "psc1",
    "psd1",
    "psm1",
    "pst",
    "reg",
    "rpm",
    "scf",
    "scr",
    "sct",
    "settingcontent-ms",
    "sh",
    "shb",
    "shs",
    "sys",
    "theme",
    "udl",
    "url",
    "vb",
    "vbe",
    "vbs",
    "vhd",
    "vhdx",
    "vxd",
    "wsf",
    "wsh",
    "xll",
];

/// Office formats whose purpose is to carry macros, and others that run what they hold.
const MACRO_EXTENSIONS: &[&str] = &[
    "docm", "dotm", "xlsm", "xltm", "xlam", "xla", "pptm", "potm", "ppam", "ppsm", "sldm", "iqy", "slk", "wll", "xlm",
    "accde",
];

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
    "application/vnd.debian.binary-package",
    "application/x-rpm",
    "application/hta",
    "text/x-shellscript",
];

/// Octets looked at where a marker may stand anywhere.
const SEARCHED_OCTETS_MAX: usize = 8 * 1024 * 1024;

/// Type by content; `None` where the octets tell nothing (most text).
pub(crate) fn detect(octets: &[u8]) -> Option<&'static str> {
    if octets.starts_with(b"\x4C\0\0\0\x01\x14\x02\0") {
        return Some("application/x-ms-shortcut");
    }
    // ISO 9660: the first volume descriptor stands in sector 16.
    if octets.get(0x8001..0x8006) == Some(b"CD001") {
        return Some("application/x-iso9660-image");
    }
    if octets.starts_with(b"MZ") && octets.len() >= 64 {
        return Some("application/vnd.microsoft.portable-executable");
    }
    if is_html(octets) {
        return Some(if contains(octets, b"<hta:application") { "application/hta" } else { "text/html" });
    }
    let found = std::panic::catch_unwind(|| infer::get(octets)).ok().flatten();
    found.map(|kind| kind.mime_type())
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
    let by_name = filename.is_some_and(|name| {
        let name = name.trim_end_matches(|c: char| c == '.' || c.is_whitespace());
        name.rsplit_once('.').is_some_and(|(_, extension)| {
            let extension = extension.to_ascii_lowercase();
            DANGEROUS_EXTENSIONS.contains(&extension.as_str()) || MACRO_EXTENSIONS.contains(&extension.as_str())
        })
    });
    by_name || detected.is_some_and(|kind| DANGEROUS_TYPES.contains(&kind)) || has_macros(octets)
}

/// A macro project inside an office file: `vbaProject.bin` in an OOXML zip, `_VBA_PROJECT` (UTF-16) in an OLE file.
fn has_macros(octets: &[u8]) -> bool {
    if octets.starts_with(b"PK\x03\x04") {
        return contains(octets, b"vbaproject.bin");
    }
    octets.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") && contains(octets, b"_\0v\0b\0a\0_\0p\0r\0o\0j\0e\0c\0t\0")
}

/// Searches for lower-case `needle` in any case.
fn contains(octets: &[u8], needle: &[u8]) -> bool {
    let searched = octets.get(..SEARCHED_OCTETS_MAX).unwrap_or(octets);
    let first = needle.first().copied().unwrap_or_default();
    searched.iter().enumerate().any(|(at, octet)| {
        octet.to_ascii_lowercase() == first
            && searched.get(at..at + needle.len()).is_some_and(|window| window.eq_ignore_ascii_case(needle))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_dangers() {
        let mut program = b"MZ\x90\0".to_vec();
        program.resize(128, 0);
        let mut image = vec![0; 0x8001];
        image.extend_from_slice(b"CD001");
        for (name, octets, detected, dangerous) in [
            (Some("report.pdf"), &b"%PDF-1.7"[..], Some("application/pdf"), false),
            (Some("report.pdf"), &program, Some("application/vnd.microsoft.portable-executable"), true),
            (Some("run.EXE"), b"text", None, true),
            (Some("run.exe. "), b"text", None, true),
            (Some("invoice.pdf.js"), b"text", None, true),
            (Some("sheet.xlsm"), b"PK\x03\x04", Some("application/zip"), true),
            (Some("sheet.xlsx"), b"PK\x03\x04...xl/vbaProject.bin...", Some("application/zip"), true),
            (Some("old.doc"), b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0", None, true),
            (None, b"#!/bin/sh\n", Some("text/x-shellscript"), true),
            (Some("a.txt"), &image, Some("application/x-iso9660-image"), true),
            (Some("page.html"), b"  <!DOCTYPE html><p>", Some("text/html"), false),
            (Some("page.html"), b"<html><HTA:APPLICATION>", Some("application/hta"), true),
            (Some("link.txt"), b"\x4C\0\0\0\x01\x14\x02\0", Some("application/x-ms-shortcut"), true),
            (Some("notes.txt"), b"plain", None, false),
            (Some("photo.jpg"), b"\xFF\xD8\xFF\xE0", Some("image/jpeg"), false),
        ] {
            let found = detect(octets);
            if !octets.starts_with(b"\xD0") {
                assert_eq!(found, detected, "{name:?}");
            }
            assert_eq!(is_dangerous(name, found, octets), dangerous, "{name:?}");
        }
    }
}
