//! The data directory of a local run: who holds it, and where its holder listens.
//!
//! `lock` is held for as long as an engine may still write, so two processes never open one table file. `endpoints.json`
//! is only a note for other commands; the lock alone says whether its writer still lives.

use std::fs::{DirBuilder, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Endpoints, EngineError};

const LOCK: &str = "lock";
const ENDPOINTS: &str = "endpoints.json";

/// A data directory that this process holds; let go of on drop.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    temporary: bool,
    /// Locked. The lock ends with the handle, also when the process is killed.
    _lock: File,
}

impl Directory {
    /// Takes a directory, made where it is missing.
    pub(super) fn hold(path: &Path) -> Result<Self, EngineError> {
        std::fs::create_dir_all(path).map_err(|source| EngineError::directory(path, "cannot be made", source))?;
        Self::lock(path.to_owned(), false)
    }

    /// Takes a new directory under the system's folder for temporary files.
    pub(super) fn temporary() -> Result<Self, EngineError> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("postern-{}-{number}", std::process::id()));
            match private_directory(&path) {
                Ok(()) => return Self::lock(path, true),
                // Left by a killed process that had our id.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(EngineError::directory(&path, "cannot be made", source)),
            }
        }
    }

    fn lock(path: PathBuf, temporary: bool) -> Result<Self, EngineError> {
        let name = path.join(LOCK);
        let open = File::options().create(true).write(true).truncate(false).open(&name);
        let lock = open.map_err(|source| EngineError::directory(&path, "cannot be written to", source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(EngineError::InUse { directory: path }),
            Err(TryLockError::Error(source)) => return Err(EngineError::directory(&path, "cannot be locked", source)),
        }
        let held = Self { path, temporary, _lock: lock };
        // Of a holder that was killed: its ports may be anybody's by now.
        held.forget_endpoints();
        Ok(held)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn forget_endpoints(&self) {
        let _ = std::fs::remove_file(self.path.join(ENDPOINTS));
    }
}

impl Drop for Directory {
    /// The note goes first, the lock (a field) after it: nobody reads the note of a holder that is gone.
    fn drop(&mut self) {
        self.forget_endpoints();
        if self.temporary {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Mail lies in it, and the temporary folder is everybody's.
fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Notes where the holder of `directory` listens; whole or not at all, so a reader never sees half of it.
pub fn write_endpoints(directory: &Path, endpoints: &Endpoints) -> Result<(), EngineError> {
    let write = || -> io::Result<()> {
        let unfinished = directory.join(format!("{ENDPOINTS}.new"));
        let mut file = File::create(&unfinished)?;
        file.write_all(&serde_json::to_vec_pretty(endpoints)?)?;
        std::fs::rename(unfinished, directory.join(ENDPOINTS))
    };
    write().map_err(|source| EngineError::directory(directory, "cannot be written to", source))
}

/// Where the holder of `directory` listens; `None` where nobody has noted it (yet).
///
/// Only worth reading after [`super::Engines::start`] answered [`EngineError::InUse`].
pub fn read_endpoints(directory: &Path) -> Result<Option<Endpoints>, EngineError> {
    let name = directory.join(ENDPOINTS);
    let octets = match std::fs::read(&name) {
        Ok(octets) => octets,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(EngineError::directory(directory, "has an endpoints.json that cannot be read", source));
        }
    };
    serde_json::from_slice(&octets).map(Some).map_err(|error| {
        EngineError::directory(directory, "has an endpoints.json that is not ours", io::Error::other(error))
    })
}
