//! The campaign: which parts run, how thoroughly, and what is printed.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::calls;
use crate::law::Law;
use crate::live::Sync;
use crate::mutant::Mutation;
use crate::points::{self, Course};
use crate::random::Until;
use crate::tally::{self, Tally};
use crate::workflow::SCENARIOS;
use crate::{random, rivals, stalled};

#[derive(Args)]
pub(crate) struct Options {
    /// What is done; everything if nothing is named.
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Every point of every scenario, twice, and ten thousand random kills: takes hours.
    #[arg(long)]
    long: bool,
    /// Repeats the choices of an earlier campaign.
    #[arg(long)]
    seed: Option<u64>,
    /// Kill at every so many points; 1 is every one.
    #[arg(long)]
    stride: Option<usize>,
    /// How many random kills.
    #[arg(long)]
    kills: Option<usize>,
    /// Random kills for so many minutes, however many they are.
    #[arg(long, conflicts_with = "kills")]
    minutes: Option<u64>,
    /// How many seconds processes compete for a database.
    #[arg(long)]
    seconds: Option<u64>,
    /// Only this scenario of the points.
    #[arg(long)]
    scenario: Option<String>,
    /// How many processes are killed at a time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Kills at every call that changes a file.
    Points,
    /// Kills at random moments under load.
    Random,
    /// An owner that was superseded wakes up.
    Stalled,
    /// Three processes compete for a database in which a schedule fires.
    Rivals,
    /// The same with faults that must be noticed.
    Mutations,
}

/// How thorough a campaign is.
struct Measure {
    stride: usize,
    until: Until,
    syncs: &'static [Sync],
    twice: bool,
    seed: u64,
}

impl Options {
    fn measure(&self) -> Measure {
        let seed = self.seed.unwrap_or_else(fresh_seed);
        let (stride, kills) = if self.long { (1, 10_000) } else { (23, 30) };
        let stride = self.stride.unwrap_or(stride).max(1);
        Measure {
            stride,
            until: match self.minutes {
                Some(minutes) => Until::Passed(Duration::from_mins(minutes)),
                None => Until::Kills(self.kills.unwrap_or(kills)),
            },
            syncs: if stride == 1 {
                &[Sync::Full, Sync::Normal]
            } else {
                &[Sync::Full]
            },
            twice: self.long,
            seed,
        }
    }

    fn has(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}

/// Runs what was asked for; fails if any law was broken, or a fault went unnoticed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let measure = options.measure();
    println!("seed {}", measure.seed);
    let mut parts = Vec::new();
    let traces = traces(options)?;
    if options.has(Part::Points) && traces {
        parts.extend(all_points(options, &measure)?);
    }
    if options.has(Part::Random) {
        println!("random kills …");
        let tally = random::run(measure.until, measure.seed, options.jobs)?;
        parts.push(("random kills".to_owned(), tally));
    }
    if options.has(Part::Stalled) {
        parts.push(("superseded owner".to_owned(), stalled::run(None)?));
    }
    if options.has(Part::Rivals) {
        let seconds = if options.long { 60 } else { 10 };
        rivals::run(options.seconds.unwrap_or(seconds), measure.seed)?;
    }
    let (text, sum) = tally::table(parts);
    if sum.points > 0 {
        println!("\n{text}");
    }
    let unnoticed = if options.has(Part::Mutations) {
        mutations(options, &measure, traces)?
    } else {
        Vec::new()
    };
    if !unnoticed.is_empty() {
        bail!("not noticed: {}", unnoticed.join(", "));
    }
    if !sum.breaches.is_empty() {
        bail!(
            "laws were broken {} times; repeat it with --seed {}",
            sum.breaches.len(),
            measure.seed
        );
    }
    Ok(())
}

/// Whether strace can be used; where it must be, its absence is an error.
fn traces(options: &Options) -> Result<bool> {
    let wanted = options.has(Part::Points) || options.has(Part::Mutations);
    if !wanted || calls::can_trace() {
        return Ok(true);
    }
    let reason = "strace is missing or may not trace: install it (`apt-get install strace`)";
    if std::env::var_os("CI").is_some_and(|value| value == "true") {
        bail!("{reason}; CI must not pass without it");
    }
    println!("SKIPPED: kills at system calls, and the faults that they show: {reason}");
    Ok(false)
}

fn all_points(options: &Options, measure: &Measure) -> Result<Vec<(String, Tally)>> {
    let mut parts = Vec::new();
    let chosen = |scenario: &&str| {
        options
            .scenario
            .as_deref()
            .is_none_or(|only| only == *scenario)
    };
    for scenario in SCENARIOS.into_iter().filter(chosen) {
        for &sync in measure.syncs {
            println!("killing at every point of {scenario}, {} …", sync.word());
            let course = Course {
                scenario,
                sync,
                mutation: None,
                stride: measure.stride,
                twice: measure.twice,
                seed: measure.seed,
            };
            let tally = points::run(course, options.jobs)?;
            parts.push((format!("{scenario}, {}", sync.word()), tally));
        }
    }
    if parts.is_empty() {
        bail!(
            "there is no such scenario; there are {}",
            SCENARIOS.join(", ")
        );
    }
    Ok(parts)
}

/// Runs every fault; answers those that nobody noticed.
fn mutations(options: &Options, measure: &Measure, traces: bool) -> Result<Vec<String>> {
    let mut unnoticed = Vec::new();
    println!("faults that must be noticed:");
    for mutation in Mutation::ALL {
        let (scenario, laws) = shown_by(mutation);
        let course = Course {
            scenario,
            sync: Sync::Full,
            mutation: Some(mutation),
            stride: 3,
            twice: false,
            seed: measure.seed,
        };
        let words = mutation.words();
        let tally = match mutation.needs_a_kill() {
            true if traces => points::run(course, options.jobs)?,
            true => continue,
            false => stalled::run(Some(mutation))?,
        };
        if let Some((place, breach)) = tally.first_of(laws) {
            println!("  red after {:>3} points  {words}", tally.points);
            println!("      at {place}: {breach}");
            continue;
        }
        println!("  NOT NOTICED in {} points  {words}", tally.points);
        for (place, breach) in &tally.breaches {
            println!("      at {place}: {breach}");
        }
        unnoticed.push(words.to_owned());
    }
    Ok(unnoticed)
}

/// The scenario in which a fault is turned on, and the laws of which it has to break one.
fn shown_by(mutation: Mutation) -> (&'static str, &'static [Law]) {
    match mutation {
        Mutation::BegunLate => ("fail", &[Law::BegunBeforeEffect, Law::AtMostOnce]),
        Mutation::KeyDropped => ("plain", &[Law::OneForEachKey]),
        Mutation::StepSplit => ("plain", &[Law::DatabaseSound, Law::ComesToRest]),
        Mutation::AnsweredEarly => ("plain", &[Law::StartKept]),
        Mutation::Careless => ("ask", &[Law::AtMostOnce]),
        Mutation::DenialLost => ("gated", &[Law::AnswerKept]),
        Mutation::LimitForgotten => ("queued", &[Law::NotMixed]),
        Mutation::Unfenced => ("stalled", &[Law::SupersededWritesNothing]),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a campaign without a seed is to differ from the one before"
)]
fn fresh_seed() -> u64 {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::from(since.subsec_nanos()))
}
