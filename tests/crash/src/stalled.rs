//! An owner that is stopped in the middle of an effect, loses its lock, and wakes up after another
//! has taken up its execution: it must not write any more.
//!
//! The lock of a process ends with it, so a kill alone never shows what the fence is for.

use std::process::Child;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::law::{Breach, Law};
use crate::ledger::Outside;
use crate::live::Sync;
use crate::mutant::Mutation;
use crate::process::{self, End, Life};
use crate::survey::{self, Closely};
use crate::tally::Tally;
use crate::verdict::{self, Past};
use crate::workflow;

/// Plays it once.
pub(crate) fn run(mutation: Option<Mutation>) -> Result<Tally> {
    let directory = tempfile::tempdir()?;
    let life = Life {
        directory: directory.path(),
        scenario: "stalled",
        sync: Sync::Full,
        mutation,
    };
    let mut tally = Tally {
        points: 1,
        ..Tally::default()
    };
    let first = Owner::start(&life)?;
    // As a lock goes that a network file system forgets.
    std::fs::remove_file(directory.path().join("agentspace.db.lock"))?;
    let second = Owner::start(&life)?;
    let mut broken = |breach| tally.breaches.push(("stalled".to_owned(), breach));
    let before = words(&life)?;
    let end = first.wake()?;
    let after = words(&life)?;
    if before != after {
        let detail = format!("{before}, then {after}; it ended as {end:?}");
        broken(Breach::new(Law::SupersededWritesNothing, detail));
    }
    match second.wake()? {
        End::Unhurt => {}
        end @ (End::Killed | End::Failed(_)) => {
            broken(Breach::new(Law::ComesToRest, format!("{end:?}")));
        }
    }
    let outside = Outside::read(life.directory)?;
    let survey = survey::take(life.directory, &Closely::All)?.context("there is no database")?;
    let tasks = workflow::tasks(life.scenario)?;
    for breach in verdict::at_rest(&survey, &outside, &Past::default(), &tasks) {
        broken(breach);
    }
    Ok(tally)
}

/// The journals as they stand.
fn words(life: &Life<'_>) -> Result<String> {
    let survey = survey::take(life.directory, &Closely::All)?.context("there is no database")?;
    let words: Vec<String> = survey
        .details
        .values()
        .map(survey::Details::words)
        .collect();
    Ok(words.join("; "))
}

/// A process that has stopped itself.
struct Owner {
    child: Child,
    pid: Pid,
}

impl Owner {
    /// Starts a process and waits until its tool has stopped it.
    fn start(life: &Life<'_>) -> Result<Self> {
        let child = life.command()?.spawn()?;
        let number = i32::try_from(child.id())?;
        let pid = Pid::from_raw(number).context("it has no process id")?;
        let changed = waitpid(Some(pid), WaitOptions::UNTRACED)?;
        match changed {
            Some((_, status)) if status.stopped() => Ok(Self { child, pid }),
            Some(_) | None => bail!("the process ended before it stopped"),
        }
    }

    /// Lets it go on to its end.
    fn wake(self) -> Result<End> {
        kill_process(self.pid, Signal::CONT)?;
        process::wait(self.child)
    }
}
