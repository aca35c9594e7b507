//! The template against the last released one (`tests/released/template.yaml`): an update must take nothing away from
//! whoever has deployed that. CloudFormation does not ask before it replaces a table.

use serde_json::Value;

use super::stack::{Stack, entries, file, list};

/// What CloudFormation replaces a resource for ("Update requires: Replacement", `createOnlyProperties` and
/// `conditionalCreateOnlyProperties` of its resource schemas, as cfn-lint 1.58.0 brings them), of every type whose
/// replacement somebody would miss.
pub(super) const REPLACED_FOR: [(&str, &[&str]); 13] = [
    ("AWS::DynamoDB::Table", &["TableName", "KeySchema", "ImportSourceSpecification"]),
    ("AWS::S3::Bucket", &["BucketName", "BucketNamePrefix", "BucketNamespace"]),
    // The second and third replace the value, not the secret: that is as bad.
    ("AWS::SecretsManager::Secret", &["Name", "GenerateSecretString", "SecretString"]),
    // What waits in a queue is gone with it.
    ("AWS::SQS::Queue", &["QueueName", "FifoQueue"]),
    // Subscribers know its ARN.
    ("AWS::SNS::Topic", &["TopicName", "FifoTopic"]),
    ("AWS::SNS::Subscription", &["TopicArn", "Protocol", "Endpoint"]),
    // Two log groups of one name cannot be, so that an update with another logical id fails.
    ("AWS::Logs::LogGroup", &["LogGroupName"]),
    ("AWS::SES::ReceiptRuleSet", &["RuleSetName"]),
    ("AWS::SES::ReceiptRule", &["RuleSetName", "Rule/Name"]),
    // Providers know its URL. SAM makes an AWS::ApiGatewayV2::Api of protocol HTTP, and a stage, from it.
    ("AWS::Serverless::HttpApi", &["StageName"]),
    ("AWS::ApiGatewayV2::DomainName", &["DomainName"]),
    ("AWS::ApiGatewayV2::ApiMapping", &["DomainName"]),
    ("AWS::Route53::RecordSet", &["HostedZoneId", "HostedZoneName"]),
];

/// Parameters whose default is a promise: another one would change the numbers of tickets, take mail away, or close a way in.
const DEFAULTS: [&str; 17] = [
    "Architecture",
    "AttachmentDays",
    "CertificateArn",
    "DomainName",
    "EnableImap",
    "EnableSes",
    "HeldDays",
    "HostedZoneId",
    "KmsKeyArn",
    "LedgerDays",
    "MailDomain",
    "NumberYear",
    "PayloadDays",
    "RawDays",
    "ReceiptRuleSetName",
    "ReplyMode",
    "TicketPrefix",
];

/// What an update from the last release would take away.
pub(super) fn an_update_takes_nothing_away(stack: &Stack) -> Vec<String> {
    let released = Stack::of(&file("tests/released/template.yaml"));
    let mut faults = resources(&released, stack);
    faults.extend(table(&released, stack));
    faults.extend(parameters(&released, stack));
    for (name, output) in entries(released.at("/Outputs")) {
        let now = stack.at(&format!("/Outputs/{name}"));
        if now.is_null() || now["Condition"] != output["Condition"] {
            faults.push(format!("output {name} is not there any more, or not always"));
        }
    }
    faults
}

fn resources(released: &Stack, stack: &Stack) -> Vec<String> {
    let mut faults = Vec::new();
    for (kind, properties) in REPLACED_FOR {
        for name in released.of_type(kind) {
            let (was, now) = (released.at(&format!("/Resources/{name}")), stack.at(&format!("/Resources/{name}")));
            if now["Type"] != kind {
                faults.push(format!("{name} is no {kind} any more: an update deletes it"));
                continue;
            }
            for attribute in ["Condition", "DeletionPolicy", "UpdateReplacePolicy"] {
                if was[attribute] != now[attribute] {
                    faults.push(format!("{name}: {attribute} was {}, is {}", was[attribute], now[attribute]));
                }
            }
            for property in properties {
                let pointer = format!("/Properties/{property}");
                if was.pointer(&pointer) != now.pointer(&pointer) {
                    faults.push(format!("{name}: another {property} replaces it"));
                }
            }
        }
    }
    faults
}

