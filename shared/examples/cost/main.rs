//! What reading a mail costs: builds a mail of a shape and a size, reads it once.
//!
//! ```text
//! cost                     the names of the shapes, one a line
//! cost SHAPE OCTETS        reads one such mail; prints its octets, and the most memory that reading it took
//! ```
//!
//! `scripts/instructions.sh` runs it under callgrind, which counts the instructions below [`measured`] and nothing
//! else: counts can be compared where times can't.

mod shapes;

use std::{
    fs,
    io::{self, Write},
    process::ExitCode,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let printed = match arguments.as_slice() {
        [] => list(),
        [name, octets] => cost(name, octets),
        _ => complain("usage: cost [SHAPE OCTETS]"),
    };
    printed.unwrap_or(ExitCode::FAILURE)
}

fn list() -> io::Result<ExitCode> {
    for (name, _) in shapes::SHAPES {
        writeln!(io::stdout(), "{name}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn complain(text: &str) -> io::Result<ExitCode> {
    writeln!(io::stderr(), "{text}")?;
    Ok(ExitCode::FAILURE)
}

fn cost(name: &str, octets: &str) -> io::Result<ExitCode> {
    let Ok(octets) = octets.parse::<usize>() else { return complain("OCTETS is not a number") };
    let Some((_, shape)) = shapes::SHAPES.into_iter().find(|(known, _)| *known == name) else {
        return complain(&format!("{name}: no such shape; without arguments all are listed"));
    };
    let raw = shape(octets);
    let before = peak_kib();
    let printed = measured(&raw);
    writeln!(io::stdout(), "octets {} peak-kib {} printed {printed}", raw.len(), peak_kib() - before)?;
    Ok(ExitCode::SUCCESS)
}

/// All that is read of a mail, HTML sanitised too. A function of its own, so that callgrind can find it.
#[inline(never)]
fn measured(raw: &[u8]) -> usize {
    postern::inspect::inspect(raw, true).to_string().len()
}

/// Most memory that the process ever had resident; 0 where the system doesn't tell.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
