//! What a durable step costs: the engine beside bare SQLite, on the same disk in the same run.
//!
//! Figures of one machine say little about another, so each is printed with its ratio to the
//! control that was measured right beside it. `cargo xtask bench engine` builds and runs this.

#![expect(clippy::print_stdout, reason = "a benchmark shows its figures")]

mod bare;
mod engine;
mod history;
mod measure;
mod paused;
mod schedules;
mod steps;

use clap::{Parser, ValueEnum};

/// Measures the engine.
#[derive(Parser)]
struct Options {
    /// What is measured; everything if none is named.
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Where the databases are put; the directory for temporary files if not given.
    #[arg(long)]
    directory: Option<std::path::PathBuf>,
    /// How often each figure is taken; the median is printed.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The share of the usual amount of work, for a quick look.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// One execution at a time.
    Alone,
    /// Many executions at once.
    Together,
    /// One long execution.
    Long,
    /// Ten thousand that wait at gates: found at the start, approved, completed.
    Paused,
    /// A hundred thousand that wait at gates: time and memory of a start.
    Crowd,
    /// A gateway that has nothing to do.
    Idle,
    /// A million that have finished: pages of their list.
    History,
    /// A hundred thousand schedules: start, memory and rest; how late fires are.
    Schedules,
    /// Used by this program itself: opens a database, and says what it took.
    #[value(hide = true)]
    Open,
    /// Used by this program itself: the same, then idles.
    #[value(hide = true)]
    OpenAndIdle,
    /// Used by this program itself: opens a database with schedules, and waits.
    #[value(hide = true)]
    OpenSchedules,
}

const ALL: [Part; 8] = [
    Part::Alone,
    Part::Together,
    Part::Long,
    Part::Paused,
    Part::Crowd,
    Part::Idle,
    Part::History,
    Part::Schedules,
];

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let parts = if options.parts.is_empty() {
        ALL.to_vec()
    } else {
        options.parts.clone()
    };
    let place = measure::Place::new(options.directory.as_deref(), options.rounds, options.scale)?;
    for part in parts {
        match part {
            Part::Alone => steps::alone(&place)?,
            Part::Together => steps::together(&place)?,
            Part::Long => steps::long(&place)?,
            Part::Paused => paused::ten_thousand(&place)?,
            Part::Crowd => paused::crowd(&place)?,
            Part::Idle => paused::idle(&place)?,
            Part::History => history::pages(&place)?,
            Part::Open => paused::open(&place.root)?,
            Part::Schedules => schedules::all(&place)?,
            Part::OpenSchedules => schedules::open(&place.root)?,
            Part::OpenAndIdle => paused::open_and_idle(&place.root)?,
        }
    }
    Ok(())
}
