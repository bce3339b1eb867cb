//! One step forward of an execution: everything that one transaction writes, and who may write it.

use std::collections::BTreeMap;

use super::{Entry, Execution, ExecutionState, FailedAttempt, Progress, StepResult, Visit};
use crate::approval::Gate;
use crate::id::{ExecutionId, StepId};

/// How often an execution has changed hands; a writer with an older epoch is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u32);

impl Epoch {
    /// The epoch of a new execution.
    pub const FIRST: Self = Self(1);

    /// The epoch of a stored number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number that is stored.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// A new execution with its first visit.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// The execution, in the state that its first visit leaves it in.
    pub execution: Execution,
    /// The visits made so far, the last of which is open unless the execution has ended.
    pub visits: Vec<Visit>,
    /// The gate at which it waits.
    pub gate: Option<Gate>,
    /// The latest results, if it is at rest already.
    pub results: Option<BTreeMap<StepId, StepResult>>,
    /// On which conditions it begins; if it has to wait, nothing of the above is stored but the
    /// execution.
    pub entry: Entry,
}

/// A change of a running execution: all of it is written, or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// The execution.
    pub execution_id: ExecutionId,
    /// The epoch under which the writer holds it.
    pub epoch: Epoch,
    /// What happens to the visit that was open.
    pub open: Option<Visit>,
    /// The attempt of the open visit that failed, if another one follows.
    pub failed: Option<FailedAttempt>,
    /// What the attempt has brought of a model.
    pub progress: Progress,
    /// Visits that are made, in their order.
    pub made: Vec<Visit>,
    /// The gate at which the execution waits from now on.
    pub gate: Option<Gate>,
    /// Where the execution stands afterwards.
    pub state: ExecutionState,
    /// The latest results, if it is at rest afterwards.
    pub results: Option<BTreeMap<StepId, StepResult>>,
}

/// What became of a request to start an execution.
#[derive(Debug, Clone, PartialEq)]
pub enum Started {
    /// It was stored.
    New,
    /// It was stored, and waits for its turn.
    Queued,
    /// It was not stored: so many executions of its workflow are unfinished, and its author wants
    /// no other to wait.
    Skipped(u32),
    /// The idempotency key had been used; this execution was started with it.
    Existing(Box<Execution>),
}

/// An execution that was taken up by an owner.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The execution.
    pub execution: Execution,
    /// The epoch under which its owner writes from now on.
    pub epoch: Epoch,
}

/// Whose timers are meant: gates that expire, and attempts that are due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Those of all executions.
    All,
    /// Those of these executions; for a gateway that leaves the others alone.
    Of(Vec<ExecutionId>),
}
