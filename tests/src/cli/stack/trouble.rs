//! What is told where a stack cannot be reached or used.

use super::{Rig, STACK, cloud::MASTER_ARN};
use crate::world::mail;

/// Wrong usage: 64. Anything wrong with the installation or the stack: 70.
const USAGE: u8 = 64;
const SOFTWARE: u8 = 70;

#[track_caller]
fn says(told: &str, words: &[&str]) {
    for word in words {
        assert!(told.contains(word), "{word:?} is not in: {told}");
    }
}

#[tokio::test]
async fn a_stack_that_cannot_be_used_is_told_apart() {
    let rig = Rig::new().await;
    let elsewhere = rig.run_plain(&["tickets", "--stack", "nonesuch"], "").await;
    assert_eq!(elsewhere.code, i32::from(SOFTWARE));
    says(&elsewhere.err, &["no stack nonesuch", "eu-central-1", "--region"]);
    for (status, words) in [
        ("CREATE_IN_PROGRESS", ["still being created", "try again"]),
        ("REVIEW_IN_PROGRESS", ["still being created", "try again"]),
        ("CREATE_FAILED", ["CREATE_FAILED", "describe-stack-events"]),
        ("ROLLBACK_COMPLETE", ["ROLLBACK_COMPLETE", "describe-stack-events"]),
        ("DELETE_IN_PROGRESS", ["DELETE_IN_PROGRESS", "no running Postern"]),
    ] {
        rig.cloud.state().status = status.to_owned();
        says(&rig.trouble(&["tickets"], SOFTWARE).await, &words);
    }
    for status in ["CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"] {
        rig.cloud.state().status = status.to_owned();
        assert_eq!(rig.text(&["tickets"]).await, "no tickets\n", "{status}: what was there before still runs");
    }
    let table = rig.cloud.state().outputs.remove("TableName").unwrap();
    says(&rig.trouble(&["tickets"], SOFTWARE).await, &["no output TableName", "another version"]);
    rig.cloud.state().outputs.insert("TableName".to_owned(), table);
    for (parameter, value, word) in
        [("Address", "nobody", "not an e-mail address"), ("ReplyMode", "minus", "`plus`, `subdomain` or `off`")]
    {
        let before = rig.cloud.state().parameters.insert(parameter.to_owned(), value.to_owned()).unwrap();
        says(&rig.trouble(&["tickets"], SOFTWARE).await, &[parameter, word, STACK]);
        rig.cloud.state().parameters.insert(parameter.to_owned(), before);
    }
    rig.end().await;
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let mut rig = Rig::new().await;
    rig.desk.receive(&mail("a", "cust")).await;
    let held = rig.desk.receive(&mail("h", "robot").field("Auto-Submitted: auto-replied")).await;
    let held = held["inbound_id"].as_str().unwrap();
    for (action, words, told) in [
        ("DescribeStacks", &["tickets"][..], &["cloudformation:DescribeStacks", STACK][..]),
        ("GetSecretValue", &["token", "1"], &["secretsmanager:GetSecretValue", MASTER_ARN]),
        ("GetSecretValue", &["hold", "release", held], &["secretsmanager:GetSecretValue"]),
        ("GetSecretValue", &["secret", "list"], &["secretsmanager:GetSecretValue", "operator"]),
        ("PutSecretValue", &["secret", "set", "mailgun.signing_keys", "k-1"], &["secretsmanager:PutSecretValue"]),
        (
            "UpdateSecretVersionStage",
            &["secret", "set", "mailgun.signing_keys", "k-1"],
            &["secretsmanager:UpdateSecretVersionStage"],
        ),
    ] {
        rig.cloud.state().denied.insert(action);
        says(&rig.trouble(words, SOFTWARE).await, told);
        rig.cloud.state().denied.clear();
    }
    assert_eq!(rig.desk.json(&["mail", held]).await["outcome"], "held", "nothing was done by halves");
    let objects = rig.environment.insert("AWS_ENDPOINT_URL_S3", rig.cloud.url()).unwrap();
    rig.cloud.state().denied.insert("GetObject");
    says(&rig.trouble(&["hold", "release", held], SOFTWARE).await, &["s3:GetObject", "bucket"]);
    rig.environment.insert("AWS_ENDPOINT_URL_S3", objects);
    // The table's own refusal.
    rig.environment.insert("AWS_ENDPOINT_URL_DYNAMODB", rig.cloud.url());
    rig.cloud.state().denied.extend(["Query", "GetItem", "BatchGetItem"]);
    for words in [&["tickets"][..], &["mail"], &["ticket", "1"]] {
        says(&rig.trouble(words, SOFTWARE).await, &["dynamodb:", "Query", "table"]);
    }
    rig.end().await;
}

