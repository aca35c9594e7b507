//! How far a scheduled pass has come, and what of it is here already: `POLL#<door>#<what>` / `POLL`.
//!
//! A cursor is moved only from where it was read: of two passes that run at once, one stops.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Store,
    error::StoreError,
    items,
    keys::{self, Key},
};
use crate::door::DoorId;

/// How far a pass has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Everything up to then was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_until: Option<Timestamp>,
    /// A pass that is under way, or broke off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<Pass>,
    /// Lines of a list that were gone through.
    #[serde(default)]
    pub offset: u64,
    /// How often it was moved.
    #[serde(default)]
    pub moves: u64,
}

/// A pass that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// What will have been seen once it is complete.
    pub until: Timestamp,
    /// URL of the page that comes next; it holds no key.
    pub next: String,
}

impl Store {
    /// Where a pass stands; a new one at its beginning.
    ///
    /// # Errors
    /// Any store error.
    pub async fn cursor(&self, door: &DoorId, what: &str) -> Result<Cursor, StoreError> {
        let key = keys::poll(door, what);
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key.attributes()));
        let item = request.consistent_read(true).send().await.map_err(|e| StoreError::from_sdk(&e))?.item;
        item.map_or_else(|| Ok(Cursor::default()), |item| items::row(item, "POLL"))
    }

    /// Moves a cursor that was read as `cursor.moves` says; as it stands then.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where another pass has moved it; any store error.
    pub async fn move_cursor(&self, door: &DoorId, what: &str, cursor: Cursor) -> Result<Cursor, StoreError> {
        let seen = cursor.moves;
        let moved = Cursor { moves: seen.saturating_add(1), ..cursor };
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(items::plain(&keys::poll(door, what), &moved)?))
            .condition_expression("moves = :seen OR (attribute_not_exists(pk) AND :seen = :none)")
            .expression_attribute_values(":seen", items::number(seen))
            .expression_attribute_values(":none", items::number(0))
            .send()
            .await
            .map_err(|e| StoreError::from_sdk(&e))?;
        Ok(moved)
    }

    /// Which of these stand in the table: ledger rows, and index rows of mail that came in.
    ///
    /// # Errors
    /// Any store error.
    pub async fn here(&self, keys: Vec<Key>) -> Result<HashSet<Key>, StoreError> {
        let came_in = AttributeValue::S("in".to_owned());
        let found = self.batch_get(keys).await?.into_iter();
        let here = found.filter(|(_, item)| item.get("direction").is_none_or(|direction| *direction == came_in));
        Ok(here.map(|(key, _)| key).collect())
    }
}
