//! One folder: what is new in it, oldest first, and how far it has come.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::json;
use tracing::Instrument;

use super::{ATTEMPTS_MAX, Ask, BATCH, Polled, Poller, RESYNC_BACK, Trouble, message::Fate};
use crate::{
    digest::sha256_parts,
    door::{After, Door, Imap},
    imap::{ImapError, Meta, Opened, Session},
    inbound::Ingress,
    records::{Folder, Horizon, Trying},
    telemetry::{self, Metric},
};

/// One poll of one folder, under its lease.
pub(super) struct Run<'a> {
    pub(super) poller: &'a Poller,
    pub(super) door: &'a Door,
    pub(super) imap: &'a Imap,
    pub(super) name: &'a str,
    pub(super) ask: &'a Ask,
    pub(super) state: Folder,
    pub(super) did: &'a mut Polled,
}

impl Run<'_> {
    /// Works through the folder until nothing is new or time is up.
    pub(super) async fn work(&mut self, session: &mut Session) -> Result<(), Trouble> {
        let opened = session.open(self.name, self.imap.after == After::Nothing).await?;
        if self.ask.backfill {
            return self.backfill(session).await;
        }
        self.adopt(session, opened).await?;
        let found = session.search(&self.criteria()).await?;
        // `n:*` names the last message even where n is above it (RFC 3501 section 6.4.8).
        let new: Vec<u32> = found.into_iter().filter(|uid| *uid > self.state.uid).collect();
        for batch in new.chunks(BATCH) {
            let metas = session.metas(batch).await?;
            for uid in batch {
                if self.is_over() {
                    return Ok(());
                }
                // All of one message within one span: what is said of it carries its trace id.
                self.one(session, *uid, &metas).instrument(telemetry::span("message")).await?;
            }
        }
        if let Some(horizon) = self.state.horizon.take() {
            self.state.uid = self.state.uid.max(horizon.uid);
        }
        self.state.last_good = Some(self.poller.now());
        Box::pin(self.parked_again(session)).await
    }

    /// True once time is up; the next poll goes on.
    pub(super) fn is_over(&mut self) -> bool {
        let over = self.poller.now() >= self.ask.until;
        self.did.left |= over;
        over
    }

    /// Gives the lease back with what is known now. Where that fails, the lease runs out by itself.
    pub(super) async fn ended(self, trouble: Option<&Trouble>) -> Result<(), Trouble> {
        let state = Folder { trouble: trouble.map(|trouble| trouble.slug().to_owned()), ..self.state };
        let given = self.poller.ingest.store.give_back(&self.door.id, self.name, &state).await;
        if let Err(error) = &given {
            tracing::warn!(door = self.door.id.as_str(), %error, "a folder's cursor was not written; it is read again");
        }
        Ok(given?)
    }

    /// Makes the cursor fit the folder: at its first poll, where its UIDs count anew, and where the door leads elsewhere now.
    async fn adopt(&mut self, session: &mut Session, opened: Opened) -> Result<(), Trouble> {
        let of = sha256_parts(&[self.imap.host.as_bytes(), self.imap.user.as_bytes()]);
        if self.state.uid_validity == Some(opened.uid_validity) && self.state.of.as_ref() == Some(&of) {
            return Ok(());
        }
        // What is there now; UIDNEXT is only a prediction.
        let last = session.search("UID *").await?.last().copied().unwrap_or_default();
        let now = self.poller.now();
        let before = |at: Timestamp, back: SignedDuration| at.checked_sub(back).unwrap_or(at);
        let first = || before(now, SignedDuration::from_hours(24 * i64::from(self.imap.first_days)));
        let resync = self.state.uid_validity.is_some();
        let known = self.state.horizon.map(|horizon| horizon.at);
        let at = match (resync, self.state.last_good) {
            (true, Some(good)) => before(good, RESYNC_BACK),
            (true, None) => known.unwrap_or_else(first),
            (false, _) => self.ask.since.unwrap_or_else(first),
        };
        if resync {
            self.note_resync(session, opened, at).await?;
        }
        self.state.uid_validity = Some(opened.uid_validity);
        self.state.of = Some(of);
        self.state.uid = 0;
        self.state.trying = None;
        self.state.horizon = (last > 0).then_some(Horizon { uid: last, at, resync });
        Ok(())
    }

    /// Writes down, once, that older mail is passed over because its UIDs count anew: an ignored row, reason
    /// `before-horizon`.
    async fn note_resync(&mut self, session: &mut Session, opened: Opened, at: Timestamp) -> Result<(), Trouble> {
        let older = session.search(&format!("BEFORE {}", day(at))).await?.len();
        self.did.before_horizon += older;
        let door = self.door.id.as_str();
        tracing::error!(
            door,
            older,
            "the server numbers this folder anew, or it is another one; it is resynchronised by the message index"
        );
        telemetry::count(Metric::PollResync, 1, self.poller.now());
        let note = json!({
            "door": door, "folder": self.name, "uidvalidity": opened.uid_validity, "was": self.state.uid_validity,
            "messages_before_horizon": older, "horizon": at,
        });
        let event = format!("uidvalidity:{}", opened.uid_validity);
        let ingress = Ingress::at(self.door, Some(event), self.poller.now());
        let noted = self.poller.ingest.noted(ingress, note.to_string().into(), "before-horizon");
        noted.instrument(telemetry::span("note")).await?;
        Ok(())
    }

    /// What to search for: behind the cursor; of what was there already only what is young enough. SINCE knows days of
    /// whatever zone, so a day more is asked for and INTERNALDATE decides.
    fn criteria(&self) -> String {
        let from = self.state.uid.saturating_add(1);
        match self.state.horizon {
            Some(Horizon { uid, at, .. }) if self.state.uid < uid => {
                let day = day(at.checked_sub(SignedDuration::from_hours(24)).unwrap_or(at));
                format!("UID {from}:* OR UID {}:* SINCE {day}", uid.saturating_add(1))
            }
            _ => format!("UID {from}:*"),
        }
    }

    /// One message that is behind the cursor.
    async fn one(&mut self, session: &mut Session, uid: u32, metas: &BTreeMap<u32, Meta>) -> Result<(), Trouble> {
        let Some(meta) = metas.get(&uid) else {
            self.did.vanished += 1;
            self.state.uid = uid;
            return Ok(());
        };
        if self.is_old(uid, meta) {
            self.did.before_horizon += 1;
            self.state.uid = uid;
            return Ok(());
        }
        let before = self.state.trying.filter(|trying| trying.uid == uid).map_or(0, |trying| trying.attempts);
        if before >= ATTEMPTS_MAX {
            return self.give_up(uid, "poll-attempts-used-up").await;
        }
        // Counted before anything is looked at: it may take the process along.
        self.state.trying = Some(Trying { uid, attempts: before + 1 });
        self.go_on().await?;
        let fate = Box::pin(self.message(session, uid, *meta)).await;
        let ended = match fate {
            Fate::Taken => self.file(session, uid).await,
            Fate::Vanished => {
                self.did.vanished += 1;
                Ok(())
            }
            Fate::TooLarge => return self.give_up(uid, "poll-too-large").await,
            Fate::Broken(slug) if before + 1 >= ATTEMPTS_MAX => return self.give_up(uid, slug).await,
            Fate::Broken(slug) => return Err(Trouble::Message(slug)),
            Fate::Cut(error) => {
                // A literal without bounds gets no shorter by another try.
                if let ImapError::TooLarge(_) = error {
                    self.give_up(uid, "poll-too-large").await?;
                } else if before + 1 >= ATTEMPTS_MAX {
                    self.give_up(uid, "poll-broken-off").await?;
                }
                return Err(error.into());
            }
            Fate::Later(trouble) => {
                // By no fault of the mail.
                self.state.trying = Some(Trying { uid, attempts: before });
                return Err(trouble);
            }
        };
        self.state.uid = uid;
        self.state.trying = None;
        ended
    }

    /// Older than what is taken of mail that was there already.
    fn is_old(&self, uid: u32, meta: &Meta) -> bool {
        let horizon = self.state.horizon.filter(|horizon| uid <= horizon.uid);
        horizon.zip(meta.at).is_some_and(|(horizon, at)| at < horizon.at)
    }

    async fn give_up(&mut self, uid: u32, slug: &'static str) -> Result<(), Trouble> {
        self.leave_aside(uid, slug).await?;
        self.state.uid = uid;
        self.state.trying = None;
        self.go_on().await
    }

    pub(super) async fn go_on(&mut self) -> Result<(), Trouble> {
        let now = self.poller.now();
        Ok(self.poller.ingest.store.go_on(&self.door.id, self.name, &mut self.state, now).await?)
    }

    /// What to do with a message over there, now that it is safe here. What the server refuses is left as it is.
    async fn file(&mut self, session: &mut Session, uid: u32) -> Result<(), Trouble> {
        let filed = match &self.imap.after {
            After::Nothing => Ok(()),
            After::Seen => session.mark_seen(uid).await,
            After::Move { folder } => session.move_to(uid, folder).await,
            After::Delete => session.delete(uid).await,
        };
        let Err(error) = filed else { return Ok(()) };
        self.did.not_filed += 1;
        tracing::warn!(door = self.door.id.as_str(), uid, %error, "a mail that is safe here stays as it was over there");
        if error.is_an_answer() { Ok(()) } else { Err(error.into()) }
    }

    /// Goes through everything since a time again. The cursor stays; what is known is told by the ledger.
    async fn backfill(&mut self, session: &mut Session) -> Result<(), Trouble> {
        let since = self.ask.since.unwrap_or(Timestamp::UNIX_EPOCH);
        let a_day_before = since.checked_sub(SignedDuration::from_hours(24)).unwrap_or(since);
        let found = session.search(&format!("SINCE {}", day(a_day_before))).await?;
        for batch in found.chunks(BATCH) {
            let metas = session.metas(batch).await?;
            for (uid, meta) in metas {
                if self.is_over() {
                    return Ok(());
                }
                if meta.at.is_some_and(|at| at < since) {
                    self.did.before_horizon += 1;
                    continue;
                }
                self.go_on().await?;
                let one = Box::pin(self.message(session, uid, meta)).instrument(telemetry::span("message"));
                match one.await {
                    Fate::Taken => self.file(session, uid).await?,
                    Fate::Vanished => self.did.vanished += 1,
                    Fate::TooLarge => self.did.trouble.push(format!("message {uid} is larger than any door takes")),
                    Fate::Broken(slug) => self.did.trouble.push(format!("message {uid}: {slug}")),
                    Fate::Cut(error) => return Err(error.into()),
                    Fate::Later(trouble) => return Err(trouble),
                }
            }
        }
        Ok(())
    }
}

/// A day as SEARCH takes it (RFC 3501 section 9, `date`): in English, whatever the locale.
fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%-d-%b-%Y").to_string()
}
