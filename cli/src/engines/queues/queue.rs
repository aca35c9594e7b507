//! One queue: what lies in it, who may have it, and when it comes back. The time is an argument; the files follow each step.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::files::Files;

/// A message may be kept from others for so long after it was received (SQS API, ChangeMessageVisibility).
const INVISIBLE_MAX: SignedDuration = SignedDuration::from_hours(12);

/// A message and where it stands; what its file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) body: String,
    pub(super) sent: Timestamp,
    /// Nobody receives it before.
    pub(super) due: Timestamp,
    /// How often it was received; the number of its current receive, and so what makes a handle current.
    pub(super) received: u32,
    pub(super) first_received: Option<Timestamp>,
    pub(super) last_received: Option<Timestamp>,
    /// Name of the queue that gave it up.
    pub(super) given_up_by: Option<String>,
}

impl Message {
    pub(super) fn new(id: String, body: String, sent: Timestamp, due: Timestamp) -> Self {
        Self { id, body, sent, due, received: 0, first_received: None, last_received: None, given_up_by: None }
    }

    /// What deletes it: good until somebody else receives it.
    pub(super) fn handle(&self) -> String {
        format!("{}.{}", self.id, self.received)
    }

    /// Next first; equals in the order they were sent.
    fn place(&self) -> Place {
        (self.due, self.sent, self.id.clone())
    }
}

type Place = (Timestamp, Timestamp, String);

/// Why a step was not made.
#[derive(Debug)]
pub(super) enum Refused {
    /// A handle that no receive gave out.
    NotAHandle,
    /// Deleted, or received again since.
    NotHeld,
    /// Received, and its time is over.
    NotInFlight,
    /// More than twelve hours after the receive.
    TooLong,
    /// The disk.
    Io(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// How many messages there are, by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Due: the next receive gets them.
    pub due: usize,
    /// Received, and not yet due again.
    pub in_flight: usize,
    /// Never received, and not yet due.
    pub delayed: usize,
}

/// The messages of one queue.
#[derive(Debug)]
pub(super) struct Queue {
    files: Files,
    messages: HashMap<String, Message>,
    order: BTreeSet<Place>,
}

impl Queue {
    /// Over the files of an earlier run.
    pub(super) fn open(files: Files) -> io::Result<Self> {
        let messages: HashMap<String, Message> =
            files.read()?.into_iter().map(|message| (message.id.clone(), message)).collect();
        let order = messages.values().map(Message::place).collect();
        Ok(Self { files, messages, order })
    }

    pub(super) fn holds(&self, id: &str) -> bool {
        self.messages.contains_key(id)
    }

    /// Keeps a message, instead of an older state of it where there is one.
    pub(super) fn put(&mut self, message: Message) -> io::Result<()> {
        self.files.write(&message)?;
        self.forget(&message.id);
        self.order.insert(message.place());
        self.messages.insert(message.id.clone(), message);
        Ok(())
    }

    /// The next message that is due.
    pub(super) fn next(&self, now: Timestamp) -> Option<&Message> {
        let (due, _, id) = self.order.first()?;
        if *due <= now { self.messages.get(id) } else { None }
    }

    /// When the next message is due; it may be long ago.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.order.first().map(|(due, _, _)| *due)
    }

    /// Hands out the next message that is due, for as long as `visibility`.
    pub(super) fn receive(&mut self, now: Timestamp, visibility: Duration) -> io::Result<Option<Message>> {
        let Some(mut message) = self.next(now).cloned() else { return Ok(None) };
        message.received = message.received.saturating_add(1);
        message.first_received.get_or_insert(now);
        message.last_received = Some(now);
        message.due = now + visibility;
        self.put(message.clone())?;
        Ok(Some(message))
    }

    /// Deletes by handle. An old handle deletes nothing and is no error, as on AWS.
    pub(super) fn delete(&mut self, handle: &str) -> Result<(), Refused> {
        match self.held(handle) {
            Ok(message) => {
                let id = message.id.clone();
                Ok(self.remove(&id)?)
            }
            Err(Refused::NotHeld) => Ok(()),
            Err(refused) => Err(refused),
        }
    }

    /// The message becomes due `after` now.
    pub(super) fn change_visibility(&mut self, handle: &str, now: Timestamp, after: Duration) -> Result<(), Refused> {
        let mut message = self.held(handle)?.clone();
        if message.due <= now {
            return Err(Refused::NotInFlight);
        }
        let due = now + after;
        if message.last_received.is_some_and(|received| due > received + INVISIBLE_MAX) {
            return Err(Refused::TooLong);
        }
        message.due = due;
        Ok(self.put(message)?)
    }

    pub(super) fn remove(&mut self, id: &str) -> io::Result<()> {
        self.files.delete(id)?;
        self.forget(id);
        Ok(())
    }

    pub(super) fn purge(&mut self) -> io::Result<()> {
        let ids: Vec<String> = self.messages.keys().cloned().collect();
        ids.iter().try_for_each(|id| self.remove(id))
    }

    pub(super) fn depth(&self, now: Timestamp) -> Depth {
        let mut depth = Depth::default();
        for message in self.messages.values() {
            let kind = match (message.due <= now, message.received) {
                (true, _) => &mut depth.due,
                (false, 0) => &mut depth.delayed,
                (false, _) => &mut depth.in_flight,
            };
            *kind += 1;
        }
        depth
    }

    fn held(&self, handle: &str) -> Result<&Message, Refused> {
        let (id, received) = handle.rsplit_once('.').ok_or(Refused::NotAHandle)?;
        let received: u32 = received.parse().map_err(|_| Refused::NotAHandle)?;
        let message = self.messages.get(id).filter(|message| message.received == received && received > 0);
        message.ok_or(Refused::NotHeld)
    }

    fn forget(&mut self, id: &str) {
        if let Some(message) = self.messages.remove(id) {
            self.order.remove(&message.place());
        }
    }
}
