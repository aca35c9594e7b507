//! What `mailbox` and `door` share: reading words into settings, and changing them without losing what others change.

pub(super) mod imap;
pub(super) mod words;

use anyhow::bail;
use postern::{
    door::{Door, DoorId},
    mailbox::{Mailbox, MailboxId},
    rules::Rules,
    settings::{Settings, SettingsError, Stored},
    store::{StoreError, settings::Change},
};

use super::{not_found, usage};
use crate::setup::{Setup, View};

/// Rounds of reading, changing and writing before other changes have to be given way to.
const ROUNDS_MAX: usize = 5;
/// How long functions believe the settings that they have read (`shared/src/settings.rs`), in seconds.
pub(super) const FOLLOW_SECONDS: u32 = 60;

/// One change of what is stored.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Mailbox(Box<Mailbox>),
    NoMailbox(MailboxId),
    Door(Box<Door>),
    NoDoor(DoorId),
    Rules(MailboxId, Rules),
    /// It is so already.
    Nothing,
}

impl Edit {
    fn applied(&self, stored: &Stored) -> Stored {
        let mut after = stored.clone();
        match self {
            Self::Mailbox(mailbox) => {
                after.mailboxes.retain(|other| other.id != mailbox.id);
                after.mailboxes.push(Mailbox::clone(mailbox));
            }
            Self::NoMailbox(id) => {
                after.mailboxes.retain(|other| other.id != *id);
                after.rules.remove(id);
            }
            Self::Rules(id, rules) => drop(after.rules.insert(id.clone(), rules.clone())),
            Self::Door(door) => {
                after.doors.retain(|other| other.id != door.id);
                after.doors.push(Door::clone(door));
            }
            Self::NoDoor(id) => after.doors.retain(|other| other.id != *id),
            Self::Nothing => {}
        }
        after
    }

    fn change(&self) -> Option<Change<'_>> {
        match self {
            Self::Mailbox(mailbox) => Some(Change::PutMailbox(mailbox)),
            Self::NoMailbox(id) => Some(Change::RemoveMailbox(id)),
            Self::Door(door) => Some(Change::PutDoor(door)),
            Self::Rules(id, rules) => Some(Change::PutRules(id, rules)),
            Self::NoDoor(id) => Some(Change::RemoveDoor(id)),
            Self::Nothing => None,
        }
    }

    fn takes_away(&self) -> bool {
        matches!(self, Self::NoMailbox(_) | Self::NoDoor(_))
    }

    /// True where the table holds it.
    fn is_in(&self, stored: &Stored) -> bool {
        match self {
            Self::Mailbox(mailbox) => stored.mailboxes.contains(mailbox),
            Self::NoMailbox(id) => !stored.mailboxes.iter().any(|mailbox| mailbox.id == *id),
            Self::Door(door) => stored.doors.contains(door),
            Self::Rules(id, rules) => stored.rules.get(id).cloned().unwrap_or_default() == *rules,
            Self::NoDoor(id) => !stored.doors.iter().any(|door| door.id == *id),
            Self::Nothing => true,
        }
    }
}

/// Changes the settings: what `edit` makes of those read is checked as a whole and written if they still are what was
/// read; else both are done again. Gives what is in force then, and whether anything changed.
///
/// # Errors
/// What `edit` says; the whole would not go together; the table does not answer, or others are always faster.
pub(super) async fn change(
    setup: &Setup,
    mut edit: impl FnMut(&View) -> anyhow::Result<Edit>,
) -> anyhow::Result<(View, bool)> {
    for _ in 0..ROUNDS_MAX {
        let before = setup.view().await?;
        let edit = edit(&before)?;
        let Some(change) = edit.change() else { return Ok((before, false)) };
        let after = View::of(&setup.defaults, edit.applied(&before.stored));
        if let Err(error) = &after.in_force {
            // Where the environment was changed so that nothing goes together, taking away is the way out.
            let way_out = before.in_force.is_err() && edit.takes_away();
            if !way_out {
                bail!(usage(format!("{error}; nothing was changed")));
            }
        }
        match setup.store.change_settings(&change, before.stored.revision).await {
            Ok(()) => return Ok((after, true)),
            Err(StoreError::Refused | StoreError::Throttled(_)) => {}
            // The answer is lost, the change may be made.
            Err(error @ StoreError::Unavailable(_)) => {
                let now = setup.view().await?;
                if edit.is_in(&now.stored) {
                    return Ok((now, true));
                }
                bail!(error);
            }
            Err(error) => bail!(error),
        }
    }
    bail!("the settings were changed by others {ROUNDS_MAX} times meanwhile; try again")
}

/// Settings that go together.
///
/// # Errors
/// They do not, in words.
pub(super) fn in_force(view: &View) -> anyhow::Result<&Settings> {
    view.in_force.as_ref().map_err(|error| anyhow::anyhow!(untogether(error)))
}

/// What it means that settings do not go together.
pub(super) fn untogether(error: &SettingsError) -> String {
    format!(
        "{error}: these settings do not go together, so running functions keep those before and new ones answer 503"
    )
}

/// Reads a mailbox's id.
///
/// # Errors
/// It is none.
pub(super) fn mailbox_id(text: &str) -> anyhow::Result<MailboxId> {
    let form = || usage(format!("{text:?} is no mailbox id: 1 to 64 letters a-z, digits and hyphens, and not `mime`"));
    MailboxId::parse(text).ok_or_else(form)
}

/// Reads a door's id.
///
/// # Errors
/// It is none.
pub(super) fn door_id(text: &str) -> anyhow::Result<DoorId> {
    let form = || usage(format!("{text:?} is no door id: 1 to 64 letters a-z, digits and hyphens, and not `mime`"));
    DoorId::parse(text).ok_or_else(form)
}

/// What is told where none of that id is there.
pub(super) fn unknown(what: &str, id: &str, place: &str) -> anyhow::Error {
    not_found(format!("there is no {what} {id}; `postern {what} list{place}` shows those there are"))
}
