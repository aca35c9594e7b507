//! Who writes, and whether that is proven: the input to standing (DESIGN section 5).

mod alignment;

use std::collections::BTreeSet;

use alignment::aligned;

use crate::{
    address::{AddrSpec, NamedAddress},
    envelope::{Envelope, ReversePath},
    headers::Headers,
    inbound::{Verdict, Verdicts, comparable},
    mailbox::{Mailbox, Mailboxes},
    records::author_hash,
    thread::Speaker,
    ticket::{PARTICIPANTS_PER_MAIL_MAX, Participant},
};

/// What is known of the author's authenticity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// DMARC pass, or a signature (DKIM) or an envelope sender (SPF) of the author's organisation passed.
    Passed,
    /// DMARC fail, or SPF fail without a DKIM pass.
    Failed,
    /// Nobody says.
    Unknown,
}

/// The author of one mail.
#[derive(Clone, Debug)]
pub struct Author {
    /// Address; `None` = several or none.
    pub address: Option<AddrSpec>,
    /// Display name.
    pub name: Option<String>,
    /// Proven or not.
    pub authentication: Authentication,
    /// `author-unknown`, `via-own-address`, `via-form`.
    pub flags: Vec<&'static str>,
}

impl Author {
    /// Of a mail that nobody has read.
    #[must_use]
    pub const fn unknown() -> Self {
        Self { address: None, name: None, authentication: Authentication::Unknown, flags: Vec::new() }
    }

    /// Reads the author. Mail from one of our own addresses, or of a form sender, is a forwarder's or a contact form's:
    /// the person behind it stands in X-Original-From, X-Original-Sender (Google Groups) or an external Reply-To.
    #[must_use]
    pub fn of(headers: &Headers, envelope: &Envelope, verdicts: &Verdicts, mailboxes: &Mailboxes) -> Self {
        let mut flags = Vec::new();
        let mut written = match headers.from.as_slice() {
            [one] => one.clone(),
            _ => NamedAddress::default(),
        };
        let mut address = written.addr_spec();
        let mut proof = authentication(verdicts, envelope, address.as_ref());
        if let Some(own) = address.as_ref().filter(|a| mailboxes.writes_for_others(a)) {
            let ours = mailboxes.by_address(own).is_some();
            if ours {
                flags.push("via-own-address");
            }
            if let Some(behind) = person_behind(headers, mailboxes) {
                (address, written) = (behind.addr_spec(), behind);
                if !ours {
                    flags.push("via-form");
                }
                // What was proven was proven for the form; what was disproved, whoever wrote in its name.
                if proof == Authentication::Passed {
                    proof = Authentication::Unknown;
                }
            }
        }
        if address.is_none() {
            flags.push("author-unknown");
        }
        Self { address, name: written.name.filter(|name| !name.is_empty()), authentication: proof, flags }
    }

    /// As a participant.
    #[must_use]
    pub fn participant(&self) -> Option<Participant> {
        let address = self.address.clone()?;
        Some(participant(address, self.name.clone(), true))
    }

    /// As the one who brings evidence.
    #[must_use]
    pub fn speaker(&self, headers: &Headers, mailbox: &Mailbox) -> Speaker {
        let everybody = headers.from.iter().chain(&headers.to).chain(&headers.cc);
        let named: BTreeSet<String> = everybody.filter_map(|a| a.addr_spec().map(|a| author_hash(&a))).collect();
        Speaker {
            hash: self.address.as_ref().map(author_hash),
            address: self.address.clone(),
            named,
            authenticated: self.authentication == Authentication::Passed,
            agent: self.address.as_ref().is_some_and(|address| mailbox.is_agent(address)),
        }
    }
}

fn participant(address: AddrSpec, name: Option<String>, approved: bool) -> Participant {
    let name = name.filter(|name| !name.is_empty()).or_else(|| address.derived_name());
    Participant { address, name, approved }
}

