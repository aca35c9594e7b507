//! A key of the operator's: everything at rest follows it, and nobody may use it where there is none.

use serde_json::{Value, json};

use super::stack::{Stack, entries, file, list};

/// Where a resource says what it is encrypted with.
const PLACES: [(&str, &str); 5] = [
    ("AWS::SecretsManager::Secret", "KmsKeyId"),
    ("AWS::SQS::Queue", "KmsMasterKeyId"),
    ("AWS::SNS::Topic", "KmsMasterKeyId"),
    ("AWS::Logs::LogGroup", "KmsKeyId"),
    ("AWS::Serverless::Function", "KmsKeyArn"),
];

/// Every store is encrypted with the key where there is one, and as before where there is none. None of these
/// properties replaces its resource (`released.rs` has the list).
pub(super) fn everything_follows_the_key(stack: &Stack) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |pointer: &str, wanted: Value| {
        let found = stack.at(pointer);
        if *found != wanted {
            faults.push(format!("{pointer} is {found}, not {wanted}"));
        }
    };
    let key = json!({"Ref": "KmsKeyArn"});
    let either = |own: Value, other: Value| json!({"Fn::If": ["HasKmsKey", own, other]});
    let nothing = json!({"Ref": "AWS::NoValue"});
    expect("/Parameters/KmsKeyArn/Default", json!(""));
    expect("/Conditions/HasKmsKey", json!({"Fn::Not": [{"Fn::Equals": [key, ""]}]}));
    let table = json!({"SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": key});
    expect("/Resources/Table/Properties/SSESpecification", either(table, nothing.clone()));
    // Without a bucket key each object costs a call.
    let own = json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key});
    let own = json!({"BucketKeyEnabled": true, "ServerSideEncryptionByDefault": own});
    let other = json!({"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}});
    let rules = "/Resources/Bucket/Properties/BucketEncryption/ServerSideEncryptionConfiguration";
    expect(rules, json!([either(own, other)]));
    expect("/Globals/Function/KmsKeyArn", either(key.clone(), nothing.clone()));
    for (kind, property) in PLACES {
        for name in stack.of_type(kind) {
            let pointer = format!("/Resources/{name}/Properties/{property}");
            match kind {
                // All of them at once, above.
                "AWS::Serverless::Function" => expect(&pointer, Value::Null),
                _ => expect(&pointer, either(key.clone(), nothing.clone())),
            }
            // SQS takes one kind of encryption at a time.
            if kind == "AWS::SQS::Queue" {
                let managed = format!("/Resources/{name}/Properties/SqsManagedSseEnabled");
                expect(&managed, either(json!(false), json!(true)));
            }
        }
    }
    faults.extend(nothing_else_is_kept(stack));
    faults.extend(only_the_functions_use_it(stack));
    faults.extend(the_published_policy_lets_in_all(stack));
    faults
}

/// Setting, changing and emptying the parameter happens in place.
#[test]
fn the_key_replaces_nothing() {
    let others = [("AWS::DynamoDB::Table", "SSESpecification"), ("AWS::S3::Bucket", "BucketEncryption")];
    for (kind, property) in PLACES.into_iter().chain(others) {
        let replaced = super::released::REPLACED_FOR.iter().any(|(other, properties)| {
            *other == kind && properties.iter().any(|other| other.split('/').next() == Some(property))
        });
        assert!(!replaced, "{kind} is replaced for another {property}");
    }
}

/// Each function may use that key, no other, and none where none is named.
fn only_the_functions_use_it(stack: &Stack) -> Vec<String> {
    let mut faults = Vec::new();
    let of_key =
        |statement: &Value| list(&statement["Action"]).iter().any(|action| action.to_string().contains("kms:"));
    for role in stack.of_type("AWS::IAM::Role") {
        let rights = stack.rights();
        let uses: Vec<_> = rights.iter().filter(|(who, _, statement)| *who == role && of_key(statement)).collect();
        let right = |(_, condition, statement): &&(&str, Option<&str>, &Value)| {
            *condition == Some("HasKmsKey")
                && statement["Action"] == json!(["kms:Decrypt", "kms:GenerateDataKey"])
                && statement["Resource"] == json!({"Ref": "KmsKeyArn"})
        };
        let runs = stack
            .of_type("AWS::Serverless::Function")
            .into_iter()
            .any(|function| stack.properties(function)["Role"] == json!({"Fn::GetAtt": [role, "Arn"]}));
        if uses.len() != usize::from(runs) || !uses.iter().all(right) {
            faults.push(format!("{role} does not use just the key that is named: {uses:?}"));
        }
    }
    faults
}

/// The key policy in the guide names every service that works on our resources in its own name.
fn the_published_policy_lets_in_all(stack: &Stack) -> Vec<String> {
    let guide = file("docs/OPERATIONS.md");
    let section = guide.split("\n## A key of your own\n").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let text = section.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_default();
    let policy: Value = match serde_json::from_str(text) {
        Ok(policy) => policy,
        Err(error) => return vec![format!("docs/OPERATIONS.md has no key policy that reads: {error}")],
    };
    let services: Vec<&Value> =
        list(&policy["Statement"]).into_iter().flat_map(|statement| list(&statement["Principal"]["Service"])).collect();
    let mut wanted = vec![json!("logs.REGION.amazonaws.com")];
    for kind in super::access::RESOURCE_POLICIES {
        for name in stack.of_type(kind) {
            let statements = Stack::statements(&stack.properties(name)["PolicyDocument"]);
            wanted.extend(statements.iter().map(|statement| statement["Principal"]["Service"].clone()));
        }
    }
    wanted.retain(|service| !service.is_null() && !services.contains(&service));
    wanted.iter().map(|service| format!("the key policy in docs/OPERATIONS.md does not let in {service}")).collect()
}

/// The places above are all there are: a type of resource that nobody has thought about is one too many.
fn nothing_else_is_kept(stack: &Stack) -> Vec<String> {
    const KEEPS: [&str; 2] = ["AWS::DynamoDB::Table", "AWS::S3::Bucket"];
    const KEEPS_NOTHING: [&str; 14] = [
        "AWS::ApiGatewayV2::ApiMapping",
        "AWS::ApiGatewayV2::DomainName",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::IAM::Role",
        "AWS::Logs::MetricFilter",
        "AWS::Route53::RecordSet",
        "AWS::S3::BucketPolicy",
        "AWS::SES::ReceiptRule",
        "AWS::SES::ReceiptRuleSet",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::Serverless::HttpApi",
    ];
    let known = |kind: &str| {
        let encrypted = PLACES.iter().any(|(place, _)| *place == kind) || KEEPS.contains(&kind);
        encrypted || KEEPS_NOTHING.contains(&kind)
    };
    let kinds = entries(stack.at("/Resources")).map(|(name, resource)| (name, resource["Type"].as_str()));
    let new = kinds.filter(|(_, kind)| !kind.is_some_and(known));
    new.map(|(name, kind)| format!("{name}: what keeps a {kind:?} encrypted?")).collect()
}
