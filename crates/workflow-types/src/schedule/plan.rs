//! What is to be done with a schedule now: which fire times run and which are recorded as missed
//! (rules F3 and F5).
//!
//! Pure, and the same for a schedule that is on time, one that was not looked at for a year, and
//! one whose clock was set.

use std::time::Duration;

use super::fire::{Gap, Missed};
use super::interval::back;
use super::policy::{LONGEST_CATCH_UP, MOST_CAUGHT_UP, Misfire, Overlap};
use super::record::Schedule;
use crate::Timestamp;

/// How late a fire may be and still be on time: the longest nap of the timer, after which it
/// notices that the machine has slept.
pub const ON_TIME: Duration = Duration::from_secs(30);

/// What is to be done with a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Nothing: it is off.
    Nothing,
    /// Nothing before this instant.
    Wait {
        /// When to look again.
        until: Timestamp,
    },
    /// What is due is recorded as missed, and nothing runs.
    PassOver {
        /// What is due.
        missed: Missed,
        /// The latest of it.
        last: Timestamp,
    },
    /// Some of what is due runs.
    Run {
        /// What is recorded as missed, all of it before what runs.
        missed: Missed,
        /// What runs, the oldest first; at least one.
        runs: Vec<Run>,
    },
}

/// A fire time that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The nominal time.
    pub fire_time: Timestamp,
    /// Whether it is so late that it is caught up.
    pub is_late: bool,
}

/// What is to be done with a schedule now.
///
/// ```
/// use workflow_types::schedule::{Keeper, Plan, Schedule, ScheduleSpec, Timing, plan};
///
/// # let at = |text: &str| text.parse::<workflow_types::Timestamp>();
/// let (monday, tuesday) = (at("2026-02-02T12:00:00Z")?, at("2026-02-03T12:00:00Z")?);
/// let spec = ScheduleSpec {
///     id: "noon".parse()?,
///     name: "Noon".parse()?,
///     workflow: Some("lunch".parse()?),
///     input: serde_json::json!({}),
///     timing: Timing::resolve("0 12 * * *".parse()?, "UTC".parse()?, None, monday)?,
///     policies: Default::default(),
/// };
/// let schedule = Schedule::create(spec, Keeper::People, monday)?;
/// assert_eq!(plan(&schedule, monday), Plan::Wait { until: tuesday });
/// assert!(matches!(plan(&schedule, tuesday), Plan::Run { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn plan(schedule: &Schedule, now: Timestamp) -> Plan {
    let Some(next) = schedule.next() else {
        return Plan::Nothing;
    };
    if next.due_at > now {
        return Plan::Wait { until: next.due_at };
    }
    let due = due(schedule, now);
    let Some(last) = due.last() else {
        // Its turn came, and then the clock was set back to before its time.
        let until = next.fire_time.saturating_add(schedule.delay());
        return Plan::Wait { until };
    };
    let first = due.runs_from(schedule, next.owed, now);
    let (missed, runs) = due.split_at(first);
    if runs.is_empty() {
        return Plan::PassOver { missed, last };
    }
    let runs = runs.into_iter().map(|fire_time| Run {
        fire_time,
        is_late: lateness(schedule, fire_time, now) > ON_TIME,
    });
    Plan::Run {
        missed,
        runs: runs.collect(),
    }
}

/// The fire times of a schedule that have come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    gap: Option<Gap>,
    times: Vec<Timestamp>,
}

/// The fire times of a schedule that have come and of which nothing is recorded.
pub(super) fn due(schedule: &Schedule, now: Timestamp) -> Due {
    let until = back(now, schedule.delay());
    let mut due = Due {
        gap: None,
        times: Vec::new(),
    };
    let next = schedule.next().map(|next| next.fire_time);
    let Some(next) = next.filter(|next| *next <= until) else {
        return due;
    };
    let timing = &schedule.spec.timing;
    let latest = timing.latest(next.max(schedule.effective_from), until, MOST_CAUGHT_UP);
    due.times = latest.times;
    match due.times.first() {
        Some(first) if latest.are_earlier => {
            due.gap = Some(Gap {
                first: next,
                before: *first,
            });
        }
        Some(_) | None => due.times.insert(0, next),
    }
    due
}