fn person_behind(headers: &Headers, mailboxes: &Mailboxes) -> Option<NamedAddress> {
    let external = |a: &AddrSpec| !mailboxes.writes_for_others(a);
    for field in ["x-original-from", "x-original-sender"] {
        let value = headers.first(field).unwrap_or_default();
        let text = value.rsplit_once('<').map_or(value, |(_, rest)| rest);
        if let Some(address) = AddrSpec::parse(text).filter(external) {
            return Some(NamedAddress { name: None, address: Some(address.to_string()) });
        }
    }
    headers.reply_to.iter().find(|a| a.addr_spec().is_some_and(|a| external(&a))).cloned()
}

/// DESIGN section 5: passed = DMARC pass, or aligned DKIM or SPF. A bare DKIM word names no domain, so it proves no
/// alignment; SPF speaks for the domain it was asked about, else for the envelope's.
fn authentication(verdicts: &Verdicts, envelope: &Envelope, author: Option<&AddrSpec>) -> Authentication {
    let speaks_for = |domain: &str| author.is_some_and(|author| aligned(domain, author.domain()));
    let sender = match &envelope.reverse_path {
        ReversePath::Address(from) if !envelope.from_header => Some(from.domain()),
        _ => None,
    };
    let spf_speaks = verdicts.spf_domain.as_deref().or(sender).is_some_and(speaks_for);
    let dkim_speaks = verdicts.dkim_domains.iter().any(|domain| speaks_for(domain));
    // An answer about another domain than the author's is none about him.
    let asked = |domain: &String| author.is_some_and(|author| comparable(domain) == author.domain());
    let dmarc = verdicts.dmarc.filter(|_| verdicts.dmarc_domain.as_ref().is_none_or(asked));
    match (dmarc, verdicts.spf) {
        (Some(Verdict::Pass), _) => Authentication::Passed,
        (Some(Verdict::Fail), _) => Authentication::Failed,
        _ if dkim_speaks => Authentication::Passed,
        (_, Some(Verdict::Pass)) if spf_speaks => Authentication::Passed,
        (_, Some(Verdict::Fail)) if verdicts.dkim != Some(Verdict::Pass) => Authentication::Failed,
        _ => Authentication::Unknown,
    }
}

/// One who stands in a mail, as participant. `None` where it is nobody, or one of us.
#[must_use]
pub fn written(person: &NamedAddress, mailboxes: &Mailboxes) -> Option<Participant> {
    let address = person.addr_spec().filter(|address| mailboxes.by_address(address).is_none())?;
    Some(participant(address, person.name.clone(), true))
}

/// To and Cc of a mail as participants, without our own addresses and the author.
#[must_use]
pub fn companions(headers: &Headers, author: Option<&AddrSpec>, mailboxes: &Mailboxes) -> Vec<Participant> {
    let mut all: Vec<Participant> = Vec::new();
    for person in headers.to.iter().chain(&headers.cc).filter_map(|person| written(person, mailboxes)) {
        if Some(&person.address) == author || all.iter().any(|p| p.address == person.address) {
            continue;
        }
        all.push(person);
        if all.len() >= PARTICIPANTS_PER_MAIL_MAX - 1 {
            break;
        }
    }
    all
}

