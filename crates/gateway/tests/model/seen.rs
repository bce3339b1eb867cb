//! What can be seen of an execution: as it is stored, and as the reference says.

use std::collections::BTreeMap;

use gateway::store::ReadStore;
use gateway::workflow_types::approval::GateKind;
use gateway::workflow_types::definition::DefinitionDigest;
use gateway::workflow_types::execution::{
    Cancellation, Execution, ExecutionFilter, ExecutionState, FailedAttempt, Outcome, StepFailure,
    StepResult, Visit, VisitState,
};
use gateway::workflow_types::id::{ExecutionId, GateId, StepId};
use serde_json::Value;

use crate::ledger::Call;
use crate::reference::{Asked, Run, SOME_TEXT};

/// Everything that can be seen of one execution.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) execution: Execution,
    pub(crate) current: Option<StepId>,
    pub(crate) results: BTreeMap<StepId, StepResult>,
    pub(crate) visits: Vec<Visit>,
    pub(crate) keys: Vec<String>,
    pub(crate) attempts: Vec<FailedAttempt>,
    pub(crate) gates: Vec<Asked>,
    pub(crate) cancelled: Option<Cancellation>,
}

/// Stands for the id of any gate.
pub(crate) fn no_gate() -> GateId {
    "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap()
}

/// Reads everything that is stored of an execution.
pub(crate) async fn read(reads: &dyn ReadStore, id: ExecutionId) -> Option<Seen> {
    let execution = reads.execution(id).await.unwrap()?;
    let state = reads.state(id).await.unwrap()?;
    let visits = reads.journal(id, 1, 1_000).await.unwrap();
    Some(Seen {
        execution,
        current: state.current_step_id,
        results: state.step_results,
        keys: visits.iter().map(Visit::idempotency_key).collect(),
        visits,
        attempts: reads.attempts(id, 1, 1_000).await.unwrap(),
        gates: gates(reads, id).await,
        cancelled: reads.cancellation(id).await.unwrap(),
    })
}

/// Reads where an execution stands, with its visits and gates; the rest, which takes as long, is
/// left to the end and stands as expected.
pub(crate) async fn glance(reads: &dyn ReadStore, id: ExecutionId, expected: Seen) -> Option<Seen> {
    let execution = reads.execution(id).await.unwrap()?;
    let visits = reads.journal(id, 1, 1_000).await.unwrap();
    Some(Seen {
        execution,
        keys: visits.iter().map(Visit::idempotency_key).collect(),
        visits,
        gates: gates(reads, id).await,
        ..expected
    })
}

/// The gates of an execution, in the order in which they were asked.
async fn gates(reads: &dyn ReadStore, id: ExecutionId) -> Vec<Asked> {
    let mut gates = Vec::new();
    for gate in reads.gates(id).await.unwrap() {
        let votes = match gate.kind {
            GateKind::Approval => reads.votes(gate.id).await.unwrap(),
            GateKind::Interrupted => Vec::new(),
        };
        gates.push(Asked { gate, votes });
    }
    gates.sort_by_key(|asked| (asked.gate.visit, asked.gate.requested_at));
    gates
}

/// The ids of all executions, the oldest first.
pub(crate) async fn ids(reads: &dyn ReadStore) -> Vec<ExecutionId> {
    let page = reads
        .executions(ExecutionFilter::default(), None, 1_000)
        .await;
    let executions = page.unwrap().items;
    executions
        .iter()
        .rev()
        .map(|execution| execution.id)
        .collect()
}

/// The digest of the newest definition of a workflow.
pub(crate) async fn newest(reads: &dyn ReadStore, flow: &str) -> Option<DefinitionDigest> {
    let workflow = reads.workflow(&flow.parse().unwrap()).await.unwrap();
    workflow.map(|workflow| workflow.digest)
}

