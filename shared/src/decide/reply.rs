//! What the mail of somebody who may speak does to the status of his ticket: the transition table, and which of its rows
//! the mail is.

use super::{Mail, Place, ruled::on_status};
use crate::{
    classify::is_courtesy,
    mailbox::CourtesyPolicy,
    rules::State,
    thread::Chosen,
    ticket::{Event, Next, Status, Ticket},
};

/// What follows, and the flag of the entry where a policy made it so.
pub(super) fn reply(mail: &Mail<'_>, place: &Place<'_>, chosen: &Chosen) -> (Next, Option<&'static str>) {
    let ticket = &chosen.ticket;
    let event = ticket.reply_at(place.mailbox.reopen_window_days, mail.at);
    let usual = ticket.status.on(event);
    let instead =
        |event, why| Some(ticket.status.on(event)).filter(|next| *next != usual).map(|next| (next, Some(why)));
    let courtesy = || instead(Event::Courtesy, "courtesy").filter(|_| thanks(mail, place, ticket));
    let capped = || {
        instead(Event::CappedReply, "reopen-capped").filter(|_| event == Event::Reply && over_cap(mail, place, ticket))
    };
    // A follow-up is no reopening: a rule that forbids this one leaves the ticket as the window does.
    let ruled = || on_status(mail, chosen).filter(|_| ruled_counts(mail, usual)).map(|next| (next, None));
    ruled().or_else(courtesy).or_else(capped).unwrap_or((usual, None))
}

fn thanks(mail: &Mail<'_>, place: &Place<'_>, ticket: &Ticket) -> bool {
    place.mailbox.lifecycle.courtesy == CourtesyPolicy::Stays
        && is_courtesy(mail.headers, mail.parsed, mail.author.name.as_deref(), &ticket.subject)
}

fn over_cap(mail: &Mail<'_>, place: &Place<'_>, ticket: &Ticket) -> bool {
    let (_, so_often) = ticket.reopens_on_day_of(mail.at);
    place.mailbox.lifecycle.reopens_per_day.is_some_and(|most| so_often >= u32::from(most))
}

/// Rules that only forbid a reopening say nothing where there would be none; a merge key's word counts always.
fn ruled_counts(mail: &Mail<'_>, usual: Next) -> bool {
    let key_decides = mail.ruled.merge.as_ref().is_some_and(|merge| merge.state != State::Problem);
    key_decides || usual == Next::Becomes(Status::Open)
}
