//! What the table remembers of polls: how far each folder has come, what was left aside, how a door is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How far the poll of a folder has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// UIDVALIDITY that `uid` belongs to; `None` = never polled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid_validity: Option<u32>,
    /// Hash of host and user that it belongs to: the UIDs of another mailbox say nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Every message up to this UID has come to its end here or is parked.
    #[serde(default)]
    pub uid: u32,
    /// Where older mail is not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizon: Option<Horizon>,
    /// The message that is being worked on, written before it is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trying: Option<Trying>,
    /// When all that was there had been seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_good: Option<Timestamp>,
    /// When it was begun for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_try: Option<Timestamp>,
    /// When it was last begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_try: Option<Timestamp>,
    /// Why the last poll came to no good end, in one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Who is at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Until when, milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<i64>,
}

/// Messages that were there already at the first poll, or when UIDVALIDITY changed: of those only the younger ones count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Horizon {
    /// The last UID that was there already.
    pub uid: u32,
    /// Mail that its server took before is not taken.
    pub at: Timestamp,
    /// It follows from a change of UIDVALIDITY.
    #[serde(default)]
    pub resync: bool,
}

/// A message that is being worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trying {
    /// Its UID.
    pub uid: u32,
    /// How often, this time included.
    pub attempts: u32,
}

/// A message that was left aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// UID.
    #[serde(rename = "message_uid")]
    pub uid: u32,
    /// Why, in one word.
    pub cause: String,
    /// When.
    pub at: Timestamp,
    /// Times that it was tried again since.
    #[serde(default)]
    pub again: u32,
    /// When it is tried again; `None` = only when somebody says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
}

/// How a polled door is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolledDoor {
    /// Id of the door.
    pub door: String,
    /// Host that refuses.
    #[serde(default)]
    pub host: String,
    /// Logins in a row that were refused for wrong credentials.
    #[serde(default)]
    pub refused: u32,
    /// The last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_at: Option<Timestamp>,
    /// Nobody logs in since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_at: Option<Timestamp>,
}
