//! A schedule: the same event every so often. A run that fails is not tried again; the next one comes.

use std::time::Duration;

use jiff::Timestamp;
use postern::ambient::Ambient;
use serde_json::Value;

use super::{Handler, Turn};

/// One schedule and its function.
#[derive(Debug)]
pub struct Schedule {
    ambient: Ambient,
    every: Duration,
    input: Value,
    handler: Handler,
    next: Timestamp,
}

impl Schedule {
    /// Brings `input` each time that `every` has passed, the first time then.
    #[must_use]
    pub fn new(ambient: &Ambient, every: Duration, input: Value, handler: Handler) -> Self {
        Self { ambient: ambient.clone(), every, input, handler, next: ambient.now() + every }
    }

    pub(super) async fn ready(&self) {
        let left = self.next.duration_since(self.ambient.now());
        self.ambient.sleep(Duration::try_from(left).unwrap_or_default()).await;
    }

    pub(super) async fn turn(&mut self) -> Turn {
        let now = self.ambient.now();
        if now < self.next {
            return Turn::Idle;
        }
        // From now: after a laptop's sleep one run makes up for all.
        self.next = now + self.every;
        if let Err(error) = self.handler.invoke(self.input.clone()).await {
            tracing::warn!(error, "a scheduled run failed; the next one goes on");
        }
        Turn::Worked(1)
    }
}
