//! What a mailbox lets mail do.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::AddrSpec;

/// How a signed reply address is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyMode {
    /// `local+tag@domain`.
    #[default]
    Plus,
    /// `tag@local.domain`: where a server refuses `+`, and one MX record for `local.domain` can be had.
    Subdomain,
    /// No tag: where plus addressing is not proven. Threading then rests on signed Message-IDs.
    Off,
}

/// What mail of a stranger does that names an existing ticket by E1 to E3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrangerPolicy {
    /// An `unverified` entry: agents see it, nothing else happens.
    #[default]
    Unverified,
    /// A public entry, as if a participant had written.
    Append,
    /// A new ticket, related.
    New,
    /// Held with cause `stranger`.
    Hold,
}

/// What failed authentication does besides what standing makes of it (DESIGN section 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationPolicy {
    /// It stands in the ledger.
    Record,
    /// Its entry is flagged, too; so is one whose author nobody vouches for.
    #[default]
    Flag,
    /// The mail is held, cause `auth-failed`.
    Hold,
}

/// What becomes of those in To and Cc of a mail that may add people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CcPolicy {
    /// Participants who may speak.
    #[default]
    Approved,
    /// Participants who may speak once an agent has approved them.
    Pending,
    /// Nothing.
    Ignored,
}

/// When the Reply-To of a mail that opens a ticket names its requester.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyToPolicy {
    /// Where From is one of our addresses or of a form sender.
    #[default]
    Forms,
    /// Always, where it is one address of somebody else.
    Always,
}

/// One address, or all of a domain.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Who {
    /// `jane@example.com`.
    Address(AddrSpec),
    /// `*@example.com`: not of its subdomains.
    Domain(String),
}

impl Who {
    /// Reads an address or `*@domain`; `None` where it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let address = AddrSpec::parse(text)?;
        match address.local_part() {
            "*" => Some(Self::Domain(address.domain().to_owned())),
            local if local.contains('*') => None,
            _ => Some(Self::Address(address)),
        }
    }

    /// True where that is him. A `+` tag changes nobody.
    #[must_use]
    pub fn is(&self, address: &AddrSpec) -> bool {
        match self {
            Self::Address(own) => own == address || *own == address.untagged(),
            Self::Domain(domain) => address.domain() == domain,
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Domain(domain) => write!(f, "*@{domain}"),
        }
    }
}

/// As addresses: the domain only.
impl fmt::Debug for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "Who({address:?})"),
            Self::Domain(domain) => write!(f, "Who(*@{domain})"),
        }
    }
}

impl From<Who> for String {
    fn from(who: Who) -> Self {
        who.to_string()
    }
}

impl TryFrom<String> for Who {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("an address, or `*@domain`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_a_domain() {
        let is = |who: &str, address: &str| Who::parse(who).unwrap().is(&AddrSpec::parse(address).unwrap());
        for (who, address, expected) in [
            ("jane@us.example", "Jane@US.example", true),
            ("jane@us.example", "jane+x@us.example", true),
            ("jane+x@us.example", "jane@us.example", false),
            ("jane@us.example", "jane@evil.us.example", false),
            ("*@us.example", "anybody@us.example", true),
            ("*@us.example", "anybody@evil.us.example", false),
            ("*@us.example", "us.example@evil.example", false),
        ] {
            assert_eq!(is(who, address), expected, "{who} {address}");
        }
        for text in ["", "jane", "j*@us.example", "*", "@us.example"] {
            assert_eq!(Who::parse(text), None, "{text}");
        }
        assert_eq!(Who::parse("*@Us.example").unwrap().to_string(), "*@us.example");
    }
}
