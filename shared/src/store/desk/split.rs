//! Moving one entry to another ticket, or to one of its own.
//!
//! The message index moves with it in the same transaction, so later replies find it where it went. A mail that is being
//! decided has read the index before: its commit holds the row that led it to its ticket to what was read.
//!
//! ```text
//!  mail   reads index, source ── decides ───────────────────────────── commit: ticket = :seen fails ── reads again and
//!  split     reads entry, tickets, rows ── TransactWriteItems ── applied                              finds the target
//! ```

use aws_sdk_dynamodb::types::{AttributeValue, Delete, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use jiff::Timestamp;

use super::{Change, ROUNDS_MAX};
use crate::{
    mailbox::Mailbox,
    message_id::MessageId,
    records::{Effect, IndexRow, LedgerRow},
    store::{
        LedgerId, Store, StoreError,
        commit::{put, update},
        items, keys,
    },
    ticket::{
        Deed, Direction, Entry, PARTICIPANTS_MAX, Participant, SUBJECT_OCTETS_MAX, Status, Ticket, Visibility, cut_at,
        ticket_number,
    },
};

/// Flag of the entry and reason of its ledger row.
const MOVED: &str = "moved";
/// Ledger rows of one mail that follow its entry: one for each mailbox that a copy of the same octets went to.
const COPIES_MAX: usize = 50;

/// What was read for one move.
struct Read {
    entry: Entry,
    source: Ticket,
    /// Ledger rows that name the entry.
    copies: Vec<(LedgerId, LedgerRow)>,
    /// The first row of the entry's id and its place there, where the entry is a further mail under an id that is taken.
    holder: Option<(keys::Key, usize)>,
}

/// Where an entry goes.
enum Place {
    /// A ticket that is there: as read, and as it will be.
    There(Box<Ticket>, Box<Ticket>),
    /// A new one.
    New(Box<Ticket>),
}

impl Store {
    /// Moves an entry to the ticket `to`, else to a new one, in one transaction: entry, index row, ledger rows, both counts.
    /// The author of a public entry becomes an approved participant there. The value is the ticket where it is now.
    /// `mailbox` is the source ticket's. Refused, in words: the last entry of a ticket, another scope, a merged target, a
    /// full list of participants, a note or our own mail without `to`.
    ///
    /// # Errors
    /// Any store error; [`StoreError::Refused`] when others changed one of the tickets five times meanwhile.
    pub async fn split(
        &self,
        entry: &Entry,
        to: Option<u64>,
        mailbox: &Mailbox,
        actor: &str,
        now: Timestamp,
    ) -> Result<Change<Ticket>, StoreError> {
        let mut ordinal = None;
        for _ in 0..ROUNDS_MAX {
            let read = match self.read(entry, &mailbox.scope).await? {
                Change::Made(read) => read,
                Change::Refused(why) => return Ok(Change::Refused(why)),
            };
            let place = match to {
                Some(target) => match self.ticket(target).await? {
                    None => Err(format!("ticket {target} does not exist")),
                    Some(target) => joined(&read, target, now),
                },
                None => match may_open(&read.entry) {
                    Err(why) => Err(why),
                    Ok(()) => {
                        let next = match ordinal {
                            Some(next) => next,
                            None => *ordinal.insert(self.next_ordinal().await?),
                        };
                        Ok(Place::New(Box::new(opened(&read, mailbox, next, now))))
                    }
                },
            };
            let place = match place {
                Ok(place) => place,
                Err(why) => return Ok(Change::Refused(why)),
            };
            if self.transact(self.moves(&read, &place, actor, now)?).await?.is_none() {
                let (Place::There(_, after) | Place::New(after)) = place;
                return Ok(Change::Made(*after));
            }
        }
        Err(StoreError::Refused)
    }

    async fn read(&self, entry: &Entry, scope: &str) -> Result<Change<Read>, StoreError> {
        let Some(source) = self.ticket(entry.ticket).await? else {
            return Ok(Change::Refused(format!("ticket {} does not exist", entry.ticket)));
        };
        let Some(item) = self.item(&keys::entry(entry.ticket, &entry.entry)).await? else {
            return Ok(Change::Refused(format!("the entry is not on {} any more", source.number)));
        };
        if source.entry_count <= 1 {
            let number = &source.number;
            return Ok(Change::Refused(format!("{number} has no other entry; use `postern merge {number} TICKET`")));
        }
        let entry: Entry = items::row(item, "ENTRY")?;
        let ours = |row: &LedgerRow| row.ticket == Some(entry.ticket) && row.entry.as_ref() == Some(&entry.entry);
        let copies = self.copies(&entry.raw_key).await?.into_iter().filter(|(_, row)| ours(row)).take(COPIES_MAX);
        let copies = copies.collect();
        let holder = self.holder(&entry, scope).await?;
        Ok(Change::Made(Read { entry, source, copies, holder }))
    }

    async fn holder(&self, entry: &Entry, scope: &str) -> Result<Option<(keys::Key, usize)>, StoreError> {
        let id = entry.message_id.as_ref().and_then(|id| MessageId::parse(&format!("<{id}>")));
        let Some(first) = id.map(|id| keys::index(scope, &id)) else { return Ok(None) };
        let own = keys::index_of_entry(&entry.entry);
        let own = own.ok_or(StoreError::Inconsistent { item: "ENTRY", attribute: "sk" })?;
        if own == first {
            return Ok(None);
        }
        let mut found = self.batch_get(vec![own.clone(), first.clone()]).await?;
        let mut row = |key| found.remove(key).map(|item| items::row::<IndexRow>(item, "MSGID")).transpose();
        let (own, of_id) = (row(&own)?, row(&first)?);
        let head = own.and_then(|row| row.head);
        let holders = of_id.map(|row| row.holders).unwrap_or_default();
        let at = holders.iter().position(|holder| holder.ticket == entry.ticket && Some(&holder.head) == head.as_ref());
        Ok(at.map(|at| (first, at)))
    }

    fn moves(
        &self,
        read: &Read,
        place: &Place,
        actor: &str,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let (Place::There(_, target) | Place::New(target)) = place;
        let entry = moved(&read.entry, place);
        let mut item = items::entry(&entry)?;
        // Told as what came to that ticket now.
        item.insert("gsi4sk".to_owned(), AttributeValue::S(keys::due(now, entry.ticket)));
        let mut actions = vec![
            self.taken_off(&read.entry)?,
            put(&self.table, item, "attribute_not_exists(pk)", &[])?.1,
            self.left(&read.source, now)?,
        ];
        actions.push(match place {
            Place::New(ticket) => put(&self.table, items::ticket(ticket)?, "attribute_not_exists(pk)", &[])?.1,
            Place::There(seen, after) => self.taken_in(seen, after)?,
        });
        let index = keys::index_of_entry(&entry.entry);
        let index = index.ok_or(StoreError::Inconsistent { item: "ENTRY", attribute: "sk" })?;
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let names = [
            (":target", items::number(target.ticket_id)),
            (":number", text(&target.number)),
            (":source", items::number(read.source.ticket_id)),
            (":entry", text(&entry.entry)),
        ];
        let condition = "ticket = :source AND entry = :entry";
        let set = "SET ticket = :target, ticket_number = :number";
        actions.push(update(&self.table, &index, set, condition, &names, false)?.1);
        for (id, _) in &read.copies {
            let mut values = names.to_vec();
            values.push((":moved", AttributeValue::L(vec![text(MOVED)])));
            let set = format!("{set}, reasons = list_append(reasons, :moved)");
            actions.push(update(&self.table, &id.key(), &set, condition, &values, false)?.1);
        }
        if let Some((first, at)) = &read.holder {
            let values =
                [(":target", items::number(target.ticket_id)), (":source", items::number(read.source.ticket_id))];
            let set = format!("SET holders[{at}].ticket = :target");
            let condition = format!("holders[{at}].ticket = :source");
            actions.push(update(&self.table, first, &set, &condition, &values, false)?.1);
        }
        let hash = entry.entry.rsplit('#').next().map_or("", |hash| cut_at(hash, 12));
        let name = |ticket: &Ticket| format!("{}/{hash}", ticket.number);
        actions.push(self.act(read.source.ticket_id, Deed::EntryMovedTo, &name(target), actor, now)?);
        actions.push(self.act(target.ticket_id, Deed::EntryMovedFrom, &name(&read.source), actor, now)?);
        Ok(actions)
    }

    /// The entry goes, where nobody has approved it or marked it bounced meanwhile.
    fn taken_off(&self, entry: &Entry) -> Result<TransactWriteItem, StoreError> {
        let as_stored = items::entry(entry)?;
        let visibility = as_stored.get("visibility").cloned();
        let visibility = visibility.ok_or(StoreError::Inconsistent { item: "ENTRY", attribute: "visibility" })?;
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(keys::entry(entry.ticket, &entry.entry).attributes()))
            .condition_expression("visibility = :visibility AND #state = :state")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":visibility", visibility)
            .expression_attribute_values(":state", AttributeValue::S(entry.state.clone()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let delete = delete.build().map_err(|e| StoreError::Invalid(format!("action does not build: {e}")))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// The ticket that it leaves: merged or not as it was read, and never its last entry.
    fn left(&self, source: &Ticket, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let after = Ticket { updated_at: now.max(source.updated_at), ..source.clone() };
        let mut values = listed(source, &after);
        values.push((":one", items::number(1)));
        let merged = match source.merged_into {
            None => "attribute_not_exists(merged_into)",
            Some(target) => {
                values.push((":merged", items::number(target)));
                "merged_into = :merged"
            }
        };
        let set = "SET entry_count = entry_count - :one, updated_at = :updated, gsi1pk = :listed, gsi1sk = :listed_at";
        let condition = format!("{merged} AND #status = :seen AND participants_rev = :rev AND entry_count > :one");
        Ok(update(&self.table, &keys::ticket(source.ticket_id), set, &condition, &values, true)?.1)
    }

    fn taken_in(&self, seen: &Ticket, after: &Ticket) -> Result<TransactWriteItem, StoreError> {
        let people = items::ticket(after)?.remove("participants");
        let people = people.ok_or(StoreError::Inconsistent { item: "TICKET", attribute: "participants" })?;
        let mut values = listed(seen, after);
        values.extend([(":people", people), (":one", items::number(1))]);
        let set = "SET entry_count = entry_count + :one, participants = :people, \
                   participants_rev = participants_rev + :one, updated_at = :updated, gsi1pk = :listed, \
                   gsi1sk = :listed_at";
        let condition = "attribute_not_exists(merged_into) AND #status = :seen AND participants_rev = :rev";
        Ok(update(&self.table, &keys::ticket(seen.ticket_id), set, condition, &values, true)?.1)
    }
}

fn listed(seen: &Ticket, after: &Ticket) -> Vec<(&'static str, AttributeValue)> {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let (pk, sk) = items::ticket_listing(after);
    vec![
        (":updated", text(&after.updated_at.to_string())),
        (":listed", text(&pk)),
        (":listed_at", text(&sk)),
        (":seen", text(seen.status.as_str())),
        (":rev", items::number(seen.participants_rev)),
    ]
}

/// Somebody must ask: a note is about another mail, and our own mail asks nothing.
fn may_open(entry: &Entry) -> Result<(), String> {
    if entry.direction == Direction::In && entry.visibility != Visibility::Internal {
        return Ok(());
    }
    Err("a note or a mail of our own opens no ticket; use --to TICKET".to_owned())
}

/// The author speaks where his public entry is. What is unverified stays so on somebody else's ticket, until it is approved.
fn joined(read: &Read, target: Ticket, now: Timestamp) -> Result<Place, String> {
    if target.ticket_id == read.source.ticket_id {
        return Err(format!("the entry is on {} already", target.number));
    }
    if target.scope != read.source.scope {
        let (source, target) = (&read.source.number, &target.number);
        return Err(format!("{source} and {target} are of different scopes, which share no tickets"));
    }
    if let Some(further) = target.merged_into {
        return Err(format!("{} was merged into ticket {further}", target.number));
    }
    let mut after = target.clone();
    after.entry_count += 1;
    after.participants_rev += 1;
    after.updated_at = now.max(target.updated_at);
    let speaks = read.entry.direction == Direction::In && read.entry.visibility == Visibility::Public;
    if let Some(author) = read.entry.author.as_ref().filter(|_| speaks) {
        let full = after.participants.len() >= PARTICIPANTS_MAX;
        match after.participants.iter_mut().find(|p| p.address == author.address) {
            Some(known) => known.approved = true,
            None if full => return Err(format!("{} has {PARTICIPANTS_MAX} participants", target.number)),
            None => after.participants.push(Participant { approved: true, ..author.clone() }),
        }
    }
    Ok(Place::There(Box::new(target), Box::new(after)))
}

/// The ticket that an entry has for itself: its author's, open, because an agent has looked at it.
fn opened(read: &Read, mailbox: &Mailbox, ordinal: u64, now: Timestamp) -> Ticket {
    let (entry, source) = (&read.entry, &read.source);
    let requester = entry.author.as_ref().map(|author| Participant { approved: true, ..author.clone() });
    let subject = read.copies.first().map_or(source.subject.as_str(), |(_, row)| row.subject.as_str());
    let prefix = mailbox.prefix_of(&source.ticket_type);
    Ticket {
        ticket_id: ordinal,
        number: ticket_number(prefix, mailbox.year_in_number, entry.at, ordinal),
        subject: cut_at(subject, SUBJECT_OCTETS_MAX).to_owned(),
        status: Status::Open,
        participants: requester.iter().cloned().collect(),
        requester,
        participants_rev: 0,
        entry_count: 1,
        created_at: entry.at,
        updated_at: now.max(entry.at),
        closed_at: None,
        reopened_on: None,
        reopens: 0,
        merged_into: None,
        followed_by: None,
        follows: None,
        related_to: vec![source.ticket_id],
        ..source.clone()
    }
}

/// The entry as it stands there: told anew, as what it did to that ticket.
fn moved(entry: &Entry, place: &Place) -> Entry {
    let (visibility, effect) = match (place, entry.visibility) {
        (Place::New(_), _) => (Visibility::Public, Effect::Created),
        (Place::There(..), Visibility::Public) => (Visibility::Public, Effect::Matched),
        (Place::There(..), Visibility::Internal) => (Visibility::Internal, Effect::Note),
        (Place::There(..), Visibility::Unverified) => (Visibility::Unverified, Effect::Unverified),
    };
    let (Place::There(_, ticket) | Place::New(ticket)) = place;
    let mut flags = entry.flags.clone();
    if !flags.iter().any(|flag| flag == MOVED) {
        flags.push(MOVED.to_owned());
    }
    Entry { ticket: ticket.ticket_id, visibility, effect: Some(effect), previous_status: None, flags, ..entry.clone() }
}
