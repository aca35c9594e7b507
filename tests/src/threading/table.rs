//! Every cell of the transition table of docs/THREADING.md on the real system: a ticket of each status, and what happens.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use postern::{
    mailbox::{CourtesyPolicy, LifecyclePolicy},
    rules::Rules,
    store::desk::Change,
    ticket::{Status, Ticket},
};

use super::saying;
use crate::world::{Copy, Mail, SUPPORT, World, mail, mailbox, now, one};

/// Who opens the tickets watches devices, too.
const MONITORED: &str = r#"{ "rules": [{ "name": "devices", "then": {
    "merge_key": { "by": "header", "name": "X-Device", "recovered": ["all is well"] } } }] }"#;
const DOCUMENT: &str = include_str!("../../../docs/THREADING.md");
/// Minutes of twenty days: beyond the reopen window, and longer than tickets are left alone.
const MUCH_LATER: i64 = 20 * 24 * 60;

/// The rows of the document: what happens, and what a ticket of each status comes to.
fn rows() -> Vec<(String, Vec<String>)> {
    let (_, section) = DOCUMENT.split_once("\n## Lifecycle\n").unwrap();
    let lines = section.lines().skip_while(|line| !line.starts_with('|')).skip(2);
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows = lines.take_while(|line| line.starts_with('|')).map(cells);
    rows.map(|mut cells| (cells.remove(0), cells)).collect()
}

/// Ticket 1 is new, 2 open, and so on; cust has opened each, with bob in Cc.
async fn one_of_each() -> World {
    let mut support = mailbox("support", SUPPORT, "INC");
    support.lifecycle =
        LifecyclePolicy { courtesy: CourtesyPolicy::Stays, auto_close_days: Some(7), ..LifecyclePolicy::default() };
    support.rules = Rules::parse(MONITORED).unwrap();
    let world = World::with(vec![support]).await;
    for (ordinal, status) in (1..).zip(Status::ALL) {
        let opening = mail(&format!("t{ordinal}"), "cust").to(&["bob"]).field(&format!("X-Device: d{ordinal}"));
        world.deliver(&opening.copy("0")).await;
        if status != Status::New {
            world.ingest.store.set_status(ordinal, status, "test", now()).await.unwrap();
        }
    }
    world
}

async fn ticket(world: &World, ordinal: u64) -> Ticket {
    world.ingest.store.ticket(ordinal).await.unwrap().unwrap()
}

/// The day's reopenings are used up.
async fn use_up(world: &World, ordinal: u64) {
    let pk = format!("TICKET#{ordinal}");
    let mut item = world.items(&pk).await.remove(&(pk, "TICKET".to_owned())).unwrap();
    item.insert("reopened_on".to_owned(), AttributeValue::S("2026-11-02".to_owned()));
    item.insert("reopens".to_owned(), AttributeValue::N("3".to_owned()));
    world.put_item(item).await;
}

fn reply(ordinal: u64, author: &str) -> Mail {
    mail(&format!("r{ordinal}"), author).reply_to(&[&format!("t{ordinal}")])
}

/// A ticket of somebody else.
async fn another(world: &World, ordinal: u64) -> u64 {
    world.deliver(&mail(&format!("m{ordinal}"), "ann").copy("0")).await.ticket_id.unwrap()
}

/// Makes it happen; false where it is refused.
async fn happens(world: &World, row: &str, ordinal: u64) -> bool {
    let store = &world.ingest.store;
    let made = |change: Change<Ticket>| matches!(change, Change::Made(_));
    let of_bob = reply(ordinal, "bob").copy("1");
    match row {
        "a participant's reply" => world.deliver(&of_bob).await,
        "the same, beyond the reopen window" => world.deliver(&Copy { minutes: MUCH_LATER, ..of_bob }).await,
        "the same, over the reopen cap of the day" => {
            use_up(world, ordinal).await;
            world.deliver(&of_bob).await
        }
        "the same, a courtesy where those stay" => one(world.ingest.run(saying(&of_bob, "Thanks a lot!")).await),
        "a monitoring system's word that all is well, by a merge key" => {
            let well =
                mail(&format!("w{ordinal}"), "cust").subject("all is well").field(&format!("X-Device: d{ordinal}"));
            world.deliver(&well.copy("1")).await
        }
        "an unverified entry" => world.deliver(&reply(ordinal, "eve").copy("1")).await,
        "a note" => world.deliver(&reply(ordinal, "bob").field("Auto-Submitted: auto-replied").copy("1")).await,
        "left alone for `--auto-close` days" => {
            let later = now() + SignedDuration::from_mins(MUCH_LATER);
            store.auto_close(&world.mailboxes, later, 100).await.unwrap();
            return true;
        }
        "merged into another" => {
            return made(store.merge(ordinal, another(world, ordinal).await, "test", now()).await.unwrap());
        }
        "another is merged into it" => {
            return made(store.merge(another(world, ordinal).await, ordinal, "test", now()).await.unwrap());
        }
        set => {
            let word = set.strip_prefix("an agent sets `").and_then(|rest| rest.strip_suffix('`'));
            let to = Status::parse(word.unwrap_or_else(|| panic!("nobody knows how {set:?} happens"))).unwrap();
            return made(store.set_status(ordinal, to, "test", now()).await.unwrap());
        }
    };
    true
}

/// What the ticket has come to, in the table's words.
async fn came_to(world: &World, row: &str, ordinal: u64, before: Status) -> String {
    if !happens(world, row, ordinal).await {
        assert_eq!(ticket(world, ordinal).await.status, before, "{row}: refused, and done all the same");
        return "refused".to_owned();
    }
    let after = ticket(world, ordinal).await;
    assert_eq!(after.closed_at.is_some(), after.status == Status::Closed, "{row}: {after:?}");
    match after.followed_by {
        Some(next) => {
            assert_eq!((after.status, ticket(world, next).await.follows), (before, Some(ordinal)), "{row}");
            "follow-up".to_owned()
        }
        None if after.status == before => "stays".to_owned(),
        None => after.status.as_str().to_owned(),
    }
}

#[tokio::test]
async fn every_cell_of_the_transition_table() {
    let rows = rows();
    assert_eq!(rows.len(), 15, "{rows:?}");
    for (row, expected) in rows {
        let world = one_of_each().await;
        let mut found = Vec::new();
        for (ordinal, before) in (1..).zip(Status::ALL) {
            found.push(came_to(&world, &row, ordinal, before).await);
        }
        assert_eq!(found, expected, "{row}");
    }
}
