use bytes::Bytes;
use proptest::prelude::*;

use super::{File, Parsed, rebuild};
use crate::{
    headers,
    parse::{self, ParsedMessage},
};

fn read(parsed: &Parsed) -> (headers::Headers, ParsedMessage) {
    let octets = rebuild(parsed);
    let headers = headers::scan(&octets);
    let message = parse::parse(&octets, &headers);
    (headers, message)
}

fn fields(pairs: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
}

fn file(name: &str, content_type: &str, content: &'static [u8]) -> File {
    let name = Some(name.to_owned());
    File { name, content_type: content_type.to_owned(), content: Bytes::from_static(content), ..File::default() }
}

fn full() -> Parsed {
    let picture = File { content_id: Some("<pic@x>".into()), inline: true, ..file("p.png", "image/png", b"\x89PNG") };
    Parsed {
        headers: fields(&[
            ("Received", "from a by b"),
            ("From", "Jane Doe <jane@people.example>"),
            ("Subject", "Grüße"),
            ("Message-Id", "<one@ids.example>"),
            ("Content-Type", "multipart/mixed; boundary=theirs"),
            ("MIME-Version", "1.0"),
        ]),
        texts: vec!["Grüße,\nJane".into()],
        htmls: vec!["<p>Grüße</p><img src=\"cid:pic@x\">".into()],
        attachments: vec![file("a.txt", "text/plain; charset=\"iso-8859-1\"", b"caf\xE9"), picture],
    }
}

#[test]
fn a_whole_mail_reads_as_it_was_taken_apart() {
    let (headers, message) = read(&full());
    assert_eq!((headers.subject.as_str(), headers.message_id.as_ref().unwrap().as_str()), ("Grüße", "one@ids.example"));
    assert_eq!(headers.author().unwrap().as_str(), "jane@people.example");
    assert_eq!(message.text, "Grüße,\nJane");
    assert_eq!(message.html.as_deref(), Some("<p>Grüße</p><img src=\"cid:pic@x\">"));
    assert_eq!(message.content_type, "multipart/mixed");
    let listed: Vec<_> =
        message.attachments.iter().map(|a| (a.filename.as_deref(), a.inline, &a.content[..])).collect();
    assert_eq!(listed, [(Some("p.png"), true, &b"\x89PNG"[..]), (Some("a.txt"), false, b"caf\xE9")]);
    assert!(message.defects.iter().all(|defect| defect == "date-missing"), "{:?}", message.defects);
}

#[test]
fn only_the_structure_that_is_needed() {
    let text = || vec!["text".to_owned()];
    let html = || vec!["<p>html</p>".to_owned()];
    let picture = || File { content_id: Some("a".into()), inline: true, ..file("p.png", "image/png", b"p") };
    for (parsed, expected) in [
        (Parsed::default(), vec!["text/plain"]),
        (Parsed { texts: text(), ..Parsed::default() }, vec!["text/plain"]),
        (Parsed { htmls: html(), ..Parsed::default() }, vec!["text/html"]),
        (
            Parsed { texts: text(), htmls: html(), ..Parsed::default() },
            vec!["multipart/alternative", "text/plain", "text/html"],
        ),
        (
            Parsed { texts: text(), htmls: [html(), html()].concat(), ..Parsed::default() },
            vec!["multipart/alternative", "text/plain", "multipart/mixed", "text/html", "text/html"],
        ),
        (
            Parsed { htmls: html(), attachments: vec![picture()], ..Parsed::default() },
            vec!["multipart/related", "text/html", "image/png"],
        ),
        (
            Parsed { attachments: vec![file("", "text/plain", b"not the mail's text")], ..Parsed::default() },
            vec!["multipart/mixed", "text/plain"],
        ),
        // Nothing shows the picture: it is a file.
        (
            Parsed { texts: text(), attachments: vec![picture()], ..Parsed::default() },
            vec!["multipart/mixed", "text/plain", "image/png"],
        ),
    ] {
        let octets = String::from_utf8(rebuild(&parsed).to_vec()).unwrap();
        let kinds: Vec<&str> = octets
            .lines()
            .filter_map(|line| line.strip_prefix("Content-Type: "))
            .map(|kind| kind.split(';').next().unwrap())
            .collect();
        assert_eq!(kinds, expected);
    }
}

