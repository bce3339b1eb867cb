//! `cargo xtask stats`: how large the code and what it brings along have become.

mod items;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::process;
use crate::workspace::{self, SourceFile};

/// How many of the longest are named.
const NAMED: usize = 5;

/// Crates whose dependency trees are counted.
const COUNTED: [&str; 2] = ["gateway", "agentspace"];

/// Something with a length in lines.
type Measured = (usize, String);

pub(crate) fn run() -> Result<()> {
    let files: Vec<_> = workspace::files(&workspace::root())?
        .into_iter()
        .filter(|file| file.is_our_rust() && !file.is_generated())
        .collect();
    let lengths = files.iter().map(file_length).collect();
    print_lengths("lines per file", lengths);

    let mut functions = Vec::new();
    let mut public = items::Public::default();
    for file in &files {
        let found = items::read(file).with_context(|| format!("reading {} failed", file.path))?;
        functions.extend(found.functions);
        if file.path.starts_with("crates/") {
            public.documented += found.public.documented;
            public.undocumented.extend(found.public.undocumented);
        }
    }
    print_lengths("lines per function", functions);
    print_public(&public);
    for package in COUNTED {
        println!("crates in {package}: {}", dependency_count(package)?);
    }
    print_binary_size(&workspace::root().join("target/release/agentspace"));
    Ok(())
}

fn file_length(file: &SourceFile) -> Measured {
    (file.text.lines().count(), file.path.clone())
}

fn print_lengths(title: &str, mut lengths: Vec<Measured>) {
    lengths.sort();
    let of = |percent| percentile(&lengths, percent);
    let total: usize = lengths.iter().map(|(lines, _)| lines).sum();
    println!(
        "{title}: count {}, total {total}, p50 {}, p90 {}, max {}",
        lengths.len(),
        of(50),
        of(90),
        of(100)
    );
    for (lines, name) in lengths.iter().rev().take(NAMED) {
        println!("  {lines:>4}  {name}");
    }
}

/// The smallest length that `percent` of all lengths do not exceed (nearest rank).
fn percentile(sorted: &[Measured], percent: usize) -> usize {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map_or(0, |(lines, _)| *lines)
}

fn print_public(public: &items::Public) {
    let missing = public.undocumented.len();
    let total = public.documented + missing;
    println!("items marked `pub` in crates/: {total}, without documentation: {missing}");
    for place in public.undocumented.iter().take(NAMED) {
        println!("        {place}");
    }
}

/// The crates that `package` is linked from, itself included.
fn dependency_count(package: &str) -> Result<usize> {
    let arguments = [
        "tree",
        "--package",
        package,
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ];
    let tree = process::output(&mut process::cargo(&arguments))?;
    // A crate that is shown again is marked at the end of its line.
    let crates: BTreeSet<_> = tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty())
        .collect();
    Ok(crates.len())
}

fn print_binary_size(path: &Path) {
    match std::fs::metadata(path) {
        Ok(metadata) => println!("release binary: {} KiB", metadata.len().div_ceil(1024)),
        Err(_) => println!("release binary: not built (`cargo build --release`)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_lengths_that_occur() {
        let lengths: Vec<Measured> = (1..=10).map(|n| (n, String::new())).collect();
        assert_eq!(percentile(&lengths, 50), 5);
        assert_eq!(percentile(&lengths, 90), 9);
        assert_eq!(percentile(&lengths, 100), 10);
        assert_eq!(percentile(&[], 50), 0);
        assert_eq!(percentile(&[(7, String::new())], 50), 7);
    }
}
