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
        Verb::Ingest(args) => commands::ingest(&args).await,
        Verb::Tickets(args) => commands::tickets(&args).await,
        Verb::Ticket(args) => commands::ticket(&args).await,
        Verb::Mail(args) => commands::mail(&args).await,
        Verb::Hold(args) => commands::hold(&args).await,
        Verb::Redrive(args) => commands::redrive(&args).await,
        Verb::Replay(args) => commands::replay(&args).await,
        Verb::Approve(args) => commands::approve(&args).await,
        Verb::Requester(args) => commands::requester(&args).await,
        Verb::Merge(args) => commands::merge(&args).await,
        Verb::Split(args) => commands::split(&args).await,
        Verb::Participant(args) => commands::participant(&args).await,
        Verb::Token(args) => commands::token(&args).await,
        Verb::Inspect(args) => commands::inspect(&args),
        Verb::Explain(args) => commands::explain(&args).await,
        Verb::Mailbox(args) => commands::mailbox(&args).await,
        Verb::Rule(args) => commands::rule(&args).await,
        Verb::Door(args) => commands::door(&args).await,
        Verb::Secret(args) => commands::secret(&args).await,
        Verb::Poll(args) => commands::poll(&args).await,
        Verb::Doors(args) => commands::doors(&args).await,
        Verb::Doctor(args) => commands::doctor(&args).await,
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
