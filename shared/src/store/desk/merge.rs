//! Merging one ticket into another. No entry moves: the index leads to the source, the source to its target.
//!
//! ```text
//!  mail  reads source ── decides ──────────────────── commit: attribute_not_exists(merged_into) fails ── reads again,
//!  merge     reads both ── TransactWriteItems ── applied                                                follows to the target
//! ```

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::Timestamp;

use super::{Change, ROUNDS_MAX};
use crate::{
    store::{Store, StoreError, commit::update, items, keys},
    ticket::{Deed, Event, Next, PARTICIPANTS_MAX, Participant, Ticket},
};

/// Followed or merged tickets looked at for a way back to the source: as many as mail follows.
const HOPS_MAX: usize = 5;

impl Store {
    /// Merges `source` into `target`: the target takes the source's participants, the source is closed and leads there.
    /// The value is the target. Refused, in words: the same ticket, another scope, either is merged already, the target
    /// leads to the source, more than [`PARTICIPANTS_MAX`] participants.
    ///
    /// # Errors
    /// Any store error; [`StoreError::Refused`] when others changed one of them five times meanwhile.
    pub async fn merge(
        &self,
        source: u64,
        target: u64,
        actor: &str,
        now: Timestamp,
    ) -> Result<Change<Ticket>, StoreError> {
        for _ in 0..ROUNDS_MAX {
            let (from, into) = (self.ticket(source).await?, self.ticket(target).await?);
            let (from, into) = match (from, into) {
                (Some(from), Some(into)) => (from, into),
                (None, _) => return Ok(Change::Refused(format!("ticket {source} does not exist"))),
                (_, None) => return Ok(Change::Refused(format!("ticket {target} does not exist"))),
            };
            if let Some(why) = refusal(&from, &into) {
                return Ok(Change::Refused(why));
            }
            if self.leads_to(&into, source).await? {
                let (from, into) = (&from.number, &into.number);
                return Ok(Change::Refused(format!("{into} leads to {from}: merge {into} into {from} instead")));
            }
            let Some(after) = joined(&from, &into, now) else {
                let many =
                    format!("{} and {} have more than {PARTICIPANTS_MAX} participants", from.number, into.number);
                return Ok(Change::Refused(many));
            };
            let mut actions = vec![self.merged_away(&from, target, now)?, self.merged_into(&into, &after)?];
            if let Next::Becomes(status) = from.status.on(Event::MergedAway) {
                actions.push(self.changed(&from, status, actor, now)?);
            }
            actions.push(self.act(source, Deed::MergedInto, &into.number, actor, now)?);
            actions.push(self.act(target, Deed::MergedFrom, &from.number, actor, now)?);
            if self.transact(actions).await?.is_none() {
                return Ok(Change::Made(after));
            }
        }
        Err(StoreError::Refused)
    }

    /// True where mail for `ticket` could be led to `other`: merging that one into it would make a ring.
    async fn leads_to(&self, ticket: &Ticket, other: u64) -> Result<bool, StoreError> {
        let mut next = ticket.merged_into.or(ticket.followed_by);
        for _ in 0..HOPS_MAX {
            let Some(at) = next else { return Ok(false) };
            if at == other {
                return Ok(true);
            }
            next = self.ticket(at).await?.and_then(|ticket| ticket.merged_into.or(ticket.followed_by));
        }
        Ok(false)
    }

    fn merged_away(&self, from: &Ticket, target: u64, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let mut after = Ticket { updated_at: now.max(from.updated_at), ..from.clone() };
        let mut set = "SET merged_into = :target, #status = :status, updated_at = :updated, gsi1pk = :listed, \
                       gsi1sk = :listed_at"
            .to_owned();
        if let Next::Becomes(status) = from.status.on(Event::MergedAway) {
            after.status = status;
            set.push_str(", closed_at = :updated");
        }
        let mut values = as_seen(from, &after);
        values.push((":target", items::number(target)));
        Ok(update(&self.table, &keys::ticket(from.ticket_id), &set, AS_SEEN, &values, true)?.1)
    }

    fn merged_into(&self, into: &Ticket, after: &Ticket) -> Result<TransactWriteItem, StoreError> {
        let people = items::ticket(after)?.remove("participants");
        let people = people.ok_or(StoreError::Inconsistent { item: "TICKET", attribute: "participants" })?;
        let mut values = as_seen(into, after);
        values.extend([(":people", people), (":next", items::number(after.participants_rev))]);
        let set = "SET participants = :people, participants_rev = :next, #status = :status, updated_at = :updated, \
                   gsi1pk = :listed, gsi1sk = :listed_at";
        // The way back, as it was looked for.
        let (condition, follows) = match into.followed_by {
            None => (format!("{AS_SEEN} AND attribute_not_exists(followed_by)"), None),
            Some(next) => (format!("{AS_SEEN} AND followed_by = :follows"), Some((":follows", items::number(next)))),
        };
        values.extend(follows);
        Ok(update(&self.table, &keys::ticket(into.ticket_id), set, &condition, &values, true)?.1)
    }
}

/// Exactly what was read of either ticket (DESIGN section 4).
const AS_SEEN: &str = "attribute_not_exists(merged_into) AND #status = :seen AND participants_rev = :rev";

fn as_seen(seen: &Ticket, after: &Ticket) -> Vec<(&'static str, AttributeValue)> {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let (pk, sk) = items::ticket_listing(after);
    vec![
        (":status", text(after.status.as_str())),
        (":updated", text(&after.updated_at.to_string())),
        (":listed", text(&pk)),
        (":listed_at", text(&sk)),
        (":seen", text(seen.status.as_str())),
        (":rev", items::number(seen.participants_rev)),
    ]
}

fn refusal(from: &Ticket, into: &Ticket) -> Option<String> {
    if from.ticket_id == into.ticket_id {
        return Some(format!("{} cannot be merged into itself", from.number));
    }
    if from.scope != into.scope {
        return Some(format!("{} and {} are of different scopes, which share no tickets", from.number, into.number));
    }
    let merged = [from, into].into_iter().find_map(|ticket| Some((ticket, ticket.merged_into?)));
    merged.map(|(ticket, target)| format!("{} was merged into ticket {target}", ticket.number))
}

/// The target with the people of both; who is approved on either is. `None` where they are too many.
fn joined(from: &Ticket, into: &Ticket, now: Timestamp) -> Option<Ticket> {
    let mut people = into.participants.clone();
    for person in &from.participants {
        match people.iter_mut().find(|p| p.address == person.address) {
            Some(known) => known.approved |= person.approved,
            None => people.push(Participant::clone(person)),
        }
    }
    (people.len() <= PARTICIPANTS_MAX).then(|| Ticket {
        participants: people,
        participants_rev: into.participants_rev + 1,
        updated_at: now.max(into.updated_at),
        ..into.clone()
    })
}
