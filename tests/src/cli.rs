//! The command line as it is typed: words in, text and exit code out, on data directories of their own.

mod again;
mod desk;
mod door;
mod explain;
mod ingest;
mod lifecycle;
mod mailbox;
mod metrics;
mod people;
mod regroup;
mod rule;
mod stack;

use std::path::{Path, PathBuf};

use clap::Parser as _;
use postern_cli::{
    args::Cli,
    commands::{self, Output, exit},
};
use serde_json::Value;

use crate::world::Mail;

/// A data directory and files beside it.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A file with these octets.
    fn file(&self, name: &str, octets: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, octets).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs what is typed behind `postern`, with this data directory.
    async fn run(&self, words: &[&str]) -> anyhow::Result<Output> {
        run(&self.data(), words).await
    }

    /// The same, which must end with 0.
    async fn text(&self, words: &[&str]) -> String {
        let output = self.run(words).await.unwrap();
        assert_eq!((output.code, output.trouble.as_str()), (exit::OK, ""), "{words:?}: {}", output.text);
        output.text
    }

    async fn json(&self, words: &[&str]) -> Value {
        let text = self.text(&[words, &["--json"]].concat()).await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{words:?}: {error}: {text}"))
    }

    /// What goes to standard error, and the exit code.
    async fn trouble(&self, words: &[&str]) -> (u8, String) {
        match self.run(words).await {
            Ok(output) => (output.code, output.trouble),
            Err(error) => (commands::exit_code(&error), format!("{error:#}")),
        }
    }

    /// What is told where something is not possible or not there.
    async fn refusal(&self, words: &[&str]) -> String {
        let (code, told) = self.trouble(words).await;
        assert_eq!(code, exit::REFUSED, "{words:?}: {told}");
        told
    }

    /// What is told where the words cannot be meant.
    async fn misuse(&self, words: &[&str]) -> String {
        let (code, told) = self.trouble(words).await;
        assert_eq!(code, exit::USAGE, "{words:?}: {told}");
        told
    }

    /// Ingests one mail; gives the answer.
    async fn receive(&self, mail: &Mail) -> Value {
        let file = self.file(&format!("{}.eml", mail.name), &mail.octets("cli"));
        self.json(&["ingest", &file]).await
    }
}

async fn run(data: &Path, words: &[&str]) -> anyhow::Result<Output> {
    let data = data.to_str().unwrap();
    let cli = Cli::try_parse_from([&["postern"], words, &["--data", data]].concat())?;
    postern_cli::run::run(cli.verb.unwrap()).await
}
