//! `participant`: who may write on a ticket.

use postern::{address::AddrSpec, store::desk::Change};

use super::{Output, desk::actor, find_ticket, pretty, usage};
use crate::{
    args::{self, ParticipantVerb as Verb},
    system::System,
};

/// `participant approve`, `participant remove`.
///
/// # Errors
/// No such ticket, an address that is none, or the data directory or stack cannot be opened or read.
pub async fn participant(args: &args::Participant) -> anyhow::Result<Output> {
    let (Verb::Approve(on) | Verb::Remove(on)) = &args.verb;
    let actor = actor(&on.actor)?;
    let address = AddrSpec::parse(&on.address);
    let address = address.ok_or_else(|| usage(format!("{:?} is no e-mail address", on.address)))?;
    let system = System::open(&on.common).await?;
    let ticket = find_ticket(&system, &on.ticket).await?.ticket_id;
    let (store, now) = (&system.store, system.ambient.now());
    let (change, told) = match &args.verb {
        Verb::Approve(_) => (store.approve_participant(ticket, &address, actor, now).await, "may write on"),
        Verb::Remove(_) => (store.remove_participant(ticket, &address, actor, now).await, "is off"),
    };
    system.close().await;
    Ok(match change? {
        Change::Made(ticket) if on.common.json => Output::ok(pretty(&ticket)?),
        Change::Made(ticket) => Output::ok(format!("{address} {told} {} from now on\n", ticket.number)),
        Change::Refused(why) => Output::refused(&why),
    })
}
