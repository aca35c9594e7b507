//! `doctor`: each finding made and unmade.

use serde_json::{Value, json};

use super::{
    Rig, STACK,
    cloud::{MASTER_ARN, OPERATOR_ARN, Rule, State},
};
use crate::{harness::dns::Dns, world::mail};

const HOST: &str = "inbound-smtp.eu-central-1.amazonaws.com";

/// A rig whose table is described by the stand-in, and a name server that knows its domain.
struct Ward {
    rig: Rig,
    dns: Dns,
}

impl Ward {
    async fn new() -> Self {
        let mut rig = Rig::new().await;
        for name in ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_S3"] {
            rig.environment.insert(name, rig.cloud.url());
        }
        let url = rig.cloud.url();
        rig.cloud.state().outputs.insert("ApiUrl".to_owned(), url);
        let dns = Dns::start(&[
            ("postern.test", &[(10, HOST)]),
            ("elsewhere.test", &[(10, "mx.elsewhere.test")]),
            ("second.test", &[(5, "mx.elsewhere.test"), (10, HOST)]),
            ("bare.test", &[]),
        ])
        .await;
        Self { rig, dns }
    }

    /// Exit code and findings.
    async fn look(&self) -> (i32, Vec<Value>) {
        let words = ["doctor", "--stack", STACK, "--json", "--resolver", &self.dns.address()];
        let ran = self.rig.run_plain(&words, "").await;
        assert_eq!(ran.err, "", "{ran:?}");
        let json = ran.json();
        let findings = json["findings"].as_array().unwrap().clone();
        let failed = findings.iter().filter(|finding| finding["state"] == "fail").count();
        assert_eq!((json["failed"].as_u64(), ran.code), (Some(failed as u64), i32::from(failed > 0)), "{json}");
        (ran.code, findings)
    }

    /// Changes something, expects exactly one more line that is not well, and changes it back.
    async fn finds(
        &self,
        change: impl FnOnce(&mut State),
        undo: impl FnOnce(&mut State),
        expected: (&str, &str, &[&str]),
    ) {
        let (check, state, words) = expected;
        change(&mut self.rig.cloud.state());
        let (_, findings) = self.look().await;
        undo(&mut self.rig.cloud.state());
        let unwell: Vec<&Value> = findings.iter().filter(|finding| finding["state"] != "ok").collect();
        assert_eq!(unwell.len(), 1, "{check} {words:?}: {unwell:?}");
        assert_eq!((&unwell[0]["check"], &unwell[0]["state"]), (&json!(check), &json!(state)), "{unwell:?}");
        let text = unwell[0].to_string();
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
        // Whatever the cause, the others were looked at.
        let checks: Vec<&str> = findings.iter().filter_map(|finding| finding["check"].as_str()).collect();
        for other in
            ["stack", "door", "signing", "credentials", "table", "bucket", "queues", "mail", "ses", "mx", "lambda"]
        {
            // Without a mailbox there is no domain to look at.
            if (check, other) == ("mailbox", "mx") {
                continue;
            }
            let check = other;
            assert!(checks.contains(&check), "{check} is missing: {checks:?}");
        }
    }

    async fn parameter(&self, name: &str, value: &str, expected: (&str, &str, &[&str])) {
        let set = |value: String| move |state: &mut State| drop(state.parameters.insert(name.to_owned(), value));
        let before = self.rig.cloud.state().parameters[name].clone();
        self.finds(set(value.to_owned()), set(before), expected).await;
    }
}

#[tokio::test]
async fn a_healthy_stack_has_nothing_to_look_at() {
    let mut ward = Ward::new().await;
    let (code, findings) = ward.look().await;
    assert!(code == 0 && findings.iter().all(|finding| finding["state"] == "ok"), "{findings:?}");
    // With the engines instead of the stand-in: every call is one that DynamoDB and S3 know.
    let endpoints = ward.rig.local.endpoints().clone();
    ward.rig.environment.insert("AWS_ENDPOINT_URL_DYNAMODB", endpoints.dynamodb);
    ward.rig.environment.insert("AWS_ENDPOINT_URL_S3", endpoints.s3);
    ward.rig.desk.receive(&mail("h", "robot").field("Auto-Submitted: auto-replied")).await;
    let ran = ward.rig.run_plain(&["doctor", "--stack", STACK, "--resolver", &ward.dns.address()], "").await;
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    assert!(ran.out.contains("1 held until") && ran.out.contains("postern hold list --stack postern-test"), "{ran:?}");
    assert!(ran.out.ends_with("0 failed, 1 to look at\n"), "{ran:?}");
    assert_eq!(ran.out.lines().filter(|line| line.starts_with("ok ")).count(), findings.len() - 1, "{ran:?}");
    ward.rig.end().await;
}

