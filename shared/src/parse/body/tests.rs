//! Which text is read from which structure.

use crate::{headers, parse};

/// A part with a type and a body.
fn part(header: &str, body: &str) -> String {
    format!(
        "{}{header}\n\n{body}",
        if header.starts_with("Content-") || header.is_empty() { "" } else { "Content-Type: " }
    )
}

/// A multipart of a type; `n` makes its boundary.
fn multi(kind: &str, n: usize, parts: &[String]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| format!("--b{n}\n{part}\n")).collect();
    format!("Content-Type: multipart/{kind}; boundary=b{n}\n\n{}--b{n}--\n", parts.concat())
}

/// The text, the number of attachments, and the defects.
fn read(raw: &str) -> (String, usize, Vec<String>) {
    let parsed = parse::parse(raw.as_bytes(), &headers::scan(raw.as_bytes()));
    let defects = parsed.defects.into_iter().filter(|slug| !slug.ends_with("-missing")).collect();
    (parsed.text, parsed.attachments.len(), defects)
}

/// Name, mail, text wanted, attachments wanted.
type Case<'a> = (&'a str, String, &'a str, usize);

fn check(cases: &[Case<'_>]) {
    let mut wrong = Vec::new();
    for (name, raw, text, attachments) in cases {
        let (found, count, _) = read(raw);
        if (found.as_str(), count) != (*text, *attachments) {
            wrong.push(format!("{name}: wanted {text:?} {attachments}, got {found:?} {count}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn alternatives_and_related_parts() {
    let plain = |text: &str| part("text/plain", text);
    let html = |text: &str| part("text/html", &format!("<p>{text}</p>"));
    let image = || part("image/png; name=a.png", "x");
    let calendar = || part("text/calendar; method=REQUEST", "BEGIN:VCALENDAR");
    check(&[
        ("alternative", multi("alternative", 1, &[plain("p"), html("h")]), "p", 0),
        ("plain last", multi("alternative", 1, &[html("h"), plain("p")]), "p", 0),
        ("several plain", multi("alternative", 1, &[plain("p"), plain("p "), html("p")]), "p", 0),
        ("with a calendar", multi("alternative", 1, &[plain("p"), html("h"), calendar()]), "p", 1),
        ("blank plain", multi("alternative", 1, &[plain(" \u{A0}\u{200B}\n"), html("h")]), "h", 0),
        ("both blank", multi("alternative", 1, &[plain(" "), html("&nbsp;")]), "", 0),
        ("related", multi("related", 1, &[html("h"), image()]), "h", 1),
        (
            "alternative in related in mixed",
            multi(
                "mixed",
                1,
                &[multi("related", 2, &[multi("alternative", 3, &[plain("p"), html("h")]), image()]), image()],
            ),
            "p",
            2,
        ),
        (
            "related in alternative in mixed",
            multi(
                "mixed",
                1,
                &[multi("alternative", 2, &[plain("p"), multi("related", 3, &[html("h"), image()])]), plain("foot")],
            ),
            "p\n\nfoot",
            1,
        ),
        (
            "Apple Mail: the HTML of an alternative is a mixed",
            multi("alternative", 1, &[plain("p"), multi("mixed", 2, &[html("h1"), image(), html("h2")])]),
            "p",
            1,
        ),
    ]);
}

#[test]
fn other_structures() {
    let plain = |text: &str| part("text/plain", text);
    let html = |text: &str| part("text/html", &format!("<p>{text}</p>"));
    let image = || part("image/png; name=a.png", "x");
    check(&[
        ("HTML spread", multi("mixed", 1, &[html("one"), image(), html("two")]), "one\n\ntwo", 1),
        ("text around an image", multi("mixed", 1, &[plain("one"), image(), plain("two")]), "one\n\ntwo", 1),
        ("the same twice", multi("mixed", 1, &[plain("one"), html("one")]), "one", 0),
        ("unknown multipart", multi("x-odd", 1, &[plain("one"), image()]), "one", 1),
        (
            "a text file",
            multi(
                "mixed",
                1,
                &[
                    plain("one"),
                    part("Content-Disposition: attachment; filename=a.txt\nContent-Type: text/plain", "file"),
                ],
            ),
            "one",
            1,
        ),
        ("a named text alone", multi("mixed", 1, &[part("text/plain; name=a.txt", "file"), image()]), "file", 2),
        (
            "a named body",
            part("Content-Disposition: inline; filename=a.txt\nContent-Type: text/plain", "file"),
            "file",
            0,
        ),
        ("digest", multi("digest", 1, &["\nSubject: a\n\nin".to_owned()]), "", 1),
        (
            "report",
            multi("report; report-type=delivery-status", 1, &[plain("failed"), part("message/delivery-status", "a")]),
            "failed",
            1,
        ),
        (
            "external",
            multi(
                "mixed",
                1,
                &[plain("p"), part("message/external-body; access-type=URL", "Content-Type: text/plain\n\nnot it")],
            ),
            "p",
            1,
        ),
        ("enriched", multi("alternative", 1, &[part("text/enriched", "<bold>e</bold>")]), "e", 0),
        ("markdown", part("text/markdown", "# m"), "# m", 0),
        ("HTML called plain", plain("\n<!DOCTYPE html><html><body><p>a<p>b</html>"), "a\n\nb", 0),
        ("plain called HTML", part("text/html", "a\nb <c@x.example>\nd"), "a\nb <c@x.example>\nd", 0),
        (
            "a note for old mailers",
            multi(
                "alternative",
                1,
                &[plain("Your mail client does not support HTML."), html("The invoice is attached, please pay it.")],
            ),
            "The invoice is attached, please pay it.\n\nYour mail client does not support HTML.",
            0,
        ),
        ("flowed", part("text/plain; format=flowed; delsp=yes", "a \nb\n-- \nJ"), "ab\n-- \nJ", 0),
        ("empty", String::new(), "", 0),
    ]);
}

#[test]
fn protected_mail_is_marked() {
    let signed = multi("signed", 1, &[part("text/plain", "words"), part("application/pgp-signature", "x")]);
    let encrypted = multi(
        "encrypted",
        1,
        &[part("application/pgp-encrypted", "Version: 1"), part("application/octet-stream", "x")],
    );
    for (raw, text, attachments, slug) in [
        (signed, "words", 1, "signed"),
        (encrypted, "", 2, "encrypted"),
        (part("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", "x"), "", 1, "encrypted"),
        (part("application/x-pkcs7-mime; smime-type=signed-data", "x"), "", 1, "signed"),
        (
            part(
                "text/plain",
                "-----BEGIN PGP SIGNED MESSAGE-----\n\nw\n-----BEGIN PGP SIGNATURE-----\nx\n-----END PGP SIGNATURE-----",
            ),
            "w",
            0,
            "signed",
        ),
    ] {
        let (found, count, defects) = read(&raw);
        assert_eq!((found.as_str(), count), (text, attachments), "{raw}");
        assert!(defects.contains(&slug.to_owned()), "{raw}: {defects:?}");
    }
    // What an attached message is protected by says nothing of the mail.
    let inside = multi(
        "mixed",
        1,
        &[part("text/plain", "p"), format!("Content-Type: message/rfc822\n\n{}", part("application/pkcs7-mime", "x"))],
    );
    assert_eq!(read(&inside).2, Vec::<String>::new());
}
