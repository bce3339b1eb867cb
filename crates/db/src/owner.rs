//! Who owns a database: one process, found out by a lock on a file beside it.
//!
//! The lock belongs to the process, so a killed owner leaves none behind. The database file is
//! never touched here.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::error::{Context as _, Error, ErrorKind};
use crate::file;

/// The right to write a database, held until it is dropped or the process ends.
///
/// ```
/// use db::{ErrorKind, OwnerLock};
///
/// let directory = tempfile::tempdir()?;
/// let path = directory.path().join("agentspace.db");
/// let lock = OwnerLock::acquire(&path, "127.0.0.1:7070")?;
/// let refused = OwnerLock::acquire(&path, "another").unwrap_err();
/// assert_eq!(refused.kind(), ErrorKind::Owned);
/// drop(lock);
/// assert!(OwnerLock::acquire(&path, "another").is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct OwnerLock {
    // Closing the file releases the lock.
    _file: File,
}

impl OwnerLock {
    /// Takes the lock `<db>.lock` and writes this process's id and `description` into it.
    ///
    /// The directory is created when it is missing. Fails with [`ErrorKind::Owned`], naming the
    /// owner, if another process (or this one) holds it.
    pub fn acquire(db_path: &Path, description: &str) -> Result<Self, Error> {
        let db_path = file::absolute(db_path)?;
        let path = file::beside(&db_path, ".lock");
        file::create_directory(&path)?;
        let failed = || format!("locking {} failed", path.display());
        let mut lock = file::private()
            .create(true)
            .truncate(false)
            .open(&path)
            .context(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(owned(&db_path, &mut lock)),
            Err(TryLockError::Error(error)) => return Err(error).context(failed),
        }
        let one_line: String = description.split_whitespace().collect::<Vec<_>>().join(" ");
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}\n{one_line}", std::process::id()))
            .context(failed)?;
        Ok(Self { _file: lock })
    }
}

/// The process that owns a database, in words; none if nobody does.
///
/// Creates nothing. It asks by taking the lock shared for a moment, in which another process that
/// begins to own the database would be refused.
pub fn owner(db_path: &Path) -> Result<Option<String>, Error> {
    let db_path = file::absolute(db_path)?;
    let path = file::beside(&db_path, ".lock");
    let failed = || format!("reading {} failed", path.display());
    let mut lock = match File::open(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context(failed),
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(named(&mut lock))),
        Err(TryLockError::Error(error)) => Err(error).context(failed),
    }
}

fn owned(db_path: &Path, lock: &mut File) -> Error {
    let (path, owner) = (db_path.display(), named(lock));
    Error::new(
        ErrorKind::Owned,
        format!("the database {path} is owned by {owner}: stop it, or use another database"),
    )
}

/// Who wrote itself into a lock file.
fn named(lock: &mut File) -> String {
    let mut text = String::new();
    // The owner may be about to write its name; then it stays unnamed.
    let read = lock.take(4096).read_to_string(&mut text);
    let mut lines = text.lines();
    match (read, lines.next(), lines.next()) {
        (Ok(_), Some(pid), Some(description)) if !description.is_empty() => {
            format!("process {pid} ({description})")
        }
        (Ok(_), Some(pid), _) => format!("process {pid}"),
        (Ok(_), None, _) | (Err(_), _, _) => "another process".to_owned(),
    }
}
