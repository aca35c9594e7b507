//! Do the rights reach, and no further? What the pipeline calls on the wire, held against what each function's role allows.
//! An emulator does not tell: those that were tried look at actions and not at leading keys.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    access::rights,
    stack::{Stack, list, shown},
};
use crate::{
    harness::{
        call::{Call, Service},
        fault::Fault,
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

/// An action, and on what.
type Right = (String, String);

/// Checks every call; the rights that were used.
fn reached(role: &str, calls: &[Call]) -> BTreeSet<Right> {
    let rights = rights(&Stack::read());
    let mut used = BTreeSet::new();
    for call in calls {
        let (actions, places) = needs(call);
        for alternatives in places {
            for action in &actions {
                let place = alternatives.iter().find(|place| allowed(&rights, role, action, place));
                let place = place.unwrap_or_else(|| panic!("{role} may not {action} on {alternatives:?}"));
                used.insert((action.clone(), place.clone()));
            }
        }
    }
    used
}

/// What the role may do with data: log groups, secrets and keys are not on this wire, and queues and the stream are read by
/// Lambda itself.
fn granted(stack: &Stack, role: &str) -> BTreeSet<Right> {
    let mut all = BTreeSet::new();
    for (_, _, statement) in stack.rights().into_iter().filter(|(of, ..)| *of == role) {
        let keys = list(&statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]);
        for resource in list(&statement["Resource"]).into_iter().map(shown) {
            let of_rows = resource == "Table.Arn";
            let places = if of_rows { keys.iter().map(|key| shown(key)).collect() } else { vec![resource.clone()] };
            for action in list(&statement["Action"]).into_iter().map(shown) {
                let ours = action.starts_with("s3:") || ["sqs:SendMessage", "sns:Publish"].contains(&action.as_str());
                if ours || (action.starts_with("dynamodb:") && !resource.contains("tream")) {
                    all.extend(places.iter().map(|place| (action.clone(), place.clone())));
                }
            }
        }
    }
    all
}

/// Whatever the role may do beyond what it did is named here, and nothing else is.
fn beyond(role: &str, calls: &[Call], named: &[(&str, &str)]) {
    let used = reached(role, calls);
    let unused: Vec<Right> = granted(&Stack::read(), role).difference(&used).cloned().collect();
    let unused: Vec<_> = unused.iter().map(|(action, place)| (action.as_str(), place.as_str())).collect();
    assert_eq!(unused, named, "{role} may do more than it does");
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
    world.read_settings(&wire).await;
    for copy in [
        first.copy("1").token("t", "d"),
        first.copy("2").door("postmark"),
        mail("r", "bob").reply_to(&["o"]).references(&["p", "o"]).date(2).copy("3"),
        mail("s", "eve").reply_to(&["o"]).date(3).copy("4"),
        with_file.copy("5").spam(),
        with_file.copy("6"),
        mail("c", "cust").copy("7").for_a_crowd(),
        mail("n", "cust").copy("8").forward(&["nobody@us.example"]),
        mail("n", "cust").copy("8").forward(&["nobody@us.example"]),
    ] {
        pipeline.run(copy.inbound()).await.unwrap();
    }
    let from = mail("u", "cust").copy("9").inbound().ingress;
    for from in [from.clone(), from] {
        pipeline.unreadable(from, "no mail".into(), "no-mime-field", None).await.unwrap();
    }
    let down = Wire::new();
    down.fail_service(Service::DynamoDb, Fault::ServerError);
    world.door_over(&down).run(mail("q", "cust").copy("10").inbound()).await.unwrap();
    wire.calls().into_iter().chain(down.calls()).collect()
}

/// No call asks for it: with it S3 says 404 of what is not there, without it 403.
const TELL_MISSING: (&str, &str) = ("s3:ListBucket", "Bucket.Arn");

#[tokio::test]
async fn the_webhook_may_do_what_it_does() {
    // A receipt that SNS brings over HTTPS is read as the receipt function reads it.
    let receipts = ("s3:GetObject", "${Bucket.Arn}/raw/ses/*");
    beyond("WebhookRole", &calls().await, &[receipts, TELL_MISSING]);
}

#[tokio::test]
async fn receipt_may_do_what_it_does() {
    // What failed after a direct call, Lambda sends there.
    let failed = ("sqs:SendMessage", "DeadQueue.Arn");
    beyond("ReceiptRole", &crate::queues::every_call_of_receipt().await, &[TELL_MISSING, failed]);
}

#[tokio::test]
async fn retry_may_do_what_it_does() {
    let (_, swept) = crate::publish::every_call_of_telling().await;
    let calls = crate::queues::every_call_of_retry().await.into_iter().chain(swept).collect::<Vec<_>>();
    beyond("RetryRole", &calls, &[TELL_MISSING]);
}

#[tokio::test]
async fn poll_may_do_what_it_does() {
    // Where the record of a mail does not fit beside it; that of a polled one, with two addresses, does.
    let record = ("s3:PutObject", "${Bucket.Arn}/accept/raw/*");
    beyond("PollRole", &crate::imap::every_call_of_poll().await, &[record]);
}

#[tokio::test]
async fn publish_may_do_what_it_does() {
    // A batch that the stream gives up, Lambda writes there; it asks for both.
    let given_up = ("s3:PutObject", "${Bucket.Arn}/aws/lambda/*");
    let (told, _) = crate::publish::every_call_of_telling().await;
    beyond("PublishRole", &told, &[TELL_MISSING, given_up]);
}

/// Each would be a right that nothing uses.
#[test]
fn a_right_more_is_seen() {
    let before = granted(&Stack::read(), "WebhookRole");
    let role = "/Resources/WebhookRole/Properties/Policies/0/PolicyDocument/Statement";
    let keys = "Condition/ForAllValues:StringLike/dynamodb:LeadingKeys";
    for (pointer, value, more) in [
        ("6/Action", json!("dynamodb:DeleteItem"), ("dynamodb:DeleteItem", "MAIL#*")),
        (&format!("5/{keys}/0"), json!("TOKEN#*"), ("dynamodb:BatchGetItem", "TOKEN#*")),
        (
            "7/Resource",
            json!({"Fn::Sub": "${Table.Arn}/index/gsi2"}),
            ("dynamodb:UpdateItem", "${Table.Arn}/index/gsi2"),
        ),
        ("8/Resource/0", json!({"Fn::Sub": "${Bucket.Arn}/erased/*"}), ("s3:PutObject", "${Bucket.Arn}/erased/*")),
        ("9/Resource", json!({"Fn::GetAtt": ["NetQueue", "Arn"]}), ("sqs:SendMessage", "NetQueue.Arn")),
    ] {
        let right = (more.0.to_owned(), more.1.to_owned());
        assert!(!before.contains(&right), "{right:?}");
        assert!(
            granted(&super::broken(&format!("{role}/{pointer}"), &value), "WebhookRole").contains(&right),
            "{right:?}"
        );
    }
}
