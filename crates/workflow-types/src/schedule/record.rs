//! A schedule as it stands, and everything that changes where it stands.
//!
//! Pure: a change is worked out here, whole, and written by whoever has asked for it, unless
//! somebody else has changed the schedule meanwhile.

use std::time::Duration;

use serde_json::Value;

use super::fire::{FireWord, Missed};
use super::id::ScheduleName;
use super::interval::back;
use super::plan;
use super::policy::Policies;
use super::timing::Timing;
use super::zone::TZ_DATABASE_VERSION;
use crate::Timestamp;
use crate::id::{HeartbeatName, ScheduleId, WorkflowId};
use crate::words::words;

/// What somebody wants of a schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleSpec {
    /// Its id.
    pub id: ScheduleId,
    /// What people call it.
    pub name: ScheduleName,
    /// The workflow that it starts; without one, nothing is started and every fire says so.
    pub workflow: Option<WorkflowId>,
    /// The input of what it starts.
    pub input: Value,
    /// When it fires.
    pub timing: Timing,
    /// What becomes of fire times that were missed or that overlap, and when it ends.
    pub policies: Policies,
}

/// Who keeps a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeper {
    /// Whoever added it.
    People,
    /// The `trigger` of this workflow, which it follows.
    Trigger(WorkflowId),
    /// The file of this heartbeat, which it follows.
    Heartbeat(HeartbeatName),
}

/// How often a schedule has changed; whoever has seen an older one may not write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(u32);

impl Revision {
    /// The revision of a new schedule.
    pub const FIRST: Self = Self(1);

    /// The revision of a stored number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number that is stored.
    pub const fn number(self) -> u32 {
        self.0
    }

    pub(super) fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// A schedule as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// What it is to do.
    pub spec: ScheduleSpec,
    /// Who keeps it.
    pub keeper: Keeper,
    /// Where it stands.
    pub standing: Standing,
    /// How many of its fires were started, by itself: those that `maxRuns` counts.
    pub runs: u32,
    /// The latest fire time of which a fire is recorded: none at or before it comes again.
    pub last_fire: Option<Timestamp>,
    /// When it last started an execution.
    pub last_run_at: Option<Timestamp>,
    /// Since when its timing holds: its fire times are later.
    pub effective_from: Timestamp,
    /// The release of the tz database that its next fire time was computed with.
    pub tz_database: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When somebody changed it last; fires do not count.
    pub updated_at: Timestamp,
    /// How often it has changed; fires count.
    pub revision: Revision,
}

/// Where a schedule stands, with exactly the data of that state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It fires.
    Active(Next),
    /// It does not fire.
    Off {
        /// Why.
        why: Off,
        /// Since when.
        since: Timestamp,
    },
}

/// The fire that comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// The nominal time, which is its key.
    pub fire_time: Timestamp,
    /// When the scheduler looks at it: later by the schedule's jitter, or when its turn comes among
    /// many that are caught up.
    pub due_at: Timestamp,
    /// Whether it was found young enough to be caught up, and only waits for its turn.
    pub owed: bool,
}

words! {
    /// Why a schedule does not fire.
    Off {
        /// Somebody paused it.
        Paused = "paused",
        /// It has reached `maxRuns`, or its timing names no more times.
        Completed = "completed",
        /// So many of its executions failed in a row that it was paused.
        Failing = "failing",
        /// The workflow whose `trigger` it follows has none any more, or the heartbeat whose file it
        /// follows is gone.
        Detached = "detached",
    }
}

/// A change of a schedule: all of it is written, or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The schedule afterwards.
    pub schedule: Schedule,
    /// The revision that was changed.
    pub before: Revision,
    /// Fire times that are recorded as missed with it.
    pub missed: Missed,
    /// When it is made.
    pub at: Timestamp,
}

