//! What a provider keeps for us, asked for with the operator's key: Mailgun's stored mail and events, Postmark's list of
//! inbound mail. A key goes to the provider's own hosts and to no other, whatever a notification says.

mod mailgun;
mod postmark;
mod stub;

use std::sync::Arc;

use thiserror::Error;

pub(crate) use self::mailgun::first_page;
pub use self::{
    mailgun::{Page, StoredEvent},
    postmark::{Attachment, Details, Field, LAMBDA_OCTETS_MAX, Person},
};
use crate::{
    door::{Door, Doors},
    outbound::{Ask, Outbound, OutboundError, Told},
    secrets::{DoorSecrets, OperatorSecrets, Secrets, first_of},
    settings::Settings,
};

/// Why it could not be had. Never holds a key or a URL.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FetchError {
    /// This process asks no provider: only `retry` does.
    #[error("the mail is still with its provider, and only the function `retry` fetches it")]
    NoFetcher,
    /// Its door is not there any more, or of another provider.
    #[error("door {0} is not there any more, so nobody has a key for it")]
    NoDoor(String),
    /// No key.
    #[error("{0} is not set in the operator secret")]
    NoKey(String),
    /// The key is wrong.
    #[error("the provider refuses the key in {0} ({1})")]
    Unauthorized(String, u16),
    /// 404: not there yet, or not any more.
    #[error("the provider does not have it (404)")]
    Gone,
    /// The URL is none of the provider's: nothing was asked.
    #[error("the URL is not on a host of the provider, so no key goes there")]
    ForeignHost,
    /// It is said to be somewhere else: not followed.
    #[error("the provider answers with a redirect ({0}), which is not followed")]
    Redirect(u16),
    /// Larger than any door takes.
    #[error("it is larger than any door takes")]
    TooLarge,
    /// No answer, or one that says: later.
    #[error("the provider does not answer now ({0})")]
    Unavailable(String),
    /// An answer of another form than the documented one.
    #[error("the provider's answer does not read ({0})")]
    Unreadable(&'static str),
}

impl FetchError {
    /// The reason of what was given up for it.
    #[must_use]
    pub const fn slug(&self) -> &'static str {
        match self {
            Self::NoFetcher | Self::Unavailable(_) => "fetch-unavailable",
            Self::NoDoor(_) | Self::NoKey(_) | Self::Unauthorized(..) => "fetch-unauthorized",
            Self::Gone => "gone-at-provider",
            Self::ForeignHost => "foreign-host",
            Self::Redirect(_) => "redirected",
            Self::TooLarge => "too-large",
            Self::Unreadable(_) => "fetch-unreadable",
        }
    }

    /// True where the same question may well be answered in a while: no answer, a fault of the server, too many questions.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unavailable(why) => why.parse::<u16>().map_or(true, |status| status == 429 || status >= 500),
            _ => false,
        }
    }

    /// True where an operator must act, and nothing else helps.
    #[must_use]
    pub const fn is_operators(&self) -> bool {
        matches!(self, Self::NoDoor(_) | Self::NoKey(_) | Self::Unauthorized(..))
    }
}

impl From<OutboundError> for FetchError {
    fn from(error: OutboundError) -> Self {
        match error {
            OutboundError::Url => Self::ForeignHost,
            OutboundError::Unreachable(why) => Self::Unavailable(why.to_owned()),
            OutboundError::TooLarge(_) => Self::TooLarge,
            OutboundError::Redirect(status) => Self::Redirect(status),
        }
    }
}

/// One who may ask providers. Clones share the secrets' cache.
#[derive(Clone, Debug)]
pub struct Fetcher {
    outbound: Outbound,
    secrets: Arc<Secrets>,
    doors: Doors,
}

/// Which of a door's credentials a question carries, and how.
#[derive(Clone, Copy, Debug)]
enum Credential {
    /// Basic authentication `api:<key>`.
    Mailgun,
    /// X-Postmark-Server-Token.
    Postmark,
}

impl Credential {
    const fn list(self) -> &'static str {
        match self {
            Self::Mailgun => "api_keys",
            Self::Postmark => "server_tokens",
        }
    }

    fn of(self, secrets: &DoorSecrets) -> Option<&str> {
        match self {
            Self::Mailgun => first_of(&secrets.api_keys),
            Self::Postmark => first_of(&secrets.server_tokens),
        }
    }

    fn field(self, key: &str) -> (&'static str, String) {
        use base64::{Engine, prelude::BASE64_STANDARD};
        match self {
            Self::Mailgun => ("authorization", format!("Basic {}", BASE64_STANDARD.encode(format!("api:{key}")))),
            Self::Postmark => ("x-postmark-server-token", key.to_owned()),
        }
    }
}

/// A question to a host that was found to be the provider's.
struct Question<'a> {
    credential: Credential,
    method: &'static str,
    url: &'a str,
    accept: &'static str,
    octets_max: usize,
}

impl Fetcher {
    /// One that knows no doors yet.
    #[must_use]
    pub fn new(outbound: Outbound, secrets: Secrets) -> Self {
        Self { outbound, secrets: Arc::new(secrets), doors: Doors::default() }
    }

    /// The same for doors as they are set up now.
    #[must_use]
    pub fn with(&self, settings: &Settings) -> Self {
        Self { doors: settings.doors.clone(), ..self.clone() }
    }

    /// The doors.
    #[must_use]
    pub fn doors(&self) -> &Doors {
        &self.doors
    }

    /// Asks with a door's first key; where there is none, or it is refused, once more with one that was read freshly.
    async fn ask(&self, door: &Door, question: &Question<'_>) -> Result<Told, FetchError> {
        let unreadable = |_| FetchError::Unavailable("the operator secret cannot be read".to_owned());
        let cached = self.secrets.operator().await.map_err(unreadable)?;
        let first = self.ask_with(&cached, door, question).await;
        if !first.as_ref().is_err_and(FetchError::is_operators) {
            return first;
        }
        let fresh = self.secrets.operator_now().await.map_err(unreadable)?;
        if Arc::ptr_eq(&cached, &fresh) { first } else { self.ask_with(&fresh, door, question).await }
    }

    async fn ask_with(&self, secrets: &OperatorSecrets, door: &Door, q: &Question<'_>) -> Result<Told, FetchError> {
        let name = || format!("{}.{}", door.id, q.credential.list());
        let secrets = secrets.door(door);
        let key = q.credential.of(&secrets).ok_or_else(|| FetchError::NoKey(name()))?;
        let headers = [q.credential.field(key), ("accept", q.accept.to_owned())];
        let ask = Ask { method: q.method, url: q.url, headers: &headers, octets_max: q.octets_max };
        let told = self.outbound.ask(ask).await?;
        match told.status {
            200 => Ok(told),
            status @ (401 | 403) => Err(FetchError::Unauthorized(name(), status)),
            404 | 410 => Err(FetchError::Gone),
            status => Err(FetchError::Unavailable(status.to_string())),
        }
    }
}
