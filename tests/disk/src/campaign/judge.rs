//! The life after a cut: everything ends as it would have, and no effect is one too many.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway::workflow_types::id::ExecutionId;
use gateway::{Durability, ErrorKind};
use tokio::runtime::Runtime;

use super::Recorded;
use crate::disk::{Disk, Image};
use crate::event::Effect;
use crate::facts::{Broken, Facts};
use crate::life::{Ends, Life, Trust, told};
use crate::mount::Slot;
use crate::remains::Outcome;
use crate::world::{ONCE, Task, Work, effects};

/// What a second life begins with.
pub(crate) struct Second {
    pub(crate) work: Work,
    pub(crate) promised: Durability,
    pub(crate) outcome: Outcome,
    /// What the tools had done before the cut.
    pub(crate) earlier: Vec<Effect>,
    pub(crate) image: Image,
}

/// How often each attempt of each step of a task reached its tool.
pub(crate) type Calls = BTreeMap<(Task, String, String, u32), usize>;

impl Second {
    pub(crate) fn live(
        self,
        (slot, runtime): (&Slot, &Runtime),
        recorded: &Recorded,
    ) -> Result<(), Broken> {
        let disk = Disk::holding(self.image);
        slot.insert(Arc::clone(&disk));
        let found = Facts::read(slot.database())?;
        check(slot, runtime, &found)?;
        let earlier = Arc::new(self.earlier);
        let life = Life {
            slot,
            disk: Arc::clone(&disk),
            work: self.work,
            durability: self.promised,
            earlier: Arc::clone(&earlier),
        };
        let ends = life.live(Trust::Sound, runtime)?;
        check(slot, runtime, &Facts::read(slot.database())?)?;
        same_ends(&ends, &recorded.ends)?;
        let later = effects(&disk.record());
        if let Some(effect) = later.iter().find(|effect| found.is_done(effect)) {
            let message = format!("{effect:?} after its result was recorded");
            return Err(Broken::Duplicated(message));
        }
        let all: Vec<_> = earlier.iter().chain(&later).cloned().collect();
        let is_owed = self.promised == Durability::Full || self.outcome == Outcome::All;
        judge(&ends, &all, (&recorded_calls(recorded), is_owed))
    }
}

/// Our own rules hold, once there is a schema that they can be asked of.
pub(crate) fn check(slot: &Slot, runtime: &Runtime, facts: &Facts) -> Result<(), Broken> {
    match runtime.block_on(gateway::database::check(slot.database())) {
        Ok(problems) if problems.is_empty() => Ok(()),
        Ok(problems) => Err(Broken::Corrupt(problems.join("; "))),
        Err(error) if error.kind() == ErrorKind::Unusable && facts.executions.is_empty() => Ok(()),
        Err(error) => Err(Broken::Corrupt(told(&error))),
    }
}

pub(crate) fn same_ends(ends: &Ends, expected: &Ends) -> Result<(), Broken> {
    for (task, (_, end)) in expected {
        let found = ends.get(task).map(|(_, end)| end);
        if found != Some(end) {
            let message = format!("{task:?} ended as {found:?} instead of {end:?}");
            return Err(Broken::Stuck(message));
        }
    }
    Ok(())
}

pub(crate) fn recorded_calls(recorded: &Recorded) -> Calls {
    calls(&recorded.ends, &effects(&recorded.events)).0
}

/// The calls by what they were for, and those of executions that are not there.
fn calls<'a>(ends: &Ends, all: &'a [Effect]) -> (Calls, Vec<&'a Effect>) {
    let tasks: BTreeMap<ExecutionId, &Task> =
        ends.iter().map(|(task, (id, _))| (*id, task)).collect();
    let (mut calls, mut strangers) = (Calls::new(), Vec::new());
    for effect in all {
        let (id, visit) = effect.key.split_once('/').unwrap_or((&effect.key, ""));
        let task = id.parse().ok().and_then(|id| tasks.get(&id));
        match task {
            Some(task) => {
                let tool = effect.tool.clone();
                let call = ((*task).clone(), visit.to_owned(), tool, effect.attempt);
                *calls.entry(call).or_default() += 1;
            }
            None => strangers.push(effect),
        }
    }
    (calls, strangers)
}

/// Nothing was done too often, and nothing was left out. Where commits may be taken back, effects
/// may be, too: then all that is owed is that nothing is recorded that did not happen.
pub(crate) fn judge(
    ends: &Ends,
    all: &[Effect],
    (expected, is_owed): (&Calls, bool),
) -> Result<(), Broken> {
    let (calls, strangers) = calls(ends, all);
    if let Some(call) = expected.keys().find(|call| !calls.contains_key(call)) {
        return Err(Broken::Lost(format!("{call:?} did not happen")));
    }
    if !is_owed {
        return Ok(());
    }
    if let Some(effect) = strangers.first() {
        let message = format!("the execution of {effect:?}");
        return Err(Broken::Lost(message));
    }
    if let Some(call) = calls.keys().find(|call| !expected.contains_key(call)) {
        return Err(Broken::Duplicated(format!("{call:?} should not happen")));
    }
    let twice = calls
        .iter()
        .find(|((_, _, tool, _), times)| tool == ONCE && **times > 1);
    match twice {
        Some((call, times)) => Err(Broken::Duplicated(format!(
            "{call:?} happened {times} times"
        ))),
        None => Ok(()),
    }
}
