//! One run of a definition: its state, its visits of steps and what became of them.
//!
//! The journal of visits is the truth; everything else is folded from it. How it is stored and who
//! carries it forward is decided elsewhere.

mod admission;
mod attempt;
mod cancellation;
mod context;
mod event;
mod history;
mod page;
mod result;
mod retention;
mod transition;
mod turn;
mod usage;

use serde_json::Value;

use crate::Timestamp;
use crate::definition::DefinitionDigest;
use crate::id::{ExecutionId, IdempotencyKey, ScheduleId, StepId, WorkflowId};
use crate::words::words;

pub use admission::{Admitted, Entry, Place, Round, Turn};
pub use attempt::FailedAttempt;
pub use cancellation::{Cancellation, Cancelling};
pub use context::{ConditionContext, ContextName, ExecutionContext};
pub use event::{
    CallTrace, Event, EventKind, EventPage, EventSeq, GateTrace, Trace, TurnTrace, VisitTrace,
};
pub use history::{History, StepRecord};
pub use page::{ExecutionFilter, Page, PageKey};
pub use result::{StepResult, StepStatus, WorkflowExecutionState};
pub use retention::{Prune, Pruned, Retention};
pub use transition::{Claimed, Epoch, Scope, Start, Started, Transition};
pub use turn::{CallMoved, CallState, ModelTurn, Progress, TurnCall, TurnPlace};
pub use usage::{AttemptUsage, Cost, FinishReason, ModelUsage};

/// One run of a definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// Its id.
    pub id: ExecutionId,
    /// The workflow that it runs.
    pub workflow_id: WorkflowId,
    /// The definition that it was started with and runs to its end.
    pub definition: DefinitionDigest,
    /// What started it.
    pub triggered_by: TriggeredBy,
    /// The schedule that it belongs to; none if that has been deleted.
    pub schedule: Option<ScheduleId>,
    /// The fire time for which it was started.
    pub scheduled_for: Option<Timestamp>,
    /// The finished execution that it repeats.
    pub origin: Option<ExecutionId>,
    /// The caller's key: one execution per workflow and key.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Its validated input.
    pub input: Value,
    /// When it was started.
    pub started_at: Timestamp,
    /// Whether it waits for its turn, because of a limit; only one that runs does.
    pub queued: bool,
    /// Where it stands.
    pub state: ExecutionState,
}

/// Where an execution stands, with exactly the data of that state.
#[derive(Debug, Clone, PartialEq)]
pub enum ExecutionState {
    /// Its steps run, or wait for a retry.
    Running,
    /// It waits at a gate.
    Paused {
        /// The step behind the gate.
        step: StepId,
        /// Since when.
        at: Timestamp,
    },
    /// It came to its end.
    Completed {
        /// When.
        at: Timestamp,
    },
    /// It failed.
    Failed {
        /// When.
        at: Timestamp,
        /// The step at which it failed, unless it failed between steps.
        step: Option<StepId>,
        /// Why.
        failure: Failure,
    },
}

impl ExecutionState {
    /// The state without its data.
    pub const fn status(&self) -> ExecutionStatus {
        match self {
            Self::Running => ExecutionStatus::Running,
            Self::Paused { .. } => ExecutionStatus::Paused,
            Self::Completed { .. } => ExecutionStatus::Completed,
            Self::Failed { .. } => ExecutionStatus::Failed,
        }
    }
}

words! {
    /// The state of an execution without its data.
    ExecutionStatus {
        /// Its steps run, or wait for a retry.
        Running = "running",
        /// It waits at a gate.
        Paused = "paused",
        /// It came to its end.
        Completed = "completed",
        /// It failed.
        Failed = "failed",
    }
}

impl ExecutionStatus {
    /// Whether it never changes again.
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }

    /// Whether it stands still until a person, or nobody, does something.
    pub const fn is_at_rest(self) -> bool {
        !matches!(self, Self::Running)
    }
}

words! {
    /// What started an execution.
    TriggeredBy {
        /// A request.
        Manual = "manual",
        /// A schedule.
        Cron = "cron",
        /// A heartbeat.
        Heartbeat = "heartbeat",
    }
}

/// Why an execution failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind, for programs.
    pub kind: FailureKind,
    /// The reason, for people.
    pub message: String,
}

words! {
    /// The kinds of failures of an execution.
    FailureKind {
        /// A step failed and no `onFailure` took over, or `$fail` was reached.
        StepFailed = "step_failed",
        /// An approval was denied.
        Denied = "denied",
        /// An approval did not come in time.
        ApprovalExpired = "approval_expired",
        /// Somebody cancelled it.
        Cancelled = "cancelled",
        /// A step was interrupted, and `onInterrupt` or a person said that it fails.
        Interrupted = "interrupted",
        /// It made more visits than `maxSteps` allows.
        StepLimit = "step_limit",
        /// A condition could not be evaluated.
        ConditionError = "condition_error",
        /// An output was larger than allowed.
        OutputTooLarge = "output_too_large",
        /// The stored definition could not be read.
        DefinitionError = "definition_error",
        /// A fault of the program.
        Internal = "internal",
    }
}

