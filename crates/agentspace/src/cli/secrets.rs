//! The words of `agentspace secrets`.

use clap::Subcommand;

/// `secrets`
#[derive(Debug, Subcommand)]
pub(crate) enum Secrets {
    /// List them: where each value is, and whether it is there; never the value.
    Ls,
}