/// Why nothing can be changed as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// No fire time is left.
    #[error("{when} names no time after {now}; name a later one")]
    NothingLeft {
        /// The timing.
        when: String,
        /// Now.
        now: Timestamp,
    },
    /// It completes before it fires again.
    #[error("it has run {runs} times and `maxRuns` is {most}; raise `maxRuns`, or leave it out")]
    LimitReached {
        /// How often it has run.
        runs: u32,
        /// Its limit.
        most: i64,
    },
}

impl Schedule {
    /// A new schedule, whose first fire time is later than now.
    ///
    /// # Errors
    /// If its timing names no such time.
    pub fn create(
        spec: ScheduleSpec,
        keeper: Keeper,
        now: Timestamp,
    ) -> Result<Self, ScheduleError> {
        let mut schedule = Self {
            spec,
            keeper,
            standing: Standing::Off {
                why: Off::Completed,
                since: now,
            },
            runs: 0,
            last_fire: None,
            last_run_at: None,
            effective_from: now,
            tz_database: TZ_DATABASE_VERSION.to_owned(),
            created_at: now,
            updated_at: now,
            revision: Revision::FIRST,
        };
        schedule.wake(now)?;
        Ok(schedule)
    }

    /// Whether it fires.
    pub fn is_active(&self) -> bool {
        matches!(self.standing, Standing::Active(_))
    }

    /// The fire that comes next, unless it is off.
    pub fn next(&self) -> Option<Next> {
        match self.standing {
            Standing::Active(next) => Some(next),
            Standing::Off { .. } => None,
        }
    }

    /// How much later than its fire times it acts.
    pub fn delay(&self) -> Duration {
        self.spec.policies.delay(&self.spec.id)
    }

    /// The fire time that follows one.
    pub fn following(&self, fire_time: Timestamp) -> Option<Timestamp> {
        self.spec.timing.next(fire_time.max(self.effective_from))
    }

