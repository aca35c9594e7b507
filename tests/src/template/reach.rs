//! Do the rights reach? What the pipeline calls on the wire, held against what the webhook's role allows. An emulator
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

/// The actions that a call needs, and on what.
fn needs(call: &Call) -> (Vec<String>, Vec<String>) {
    match call.service {
        Service::DynamoDb => {
            let key = |kind: &str| match kind {
                "ENTRY" => "TICKET#*".to_owned(),
                "ORDINAL" => kind.to_owned(),
                kind => format!("{kind}#*"),
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
            let prefix = call.target.split('/').next().unwrap_or_default();
            (vec![format!("s3:{}", call.operation)], vec![format!("${{Bucket.Arn}}/{prefix}/*")])
        }
        Service::Sqs | Service::Sns => panic!("{call:?}: nothing fails here, so nothing is queued"),
    }
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
    let rights = rights(&Stack::read());
    let mut visited = BTreeSet::new();
    for call in calls().await {
        let (actions, places) = needs(&call);
        for place in places {
            for action in &actions {
                assert!(allowed(&rights, "WebhookRole", action, &place), "the webhook may not {action} on {place}");
            }
            visited.insert(place);
        }
    }
    let all =
        ["${Bucket.Arn}/attachments/*", "${Bucket.Arn}/raw/*", "MAIL#*", "MSGID#*", "ORDINAL", "TICKET#*", "TOKEN#*"];
    assert_eq!(visited.iter().map(String::as_str).collect::<Vec<_>>(), all, "the scenario visits them all");
}
