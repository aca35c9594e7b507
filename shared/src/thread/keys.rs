//! What a mail brings that could name a ticket: the keys that are read before it is weighed.

use std::collections::{BTreeSet, HashSet};

use super::{
    IDS_MAX, Level, NAMED_TICKETS_MAX,
    clue::{Clue, Place, Signature},
};
use crate::{
    address::{AddrSpec, NamedAddress},
    headers::{Headers, TicketRef},
    inbound::InboundMessage,
    mailbox::{Mailbox, Mailboxes},
    message_id::MessageId,
    rules::Merge,
    token::{Flaw, Keyring, Verified, readings},
};

/// Addresses whose tags are looked at, each once: RFC 5321 section 4.5.3.1.8 asks for 100 recipients.
const ADDRESSES_MAX: usize = 500;
/// Fields that hold the id which a mail had before its provider wrote another one over it. The author's own client knows
/// that one, and answers to it.
const ORIGINAL_ID_FIELDS: [&str; 2] = ["x-microsoft-original-message-id", "x-google-original-message-id"];
/// Octets of the conversation's part of a Thread-Index (MS-OXOMSG section 2.2.1.3): every reply adds five more.
const THREAD_INDEX_HEAD: usize = 22;

/// What a trace is of.
#[derive(Clone, Debug)]
pub(super) enum Key {
    /// The mail's own id.
    Own,
    /// A signed token of this scope.
    Signed(Level, u64),
    /// An id to look for, and the ticket that it names where it is signed by us.
    Id(MessageId, Option<u64>),
    /// A merge key, as the id that stands for it.
    Merge(MessageId),
    /// A number in the subject.
    Number(TicketRef),
    /// Nothing that may name a ticket.
    Nothing,
}

/// A clue with what it is looked for by.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    pub(super) key: Key,
    pub(super) clue: Clue,
}

/// What a mail brings that could name a ticket.
#[derive(Clone, Debug, Default)]
pub struct ThreadKeys {
    /// Own Message-ID; `None` = missing.
    pub own: Option<MessageId>,
    /// The own id is signed by us: the mail is ours, or a loop.
    pub own_signed: bool,
    /// Referenced ids in order of evidence: In-Reply-To, then References last to first; own id dropped.
    pub ids: Vec<MessageId>,
    /// First id of References.
    pub root: Option<MessageId>,
    /// The ids among `ids` that are signed by us for this scope.
    pub signed_ids: Vec<MessageId>,
    /// Merge keys to look for, as the ids that stand for them: what the header tells, whichever the rules choose.
    pub merge: Vec<MessageId>,
    /// Tickets named by tokens of other mailboxes: related, no evidence.
    pub foreign: BTreeSet<u64>,
    /// Something looked like ours and did not verify.
    pub forged: bool,
    /// All of it in order of evidence.
    pub(super) traces: Vec<Trace>,
}

/// For whom the keys are taken, and what can be verified.
#[derive(Clone, Copy)]
struct Reader<'a> {
    mailbox: &'a Mailbox,
    mailboxes: &'a Mailboxes,
    keyring: &'a Keyring,
}

