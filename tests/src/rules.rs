//! Routing rules on the real pipeline: what they cost on the wire, monitoring mail by its key, races for a key, and that
//! the schema, the page and the code say the same.

mod form;

use futures_util::FutureExt;
use postern::{
    mailbox::Mailbox,
    rules::Rules,
    store::{StoreError, settings::Change},
    ticket::Status,
};

use crate::{
    harness::{
        explore::{Race, explore},
        wire::Wire,
    },
    world::{Mail, SUPPORT, World, mail, mailbox, text},
};

const MONITORING: &str = r#"{ "rules": [
    { "name": "mon", "if": { "author": ["mon@people.example"] }, "then": { "queue": "ops", "tags": ["alarm"],
      "merge_key": { "by": "monitoring" } } },
    { "name": "eves", "if": { "author": ["eve@*"] }, "then": { "merge_key": { "by": "monitoring" } } },
    { "name": "again", "if": { "subject": ["recovery", "ok", "resolved"] }, "then": { "tags": ["well"] } } ] }"#;

fn ruled(rules: &str) -> Mailbox {
    Mailbox { rules: Rules::parse(rules).unwrap(), ..mailbox("support", SUPPORT, "INC") }
}

async fn watched() -> World {
    World::with(vec![ruled(MONITORING)]).await
}

fn alarm(name: &str, subject: &str, minutes: i64) -> Mail {
    mail(name, "mon").subject(subject).date(minutes)
}

const PROBLEM: &str = "** PROBLEM Service Alert: web01/HTTP is CRITICAL **";
const RECOVERY: &str = "** RECOVERY Service Alert: web01/HTTP is OK **";

async fn status(world: &World, ordinal: u64) -> (Status, Vec<String>) {
    let ticket = world.ingest.store.ticket(ordinal).await.unwrap().unwrap();
    (ticket.status, ticket.tags)
}

/// A mail of Zabbix, whose key stands in its body.
fn zabbix(name: &str, subject: &str, minutes: i64) -> Mail {
    let mut mail = alarm(name, subject, minutes);
    mail.name = format!("{name}\r\nHost: web01\r\nOriginal problem ID: 4711");
    mail
}

#[tokio::test]
async fn a_recovery_resolves_the_ticket_of_its_problem() {
    let world = watched().await;
    let opened = world.deliver(&alarm("p1", PROBLEM, 1).copy("a")).await;
    assert_eq!((opened.ticket_id, status(&world, 1).await), (Some(1), (Status::New, vec!["alarm".into()])));
    let more = world.deliver(&alarm("p2", PROBLEM, 2).copy("b")).await;
    assert_eq!((more.ticket_id, more.reasons.contains(&"merge-key".to_owned())), (Some(1), true), "{more:?}");
    world.deliver(&alarm("other", "** PROBLEM Host Alert: web01 is DOWN **", 3).copy("c")).await;
    let well = world.deliver(&alarm("r", RECOVERY, 4).copy("d")).await;
    assert!(well.reasons.contains(&"recovered".to_owned()), "{well:?}");
    assert_eq!(status(&world, 1).await, (Status::Resolved, vec!["alarm".into(), "well".into()]));
    // What was sent before the recovery and comes after it changes nothing; what was sent later does.
    let late = world.deliver(&alarm("p3", PROBLEM, 3).copy("e")).await;
    assert!(late.reasons.contains(&"overtaken".to_owned()), "{late:?}");
    assert_eq!(status(&world, 1).await.0, Status::Resolved);
    world.deliver(&alarm("p4", PROBLEM, 5).copy("f")).await;
    assert_eq!(status(&world, 1).await.0, Status::Open);
    assert_eq!(world.end_state().await.partition, "other | p1 p2 p3 p4 r");
}

#[tokio::test]
async fn a_recovery_of_nothing_is_kept_and_no_work() {
    let world = watched().await;
    let alone = world.deliver(&alarm("r", RECOVERY, 4).copy("a")).await;
    assert!(alone.reasons.contains(&"recovery-unmatched".to_owned()), "{alone:?}");
    assert_eq!(status(&world, 1).await.0, Status::Resolved);
    let late = world.deliver(&alarm("p", PROBLEM, 3).copy("b")).await;
    assert_eq!((late.ticket_id, status(&world, 1).await.0), (Some(1), Status::Resolved), "{late:?}");
}

