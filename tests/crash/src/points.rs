//! Kills a life before each of its calls that change a file, one after the other, and has the next
//! life bring everything to its end.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use tempfile::TempDir;

use crate::calls::{self, Series};
use crate::chance::Chance;
use crate::live::Sync;
use crate::mutant::Mutation;
use crate::process::{self, End, Life};
use crate::tally::Tally;
use crate::victim::Victim;
use crate::workflow;

/// What is killed, and how thoroughly.
#[derive(Clone, Copy)]
pub(crate) struct Course<'a> {
    pub(crate) scenario: &'a str,
    pub(crate) sync: Sync,
    pub(crate) mutation: Option<Mutation>,
    /// Every so many points.
    pub(crate) stride: usize,
    /// The life after the kill is killed, too.
    pub(crate) twice: bool,
    pub(crate) seed: u64,
}

/// What several workers share.
struct Shared<'a> {
    course: Course<'a>,
    /// A database in which the workflows are registered, closed; none for a new one.
    template: Option<TempDir>,
    series: Vec<Series>,
    state: Mutex<State>,
}

struct State {
    /// The points that are left: a series and a number in it.
    left: VecDeque<(usize, usize)>,
    tally: Tally,
    failure: Option<anyhow::Error>,
}

/// Kills at every point of a scenario, several at a time.
pub(crate) fn run(course: Course<'_>, jobs: usize) -> Result<Tally> {
    let shared = prepare(course)?;
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| shared.work());
        }
    });
    let state = shared.state.into_inner();
    let state = state.unwrap_or_else(PoisonError::into_inner);
    match state.failure {
        Some(error) => Err(error),
        None => Ok(state.tally),
    }
}

fn prepare(course: Course<'_>) -> Result<Shared<'_>> {
    let template = (course.scenario != "new-database")
        .then(|| template(course))
        .transpose()?;
    let place = place(template.as_ref())?;
    let series = calls::census(&course.life(&place.1))?;
    let mut tally = Tally::default();
    for shared in series.iter().filter(|series| series.threads > 1) {
        tally.notes.push(format!(
            "{}: {} threads made `{shared}`, so the first calls of the later ones were passed over",
            course.scenario, shared.threads
        ));
    }
    let state = Mutex::new(State {
        left: course.points(&series)?,
        tally,
        failure: None,
    });
    Ok(Shared {
        course,
        template,
        series,
        state,
    })
}

/// A database in which the workflows are registered.
fn template(course: Course<'_>) -> Result<TempDir> {
    let directory = tempfile::tempdir()?;
    let life = Life {
        scenario: "load",
        ..course.life(directory.path())
    };
    match life.run()? {
        End::Unhurt => Ok(directory),
        end @ (End::Killed | End::Failed(_)) => anyhow::bail!("making a database failed: {end:?}"),
    }
}

/// A directory of its own, with a copy of the template; its path is as strace sees it.
fn place(template: Option<&TempDir>) -> Result<(TempDir, PathBuf)> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().canonicalize()?;
    if let Some(template) = template {
        let name = "agentspace.db";
        std::fs::copy(template.path().join(name), path.join(name))?;
    }
    Ok((directory, path))
}

impl<'a> Course<'a> {
    fn life(&self, directory: &'a Path) -> Life<'a> {
        Life {
            directory,
            scenario: self.scenario,
            sync: self.sync,
            mutation: self.mutation,
        }
    }

    /// The points that are taken, in the order of the series. Without a stride, one more of each
    /// series than were counted: see [`Shared::work`].
    fn points(&self, series: &[Series]) -> Result<VecDeque<(usize, usize)>> {
        let more = usize::from(self.stride == 1);
        let all = series
            .iter()
            .enumerate()
            .flat_map(|(index, series)| (1..=series.count + more).map(move |n| (index, n)));
        // Where a stride leaves points out, the seed says which.
        let first = Chance::new(self.seed).below(u64::try_from(self.stride)?);
        let taken = all.skip(usize::try_from(first)?).step_by(self.stride);
        Ok(taken.collect())
    }
}

impl Shared<'_> {
    /// Takes points until none is left.
    ///
    /// A life may make more calls than the one that was traced: whoever takes every point goes on
    /// with a series until a life comes through it unhurt.
    fn work(&self) {
        while let Some((series, number)) = self.take() {
            let done = self.point(series, number);
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            match done {
                Ok((was_killed, tally)) => {
                    state.tally.add(tally);
                    let is_beyond = number > self.series[series].count;
                    if was_killed && is_beyond && self.course.stride == 1 {
                        state.left.push_back((series, number + 1));
                    }
                }
                Err(error) => {
                    let place = format!("killing at {} number {number}", self.series[series]);
                    state.failure = Some(error.context(place));
                }
            }
        }
    }

    fn take(&self) -> Option<(usize, usize)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_red = self.course.mutation.is_some() && !state.tally.breaches.is_empty();
        if is_red || state.failure.is_some() {
            return None;
        }
        state.left.pop_front()
    }

    /// One life that is killed, and those after it; answers whether it was killed.
    fn point(&self, series: usize, number: usize) -> Result<(bool, Tally)> {
        let (_directory, path) = place(self.template.as_ref())?;
        let life = self.course.life(&path);
        let tasks = workflow::tasks(self.course.scenario)?;
        let killing = &self.series[series];
        let name = format!("{} {killing} #{number}", self.course.scenario);
        let mut victim = Victim::new(life, name);
        let end = kill(&life, killing, number)?;
        let was_hurt = end != End::Unhurt;
        if was_hurt {
            victim.tally.points += 1;
            victim.examine(end)?;
        }
        if was_hurt && self.course.twice {
            let mut chance = Chance::new(self.course.seed ^ u64::try_from(number)?);
            let choice = chance.below(u64::try_from(self.series.len())?);
            let second = &self.series[usize::try_from(choice)?];
            let number = 1 + chance.below(u64::try_from(second.count)?);
            victim.examine(kill(&life, second, usize::try_from(number)?)?)?;
        }
        victim.finish(&tasks)?;
        Ok((was_hurt, victim.tally))
    }
}

/// A life that is killed before the call with this number, if it comes to it.
fn kill(life: &Life<'_>, series: &Series, number: usize) -> Result<End> {
    let arguments = series.killing(life.directory, number);
    process::finish(&mut life.traced(&arguments)?)
}
