//! Logs and metrics. Logs: one JSON object a line on Lambda, readable lines locally; what is logged is decided where it
//! happens, and no body, subject, address or secret is ever a field. Metrics: [`catalogue`] names them, a [`Measurement`]
//! holds what is told at one moment, and the process says once where that goes: CloudWatch's lines on Lambda, the
//! command line's `/metrics` locally, nowhere in tests.

pub mod catalogue;
mod emf;

use std::io::Write;
use std::sync::OnceLock;

use jiff::Timestamp;
use tracing::{Span, field};
use tracing_subscriber::{EnvFilter, fmt};

pub use self::catalogue::Metric;
use crate::inbound::Ingress;

/// What is shown where nothing is said: ours, and warnings of others.
const DEFAULT_FILTER: &str = "warn,postern=info,postern_webhook=info,postern_receipt=info,postern_retry=info,postern_publish=info,\
     postern_poll=info";
/// The field of spans that a mail's trace id stands in.
const TRACE_ID: &str = "trace_id";

type Sink = Box<dyn Fn(&Measurement) + Send + Sync>;
static SINK: OnceLock<Sink> = OnceLock::new();

/// Says where measurements go, for the rest of the process. Does nothing where that is said already.
pub fn send_to(sink: impl Fn(&Measurement) + Send + Sync + 'static) {
    let _ = SINK.set(Box::new(sink));
}

/// What is measured at one moment, of one thing.
#[derive(Clone, Debug)]
pub struct Measurement {
    at: Timestamp,
    trace_id: Option<String>,
    by: Vec<(&'static str, String)>,
    values: Vec<(Metric, u64)>,
}

impl Measurement {
    /// Nothing yet, at a time.
    #[must_use]
    pub const fn at(at: Timestamp) -> Self {
        Self { at, trace_id: None, by: Vec::new(), values: Vec::new() }
    }

    /// The mail that it is about. Not a dimension: a property of the line, to be queried.
    #[must_use]
    pub fn of_trace(self, id: String) -> Self {
        Self { trace_id: Some(id), ..self }
    }

    /// A dimension; an empty value is none, as CloudWatch takes none.
    #[must_use]
    pub fn by(mut self, dimension: &'static str, value: &str) -> Self {
        if !value.is_empty() {
            self.by.push((dimension, value.to_owned()));
        }
        self
    }

    /// A value, zero too.
    #[must_use]
    pub fn with(mut self, metric: Metric, value: u64) -> Self {
        self.values.push((metric, value));
        self
    }

    /// A count, unless there is nothing to count.
    #[must_use]
    pub fn counting(self, metric: Metric, value: u64) -> Self {
        if value > 0 { self.with(metric, value) } else { self }
    }

    /// The values.
    #[must_use]
    pub fn values(&self) -> &[(Metric, u64)] {
        &self.values
    }

    /// What a dimension is here.
    #[must_use]
    pub fn dimension(&self, name: &str) -> Option<&str> {
        self.by.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The mail that it is about.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.trace_id.as_deref()
    }

    /// Tells it, where anybody listens.
    pub fn tell(&self) {
        if let Some(sink) = SINK.get().filter(|_| !self.values.is_empty()) {
            sink(self);
        }
    }
}

/// Counts something, unless it is zero.
pub fn count(metric: Metric, value: u64, now: Timestamp) {
    Measurement::at(now).counting(metric, value).tell();
}

/// JSON to standard output, as CloudWatch Logs takes it, and metrics among the lines. `stack`: what every metric is told
/// apart by, because two stacks may share an account. Does nothing where a subscriber is set already.
pub fn json(stack: Option<String>) {
    send_to(move |measured| {
        let line = emf::line(measured, stack.as_deref());
        // Like a log line that cannot be written: nobody is left to tell.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    });
    let lines = fmt().json().flatten_event(true).with_span_list(false);
    let _ = lines.with_env_filter(of(None)).with_target(false).try_init();
}

/// Readable lines to standard error. Does nothing where a subscriber is set already.
pub fn readable(filter: Option<&str>) {
    let _ = fmt().with_writer(std::io::stderr).with_env_filter(of(filter)).with_target(false).try_init();
}

fn of(filter: Option<&str>) -> EnvFilter {
    EnvFilter::try_new(filter.unwrap_or(DEFAULT_FILTER)).unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER))
}

/// The span of one request, letter or record: all that is logged within it carries the trace id of the mail that it turns
/// out to be about ([`note_trace`]).
#[must_use]
pub fn span(of: &'static str) -> Span {
    tracing::info_span!("work", of, trace_id = field::Empty)
}

/// Notes on the current span which mail this is about. A second mail within the same span takes its place.
pub fn note_trace(ingress: &Ingress, raw_key: &str) {
    note_trace_id(ingress.trace_id(raw_key));
}

/// As [`note_trace`], where the id itself is known.
pub fn note_trace_id(id: Option<String>) {
    if let Some(id) = id {
        Span::current().record(TRACE_ID, id.as_str());
    }
}
