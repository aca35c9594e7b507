use std::io::Write;

use flate2::{Compression, GzBuilder};

use super::*;

/// A ZIP of stored files, as packers write it.
pub(crate) fn zip(files: &[(&str, &[u8])], flags: u16) -> Vec<u8> {
    let (mut local, mut central) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let offset = u32::try_from(local.len()).unwrap();
        let (size, length) = (u32::try_from(content.len()).unwrap(), u16::try_from(name.len()).unwrap());
        let common = [&[20, 0][..], &flags.to_le_bytes(), &[0; 10], &size.to_le_bytes(), &size.to_le_bytes()].concat();
        local.extend([&b"PK\x03\x04"[..], &common, &length.to_le_bytes(), &[0; 2], name.as_bytes(), content].concat());
        central.extend(
            [&b"PK\x01\x02"[..], &[20, 0], &common, &length.to_le_bytes(), &[0; 12], &offset.to_le_bytes()].concat(),
        );
        central.extend(name.as_bytes());
    }
    let count = u16::try_from(files.len()).unwrap().to_le_bytes();
    let (size, offset) = (u32::try_from(central.len()).unwrap(), u32::try_from(local.len()).unwrap());
    let end = [&b"PK\x05\x06"[..], &[0; 4], &count, &count, &size.to_le_bytes(), &offset.to_le_bytes(), &[0; 2]];
    [local, central, end.concat()].concat()
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (name, content) in files {
        let mut header = vec![0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[257..262].copy_from_slice(b"ustar");
        octets.extend(header);
        octets.extend_from_slice(content);
        octets.resize(octets.len().next_multiple_of(512), 0);
    }
    octets.resize(octets.len() + 1_024, 0);
    octets
}

fn gz(name: Option<&str>, content: &[u8]) -> Vec<u8> {
    let builder = name.map_or_else(GzBuilder::new, |name| GzBuilder::new().filename(name));
    let mut encoder = builder.write(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// RAR 4: marker, main header, one file of two octets.
fn rar4(name: &str, main_flags: u16) -> Vec<u8> {
    let length = u16::try_from(name.len()).unwrap();
    let mut octets =
        [&b"Rar!\x1A\x07\x00"[..], &[0, 0, 0x73], &main_flags.to_le_bytes(), &[13, 0, 0, 0, 0, 0, 0, 0]].concat();
    let size = (32 + length).to_le_bytes();
    octets.extend(
        [&[0, 0, 0x74, 0, 0x80][..], &size, &2_u32.to_le_bytes(), &[0; 15], &length.to_le_bytes(), &[0; 4]].concat(),
    );
    octets.extend([name.as_bytes(), b"xx"].concat());
    octets
}

/// RAR 5: marker, one file of no octets.
fn rar5(name: &str) -> Vec<u8> {
    let file = [&[2, 0, 0, 0, 0, 0, 0, u8::try_from(name.len()).unwrap()][..], name.as_bytes()].concat();
    [&b"Rar!\x1A\x07\x01\x00\0\0\0\0"[..], &[u8::try_from(file.len()).unwrap()], &file].concat()
}

#[test]
fn directories_are_read() {
    let two: &[(&str, &[u8])] = &[("readme.txt", b"hello"), ("dir/run.exe", b"MZ")];
    let both = vec!["readme.txt", "dir/run.exe"];
    for (what, octets, names, encrypted) in [
        ("zip", zip(two, 0), both.clone(), false),
        ("zip, UTF-8 names", zip(&[("日本.txt", b"")], 0x800), vec!["日本.txt"], false),
        ("zip, encrypted", zip(two, 1), both.clone(), true),
        ("zip behind a program", [b"MZ stub".to_vec(), zip(two, 0)].concat(), both.clone(), false),
        ("empty zip", zip(&[], 0), vec![], false),
        ("tar", tar(two), both.clone(), false),
        ("tar.gz", gz(None, &tar(two)), both.clone(), false),
        ("gz with a name", gz(Some("a.js"), b"x"), vec!["a.js"], false),
        ("gz without", gz(None, b"x"), vec!["given.txt"], false),
        ("rar 4", rar4("run.exe", 0), vec!["run.exe"], false),
        ("rar 4, encrypted names", rar4("run.exe", 0x80), vec![], true),
        ("rar 5", rar5("run.exe"), vec!["run.exe"], false),
    ] {
        let listing = list(&octets, Some("given.txt.gz")).expect(what);
        assert_eq!(
            (listing.names, listing.encrypted, listing.unreadable),
            (names.into_iter().map(str::to_owned).collect(), encrypted, false),
            "{what}"
        );
    }
}

#[test]
fn a_file_hidden_from_one_directory_is_seen() {
    let mut octets = zip(&[("a.txt", b"x"), ("run.exe", b"x")], 0);
    let central = memchr::memmem::rfind(&octets, b"run.exe").unwrap();
    octets[central..central + 7].copy_from_slice(b"run.txt");
    let names = list(&octets, None).unwrap().names;
    assert!(names.contains(&"run.exe".to_owned()) && names.contains(&"run.txt".to_owned()), "{names:?}");
}

#[test]
fn what_is_no_archive_is_none() {
    for octets in [&b""[..], b"plain text", b"PK", b"%PDF-1.7", b"Rar!"] {
        assert_eq!(list(octets, None), None, "{octets:?}");
    }
    assert!(list(b"7z\xBC\xAF\x27\x1C\0\x04", None).unwrap().unreadable);
}

#[test]
fn bombs_and_cuts_cost_little() {
    let bomb = gz(None, &vec![0; 64 * 1024 * 1024]);
    assert!(list(&bomb, None).unwrap().head.unwrap().len() <= 64 * 1024);
    let many: Vec<(&str, &[u8])> = vec![("a.txt", b""); 30_000];
    assert!(list(&tar(&many), None).unwrap().names.len() <= ENTRIES_MAX);
    let whole =
        [zip(&[("a.txt", b"x")], 0), tar(&[("b", b"x")]), gz(None, &tar(&[("c", b"x")])), rar4("d", 0), rar5("e")];
    for octets in whole {
        for cut in 0..octets.len() {
            let _ = list(&octets[..cut], None);
        }
    }
}
