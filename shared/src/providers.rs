//! Providers: one file each verifies a request and turns it into an [`InboundMessage`], or says why not.
//!
//! A new provider is one file, its fixtures and one line in each `match` here. What a refusal means to the provider
//! (retry, give up) is the status table below; nothing else in Postern knows HTTP statuses of providers.

pub mod form;
pub mod mailgun;
pub mod postmark;
pub mod rebuild;
pub mod ses;

use bytes::Bytes;
use jiff::Timestamp;
use thiserror::Error;

use crate::{
    config::TrustedFields,
    inbound::{InboundMessage, Ingress, ReplayGuard},
    mailbox::MailboxId,
    secrets::OperatorSecrets,
};

/// Who stands at the HTTP door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Mailgun routes.
    Mailgun,
    /// Postmark inbound streams.
    Postmark,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Mailgun, Self::Postmark];

    /// The word in the path, and the id of the door.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mailgun => mailgun::NAME,
            Self::Postmark => postmark::NAME,
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == word)
    }
}

/// A request as providers look at it.
#[derive(Clone)]
pub struct Request {
    /// Content-Type, as sent.
    pub content_type: String,
    /// Authorization, as sent.
    pub authorization: Option<String>,
    /// The body, decoded from what API Gateway made of it.
    pub body: Bytes,
    /// Mailbox named in path or query.
    pub mailbox: Option<MailboxId>,
}

/// Why a request does not become a message.
#[derive(Debug, Error)]
pub enum Rejected {
    /// A secret is missing: nobody can be let in.
    #[error("{0} is not configured: set it in the operator secret, then the provider's retry succeeds")]
    NotConfigured(&'static str),
    /// Signature or credentials missing or wrong.
    #[error("{0}")]
    Unauthorized(String),
    /// Cannot be read, and what would authenticate it stands inside.
    #[error("{0}")]
    Malformed(String),
    /// A well-formed request of this provider for another webhook.
    #[error("{0}")]
    OtherWebhook(String),
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

impl Rejected {
    /// The status table of DESIGN section 6. Never 403 to Postmark, never 406 to Mailgun for a signature: both stop
    /// the retries that save a mail when a key was rotated badly.
    #[must_use]
    pub const fn status(&self, provider: Provider) -> u16 {
        match (self, provider) {
            (Self::NotConfigured(_), _) => 503,
            (Self::Unauthorized(_), _) => 401,
            (Self::Malformed(_), _) => 400,
            (Self::OtherWebhook(_), Provider::Mailgun) => 406,
            (Self::OtherWebhook(_), Provider::Postmark) | (Self::Unreadable { .. }, _) => 200,
        }
    }
}

/// Verifies and normalises.
///
/// # Errors
/// See [`Rejected`].
pub async fn normalise(
    provider: Provider,
    request: &Request,
    secrets: &OperatorSecrets,
    trusted: TrustedFields,
    now: Timestamp,
) -> Result<InboundMessage, Rejected> {
    match provider {
        Provider::Mailgun => mailgun::normalise(request, &secrets.mailgun, trusted.mailgun, now).await,
        Provider::Postmark => postmark::normalise(request, &secrets.postmark, trusted.postmark, now),
    }
}