#[tokio::test]
async fn keys_cost_no_call_more_where_the_header_tells_them() {
    let world = watched().await;
    for (case, copy, calls) in [
        ("a problem that opens", alarm("p1", PROBLEM, 1).copy("a"), 4),
        ("a problem again", alarm("p2", PROBLEM, 2).copy("b"), 4),
        ("a recovery", alarm("r", RECOVERY, 3).copy("c"), 4),
        ("a person's mail", mail("m", "cust").copy("d"), 4),
        ("by the body, opening", zabbix("z1", "Problem: High CPU", 1).copy("e"), 5),
        ("by the body, again", zabbix("z2", "Resolved in 5m 3s: High CPU", 2).copy("f"), 5),
    ] {
        let wire = Wire::new();
        world.over(&wire).run(copy.inbound()).await.unwrap();
        let names: Vec<String> = wire.calls().iter().map(|call| call.operation.clone()).collect();
        assert_eq!(names.len(), calls, "{case}: {names:?}");
        assert!(!names.iter().any(|name| name == "Scan" || name == "Query"), "{case}: {names:?}");
    }
    assert_eq!(world.end_state().await.partition, "m | p1 p2 r | z1 z2");
}

#[tokio::test]
async fn nobody_else_takes_a_key_or_resolves_by_it() {
    let world = watched().await;
    // First from another domain, then with a forged From.
    let squatter = mail("s", "eve@evil.example").subject(PROBLEM);
    world.deliver(&squatter.copy("a")).await;
    let forged = world.deliver(&alarm("f", PROBLEM, 1).copy("b").auth(Some(postern::inbound::Verdict::Fail))).await;
    assert_eq!(forged.ticket_id, Some(2), "a ticket of its own: {forged:?}");
    let real = world.deliver(&alarm("p", PROBLEM, 2).copy("c")).await;
    assert_eq!(real.ticket_id, Some(3), "the real one is on neither: {real:?}");
    let index = world.items("MSGID#").await;
    let own = index.values().filter(|row| text(row, "ticket") == "3").count();
    assert_eq!(own, 2, "its id and its key");
    // A colleague of the monitoring system's domain who is not on the ticket.
    let eve = world.deliver(&mail("e", "eve").subject(RECOVERY).date(3).copy("d")).await;
    assert_eq!((eve.ticket_id, eve.reasons.contains(&"stranger".to_owned())), (Some(3), true), "{eve:?}");
    assert_eq!(status(&world, 3).await, (Status::New, vec!["alarm".into()]), "nothing is resolved, and no tag added");
    let well = world.deliver(&alarm("r", RECOVERY, 4).copy("g")).await;
    assert_eq!((well.ticket_id, status(&world, 3).await.0), (Some(3), Status::Resolved));
}

#[tokio::test]
async fn a_stand_in_written_as_an_id_is_none() {
    let world = watched().await;
    world.deliver(&alarm("p", PROBLEM, 1).copy("a")).await;
    for (n, form) in ["key", "digest"].into_iter().enumerate() {
        let mut own = mail(&format!("o{n}"), "eve@evil.example");
        own.id = format!("{form}:0123456789");
        own.in_reply_to = vec![format!("{form}:76543210")];
        world.deliver(&own.copy(&format!("x{n}"))).await;
    }
    let claims = world.items("MSGID#").await.into_values().filter(|row| text(row, "direction") == "claim").count();
    assert_eq!(claims, 0, "nobody waits for a stand-in");
    assert_eq!(world.end_state().await.partition, "o0 | o1 | p");
}

