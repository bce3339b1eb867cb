//! Results as readers of the plain tables and the protocol see them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Execution, ExecutionState, ExecutionStatus, Outcome, TriggeredBy, Visit, VisitState};
use crate::Timestamp;
use crate::id::{ExecutionId, StepId, WorkflowId};
use crate::words::words;

words! {
    /// What became of a step, in one word.
    StepStatus {
        /// It succeeded.
        Success = "success",
        /// It failed.
        Failure = "failure",
        /// It waits at a gate.
        Paused = "paused",
    }
}

/// The latest result of a step: `{status, output, completedAt}`.
///
/// The output of a failure is the reason as text, so that a reader who knows only these fields
/// learns it.
///
/// ```
/// use workflow_types::execution::StepResult;
/// let json = r#"{"status":"success","output":{"healthy":true},"completedAt":"2026-01-31T09:00:00.000Z"}"#;
/// let result: StepResult = serde_json::from_str(json)?;
/// assert_eq!(serde_json::to_string(&result)?, json);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepResult {
    /// What became of it.
    pub status: StepStatus,
    /// Its output, or the reason of its failure.
    #[serde(default)]
    pub output: Value,
    /// When it was over; none while it is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
}

impl StepResult {
    /// The result of a visit; none while its action runs or waits for a retry.
    pub fn of(visit: &Visit) -> Option<Self> {
        match &visit.state {
            VisitState::Waiting => Some(Self {
                status: StepStatus::Paused,
                output: Value::Null,
                completed_at: None,
            }),
            VisitState::Ready | VisitState::Begun | VisitState::BackingOff { .. } => None,
            VisitState::Done { at, outcome } => Some(Self::done(outcome, *at)),
        }
    }

    /// The result of an outcome at an instant.
    pub fn done(outcome: &Outcome, at: Timestamp) -> Self {
        let (status, output) = match outcome {
            Outcome::Success { output } => (StepStatus::Success, output.clone()),
            Outcome::Failure(failure) => {
                (StepStatus::Failure, Value::String(failure.message.clone()))
            }
        };
        Self {
            status,
            output,
            completed_at: Some(at),
        }
    }
}

/// An execution with its latest results, in the shape of the protocol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkflowExecutionState {
    /// Its id.
    pub id: ExecutionId,
    /// The workflow that it runs.
    pub workflow_id: WorkflowId,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// Whether it waits for its turn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub queued: bool,
    /// The step at which it waits or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_step_id: Option<StepId>,
    /// The latest result of each step.
    pub step_results: BTreeMap<StepId, StepResult>,
    /// When it was started.
    pub started_at: Timestamp,
    /// Since when it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_at: Option<Timestamp>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What started it.
    pub triggered_by: TriggeredBy,
}

impl WorkflowExecutionState {
    /// An execution with its latest results; `current` is the step that runs, if one does.
    pub fn new(
        execution: &Execution,
        step_results: BTreeMap<StepId, StepResult>,
        current: Option<StepId>,
    ) -> Self {
        let (current_step_id, paused_at, completed_at, error) = match &execution.state {
            ExecutionState::Running => (current, None, None, None),
            ExecutionState::Paused { step, at } => (Some(step.clone()), Some(*at), None, None),
            ExecutionState::Completed { at } => (None, None, Some(*at), None),
            ExecutionState::Failed { at, step, failure } => {
                (step.clone(), None, Some(*at), Some(failure.message.clone()))
            }
        };
        Self {
            id: execution.id,
            workflow_id: execution.workflow_id.clone(),
            status: execution.state.status(),
            queued: execution.queued,
            current_step_id,
            step_results,
            started_at: execution.started_at,
            paused_at,
            completed_at,
            error,
            triggered_by: execution.triggered_by,
        }
    }
}
