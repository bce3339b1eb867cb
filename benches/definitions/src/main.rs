//! Measures what the crate promises of definitions and expressions, as ratios of one run.
//!
//! Nothing here passes or fails by the clock: the tables are for a person, who reads them beside
//! the goals.

mod allocation;
mod condition;
mod parsing;
mod program;
mod stopwatch;
mod table;
mod texts;
mod worst;

use std::path::PathBuf;

fn main() {
    // The workspace's own program, where `cargo xtask bench definitions` has built it.
    let program = std::env::args_os().nth(1).map(PathBuf::from);
    parsing::measure();
    condition::measure();
    worst::measure();
    match program {
        Some(program) => program::measure(&program),
        None => println!("\nThe program is not measured: give its path as the only argument."),
    }
}
