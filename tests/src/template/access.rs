//! Who may do what, and who may reach what.

use serde_json::{Value, json};

use super::stack::{Stack, entries, list, shown};

/// The types of resources that hold a policy about themselves.
pub(super) const RESOURCE_POLICIES: [&str; 3] =
    ["AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"];

/// No role may do everything, or do something everywhere.
pub(super) fn roles_name_what_they_may(stack: &Stack) -> Vec<String> {
    let mut faults = Vec::new();
    for role in stack.of_type("AWS::IAM::Role") {
        if !stack.properties(role)["ManagedPolicyArns"].is_null() {
            faults.push(format!("{role} has managed policies, which hold `*`"));
        }
    }
    for (role, condition, statement) in stack.rights() {
        if !traces(condition, statement) {
            faults.extend(too_wide(statement).map(|what| format!("{role}: {what}")));
        }
    }
    faults
}

/// The one right on any resource: AWS knows none for these actions, and it is there only where tracing is asked for.
fn traces(condition: Option<&str>, statement: &Value) -> bool {
    condition == Some("Traces")
        && statement["Action"] == json!(["xray:PutTraceSegments", "xray:PutTelemetryRecords"])
        && statement["Resource"] == "*"
}

/// All streams that the table has or had.
const STREAMS: &str = "${Table.Arn}/stream/*";

/// Resolved tickets of any queue: queues are the settings' own words.
const RESOLVED: &str = "*#resolved#*";

fn too_wide(statement: &Value) -> Option<String> {
    let actions = list(&statement["Action"]);
    if actions.is_empty() || !statement["NotAction"].is_null() || !statement["NotResource"].is_null() {
        return Some(format!("{statement} is not written as actions on resources"));
    }
    if let Some(action) = actions.iter().find(|action| shown(action).contains('*')) {
        return Some(format!("action {action}"));
    }
    // A star stands only behind a prefix of our bucket, or for the streams of our table, whose names hold a time.
    let named = |resource: &Value| {
        let text = shown(resource);
        if text == STREAMS {
            return actions.iter().all(|action| shown(action) == "dynamodb:ListStreams");
        }
        let prefix = text.strip_prefix("${Bucket.Arn}/").and_then(|rest| rest.strip_suffix("/*"));
        !text.is_empty() && (!text.contains('*') || prefix.is_some_and(|prefix| !prefix.contains('*')))
    };
    let resources = list(&statement["Resource"]);
    if resources.is_empty() || !resources.iter().all(|resource| named(resource)) {
        return Some(format!("resource {}", statement["Resource"]));
    }
    let table = actions.iter().any(|action| shown(action).starts_with("dynamodb:"));
    let of_stream = |text: &str| text == "Table.StreamArn" || text == STREAMS;
    let stream = resources.iter().all(|resource| of_stream(&shown(resource)));
    let keys = list(&statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]);
    let open = keys.is_empty() || keys.iter().any(|key| shown(key).starts_with('*') && shown(key) != RESOLVED);
    (table && !stream && open).then(|| format!("{} on any key", statement["Action"]))
}

/// What each function may, as one text: what `reach` looks into.
pub(super) fn rights(stack: &Stack) -> String {
    let mut lines = Vec::new();
    for (role, _, statement) in stack.rights() {
        let joined = |value: &Value| list(value).into_iter().map(shown).collect::<Vec<_>>().join(" ");
        let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
        let keys = if keys.is_null() { String::new() } else { format!("  keys {}", joined(keys)) };
        let action = joined(&statement["Action"]);
        lines.push(format!("{role}: {action}  on {}{keys}", joined(&statement["Resource"])));
    }
    lines.sort();
    lines.join("\n")
}

/// Nobody outside is let in but the service that the policy names, for the one resource of ours that it comes from.
pub(super) fn outsiders_are_named(stack: &Stack) -> Vec<String> {
    let mut faults = Vec::new();
    for kind in RESOURCE_POLICIES {
        for policy in stack.of_type(kind) {
            let statements = Stack::statements(&stack.properties(policy)["PolicyDocument"]);
            let tls = |statement: &&Value| {
                let insecure = statement["Condition"]["Bool"] == json!({"aws:SecureTransport": "false"});
                statement["Effect"] == "Deny" && statement["Principal"] == "*" && insecure
            };
            if !statements.iter().any(tls) {
                faults.push(format!("{policy} lets plain text through"));
            }
            for allowed in statements.iter().filter(|statement| statement["Effect"] == "Allow") {
                let service = allowed["Principal"]["Service"].is_string();
                let conditions = allowed["Condition"].to_string();
                let ours = conditions.contains("aws:SourceArn") || conditions.contains("aws:SourceAccount");
                let star = list(&allowed["Action"]).iter().any(|action| shown(action).contains('*'));
                if !service || !ours || star {
                    faults.push(format!("{policy}: {} lets in whom it should not", allowed["Sid"]));
                }
            }
        }
    }
    for (kind, policies) in
        [("AWS::SQS::Queue", "Queues"), ("AWS::SNS::Topic", "Topics"), ("AWS::S3::Bucket", "Bucket")]
    {
        for resource in stack.of_type(kind) {
            let kinds = RESOURCE_POLICIES.iter().flat_map(|kind| stack.of_type(kind));
            let mut covered = kinds.flat_map(|policy| list(&stack.properties(policy)[policies]));
            if !covered.any(|name| shown(name) == resource) {
                faults.push(format!("{resource} has no policy"));
            }
        }
    }
    faults
}

