//! Whose a new ticket is, who takes part in it, and who is added later.

use super::{Mail, Place, ruled::author_only};
use crate::{
    author::{Authentication, addressed_to_us, companions, written},
    mailbox::{CcPolicy, ReplyToPolicy},
    thread::Standing,
    ticket::{PARTICIPANTS_MAX, PARTICIPANTS_PER_MAIL_MAX, Participant, Ticket},
};

/// The people of a ticket that a mail opens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// Who asks.
    pub requester: Option<Participant>,
    /// Who takes part; holds the requester.
    pub participants: Vec<Participant>,
    /// Nobody has said that the requester is a known contact.
    pub guest: bool,
}

/// What the author's address says of him in this mailbox, wherever he writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Powers {
    /// Not an agent's.
    None,
    /// An agent's, and proven; or an operator vouches for it.
    Agent,
    /// An agent's, and nothing proves it.
    Claimed,
}

pub(super) fn powers(mail: &Mail<'_>, place: &Place<'_>) -> Powers {
    let agents = mail.author.address.as_ref().is_some_and(|address| place.mailbox.is_agent(address));
    match (agents, mail.author.authentication == Authentication::Passed || place.release) {
        (false, _) => Powers::None,
        (true, true) => Powers::Agent,
        (true, false) => Powers::Claimed,
    }
}

/// The author of the mail that an agent forwards: nobody of the desk, and not the agent himself.
pub(super) fn forwarded_for(mail: &Mail<'_>, place: &Place<'_>) -> Option<Participant> {
    let original = mail.parsed.forwarded_from.as_ref()?.from.as_ref()?;
    written(original, place.mailboxes).filter(|person| !place.mailbox.is_agent(&person.address))
}

/// The one Reply-To of somebody else, where the mailbox lets it name the requester.
fn reply_to(mail: &Mail<'_>, place: &Place<'_>) -> Option<Participant> {
    let (ReplyToPolicy::Always, [only]) = (place.mailbox.reply_to, mail.headers.reply_to.as_slice()) else {
        return None;
    };
    let author = mail.author.address.as_ref();
    written(only, place.mailboxes).filter(|person| Some(&person.address) != author)
}

/// The people of a ticket that this mail opens. `powers` as [`powers`] says.
pub(super) fn opening(mail: &Mail<'_>, place: &Place<'_>, powers: Powers, reasons: &mut Vec<String>) -> People {
    let author = mail.author.participant();
    let original = Some(Powers::Agent).filter(|agent| *agent == powers).and_then(|_| forwarded_for(mail, place));
    let other = match original {
        Some(original) => {
            reasons.push("forwarded-by-agent".to_owned());
            Some(original)
        }
        None => reply_to(mail, place).inspect(|_| reasons.push("reply-to".to_owned())),
    };
    // Whoever only stands in a mail that its author's own domain disowns is nobody yet.
    let vouched = |person: Participant| Participant { approved: !disowned(mail), ..person };
    let mut participants: Vec<Participant> = other.map(vouched).into_iter().collect();
    let requester = participants.first().cloned().or_else(|| author.clone());
    participants.extend(author);
    if addressed_to_us(mail.headers, place.mailboxes) {
        add(&mut participants, copied(mail, place));
        participants.truncate(PARTICIPANTS_PER_MAIL_MAX);
    }
    if participants.iter().any(|person| !person.approved) {
        reasons.push("participants-pending".to_owned());
    }
    People { guest: guest(place, requester.as_ref(), mail), requester, participants }
}

/// What is remembered is the author's: of another requester nothing was read.
fn guest(place: &Place<'_>, requester: Option<&Participant>, mail: &Mail<'_>) -> bool {
    let own = requester.map(|person| &person.address) == mail.author.address.as_ref();
    !(own && place.seen.requester.as_ref().is_some_and(|row| row.known))
}

/// Those in To and Cc, as the mailbox's policy takes them.
fn copied(mail: &Mail<'_>, place: &Place<'_>) -> Vec<Participant> {
    let approved = place.mailbox.cc == CcPolicy::Approved && !disowned(mail);
    let people = match place.mailbox.cc {
        CcPolicy::Ignored => Vec::new(),
        CcPolicy::Approved | CcPolicy::Pending if author_only(mail) => Vec::new(),
        CcPolicy::Approved | CcPolicy::Pending => {
            companions(mail.headers, mail.author.address.as_ref(), place.mailboxes)
        }
    };
    people.into_iter().map(|person| Participant { approved, ..person }).collect()
}

pub(super) fn disowned(mail: &Mail<'_>) -> bool {
    mail.author.authentication == Authentication::Failed
}

/// Participants after a mail: only authenticated mail of somebody who may speak on the ticket adds people.
pub(super) fn grown(
    mail: &Mail<'_>,
    place: &Place<'_>,
    ticket: &Ticket,
    standing: Standing,
) -> Option<Vec<Participant>> {
    if !standing.speaks() || mail.author.authentication != Authentication::Passed {
        return None;
    }
    let mut people = ticket.participants.clone();
    add(&mut people, copied(mail, place));
    (people.len() > ticket.participants.len()).then_some(people)
}

/// Whoever is there stays as he is.
fn add(people: &mut Vec<Participant>, more: Vec<Participant>) {
    for one in more {
        if people.len() < PARTICIPANTS_MAX && !people.iter().any(|p| p.address == one.address) {
            people.push(one);
        }
    }
}
