//! Migrations: which are known, which are applied, and applying or reverting them.
//!
//! Each runs in one transaction together with the note that it ran, so a killed migration leaves
//! the schema that it found. What the tables mean is not known here.

use std::path::{Path, PathBuf};

use diesel::RunQueryDsl as _;
use diesel::connection::SimpleConnection as _;
use diesel::migration::{Migration as DieselMigration, MigrationSource as _};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::connection::{APPLICATION_ID, Connection, Durability};
use crate::error::{Context as _, Error, ErrorKind};
use crate::file;
use crate::owner::OwnerLock;

const EMBEDDED: EmbeddedMigrations = embed_migrations!("migrations");

/// A migration as SQL files.
pub(crate) type Known = Box<dyn DieselMigration<Sqlite>>;

/// How a database relates to the migrations that the program knows.
pub(crate) enum Standing {
    /// All of them are applied.
    Current,
    /// These versions are not.
    Pending(Vec<String>),
}

/// Applies every migration that is missing and names them; creates the database if needed.
///
/// Takes the [`OwnerLock`] for as long as it runs. Repeating it changes nothing.
pub fn run(path: &Path) -> Result<Vec<String>, Error> {
    let _lock = OwnerLock::acquire(path, "migration")?;
    Connection::open_writer(path, Durability::Full).map(|opened| opened.migrated)
}

/// A migration that was taken back, and the copy that was made before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reverted {
    /// The name of the migration.
    pub name: String,
    /// The copy of the whole database as it was.
    pub backup: Option<PathBuf>,
}

/// Takes the newest applied migration back; none if there is none.
///
/// What the older schema can hold is kept; a copy keeps the rest. Takes the [`OwnerLock`] for as
/// long as it runs.
pub fn revert(path: &Path) -> Result<Option<Reverted>, Error> {
    let _lock = OwnerLock::acquire(path, "migration")?;
    let mut connection = Connection::open_unmigrated(path, Durability::Full)?;
    downgrade(&mut connection, &embedded()?)
}

/// Takes the newest applied migration back, after a copy, and applies it again.
///
/// Shows that a new migration works in both directions.
pub fn redo(path: &Path) -> Result<Option<Reverted>, Error> {
    let _lock = OwnerLock::acquire(path, "migration")?;
    let mut connection = Connection::open_unmigrated(path, Durability::Full)?;
    let known = embedded()?;
    let Some(reverted) = downgrade(&mut connection, &known)? else {
        return Ok(None);
    };
    let found = known.iter().enumerate();
    for (index, migration) in found.filter(|(_, known)| known.name().to_string() == reverted.name) {
        apply(&mut connection, migration, index + 1)?;
    }
    Ok(Some(reverted))
}

/// A known migration, and whether a database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its name: the folder's.
    pub name: String,
    /// Whether it is applied.
    pub applied: bool,
}

/// Every known migration in its order, and whether it is applied.
///
/// A database that does not exist has none applied.
pub fn list(path: &Path) -> Result<Vec<Migration>, Error> {
    let known = embedded()?;
    let applied = match Connection::open_as_found(path) {
        Ok(mut connection) => {
            standing(&mut connection, &known)?;
            applied(&mut connection)?
        }
        Err(error) if error.kind() == ErrorKind::Missing => Vec::new(),
        Err(error) => return Err(error),
    };
    let listed = known.iter().map(|migration| Migration {
        name: migration.name().to_string(),
        applied: applied.contains(&version(migration)),
    });
    Ok(listed.collect())
}

/// The migrations that the program was built with, in their order.
pub(crate) fn embedded() -> Result<Vec<Known>, Error> {
    let mut known = EMBEDDED
        .migrations()
        .context(|| "reading the embedded migrations failed")?;
    known.sort_by_key(version);
    Ok(known)
}