/// What SES does here: it scans, writes to its own prefix, tells the topic; the policies that it needs come first and
/// name its rule without referring to it.
pub(super) fn ses_rule_is_whole(stack: &Stack) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |what: &str, holds: bool| {
        if !holds {
            faults.push(format!("receipt rule: {what}"));
        }
    };
    let rule = &stack.properties("ReceiptRule")["Rule"];
    let action = &rule["Actions"][0]["S3Action"];
    expect("it is enabled and scans", rule["Enabled"] == true && rule["ScanEnabled"] == true);
    expect(
        "it writes under raw/ses/",
        action["ObjectKeyPrefix"] == "raw/ses/" && shown(&action["BucketName"]) == "Bucket",
    );
    expect("it tells the topic", shown(&action["TopicArn"]) == "ReceiptTopic");
    expect("no encryption that Rust cannot undo", action["KmsKeyArn"].is_null());
    expect("its name is fixed", shown(&rule["Name"]) == "${AWS::StackName}-inbound");
    expect("it is made on demand", stack.at("/Resources/ReceiptRule/Condition") == "UseSes");
    let before = list(stack.at("/Resources/ReceiptRule/DependsOn"));
    expect("its policies come first", before == [&json!("BucketPolicy"), &json!("ReceiptTopicPolicy")]);
    let own = stack.at("/Resources/ReceiptRuleSet/Condition");
    expect("a rule set is made only where none is named", own == "OwnRuleSet");
    for (policy, action, resource) in [
        ("BucketPolicy", "s3:PutObject", "${Bucket.Arn}/raw/ses/*"),
        ("ReceiptTopicPolicy", "sns:Publish", "ReceiptTopic"),
    ] {
        let statements = Stack::statements(&stack.properties(policy)["PolicyDocument"]);
        let ses = statements.iter().find(|statement| statement["Principal"]["Service"] == "ses.amazonaws.com");
        let ses = ses.map_or(Value::Null, |statement| (*statement).clone());
        let source = shown(&ses["Condition"]["ArnEquals"]["aws:SourceArn"]);
        let names = ":receipt-rule-set/${RuleSet}:receipt-rule/${AWS::StackName}-inbound";
        expect(&format!("{policy} names the rule"), source.ends_with(names));
        let same = ses["Action"] == action && shown(&ses["Resource"]) == resource;
        expect(&format!("{policy} lets it do just that"), same);
    }
    faults
}

/// Nothing waits for itself.
pub(super) fn no_cycles(stack: &Stack) -> Vec<String> {
    let mut open: Vec<&str> = entries(stack.at("/Resources")).map(|(name, _)| name).collect();
    loop {
        let waits = |name: &&str| stack.dependencies(name).iter().any(|other| open.contains(&other.as_str()));
        let left: Vec<&str> = open.iter().copied().filter(|name| waits(name)).collect();
        if left.is_empty() {
            return Vec::new();
        }
        if left.len() == open.len() {
            return vec![format!("these wait for one another: {}", left.join(", "))];
        }
        open = left;
    }
}

/// Outputs have the names that `postern --stack` reads; none holds a secret.
pub(super) fn outputs_are_named_and_public(stack: &Stack) -> Vec<String> {
    const NAMES: [&str; 17] = [
        "ActivateRuleSet",
        "ApiUrl",
        "BucketName",
        "DashboardUrl",
        "DeadQueueUrl",
        "DomainTarget",
        "EventsTopicArn",
        "MailgunUrl",
        "MasterSecretArn",
        "MxRecord",
        "NetQueueUrl",
        "OperatorSecretArn",
        "PostmarkUrl",
        "ReceiptQueueUrl",
        "ReceiptRuleSet",
        "RetryQueueUrl",
        "TableName",
    ];
    let outputs = stack.at("/Outputs");
    let mut found: Vec<&str> = entries(outputs).map(|(name, _)| name).collect();
    found.sort_unstable();
    let mut faults = Vec::new();
    if found != NAMES {
        faults.push(format!("the outputs are {found:?}"));
    }
    for (name, output) in entries(outputs) {
        let value = output["Value"].to_string();
        if value.contains("resolve:") || value.contains("SecretString") {
            faults.push(format!("output {name} shows a secret: {value}"));
        }
        if output["Description"].as_str().is_none_or(|text| text.len() < 20) {
            faults.push(format!("output {name} does not say what to do with it"));
        }
    }
    let said = |name: &str, word: &str| outputs[name]["Description"].as_str().is_some_and(|text| text.contains(word));
    if !shown(&outputs["ActivateRuleSet"]["Value"]).starts_with("aws ses describe-active-receipt-rule-set") {
        faults.push("activating does not begin with a look at what is active".to_owned());
    }
    if !said("ActivateRuleSet", "switches the old one off") || !said("MxRecord", "takes all mail") {
        faults.push("a warning is missing".to_owned());
    }
    faults
}
