//! Kills lives at random moments while they have much to do, again and again on one database.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::chance::Chance;
use crate::live::Sync;
use crate::process::{self, Life};
use crate::tally::Tally;
use crate::victim::Victim;

/// Kills of one database before it is brought to its end and checked as a whole.
const ROUND: usize = 30;
/// Tasks that each life begins.
const TASKS: u32 = 22;
/// The shortest and the longest time, in milliseconds, until a life is killed.
const TIMES: (u64, u64) = (20, 500);

/// When it is enough.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Kills(usize),
    /// A round that has begun is ended.
    Passed(Duration),
}

impl Until {
    /// How many kills the round with this number has; none if it is not begun.
    fn kills(self, round: usize, begun: Instant) -> Option<usize> {
        match self {
            Self::Kills(kills) => {
                let left = kills.checked_sub(round * ROUND)?;
                (left > 0).then_some(left.min(ROUND))
            }
            Self::Passed(time) => (begun.elapsed() < time).then_some(ROUND),
        }
    }
}

/// Kills lives, on as many databases at a time as there are jobs.
#[expect(
    clippy::disallowed_methods,
    reason = "a campaign may be given a time; what it finds does not depend on it"
)]
pub(crate) fn run(until: Until, seed: u64, jobs: usize) -> Result<Tally> {
    let begun = Instant::now();
    let (next, sum) = (AtomicUsize::new(0), Mutex::new(Ok(Tally::default())));
    let work = || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(kills) = until.kills(number, begun) else {
            return;
        };
        let done = round(kills, number, seed);
        let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
        match (&mut *sum, done) {
            (Ok(sum), Ok(tally)) => sum.add(tally),
            (Ok(_), Err(error)) => *sum = Err(error),
            (Err(_), _) => return,
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(work);
        }
    });
    let mut tally = sum.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    tally.points = tally.kills;
    Ok(tally)
}

/// Kills lives on one database, and lets the last one end.
fn round(kills: usize, number: usize, seed: u64) -> Result<Tally> {
    let mut chance = Chance::new(seed.wrapping_add(u64::try_from(number)?));
    let sync = if chance.below(2) == 0 {
        Sync::Full
    } else {
        Sync::Normal
    };
    let directory = tempfile::tempdir()?;
    let life = Life {
        directory: directory.path(),
        scenario: "load",
        sync,
        mutation: None,
    };
    let mut victim = Victim::new(life, format!("random kills, round {number}"));
    let mut first = 0;
    while victim.tally.kills < kills {
        let time = TIMES.0 + chance.below(TIMES.1 - TIMES.0);
        let mut command = life.command()?;
        command.args(["--first", &first.to_string(), "--count", &TASKS.to_string()]);
        let end = process::kill_after(&mut command, Duration::from_millis(time))?;
        victim.examine(end)?;
        first += TASKS;
    }
    victim.finish(&[])?;
    Ok(victim.tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an instant to give")]
    fn the_rounds_have_as_many_kills_as_were_asked_for() {
        let begun = Instant::now();
        let rounds = |until: Until| -> Vec<usize> {
            (0..9)
                .map_while(|number| until.kills(number, begun))
                .collect()
        };
        assert_eq!(rounds(Until::Kills(70)), [30, 30, 10]);
        assert_eq!(rounds(Until::Kills(30)), [30]);
        assert!(rounds(Until::Kills(0)).is_empty());
        assert!(rounds(Until::Passed(Duration::ZERO)).is_empty());
    }
}
