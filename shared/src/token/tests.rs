use super::*;
use crate::mailbox::MailboxId;

fn mailbox(id: &str) -> Mailbox {
    let address = AddrSpec::parse("support@example.com").unwrap();
    Mailbox::new(MailboxId::parse(id).unwrap(), address, "INC")
}

fn keyring(ids: &[u8]) -> Keyring {
    Keyring::new(ids.iter().map(|id| (*id, vec![*id + 1; 32])).collect()).unwrap()
}

#[test]
fn rotated_keys_still_verify_and_removed_ones_do_not() {
    let (old, rotated, after) = (keyring(&[1]), keyring(&[2, 1]), keyring(&[2]));
    let mailbox = mailbox("support");
    let tag = old.tag(&mailbox, 42).unwrap();
    assert_eq!(rotated.verify_tag(&mailbox, &tag), Verified::Ticket(42));
    assert_eq!(after.verify_tag(&mailbox, &tag), Verified::LookAlike(Flaw::UnknownKey));
    assert!(rotated.tag(&mailbox, 42).unwrap().starts_with('c'), "the newest key signs");
}

#[test]
fn a_token_speaks_for_one_purpose_mailbox_and_ticket() {
    let (keys, here, there) = (keyring(&[0]), mailbox("support"), mailbox("billing"));
    let tag = keys.tag(&here, 42).unwrap();
    let look_alike = Verified::LookAlike(Flaw::Signature);
    assert_eq!(keys.verify_tag(&there, &tag), look_alike, "another mailbox");
    let id = keys.message_id(&here, 42, "abc").unwrap();
    let parts: Vec<_> = id.local_part().split('.').collect();
    let stolen = format!("{}{}", parts[1], parts[3]);
    assert_eq!(keys.verify_tag(&here, &stolen), look_alike, "an address from a Message-ID");
    let bent = tag.replacen(&head(0, 42).unwrap(), &head(0, 43).unwrap(), 1);
    assert_eq!(keys.verify_tag(&here, &bent), look_alike, "another ticket");
    assert_eq!(keys.verify_tag(&here, &tag.to_uppercase()), Verified::Ticket(42), "upper-cased by a gateway");
    let other_entry = MessageId::parse(&format!("<pstn.{}.abd.{}@example.com>", parts[1], parts[3])).unwrap();
    assert_eq!(keys.verify_message_id(&here, &other_entry), look_alike, "another entry");
    let (first, mac) = tag.split_at(tag.len() - MAC_CHARS);
    let of_address = MessageId::parse(&format!("<pstn.{first}..{mac}@example.com>")).unwrap();
    let wrong_purpose = Verified::LookAlike(Flaw::OtherPurpose);
    assert_eq!(keys.verify_message_id(&here, &of_address), wrong_purpose, "a Message-ID from an address");
    let loop_header = keys.loop_header(&here).unwrap();
    assert_eq!(keys.verify_tag(&here, &loop_header), wrong_purpose, "an address from a loop header");
}

#[test]
fn look_alikes_and_foreign_words() {
    let (keys, mailbox) = (keyring(&[0]), mailbox("support"));
    for (tag, expected) in [
        ("newsletter", Verified::Foreign),
        ("", Verified::Foreign),
        ("ab1111111111111111", Verified::Foreign),
        ("abaaaaaaaaaaaaaaaa", Verified::LookAlike(Flaw::Signature)),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Verified::Foreign),
    ] {
        assert_eq!(keys.verify_tag(&mailbox, tag), expected, "{tag:?}");
    }
    for (id, expected) in [
        ("<ticket-42@evil.example>", Verified::Foreign),
        ("<pstn.ab.x.aaaaaaaaaaaaaaaa@example.com>", Verified::LookAlike(Flaw::Signature)),
        ("<pstn.nonsense@example.com>", Verified::LookAlike(Flaw::Form)),
        ("<pstn.a.b.c@example.com>", Verified::LookAlike(Flaw::Form)),
    ] {
        assert_eq!(keys.verify_message_id(&mailbox, &MessageId::parse(id).unwrap()), expected, "{id}");
    }
}

#[test]
fn bad_keys_are_refused() {
    assert_eq!(Keyring::new(vec![]).unwrap_err(), KeyringError::Empty);
    assert_eq!(Keyring::new(vec![(0, vec![0; 15])]).unwrap_err(), KeyringError::Short(0));
    assert_eq!(Keyring::new(vec![(32, vec![0; 32])]).unwrap_err(), KeyringError::Id(32));
    assert_eq!(Keyring::new(vec![(1, vec![0; 32]), (1, vec![1; 32])]).unwrap_err(), KeyringError::Id(1));
}

proptest::proptest! {
    #[test]
    fn tokens_round_trip_and_fit(ticket in 0_u64..(1 << 40), entry in "[a-z0-9]{1,20}") {
        let (keys, mailbox) = (keyring(&[31, 0]), mailbox("support"));
        let tag = keys.tag(&mailbox, ticket).unwrap();
        proptest::prop_assert!(tag.len() <= 26);
        proptest::prop_assert_eq!(keys.verify_tag(&mailbox, &tag), Verified::Ticket(ticket));
        let id = keys.message_id(&mailbox, ticket, &entry).unwrap();
        proptest::prop_assert_eq!(keys.verify_message_id(&mailbox, &id), Verified::Ticket(ticket));
    }

    #[test]
    fn verify_never_panics(tag in "\\PC{0,40}") {
        let _ = keyring(&[0]).verify_tag(&mailbox("support"), &tag);
    }
}

#[test]
fn a_separator_is_no_address_and_no_address_a_separator() {
    let (keyring, mailbox, other) = (keyring(&[1]), mailbox("support"), mailbox("billing"));
    let (line, tag) = (keyring.separator(&mailbox, 42).unwrap(), keyring.tag(&mailbox, 42).unwrap());
    assert_eq!(keyring.verify_separator(&mailbox, &line.to_uppercase()), Verified::Ticket(42));
    assert_eq!(keyring.verify_separator(&mailbox, &tag), Verified::LookAlike(Flaw::OtherPurpose));
    assert_eq!(keyring.verify_tag(&mailbox, &line), Verified::LookAlike(Flaw::OtherPurpose));
    assert_ne!(keyring.verify_separator(&other, &line), Verified::Ticket(42));
    assert_eq!(keyring.verify_separator(&mailbox, "nothing"), Verified::Foreign);
}
