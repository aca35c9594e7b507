//! Who writes, and whether that is proven: the input to standing (DESIGN section 5).

use std::collections::BTreeSet;

use crate::{
    address::{AddrSpec, NamedAddress},
    envelope::{Envelope, ReversePath},
    headers::Headers,
    inbound::{Verdict, Verdicts},
    mailbox::Mailboxes,
    records::author_hash,
    thread::Speaker,
    ticket::{PARTICIPANTS_PER_MAIL_MAX, Participant},
};

/// What is known of the author's authenticity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// DMARC pass, or SPF pass aligned with the author's domain.
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
    /// `author-unknown`, `via-own-address`.
    pub flags: Vec<&'static str>,
}

impl Author {
    /// Reads the author. Mail from one of our own addresses is a forwarder or a contact form: the person behind it
    /// stands in X-Original-From, X-Original-Sender (Google Groups) or an external Reply-To.
    #[must_use]
    pub fn of(headers: &Headers, envelope: &Envelope, verdicts: &Verdicts, mailboxes: &Mailboxes) -> Self {
        let mut flags = Vec::new();
        let mut written = match headers.from.as_slice() {
            [one] => one.clone(),
            _ => NamedAddress::default(),
        };
        let mut address = written.addr_spec();
        let mut proof = authentication(verdicts, envelope, address.as_ref());
        if address.as_ref().is_some_and(|a| mailboxes.by_address(a).is_some()) {
            flags.push("via-own-address");
            if let Some(behind) = person_behind(headers, mailboxes) {
                (address, written) = (behind.addr_spec(), behind);
                proof = Authentication::Unknown;
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
        Some(Participant { address, name: self.name.clone(), approved: true })
    }

    /// As the one who brings evidence.
    #[must_use]
    pub fn speaker(&self, headers: &Headers) -> Speaker {
        let everybody = headers.from.iter().chain(&headers.to).chain(&headers.cc);
        let named: BTreeSet<String> = everybody.filter_map(|a| a.addr_spec().map(|a| author_hash(&a))).collect();
        Speaker {
            hash: self.address.as_ref().map(author_hash),
            address: self.address.clone(),
            named,
            authenticated: self.authentication == Authentication::Passed,
        }
    }
}

fn person_behind(headers: &Headers, mailboxes: &Mailboxes) -> Option<NamedAddress> {
    let external = |a: &AddrSpec| mailboxes.by_address(a).is_none();
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
/// alignment; SPF speaks for the reverse path's domain.
fn authentication(verdicts: &Verdicts, envelope: &Envelope, author: Option<&AddrSpec>) -> Authentication {
    let aligned = match (&envelope.reverse_path, author) {
        (ReversePath::Address(from), Some(author)) => !envelope.from_header && from.domain() == author.domain(),
        _ => false,
    };
    match (verdicts.dmarc, verdicts.spf, verdicts.dkim) {
        (Some(Verdict::Pass), _, _) => Authentication::Passed,
        (Some(Verdict::Fail), _, _) => Authentication::Failed,
        (_, Some(Verdict::Pass), _) if aligned => Authentication::Passed,
        (_, Some(Verdict::Fail), Some(Verdict::Pass)) => Authentication::Unknown,
        (_, Some(Verdict::Fail), _) => Authentication::Failed,
        _ => Authentication::Unknown,
    }
}

/// To and Cc of a mail as participants, without our own addresses and the author.
#[must_use]
pub fn companions(headers: &Headers, author: Option<&AddrSpec>, mailboxes: &Mailboxes) -> Vec<Participant> {
    let mut all: Vec<Participant> = Vec::new();
    for written in headers.to.iter().chain(&headers.cc) {
        let Some(address) = written.addr_spec() else { continue };
        let ours = mailboxes.by_address(&address).is_some();
        if ours || Some(&address) == author || all.iter().any(|p| p.address == address) {
            continue;
        }
        all.push(Participant { address, name: written.name.clone().filter(|n| !n.is_empty()), approved: true });
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
        let author = AddrSpec::parse("jane@customer.example");
        for (dmarc, spf, dkim, reverse, expected) in [
            (Some(Pass), None, None, "x@other.example", Passed),
            (Some(Fail), Some(Pass), None, "jane@customer.example", Failed),
            (None, Some(Pass), None, "bounce@customer.example", Passed),
            (None, Some(Pass), None, "bounce@esp.example", Unknown),
            (None, Some(Fail), None, "jane@customer.example", Failed),
            (None, Some(Fail), Some(Pass), "jane@customer.example", Unknown),
            (None, Some(Softfail), None, "jane@customer.example", Unknown),
            (None, None, Some(Pass), "jane@customer.example", Unknown),
            (None, None, None, "jane@customer.example", Unknown),
        ] {
            let verdicts = Verdicts { dmarc, spf, dkim, ..Verdicts::default() };
            let envelope = Envelope { reverse_path: ReversePath::parse(reverse), ..Envelope::default() };
            assert_eq!(authentication(&verdicts, &envelope, author.as_ref()), expected, "{verdicts:?} {reverse}");
        }
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
