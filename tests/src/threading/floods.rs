//! Too much: floods of one author, crowds on one ticket, and robots that answer one another without any header.

use std::collections::BTreeMap;

use postern::{
    mailbox::{Caps, Mailbox, Who},
    records::{Cause, Outcome},
    store::LedgerId,
    ticket::Visibility,
};

use super::{has, visibility};
use crate::{
    harness::wire::Wire,
    world::{Mail, SUPPORT, World, mail, mailbox, one, text},
};

fn capped(caps: Caps) -> Mailbox {
    Mailbox { caps, ..mailbox("support", SUPPORT, "INC") }
}

/// A mail whose text no other one is like.
fn unlike(n: usize, author: &str) -> Mail {
    let letters: String = n.to_string().chars().map(|digit| char::from(b'a' + digit as u8 - b'0')).collect();
    let words: Vec<String> = (0..12).map(|word| format!("{letters}w{}", char::from(b'a' + word))).collect();
    let mut mail = mail(&format!("m{n}"), author);
    mail.name = format!("m{n} {}", words.join(" "));
    mail
}

#[tokio::test]
async fn a_flood_of_two_thousand_is_tickets_up_to_the_cap_and_one_group() {
    let world = World::new().await;
    let (mut outcomes, mut calls) = (BTreeMap::<&str, usize>::new(), BTreeMap::<usize, usize>::new());
    for n in 0..2_000 {
        let wire = Wire::new();
        let answer = one(world.over(&wire).run(unlike(n, "flood").copy("a").inbound()).await);
        *outcomes.entry(answer.outcome).or_default() += 1;
        *calls.entry(wire.calls().len()).or_default() += 1;
        if answer.outcome == "held" {
            assert!(answer.reasons[0] == "loop" && has(&answer, "author-tickets-capped"), "{answer:?}");
        }
    }
    println!("2,000 mails: {outcomes:?}; wire calls a mail: {calls:?}");
    assert_eq!(outcomes, BTreeMap::from([("created_new", 20), ("held", 1_980)]));
    // A new ticket has its ordinal, a held mail has none: PUT, BatchGet, transaction. No call more than without caps.
    assert_eq!(calls, BTreeMap::from([(4, 20), (3, 1_980)]));
    let held = world.ingest.store.attention(&[Outcome::Held], 10_000).await.unwrap();
    assert_eq!(held.len(), 1_980, "nothing is lost");
    let authors: Vec<_> = held.iter().map(|line| line.row.author.clone().unwrap()).collect();
    assert!(
        authors.iter().all(|author| *author == authors[0]) && held.iter().all(|l| l.row.cause == Some(Cause::Loop))
    );
    // Somebody else is not kept waiting by it, and the next hour is another one.
    assert_eq!(world.deliver(&mail("x", "cust").copy("a")).await.outcome, "created_new");
    assert_eq!(world.deliver(&unlike(9_000, "flood").date(60).copy("a")).await.outcome, "created_new");
    // Released, it is a ticket like any other.
    let id = LedgerId::parse(&held[0].id).unwrap();
    let released = world.ingest.release(&id, None, "ann").await.unwrap();
    let postern::ingest::Released::Done(answer) = released else { panic!("{released:?}") };
    assert_eq!(answer.outcome, "created_new");
}

#[tokio::test]
async fn the_cap_is_exact_however_many_come_at_once() {
    let world = World::with(vec![capped(Caps { author_tickets: 3, ..Caps::default() })]).await;
    let mails: Vec<_> = (0..12).map(|n| unlike(n, "flood").copy("a").inbound()).collect();
    let ingests: Vec<_> = mails.iter().map(|_| world.over(&Wire::new())).collect();
    let runs = mails.into_iter().zip(&ingests).map(|(inbound, ingest)| ingest.run(inbound));
    let answers = futures_util::future::join_all(runs).await;
    let mut created = 0;
    for answer in answers {
        match answer {
            Ok(answers) => created += usize::from(answers[0].outcome == "created_new"),
            // Gave way to the others five times: its queue brings it again.
            Err(error) => assert!(error.retryable(), "{error}"),
        }
    }
    assert_eq!(created, 3);
}