/// True where one of our addresses stands in To or Cc: only then are the others there part of the conversation
/// (a list's or a blind copy's recipients are not).
#[must_use]
pub fn addressed_to_us(headers: &Headers, mailboxes: &Mailboxes) -> bool {
    let written = headers.to.iter().chain(&headers.cc).filter_map(NamedAddress::addr_spec);
    written.into_iter().any(|address| mailboxes.by_address(&address).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::{Mailbox, MailboxId};

    fn named(address: &str) -> NamedAddress {
        NamedAddress { name: None, address: Some(address.into()) }
    }

    fn ours() -> Mailboxes {
        let address = AddrSpec::parse("support@us.example").unwrap();
        Mailboxes::new(vec![Mailbox::new(MailboxId::parse("support").unwrap(), address, "INC")]).unwrap()
    }

    #[test]
    fn authentication_table() {
        use Authentication::{Failed, Passed, Unknown};
        use Verdict::{Fail, Pass, Softfail};
        let author = AddrSpec::parse("jane@mail.customer.example");
        let words = |dmarc, spf, dkim| Verdicts { dmarc, spf, dkim, ..Verdicts::default() };
        let signed = |domain: &str| Verdicts { dkim_domains: vec![domain.into()], ..words(None, None, Some(Pass)) };
        let asked = |dmarc, domain: &str| Verdicts { dmarc_domain: Some(domain.into()), ..words(dmarc, None, None) };
        let mailed = |spf, domain: &str| Verdicts { spf_domain: Some(domain.into()), ..words(None, spf, None) };
        let signed_then = |spf, dmarc| Verdicts { spf, dmarc, ..signed("customer.example") };
        for (verdicts, reverse, expected) in [
            (words(Some(Pass), None, None), "x@other.example", Passed),
            (words(Some(Fail), Some(Pass), None), "jane@customer.example", Failed),
            (words(None, Some(Pass), None), "bounce@customer.example", Passed),
            (words(None, Some(Pass), None), "bounce@lists.customer.example", Passed),
            (words(None, Some(Pass), None), "bounce@esp.example", Unknown),
            (words(None, Some(Pass), None), "bounce@customer.example.evil.example", Unknown),
            (words(None, Some(Fail), None), "jane@customer.example", Failed),
            (words(None, Some(Fail), Some(Fail)), "jane@customer.example", Failed),
            (words(None, Some(Fail), Some(Pass)), "jane@customer.example", Unknown),
            (words(None, Some(Softfail), None), "jane@customer.example", Unknown),
            (words(None, None, Some(Pass)), "jane@customer.example", Unknown),
            (words(None, None, None), "jane@customer.example", Unknown),
            (signed("customer.example"), "x@esp.example", Passed),
            (signed("esp.example"), "x@esp.example", Unknown),
            (signed_then(Some(Fail), None), "x@esp.example", Passed),
            (signed_then(None, Some(Fail)), "x@esp.example", Failed),
            // SPF was asked about another domain than the envelope's (HELO, a forwarder).
            (mailed(Some(Pass), "esp.example"), "jane@customer.example", Unknown),
            (mailed(Some(Pass), "customer.example"), "", Passed),
            (asked(Some(Pass), "mail.customer.example"), "", Passed),
            (asked(Some(Pass), "customer.example"), "", Unknown),
            (asked(Some(Fail), "evil.example"), "", Unknown),
        ] {
            let envelope = Envelope { reverse_path: ReversePath::parse(reverse), ..Envelope::default() };
            assert_eq!(authentication(&verdicts, &envelope, author.as_ref()), expected, "{verdicts:?} {reverse}");
            assert_ne!(authentication(&signed("customer.example"), &envelope, None), Passed, "no author, no proof");
        }
        let from_header = Envelope {
            from_header: true,
            reverse_path: ReversePath::parse("a@customer.example"),
            ..Envelope::default()
        };
        assert_eq!(authentication(&words(None, Some(Pass), None), &from_header, author.as_ref()), Unknown);
    }

    #[test]
    fn a_contact_form_speaks_for_the_person_behind() {
        let mut headers = Headers { from: vec![named("support@us.example")], ..Headers::default() };
        headers.reply_to = vec![named("support+x@us.example"), named("jane@customer.example")];
        let verdicts = Verdicts { dmarc: Some(Verdict::Pass), ..Verdicts::default() };
        let author = Author::of(&headers, &Envelope::default(), &verdicts, &ours());
        assert_eq!(author.address, AddrSpec::parse("jane@customer.example"));
        assert_eq!(author.flags, ["via-own-address"]);
        assert_eq!(author.authentication, Authentication::Unknown, "the form's DMARC is not the person's");
    }

    #[test]
    fn several_or_no_from_is_unknown() {
        for from in [vec![], vec![named("a@x.example"), named("b@x.example")], vec![named("nobody")]] {
            let headers = Headers { from, ..Headers::default() };
            let author = Author::of(&headers, &Envelope::default(), &Verdicts::default(), &ours());
            assert!(author.address.is_none() && author.flags == ["author-unknown"]);
        }
    }
}
