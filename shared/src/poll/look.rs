//! How polled doors are: how fresh each folder is, and whether everything works that a poll needs.

use jiff::Timestamp;
use serde::Serialize;

use super::Poller;
use crate::{
    door::{After, Door},
    imap::ImapError,
    records::{Folder, Parked},
    store::{Store, StoreError},
};

/// How fresh a folder of a door is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Freshness {
    /// Folder.
    pub folder: String,
    /// When all that was there had been seen; `None` = never.
    pub last_good: Option<Timestamp>,
    /// When the first poll was begun.
    pub first_try: Option<Timestamp>,
    /// When a poll was last begun.
    pub last_try: Option<Timestamp>,
    /// Why the last one came to no good end.
    pub trouble: Option<String>,
    /// Messages that were left aside.
    pub parked: Vec<Parked>,
}

impl Freshness {
    /// Seconds since the last good poll; `None` = there was none.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<u64> {
        Some(seconds(self.last_good?, now))
    }

    /// The same; where there was no good poll, since the first one. `None` = there was none at all.
    #[must_use]
    pub fn age_or_tried(&self, now: Timestamp) -> Option<u64> {
        Some(seconds(self.last_good.or(self.first_try)?, now))
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_secs()).unwrap_or_default()
}

impl Store {
    /// How fresh a door's folders are, in the order in which they are polled: one query each.
    ///
    /// # Errors
    /// Any store error.
    pub async fn freshness(&self, door: &Door) -> Result<Vec<Freshness>, StoreError> {
        let mut all = Vec::new();
        for name in door.imap.iter().flat_map(|imap| &imap.folders) {
            let (state, parked) = self.folder(&door.id, name).await?;
            let Folder { last_good, first_try, last_try, trouble, .. } = state.unwrap_or_default();
            all.push(Freshness { folder: name.clone(), last_good, first_try, last_try, trouble, parked });
        }
        Ok(all)
    }
}

/// One thing that a poll needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// What was tried: `reach`, `login`, `folder`, `after`.
    pub what: &'static str,
    /// It works.
    pub good: bool,
    /// In words.
    pub found: String,
}

impl Poller {
    /// Tries everything that a poll needs and changes nothing: reach, TLS, login, folders, capabilities, first UID.
    pub async fn test(&self, door: &Door) -> Vec<Tried> {
        let mut tried = Vec::new();
        let Some(imap) = &door.imap else { return tried };
        let mut note = |what, good, found: String| tried.push(Tried { what, good, found });
        let secured = match imap.security {
            crate::door::Security::Tls => "TLS, and its certificate is good",
            crate::door::Security::Starttls => "STARTTLS, and its certificate is good",
            crate::door::Security::Plain => "no TLS: it does not leave this machine",
        };
        let at = format!("{}:{}", imap.host, imap.port());
        let mut session = match self.log_in(door, imap).await {
            Ok(session) => session,
            Err(error @ (ImapError::Credentials(_) | ImapError::LoginLater(_) | ImapError::NoSecret(_))) => {
                note("reach", true, format!("{at} answers ({secured})"));
                note("login", false, error.to_string());
                return tried;
            }
            Err(error) => {
                note("reach", false, format!("{at}: {error}"));
                return tried;
            }
        };
        note("reach", true, format!("{at} answers ({secured})"));
        note("login", true, format!("{} may log in", imap.user));
        let capabilities = session.capabilities().await.unwrap_or_default();
        let there = session.folders().await.unwrap_or_default();
        for name in &imap.folders {
            match session.open(name, true).await {
                Ok(opened) => {
                    let all = session.search("ALL").await.unwrap_or_default();
                    let first = all.first().map_or("it is empty".to_owned(), |uid| format!("first UID {uid}"));
                    let validity = opened.uid_validity;
                    note("folder", true, format!("{name}: {} messages, {first}, UIDVALIDITY {validity}", all.len()));
                }
                Err(error) => note("folder", false, format!("{name}: {error}; there are {}", there.join(", "))),
            }
        }
        let has = |word: &str| capabilities.iter().any(|known| known == word);
        let after = match &imap.after {
            After::Nothing => (true, "mail stays as it is over there".to_owned()),
            After::Seen => (true, "mail is marked as read once it is safe here".to_owned()),
            After::Move { folder } => {
                let found = there.iter().any(|name| name == folder);
                let how = if has("MOVE") { "MOVE" } else { "no MOVE: copied, then deleted" };
                let missing = if found { "" } else { ", which is not there: make it first" };
                (found, format!("mail goes to {folder} ({how}){missing}"))
            }
            After::Delete if has("UIDPLUS") => (true, "mail is deleted once it is safe here".to_owned()),
            After::Delete => {
                (true, "no UIDPLUS: mail is marked as deleted, and stays until somebody expunges the folder".to_owned())
            }
        };
        note("after", after.0, after.1);
        session.log_out().await;
        tried
    }
}
