//! Addresses: what stands in a header field, and the normal form that is compared.
//!
//! [`AddrSpec`] is the RFC 5322 section 3.4.1 `addr-spec` in the one form Postern compares and stores: ASCII
//! lower case, the domain as IDNA A-labels. [`NamedAddress`] keeps what was written, for people to read.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest address taken, in octets: RFC 5321 section 4.5.3.1 allows 64 + 1 + 255; some slack for quoted local parts.
const ADDRESS_OCTETS_MAX: usize = 512;

/// An e-mail address in comparable form: ASCII lower case, domain in A-labels, no display name, no brackets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AddrSpec(String);

impl AddrSpec {
    /// Reads one address, with or without angle brackets. `None` where there is no local part, no domain, or where
    /// white space or controls stand inside: such text names nobody.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bare = text.trim().trim_start_matches('<').trim_end_matches('>').trim();
        if bare.is_empty() || bare.len() > ADDRESS_OCTETS_MAX || bare.chars().any(|c| c.is_control() || c == ' ') {
            return None;
        }
        let (local, domain) = bare.rsplit_once('@')?;
        let domain = domain.trim_end_matches('.');
        if local.is_empty() || domain.is_empty() {
            return None;
        }
        let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_ascii_lowercase());
        Some(Self(format!("{}@{domain}", local.to_ascii_lowercase())))
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands left of the last `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or(self.0.as_str(), |(local, _)| local)
    }

    /// What stands right of the last `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// Every reading of the local part as base address and `+` tag, rightmost `+` first (a mailbox may itself
    /// contain a `+`).
    pub fn plus_tags(&self) -> impl Iterator<Item = (AddrSpec, &str)> {
        let local = self.local_part();
        local.rmatch_indices('+').filter_map(move |(at, _)| {
            let (base, tag) = (local.get(..at)?, local.get(at + 1..)?);
            (!base.is_empty() && !tag.is_empty()).then(|| (Self(format!("{base}@{}", self.domain())), tag))
        })
    }
}

impl AddrSpec {
    /// The address without any `+` tag. A tag changes nobody: it is how one person tells his mail apart.
    #[must_use]
    pub fn untagged(&self) -> Self {
        match self.local_part().split_once('+') {
            Some((base, _)) if !base.is_empty() => Self(format!("{base}@{}", self.domain())),
            _ => self.clone(),
        }
    }

    /// A name to show where none was written: `jane.doe@` is `Jane Doe`. `None` where the local part is no words.
    #[must_use]
    pub fn derived_name(&self) -> Option<String> {
        let untagged = self.untagged();
        let words = untagged.local_part().split(['.', '_', '-']).filter(|word| !word.is_empty());
        let capital = |word: &str| {
            let mut chars = word.chars();
            chars
                .next()
                .filter(|c| c.is_alphabetic())
                .map(|first| first.to_uppercase().chain(chars).collect::<String>())
        };
        let words: Option<Vec<String>> = words.map(capital).collect();
        words.filter(|words| !words.is_empty()).map(|words| words.join(" "))
    }
}

impl fmt::Display for AddrSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Addresses never reach a log: `{:?}` shows the domain only.
impl fmt::Debug for AddrSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AddrSpec(***@{})", self.domain())
    }
}

/// An address as it was written in a field: decoded display name and the text in the brackets, either may be missing.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedAddress {
    /// Decoded display name, `None` where there is none.
    pub name: Option<String>,
    /// The address as written.
    pub address: Option<String>,
}

impl NamedAddress {
    /// The comparable form, `None` where what was written names nobody.
    #[must_use]
    pub fn addr_spec(&self) -> Option<AddrSpec> {
        self.address.as_deref().and_then(AddrSpec::parse)
    }
}

impl fmt::Debug for NamedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NamedAddress(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_compare_in_one_form() {
        for (written, expected) in [
            ("Support@Example.COM", Some("support@example.com")),
            (" <a@b.example> ", Some("a@b.example")),
            ("x@BÜCHER.example", Some("x@xn--bcher-kva.example")),
            ("\"a@b\"@c.example", Some("\"a@b\"@c.example")),
            ("a@example.com.", Some("a@example.com")),
            ("nobody", None),
            ("@example.com", None),
            ("a b@example.com", None),
            ("a@", None),
            ("", None),
        ] {
            assert_eq!(AddrSpec::parse(written).as_ref().map(AddrSpec::as_str), expected, "{written:?}");
        }
    }

    #[test]
    fn every_plus_is_tried_from_the_right() {
        let address = AddrSpec::parse("a+b+c@d.example").unwrap();
        let tags: Vec<_> = address.plus_tags().map(|(base, tag)| (base.to_string(), tag.to_owned())).collect();
        assert_eq!(tags, [("a+b@d.example".into(), "c".into()), ("a@d.example".into(), "b+c".into())]);
    }

    #[test]
    fn tags_and_names() {
        for (address, untagged, name) in [
            ("jane.doe@x.example", "jane.doe@x.example", Some("Jane Doe")),
            ("jane+shop+2@x.example", "jane@x.example", Some("Jane")),
            ("+odd@x.example", "+odd@x.example", None),
            ("anne-marie_o.hara@x.example", "anne-marie_o.hara@x.example", Some("Anne Marie O Hara")),
            ("j4n3@x.example", "j4n3@x.example", Some("J4n3")),
            ("jane.2@x.example", "jane.2@x.example", None),
            ("4711@x.example", "4711@x.example", None),
            ("élise@x.example", "élise@x.example", Some("Élise")),
        ] {
            let read = AddrSpec::parse(address).unwrap();
            assert_eq!((read.untagged().as_str(), read.derived_name().as_deref()), (untagged, name), "{address}");
        }
    }

    #[test]
    fn debug_shows_no_address() {
        let address = AddrSpec::parse("jane@example.com").unwrap();
        assert!(!format!("{address:?}").contains("jane"));
    }
}