/// How a database stands; fails with [`ErrorKind::Newer`] if it has what is not known.
pub(crate) fn standing(connection: &mut Connection, known: &[Known]) -> Result<Standing, Error> {
    let applied = applied(connection)?;
    let versions: Vec<String> = known.iter().map(version).collect();
    let schema = connection.number("SELECT user_version AS value FROM pragma_user_version")?;
    let is_newer = usize::try_from(schema).is_ok_and(|schema| schema > known.len());
    if let Some(unknown) = applied.iter().find(|version| !versions.contains(version)) {
        return Err(newer(connection, unknown));
    }
    if is_newer {
        return Err(newer(connection, &schema.to_string()));
    }
    let pending: Vec<String> = versions
        .into_iter()
        .filter(|version| !applied.contains(version))
        .collect();
    if pending.is_empty() {
        return Ok(Standing::Current);
    }
    Ok(Standing::Pending(pending))
}

/// Applies what is pending, after a copy of a file that has a schema already.
pub(crate) fn upgrade(
    connection: &mut Connection,
    known: &[Known],
) -> Result<(Vec<String>, Option<PathBuf>), Error> {
    let pending = match standing(connection, known)? {
        Standing::Current => return Ok((Vec::new(), None)),
        Standing::Pending(pending) => pending,
    };
    let backup = copy(connection)?;
    let mut names = Vec::new();
    for (index, migration) in known.iter().enumerate() {
        if pending.contains(&version(migration)) {
            apply(connection, migration, index + 1)?;
            names.push(migration.name().to_string());
        }
    }
    Ok((names, backup))
}

/// Copies a database that has a schema to `<db>.schema-<version>.backup`, replacing an earlier copy
/// of the same schema.
fn copy(connection: &mut Connection) -> Result<Option<PathBuf>, Error> {
    let applied = applied(connection)?;
    let Some(schema) = applied.last() else {
        return Ok(None);
    };
    let target = file::beside(connection.path(), &format!(".schema-{schema}.backup"));
    connection.copy_to(&target)?;
    Ok(Some(target))
}

fn newer(connection: &Connection, unknown: &str) -> Error {
    Error::new(
        ErrorKind::Newer,
        format!(
            "the database {} was written by a newer program (schema {unknown}): update this one, \
             or restore the copy that was made before the migration",
            connection.path().display()
        ),
    )
}

fn apply(connection: &mut Connection, migration: &Known, schema: usize) -> Result<(), Error> {
    let name = migration.name().to_string();
    connection.transaction(|connection| {
        let failed = || format!("migration {name} failed");
        connection.execute(
            "CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (
                version VARCHAR(50) PRIMARY KEY NOT NULL,
                run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
            )",
        )?;
        migration.run(&mut connection.raw).context(failed)?;
        diesel::sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES (?)")
            .bind::<Text, _>(version(migration))
            .execute(&mut connection.raw)
            .context(failed)?;
        note(connection, schema, &name)
    })
}

/// Takes the newest applied migration back, after a copy: what the older schema cannot hold is gone
/// from the database.
fn downgrade(connection: &mut Connection, known: &[Known]) -> Result<Option<Reverted>, Error> {
    standing(connection, known)?;
    let applied = applied(connection)?;
    let Some((index, migration)) = known
        .iter()
        .enumerate()
        .rfind(|(_, migration)| applied.contains(&version(migration)))
    else {
        return Ok(None);
    };
    let name = migration.name().to_string();
    let backup = copy(connection)?;
    connection.transaction(|connection| {
        let failed = || format!("reverting migration {name} failed");
        migration.revert(&mut connection.raw).context(failed)?;
        diesel::sql_query("DELETE FROM __diesel_schema_migrations WHERE version = ?")
            .bind::<Text, _>(version(migration))
            .execute(&mut connection.raw)
            .context(failed)?;
        note(connection, index, &name)
    })?;
    Ok(Some(Reverted { name, backup }))
}

