//! SQS over a folder: the queues of the stack, spoken to in SQS's JSON protocol (`x-amz-target: AmazonSQS.<Operation>`).
//!
//! Each message is a file under `<data>/queues/<queue>/`, so a restart loses none, and what was received and not deleted
//! comes back when its time is over. A message that was received [`RECEIVES_MAX`] times goes to the dead letters instead of
//! being received again. Not there: FIFO queues, message attributes, making queues, retention.

mod files;
mod operations;
mod protocol;
mod queue;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, request::Parts};
use http_body_util::Full;
use postern::ambient::Ambient;
use tokio::sync::Notify;

use super::{ACCOUNT, EngineError};
use files::Files;
pub(super) use operations::queue_url;
use protocol::Fault;
pub use queue::Depth;
use queue::{Message, Queue};

/// SES notifications.
pub const RECEIPT_QUEUE: &str = "postern-receipt";
/// What is safe and not decided yet.
pub const RETRY_QUEUE: &str = "postern-retry";
/// Every raw object, 15 minutes after it was written.
pub const NET_QUEUE: &str = "postern-net";
/// Dead letters of the others.
pub const DEAD_QUEUE: &str = "postern-dead";
/// Doors that are to be polled.
pub const POLL_QUEUE: &str = "postern-poll";
/// All of them.
pub const QUEUES: [&str; 5] = [RECEIPT_QUEUE, RETRY_QUEUE, NET_QUEUE, DEAD_QUEUE, POLL_QUEUE];

/// As in the template: an outage is no poison.
pub const RECEIVES_MAX: u32 = 100;
/// How long the safety net waits before it looks.
pub const NET_DELAY: Duration = Duration::from_secs(900);
/// How long a received message is kept from others where the receiver does not say. Handlers here take seconds, and a
/// restart does not wait as long as the template's six function time-outs.
pub const VISIBILITY: Duration = Duration::from_secs(60);

/// A message and a batch may have so many octets (SQS quotas: 1 MiB since August 2025).
const MESSAGE_SIZE_MAX: usize = 1_048_576;
/// A request: a message whose every octet is escaped in JSON still fits.
pub(super) const REQUEST_SIZE_MAX: usize = 8 * MESSAGE_SIZE_MAX;
/// Longest wait for a message, seconds: SQS allows 20, but stopping waits for it.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// At the latest a queue is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// ARN of a queue.
#[must_use]
pub fn queue_arn(queue: &str) -> String {
    format!("arn:aws:sqs:{}:{ACCOUNT}:{queue}", super::REGION)
}

/// All queues of a data directory.
#[derive(Debug)]
pub struct Queues {
    ambient: Ambient,
    queues: Mutex<HashMap<&'static str, Queue>>,
    arrived: Notify,
}

impl Queues {
    /// Opens `<data>/queues`, made where it is missing.
    pub(super) fn open(data: &Path, ambient: Ambient) -> Result<Arc<Self>, EngineError> {
        let mut queues = HashMap::new();
        for name in QUEUES {
            let folder = data.join("queues").join(name);
            let opened = Files::open(folder.clone()).and_then(Queue::open);
            let queue =
                opened.map_err(|source| EngineError::directory(&folder, "cannot be read as a queue", source))?;
            queues.insert(name, queue);
        }
        Ok(Arc::new(Self { ambient, queues: Mutex::new(queues), arrived: Notify::new() }))
    }

    /// Sends a message, as a service of AWS does that needs no SQS client. `None` = the queue's own delay.
    ///
    /// # Errors
    /// There is no such queue, or the file cannot be written: in words.
    pub fn send(&self, queue: &str, body: String, delay: Option<Duration>) -> Result<String, std::io::Error> {
        let now = self.ambient.now();
        let due = now + delay.unwrap_or_else(|| operations::own_delay(queue));
        let mut queues = self.lock();
        let queue = queues.get_mut(queue).ok_or_else(|| std::io::Error::other(format!("there is no queue {queue}")))?;
        let id = self.new_id(queue);
        queue.put(Message::new(id.clone(), body, now, due))?;
        drop(queues);
        self.arrived.notify_waiters();
        Ok(id)
    }