#[tokio::test]
async fn credentials_that_are_missing_or_refused_are_told() {
    let mut rig = Rig::new().await;
    for code in ["ExpiredToken", "InvalidClientTokenId"] {
        rig.cloud.state().errors.insert("DescribeStacks", code);
        says(&rig.trouble(&["tickets"], SOFTWARE).await, &["does not accept these credentials", code, "--profile"]);
    }
    rig.cloud.state().errors.clear();
    rig.cloud.state().calls.clear();
    let key = rig.environment.remove("AWS_ACCESS_KEY_ID").unwrap();
    let secret = rig.environment.remove("AWS_SECRET_ACCESS_KEY").unwrap();
    says(
        &rig.trouble(&["tickets"], SOFTWARE).await,
        &["no AWS credentials were found", "AWS_ACCESS_KEY_ID", "~/.aws/config", "AWS_PROFILE", "--profile"],
    );
    assert!(rig.cloud.state().calls.is_empty(), "nothing is asked without credentials");
    says(&rig.trouble(&["tickets", "--profile", "team"], SOFTWARE).await, &["profile team"]);

    // Profiles as the AWS CLI has them, region included.
    let folder = rig.desk.folder.path().join(".aws");
    std::fs::create_dir(&folder).unwrap();
    let profile =
        format!("[profile team]\nregion = eu-west-3\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n");
    std::fs::write(folder.join("config"), profile).unwrap();
    rig.environment.remove("AWS_REGION");
    assert_eq!(rig.text(&["tickets", "--profile", "team"]).await, "no tickets\n");
    rig.cloud.state().name = "other".to_owned();
    says(&rig.trouble(&["tickets", "--profile", "team"], SOFTWARE).await, &["eu-west-3"]);
    says(&rig.trouble(&["tickets", "--profile", "team", "--region", "eu-west-1"], SOFTWARE).await, &["eu-west-1"]);
    rig.environment.insert("AWS_PROFILE", "team".to_owned());
    says(&rig.trouble(&["tickets"], SOFTWARE).await, &["eu-west-3"]);
    rig.environment.remove("AWS_PROFILE");
    says(&rig.trouble(&["tickets"], SOFTWARE).await, &["no AWS region is set", "--region", "AWS_REGION"]);
    rig.end().await;
}

#[tokio::test]
async fn options_that_cannot_be_meant_are_refused() {
    let rig = Rig::new().await;
    for words in [
        &["tickets", "--stack", STACK, "--data", "x"][..],
        &["hold", "list", "--data", "x", "--stack", STACK],
        &["tickets", "--region", "eu-west-1"],
        &["tickets", "--profile", "team"],
        &["dev", "--stack", STACK],
        &["demo", "--stack", STACK],
        &["inspect", "x.eml", "--stack", STACK],
        &["secret", "set", "mailgun.signing_keys", "k", "--replace", "--remove"],
    ] {
        assert_eq!(rig.run_plain(words, "").await.code, i32::from(USAGE), "{words:?}");
    }
    let file = rig.desk.file("a.eml", &mail("a", "cust").octets("a"));
    says(&rig.trouble(&["ingest", &file], USAGE).await, &["data directory", "postern doors --stack postern-test"]);
    assert!(rig.cloud.state().calls.is_empty(), "{:?}", rig.cloud.state().calls);
    rig.end().await;
}
