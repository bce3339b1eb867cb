//! `cargo xtask schema`: writes the Diesel tables of `db` from the migrations.
//!
//! The migrations run on a database in memory, `read` asks it for its tables and
//! `print` puts them into `table!` macros. Nothing here depends on `db`, because `db` does
//! not compile while its tables are stale.

mod print;
mod read;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use rusqlite::Connection;

use crate::{migrate, workspace};

/// Where the tables are written, relative to the root.
const GENERATED: &str = "crates/db/src/schema.rs";

#[derive(Args)]
pub(crate) struct Options {
    /// Change nothing; fail if the file is not what the migrations say.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let expected = generate(&workspace::root().join("migrations"))?;
    if options.check {
        compare(&expected)?;
        println!("{GENERATED} is what the migrations say");
        return Ok(());
    }
    let path = workspace::root().join(GENERATED);
    fs::write(&path, expected).with_context(|| format!("writing {GENERATED} failed"))?;
    println!("wrote {GENERATED}");
    Ok(())
}

/// Checks the file as `--check` does, unless neither it nor a migration is there.
pub(crate) fn check_when_present() -> Result<()> {
    let migrations = workspace::root().join("migrations");
    if migrate::folders(&migrations)?.is_empty() && !workspace::root().join(GENERATED).exists() {
        return Ok(());
    }
    compare(&generate(&migrations)?)
}

/// The text of `schema.rs` for the migrations in `folder`.
fn generate(folder: &Path) -> Result<String> {
    let connection = Connection::open_in_memory().context("opening SQLite in memory failed")?;
    for (name, path) in migrate::folders(folder)? {
        let up = path.join("up.sql");
        let sql =
            fs::read_to_string(&up).with_context(|| format!("reading {} failed", up.display()))?;
        connection
            .execute_batch(&sql)
            .with_context(|| format!("applying migration {name} failed"))?;
    }
    print::schema(&read::tables(&connection)?)
}

fn compare(expected: &str) -> Result<()> {
    let path = workspace::root().join(GENERATED);
    let found = fs::read_to_string(&path)
        .with_context(|| format!("reading {GENERATED} failed; `cargo xtask schema` writes it"))?;
    match first_difference(&found, expected) {
        None => Ok(()),
        Some(hint) => {
            bail!("{GENERATED} is not what the migrations say; run `cargo xtask schema`\n{hint}")
        }
    }
}

/// The first line at which the texts part, in the form of a diff.
fn first_difference(found: &str, expected: &str) -> Option<String> {
    if found == expected {
        return None;
    }
    let (mut old, mut new) = (found.lines(), expected.lines());
    let mut number = 0;
    loop {
        number += 1;
        match (old.next(), new.next()) {
            (None, None) => return Some("only line ends differ".to_owned()),
            (old, new) if old == new => {}
            (old, new) => {
                let [old, new] = [old, new].map(|line| line.unwrap_or("(the file ends)"));
                return Some(format!(
                    "first difference, line {number}:\n- {old}\n+ {new}"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures")
            .join(name)
    }

    #[test]
    fn the_fixture_migrations_give_the_fixture_schema() {
        let expected = fs::read_to_string(fixture("schema.rs")).unwrap();
        let generated = generate(&fixture("migrations")).unwrap();
        assert_eq!(first_difference(&expected, &generated), None, "{generated}");
    }

    #[test]
    fn a_broken_migration_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let migration = folder.path().join("2026-01-31-090000_broken");
        fs::create_dir(&migration).unwrap();
        fs::write(migration.join("up.sql"), "CREATE TABLE a (;").unwrap();
        let error = generate(folder.path()).unwrap_err();
        assert!(format!("{error:#}").contains("2026-01-31-090000_broken"));
    }

    #[test]
    fn the_first_difference_is_shown_as_a_diff() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(
            first_difference("a\nb\n", "a\nc\n").unwrap(),
            "first difference, line 2:\n- b\n+ c"
        );
        assert_eq!(
            first_difference("a\n", "a\nc\n").unwrap(),
            "first difference, line 2:\n- (the file ends)\n+ c"
        );
        assert_eq!(
            first_difference("a", "a\n").unwrap(),
            "only line ends differ"
        );
    }
}
