//! Each attack of docs/THREADING.md, by name: what is tried, and what it comes to.

use postern::{
    inbound::Verdict,
    ticket::{Entry, Status, Ticket, Visibility},
};

use super::{has, visibility, with_ticket};
use crate::world::{SUPPORT, World, address, keyring, mail, mailbox, now};

const THREADING: &str = include_str!("../../../docs/THREADING.md");

async fn ticket(world: &World, ordinal: u64) -> Ticket {
    world.ingest.store.ticket(ordinal).await.unwrap().unwrap()
}

async fn entries(world: &World, ordinal: u64) -> Vec<Entry> {
    world.ingest.store.entries(ordinal).await.unwrap()
}

/// Names of the mails that everybody on the ticket may see.
async fn public(world: &World, ordinal: u64) -> Vec<String> {
    let entries = entries(world, ordinal).await;
    let public = entries.iter().filter(|entry| entry.visibility == Visibility::Public);
    public.map(|entry| entry.text.split_whitespace().nth(1).unwrap_or("-").to_owned()).collect()
}

/// Ticket 1 is cust's with bob, and resolved: what wakes it has spoken with right.
async fn resolved() -> World {
    let world = with_ticket().await;
    world.ingest.store.set_status(1, Status::Resolved, "test", now()).await.unwrap();
    world
}

/// Ticket 1 as it was: nobody new, still resolved, nothing public but the mail that opened it.
async fn untouched(world: &World) {
    let after = ticket(world, 1).await;
    let people: Vec<&str> = after.participants.iter().map(|p| p.address.as_str()).collect();
    assert_eq!(people, [address("cust"), address("bob")]);
    assert_eq!(after.status, Status::Resolved);
    assert_eq!(public(world, 1).await, ["o"]);
}

#[tokio::test]
async fn attack_forged_in_reply_to() {
    let world = resolved().await;
    let forged = mail("e", "eve").reply_to(&["o"]).references(&["o"]).to(&["cust", "mallory"]);
    let answer = world.deliver(&forged.copy("1")).await;
    assert_eq!((answer.ticket_id, has(&answer, "stranger")), (Some(1), true), "{answer:?}");
    assert_eq!(visibility(&world, &answer).await, Visibility::Unverified);
    untouched(&world).await;
}

#[tokio::test]
async fn attack_number_in_a_subject() {
    let world = resolved().await;
    let numbered = |name: &str, author: &str| mail(name, author).subject("Re: [INC-00001] subject");
    for (mail, verdict) in [
        (numbered("a", "eve"), Some(Verdict::Pass)),
        (numbered("b", "cust"), Some(Verdict::Fail)),
        (numbered("c", "cust"), None),
    ] {
        let answer = world.deliver(&mail.copy("1").auth(verdict)).await;
        assert!(has(&answer, "subject-number-refused"), "{answer:?}");
        assert_eq!(ticket(&world, answer.ticket_id.unwrap()).await.related_to, [1], "a ticket of its own");
    }
    untouched(&world).await;
}

#[tokio::test]
async fn attack_stolen_reply_address() {
    let world = resolved().await;
    let tag = keyring().reply_address(world.mailboxes.only().unwrap(), 1).unwrap().to_string();
    let answer = world.deliver(&mail("e", "eve").copy("1").forward(&[&tag])).await;
    assert_eq!((answer.ticket_id, has(&answer, "reply-address")), (Some(1), true), "the address is genuine");
    assert_eq!(visibility(&world, &answer).await, Visibility::Unverified, "and gives no right to speak");
    // Moved to another domain, mailbox or purpose it is not even evidence.
    let local = tag.split_once('@').unwrap().0;
    let loop_header = keyring().loop_header(world.mailboxes.only().unwrap()).unwrap();
    let other = keyring().tag(&mailbox("billing", "billing@us.example", "BIL"), 1).unwrap();
    for (n, moved) in [
        format!("{local}@evil.example"),
        format!("support+{loop_header}@us.example"),
        format!("support+{other}@us.example"),
    ]
    .iter()
    .enumerate()
    {
        let answer = world.deliver(&mail(&format!("m{n}"), "cust").to(&[moved]).copy("1")).await;
        assert!(has(&answer, "forged-token") && answer.outcome == "created_new", "{moved}: {answer:?}");
    }
    untouched(&world).await;
}

