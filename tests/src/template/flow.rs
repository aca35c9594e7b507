//! The functions, what calls them, and what watches them.

use std::collections::{BTreeMap, BTreeSet};

use postern::config::{Config, Function};
use serde_json::{Value, json};

use super::stack::{Stack, entries, file, list, shown};

/// The functions by their resource.
const FUNCTIONS: [(&str, Function); 5] = [
    ("WebhookFunction", Function::Webhook),
    ("ReceiptFunction", Function::Receipt),
    ("RetryFunction", Function::Retry),
    ("PublishFunction", Function::Publish),
    ("PollFunction", Function::Poll),
];

/// What a function reads beside what it requires.
fn optional(function: Function) -> &'static [&'static str] {
    match function {
        Function::Webhook => &[
            "POSTERN_AWS_ENDPOINT",
            "POSTERN_STACK",
            "POSTERN_PREFIX",
            "POSTERN_NUMBER_YEAR",
            "POSTERN_REPLY_MODE",
            "POSTERN_RAW_DAYS",
            "POSTERN_HELD_DAYS",
            "POSTERN_LEDGER_DAYS",
            "POSTERN_MAILGUN_SPAM_FIELDS",
            "POSTERN_POSTMARK_SPAM_FIELDS",
            "POSTERN_SENDGRID_SPAM_FIELDS",
            "POSTERN_SNS_TOPICS",
        ],
        Function::Receipt | Function::Poll => &[
            "POSTERN_AWS_ENDPOINT",
            "POSTERN_STACK",
            "POSTERN_PREFIX",
            "POSTERN_NUMBER_YEAR",
            "POSTERN_REPLY_MODE",
            "POSTERN_RAW_DAYS",
            "POSTERN_HELD_DAYS",
            "POSTERN_LEDGER_DAYS",
        ],
        Function::Retry => &[
            "POSTERN_AWS_ENDPOINT",
            "POSTERN_STACK",
            "POSTERN_PREFIX",
            "POSTERN_NUMBER_YEAR",
            "POSTERN_REPLY_MODE",
            "POSTERN_RAW_DAYS",
            "POSTERN_HELD_DAYS",
            "POSTERN_LEDGER_DAYS",
            "POSTERN_MAILGUN_SPAM_FIELDS",
            "POSTERN_MAILGUN_DOMAINS",
            "POSTERN_MAILGUN_REGION",
        ],
        Function::Publish => &["POSTERN_AWS_ENDPOINT", "POSTERN_STACK"],
    }
}

/// What a variable must refer to.
const MEANINGS: [(&str, &str); 24] = [
    ("POSTERN_STACK", "AWS::StackName"),
    ("POSTERN_TABLE", "Table"),
    ("POSTERN_BUCKET", "Bucket"),
    ("POSTERN_MASTER_SECRET", "MasterSecret"),
    ("POSTERN_OPERATOR_SECRET", "OperatorSecret"),
    ("POSTERN_RETRY_QUEUE", "RetryQueue"),
    ("POSTERN_RECEIPT_QUEUE", "ReceiptQueue"),
    ("POSTERN_NET_QUEUE", "NetQueue"),
    ("POSTERN_DEAD_QUEUE", "DeadQueue"),
    ("POSTERN_POLL_QUEUE", "PollQueue"),
    ("POSTERN_EVENTS_TOPIC", "EventsTopic"),
    ("POSTERN_ADDRESS", "Address"),
    ("POSTERN_PREFIX", "TicketPrefix"),
    ("POSTERN_NUMBER_YEAR", "NumberYear"),
    ("POSTERN_REPLY_MODE", "ReplyMode"),
    ("POSTERN_RAW_DAYS", "RawDays"),
    ("POSTERN_HELD_DAYS", "HeldDays"),
    ("POSTERN_LEDGER_DAYS", "LedgerDays"),
    ("POSTERN_MAILGUN_SPAM_FIELDS", "MailgunSpamFields"),
    ("POSTERN_POSTMARK_SPAM_FIELDS", "PostmarkSpamFields"),
    ("POSTERN_SENDGRID_SPAM_FIELDS", "SendgridSpamFields"),
    ("POSTERN_SNS_TOPICS", "SnsTopics"),
    ("POSTERN_MAILGUN_DOMAINS", "MailgunDomains"),
    ("POSTERN_MAILGUN_REGION", "MailgunRegion"),
];

