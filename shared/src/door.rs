//! A door is how mail arrives: a provider and what is set up with it. (A mailbox is what people write to.) Credentials
//! stand in the operator's secret under the door's id, never here.

mod imap;

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use self::imap::may_have_tokens;
pub use self::imap::{After, Auth, Imap, Sasl, Security};
use crate::mailbox::{MailboxId, Mailboxes};

/// Who stands at a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Mailgun routes.
    Mailgun,
    /// Postmark inbound streams.
    Postmark,
    /// SendGrid Inbound Parse.
    Sendgrid,
    /// Amazon SES receipts by SNS over HTTPS.
    Ses,
    /// RFC 5322 octets from a mail server of one's own, or a worker.
    Raw,
    /// A mailbox elsewhere that is polled by IMAP: the one that no request comes from.
    Imap,
}

impl Provider {
    /// All that send requests: each has a door of its own without being asked for.
    pub const ALL: [Self; 5] = [Self::Mailgun, Self::Postmark, Self::Sendgrid, Self::Ses, Self::Raw];

    /// The word in the path, and the id of the provider's own door.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mailgun => "mailgun",
            Self::Postmark => "postmark",
            Self::Sendgrid => "sendgrid",
            Self::Ses => "ses",
            Self::Raw => "raw",
            Self::Imap => "imap",
        }
    }

    /// Reads the word of one that sends requests.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == word)
    }

    /// Reads the word of anyone.
    #[must_use]
    pub fn parse_any(word: &str) -> Option<Self> {
        Self::parse(word).or_else(|| (word == Self::Imap.name()).then_some(Self::Imap))
    }
}

/// Id of a door: `[a-z0-9-]{1,64}`, never `mime`, never `-`. It stands in the path and in object keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DoorId(String);

impl DoorId {
    /// Checks the form; it is a mailbox id's.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        MailboxId::parse(text).map(|id| Self(id.as_str().to_owned()))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DoorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a Mailgun domain lives (Mailgun API reference, "Regions").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// `api.mailgun.net`.
    #[default]
    Us,
    /// `api.eu.mailgun.net`.
    Eu,
}

/// Configuration of one door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// Its id.
    pub id: DoorId,
    /// Who stands at it.
    pub provider: Provider,
    /// It takes mail; else it answers 503, so that the sender keeps its mail.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// All its mail is for this mailbox; wins over every address, not over one in the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<MailboxId>,
    /// The provider adds its spam and authentication fields to the mail, so they count.
    #[serde(default)]
    pub spam_fields: bool,
    /// Mail servers (authserv-ids, RFC 8601) in front of this door whose results count: they take out forged fields under
    /// their name. [`crate::headers::UNNAMED`] = fields without a name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authserv_ids: Vec<String>,
    /// Where nobody says anything of the author, his signatures are verified here; needs DNS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verify_dkim: bool,
    /// Mailgun: domains whose stored events are gone through for what a webhook missed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// Mailgun: where these domains live.
    #[serde(default)]
    pub region: Region,
    /// SNS: topics that may deliver here, as ARNs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<String>,
    /// IMAP: the mailbox elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imap: Option<Imap>,
}

fn yes() -> bool {
    true
}

/// Why a door cannot be used as configured.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DoorError {
    /// A provider's name for another provider's door.
    #[error("door {0}: that is the name of a provider, so it can only be that provider's own door")]
    ProvidersName(DoorId),
    /// A mailbox that is not there.
    #[error("door {0}: mailbox {1:?} is not configured")]
    NoSuchMailbox(DoorId, String),
    /// A setting of another provider.
    #[error("door {0}: {1} are for {2} only")]
    NotForProvider(DoorId, &'static str, &'static str),
    /// A domain that is none.
    #[error("door {0}: {1:?} is no domain")]
    Domain(DoorId, String),
    /// A name that no mail server writes.
    #[error("door {0}: {1:?} is no authserv-id: the first word of the Authentication-Results that your server writes")]
    Server(DoorId, String),
    /// An ARN that is none of a topic.
    #[error("door {0}: {1:?} is no ARN of an SNS topic (arn:aws:sns:REGION:ACCOUNT:NAME)")]
    Topic(DoorId, String),
    /// A mailbox elsewhere that cannot be polled as set up.
    #[error("door {0}: {1}")]
    Imap(DoorId, String),
    /// Two doors share an id.
    #[error("door {0} is configured twice")]
    Twice(DoorId),
}

