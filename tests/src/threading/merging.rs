//! Merging: who comes along, what is refused, what stands on the trail.

use aws_sdk_dynamodb::types::AttributeValue;
use postern::{
    mailbox::Mailbox,
    store::desk::Change,
    ticket::{Deed, PARTICIPANTS_MAX, Status, Ticket, Visibility},
};

use super::{has, outcome, with_ticket};
use crate::world::{Copy, World, address, mail, mailbox, now, text};

async fn merge(world: &World, from: u64, into: u64) -> Change<Ticket> {
    world.ingest.store.merge(from, into, "ann", now()).await.unwrap()
}

async fn refused(world: &World, from: u64, into: u64) -> String {
    match merge(world, from, into).await {
        Change::Refused(why) => why,
        Change::Made(ticket) => panic!("merged: {ticket:?}"),
    }
}

async fn ticket(world: &World, ordinal: u64) -> Ticket {
    world.ingest.store.ticket(ordinal).await.unwrap().unwrap()
}

fn people(ticket: &Ticket) -> Vec<&str> {
    ticket.participants.iter().map(|p| p.address.local_part()).collect()
}

async fn deeds(world: &World, ordinal: u64) -> Vec<(Deed, String, String)> {
    let acts = world.ingest.store.acts(ordinal).await.unwrap();
    acts.into_iter().map(|act| (act.deed, act.about, act.actor)).collect()
}

#[tokio::test]
async fn the_target_takes_people_and_mail_and_both_trails_say_so() {
    let world = with_ticket().await;
    world.deliver(&mail("p", "ann").copy("0")).await;
    world.ingest.store.set_status(2, Status::Pending, "ann", now()).await.unwrap();
    let Change::Made(target) = merge(&world, 1, 2).await else { panic!() };
    let (source, stored) = (ticket(&world, 1).await, ticket(&world, 2).await);
    assert_eq!(stored, target);
    assert_eq!((source.status, source.merged_into), (Status::Closed, Some(2)));
    assert_eq!((stored.status, stored.participants_rev, stored.entry_count), (Status::Pending, 1, 1));
    assert_eq!(people(&stored), ["ann", "cust", "bob"]);
    assert_eq!(stored.requester.as_ref().unwrap().address.to_string(), address("ann"), "the requester stays");
    let of = |deed, about: &str| vec![(deed, about.to_owned(), "ann".to_owned())];
    assert_eq!(deeds(&world, 1).await, of(Deed::MergedInto, "INC-00002"));
    assert_eq!(deeds(&world, 2).await, of(Deed::MergedFrom, "INC-00001"));
    let changes = world.items("CHANGE#").await;
    let of_source = changes.iter().filter(|((pk, _), _)| pk == "TICKET#1").map(|(_, item)| item);
    let told: Vec<_> = of_source.map(|item| (text(item, "to"), text(item, "gsi4pk"))).collect();
    assert_eq!(told, [("closed".to_owned(), "outbox#1".to_owned())], "and is due to be told");
    assert_eq!(outcome(&world, &mail("r", "bob").reply_to(&["o"]).copy("1")).await, ("reopened", Some(2)));
    let late = Copy { minutes: 30 * 24 * 60, ..mail("s", "cust").reply_to(&["o"]).date(2).copy("2") };
    assert_eq!(outcome(&world, &late).await.1, Some(2), "no window for what leads elsewhere");
    assert_eq!(world.ingest.store.entries(1).await.unwrap().len(), 1, "no entry has moved");
}

#[tokio::test]
async fn who_is_approved_on_either_is_approved() {
    let world = with_ticket().await;
    world.deliver(&mail("e", "eve").to(&["bob"]).copy("0").auth(Some(postern::inbound::Verdict::Fail))).await;
    let bob = |ticket: &Ticket| ticket.participants.iter().find(|p| p.address.local_part() == "bob").unwrap().approved;
    assert!(!bob(&ticket(&world, 2).await), "put there by a disowned mail");
    merge(&world, 1, 2).await;
    assert!(bob(&ticket(&world, 2).await));
}