/// Each function is given what it asks for and nothing else, and could start with it.
pub(super) fn functions_get_their_variables(stack: &Stack) -> Vec<String> {
    let mut faults = Vec::new();
    let everywhere = stack.at("/Globals/Function/Environment/Variables");
    for (resource, function) in FUNCTIONS {
        let own = &stack.properties(resource)["Environment"]["Variables"];
        let given: BTreeMap<&str, &Value> = entries(everywhere).chain(entries(own)).collect();
        let names: BTreeSet<&str> = given.keys().copied().collect();
        let wanted: BTreeSet<&str> = function.requires().iter().chain(optional(function)).copied().collect();
        for name in wanted.symmetric_difference(&names) {
            faults.push(format!("{resource} and its template do not agree on {name}"));
        }
        for (name, value) in &given {
            let meant = MEANINGS.iter().find(|(variable, _)| variable == name).map_or("", |(_, meant)| *meant);
            if shown(value) != meant {
                faults.push(format!("{resource}: {name} is {value}, not {meant:?}"));
            }
        }
        if let Err(error) = Config::read(function, |name| started(stack, &given, name)) {
            faults.push(format!("{resource} would not start: {error}"));
        }
    }
    faults
}

/// A variable as the function sees it: a parameter's default, else something that stands for the resource.
fn started(stack: &Stack, given: &BTreeMap<&str, &Value>, name: &str) -> Option<String> {
    if name.starts_with("AWS_") && !name.starts_with("AWS_ENDPOINT_URL") {
        return Some("given by Lambda".to_owned());
    }
    let meant = shown(given.get(name)?);
    let default = match stack.at(&format!("/Parameters/{meant}/Default")) {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    Some(match (default, meant.as_str()) {
        (Some(default), _) => default,
        (None, "Address") => "support@example.com".to_owned(),
        (None, resource) => resource.to_owned(),
    })
}

/// As `sam build` needs them, with roles written out and without claims on the account's concurrency.
pub(super) fn functions_are_built_and_bounded(stack: &Stack) -> Vec<String> {
    let mut faults = Vec::new();
    let globals = stack.at("/Globals/Function");
    let wanted =
        json!({"Runtime": "provided.al2023", "Handler": "bootstrap", "Architectures": [{"Ref": "Architecture"}]});
    for (name, value) in entries(&wanted) {
        if globals[name] != *value {
            faults.push(format!("all functions: {name} is {}", globals[name]));
        }
    }
    let traced = json!({"Fn::If": ["Traces", "Active", "PassThrough"]});
    let asked = stack.at("/Conditions/Traces") == &json!({"Fn::Equals": [{"Ref": "Tracing"}, "true"]});
    if stack.at("/Parameters/Tracing/Default") != "false" || globals["Tracing"] != traced || !asked {
        faults.push("traced, or not where it is asked for".to_owned());
    }
    if stack.at("/Parameters/Architecture/Default") != "arm64" {
        faults.push("not arm64 by default".to_owned());
    }
    let mut names: Vec<&str> = stack.of_type("AWS::Serverless::Function");
    names.sort_unstable();
    let mut known = FUNCTIONS.map(|(resource, _)| resource);
    known.sort_unstable();
    if names != known {
        faults.push(format!("the functions are {names:?}"));
    }
    for resource in names {
        let properties = stack.properties(resource);
        let folder = properties["CodeUri"].as_str().unwrap_or_default();
        let crate_name = format!("postern-{}", folder.trim_start_matches("functions/"));
        let metadata = stack.at(&format!("/Resources/{resource}/Metadata"));
        let build = json!({"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": crate_name}});
        if *metadata != build || !file(&format!("{folder}/Cargo.toml")).contains(&format!("name = \"{crate_name}\"")) {
            faults.push(format!("{resource} is not built from {folder} as {crate_name}"));
        }
        // SAM makes no role and attaches no managed policy where one is given.
        let role = shown(&properties["Role"]);
        if !role.strip_suffix(".Arn").is_some_and(|role| stack.of_type("AWS::IAM::Role").contains(&role)) {
            faults.push(format!("{resource} has no role of its own: {role}"));
        }
        for name in ["Policies", "ReservedConcurrentExecutions", "ManagedPolicyArns"] {
            if !properties[name].is_null() {
                faults.push(format!("{resource} has {name}"));
            }
        }
        let logs = shown(&properties["LoggingConfig"]["LogGroup"]);
        if shown(&stack.properties(&logs)["RetentionInDays"]) != "LogRetentionDays" {
            faults.push(format!("{resource} logs into {logs:?}, which does not expire"));
        }
    }
    let webhook = stack.properties("WebhookFunction");
    if webhook["Timeout"].as_i64().is_none_or(|seconds| seconds > 29) {
        faults.push("the webhook answers later than API Gateway waits".to_owned());
    }
    let route = &webhook["Events"]["Everything"]["Properties"];
    if !route["Path"].is_null() || !route["Method"].is_null() || route["PayloadFormatVersion"] != "2.0" {
        faults.push("the route is not $default with payload format 2.0".to_owned());
    }
    faults
}

