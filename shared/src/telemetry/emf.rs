//! CloudWatch's embedded metric format: a log line from which CloudWatch Logs makes metrics, without a call (Amazon
//! CloudWatch User Guide, "Specification: Embedded metric format").

use serde_json::{Map, Value, json};

use super::Measurement;

/// Namespace of the metrics that the alarms of `template.yaml` watch.
const NAMESPACE: &str = "Postern";
/// Stands in front of every set of dimensions.
const STACK: &str = "Stack";

/// One line. A set of dimensions that is not known as a whole is left out.
pub(super) fn line(measured: &Measurement, stack: Option<&str>) -> Value {
    let known = |name: &str| measured.dimension(name).is_some();
    let mut directives: Vec<(Vec<Vec<&str>>, Vec<Value>)> = Vec::new();
    for (metric, _) in measured.values() {
        let sets = metric.sets().iter().filter(|set| set.iter().all(|name| known(name)));
        let sets: Vec<Vec<&str>> =
            sets.map(|set| stack.map(|_| STACK).into_iter().chain(set.iter().copied()).collect()).collect();
        let described = json!({ "Name": metric.name(), "Unit": metric.unit().as_str() });
        match directives.iter_mut().find(|(same, _)| *same == sets) {
            Some((_, metrics)) => metrics.push(described),
            None => directives.push((sets, vec![described])),
        }
    }
    let directives: Vec<Value> = directives
        .into_iter()
        .filter(|(sets, _)| !sets.is_empty())
        .map(|(sets, metrics)| json!({ "Namespace": NAMESPACE, "Dimensions": sets, "Metrics": metrics }))
        .collect();
    let mut line = Map::new();
    line.insert("_aws".into(), json!({ "Timestamp": measured.at.as_millisecond(), "CloudWatchMetrics": directives }));
    line.extend(stack.map(|stack| (STACK.to_owned(), json!(stack))));
    line.extend(measured.trace_id().map(|id| ("trace_id".to_owned(), json!(id))));
    line.extend(measured.by.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    line.extend(measured.values().iter().map(|(metric, value)| (metric.name().to_owned(), json!(value))));
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Metric, catalogue},
        *,
    };

    fn measured() -> Measurement {
        Measurement::at("2026-11-02T09:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_count_says_where_it_belongs() {
        let line = line(&measured().counting(Metric::Stubs, 2).counting(Metric::Failed, 0), Some("help"));
        let aws = json!({
            "Timestamp": 1_793_610_000_000_i64,
            "CloudWatchMetrics": [{
                "Namespace": "Postern", "Dimensions": [["Stack"]], "Metrics": [{ "Name": "Stubs", "Unit": "Count" }],
            }],
        });
        assert_eq!(line, json!({ "_aws": aws, "Stack": "help", "Stubs": 2 }));
    }

    #[test]
    fn metrics_of_the_same_dimensions_share_a_directive() {
        let mail = measured().of_trace("t".to_owned()).by(catalogue::DOOR, "ses").by(catalogue::OUTCOME, "created");
        let mail = mail.with(Metric::Mails, 1).with(Metric::TimeToTicket, 900).with(Metric::ProcessingTime, 0);
        let line = line(&mail, Some("help"));
        let directives = &line["_aws"]["CloudWatchMetrics"];
        assert_eq!(directives[0]["Dimensions"], json!([["Stack"], ["Stack", "Door", "Outcome"]]));
        assert_eq!(directives[0]["Metrics"], json!([{ "Name": "Mails", "Unit": "Count" }]));
        assert_eq!(directives[1]["Dimensions"], json!([["Stack"]]));
        assert_eq!(directives[1]["Metrics"].as_array().unwrap().len(), 2);
        assert_eq!(
            (&line["Door"], &line["TimeToTicket"], &line["trace_id"]),
            (&json!("ses"), &json!(900), &json!("t"))
        );
    }

    #[test]
    fn what_is_not_known_is_no_dimension() {
        let failed = measured().by(catalogue::MAILBOX, "").with(Metric::Failed, 1).with(Metric::Held, 1);
        let line = line(&failed, None);
        let directives = &line["_aws"]["CloudWatchMetrics"];
        assert_eq!(
            directives,
            &json!([{
                "Namespace": "Postern", "Dimensions": [[]], "Metrics": [{ "Name": "Failed", "Unit": "Count" }],
            }]),
            "Held is told by cause only"
        );
        assert!(line.get("Mailbox").is_none());
    }

    /// Amazon CloudWatch User Guide: at most 30 dimensions a set, 100 metrics a directive; names of printable ASCII.
    #[test]
    fn the_catalogue_is_within_cloudwatchs_limits() {
        for (n, metric) in Metric::ALL.iter().enumerate() {
            assert!(metric.name().chars().all(|c| c.is_ascii_alphanumeric()), "{metric:?}");
            assert!(metric.meaning().len() > 10 && !metric.sets().is_empty(), "{metric:?}");
            assert!(metric.sets().iter().all(|set| set.len() < 30));
            assert!(!Metric::ALL[..n].iter().any(|other| other.name() == metric.name()));
        }
    }
}
