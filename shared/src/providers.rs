//! Providers: one file each verifies a request and says what it is, or why it is not taken.
//!
//! A new provider is one file, its fixtures and one line in [`accept`]. What a refusal means to the provider (retry,
//! give up) is the status table below; nothing else in Postern knows HTTP statuses of providers.

mod basic;
mod content_ids;
pub mod form;
pub mod mailgun;
pub mod postmark;
pub mod raw;
pub mod rebuild;
mod reencoded;
pub mod sendgrid;
pub mod ses;
pub mod sns;

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;
use thiserror::Error;

use self::sns::Certificates;
pub use crate::door::Provider;
use crate::{
    door::Door,
    inbound::{InboundMessage, Ingress, ReplayGuard},
    mailbox::MailboxId,
    secrets::{DoorSecrets, live},
};

/// A request as providers look at it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its header, as sent.
    pub headers: HeaderMap,
    /// The body, decoded from what API Gateway made of it.
    pub body: Bytes,
    /// Mailbox named in path or query, else by the door's configuration.
    pub mailbox: Option<MailboxId>,
    /// The shared secret of a compatibility route has authenticated it: no other proof is asked for.
    pub vouched: bool,
}

impl Request {
    /// A field of the header that is text; the first one where there are several.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Content-Type as sent; empty where there is none.
    #[must_use]
    pub fn content_type(&self) -> &str {
        self.header("content-type").unwrap_or_default()
    }
}

/// What stands around a request.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The door it knocked at.
    pub door: &'a Door,
    /// That door's credentials.
    pub secrets: &'a DoorSecrets,
    /// What SNS signs with.
    pub certificates: &'a Certificates,
    /// Our bucket, to which SES writes.
    pub bucket: &'a str,
    /// Our clock.
    pub now: Timestamp,
}

impl Context<'_> {
    /// A list of credentials as a person names it: `mailgun.signing_keys`.
    #[must_use]
    pub fn secret(&self, list: &str) -> String {
        format!("{}.{list}", self.door.id)
    }

    /// Those of a list that are not blank; at least one.
    ///
    /// # Errors
    /// There is none: nobody can be let in.
    pub(crate) fn live<'a>(&self, name: &str, list: &'a [String]) -> Result<Vec<&'a String>, Rejected> {
        let live = live(list);
        match (live.is_empty(), list.is_empty()) {
            (false, _) => Ok(live),
            (true, true) => Err(Rejected::NotConfigured(self.secret(name))),
            (true, false) => {
                Err(Rejected::NotConfigured(format!("{} holds nothing but blanks, so it", self.secret(name))))
            }
        }
    }

    /// This door at that time.
    #[must_use]
    pub fn ingress(&self, event_id: Option<String>, transport_time: Timestamp) -> Ingress {
        Ingress::at(self.door, event_id, transport_time)
    }
}

/// What a verified request is.
#[derive(Clone, Debug)]
pub enum Accepted {
    /// A mail. Where SES stored it, its octets are still to be read.
    Message(Box<InboundMessage>),
    /// Word of a mail that the provider keeps for us to fetch.
    Fetch(Box<InboundMessage>),
    /// A topic of ours asks whether it may deliver here.
    Confirm {
        /// Its ARN.
        topic: String,
        /// What it wants to hear back.
        token: String,
    },
    /// Nothing to be done but to note it.
    Noted {
        /// Reason slug.
        slug: &'static str,
        /// Door and time.
        ingress: Box<Ingress>,
    },
}

/// Why a request is not taken.
#[derive(Debug, Error)]
pub enum Rejected {
    /// A secret, or the list of who may deliver, is missing: nobody can be let in. Holds its name, `door.list`.
    #[error("{0} is not configured: {how}, then the provider's retry succeeds", how = how_to_set(.0))]
    NotConfigured(String),
    /// Signature or credentials missing or wrong.
    #[error("{0}")]
    Unauthorized(String),
    /// Cannot be read, and what would authenticate it stands inside.
    #[error("{0}")]
    Malformed(String),
    /// A well-formed request of this provider for another webhook.
    #[error("{0}")]
    OtherWebhook(String),
    /// What its proof is checked against cannot be had now.
    #[error("{0}")]
    Unavailable(String),
    /// Authenticated, and yet no message can be made of it. The payload is kept.
    #[error("{why}")]
    Unreadable {
        /// What to do, for the operator.
        why: String,
        /// Reason slug.
        slug: &'static str,
        /// Door and time.
        ingress: Box<Ingress>,
        /// Single-use token.
        guard: Option<ReplayGuard>,
    },
}

/// Where it is set: a list of topics is no secret.
fn how_to_set(name: &str) -> String {
    match name.strip_suffix(".topics") {
        Some(door) => format!("name the topics that may deliver with `postern door set {door} --topic ARN`"),
        None => "set it in the operator secret".to_owned(),
    }
}

impl Rejected {
    /// The status table of DESIGN section 6. Never 403 to Postmark, never 406 to Mailgun for a signature: both stop
    /// the retries that save a mail when a key was rotated badly. SendGrid gives up on any 4xx.
    #[must_use]
    pub const fn status(&self, provider: Provider) -> u16 {
        match (self, provider) {
            (Self::NotConfigured(_) | Self::Unavailable(_), _) | (Self::Unauthorized(_), Provider::Sendgrid) => 503,
            (Self::Unauthorized(_), _) => 401,
            (Self::Malformed(_), _) => 400,
            (Self::OtherWebhook(_), Provider::Mailgun) => 406,
            (Self::OtherWebhook(_) | Self::Unreadable { .. }, _) => 200,
        }
    }
}

/// Verifies a request and says what it is.
///
/// # Errors
/// See [`Rejected`].
pub async fn accept(request: &Request, context: &Context<'_>) -> Result<Accepted, Rejected> {
    match context.door.provider {
        Provider::Mailgun => mailgun::accept(request, context).await,
        Provider::Postmark => postmark::accept(request, context),
        Provider::Sendgrid => sendgrid::accept(request, context).await,
        Provider::Ses => sns::accept(request, context).await,
        Provider::Raw => raw::accept(request, context),
        Provider::Imap => Err(Rejected::Malformed("this door is polled; no request comes through it".to_owned())),
    }
}
