//! Our own mails, each named for its peculiarity: what Postern reads out of them, recorded and reviewed by eye.
//!
//! The mails in `tests/corpus` are written by us: invented people, example domains. A bug fix adds its mail.

use std::{fs, path::PathBuf};

use postern::inspect::inspect;
use proptest::prelude::*;
use serde_json::Value;

fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut mails: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .expect("the corpus folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(&path).expect("a mail"))
        })
        .collect();
    mails.sort();
    mails
}

fn with_bare_lf(raw: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(raw.len());
    let mut rest = raw.iter().peekable();
    while let Some(octet) = rest.next() {
        if !(*octet == b'\r' && rest.peek() == Some(&&b'\n')) {
            octets.push(*octet);
        }
    }
    octets
}

fn with_crlf(raw: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(raw.len() * 2);
    for octet in with_bare_lf(raw) {
        if octet == b'\n' {
            octets.push(b'\r');
        }
        octets.push(octet);
    }
    octets
}

/// Sizes and digests of attachments in the clear count their line breaks; everything else must be equal.
fn without_sizes(mut read: Value) -> Value {
    for attachment in read["attachments"].as_array_mut().expect("a list") {
        attachment["size"] = Value::Null;
        attachment["sha256"] = Value::Null;
    }
    read
}

#[test]
fn every_mail_reads_as_recorded() {
    let mails = corpus();
    assert!(mails.len() >= 100, "only {} mails", mails.len());
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        for (name, raw) in mails {
            insta::assert_json_snapshot!(name, inspect(&raw, false));
        }
    });
}

#[test]
fn line_breaks_make_no_difference() {
    for (name, raw) in corpus() {
        let (lf, crlf) = (inspect(&with_bare_lf(&raw), true), inspect(&with_crlf(&raw), true));
        assert_eq!(without_sizes(lf), without_sizes(crlf), "{name}");
    }
}

#[test]
fn html_of_no_mail_runs_anything() {
    for (name, raw) in corpus() {
        let html = inspect(&raw, true)["html"].as_str().unwrap_or_default().to_lowercase();
        assert!(
            !["<script", "javascript:", "onerror", "<form", "<iframe"].iter().any(|bad| html.contains(bad)),
            "{name}"
        );
    }
}

/// A mail built to hurt, with what must be said of it.
fn hostile() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let head = "From: a@x.example\nDate: Mon, 02 Mar 2026 09:15:00 +0100\nMessage-ID: <a@x.example>\n";
    let multipart = |n: usize| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n");
    vec![
        ("garbage", (0..100_000_u32).map(|n| u8::try_from(n * 7919 % 251).unwrap()).collect(), "from-missing"),
        ("empty", Vec::new(), "message-id-missing"),
        (
            "10 MB of headers",
            format!("{head}{}\n\nx", "X-Junk: 0123456789\n".repeat(550_000).trim_end()).into(),
            "header-too-long",
        ),
        ("one field of 10 MB", format!("{head}X-Junk: {}\n\nx", "y".repeat(10_000_000)).into(), "header-too-long"),
        ("10 MB of To", format!("{head}To: {}\n\nx", "a@b.example,\n ".repeat(700_000)).into(), "header-too-long"),
        (
            "10,000 parts",
            format!("{head}{}{}", multipart(1), "Content-Type: image/gif\n\nx\n--b1\n".repeat(10_000)).into(),
            "attachment-count-limit",
        ),
        ("100 levels", format!("{head}{}x", (0..100).map(multipart).collect::<String>()).into(), ""),
        ("10,000 levels", format!("{head}{}x", (0..10_000).map(multipart).collect::<String>()).into(), "nesting-limit"),
        (
            "10,000 attached messages",
            format!("{head}{}x", "Content-Type: message/rfc822\n\n".repeat(10_000)).into(),
            "nesting-limit",
        ),
        (
            "10,000 unterminated boundaries",
            format!(
                "{head}{}",
                (0..10_000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n")).collect::<String>()
            )
            .into(),
            "boundary-not-found",
        ),
        ("NUL", vec![0; 100_000], "from-missing"),
        ("a 100 kB subject", format!("{head}Subject: {}\n\nx", "Re: [a] =?utf-8?Q?=C3=BC?= ".repeat(4_000)).into(), ""),
        ("no From, Date, Message-ID", b"Subject: x\n\ny".to_vec(), "date-missing"),
        (
            "deep html",
            format!("{head}Content-Type: text/html\n\n{}x", "<div><b>".repeat(50_000)).into(),
            "html-too-deep",
        ),
        ("1 MB of quotes", format!("{head}\n{}", "> On 1 Jan 2026 a@b.example wrote:\n".repeat(30_000)).into(), ""),
    ]
}

#[test]
fn hostile_mail_is_read_within_its_bounds() {
    for (name, raw, defect) in hostile() {
        let read = inspect(&raw, false);
        let defects: Vec<&str> = read["defects"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(defect.is_empty() || defects.contains(&defect), "{name}: {defects:?} lacks {defect}");
        assert!(!defects.contains(&"parser-panic"), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_are_read(raw in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let read = inspect(&raw, true);
        prop_assert!(!read["defects"].as_array().unwrap().contains(&Value::from("parser-panic")));
    }

    #[test]
    fn mutated_mails_are_read(
        mail in 0_usize..1_000,
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..12),
    ) {
        let mails = corpus();
        let mut raw = mails[mail % mails.len()].1.clone();
        for (at, octet, how) in cuts {
            if raw.is_empty() {
                break;
            }
            let at = at.index(raw.len());
            match how {
                0 => raw[at] = octet,
                1 => raw.insert(at, octet),
                2 => { raw.remove(at); }
                _ => {
                    let copy = raw[at..(at + 40).min(raw.len())].to_vec();
                    raw.splice(at..at, copy);
                }
            }
        }
        let read = inspect(&raw, true);
        prop_assert!(!read["defects"].as_array().unwrap().contains(&Value::from("parser-panic")));
    }
}
