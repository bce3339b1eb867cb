//! `cargo xtask crash`: the campaign in `tests/crash`, which kills gateways and checks what they
//! leave.

use anyhow::Result;
use clap::Args;

use crate::process;

#[derive(Args)]
pub(crate) struct Options {
    /// What the campaign is told: its parts and options, which `-- --help` lists.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let run = ["run", "--quiet", "--package", "crash", "--", "campaign"];
    process::run(process::cargo(&run).args(&options.arguments))
}