/// Takes the keys of a mail for one mailbox.
#[must_use]
pub fn keys(
    headers: &Headers,
    inbound: &InboundMessage,
    mailbox: &Mailbox,
    mailboxes: &Mailboxes,
    keyring: &Keyring,
) -> ThreadKeys {
    let reader = Reader { mailbox, mailboxes, keyring };
    let own = headers.message_id.clone();
    let mut keys = ThreadKeys {
        own_signed: own
            .as_ref()
            .is_some_and(|id| matches!(reader.id(id), Some((Signature::Valid | Signature::OfAnotherMailbox, _)))),
        root: headers.references.first().filter(|id| !same_key(Some(id), own.as_ref())).cloned(),
        own,
        ..ThreadKeys::default()
    };
    if let Some(own) = &keys.own {
        keys.traces.push(Trace { key: Key::Own, clue: Clue::new(Place::MessageId, 1, own.as_str()) });
    }
    for (address, place, position) in recipients(headers, &inbound.envelope.forward_paths) {
        keys.take_address(&address, place, position, reader);
    }
    for (id, place, position) in referenced(headers, keys.own.as_ref(), mailboxes) {
        let trace = keys.take_id(&id, place, position, reader);
        keys.ids.push(id);
        keys.traces.push(trace);
    }
    for (n, number) in headers.ticket_refs.iter().enumerate() {
        let clue = Clue::new(Place::Subject, n + 1, &written(number));
        keys.traces.push(Trace { key: Key::Number(number.clone()), clue });
    }
    let index = headers.first("thread-index").and_then(conversation_index);
    keys.traces.extend(index.map(|index| Trace { key: Key::Nothing, clue: Clue::new(Place::ThreadIndex, 1, &index) }));
    keys
}

impl ThreadKeys {
    /// Adds an id that only the full parse could find (the original id in a bounce).
    pub fn add_id(&mut self, id: &MessageId, mailbox: &Mailbox, mailboxes: &Mailboxes, keyring: &Keyring) {
        let known = |other: &MessageId| other.key_form() == id.key_form();
        if !self.own.as_ref().is_some_and(known) && !self.ids.iter().any(known) {
            self.ids.insert(0, id.clone());
            self.ids.truncate(IDS_MAX);
            let trace = self.take_id(id, Place::Report, 1, Reader { mailbox, mailboxes, keyring });
            let first = self.traces.iter().position(|trace| matches!(trace.key, Key::Id(..)));
            self.traces.insert(first.unwrap_or(self.traces.len()), trace);
        }
    }

    /// Takes the merge key that the rules have chosen as evidence. True where it was not looked for yet.
    pub fn add_merge(&mut self, merge: &Merge) -> bool {
        let clue = Clue::new(Place::MergeKey, 1, &merge.shown);
        let number = self.traces.iter().position(|trace| matches!(trace.key, Key::Number(_)));
        let trace = Trace { key: Key::Merge(merge.id.clone()), clue };
        self.traces.insert(number.unwrap_or(self.traces.len()), trace);
        let unread = !self.merge.contains(&merge.id);
        if unread {
            self.merge.push(merge.id.clone());
        }
        unread
    }

    /// Everything to look for in the message index, the mail's own id apart.
    #[must_use]
    pub fn wanted(&self) -> Vec<MessageId> {
        self.ids.iter().chain(&self.merge).cloned().collect()
    }

    /// Tickets to read together with the ids.
    #[must_use]
    pub fn named_tickets(&self) -> Vec<u64> {
        let signed = self.traces.iter().filter_map(|trace| match &trace.key {
            Key::Signed(_, ticket) | Key::Id(_, Some(ticket)) => Some(*ticket),
            _ => None,
        });
        let numbers = self.traces.iter().filter_map(|trace| match &trace.key {
            Key::Number(number) => Some(number.ordinal),
            _ => None,
        });
        let mut tickets: Vec<u64> = Vec::new();
        for ticket in signed.chain(numbers) {
            if !tickets.contains(&ticket) && tickets.len() < NAMED_TICKETS_MAX {
                tickets.push(ticket);
            }
        }
        tickets
    }

    fn take_address(&mut self, address: &AddrSpec, place: Place, position: usize, reader: Reader<'_>) {
        let Some((signature, ticket)) = reader.address(address) else { return };
        let mut clue = Clue::new(place, position, address.as_str());
        clue.signature = Some(signature);
        let key = self.judged(signature, ticket).map_or(Key::Nothing, |ticket| Key::Signed(Level::E1, ticket));
        self.traces.push(Trace { key, clue });
    }

