//! Whether SES hands mail to the stack: one rule set a region is active, and ours must be the one.

use aws_sdk_ses::types::{ReceiptRule, ReceiptRuleSetMetadata};

use super::Finding;
use crate::stack::{Stack, trouble::AwsTrouble};

const CHECK: &str = "ses";

/// The active rule set and our rule in it.
pub(super) async fn check(stack: &Stack) -> Vec<Finding> {
    if !stack.receives_by_ses() {
        return vec![Finding::ok(CHECK, "off (EnableSes is not true): mail comes by the HTTP doors")];
    }
    let answer = match stack.clients.ses.describe_active_receipt_rule_set().send().await {
        Ok(answer) => answer,
        Err(error) => {
            let why = AwsTrouble::of("ses:DescribeActiveReceiptRuleSet", &format!("region {}", stack.region), &error);
            return vec![Finding::unknown(CHECK, &why)];
        }
    };
    let active = answer.metadata().and_then(ReceiptRuleSetMetadata::name);
    let bucket = stack.output("BucketName").unwrap_or_default();
    if let Some(rule) = answer.rules().iter().find(|rule| writes_to(rule, bucket)) {
        return of_rule(rule, active.unwrap_or_default());
    }
    let ours = stack.output("ReceiptRuleSet").ok();
    vec![not_there(active, ours, &stack.region)]
}

fn writes_to(rule: &ReceiptRule, bucket: &str) -> bool {
    rule.actions().iter().any(|action| action.s3_action().is_some_and(|s3| s3.bucket_name() == bucket))
}

fn of_rule(rule: &ReceiptRule, set: &str) -> Vec<Finding> {
    let name = rule.name();
    if !rule.enabled() {
        let todo = "enable it in the SES console (Email receiving), or deploy the stack again";
        return vec![Finding::fail(CHECK, format!("rule {name} of the active rule set {set} is disabled"), todo)];
    }
    let mut findings = vec![Finding::ok(CHECK, format!("rule {name} of the active rule set {set} is ours"))];
    if !rule.scan_enabled() {
        findings.push(Finding::warn(
            CHECK,
            format!("rule {name} does not scan: there are no spam and virus verdicts, so attachments are withheld"),
            "deploy the stack again, or enable spam and virus scanning of the rule",
        ));
    }
    let told = rule.actions().iter().filter_map(|action| action.s3_action()).any(|s3| s3.topic_arn().is_some());
    if !told {
        findings.push(Finding::fail(
            CHECK,
            format!("rule {name} stores mail and tells nobody: its S3 action has no topic, so mail waits for the safety net and is held"),
            "deploy the stack again",
        ));
    }
    findings
}

fn not_there(active: Option<&str>, ours: Option<&str>, region: &str) -> Finding {
    let set = ours.unwrap_or("RULE-SET");
    let activate = format!("aws ses set-active-receipt-rule-set --rule-set-name {set} --region {region}");
    match active {
        None => Finding::fail(CHECK, "no rule set is active: SES refuses all mail", activate),
        Some(active) if Some(active) == ours => Finding::fail(
            CHECK,
            format!("the active rule set {active} holds no rule that writes to our bucket"),
            "somebody removed it: deploy the stack again",
        ),
        Some(active) => Finding::fail(
            CHECK,
            format!("the active rule set is {active}, ours is {set}: SES hands us nothing"),
            format!(
                "deploy with ReceiptRuleSetName={active} to add our rule to it; or, which switches {active} off: {activate}"
            ),
        ),
    }
}
