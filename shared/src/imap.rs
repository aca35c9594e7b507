//! IMAP (RFC 3501, RFC 9051) as far as a poll needs it: open, log in, look, fetch, file away.
//!
//! ```text
//! wire.rs      lines and literals off the socket: every length and every wait is bounded
//! parse.rs     what a response says; what it does not understand is passed over (pure)
//! utf7.rs      folder names (pure)
//! tls.rs       certificates
//! auth.rs      what is sent to log in, and what a refusal means (pure)
//! session.rs   the commands; session/filing.rs those that change something over there
//! token.rs     access tokens: Google, Microsoft
//! ```
//!
//! Why not `async-imap`: it keeps a literal in one growing buffer of up to 512 MiB and copies it out, so a mail of 40 MB
//! would be there twice; and a line that its grammar does not know ends the connection, so that one odd line of a server
//! would stop a mailbox. Here a literal is read once, into memory of its announced size, and odd lines are passed over.

mod auth;
mod parse;
mod session;
mod tls;
pub mod token;
pub mod utf7;
mod wire;

use thiserror::Error;

pub use self::{
    auth::Login,
    session::{Meta, Opened, Session},
};

/// Why a poll cannot go on, or a command came to nothing. Never holds what a server says in words: that may name people.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ImapError {
    /// No connection.
    #[error("the server cannot be reached ({0})")]
    Unreachable(&'static str),
    /// The settings cannot be used.
    #[error("{0}")]
    Settings(String),
    /// No TLS with it.
    #[error("no TLS with the server: {0}")]
    Tls(String),
    /// The connection broke off.
    #[error("the server broke the connection off ({0})")]
    Closed(&'static str),
    /// Nothing came for too long.
    #[error("the server has said nothing for too long ({0})")]
    Stalled(&'static str),
    /// BYE, RFC 3501 section 7.1.5.
    #[error("the server said BYE")]
    Bye,
    /// It does not speak as IMAP does.
    #[error("the server's answer is no IMAP ({0})")]
    Protocol(&'static str),
    /// A mail larger than any door takes, octets.
    #[error("the mail has {0} octets, more than any door takes")]
    TooLarge(u64),
    /// NO or BAD to a command, with its response code where there is one.
    #[error("the server refuses {command} ({})", if code.is_empty() { "it says no reason in a code" } else { code })]
    Refused {
        /// Which command.
        command: &'static str,
        /// Response code, upper case; empty = none.
        code: String,
    },
    /// The credentials are wrong; told by the server or by the token endpoint without doubt.
    #[error("the credentials are refused ({0})")]
    Credentials(String),
    /// The login failed, and it is not certain that the credentials did it: a limit, a fault over there.
    #[error("the login does not work now ({0})")]
    LoginLater(String),
    /// A secret that is not set.
    #[error("{0} is not set in the operator secret")]
    NoSecret(String),
}

impl ImapError {
    /// The reason in one word, as rows and metrics have it.
    #[must_use]
    pub const fn slug(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Settings(_) => "settings",
            Self::Tls(_) => "tls",
            Self::Closed(_) => "broken-off",
            Self::Stalled(_) => "stalled",
            Self::Bye => "bye",
            Self::Protocol(_) => "no-imap",
            Self::TooLarge(_) => "too-large",
            Self::Refused { .. } => "refused",
            Self::Credentials(_) => "credentials",
            Self::LoginLater(_) => "login-later",
            Self::NoSecret(_) => "no-secret",
        }
    }

    /// True where the connection is still good: the server answered a command with NO or BAD.
    #[must_use]
    pub const fn is_an_answer(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}
