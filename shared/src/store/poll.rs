//! How far the poll of a folder has come, who is at it, and what it left aside; and how a polled door is.
//!
//! | item | pk | sk |
//! |---|---|---|
//! | folder: cursor and lease | `POLL#<door>#<folder>` | `POLL` |
//! | message that was left aside | `POLL#<door>#<folder>` | `PARKED#<uidvalidity>#<uid>` |
//! | door: refused logins, pause | `POLL#<door>` | `DOOR` |
//!
//! A lease is taken by one conditional update, which writes the time and returns the cursor. Only its holder writes the
//! row, on the condition that it still is the holder: who was too slow moves nothing any more.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::{SignedDuration, Timestamp};

use super::{
    Store,
    error::StoreError,
    items::{self, Item},
    keys::{self, Key},
};
use crate::{
    door::{Door, DoorId},
    records::{Folder, Parked, PolledDoor},
};

/// How long a lease lasts. Longer than one mail takes at most: fetched within 80 s, decided within seconds.
pub const LEASE: SignedDuration = SignedDuration::from_secs(180);

impl Store {
    /// Takes the lease of a folder and reads how far it has come; `None` = somebody else is at it.
    ///
    /// # Errors
    /// Any store error.
    pub async fn lease(
        &self,
        door: &DoorId,
        folder: &str,
        holder: &str,
        now: Timestamp,
    ) -> Result<Option<Folder>, StoreError> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::poll(door, folder).attributes()))
            .update_expression(
                "SET holder = :holder, lease_until = :until, last_try = :at, first_try = if_not_exists(first_try, :at)",
            )
            .condition_expression("attribute_not_exists(lease_until) OR lease_until < :now OR holder = :holder")
            .expression_attribute_values(":holder", text(holder))
            .expression_attribute_values(":until", AttributeValue::N(until(now).to_string()))
            .expression_attribute_values(":now", AttributeValue::N(now.as_millisecond().to_string()))
            .expression_attribute_values(":at", text(&now.to_string()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match answer.map_err(|e| StoreError::from_sdk(&e)) {
            Ok(answer) => items::row(answer.attributes.unwrap_or_default(), "POLL").map(Some),
            Err(StoreError::Refused) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes how far a folder has come, and renews its lease.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where somebody else has the lease by now; any store error.
    pub async fn go_on(
        &self,
        door: &DoorId,
        folder: &str,
        state: &mut Folder,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        state.lease_until = Some(until(now));
        self.put_folder(door, folder, state).await
    }

    /// Writes how far a folder has come, and gives its lease back.
    ///
    /// # Errors
    /// As [`Store::go_on`].
    pub async fn give_back(&self, door: &DoorId, folder: &str, state: &Folder) -> Result<(), StoreError> {
        let holder = state.holder.clone().unwrap_or_default();
        let free = Folder { holder: None, lease_until: None, ..state.clone() };
        self.put_as(door, folder, &free, &holder).await
    }

    async fn put_folder(&self, door: &DoorId, folder: &str, state: &Folder) -> Result<(), StoreError> {
        self.put_as(door, folder, state, state.holder.as_deref().unwrap_or_default()).await
    }

    async fn put_as(&self, door: &DoorId, folder: &str, state: &Folder, holder: &str) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.table);
        let put = put.set_item(Some(items::plain(&keys::poll(door, folder), state)?));
        let put = put.condition_expression("holder = :holder").expression_attribute_values(":holder", text(holder));
        put.send().await.map(drop).map_err(|e| StoreError::from_sdk(&e))
    }

    /// How far a folder has come, and what of it is left aside: one consistent query.
    ///
    /// # Errors
    /// Any store error.
    pub async fn folder(&self, door: &DoorId, folder: &str) -> Result<(Option<Folder>, Vec<Parked>), StoreError> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query.key_condition_expression("pk = :pk");
        let query = query.expression_attribute_values(":pk", text(&keys::poll(door, folder).pk));
        let items: Result<Vec<Item>, _> = query.into_paginator().items().send().collect().await;
        let (mut state, mut parked) = (None, Vec::new());
        for item in items.map_err(|e| StoreError::from_sdk(&e))? {
            let is_parked =
                item.get("sk").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| sk.starts_with(keys::PARKED_PREFIX));
            if is_parked {
                parked.push(items::row(item, "PARKED")?);
            } else {
                state = Some(items::row(item, "POLL")?);
            }
        }
        Ok((state, parked))
    }

    /// Leaves a message aside, or writes what became of that.
    ///
    /// # Errors
    /// Any store error.
    pub async fn park_message(&self, door: &DoorId, folder: &str, parked: &Parked) -> Result<(), StoreError> {
        let key = keys::parked(door, folder, parked.uid_validity, parked.uid);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(items::plain(&key, parked)?));
        put.send().await.map(drop).map_err(|e| StoreError::from_sdk(&e))
    }

    /// A message is not left aside any more.
    ///
    /// # Errors
    /// Any store error.
    pub async fn unpark_message(&self, door: &DoorId, folder: &str, parked: &Parked) -> Result<(), StoreError> {
        let key = keys::parked(door, folder, parked.uid_validity, parked.uid);
        self.remove(&key).await
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key.attributes()));
        delete.send().await.map(drop).map_err(|e| StoreError::from_sdk(&e))
    }

    /// How a polled door is.
    ///
    /// # Errors
    /// Any store error.
    pub async fn polled_door(&self, door: &DoorId) -> Result<PolledDoor, StoreError> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(keys::polled_door(door).attributes()));
        let item = get.consistent_read(true).send().await.map_err(|e| StoreError::from_sdk(&e))?.item;
        let new = PolledDoor { door: door.as_str().to_owned(), ..PolledDoor::default() };
        item.map_or(Ok(new), |item| items::row(item, "POLL/DOOR"))
    }

    /// Counts a login that was refused for wrong credentials; the `pause_at`th in a row pauses the door, in the same write
    /// that has `publish` tell of it.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where somebody else has counted meanwhile; any store error.
    pub async fn refused_login(
        &self,
        door: &Door,
        seen: &PolledDoor,
        pause_at: u32,
        now: Timestamp,
    ) -> Result<PolledDoor, StoreError> {
        let refused = seen.refused.saturating_add(1);
        let host = door.imap.as_ref().map(|imap| imap.host.clone()).unwrap_or_default();
        let paused_at = (refused >= pause_at).then_some(now);
        let row = PolledDoor { door: door.id.as_str().to_owned(), host, refused, refused_at: Some(now), paused_at };
        let key = keys::polled_door(&door.id);
        let mut item = items::plain(&key, &row)?;
        if paused_at.is_some() {
            let shard = keys::hash_shard(&crate::digest::sha256_parts(&[door.id.as_str().as_bytes()]));
            item.insert("gsi4pk".to_owned(), text(&keys::outbox(shard)));
            item.insert("gsi4sk".to_owned(), text(&keys::due(now, &door.id)));
        }
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = put.condition_expression("attribute_not_exists(pk) OR refused = :seen");
        let put = put.expression_attribute_values(":seen", items::number(seen.refused.into()));
        put.send().await.map_err(|e| StoreError::from_sdk(&e))?;
        Ok(row)
    }

    /// Forgets refused logins and the pause: somebody has logged in, or says that it shall be tried again.
    ///
    /// # Errors
    /// Any store error.
    pub async fn resume_door(&self, door: &DoorId) -> Result<(), StoreError> {
        self.remove(&keys::polled_door(door)).await
    }
}

fn until(now: Timestamp) -> i64 {
    now.checked_add(LEASE).unwrap_or(now).as_millisecond()
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// Reads the row of a polled door that is to be told of.
pub(super) fn due_door(item: HashMap<String, AttributeValue>) -> Result<PolledDoor, StoreError> {
    items::row(item, "POLL/DOOR")
}
