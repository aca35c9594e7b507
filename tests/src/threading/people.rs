//! Who takes part: approved and taken off by agents, copied, forwarded, behind forms, with tags and without names.

use postern::{
    address::AddrSpec,
    inbound::Verdict,
    mailbox::Who,
    store::desk::Change,
    ticket::{Deed, Status, Ticket, Visibility},
};

use super::{has, visibility, with_ticket};
use crate::world::{SUPPORT, World, address, mail, mailbox, now};

async fn ticket(world: &World, ordinal: u64) -> Ticket {
    world.ingest.store.ticket(ordinal).await.unwrap().unwrap()
}

fn named(name: &str) -> AddrSpec {
    AddrSpec::parse(&address(name)).unwrap()
}

/// Participants by name, `?` = not approved.
async fn people(world: &World, ordinal: u64) -> Vec<String> {
    let mark = |approved: bool| if approved { "" } else { "?" };
    let all = ticket(world, ordinal).await.participants;
    all.iter().map(|p| format!("{}{}", p.address.local_part(), mark(p.approved))).collect()
}

#[tokio::test]
async fn an_agent_lets_somebody_in_and_takes_him_off() {
    let world = with_ticket().await;
    let store = &world.ingest.store;
    let by_eve = |name: &str| mail(name, "eve").reply_to(&["o"]).copy(name);
    assert_eq!(visibility(&world, &world.deliver(&by_eve("a")).await).await, Visibility::Unverified);
    let made = store.approve_participant(1, &named("eve"), "ann", now()).await.unwrap();
    assert!(matches!(made, Change::Made(ticket) if ticket.participants_rev == 1));
    let twice = store.approve_participant(1, &named("eve"), "ann", now()).await.unwrap();
    assert!(matches!(twice, Change::Refused(why) if why.contains("already")));
    assert_eq!(visibility(&world, &world.deliver(&by_eve("b")).await).await, Visibility::Public);
    store.remove_participant(1, &named("eve"), "bea", now()).await.unwrap();
    assert_eq!(visibility(&world, &world.deliver(&by_eve("c")).await).await, Visibility::Unverified);
    assert_eq!(people(&world, 1).await, ["cust", "bob"]);
    for (who, why) in [("cust", "requester"), ("eve", "no participant")] {
        let refused = store.remove_participant(1, &named(who), "bea", now()).await.unwrap();
        assert!(matches!(refused, Change::Refused(told) if told.contains(why)), "{who}");
    }
    let trail = store.acts(1).await.unwrap();
    let trail: Vec<_> = trail.iter().map(|act| (act.deed, act.about.as_str(), act.actor.as_str())).collect();
    let eve = address("eve");
    let expected = [(Deed::ParticipantApproved, eve.as_str(), "ann"), (Deed::ParticipantRemoved, eve.as_str(), "bea")];
    assert!(expected.iter().all(|act| trail.contains(act)) && trail.len() == 2, "{trail:?}");
    let entries = store.entries(1).await.unwrap();
    assert_eq!(entries.len(), 4, "the trail is beside the entries, not among them");
}

#[tokio::test]
async fn a_participant_who_is_not_approved_waits_for_it() {
    let mut support = mailbox("support", SUPPORT, "INC");
    support.cc = postern::mailbox::CcPolicy::Pending;
    let world = World::with(vec![support]).await;
    let opened = world.deliver(&mail("o", "cust").to(&["bob"]).copy("0")).await;
    assert!(has(&opened, "participants-pending"), "{opened:?}");
    assert_eq!(people(&world, 1).await, ["cust", "bob?"]);
    let waits = world.deliver(&mail("a", "bob").reply_to(&["o"]).copy("1")).await;
    assert_eq!((visibility(&world, &waits).await, has(&waits, "not-approved")), (Visibility::Unverified, true));
    world.ingest.store.approve_participant(1, &named("bob"), "ann", now()).await.unwrap();
    assert_eq!(people(&world, 1).await, ["cust", "bob"]);
    let speaks = world.deliver(&mail("b", "bob").reply_to(&["o"]).copy("2")).await;
    assert_eq!(visibility(&world, &speaks).await, Visibility::Public);
}

