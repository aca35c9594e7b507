//! Mailboxes and doors in the table: `MAILBOX` / `<id>` and `DOOR` / `<id>`, and one row that counts the changes.
//!
//! Each change is one transaction with the count, on the condition that nobody has changed anything since it was read:
//! what was checked together is written together.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Store,
    error::{Cancelled, StoreError},
    items::{self, Item},
    keys::{self, Key},
};
use crate::{
    door::{Door, DoorId},
    mailbox::{Mailbox, MailboxId},
    settings::Stored,
};

/// One change.
#[derive(Clone, Debug)]
pub enum Change<'a> {
    /// A mailbox as it shall be.
    PutMailbox(&'a Mailbox),
    /// A mailbox less.
    RemoveMailbox(&'a MailboxId),
    /// A door as it shall be.
    PutDoor(&'a Door),
    /// A door less.
    RemoveDoor(&'a DoorId),
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
        let count = counts.into_iter().next().map(|item| items::row::<Count>(item, "MAILBOX/-")).transpose()?;
        Ok(Stored {
            mailboxes: rows(mailboxes, "MAILBOX")?,
            doors: rows(doors?, "DOOR")?,
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
            Change::PutMailbox(mailbox) => self.put(&keys::mailbox(&mailbox.id), mailbox)?,
            Change::PutDoor(door) => self.put(&keys::door(&door.id), door)?,
            Change::RemoveMailbox(id) => self.delete(&keys::mailbox(id))?,
            Change::RemoveDoor(id) => self.delete(&keys::door(id))?,
        };
        let transaction = self.client.transact_write_items().transact_items(written);
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

fn rows<T: DeserializeOwned>(items: Vec<Item>, name: &'static str) -> Result<Vec<T>, StoreError> {
    items.into_iter().map(|item| items::row(item, name)).collect()
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}
