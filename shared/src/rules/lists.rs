//! Lists of addresses and domains, asked once a mail by each rule: a look into a set, and globs for the rest.

use std::collections::HashSet;

use crate::address::AddrSpec;

/// Text with `*` for anything. Matching never goes back: each piece is looked for behind the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    pieces: Vec<String>,
}

impl Glob {
    /// Of a pattern in the form in which it is compared.
    pub(super) fn of(pattern: &str) -> Self {
        Self { pieces: pattern.split('*').map(str::to_owned).collect() }
    }

    /// True where the whole text has that form.
    pub(super) fn holds(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.pieces.as_slice() else {
            return self.pieces.first().is_some_and(|only| only == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        for piece in middle {
            let Some((_, behind)) = rest.split_once(piece.as_str()) else { return false };
            rest = behind;
        }
        rest.ends_with(last.as_str())
    }
}

/// Addresses: `jane@customer.example`, `*@customer.example`, `alerts-*@*.example.com`.
#[derive(Clone, Debug, Default)]
pub(super) struct AddressList {
    exact: HashSet<String>,
    domains: HashSet<String>,
    globs: Vec<Glob>,
}

impl AddressList {
    /// Of patterns without a fault.
    pub(super) fn of(patterns: &[String]) -> Self {
        let mut list = Self::default();
        for pattern in patterns {
            let (local, domain) = pattern.trim().rsplit_once('@').unwrap_or_default();
            let (local, domain) = (local.to_ascii_lowercase(), ascii(domain));
            match (local.as_str(), local.contains('*') || domain.contains('*')) {
                ("*", true) if !domain.contains('*') => drop(list.domains.insert(domain)),
                (_, true) => list.globs.push(Glob::of(&format!("{local}@{domain}"))),
                (_, false) => drop(list.exact.insert(format!("{local}@{domain}"))),
            }
        }
        list
    }

    /// True where that address is one of them.
    pub(super) fn holds(&self, address: &AddrSpec) -> bool {
        self.exact.contains(address.as_str())
            || (!self.domains.is_empty() && self.domains.contains(address.domain()))
            || self.globs.iter().any(|glob| glob.holds(address.as_str()))
    }

    /// True where one of many is one of them. A short list is looked up among many addresses, not each of them in it.
    pub(super) fn holds_any(&self, addresses: &[AddrSpec], set: &HashSet<&str>) -> bool {
        if self.domains.is_empty() && self.globs.is_empty() && self.exact.len() < addresses.len() {
            return self.exact.iter().any(|address| set.contains(address.as_str()));
        }
        addresses.iter().any(|address| self.holds(address))
    }
}

/// Why an address pattern can't be meant.
pub(super) fn address_fault(pattern: &str) -> Option<&'static str> {
    let plain = pattern.replace('*', "x");
    let read = AddrSpec::parse(&plain).is_some_and(|address| domain_form(address.domain()));
    if pattern.contains(['<', '>', ',', ';']) || !read {
        return Some("must be an address, as jane@customer.example, or a pattern, as *@customer.example");
    }
    None
}

/// Domains: `customer.example`, and `*.customer.example` for all below it.
#[derive(Clone, Debug, Default)]
pub(super) struct DomainList {
    exact: HashSet<String>,
    below: HashSet<String>,
}

impl DomainList {
    /// Of patterns without a fault.
    pub(super) fn of(patterns: &[String]) -> Self {
        let mut list = Self::default();
        for pattern in patterns {
            match pattern.trim().strip_prefix("*.") {
                Some(domain) => list.below.insert(ascii(domain)),
                None => list.exact.insert(ascii(pattern.trim())),
            };
        }
        list
    }

    /// True where that domain is one of them, or below one.
    pub(super) fn holds(&self, domain: &str) -> bool {
        let mut above = domain.match_indices('.').filter_map(|(at, _)| domain.get(at + 1..));
        self.exact.contains(domain) || (!self.below.is_empty() && above.any(|domain| self.below.contains(domain)))
    }
}

/// Why a domain pattern can't be meant.
pub(super) fn domain_fault(pattern: &str) -> Option<&'static str> {
    let bare = pattern.trim();
    let domain = ascii(bare.strip_prefix("*.").unwrap_or(bare));
    (!domain_form(&domain)).then_some("must be a domain, as customer.example, or *.customer.example for all below it")
}

fn domain_form(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    domain.len() <= 253 && domain.split('.').all(label)
}

/// As [`AddrSpec`] writes domains: A-labels.
fn ascii(domain: &str) -> String {
    if domain.contains('*') {
        return domain.to_ascii_lowercase();
    }
    idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "ac", true),
            ("ab*bc", "abc", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*", "", true),
            ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(Glob::of(pattern).holds(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn addresses_and_domains() {
        let list = AddressList::of(
            &["Jane@Customer.example", "*@BÜCHER.example", "alerts-*@*.mon.example"].map(str::to_owned),
        );
        for (address, expected) in [
            ("jane@customer.example", true),
            ("john@customer.example", false),
            ("a@bücher.example", true),
            ("a@sub.bücher.example", false),
            ("alerts-7@eu.mon.example", true),
            ("alerts-7@mon.example", false),
        ] {
            let address = AddrSpec::parse(address).unwrap();
            assert_eq!(list.holds(&address), expected, "{}", address.as_str());
            assert_eq!(list.holds_any(std::slice::from_ref(&address), &HashSet::from([address.as_str()])), expected);
        }
        let domains = DomainList::of(&["one.example".to_owned(), "*.two.example".to_owned()]);
        for (domain, expected) in [
            ("one.example", true),
            ("sub.one.example", false),
            ("two.example", false),
            ("a.two.example", true),
            ("a.b.two.example", true),
            ("nottwo.example", false),
        ] {
            assert_eq!(domains.holds(domain), expected, "{domain}");
        }
    }

    #[test]
    fn a_short_list_among_many_addresses() {
        let many: Vec<AddrSpec> =
            (0..50).map(|n| AddrSpec::parse(&format!("p{n}@customer.example")).unwrap()).collect();
        let set: HashSet<&str> = many.iter().map(AddrSpec::as_str).collect();
        let holds = |pattern: &str| AddressList::of(&[pattern.to_owned()]).holds_any(&many, &set);
        assert!(holds("p49@customer.example") && holds("*@customer.example") && holds("p4*@customer.example"));
        assert!(!holds("p50@customer.example") && !holds("q*@customer.example"));
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        for wrong in ["", "jane", "@customer.example", "a b@customer.example", "a@b,c@d", "a@", "a@exa mple"] {
            assert!(address_fault(wrong).is_some(), "{wrong:?}");
        }
        for fine in ["jane@customer.example", "*@customer.example", "*@*.customer.example", "a@bücher.example"] {
            assert!(address_fault(fine).is_none(), "{fine:?}");
        }
        for wrong in ["", "*", "*@customer.example", "jane@customer.example", "a*.example", "a b.example"] {
            assert!(domain_fault(wrong).is_some(), "{wrong:?}");
        }
        for fine in ["customer.example", "*.customer.example", "bücher.example", "localhost"] {
            assert!(domain_fault(fine).is_none(), "{fine:?}");
        }
    }
}
