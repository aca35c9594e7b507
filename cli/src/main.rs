//! The binary `postern`.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use postern_cli::{
    args::{Cli, Dev, Verb},
    commands::{self, Output, exit},
    dev,
    stack::trouble::in_words,
};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            let asked = !error.use_stderr();
            return ExitCode::from(if asked { exit::OK } else { exit::USAGE });
        }
    };
    postern::telemetry::readable(Some("error"));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    match runtime.block_on(run(cli.verb.unwrap_or_else(|| Verb::Dev(Dev::default())))) {
        Ok(output) => printed(&output),
        Err(error) => failed(&in_words(error)),
    }
}

async fn run(verb: Verb) -> anyhow::Result<Output> {
    let nothing = Output::default();
    match verb {
        Verb::Dev(args) => dev::dev(&args).await.map(|()| nothing),
        Verb::Demo => dev::demo().await.map(|()| nothing),
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

fn printed(output: &Output) -> ExitCode {
    // A closed pipe (`postern tickets | head`) is not an error of ours.
    let _ = std::io::stdout().lock().write_all(output.text.as_bytes());
    let _ = std::io::stderr().lock().write_all(output.trouble.as_bytes());
    ExitCode::from(output.code)
}

/// What happened, to which thing, and why.
fn failed(error: &anyhow::Error) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "postern: {error:#}");
    ExitCode::from(commands::exit_code(error))
}
