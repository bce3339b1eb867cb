//! Opening the database: created, recognised, migrated or refused, and set up.
//!
//! Nothing is written to a file before it is known to be ours.

use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection};

use super::{Connection, Pace, TransactionState};
use crate::error::{Context as _, Error, ErrorKind};
use crate::file::{self, Access};
use crate::migrate::{self, Standing};
use crate::sqlite_log;

/// Marks the file as ours: "AGSP".
pub(crate) const APPLICATION_ID: i64 = 0x4147_5350;

/// The oldest SQLite whose write-ahead log is sound when it starts over.
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

/// What a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A crash of the machine and a power cut: each commit waits for the disk.
    #[default]
    Full,
    /// A killed process; a power cut may take the last commits back.
    Normal,
}

/// A database that was opened for writing, and what that took.
#[derive(Debug)]
pub struct Opened {
    /// The connection.
    pub connection: Connection,
    /// The migrations that were applied, in their order.
    pub migrated: Vec<String>,
    /// The copy that was made of the older schema, if there was one.
    pub backup: Option<PathBuf>,
}

impl Connection {
    /// Opens a database for writing: creates it if it is missing, migrates it if it is older.
    ///
    /// The caller holds the [`OwnerLock`](crate::OwnerLock). A new file has mode 0600, a new
    /// directory 0700. Before an older schema is migrated, a copy is made beside the file, named
    /// after the schema; an earlier copy of the same schema is replaced. Fails with
    /// [`ErrorKind::NotADatabase`] or [`ErrorKind::Newer`] before anything is changed, and with
    /// [`ErrorKind::ReadOnly`] if the file does not allow writing.
    pub fn open_writer(path: &Path, durability: Durability) -> Result<Opened, Error> {
        let mut connection = Self::open_unmigrated(path, durability)?;
        let known = migrate::embedded()?;
        let (migrated, backup) = migrate::upgrade(&mut connection, &known)?;
        connection.execute("PRAGMA foreign_keys = ON")?;
        Ok(Opened {
            connection,
            migrated,
            backup,
        })
    }

    /// Opens a database for reading, beside whoever owns it.
    ///
    /// Fails with [`ErrorKind::Missing`] if there is no file, [`ErrorKind::Older`] or
    /// [`ErrorKind::Newer`] if its schema is not this program's.
    pub fn open_reader(path: &Path) -> Result<Self, Error> {
        let mut connection = Self::open_as_found(path)?;
        match migrate::standing(&mut connection, &migrate::embedded()?)? {
            Standing::Pending(_) => Err(Error::new(
                ErrorKind::Older,
                format!(
                    "the database {} has an older schema: run `agentspace db migrate`, or start \
                     the gateway, which migrates it",
                    connection.path.display()
                ),
            )),
            Standing::Current => Ok(connection),
        }
    }

    /// A connection that may write, before its migrations: foreign keys are not enforced yet, so
    /// that a migration can rebuild a table.
    pub(crate) fn open_unmigrated(path: &Path, durability: Durability) -> Result<Self, Error> {
        let path = file::absolute(path)?;
        file::create(&path)?;
        let mut connection = Self::establish(&path, Access::Write)?;
        connection.identify()?;
        connection.check_version()?;
        migrate::standing(&mut connection, &migrate::embedded()?)?;
        connection.check_writable()?;
        connection.use_log()?;
        connection.execute(match durability {
            Durability::Full => "PRAGMA synchronous = FULL",
            Durability::Normal => "PRAGMA synchronous = NORMAL",
        })?;
        // A sync that failed under a predecessor may have left a log that can be read, but that the
        // system will never write: what is built on it would go with it when the power fails. In the
        // database file it is written, and synced, anew.
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")?;
        // A log that is kept at its grown size is overwritten in place, which is cheaper than
        // growing it again; one that a slow reader blew up is cut.
        connection.execute("PRAGMA journal_size_limit = 67108864; PRAGMA foreign_keys = OFF")?;
        Ok(connection)
    }

    /// A connection that reads a file of whatever schema.
    pub(crate) fn open_as_found(path: &Path) -> Result<Self, Error> {
        let path = file::absolute(path)?;
        if !path.exists() {
            return Err(Error::new(
                ErrorKind::Missing,
                format!(
                    "there is no database {}: start the gateway once, or name another path",
                    path.display()
                ),
            ));
        }
        let mut connection = Self::establish(&path, Access::Read)?;
        connection.identify()?;
        connection.check_version()?;
        Ok(connection)
    }

