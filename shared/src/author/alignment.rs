//! Whose a domain is: alignment by the organisational domain (RFC 7489 section 3.1, relaxed mode).

use crate::inbound::comparable;

/// True where both domains belong to one organisation: equal, or with the same name below the same public suffix
/// (publicsuffix.org, private section included: `a.github.io` and `b.github.io` are two organisations).
pub(super) fn aligned(a: &str, b: &str) -> bool {
    let (a, b) = (comparable(a), comparable(b));
    if a.is_empty() || b.is_empty() {
        return false;
    }
    a == b || matches!((psl::domain_str(&a), psl::domain_str(&b)), (Some(a), Some(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_organisation_or_two() {
        for (a, b, expected) in [
            ("customer.example", "customer.example", true),
            ("Mail.Customer.example", "customer.example.", true),
            ("bounce.mail.customer.co.uk", "customer.co.uk", true),
            ("a.co.uk", "b.co.uk", false),
            ("co.uk", "a.co.uk", false),
            ("a.github.io", "b.github.io", false),
            ("x.a.github.io", "a.github.io", true),
            ("customer.example.evil.example", "customer.example", false),
            ("evilcustomer.example", "customer.example", false),
            ("bücher.example", "mail.xn--bcher-kva.example", true),
            ("com", "com", true),
            ("", "", false),
            ("", "customer.example", false),
        ] {
            assert_eq!(aligned(a, b), expected, "{a} {b}");
            assert_eq!(aligned(b, a), expected, "{b} {a}");
        }
    }
}
