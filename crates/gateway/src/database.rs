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

/// How the schema of a database relates to this program's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Schema {
    /// The newest migration that the database has; none if there is no database yet.
    pub found: Option<String>,
    /// The newest migration that this program knows.
    pub newest: Option<String>,
}

/// Tells the schema of a database; changes nothing.
///
/// Fails with [`ErrorKind::Unusable`](crate::ErrorKind::Unusable) if it is no database of ours, or
/// one of a newer program.
pub async fn schema(path: impl AsRef<Path>) -> Result<Schema, Error> {
    let listed = SqliteStore::migrations(path.as_ref()).await;
    let listed = listed.map_err(Error::opening)?;
    let found = listed.iter().rfind(|(_, applied)| *applied);
    Ok(Schema {
        found: found.map(|(name, _)| name.clone()),
        newest: listed.last().map(|(name, _)| name.clone()),
    })
}

/// Tells which process owns a database, in words; none if nobody does.
///
/// A gateway that starts at the very moment of the question may be refused.
pub async fn owner(path: impl AsRef<Path>) -> Result<Option<String>, Error> {
    let owner = SqliteStore::owner(path.as_ref()).await;
    owner.map_err(Error::opening)
}

/// The id of the process that owns a database, if its gateway was given this name by
/// [`GatewayBuilder::called`](crate::GatewayBuilder::called); none if nobody owns it, or another.
///
/// So a host can be told something by a signal that would end a process which does not expect it.
/// A gateway that starts at the very moment of the question may be refused.
pub async fn owner_called(
    path: impl AsRef<Path>,
    name: &'static str,
) -> Result<Option<u32>, Error> {
    let owner = SqliteStore::owner_called(path.as_ref(), name).await;
    owner.map_err(Error::opening)
}

/// The version of the SQLite that is compiled in.
pub async fn sqlite_version() -> Result<String, Error> {
    SqliteStore::version().await.map_err(Error::opening)
}

/// Writes a copy of a database to a file that does not exist yet, also while a gateway runs on it.
///
/// The copy appears under its name when it is complete, checked and durable. Fails with
/// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if there is such a file.
pub async fn backup(path: impl AsRef<Path>, target: impl AsRef<Path>) -> Result<(), Error> {
    let reader = SqliteReader::open(path.as_ref()).await;
    let reader = reader.map_err(Error::opening)?;
    let copied = reader.backup(target.as_ref()).await;
    copied.map_err(Error::opening)
}

/// The same as [`backup`], in place of what has the name.
pub async fn backup_over(path: impl AsRef<Path>, target: impl AsRef<Path>) -> Result<(), Error> {
    let reader = SqliteReader::open(path.as_ref()).await;
    let reader = reader.map_err(Error::opening)?;
    let copied = reader.backup_over(target.as_ref()).await;
    copied.map_err(Error::opening)
}

/// Gives the room of what was deleted back to the file system.
///
/// Needs as much free room as the database has. Fails with
/// [`ErrorKind::Owned`](crate::ErrorKind::Owned) while a gateway runs on it, and with
/// [`ErrorKind::Missing`](crate::ErrorKind::Missing) where there is none.
pub async fn vacuum(path: impl AsRef<Path>) -> Result<(), Error> {
    let there = SqliteReader::open(path.as_ref()).await;
    drop(there.map_err(Error::opening)?);
    let done = SqliteStore::vacuum(path.as_ref()).await;
    done.map_err(Error::opening)
}
