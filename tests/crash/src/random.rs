//! Kills lives at random moments while they have much to do, again and again on one database.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::chance::Chance;
use crate::law::{Breach, Law};
use crate::ledger::Outside;
use crate::live::Sync;
use crate::process::{self, End, Life};
use crate::survey::{self, Closely};
use crate::tally::Tally;
use crate::verdict::{self, Past};

/// Kills of one database before it is brought to its end and checked as a whole.
const ROUND: usize = 30;
/// Tasks that each life begins.
const TASKS: u32 = 22;
/// The shortest and the longest time, in milliseconds, until a life is killed.
const TIMES: (u64, u64) = (20, 500);

/// Kills so many lives, on as many databases at a time as there are jobs.
pub(crate) fn run(kills: usize, seed: u64, jobs: usize) -> Result<Tally> {
    let rounds = kills.div_ceil(ROUND);
    let (next, sum) = (AtomicUsize::new(0), Mutex::new(Ok(Tally::default())));
    let work = || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= rounds {
            return;
        }
        let left = kills - number * ROUND;
        let mut chance = Chance::new(seed.wrapping_add(u64::try_from(number).unwrap_or_default()));
        let sync = if chance.below(2) == 0 {
            Sync::Full
        } else {
            Sync::Normal
        };
        let done = round(left.min(ROUND), sync, &mut chance);
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
fn round(kills: usize, sync: Sync, chance: &mut Chance) -> Result<Tally> {
    let directory = tempfile::tempdir()?;
    let life = Life {
        directory: directory.path(),
        scenario: "load",
        sync,
        mutation: None,
    };
    let mut round = Round {
        life,
        past: Past::default(),
        seen: 0,
        tally: Tally::default(),
    };
    let mut first = 0;
    while round.tally.kills < kills {
        let time = TIMES.0 + chance.below(TIMES.1 - TIMES.0);
        round.kill(first, Duration::from_millis(time))?;
        first += TASKS;
    }
    round.finish()?;
    Ok(round.tally)
}

struct Round<'a> {
    life: Life<'a>,
    past: Past,
    /// Effects that were there at the last kill.
    seen: usize,
    tally: Tally,
}

impl Round<'_> {
    fn kill(&mut self, first: u32, time: Duration) -> Result<()> {
        let mut command = self.life.command()?;
        command.args(["--first", &first.to_string(), "--count", &TASKS.to_string()]);
        match process::kill_after(&mut command, time)? {
            // Faster than the kill: what it left is as good as any other.
            End::Unhurt => {}
            End::Failed(reason) => self.broken(Breach::new(Law::ComesToRest, reason)),
            End::Killed => self.tally.kills += 1,
        }
        let outside = Outside::read(self.life.directory)?;
        let new = outside.effects.get(self.seen..).unwrap_or_default();
        let touched: BTreeSet<String> = new
            .iter()
            .filter_map(|effect| verdict::owner(&effect.key).map(ToOwned::to_owned))
            .collect();
        self.seen = outside.effects.len();
        let closely = Closely::Unfinished(touched);
        let Some(survey) = survey::take(self.life.directory, &closely)? else {
            for (task, id) in outside.started() {
                let detail = format!("{task} was answered {id}, and there is no database");
                self.broken(Breach::new(Law::StartKept, detail));
            }
            return Ok(());
        };
        let effects = verdict::by_execution(&outside.effects);
        for (id, details) in &survey.details {
            let effects = effects.get(id.as_str()).map_or(&[][..], Vec::as_slice);
            let standing = details.standing(effects);
            *self.tally.standings.entry(standing).or_default() += 1;
        }
        for breach in verdict::at_kill(&survey, &outside, &self.past) {
            self.broken(breach);
        }
        self.past.remember(&survey, &outside);
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        match self.life.run()? {
            End::Unhurt => {}
            end @ (End::Killed | End::Failed(_)) => {
                self.broken(Breach::new(Law::ComesToRest, format!("{end:?}")));
            }
        }
        let outside = Outside::read(self.life.directory)?;
        let survey = survey::take(self.life.directory, &Closely::All)?;
        let survey = survey.context("there is no database in the end")?;
        for breach in verdict::at_rest(&survey, &outside, &self.past, &[]) {
            self.broken(breach);
        }
        self.tally.executions += survey.executions.len();
        Ok(())
    }

    fn broken(&mut self, breach: Breach) {
        let name = format!("random kill {}", self.tally.kills);
        self.tally.breaches.push((name, breach));
    }
}