    pub(crate) fn establish(path: &Path, access: Access) -> Result<Self, Error> {
        sqlite_log::install();
        let uri = file::uri(path, access)?;
        let raw = SqliteConnection::establish(&uri).map_err(|error| {
            let message = format!("opening the database {} failed", path.display());
            Error::because(ErrorKind::Io, message, error)
        })?;
        let mut connection = Self {
            raw,
            path: path.to_owned(),
            state: TransactionState::None,
            pace: Pace::Patient,
        };
        connection.execute("PRAGMA busy_timeout = 5000; PRAGMA trusted_schema = OFF")?;
        Ok(connection)
    }

    fn check_version(&mut self) -> Result<(), Error> {
        let versions = self.texts("SELECT sqlite_version() AS value")?;
        let version = versions.first().map_or("", String::as_str);
        let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0_u32));
        let mut next = || parts.next().unwrap_or(0);
        if (next(), next(), next()) < OLDEST_SQLITE {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("SQLite {version} may lose data: build with 3.51.3 or newer"),
            ));
        }
        Ok(())
    }

    /// Refuses a file that is not ours, before anything is written to it.
    fn identify(&mut self) -> Result<(), Error> {
        let path = self.path.display().to_string();
        let foreign = |cause: &str| {
            Error::new(
                ErrorKind::NotADatabase,
                format!("{path} {cause}: move the file away, or name another path"),
            )
        };
        let id = self
            .number("SELECT application_id AS value FROM pragma_application_id")
            .map_err(|error| match error.kind() {
                ErrorKind::NotADatabase => foreign("is not a database"),
                ErrorKind::Busy
                | ErrorKind::Conflict
                | ErrorKind::Fenced
                | ErrorKind::NotFound
                | ErrorKind::Corrupt
                | ErrorKind::Full
                | ErrorKind::Io
                | ErrorKind::ReadOnly
                | ErrorKind::Newer
                | ErrorKind::Older
                | ErrorKind::Owned
                | ErrorKind::Missing
                | ErrorKind::Internal => error,
            })?;
        let empty = "SELECT count(*) AS value FROM sqlite_schema";
        if id == APPLICATION_ID || (id == 0 && self.number(empty)? == 0) {
            return Ok(());
        }
        Err(foreign("is the database of another program"))
    }

    fn use_log(&mut self) -> Result<(), Error> {
        let path = self.path.display();
        // Every row is asked for, though there is one: the change is committed after the last, and
        // an error of the disk is told only then.
        let modes: Vec<JournalMode> = diesel::sql_query("PRAGMA journal_mode = WAL")
            .load(&mut self.raw)
            .context(|| format!("giving {path} a write-ahead log failed"))?;
        if modes.iter().any(|mode| mode.journal_mode == "wal") {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Io,
            format!("{path} cannot have a write-ahead log: put the database on a local disk"),
        ))
    }

    /// Changes something and takes it back, because beginning to write is not refused.
    fn check_writable(&mut self) -> Result<(), Error> {
        let changed = self
            .execute("BEGIN IMMEDIATE")
            .and_then(|()| self.execute("PRAGMA user_version = 0"));
        // Nothing is to be taken back if it did not begin; one that stays open fails what follows.
        let _ = self.raw.batch_execute("ROLLBACK");
        changed.map_err(|error| {
            if error.kind() != ErrorKind::ReadOnly {
                return error;
            }
            error.said_as(format!(
                "the database {} is read-only: give its owner the right to write to the file \
                 and its directory",
                self.path.display()
            ))
        })
    }
}

/// The version of the SQLite that is compiled in.
pub fn sqlite_version() -> Result<String, Error> {
    const FAILED: &str = "asking SQLite for its version failed";
    let mut raw = SqliteConnection::establish(":memory:")
        .map_err(|error| Error::because(ErrorKind::Internal, FAILED, error))?;
    diesel::sql_query("SELECT sqlite_version() AS version")
        .get_result(&mut raw)
        .map(|Version { version }| version)
        .context(|| FAILED)
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

#[derive(QueryableByName)]
struct JournalMode {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_may_not_be_written_is_refused_with_the_remedy() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agentspace.db");
        Connection::open_writer(&path, Durability::Full).unwrap();
        // The superuser may write to any file, so the file system cannot be asked to refuse.
        let mut connection = Connection::open_as_found(&path).unwrap();
        let error = connection.check_writable().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReadOnly);
        assert!(error.to_string().contains("the right to write"), "{error}");
    }

    #[test]
    fn connections_and_jobs_move_between_threads() {
        fn moves<T: Send>() {}
        moves::<Connection>();
        moves::<crate::Job>();
        moves::<Error>();
    }
}
