//! A copy made ready: its thread keys, and what the mailbox's rules say of it.

use super::{Arrival, Copy, Ingest, Release, copy::Reading};
use crate::{
    address::{AddrSpec, NamedAddress},
    inbound::InboundMessage,
    mailbox::{Mailbox, MailboxId},
    rules::{self, Ruled},
    store::LedgerId,
    thread::{self, ThreadKeys},
};

impl Ingest {
    /// What the header tells of tickets, and of the merge keys that the rules may ask for: all of it is read at once.
    pub(super) fn keys(&self, arrival: &Arrival, mailbox: &Mailbox) -> ThreadKeys {
        let Arrival { inbound, headers, author, .. } = arrival;
        let mut keys = thread::keys(headers, inbound, mailbox, &self.mailboxes, &self.keyring);
        if mailbox.rules.is_empty() {
            return keys;
        }
        keys.merge = mailbox.rules.header_keys(headers, author, &mailbox.scope);
        keys
    }

    /// What the rules say of a mail, for each mailbox that would get it. Reads and writes nothing.
    #[must_use]
    pub async fn judge(&self, inbound: InboundMessage) -> Vec<(MailboxId, Ruled)> {
        let arrival = self.arrive(inbound).await;
        let reading = self.read_in_full(&arrival);
        let ours = self.recipients(&arrival.accept).into_iter().filter_map(|recipient| recipient.ours());
        let judged = ours.map(|mailbox| {
            let id = LedgerId::of(&arrival.accept.raw_key, mailbox.id.as_str());
            (mailbox.id.clone(), self.copy_for(&arrival, &reading, mailbox, id, None).ruled)
        });
        judged.collect()
    }

    /// A copy of a mail that was read in full. Its rules are judged here and nowhere else.
    pub(super) fn copy_for<'a>(
        &self,
        arrival: &'a Arrival,
        reading: &'a Reading,
        mailbox: &'a Mailbox,
        id: LedgerId,
        release: Option<Release<'a>>,
    ) -> Copy<'a> {
        let mut keys = self.keys(arrival, mailbox);
        let mail = rules::Mail {
            headers: &arrival.headers,
            parsed: &reading.parsed,
            classification: &reading.classification,
            verdicts: &arrival.accept.verdicts,
            author: &arrival.author,
            recipients: &recipients(arrival),
            octets: arrival.inbound.raw.len() as u64,
        };
        let ruled = mailbox.rules.judge(&mail, &mailbox.scope);
        let key_unread = ruled.merge.as_ref().is_some_and(|merge| keys.add_merge(merge));
        Copy { arrival, reading, mailbox, id, keys, release, ruled, key_unread }
    }
}

/// Whom a mail came for, each once: the envelope first, because it cannot be forged by the mail.
fn recipients(arrival: &Arrival) -> Vec<AddrSpec> {
    let Arrival { headers, accept, .. } = arrival;
    let read = [&accept.envelope.forward_paths, &headers.delivered_to, &headers.x_original_to, &headers.x_forwarded_to];
    let written = headers.to.iter().chain(&headers.cc).filter_map(NamedAddress::addr_spec);
    let mut seen = std::collections::HashSet::new();
    let all = read.into_iter().flatten().cloned().chain(written);
    all.filter(|address| seen.insert(address.clone())).collect()
}
