//! E1 to E4, E0 and standing.

use postern::{inbound::Verdict, mailbox::StrangerPolicy, ticket::Visibility};

use super::{has, outcome, visibility, with_ticket};
use crate::world::{Copy, Mail, SUPPORT, World, address, boundless, keyring, mail, mailbox, text};

fn tag(world: &World, ticket: u64) -> String {
    keyring().reply_address(world.mailboxes.iter().next().unwrap(), ticket).unwrap().to_string()
}

fn signed_id(world: &World, ticket: u64) -> String {
    keyring().message_id(world.mailboxes.only().unwrap(), ticket, "a1").unwrap().to_string()
}

fn answering(name: &str, author: &str, id: &str) -> Mail {
    Mail { in_reply_to: vec![id.to_owned()], ..mail(name, author) }
}

/// Evidence E1 to E3 by a participant and by a stranger, under each authentication.
#[tokio::test]
async fn standing_decides_what_strong_evidence_may_do() {
    use Verdict::{Fail, Pass};
    let world = with_ticket().await;
    let (tag, id) = (tag(&world, 1), signed_id(&world, 1));
    let write = |source: &str, name: &str, author: &str| match source {
        "reply-address" => mail(name, author).to(&[&tag]),
        "signed-id" => answering(name, author, &id),
        _ => mail(name, author).reply_to(&["o"]),
    };
    for source in ["reply-address", "signed-id", "stored-id"] {
        for (author, auth, visible, reason) in [
            ("cust", Some(Pass), Visibility::Public, None),
            ("bob", Some(Pass), Visibility::Public, None),
            ("bob", None, Visibility::Public, Some("auth-unknown")),
            ("bob", Some(Fail), Visibility::Unverified, Some("auth-failed")),
            ("eve", Some(Pass), Visibility::Unverified, Some("stranger")),
            ("eve", None, Visibility::Unverified, Some("stranger")),
        ] {
            let name = format!("{source}-{author}-{auth:?}").to_lowercase().replace(['(', ')'], "");
            let answer = world.deliver(&write(source, &name, author).copy("1").auth(auth)).await;
            assert_eq!(answer.ticket_id, Some(1), "{name}");
            assert!(has(&answer, source), "{name}: {answer:?}");
            assert_eq!(visibility(&world, &answer).await, visible, "{name}");
            if let Some(reason) = reason {
                assert!(has(&answer, reason), "{name}: {answer:?}");
            }
        }
    }
    let ticket = world.ingest.store.ticket(1).await.unwrap().unwrap();
    assert!(!ticket.participants.iter().any(|p| p.address.as_str() == address("eve")), "a stranger adds nobody");
}

#[tokio::test]
async fn a_subject_number_is_a_claim() {
    let world = with_ticket().await;
    let numbered = |name: &str, author: &str| mail(name, author).subject("Re: [INC-00001] subject");
    for (name, author, auth, expected) in [
        ("a", "cust", Some(Verdict::Pass), Some(1)),
        ("b", "cust", None, Some(2)),
        ("c", "cust", Some(Verdict::Fail), Some(3)),
        ("d", "eve", Some(Verdict::Pass), Some(4)),
    ] {
        let answer = world.deliver(&numbered(name, author).copy("1").auth(auth)).await;
        assert_eq!(answer.ticket_id, expected, "{name}");
        if let Some(ticket) = expected.filter(|ticket| *ticket != 1) {
            let ticket = world.ingest.store.ticket(ticket).await.unwrap().unwrap();
            assert_eq!(ticket.related_to, [1], "{name}: the named ticket is related");
        }
    }
    for subject in ["[INC-00099] x", "[CHG-00001] x", "[INC-2025-00001] x", "INC-00001 x"] {
        let answer = world.deliver(&mail(&subject.replace(' ', "-"), "cust").subject(subject).copy("1")).await;
        assert_eq!(answer.outcome, "created_new", "{subject}");
    }
}

#[tokio::test]
async fn the_same_subject_is_no_evidence() {
    let world = with_ticket().await;
    assert_eq!(outcome(&world, &mail("p", "ann").copy("1")).await.0, "created_new");
    assert_eq!(outcome(&world, &mail("q", "cust").subject("Re: subject").copy("1")).await.0, "created_new");
}

