//! Rule: a migration is a folder with a sortable, unique version and goes both up and down.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::migrate::folder_name;
use crate::workspace::SourceFile;

/// What a migration's folder may hold; the third tells Diesel not to open a transaction.
const KNOWN_FILES: [&str; 3] = ["up.sql", "down.sql", "metadata.toml"];

pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let migrations = by_folder(files);
    let mut findings: Vec<_> = migrations
        .iter()
        .flat_map(|(folder, contents)| folder_faults(folder, contents))
        .collect();
    let mut versions = BTreeSet::new();
    for folder in migrations.keys() {
        if let Some(version) = folder_name::version(folder)
            && !versions.insert(version)
        {
            findings.push(finding(folder, "another migration has the same version"));
        }
    }
    findings
}

/// Folder under `migrations/` -> file name -> text.
fn by_folder(files: &[SourceFile]) -> BTreeMap<&str, BTreeMap<&str, &str>> {
    let mut folders: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for file in files {
        let place = file.path.strip_prefix("migrations/");
        if let Some((folder, name)) = place.and_then(|place| place.split_once('/')) {
            folders.entry(folder).or_default().insert(name, &file.text);
        }
    }
    folders
}

fn folder_faults(folder: &str, contents: &BTreeMap<&str, &str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if folder_name::version(folder).is_none() {
        findings.push(finding(folder, "the name must be YYYY-MM-DD-HHMMSS_name"));
    }
    for needed in ["up.sql", "down.sql"] {
        if !contents.get(needed).is_some_and(|sql| has_statement(sql)) {
            findings.push(finding(
                folder,
                &format!("{needed} is missing or says nothing"),
            ));
        }
    }
    for name in contents.keys().filter(|name| !KNOWN_FILES.contains(name)) {
        findings.push(finding(
            folder,
            &format!("{name} does not belong to a migration"),
        ));
    }
    findings
}

fn has_statement(sql: &str) -> bool {
    sql.lines()
        .map(str::trim)
        .any(|line| !line.is_empty() && !line.starts_with("--"))
}

fn finding(folder: &str, message: &str) -> Finding {
    Finding {
        place: format!("migrations/{folder}"),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::check;

    #[test]
    fn a_pair_with_a_sortable_name_is_in_order() {
        let files = [
            (
                "migrations/2026-01-31-090000_start/up.sql",
                "CREATE TABLE a (b);",
            ),
            (
                "migrations/2026-01-31-090000_start/down.sql",
                "-- undo\nDROP TABLE a;",
            ),
            ("migrations/README.md", "About."),
            ("crates/db/up.sql", ""),
        ];
        assert!(places(check, &files).is_empty());
    }

    #[test]
    fn a_missing_or_empty_half_is_refused() {
        let folder = "migrations/2026-01-31-090000_start";
        let up = format!("{folder}/up.sql");
        let down = format!("{folder}/down.sql");
        assert_eq!(places(check, &[(up.as_str(), "SELECT 1;")]), [folder]);
        let files = [(up.as_str(), "SELECT 1;"), (down.as_str(), "-- nothing\n")];
        assert_eq!(places(check, &files), [folder]);
    }

    #[test]
    fn unsortable_names_strangers_and_doubles_are_refused() {
        let files = [
            ("migrations/0001_start/up.sql", "SELECT 1;"),
            ("migrations/0001_start/down.sql", "SELECT 1;"),
            ("migrations/2026-01-31-090000_a/up.sql", "SELECT 1;"),
            ("migrations/2026-01-31-090000_a/down.sql", "SELECT 1;"),
            ("migrations/2026-01-31-090000_a/notes.txt", ""),
            ("migrations/2026-01-31-090000_b/up.sql", "SELECT 1;"),
            ("migrations/2026-01-31-090000_b/down.sql", "SELECT 1;"),
        ];
        assert_eq!(
            places(check, &files),
            [
                "migrations/0001_start",
                "migrations/2026-01-31-090000_a",
                "migrations/2026-01-31-090000_b"
            ]
        );
    }
}