/// Each queue is worked off one message at a time by one function, long enough invisible, and what cannot be digested
/// ends in the dead letter queue.
pub(super) fn queues_lose_nothing(stack: &Stack) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |what: String, holds: bool| {
        if !holds {
            faults.push(what);
        }
    };
    let mut consumers: BTreeMap<String, i64> = BTreeMap::new();
    for (resource, _) in FUNCTIONS {
        let function = stack.properties(resource);
        for (event, source) in entries(&function["Events"]).filter(|(_, event)| event["Type"] == "SQS") {
            let source = &source["Properties"];
            let queue = shown(&source["Queue"]).trim_end_matches(".Arn").to_owned();
            let twice = consumers.insert(queue, function["Timeout"].as_i64().unwrap_or(i64::MAX / 6)).is_some();
            expect(format!("{resource}.{event}: its queue has another consumer"), !twice);
            expect(format!("{resource}.{event}: batch of one"), source["BatchSize"] == 1);
            let partial = source["FunctionResponseTypes"] == json!(["ReportBatchItemFailures"]);
            expect(format!("{resource}.{event}: partial batch responses"), partial);
            let bound = shown(&source["ScalingConfig"]["MaximumConcurrency"]) == "QueueConcurrency";
            expect(format!("{resource}.{event}: bounded concurrency"), bound);
        }
    }
    let dead = json!({"Fn::GetAtt": ["DeadQueue", "Arn"]});
    for queue in stack.of_type("AWS::SQS::Queue") {
        let properties = stack.properties(queue);
        let timeout = consumers.get(queue).copied();
        expect(format!("{queue}: nobody works it off"), timeout.is_some());
        let visible = properties["VisibilityTimeout"].as_i64().unwrap_or_default();
        expect(format!("{queue}: invisible for six timeouts"), visible >= 6 * timeout.unwrap_or_default());
        expect(format!("{queue}: keeps for 14 days"), properties["MessageRetentionPeriod"] == 1_209_600);
        let redrive = &properties["RedrivePolicy"];
        let whole = redrive["deadLetterTargetArn"] == dead && redrive["maxReceiveCount"] == 100;
        let right = if queue == "DeadQueue" { redrive.is_null() } else { whole };
        expect(format!("{queue}: redrive policy {redrive}"), right);
    }
    expect("the net is 15 minutes late".to_owned(), stack.properties("NetQueue")["DelaySeconds"] == 900);
    let subscription = stack.properties("ReceiptSubscription");
    expect(
        "the subscription has dead letters".to_owned(),
        subscription["RedrivePolicy"]["deadLetterTargetArn"] == dead,
    );
    expect("it feeds the receipt queue".to_owned(), shown(&subscription["Endpoint"]) == "ReceiptQueue.Arn");
    let direct = &stack.properties("ReceiptFunction")["EventInvokeConfig"]["DestinationConfig"]["OnFailure"];
    expect("direct calls have dead letters".to_owned(), direct["Destination"] == dead);
    let told = &stack.properties("Bucket")["NotificationConfiguration"]["QueueConfigurations"][0];
    let raw = told["Filter"]["S3Key"]["Rules"] == json!([{"Name": "prefix", "Value": "raw/"}]);
    expect("every raw object is told to the net".to_owned(), raw && shown(&told["Queue"]) == "NetQueue.Arn");
    let least = stack.at("/Parameters/QueueConcurrency/MinValue").as_i64();
    expect("AWS takes no concurrency below 2".to_owned(), least == Some(2));
    faults
}