#[tokio::test]
async fn doors_that_wait_for_a_stack_that_polls_nothing_are_found() {
    let mut ward = Ward::new().await;
    let endpoints = ward.rig.local.endpoints().clone();
    ward.rig.environment.insert("AWS_ENDPOINT_URL_DYNAMODB", endpoints.dynamodb);
    ward.rig.environment.insert("AWS_ENDPOINT_URL_S3", endpoints.s3);
    ward.rig.cloud.state().parameters.insert("EnableImap".to_owned(), "false".to_owned());
    let of_polls = |findings: Vec<Value>| findings.into_iter().find(|finding| finding["check"] == "poll").unwrap();
    let nobody = of_polls(ward.look().await.1);
    assert!(nobody["state"] == "ok" && nobody["found"].as_str().unwrap().contains("EnableImap"), "{nobody}");
    let add = ["door", "add", "gmail", "--provider", "imap", "--host", "imap.test", "--user", "support@postern.test"];
    ward.rig.text(&add).await;
    let waits = of_polls(ward.look().await.1);
    let todo = "deploy it again with EnableImap=true, or postern door set gmail --enabled false --stack postern-test";
    assert_eq!((&waits["state"], &waits["todo"]), (&json!("fail"), &json!(todo)), "{waits}");
    ward.rig.cloud.state().parameters.insert("EnableImap".to_owned(), "true".to_owned());
    let polls = of_polls(ward.look().await.1);
    assert!(polls["found"].as_str().unwrap().contains("never polled"), "{polls}");
    ward.rig.end().await;
}

#[tokio::test]
async fn what_can_be_wrong_with_secrets_is_found() {
    let ward = Ward::new().await;
    let operator = ward.rig.cloud.state().secret(OPERATOR_ARN).to_string();
    let master = ward.rig.cloud.state().secret(MASTER_ARN).to_string();
    let keep = |arn: &'static str, text: String| move |state: &mut State| state.keep_secret(arn, &text);
    let only =
        json!({ "mailgun": { "signing_keys": ["key-of-old"] }, "postmark": { "credentials": [" "] } }).to_string();
    let expected: (_, _, &[_]) = ("credentials", "warn", &["postmark.credentials", "503", "secret set", STACK]);
    ward.finds(keep(OPERATOR_ARN, only), keep(OPERATOR_ARN, operator.clone()), expected).await;
    let other =
        json!({ "raw": { "hmac_keys": ["key-of-old"] }, "mailgun": { "api_keys": ["key-of-old"] } }).to_string();
    let expected: (_, _, &[_]) = ("credentials", "warn", &["mailgun.signing_keys", "503"]);
    ward.finds(keep(OPERATOR_ARN, other), keep(OPERATOR_ARN, operator.clone()), expected).await;
    // Whoever never used a door need not hear of it; who uses none receives by SES.
    for quiet in [json!({}), json!({ "raw": { "bearer_keys": ["key-of-old"] } })] {
        ward.rig.cloud.state().keep_secret(OPERATOR_ARN, &quiet.to_string());
        let (code, findings) = ward.look().await;
        assert!(code == 0 && findings.iter().all(|finding| finding["state"] == "ok"), "{findings:?}");
        assert!(findings.iter().any(|f| f["found"].as_str().unwrap().contains("never set up")), "{findings:?}");
    }
    ward.rig.cloud.state().keep_secret(OPERATOR_ARN, &operator);
    for broken in ["no json", "{\"postmark\":{\"credentials\":[\"user:pass\"]},\"mailgun\":{\"signing_keys\":\"key\"}}"]
    {
        let expected: (_, _, &[_]) = ("credentials", "fail", &["by hand"]);
        ward.finds(keep(OPERATOR_ARN, broken.to_owned()), keep(OPERATOR_ARN, operator.clone()), expected).await;
    }
    for broken in ["{\"keys\":[]}", "{\"id\":0,\"secret\":\"short\"}", "{}"] {
        let expected: (_, _, &[_]) = ("signing", "fail", &["no function starts"]);
        ward.finds(keep(MASTER_ARN, broken.to_owned()), keep(MASTER_ARN, master.clone()), expected).await;
    }
    ward.rig.end().await;
}

