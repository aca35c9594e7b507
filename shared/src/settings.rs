//! Mailboxes and doors as they are set up: what stands in the table wins over what the environment describes.
//!
//! Read once a minute at most, so that a change is everywhere within a minute and a warm call reads nothing more.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;
use tokio::sync::Mutex;

use crate::{
    ambient::Ambient,
    door::{Door, DoorError, Doors, Provider},
    mailbox::{Mailbox, MailboxError, MailboxId, Mailboxes},
    retention::Retention,
    rules::Rules,
    store::{Store, StoreError},
};

/// How long settings are believed.
const CACHE: SignedDuration = SignedDuration::from_mins(1);
/// How long where somebody is to be refused by them.
const REREAD: SignedDuration = SignedDuration::from_secs(5);

/// Everything that is set up. Clones share it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What people write to.
    pub mailboxes: Mailboxes,
    /// How mail arrives.
    pub doors: Doors,
    /// Provider of a request whose route names none (`ESCALATED_INBOUND_ADAPTER`).
    pub adapter: Option<Provider>,
    /// No door takes mail: the environment's switch.
    pub closed: bool,
    /// How long things are kept; of the mailboxes only what the stack says.
    pub kept: Retention,
}

/// Why settings cannot be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The table cannot be read.
    #[error("the settings cannot be read: {0}")]
    Store(#[from] StoreError),
    /// A mailbox is wrong.
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    /// A door is wrong.
    #[error(transparent)]
    Door(#[from] DoorError),
}

impl SettingsError {
    /// In words that may stand in a log and in an answer to anybody: without addresses.
    #[must_use]
    pub fn public(&self) -> String {
        match self {
            Self::Mailbox(error) => error.public(),
            other => other.to_string(),
        }
    }
}

/// Settings as the table holds them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Mailboxes, in id order.
    pub mailboxes: Vec<Mailbox>,
    /// Doors, in id order.
    pub doors: Vec<Door>,
    /// Routing rules of mailboxes, stored or not.
    pub rules: BTreeMap<MailboxId, Rules>,
    /// Changes so far; a change is written only where it still is what was read.
    pub revision: u64,
}

impl Settings {
    /// How long things are kept, the mailboxes' own words included.
    #[must_use]
    pub fn retention(&self) -> Retention {
        let own = self.mailboxes.iter().map(|mailbox| (mailbox.id.as_str().to_owned(), mailbox.retention));
        Retention { mailboxes: own.collect(), ..self.kept.clone() }
    }

    /// These, overlaid with stored ones: a stored mailbox or door replaces the one of the same id.
    ///
    /// # Errors
    /// They do not go together: two mailboxes claim an address, a door names a mailbox that is not there, ...
    pub fn overlaid(&self, stored: &Stored) -> Result<Self, SettingsError> {
        let mut mailboxes = stored.mailboxes.clone();
        let unstored = |mailbox: &&Mailbox| !stored.mailboxes.iter().any(|other| other.id == mailbox.id);
        mailboxes.extend(self.mailboxes.iter().filter(unstored).cloned());
        for mailbox in &mut mailboxes {
            mailbox.rules = stored.rules.get(&mailbox.id).cloned().unwrap_or_default();
        }
        let mailboxes = Mailboxes::new(mailboxes)?;
        let mut doors = stored.doors.clone();
        let unstored = |door: &&Door| !stored.doors.iter().any(|other| other.id == door.id);
        doors.extend(self.doors.iter().filter(unstored).cloned());
        Ok(Self { doors: Doors::new(doors, &mailboxes)?, mailboxes, ..self.clone() })
    }
}

/// When settings were read, and which.
type Read = (Timestamp, Arc<Settings>);

/// The settings with their cache. Clones share it.
#[derive(Clone, Debug)]
pub struct SettingsSource {
    defaults: Settings,
    store: Option<Store>,
    ambient: Ambient,
    cached: Arc<Mutex<Option<Read>>>,
}

impl SettingsSource {
    /// What the table holds, over these defaults. Reads nothing yet.
    #[must_use]
    pub fn new(defaults: Settings, store: Store, ambient: Ambient) -> Self {
        Self { defaults, store: Some(store), ambient, cached: Arc::default() }
    }

