//! Which verb is which command.

use crate::{
    args::Verb,
    commands::{self, Output},
    dev,
};

/// Does what was asked.
///
/// # Errors
/// What the verb could not do, and why; [`commands::exit_code`] says how the process ends then.
pub async fn run(verb: Verb) -> anyhow::Result<Output> {
    let nothing = Output::default();
    // Each on the heap: together they are more than the stack of a thread.
    match verb {
        Verb::Dev(args) => Box::pin(dev::dev(&args)).await.map(|()| nothing),
        Verb::Demo => Box::pin(dev::demo()).await.map(|()| nothing),
        Verb::Ingest(args) => Box::pin(commands::ingest(&args)).await,
        Verb::Tickets(args) => Box::pin(commands::tickets(&args)).await,
        Verb::Ticket(args) => Box::pin(commands::ticket(&args)).await,
        Verb::Mail(args) => Box::pin(commands::mail(&args)).await,
        Verb::Hold(args) => Box::pin(commands::hold(&args)).await,
        Verb::Redrive(args) => Box::pin(commands::redrive(&args)).await,
        Verb::Replay(args) => Box::pin(commands::replay(&args)).await,
        Verb::Approve(args) => Box::pin(commands::approve(&args)).await,
        Verb::Requester(args) => Box::pin(commands::requester(&args)).await,
        Verb::Merge(args) => Box::pin(commands::merge(&args)).await,
        Verb::Split(args) => Box::pin(commands::split(&args)).await,
        Verb::Participant(args) => Box::pin(commands::participant(&args)).await,
        Verb::Token(args) => Box::pin(commands::token(&args)).await,
        Verb::Inspect(args) => commands::inspect(&args),
        Verb::Explain(args) => Box::pin(commands::explain(&args)).await,
        Verb::Mailbox(args) => Box::pin(commands::mailbox(&args)).await,
        Verb::Rule(args) => Box::pin(commands::rule(&args)).await,
        Verb::Door(args) => Box::pin(commands::door(&args)).await,
        Verb::Secret(args) => Box::pin(commands::secret(&args)).await,
        Verb::Poll(args) => Box::pin(commands::poll(&args)).await,
        Verb::Doors(args) => Box::pin(commands::doors(&args)).await,
        Verb::Doctor(args) => Box::pin(commands::doctor(&args)).await,
    }
}
