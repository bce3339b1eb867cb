//! A heartbeat as it is kept: where its file is, and what was told of it.

use std::num::NonZeroU32;

use super::RUNS;
use crate::Timestamp;
use crate::alert::{AlertChange, AlertSource, Finding, Findings, Verdict, derived};
use crate::id::{ExecutionId, HeartbeatName, ScheduleId};
use crate::registry::Registration;
use crate::schedule::ScheduleSpec;

/// A heartbeat as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeartbeatRecord {
    /// Its name, by which its workflow is called, too.
    pub name: HeartbeatName,
    /// Its file.
    pub path: String,
    /// After how many unknown results in a row somebody is told, as its file said last.
    pub unknown_after: NonZeroU32,
    /// When it was first known: its cadence is anchored at the midnight before.
    pub created_at: Timestamp,
    /// When what is kept of it changed last.
    pub updated_at: Timestamp,
    /// The latest fire time that could not be started and of which that was told.
    pub told_until: Option<Timestamp>,
}

/// A heartbeat that is to be kept as its file says now, in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct HeartbeatKeeping {
    /// Its name.
    pub name: HeartbeatName,
    /// Its file.
    pub path: String,
    /// What follows from its file; none if that cannot be read, so that what was known stays.
    pub read: Option<Box<(Registration, NonZeroU32)>>,
    /// Its schedule; one that is known stays as it is if the file cannot be read.
    pub schedule: ScheduleSpec,
    /// Now.
    pub at: Timestamp,
}

/// What a run of a heartbeat came to, which is recorded with its findings, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeartbeatJudgement {
    /// Which run.
    pub run: HeartbeatRun,
    /// What was found; nothing of an execution that belongs to no heartbeat.
    pub findings: Option<Findings>,
    /// Now.
    pub at: Timestamp,
}

/// A run of a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeartbeatRun {
    /// This execution, which has ended.
    Ended(ExecutionId),
    /// This execution, which has ended, and of which nothing can be read: what was known of its
    /// items stays.
    Unreadable(ExecutionId),
    /// A fire time of its schedule at which nothing could be started.
    NotStarted {
        /// The heartbeat.
        name: HeartbeatName,
        /// The fire time.
        fire_time: Timestamp,
    },
}

/// A fire time of a heartbeat's schedule at which nothing could be started, and of which nobody was
/// told yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UntoldFire {
    /// The heartbeat.
    pub name: HeartbeatName,
    /// Its schedule.
    pub schedule: ScheduleId,
    /// The fire time.
    pub fire_time: Timestamp,
    /// When that was recorded.
    pub at: Timestamp,
    /// Why nothing could be started.
    pub reason: String,
    /// After how many of them somebody is told.
    pub unknown_after: NonZeroU32,
}

impl UntoldFire {
    /// What it says of the heartbeat itself. There is no execution; what stands for it follows from
    /// the fire.
    pub fn findings(&self) -> Findings {
        let parts = ["fire", self.name.as_ref(), &self.fire_time.to_string()];
        Findings {
            source: AlertSource::Heartbeat(self.name.clone()),
            execution: ExecutionId::new(derived(&parts)),
            at: self.at,
            findings: vec![Finding {
                item: RUNS.to_owned(),
                verdict: Verdict::Unknown {
                    reason: self.reason.clone(),
                },
            }],
            unknown_after: self.unknown_after,
        }
    }
}

/// What became of a judgement that was to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JudgementRecorded {
    /// It was recorded, and this is what it changed.
    New(Vec<AlertChange>),
    /// It was recorded before; nothing has changed.
    Repeated,
}
