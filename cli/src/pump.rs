//! What Lambda's event sources do: bring messages, stream records and the schedule to a handler, and act on its answer.
//!
//! One pump is one event source of `template.yaml`. A pump does one thing at a time; [`run`] gives each a task of its own,
//! [`drain`] takes turns until nothing is due.

mod messages;
mod records;
mod schedule;

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use postern::ambient::Ambient;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use messages::Messages;
pub use records::Records;
pub use schedule::Schedule;

/// After a turn that failed: the engine is stopping, or the disk is full.
const PAUSE_AFTER_TROUBLE: Duration = Duration::from_secs(1);

type Answer = Pin<Box<dyn Future<Output = Result<Value, String>> + Send>>;

/// A function: an event in, its answer out. Clones are the same function.
#[derive(Clone)]
pub struct Handler(Arc<dyn Fn(Value) -> Answer + Send + Sync>);

impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handler")
    }
}

impl Handler {
    /// Of a closure, mostly `move |event| { let app = app.clone(); async move { app.handle(event).await } }`.
    pub fn new<F, A, E>(function: F) -> Self
    where
        F: Fn(Value) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Value, E>> + Send + 'static,
        E: Display,
    {
        Self(Arc::new(move |event| {
            let answer = function(event);
            Box::pin(async move { answer.await.map_err(|error| error.to_string()) })
        }))
    }

    /// One invocation. A panic ends it alone, as on Lambda.
    async fn invoke(&self, event: Value) -> Result<Value, String> {
        let answer = tokio::spawn((self.0)(event)).await;
        answer.unwrap_or_else(|error| Err(format!("the handler broke off: {error}")))
    }
}

/// What a turn did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing was due.
    Idle,
    /// The handler was called with so many records; what it refused comes back or is given up.
    Worked(usize),
}

/// One event source and its function.
#[derive(Debug)]
pub enum Pump {
    /// A queue.
    Messages(Messages),
    /// The table's stream.
    Records(Records),
    /// A schedule.
    Schedule(Schedule),
}

impl Pump {
    /// What it is called in logs.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Messages(messages) => messages.name(),
            Self::Records(_) => "stream",
            Self::Schedule(_) => "schedule",
        }
    }

    /// Brings what is due now to the handler, at most one batch.
    ///
    /// # Errors
    /// The engine does not answer. An error of the handler is none: it is acted on.
    pub async fn turn(&mut self) -> anyhow::Result<Turn> {
        match self {
            Self::Messages(messages) => messages.turn().await,
            Self::Records(records) => records.turn().await,
            Self::Schedule(schedule) => Ok(schedule.turn().await),
        }
    }

    /// Waits until something may be due.
    async fn ready(&self) {
        match self {
            Self::Messages(messages) => messages.ready().await,
            Self::Records(records) => records.ready().await,
            Self::Schedule(schedule) => schedule.ready().await,
        }
    }
}

impl From<Messages> for Pump {
    fn from(messages: Messages) -> Self {
        Self::Messages(messages)
    }
}

impl From<Records> for Pump {
    fn from(records: Records) -> Self {
        Self::Records(records)
    }
}

impl From<Schedule> for Pump {
    fn from(schedule: Schedule) -> Self {
        Self::Schedule(schedule)
    }
}

/// Pumps that run. Dropping them stops them as well, and waits for nothing.
#[derive(Debug)]
pub struct Running {
    stop: watch::Sender<bool>,
    pumps: Vec<JoinHandle<()>>,
}

impl Running {
    /// Stops; what is under way is finished first.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for pump in self.pumps {
            if let Err(error) = pump.await {
                tracing::error!(%error, "a pump broke off");
            }
        }
    }
}

/// Runs each pump until [`Running::stop`].
#[must_use]
pub fn run(pumps: Vec<Pump>, ambient: &Ambient) -> Running {
    let (stop, stopped) = watch::channel(false);
    let pumps = pumps.into_iter().map(|pump| tokio::spawn(run_one(pump, ambient.clone(), stopped.clone()))).collect();
    Running { stop, pumps }
}

async fn run_one(mut pump: Pump, ambient: Ambient, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            // Stopping comes first: what still waits is the next run's.
            biased;
            // An error: whoever could stop it has dropped it.
            _ = stopped.wait_for(|stop| *stop) => return,
            () = pump.ready() => {}
        }
        if let Err(error) = pump.turn().await {
            tracing::warn!(
                pump = pump.name(),
                error = format!("{error:#}"),
                "nothing could be brought to the function"
            );
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                () = ambient.sleep(PAUSE_AFTER_TROUBLE) => {}
            }
        }
    }
}

/// Takes turns until no pump has anything due; answers how many records were handed over.
///
/// # Errors
/// An engine does not answer; or something is still due after `turns_max` turns, because it comes back each time.
pub async fn drain(pumps: &mut [Pump], turns_max: usize) -> anyhow::Result<usize> {
    let (mut handed_over, mut turns) = (0, 0);
    loop {
        let mut idle = true;
        for pump in pumps.iter_mut() {
            while let Turn::Worked(records) = pump.turn().await? {
                idle = false;
                handed_over += records;
                turns += 1;
                if turns >= turns_max {
                    anyhow::bail!("{} is not empty after {turns} turns: does what comes never succeed?", pump.name());
                }
            }
        }
        if idle {
            return Ok(handed_over);
        }
    }
}
