//! One message: fetched, through the pipeline; and what is left aside.

use std::panic::AssertUnwindSafe;

use bytes::Bytes;
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tracing::Instrument;

use super::{Trouble, folder::Run};
use crate::{
    blobs::OBJECT_OCTETS_MAX,
    envelope::Envelope,
    headers,
    imap::{ImapError, Meta, Session},
    inbound::{InboundMessage, Ingress, Origin, Verdicts},
    records::Parked,
    store::StoreError,
    telemetry,
};

/// First pause before a message that was left aside is tried again; it doubles.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// The longest one.
const AGAIN_MAX: SignedDuration = SignedDuration::from_hours(24);
/// Messages that were left aside and are tried again by one poll.
const AGAIN_AT_ONCE: usize = 5;

/// What became of a message.
pub(super) enum Fate {
    /// Safe: decided, or in the retry queue.
    Taken,
    /// It is not there any more.
    Vanished,
    /// It fits through no door.
    TooLarge,
    /// The server gives nothing that can be taken, or working on it broke; the connection is good.
    Broken(&'static str),
    /// The connection broke within it.
    Cut(ImapError),
    /// Bucket or table: it is not its fault.
    Later(Trouble),
}

impl Run<'_> {
    /// Fetches a message and brings it to its end.
    pub(super) async fn message(&mut self, session: &mut Session, uid: u32, meta: Meta) -> Fate {
        if meta.octets.is_some_and(|octets| octets > OBJECT_OCTETS_MAX) {
            return Fate::TooLarge;
        }
        let raw = match session.fetch(uid).await {
            Ok(Some(raw)) if raw.is_empty() => return Fate::Broken("poll-empty"),
            Ok(Some(raw)) => raw,
            Ok(None) => return not_given(session, uid).await,
            Err(error) if error.is_an_answer() => return Fate::Broken("poll-refused"),
            Err(error) => return Fate::Cut(error),
        };
        let inbound = self.inbound(raw, uid, meta);
        // On the heap: a large future. A panic is this message's own.
        let run = AssertUnwindSafe(Box::pin(self.poller.ingest.run(inbound))).catch_unwind();
        match run.await {
            Ok(Ok(answers)) => {
                self.did.taken += 1;
                self.did.known += usize::from(answers.iter().all(crate::outcome::Answer::was_seen_before));
                Fate::Taken
            }
            Ok(Err(error)) if error.retryable() => Fate::Later(error.into()),
            Ok(Err(error)) => {
                tracing::error!(door = self.door.id.as_str(), uid, %error, "a mail that cannot be taken");
                Fate::Broken("poll-not-taken")
            }
            Err(_) => Fate::Broken("poll-panic"),
        }
    }

    /// What every door hands over. Mail without Message-ID and Date is told apart by INTERNALDATE, which outlives a change
    /// of UIDVALIDITY; a UID does not.
    fn inbound(&self, raw: Bytes, uid: u32, meta: Meta) -> InboundMessage {
        let now = self.poller.now();
        let headers = headers::scan(&raw);
        let event = match meta.at {
            Some(at) => format!("internaldate:{}", at.as_second()),
            None => format!("uid:{}:{uid}", self.state.uid_validity.unwrap_or_default()),
        };
        InboundMessage {
            envelope: Envelope {
                reverse_path: headers.return_path,
                forward_paths: headers.delivered_to.into_iter().take(1).collect(),
                from_header: true,
            },
            ingress: Ingress::at(self.door, Some(event), meta.at.map_or(now, |at| at.min(now))),
            raw,
            origin: Origin::Received,
            verdicts: Verdicts::default(),
            mailbox: self.door.mailbox.clone(),
            replay_guard: None,
            payload: None,
            fetch: None,
        }
    }