#[tokio::test]
async fn what_can_be_wrong_with_table_bucket_and_queues_is_found() {
    let ward = Ward::new().await;
    let healthy = ward.rig.cloud.state().table.clone();
    for (pointer, value, words) in [
        ("/TableStatus", json!("ARCHIVED"), &["ARCHIVED"]),
        ("/GlobalSecondaryIndexes/3/IndexStatus", json!("CREATING"), &["gsi4"]),
        ("/GlobalSecondaryIndexes/0/IndexName", json!("other"), &["gsi1"]),
        ("/StreamSpecification/StreamEnabled", json!(false), &["no stream"]),
    ] {
        let change = |state: &mut State| *state.table.pointer_mut(pointer).unwrap() = value;
        let undo = |state: &mut State| state.table = healthy.clone();
        ward.finds(change, undo, ("table", "fail", words)).await;
    }
    let expiry = ward.rig.cloud.state().expiry.clone();
    for other in
        [json!({ "TimeToLiveStatus": "DISABLED" }), json!({ "TimeToLiveStatus": "ENABLED", "AttributeName": "x" })]
    {
        let undo = |state: &mut State| state.expiry = expiry.clone();
        ward.finds(|state| state.expiry = other, undo, ("table", "warn", &["expires_at"])).await;
    }
    let gone = |state: &mut State| state.errors.extend([("DescribeTable", "ResourceNotFoundException")]);
    ward.finds(gone, |state| state.errors.clear(), ("table", "fail", &["ResourceNotFoundException"])).await;
    let expected: (_, _, &[_]) = ("bucket", "fail", &["not there", "503"]);
    ward.finds(|state| state.bucket = 404, |state| state.bucket = 200, expected).await;

    for (queue, messages, state, words) in [
        ("dead", [2, 0, 0], "fail", &["2 dead letters", "postern redrive --stack postern-test"][..]),
        ("dead", [0, 1, 0], "fail", &["1 dead letters"]),
        ("retry", [101, 3, 0], "warn", &["retry", "101", "3 in work"]),
        ("receipt", [500, 0, 0], "warn", &["receipt", "500"]),
    ] {
        let change = |state: &mut State| state.queues.extend([(queue, messages)]);
        ward.finds(change, |state| state.queues.clear(), ("queues", state, words)).await;
    }
    ward.rig.cloud.state().queues.extend([("retry", [100, 9, 9]), ("net", [5, 5, 5000]), ("receipt", [1, 1, 1])]);
    let (code, findings) = ward.look().await;
    assert!(code == 0 && findings.iter().all(|finding| finding["state"] == "ok"), "nothing unusual: {findings:?}");
    ward.rig.end().await;
}

#[tokio::test]
async fn what_keeps_mail_from_ses_is_found() {
    let ward = Ward::new().await;
    let ours = || Some(("postern-rules".to_owned(), vec![Rule::ours()]));
    let theirs = Rule { bucket: "theirs", ..Rule::ours() };
    for (active, state, words) in [
        (None, "fail", &["no rule set is active", "set-active-receipt-rule-set --rule-set-name postern-rules"][..]),
        (
            Some(("theirs".to_owned(), vec![theirs.clone()])),
            "fail",
            &["the active rule set is theirs", "ReceiptRuleSetName=theirs", "switches theirs off"],
        ),
        (Some(("postern-rules".to_owned(), vec![theirs.clone()])), "fail", &["holds no rule", "deploy"]),
        (Some(("x".to_owned(), vec![Rule { enabled: false, ..Rule::ours() }])), "fail", &["disabled"]),
        (Some(("x".to_owned(), vec![Rule { topic: false, ..Rule::ours() }])), "fail", &["no topic"]),
        (Some(("x".to_owned(), vec![Rule { scans: false, ..Rule::ours() }])), "warn", &["does not scan"]),
    ] {
        ward.finds(|state| state.active = active, |state| state.active = ours(), ("ses", state, words)).await;
    }
    ward.rig.cloud.state().active = Some(("theirs".to_owned(), vec![theirs, Rule::ours()]));
    let (code, findings) = ward.look().await;
    assert!(
        code == 0 && findings.iter().all(|finding| finding["state"] == "ok"),
        "our rule in their set: {findings:?}"
    );

    ward.parameter("MailDomain", "elsewhere.test", ("mx", "fail", &["mx.elsewhere.test", HOST, "does not reach SES"]))
        .await;
    ward.parameter("MailDomain", "bare.test", ("mx", "fail", &["no MX record", HOST])).await;
    ward.parameter("MailDomain", "second.test", ("mx", "warn", &["preferred"])).await;
    ward.parameter("MailDomain", "unknown.test", ("mx", "warn", &["DNS does not answer for unknown.test"])).await;
    ward.parameter("MailDomain", "postern.test, bare.test", ("mx", "fail", &["bare.test"])).await;
    // Without SES neither its rule sets nor its host matter.
    ward.rig.cloud.state().parameters.insert("EnableSes".to_owned(), "false".to_owned());
    ward.rig.cloud.state().active = None;
    ward.parameter("MailDomain", "bare.test", ("mx", "warn", &["no MX record"])).await;
    ward.rig.cloud.state().parameters.insert("MailDomain".to_owned(), "elsewhere.test".to_owned());
    let (_, findings) = ward.look().await;
    assert!(findings.iter().all(|finding| finding["state"] == "ok"), "{findings:?}");
    ward.rig.end().await;
}

