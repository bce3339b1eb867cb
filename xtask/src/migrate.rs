//! `cargo xtask migrate`: writes new migrations, and applies and reverts them on a database.

#[cfg(feature = "database")]
mod database;
#[cfg(not(feature = "database"))]
#[path = "migrate/on_demand.rs"]
mod database;
pub(crate) mod folder_name;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};

use crate::workspace;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create an empty migration: a folder with up.sql and down.sql.
    New {
        /// What it does, in `snake_case`: `add_alerts`.
        name: String,
    },
    /// Apply all pending migrations.
    Run(Database),
    /// Revert the last migration.
    Revert(Database),
    /// Revert the last migration and apply it again.
    Redo(Database),
    /// Show which migrations are applied.
    List(Database),
}

#[derive(Args)]
pub(crate) struct Database {
    /// The database file.
    #[arg(long, value_name = "PATH", default_value = ".agentspace/agentspace.db")]
    db: PathBuf,
}

pub(crate) fn run(command: &Command) -> Result<()> {
    match command {
        Command::New { name } => {
            let folder = create(&workspace::root().join("migrations"), name, now())?;
            println!("created {}", folder.display());
            Ok(())
        }
        Command::Run(database) => database::run(&database.db),
        Command::Revert(database) => database::revert(&database.db),
        Command::Redo(database) => database::redo(&database.db),
        Command::List(database) => database::list(&database.db),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a migration is named after the moment at which a person wrote it"
)]
fn now() -> DateTime<Utc> {
    std::time::SystemTime::now().into()
}

/// Creates the folder of a migration named `name` and written at `now`; returns its path.
fn create(migrations: &Path, name: &str, now: DateTime<Utc>) -> Result<PathBuf> {
    ensure!(
        folder_name::is_valid_name(name),
        "`{name}` is no name for a migration: use small letters, digits and _, starting with a letter"
    );
    let folder_name = folder_name::compose(name, now);
    if let Some((last, _)) = folders(migrations)?.pop() {
        ensure!(
            folder_name::version(&last) < folder_name::version(&folder_name),
            "migration {last} would come after {folder_name}: is the clock right?"
        );
    }
    let folder = migrations.join(&folder_name);
    fs::create_dir_all(&folder).with_context(|| format!("creating {} failed", folder.display()))?;
    for (file, header) in [
        ("up.sql", format!("-- {name}: why this change is needed.\n")),
        (
            "down.sql",
            format!("-- Undoes {name}; what it cannot bring back is named here.\n"),
        ),
    ] {
        let path = folder.join(file);
        fs::write(&path, header).with_context(|| format!("writing {} failed", path.display()))?;
    }
    Ok(folder)
}

/// The migrations in the order in which they are applied: name and path.
pub(crate) fn folders(migrations: &Path) -> Result<Vec<(String, PathBuf)>> {
    // Git keeps no empty folder, so before the first migration there is none.
    if !migrations.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(migrations)
        .with_context(|| format!("reading {} failed", migrations.display()))?;
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() && folder_name::version(&name).is_some() {
            folders.push((name, entry.path()));
        }
    }
    folders.sort();
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_new_migration_is_a_pair_named_after_its_moment() {
        let folder = tempfile::tempdir().unwrap();
        let created = create(folder.path(), "add_alerts", at("2026-01-31T09:00:05Z")).unwrap();
        assert!(created.ends_with("2026-01-31-090005_add_alerts"));
        for half in ["up.sql", "down.sql"] {
            let text = fs::read_to_string(created.join(half)).unwrap();
            assert!(
                text.starts_with("-- ") && text.contains("add_alerts"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_new_migration_comes_after_all_others() {
        let folder = tempfile::tempdir().unwrap();
        create(folder.path(), "first", at("2026-01-31T09:00:05Z")).unwrap();
        for moment in ["2026-01-31T09:00:05Z", "2025-01-31T09:00:05Z"] {
            let error = create(folder.path(), "second", at(moment)).unwrap_err();
            assert!(error.to_string().contains("clock"), "{error}");
        }
        create(folder.path(), "second", at("2026-01-31T09:00:06Z")).unwrap();
        let names: Vec<_> = folders(folder.path())
            .unwrap()
            .into_iter()
            .map(|f| f.0)
            .collect();
        assert_eq!(
            names,
            ["2026-01-31-090005_first", "2026-01-31-090006_second"]
        );
    }

    #[test]
    fn a_name_that_is_no_identifier_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = create(folder.path(), "Add Alerts", at("2026-01-31T09:00:05Z")).unwrap_err();
        assert!(error.to_string().contains("`Add Alerts`"), "{error}");
    }
}
