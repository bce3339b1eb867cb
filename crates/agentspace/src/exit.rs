//! Exit codes: what a script learns from them.

use std::process::ExitCode;

use gateway::ErrorKind;
use gateway::workflow_types::execution::{ExecutionState, FailureKind};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well.
    Ok,
    /// A workflow, or an operation, failed.
    Failed,
    /// The usage or the definition is wrong.
    Usage,
    /// An execution waits for an approval, or for its turn.
    Waiting,
    /// An execution was cancelled.
    Cancelled,
    /// A signal stopped the program; the work is kept.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Waiting => 3,
            Exit::Cancelled => 4,
            Exit::Interrupted => 130,
        })
    }
}

/// A mistake in how the program was called, in its user's words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);

/// A signal came while the program waited, before it had begun anything.
#[derive(Debug, thiserror::Error)]
#[error("stopped before it was this program's turn; nothing was changed")]
pub(crate) struct StoppedWaiting;

/// The exit code of an error that ended a command.
pub(crate) fn of_error(error: &anyhow::Error) -> Exit {
    if error.downcast_ref::<UsageError>().is_some() {
        return Exit::Usage;
    }
    if error.downcast_ref::<StoppedWaiting>().is_some() {
        return Exit::Interrupted;
    }
    match error
        .downcast_ref::<gateway::Error>()
        .map(gateway::Error::kind)
    {
        Some(ErrorKind::Invalid | ErrorKind::NotFound) => Exit::Usage,
        Some(_) | None => Exit::Failed,
    }
}

/// The exit code of an execution at rest.
pub(crate) fn of_state(state: &ExecutionState) -> Exit {
    match state {
        ExecutionState::Completed { .. } => Exit::Ok,
        ExecutionState::Failed { failure, .. } => match failure.kind {
            FailureKind::Cancelled => Exit::Cancelled,
            FailureKind::StepFailed
            | FailureKind::Denied
            | FailureKind::ApprovalExpired
            | FailureKind::Interrupted
            | FailureKind::StepLimit
            | FailureKind::ConditionError
            | FailureKind::OutputTooLarge
            | FailureKind::DefinitionError
            | FailureKind::Internal => Exit::Failed,
        },
        ExecutionState::Paused { .. } => Exit::Waiting,
        // Only a signal ends the program while an execution runs.
        ExecutionState::Running => Exit::Interrupted,
    }
}
