//! What a host does to executions: cancel them, repeat finished ones, delete them.

use std::sync::Arc;

use workflow_types::execution::{
    Cancellation, Cancelling, Execution, ExecutionState, FailureKind, Pruned, Retention,
    TriggeredBy,
};
use workflow_types::id::{Actor, ExecutionId, IdempotencyKey, StepId};

use crate::engine::NewExecution;
use crate::error::{During as _, Error, ErrorKind};
use crate::gateway::Gateway;

/// What became of a request that an execution end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cancelled {
    /// It is stored; the execution ends, or has ended.
    Requested(Cancellation),
    /// Somebody, who is named, asked before; nothing changed.
    Repeated(Cancellation),
}

/// A request to repeat a finished execution.
#[derive(Debug, Clone, Default)]
pub struct RetryRequest {
    from: Option<StepId>,
    idempotency_key: Option<IdempotencyKey>,
}

impl RetryRequest {
    /// From the step at which the execution failed, or else from its first.
    pub fn new() -> Self {
        Self::default()
    }

    /// From the latest visit of this step on; the results before it stand.
    #[must_use]
    pub fn from(mut self, step: StepId) -> Self {
        self.from = Some(step);
        self
    }

    /// With a key: the same key of a workflow answers the same execution, however often it is sent.
    #[must_use]
    pub fn idempotency_key(mut self, key: IdempotencyKey) -> Self {
        self.idempotency_key = Some(key);
        self
    }
}

impl Gateway {
    /// Ends an execution, wherever it stands: at a gate, in a backoff, in its queue, or within an
    /// attempt, which is told, has its grace period, and is then given up.
    ///
    /// The request is durable when this returns, and survives a killed process;
    /// [`Gateway::wait`] sees the end. The execution fails with kind `cancelled`, `onFailure` is
    /// not followed, and its open step is recorded as cancelled; only an attempt that succeeds all
    /// the same is recorded as the success it was. Fails with [`ErrorKind::Conflict`] if the
    /// execution had finished, saying how.
    pub async fn cancel(
        &self,
        id: ExecutionId,
        actor: Actor,
        reason: Option<String>,
    ) -> Result<Cancelled, Error> {
        let reason = self.engine.said(id, reason).await;
        let at = self.engine.clock.now();
        let asked = Cancellation { actor, at, reason };
        let (engine, request) = (Arc::clone(&self.engine), asked.clone());
        let cancelling = async move { engine.cancel(id, request).await };
        match self.engine.whole(cancelling).await? {
            Cancelling::Ended | Cancelling::Pending => Ok(Cancelled::Requested(asked)),
            Cancelling::Repeated(earlier) => Ok(Cancelled::Repeated(earlier)),
            Cancelling::Finished(state) => {
                let context = format!("execution {id} {} already", ended(&state));
                Err(Error::new(ErrorKind::Conflict, context))
            }
        }
    }

    /// Repeats a finished execution from a step on, as a new execution of the same definition and
    /// input: stored, and under way, when this returns.
    ///
    /// The visits before that step's latest one are taken over with their results and keep their
    /// idempotency keys; numbering goes on after them, and the limit of visits counts them. The new
    /// execution does not need the old one, which may be deleted. Fails with
    /// [`ErrorKind::Conflict`] if the execution has not finished, and with [`ErrorKind::Invalid`]
    /// if it never reached the step, naming those that it did.
    pub async fn retry(&self, id: ExecutionId, request: RetryRequest) -> Result<Execution, Error> {
        let origin = self.reader.execution(id).await?;
        if !origin.state.status().is_finished() {
            let status = origin.state.status();
            let context = format!(
                "execution {id} is {status}: only a finished one is repeated, so wait for its \
                 end or cancel it"
            );
            return Err(Error::new(ErrorKind::Conflict, context));
        }
        let definition = self.engine.definition(&origin.definition).await?;
        let repeat = self.engine.repeat(&origin, request.from).await?;
        self.engine
            .begin(NewExecution {
                workflow_id: origin.workflow_id,
                digest: origin.definition,
                definition,
                input: origin.input,
                triggered_by: TriggeredBy::Manual,
                idempotency_key: request.idempotency_key,
                schedule: None,
                scheduled_for: None,
                repeat: Some(repeat),
            })
            .await
    }

    /// Deletes a finished execution with its journal and its approvals.
    ///
    /// Fails with [`ErrorKind::NotFound`] if there is none, and with [`ErrorKind::Conflict`] if it
    /// has not finished.
    pub async fn delete(&self, id: ExecutionId) -> Result<(), Error> {
        let deleted = self.engine.store.delete(id).await;
        deleted.during(format_args!("deleting execution {id}"))
    }

    /// Deletes the finished executions that are not kept, and then the definitions that nothing
    /// refers to any more. An unfinished execution is always kept.
    ///
    /// It is done in small transactions, so that others are not held up; dropping the future stops
    /// it between two of them.
    pub async fn prune(&self, retention: Retention) -> Result<Pruned, Error> {
        self.engine.prune(retention).await
    }
}

/// How an execution ended, in words.
fn ended(state: &ExecutionState) -> String {
    match state {
        ExecutionState::Running | ExecutionState::Paused { .. } => "has not ended".to_owned(),
        ExecutionState::Completed { at } => format!("completed at {at}"),
        ExecutionState::Failed { at, failure, .. } if failure.kind == FailureKind::Cancelled => {
            format!("was cancelled at {at}")
        }
        ExecutionState::Failed { at, failure, .. } => format!("failed at {at} ({})", failure.kind),
    }
}