words! {
    /// The kinds of failures of a step.
    StepFailureKind {
        /// The tool or model answered with an error.
        Error = "error",
        /// A model's answer was none that its `outputSchema` allows.
        BadAnswer = "bad_answer",
        /// An attempt took longer than its timeout.
        Timeout = "timeout",
        /// A template could not be resolved; nothing was started.
        TemplateError = "template_error",
        /// The approval was denied.
        Denied = "denied",
        /// The approval did not come in time.
        ApprovalExpired = "approval_expired",
        /// It was interrupted, and `onInterrupt` or a person said that it fails.
        Interrupted = "interrupted",
        /// Its output was larger than allowed.
        OutputTooLarge = "output_too_large",
        /// Somebody cancelled the execution.
        Cancelled = "cancelled",
        /// The tool or model crashed.
        Internal = "internal",
    }
}

impl StepFailureKind {
    /// The kind of failure of an execution that fails because of this.
    pub const fn of_execution(self) -> FailureKind {
        match self {
            Self::Error | Self::BadAnswer | Self::Timeout | Self::TemplateError => {
                FailureKind::StepFailed
            }
            Self::Denied => FailureKind::Denied,
            Self::ApprovalExpired => FailureKind::ApprovalExpired,
            Self::Interrupted => FailureKind::Interrupted,
            Self::OutputTooLarge => FailureKind::OutputTooLarge,
            Self::Cancelled => FailureKind::Cancelled,
            Self::Internal => FailureKind::Internal,
        }
    }
}

/// What became of a visit.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The action succeeded with this output.
    Success {
        /// The output.
        output: Value,
    },
    /// The step failed.
    Failure(StepFailure),
}

impl Outcome {
    /// A failure of a kind.
    pub fn failure(kind: StepFailureKind, message: impl Into<String>) -> Self {
        Self::Failure(StepFailure {
            kind,
            message: message.into(),
        })
    }
}

/// Why a step failed: data, not an error of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFailure {
    /// The kind, for programs.
    pub kind: StepFailureKind,
    /// The reason, for people.
    pub message: String,
}

/// One arrival at a step: an entry of the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// The execution.
    pub execution_id: ExecutionId,
    /// Its number within the execution, from 1.
    pub number: u32,
    /// The step.
    pub step: StepId,
    /// The attempt that runs or ran last, from 1.
    pub attempt: u32,
    /// The resolved action: what runs, or ran; none if its templates could not be resolved, or if
    /// the visit is ready and they have not been yet.
    pub request: Option<Value>,
    /// When the execution arrived.
    pub begun_at: Timestamp,
    /// Where it stands.
    pub state: VisitState,
    /// The execution that made it, if a retry has taken it over.
    pub reused_from: Option<ExecutionId>,
}

impl Visit {
    /// The key by which a side effect knows that it is repeated: the same for every attempt that
    /// repeats this visit, after a crash too. A visit that a retry has taken over keeps its key.
    pub fn idempotency_key(&self) -> String {
        let made_by = self.reused_from.unwrap_or(self.execution_id);
        format!("{made_by}/{}/{}", self.step, self.number)
    }
}

/// Where a visit stands, with exactly the data of that state.
#[derive(Debug, Clone, PartialEq)]
pub enum VisitState {
    /// The execution has arrived; nothing has begun.
    Ready,
    /// Its gate has not been passed; no side effect has begun.
    Waiting,
    /// An attempt has begun; its side effect may have happened.
    Begun,
    /// An attempt failed, the next one is due at an instant.
    BackingOff {
        /// When the next attempt begins.
        until: Timestamp,
        /// Why the last one failed.
        failure: StepFailure,
    },
    /// It is over.
    Done {
        /// When.
        at: Timestamp,
        /// What became of it.
        outcome: Outcome,
    },
}

words! {
    /// The state of a visit without its data.
    VisitStatus {
        /// Nothing has begun.
        Ready = "ready",
        /// Its gate has not been passed.
        Waiting = "waiting",
        /// An attempt has begun.
        Begun = "begun",
        /// The next attempt is due later.
        BackingOff = "backing_off",
        /// It is over.
        Done = "done",
    }
}

impl VisitState {
    /// The state without its data.
    pub const fn status(&self) -> VisitStatus {
        match self {
            Self::Ready => VisitStatus::Ready,
            Self::Waiting => VisitStatus::Waiting,
            Self::Begun => VisitStatus::Begun,
            Self::BackingOff { .. } => VisitStatus::BackingOff,
            Self::Done { .. } => VisitStatus::Done,
        }
    }
}
