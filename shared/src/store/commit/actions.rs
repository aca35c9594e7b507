//! The actions of one commit, each with its condition. No two name the same item.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{AttributeValue, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update},
};
use jiff::Timestamp;

use super::{Commit, EntryWrite, LedgerGuard, NetRow, StoreError, Subject, token_expires_at};
use crate::{
    decide::{ClaimWrite, IndexSlot, Target},
    inbound::ReplayGuard,
    records::{Holder, IndexDirection, IndexRow, LedgerRow},
    retention::Retention,
    store::{
        items::{self, Item, number},
        keys,
    },
    ticket::Ticket,
};

pub(super) type Action = (Subject, TransactWriteItem);

pub(super) fn of(
    table: &str,
    commit: &Commit<'_>,
    retention: &Retention,
    now: Timestamp,
) -> Result<Vec<Action>, StoreError> {
    let mut actions = vec![ledger(table, commit, retention)?];
    actions.extend(net_row(table, commit)?);
    if let Some(guard) = commit.token {
        actions.push(token(table, guard, now)?);
    }
    if let Some(write) = &commit.write {
        actions.push(own_index(table, write)?);
        actions.push(put(table, items::entry(write.entry)?, "attribute_not_exists(pk)", &[])?);
        actions.extend(ticket(table, write)?);
        actions.extend(named_by(table, write)?);
        for claim in &write.plan.claims {
            actions.push(claim_update(table, write, claim)?);
        }
        actions.extend(side_effects(table, write)?);
        actions.extend(merge_key(table, write)?);
        for person in write.people {
            actions.push(super::people::person(table, person)?);
        }
    }
    Ok(actions)
}

fn ledger(table: &str, commit: &Commit<'_>, retention: &Retention) -> Result<Action, StoreError> {
    let expires_at = retention.expires_at(commit.id.mailbox(), commit.row.outcome, commit.row.ended_at);
    let item = items::ledger(commit.id, &LedgerRow { expires_at, ..commit.row.clone() })?;
    let seen = |word: &str| vec![(":seen", AttributeValue::S(word.to_owned()))];
    let (condition, values) = match commit.guard {
        LedgerGuard::Open => ("attribute_not_exists(pk) OR outcome = :seen", seen("queued")),
        LedgerGuard::Held => ("outcome = :seen", seen("held")),
        LedgerGuard::Absent => ("attribute_not_exists(pk)", Vec::new()),
    };
    let (_, action) = put(table, item, condition, &values)?;
    Ok((Subject::Ledger, action))
}

/// The net's row for the same object: still not there, or from now on a duplicate that waits for nobody.
fn net_row(table: &str, commit: &Commit<'_>) -> Result<Option<Action>, StoreError> {
    let id = commit.id.of_nobody();
    match commit.net {
        NetRow::None => Ok(None),
        NetRow::Absent => check(table, &id.key(), "attribute_not_exists(pk)", &[]).map(Some),
        NetRow::Held => {
            let (set, values) = items::accounted(&id, commit.row.received_at);
            let values: Vec<(&str, AttributeValue)> = values.into_iter().collect();
            update(table, &id.key(), &set, "outcome = :held", &values, false).map(Some)
        }
    }
}

fn token(table: &str, guard: &ReplayGuard, now: Timestamp) -> Result<Action, StoreError> {
    let digest = AttributeValue::S(guard.body_digest.clone());
    let mut item: Item = keys::token(&guard.token_sha256).attributes();
    item.insert("body_digest".to_owned(), digest.clone());
    item.insert("expires_at".to_owned(), AttributeValue::N(token_expires_at(now).to_string()));
    let condition = "attribute_not_exists(pk) OR body_digest = :digest";
    let (_, action) = put(table, item, condition, &[(":digest", digest)])?;
    Ok((Subject::Token, action))
}

fn own_index(table: &str, write: &EntryWrite<'_>) -> Result<Action, StoreError> {
    let (key, row) = write.index;
    let item = items::index(key, row)?;
    match &write.plan.slot {
        IndexSlot::Free | IndexSlot::Collision { .. } => put(table, item, "attribute_not_exists(pk)", &[]),
        IndexSlot::Claimed(claims) => {
            let values = [(":claim", AttributeValue::S("claim".to_owned())), (":seen", number(claims.len() as u64))];
            put(table, item, "direction = :claim AND size(claims) = :seen", &values)
        }
    }
}

fn ticket(table: &str, write: &EntryWrite<'_>) -> Result<Vec<Action>, StoreError> {
    let fresh = || put(table, items::ticket(write.ticket)?, "attribute_not_exists(pk)", &[]);
    Ok(match &write.plan.target {
        Target::New(_) => vec![fresh()?],
        Target::Append { ticket, participants, .. } => {
            vec![append(table, ticket, write, participants.is_some())?]
        }
        Target::FollowUp { old, .. } => vec![fresh()?, follow_up(table, old, write.ticket)?],
    })
}

