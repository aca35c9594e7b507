//! `template.yaml`, without AWS: what no linter knows. Each check is also run on templates that were broken on purpose.

mod access;
mod domain;
mod flow;
mod own_key;
mod parts;
mod permissions;
mod reach;
mod released;
mod stack;
mod storage;
mod watching;

use serde_json::{Value, json};
use stack::{Stack, file};

/// What is wrong, in words.
type Check = fn(&Stack) -> Vec<String>;

const CHECKS: [(&str, Check); 22] = [
    ("table", storage::table_is_the_local_one),
    ("survival", storage::data_survives),
    ("bucket", storage::bucket_is_private_and_keeps_mail),
    ("secrets", storage::secrets_are_of_the_read_form),
    ("key", own_key::everything_follows_the_key),
    ("roles", access::roles_name_what_they_may),
    ("outsiders", access::outsiders_are_named),
    ("ses", access::ses_rule_is_whole),
    ("domain", domain::domain_leads_to_the_api),
    ("rules", domain::rules_ask_first),
    ("cycles", access::no_cycles),
    ("outputs", access::outputs_are_named_and_public),
    ("variables", flow::functions_get_their_variables),
    ("functions", flow::functions_are_built_and_bounded),
    ("queues", flow::queues_lose_nothing),
    ("parts", parts::parts_can_be_left_out),
    ("stream", flow::stream_cannot_be_blocked),
    ("sweep", flow::sweep_is_scheduled),
    ("alarms", watching::alarms_tell),
    ("dashboard", watching::dashboard_shows_what_is_told),
    ("parameters", flow::parameters_are_explained),
    ("released", released::an_update_takes_nothing_away),
];