    fn take_id(&mut self, id: &MessageId, place: Place, position: usize, reader: Reader<'_>) -> Trace {
        let mut clue = Clue::new(place, position, id.as_str());
        let mut signed = None;
        if let Some((signature, ticket)) = reader.id(id) {
            clue.signature = Some(signature);
            signed = self.judged(signature, ticket);
            if signed.is_some() {
                self.signed_ids.push(id.clone());
            }
        }
        Trace { key: Key::Id(id.clone(), signed), clue }
    }

    /// The ticket that a signature names here. A token addresses its own mailbox and those that share its tickets.
    fn judged(&mut self, signature: Signature, ticket: Option<u64>) -> Option<u64> {
        self.forged |= signature.is_forged();
        match signature {
            Signature::Valid => ticket,
            Signature::OfAnotherMailbox => {
                self.foreign.extend(ticket);
                None
            }
            _ => None,
        }
    }
}

impl Reader<'_> {
    /// What the tag of an address is worth; `None` where it has none of ours.
    fn address(&self, address: &AddrSpec) -> Option<(Signature, Option<u64>)> {
        let mut flaw = None;
        for reading in readings(address) {
            let verify = |owner: &Mailbox| self.keyring.verify_tag(owner, &reading.tag);
            let owner = self.mailboxes.iter().find(|mailbox| mailbox.addresses.contains(&reading.base));
            let found = match owner.map(|owner| (owner, verify(owner))) {
                Some((owner, Verified::Ticket(ticket))) => return Some((self.of(owner), Some(ticket))),
                Some((owner, Verified::LookAlike(found))) => {
                    let mut others = self.mailboxes.iter().filter(|other| other.id != owner.id);
                    let moved = others.any(|other| matches!(verify(other), Verified::Ticket(_)));
                    if moved { Signature::OtherMailbox } else { flawed(found) }
                }
                Some((_, Verified::Foreign)) => continue,
                // Somebody else's address, unless its tag is ours: then it was carried to another domain.
                None => {
                    let local = |address: &AddrSpec| address.local_part() == reading.base.local_part();
                    let mut named = self.mailboxes.iter().filter(|mailbox| mailbox.addresses.iter().any(local));
                    if !named.any(|mailbox| matches!(verify(mailbox), Verified::Ticket(_))) {
                        continue;
                    }
                    Signature::OtherDomain
                }
            };
            flaw.get_or_insert(found);
        }
        flaw.map(|flaw| (flaw, None))
    }

    /// What the signature of an id is worth; `None` where it has not our form.
    fn id(&self, id: &MessageId) -> Option<(Signature, Option<u64>)> {
        let mut flaw = None;
        for mailbox in self.mailboxes.iter() {
            match self.keyring.verify_message_id(mailbox, id) {
                Verified::Ticket(ticket) => {
                    let here = mailbox.addresses.iter().any(|address| address.domain() == id.domain());
                    return Some(if here { (self.of(mailbox), Some(ticket)) } else { (Signature::OtherDomain, None) });
                }
                // What it was signed for tells more than that another mailbox did not sign it.
                Verified::LookAlike(found) if flaw.is_none() || found == Flaw::OtherPurpose => {
                    flaw = Some(flawed(found));
                }
                Verified::LookAlike(_) | Verified::Foreign => {}
            }
        }
        flaw.map(|flaw| (flaw, None))
    }

    fn of(&self, owner: &Mailbox) -> Signature {
        if owner.scope == self.mailbox.scope { Signature::Valid } else { Signature::OfAnotherMailbox }
    }
}

const fn flawed(flaw: Flaw) -> Signature {
    match flaw {
        Flaw::Form => Signature::Form,
        Flaw::UnknownKey => Signature::UnknownKey,
        Flaw::OtherPurpose => Signature::OtherPurpose,
        Flaw::Signature => Signature::Invalid,
    }
}

