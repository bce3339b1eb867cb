//! Care for a database that no gateway runs on: its schema and its health.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::store::{ReadStore as _, SqliteReader, SqliteStore};

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
/// Fails with [`ErrorKind::Owned`](crate::ErrorKind::Owned) while a gateway runs on it.
pub async fn migrate(path: impl AsRef<Path>) -> Result<Migrated, Error> {
    let opened = SqliteStore::migrate(path.as_ref()).await;
    let opened = opened.map_err(Error::opening)?;
    Ok(Migrated {
        migrated: opened.migrated,
        backup: opened.backup,
    })
}

/// Checks the file's integrity and our own invariants; answers every problem, none if it is sound.
///
/// Reads only, so that it may be used beside the gateway that owns the database.
pub async fn check(path: impl AsRef<Path>) -> Result<Vec<String>, Error> {
    let reader = SqliteReader::open(path.as_ref()).await;
    let reader = reader.map_err(Error::opening)?;
    reader.check().await.map_err(Error::opening)
}
