//! The ticket that a mail opens, and the tags that one gains.

use super::{Copy, short_name};
use crate::{
    decide::People,
    mailbox::Mailbox,
    rules::{Priority, Ruled, State, TAGS_MAX},
    ticket::{SUBJECT_OCTETS_MAX, Status, Ticket, cut_at, ticket_number},
};

pub(super) fn new_ticket(copy: &Copy<'_>, mailbox: &Mailbox, people: &People, ordinal: u64) -> Ticket {
    let at = copy.arrival.accept.ingress.transport_time;
    let ruled = &copy.ruled;
    let ticket_type = ruled.ticket_type.as_ref().unwrap_or(&mailbox.ticket_type);
    let recovery = ruled.merge.as_ref().is_some_and(|merge| merge.state == State::Recovery);
    Ticket {
        ticket_id: ordinal,
        number: ticket_number(mailbox.prefix_of(ticket_type), mailbox.year_in_number, at, ordinal),
        subject: cut_at(&copy.arrival.headers.subject, SUBJECT_OCTETS_MAX).to_owned(),
        // Word that all is well of something that nobody has told of: kept, and no work for anybody.
        status: if recovery { Status::Resolved } else { Status::New },
        priority: ruled.priority.unwrap_or(Priority::Normal).as_str().to_owned(),
        ticket_type: ticket_type.clone(),
        queue: ruled.queue.as_ref().unwrap_or(&mailbox.queue).clone(),
        mailbox: mailbox.id.clone(),
        scope: mailbox.scope.clone(),
        source: "email".to_owned(),
        requester: people.requester.as_ref().map(short_name),
        participants: people.participants.iter().map(short_name).collect(),
        participants_rev: 0,
        guest: people.guest,
        tags: ruled.tags.clone(),
        entry_count: 1,
        hour: Some(Ticket::hour_of(at)),
        hour_entries: 1,
        created_at: at,
        updated_at: at,
        closed_at: None,
        alert_at: copy.ruled.merge.as_ref().map(|_| at),
        reopened_on: None,
        reopens: 0,
        merged_into: None,
        followed_by: None,
        follows: None,
        related_to: Vec::new(),
    }
}

/// Tags of the rules that the ticket has not, as far as there is room.
pub(super) fn new_tags(ticket: &Ticket, ruled: &Ruled) -> Vec<String> {
    let fresh = ruled.tags.iter().filter(|tag| !ticket.tags.contains(tag));
    fresh.take(TAGS_MAX.saturating_sub(ticket.tags.len())).cloned().collect()
}
