//! Builds the chores again with the feature `database` and passes the command on to them.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::process;

pub(super) fn run(path: &Path) -> Result<()> {
    pass_on("run", path)
}

pub(super) fn revert(path: &Path) -> Result<()> {
    pass_on("revert", path)
}

pub(super) fn redo(path: &Path) -> Result<()> {
    pass_on("redo", path)
}

pub(super) fn list(path: &Path) -> Result<()> {
    pass_on("list", path)
}

fn pass_on(action: &str, path: &Path) -> Result<()> {
    // Cargo starts at the root of the workspace, so the path must not depend on where we are.
    let path = std::path::absolute(path).context("the current folder is unknown")?;
    let mut command = process::cargo(&["run", "--quiet", "--package", "xtask"]);
    command.args(["--features", "database", "--", "migrate", action, "--db"]);
    process::run(command.arg(path))
}