#[tokio::test]
async fn what_can_be_wrong_with_stack_and_account_is_found() {
    let ward = Ward::new().await;
    let expected: (_, _, &[_]) = ("lambda", "warn", &["10 invocations", "Service Quotas"]);
    ward.finds(|state| state.concurrency = 10, |state| state.concurrency = 1000, expected).await;
    ward.finds(|state| state.concurrency = 49, |state| state.concurrency = 50, ("lambda", "warn", &["49"])).await;
    for (answer, state, words) in [
        ((503, json!({ "error": "not-ready", "message": "POSTERN_TABLE is not set" })), "fail", &["POSTERN_TABLE"][..]),
        ((403, json!({ "message": "Forbidden" })), "fail", &["403", "Postmark"]),
        ((404, json!({ "message": "Not Found" })), "fail", &["404", "not our function"]),
        ((500, json!({ "message": "Internal Server Error" })), "fail", &["500", "log of the webhook"]),
    ] {
        let healthy = ward.rig.cloud.state().door.clone();
        ward.finds(|state| state.door = answer, |state| state.door = healthy, ("door", state, words)).await;
    }
    let url = ward.rig.cloud.state().outputs["ApiUrl"].clone();
    let at = |url: String| |state: &mut State| drop(state.outputs.insert("ApiUrl".to_owned(), url));
    let nobody = "http://127.0.0.1:9".to_owned();
    ward.finds(at(nobody.clone()), at(url.clone()), ("door", "warn", &["not checked", "does not answer"])).await;
    // A name of the operator's that DNS does not know yet.
    let target = "d-1.execute-api.eu-central-1.amazonaws.com".to_owned();
    ward.rig.cloud.state().outputs.insert("DomainTarget".to_owned(), target);
    ward.finds(at(nobody), at(url), ("door", "warn", &["does not answer", "CNAME to d-1.execute-api."])).await;
    let status = |status: &'static str| move |state: &mut State| state.status = status.to_owned();
    for failed in ["UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED"] {
        ward.finds(status(failed), status("UPDATE_COMPLETE"), ("stack", "warn", &[failed, "deploy again"])).await;
    }
    let without = |state: &mut State| drop(state.outputs.remove("EventsTopicArn"));
    let with = |state: &mut State| drop(state.outputs.insert("EventsTopicArn".to_owned(), "arn".to_owned()));
    ward.finds(without, with, ("outputs", "fail", &["EventsTopicArn", "another version"])).await;
    ward.parameter("TicketPrefix", "x", ("mailbox", "fail", &["2 to 8 letters"])).await;
    for (change, check, word) in [
        (status("ROLLBACK_COMPLETE"), "stack", "ROLLBACK_COMPLETE"),
        (status("CREATE_IN_PROGRESS"), "stack", "still being created"),
    ] {
        change(&mut ward.rig.cloud.state());
        let (code, findings) = ward.look().await;
        assert_eq!((code, findings.len(), &findings[0]["check"]), (1, 1, &json!(check)), "{findings:?}");
        assert!(findings[0].to_string().contains(word), "{findings:?}");
    }
    let mut ward = ward;
    ward.rig.environment.remove("AWS_SECRET_ACCESS_KEY");
    let (code, findings) = ward.look().await;
    assert_eq!((code, findings.len(), &findings[0]["check"]), (1, 1, &json!("access")), "{findings:?}");
    let ran = ward.rig.run(&["doctor", "--resolver", "nonsense"]).await;
    assert!(ran.code == 64 && ran.err.contains("--resolver"), "{ran:?}");
    ward.rig.end().await;
}