#[tokio::test]
async fn look_alikes_are_no_evidence_and_are_told() {
    let world = with_ticket().await;
    let elsewhere = mailbox("other", SUPPORT, "INC");
    let foreign = keyring().reply_address(&elsewhere, 1).unwrap().to_string();
    for (name, to) in [("a", foreign.as_str()), ("b", "support+abaaaaaaaaaaaaaaaa@us.example")] {
        let answer = world.deliver(&mail(name, "cust").to(&[to]).copy("1")).await;
        assert_eq!(answer.outcome, "created_new", "{to}");
        assert!(has(&answer, "forged-token"), "{answer:?}");
    }
    for id in ["ticket-1@evil.example", "my-ticket-1@jira.example.com"] {
        let answer = world.deliver(&answering(id, "cust", id).copy("1")).await;
        assert_eq!(answer.outcome, "created_new", "{id}");
        assert!(!has(&answer, "forged-token"), "{id} is just somebody else's: {answer:?}");
    }
    let answer = world.deliver(&answering("c", "cust", "pstn.ab.a1.aaaaaaaaaaaaaaaa@us.example").copy("1")).await;
    assert!(answer.outcome == "created_new" && has(&answer, "forged-token"), "{answer:?}");
}

#[tokio::test]
async fn a_reply_address_is_found_wherever_it_stands() {
    let world = with_ticket().await;
    let tag = tag(&world, 1);
    let upper = tag.to_uppercase();
    let places: [(&str, Copy); 6] = [
        ("second To, upper-cased", mail("a", "cust").to(&["bob", &upper]).copy("1")),
        ("envelope", mail("b", "cust").copy("1").forward(&[&tag])),
        ("Cc", mail("c", "cust").field(&format!("Cc: {tag}")).copy("1")),
        ("Delivered-To", mail("d", "cust").field(&format!("Delivered-To: {tag}")).copy("1")),
        ("X-Original-To", mail("e", "cust").field(&format!("X-Original-To: {tag}")).copy("1")),
        ("Resent-To", mail("f", "cust").field(&format!("Resent-To: {tag}")).copy("1")),
    ];
    for (place, copy) in places {
        assert_eq!(outcome(&world, &copy).await, ("replied_to_existing", Some(1)), "{place}");
    }
}

#[tokio::test]
async fn higher_evidence_wins() {
    let world = with_ticket().await;
    assert_eq!(outcome(&world, &mail("p", "cust").copy("1")).await.1, Some(2));
    let tag = tag(&world, 1);
    let torn = mail("t", "cust").to(&[&tag]).reply_to(&["p"]).subject("[INC-00002] x");
    assert_eq!(outcome(&world, &torn.copy("1")).await.1, Some(1), "E1 over E3 and E4");
    let id = signed_id(&world, 1);
    let torn = Mail { references: vec!["p@ids.example".into()], ..answering("u", "cust", &id) };
    assert_eq!(outcome(&world, &torn.copy("1")).await.1, Some(1), "E2 over E3");
    let mine = mail("v", "bob").reply_to(&["p"]).references(&["o", "p"]);
    assert_eq!(outcome(&world, &mine.copy("1")).await.1, Some(1), "where the author is participant first");
}

#[tokio::test]
async fn ids_are_read_from_the_whole_chain() {
    let world = with_ticket().await;
    let long: Vec<String> = std::iter::once("o".to_owned()).chain((0..80).map(|n| format!("lost{n}"))).collect();
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    let answer = world.deliver(&mail("a", "cust").references(&long).copy("1")).await;
    assert_eq!(answer.ticket_id, Some(1), "the first of 81 references is looked at");
    let middle: Vec<String> =
        (0..40).map(|n| format!("x{n}")).chain(["o".to_owned()]).chain((0..60).map(|n| format!("y{n}"))).collect();
    let middle: Vec<&str> = middle.iter().map(String::as_str).collect();
    let answer = world.deliver(&mail("b", "cust").references(&middle).copy("1")).await;
    assert_eq!(answer.outcome, "created_new", "beyond the last 49 and the first nothing is looked at");
}

#[tokio::test]
async fn policies_for_strangers() {
    for (policy, expected) in [
        (StrangerPolicy::Append, ("replied_to_existing", Some(1))),
        (StrangerPolicy::New, ("created_new", Some(2))),
        (StrangerPolicy::Hold, ("held", None)),
        (StrangerPolicy::Unverified, ("replied_to_existing", Some(1))),
    ] {
        let mut support = mailbox("support", SUPPORT, "INC");
        support.strangers = policy;
        let world = World::with(vec![support]).await;
        world.deliver(&mail("o", "cust").copy("0")).await;
        let answer = world.deliver(&mail("e", "eve").reply_to(&["o"]).copy("1")).await;
        assert_eq!((answer.outcome, answer.ticket_id), expected, "{policy:?}");
        if policy == StrangerPolicy::New {
            let ticket = world.ingest.store.ticket(2).await.unwrap().unwrap();
            assert_eq!(ticket.related_to, [1]);
        }
    }
}

