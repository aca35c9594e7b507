//! SNS for one topic: what is published is a line of `<data>/events.jsonl`, and where an URL is set it is told there.
//!
//! The URL is a subscriber as SNS has them: publishing never waits for it and never fails with it. The log is also the
//! queue of what it has not been told (`deliver.rs`).

mod deliver;
mod protocol;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use jiff::Timestamp;
use postern::ambient::Ambient;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, broadcast};

use super::EngineError;
pub(super) use deliver::run as deliver;

/// The topic of ticket events.
pub const EVENTS_TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:postern-events";
/// A message has at most so many octets (SNS quotas: 256 KiB), a batch of ten as well.
const MESSAGE_SIZE_MAX: usize = 262_144;
/// A request: every octet of the message may be escaped.
pub(super) const REQUEST_SIZE_MAX: usize = 4 * MESSAGE_SIZE_MAX;
/// Events that a slow listener may lag behind.
const LISTENER_LAG_MAX: usize = 256;

/// A published message, as a line of the log holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// SNS's message id.
    pub id: String,
    /// When it was published.
    pub at: Timestamp,
    /// The message, as it was published.
    pub message: String,
    /// Message attributes, by name.
    pub attributes: BTreeMap<String, String>,
}

/// The topic of a data directory.
#[derive(Debug)]
pub struct Topic {
    ambient: Ambient,
    path: PathBuf,
    log: Mutex<File>,
    published: Notify,
    listeners: broadcast::Sender<Event>,
}

impl Topic {
    /// Opens `<data>/events.jsonl`, made where it is missing.
    pub(super) fn open(data: &Path, ambient: Ambient) -> Result<Arc<Self>, EngineError> {
        let path = data.join("events.jsonl");
        let log = open_log(&path).map_err(|source| EngineError::directory(&path, "cannot be written to", source))?;
        let (listeners, _) = broadcast::channel(LISTENER_LAG_MAX);
        Ok(Arc::new(Self { ambient, path, log: Mutex::new(log), published: Notify::new(), listeners }))
    }

    /// What is published from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Event> {
        self.listeners.subscribe()
    }

    /// All that was published, oldest first.
    ///
    /// # Errors
    /// The log cannot be read, or a line of it is not ours.
    pub fn events(&self) -> io::Result<Vec<Event>> {
        let text = std::fs::read_to_string(&self.path)?;
        text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    fn publish(&self, message: String, attributes: BTreeMap<String, String>) -> io::Result<String> {
        let id = format!("{:016x}{:016x}", self.ambient.entropy(), self.ambient.entropy());
        let event = Event { id: id.clone(), at: self.ambient.now(), message, attributes };
        let mut line = serde_json::to_vec(&event)?;
        line.push(b'\n');
        {
            let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            let length = log.metadata()?.len();
            if let Err(error) = log.write_all(&line) {
                // Half a line would take the next event with it.
                let _ = log.set_len(length);
                return Err(error);
            }
        }
        self.published.notify_waiters();
        // Nobody listens: no fault.
        let _ = self.listeners.send(event);
        Ok(id)
    }

    /// Answers one request.
    pub(super) async fn answer(self: Arc<Self>, body: Bytes) -> Response<Full<Bytes>> {
        let answered = tokio::task::spawn_blocking(move || protocol::answer(&self, &body)).await;
        answered.unwrap_or_else(|error| protocol::internal(&error))
    }
}

/// Opens for appending; a last line that a killed process left half written goes, as nobody was told it is published.
fn open_log(path: &Path) -> io::Result<File> {
    let mut log = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    let mut octets = Vec::new();
    log.read_to_end(&mut octets)?;
    let whole = octets.iter().rposition(|octet| *octet == b'\n').map_or(0, |newline| newline + 1);
    if whole < octets.len() {
        log.set_len(u64::try_from(whole).unwrap_or_default())?;
    }
    Ok(log)
}
