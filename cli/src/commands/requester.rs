//! `requester`: what is remembered of those who write.

use std::{collections::BTreeSet, path::Path};

use anyhow::Context;
use postern::{
    address::AddrSpec,
    blobs::BlobError,
    people::{self, Everything},
    store::requesters::Said,
};
use serde_json::json;

use super::{NotFound, Output, desk::actor, pretty, usage};
use crate::{
    args::{self, OfRequester, RequesterVerb as Verb},
    show,
    system::System,
};

/// `requester show`, `block`, `unblock`, `known`, `guest`, `deliverable`, `export`, `erase`.
///
/// # Errors
/// An address that is none, no such mailbox, or the data directory or stack cannot be opened, read or written.
pub async fn requester(args: &args::Requester) -> anyhow::Result<Output> {
    let of = match &args.verb {
        Verb::Show(of)
        | Verb::Block(of)
        | Verb::Unblock(of)
        | Verb::Known(of)
        | Verb::Guest(of)
        | Verb::Deliverable(of) => of,
        Verb::Export(export) => &export.of,
        Verb::Erase(erase) => &erase.of,
    };
    let address = AddrSpec::parse(&of.address);
    let address = address.ok_or_else(|| usage(format!("{:?} is no e-mail address", of.address)))?;
    let actor = actor(&of.actor)?;
    let system = System::open(&of.common).await?;
    let scopes = scopes(&system, of)?;
    let about = About { system: &system, scopes: &scopes, address: &address, actor, json: of.common.json };
    let output = match &args.verb {
        Verb::Show(_) => about.show().await,
        Verb::Block(_) => about.say(Said::Blocked, "is blocked: its mail is held, blocked-sender").await,
        Verb::Unblock(_) => about.say(Said::Unblocked, "is not blocked").await,
        Verb::Known(_) => about.say(Said::Known, "is a known contact").await,
        Verb::Guest(_) => about.say(Said::Guest, "is a guest").await,
        Verb::Deliverable(_) => about.say(Said::Deliverable, "can be written to").await,
        Verb::Export(export) => about.export(export.to.as_deref()).await,
        Verb::Erase(erase) => about.erase(erase.yes).await,
    };
    system.close().await;
    output
}

fn scopes(system: &System, of: &OfRequester) -> anyhow::Result<BTreeSet<String>> {
    let mailboxes = &system.settings.mailboxes;
    let Some(id) = &of.mailbox else { return Ok(mailboxes.iter().map(|mailbox| mailbox.scope.clone()).collect()) };
    let named = mailboxes.iter().find(|mailbox| mailbox.id.as_str() == id);
    let unknown = || NotFound(format!("there is no mailbox {id}; `postern mailbox list` lists them"));
    Ok(BTreeSet::from([named.ok_or_else(unknown)?.scope.clone()]))
}

struct About<'a> {
    system: &'a System,
    scopes: &'a BTreeSet<String>,
    address: &'a AddrSpec,
    actor: &'a str,
    json: bool,
}

impl About<'_> {
    async fn everything(&self) -> anyhow::Result<Everything> {
        Ok(people::everything(&self.system.store, self.scopes, self.address).await?)
    }

    async fn show(&self) -> anyhow::Result<Output> {
        let found = self.everything().await?;
        if found.remembered.is_empty() && found.mails.is_empty() && found.tickets.is_empty() {
            return Ok(Output::refused(&format!("nothing is remembered of {}", self.address)));
        }
        let numbers: Vec<&str> = found.tickets.iter().map(|ticket| ticket.number.as_str()).collect();
        if self.json {
            let value = json!({
                "address": self.address, "remembered": found.remembered, "tickets": numbers,
                "entries": found.entries.len(), "mails": found.mails.keys().collect::<Vec<_>>(),
            });
            return Ok(Output::ok(pretty(&value)?));
        }
        Ok(Output::ok(show::requester(self.address, &found)))
    }

    async fn say(&self, said: Said, told: &str) -> anyhow::Result<Output> {
        let now = self.system.ambient.now();
        for scope in self.scopes {
            self.system.store.say((scope, self.address), said, self.actor, now).await?;
        }
        let scopes = self.scopes.iter().cloned().collect::<Vec<_>>().join(", ");
        if self.json {
            return Ok(Output::ok(pretty(&json!({ "address": self.address, "scopes": self.scopes, "now": told }))?));
        }
        Ok(Output::ok(format!("{} {told} ({scopes})\n", self.address)))
    }

    async fn export(&self, to: Option<&Path>) -> anyhow::Result<Output> {
        let found = self.everything().await?;
        let all = pretty(&found)?;
        let Some(folder) = to else { return Ok(Output::ok(all)) };
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let blobs = self.system.blobs()?;
        let mut written = 0;
        for (id, row) in &found.mails {
            let name = folder.join(format!("{}.eml", id.replace('/', "-")));
            match blobs.get(&row.raw_key).await {
                Ok(raw) => std::fs::write(&name, &raw).with_context(|| name.display().to_string())?,
                // Erased before, or kept no longer.
                Err(BlobError::Missing(_)) => continue,
                Err(error) => return Err(error.into()),
            }
            written += 1;
        }
        let name = folder.join("everything.json");
        std::fs::write(&name, all).with_context(|| name.display().to_string())?;
        Ok(Output::ok(format!("{} and {written} mails\n", name.display())))
    }

    async fn erase(&self, yes: bool) -> anyhow::Result<Output> {
        if !yes {
            let found = self.everything().await?;
            let (entries, mails, tickets) = (found.entries.len(), found.mails.len(), found.tickets.len());
            return Ok(Output::refused(&format!(
                "there are {entries} entries, {mails} mails and {tickets} tickets of {}; with --yes they are erased for good",
                self.address
            )));
        }
        let system = self.system;
        let about = (self.scopes, self.address);
        let erased = people::erase(&system.store, &system.blobs()?, about, self.actor, system.ambient.now()).await?;
        if self.json {
            return Ok(Output::ok(pretty(&erased)?));
        }
        let people::Erased { tickets, entries, mails, objects } = erased;
        Ok(Output::ok(format!(
            "erased: {entries} entries, {mails} mails, {objects} objects, and the name on {tickets} tickets\n"
        )))
    }
}