impl Due {
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.times.last().copied()
    }

    /// All of it, as missed.
    pub(super) fn all(self) -> Missed {
        let Self { gap, times } = self;
        Missed { gap, times }
    }

    /// All but the last, as missed.
    pub(super) fn but_the_last(&self) -> Missed {
        let times = self.times.len().saturating_sub(1);
        self.clone().split_at(times).0
    }

    fn split_at(self, first: usize) -> (Missed, Vec<Timestamp>) {
        let Self { gap, mut times } = self;
        let runs = times.split_off(first.min(times.len()));
        (Missed { gap, times }, runs)
    }

    /// The place of the first fire time that runs; behind the last one if none does.
    fn runs_from(&self, schedule: &Schedule, is_owed: bool, now: Timestamp) -> usize {
        let count = self.times.len();
        let last = count.saturating_sub(1);
        let policies = &schedule.spec.policies;
        let late = |time: Timestamp| lateness(schedule, time, now);
        let Some(newest) = self.last() else {
            return 0;
        };
        let is_owed = is_owed && count == 1;
        if schedule.spec.timing.is_once() || is_owed || late(newest) <= ON_TIME {
            return match policies.misfire {
                Misfire::All => self.caught_up_from(schedule, now).min(last),
                Misfire::Latest | Misfire::Skip => last,
            };
        }
        match policies.misfire {
            Misfire::Skip => count,
            Misfire::Latest if late(newest) <= catch_up(schedule, newest) => last,
            Misfire::Latest => count,
            Misfire::All => self.caught_up_from(schedule, now),
        }
    }

    /// The place of the first fire time that is caught up where all are.
    fn caught_up_from(&self, schedule: &Schedule, now: Timestamp) -> usize {
        let most = self.times.len().saturating_sub(MOST_CAUGHT_UP);
        let Some(age) = schedule.spec.policies.catch_up else {
            return most;
        };
        let is_too_old = |time: &Timestamp| lateness(schedule, *time, now) > age;
        self.times.partition_point(is_too_old).max(most)
    }
}

/// How long ago a fire time should have run.
fn lateness(schedule: &Schedule, fire_time: Timestamp, now: Timestamp) -> Duration {
    now.since(fire_time.saturating_add(schedule.delay()))
}

/// How old the most recent fire time may be to be caught up: half the distance to the one after it,
/// at most twelve hours, unless the schedule says otherwise.
fn catch_up(schedule: &Schedule, fire_time: Timestamp) -> Duration {
    let half = || {
        let next = schedule.following(fire_time);
        next.map_or(LONGEST_CATCH_UP, |next| next.since(fire_time) / 2)
    };
    let policies = &schedule.spec.policies;
    policies
        .catch_up
        .unwrap_or_else(|| half().min(LONGEST_CATCH_UP))
}

/// The executions of a schedule that are in the way of its next, and what waits already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InTheWay {
    /// How many executions are not finished; those that the policy passes over left out.
    pub unfinished: usize,
    /// How many fires are buffered.
    pub buffered: usize,
}

/// What overlap makes of a fire (rule F4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlapped {
    /// It starts.
    Starts,
    /// It starts, and what is not finished is cancelled.
    Replaces,
    /// It waits.
    Waits,
    /// It does not run.
    Skipped {
        /// What stands in its way.
        reason: String,
    },
}

/// What overlap makes of a fire time of a schedule.
pub fn overlap(schedule: &Schedule, found: &InTheWay) -> Overlapped {
    let InTheWay {
        unfinished,
        buffered,
    } = *found;
    let policies = &schedule.spec.policies;
    let skipped = |reason: String| Overlapped::Skipped { reason };
    let are = if unfinished == 1 { "is" } else { "are" };
    let promised = usize::try_from(schedule.runs).unwrap_or(usize::MAX) + buffered;
    match policies.overlap {
        Overlap::Allow => Overlapped::Starts,
        Overlap::Skip | Overlap::CancelOther if unfinished == 0 => Overlapped::Starts,
        // What waits goes first.
        Overlap::BufferOne | Overlap::BufferAll if unfinished + buffered == 0 => Overlapped::Starts,
        Overlap::CancelOther => Overlapped::Replaces,
        Overlap::Skip => skipped(format!("{unfinished} of its executions {are} not finished")),
        Overlap::BufferOne if buffered > 0 => skipped("one fire waits already".to_owned()),
        Overlap::BufferAll if buffered >= MOST_CAUGHT_UP => {
            skipped(format!("{buffered} fires wait already"))
        }
        Overlap::BufferOne | Overlap::BufferAll if schedule.is_exhausted_by(promised) => skipped(
            format!("{buffered} fires wait already, and `maxRuns` allows no more"),
        ),
        Overlap::BufferOne | Overlap::BufferAll => Overlapped::Waits,
    }
}
