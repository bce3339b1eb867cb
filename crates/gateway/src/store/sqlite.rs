//! The store in a SQLite file, and the one boundary between async code and the blocking database.
//!
//! Writes go to the writer. Reads go to a few read-only connections. Nothing outside of here names `db`.

mod alerts;
mod heartbeats;
mod reader;
mod writer;
mod writes;

use std::path::{Path, PathBuf};

use db::{Connection, Job, OwnerLock};
use tokio::sync::oneshot;

use super::{StoreError, StoreErrorKind};

pub use db::Durability;
pub use reader::SqliteReader;
use writer::Writer;

/// What an owner is called unless it says otherwise.
pub(crate) const GATEWAY: &str = "gateway";

/// A store in a SQLite file that this process owns.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use gateway::store::{Durability, SqliteStore, Store as _};
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("agentspace.db");
/// let (store, opened) = SqliteStore::open(&path, Durability::Full).await?;
/// assert_eq!(opened.backup, None);
/// assert_eq!(store.reads().count_running().await?, 0);
/// store.close().await?;
/// # Ok(())
/// # }
/// ```
pub struct SqliteStore {
    writer: Writer,
    reader: SqliteReader,
}

/// What opening a database did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// The migrations that were applied, the oldest first.
    pub migrated: Vec<String>,
    /// The copy that was made before them.
    pub backup: Option<PathBuf>,
}

impl SqliteStore {
    /// Takes ownership of a database, creating or migrating it where needed, after a copy.
    ///
    /// [`Owned`](StoreErrorKind::Owned) while another process has it, which is named;
    /// [`Incompatible`](StoreErrorKind::Incompatible) if it is no database of ours or a newer one;
    /// [`ReadOnly`](StoreErrorKind::ReadOnly) if it may not be written.
    pub async fn open(path: &Path, durability: Durability) -> Result<(Self, Opened), StoreError> {
        Self::open_as(path, durability, GATEWAY).await
    }

    /// The same under another name, which those are told who want it meanwhile.
    pub(crate) async fn open_as(
        path: &Path,
        durability: Durability,
        name: &'static str,
    ) -> Result<(Self, Opened), StoreError> {
        let owned = path.to_owned();
        let taken = blocking(move || take(&owned, name, durability)).await?;
        Self::start(path, durability, taken)
    }

    /// The same, but waits as long as another process has it. Those who wait have it in the order
    /// in which they came.
    ///
    /// Dropping the future gives up.
    pub async fn open_when_free(
        path: &Path,
        durability: Durability,
    ) -> Result<(Self, Opened), StoreError> {
        Self::open_when_free_as(path, durability, GATEWAY).await
    }

    /// The same under another name.
    pub(crate) async fn open_when_free_as(
        path: &Path,
        durability: Durability,
        name: &'static str,
    ) -> Result<(Self, Opened), StoreError> {
        let (sender, held) = oneshot::channel();
        let waiting = path.to_owned();
        // Not one of the runtime's threads, whose end it would wait for.
        std::thread::Builder::new()
            .name("agentspace-waiter".to_owned())
            .spawn(move || {
                // If nobody waits any more, the lock is let go with the answer.
                let _ = sender.send(OwnerLock::wait(&waiting, name));
            })
            .map_err(|error| thread_failed("a thread that waits", error))?;
        let lock = held.await.map_err(|_| closed())?;
        let lock = lock.map_err(|error| store_error(&error))?;
        let owned = path.to_owned();
        let taken = blocking(move || open(&owned, lock, durability)).await?;
        Self::start(path, durability, taken)
    }

    fn start(
        path: &Path,
        durability: Durability,
        (connection, lock, opened): (Connection, OwnerLock, Opened),
    ) -> Result<(Self, Opened), StoreError> {
        let store = Self {
            writer: Writer::start(connection, lock, durability)?,
            reader: SqliteReader::new(path),
        };
        Ok((store, opened))
    }

    /// Creates a database, or brings it to this program's schema after making a copy.
    ///
    /// Errors are those of [`SqliteStore::open`].
    pub async fn migrate(path: &Path) -> Result<Opened, StoreError> {
        let path = path.to_owned();
        blocking(move || take(&path, "migration", Durability::Full).map(|(_, _, opened)| opened))
            .await
    }

    /// The name of each known migration, and whether a database has it; a database that does not
    /// exist has none. Errors are those of [`SqliteReader::open`].
    pub(crate) async fn migrations(path: &Path) -> Result<Vec<(String, bool)>, StoreError> {
        let path = path.to_owned();
        let listed = blocking(move || db::migrate::list(&path)).await?;
        let pair = |migration: db::migrate::Migration| (migration.name, migration.applied);
        Ok(listed.into_iter().map(pair).collect())
    }

    /// Who owns a database, in words.
    pub(crate) async fn owner(path: &Path) -> Result<Option<String>, StoreError> {
        let path = path.to_owned();
        blocking(move || db::owner(&path)).await
    }