#[test]
fn nothing_in_a_payload_writes_a_line_of_its_own() {
    let parsed = Parsed {
        headers: fields(&[
            ("Subject", "one\r\nBcc: evil@x.example\r\n\r\nbody"),
            ("X-A\r\nFrom", "evil@x.example"),
            ("X-B: y\nTo", "evil@x.example"),
            ("  ", "nameless"),
            ("X-Folded", "a\r\n b\n\tc"),
            ("X-NUL", "a\0b"),
            ("X-LF", "a\nX-Evil: 1"),
            ("X-CR", "a\rX-Evil: 1"),
            ("X-Empty", ""),
            ("content-TYPE ", "text/html"),
            ("Content-Transfer-Encoding", "base64"),
            ("From", "jane@people.example"),
        ]),
        texts: vec!["text".into()],
        attachments: vec![File {
            content_id: Some("x>\r\nX-Evil: 1".into()),
            ..file("a\r\nX-Evil: 1\r\n\r\n.txt", "text/plain\r\nX-Evil: 1", b"x")
        }],
        ..Parsed::default()
    };
    let octets = rebuild(&parsed);
    let (headers, message) = read(&parsed);
    let names: Vec<&str> = headers.fields.iter().map(|(name, _)| name.as_str()).collect();
    let ours = ["mime-version", "content-type"];
    let theirs = ["subject", "x-a--from", "x-b--y-to", "x-folded", "x-nul", "x-lf", "x-cr", "x-empty", "from"];
    assert_eq!(names, [&ours[..], &theirs].concat());
    assert_eq!(headers.subject, "one Bcc: evil@x.example body");
    assert_eq!(headers.first("x-folded"), Some("a b\tc"));
    assert_eq!(headers.first("x-nul"), Some("ab"));
    assert_eq!((headers.author().unwrap().as_str(), headers.to.len()), ("jane@people.example", 0));
    assert_eq!((message.text.as_str(), message.attachments.len()), ("text", 1));
    assert!(
        !octets.windows(8).any(|window| matches!(window, b"\nX-Evil:" | b"\rX-Evil:")),
        "{}",
        String::from_utf8_lossy(&octets)
    );
}

#[test]
fn nothing_is_invented() {
    let octets = String::from_utf8(rebuild(&Parsed { texts: vec!["x".into()], ..Parsed::default() }).to_vec()).unwrap();
    let expected = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
                    Content-Transfer-Encoding: 8bit\r\n\r\nx\r\n";
    assert_eq!(octets, expected);
}

#[test]
fn thousands_of_fields_do_not_hide_the_structure() {
    let mut parsed = full();
    let many: Vec<_> = (0..5_000).map(|n| (format!("X-{n}"), b"y".to_vec())).collect();
    parsed.headers.splice(0..0, many);
    let (_, message) = read(&parsed);
    assert_eq!((message.text.as_str(), message.attachments.len()), ("Grüße,\nJane", 2));
}

#[test]
fn a_boundary_stands_in_no_body() {
    let mut parsed = full();
    let digest = parsed.digest();
    assert_eq!(parsed.seed(digest.clone()), digest);
    let next = crate::digest::sha256_hex(digest.as_bytes());
    parsed.texts = vec![format!("--{digest}-1--")];
    assert_eq!(parsed.seed(digest.clone()), next);
    parsed.htmls = vec![format!("--{next}-1")];
    assert!(![&digest, &next].contains(&&parsed.seed(digest.clone())));
}

#[test]
fn a_bounce_stays_one() {
    let status: &[u8] =
        b"Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; a@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n";
    let parsed = Parsed {
        headers: fields(&[("Content-Type", "multipart/report;\r\n report-type=\"delivery-status\"; boundary=b")]),
        texts: vec!["not delivered".into()],
        attachments: vec![
            file("", "message/delivery-status", status),
            file("", "message/rfc822", b"Message-ID: <sent@ids.example>\r\n\r\nx\r\n"),
        ],
        ..Parsed::default()
    };
    let (_, message) = read(&parsed);
    assert_eq!(message.report_type.as_deref(), Some("delivery-status"));
    let report = message.delivery_report.unwrap();
    assert_eq!(report.recipients, ["a@x.example"]);
    assert_eq!(report.original_message_id.unwrap().as_str(), "sent@ids.example");
    for (headers, expected) in [
        // Postmark tells no Content-Type.
        (vec![], Some("delivery-status")),
        (fields(&[("Content-Type", "multipart/mixed; boundary=b")]), None),
        (fields(&[("Content-Type", "multipart/report; report-type=\"a b\"")]), None),
    ] {
        let (_, message) = read(&Parsed { headers, ..parsed.clone() });
        assert_eq!(message.report_type.as_deref(), expected);
        assert_eq!(message.delivery_report.unwrap().recipients, ["a@x.example"]);
    }
}

#[test]
fn a_broken_file_is_kept_and_noted() {
    let broken = File { broken: true, ..file("a.bin", "application/octet-stream", b"what could be read") };
    let (_, message) = read(&Parsed { attachments: vec![broken], ..Parsed::default() });
    assert_eq!(&message.attachments[0].content[..], b"what could be read");
    assert!(message.defects.contains(&"base64-trailing-text".to_owned()), "{:?}", message.defects);
}

