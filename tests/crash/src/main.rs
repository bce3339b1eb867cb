//! The crash campaign: processes are killed at every write, and what they leave is checked.
//!
//! `cargo xtask crash` builds and runs it. The process that is killed is this same program, with a
//! gateway in it, a real database, and tools that note their effects outside of the database.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a campaign shows its figures, and a life says why it could not go on"
)]

mod calls;
mod campaign;
mod chance;
mod law;
mod ledger;
mod live;
mod mutant;
mod points;
mod process;
mod random;
mod rapid;
mod rivals;
mod serving;
mod stalled;
mod survey;
mod tally;
mod tools;
mod verdict;
mod victim;
mod workflow;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Kills gateways and checks what they leave.
#[derive(Parser)]
#[command(bin_name = "cargo xtask crash")]
struct Cli {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Kills processes and checks what they leave.
    Campaign(campaign::Options),
    /// The process that is killed: does its tasks, or goes on with them.
    #[command(hide = true)]
    Live(live::Options),
    /// One of those that compete for a database: serves it when it is free.
    #[command(hide = true)]
    Serve(serving::Options),
}

fn main() -> ExitCode {
    let done = match Cli::parse().role {
        Role::Campaign(options) => campaign::run(&options),
        Role::Live(options) => live::run(&options),
        Role::Serve(options) => serving::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