#[tokio::test]
async fn what_cannot_be_merged() {
    let other: Mailbox = mailbox("other", "other@us.example", "OTH");
    let world = World::with(vec![mailbox("support", crate::world::SUPPORT, "INC"), other]).await;
    for (name, to) in [("a", crate::world::SUPPORT), ("b", crate::world::SUPPORT), ("c", "other@us.example")] {
        world.deliver(&mail(name, "cust").copy("0").forward(&[to])).await;
    }
    assert!(refused(&world, 1, 1).await.contains("itself"));
    assert!(refused(&world, 1, 9).await.contains("ticket 9 does not exist"));
    assert!(refused(&world, 9, 1).await.contains("ticket 9 does not exist"));
    assert!(refused(&world, 1, 3).await.contains("different scopes"));
    assert!(matches!(merge(&world, 1, 2).await, Change::Made(_)));
    world.deliver(&mail("d", "cust").copy("0")).await;
    for (from, into) in [(1, 4), (4, 1), (2, 1)] {
        let why = refused(&world, from, into).await;
        assert!(why.contains("INC-00001 was merged into ticket 2"), "{from} {into}: {why}");
    }
    let person = |n: usize| {
        let address = AttributeValue::S(format!("p{n}@people.example"));
        AttributeValue::M([("address".to_owned(), address), ("approved".to_owned(), AttributeValue::Bool(true))].into())
    };
    let crowd = AttributeValue::L((0..PARTICIPANTS_MAX).map(person).collect());
    let mut item = world.items("TICKET#4").await.remove(&("TICKET#4".to_owned(), "TICKET".to_owned())).unwrap();
    item.insert("participants".to_owned(), crowd);
    world.put_item(item).await;
    assert!(refused(&world, 2, 4).await.contains("more than 200 participants"));
}

/// A ticket that follows a closed one cannot go back into it: mail would be led in a ring and find neither.
#[tokio::test]
async fn a_follow_up_is_not_merged_into_what_it_follows() {
    let world = with_ticket().await;
    world.ingest.store.set_status(1, Status::Closed, "ann", now()).await.unwrap();
    let late = |name: &str, days: i64| Copy { minutes: days * 24 * 60, ..mail(name, "bob").reply_to(&["o"]).copy("1") };
    assert_eq!(outcome(&world, &late("r", 15)).await, ("created_new", Some(2)));
    let why = refused(&world, 2, 1).await;
    assert!(why.contains("merge INC-00001 into INC-00002 instead"), "{why}");
    assert!(matches!(merge(&world, 1, 2).await, Change::Made(_)));
    assert_eq!(outcome(&world, &late("s", 16)).await, ("replied_to_existing", Some(2)));
}

#[tokio::test]
async fn an_unverified_entry_is_moved_before_it_is_approved() {
    let world = with_ticket().await;
    world.deliver(&mail("e", "eve").reply_to(&["o"]).copy("1")).await;
    world.deliver(&mail("p", "ann").copy("2")).await;
    merge(&world, 1, 2).await;
    let (store, only) = (&world.ingest.store, world.mailboxes.only().unwrap());
    let unverified = |entries: Vec<postern::ticket::Entry>| {
        entries.into_iter().find(|entry| entry.visibility == Visibility::Unverified).unwrap()
    };
    let entry = unverified(store.entries(1).await.unwrap());
    let Change::Refused(why) = store.approve(&entry, only, "ann", now()).await.unwrap() else { panic!() };
    assert!(why.contains("postern split 1/HASH --to 2"), "{why}");
    assert!(matches!(store.split(&entry, Some(2), only, "ann", now()).await.unwrap(), Change::Made(_)));
    let entry = unverified(store.entries(2).await.unwrap());
    assert!(matches!(store.approve(&entry, only, "ann", now()).await.unwrap(), Change::Made(_)));
    let next = world.deliver(&mail("e2", "eve").reply_to(&["e"]).date(3).copy("3")).await;
    assert!(next.ticket_id == Some(2) && !has(&next, "stranger"), "{next:?}");
}
