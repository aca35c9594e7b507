//! The binary `postern`.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use postern_cli::{
    args::{Cli, Dev, Verb},
    commands::{self, Output, exit},
    run::run,
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