#[tokio::test]
async fn several_mailboxes_get_a_copy_each_and_tokens_stay_at_home() {
    let (a, b) = ("a@us.example", "b@us.example");
    let world = World::with(vec![mailbox("alpha", a, "AAA"), mailbox("beta", b, "BBB")]).await;
    let both = mail("o", "cust").copy("0").forward(&[b, a]);
    let answers = world.ingest.run(both.inbound()).await.unwrap();
    let numbers: Vec<_> = answers.iter().map(|answer| answer.ticket_number.clone().unwrap()).collect();
    assert_eq!(numbers, ["AAA-00001", "BBB-00002"], "in id order, one ticket each");
    let tag = keyring().reply_address(world.mailboxes.iter().next().unwrap(), 1).unwrap();
    let reply = mail("t", "cust").copy("1").forward(&[tag.as_str(), b]);
    let answers = world.ingest.run(reply.inbound()).await.unwrap();
    assert_eq!(answers[0].ticket_id, Some(1), "the token addresses its own mailbox");
    assert_eq!(answers[1].outcome, "created_new", "for the other it is as if absent");
    let other = world.ingest.store.ticket(answers[1].ticket_id.unwrap()).await.unwrap().unwrap();
    assert_eq!(other.related_to, [1]);
}

#[tokio::test]
async fn mailboxes_that_share_tickets_make_one_entry() {
    let (a, b) = ("a@us.example", "b@us.example");
    let mut mailboxes = vec![mailbox("alpha", a, "AAA"), mailbox("beta", b, "BBB")];
    for mailbox in &mut mailboxes {
        mailbox.scope = "shared".to_owned();
    }
    let world = World::with(mailboxes).await;
    let answers = world.ingest.run(mail("o", "cust").copy("0").forward(&[a, b]).inbound()).await.unwrap();
    let outcomes: Vec<_> = answers.iter().map(|answer| (answer.outcome, answer.ticket_id)).collect();
    assert_eq!(outcomes, [("created_new", Some(1)), ("duplicate", Some(1))]);
}

#[tokio::test]
async fn our_own_mail_seen_from_outside() {
    let world = with_ticket().await;
    let id = signed_id(&world, 1);
    let ours = Mail { id: id.clone(), ..mail("out", SUPPORT) };
    // What the mailer will write when it sends: the index row of an outgoing mail.
    let seen = world.items("MSGID#").await.into_values().next().unwrap();
    let head = world.deliver(&Mail { id: "probe@us.example".into(), ..ours.clone() }.copy("p")).await;
    let probe = world
        .items("MSGID#")
        .await
        .into_values()
        .find(|item| text(item, "ticket") == head.ticket_id.unwrap().to_string());
    let key = postern::store::keys::index("support", &postern::message_id::MessageId::parse(&id).unwrap());
    let mut row = seen.clone();
    row.extend(key.attributes());
    row.insert("direction".into(), aws_sdk_dynamodb::types::AttributeValue::S("out".into()));
    row.insert("head".into(), probe.unwrap()["head"].clone());
    world.put_item(row).await;
    let answer = world.deliver(&ours.copy("1")).await;
    assert_eq!((answer.outcome, answer.reasons[0].as_str()), ("ignored", "own-copy"));
    let forged = Mail { id: id.clone(), ..mail("f", "eve") }.date(9).subject("something else");
    let answer = world.deliver(&forged.copy("2")).await;
    assert_eq!((answer.outcome, answer.reasons[0].as_str()), ("held", "loop"), "an id of ours on another mail");
    let reply = answering("r", "cust", &id);
    assert_eq!(outcome(&world, &reply.copy("3")).await, ("replied_to_existing", Some(1)));
}

#[tokio::test]
async fn more_rows_than_one_read_holds_are_all_read() {
    let world = World::with(vec![boundless()]).await;
    let mut seen = postern::thread::Seen::default();
    for n in 0..120 {
        assert_eq!(outcome(&world, &mail(&format!("m{n}"), "cust").copy("1")).await.1, Some(n + 1));
    }
    let all: Vec<u64> = (1..=130).collect();
    world.ingest.store.add_tickets(&mut seen, &all).await.unwrap();
    let there = seen.tickets.values().filter(|ticket| ticket.is_some()).count();
    assert_eq!((seen.tickets.len(), there), (130, 120), "absent is only what was asked for and is not there");
}
