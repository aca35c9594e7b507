use super::*;
use crate::{envelope::Envelope, inbound::Ingress, mailbox::MailboxId, mailbox::ReplyMode, thread::Place};

const US: &str = "support@us.example";

fn mailbox(id: &str, address: &str) -> Mailbox {
    Mailbox::new(MailboxId::parse(id).unwrap(), AddrSpec::parse(address).unwrap(), "INC")
}

/// Support with an alias domain; billing of its own; sales shares support's tickets.
fn ours() -> Mailboxes {
    let mut support = mailbox("support", US);
    support.addresses.push(AddrSpec::parse("help@alias.example").unwrap());
    let sales = Mailbox { scope: "support".to_owned(), ..mailbox("sales", "sales@us.example") };
    Mailboxes::new(vec![support, mailbox("billing", "billing@us.example"), sales]).unwrap()
}

fn keyring(keys: &[u8]) -> Keyring {
    Keyring::new(keys.iter().map(|id| (*id, vec![*id + 1; 32])).collect()).unwrap()
}

fn at<'a>(all: &'a Mailboxes, id: &str) -> &'a Mailbox {
    all.by_id(&MailboxId::parse(id).unwrap()).unwrap()
}

/// The keys of a mail to support with these header lines, and an envelope.
fn keys_of(header: &str, forward: &[&str]) -> ThreadKeys {
    let all = ours();
    let raw = format!("From: jane@customer.example\r\n{header}\r\n\r\n");
    let headers = crate::headers::scan(raw.as_bytes());
    let inbound = InboundMessage {
        raw: raw.into_bytes().into(),
        origin: crate::inbound::Origin::Received,
        envelope: Envelope {
            forward_paths: forward.iter().filter_map(|a| AddrSpec::parse(a)).collect(),
            ..Envelope::default()
        },
        ingress: Ingress {
            door: "raw".into(),
            provider: "raw".into(),
            event_id: None,
            transport_time: jiff::Timestamp::UNIX_EPOCH,
        },
        verdicts: crate::inbound::Verdicts::default(),
        mailbox: None,
        replay_guard: None,
        payload: None,
        fetch: None,
    };
    keys(&headers, &inbound, at(&all, "support"), &all, &keyring(&[2, 1]))
}

fn tag(mailbox: &str, keys: &[u8]) -> String {
    keyring(keys).tag(at(&ours(), mailbox), 42).unwrap()
}

fn signed_id(mailbox: &str, keys: &[u8]) -> String {
    keyring(keys).message_id(at(&ours(), mailbox), 42, "a1").unwrap().to_string()
}

/// Where the only clue stood, what its signature is worth, and whether it names ticket 42.
fn judged(keys: &ThreadKeys) -> Option<(Place, usize, Option<Signature>, bool)> {
    let [trace] = keys.traces.as_slice() else { return None };
    let clue = &trace.clue;
    let names = matches!(trace.key, Key::Signed(Level::E1, 42) | Key::Id(_, Some(42)));
    Some((clue.place, usize::from(clue.position), clue.signature, names))
}

#[test]
fn a_reply_address_counts_wherever_it_stands() {
    let tag = tag("support", &[2]);
    for (header, forward, place, position) in [
        (String::new(), vec![format!("support+{tag}@us.example")], Place::Envelope, 1),
        (String::new(), vec![US.to_owned(), format!("SUPPORT+{}@US.example", tag.to_uppercase())], Place::Envelope, 2),
        (format!("To: bob@people.example, Us <support+{tag}@us.example>"), vec![], Place::To, 2),
        (format!("To: us: a@x.example, support+{tag}@us.example;"), vec![], Place::To, 2),
        (format!("Cc: support+{tag}@us.example"), vec![], Place::Cc, 1),
        (format!("Delivered-To: support+{tag}@us.example"), vec![], Place::DeliveredTo, 1),
        (format!("Delivered-To: x@y.example\r\nDelivered-To: support+{tag}@us.example"), vec![], Place::DeliveredTo, 2),
        (format!("X-Original-To: support+{tag}@us.example"), vec![], Place::XOriginalTo, 1),
        (format!("Resent-To: support+{tag}@us.example"), vec![], Place::ResentTo, 1),
        (format!("Resent-Cc: support+{tag}@us.example"), vec![], Place::ResentTo, 1),
        (format!("To: help+{tag}@alias.example"), vec![], Place::To, 1),
        (format!("To: {tag}@support.us.example"), vec![], Place::To, 1),
        (format!("To: prvs=1234abcdef=support+{tag}@us.example"), vec![], Place::To, 1),
        (format!("To: SRS0=HHH=TT=us.example=support+{tag}@forwarder.example"), vec![], Place::To, 1),
        (format!("To: support+{tag}+jane=customer.example@us.example"), vec![], Place::To, 1),
    ] {
        let forward: Vec<&str> = forward.iter().map(String::as_str).collect();
        let keys = keys_of(&header, &forward);
        assert_eq!(judged(&keys), Some((place, position, Some(Signature::Valid), true)), "{header} {forward:?}");
        assert_eq!((keys.named_tickets(), keys.forged), (vec![42], false), "{header}");
    }
    let twice = keys_of(&format!("To: support+{tag}@us.example\r\nCc: support+{tag}@us.example"), &[]);
    assert_eq!(twice.traces.len(), 1, "one address is one clue");
}

