//! Mailboxes and doors of a data directory or a stack, to be looked at and changed. Unlike a [`crate::system::System`] it
//! opens where they do not go together, or where a secret is missing: that is when they must be set right.

use std::path::{Path, PathBuf};

use postern::{
    ambient::Ambient,
    door::{Door, DoorId, Doors},
    mailbox::{Mailbox, MailboxId},
    settings::{Settings, SettingsError, Stored},
    store::Store,
};
use serde::Serialize;

use crate::{
    args::Common,
    engines::{Engines, TABLE},
    local,
    stack::Stack,
};

/// What the settings stand in.
#[derive(Debug)]
pub struct Setup {
    /// The table.
    pub store: Store,
    /// What its environment or its parameters describe.
    pub defaults: Settings,
    /// Where it is.
    pub site: Site,
}

/// Where a setup is.
#[derive(Debug)]
pub enum Site {
    /// A data directory, with the engines where this process runs them.
    Data(PathBuf, Option<Box<Engines>>),
    /// A stack.
    Stack(Box<Stack>),
}

/// Where a mailbox or a door comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// It stands in the table.
    Stored,
    /// The environment describes it, or the parameters of the stack.
    Environment,
    /// Every provider has a door.
    BuiltIn,
}

impl Source {
    /// The word in a listing.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Environment => "environment",
            Self::BuiltIn => "built in",
        }
    }
}

impl Setup {
    /// Opens what `--stack` or `--data` names; makes nothing, and reads no secret.
    ///
    /// # Errors
    /// In words: no data, no such stack, no mailbox in the environment or the parameters.
    pub async fn open(common: &Common) -> anyhow::Result<Self> {
        match &common.aws.stack {
            Some(name) => Self::of_stack(Box::pin(Stack::find(name, &common.aws)).await?),
            None => Self::of_data(&common.data).await,
        }
    }

    async fn of_data(data: &Path) -> anyhow::Result<Self> {
        local::expect_data(data)?;
        let (defaults, _) = local::of_environment()?;
        let (endpoints, engines) = local::reach(data).await?;
        let (dynamodb, _) = endpoints.clients(None);
        let store = Store::new(dynamodb, TABLE, Ambient::system());
        Ok(Self { store, defaults, site: Site::Data(data.to_owned(), engines.map(Box::new)) })
    }

    fn of_stack(stack: Stack) -> anyhow::Result<Self> {
        let store = Store::new(stack.clients.dynamodb.clone(), stack.output("TableName")?, Ambient::system());
        Ok(Self { store, defaults: stack.defaults()?, site: Site::Stack(Box::new(stack)) })
    }

    /// The options that name it, with a space in front, for commands to type.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.site {
            Site::Data(data, _) => format!(" --data {}", data.display()),
            Site::Stack(stack) => format!(" --stack {}", stack.name),
        }
    }

    /// Why nobody polls a door here, where that is so: what was found and what to do about it.
    #[must_use]
    pub fn unpolled(&self, door: &Door) -> Option<String> {
        let Site::Stack(stack) = &self.site else { return None };
        let (id, name) = (&door.id, &stack.name);
        (door.imap.is_some() && !stack.polls()).then(|| {
            format!(
                "stack {name} polls no mailbox: its parameter EnableImap is false; deploy it again with EnableImap=true. Until \
                 then `postern poll --once --door {id} --stack {name}` looks into it"
            )
        })
    }

    /// Lets go of it.
    pub async fn close(self) {
        if let Site::Data(_, Some(engines)) = self.site {
            engines.stop().await;
        }
    }

    /// Both, and what is in force by them.
    ///
    /// # Errors
    /// The table cannot be read. That they do not go together is said in [`View::in_force`].
    pub async fn view(&self) -> anyhow::Result<View> {
        let stored = self.store.settings().await?;
        Ok(View::of(&self.defaults, stored))
    }
}

/// Settings as they are stored, over the defaults.
#[derive(Debug)]
pub struct View {
    /// What the environment describes.
    pub defaults: Settings,
    /// What the table holds.
    pub stored: Stored,
    /// Both together, if they go together.
    pub in_force: Result<Settings, SettingsError>,
}

impl View {
    /// Puts them together.
    #[must_use]
    pub fn of(defaults: &Settings, stored: Stored) -> Self {
        Self { in_force: defaults.overlaid(&stored), defaults: defaults.clone(), stored }
    }

    /// All mailboxes with where they come from, in id order, whether they go together or not.
    #[must_use]
    pub fn mailboxes(&self) -> Vec<(&Mailbox, Source)> {
        let stored = &self.stored.mailboxes;
        let unstored = self.defaults.mailboxes.iter().filter(|own| !stored.iter().any(|other| other.id == own.id));
        let mut all: Vec<_> = stored.iter().map(|mailbox| (mailbox, Source::Stored)).collect();
        all.extend(unstored.map(|mailbox| (mailbox, Source::Environment)));
        all.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
        all
    }

    /// The mailbox of that id.
    #[must_use]
    pub fn mailbox(&self, id: &MailboxId) -> Option<(&Mailbox, Source)> {
        self.mailboxes().into_iter().find(|(mailbox, _)| mailbox.id == *id)
    }

    /// All doors with where they come from: each provider's own in the order of providers, then the others by id.
    #[must_use]
    pub fn doors(&self) -> Vec<(&Door, Source)> {
        let stored = &self.stored.doors;
        let unstored = self.defaults.doors.iter().filter(|own| !stored.iter().any(|other| other.id == own.id));
        let of_default =
            |door: &Door| if *door == Door::own(door.provider) { Source::BuiltIn } else { Source::Environment };
        let mut all: Vec<_> = stored.iter().map(|door| (door, Source::Stored)).collect();
        all.extend(unstored.map(|door| (door, of_default(door))));
        all.sort_by_key(|(door, _)| rank(door));
        all
    }

    /// The door of that id.
    #[must_use]
    pub fn door(&self, id: &DoorId) -> Option<(&Door, Source)> {
        self.doors().into_iter().find(|(door, _)| door.id == *id)
    }
}

/// Each provider's own first, in the order of providers.
fn rank(door: &Door) -> (usize, String) {
    let own = postern::door::Provider::ALL.iter().position(|provider| provider.name() == door.id.as_str());
    (own.unwrap_or(usize::MAX), door.id.as_str().to_owned())
}

/// Doors in the order in which they are told.
#[must_use]
pub fn in_order(doors: &Doors) -> Vec<&Door> {
    let mut all: Vec<&Door> = doors.iter().collect();
    all.sort_by_key(|door| rank(door));
    all
}
