//! Do the rights reach? What the pipeline calls on the wire, held against what each function's role allows. An emulator
//! does not tell: those that were tried look at actions and not at leading keys.

use std::collections::BTreeSet;

use super::{access::rights, stack::Stack};
use crate::{
    harness::{
        call::{Call, Service},
        wire::Wire,
    },
    world::{World, mail},
};

/// Whether a row of the role allows the action on that key or resource.
fn allowed(rights: &str, role: &str, action: &str, place: &str) -> bool {
    let rows = rights.lines().filter_map(|line| line.strip_prefix(role)?.strip_prefix(':'));
    let mut rows = rows.map(|row| row.split_whitespace().collect::<Vec<_>>());
    rows.any(|words| words.contains(&action) && words.contains(&place))
}

/// The actions that a call needs, and on what: of each list one place must be allowed.
fn needs(call: &Call) -> (Vec<String>, Vec<Vec<String>>) {
    match call.service {
        Service::DynamoDb => {
            let key = |kind: &str| match kind {
                "ENTRY" | "CHANGE" => vec!["TICKET#*".to_owned()],
                "ORDINAL" => vec![kind.to_owned()],
                "MAILBOX" | "DOOR" => vec![kind.to_owned()],
                "gsi1" | "gsi4" => vec![format!("${{Table.Arn}}/index/{kind}")],
                kind => vec![format!("{kind}#*")],
            };
            let actions: &[&str] = match call.operation.as_str() {
                // A transaction needs the rights of what stands in it.
                "TransactWriteItems" => &["PutItem", "UpdateItem", "ConditionCheckItem"],
                operation => &[operation],
            };
            let actions = actions.iter().map(|action| format!("dynamodb:{action}")).collect();
            (actions, call.target.split('+').map(key).collect())
        }
        Service::S3 => {
            let action = if call.operation == "HeadObject" { "GetObject" } else { &call.operation };
            let parents = call.target.match_indices('/').map(|(end, _)| call.target.split_at(end).0);
            let places = parents.map(|prefix| format!("${{Bucket.Arn}}/{prefix}/*")).collect();
            (vec![format!("s3:{action}")], vec![places])
        }
        Service::Sqs => {
            let queue = match call.target.as_str() {
                "postern-receipt" => "ReceiptQueue.Arn",
                "postern-retry" => "RetryQueue.Arn",
                "postern-net" => "NetQueue.Arn",
                "postern-poll" => "PollQueue.Arn",
                _ => "DeadQueue.Arn",
            };
            (vec![format!("sqs:{}", call.operation)], vec![vec![queue.to_owned()]])
        }
        // PublishBatch needs the right to publish.
        Service::Sns => (vec!["sns:Publish".to_owned()], vec![vec!["EventsTopic".to_owned()]]),
    }
}

/// Checks every call; the places that were visited.
fn reached(role: &str, calls: &[Call]) -> BTreeSet<String> {
    let rights = rights(&Stack::read());
    let mut visited = BTreeSet::new();
    for call in calls {
        let (actions, places) = needs(call);
        for alternatives in places {
            for action in &actions {
                let place = alternatives.iter().find(|place| allowed(&rights, role, action, place));
                let place = place.unwrap_or_else(|| panic!("{role} may not {action} on {alternatives:?}"));
                visited.insert(place.clone());
            }
        }
    }
    visited
}

fn expect(visited: &BTreeSet<String>, all: &[&str]) {
    assert_eq!(visited.iter().map(String::as_str).collect::<Vec<_>>(), all, "the scenario visits them all");
}

/// All kinds of commits, each by the calls that it makes.
async fn calls() -> Vec<Call> {
    let world = World::new().await;
    let wire = Wire::new();
    let pipeline = world.over(&wire);
    let first = mail("o", "cust").to(&["bob"]);
    let mut with_file = mail("a", "cust").date(4).field("MIME-Version: 1.0");
    with_file = with_file.field("Content-Type: multipart/mixed; boundary=b");
    with_file.name =
        "a\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\none\r\n--b--".to_owned();
    postern::settings::SettingsSource::new(
        postern::settings::Settings::default(),
        pipeline.store.clone(),
        pipeline.ambient.clone(),
    )
    .current()
    .await
    .unwrap();
    for copy in [
        first.copy("1").token("t", "d"),
        first.copy("2").door("postmark"),
        mail("r", "bob").reply_to(&["o"]).references(&["p", "o"]).date(2).copy("3"),
        mail("s", "eve").reply_to(&["o"]).date(3).copy("4"),
        with_file.copy("5").spam(),
        with_file.copy("6"),
    ] {
        pipeline.run(copy.inbound()).await.unwrap();
    }
    wire.calls()
}

#[tokio::test]
async fn the_webhook_may_do_what_it_does() {
    let visited = reached("WebhookRole", &calls().await);
    expect(
        &visited,
        &[
            "${Bucket.Arn}/attachments/*",
            "${Bucket.Arn}/raw/*",
            "DOOR",
            "MAIL#*",
            "MAILBOX",
            "MSGID#*",
            "ORDINAL",
            "REQUESTER#*",
            "TICKET#*",
            "TOKEN#*",
        ],
    );
}

#[tokio::test]
async fn receipt_may_do_what_it_does() {
    let visited = reached("ReceiptRole", &crate::queues::every_call_of_receipt().await);
    expect(
        &visited,
        &[
            "${Bucket.Arn}/attachments/*",
            "${Bucket.Arn}/payload/*",
            "${Bucket.Arn}/raw/ses/*",
            "MAIL#*",
            "MSGID#*",
            "ORDINAL",
            "REQUESTER#*",
            "ReceiptQueue.Arn",
            "TICKET#*",
        ],
    );
}

#[tokio::test]
async fn retry_may_do_what_it_does() {
    let visited = reached("RetryRole", &crate::queues::every_call_of_retry().await);
    expect(
        &visited,
        &[
            "${Bucket.Arn}/accept/*",
            "${Bucket.Arn}/attachments/*",
            "${Bucket.Arn}/payload/*",
            "${Bucket.Arn}/raw/*",
            "${Table.Arn}/index/gsi1",
            "${Table.Arn}/index/gsi4",
            "DeadQueue.Arn",
            "MAIL#*",
            "MSGID#*",
            "ORDINAL",
            "POLL#*",
            "REQUESTER#*",
            "RetryQueue.Arn",
            "TICKET#*",
            "TOKEN#*",
        ],
    );
}

#[tokio::test]
async fn poll_may_do_what_it_does() {
    let visited = reached("PollRole", &crate::imap::every_call_of_poll().await);
    expect(
        &visited,
        &[
            "${Bucket.Arn}/attachments/*",
            "${Bucket.Arn}/payload/*",
            "${Bucket.Arn}/raw/*",
            "MAIL#*",
            "MSGID#*",
            "ORDINAL",
            "POLL#*",
            "PollQueue.Arn",
            "REQUESTER#*",
            "TICKET#*",
        ],
    );
}
