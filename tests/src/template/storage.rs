//! What keeps the data, and what must survive the stack.

use serde_json::{Value, json};

use super::stack::{Stack, entries, list};

/// The table is the one that the local engine has: keys, indexes, projections, stream.
pub(super) fn table_is_the_local_one(stack: &Stack) -> Vec<String> {
    let mut wanted = postern_cli::engines::table_definition();
    let mut found = stack.properties("Table").clone();
    let only = |table: &mut Value, kept: &[&str]| {
        if let Some(members) = table.as_object_mut() {
            members.retain(|name, _| kept.contains(&name.as_str()));
        }
    };
    let shape = ["AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "StreamSpecification"];
    only(&mut wanted, &shape);
    only(&mut found, &shape);
    // CloudFormation has no StreamEnabled: a view type says it.
    only(&mut wanted["StreamSpecification"], &["StreamViewType"]);
    let differ = |name: &&&str| wanted[**name] != found[**name];
    let told = |name: &&str| format!("the table's {name} is {} and locally {}", found[*name], wanted[*name]);
    shape.iter().filter(differ).map(told).collect()
}

/// What is lost with a stack is not the mail: retained, protected, recoverable.
pub(super) fn data_survives(stack: &Stack) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |pointer: &str, wanted: Value| {
        let found = stack.at(pointer);
        if *found != wanted {
            faults.push(format!("{pointer} is {found}, not {wanted}"));
        }
    };
    for resource in ["Table", "Bucket", "MasterSecret", "OperatorSecret"] {
        expect(&format!("/Resources/{resource}/DeletionPolicy"), json!("Retain"));
        expect(&format!("/Resources/{resource}/UpdateReplacePolicy"), json!("Retain"));
    }
    let table = "/Resources/Table/Properties";
    expect(&format!("{table}/DeletionProtectionEnabled"), json!(true));
    expect(&format!("{table}/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled"), json!(true));
    expect(&format!("{table}/TimeToLiveSpecification"), json!({"AttributeName": "expires_at", "Enabled": true}));
    // A generated name: one that was retained must not stand in the way of a new stack.
    expect(&format!("{table}/TableName"), Value::Null);
    faults
}

/// A rule that is there unless a condition holds: condition, prefix, parameter of the days.
fn asked(branches: &[Value]) -> String {
    match branches {
        [condition, nothing, rule] if *nothing == json!({"Ref": "AWS::NoValue"}) && rule["Status"] == "Enabled" => {
            let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            [word(condition), word(&rule["Prefix"]), word(&rule["ExpirationInDays"]["Ref"])].join(" ")
        }
        other => format!("{other:?}"),
    }
}

/// The bucket is private and encrypted, and expires nothing that a ticket refers to.
pub(super) fn bucket_is_private_and_keeps_mail(stack: &Stack) -> Vec<String> {
    let bucket = stack.properties("Bucket");
    let mut faults = Vec::new();
    for flag in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
        if bucket["PublicAccessBlockConfiguration"][flag] != true {
            faults.push(format!("the bucket's {flag} is not set"));
        }
    }
    if bucket.pointer("/BucketEncryption/ServerSideEncryptionConfiguration/0").is_none() {
        faults.push("the bucket is not encrypted".to_owned());
    }
    let rules = list(&bucket["LifecycleConfiguration"]["Rules"]);
    let mut expiring = Vec::new();
    for rule in &rules {
        let expires = entries(rule).any(|(name, _)| name.contains("Expiration"));
        if expires && rule["Status"] == "Enabled" {
            expiring.push(rule["Prefix"].as_str().unwrap_or_default());
        }
    }
    // What holds mail ends only where somebody has said after how many days.
    let asked: Vec<String> =
        rules.iter().filter_map(|rule| rule["Fn::If"].as_array()).map(|rule| asked(rule)).collect();
    if asked != ["KeepsRaw raw/ RawDays", "KeepsRaw accept/ RawDays", "KeepsAttachments attachments/ AttachmentDays"] {
        faults.push(format!("objects expire on conditions {asked:?}"));
    }
    for (condition, parameter) in [("KeepsRaw", "RawDays"), ("KeepsAttachments", "AttachmentDays")] {
        let keeps = stack.at(&format!("/Conditions/{condition}"));
        if *keeps != json!({"Fn::Equals": [{"Ref": parameter}, 0]})
            || stack.at(&format!("/Parameters/{parameter}/Default")) != &json!(0)
        {
            faults.push(format!("{condition} is not {parameter} = 0, by default"));
        }
    }
    if expiring != ["payload/", "aws/lambda/"] {
        faults.push(format!("objects expire under {expiring:?}"));
    }
    if !rules.iter().any(|rule| rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"].is_i64()) {
        faults.push("unfinished uploads are kept".to_owned());
    }
    faults
}

/// The master key has the form that `shared/src/secrets.rs` reads; the operator's secret is an empty object.
pub(super) fn secrets_are_of_the_read_form(stack: &Stack) -> Vec<String> {
    let generated = &stack.properties("MasterSecret")["GenerateSecretString"];
    let mut faults = Vec::new();
    let template: Value =
        serde_json::from_str(generated["SecretStringTemplate"].as_str().unwrap_or_default()).unwrap_or_default();
    let length = generated["PasswordLength"].as_i64().unwrap_or_default();
    if template != json!({"id": 1}) || generated["GenerateStringKey"] != "secret" || length < 64 {
        faults.push(format!("the master key is generated as {generated}"));
    }
    if stack.properties("OperatorSecret")["SecretString"] != "{}" {
        faults.push("the operator's secret does not start as an empty object".to_owned());
    }
    faults
}
