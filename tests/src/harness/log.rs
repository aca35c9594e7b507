//! What is logged on this thread, collected.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use tracing::{Dispatch, subscriber::DefaultGuard};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// Everything that is logged on this thread while it lives.
pub(crate) struct Log {
    collected: Collected,
    _guard: DefaultGuard,
    // While there is one subscriber only, a line that another thread's test passes first is switched off for all of them.
    _second: Dispatch,
}

impl Log {
    /// Begins to collect, as lines of JSON as on Lambda, what a filter lets through.
    pub(crate) fn of(filter: &str) -> Self {
        let collected = Collected::default();
        let lines = tracing_subscriber::fmt().json().flatten_event(true).with_span_list(false);
        let subscriber = lines.with_env_filter(EnvFilter::new(filter)).with_writer(collected.clone()).finish();
        let second = Dispatch::new(tracing_subscriber::fmt().with_env_filter(EnvFilter::new("off")).finish());
        Self { collected, _guard: tracing::subscriber::set_default(subscriber), _second: second }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.collected.0.lock().unwrap().clone()).unwrap()
    }
}

#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<u8>>>);

impl Write for Collected {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Collected {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
