//! Asking for something without showing it.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::Context;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// Asks on the terminal; `None` where standard input is none.
///
/// # Errors
/// The terminal does not do as it is told.
pub(super) fn ask(question: &str) -> anyhow::Result<Option<String>> {
    let input = std::io::stdin().lock();
    if !input.is_terminal() {
        return Ok(None);
    }
    let before = tcgetattr(&input).context("the terminal")?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    silent.local_modes.insert(LocalModes::ECHONL);
    tcsetattr(&input, OptionalActions::Flush, &silent).context("the terminal")?;
    let asked = line(question, input);
    tcsetattr(std::io::stdin(), OptionalActions::Flush, &before).context("the terminal")?;
    asked.map(Some)
}

fn line(question: &str, mut input: impl BufRead) -> anyhow::Result<String> {
    // Standard output may be a file.
    let mut out = std::io::stderr().lock();
    out.write_all(question.as_bytes()).and_then(|()| out.flush()).context("the terminal")?;
    let mut line = String::new();
    input.read_line(&mut line).context("the terminal")?;
    Ok(line)
}
