//! The command line of the repository's chores; each chore is a module of its own.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore talks to the person who runs it"
)]

mod bench;
mod ci;
mod crash;
mod fuzz;
mod metadata;
mod migrate;
mod power;
mod process;
mod schema;
mod stats;
mod tidy;
mod tokens;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of the AgentSpace repository.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run every check, in order, and stop at the first that fails.
    Ci(ci::Options),
    /// Check the rules of the house that neither rustc nor clippy knows.
    Tidy,
    /// Print the sizes of files, functions and dependency trees.
    Stats,
    /// Work on the migrations.
    #[command(subcommand)]
    Migrate(migrate::Command),
    /// Write the Diesel tables from the migrations.
    Schema(schema::Options),
    /// Try the fuzz targets on random inputs.
    Fuzz(fuzz::Options),
    /// Kill gateways at every write and check what they leave.
    Crash(crash::Options),
    /// Run a benchmark, or list them.
    Bench(bench::Options),
    /// Cut the power of the disk, and let it fail, as often as one has time for.
    Power(power::Options),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().chore {
        Chore::Ci(options) => ci::run(&options),
        Chore::Tidy => tidy::run(),
        Chore::Stats => stats::run(),
        Chore::Migrate(command) => migrate::run(&command),
        Chore::Schema(options) => schema::run(&options),
        Chore::Fuzz(options) => fuzz::run(&options),
        Chore::Crash(options) => crash::run(&options),
        Chore::Bench(options) => bench::run(&options),
        Chore::Power(options) => power::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(process::exit_code(&error))
        }
    }
}
