//! What is watched: alarms and dashboard, against the metrics that are told.

use std::collections::BTreeSet;

use postern::telemetry::Metric;
use serde_json::{Value, json};

use super::stack::{Stack, file, list, shown};

/// Metrics of the namespace that no function tells: a filter of the API's log makes it.
const OF_THE_LOG: &str = "TooLarge";

/// What a metric of ours may be told apart by: one of its sets, with the stack in front.
fn is_told(name: &str, dimensions: &[String]) -> bool {
    let with_stack =
        |set: &&[&str]| ["Stack"].iter().chain(set.iter()).map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let metric = Metric::ALL.iter().find(|metric| metric.name() == name);
    metric.map_or(name == OF_THE_LOG && dimensions == ["Stack"], |metric| {
        metric.sets().iter().any(|set| with_stack(set) == dimensions)
    })
}

/// Name, namespace and dimensions of what an alarm looks at; one for each metric of an expression.
fn looked_at(properties: &Value) -> Vec<Value> {
    let of_expression = list(&properties["Metrics"]).into_iter().map(|part| part["MetricStat"]["Metric"].clone());
    let mut all: Vec<Value> = of_expression.filter(|metric| !metric.is_null()).collect();
    if properties["Metrics"].is_null() {
        all.push(properties.clone());
    }
    all
}

/// What runs by a schedule must not be silent; of all else, silence is well.
fn silence(alarm: &str) -> &'static str {
    if ["RetryErrorsAlarm", "PollErrorsAlarm"].contains(&alarm) { "breaching" } else { "notBreaching" }
}

/// What needs somebody is told, and every alarm says where to look; docs/OPERATIONS.md has a row for each.
pub(super) fn alarms_tell(stack: &Stack) -> Vec<String> {
    let mut faults = Vec::new();
    let guide = file("docs/OPERATIONS.md");
    let mut watched = BTreeSet::new();
    for alarm in stack.of_type("AWS::CloudWatch::Alarm") {
        let properties = stack.properties(alarm);
        let mailed = properties["AlarmActions"]["Fn::If"][1] == json!([{"Ref": "AlarmTopic"}]);
        let said = properties["AlarmDescription"].as_str().is_some_and(|text| text.len() > 40);
        if !mailed || !said || properties["TreatMissingData"] != silence(alarm) {
            faults.push(format!("{alarm} does not tell anybody, or not what"));
        }
        if !guide.contains(&format!("`{alarm}`")) {
            faults.push(format!("docs/OPERATIONS.md does not say what {alarm} means"));
        }
        for metric in looked_at(properties) {
            let name = shown(&metric["MetricName"]);
            if metric["Namespace"] == "Postern" {
                let ours = metric["Dimensions"] == json!([{"Name": "Stack", "Value": {"Ref": "AWS::StackName"}}]);
                if !ours || !is_told(&name, &["Stack".to_owned()]) {
                    faults.push(format!("{alarm} looks at {name} by dimensions that nobody tells"));
                }
                watched.insert(name);
            } else {
                watched.insert(format!("{name} {}", shown(&metric["Dimensions"][0]["Value"])));
            }
        }
    }
    for wanted in [
        "5xx Api",
        "4xx Api",
        "Latency Api",
        "ApproximateNumberOfMessagesVisible DeadQueue.QueueName",
        "ApproximateNumberOfMessagesNotVisible DeadQueue.QueueName",
        "ApproximateAgeOfOldestMessage ReceiptQueue.QueueName",
        "ApproximateAgeOfOldestMessage RetryQueue.QueueName",
        "ApproximateAgeOfOldestMessage NetQueue.QueueName",
        "IteratorAge PublishFunction",
        "Errors ReceiptFunction",
        "Errors PublishFunction",
        "Errors RetryFunction",
        "Errors PollFunction",
        "Waiting",
        "TooLarge",
        "Unaccounted",
        "OutboxSwept",
        "OldestHeldHours",
        "DoorPaused",
        "Freshness",
        "Late",
        "Failed",
        "ParseFailures",
    ] {
        if !watched.contains(wanted) {
            faults.push(format!("nobody watches {wanted}"));
        }
    }
    let filter = &stack.properties("TooLargeMetric")["MetricTransformations"][0];
    let format = shown(&stack.properties("Api")["AccessLogSettings"]["Format"]);
    let stack_in_log = format.contains("\"stack\":\"${AWS::StackName}\"");
    if filter["Dimensions"] != json!([{"Key": "Stack", "Value": "$.stack"}]) || !stack_in_log {
        faults.push("TooLarge is not told apart by stack".to_owned());
    }
    faults.extend(objectives(stack));
    faults
}

/// docs/OPERATIONS.md has a row for each metric, as the catalogue describes it.
#[test]
fn every_metric_is_explained() {
    let guide = file("docs/OPERATIONS.md");
    for metric in Metric::ALL {
        let set = |set: &&[&str]| if set.is_empty() { "-".to_owned() } else { set.join(" and ") };
        let by: Vec<String> = metric.sets().iter().map(set).collect();
        let meaning = metric.meaning().trim().trim_end_matches('.');
        let (first, rest) = meaning.split_at(1);
        let meaning = format!("{}{rest}", first.to_lowercase());
        let row = format!("| `{}` | {} | {} | {meaning} |", metric.name(), metric.unit().as_str(), by.join("; "));
        assert!(guide.lines().any(|line| line == row), "docs/OPERATIONS.md lacks the row\n{row}");
    }
}

