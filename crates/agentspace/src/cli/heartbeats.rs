//! The words of `agentspace heartbeats`.

use std::path::PathBuf;

use clap::Subcommand;
use gateway::workflow_types::id::HeartbeatName;

/// `heartbeats`
#[derive(Debug, Subcommand)]
pub(crate) enum Heartbeats {
    /// List them: their cadence, their next run, what the last one found, and open alerts.
    Ls,
    /// Run one now and show what it finds; it ends with 1 if somebody has to act, or if something
    /// could not be judged.
    Run {
        /// Its name in agentspace.toml; may be left out if there is one.
        name: Option<HeartbeatName>,
    },
    /// Check their files; store nothing.
    Check {
        /// The files; those of all heartbeats if none is given.
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Write a commented HEARTBEAT.md that works as it is.
    Init {
        /// Where to; an existing file is left as it is.
        #[arg(default_value = "HEARTBEAT.md")]
        file: PathBuf,
    },
}