/// The stream tells what is due and nothing else; a record that fails blocks its shard for a while only.
pub(super) fn stream_cannot_be_blocked(stack: &Stack) -> Vec<String> {
    let source = &stack.properties("PublishFunction")["Events"]["Due"];
    let properties = &source["Properties"];
    let mut faults = Vec::new();
    let mut expect = |what: &str, holds: bool| {
        if !holds {
            faults.push(format!("stream: {what}"));
        }
    };
    let from_table = source["Type"] == "DynamoDB" && shown(&properties["Stream"]) == "Table.StreamArn";
    expect("it is the table's", from_table && properties["StartingPosition"] == "TRIM_HORIZON");
    expect("it bisects", properties["BisectBatchOnFunctionError"] == true);
    let partial = properties["FunctionResponseTypes"] == json!(["ReportBatchItemFailures"]);
    expect("it takes partial batch responses", partial);
    expect("one batch per shard", properties["ParallelizationFactor"] == 1);
    // Without it, or with -1, a record is tried for the 24 hours that it lives.
    let tries = properties["MaximumRetryAttempts"].as_i64().is_some_and(|tries| (1..=100).contains(&tries));
    expect("it gives up", tries);
    // 60 is the least that AWS takes; a stream keeps a record for a day.
    let age = properties["MaximumRecordAgeInSeconds"].as_i64().is_some_and(|age| (60..86_400).contains(&age));
    expect("it gives up before the stream forgets", age);
    let failed = &properties["DestinationConfig"]["OnFailure"];
    expect(
        "what it gives up is kept",
        *failed == json!({"Type": "S3", "Destination": {"Fn::GetAtt": ["Bucket", "Arn"]}}),
    );
    let pattern = properties.pointer("/FilterCriteria/Filters/0/Pattern").and_then(Value::as_str).unwrap_or_default();
    let wanted = json!({
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"NewImage": {"gsi4pk": {"S": [{"prefix": "outbox#"}]}}},
    });
    expect("it is filtered", serde_json::from_str::<Value>(pattern).ok() == Some(wanted));
    faults
}

/// Sweep, reconciliation and closing are called, by a role that may call nothing else, and do not stand in the way of a second
/// stack.
pub(super) fn sweep_is_scheduled(stack: &Stack) -> Vec<String> {
    let mut faults = Vec::new();
    for (function, role, name, rate, work) in [
        ("RetryFunction", "SweepRole", "Sweep", "rate(5 minutes)", "sweep"),
        ("RetryFunction", "SweepRole", "Reconcile", "rate(15 minutes)", "reconcile"),
        ("RetryFunction", "SweepRole", "Close", "rate(1 hour)", "close"),
        ("PollFunction", "PollScheduleRole", "Minute", "rate(1 minute)", "poll"),
    ] {
        let schedule = &stack.properties(function)["Events"][name];
        let properties = &schedule["Properties"];
        let input = properties["Input"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let every = properties["ScheduleExpression"] == rate && schedule["Type"] == "ScheduleV2";
        if !every || input != Some(json!({"work": work})) || properties["OmitName"] != true {
            faults.push(format!("{name} is {properties}"));
        }
        if shown(&properties["RoleArn"]) != format!("{role}.Arn") {
            faults.push(format!("{name} is not called by the schedules' role"));
        }
        let policies = &stack.properties(role)["Policies"];
        let statements: Vec<&Value> =
            list(policies).into_iter().flat_map(|policy| Stack::statements(&policy["PolicyDocument"])).collect();
        let called = format!("{function}.Arn");
        let only = |statement: &&Value| {
            statement["Action"] == "lambda:InvokeFunction" && shown(&statement["Resource"]) == called
        };
        if statements.len() != 1 || !statements.iter().all(only) {
            faults.push(format!("{role} may do more, or less, than call it"));
        }
    }
    faults
}

/// Every parameter is described, has a label and stands in one group of the console's form.
pub(super) fn parameters_are_explained(stack: &Stack) -> Vec<String> {
    let form = stack.at("/Metadata/AWS::CloudFormation::Interface");
    let groups = list(&form["ParameterGroups"]);
    let grouped: Vec<String> = groups.iter().flat_map(|group| list(&group["Parameters"])).map(shown).collect();
    let mut faults = Vec::new();
    for (name, parameter) in entries(stack.at("/Parameters")) {
        let described = parameter["Description"].as_str().is_some_and(|text| text.len() > 20);
        let labelled = form["ParameterLabels"][name]["default"].is_string();
        if !described || !labelled || grouped.iter().filter(|other| *other == name).count() != 1 {
            faults.push(format!("parameter {name} is not explained"));
        }
    }
    // `postern --stack` reads the mailbox from these.
    for name in [
        "Address",
        "TicketPrefix",
        "NumberYear",
        "ReplyMode",
        "EnableSes",
        "EnableImap",
        "ReceiptRuleSetName",
        "AlarmEmail",
    ] {
        if stack.at(&format!("/Parameters/{name}")).is_null() {
            faults.push(format!("there is no parameter {name}"));
        }
    }
    faults
}
