//! Scores what Postern reads against sets of real mail that other people collected.
//!
//! ```text
//! cargo run -p postern --example corpora -- DIR [SET...] [--show ID]
//! ```
//!
//! `DIR` holds a folder per set, each with an `expectations.jsonl` (one object a line) and the mails it names. For each
//! set one line with cases, passed and its own scores, then the names of the cases that failed. `--show ID` prints
//! what was wanted of one case and what was read. The sets are data of others and stand outside the repository; what
//! they measured is in `docs/CORPUS.md`. Exit code 1: a panic was caught, or a set can't be read.

#![expect(clippy::indexing_slicing, reason = "indexing a JSON value by name gives null, it never panics")]

mod bounce;
mod kinds;
mod mime;
mod reply;
mod words;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde_json::Value;

/// One case: its line of the set, and the octets.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) line: Value,
    pub(crate) raw: Vec<u8>,
}

impl Case {
    /// `expected.NAME`; null where the set says nothing.
    pub(crate) fn wanted(&self, name: &str) -> &Value {
        &self.line["expected"][name]
    }
}

/// What one case came to.
#[derive(Default)]
pub(crate) struct Verdict {
    /// Why it failed; empty = passed.
    pub(crate) failures: Vec<String>,
    /// Named counts; the set's line shows each as `got/of`.
    pub(crate) counts: Vec<(&'static str, usize, usize)>,
}

type Score = fn(&Case, &Value) -> Verdict;

/// The sets in the order they are printed: folder, what is measured, how one case is judged.
const SETS: [(&str, &str, Score); 4] = [
    ("mime", "leaf octets, attachments, subject, from, to, text, html", mime::score),
    ("reply", "what the author newly wrote", reply::score),
    ("bounce", "recipients of bounces", bounce::score),
    ("threading", "people's mail classed as bounce, auto_reply or loop", kinds::score),
];

fn main() -> ExitCode {
    let (mut places, mut show) = (Vec::new(), None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--show" { show = arguments.next() } else { places.push(argument) }
    }
    let Some((folder, names)) = places.split_first() else {
        return complain("usage: corpora DIR [mime|reply|bounce|threading]... [--show ID]");
    };
    match run(Path::new(folder), names, show.as_deref()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => complain(&format!("{folder}: {error}")),
    }
}

fn complain(text: &str) -> ExitCode {
    // Nothing is left to do where standard error is closed.
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::FAILURE
}

fn run(folder: &Path, names: &[String], show: Option<&str>) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    let mut sound = true;
    for (name, measures, score) in SETS {
        if !names.is_empty() && !names.iter().any(|wanted| wanted == name) {
            continue;
        }
        let cases = read(&folder.join(name))?;
        if let Some(id) = show {
            for case in cases.iter().filter(|case| case.id == id) {
                let read = postern::inspect::inspect(&case.raw, true);
                writeln!(out, "wanted {:#}\nread {read:#}\nfailed {:?}", case.line, score(case, &read).failures)?;
            }
            continue;
        }
        sound &= report(&mut out, (name, measures), &cases, score)?;
    }
    Ok(sound)
}

/// Prints one set; false where reading a mail panicked.
fn report(out: &mut impl Write, (name, measures): (&str, &str), cases: &[Case], score: Score) -> io::Result<bool> {
    let mut counts: Vec<(&'static str, usize, usize)> = Vec::new();
    let (mut failed, mut panicked) = (Vec::new(), 0_usize);
    for case in cases {
        let read = postern::inspect::inspect(&case.raw, true);
        panicked += usize::from(read["defects"].as_array().is_some_and(|all| all.iter().any(|d| d == "parser-panic")));
        let verdict = score(case, &read);
        for (name, got, of) in verdict.counts {
            match counts.iter_mut().find(|(known, _, _)| *known == name) {
                Some(sum) => (sum.1, sum.2) = (sum.1 + got, sum.2 + of),
                None => counts.push((name, got, of)),
            }
        }
        if !verdict.failures.is_empty() {
            failed.push(format!("{}: {}", case.id, verdict.failures.join("; ")));
        }
    }
    writeln!(out, "{name}: {measures}")?;
    writeln!(out, "  cases {}, passed {}, panics {panicked}", cases.len(), cases.len() - failed.len())?;
    for (name, got, of) in counts {
        writeln!(out, "  {name} {got}/{of} ({})", words::percent(got, of))?;
    }
    for line in failed {
        writeln!(out, "  - {line}")?;
    }
    Ok(panicked == 0)
}

fn read(folder: &Path) -> io::Result<Vec<Case>> {
    let text = fs::read_to_string(folder.join("expectations.jsonl"))?;
    let mut cases = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let line: Value = serde_json::from_str(line)?;
        let id = line["id"].as_str().unwrap_or_default().to_owned();
        let file: PathBuf = folder.join(line["file"].as_str().unwrap_or_default());
        let raw = fs::read(&file).map_err(|error| io::Error::other(format!("{}: {error}", file.display())))?;
        cases.push(Case { id, line, raw });
    }
    Ok(cases)
}
