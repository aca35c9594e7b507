//! Splitting: the entry goes, and everything that would be looked for beside it.

use postern::{
    outcome::Answer,
    records::Effect,
    store::desk::Change,
    ticket::{Deed, Entry, Status, Ticket, Visibility},
};

use super::{has, outcome, with_ticket};
use crate::world::{Mail, World, address, mail, mailbox, now, text};

/// Ticket 1 of cust, with bob in Cc, who has answered.
async fn with_answer() -> World {
    let world = with_ticket().await;
    assert_eq!(outcome(&world, &r().copy("1")).await, ("replied_to_existing", Some(1)));
    world
}

fn r() -> Mail {
    mail("r", "bob").to(&["cust"]).reply_to(&["o"]).subject("Re: the scanner")
}

async fn entry(world: &World, ticket: u64, name: &str) -> Entry {
    let entries = world.ingest.store.entries(ticket).await.unwrap();
    entries.into_iter().find(|entry| entry.text == format!("mail {name}")).unwrap()
}

async fn split(world: &World, entry: &Entry, to: Option<u64>) -> Change<Ticket> {
    let source = ticket(world, entry.ticket).await;
    let mailbox = world.mailboxes.by_id(&source.mailbox).unwrap();
    world.ingest.store.split(entry, to, mailbox, "ann", now()).await.unwrap()
}

async fn refused(world: &World, entry: &Entry, to: Option<u64>) -> String {
    let before = world.items("").await;
    match split(world, entry, to).await {
        Change::Refused(why) => {
            assert_eq!(world.items("").await, before, "refused, and something is written");
            why
        }
        Change::Made(ticket) => panic!("moved: {ticket:?}"),
    }
}

async fn ticket(world: &World, ordinal: u64) -> Ticket {
    world.ingest.store.ticket(ordinal).await.unwrap().unwrap()
}

fn people(ticket: &Ticket) -> Vec<String> {
    ticket.participants.iter().map(|p| p.address.local_part().to_owned()).collect()
}

fn place(answer: &Answer) -> (&'static str, Option<u64>) {
    (answer.outcome, answer.ticket_id)
}

#[tokio::test]
async fn an_entry_gets_a_ticket_of_its_own() {
    let world = with_answer().await;
    let moving = entry(&world, 1, "r").await;
    let Change::Made(made) = split(&world, &moving, None).await else { panic!() };
    let (source, new) = (ticket(&world, 1).await, ticket(&world, 2).await);
    assert_eq!(new, made);
    assert_eq!((new.number.as_str(), new.subject.as_str(), new.status), ("INC-00002", "Re: the scanner", Status::Open));
    assert_eq!(
        (people(&new), new.requester.clone().unwrap().address.to_string()),
        (vec!["bob".into()], address("bob"))
    );
    assert_eq!((new.entry_count, new.related_to.clone(), new.created_at), (1, vec![1], moving.at));
    assert_eq!((source.entry_count, source.participants_rev), (1, 0));
    let moved = entry(&world, 2, "r").await;
    let as_it_was = Entry { ticket: 2, effect: Some(Effect::Created), flags: vec!["moved".into()], ..moving.clone() };
    assert_eq!(moved, as_it_was);
    assert_eq!(world.ingest.store.entries(1).await.unwrap().len(), 1);
    let due = world.items("TICKET#2").await.remove(&("TICKET#2".into(), moved.entry.clone())).unwrap();
    assert_eq!(text(&due, "gsi4pk"), "outbox#2", "told as the entry that opened ticket 2");
    let (hash, _) = moved.entry.rsplit_once('#').map(|(_, hash)| hash.split_at(12)).unwrap();
    for (ordinal, deed, about) in
        [(1, Deed::EntryMovedTo, format!("INC-00002/{hash}")), (2, Deed::EntryMovedFrom, format!("INC-00001/{hash}"))]
    {
        let acts = world.ingest.store.acts(ordinal).await.unwrap();
        assert_eq!(acts.iter().map(|act| (act.deed, act.about.clone())).collect::<Vec<_>>(), [(deed, about)]);
    }
    world.end_state().await;
}

#[tokio::test]
async fn later_mail_lands_where_the_entry_went() {
    let world = with_answer().await;
    split(&world, &entry(&world, 1, "r").await, None).await;
    let again = world.deliver(&r().copy("1")).await;
    assert_eq!((again.ticket_id, has(&again, "seen-before"), has(&again, "moved")), (Some(2), true, true), "a retry");
    let copy = world.deliver(&r().copy("2").door("postmark")).await;
    assert_eq!(place(&copy), ("duplicate", Some(2)), "another copy");
    let own = mail("s", "bob").reply_to(&["r"]).references(&["o", "r"]).date(3);
    assert_eq!(outcome(&world, &own.copy("3")).await, ("replied_to_existing", Some(2)));
    let on_top = mail("t", "bob").reply_to(&["s"]).references(&["o", "r", "s"]).date(4);
    assert_eq!(outcome(&world, &on_top.copy("4")).await, ("replied_to_existing", Some(2)));
    let bystander = world.deliver(&mail("u", "cust").reply_to(&["r"]).date(5).copy("5")).await;
    assert_eq!((place(&bystander), has(&bystander, "stranger")), (("replied_to_existing", Some(2)), true));
    let of_both = mail("v", "cust").reply_to(&["r"]).references(&["o", "r"]).date(6);
    assert_eq!(outcome(&world, &of_both.copy("6")).await.1, Some(1), "where he may speak, as ever");
    let to_the_rest = mail("w", "bob").reply_to(&["o"]).date(7);
    assert_eq!(outcome(&world, &to_the_rest.copy("7")).await.1, Some(1));
    assert_eq!(world.end_state().await.partition, "o v w | r s t u?");
}

