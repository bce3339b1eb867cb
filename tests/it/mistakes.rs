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

/// What is said of files, by their paths.
fn told(place: &Place, paths: &[String]) -> BTreeMap<String, Vec<serde_json::Value>> {
    // Whether a file is refused differs from run to run.
    let data = place.run(check(paths, &["--format", "json"])).data();
    list(&data["files"])
        .iter()
        .map(|file| {
            let path = word(&file["path"]).to_owned();
            (path, list(&file["diagnostics"]))
        })
        .collect()
}

/// The byte of a line and a column, both from 1, columns in characters.
fn byte(text: &str, line: &serde_json::Value, column: &serde_json::Value) -> usize {
    let number = |value: &serde_json::Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let start: usize = text
        .split_inclusive('\n')
        .take(number(line) - 1)
        .map(str::len)
        .sum();
    let before = text[start..].chars().take(number(column) - 1);
    start + before.map(char::len_utf8).sum::<usize>()
}

/// A text with one fix put in its place; none if the diagnostic has no fix.
fn mended(text: &str, one: &serde_json::Value) -> Option<String> {
    let fix = one["fix"].as_str()?;
    let start = byte(text, &one["line"], &one["column"]);
    let end = byte(text, &one["endLine"], &one["endColumn"]);
    Some(format!("{}{fix}{}", &text[..start], &text[end..]))
}

/// What is said and where it begins; a fix begins there, too, so that its own mistake cannot move.
fn said(one: &serde_json::Value) -> (String, u64, u64) {
    let number = |key: &str| one[key].as_u64().unwrap();
    let code = word(&one["code"]).to_owned();
    (code, number("line"), number("column"))
}

/// Puts every fix in its place, each in a file of its own; answers how many there were.
fn every_fix_mends(place: &Place, paths: &[String]) -> usize {
    let mut fixed = Vec::new();
    for (path, diagnostics) in told(place, paths) {
        let Ok(text) = String::from_utf8(fs::read(place.path(&path)).unwrap()) else {
            continue;
        };
        for (index, one) in diagnostics.iter().enumerate() {
            if let Some(text) = mended(text.trim_start_matches('\u{feff}'), one) {
                let (directory, name) = path.rsplit_once('/').unwrap();
                let path = format!("fixed/{index}/{directory}/{name}");
                place.write(&path, &text);
                fixed.push((path, one.clone(), text));
            }
        }
    }
    let paths: Vec<String> = fixed.iter().map(|(path, _, _)| path.clone()).collect();
    let after = told(place, &paths);
    for (path, one, text) in &fixed {
        let after = &after[path];
        let found: Vec<_> = after.iter().map(said).collect();
        assert!(!found.contains(&said(one)), "{path}: {one}\n{text}");
        let is_syntax = word(&one["code"]) < "WF0100";
        let broken = found.iter().any(|(code, _, _)| code == "WF0003");
        assert!(is_syntax || !broken, "{path}: {one}\n{text}\n{found:?}");
    }
    fixed.len()
}

#[test]
fn every_fix_mends_what_it_stands_for() {
    let (place, paths) = with(expected().keys());
    let fixed = every_fix_mends(&place, &paths);
    assert!(fixed >= 60, "{fixed}");
}

#[test]
fn every_fix_mends_the_same_workflow_as_json() {
    let place = Place::new();
    let mut paths = Vec::new();
    for name in expected().keys().filter(|name| !name.starts_with("syntax")) {
        let Some(stem) = name.strip_suffix(".yaml") else {
            continue;
        };
        let text = fs::read_to_string(mistakes().join(name)).unwrap();
        let Ok(value) = serde_yaml::from_str::<serde_json::Value>(&text) else {
            continue;
        };
        let path = format!("{stem}.json");
        place.write(&path, format!("{value:#}"));
        paths.push(path);
    }
    let fixed = every_fix_mends(&place, &paths);
    assert!(fixed >= 25, "{fixed}");
}
