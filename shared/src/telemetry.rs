//! Logs: one JSON object a line on Lambda, readable lines locally. What is logged is decided where it happens; no
//! body, subject, address or secret is ever a field.

use std::io::Write;

use jiff::Timestamp;
use serde_json::json;
use tracing_subscriber::{EnvFilter, fmt};

/// What is shown where nothing is said: ours, and warnings of others.
const DEFAULT_FILTER: &str = "warn,postern=info,postern_webhook=info,postern_receipt=info,postern_retry=info,postern_publish=info,\
     postern_poll=info";
/// Namespace of the metrics that the alarms of `template.yaml` watch.
const NAMESPACE: &str = "Postern";

/// Counts something, unless it is zero: one line in the embedded metric format, from which CloudWatch Logs makes a
/// metric without a call (Amazon CloudWatch User Guide, "Embedded metric format specification"). Only where [`json()`]
/// writes the logs.
pub fn count(name: &str, value: u64, now: Timestamp) {
    if value > 0 && ON_LAMBDA.get().is_some() {
        // Like a log line that cannot be written: nobody is left to tell.
        let _ = writeln!(std::io::stdout().lock(), "{}", metric(name, value, now));
    }
}

/// How long something is ago, in seconds, under a dimension and without one.
pub fn seconds(name: &str, value: u64, dimension: (&str, &str), now: Timestamp) {
    if ON_LAMBDA.get().is_some() {
        let _ = writeln!(std::io::stdout().lock(), "{}", age(name, value, dimension, now));
    }
}

fn age(name: &str, value: u64, (dimension, of): (&str, &str), now: Timestamp) -> serde_json::Value {
    json!({
        "_aws": {
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [[], [dimension]],
                "Metrics": [{ "Name": name, "Unit": "Seconds" }],
            }],
        },
        name: value,
        dimension: of,
    })
}

fn metric(name: &str, value: u64, now: Timestamp) -> serde_json::Value {
    json!({
        "_aws": {
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [[]],
                "Metrics": [{ "Name": name, "Unit": "Count" }],
            }],
        },
        name: value,
    })
}

/// Set once logs are written for CloudWatch.
static ON_LAMBDA: std::sync::OnceLock<()> = std::sync::OnceLock::new();

/// JSON to standard output, as CloudWatch Logs takes it. Does nothing where a subscriber is set already.
pub fn json(filter: Option<&str>) {
    let _ = ON_LAMBDA.set(());
    let _ = fmt().json().flatten_event(true).with_env_filter(of(filter)).with_target(false).try_init();
}

/// Readable lines to standard error. Does nothing where a subscriber is set already.
pub fn readable(filter: Option<&str>) {
    let _ = fmt().with_writer(std::io::stderr).with_env_filter(of(filter)).with_target(false).try_init();
}

fn of(filter: Option<&str>) -> EnvFilter {
    EnvFilter::try_new(filter.unwrap_or(DEFAULT_FILTER)).unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_says_where_it_belongs() {
        let line = metric("Parked", 2, "2026-11-02T09:00:00Z".parse().unwrap());
        assert_eq!(line["Parked"], 2);
        let aged = age("PollAge", 90, ("Door", "gmail"), "2026-11-02T09:00:00Z".parse().unwrap());
        assert_eq!((&aged["PollAge"], &aged["Door"]), (&json!(90), &json!("gmail")));
        assert_eq!(aged["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[], ["Door"]]));
        assert_eq!(line["_aws"]["Timestamp"], 1_793_610_000_000_i64);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Namespace"], "Postern");
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "Parked");
    }
}