/// Two mails at once.
async fn both(world: &World, pair: &[Mail; 2], race: &mut Race) {
    let wires: Vec<Wire> = pair.iter().map(|_| race.wire()).collect();
    let actors = pair.iter().zip(&wires).enumerate().map(|(n, (mail, wire))| {
        let (ingest, copy) = (world.over(wire), mail.copy(&n.to_string()));
        async move { drop(ingest.run(copy.inbound()).await.unwrap()) }.boxed_local()
    });
    race.run(actors.collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn tags_of_two_mails_at_once_are_all_kept() {
    let rules = r#"{ "rules": [{ "name": "o", "if": { "subject": ["one"] }, "then": { "tags": ["one"] } },
        { "name": "t", "if": { "subject": ["two"] }, "then": { "tags": ["two"] } }] }"#;
    let reply = |name: &str, subject: &str| mail(name, "cust").reply_to(&["o"]).subject(subject);
    let pair = [reply("a", "one"), reply("b", "two")];
    let visited = explore(5_000, async |race| {
        let world = World::with(vec![ruled(rules)]).await;
        world.deliver(&mail("o", "cust").copy("o")).await;
        both(&world, &pair, race).await;
        let mut tags = status(&world, 1).await.1;
        tags.sort();
        assert_eq!(tags, ["one", "two"]);
    })
    .await;
    assert!(visited.complete && visited.interleavings > 5, "{visited:?}");
    println!("| tags of two mails at once | {} |", visited.interleavings);
}

#[tokio::test]
async fn two_mails_with_a_new_key_end_on_one_ticket() {
    for (pair, statuses) in [
        ([alarm("a", PROBLEM, 1), alarm("b", PROBLEM, 2)], vec![Status::New]),
        // Which of them opens it decides nothing: the recovery is the later one.
        ([alarm("a", PROBLEM, 1), alarm("b", RECOVERY, 2)], vec![Status::Resolved]),
        ([alarm("a", RECOVERY, 1), alarm("b", PROBLEM, 2)], vec![Status::New, Status::Open]),
    ] {
        let visited = explore(5_000, async |race| {
            let world = watched().await;
            both(&world, &pair, race).await;
            assert_eq!(world.end_state().await.partition, "a b");
            let ticket = world.items("TICKET#").await.into_values().find(|item| text(item, "sk") == "TICKET").unwrap();
            let status = Status::parse(&text(&ticket, "status")).unwrap();
            assert!(statuses.contains(&status), "{status:?}");
        })
        .await;
        assert!(visited.complete && visited.interleavings > 5, "{visited:?}");
        println!("| two mails with a new key | {} |", visited.interleavings);
    }
}

#[tokio::test]
async fn rules_of_the_largest_size_are_stored_and_read_by_the_same_queries() {
    let world = World::new().await;
    let store = &world.ingest.store;
    let authors: Vec<String> = (0..9_000).map(|n| format!(r#""customer{n:05}@some-domain.example""#)).collect();
    let rules = Rules::parse(&format!(r#"{{ "allow": [{}] }}"#, authors.join(","))).unwrap();
    assert!(rules.to_json().len() > 300_000);
    let support = world.mailboxes.only().unwrap();
    store.change_settings(&Change::PutRules(&support.id, &rules), 0).await.unwrap();
    let stored = store.settings().await.unwrap();
    assert_eq!((stored.rules.get(&support.id), stored.mailboxes.len(), stored.revision), (Some(&rules), 0, 1));
    let stale = store.change_settings(&Change::PutRules(&support.id, &Rules::default()), 0).await;
    assert!(matches!(stale, Err(StoreError::Refused)), "somebody has changed them meanwhile");
    store.change_settings(&Change::PutRules(&support.id, &Rules::default()), 1).await.unwrap();
    assert!(store.settings().await.unwrap().rules.is_empty() && world.items("MAILBOX").await.len() == 1);
}

#[tokio::test]
async fn of_two_mails_with_a_known_key_the_later_one_counts() {
    for (pair, statuses) in [
        ([alarm("a", PROBLEM, 3), alarm("b", RECOVERY, 2)], vec![Status::New, Status::Open]),
        ([alarm("a", PROBLEM, 2), alarm("b", RECOVERY, 3)], vec![Status::Resolved]),
    ] {
        let visited = explore(5_000, async |race| {
            let world = watched().await;
            world.deliver(&alarm("p", PROBLEM, 1).copy("p")).await;
            both(&world, &pair, race).await;
            assert_eq!(world.end_state().await.partition, "a b p");
            let status = status(&world, 1).await.0;
            assert!(statuses.contains(&status), "{status:?}");
        })
        .await;
        assert!(visited.complete && visited.interleavings > 5, "{visited:?}");
        println!("| two mails with a known key | {} |", visited.interleavings);
    }
}
