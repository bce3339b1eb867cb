//! A request that an execution end, and what it means for where the execution stands.
//!
//! How the request is stored, and who stops what runs, is decided elsewhere.

use super::{ExecutionState, Failure, FailureKind, Outcome, StepFailureKind};
use crate::Timestamp;
use crate::id::{Actor, StepId};

/// A request that an execution end: it is made once and never taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    /// Who asked.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
}

impl Cancellation {
    /// What is recorded of the visit that was open.
    pub fn outcome(&self) -> Outcome {
        Outcome::failure(StepFailureKind::Cancelled, self.message())
    }

    /// The end of an execution whose last visit was at `step`; none if it had not begun.
    pub fn end(&self, at: Timestamp, step: Option<StepId>) -> ExecutionState {
        let failure = Failure {
            kind: FailureKind::Cancelled,
            message: self.message(),
        };
        ExecutionState::Failed { at, step, failure }
    }

    fn message(&self) -> String {
        match &self.reason {
            Some(reason) => format!("cancelled by {}: {reason}", self.actor),
            None => format!("cancelled by {}", self.actor),
        }
    }
}

/// What became of a request that an execution end.
#[derive(Debug, Clone, PartialEq)]
pub enum Cancelling {
    /// It is recorded, and the execution, of which nothing ran, has ended with it.
    Ended,
    /// It is recorded. An attempt has begun; nothing else will, and whoever holds the execution
    /// ends it.
    Pending,
    /// Somebody asked before; nothing changed.
    Repeated(Cancellation),
    /// The execution had finished before anybody asked.
    Finished(ExecutionState),
}