    /// The id of the process that owns a database under a name.
    pub(crate) async fn owner_called(
        path: &Path,
        name: &'static str,
    ) -> Result<Option<u32>, StoreError> {
        let path = path.to_owned();
        blocking(move || db::owner_called(&path, name)).await
    }

    /// The version of SQLite.
    pub(crate) async fn version() -> Result<String, StoreError> {
        blocking(db::sqlite_version).await
    }

    /// Gives the room of what was deleted back to the file system. The database must have no owner.
    pub async fn vacuum(path: &Path) -> Result<(), StoreError> {
        let path = path.to_owned();
        blocking(move || {
            let (mut connection, lock, _) = take(&path, "vacuum", Durability::Full)?;
            let done = connection.vacuum();
            drop(connection);
            drop(lock);
            done
        })
        .await
    }

    /// Runs a write in a transaction; answers once it is durable, or not at all done.
    ///
    /// Dropping the future does not undo the write.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Connection) -> Result<T, db::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (job, answer) = job(work);
        self.writer.send(job)?;
        answered(answer).await
    }

    /// The same for a write that is small, whatever the database holds.
    async fn write_little<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Connection) -> Result<T, db::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (job, answer) = job(work);
        self.writer.send_little(job)?;
        answered(answer).await
    }

    /// Ends the writer once everything queued is committed, then gives up the ownership.
    async fn end(&self) -> Result<(), StoreError> {
        // The writer closes last: only it can move the log into the database file.
        self.reader.let_go();
        let Some(thread) = self.writer.end() else {
            return Ok(());
        };
        match tokio::task::spawn_blocking(move || thread.join()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(StoreError::new(
                StoreErrorKind::Internal,
                "the writer thread panicked",
            )),
        }
    }
}

/// A job, and where its answer arrives.
fn job<T: Send + 'static>(
    work: impl FnMut(&mut Connection) -> Result<T, db::Error> + Send + 'static,
) -> (Job, oneshot::Receiver<Result<T, db::Error>>) {
    let (sender, answer) = oneshot::channel();
    let job = Job::new(work, move |result| {
        // Nobody listens any more if the caller was dropped.
        let _ = sender.send(result);
    });
    (job, answer)
}

async fn answered<T>(answer: oneshot::Receiver<Result<T, db::Error>>) -> Result<T, StoreError> {
    let result = answer.await.map_err(|_| closed())?;
    result.map_err(|error| store_error(&error))
}

/// Opens a database for writing, as its owner.
fn take(
    path: &Path,
    purpose: &str,
    durability: Durability,
) -> Result<(Connection, OwnerLock, Opened), db::Error> {
    let lock = OwnerLock::acquire(path, purpose)?;
    open(path, lock, durability)
}

/// Opens a database for writing that this process owns.
fn open(
    path: &Path,
    lock: OwnerLock,
    durability: Durability,
) -> Result<(Connection, OwnerLock, Opened), db::Error> {
    let opened = Connection::open_writer(path, durability)?;
    let done = Opened {
        migrated: opened.migrated,
        backup: opened.backup,
    };
    Ok((opened.connection, lock, done))
}

/// Runs blocking work of the database on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, db::Error> + Send + 'static,
) -> Result<T, StoreError> {
    let worked = tokio::task::spawn_blocking(work).await;
    worked
        .map_err(|error| {
            StoreError::new(
                StoreErrorKind::Internal,
                "the work on the database panicked",
            )
            .caused(error)
        })?
        .map_err(|error| store_error(&error))
}

fn thread_failed(which: &str, error: std::io::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Internal, format!("starting {which} failed")).caused(error)
}

fn closed() -> StoreError {
    StoreError::new(StoreErrorKind::Closed, "the database is closed")
}

/// The one place where an error of `db` becomes one of the store.
fn store_error(error: &db::Error) -> StoreError {
    let kind = match error.kind() {
        db::ErrorKind::Busy => StoreErrorKind::Busy,
        db::ErrorKind::Full => StoreErrorKind::Full,
        db::ErrorKind::Io => StoreErrorKind::Unavailable,
        db::ErrorKind::ReadOnly => StoreErrorKind::ReadOnly,
        db::ErrorKind::Conflict => StoreErrorKind::Conflict,
        db::ErrorKind::Fenced => StoreErrorKind::Fenced,
        db::ErrorKind::NotFound => StoreErrorKind::NotFound,
        db::ErrorKind::Corrupt => StoreErrorKind::Corrupt,
        db::ErrorKind::Newer | db::ErrorKind::Older | db::ErrorKind::NotADatabase => {
            StoreErrorKind::Incompatible
        }
        db::ErrorKind::Owned => StoreErrorKind::Owned,
        db::ErrorKind::Missing => StoreErrorKind::Missing,
        db::ErrorKind::Internal => StoreErrorKind::Internal,
    };
    let cause = std::error::Error::source(error).map(ToString::to_string);
    let error = StoreError::new(kind, error.to_string());
    match cause {
        Some(cause) => error.caused(cause),
        None => error,
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}
