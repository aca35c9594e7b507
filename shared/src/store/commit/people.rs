//! What an entry changes of what is remembered of those who write.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    PersonWrite,
    actions::{Action, update},
};
use crate::{
    decide::Count,
    store::{StoreError, items::number},
};

/// Seconds for which rows are kept that only count.
const COUNTS_SECONDS: i64 = 2 * 3600;

/// What is put together of one update.
#[derive(Default)]
struct Parts {
    set: Vec<String>,
    remove: Vec<&'static str>,
    conditions: Vec<&'static str>,
    values: Vec<(&'static str, AttributeValue)>,
}

impl Parts {
    fn value(&mut self, name: &'static str, value: AttributeValue) {
        self.values.push((name, value));
    }
}

/// One person's row: made if it is not there.
pub(super) fn person(table: &str, write: &PersonWrite) -> Result<Action, StoreError> {
    let mut parts = Parts::default();
    who(&mut parts, write);
    if let Some(count) = &write.count {
        counts(&mut parts, count, write.person.is_none());
    }
    match &write.undeliverable {
        Some(Some(mark)) => {
            let mark = serde_dynamo::to_attribute_value(mark)
                .map_err(|e| StoreError::Invalid(format!("mark does not serialise: {e}")))?;
            parts.set.push("undeliverable = :undeliverable".to_owned());
            parts.value(":undeliverable", mark);
        }
        Some(None) => parts.remove.push("undeliverable"),
        None => {}
    }
    let mut expression = format!("SET {}", parts.set.join(", "));
    if !parts.remove.is_empty() {
        expression.push_str(&format!(" REMOVE {}", parts.remove.join(", ")));
    }
    // An update asks for a condition here; this one holds of every row.
    let condition = if parts.conditions.is_empty() {
        "attribute_exists(pk) OR attribute_not_exists(pk)".to_owned()
    } else {
        parts.conditions.join(" AND ")
    };
    update(table, &write.key, &expression, &condition, &parts.values, false)
}

fn who(parts: &mut Parts, write: &PersonWrite) {
    parts.set.push("tickets = if_not_exists(tickets, :none) + :opened".to_owned());
    parts.value(":none", number(0));
    parts.value(":opened", number(u64::from(write.opened)));
    if let Some(person) = &write.person {
        parts.set.push("address = :address".to_owned());
        parts.value(":address", AttributeValue::S(person.address.to_string()));
        if let Some(name) = &person.name {
            parts.set.push("display_name = :name".to_owned());
            parts.value(":name", AttributeValue::S(name.clone()));
        }
    }
    if let Some(at) = write.seen_at {
        parts.set.push("first_seen = if_not_exists(first_seen, :at), last_seen = :at".to_owned());
        parts.value(":at", AttributeValue::S(at.to_string()));
    }
}

fn counts(parts: &mut Parts, count: &Count, only_counts: bool) {
    let Some(counted) = &count.counted else { return };
    parts.set.push("fingerprint = :print, alike = :alike".to_owned());
    parts.value(":print", AttributeValue::S(counted.print.clone()));
    parts.value(":alike", number(counted.alike));
    parts.value(":hour", AttributeValue::N(counted.hour.to_string()));
    if only_counts {
        parts.set.push("expires_at = :expires".to_owned());
        let end = (counted.hour + 1).saturating_mul(3600).saturating_add(COUNTS_SECONDS);
        parts.value(":expires", AttributeValue::N(end.to_string()));
    }
    match counted.anew {
        Some(before) => {
            parts.set.push("#hour = :hour, hour_tickets = :tickets, hour_entries = :entries".to_owned());
            parts.value(":tickets", number(counted.tickets));
            parts.value(":entries", number(counted.entries));
            match before {
                None => parts.conditions.push("attribute_not_exists(#hour)"),
                Some(before) => {
                    parts.conditions.push("#hour = :before");
                    parts.value(":before", AttributeValue::N(before.to_string()));
                }
            }
        }
        None => {
            parts.set.push("hour_tickets = hour_tickets + :opens, hour_entries = hour_entries + :one".to_owned());
            parts.value(":opens", number(u64::from(count.opens)));
            parts.value(":one", number(1));
            parts.conditions.push("#hour = :hour");
            if let Some(caps) = &count.below {
                parts.conditions.push("hour_entries < :entries_cap");
                parts.value(":entries_cap", number(caps.author_entries));
                if count.opens {
                    parts.conditions.push("hour_tickets < :tickets_cap");
                    parts.value(":tickets_cap", number(caps.author_tickets));
                }
            }
        }
    }
}
