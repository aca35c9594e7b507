//! The clock, randomness and waiting, as one argument: the core takes times, the shell takes this.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use jiff::Timestamp;

type Sleep = dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// What the outside world supplies besides data.
#[derive(Clone)]
pub struct Ambient {
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    entropy: Arc<dyn Fn() -> u64 + Send + Sync>,
    sleep: Arc<Sleep>,
}

impl fmt::Debug for Ambient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ambient")
    }
}

impl Ambient {
    /// The system's own.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place where the system's clock and randomness come in")]
    pub fn system() -> Self {
        Self {
            clock: Arc::new(Timestamp::now),
            // Without entropy the clock still spreads retries; nothing secret is made from this.
            entropy: Arc::new(|| getrandom::u64().unwrap_or_else(|_| Timestamp::now().as_microsecond().unsigned_abs())),
            sleep: Arc::new(|duration| Box::pin(tokio::time::sleep(duration))),
        }
    }

    /// A fixed time, numbers that follow from the seed, no waiting: for tests. Instances that share a table need
    /// seeds of their own, as request tokens are made from these numbers.
    #[must_use]
    pub fn fixed(now: Timestamp, seed: u64) -> Self {
        Self::with_clock(move || now, seed)
    }

    /// As [`Ambient::fixed`], at the time that `clock` tells.
    #[must_use]
    pub fn with_clock(clock: impl Fn() -> Timestamp + Send + Sync + 'static, seed: u64) -> Self {
        let counter = Arc::new(std::sync::atomic::AtomicU64::new(seed.wrapping_mul(0xD1B5_4A32_D192_ED03)));
        Self {
            clock: Arc::new(clock),
            entropy: Arc::new(move || counter.fetch_add(0x9E37_79B9_7F4A_7C15, std::sync::atomic::Ordering::Relaxed)),
            sleep: Arc::new(|_| Box::pin(tokio::task::yield_now())),
        }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// 64 random bits: for jitter, request tokens and what must only differ, never for keys that are looked up.
    #[must_use]
    pub fn entropy(&self) -> u64 {
        (self.entropy)()
    }

    /// Waits.
    pub async fn sleep(&self, duration: Duration) {
        (self.sleep)(duration).await;
    }

    /// Full jitter: waits between nothing and `base` doubled `attempt` times, at most `cap`.
    pub async fn back_off(&self, attempt: u32, base: Duration, cap: Duration) {
        let ceiling = base.saturating_mul(2_u32.saturating_pow(attempt)).min(cap);
        let millis = u64::try_from(ceiling.as_millis()).unwrap_or(u64::MAX).max(1);
        self.sleep(Duration::from_millis(self.entropy() % millis)).await;
    }
}