    /// The fire times that come next, were nothing changed; none if it is off. Its limit of runs is
    /// kept.
    pub fn upcoming(&self) -> impl Iterator<Item = Timestamp> + '_ {
        let first = self.next().map(|next| next.fire_time);
        let most = self.spec.policies.max_runs.map_or(usize::MAX, |most| {
            let left = most.into_inner().saturating_sub(i64::from(self.runs));
            usize::try_from(left).unwrap_or(usize::MAX)
        });
        std::iter::successors(first, |last| self.following(*last)).take(most)
    }

    /// The times from one to another, both included, that its timing names, whether or not it fired
    /// then.
    pub fn times_between(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = Timestamp> + '_ {
        let before = back(from, Duration::from_millis(1));
        self.spec
            .timing
            .times(before)
            .take_while(move |time| *time <= to)
    }

    /// With another specification; run count and history stay.
    ///
    /// A fire time that is due already is not lost: it runs yet, and earlier ones are recorded. With
    /// the same timing, the next fire time stays. One that had completed goes on if it can.
    pub fn edited(&self, spec: ScheduleSpec, now: Timestamp) -> Change {
        let is_retimed = spec.timing != self.spec.timing;
        let mut schedule = Self {
            spec,
            updated_at: now,
            ..self.clone()
        };
        let mut missed = Missed::default();
        match self.standing {
            Standing::Active(_) if is_retimed => {
                schedule.effective_from = now;
                let due = plan::due(self, now);
                missed = due.but_the_last();
                match due.last() {
                    Some(last) => schedule.look_at(last),
                    None => schedule.advance(now, now),
                }
            }
            // Whose turn has been found keeps it, unless what that follows from has changed.
            Standing::Active(_) if self.is_due_as(&schedule) => {}
            Standing::Active(next) => schedule.look_at(next.fire_time),
            Standing::Off {
                why: Off::Completed,
                ..
            } => {
                schedule.effective_from = now;
                // If it cannot go on, it stays as it was.
                let _ = schedule.wake(now);
            }
            Standing::Off { .. } => {}
        }
        schedule.complete_at_limit(now);
        self.change(schedule, missed, now)
    }

    /// Whether it comes to the same: when it is looked at, and what of that runs.
    fn is_due_as(&self, other: &Self) -> bool {
        let (own, others) = (&self.spec.policies, &other.spec.policies);
        self.delay() == other.delay()
            && (own.misfire, own.catch_up) == (others.misfire, others.catch_up)
    }

    /// Why it could not fire any more, were it resumed now; none if it could.
    pub fn wake_problem(&self, now: Timestamp) -> Option<ScheduleError> {
        self.clone().wake(now).err()
    }

    /// Switched off; fire times that were due are recorded as missed.
    pub fn stopped(&self, why: Off, now: Timestamp) -> Change {
        let schedule = Self {
            standing: Standing::Off { why, since: now },
            updated_at: now,
            ..self.clone()
        };
        self.change(schedule, plan::due(self, now).all(), now)
    }

    /// Switched on again; what came meanwhile is not caught up.
    ///
    /// # Errors
    /// If no fire time is left, or its limit is reached.
    pub fn resumed(&self, now: Timestamp) -> Result<Change, ScheduleError> {
        let mut schedule = Self {
            updated_at: now,
            effective_from: now,
            ..self.clone()
        };
        schedule.wake(now)?;
        Ok(self.change(schedule, Missed::default(), now))
    }

    /// With these fire times recorded as missed, and the next one to run when it is its turn.
    pub fn deferred(&self, missed: Missed, turn: Next, now: Timestamp) -> Change {
        let schedule = Self {
            standing: Standing::Active(turn),
            ..self.clone()
        };
        self.change(schedule, missed, now)
    }

    /// With these fire times recorded as missed, and gone on to the first one later than `until`.
    pub fn passed_over(&self, missed: Missed, until: Timestamp, now: Timestamp) -> Change {
        let mut schedule = self.clone();
        schedule.advance(until, now);
        self.change(schedule, missed, now)
    }

    /// With its next fire time computed anew, because the tz database has changed.
    pub fn recomputed(&self, now: Timestamp) -> Change {
        let mut schedule = Self {
            tz_database: TZ_DATABASE_VERSION.to_owned(),
            ..self.clone()
        };
        // One that was due when the timing was changed belongs to the timing before.
        let own = self
            .next()
            .filter(|next| next.fire_time > self.effective_from);
        if own.is_some() {
            schedule.advance(self.last_fire.unwrap_or(self.effective_from), now);
        }
        self.change(schedule, Missed::default(), now)
    }

    /// Gone on after a fire: it is recorded, and counted if it was started.
    #[must_use]
    pub fn fired(&self, fire_time: Timestamp, outcome: FireWord, now: Timestamp) -> Self {
        let mut schedule = self.clone();
        schedule.last_fire = schedule.last_fire.max(Some(fire_time));
        schedule.revision = self.revision.next();
        if outcome == FireWord::Started {
            schedule.runs = self.runs.saturating_add(1);
            schedule.last_run_at = Some(now);
        }
        if self.next().is_some_and(|next| next.fire_time <= fire_time) {
            schedule.advance(fire_time, now);
        }
        schedule.complete_at_limit(now);
        schedule
    }

    /// Whether so many runs are all that it may have.
    pub fn is_exhausted_by(&self, runs: usize) -> bool {
        let runs = i64::try_from(runs).unwrap_or(i64::MAX);
        let most = self.spec.policies.max_runs;
        most.is_some_and(|most| runs >= most.into_inner())
    }

    fn change(&self, mut schedule: Self, missed: Missed, at: Timestamp) -> Change {
        schedule.note(&missed);
        schedule.revision = self.revision.next();
        Change {
            schedule,
            before: self.revision,
            missed,
            at,
        }
    }

    /// Remembers the latest of what is recorded.
    fn note(&mut self, missed: &Missed) {
        self.last_fire = self.last_fire.max(missed.last());
    }

    /// Makes it fire at the first time after now that has not been recorded.
    fn wake(&mut self, now: Timestamp) -> Result<(), ScheduleError> {
        if let Some(most) = self.spec.policies.max_runs
            && self.is_exhausted_by(usize::try_from(self.runs).unwrap_or(usize::MAX))
        {
            return Err(ScheduleError::LimitReached {
                runs: self.runs,
                most: most.into_inner(),
            });
        }
        let after = self.last_fire.map_or(now, |last| last.max(now));
        let Some(first) = self.spec.timing.next(after) else {
            return Err(ScheduleError::NothingLeft {
                when: self.spec.timing.kind().to_string(),
                now,
            });
        };
        self.look_at(first);
        Ok(())
    }

    /// Goes on to the first fire time later than `after` that has not been recorded, or ends.
    fn advance(&mut self, after: Timestamp, now: Timestamp) {
        let after = self.last_fire.map_or(after, |last| last.max(after));
        match self.following(after) {
            Some(next) => self.look_at(next),
            None => self.complete(now),
        }
    }

    fn look_at(&mut self, fire_time: Timestamp) {
        self.standing = Standing::Active(Next {
            fire_time,
            due_at: fire_time.saturating_add(self.delay()),
            owed: false,
        });
    }

    fn complete_at_limit(&mut self, now: Timestamp) {
        let runs = usize::try_from(self.runs).unwrap_or(usize::MAX);
        if self.is_active() && self.is_exhausted_by(runs) {
            self.complete(now);
        }
    }

    fn complete(&mut self, now: Timestamp) {
        self.standing = Standing::Off {
            why: Off::Completed,
            since: now,
        };
    }
}

