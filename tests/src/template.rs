//! `template.yaml`, without AWS: what no linter knows. Each check is also run on templates that were broken on purpose.

mod access;
mod flow;
mod reach;
mod stack;
mod storage;

use serde_json::{Value, json};
use stack::{Stack, file};

/// What is wrong, in words.
type Check = fn(&Stack) -> Vec<String>;

const CHECKS: [(&str, Check); 16] = [
    ("table", storage::table_is_the_local_one),
    ("survival", storage::data_survives),
    ("bucket", storage::bucket_is_private_and_keeps_mail),
    ("secrets", storage::secrets_are_of_the_read_form),
    ("roles", access::roles_name_what_they_may),
    ("outsiders", access::outsiders_are_named),
    ("ses", access::ses_rule_is_whole),
    ("cycles", access::no_cycles),
    ("outputs", access::outputs_are_named_and_public),
    ("variables", flow::functions_get_their_variables),
    ("functions", flow::functions_are_built_and_bounded),
    ("queues", flow::queues_lose_nothing),
    ("stream", flow::stream_cannot_be_blocked),
    ("sweep", flow::sweep_is_scheduled),
    ("alarms", flow::alarms_tell),
    ("parameters", flow::parameters_are_explained),
];

#[test]
fn the_template_holds() {
    let stack = Stack::read();
    let faults: Vec<String> = CHECKS.iter().flat_map(|(_, check)| check(&stack)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The whole list, so that a new right is a change that somebody has read.
#[test]
fn rights_are_the_ones_reviewed() {
    insta::assert_snapshot!("template_rights", access::rights(&Stack::read()));
}

/// What a value is set to, or taken away.
fn broken(pointer: &str, value: &Value) -> Stack {
    let mut stack = Stack::read();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/");
    match stack.0.pointer_mut(parent) {
        Some(Value::Object(members)) if value.is_null() => drop(members.remove(&name).expect(pointer)),
        Some(Value::Object(members)) => drop(members.insert(name, value.clone())),
        Some(Value::Array(values)) => values[name.parse::<usize>().unwrap()] = value.clone(),
        _ => panic!("{pointer}: nothing stands there"),
    }
    stack
}

#[test]
fn every_check_notices_what_it_is_for() {
    let document = "Policies/0/PolicyDocument/Statement";
    let rows: Vec<(&str, String, Value)> = [
        ("table", "Table/Properties/GlobalSecondaryIndexes/2/Projection/NonKeyAttributes/3", json!("tags")),
        ("table", "Table/Properties/GlobalSecondaryIndexes/3/KeySchema/1/AttributeName", json!("sk")),
        ("table", "Table/Properties/StreamSpecification/StreamViewType", json!("NEW_IMAGE")),
        ("survival", "Table/DeletionPolicy", Value::Null),
        ("survival", "Bucket/UpdateReplacePolicy", json!("Delete")),
        ("survival", "MasterSecret/DeletionPolicy", Value::Null),
        ("survival", "Table/Properties/DeletionProtectionEnabled", json!(false)),
        ("survival", "Table/Properties/PointInTimeRecoverySpecification", Value::Null),
        ("survival", "Table/Properties/TimeToLiveSpecification/AttributeName", json!("ttl")),
        ("survival", "Table/Properties/TableName", json!("postern")),
        ("bucket", "Bucket/Properties/PublicAccessBlockConfiguration/BlockPublicPolicy", json!(false)),
        ("bucket", "Bucket/Properties/BucketEncryption", Value::Null),
        ("bucket", "Bucket/Properties/LifecycleConfiguration/Rules/1/Prefix", json!("raw/")),
        ("bucket", "Bucket/Properties/LifecycleConfiguration/Rules/0", json!({"Status": "Enabled"})),
        ("secrets", "MasterSecret/Properties/GenerateSecretString/GenerateStringKey", json!("key")),
        ("secrets", "MasterSecret/Properties/GenerateSecretString/PasswordLength", json!(32)),
        ("secrets", "OperatorSecret/Properties/SecretString", json!("")),
        ("roles", &format!("WebhookRole/Properties/{document}/2/Action/0"), json!("dynamodb:*")),
        ("roles", &format!("WebhookRole/Properties/{document}/2/Resource"), json!("*")),
        ("roles", &format!("WebhookRole/Properties/{document}/2/Condition"), Value::Null),
        ("roles", &format!("RetryRole/Properties/{document}/3/Condition"), Value::Null),
        ("roles", &format!("WebhookRole/Properties/{document}/3/Resource/0"), json!({"Fn::Sub": "${Bucket.Arn}/*"})),
        ("roles", "RetryRole/Properties/ManagedPolicyArns", json!(["arn:aws:iam::aws:policy/Anything"])),
        ("outsiders", "NetQueuePolicy/Properties/PolicyDocument/Statement/0/Condition", Value::Null),
        ("outsiders", "NetQueuePolicy/Properties/PolicyDocument/Statement/0/Principal", json!("*")),
        ("outsiders", "EventsTopicPolicy/Properties/PolicyDocument/Statement/0/Condition/Bool", Value::Null),
        ("outsiders", "BucketPolicy/Properties/PolicyDocument/Statement/0/Effect", json!("Allow")),
        ("outsiders", "RetryQueuePolicy", Value::Null),
        ("ses", "ReceiptRule/Properties/Rule/ScanEnabled", Value::Null),
        ("ses", "ReceiptRule/Properties/Rule/Actions/0/S3Action/TopicArn", Value::Null),
        ("ses", "ReceiptRule/Properties/Rule/Actions/0/S3Action/ObjectKeyPrefix", json!("ses/")),
        ("ses", "ReceiptRule/Properties/Rule/Name", json!("inbound")),
        ("ses", "ReceiptRule/DependsOn", Value::Null),
        ("ses", "BucketPolicy/Properties/PolicyDocument/Statement/1/Fn::If/1/Condition/ArnEquals", Value::Null),
        ("cycles", "Bucket/DependsOn", json!(["NetQueuePolicy", "BucketPolicy"])),
        (
            "cycles",
            &format!("RetryRole/Properties/{document}/0/Resource"),
            json!({"Fn::GetAtt": ["RetryFunction", "Arn"]}),
        ),
        ("variables", "ReceiptFunction/Properties/Environment/Variables/POSTERN_RECEIPT_QUEUE", Value::Null),
        ("variables", "RetryFunction/Properties/Environment/Variables/POSTERN_NET_QUEUE", json!({"Ref": "DeadQueue"})),
        ("variables", "PublishFunction/Properties/Environment/Variables/POSTERN_BUCKET", json!({"Ref": "Bucket"})),
        ("functions", "WebhookFunction/Properties/Timeout", json!(60)),
        ("functions", "WebhookFunction/Properties/Events/Everything/Properties/Path", json!("/inbound")),
        ("functions", "RetryFunction/Metadata/BuildProperties/Binary", json!("postern-webhook")),
        ("functions", "RetryFunction/Properties/Role", Value::Null),
        ("functions", "RetryFunction/Properties/LoggingConfig", Value::Null),
        ("functions", "ReceiptFunction/Properties/Policies", json!([{"S3CrudPolicy": {}}])),
        ("functions", "ReceiptFunction/Properties/ReservedConcurrentExecutions", json!(5)),
        ("queues", "RetryQueue/Properties/RedrivePolicy", Value::Null),
        ("queues", "NetQueue/Properties/VisibilityTimeout", json!(300)),
        ("queues", "NetQueue/Properties/DelaySeconds", Value::Null),
        ("queues", "DeadQueue/Properties/MessageRetentionPeriod", json!(345_600)),
        ("queues", "ReceiptSubscription/Properties/RedrivePolicy", Value::Null),
        ("queues", "ReceiptFunction/Properties/EventInvokeConfig/DestinationConfig", Value::Null),
        ("queues", "ReceiptFunction/Properties/Events/Receipts/Properties/BatchSize", json!(10)),
        ("queues", "RetryFunction/Properties/Events/Net/Properties/FunctionResponseTypes", Value::Null),
        ("queues", "RetryFunction/Properties/Events/Retries/Properties/ScalingConfig", Value::Null),
        ("queues", "RetryFunction/Properties/Events/DeadLetters", Value::Null),
        ("queues", "Bucket/Properties/NotificationConfiguration/QueueConfigurations/0/Filter", Value::Null),
        ("stream", "PublishFunction/Properties/Events/Due/Properties/FilterCriteria", Value::Null),
        ("stream", "PublishFunction/Properties/Events/Due/Properties/BisectBatchOnFunctionError", Value::Null),
        ("stream", "PublishFunction/Properties/Events/Due/Properties/MaximumRetryAttempts", json!(-1)),
        ("stream", "PublishFunction/Properties/Events/Due/Properties/MaximumRecordAgeInSeconds", json!(-1)),
        ("stream", "PublishFunction/Properties/Events/Due/Properties/DestinationConfig", Value::Null),
        ("stream", "PublishFunction/Properties/Events/Due/Properties/FunctionResponseTypes", Value::Null),
        ("sweep", "RetryFunction/Properties/Events/Sweep/Properties/OmitName", Value::Null),
        ("sweep", "RetryFunction/Properties/Events/Sweep/Properties/Input", json!("{}")),
        ("sweep", "RetryFunction/Properties/Events/Reconcile", Value::Null),
        ("sweep", "RetryFunction/Properties/Events/Close", Value::Null),
        (
            "sweep",
            &format!("SweepRole/Properties/{document}/0/Resource"),
            json!({"Fn::GetAtt": ["WebhookFunction", "Arn"]}),
        ),
        ("alarms", "ParkedAlarm", Value::Null),
        ("alarms", "ServerErrorsAlarm/Properties/AlarmActions", Value::Null),
        ("alarms", "UnaccountedAlarm/Properties/Dimensions", json!([{"Name": "Stack", "Value": "x"}])),
    ]
    .into_iter()
    .map(|(check, pointer, value)| (check, format!("/Resources/{pointer}"), value))
    .chain([
        ("outputs", "/Outputs/NetQueueUrl".to_owned(), Value::Null),
        ("outputs", "/Outputs/MasterSecretArn/Value".to_owned(), json!("{{resolve:secretsmanager:x}}")),
        ("outputs", "/Outputs/ActivateRuleSet/Value".to_owned(), json!("aws ses set-active-receipt-rule-set")),
        ("outputs", "/Outputs/MxRecord/Description".to_owned(), json!("The MX record of the mail domain.")),
        ("bucket", "/Parameters/RawDays/Default".to_owned(), json!(30)),
        ("bucket", "/Conditions/KeepsAttachments".to_owned(), Value::Null),
        ("functions", "/Parameters/Architecture/Default".to_owned(), json!("x86_64")),
        ("functions", "/Globals/Function/Tracing".to_owned(), json!("Active")),
        ("queues", "/Parameters/QueueConcurrency/MinValue".to_owned(), Value::Null),
        ("variables", "/Parameters/TicketPrefix/Default".to_owned(), json!("inc")),
        ("variables", "/Globals/Function/Environment/Variables/POSTERN_AWS_ENDPOINT".to_owned(), Value::Null),
        ("parameters", "/Parameters/MailDomain/Description".to_owned(), Value::Null),
        ("parameters", "/Parameters/ReplyMode".to_owned(), Value::Null),
    ])
    .collect();
    for (wanted, check) in CHECKS {
        let mut mine = rows.iter().filter(|(name, ..)| *name == wanted).peekable();
        assert!(mine.peek().is_some(), "nothing is broken for {wanted}");
        for (_, pointer, value) in mine {
            assert!(!check(&broken(pointer, value)).is_empty(), "{wanted} does not notice {pointer} = {value}");
        }
    }
}

/// `sam build` compiles with cargo-lambda's own release settings, but for what stands in the manifest: unwinding must
/// stand there, what it adds must not, and the profile that is measured says the same.
#[test]
fn what_is_deployed_is_compiled_as_measured() {
    let manifest = file("Cargo.toml");
    let profile = |name: &str| -> Vec<String> {
        let section = manifest.split(&format!("[profile.{name}]\n")).nth(1).unwrap();
        let lines = section.lines().take_while(|line| !line.starts_with('['));
        let mut lines: Vec<String> =
            lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(profile("release"), ["opt-level = \"s\"", "panic = \"unwind\""]);
    let added = ["codegen-units = 1", "inherits = \"release\"", "lto = \"thin\"", "strip = \"symbols\""];
    assert_eq!(profile("deployed"), added);
}
