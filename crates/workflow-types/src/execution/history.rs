//! Folds the journal into what templates, conditions and the next decision need to know.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::{Outcome, StepFailure, StepResult, StepStatus, Visit, VisitState};
use crate::Timestamp;
use crate::id::StepId;

/// The latest result of each step, the latest failure and the number of visits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    latest: HashMap<StepId, StepRecord>,
    error: Option<String>,
    visits: u32,
}

/// The latest finished visit of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRecord {
    /// Success or failure.
    pub status: StepStatus,
    /// The output of a success; null after a failure.
    pub output: Value,
    /// Why it failed; none after a success.
    pub failure: Option<StepFailure>,
    /// How many attempts it took.
    pub attempts: u32,
    /// When it was over.
    pub completed_at: Timestamp,
}

impl History {
    /// The history of a journal in the order of its visits.
    pub fn fold(visits: impl IntoIterator<Item = Visit>) -> Self {
        let mut history = Self::default();
        for visit in visits {
            history.arrive(visit.number);
            if let VisitState::Done { at, outcome } = visit.state {
                history.record(visit.step, visit.attempt, outcome, at);
            }
        }
        history
    }

    /// Notes that a visit has begun.
    pub fn arrive(&mut self, number: u32) {
        self.visits = self.visits.max(number);
    }

    /// Notes what became of a visit.
    pub fn record(
        &mut self,
        step: StepId,
        attempts: u32,
        outcome: Outcome,
        completed_at: Timestamp,
    ) {
        let (status, output, failure) = match outcome {
            Outcome::Success { output } => (StepStatus::Success, output, None),
            Outcome::Failure(failure) => {
                self.error = Some(failure.message.clone());
                (StepStatus::Failure, Value::Null, Some(failure))
            }
        };
        let record = StepRecord {
            status,
            output,
            failure,
            attempts,
            completed_at,
        };
        self.latest.insert(step, record);
    }

    /// The latest finished visit of a step.
    pub fn step(&self, id: &str) -> Option<&StepRecord> {
        self.latest.get(id)
    }

    /// Every step that has finished, in the order of their ids.
    pub fn steps(&self) -> BTreeMap<&StepId, &StepRecord> {
        self.latest.iter().collect()
    }

    /// The message of the latest failure.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// How many visits there were.
    pub fn visits(&self) -> u32 {
        self.visits
    }

    /// The latest result of each step, with the one that waits at a gate, if any.
    pub fn results(&self, waiting: Option<&StepId>) -> BTreeMap<StepId, StepResult> {
        let mut results: BTreeMap<StepId, StepResult> = self
            .latest
            .iter()
            .map(|(id, record)| (id.clone(), record.result()))
            .collect();
        if let Some(id) = waiting {
            let paused = StepResult {
                status: StepStatus::Paused,
                output: Value::Null,
                completed_at: None,
            };
            results.insert(id.clone(), paused);
        }
        results
    }
}

impl StepRecord {
    /// The reason of a failure.
    pub fn error(&self) -> Option<&str> {
        self.failure
            .as_ref()
            .map(|failure| failure.message.as_str())
    }

    fn result(&self) -> StepResult {
        let output = match &self.failure {
            Some(failure) => Value::String(failure.message.clone()),
            None => self.output.clone(),
        };
        StepResult {
            status: self.status,
            output,
            completed_at: Some(self.completed_at),
        }
    }
}