impl Run {
    /// What must be seen of it.
    pub(crate) fn seen(&self) -> Seen {
        let key = |visit: &Visit| {
            let maker = visit.reused_from.unwrap_or(self.id);
            format!("{maker}/{}/{}", visit.step, visit.number)
        };
        let current = match &self.state {
            ExecutionState::Running => self.visits.last().map(|open| open.step.clone()),
            ExecutionState::Paused { step, .. } => Some(step.clone()),
            ExecutionState::Completed { .. } => None,
            ExecutionState::Failed { step, .. } => step.clone(),
        };
        Seen {
            execution: Execution {
                id: self.id,
                workflow_id: self.flow_id.parse().unwrap(),
                definition: self.edition.digest.clone(),
                triggered_by: self.by,
                schedule: None,
                scheduled_for: None,
                origin: self.origin,
                idempotency_key: self.key.map(|key| key_text(key).parse().unwrap()),
                input: self.input.clone(),
                started_at: self.started_at,
                queued: !self.begun && self.state == ExecutionState::Running,
                state: self.state.clone(),
            },
            current,
            results: self.results(),
            keys: self.visits.iter().map(key).collect(),
            visits: self.visits.clone(),
            attempts: self.attempts.clone(),
            gates: self.gates.clone(),
            cancelled: self.cancelled.clone(),
        }
    }
}

pub(crate) fn key_text(key: u8) -> String {
    format!("key-{key}")
}

impl Seen {
    /// The same with every text left out whose words the rules leave open: it only has to be there.
    pub(crate) fn told_as(mut self, expected: &Self) -> Self {
        for (visit, other) in self.visits.iter_mut().zip(&expected.visits) {
            let other = failure_of(&other.state);
            if let (Some(failure), Some(other)) = (failure_in(&mut visit.state), other) {
                leave_out(&mut failure.message, &other.message);
            }
        }
        for (failed, other) in self.attempts.iter_mut().zip(&expected.attempts) {
            leave_out(&mut failed.failure.message, &other.failure.message);
        }
        for (step, result) in &mut self.results {
            let other = expected
                .results
                .get(step)
                .and_then(|other| other.output.as_str());
            if let (Some(other), Value::String(text)) = (other, &mut result.output) {
                leave_out(text, other);
            }
        }
        if let ExecutionState::Failed { failure, .. } = &mut self.execution.state
            && !failure.message.is_empty()
        {
            SOME_TEXT.clone_into(&mut failure.message);
        }
        for (asked, other) in self.gates.iter_mut().zip(&expected.gates) {
            asked.gate.id = no_gate();
            if other.gate.message.as_deref() == Some(SOME_TEXT) && asked.gate.message.is_some() {
                asked.gate.message.clone_from(&other.gate.message);
            }
        }
        self
    }

    /// The same without what may stand differently while a start is not over.
    pub(crate) fn in_between(mut self, expected: &Self) -> Self {
        // After a start, whatever runs waits for its turn once more.
        if !expected.execution.queued {
            self.execution.queued = false;
        }
        if self.execution.state == ExecutionState::Running {
            self.current.clone_from(&expected.current);
        }
        self
    }
}

fn failure_in(state: &mut VisitState) -> Option<&mut StepFailure> {
    match state {
        VisitState::BackingOff { failure, .. }
        | VisitState::Done {
            outcome: Outcome::Failure(failure),
            ..
        } => Some(failure),
        VisitState::Done { .. } | VisitState::Ready | VisitState::Waiting | VisitState::Begun => {
            None
        }
    }
}

fn failure_of(state: &VisitState) -> Option<StepFailure> {
    failure_in(&mut state.clone()).cloned()
}

fn leave_out(text: &mut String, expected: &str) {
    if expected == SOME_TEXT && !text.is_empty() {
        SOME_TEXT.clone_into(text);
    }
}

/// Calls with every text left out whose words the rules leave open.
pub(crate) fn calls_told_as(mut calls: Vec<Call>, expected: &[Call]) -> Vec<Call> {
    for (call, other) in calls.iter_mut().zip(expected) {
        if other.previous_error.as_deref() == Some(SOME_TEXT) && call.previous_error.is_some() {
            call.previous_error.clone_from(&other.previous_error);
        }
    }
    calls
}
