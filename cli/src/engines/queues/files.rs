//! One file a message: written whole under another name, then renamed, so a reader or the next run never finds half of one.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::queue::Message;

/// The folder of one queue.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
}

impl Files {
    /// Makes the folder where it is missing.
    pub(super) fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// All messages. A file that was never finished is one that nobody was told is safe: it goes.
    pub(super) fn read(&self) -> io::Result<Vec<Message>> {
        let mut messages = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") => messages.push(read(&path)?),
                Some("new") => fs::remove_file(&path)?,
                _ => {}
            }
        }
        Ok(messages)
    }

    pub(super) fn write(&self, message: &Message) -> io::Result<()> {
        let unfinished = self.folder.join(format!("{}.new", message.id));
        let mut file = fs::File::create(&unfinished)?;
        file.write_all(&serde_json::to_vec(message)?)?;
        fs::rename(unfinished, self.path(&message.id))
    }

    pub(super) fn delete(&self, id: &str) -> io::Result<()> {
        match fs::remove_file(self.path(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
}

fn read(path: &Path) -> io::Result<Message> {
    let octets = fs::read(path)?;
    serde_json::from_slice(&octets).map_err(|error| {
        io::Error::other(format!("{} is no message ({error}); take the file away, and the rest works", path.display()))
    })
}
