//! Mailboxes and doors in the table: `MAILBOX` / `<id>` and `DOOR` / `<id>`, the rules of a mailbox beside it as
//! `MAILBOX` / `<id>#rules`, and one row that counts the changes.
//!
//! Each change is one transaction with the count, on the condition that nobody has changed anything since it was read:
//! what was checked together is written together.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    Store,
    error::{Cancelled, StoreError},
    items::{self, Item},
    keys::{self, Key},
};
use crate::{
    door::{Door, DoorId},
    mailbox::{Mailbox, MailboxId},
    rules::Rules,
    settings::Stored,
};

/// One change.
#[derive(Clone, Debug)]
pub enum Change<'a> {
    /// A mailbox as it shall be.
    PutMailbox(&'a Mailbox),
    /// The routing rules of a mailbox as they shall be; empty ones have no item.
    PutRules(&'a MailboxId, &'a Rules),
    /// A mailbox less, and its rules.
    RemoveMailbox(&'a MailboxId),
    /// A door as it shall be.
    PutDoor(&'a Door),
    /// A door less.
    RemoveDoor(&'a DoorId),
}

/// Rules as text: its length is what the limit counts, and what stands in it is read as strictly as a file.
#[derive(Serialize, Deserialize)]
struct RulesRow {
    rules: String,
}

#[derive(Deserialize)]
struct Count {
    revision: u64,
}

impl Store {
    /// All mailboxes and doors: two queries over what people have set up by hand.
    ///
    /// # Errors
    /// Any store error; a row that does not read is an error, because what it says may not be passed over.
    pub async fn settings(&self) -> Result<Stored, StoreError> {
        let (mailboxes, doors) = tokio::join!(self.configured(keys::MAILBOXES), self.configured(keys::DOORS));
        let (counts, mailboxes): (Vec<Item>, Vec<Item>) =
            mailboxes?.into_iter().partition(|item| item.get("sk") == Some(&text(keys::REVISION)));
        let (rules, mailboxes): (Vec<Item>, Vec<Item>) =
            mailboxes.into_iter().partition(|item| ruled_mailbox(item).is_some());
        let count = counts.into_iter().next().map(|item| items::row::<Count>(item, "MAILBOX/-")).transpose()?;
        Ok(Stored {
            mailboxes: rows(mailboxes, "MAILBOX")?,
            doors: rows(doors?, "DOOR")?,
            rules: rules.into_iter().map(rules_of).collect::<Result<_, _>>()?,
            revision: count.map(|count| count.revision).unwrap_or_default(),
        })
    }

    /// Writes one change, if nothing has changed since `revision` was read.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where something has.
    pub async fn change_settings(&self, change: &Change<'_>, revision: u64) -> Result<(), StoreError> {
        let counted = Update::builder()
            .table_name(&self.table)
            .set_key(Some(keys::settings_revision().attributes()))
            .update_expression("SET revision = :next")
            .condition_expression("revision = :seen OR (attribute_not_exists(revision) AND :seen = :none)")
            .expression_attribute_values(":next", items::number(revision + 1))
            .expression_attribute_values(":seen", items::number(revision))
            .expression_attribute_values(":none", items::number(0))
            .build()
            .map_err(|e| StoreError::Invalid(e.to_string()))?;
        let written = match change {
            Change::PutMailbox(mailbox) => vec![self.put(&keys::mailbox(&mailbox.id), mailbox)?],
            Change::PutDoor(door) => vec![self.put(&keys::door(&door.id), door)?],
            Change::PutRules(id, rules) if rules.is_empty() => vec![self.delete(&keys::rules(id))?],
            Change::PutRules(id, rules) => vec![self.put(&keys::rules(id), &RulesRow { rules: rules.to_json() })?],
            Change::RemoveMailbox(id) => vec![self.delete(&keys::mailbox(id))?, self.delete(&keys::rules(id))?],
            Change::RemoveDoor(id) => vec![self.delete(&keys::door(id))?],
        };
        let transaction = self.client.transact_write_items().set_transact_items(Some(written));
        let transaction = transaction.transact_items(TransactWriteItem::builder().update(counted).build());
        transaction.send().await.map(drop).map_err(|error| match Cancelled::from_sdk(&error) {
            Cancelled::Conditions(_) => StoreError::Refused,
            Cancelled::Again(error) | Cancelled::Error(error) => error,
        })
    }

    fn put(&self, key: &Key, row: &impl serde::Serialize) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder().table_name(&self.table).set_item(Some(items::plain(key, row)?)).build();
        Ok(TransactWriteItem::builder().put(put.map_err(|e| StoreError::Invalid(e.to_string()))?).build())
    }

    fn delete(&self, key: &Key) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder().table_name(&self.table).set_key(Some(key.attributes())).build();
        Ok(TransactWriteItem::builder().delete(delete.map_err(|e| StoreError::Invalid(e.to_string()))?).build())
    }

    async fn configured(&self, pk: &str) -> Result<Vec<Item>, StoreError> {
        let query = self.client.query().table_name(&self.table).key_condition_expression("pk = :pk");
        let query = query.expression_attribute_values(":pk", text(pk)).consistent_read(true);
        let mut pages = query.into_paginator().items().send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(item.map_err(|e| StoreError::from_sdk(&e))?);
        }
        Ok(items)
    }
}

/// Whose rules an item is; `None` where it is no item of rules.
fn ruled_mailbox(item: &Item) -> Option<MailboxId> {
    item.get("sk")?.as_s().ok()?.strip_suffix(keys::RULES_SUFFIX).and_then(MailboxId::parse)
}

fn rules_of(item: Item) -> Result<(MailboxId, Rules), StoreError> {
    const WRONG: StoreError = StoreError::Inconsistent { item: "MAILBOX", attribute: "rules" };
    let id = ruled_mailbox(&item).ok_or(WRONG)?;
    let row: RulesRow = items::row(item, "MAILBOX/#rules")?;
    Ok((id, Rules::parse_stored(&row.rules).map_err(|_| WRONG)?))
}

fn rows<T: DeserializeOwned>(items: Vec<Item>, name: &'static str) -> Result<Vec<T>, StoreError> {
    items.into_iter().map(|item| items::row(item, name)).collect()
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}
