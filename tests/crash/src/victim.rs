//! One database whose lives are killed: what each kill left is examined, and in the end all of it.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};

use crate::law::{Breach, Law};
use crate::ledger::Outside;
use crate::process::{End, Life};
use crate::survey::{self, Closely};
use crate::tally::Tally;
use crate::verdict::{self, Past};
use crate::workflow::Task;

/// A database and what was found out about it.
pub(crate) struct Victim<'a> {
    pub(crate) life: Life<'a>,
    pub(crate) tally: Tally,
    /// Where in the campaign it stands.
    name: String,
    past: Past,
    /// Effects that were there at the last kill.
    seen: usize,
}

impl<'a> Victim<'a> {
    pub(crate) fn new(life: Life<'a>, name: String) -> Self {
        Self {
            life,
            tally: Tally::default(),
            name,
            past: Past::default(),
            seen: 0,
        }
    }

    /// Examines what a life has left that was to be killed.
    pub(crate) fn examine(&mut self, end: End) -> Result<()> {
        match end {
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

    /// A last life, which nobody kills, and all that it has left; these tasks must be done.
    pub(crate) fn finish(&mut self, tasks: &[Task]) -> Result<()> {
        match self.life.run()? {
            End::Unhurt => {}
            end @ (End::Killed | End::Failed(_)) => {
                self.broken(Breach::new(Law::ComesToRest, format!("{end:?}")));
            }
        }
        let outside = Outside::read(self.life.directory)?;
        let survey = survey::take(self.life.directory, &Closely::All)?;
        let survey = survey.context("there is no database in the end")?;
        self.tally.executions += survey.executions.len();
        for breach in verdict::at_rest(&survey, &outside, &self.past, tasks) {
            self.broken(breach);
        }
        Ok(())
    }

    fn broken(&mut self, breach: Breach) {
        let place = format!("{}, kill {}", self.name, self.tally.kills);
        self.tally.breaches.push((place, breach));
    }
}