#[tokio::test]
async fn an_entry_goes_to_a_ticket_that_is_there() {
    let world = with_answer().await;
    world.deliver(&mail("p", "ann").copy("2")).await;
    world.ingest.store.set_status(2, Status::Resolved, "ann", now()).await.unwrap();
    let Change::Made(target) = split(&world, &entry(&world, 1, "r").await, Some(2)).await else { panic!() };
    assert_eq!(target, ticket(&world, 2).await);
    assert_eq!((target.entry_count, target.participants_rev, target.status), (2, 1, Status::Resolved));
    assert_eq!(people(&target), ["ann", "bob"]);
    assert_eq!(entry(&world, 2, "r").await.effect, Some(Effect::Matched));
    let next = mail("s", "bob").reply_to(&["r"]).date(3).copy("3");
    assert_eq!(outcome(&world, &next).await, ("reopened", Some(2)));
    // And back again: flagged once, on the trail twice.
    split(&world, &entry(&world, 2, "r").await, Some(1)).await;
    let back = entry(&world, 1, "r").await;
    assert_eq!((back.flags, ticket(&world, 1).await.entry_count), (vec!["moved".to_owned()], 2));
    assert_eq!(world.ingest.store.acts(1).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_moved() {
    let world = World::with(vec![
        mailbox("other", "other@us.example", "OTH"),
        mailbox("support", crate::world::SUPPORT, "INC"),
    ])
    .await;
    world.deliver(&mail("o", "cust").to(&["bob"]).copy("0")).await;
    let only = entry(&world, 1, "o").await;
    let why = refused(&world, &only, None).await;
    assert!(why.contains("postern merge INC-00001 TICKET"), "{why}");
    world.deliver(&mail("n", "bob").reply_to(&["o"]).field("Auto-Submitted: auto-replied").copy("1")).await;
    world.deliver(&mail("x", "cust").copy("2").forward(&["other@us.example"])).await;
    world.deliver(&mail("p", "ann").copy("3")).await;
    world.deliver(&mail("q", "ann").copy("4")).await;
    world.ingest.store.merge(3, 4, "ann", now()).await.unwrap();
    let note = entry(&world, 1, "n").await;
    for (entry, to, told) in [
        (&note, None, "opens no ticket; use --to"),
        (&note, Some(1), "on INC-00001 already"),
        (&note, Some(9), "ticket 9 does not exist"),
        (&note, Some(2), "different scopes"),
        (&note, Some(3), "INC-00003 was merged into ticket 4"),
    ] {
        let why = refused(&world, entry, to).await;
        assert!(why.contains(told), "{told}: {why}");
    }
    let Change::Made(target) = split(&world, &note, Some(4)).await else { panic!() };
    assert_eq!(people(&target), ["ann"], "a note adds nobody");
    assert!(refused(&world, &note, Some(4)).await.contains("not on INC-00001 any more"));
}

#[tokio::test]
async fn a_strangers_entry_stays_unverified_on_somebody_elses_ticket() {
    let world = with_ticket().await;
    world.deliver(&mail("e", "eve").reply_to(&["o"]).copy("1")).await;
    world.deliver(&mail("p", "ann").copy("2")).await;
    split(&world, &entry(&world, 1, "e").await, Some(2)).await;
    let there = entry(&world, 2, "e").await;
    assert_eq!((there.visibility, people(&ticket(&world, 2).await)), (Visibility::Unverified, vec!["ann".to_owned()]));
    let Change::Made(own) = split(&world, &there, None).await else { panic!() };
    assert_eq!(own.requester.unwrap().address.to_string(), address("eve"));
    assert_eq!(entry(&world, 3, "e").await.visibility, Visibility::Public, "on her own ticket she speaks");
}

/// A further mail under an id that is taken is found by the first row of the id, which names its ticket.
#[tokio::test]
async fn a_collisions_entry_is_found_by_its_id_where_it_went() {
    let world = with_ticket().await;
    let other = mail("f", "first").id("o").date(7).subject("another");
    assert_eq!(outcome(&world, &other.copy("1")).await, ("created_new", Some(2)));
    assert_eq!(outcome(&world, &mail("g", "first").reply_to(&["o"]).date(8).copy("2")).await.1, Some(2));
    split(&world, &entry(&world, 2, "f").await, None).await;
    assert_eq!(people(&ticket(&world, 3).await), ["first"]);
    let next = mail("h", "first").reply_to(&["o"]).date(9);
    assert_eq!(outcome(&world, &next.copy("3")).await.1, Some(3));
    let twin = world.deliver(&other.copy("4")).await;
    assert_eq!(place(&twin), ("duplicate", Some(3)));
}
