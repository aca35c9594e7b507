use super::*;

fn mailbox(id: &str, address: &str, prefix: &str) -> Mailbox {
    Mailbox::new(MailboxId::parse(id).unwrap(), AddrSpec::parse(address).unwrap(), prefix)
}

fn with(id: &str, pattern: &str) -> Mailbox {
    let patterns = vec![AddressPattern::parse(pattern).unwrap()];
    Mailbox { patterns, ..mailbox(id, &format!("{id}@x.example"), "AB") }
}

fn prefixes(kind: &str, prefix: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(kind.to_owned(), prefix.to_owned())])
}

fn limits(each: u64, total: u64, count: u32) -> AttachmentLimits {
    AttachmentLimits { each, total, count }
}

#[test]
fn patterns_have_two_forms() {
    for (text, expected) in [
        ("*@X.example", Some("*@x.example")),
        (" Sup+*@x.example", Some("sup+*@x.example")),
        ("sup@x.example", None),
        ("s*p@x.example", None),
        ("+*@x.example", None),
        ("*", None),
        ("*@", None),
    ] {
        assert_eq!(AddressPattern::parse(text).map(|p| p.to_string()).as_deref(), expected, "{text:?}");
    }
    let json = serde_json::to_string(&with("a", "*@x.example")).unwrap();
    assert_eq!(serde_json::from_str::<Mailbox>(&json).unwrap(), with("a", "*@x.example"));
    assert!(!format!("{:?}", AddressPattern::parse("secret+*@x.example")).contains("secret"));
}

#[test]
fn the_closest_claim_wins() {
    let plain = Mailbox { reply_mode: ReplyMode::Off, ..mailbox("a", "a@x.example", "AA") };
    let all = vec![plain, with("b", "a+*@x.example"), with("c", "*@x.example"), mailbox("d", "d@x.example", "DD")];
    let all = Mailboxes::new(all).unwrap();
    for (address, owner) in [
        ("a@x.example", Some("a")),
        ("a+1@x.example", Some("b")),
        ("d+1@x.example", Some("d")),
        ("anybody@x.example", Some("c")),
        ("a@y.example", None),
    ] {
        let found = all.by_address(&AddrSpec::parse(address).unwrap()).map(|m| m.id.as_str());
        assert_eq!(found, owner, "{address}");
    }
}

#[test]
fn attachments_over_a_limit_are_named() {
    let judged = limits(10, 15, 3).judge([11, 10, 6, 5, 0, 0, 1]);
    let (each, total, count) = ("attachment-too-large", "attachments-too-large", "too-many-attachments");
    assert_eq!(judged, [Some(each), None, Some(total), None, None, Some(count), Some(count)]);
}

#[test]
fn ids_have_one_form() {
    for (text, fits) in
        [("support", true), ("a-1", true), ("mime", false), ("-", false), ("", false), ("A", false), ("a/b", false)]
    {
        assert_eq!(MailboxId::parse(text).is_some(), fits, "{text:?}");
    }
}

#[test]
fn faults_are_named() {
    let cases = [
        (vec![mailbox("a", "a@x.example", "A")], "prefix"),
        (vec![mailbox("a", &format!("{}@x.example", "l".repeat(38)), "AB")], "reply tag"),
        (vec![mailbox("a", "a@x.example", "AB"), mailbox("a", "b@x.example", "AB")], "twice"),
        (vec![mailbox("a", "a@x.example", "AB"), mailbox("b", "a@x.example", "AB")], "claim the same address, a@x"),
        (vec![with("a", "*@x.example"), with("b", "*@x.example")], "claim the same address, *@x"),
        (vec![mailbox("a", "a@x.example", "AB"), with("b", "a+*@x.example")], "reply addresses of mailbox a"),
        (
            vec![Mailbox { reply_mode: ReplyMode::Subdomain, ..mailbox("a", "a_b@x.example", "AB") }],
            "reply mode `subdomain`",
        ),
        (vec![Mailbox { queue: "a#b".into(), ..mailbox("a", "a@x.example", "AB") }], "queue \"a#b\""),
        (vec![Mailbox { prefixes: prefixes("incident", "x"), ..mailbox("a", "a@x.example", "AB") }], "prefix \"x\""),
        (vec![Mailbox { attachments: limits(0, 1, 1), ..mailbox("a", "a@x.example", "AB") }], "attachment limits"),
        (vec![Mailbox { attachments: limits(2, 1, 1), ..mailbox("a", "a@x.example", "AB") }], "attachment limits"),
    ];
    for (mailboxes, expected) in cases {
        let error = Mailboxes::new(mailboxes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error} lacks {expected}");
    }
}

#[test]
fn tagged_addresses_belong_to_their_mailbox() {
    let all = Mailboxes::new(vec![mailbox("b", "a+b@x.example", "BB"), mailbox("a", "a@x.example", "AA")]).unwrap();
    let owner = |text: &str| all.by_address(&AddrSpec::parse(text).unwrap()).map(|m| m.id.as_str().to_owned());
    assert_eq!(owner("a@x.example").as_deref(), Some("a"));
    assert_eq!(owner("a+b@x.example").as_deref(), Some("b"));
    assert_eq!(owner("a+tag@x.example").as_deref(), Some("a"));
    assert_eq!(owner("c@x.example"), None);
}

#[test]
fn addresses_are_ours_behind_what_gateways_do_to_them() {
    let all = Mailboxes::new(vec![mailbox("a", "a@x.example", "AA"), mailbox("b", "b@x.example", "BB")]).unwrap();
    for (text, expected) in [
        ("abqok72bebfzvsvkts@a.x.example", Some("a")),
        ("jane@a.x.example", None),
        ("prvs=1234abcdef=b@x.example", Some("b")),
        ("srs0=hh=tt=x.example=b+tag@forwarder.example", Some("b")),
        ("srs0=hh=tt=y.example=b+tag@x.example", None),
        ("\"a+tag\"@x.example", Some("a")),
        ("a%2btag@x.example", Some("a")),
    ] {
        let owner = all.by_address(&AddrSpec::parse(text).unwrap()).map(|m| m.id.as_str());
        assert_eq!(owner, expected, "{text}");
    }
}