/// The ticket of a reply: conditions on what the decision read of it, sets only what the reply changes.
fn append(table: &str, seen: &Ticket, write: &EntryWrite<'_>, people: bool) -> Result<Action, StoreError> {
    let after = write.ticket;
    let (gsi1pk, gsi1sk) = items::ticket_listing(after);
    let mut set = "SET #status = :status, updated_at = :updated, gsi1pk = :listed, gsi1sk = :listed_at, \
                   entry_count = entry_count + :one"
        .to_owned();
    let mut values = vec![
        (":status", AttributeValue::S(after.status.as_str().to_owned())),
        (":updated", AttributeValue::S(after.updated_at.to_string())),
        (":listed", AttributeValue::S(gsi1pk)),
        (":listed_at", AttributeValue::S(gsi1sk)),
        (":one", number(1)),
        (":seen", AttributeValue::S(seen.status.as_str().to_owned())),
        (":rev", number(seen.participants_rev)),
    ];
    if after.hour == seen.hour && after.hour_entries > seen.hour_entries {
        set.push_str(", hour_entries = hour_entries + :one");
    } else if after.hour != seen.hour {
        set.push_str(", #hour = :hour, hour_entries = :one");
        values.push((":hour", number(after.hour.unwrap_or_default().unsigned_abs())));
    }
    if people {
        set.push_str(", participants = :people, participants_rev = participants_rev + :one");
        let people = items::ticket(after)?.remove("participants");
        values.push((":people", people.ok_or(StoreError::Inconsistent { item: "TICKET", attribute: "participants" })?));
    }
    let mut condition = "attribute_exists(pk) AND attribute_not_exists(merged_into) AND #status = :seen \
                         AND participants_rev = :rev"
        .to_owned();
    if after.tags != seen.tags {
        let tags = |tags: &[String]| AttributeValue::L(tags.iter().cloned().map(AttributeValue::S).collect());
        set.push_str(", tags = :tags");
        condition.push_str(" AND tags = :tagged");
        values.extend([(":tags", tags(&after.tags)), (":tagged", tags(&seen.tags))]);
    }
    if let Some(newest) = after.alert_at.filter(|_| after.alert_at != seen.alert_at) {
        set.push_str(", alert_at = :alert");
        values.push((":alert", AttributeValue::S(newest.to_string())));
        match seen.alert_at {
            None => condition.push_str(" AND attribute_not_exists(alert_at)"),
            Some(before) => {
                condition.push_str(" AND alert_at = :alerted");
                values.push((":alerted", AttributeValue::S(before.to_string())));
            }
        }
    }
    if after.closed_at.is_none() && seen.closed_at.is_some() {
        set.push_str(" REMOVE closed_at");
    }
    if !write.plan.related.is_empty() {
        set.push_str(" ADD related_to :related");
        values.push((":related", AttributeValue::Ns(write.plan.related.iter().map(u64::to_string).collect())));
    }
    if let Some(day) =
        after.reopened_on.filter(|_| after.reopens != seen.reopens || after.reopened_on != seen.reopened_on)
    {
        set.insert_str("SET ".len(), "reopened_on = :day, reopens = :reopens, ");
        values.push((":day", AttributeValue::S(day.to_string())));
        values.push((":reopens", number(after.reopens.into())));
        match seen.reopened_on {
            None => condition.push_str(" AND attribute_not_exists(reopened_on)"),
            Some(last) => {
                condition.push_str(" AND reopened_on = :last AND reopens = :counted");
                values.push((":last", AttributeValue::S(last.to_string())));
                values.push((":counted", number(seen.reopens.into())));
            }
        }
    }
    update(table, &keys::ticket(seen.ticket_id), &set, &condition, &values, true)
}

/// The row by which the next mail with this key finds the ticket. Two first ones at once: one of them reads again.
fn merge_key(table: &str, write: &EntryWrite<'_>) -> Result<Option<Action>, StoreError> {
    let Some(id) = &write.plan.key else { return Ok(None) };
    let row = IndexRow {
        direction: IndexDirection::In,
        ticket: Some(write.ticket.ticket_id),
        ticket_number: Some(write.ticket.number.clone()),
        entry: Some(write.entry.entry.clone()),
        head: None,
        body: None,
        claims: Vec::new(),
        holders: Vec::new(),
    };
    put(table, items::index(&keys::index(write.scope, id), &row)?, "attribute_not_exists(pk)", &[]).map(Some)
}

/// The index row that led here still does: between its read and the ticket's its entry may have been moved. Where it is the
/// mail's own row (ids of Amazon SES that differ in their region), the mail's own action holds it.
fn named_by(table: &str, write: &EntryWrite<'_>) -> Result<Option<Action>, StoreError> {
    let Some(named) = &write.plan.named_by else { return Ok(None) };
    let key = keys::index(write.scope, &named.id);
    if key == *write.index.0 || key == keys::index(write.scope, write.id) {
        return Ok(None);
    }
    let place = named.holder.map_or_else(|| "ticket".to_owned(), |at| format!("holders[{at}].ticket"));
    check(table, &key, &format!("{place} = :ticket"), &[(":ticket", number(named.ticket))]).map(Some)
}