#[test]
fn look_alikes_of_a_reply_address_never_count() {
    let own = tag("support", &[2]);
    let id = signed_id("support", &[2]);
    let of_id: Vec<&str> = id.split(['.', '@']).collect();
    let loop_header = keyring(&[2]).loop_header(at(&ours(), "support")).unwrap();
    for (address, signature, forged) in [
        (format!("support+{}@us.example", tag("billing", &[2])), Some(Signature::OtherMailbox), true),
        (format!("support+{own}@evil.example"), Some(Signature::OtherDomain), true),
        (format!("{own}@support.evil.example"), Some(Signature::OtherDomain), true),
        (format!("support+{}@us.example", tag("support", &[9])), Some(Signature::UnknownKey), true),
        (format!("support+{loop_header}@us.example"), Some(Signature::OtherPurpose), true),
        (format!("support+{}{}@us.example", of_id[1], of_id[3]), Some(Signature::Invalid), true),
        ("support+cbaaaaaaaaaaaaaaaa@us.example".to_owned(), Some(Signature::Invalid), true),
        (format!("sales+{own}@us.example"), Some(Signature::OtherMailbox), true),
        (format!("billing+{}@us.example", tag("billing", &[2])), Some(Signature::OfAnotherMailbox), false),
        // Another Postern's, and a newsletter's: none of ours.
        (format!("desk+{own}@them.example"), None, false),
        ("support+abqok72bebfzvsvkts@them.example".to_owned(), None, false),
        ("support+newsletter@us.example".to_owned(), None, false),
        ("ticket-42@evil.example".to_owned(), None, false),
    ] {
        let keys = keys_of(&format!("To: {address}"), &[]);
        assert_eq!(keys.traces.first().and_then(|trace| trace.clue.signature), signature, "{address}");
        assert!(!keys.traces.iter().any(|trace| matches!(trace.key, Key::Signed(..))), "{address}");
        assert_eq!(keys.forged, forged, "{address}");
    }
    let elsewhere = keys_of(&format!("To: billing+{}@us.example", tag("billing", &[2])), &[]);
    assert_eq!(
        elsewhere.foreign.into_iter().collect::<Vec<_>>(),
        [42],
        "related, where billing has tickets of its own"
    );
    let shared = keys_of(&format!("To: sales+{}@us.example", tag("sales", &[1])), &[]);
    assert_eq!(shared.named_tickets(), [42], "sales shares support's tickets, and the older key still verifies");
}

#[test]
fn our_ids_count_with_their_signature_only() {
    let (own, old) = (signed_id("support", &[2]), signed_id("support", &[1]));
    let (local, _) = own.split_once('@').unwrap();
    let head = own.split('.').nth(1).unwrap();
    let tag = tag("support", &[2]);
    let (first, mac) = tag.split_at(tag.len() - 16);
    for (header, place, position, signature, names) in [
        (format!("In-Reply-To: <{own}>"), Place::InReplyTo, 1, Some(Signature::Valid), true),
        (format!("In-Reply-To: <{}>", own.to_uppercase()), Place::InReplyTo, 1, Some(Signature::Valid), true),
        (format!("References: <{old}>"), Place::References, 1, Some(Signature::Valid), true),
        (format!("In-Reply-To: <{local}@alias.example>"), Place::InReplyTo, 1, Some(Signature::Valid), true),
        (format!("In-Reply-To: <{local}@evil.example>"), Place::InReplyTo, 1, Some(Signature::OtherDomain), false),
        (
            format!("In-Reply-To: <{}>", signed_id("support", &[9])),
            Place::InReplyTo,
            1,
            Some(Signature::UnknownKey),
            false,
        ),
        (
            format!("In-Reply-To: <{}>", signed_id("billing", &[2])),
            Place::InReplyTo,
            1,
            Some(Signature::OfAnotherMailbox),
            false,
        ),
        (
            format!("In-Reply-To: <pstn.{first}..{mac}@us.example>"),
            Place::InReplyTo,
            1,
            Some(Signature::OtherPurpose),
            false,
        ),
        (
            format!("In-Reply-To: <pstn.{head}.a2.aaaaaaaaaaaaaaaa@us.example>"),
            Place::InReplyTo,
            1,
            Some(Signature::Invalid),
            false,
        ),
        ("In-Reply-To: <pstn.42@us.example>".to_owned(), Place::InReplyTo, 1, Some(Signature::Form), false),
        ("In-Reply-To: <ticket-42@evil.example>".to_owned(), Place::InReplyTo, 1, None, false),
        (
            "X-Microsoft-Original-Message-ID: <before@customer.example>".to_owned(),
            Place::OriginalMessageId,
            1,
            None,
            false,
        ),
    ] {
        let keys = keys_of(&header, &[]);
        assert_eq!(judged(&keys), Some((place, position, signature, names)), "{header}");
        assert_eq!(keys.forged, signature.is_some_and(Signature::is_forged), "{header}");
        assert_eq!(keys.signed_ids.len(), usize::from(names), "{header}");
    }
}

