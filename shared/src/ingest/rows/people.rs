//! What a mail changes of what is remembered of people: of its author, of whom it opens a ticket for, and of those who
//! cannot be reached.

use std::collections::HashSet;

use super::{Copy, short_name};
use crate::{
    address::AddrSpec,
    author::Authentication,
    decide::{Plan, Target},
    parse::RecipientReport,
    records::Mark,
    store::{PersonWrite, keys},
    ticket::{Participant, Ticket},
};

/// Recipients of one bounce that are marked.
const UNDELIVERABLE_MAX: usize = 5;

/// One row at most for each, as a transaction asks.
pub(super) fn of(copy: &Copy<'_>, plan: &Plan, ticket: &Ticket) -> Vec<PersonWrite> {
    let mut all = undeliverable(copy, plan);
    if !copy.reading.classification.kind.is_report() {
        all.extend(requester(copy, plan, ticket));
        all.push(author(copy, plan, ticket));
    }
    let mut seen = HashSet::new();
    all.retain(|write| seen.insert(write.key.clone()));
    all
}

fn opens(plan: &Plan) -> bool {
    matches!(plan.target, Target::New(_) | Target::FollowUp { .. })
}

fn author(copy: &Copy<'_>, plan: &Plan, ticket: &Ticket) -> PersonWrite {
    let author = &copy.arrival.author;
    let disowned = author.authentication == Authentication::Failed;
    let own = ticket.requester.as_ref().map(|requester| &requester.address) == author.address.as_ref();
    PersonWrite {
        key: copy.requester_key(),
        person: author.participant().as_ref().filter(|_| !disowned).map(short_name),
        seen_at: Some(copy.arrival.accept.ingress.transport_time),
        opened: opens(plan) && own,
        count: Some(plan.count.clone()),
        // Who writes can be written to.
        undeliverable: (author.authentication == Authentication::Passed).then_some(None),
    }
}

/// Where the requester is another than the author: a form's, an agent's, a Reply-To.
fn requester(copy: &Copy<'_>, plan: &Plan, ticket: &Ticket) -> Option<PersonWrite> {
    let requester = ticket.requester.as_ref().filter(|_| opens(plan))?;
    let other = Some(&requester.address) != copy.arrival.author.address.as_ref();
    other.then(|| PersonWrite {
        key: keys::requester(&copy.mailbox.scope, Some(&requester.address), false),
        person: Some(requester.clone()),
        seen_at: None,
        opened: true,
        count: None,
        undeliverable: None,
    })
}

/// Recipients whom a bounce of something we sent calls wrong addresses, where they take part in the ticket.
fn undeliverable(copy: &Copy<'_>, plan: &Plan) -> Vec<PersonWrite> {
    let Some(report) = &copy.reading.parsed.delivery_report else { return Vec::new() };
    let Target::Append { ticket, .. } = &plan.target else { return Vec::new() };
    if !copy.reading.classification.kind.is_report() {
        return Vec::new();
    }
    let hard = report.details.iter().filter(|recipient| recipient.hard == Some(true));
    let of = |recipient: &RecipientReport| {
        let address = AddrSpec::parse(&recipient.recipient)?;
        let person: &Participant = ticket.participants.iter().find(|p| p.address == address)?;
        let by = recipient.status.clone().unwrap_or_else(|| "5.0.0".to_owned());
        let at = copy.arrival.accept.ingress.transport_time;
        Some(PersonWrite {
            key: keys::requester(&copy.mailbox.scope, Some(&address), false),
            person: Some(person.clone()),
            seen_at: None,
            opened: false,
            count: None,
            undeliverable: Some(Some(Mark { by, at })),
        })
    };
    hard.filter_map(of).take(UNDELIVERABLE_MAX).collect()
}
