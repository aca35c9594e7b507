//! Logs: one JSON object a line on Lambda, readable lines locally. What is logged is decided where it happens; no
//! body, subject, address or secret is ever a field.

use tracing_subscriber::{EnvFilter, fmt};

/// What is shown where nothing is said: ours, and warnings of others.
const DEFAULT_FILTER: &str = "warn,postern=info,postern_webhook=info";

/// JSON to standard output, as CloudWatch Logs takes it. Does nothing where a subscriber is set already.
pub fn json(filter: Option<&str>) {
    let _ = fmt().json().flatten_event(true).with_env_filter(of(filter)).with_target(false).try_init();
}

/// Readable lines to standard error. Does nothing where a subscriber is set already.
pub fn readable(filter: Option<&str>) {
    let _ = fmt().with_writer(std::io::stderr).with_env_filter(of(filter)).with_target(false).try_init();
}

fn of(filter: Option<&str>) -> EnvFilter {
    EnvFilter::try_new(filter.unwrap_or(DEFAULT_FILTER)).unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER))
}