#[test]
fn the_template_holds() {
    let stack = Stack::read();
    let faults: Vec<String> = CHECKS.iter().flat_map(|(_, check)| check(&stack)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
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
        ("key", "Table/Properties/SSESpecification", Value::Null),
        (
            "key",
            "Bucket/Properties/BucketEncryption/ServerSideEncryptionConfiguration/0/Fn::If/1/BucketKeyEnabled",
            Value::Null,
        ),
        ("key", "OperatorSecret/Properties/KmsKeyId", Value::Null),
        ("key", "NetQueue/Properties/KmsMasterKeyId", json!({"Ref": "KmsKeyArn"})),
        ("key", "NetQueue/Properties/SqsManagedSseEnabled", json!(true)),
        ("key", "AlarmTopic/Properties/KmsMasterKeyId", Value::Null),
        ("key", "ApiLogs/Properties/KmsKeyId", Value::Null),
        ("key", "PollFunction/Properties/KmsKeyArn", json!({"Ref": "KmsKeyArn"})),
        ("key", &format!("PollRole/Properties/{document}/1/Fn::If/0"), json!("HasAlarmEmail")),
        ("key", &format!("RetryRole/Properties/{document}/1/Fn::If/1/Action/1"), json!("kms:CreateGrant")),
        ("key", &format!("PublishRole/Properties/{document}/1/Fn::If/1/Action"), json!("sns:Publish")),
        (
            "key",
            "NetQueuePolicy/Properties/PolicyDocument/Statement/0/Principal/Service",
            json!("events.amazonaws.com"),
        ),
        ("key", "TooLargeMetric/Type", json!("AWS::Kinesis::Stream")),
        ("roles", &format!("WebhookRole/Properties/{document}/4/Action/0"), json!("dynamodb:*")),
        ("roles", &format!("WebhookRole/Properties/{document}/4/Resource"), json!("*")),
        ("roles", &format!("WebhookRole/Properties/{document}/4/Condition"), Value::Null),
        ("roles", &format!("RetryRole/Properties/{document}/5/Condition"), Value::Null),
        ("roles", &format!("WebhookRole/Properties/{document}/8/Resource/0"), json!({"Fn::Sub": "${Bucket.Arn}/*"})),
        ("roles", &format!("PollRole/Properties/{document}/2/Fn::If/0"), json!("HasKmsKey")),
        ("roles", &format!("PollRole/Properties/{document}/2/Fn::If/1/Action/1"), json!("xray:GetTraceSummaries")),
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
        ("domain", "Domain/Properties/DomainNameConfigurations/0/SecurityPolicy", json!("TLS_1_0")),
        ("domain", "DomainMapping/Properties/Stage", json!("prod")),
        ("domain", "DomainRecord/Condition", json!("HasDomain")),
        ("domain", "DomainRecord/Properties/AliasTarget/HostedZoneId", json!({"Ref": "HostedZoneId"})),
        ("domain", "Api/Properties/DisableExecuteApiEndpoint", json!(true)),
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
        ("parts", "PollQueuePolicy/Condition", Value::Null),
        ("parts", "PollAgeAlarm/Condition", json!("UseSes")),
        ("parts", "PublishFunction/Condition", json!("Polls")),
        ("released", "Table", Value::Null),
        ("released", "Table/Properties/TableName", json!("postern")),
        ("released", "Table/Properties/KeySchema/1/AttributeName", json!("sort")),
        ("released", "Table/Properties/GlobalSecondaryIndexes", json!([])),
        ("released", "Table/Properties/GlobalSecondaryIndexes/2/Projection/NonKeyAttributes/3", json!("tags")),
        ("released", "Table/Properties/GlobalSecondaryIndexes/3/IndexName", json!("gsi5")),
        ("released", "Table/Properties/AttributeDefinitions/2/AttributeType", json!("N")),
        ("released", "Table/Properties/StreamSpecification/StreamViewType", json!("NEW_IMAGE")),
        ("released", "Table/Condition", json!("Polls")),
        ("released", "Table/DeletionPolicy", json!("Delete")),
        ("released", "Bucket/Type", json!("AWS::S3Express::DirectoryBucket")),
        ("released", "Bucket/Properties/BucketName", json!("postern")),
        ("released", "Bucket/UpdateReplacePolicy", Value::Null),
        ("released", "MasterSecret/Properties/GenerateSecretString/PasswordLength", json!(65)),
        ("released", "MasterSecret/Properties/Name", json!("postern")),
        ("released", "OperatorSecret", Value::Null),
        ("released", "OperatorSecret/Properties/SecretString", json!("{ }")),
        ("released", "RetryQueue/Properties/QueueName", json!("retry")),
        ("released", "DeadQueue/Properties/FifoQueue", json!(true)),
        ("released", "EventsTopic/Properties/TopicName", json!("events")),
        ("released", "ReceiptSubscription/Properties/Protocol", json!("lambda")),
        ("released", "RetryLogs/Properties/LogGroupName", json!("/postern/retry")),
        ("released", "ReceiptRuleSet/Properties/RuleSetName", json!("postern")),
        ("released", "ReceiptRule/Properties/Rule/Name", json!("postern")),
        ("released", "Api/Properties/StageName", json!("prod")),
        ("released", "Domain/Properties/DomainName", json!("hooks.example.com")),
        ("released", "DomainMapping", Value::Null),
        ("released", "DomainRecord/Properties/HostedZoneId", json!("Z1")),
        ("alarms", "ParkedAlarm", Value::Null),
        ("alarms", "ServerErrorsAlarm/Properties/AlarmActions", Value::Null),
        ("alarms", "UnaccountedAlarm/Properties/Dimensions", json!([{"Name": "Stack", "Value": "x"}])),
        ("alarms", "UnaccountedAlarm/Properties/Dimensions", Value::Null),
        ("alarms", "ParkedAlarm/Properties/MetricName", json!("Parking")),
        ("alarms", "TooLargeMetric/Properties/MetricTransformations/0/Dimensions", Value::Null),
        ("alarms", "LateAlarm/Properties/Metrics/1/MetricStat/Metric/MetricName", json!("Mails")),
        ("alarms", "FailuresAlarm/Properties/Threshold", json!(1)),
        ("alarms", "ParseFailuresAlarm/Properties/Metrics/0/Expression", json!("100 * unread / mails")),
        ("alarms", "WebhookLatencyAlarm/Properties/Metrics/1/MetricStat/Stat", json!("p50")),
        ("alarms", "WebhookLatencyAlarm/Properties/Metrics/0/Expression", json!("p95")),
        ("alarms", "DeadLettersAlarm/Properties/Metrics/0/Expression", json!("visible")),
        ("alarms", "PollErrorsAlarm/Properties/TreatMissingData", json!("notBreaching")),
        ("alarms", "WaitingAlarm", Value::Null),
        ("dashboard", "Dashboard/Properties/DashboardBody/Fn::Sub", json!("{\"widgets\": []}")),
        ("dashboard", "Dashboard/Properties/DashboardBody/Fn::Sub", json!("{")),
        ("dashboard", "Dashboard/Properties/DashboardName", json!("postern")),
    ]
    .into_iter()
    .map(|(check, pointer, value)| (check, format!("/Resources/{pointer}"), value))
    .chain([
        ("key", "/Globals/Function/KmsKeyArn".to_owned(), Value::Null),
        ("key", "/Parameters/KmsKeyArn/Default".to_owned(), json!("arn")),
        ("domain", "/Outputs/DomainTarget/Condition".to_owned(), Value::Null),
        ("domain", "/Outputs/PostmarkUrl/Value/Fn::If/1".to_owned(), json!({"Fn::Sub": "https://${DomainName}"})),
        ("domain", "/Outputs/ApiUrl/Value".to_owned(), json!({"Fn::Sub": "https://${DomainName}"})),
        ("released", "/Parameters/TicketPrefix/Default".to_owned(), json!("TCK")),
        ("released", "/Parameters/RawDays/Default".to_owned(), json!(365)),
        ("released", "/Parameters/MailDomain".to_owned(), Value::Null),
        ("released", "/Parameters/HeldDays/Type".to_owned(), json!("String")),
        ("released", "/Parameters/ReplyMode/AllowedValues/1".to_owned(), json!("tag")),
        ("released", "/Parameters/Owner".to_owned(), json!({"Type": "String", "Description": "Who looks after it"})),
        ("released", "/Outputs/EventsTopicArn".to_owned(), Value::Null),
        ("released", "/Outputs/TableName/Condition".to_owned(), json!("UseSes")),
        ("parts", "/Conditions/Polls".to_owned(), json!({"Fn::Equals": [{"Ref": "EnableImap"}, "false"]})),
        ("parts", "/Parameters/EnableImap/Default".to_owned(), json!("false")),
        ("parameters", "/Parameters/EnableImap".to_owned(), Value::Null),
        ("rules", "/Rules/DomainAndCertificate".to_owned(), Value::Null),
        ("rules", "/Rules/ZoneOfTheDomain/Assertions".to_owned(), json!([])),
        ("rules", "/Rules/RuleSetWithoutSes/RuleCondition".to_owned(), Value::Null),
        ("rules", "/Rules/RuleSetWithoutSes/Assertions/0/AssertDescription".to_owned(), json!("no")),
        ("rules", "/Conditions/HasZone".to_owned(), json!({"Condition": "HasDomain"})),
        ("rules", "/Parameters/HostedZoneId/Default".to_owned(), json!("Z1")),
        ("outputs", "/Outputs/NetQueueUrl".to_owned(), Value::Null),
        ("outputs", "/Outputs/MasterSecretArn/Value".to_owned(), json!("{{resolve:secretsmanager:x}}")),
        ("outputs", "/Outputs/ActivateRuleSet/Value".to_owned(), json!("aws ses set-active-receipt-rule-set")),
        ("outputs", "/Outputs/MxRecord/Description".to_owned(), json!("The MX record of the mail domain.")),
        ("bucket", "/Parameters/RawDays/Default".to_owned(), json!(30)),
        ("bucket", "/Conditions/KeepsAttachments".to_owned(), Value::Null),
        ("functions", "/Parameters/Architecture/Default".to_owned(), json!("x86_64")),
        ("functions", "/Globals/Function/Tracing".to_owned(), json!("Active")),
        ("functions", "/Parameters/Tracing/Default".to_owned(), json!("true")),
        ("functions", "/Conditions/Traces".to_owned(), json!({"Fn::Equals": [{"Ref": "Tracing"}, "false"]})),
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

/// What `checkov` is told not to look at (`scripts/e2e.sh` runs it): a known few, each with its reason beside the resource.
#[test]
fn exceptions_are_few_and_have_a_reason() {
    let text = file("template.yaml");
    let skips: Vec<(&str, &str)> =
        text.lines().filter_map(|line| line.split_once("checkov:skip=")?.1.split_once(':')).collect();
    assert_eq!(skips.len(), text.matches("checkov:skip").count(), "an exception without a reason");
    let mut ids: Vec<&str> = skips.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    let of_functions = ["CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117"].map(|id| [id; 5]);
    assert_eq!(ids, [&of_functions.concat()[..], &["CKV_AWS_119", "CKV_AWS_18", "CKV_AWS_21"]].concat());
    for (id, reason) in skips {
        assert!(reason.len() > 40, "{id}: {reason}");
    }
}

/// `sam deploy` tags what it makes, so that the bill can be read; docs/OPERATIONS.md says how.
#[test]
fn what_is_deployed_can_be_found_on_the_bill() {
    let settings = file("samconfig.toml");
    let deploy = settings.split("[default.deploy.parameters]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let tags = "tags = \"Application=postern";
    assert!(deploy.lines().any(|line| line.starts_with(tags)), "{deploy}");
    assert!(file("docs/OPERATIONS.md").contains(tags));
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