impl Door {
    /// A door with defaults.
    #[must_use]
    pub fn new(id: DoorId, provider: Provider) -> Self {
        Self {
            id,
            provider,
            enabled: true,
            mailbox: None,
            spam_fields: false,
            authserv_ids: Vec::new(),
            verify_dkim: false,
            domains: Vec::new(),
            region: Region::Us,
            topics: Vec::new(),
            imap: None,
        }
    }

    /// The door that each provider has without being asked for. It refuses until its secret is set.
    #[must_use]
    pub fn own(provider: Provider) -> Self {
        Self::new(DoorId(provider.name().to_owned()), provider)
    }

    fn check(&self, mailboxes: &Mailboxes) -> Result<(), DoorError> {
        let id = || self.id.clone();
        if Provider::parse_any(self.id.as_str()).is_some_and(|provider| provider != self.provider) {
            return Err(DoorError::ProvidersName(id()));
        }
        if let Some(mailbox) = self.mailbox.as_ref().filter(|mailbox| mailboxes.by_id(mailbox).is_none()) {
            return Err(DoorError::NoSuchMailbox(id(), mailbox.as_str().to_owned()));
        }
        if !self.domains.is_empty() && self.provider != Provider::Mailgun {
            return Err(DoorError::NotForProvider(id(), "domains", "mailgun"));
        }
        if !self.authserv_ids.is_empty() && !matches!(self.provider, Provider::Raw | Provider::Imap) {
            return Err(DoorError::NotForProvider(id(), "authserv-ids", "raw and imap"));
        }
        if let Some(name) = self.authserv_ids.iter().find(|name| !is_server(name)) {
            return Err(DoorError::Server(id(), name.clone()));
        }
        if !self.topics.is_empty() && self.provider != Provider::Ses {
            return Err(DoorError::NotForProvider(id(), "topics", "ses"));
        }
        self.check_imap()?;
        if let Some(domain) = self.domains.iter().find(|domain| !is_domain(domain)) {
            return Err(DoorError::Domain(id(), domain.clone()));
        }
        match self.topics.iter().find(|topic| !is_topic(topic)) {
            Some(topic) => Err(DoorError::Topic(id(), topic.clone())),
            None => Ok(()),
        }
    }

    fn check_imap(&self) -> Result<(), DoorError> {
        match (&self.imap, self.provider) {
            (Some(imap), Provider::Imap) => imap.check().map_err(|why| DoorError::Imap(self.id.clone(), why)),
            (None, Provider::Imap) => {
                Err(DoorError::Imap(self.id.clone(), "it names no host and no user to be polled".to_owned()))
            }
            (Some(_), _) => Err(DoorError::NotForProvider(self.id.clone(), "host, user and folders", "imap")),
            (None, _) => Ok(()),
        }
    }

    /// The mailbox elsewhere, of a door that is polled; `None` for all others and where it is switched off.
    #[must_use]
    pub fn polled(&self) -> Option<&Imap> {
        self.imap.as_ref().filter(|_| self.enabled && self.provider == Provider::Imap)
    }
}

/// Labels of letters, digits and hyphens, at least two: it becomes part of a URL.
fn is_domain(text: &str) -> bool {
    let label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    text.len() <= 253 && text.contains('.') && text.split('.').all(label)
}

