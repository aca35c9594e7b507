use super::*;

fn ids(list: &[MessageId]) -> Vec<&str> {
    list.iter().map(MessageId::as_str).collect()
}

#[test]
fn a_whole_header() {
    let raw = b"Return-Path: <>\r\nReceived: from b by c; now\r\nReceived: from a by b;\r\n then\r\n\
        Delivered-To: support@x.example\r\nFrom: =?utf-8?Q?J=C3=BCrgen?= <J@X.example>\r\nTo: support@x.example,\r\n\
        \tSecond <two@x.example>\r\nSubject: =?utf-8?Q?Re:_[INC-7]_?=\r\n =?utf-8?Q?=C3=BC?=\r\n\
        Message-ID: <a@X.EXAMPLE> (added by x)\r\nIn-Reply-To: <b@x.example>\r\n\
        References: <c@x.example>\r\n <b@x.example>\r\nDate: Mon, 2 Mar 2026 09:15:00 +0100\r\n\r\nbody";
    let headers = scan(raw);
    assert_eq!(headers.message_id.as_ref().map(MessageId::as_str), Some("a@x.example"));
    assert_eq!(ids(&headers.in_reply_to), ["b@x.example"]);
    assert_eq!(ids(&headers.references), ["c@x.example", "b@x.example"]);
    assert_eq!(headers.author().unwrap().as_str(), "j@x.example");
    assert_eq!(headers.from[0].name.as_deref(), Some("Jürgen"));
    assert_eq!(headers.to.len(), 2);
    assert_eq!(headers.subject, "Re: [INC-7] ü");
    assert_eq!(headers.base_subject, "ü");
    assert_eq!(headers.ticket_refs[0].ordinal, 7);
    assert_eq!(headers.return_path, ReversePath::Null);
    assert_eq!(headers.date_rfc3339.as_deref(), Some("2026-03-02T09:15:00+01:00"));
    assert_eq!(headers.first_received.as_deref(), Some("from a by b; then"));
    assert_eq!(headers.defects, Vec::<&str>::new());
}

#[test]
fn raw_octets_in_a_subject_are_read() {
    for (raw, expected) in [(&b"Subject: Gr\xFC\xDFe\n\n"[..], "Grüße"), (b"Subject: Gr\xC3\xBC\xC3\x9Fe\n\n", "Grüße")]
    {
        assert_eq!(scan(raw).subject, expected, "{raw:?}");
    }
}

#[test]
fn raw_octets_are_read_like_the_body() {
    let raw = b"Subject: \xF0\xD2\xC9\xCE\xD4\xC5\xD2\nContent-Type: text/plain; charset=koi8-r\n\n";
    assert_eq!(scan(raw).subject, "Принтер");
    let raw = b"Subject: \x83v\x83\x8A\x83\x93\x83^\x81[\x82\xCC\x8C\xCC\x8F\xE1\n\n";
    assert_eq!(scan(raw).subject, "プリンターの故障");
    let raw = b"Subject: \x1b$BF|K\\\x1b(B\n\n";
    assert_eq!(scan(raw).subject, "日本");
}

#[test]
fn long_subjects_are_whole() {
    let raw = format!("Subject: {}\n\n", "ü".repeat(50_000));
    let subject = scan(raw.as_bytes()).subject;
    assert_eq!(subject.chars().count(), 50_000);
    let row = crate::ticket::cut_at(&format!("a{subject}"), crate::ticket::SUBJECT_OCTETS_MAX).to_owned();
    assert_eq!((row.len(), row.chars().last()), (997, Some('ü')));
}

#[test]
fn repeated_fields_the_topmost_counts() {
    let headers = scan(b"Subject : one\nSubject: two\nDate: soon\nDate: 27 Nov 2026 15:04:05 +0000\n\n");
    assert_eq!(headers.subject, "one");
    assert_eq!(headers.date_rfc3339.as_deref(), Some("2026-11-27T15:04:05Z"));
    assert!(headers.defects.contains(&"subject-repeated") && headers.defects.contains(&"date-repeated"));
}

#[test]
fn the_topmost_resending_and_the_last_hop() {
    let headers = scan(
        b"Resent-From: A <a@x.example>\nResent-To: b@x.example\nResent-Date: 27 Nov 2026 15:04:05 +0000\n\
        Received: from a by b; 28 Nov 2026 15:04:05 +0000\nResent-From: old@x.example\nFrom: c@x.example\n\n",
    );
    let resent = headers.resent.unwrap();
    assert_eq!(resent.from[0].address.as_deref(), Some("a@x.example"));
    assert_eq!(resent.date.unwrap().to_string(), "2026-11-27T15:04:05Z");
    assert_eq!(headers.received_at.unwrap().to_string(), "2026-11-28T15:04:05Z");
    assert_eq!(headers.defects, ["message-id-missing", "date-missing"]);
}

#[test]
fn several_authors_are_no_author() {
    for (raw, author) in [
        ("From: a@x.example\nFrom: A <A@X.example>\n\n", Some("a@x.example")),
        ("From: a@x.example\nFrom: b@x.example\n\n", None),
        ("From: a@x.example, b@x.example\n\n", None),
        ("To: b@x.example\n\n", None),
    ] {
        let headers = scan(raw.as_bytes());
        assert_eq!(headers.author().as_ref().map(AddrSpec::as_str), author, "{raw:?}");
    }
}

#[test]
fn defects_name_what_is_missing() {
    assert_eq!(scan(b"").defects, ["message-id-missing", "from-missing", "date-missing"]);
    let dated = scan(b"From: a@x.example\nMessage-ID: <a@b>\nDate: soon\n\n");
    assert_eq!(dated.defects, ["date-unreadable"]);
}

#[test]
fn a_long_header_costs_a_fixed_amount() {
    let mut raw = b"Message-ID: <a@b>\n".to_vec();
    raw.extend(b"X-Junk: 0123456789012345678901234567890123456789\n".repeat(200_000));
    let headers = scan(&raw);
    assert_eq!(headers.fields.len(), FIELDS_MAX);
    assert_eq!(headers.message_id.as_ref().map(MessageId::as_str), Some("a@b"));
    assert!(headers.defects.contains(&"header-too-many-fields") && headers.defects.contains(&"header-too-long"));
}

proptest::proptest! {
    #[test]
    fn scanning_never_panics(raw in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
        let _ = scan(&raw);
    }

    #[test]
    fn fields_of_any_content_never_panic(value in "\\PC{0,120}") {
        for name in ["From", "To", "Date", "Subject", "References", "Return-Path", "Delivered-To"] {
            let _ = scan(format!("{name}: {value}\n\n").as_bytes());
        }
    }
}
