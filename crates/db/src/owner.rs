//! Who owns a database: one process, found out by a lock on a file beside it.
//!
//! The lock belongs to the process, so a killed owner leaves none behind. The database file is
//! never touched here.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

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
    _lock: File,
    bell: File,
    /// The place of the last byte of what is written there.
    last: u64,
}

impl OwnerLock {
    /// Takes the lock `<db>.lock` and writes this process's id and `description` into it.
    ///
    /// The directory is created when it is missing. Fails with [`ErrorKind::Owned`], naming the
    /// owner, if another process (or this one) holds it.
    pub fn acquire(db_path: &Path, description: &str) -> Result<Self, Error> {
        let (db_path, path) = paths(db_path)?;
        let mut lock = open(&path)?;
        match lock.try_lock() {
            Ok(()) => Self::named(lock, &path, description),
            Err(TryLockError::WouldBlock) => Err(owned(&db_path, &mut lock)),
            Err(TryLockError::Error(error)) => Err(error).context(|| failed(&path)),
        }
    }

    /// The same, but waits until whoever holds the lock lets it go, however long that takes.
    ///
    /// Those who wait get it in the order in which they came.
    pub fn wait(db_path: &Path, description: &str) -> Result<Self, Error> {
        let (_, path) = paths(db_path)?;
        let lock = open(&path)?;
        lock.lock().context(|| failed(&path))?;
        Self::named(lock, &path, description)
    }

    /// Tells every [`Listener`](crate::Listener) that something was committed; to be called after
    /// each commit.
    pub fn ring(&self) {
        // What is overwritten with itself needs no room on the disk. Nothing that is promised
        // depends on it, and there is nobody to tell.
        let _ = self.bell.write_at(b"\n", self.last);
    }

    fn named(lock: File, path: &Path, description: &str) -> Result<Self, Error> {
        let one_line: String = description.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = format!("{}\n{one_line}\n", std::process::id());
        let write = || -> io::Result<File> {
            let mut bell = file::private().truncate(true).open(path)?;
            bell.write_all(text.as_bytes())?;
            Ok(bell)
        };
        let bell = write().context(|| failed(path))?;
        let last = u64::try_from(text.len() - 1).unwrap_or(0);
        Ok(Self {
            _lock: lock,
            bell,
            last,
        })
    }
}

/// The path of a database and that of its lock, whose directory exists.
fn paths(db_path: &Path) -> Result<(PathBuf, PathBuf), Error> {
    let db_path = file::absolute(db_path)?;
    let path = file::beside(&db_path, ".lock");
    file::create_directory(&path)?;
    Ok((db_path, path))
}

/// Opens the lock file; creates it if it is missing.
///
/// Read only, where that is possible: to close what could be written would ring the bell, and who
/// waits for the lock must not wake all others.
pub(crate) fn open(path: &Path) -> Result<File, Error> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => file::private()
            .create(true)
            .truncate(false)
            .open(path)
            .context(|| failed(path)),
        opened => opened.context(|| failed(path)),
    }
}

fn failed(path: &Path) -> String {
    format!("locking {} failed", path.display())
}

/// The process that owns a database, in words; none if nobody does.
///
/// Creates nothing. It asks by taking the lock shared for a moment, in which another process that
/// begins to own the database would be refused.
pub fn owner(db_path: &Path) -> Result<Option<String>, Error> {
    Ok(held(db_path)?.map(|mut lock| named(&mut lock)))
}

/// The id of the process that owns a database, if it does so under this description; none if nobody
/// does, or somebody else. It asks in the same way.
pub fn owner_called(db_path: &Path, description: &str) -> Result<Option<u32>, Error> {
    let Some(mut lock) = held(db_path)? else {
        return Ok(None);
    };
    let (pid, called) = written(&mut lock);
    let pid = pid.filter(|_| called.as_deref() == Some(description));
    Ok(pid.and_then(|pid| pid.parse().ok()))
}

/// The lock file of a database, if somebody holds the lock.
fn held(db_path: &Path) -> Result<Option<File>, Error> {
    let db_path = file::absolute(db_path)?;
    let path = file::beside(&db_path, ".lock");
    let failed = || format!("reading {} failed", path.display());
    let lock = match File::open(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context(failed),
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(lock)),
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
    match written(lock) {
        (Some(pid), Some(description)) => format!("process {pid} ({description})"),
        (Some(pid), None) => format!("process {pid}"),
        (None, _) => "another process".to_owned(),
    }
}

/// The id and the description that stand in a lock file.
fn written(lock: &mut File) -> (Option<String>, Option<String>) {
    let mut text = String::new();
    // The owner may be about to write its name; then it stays unnamed.
    if lock.take(4096).read_to_string(&mut text).is_err() {
        return (None, None);
    }
    let mut lines = text.lines().map(ToOwned::to_owned);
    (lines.next(), lines.next().filter(|line| !line.is_empty()))
}