/// A token of RFC 2045, as an authserv-id is one.
fn is_server(text: &str) -> bool {
    (1..=253).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
}

fn is_topic(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    matches!(parts.as_slice(), ["arn", partition, "sns", region, account, name]
        if partition.starts_with("aws") && !region.is_empty() && account.len() == 12
            && account.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty())
}

/// All doors of a stack, checked, in id order; each provider's own is always among them. Clones share them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doors(Arc<[Door]>);

impl Default for Doors {
    fn default() -> Self {
        Self(Provider::ALL.map(Door::own).to_vec().into())
    }
}

impl Doors {
    /// Checks, adds what each provider has anyway, and orders.
    ///
    /// # Errors
    /// The first fault found, naming the door.
    pub fn new(mut all: Vec<Door>, mailboxes: &Mailboxes) -> Result<Self, DoorError> {
        for provider in Provider::ALL {
            if !all.iter().any(|door| door.id.as_str() == provider.name()) {
                all.push(Door::own(provider));
            }
        }
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all.iter().try_for_each(|door| door.check(mailboxes))?;
        let twice = all.iter().zip(all.iter().skip(1)).find(|(a, b)| a.id == b.id);
        if let Some((door, _)) = twice {
            return Err(DoorError::Twice(door.id.clone()));
        }
        Ok(Self(all.into()))
    }

    /// By the word in the path.
    #[must_use]
    pub fn by_id(&self, word: &str) -> Option<&Door> {
        self.0.iter().find(|door| door.id.as_str() == word)
    }

    /// In id order.
    pub fn iter(&self) -> impl Iterator<Item = &Door> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(id: &str, provider: Provider) -> Door {
        Door::new(DoorId::parse(id).unwrap(), provider)
    }

    #[test]
    fn every_provider_has_a_door() {
        for doors in [Doors::default(), Doors::new(Vec::new(), &Mailboxes::default()).unwrap()] {
            assert!(Provider::ALL.into_iter().all(|p| doors.by_id(p.name()).is_some_and(|d| d.provider == p)));
        }
        let off = Door { enabled: false, ..Door::own(Provider::Raw) };
        let doors = Doors::new(vec![off, door("mailgun-eu", Provider::Mailgun)], &Mailboxes::default()).unwrap();
        assert_eq!((doors.iter().count(), doors.by_id("raw").unwrap().enabled), (6, false));
    }

    #[test]
    fn faults_are_named() {
        let mailgun = || door("m", Provider::Mailgun);
        let topic = "arn:aws:sns:eu-central-1:123456789012:inbound".to_owned();
        for (faulty, expected) in [
            (door("postmark", Provider::Mailgun), "name of a provider"),
            (Door { mailbox: MailboxId::parse("nowhere"), ..mailgun() }, "nowhere"),
            (Door { topics: vec![topic.clone()], ..mailgun() }, "for ses only"),
            (Door { domains: vec!["mg.example.com".into()], ..door("p", Provider::Postmark) }, "for mailgun only"),
            (Door { domains: vec!["mg.example.com/../x".into()], ..mailgun() }, "no domain"),
            (Door { authserv_ids: vec!["mx.example".into()], ..mailgun() }, "for raw and imap only"),
            (Door { authserv_ids: vec!["mx; x".into()], ..door("r", Provider::Raw) }, "no authserv-id"),
            (Door { topics: vec!["arn:aws:sqs:r:123456789012:x".into()], ..door("s", Provider::Ses) }, "no ARN"),
        ] {
            let error = Doors::new(vec![faulty], &Mailboxes::default()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error} lacks {expected}");
        }
        assert!(
            Doors::new(vec![mailgun(), mailgun()], &Mailboxes::default()).unwrap_err().to_string().contains("twice")
        );
        let good = vec![Door { topics: vec![topic], ..door("s", Provider::Ses) }];
        assert!(Doors::new(good, &Mailboxes::default()).is_ok());
    }
}
