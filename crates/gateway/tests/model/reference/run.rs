//! One execution of the reference, and what its open visit needs next.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway::workflow_types::Timestamp;
use gateway::workflow_types::approval::{Gate, Vote};
use gateway::workflow_types::execution::{
    Cancellation, ExecutionState, FailedAttempt, Failure, FailureKind, Outcome, StepResult,
    StepStatus, TriggeredBy, Visit, VisitState,
};
use gateway::workflow_types::id::{ExecutionId, StepId};
use serde_json::Value;

use std::collections::BTreeSet;

use super::attempt::Calling;
use super::{Moment, Phase, SOME_TEXT};
use crate::ledger::Call;
use crate::plan::{Edition, Replies};

/// One execution.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) id: ExecutionId,
    pub(crate) flow: usize,
    pub(crate) flow_id: &'static str,
    pub(crate) edition: Arc<Edition>,
    pub(crate) input: Value,
    pub(crate) by: TriggeredBy,
    pub(crate) key: Option<u8>,
    pub(crate) origin: Option<ExecutionId>,
    pub(crate) started_at: Timestamp,
    /// Whether it has had its turn.
    pub(crate) begun: bool,
    pub(crate) visits: Vec<Visit>,
    pub(crate) attempts: Vec<FailedAttempt>,
    pub(crate) gates: Vec<Asked>,
    pub(crate) cancelled: Option<Cancellation>,
    pub(crate) state: ExecutionState,
    /// What the process does with its open visit; gone when it dies.
    pub(crate) doing: Doing,
    /// Every call that was made for it.
    pub(crate) calls: Vec<Call>,
    pub(super) features: BTreeSet<&'static str>,
}

/// A gate with the votes that counted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) gate: Gate,
    pub(crate) votes: Vec<Vote>,
}

/// What a process does with an open visit.
#[derive(Debug, Clone)]
pub(crate) enum Doing {
    Nothing,
    Calls(Calling),
    /// It was stopped in the middle, and nothing more is done in this process.
    GivenUp,
    /// A process before had begun it.
    Interrupted,
}

impl Run {
    pub(crate) fn is_finished(&self) -> bool {
        self.state.status().is_finished()
    }

    /// One move: a transaction, or a call.
    pub(super) fn step(&mut self, moment: Moment, replies: &Replies) -> bool {
        let works = moment.phase == Phase::Works;
        match &self.state {
            ExecutionState::Completed { .. } | ExecutionState::Failed { .. } => false,
            ExecutionState::Paused { .. } => works && self.expire(moment),
            ExecutionState::Running => match self.visits.last().map(|open| open.state.clone()) {
                None if works => {
                    let first = self.edition.definition.first_step().id().clone();
                    self.visit(moment, &first);
                    true
                }
                Some(VisitState::Begun) => self.perform(moment, replies),
                Some(VisitState::Ready) if works => {
                    self.begin_what_is_ready(moment);
                    true
                }
                Some(VisitState::Waiting) if works => {
                    self.pass(moment);
                    true
                }
                Some(VisitState::BackingOff { until, .. }) if works && until <= moment.now => {
                    let open = self.open();
                    open.attempt += 1;
                    open.state = VisitState::Begun;
                    true
                }
                None
                | Some(VisitState::Ready | VisitState::Waiting | VisitState::BackingOff { .. }) => {
                    false
                }
                Some(VisitState::Done { .. }) => panic!("it runs without an open visit"),
            },
        }
    }

    /// The process ends, and another begins.
    pub(super) fn interrupt(&mut self) {
        let has_begun = self
            .visits
            .last()
            .is_some_and(|open| open.state == VisitState::Begun);
        self.doing = if has_begun && !self.is_finished() {
            Doing::Interrupted
        } else {
            Doing::Nothing
        };
    }

    /// The open visit.
    pub(super) fn open(&mut self) -> &mut Visit {
        self.visits.last_mut().expect("it has arrived somewhere")
    }

    /// Ends the open visit.
    pub(super) fn close(&mut self, at: Timestamp, outcome: Outcome) {
        self.doing = Doing::Nothing;
        self.open().state = VisitState::Done { at, outcome };
    }

    /// Ends the execution well.
    pub(super) fn complete(&mut self, at: Timestamp) {
        self.state = ExecutionState::Completed { at };
    }

    /// Ends the execution badly.
    pub(super) fn fail(&mut self, at: Timestamp, step: Option<StepId>, kind: FailureKind) {
        let failure = Failure {
            kind,
            message: SOME_TEXT.to_owned(),
        };
        self.withdraw(at);
        self.state = ExecutionState::Failed { at, step, failure };
    }

    /// The latest visit of each step that is over.
    pub(super) fn latest(&self) -> BTreeMap<&StepId, &Visit> {
        let done = |visit: &&Visit| matches!(visit.state, VisitState::Done { .. });
        let visits = self.visits.iter().filter(done);
        visits.map(|visit| (&visit.step, visit)).collect()
    }

    /// The results as every reader may know them.
    pub(crate) fn results(&self) -> BTreeMap<StepId, StepResult> {
        let mut results = BTreeMap::new();
        for (step, visit) in self.latest() {
            let VisitState::Done { at, outcome } = &visit.state else {
                continue;
            };
            let (status, output) = match outcome {
                Outcome::Success { output } => (StepStatus::Success, output.clone()),
                Outcome::Failure(failure) => {
                    (StepStatus::Failure, Value::String(failure.message.clone()))
                }
            };
            let result = StepResult {
                status,
                output,
                completed_at: Some(*at),
            };
            results.insert(step.clone(), result);
        }
        if let ExecutionState::Paused { step, .. } = &self.state {
            let paused = StepResult {
                status: StepStatus::Paused,
                output: Value::Null,
                completed_at: None,
            };
            results.insert(step.clone(), paused);
        }
        results
    }

    /// The key of the calls of a visit that it makes itself.
    pub(super) fn key_of(&self, visit: &Visit) -> String {
        format!("{}/{}/{}", self.id, visit.step, visit.number)
    }
}