#[tokio::test]
async fn two_robots_that_answer_one_another_stop_within_ten_mails() {
    let robot = |n: i64| {
        let mut mail = mail(&format!("r{n}"), "robot").subject("Re: Your request").date(n);
        mail.name = format!(
            "r{n}\r\n\r\nDear customer,\r\nthank you for your message. Our team has received it under number {}. We will \
             answer as soon as possible. You need not answer this mail.\r\n\r\nYour service team",
            4_711 + n
        );
        mail
    };
    // Each answers the one before on one ticket; or it keeps no header, and each is a ticket of its own.
    for threads in [true, false] {
        let world = World::new().await;
        let mut stopped = 0;
        for n in 0..20_i64 {
            let previous = format!("r{}", n - 1);
            let mail = if threads && n > 0 { robot(n).reply_to(&[&previous]) } else { robot(n) };
            let answer = world.deliver(&mail.copy("a")).await;
            if answer.outcome == "held" {
                assert!(has(&answer, "alike-capped") && answer.reasons[0] == "loop", "{answer:?}");
                stopped += 1;
            } else {
                assert_eq!(stopped, 0, "once it is stopped it stays so within the hour");
            }
        }
        println!("threads {threads}: {} mails until it stopped", 20 - stopped);
        assert!(20 - stopped <= 10, "{stopped}");
    }
    // A machine that says what it is may repeat itself, up to the other caps.
    let world = World::new().await;
    for n in 0..15 {
        let alarm = robot(n).field("Auto-Submitted: auto-generated");
        assert_eq!(world.deliver(&alarm.copy("a")).await.outcome, "created_new", "{n}");
    }
}

#[tokio::test]
async fn caps_by_author_by_ticket_and_for_whom_they_are_not() {
    let caps = Caps { author_tickets: 2, author_entries: 4, ticket_entries: 5, alike: 100 };
    let mut support = capped(caps);
    support.uncapped = vec![Who::parse("*@monitoring.example").unwrap()];
    support.agents = vec![Who::parse("ann@us.example").unwrap()];
    let world = World::with(vec![support]).await;
    world.deliver(&unlike(0, "cust").to(&["bob", "dan"]).copy("a")).await;
    let id = |n: usize| format!("m{n}");
    let reply = |n: usize, author: &str| unlike(n, author).reply_to(&[&id(0)]);
    for n in 1..4 {
        assert_eq!(world.deliver(&reply(n, "cust").copy("a")).await.outcome, "replied_to_existing", "{n}");
    }
    let fifth = world.deliver(&reply(4, "cust").copy("a")).await;
    assert!(fifth.outcome == "held" && has(&fifth, "author-entries-capped"), "{fifth:?}");
    assert_eq!(world.deliver(&reply(5, "bob").copy("a")).await.outcome, "replied_to_existing");
    let crowd = world.deliver(&reply(6, "dan").copy("a")).await;
    assert!(crowd.outcome == "held" && has(&crowd, "ticket-entries-capped"), "{crowd:?}");
    // An unverified entry is an entry; an agent and who is named may write on; the disowned use nothing of hers up.
    let agent = world.deliver(&reply(7, "ann@us.example").copy("a")).await;
    assert_eq!(visibility(&world, &agent).await, Visibility::Public);
    for n in 10..20 {
        assert_eq!(world.deliver(&unlike(n, "probe@monitoring.example").copy("a")).await.outcome, "created_new");
    }
    for n in 20..22 {
        let forged = unlike(n, "zoe").copy("a").auth(Some(postern::inbound::Verdict::Fail));
        assert_eq!(world.deliver(&forged).await.outcome, "created_new");
    }
    assert_eq!(world.deliver(&unlike(22, "zoe").copy("a")).await.outcome, "created_new", "she has two of her own");
    // What comes late, of an hour that is over, counts for nothing.
    world.deliver(&unlike(30, "late").date(120).copy("a")).await;
    for n in 31..35 {
        assert_eq!(world.deliver(&unlike(n, "late").date(1).copy("a")).await.outcome, "created_new");
    }
    // Rows that only count end by themselves; those of people do not.
    let rows = world.items("REQUESTER#").await;
    let ends = rows.values().filter(|row| text(row, "address").is_empty());
    assert!(ends.clone().count() == 1 && ends.clone().all(|row| !text(row, "expires_at").is_empty()));
    assert!(rows.values().filter(|row| !text(row, "address").is_empty()).all(|row| text(row, "expires_at").is_empty()));
}