#[tokio::test]
async fn attack_reused_message_id() {
    let world = World::new().await;
    // Eve knows which id the victim's mail will have, and is first.
    let first = world.deliver(&mail("e", "eve").id("o").date(7).subject("another").copy("1")).await;
    let original = world.deliver(&mail("o", "cust").to(&["bob"]).copy("2")).await;
    assert_eq!((original.outcome, has(&original, "collision")), ("created_new", true), "nothing is suppressed");
    let reply = world.deliver(&mail("r", "bob").to(&["cust"]).reply_to(&["o"]).copy("3")).await;
    assert_eq!(
        (reply.ticket_id, has(&reply, "holder")),
        (original.ticket_id, true),
        "and no reply is caught: {reply:?}"
    );
    assert_eq!(public(&world, first.ticket_id.unwrap()).await, ["e"]);
    // Later, too: a mail under a known id is not taken for its copy.
    let later = world.deliver(&mail("f", "eve").id("r").date(9).subject("third").copy("4")).await;
    assert_eq!((later.outcome, has(&later, "collision")), ("created_new", true), "{later:?}");
    // And an id that nobody has seen yet is no trap: what waits for it was not named by the victim.
    world.deliver(&mail("g", "eve").reply_to(&["z"]).to(&["cust"]).copy("5")).await;
    let victims = world.deliver(&mail("z", "cust").copy("6")).await;
    assert_eq!(public(&world, victims.ticket_id.unwrap()).await, ["z"]);
}

#[tokio::test]
async fn attack_forged_bounce() {
    let world = resolved().await;
    let bounce = |name: &str, original: &str| {
        let mut mail = mail(name, "MAILER-DAEMON@mx.example")
            .field("MIME-Version: 1.0")
            .field("Content-Type: multipart/report; report-type=delivery-status; boundary=b");
        mail.name = format!(
            "{name}\r\n--b\r\n\r\nmail {name}\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; cust@people.example\r\nAction: failed\r\n\
             Status: 5.1.1\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{original}>\r\n\r\n--b--"
        );
        mail
    };
    // A guess of our form, a customer's own id, and an id that says nothing.
    for (name, original) in
        [("a", "pstn.ab.a1.aaaaaaaaaaaaaaaa@us.example"), ("b", "o@ids.example"), ("c", "x@y.example")]
    {
        let answer = world.deliver(&bounce(name, original).copy("1")).await;
        assert_eq!(
            (answer.outcome, answer.reasons[0].as_str()),
            ("held", "bounce-unmatched"),
            "{original}: {answer:?}"
        );
    }
    untouched(&world).await;
    assert!(entries(&world, 1).await.iter().all(|entry| entry.state == "received"), "no entry is marked");
}

#[tokio::test]
async fn attack_spoofed_agent() {
    let world = resolved().await;
    // From the desk's own address, and from a colleague's that fails authentication.
    for (name, author, verdict) in [
        ("a", SUPPORT, Some(Verdict::Pass)),
        ("b", SUPPORT, Some(Verdict::Fail)),
        ("c", "agent@us.example", Some(Verdict::Fail)),
        ("d", "agent@us.example", None),
    ] {
        let answer = world.deliver(&mail(name, author).reply_to(&["o"]).copy("1").auth(verdict)).await;
        assert_eq!(answer.ticket_id, Some(1), "{name}: {answer:?}");
        assert_eq!(visibility(&world, &answer).await, Visibility::Unverified, "{name}");
    }
    untouched(&world).await;
    // From one who is listed as an agent, which is worth an agent's powers: held until somebody looks.
    let mut support = mailbox("support", SUPPORT, "INC");
    support.agents = vec![postern::mailbox::Who::parse("agent@us.example").unwrap()];
    let desk = World::with(vec![support]).await;
    desk.deliver(&mail("o", "cust").copy("0")).await;
    let tag = keyring().reply_address(desk.mailboxes.only().unwrap(), 1).unwrap().to_string();
    for (name, verdict) in [("a", None), ("b", Some(Verdict::Fail))] {
        let spoofed = mail(name, "agent@us.example").subject("Re: [INC-00001] subject");
        for one in [spoofed.clone().reply_to(&["o"]), spoofed.clone().to(&[&tag]), spoofed] {
            let answer = desk.deliver(&one.copy(name).auth(verdict)).await;
            assert_eq!((answer.outcome, answer.reasons[0].as_str()), ("held", "agent-unverified"), "{answer:?}");
        }
    }
    assert_eq!(public(&desk, 1).await, ["o"]);
}

