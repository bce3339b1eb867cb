//! The words of `agentspace db`.

use std::path::PathBuf;

use clap::Subcommand;

use super::PruneArgs;

/// `db`
#[derive(Debug, Subcommand)]
pub(crate) enum Database {
    /// Create the database, or bring it to this program's schema after making a copy.
    Migrate,
    /// Check the file's integrity and our own invariants.
    Check,
    /// Delete finished executions that are not to be kept.
    Prune(PruneArgs),
    /// Give the room of what was deleted back to the file system; nothing may run on it meanwhile.
    Vacuum,
    /// Write a copy to a file, whatever runs on the database; it appears when it is complete.
    Backup {
        /// The file.
        path: PathBuf,
        /// Replace the file if there is one.
        #[arg(long)]
        force: bool,
    },
}
