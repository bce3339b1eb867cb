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
    // First, while this process is small: the system counts what a parent holds when it starts a
    // program as the program's own.
    match program {
        Some(program) => program::measure(&program),
        None => println!("The program is not measured: give its path as the only argument."),
    }
    parsing::measure();
    condition::measure();
    worst::measure();
}
