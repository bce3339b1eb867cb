//! `cargo xtask ci`: every check, in the order in which failures are cheapest to find.

mod step;

use anyhow::{Context as _, Result};
use clap::Args;

use self::step::Step;

#[derive(Args)]
pub(crate) struct Options {
    /// Begin at this step instead of at the first.
    #[arg(long, value_name = "STEP", conflicts_with = "only")]
    from: Option<Step>,
    /// Run this step alone.
    #[arg(long, value_name = "STEP")]
    only: Option<Step>,
}

/// How a step ended that did not fail.
#[derive(Debug)]
enum Outcome {
    Passed,
    /// With the reason, which is shown at the end as well.
    Skipped(&'static str),
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let steps = selected(options);
    let begun = now();
    let mut skipped = Vec::new();
    for step in &steps {
        println!("\n== {step}: {}", step.purpose());
        let step_begun = now();
        let outcome = step.run().with_context(|| {
            format!("ci: step `{step}` failed; `cargo xtask ci --only {step}` runs it alone")
        })?;
        let seconds = step_begun.elapsed().as_secs_f64();
        match outcome {
            Outcome::Passed => println!("== {step} passed in {seconds:.1} s"),
            Outcome::Skipped(reason) => {
                println!("== {step} skipped: {reason}");
                skipped.push(format!("{step} ({reason})"));
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let passed = steps.len() - skipped.len();
    println!(
        "\nci: {passed} of {} steps passed in {seconds:.1} s",
        steps.len()
    );
    if !skipped.is_empty() {
        println!("ci: skipped {}", skipped.join(", "));
    }
    Ok(())
}

fn selected(options: &Options) -> Vec<Step> {
    if let Some(only) = options.only {
        return vec![only];
    }
    let from = options.from.unwrap_or(Step::FIRST);
    Step::ALL.into_iter().filter(|step| *step >= from).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the durations are for the reader; nothing is decided by them"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_steps_run_unless_some_are_chosen() {
        let choose = |from, only| selected(&Options { from, only });
        assert_eq!(choose(None, None), Step::ALL);
        assert_eq!(choose(None, Some(Step::Doc)), [Step::Doc]);
        let later = choose(Some(Step::Doctest), None);
        assert_eq!(later.first(), Some(&Step::Doctest));
        assert_eq!(later.last(), Step::ALL.last());
        assert!(!later.contains(&Step::Fmt));
    }
}