#[tokio::test]
async fn attack_newsletter_collision() {
    let world = World::new().await;
    // Two customers answer the same newsletter, each to the desk; neither writes to the other.
    let one = world.deliver(&mail("a", "ann").reply_to(&["news"]).copy("1")).await;
    let other = world.deliver(&mail("b", "zoe").reply_to(&["news"]).copy("2")).await;
    assert_ne!(one.ticket_id, other.ticket_id);
    // Eve answers it with ann in Cc, so that ann is on eve's ticket: ann's next answer is still ann's.
    let hers = world.deliver(&mail("e", "eve").to(&["cust"]).reply_to(&["news"]).copy("3")).await;
    let lured = world.deliver(&mail("c", "cust").reply_to(&["news"]).copy("4")).await;
    assert_ne!(lured.ticket_id, hers.ticket_id, "{lured:?}");
    // The newsletter comes itself, naming nobody: it joins none of them.
    let news = world.deliver(&mail("news", "news").to(&["readers"]).copy("5")).await;
    for (ticket, names) in [(one, ["a"]), (other, ["b"]), (hers, ["e"]), (lured, ["c"]), (news, ["news"])] {
        assert_eq!(public(&world, ticket.ticket_id.unwrap()).await, names);
    }
    // From now on it is a mail on a ticket: who answers it is a stranger there.
    let late = world.deliver(&mail("d", "dan").reply_to(&["news"]).copy("6")).await;
    assert_eq!(visibility(&world, &late).await, Visibility::Unverified);
}

#[tokio::test]
async fn attack_spoofed_requester_with_a_cc() {
    let world = resolved().await;
    let with_cc = |name: &str| mail(name, "cust").reply_to(&["o"]).field("Cc: eve@people.example");
    let answer = world.deliver(&with_cc("a").copy("1").auth(Some(Verdict::Fail))).await;
    assert_eq!((answer.ticket_id, has(&answer, "auth-failed")), (Some(1), true), "{answer:?}");
    assert_eq!(visibility(&world, &answer).await, Visibility::Unverified);
    untouched(&world).await;
    // Where nobody can tell, it is cust's word with a flag; it adds nobody all the same.
    let unknown = world.deliver(&with_cc("b").copy("2").auth(None)).await;
    assert_eq!((unknown.ticket_id, has(&unknown, "auth-unknown")), (Some(1), true), "{unknown:?}");
    assert_eq!(ticket(&world, 1).await.participants.len(), 2);
    let eve = world.deliver(&mail("c", "eve").reply_to(&["o"]).copy("3")).await;
    assert_eq!(visibility(&world, &eve).await, Visibility::Unverified, "eve is a stranger as before");
    // A ticket that is opened so is nobody's secret: whoever stands in its Cc waits for an agent.
    let opened = world.deliver(&mail("d", "cust").to(&["eve"]).copy("4").auth(Some(Verdict::Fail))).await;
    assert!(has(&opened, "participants-pending"), "{opened:?}");
    let hers = ticket(&world, opened.ticket_id.unwrap()).await;
    let approved: Vec<_> = hers.participants.iter().filter(|p| p.approved).map(|p| p.address.to_string()).collect();
    assert_eq!(approved, [address("cust")]);
    let eve = world.deliver(&mail("f", "eve").reply_to(&["d"]).copy("5")).await;
    assert_eq!((visibility(&world, &eve).await, has(&eve, "not-approved")), (Visibility::Unverified, true));
}

#[test]
fn every_attack_is_in_the_document() {
    let here = include_str!("attacks.rs");
    let names = here.lines().filter_map(|line| line.strip_prefix("async fn attack_")?.split_once('('));
    let names: Vec<String> = names.map(|(name, _)| format!("attack_{name}")).collect();
    assert_eq!(names.len(), 8);
    for name in &names {
        assert!(THREADING.contains(&format!("`{name}`")), "{name} is not in docs/THREADING.md");
    }
    let told = THREADING.split('`').filter(|word| word.starts_with("attack_"));
    told.for_each(|word| assert!(names.iter().any(|name| name == word), "{word} is in docs/THREADING.md and no test"));
}
