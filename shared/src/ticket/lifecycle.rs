//! The one table of what happens to a ticket's status (docs/THREADING.md, "Lifecycle"). Everything that may change a
//! status asks [`Status::on`]; nothing else knows what follows.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use super::{Status, Ticket};

/// What happens to a ticket, as far as its status is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody who may speak there writes.
    Reply,
    /// The same, more days after the closing than the mailbox lets a reply reopen. Only closed tickets know the difference.
    LateReply,
    /// The same, where the ticket was reopened as often today as it may be.
    CappedReply,
    /// The same, and it only says thanks, where the mailbox lets such mail reopen nothing.
    Courtesy,
    /// A monitoring system's word that all is well again.
    Recovery,
    /// Somebody writes who may not speak there.
    Unverified,
    /// An out-of-office answer, a receipt or a bounce.
    Note,
    /// An agent sets this status.
    Agent(Status),
    /// Nobody has touched it for the days that the mailbox says.
    AutoClose,
    /// It is merged into another: done, because that one takes what comes.
    MergedAway,
    /// Another is merged into it.
    MergedInto,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The status stays.
    Stays,
    /// It becomes this one.
    Becomes(Status),
    /// It stays, and a follow-up ticket takes the mail.
    FollowsUp,
    /// That cannot be asked for.
    Refused,
}

/// What a participant's reply does to a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyEffect {
    /// Appended; the status stays.
    Stays,
    /// Appended; the status becomes open.
    Reopens,
    /// The ticket was closed too long ago: a follow-up ticket is opened.
    FollowsUp,
}

impl Status {
    /// The transition table. Pending waits for the requester, so whatever he says, however often, opens it: a cap or a
    /// courtesy that left it pending would hide his answer.
    #[must_use]
    pub fn on(self, event: Event) -> Next {
        use Next::{Becomes, FollowsUp, Refused, Stays};
        match (event, self) {
            (Event::Reply | Event::LateReply | Event::CappedReply | Event::Courtesy, Self::New | Self::Open) => Stays,
            (Event::Reply | Event::LateReply | Event::CappedReply | Event::Courtesy, Self::Pending) => {
                Becomes(Self::Open)
            }
            (Event::Reply, Self::Resolved | Self::Closed) | (Event::LateReply, Self::Resolved) => Becomes(Self::Open),
            (Event::LateReply, Self::Closed) => FollowsUp,
            (Event::CappedReply | Event::Courtesy, Self::Resolved | Self::Closed) => Stays,
            // What is resolved or closed stays, however long ago that was.
            (Event::Recovery, Self::New | Self::Open | Self::Pending) => Becomes(Self::Resolved),
            (Event::Recovery, Self::Resolved | Self::Closed) => Stays,
            (Event::Unverified | Event::Note | Event::MergedInto, _) => Stays,
            (Event::Agent(to), from) if to == Self::New || to == from => Refused,
            (Event::Agent(to), _) => Becomes(to),
            (Event::AutoClose, Self::Resolved) => Becomes(Self::Closed),
            (Event::AutoClose, _) | (Event::MergedAway, Self::Closed) => Stays,
            (Event::MergedAway, _) => Becomes(Self::Closed),
        }
    }

    /// What an agent may set: anything but going back to `new`.
    #[must_use]
    pub fn agent_may_set(self, to: Self) -> bool {
        self.on(Event::Agent(to)) == Next::Becomes(to)
    }

    /// What a participant's reply at `at` does (DESIGN section 5): pending and resolved always open, closed opens
    /// within the window counted from closing, later a follow-up begins.
    #[must_use]
    pub fn after_reply(self, closed_at: Option<Timestamp>, window_days: Option<u16>, at: Timestamp) -> ReplyEffect {
        match self.on(if late(closed_at, window_days, at) { Event::LateReply } else { Event::Reply }) {
            Next::Becomes(_) => ReplyEffect::Reopens,
            Next::FollowsUp => ReplyEffect::FollowsUp,
            Next::Stays | Next::Refused => ReplyEffect::Stays,
        }
    }

    /// True where a reply that opens the ticket counts as a reopening: an answer to `pending` is what was waited for.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Resolved | Self::Closed)
    }
}

/// True beyond the window; `None` days = there is none.
fn late(closed_at: Option<Timestamp>, window_days: Option<u16>, at: Timestamp) -> bool {
    let window = window_days.map(|days| SignedDuration::from_hours(24 * i64::from(days)));
    window.zip(closed_at).is_some_and(|(window, closed)| at.duration_since(closed) > window)
}

impl Ticket {
    /// What a participant's reply at `at` is to this ticket, reopenings and courtesy apart.
    #[must_use]
    pub fn reply_at(&self, window_days: Option<u16>, at: Timestamp) -> Event {
        if late(self.closed_at, window_days, at) { Event::LateReply } else { Event::Reply }
    }

    /// The UTC day that a mail of `at` counts on, and how often mail reopened the ticket on it. Mail that comes late counts
    /// on the last day that is known, so that mail of two days in turn does not start the count anew each time.
    #[must_use]
    pub fn reopens_on_day_of(&self, at: Timestamp) -> (Date, u32) {
        let day = at.to_zoned(TimeZone::UTC).date();
        match self.reopened_on {
            Some(last) if last >= day => (last, self.reopens),
            _ => (day, 0),
        }
    }

    /// Counts mail of `at` that opens it, if that is a reopening: before its status changes.
    pub fn count_reopening(&mut self, at: Timestamp) {
        if self.status.is_settled() {
            let (day, so_often) = self.reopens_on_day_of(at);
            (self.reopened_on, self.reopens) = (Some(day), so_often.saturating_add(1));
        }
    }
}

#[cfg(test)]
mod tests;
