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
        (Some("MZ.txt"), b"MZ is how some words begin, and this line is longer than sixty-four octets.", None, false),
        (Some("sheet.xlsm"), b"PK\x03\x04", Some("application/zip"), true),
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

#[test]
fn archives_and_office_files() {
    use crate::parse::archive::tests::zip;
    let office = |part: &str| zip(&[("[Content_Types].xml", b""), (part, b"")], 0);
    for (name, octets, refused, flags, contains) in [
        ("a.zip", zip(&[("a.txt", b""), ("b/run.EXE", b"")], 0), Some("dangerous-archive"), vec![], 2),
        ("a.zip", zip(&[("inner.zip", b"")], 0), None, vec![], 1),
        ("a.zip", zip(&[("a.txt", b"")], 1), None, vec!["archive-encrypted"], 1),
        ("a.zip", zip(&[("invoice.docm", b"")], 0), Some("dangerous-archive"), vec![], 1),
        ("a.jpg", zip(&[("a.lnk", b"")], 0), Some("dangerous-archive"), vec!["type-differs"], 1),
        ("a.docx", office("word/document.xml"), None, vec![], 0),
        ("a.docx", office("word/vbaProject.bin"), Some("dangerous-type"), vec![], 0),
        ("a.xlsx", office("xl/macrosheets/sheet1.xml"), Some("dangerous-type"), vec![], 0),
        ("a.odt", zip(&[("mimetype", b""), ("Basic/Standard/Module1.xml", b"")], 0), Some("dangerous-type"), vec![], 0),
        ("a.7z", b"7z\xBC\xAF\x27\x1C\0\x04".to_vec(), None, vec!["archive-unreadable"], 0),
    ] {
        let declared = if name.ends_with(".jpg") { "image/jpeg" } else { "application/octet-stream" };
        let examined = examine(Some(name), declared, &octets);
        assert_eq!((examined.refused, examined.flags, examined.contains.len()), (refused, flags, contains), "{name}");
    }
}

#[test]
fn what_only_content_tells() {
    let mut disk = vec![0; 0x8001];
    disk.extend_from_slice(b"BEA01");
    let mut apple = vec![1; 1_024];
    apple[512..516].copy_from_slice(b"koly");
    for (octets, dangerous) in [
        (&b"{\\rtf1{\\object\\objdata 0105}}"[..], true),
        (b"{\\rtf1 text}", false),
        (b"[InternetShortcut]\nURL=file://x", true),
        (b"MSCF\0\0\0\0", true),
        (b"conectix\0", true),
        (b"<svg onload=x></svg>", false),
        (b"<?xml version='1.0'?><svg><SCRIPT>x</SCRIPT></svg>", true),
        (&disk, true),
        (&apple, true),
        (b"BEGIN:VCALENDAR", false),
    ] {
        assert_eq!(is_dangerous(None, detect(octets), octets), dangerous, "{:?}", octets.get(..20));
    }
}
