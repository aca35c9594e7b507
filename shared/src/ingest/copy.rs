//! One copy of a mail on its way: who gets it, what came, what was read from it.

use crate::{
    author::{Authentication, Author},
    classify::Classification,
    decide::Mail,
    headers::Headers,
    inbound::{AcceptRecord, InboundMessage},
    mailbox::{Mailbox, MailboxId},
    message_id::MessageId,
    parse::ParsedMessage,
    records::{Cause, Head},
    rules::Ruled,
    store::{
        LedgerId,
        keys::{self, Key, NO_MAILBOX},
    },
    thread::ThreadKeys,
};

/// Who gets a copy.
#[derive(Clone, Copy)]
pub(super) enum Recipient<'a> {
    /// One of our mailboxes.
    Ours(&'a Mailbox),
    /// One that was ours when the mail was accepted.
    Removed(&'a MailboxId),
    /// None could be chosen.
    Nobody,
}

impl<'a> Recipient<'a> {
    /// The mailbox, where it is one of ours.
    pub(super) const fn ours(&self) -> Option<&'a Mailbox> {
        match self {
            Self::Ours(mailbox) => Some(mailbox),
            Self::Removed(_) | Self::Nobody => None,
        }
    }

    /// The mailbox part of the ledger key.
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Ours(mailbox) => mailbox.id.as_str(),
            Self::Removed(id) => id.as_str(),
            Self::Nobody => NO_MAILBOX,
        }
    }

    pub(super) fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            Self::Ours(mailbox) => Some(mailbox),
            Self::Removed(_) | Self::Nobody => None,
        }
    }
}

/// A message at the door: scanned, not parsed yet.
pub(super) struct Arrival {
    pub(super) inbound: InboundMessage,
    pub(super) headers: Headers,
    pub(super) author: Author,
    pub(super) accept: AcceptRecord,
}

/// A message read in full.
pub(super) struct Reading {
    pub(super) parsed: ParsedMessage,
    pub(super) classification: Classification,
    pub(super) id: MessageId,
    pub(super) head: Head,
    pub(super) body: String,
}

/// One copy of a message on its way to one mailbox.
pub(super) struct Copy<'a> {
    pub(super) arrival: &'a Arrival,
    pub(super) reading: &'a Reading,
    pub(super) mailbox: &'a Mailbox,
    pub(super) id: LedgerId,
    pub(super) keys: ThreadKeys,
    pub(super) release: Option<Release<'a>>,
    pub(super) ruled: Ruled,
    /// The merge key that the rules chose was not read with the rest: the body gave it.
    pub(super) key_unread: bool,
}

/// Who releases it, and what held it.
#[derive(Clone, Copy)]
pub(super) struct Release<'a> {
    pub(super) actor: &'a str,
    pub(super) cause: Option<Cause>,
}

impl Arrival {
    /// The row of what is remembered of its author, in a scope.
    pub(super) fn requester_key(&self, scope: &str) -> Key {
        let disowned = self.author.authentication == Authentication::Failed;
        keys::requester(scope, self.author.address.as_ref(), disowned)
    }
}

impl<'a> Copy<'a> {
    pub(super) fn requester_key(&self) -> Key {
        self.arrival.requester_key(&self.mailbox.scope)
    }

    /// For each attachment in order: why it is not taken out of the raw mail, if it is not.
    pub(super) fn refused_attachments(&self) -> Vec<Option<String>> {
        let attachments = &self.reading.parsed.attachments;
        // What is kept back anyway takes nobody's place.
        let sizes = attachments.iter().map(|a| if a.refused.is_some() { 0 } else { a.size });
        let over = self.mailbox.attachments.judge(sizes);
        let own = attachments.iter().map(|a| a.refused.clone());
        own.zip(over).map(|(own, over)| own.or_else(|| over.map(str::to_owned))).collect()
    }

    pub(super) fn mail(&self) -> Mail<'_> {
        Mail {
            headers: &self.arrival.headers,
            parsed: &self.reading.parsed,
            classification: &self.reading.classification,
            verdicts: &self.arrival.accept.verdicts,
            author: &self.arrival.author,
            ruled: &self.ruled,
            id: &self.reading.id,
            head: &self.reading.head,
            body: &self.reading.body,
            at: self.arrival.accept.ingress.transport_time,
            raw_key: &self.arrival.accept.raw_key,
        }
    }
}
