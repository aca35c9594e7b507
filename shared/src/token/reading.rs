//! Where a tag may stand in an address, as mail systems on the way leave addresses behind.
//!
//! | as written | by whom |
//! |---|---|
//! | `support+TAG@us.example` | us, mode `plus` |
//! | `TAG@support.us.example` | us, mode `subdomain` |
//! | `"support+TAG"@us.example`, `support%2BTAG@us.example` | clients that quote, and links taken over as they stood |
//! | `support+TAG+jane=customer.example@us.example`, `support+TAG=...@` | VERP: a list adds its recipient |
//! | `prvs=0123456789=support+TAG@us.example`, `btv1==...==`, `msprvs1=...=` | BATV |
//! | `SRS0=hash=day=us.example=support+TAG@forwarder.example`, `SRS1=...` | SRS: forwarders |
//!
//! A reading proves nothing: what counts is that the tag verifies for the mailbox whose address the base is. So a wrapping
//! is taken off without asking who put it on.

use super::has_tag_form;
use crate::address::AddrSpec;

/// Every wrapping holds an address: more of them than this have not been seen on real mail.
const WRAPPINGS_MAX: usize = 4;
/// Readings of one address. A local part of 64 octets has no room for more; longer ones are nobody's.
const READINGS_MAX: usize = 32;

/// One way to read an address: whose it is, and the tag beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The address without the tag.
    pub base: AddrSpec,
    /// What may be a tag.
    pub tag: String,
}

/// All readings of an address that have a tag, the plainest first; every `+` is tried from the right.
#[must_use]
pub fn readings(address: &AddrSpec) -> Vec<Reading> {
    let mut all: Vec<Reading> = Vec::new();
    let mut push = |base: AddrSpec, tag: &str| {
        let reading = Reading { base, tag: tag.to_owned() };
        if all.len() < READINGS_MAX && !all.contains(&reading) {
            all.push(reading);
        }
    };
    for address in unwrapped(address) {
        for (base, tag) in address.plus_tags() {
            push(base.clone(), tag);
            // VERP: what a list has put behind it.
            if let Some((tag, _)) = tag.split_once(['+', '=']) {
                push(base, tag);
            }
        }
        let (local, domain) = (address.local_part(), address.domain());
        let tag = local.split_once('=').map_or(local, |(tag, _)| tag);
        if has_tag_form(tag) {
            // A base may itself have dots: every one is tried.
            for (at, _) in domain.match_indices('.') {
                let base = domain.get(..at).zip(domain.get(at + 1..));
                if let Some(base) = base.and_then(|(local, domain)| AddrSpec::parse(&format!("{local}@{domain}"))) {
                    push(base, tag);
                }
            }
        }
    }
    all
}

/// The address, and what stands inside its wrappings, the outermost first. Never empty.
#[must_use]
pub fn unwrapped(address: &AddrSpec) -> Vec<AddrSpec> {
    let mut all = vec![address.clone()];
    while all.len() <= WRAPPINGS_MAX
        && let Some(inner) = all.last().and_then(inner)
    {
        all.push(inner);
    }
    all
}

fn inner(address: &AddrSpec) -> Option<AddrSpec> {
    let (local, domain) = (address.local_part(), address.domain());
    let at = |local: &str, domain: &str| AddrSpec::parse(&format!("{local}@{domain}"));
    if let Some(bare) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return at(&bare.replace('\\', ""), domain);
    }
    if local.contains("%2b") {
        return at(&local.replace("%2b", "+"), domain);
    }
    // draft-levine-smtp-batv: `prvs=KDDDSSSSSS=local`; Barracuda `btv1==SSSS==local`; Exchange Online `msprvs1=SSSS=local`.
    for (mark, between) in [("btv1==", "=="), ("msprvs1=", "="), ("prvs=", "=")] {
        if let Some((signature, rest)) = local.strip_prefix(mark).and_then(|rest| rest.split_once(between)) {
            // Some write the two parts the other way round; an address part with a `+` is no signature.
            return if signature.contains('+') { at(signature, domain) } else { at(rest, domain) };
        }
    }
    let srs = |mark: &str| local.strip_prefix(mark).and_then(|rest| rest.strip_prefix(['=', '+', '-']));
    // SRS0=hash=day=domain=local; SRS1=hash=forwarder==hash=day=domain=local (libsrs2, Wong 2003).
    let body = srs("srs0").or_else(|| srs("srs1")?.split_once("==").map(|(_, body)| body))?;
    let mut parts = body.splitn(4, '=');
    let (_hash, _day, domain, local) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    at(local, domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The readings as `base TAG`.
    fn read(address: &str) -> Vec<String> {
        readings(&AddrSpec::parse(address).unwrap()).iter().map(|r| format!("{} {}", r.base, r.tag)).collect()
    }

    #[test]
    fn a_tag_is_found_where_gateways_left_it() {
        const TAG: &str = "abqok72bebfzvsvkts";
        let wanted = format!("support@us.example {TAG}");
        for address in [
            "support+TAG@us.example",
            "SUPPORT+TAG@US.example",
            "TAG@support.us.example",
            "\"support+TAG\"@us.example",
            "support%2BTAG@us.example",
            "support+TAG+jane=customer.example@us.example",
            "support+TAG=jane=customer.example@us.example",
            "TAG=jane=customer.example@support.us.example",
            "prvs=1234abcdef=support+TAG@us.example",
            "prvs=support+TAG=1234abcdef@us.example",
            "btv1==12345==support+TAG@us.example",
            "msprvs1=19876ABC=support+TAG@us.example",
            "SRS0=HHH=TT=us.example=support+TAG@forwarder.example",
            "SRS0+HHH=TT=us.example=support+TAG@forwarder.example",
            "SRS1=GGG=first.example==HHH=TT=us.example=support+TAG@second.example",
            "srs0=hhh=tt=us.example=prvs=1234abcdef=support+TAG@forwarder.example",
        ] {
            let written = address.replace("TAG", TAG);
            assert!(read(&written).contains(&wanted), "{written}: {:?}", read(&written));
            let upper = address.replace("TAG", &TAG.to_uppercase());
            assert!(read(&upper).contains(&wanted), "{upper}");
        }
    }

    #[test]
    fn every_plus_and_every_dot_is_tried() {
        assert_eq!(read("a+b+c@d.example"), ["a+b@d.example c", "a@d.example b+c", "a@d.example b"]);
        assert_eq!(
            read("abqok72bebfzvsvkts@it.help.us.example"),
            ["it@help.us.example", "it.help@us.example", "it.help.us@example"]
                .map(|base| format!("{base} abqok72bebfzvsvkts"))
        );
        for plain in ["support@us.example", "jane@support.us.example", "+x@us.example", "x+@us.example"] {
            assert!(read(plain).is_empty(), "{plain}: {:?}", read(plain));
        }
    }

    #[test]
    fn wrappings_without_end_are_left() {
        let deep = format!("{}support+x@us.example", "prvs=a=".repeat(60));
        assert!(AddrSpec::parse(&deep).is_some_and(|address| unwrapped(&address).len() <= WRAPPINGS_MAX + 1));
        let plus = format!("{}@us.example", "a+".repeat(200) + "b");
        assert!(AddrSpec::parse(&plus).is_some_and(|address| readings(&address).len() <= READINGS_MAX));
    }

    proptest::proptest! {
        #[test]
        fn any_address_is_read(local in "[a-z0-9=+\"%\\\\.]{1,80}") {
            if let Some(address) = AddrSpec::parse(&format!("{local}@us.example")) {
                let _ = readings(&address);
            }
        }
    }
}
