//! Care for a database that no gateway runs on: its schema and its health.

use std::path::{Path, PathBuf};

use db::{Connection, Durability, OwnerLock};

use crate::error::{Error, ErrorKind};

/// What bringing a database to the newest schema did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migrated {
    /// The migrations that were applied, the oldest first.
    pub migrated: Vec<String>,
    /// The copy that was made before them.
    pub backup: Option<PathBuf>,
}

/// Creates a database, or brings it to this program's schema after making a copy.
///
/// Fails with [`ErrorKind::Owned`] while a gateway runs on it.
pub async fn migrate(path: impl AsRef<Path>) -> Result<Migrated, Error> {
    let path = path.as_ref().to_owned();
    let context = format!("migrating the database {}", path.display());
    blocking(context, move || {
        let _lock = OwnerLock::acquire(&path, "migration")?;
        let opened = Connection::open_writer(&path, Durability::Full)?;
        Ok(Migrated {
            migrated: opened.migrated,
            backup: opened.backup,
        })
    })
    .await
}

/// Checks the file's integrity and our own invariants; answers every problem, none if it is sound.
///
/// Reads only, so that it may be used beside the gateway that owns the database.
pub async fn check(path: impl AsRef<Path>) -> Result<Vec<String>, Error> {
    let path = path.as_ref().to_owned();
    let context = format!("checking the database {}", path.display());
    blocking(context, move || Connection::open_reader(&path)?.check()).await
}

async fn blocking<T: Send + 'static>(
    context: String,
    work: impl FnOnce() -> Result<T, db::Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| {
            Error::new(ErrorKind::Internal, format!("{context} panicked")).caused(error)
        })?
        .map_err(Error::opening)
}