#[tokio::test]
async fn an_agents_forward_is_its_authors_ticket_and_its_authors_reply_goes_there() {
    let mut support = mailbox("support", SUPPORT, "INC");
    support.agents = vec![Who::parse("*@us.example").unwrap()];
    let world = World::with(vec![support]).await;
    let mut forward = mail("f", "ann@us.example").subject("Fwd: printer");
    forward.name = "f\r\n\r\n---------- Forwarded message ---------\r\nFrom: Pat Doe <pat@people.example>\r\n\
                    Date: Mon, 2 Nov 2026 at 08:00\r\nSubject: printer\r\nTo: ann@us.example\r\n\r\nIt burns."
        .to_owned();
    let held = world.deliver(&forward.clone().id("g").copy("1").auth(None)).await;
    assert_eq!((held.outcome, held.reasons[0].as_str()), ("held", "agent-unverified"), "{held:?}");
    assert!(has(&held, "agent-claim"));
    let opened = world.deliver(&forward.copy("2")).await;
    assert!(has(&opened, "forwarded-by-agent") && has(&opened, "agent"), "{opened:?}");
    let ticket = ticket(&world, opened.ticket_id.unwrap()).await;
    let requester = ticket.requester.clone().unwrap();
    assert_eq!((requester.address.as_str(), requester.name.as_deref()), ("pat@people.example", Some("Pat Doe")));
    let reply = world.deliver(&mail("r", "pat").reply_to(&["f"]).copy("3")).await;
    assert_eq!((reply.ticket_id, visibility(&world, &reply).await), (Some(ticket.ticket_id), Visibility::Public));
    // Any agent may answer there; one who only says so is held, and a release vouches for him.
    let other = world.deliver(&mail("b", "bea@us.example").reply_to(&["r"]).copy("4")).await;
    assert_eq!((other.ticket_id, visibility(&world, &other).await), (Some(ticket.ticket_id), Visibility::Public));
    let spoofed =
        world.deliver(&mail("e", "bea@us.example").reply_to(&["r"]).copy("5").auth(Some(Verdict::Fail))).await;
    assert_eq!((spoofed.outcome, spoofed.reasons[0].as_str()), ("held", "agent-unverified"));
}

#[tokio::test]
async fn names_are_derived_and_tags_are_no_strangers() {
    let world = World::new().await;
    world.deliver(&mail("o", "jane.doe@people.example").to(&["li_wei+x@people.example"]).copy("0")).await;
    let names: Vec<_> = ticket(&world, 1).await.participants.into_iter().filter_map(|p| p.name).collect();
    assert_eq!(names, ["Jane Doe", "Li Wei"]);
    world.ingest.store.set_status(1, Status::Resolved, "test", now()).await.unwrap();
    let reply = world.deliver(&mail("r", "jane.doe+postern@people.example").reply_to(&["o"]).copy("1")).await;
    assert_eq!((reply.outcome, visibility(&world, &reply).await), ("reopened", Visibility::Public));
    assert_eq!(ticket(&world, 1).await.participants.len(), 2, "and no third person");
}

#[tokio::test]
async fn a_form_speaks_for_the_person_behind_it() {
    let mut support = mailbox("support", SUPPORT, "INC");
    support.form_senders = vec![Who::parse("form@web.example").unwrap()];
    let world = World::with(vec![support]).await;
    let form =
        |name: &str, person: &str| mail(name, "form@web.example").field(&format!("Reply-To: {}", address(person)));
    let opened = world.deliver(&form("a", "pat").copy("1")).await;
    assert!(has(&opened, "via-form"), "{opened:?}");
    assert_eq!(ticket(&world, 1).await.requester.unwrap().address.as_str(), "pat@people.example");
    let other = world.deliver(&form("b", "zoe").copy("2")).await;
    assert_ne!(other.ticket_id, opened.ticket_id, "two people by one form are two");
    // What the form proved, it proved for itself: on a ticket its word is flagged.
    let entries = world.ingest.store.entries(1).await.unwrap();
    assert!(entries[0].flags.contains(&"auth-unknown".to_owned()), "{:?}", entries[0].flags);
    let reply = world.deliver(&mail("r", "pat").reply_to(&["a"]).copy("3")).await;
    assert_eq!((reply.ticket_id, visibility(&world, &reply).await), (Some(1), Visibility::Public));
}