/// The service levels: 99.9 % of mails on a ticket within a minute, 99.9 % not failed, 99.5 % read, the door's 95 % below
/// half a second. A share counts from two mails on, so that one mail in a quiet hour is no alarm of it.
fn objectives(stack: &Stack) -> Vec<String> {
    let mut faults = Vec::new();
    for (alarm, metric, percent) in
        [("LateAlarm", "Late", 0.1), ("FailuresAlarm", "Failed", 0.1), ("ParseFailuresAlarm", "ParseFailures", 0.5)]
    {
        let properties = stack.properties(alarm);
        let metrics = list(&properties["Metrics"]);
        let of = |id: &str| {
            let found = metrics.iter().find(|metric| metric["Id"] == id);
            found.map(|metric| shown(&metric["MetricStat"]["Metric"]["MetricName"])).unwrap_or_default()
        };
        let id = metrics.get(1).map(|metric| shown(&metric["Id"])).unwrap_or_default();
        let (all, told) = if metric == "Late" { ("tickets", "TimeToTicket") } else { ("mails", "Mails") };
        let share = format!("IF({id} > 1, 100 * {id} / {all}, 0)");
        let right = metrics.first().is_some_and(|first| first["Expression"] == share.as_str());
        let above = properties["Threshold"].as_f64() == Some(percent)
            && properties["ComparisonOperator"] == "GreaterThanThreshold";
        if !right || of(&id) != metric || of(all) != told || !above {
            faults.push(format!("{alarm} is not {metric} above {percent} %"));
        }
    }
    let latency = stack.properties("WebhookLatencyAlarm");
    let [slow, p95, requests] = list(&latency["Metrics"])[..] else { return vec!["WebhookLatencyAlarm".to_owned()] };
    let stat = |metric: &Value| shown(&metric["MetricStat"]["Stat"]);
    let right = slow["Expression"] == "IF(requests >= 20, p95, 0)"
        && (stat(p95).as_str(), stat(requests).as_str()) == ("p95", "SampleCount");
    if !right || latency["Threshold"] != 500 {
        faults.push("WebhookLatencyAlarm is not 95 % within 500 ms".to_owned());
    }
    let parked = stack.properties("ParkedAlarm");
    if parked["MetricName"] != "Failed" || parked["Threshold"] != 1 {
        faults.push("ParkedAlarm does not tell of each failed mail".to_owned());
    }
    let dead = stack.properties("DeadLettersAlarm");
    if dead["Metrics"][0]["Expression"] != "visible + inflight" || dead["DatapointsToAlarm"] != 3 {
        faults.push("DeadLettersAlarm does not count what is in flight".to_owned());
    }
    faults
}

/// The dashboard is JSON, shows every group of numbers, and nothing that nobody tells.
pub(super) fn dashboard_shows_what_is_told(stack: &Stack) -> Vec<String> {
    let mut faults = Vec::new();
    let text = shown(&stack.properties("Dashboard")["DashboardBody"]);
    let Ok(body) = serde_json::from_str::<Value>(&text) else { return vec!["the dashboard is no JSON".to_owned()] };
    if shown(&stack.properties("Dashboard")["DashboardName"]) != "${AWS::StackName}-${AWS::Region}" {
        faults.push("dashboards of two regions would meet".to_owned());
    }
    let widgets = list(&body["widgets"]);
    for wanted in
        ["Conversion", "Threading", "Latency", "Freshness", "Failures", "Held", "Queues", "Functions", "Attachments"]
    {
        let titled =
            |widget: &&&Value| widget["properties"]["title"].as_str().is_some_and(|title| title.starts_with(wanted));
        if !widgets.iter().any(|widget| titled(&widget)) {
            faults.push(format!("the dashboard shows no {wanted}"));
        }
    }
    for metric in widgets.iter().flat_map(|widget| list(&widget["properties"]["metrics"])) {
        let parts: Vec<&str> = list(metric).into_iter().filter_map(Value::as_str).collect();
        if let ["Postern", name, dimensions @ ..] = parts.as_slice() {
            let names: Vec<String> = dimensions.iter().step_by(2).map(|name| (*name).to_owned()).collect();
            if !is_told(name, &names) {
                faults.push(format!("the dashboard shows {name} by {names:?}, which nobody tells"));
            }
        }
        if let Some(search) = metric[0]["expression"].as_str().filter(|expression| expression.starts_with("SEARCH")) {
            let set = search.split(['{', '}']).nth(1).unwrap_or_default();
            let names: Vec<String> = set.split(',').skip(1).map(str::to_owned).collect();
            let name = search.split("MetricName=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
            if !set.starts_with("Postern,") || !is_told(name, &names) {
                faults.push(format!("the dashboard searches {name} by {names:?}, which nobody tells"));
            }
        }
    }
    for resource in stack.dependencies("Dashboard") {
        if stack.at(&format!("/Resources/{resource}/Condition")).is_string() {
            faults.push(format!("the dashboard needs {resource}, which may not be there"));
        }
    }
    faults
}
