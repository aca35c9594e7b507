//! A clock that stands until it is moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use postern::ambient::Ambient;

use crate::world;

/// Clones tell the same time. Starts at [`world::NOW`].
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(world::now().as_second())))
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }

    pub(crate) fn ambient(&self) -> Ambient {
        let clock = self.clone();
        Ambient::with_clock(move || clock.now(), 1)
    }
}