#[test]
fn ids_are_looked_for_from_the_nearest_to_the_farthest_and_the_root() {
    let list =
        |from: usize, to: usize| (from..=to).map(|n| format!("<r{n}@x.example>")).collect::<Vec<_>>().join("\r\n ");
    let ids = |header: &str| keys_of(header, &[]).ids.iter().map(|id| id.local_part().to_owned()).collect::<Vec<_>>();
    let short = "In-Reply-To: <r3@x.example> (of Jane) <other@x.example>\r\nReferences: ";
    assert_eq!(ids(&format!("{short}{}", list(1, 3))), ["r3", "other", "r2", "r1"], "each once");
    let long = ids(&format!("References: {}", list(1, 200)));
    assert_eq!((long.len(), long[0].as_str(), long[48].as_str(), long[49].as_str()), (50, "r200", "r152", "r1"));
    let own = keys_of(&format!("Message-ID: <r2@x.example>\r\nReferences: {}", list(1, 3)), &[]);
    assert_eq!(own.ids.len(), 2, "its own id is no evidence");
    let prose = "To: Desk <support@us.example>\r\nIn-Reply-To: Message from Desk <support@us.example> of Mon to \
                 <jane@customer.example>; <r1@x.example>";
    assert_eq!(ids(prose), ["r1"], "people are no ids");
    let ses = "References: <0102@eu-west-1.amazonses.com> <0102@email.amazonses.com>";
    assert_eq!(ids(ses), ["0102"], "one key, one row: a transaction names no item twice");
}

#[test]
fn numbers_and_outlook_conversations_are_noted() {
    // Header of MS-OXOMSG section 2.2.1.3 and one reply's block, made up.
    let index = data_encoding::BASE64
        .encode(&[1, 0xd5, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 0, 1, 2, 3, 4]);
    let keys = keys_of(&format!("Subject: Re: [INC-00042] x [INC-2026-00043] y\r\nThread-Index: {index}"), &[]);
    let texts: Vec<&str> = keys.traces.iter().map(|trace| trace.clue.text.as_str()).collect();
    assert_eq!(texts, ["[INC-00042]", "[INC-2026-00043]", "01d5030405060708090a0b0c0d0e0f10111213141516"]);
    assert_eq!(keys.named_tickets(), [42, 43], "a Thread-Index names nothing");
    for broken in ["AdUD", "not base64!", ""] {
        assert!(keys_of(&format!("Thread-Index: {broken}"), &[]).traces.is_empty(), "{broken}");
    }
}

#[test]
fn the_mode_says_what_is_written_and_never_what_is_read() {
    for (mode, written) in [
        (ReplyMode::Plus, Some("support+TAG@us.example")),
        (ReplyMode::Subdomain, Some("TAG@support.us.example")),
        (ReplyMode::Off, None),
    ] {
        let support = Mailbox { reply_mode: mode, ..mailbox("support", US) };
        let address = keyring(&[1]).reply_address(&support, 42).map(|address| address.to_string());
        let tag = keyring(&[1]).tag(&support, 42).unwrap();
        assert_eq!(address, written.map(|form| form.replace("TAG", &tag)), "{mode:?}");
    }
}

#[test]
fn thousands_of_recipients_cost_little() {
    let many: Vec<String> = (0..20_000).map(|n| format!("support+cbaaaaaaaaaaaaa{n}@us.example")).collect();
    let keys = keys_of(&format!("To: {}", many.join(",\r\n ")), &[]);
    assert!(keys.traces.len() <= ADDRESSES_MAX);
}