    /// Settings that were read already, and are not read again.
    #[must_use]
    pub fn fixed(settings: Settings, ambient: Ambient) -> Self {
        Self { defaults: settings, store: None, ambient, cached: Arc::default() }
    }

    /// As they are, at most a minute old. Where they cannot be read, or do not go together any more, those read before
    /// hold on: mail that was taken a minute ago is taken now.
    ///
    /// # Errors
    /// They cannot be read now, or not be used, and none were read before.
    pub async fn current(&self) -> Result<Arc<Settings>, SettingsError> {
        self.at_most(CACHE).await
    }

    /// As they stand now, for one more look before somebody is refused; at most five seconds old.
    ///
    /// # Errors
    /// As [`SettingsSource::current`].
    pub async fn current_now(&self) -> Result<Arc<Settings>, SettingsError> {
        self.at_most(REREAD).await
    }

    async fn at_most(&self, age: SignedDuration) -> Result<Arc<Settings>, SettingsError> {
        let now = self.ambient.now();
        let mut cached = self.cached.lock().await;
        if let Some((read_at, settings)) = cached.as_ref()
            && now.duration_since(*read_at) < age
        {
            return Ok(Arc::clone(settings));
        }
        match (self.read().await, cached.as_ref()) {
            (Ok(settings), _) => {
                let settings = Arc::new(settings);
                *cached = Some((now, Arc::clone(&settings)));
                Ok(settings)
            }
            (Err(error), Some((_, before))) => {
                tracing::error!(error = error.public(), "settings not refreshed; those read before are used");
                Ok(Arc::clone(before))
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn read(&self) -> Result<Settings, SettingsError> {
        match &self.store {
            Some(store) => self.defaults.overlaid(&store.settings().await?),
            None => Ok(self.defaults.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        address::AddrSpec,
        door::DoorId,
        mailbox::{MailboxId, ReplyMode},
    };

    fn mailbox(id: &str, address: &str) -> Mailbox {
        Mailbox::new(MailboxId::parse(id).unwrap(), AddrSpec::parse(address).unwrap(), "INC")
    }

    #[test]
    fn stored_settings_win() {
        let defaults = Settings {
            mailboxes: Mailboxes::new(vec![mailbox("support", "support@us.example")]).unwrap(),
            ..Settings::default()
        };
        let stored = Stored {
            mailboxes: vec![
                Mailbox { reply_mode: ReplyMode::Off, ..mailbox("support", "help@us.example") },
                mailbox("billing", "billing@us.example"),
            ],
            doors: vec![Door { mailbox: MailboxId::parse("billing"), ..Door::own(Provider::Raw) }],
            rules: BTreeMap::from([("support", 1), ("billing", 2), ("gone", 3)].map(|(id, rules)| {
                let rules: Vec<String> = (0..rules).map(|n| format!(r#"{{ "name": "r{n}", "stop": true }}"#)).collect();
                let rules = Rules::parse(&format!(r#"{{ "rules": [{}] }}"#, rules.join(","))).unwrap();
                (MailboxId::parse(id).unwrap(), rules)
            })),
            revision: 3,
        };
        let settings = defaults.overlaid(&stored).unwrap();
        let ids: Vec<&str> = settings.mailboxes.iter().map(|m| m.id.as_str()).collect();
        assert_eq!(ids, ["billing", "support"]);
        let of = |address: &str| settings.mailboxes.by_address(&AddrSpec::parse(address).unwrap()).is_some();
        assert!(of("help@us.example") && !of("support@us.example"), "the stored one replaces the default");
        assert!(settings.doors.by_id("raw").unwrap().mailbox.is_some());
        let rules: Vec<usize> = settings.mailboxes.iter().map(|m| m.rules.set().unwrap().rules.len()).collect();
        assert_eq!(rules, [2, 1], "each has its own, and those of a mailbox that is gone are nobody's");
        let clash = Stored { mailboxes: vec![mailbox("b", "support@us.example")], ..Stored::default() };
        assert!(defaults.overlaid(&clash).unwrap_err().to_string().contains("claim"));
        let door = Door::new(DoorId::parse("x").unwrap(), Provider::Raw);
        let lost = Stored { doors: vec![Door { mailbox: MailboxId::parse("gone"), ..door }], ..Stored::default() };
        assert!(defaults.overlaid(&lost).unwrap_err().to_string().contains("gone"));
    }
}