#[test]
fn names_of_any_kind_come_back() {
    let long = format!("{}.pdf", "я".repeat(120));
    for name in
        ["a.txt", "with blank (1).txt", "quote\".txt", "back\\slash", "naïve.txt", "日本語.txt", "a%20b.txt", &long]
    {
        let (_, message) = read(&Parsed { attachments: vec![file(name, "image/gif", b"x")], ..Parsed::default() });
        let expected = name.replace(['"', '\\'], "_");
        assert_eq!(message.attachments[0].filename.as_deref(), Some(expected.as_str()));
    }
    let endless = format!("{}.exe", "x".repeat(100_000));
    let (_, message) = read(&Parsed { attachments: vec![file(&endless, "image/gif", b"x")], ..Parsed::default() });
    assert_eq!(message.attachments[0].refused.as_deref(), Some("dangerous-type"), "the end of a name is kept");
}

#[test]
fn files_cost_what_base64_costs() {
    let content = Bytes::from(vec![7; 1_000_000]);
    let parsed = Parsed {
        texts: vec!["ü".repeat(500_000)],
        attachments: vec![File { content, ..File::default() }],
        ..Parsed::default()
    };
    let size = rebuild(&parsed).len();
    assert!(size < 2_000_000 / 57 * 78 + 4_096, "{size}");
}

/// Letters of every kind, without controls and without what reads as an encoded word.
fn words() -> impl Strategy<Value = String> {
    "[^\\p{C}=]{0,120}(\n[^\\p{C}=]{0,2000}){0,3}".prop_map(|text| text.trim().to_owned())
}

fn files() -> impl Strategy<Value = Vec<File>> {
    let one = ("[a-zA-Zäöü日я _.()-]{1,90}", any::<bool>(), proptest::collection::vec(any::<u8>(), 0..300));
    let made = one.prop_map(|(name, inline, content)| File {
        // Numbered, so that no two are equal, and an extension that nothing is refused for.
        name: Some(format!("n{name}n.dat")),
        content_type: "application/x-test".to_owned(),
        content_id: inline.then(|| "id".to_owned()),
        content: content.into(),
        inline,
        broken: false,
    });
    proptest::collection::vec(made, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn twice_is_equal_and_what_went_in_comes_out(
        headers in proptest::collection::vec((".{0,20}", proptest::collection::vec(any::<u8>(), 0..200)), 0..6),
        text in words(),
        html in proptest::option::of(words()),
        attachments in files(),
    ) {
        let html = html.map(|html| format!("<p>{html}</p>"));
        let parsed = Parsed { headers, texts: vec![text.clone()], htmls: html.clone().into_iter().collect(), attachments };
        let octets = rebuild(&parsed);
        prop_assert_eq!(&octets, &rebuild(&parsed.clone()));
        let (_, message) = read(&parsed);
        // Where the HTML says much more than the text, it is the text, and the words that only the plain text has follow it.
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        let letters = |text: &str| {
            let lower = text.to_lowercase();
            let words = lower.split_whitespace().filter(|word| !word.starts_with('<') && !word.contains("://"));
            words.flat_map(str::chars).filter(|c| c.is_alphanumeric()).collect::<String>()
        };
        match &html {
            None => prop_assert_eq!(squeezed(&message.text), squeezed(&text)),
            Some(_) => prop_assert!(letters(&message.text).contains(&letters(&text))),
        }
        prop_assert_eq!(message.html, html);
        let mut contents: Vec<_> = parsed.attachments.iter().map(|file| file.content.clone()).collect();
        let mut read: Vec<_> = message.attachments.iter().map(|file| (file.content.clone(), file.refused.clone())).collect();
        contents.sort();
        read.sort();
        prop_assert!(read.iter().all(|(_, refused)| refused.is_none() || refused.as_deref() == Some("dangerous-type")));
        if read.iter().all(|(_, refused)| refused.is_none()) {
            prop_assert_eq!(read.into_iter().map(|(content, _)| content).collect::<Vec<_>>(), contents);
        }
        let sizes: u64 = message.attachments.iter().map(|file| file.size).sum();
        prop_assert_eq!(sizes, parsed.attachments.iter().map(|file| file.content.len() as u64).sum::<u64>());
    }

    #[test]
    fn hostile_payloads_are_rebuilt(
        headers in proptest::collection::vec((any::<String>(), proptest::collection::vec(any::<u8>(), 0..100)), 0..8),
        texts in proptest::collection::vec(any::<String>(), 0..3),
        name in any::<String>(),
        content_type in any::<String>(),
        content_id in any::<String>(),
    ) {
        let file = File {
            name: Some(name),
            content_type,
            content_id: Some(content_id),
            content: Bytes::from_static(b"content"),
            inline: true,
            broken: false,
        };
        let parsed = Parsed { headers, htmls: texts.clone(), texts, attachments: vec![file] };
        let (_, message) = read(&parsed);
        prop_assert_eq!(message.attachments.len(), 1);
        prop_assert!(!message.defects.contains(&"parser-panic".to_owned()));
    }
}
