//! `/metrics` of the local run: the numbers that CloudWatch has of a stack, in Prometheus's text form. Times are seconds
//! there, as Prometheus wants them, and each metric has all its dimensions as labels.

use std::collections::HashMap;
use std::sync::Arc;

use postern::telemetry::{
    self, Measurement, Metric,
    catalogue::{Kind, Unit},
};
use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit as Suffix},
};

use crate::engines::queues::{QUEUES, Queues};

/// Content type of what is answered (OpenMetrics specification, section "Text format").
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Milliseconds in a second, in which Prometheus tells times.
const MILLIS: f64 = 1_000.0;

type Labels = Vec<(&'static str, String)>;
type Distribution = Family<Labels, Histogram, fn() -> Histogram>;

/// One metric, by its labels.
#[derive(Debug)]
enum Numbers {
    Counter(Family<Labels, Counter>),
    Gauge(Family<Labels, Gauge>),
    Distribution(Distribution),
}

/// All metrics of this process, since it started.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    numbers: HashMap<Metric, Numbers>,
    depths: Family<Labels, Gauge>,
}

impl Metrics {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("postern");
        let numbers = Metric::ALL.iter().map(|metric| (*metric, registered(&mut registry, *metric))).collect();
        let depths = Family::default();
        registry.register("queue_depth", "Messages of each queue: due, in flight, delayed", depths.clone());
        Self { registry, numbers, depths }
    }

    /// Counts from now on what this process measures.
    #[must_use]
    pub fn listen() -> Arc<Self> {
        let metrics = Arc::new(Self::new());
        let listener = Arc::clone(&metrics);
        telemetry::send_to(move |measured| listener.take(measured));
        metrics
    }

    /// Takes one measurement in.
    pub fn take(&self, measured: &Measurement) {
        for (metric, value) in measured.values() {
            let labels = labels(*metric, measured);
            match self.numbers.get(metric) {
                Some(Numbers::Counter(family)) => {
                    family.get_or_create(&labels).inc_by(*value);
                }
                Some(Numbers::Gauge(family)) => {
                    family.get_or_create(&labels).set(i64::try_from(*value).unwrap_or(i64::MAX));
                }
                Some(Numbers::Distribution(family)) => family.get_or_create(&labels).observe(shown(*metric, *value)),
                None => {}
            }
        }
    }

    /// The text of `/metrics`, with the queues as they are now.
    ///
    /// # Errors
    /// A number cannot be written, which no registry of ours brings about.
    pub fn text(&self, queues: Option<&Queues>) -> Result<String, std::fmt::Error> {
        for name in QUEUES {
            let Some(depth) = queues.map(|queues| queues.depth(name)) else { continue };
            for (state, messages) in [("due", depth.due), ("in-flight", depth.in_flight), ("delayed", depth.delayed)] {
                let labels = vec![("queue", name.to_owned()), ("state", state.to_owned())];
                self.depths.get_or_create(&labels).set(i64::try_from(messages).unwrap_or(i64::MAX));
            }
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// The finest set of dimensions that the metric has.
fn labels(metric: Metric, measured: &Measurement) -> Labels {
    let finest = metric.sets().iter().max_by_key(|set| set.len()).copied().unwrap_or_default();
    let label =
        |name: &&'static str| Some((label_name(name)?, measured.dimension(name).unwrap_or_default().to_owned()));
    finest.iter().filter_map(label).collect()
}

fn label_name(dimension: &str) -> Option<&'static str> {
    [("Door", "door"), ("Outcome", "outcome"), ("Cause", "cause"), ("Mailbox", "mailbox")]
        .into_iter()
        .find_map(|(name, label)| (name == dimension).then_some(label))
}

fn registered(registry: &mut Registry, metric: Metric) -> Numbers {
    let (name, help) = (snake_case(metric.name()), metric.meaning().trim().trim_end_matches('.').to_owned());
    let suffix = match metric.unit() {
        Unit::Milliseconds | Unit::Seconds => Some(Suffix::Seconds),
        Unit::Bytes | Unit::Count | Unit::None => None,
    };
    match metric.kind() {
        Kind::Counter => {
            let family = Family::<Labels, Counter>::default();
            registry.register(name, help, family.clone());
            Numbers::Counter(family)
        }
        Kind::Gauge => {
            let family = Family::<Labels, Gauge>::default();
            match suffix {
                Some(unit) => registry.register_with_unit(name, help, unit, family.clone()),
                None => registry.register(name, help, family.clone()),
            }
            Numbers::Gauge(family)
        }
        Kind::Distribution => {
            let buckets: fn() -> Histogram = match suffix {
                // 5 ms to 11 minutes; 1 KiB to 64 MiB.
                Some(_) => || Histogram::new(exponential_buckets(0.005, 2.0, 18)),
                None => || Histogram::new(exponential_buckets(1024.0, 4.0, 9)),
            };
            let family = Distribution::new_with_constructor(buckets);
            match suffix {
                Some(unit) => registry.register_with_unit(name, help, unit, family.clone()),
                None => registry.register(name, help, family.clone()),
            }
            Numbers::Distribution(family)
        }
    }
}

/// A value in Prometheus's base units.
#[expect(clippy::cast_precision_loss, reason = "53 bits are enough for octets and milliseconds")]
fn shown(metric: Metric, value: u64) -> f64 {
    if metric.unit() == Unit::Milliseconds { value as f64 / MILLIS } else { value as f64 }
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use postern::telemetry::catalogue;

    use super::*;

    fn at() -> Measurement {
        Measurement::at("2026-11-02T09:00:00Z".parse().unwrap())
    }

    #[test]
    fn numbers_add_up_by_their_labels() {
        let metrics = Metrics::new();
        for (door, outcome) in [("ses", "created"), ("ses", "created"), ("mailgun", "held")] {
            let mail = at().by(catalogue::DOOR, door).by(catalogue::OUTCOME, outcome).with(Metric::Mails, 1);
            metrics.take(&mail.with(Metric::TimeToTicket, 1_500));
        }
        metrics.take(&at().by(catalogue::DOOR, "gmail").with(Metric::Freshness, 61));
        metrics.take(&at().with(Metric::OldestHeldHours, 7));
        metrics.take(&at().with(Metric::OldestHeldHours, 0));
        let text = metrics.text(None).unwrap();
        for line in [
            r#"postern_mails_total{door="ses",outcome="created"} 2"#,
            r#"postern_mails_total{door="mailgun",outcome="held"} 1"#,
            "postern_time_to_ticket_seconds_sum 4.5",
            "postern_time_to_ticket_seconds_count 3",
            r#"postern_time_to_ticket_seconds_bucket{le="1.28"} 0"#,
            r#"postern_time_to_ticket_seconds_bucket{le="2.56"} 3"#,
            r#"postern_freshness_seconds{door="gmail"} 61"#,
            "postern_oldest_held_hours 0",
            "# UNIT postern_freshness_seconds seconds",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("postern_parked_total 1"));
    }

    /// Every dimension of the catalogue has a label, or numbers would fall together that are told apart at AWS.
    #[test]
    fn every_dimension_is_a_label() {
        for dimension in Metric::ALL.iter().flat_map(|metric| metric.sets().iter().flat_map(|set| set.iter())) {
            assert!(label_name(dimension).is_some(), "{dimension}");
        }
    }
}