    /// Leaves a message aside: a failed row that says why, and an item by which it is found again.
    pub(super) async fn leave_aside(&mut self, uid: u32, slug: &'static str) -> Result<(), Trouble> {
        let (now, uid_validity) = (self.poller.now(), self.state.uid_validity.unwrap_or_default());
        // What kills the process, or is too large, gets no better by itself.
        let hopeless = matches!(slug, "poll-attempts-used-up" | "poll-too-large" | "poll-panic");
        let next = (!hopeless).then(|| now.checked_add(AGAIN_AFTER).unwrap_or(now));
        let parked = Parked { uid_validity, uid, cause: slug.to_owned(), at: now, again: 0, next };
        let (ingress, note) = self.note_of(&parked);
        self.poller.ingest.unreadable(ingress, note, slug, None).await?;
        tracing::error!(door = self.door.id.as_str(), uid, slug, "a message is left aside; the rest goes on");
        self.poller.ingest.store.park_message(&self.door.id, self.name, &parked).await?;
        self.did.parked += 1;
        Ok(())
    }

    /// What stands in the row of a message that was left aside: the same each time, so it has one row.
    fn note_of(&self, parked: &Parked) -> (Ingress, Bytes) {
        let Parked { uid_validity, uid, .. } = parked;
        let note = json!({ "door": self.door.id, "folder": self.name, "uidvalidity": uid_validity, "uid": uid });
        let ingress = Ingress::at(self.door, Some(format!("uid:{uid_validity}:{uid}")), parked.at);
        (ingress, note.to_string().into())
    }

    /// Tries again what was left aside and is due, or all of it where somebody says so.
    pub(super) async fn parked_again(&mut self, session: &mut Session) -> Result<(), Trouble> {
        let now = self.poller.now();
        let (_, parked) = self.poller.ingest.store.folder(&self.door.id, self.name).await?;
        let current = |parked: &&Parked| Some(parked.uid_validity) == self.state.uid_validity;
        let due = |parked: &&Parked| self.ask.parked || parked.next.is_some_and(|next| next <= now);
        let most = if self.ask.parked { usize::MAX } else { AGAIN_AT_ONCE };
        let due: Vec<Parked> = parked.iter().filter(current).filter(due).take(most).cloned().collect();
        for parked in due {
            if self.is_over() {
                return Ok(());
            }
            self.try_again(session, parked, now).instrument(telemetry::span("message")).await?;
        }
        Ok(())
    }

    async fn try_again(&mut self, session: &mut Session, parked: Parked, now: Timestamp) -> Result<(), Trouble> {
        let store = &self.poller.ingest.store;
        let again = parked.again.saturating_add(1);
        let pause = AGAIN_AFTER.saturating_mul(2_i32.saturating_pow(again.min(8))).min(AGAIN_MAX);
        let next = parked.next.and_then(|_| now.checked_add(pause).ok());
        let parked = Parked { again, next, ..parked };
        // Written first: it may take the process along.
        store.park_message(&self.door.id, self.name, &parked).await?;
        self.go_on().await?;
        let meta = session.metas(&[parked.uid]).await?.get(&parked.uid).copied();
        let fate = match meta {
            None => Fate::Vanished,
            Some(meta) => Box::pin(self.message(session, parked.uid, meta)).await,
        };
        let reason = match fate {
            Fate::Taken => "poll-taken-later",
            Fate::Vanished => "poll-gone",
            Fate::TooLarge | Fate::Broken(_) => return Ok(()),
            Fate::Cut(error) => return Err(error.into()),
            Fate::Later(trouble) => return Err(trouble),
        };
        let (ingress, note) = self.note_of(&parked);
        let store = &self.poller.ingest.store;
        if reason == "poll-taken-later" {
            self.poller.ingest.settled(&ingress.door, &note, reason).await?;
        }
        match store.unpark_message(&self.door.id, self.name, &parked).await {
            Ok(()) | Err(StoreError::Refused) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The server says that a fetch is done and gave nothing: gone, or withheld?
async fn not_given(session: &mut Session, uid: u32) -> Fate {
    match session.search(&format!("UID {uid}")).await {
        Ok(found) if found.contains(&uid) => Fate::Broken("poll-not-given"),
        Ok(_) => Fate::Vanished,
        Err(error) if error.is_an_answer() => Fate::Broken("poll-not-given"),
        Err(error) => Fate::Cut(error),
    }
}
