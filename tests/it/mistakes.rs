//! The table of mistakes: real ones, each in a file, with what must be said of it.
//!
//! `tests/mistakes/expected.txt` holds codes and places and was written by hand, so that a snapshot
//! taken without looking cannot move them. The snapshots hold the words.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Place, list, word};

/// What `expected.txt` says: the diagnostics of each file, as `WF0107 7:15, ...`.
fn expected() -> BTreeMap<String, String> {
    let table = fs::read_to_string(mistakes().join("expected.txt")).unwrap();
    table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (name, diagnostics) = line.split_once(": ").unwrap();
            (name.to_owned(), diagnostics.to_owned())
        })
        .collect()
}

fn mistakes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/mistakes")
}

/// Every file of a mistake, as `group/name.yaml`.
fn files() -> BTreeSet<String> {
    let entries = |path: &Path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    entries(&mistakes())
        .filter(|entry| entry.path().is_dir())
        .flat_map(|group| {
            let name = group.file_name().into_string().unwrap();
            entries(&group.path()).map(move |file| {
                let file = file.file_name().into_string().unwrap();
                format!("{name}/{file}")
            })
        })
        .collect()
}

/// Where a mistake is checked: a heartbeat goes by its name.
fn checked_as(name: &str) -> String {
    match name.strip_suffix(".md") {
        Some(stem) => format!("{stem}/HEARTBEAT.md"),
        None => name.to_owned(),
    }
}

/// A directory with the mistakes of some names in it, and the paths under which they are there.
fn with<'n>(names: impl Iterator<Item = &'n String>) -> (Place, Vec<String>) {
    let place = Place::new();
    let paths = names
        .map(|name| {
            let path = checked_as(name);
            place.write(&path, fs::read(mistakes().join(name)).unwrap());
            path
        })
        .collect();
    (place, paths)
}

/// The command that checks files.
fn check<'a>(paths: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    let paths = paths.iter().map(String::as_str);
    ["check"]
        .into_iter()
        .chain(paths)
        .chain(more.iter().copied())
        .collect()
}

#[test]
fn every_mistake_is_in_the_table_and_there_are_many() {
    let expected: BTreeSet<String> = expected().into_keys().collect();
    assert_eq!(files(), expected);
    assert!(expected.len() >= 70, "{}", expected.len());
}

#[test]
fn every_mistake_is_found_at_its_place_and_nothing_else_is() {
    let expected = expected();
    let (place, paths) = with(expected.keys());
    let data = place
        .run(check(&paths, &["--format", "json"]))
        .exits(2)
        .data();
    let found: BTreeMap<String, String> = list(&data["files"])
        .iter()
        .map(|file| {
            let diagnostics: Vec<String> = list(&file["diagnostics"])
                .iter()
                .map(|one| format!("{} {}:{}", word(&one["code"]), one["line"], one["column"]))
                .collect();
            (word(&file["path"]).to_owned(), diagnostics.join(", "))
        })
        .collect();
    let wrong: Vec<String> = expected
        .iter()
        .filter(|(name, diagnostics)| found[&checked_as(name)] != **diagnostics)
        .map(|(name, want)| format!("{name}: {want}\n    found {}", found[&checked_as(name)]))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_mistake_is_told_in_words_that_help() {
    let expected = expected();
    for group in ["heartbeat", "meaning", "structure", "syntax"] {
        let names = expected.keys().filter(|name| name.starts_with(group));
        let (place, paths) = with(names);
        // Warnings alone refuse nothing, so that the code differs from file to file.
        let ran = place.run(check(&paths, &["--deny-warnings"])).exits(2);
        assert_eq!(ran.stdout, "", "talk is no data");
        insta::assert_snapshot!(format!("mistakes_{group}"), ran.stderr);
    }
}