#[tokio::test]
async fn a_check_that_may_not_be_made_names_the_permission() {
    let ward = Ward::new().await;
    for (action, check, permission) in [
        ("DescribeTable", "table", "dynamodb:DescribeTable"),
        ("DescribeTimeToLive", "table", "dynamodb:DescribeTimeToLive"),
        ("DescribeActiveReceiptRuleSet", "ses", "ses:DescribeActiveReceiptRuleSet"),
        ("GetAccountSettings", "lambda", "lambda:GetAccountSettings"),
    ] {
        let deny = |state: &mut State| state.denied.extend([action]);
        ward.finds(deny, |state| state.denied.clear(), (check, "warn", &["not checked", permission])).await;
    }
    let expected: (_, _, &[_]) = ("bucket", "warn", &["not checked", "s3:ListBucket"]);
    ward.finds(|state| state.bucket = 403, |state| state.bucket = 200, expected).await;
    for (action, lines) in [("GetSecretValue", 2), ("GetQueueAttributes", 4), ("Query", 2)] {
        ward.rig.cloud.state().denied.insert(action);
        let (code, findings) = ward.look().await;
        let lacking =
            |finding: &&Value| finding["state"] == "warn" && finding["found"].as_str().unwrap().contains(action);
        assert_eq!((code, findings.iter().filter(lacking).count()), (0, lines), "{findings:?}");
        ward.rig.cloud.state().denied.clear();
    }
    ward.rig.end().await;
}

#[tokio::test]
async fn settings_that_somebody_should_look_at_are_found() {
    let rig = Rig::new().await;
    rig.text(&["mailbox", "add", "sales", "--address", "sales@postern.test", "--enabled", "false"]).await;
    rig.text(&["door", "set", "postmark", "--enabled", "false"]).await;
    rig.text(&["door", "add", "shop", "--provider", "sendgrid"]).await;
    let text = rig.desk.text(&["doctor"]).await;
    for words in [
        "2 set up: sales (sales@postern.test), support (support@postern.test)",
        "sales is disabled: its mail is held",
        "door postmark is switched off",
        "shop.verification_keys is not set",
        "0 failed, 3 to look at",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // The parameters were changed to an address that a stored mailbox has.
    rig.text(&["mailbox", "set", "sales", "--address", "help@postern.test"]).await;
    rig.cloud.state().parameters.insert("Address".to_owned(), "help@postern.test".to_owned());
    let ran = rig.run(&["doctor"]).await;
    assert!(ran.code == 1 && ran.out.contains("claim the same address, help@postern.test"), "{ran:?}");
    assert!(ran.out.contains("do not go together") && ran.out.contains("postern mailbox list --stack"), "{ran:?}");
    rig.end().await;
}

#[tokio::test]
async fn a_data_directory_is_looked_at_too() {
    let rig = Rig::new().await;
    let text = rig.desk.text(&["doctor"]).await;
    assert!(text.ends_with("0 failed, 0 to look at\n") && text.contains("no `postern dev` runs"), "{text}");
    rig.desk.receive(&mail("h", "robot").field("Auto-Submitted: auto-replied")).await;
    rig.desk.text(&["secret", "set", "mailgun.signing_keys", "key-x", "--replace"]).await;
    rig.desk.text(&["secret", "set", "mailgun.signing_keys", "key-x", "--remove"]).await;
    let found = rig.desk.json(&["doctor"]).await;
    assert_eq!((&found["failed"], &found["warnings"]), (&json!(0), &json!(2)), "{found}");
    assert!(found.to_string().contains("1 held") && found.to_string().contains("mailgun.signing_keys"));
    rig.end().await;
    let nowhere = crate::cli::Desk::new();
    let output = nowhere.run(&["doctor"]).await.unwrap();
    assert!(output.code == 1 && output.text.contains("there is no data"), "{output:?}");
    assert!(!nowhere.data().exists(), "looking makes nothing");
}
