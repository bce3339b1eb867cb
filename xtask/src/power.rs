//! `cargo xtask power`: power cuts and faults of the disk, as many as one has time for.

use anyhow::Result;
use clap::Args;

use crate::process;

#[derive(Args)]
pub(crate) struct Options {
    /// What the campaign is told: `--help` lists it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let run = ["run", "--quiet", "--release", "-p", "disk-test"];
    let mut command = process::cargo(&run);
    process::run(command.arg("--").args(&options.arguments))
}
