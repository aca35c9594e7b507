//! The audit trail: a change of status by an agent and its item are written together.

use postern::{
    records::Effect,
    store::desk::Change,
    ticket::{Status, Visibility},
};

use super::{opening, reply};
use crate::{
    harness::wire::Wire,
    world::{World, mail, now, text},
};

async fn trail(world: &World) -> Vec<(String, String, String)> {
    let changes = world.items("CHANGE#").await;
    changes.values().map(|item| (text(item, "from"), text(item, "to"), text(item, "actor"))).collect()
}

#[tokio::test]
async fn each_change_stands_on_the_trail_and_a_refused_one_does_not() {
    let world = World::new().await;
    world.deliver(&opening()).await;
    let store = &world.ingest.store;
    store.set_status(1, Status::Pending, "ann", now()).await.unwrap();
    let refused = store.set_status(1, Status::Pending, "bob", now()).await.unwrap();
    assert!(matches!(refused, Change::Refused(_)), "{refused:?}");
    let of = |from: &str, to: &str, actor: &str| (from.to_owned(), to.to_owned(), actor.to_owned());
    assert_eq!(trail(&world).await, [of("new", "pending", "ann")]);
    // In the same millisecond: each has a key of its own.
    for to in [Status::Open, Status::Pending, Status::Open] {
        store.set_status(1, to, "ann", now()).await.unwrap();
    }
    assert_eq!(trail(&world).await.len(), 4);
    let wire = Wire::new();
    world.over(&wire).store.set_status(1, Status::Closed, "ann", now()).await.unwrap();
    let last = wire.calls().pop().unwrap();
    assert_eq!((last.operation.as_str(), last.target.as_str()), ("TransactWriteItems", "TICKET+CHANGE"));
}

#[tokio::test]
async fn an_approval_that_reopens_stands_there_too() {
    for (status, expected) in [(Status::Resolved, 1), (Status::Open, 0)] {
        let world = World::new().await;
        world.deliver(&opening()).await;
        world.ingest.store.set_status(1, status, "ann", now()).await.unwrap();
        world.deliver(&mail("e", "eve").reply_to(&["o"]).copy("3")).await;
        let entries = world.ingest.store.entries(1).await.unwrap();
        let entry = entries.iter().find(|entry| entry.visibility == Visibility::Unverified).unwrap();
        let mailbox = world.mailboxes.only().unwrap();
        world.ingest.store.approve(entry, mailbox, "bob", now()).await.unwrap();
        let by_bob = trail(&world).await.into_iter().filter(|(.., actor)| actor == "bob");
        let by_bob: Vec<_> = by_bob.map(|(from, to, _)| (from, to)).collect();
        assert_eq!(by_bob, vec![("resolved".to_owned(), "open".to_owned()); expected], "{status:?}");
    }
}

#[tokio::test]
async fn an_entry_says_what_it_did() {
    let world = World::new().await;
    world.deliver(&opening()).await;
    world.ingest.store.set_status(1, Status::Resolved, "ann", now()).await.unwrap();
    world.deliver(&mail("e", "eve").reply_to(&["o"]).copy("3")).await;
    world.deliver(&reply()).await;
    world.deliver(&mail("r2", "bob").to(&["cust"]).reply_to(&["o"]).date(3).copy("4")).await;
    let entries = world.ingest.store.entries(1).await.unwrap();
    let mut did: Vec<_> = entries.iter().map(|entry| (entry.effect.unwrap(), entry.previous_status)).collect();
    did.sort_by_key(|(effect, _)| format!("{effect:?}"));
    assert_eq!(
        did,
        [
            (Effect::Created, None),
            (Effect::Matched, None),
            (Effect::Reopened, Some(Status::Resolved)),
            (Effect::Unverified, None),
        ]
    );
    assert!(entries.iter().all(|entry| entry.committed_at == Some(now())), "by our clock, whatever the mail says");
}

#[tokio::test]
async fn rows_older_than_these_fields_still_read_and_are_told() {
    use super::{app, due, handle, records};
    use crate::harness::topic::Topic;
    let world = World::new().await;
    world.deliver(&opening()).await;
    let [mut old] = due(&world).await.try_into().unwrap();
    for name in ["effect", "previous_status", "committed_at"] {
        old.remove(name);
    }
    world.put_item(old).await;
    let topic = Topic::default();
    assert!(handle(&app(&world, &Wire::new().with_topic(&topic)), &records(&world).await).await.is_empty());
    assert_eq!(topic.types(), ["entry.created"], "what it did is not known any more");
}