    /// Waits until a queue holds a message that is due; at once where there is no such queue.
    pub async fn ready(&self, queue: &str) {
        loop {
            let arrived = self.arrived.notified();
            let now = self.ambient.now();
            let pause = match self.lock().get(queue).map(Queue::next_due) {
                Some(Some(due)) if due > now => Duration::try_from(due.duration_since(now)).unwrap_or_default(),
                // Nothing is there: what comes will tell.
                Some(None) => LOOK_AGAIN,
                Some(Some(_)) | None => return,
            };
            tokio::select! {
                () = arrived => {}
                // The clock may be set meanwhile.
                () = self.ambient.sleep(pause.min(LOOK_AGAIN)) => {}
            }
        }
    }

    /// The time that the queues go by.
    pub(super) fn now(&self) -> jiff::Timestamp {
        self.ambient.now()
    }

    /// How many messages a queue holds; nothing where there is no such queue.
    #[must_use]
    pub fn depth(&self, queue: &str) -> Depth {
        let now = self.ambient.now();
        self.lock().get(queue).map(|queue| queue.depth(now)).unwrap_or_default()
    }

    /// Receives messages that are due; what was received too often goes to the dead letters on the way.
    fn receive(&self, name: &str, at_most: usize, visibility: Duration) -> Result<Vec<Message>, Fault> {
        let now = self.ambient.now();
        let mut queues = self.lock();
        let mut received = Vec::new();
        while received.len() < at_most {
            let queue = queues.get_mut(name).ok_or_else(Fault::no_queue)?;
            match queue.next(now) {
                None => break,
                Some(spent) if spent.received >= RECEIVES_MAX && name != DEAD_QUEUE => {
                    let spent = spent.clone();
                    give_up(&mut queues, name, spent, now)?;
                    self.arrived.notify_waiters();
                }
                Some(_) => received.extend(queue.receive(now, visibility)?),
            }
        }
        Ok(received)
    }

    /// Waits until a message may have come or become due, at most `wait`.
    async fn wait(&self, name: &str, wait: Duration) {
        let arrived = self.arrived.notified();
        let now = self.ambient.now();
        let due = self.lock().get(name).and_then(Queue::next_due);
        let until_due = due.map_or(WAIT_MAX, |due| Duration::try_from(due.duration_since(now)).unwrap_or_default());
        tokio::select! {
            () = arrived => {}
            () = self.ambient.sleep(wait.min(WAIT_MAX).min(until_due)) => {}
        }
    }

    /// Random, and not that of a message that is there.
    fn new_id(&self, queue: &Queue) -> String {
        loop {
            let (high, low) = (self.ambient.entropy(), self.ambient.entropy());
            let digits = format!("{high:016x}{low:016x}");
            let part = |from, to| digits.get(from..to).unwrap_or_default();
            let id = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-");
            if !queue.holds(&id) {
                return id;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, Queue>> {
        // Each step changes the file first and the memory after it: a panic in between leaves both usable.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request.
    pub(super) async fn answer(self: Arc<Self>, url: String, parts: Parts, body: Bytes) -> Response<Full<Bytes>> {
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
        let operation = target.strip_prefix("AmazonSQS.").unwrap_or_default().to_owned();
        protocol::response(operations::run(&self, &url, operation, body).await)
    }
}

/// To the dead letters, the body unchanged. Written there first: killed in between, a message lies in both, in neither never.
fn give_up(
    queues: &mut HashMap<&'static str, Queue>,
    name: &str,
    spent: Message,
    now: jiff::Timestamp,
) -> Result<(), Fault> {
    let id = spent.id.clone();
    let letter = Message { given_up_by: Some(name.to_owned()), ..Message::new(spent.id, spent.body, spent.sent, now) };
    queues.get_mut(DEAD_QUEUE).ok_or_else(Fault::no_queue)?.put(letter)?;
    queues.get_mut(name).ok_or_else(Fault::no_queue)?.remove(&id)?;
    Ok(())
}
