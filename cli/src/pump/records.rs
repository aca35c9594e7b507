//! The stream's event source: in order, again from the first record that failed, and over a record that never succeeds.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use postern::ambient::Ambient;
use serde_json::{Value, json};

use super::messages::failures;
use super::{Handler, Turn};
use crate::engines::{
    Engines,
    stream::{Batch, Stream, sequence_number},
};

/// As often as Lambda asks a shard.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// After a failure: doubled each time, up to.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// The table's stream and its function.
#[derive(Debug)]
pub struct Records {
    stream: Stream,
    ambient: Ambient,
    handler: Handler,
    /// Records at once, and how many of them after failures.
    batch: usize,
    now_at_once: usize,
    /// How often a record is tried, and how often the first one was.
    tries_max: u32,
    tries: u32,
    failures: PathBuf,
}

impl Records {
    /// Brings at most `batch` records at once, from where the last run stopped. A record that failed `tries_max` times
    /// alone or as the first of a batch is written to `<data>/stream-failures` and passed over.
    #[must_use]
    pub fn new(engines: &Engines, ambient: &Ambient, batch: usize, tries_max: u32, handler: Handler) -> Self {
        Self {
            stream: engines.stream(),
            ambient: ambient.clone(),
            handler,
            batch,
            now_at_once: batch,
            tries_max,
            tries: 0,
            failures: engines.directory().join("stream-failures"),
        }
    }

    pub(super) async fn ready(&self) {
        let pause = match self.tries {
            0 => ASK_EVERY,
            tries => PAUSE.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1))).min(PAUSE_MAX),
        };
        self.ambient.sleep(pause).await;
    }

    pub(super) async fn turn(&mut self) -> anyhow::Result<Turn> {
        let (stream, at_once) = (self.stream.clone(), self.now_at_once.max(1));
        let Batch { records, upto } = tokio::task::spawn_blocking(move || stream.read(at_once)).await??;
        if records.is_empty() {
            if let Some(upto) = upto {
                self.stream.settle(&upto)?;
            }
            return Ok(Turn::Idle);
        }
        let failed = match self.handler.invoke(json!({ "Records": records })).await {
            Ok(answer) => failures(&answer, records.iter().map(sequence_number))
                .ok_or_else(|| "names what it was not given".to_owned()),
            Err(error) => Err(error),
        };
        match failed {
            Ok(failed) => {
                // Behind the first that failed, also what succeeded comes again: order is worth more than once.
                let first = records.iter().position(|record| failed.contains(sequence_number(record)));
                match first {
                    None => self.settled(upto.as_deref())?,
                    Some(0) => self.first_failed(records.first(), "the function named it in batchItemFailures")?,
                    Some(n) => self.settled(records.get(n.saturating_sub(1)).map(sequence_number))?,
                }
            }
            // Half as many next time, so that an innocent is not given up with a culprit.
            Err(_) if records.len() > 1 => self.now_at_once = records.len() / 2,
            Err(error) => self.first_failed(records.first(), &error)?,
        }
        Ok(Turn::Worked(records.len()))
    }

    fn settled(&mut self, upto: Option<&str>) -> anyhow::Result<()> {
        if let Some(upto) = upto {
            self.stream.settle(upto)?;
        }
        (self.tries, self.now_at_once) = (0, self.batch);
        Ok(())
    }

    fn first_failed(&mut self, record: Option<&Value>, why: &str) -> anyhow::Result<()> {
        self.tries = self.tries.saturating_add(1);
        let Some(record) = record.filter(|_| self.tries >= self.tries_max) else { return Ok(()) };
        let number = sequence_number(record);
        std::fs::create_dir_all(&self.failures).with_context(|| self.failures.display().to_string())?;
        let file = self.failures.join(format!("{number}.json"));
        let content = serde_json::to_vec_pretty(&json!({"why": why, "record": record}))?;
        std::fs::write(&file, content).with_context(|| file.display().to_string())?;
        tracing::error!(sequence_number = number, why, "a stream record is given up; the sweep brings it again");
        self.settled(Some(number))
    }
}