/// Marks the file as ours with a schema, and refuses what broke a reference.
fn note(connection: &mut Connection, schema: usize, name: &str) -> Result<(), Error> {
    let pragmas =
        format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {schema}");
    connection
        .raw
        .batch_execute(&pragmas)
        .context(|| format!("noting migration {name} failed"))?;
    let broken = "SELECT count(*) AS value FROM pragma_foreign_key_check";
    if connection.number(broken)? > 0 {
        let message = format!("migration {name} would leave rows that refer to nothing");
        return Err(Error::new(ErrorKind::Corrupt, message));
    }
    Ok(())
}

fn applied(connection: &mut Connection) -> Result<Vec<String>, Error> {
    let table = "SELECT count(*) AS value FROM sqlite_schema \
                 WHERE name = '__diesel_schema_migrations'";
    if connection.number(table)? == 0 {
        return Ok(Vec::new());
    }
    connection.texts("SELECT version AS value FROM __diesel_schema_migrations ORDER BY version")
}

fn version(migration: &Known) -> String {
    migration.name().version().to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use diesel_migrations::FileBasedMigrations;

    use super::*;

    /// What the program knows, and one more migration.
    fn known_and(folder: &Path, up: &str) -> Vec<Known> {
        let extra = folder.join("migrations/2099-01-01-000000_extra");
        fs::create_dir_all(&extra).unwrap();
        fs::write(extra.join("up.sql"), up).unwrap();
        fs::write(extra.join("down.sql"), "DROP TABLE extra;").unwrap();
        let source = FileBasedMigrations::from_path(folder.join("migrations")).unwrap();
        let mut known = embedded().unwrap();
        let extra: Vec<Known> = source.migrations().unwrap();
        known.extend(extra);
        known
    }

    #[test]
    fn an_older_schema_is_copied_before_it_is_migrated_and_keeps_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agentspace.db");
        run(&path).unwrap();
        let known = known_and(folder.path(), "CREATE TABLE extra (id TEXT) STRICT;");
        let mut connection = Connection::open_unmigrated(&path, Durability::Full).unwrap();
        connection
            .execute(
                "INSERT INTO schedules (id, name, cron_expression, created_at, updated_at)
                 VALUES ('s', 'n', '', '', '')",
            )
            .unwrap();
        let (names, backup) = upgrade(&mut connection, &known).unwrap();
        assert_eq!(names, ["2099-01-01-000000_extra"]);
        let mut copy = Connection::open_reader(&backup.unwrap()).unwrap();
        let rows = "SELECT count(*) AS value FROM schedules";
        assert_eq!(copy.number(rows).unwrap(), 1);
        assert_eq!(connection.number(rows).unwrap(), 1);

        let refused = Connection::open_reader(&path).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Newer);
        assert!(downgrade(&mut connection, &known).unwrap().is_some());
        assert_eq!(connection.number(rows).unwrap(), 1);
        assert!(Connection::open_reader(&path).is_ok());
    }

    #[test]
    fn a_migration_that_fails_midway_leaves_the_schema_as_it_was() {
        for up in [
            "CREATE TABLE extra (id TEXT) STRICT; nonsense;",
            "CREATE TABLE extra (id TEXT REFERENCES workflows (id)) STRICT;
             INSERT INTO extra VALUES ('gone');",
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("agentspace.db");
            run(&path).unwrap();
            let known = known_and(folder.path(), up);
            let mut connection = Connection::open_unmigrated(&path, Durability::Full).unwrap();
            let error = upgrade(&mut connection, &known).unwrap_err();
            assert!(
                error.to_string().contains("2099-01-01-000000_extra"),
                "{error}"
            );
            assert!(Connection::open_reader(&path).is_ok());
            let extra = "SELECT count(*) AS value FROM sqlite_schema WHERE name = 'extra'";
            assert_eq!(connection.number(extra).unwrap(), 0);
        }
    }
}