/// Every place a reply address may stand (DESIGN section 5, E1), each address once.
fn recipients(headers: &Headers, forward_paths: &[AddrSpec]) -> Vec<(AddrSpec, Place, usize)> {
    let written = |list: &[NamedAddress]| list.iter().map(NamedAddress::addr_spec).collect::<Vec<_>>();
    let read = |list: &[AddrSpec]| list.iter().cloned().map(Some).collect::<Vec<_>>();
    let places = [
        (Place::Envelope, read(forward_paths)),
        (Place::To, written(&headers.to)),
        (Place::Cc, written(&headers.cc)),
        (Place::DeliveredTo, read(&headers.delivered_to)),
        (Place::XOriginalTo, read(&headers.x_original_to)),
        (Place::ResentTo, read(&headers.resent_to)),
    ];
    let mut seen = HashSet::new();
    let all = places.into_iter().flat_map(|(place, list)| {
        let numbered = list.into_iter().enumerate();
        numbered.filter_map(move |(n, address)| Some((address?, place, n + 1)))
    });
    all.filter(|(address, ..)| seen.insert(address.clone())).take(ADDRESSES_MAX).collect()
}

/// The ids that are looked for, in order of evidence: at most [`IDS_MAX`], the last 49 and the first (DESIGN section 4).
fn referenced(headers: &Headers, own: Option<&MessageId>, mailboxes: &Mailboxes) -> Vec<(MessageId, Place, usize)> {
    // `Message from Jane <jane@customer.example> of Tuesday`: who is written to or from is not what is answered. Taken for
    // an id, it would be claimed by everything that Jane ever answers.
    let people = [&headers.from, &headers.to, &headers.cc, &headers.reply_to].into_iter().flatten();
    let people: HashSet<AddrSpec> = people.filter_map(NamedAddress::addr_spec).collect();
    let somebody = |id: &MessageId| {
        // Written out: an id under a domain that is ours as a whole is one all the same.
        let ours = |address: &AddrSpec| mailboxes.iter().any(|mailbox| mailbox.addresses.contains(address));
        AddrSpec::parse(id.as_str()).is_some_and(|address| people.contains(&address) || ours(&address))
    };
    let in_reply_to = headers.in_reply_to.iter().enumerate().map(|(n, id)| (id.clone(), Place::InReplyTo, n + 1));
    let references = headers.references.iter().enumerate().rev();
    let references = references.map(|(n, id)| (id.clone(), Place::References, n + 1));
    let mut seen: HashSet<String> = own.iter().map(|id| id.key_form().into_owned()).collect();
    let mut ids: Vec<_> = in_reply_to
        .chain(references)
        .filter(|(id, ..)| seen.insert(id.key_form().into_owned()) && !somebody(id))
        .collect();
    if ids.len() > IDS_MAX {
        let first = ids.pop();
        ids.truncate(IDS_MAX - 1);
        ids.extend(first);
    }
    let original = ORIGINAL_ID_FIELDS.iter().find_map(|field| MessageId::parse(headers.first(field)?));
    if let Some(id) = original.filter(|id| ids.len() < IDS_MAX && seen.insert(id.key_form().into_owned())) {
        ids.push((id, Place::OriginalMessageId, 1));
    }
    ids
}

fn same_key(one: Option<&MessageId>, other: Option<&MessageId>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one.key_form() == other.key_form())
}

/// A number as it stands in a subject.
fn written(number: &TicketRef) -> String {
    let year = number.year.map(|year| format!("{year}-")).unwrap_or_default();
    format!("[{}-{year}{:05}]", number.prefix, number.ordinal)
}

/// What all mails of one Outlook conversation share, as hexadecimal digits; `None` where it is not of that form.
fn conversation_index(value: &str) -> Option<String> {
    let dense: String = value.chars().filter(|c| !c.is_whitespace()).take(1_000).collect();
    let octets = data_encoding::BASE64.decode(dense.as_bytes()).ok()?;
    Some(data_encoding::HEXLOWER.encode(octets.get(..THREAD_INDEX_HEAD)?))
}

#[cfg(test)]
mod tests;