fn follow_up(table: &str, old: &Ticket, new: &Ticket) -> Result<Action, StoreError> {
    let values = [(":new", number(new.ticket_id)), (":seen", AttributeValue::S(old.status.as_str().to_owned()))];
    let condition = "attribute_not_exists(followed_by) AND #status = :seen";
    update(table, &keys::ticket(old.ticket_id), "SET followed_by = :new", condition, &values, true)
}

fn claim_update(table: &str, write: &EntryWrite<'_>, claim: &ClaimWrite) -> Result<Action, StoreError> {
    let pair = [
        ("ticket".to_owned(), number(write.ticket.ticket_id)),
        ("author".to_owned(), AttributeValue::S(claim.author.clone())),
    ];
    let mut values = vec![
        (":claim", AttributeValue::S("claim".to_owned())),
        (":pair", AttributeValue::L(vec![AttributeValue::M(pair.into())])),
        (":none", AttributeValue::L(Vec::new())),
    ];
    let condition = match claim.seen {
        None => "attribute_not_exists(pk)",
        Some(seen) => {
            values.push((":seen", number(seen as u64)));
            "direction = :claim AND size(claims) = :seen"
        }
    };
    let set = "SET direction = :claim, claims = list_append(if_not_exists(claims, :none), :pair), \
               holders = if_not_exists(holders, :none)";
    update(table, &keys::index(write.scope, &claim.id), set, condition, &values, false)
}

/// Holder of a collision, tickets that waited in vain, the sent entry that a bounce speaks of.
fn side_effects(table: &str, write: &EntryWrite<'_>) -> Result<Vec<Action>, StoreError> {
    let mut actions = Vec::new();
    if let IndexSlot::Collision { holders: Some(seen) } = write.plan.slot {
        let head = write.index.1.head.clone();
        let holder = head.map(|head| Holder { ticket: write.ticket.ticket_id, head });
        let holder = serde_dynamo::to_attribute_value(holder)
            .map_err(|e| StoreError::Invalid(format!("holder does not serialise: {e}")))?;
        let values = [(":holder", AttributeValue::L(vec![holder])), (":seen", number(seen as u64))];
        let key = keys::index(write.scope, write.id);
        let set = "SET holders = list_append(holders, :holder)";
        actions.push(update(table, &key, set, "size(holders) = :seen", &values, false)?);
    }
    for ticket in write.plan.refused_claims.iter().filter(|ticket| **ticket != write.ticket.ticket_id) {
        if let Target::FollowUp { old, .. } = &write.plan.target
            && old.ticket_id == *ticket
        {
            continue;
        }
        let values = [(":ours", AttributeValue::Ns(vec![write.ticket.ticket_id.to_string()]))];
        let key = keys::ticket(*ticket);
        actions.push(update(table, &key, "ADD related_to :ours", "attribute_exists(pk)", &values, false)?);
    }
    if let Some((ticket, sk)) = &write.plan.bounced {
        let values = [(":bounced", AttributeValue::S("bounced".to_owned()))];
        let key = keys::entry(*ticket, sk);
        actions.push(update(table, &key, "SET #state = :bounced", "attribute_exists(pk)", &values, false)?);
    }
    Ok(actions)
}

/// Nothing is written, only held to.
fn check(
    table: &str,
    key: &keys::Key,
    condition: &str,
    values: &[(&str, AttributeValue)],
) -> Result<Action, StoreError> {
    let mut check = ConditionCheck::builder()
        .table_name(table)
        .set_key(Some(key.attributes()))
        .condition_expression(condition)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    for (name, value) in values {
        check = check.expression_attribute_values(*name, value.clone());
    }
    let check = check.build().map_err(|e| unbuilt(&e))?;
    Ok((Subject::Other, TransactWriteItem::builder().condition_check(check).build()))
}

pub(in crate::store) fn put(
    table: &str,
    item: Item,
    condition: &str,
    values: &[(&str, AttributeValue)],
) -> Result<Action, StoreError> {
    let mut put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression(condition)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    for (name, value) in values {
        put = put.expression_attribute_values(*name, value.clone());
    }
    Ok((Subject::Other, TransactWriteItem::builder().put(put.build().map_err(|e| unbuilt(&e))?).build()))
}

pub(in crate::store) fn update(
    table: &str,
    key: &keys::Key,
    set: &str,
    condition: &str,
    values: &[(&str, AttributeValue)],
    status: bool,
) -> Result<Action, StoreError> {
    let mut update = Update::builder()
        .table_name(table)
        .set_key(Some(key.attributes()))
        .update_expression(set)
        .condition_expression(condition)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    if status {
        update = update.expression_attribute_names("#status", "status");
    }
    if set.contains("#hour") || condition.contains("#hour") {
        update = update.expression_attribute_names("#hour", "hour");
    }
    if set.contains("#state") {
        update = update.expression_attribute_names("#state", "state");
    }
    for (name, value) in values {
        update = update.expression_attribute_values(*name, value.clone());
    }
    Ok((Subject::Other, TransactWriteItem::builder().update(update.build().map_err(|e| unbuilt(&e))?).build()))
}

fn unbuilt(error: &BuildError) -> StoreError {
    StoreError::Invalid(format!("action does not build: {error}"))
}
