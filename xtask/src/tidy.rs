//! Runs the rules of the house over the repository and prints what breaks them.
//!
//! Each rule is a pure function in its own file: it gets the files (or the packages) and
//! returns what it found. Only this file reads the disk.

mod dependencies;
mod first_line;
mod length;
mod machine_paths;
mod migrations;
mod names;
mod unfinished;
mod unsafe_code;

use anyhow::{Result, bail};

use crate::workspace::{self, SourceFile};
use crate::{metadata, schema};

/// One place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// A path, with a line where one is known, or the name of a package.
    place: String,
    message: String,
}

impl Finding {
    fn in_file(file: &SourceFile, message: impl Into<String>) -> Self {
        Self {
            place: file.path.clone(),
            message: message.into(),
        }
    }

    fn at_line(file: &SourceFile, line: usize, message: impl Into<String>) -> Self {
        Self {
            place: format!("{}:{line}", file.path),
            message: message.into(),
        }
    }
}

/// A rule that looks at files only.
type FileRule = fn(&[SourceFile]) -> Vec<Finding>;

const FILE_RULES: [FileRule; 7] = [
    first_line::check,
    length::check,
    names::check,
    unfinished::check,
    unsafe_code::check,
    migrations::check,
    machine_paths::check,
];

/// Checks the whole repository; every finding is printed before this fails.
pub(crate) fn run() -> Result<()> {
    let files = workspace::files(&workspace::root())?;
    for long in length::long(&files) {
        println!("note: {}: {}", long.place, long.message);
    }
    let mut findings: Vec<_> = FILE_RULES.iter().flat_map(|rule| rule(&files)).collect();
    findings.extend(dependencies::check(&metadata::packages()?));
    if findings.is_empty() {
        // Last, because it needs migrations that the rules above found to be in order.
        schema::check_when_present()?;
        println!("tidy: {} files are in order", files.len());
        return Ok(());
    }
    for finding in &findings {
        println!("{}: {}", finding.place, finding.message);
    }
    bail!("tidy found {} places to mend", findings.len())
}

/// Checks `rule` on files given as (path, text): the places found, in order.
#[cfg(test)]
fn places(rule: FileRule, files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| SourceFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        })
        .collect();
    rule(&files).into_iter().map(|found| found.place).collect()
}
