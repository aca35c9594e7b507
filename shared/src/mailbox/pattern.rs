//! Addresses by pattern.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::AddrSpec;

/// Addresses of a mailbox beyond those written out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AddressPattern {
    /// `local+*@domain`: this address with any tag.
    Tagged(AddrSpec),
    /// `*@domain`: every address of the domain that no other mailbox has.
    Domain(String),
}

impl AddressPattern {
    /// Reads `local+*@domain` or `*@domain`; `None` where it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.trim().rsplit_once('@')?;
        match local {
            "*" => AddrSpec::parse(&format!("any@{domain}")).map(|any| Self::Domain(any.domain().to_owned())),
            _ => AddrSpec::parse(&format!("{}@{domain}", local.strip_suffix("+*")?)).map(Self::Tagged),
        }
    }

    pub(super) fn holds(&self, address: &AddrSpec) -> bool {
        match self {
            Self::Tagged(base) => address.plus_tags().any(|(of, _)| of == *base),
            Self::Domain(domain) => address.domain() == domain,
        }
    }
}

impl fmt::Display for AddressPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tagged(base) => write!(f, "{}+*@{}", base.local_part(), base.domain()),
            Self::Domain(domain) => write!(f, "*@{domain}"),
        }
    }
}

/// As addresses: the domain only.
impl fmt::Debug for AddressPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tagged(base) => write!(f, "AddressPattern({base:?})"),
            Self::Domain(domain) => write!(f, "AddressPattern(*@{domain})"),
        }
    }
}

impl From<AddressPattern> for String {
    fn from(pattern: AddressPattern) -> Self {
        pattern.to_string()
    }
}

impl TryFrom<String> for AddressPattern {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a pattern is `*@domain` or `local+*@domain`")
    }
}