/// What becomes of a schedule that follows a file when that is read.
#[derive(Debug, Clone, PartialEq)]
pub enum Following {
    /// Nothing.
    Unchanged,
    /// It is added.
    Added(Box<Schedule>),
    /// It is changed.
    Changed(Box<Change>),
}

/// Makes a schedule follow its keeper, of whose `trigger`, or file, `wanted` is made.
///
/// With the same trigger, nothing changes: neither the run count, nor the next fire time, nor that
/// somebody has paused it. Without a trigger it is switched off and kept, for its history; with one
/// again it goes on. A trigger that names no more times makes none.
pub fn follow(
    keeper: &Keeper,
    known: Option<&Schedule>,
    wanted: Option<ScheduleSpec>,
    now: Timestamp,
) -> Following {
    let changed = |change| Following::Changed(Box::new(change));
    match (known, wanted) {
        (None, None) => Following::Unchanged,
        (None, Some(spec)) => {
            let created = Schedule::create(spec, keeper.clone(), now);
            created.map_or(Following::Unchanged, |schedule| {
                Following::Added(Box::new(schedule))
            })
        }
        (Some(known), None) => match known.standing {
            Standing::Off {
                why: Off::Detached, ..
            } => Following::Unchanged,
            Standing::Off { .. } | Standing::Active(_) => {
                changed(known.stopped(Off::Detached, now))
            }
        },
        (Some(known), Some(spec)) => {
            // It keeps the id that it got.
            let spec = ScheduleSpec {
                id: known.spec.id.clone(),
                ..spec
            };
            match known.standing {
                Standing::Off {
                    why: Off::Detached, ..
                } => changed(reattached(known, spec, now)),
                Standing::Off { .. } | Standing::Active(_) if known.spec == spec => {
                    Following::Unchanged
                }
                Standing::Off { .. } | Standing::Active(_) => changed(known.edited(spec, now)),
            }
        }
    }
}

fn reattached(known: &Schedule, spec: ScheduleSpec, now: Timestamp) -> Change {
    let mut schedule = Schedule {
        spec,
        updated_at: now,
        effective_from: now,
        ..known.clone()
    };
    if schedule.wake(now).is_err() {
        schedule.complete(now);
    }
    known.change(schedule, Missed::default(), now)
}