/// An index is added or taken away one at a time and never changed; an attribute keeps its type, the stream its view
/// (CloudFormation user guide, AWS::DynamoDB::Table: "Updates are not supported" but for one index an update).
fn table(released: &Stack, stack: &Stack) -> Vec<String> {
    let (was, now) = (released.properties("Table"), stack.properties("Table"));
    let named = |table: &Value, list_of: &str, name: &str| -> Vec<(String, Value)> {
        let all = list(&table[list_of]).into_iter().cloned();
        all.map(|one| (one[name].as_str().unwrap_or_default().to_owned(), one)).collect()
    };
    let mut faults = Vec::new();
    let mut moved = 0_usize;
    let (before, after) =
        (named(was, "GlobalSecondaryIndexes", "IndexName"), named(now, "GlobalSecondaryIndexes", "IndexName"));
    for (name, index) in &before {
        match after.iter().find(|(other, _)| other == name) {
            None => moved += 1,
            Some((_, same)) if same == index => {}
            Some(_) => {
                faults.push(format!("index {name} is another: add one under another name, take the old away later"));
            }
        }
    }
    moved += after.iter().filter(|(name, _)| !before.iter().any(|(other, _)| other == name)).count();
    if moved > 1 {
        faults.push(format!("{moved} indexes come or go, and CloudFormation does one in an update"));
    }
    let types = named(now, "AttributeDefinitions", "AttributeName");
    for (name, attribute) in named(was, "AttributeDefinitions", "AttributeName") {
        if types.iter().any(|(other, now)| *other == name && *now != attribute) {
            faults.push(format!("another type of {name} replaces the table"));
        }
    }
    if was["StreamSpecification"] != now["StreamSpecification"] {
        faults.push("another stream: what the old one holds is told by the sweep only".to_owned());
    }
    faults
}

fn parameters(released: &Stack, stack: &Stack) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, was) in entries(released.at("/Parameters")) {
        let now = stack.at(&format!("/Parameters/{name}"));
        if now["Type"] != was["Type"] {
            faults.push(format!("parameter {name} is gone or of another type: answers that were kept are refused"));
            continue;
        }
        if DEFAULTS.contains(&name) && now["Default"] != was["Default"] {
            faults.push(format!("parameter {name}: its default was {}, is {}", was["Default"], now["Default"]));
        }
        let allowed = list(&now["AllowedValues"]);
        if !allowed.is_empty() && list(&was["AllowedValues"]).iter().any(|value| !allowed.contains(value)) {
            faults.push(format!("parameter {name}: an answer that was allowed is refused"));
        }
    }
    for (name, now) in entries(stack.at("/Parameters")) {
        if released.at(&format!("/Parameters/{name}")).is_null() && now["Default"].is_null() {
            faults
                .push(format!("parameter {name} is new and has no default: no update goes through without an answer"));
        }
    }
    faults
}

/// What is not in the lists may change: else the check would be one that everybody edits away.
#[test]
fn what_may_change_in_an_update_may_change() {
    let index = |name: &str| serde_json::json!({"IndexName": name, "KeySchema": [], "Projection": {}});
    let mut indexes = Stack::read().properties("Table")["GlobalSecondaryIndexes"].clone();
    indexes.as_array_mut().unwrap().push(index("gsi5"));
    for (pointer, value) in [
        ("/Resources/Table/Properties/GlobalSecondaryIndexes", indexes),
        ("/Resources/RetryQueue/Properties/VisibilityTimeout", Value::from(720)),
        ("/Resources/Table/Properties/SSESpecification", Value::Null),
        ("/Resources/ParkedAlarm", Value::Null),
        ("/Resources/AnotherQueue", serde_json::json!({"Type": "AWS::SQS::Queue"})),
        ("/Parameters/OldestHeldHours/Default", Value::from(48)),
        ("/Parameters/Another", serde_json::json!({"Type": "String", "Default": ""})),
        ("/Outputs/Another", serde_json::json!({"Value": "x"})),
    ] {
        let faults = an_update_takes_nothing_away(&super::broken(pointer, &value));
        assert!(faults.is_empty(), "{pointer}: {faults:?}");
    }
}
