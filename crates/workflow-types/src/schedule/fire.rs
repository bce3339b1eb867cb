//! What happened at fire times, one record for each (rule F1), and what is asked for it.

use std::sync::Arc;
use std::time::Duration;

use crate::Timestamp;
use crate::execution::{Cancelling, Start, Started};
use crate::id::{ExecutionId, ScheduleId};
use crate::words::words;

use super::interval::back;
use super::record::Schedule;

/// What became of one fire time of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FireRecord {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The nominal time: with the schedule, its key.
    pub fire_time: Timestamp,
    /// What became of it.
    pub outcome: FireOutcome,
    /// What brought it about.
    pub cause: FireCause,
    /// When it was recorded as it is.
    pub at: Timestamp,
}

/// What became of a fire time, with exactly the data of that outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FireOutcome {
    /// An execution was started.
    Started {
        /// The execution; none if it has been deleted.
        execution: Option<ExecutionId>,
    },
    /// It came while another execution was not finished.
    SkippedOverlap {
        /// What stood in its way.
        reason: String,
    },
    /// It passed while nobody could act, and was not caught up.
    Missed,
    /// It waits until another execution has ended.
    Buffered,
    /// Nothing could be started.
    FailedToStart {
        /// Why.
        reason: String,
    },
}

impl FireOutcome {
    /// The outcome without its data.
    pub const fn word(&self) -> FireWord {
        match self {
            Self::Started { .. } => FireWord::Started,
            Self::SkippedOverlap { .. } => FireWord::SkippedOverlap,
            Self::Missed => FireWord::Missed,
            Self::Buffered => FireWord::Buffered,
            Self::FailedToStart { .. } => FireWord::FailedToStart,
        }
    }
}

words! {
    /// What became of a fire time, without its data.
    FireWord {
        /// An execution was started.
        Started = "started",
        /// It came while another execution was not finished.
        SkippedOverlap = "skipped_overlap",
        /// It passed while nobody could act, and was not caught up.
        Missed = "missed",
        /// It waits until another execution has ended.
        Buffered = "buffered",
        /// Nothing could be started.
        FailedToStart = "failed_to_start",
    }
}

words! {
    /// What brought a fire about.
    FireCause {
        /// Its time came.
        Time = "time",
        /// Its time had passed, and it was caught up.
        CatchUp = "catch_up",
        /// Somebody asked for it later.
        Backfill = "backfill",
    }
}

/// A stretch of which no fire time ran and so many were missed that they are not recorded one by
/// one: all from `first` on and before `before`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The first one.
    pub first: Timestamp,
    /// The first time that is not meant any more.
    pub before: Timestamp,
}

/// Fire times that were missed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missed {
    /// Those that lie so far back, and are so many, that they are recorded as one.
    pub gap: Option<Gap>,
    /// Those that are recorded one by one, in order: at most a thousand and one.
    pub times: Vec<Timestamp>,
}

impl Missed {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.gap.is_none() && self.times.is_empty()
    }

    /// The latest fire time of which it says something.
    pub fn last(&self) -> Option<Timestamp> {
        let instant = Duration::from_millis(1);
        let last = self.times.last().copied();
        last.or(self.gap.map(|gap| back(gap.before, instant)))
    }
}

/// A request to fire: to record a fire time, and to start an execution for it if nothing stands in
/// its way, in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Firing {
    /// The schedule as it was read, and planned with.
    pub schedule: Arc<Schedule>,
    /// The fire time.
    pub fire_time: Timestamp,
    /// Which fire time it is, and why now.
    pub slot: Slot,
    /// What is started, or why nothing can be.
    pub start: Result<Arc<Start>, String>,
    /// Now.
    pub at: Timestamp,
}

/// Which fire time of a schedule is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The next one, at its time.
    Due,
    /// The next one, which is late.
    Late,
    /// One that was buffered and has waited longest.
    Buffered,
    /// One that has passed and did not run.
    Backfill,
}

impl Slot {
    /// What brings the fire about.
    pub const fn cause(self) -> FireCause {
        match self {
            Self::Due | Self::Buffered => FireCause::Time,
            Self::Late => FireCause::CatchUp,
            Self::Backfill => FireCause::Backfill,
        }
    }
}

/// What became of a request to fire.
#[derive(Debug, Clone, PartialEq)]
pub struct Fired {
    /// The schedule afterwards.
    pub schedule: Arc<Schedule>,
    /// What is recorded of the fire time.
    pub record: FireRecord,
    /// What became of the start, if the store was asked for one.
    pub started: Option<Started>,
    /// The executions that were cancelled for it, and what that did.
    pub cancelled: Vec<(ExecutionId, Cancelling)>,
    /// Whether this request recorded it; if not, it stands as it was recorded before.
    pub is_new: bool,
}

/// The schedules that are due next, all at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Upcoming {
    /// The instant.
    pub at: Timestamp,
    /// Those that are due then, or as many of them as were asked for.
    pub schedules: Vec<Schedule>,
}

/// Where a page of fires ends, and how many it has: the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirePage {
    /// Only those before this time; none for the newest.
    pub before: Option<Timestamp>,
    /// At most so many.
    pub limit: usize,
}
