//! What a parameter may leave out.

use std::collections::BTreeMap;

use serde_json::json;

use super::stack::{Stack, entries};

/// What a parameter leaves out goes as a whole, and nothing else goes.
pub(super) fn parts_can_be_left_out(stack: &Stack) -> Vec<String> {
    const PARTS: [(&str, &[&str]); 7] = [
        ("HasAlarmEmail", &["AlarmTopic", "AlarmTopicPolicy"]),
        ("HasDashboard", &["Dashboard"]),
        ("HasDomain", &["Domain", "DomainMapping"]),
        ("HasZone", &["DomainRecord"]),
        ("OwnRuleSet", &["ReceiptRuleSet"]),
        (
            "Polls",
            &[
                "DoorPausedAlarm",
                "PollAgeAlarm",
                "PollErrorsAlarm",
                "PollFunction",
                "PollLogs",
                "PollQueue",
                "PollQueuePolicy",
                "PollRole",
                "PollScheduleRole",
            ],
        ),
        ("UseSes", &["ReceiptRule"]),
    ];
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, resource) in entries(stack.at("/Resources")) {
        if let Some(condition) = resource["Condition"].as_str() {
            found.entry(condition).or_default().push(name);
        }
    }
    found.values_mut().for_each(|names| names.sort_unstable());
    let wanted: BTreeMap<&str, Vec<&str>> = PARTS.iter().map(|(name, parts)| (*name, parts.to_vec())).collect();
    let mut faults = Vec::new();
    if found != wanted {
        faults.push(format!("conditions leave out {found:?}, not {wanted:?}"));
    }
    // By default everything is there but what needs an answer first.
    for (condition, parameter, value, default) in
        [("Polls", "EnableImap", "true", "true"), ("UseSes", "EnableSes", "true", "false")]
    {
        let means = json!({"Fn::Equals": [{"Ref": parameter}, value]});
        let so = stack.at(&format!("/Parameters/{parameter}/Default"));
        if *stack.at(&format!("/Conditions/{condition}")) != means || so != default {
            faults.push(format!("{condition} is not {parameter} = {value}, {default} by default"));
        }
    }
    faults
}
