//! The RFC 5321 envelope: what the transport said, apart from what the header claims.

use serde::{Deserialize, Serialize};

use crate::address::AddrSpec;

/// RFC 5321 MAIL FROM. Only [`ReversePath::Null`] is evidence of a bounce; unknown is not null.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReversePath {
    /// The door does not tell.
    #[default]
    Unknown,
    /// `MAIL FROM:<>`.
    Null,
    /// An address.
    Address(AddrSpec),
}

impl ReversePath {
    /// Reads what a provider hands over: `<>` and the empty string are null, anything unreadable is unknown.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.trim() {
            "" | "<>" => Self::Null,
            other => AddrSpec::parse(other).map_or(Self::Unknown, Self::Address),
        }
    }
}

/// Transport addresses of one delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// MAIL FROM.
    pub reverse_path: ReversePath,
    /// RCPT TO, in the transport's order; empty where the door knows none.
    pub forward_paths: Vec<AddrSpec>,
    /// True where the door has no envelope and both were read from the topmost Return-Path and Delivered-To.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_header: bool,
}
