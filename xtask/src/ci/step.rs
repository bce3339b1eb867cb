//! The steps of CI: what each one is for and what it runs.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::ValueEnum;

use super::Outcome;
use crate::{metadata, process, tidy};

/// One check; the order of the variants is the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Step {
    Fmt,
    Tidy,
    Clippy,
    Doc,
    Test,
    Doctest,
    Alone,
    Example,
    Deny,
}

/// Each is checked by itself: in the workspace one crate's features hide what another lacks.
const CRATES: [&str; 4] = ["workflow-types", "db", "gateway", "agentspace"];

const WHOLE_WORKSPACE: [&str; 3] = ["--workspace", "--all-targets", "--all-features"];

impl Step {
    pub(super) const FIRST: Self = Self::Fmt;
    pub(super) const ALL: [Self; 9] = [
        Self::Fmt,
        Self::Tidy,
        Self::Clippy,
        Self::Doc,
        Self::Test,
        Self::Doctest,
        Self::Alone,
        Self::Example,
        Self::Deny,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Tidy => "tidy",
            Self::Clippy => "clippy",
            Self::Doc => "doc",
            Self::Test => "test",
            Self::Doctest => "doctest",
            Self::Alone => "alone",
            Self::Example => "example",
            Self::Deny => "deny",
        }
    }

    /// What the step finds out, in a few words.
    pub(super) fn purpose(self) -> &'static str {
        match self {
            Self::Fmt => "the code is formatted",
            Self::Tidy => "the rules of the house are kept",
            Self::Clippy => "no lint speaks up, on all targets and features",
            Self::Doc => "the documentation is complete and its links lead somewhere",
            Self::Test => "unit, integration and end-to-end tests",
            Self::Doctest => "the examples in the documentation run",
            Self::Alone => "each crate builds alone",
            Self::Example => "the smallest host of the gateway runs",
            Self::Deny => "dependencies: bans, licences, sources",
        }
    }

    pub(super) fn run(self) -> Result<Outcome> {
        match self {
            Self::Fmt => cargo(&["fmt", "--all", "--check"]),
            Self::Tidy => tidy::run().map(|()| Outcome::Passed),
            Self::Clippy => clippy(),
            Self::Doc => doc(),
            Self::Test => test(),
            Self::Doctest => cargo(&["test", "--doc", "--workspace", "--all-features"]),
            Self::Alone => alone(),
            Self::Example => example(),
            Self::Deny => deny(),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

fn cargo(arguments: &[&str]) -> Result<Outcome> {
    run(&mut process::cargo(arguments))
}

fn run(command: &mut std::process::Command) -> Result<Outcome> {
    println!("$ {}", process::shown(command));
    process::run(command).map(|()| Outcome::Passed)
}

fn clippy() -> Result<Outcome> {
    let mut command = process::cargo(&["clippy"]);
    run(command.args(WHOLE_WORKSPACE).args(["--", "-D", "warnings"]))
}

fn doc() -> Result<Outcome> {
    let arguments = ["doc", "--workspace", "--all-features", "--no-deps"];
    run(process::cargo(&arguments).env("RUSTDOCFLAGS", "-D warnings"))
}

fn test() -> Result<Outcome> {
    if process::succeeds(&mut process::cargo(&["nextest", "--version"])) {
        let profile = if in_ci() { "ci" } else { "default" };
        let mut command = process::cargo(&["nextest", "run", "--profile", profile]);
        return run(command.args(WHOLE_WORKSPACE));
    }
    println!(
        "note: cargo-nextest is not installed, so `cargo test` runs the same tests, more slowly \
         and without time limits; `cargo install --locked cargo-nextest` changes that"
    );
    run(process::cargo(&["test"]).args(WHOLE_WORKSPACE))
}

fn alone() -> Result<Outcome> {
    for package in CRATES {
        cargo(&["check", "--package", package])?;
    }
    Ok(Outcome::Passed)
}

fn example() -> Result<Outcome> {
    let present = metadata::packages()?
        .iter()
        .any(|package| package.name == "gateway" && package.examples.iter().any(|e| e == "host"));
    if present {
        cargo(&["run", "--package", "gateway", "--example", "host"])
    } else {
        Ok(Outcome::Skipped("the gateway has no example `host` yet"))
    }
}

fn deny() -> Result<Outcome> {
    if !process::succeeds(&mut process::cargo(&["deny", "--version"])) {
        if in_ci() {
            bail!("cargo-deny is not installed, and CI must not pass without it");
        }
        return Ok(Outcome::Skipped("cargo-deny is not installed"));
    }
    let mut command = process::cargo(&["deny", "check", "--hide-inclusion-graph"]);
    // Without this, a licence text that changed under its pinned hash would only be warned of.
    command.args(["--deny", "no-license-field"]);
    run(command.args(["bans", "licenses", "sources"]))?;
    if has_advisories() {
        // A snapshot is used as it is: a check does not depend on what was published meanwhile.
        cargo(&["deny", "--offline", "check", "advisories"])
    } else {
        println!("note: no snapshot of the advisories is here; `cargo deny fetch db` makes one");
        Ok(Outcome::Passed)
    }
}

/// Whether cargo-deny has fetched an advisory database on this machine before.
fn has_advisories() -> bool {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    home.and_then(|home| std::fs::read_dir(home.join("advisory-dbs")).ok())
        .is_some_and(|entries| entries.flatten().any(|entry| entry.path().is_dir()))
}

fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_run_in_the_order_of_the_list() {
        assert!(Step::ALL.is_sorted());
        assert_eq!(Step::ALL.first(), Some(&Step::FIRST));
        assert_eq!(Step::ALL.len(), Step::value_variants().len());
    }

    #[test]
    fn a_step_is_called_by_the_name_it_prints() {
        for step in Step::ALL {
            assert_eq!(Step::from_str(&step.to_string(), false), Ok(step));
        }
    }
}
