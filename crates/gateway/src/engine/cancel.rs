//! Cancelling: who is told to stop, and how an execution that somebody has cancelled ends.
//!
//! The request is stored first. From then on the store takes nothing of the execution but its end,
//! so whoever carries it and is not told in time finds out at its next write.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use workflow_types::execution::{
    Cancellation, Cancelling, Claimed, History, Outcome, Progress, Transition, Visit, VisitState,
};
use workflow_types::id::ExecutionId;

use super::drive::{self, Live, Step};
use super::perform::AttemptEnd;
use super::{Engine, recover};
use crate::error::{During as _, Error, ErrorKind};

/// Who listens whether an execution is cancelled, and which are although nobody listens yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Cancels(Arc<Mutex<HashMap<ExecutionId, CancellationToken>>>);

/// The ear of an execution's task; it is forgotten when it is dropped.
#[derive(Debug)]
pub(super) struct Listening {
    cancels: Cancels,
    id: ExecutionId,
    token: CancellationToken,
}

impl Cancels {
    /// Listens for an execution; a signal that came before is heard, too.
    pub(super) fn listen(&self, id: ExecutionId) -> Listening {
        let token = self.tokens().entry(id).or_default().clone();
        let cancels = self.clone();
        Listening { cancels, id, token }
    }

    /// Tells whoever listens, now or later.
    fn fire(&self, id: ExecutionId) {
        self.tokens().entry(id).or_default().cancel();
    }

    /// Tells whoever listens now.
    fn tell(&self, id: ExecutionId) {
        if let Some(token) = self.tokens().get(&id) {
            token.cancel();
        }
    }

    /// Forgets a signal that nobody needs to hear any more.
    pub(super) fn forget(&self, id: ExecutionId) {
        self.tokens().remove(&id);
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<ExecutionId, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listening {
    pub(super) fn token(&self) -> CancellationToken {
        self.token.clone()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.cancels.forget(self.id);
    }
}

impl Engine {
    /// Stores the request that an execution end, and stops what runs of it.
    pub(crate) async fn cancel(
        self: &Arc<Self>,
        id: ExecutionId,
        asked: Cancellation,
    ) -> Result<Cancelling, Error> {
        let cancelling = self.store.cancel(id, asked).await;
        let cancelling = cancelling.during(format_args!("cancelling execution {id}"))?;
        self.cancelled(id, &cancelling);
        Ok(cancelling)
    }

    /// What follows the request that an execution end: what runs of it is stopped.
    pub(crate) fn cancelled(self: &Arc<Self>, id: ExecutionId, cancelling: &Cancelling) {
        match cancelling {
            Cancelling::Ended => {
                // Its task may wait for its turn.
                self.cancels.tell(id);
                self.after_end(id);
                // What it held up is so no more.
                self.alerts.look();
            }
            Cancelling::Pending => {
                self.cancels.fire(id);
                // Whoever began its attempt may be gone.
                self.passed(id);
            }
            Cancelling::Repeated(_) => {
                self.cancels.tell(id);
                self.passed(id);
            }
            Cancelling::Finished(_) => {}
        }
    }
}

/// Who asked that an execution end, if anybody did.
pub(super) async fn asked(engine: &Engine, id: ExecutionId) -> Result<Option<Cancellation>, Error> {
    let asked = engine.reads.cancellation(id).await;
    asked.during("reading a cancellation")
}

/// Ends an execution whose attempt was stopped: a success is recorded, because its side effect has
/// happened; anything else is no failure of the tool.
pub(super) async fn end(engine: &Arc<Engine>, live: &Live, end: AttemptEnd) -> Result<Step, Error> {
    let mut open = live.open.clone();
    if let AttemptEnd::Finished(outcome @ Outcome::Success { .. }) = end {
        let at = engine.clock.now();
        open.state = VisitState::Done { at, outcome };
    }
    finish(engine, live, open).await?;
    Ok(Step::Leave)
}

/// What becomes of an execution of which the store did not take a step: if that is because it is
/// cancelled, it ends, with what the step said of its open visit; else the error stands.
pub(super) async fn settle(engine: &Arc<Engine>, live: &Live, error: Error) -> Result<(), Error> {
    if error.kind() != ErrorKind::Conflict || !finish(engine, live, live.open.clone()).await? {
        return Err(error);
    }
    Ok(())
}

/// Ends a cancelled execution at its open visit; answers whether it is cancelled.
async fn finish(engine: &Arc<Engine>, live: &Live, open: Visit) -> Result<bool, Error> {
    let id = live.execution.id;
    let Some(asked) = asked(engine, id).await? else {
        return Ok(false);
    };
    if is_finished(engine, id).await? {
        return Ok(true);
    }
    let outcome = match &open.state {
        VisitState::Done {
            outcome: outcome @ Outcome::Success { .. },
            ..
        } => outcome.clone(),
        VisitState::Done {
            outcome: Outcome::Failure(_),
            ..
        }
        | VisitState::Ready
        | VisitState::Waiting
        | VisitState::Begun
        | VisitState::BackingOff { .. } => asked.outcome(),
    };
    // What was decided and not taken may stand in the live history already.
    let (history, _) = recover::journal(engine, id).await?;
    let claim = Claimed {
        execution: live.execution.clone(),
        epoch: live.epoch,
    };
    close(
        engine,
        &claim,
        (history, open, live.turns.last_progress()),
        (&asked, outcome),
    )
    .await?;
    Ok(true)
}

/// Ends a cancelled execution: its open visit has this outcome.
pub(super) async fn close(
    engine: &Engine,
    claim: &Claimed,
    (mut history, mut open, progress): (History, Visit, Progress),
    (asked, outcome): (&Cancellation, Outcome),
) -> Result<(), Error> {
    let (id, at) = (claim.execution.id, engine.clock.now());
    let step = open.step.clone();
    history.record(step.clone(), open.attempt, outcome.clone(), at);
    open.state = VisitState::Done { at, outcome };
    let state = asked.end(at, Some(step));
    let transition = Transition {
        execution_id: id,
        epoch: claim.epoch,
        open: Some(open),
        failed: None,
        progress,
        made: Vec::new(),
        gate: None,
        state: state.clone(),
        results: Some(history.results(None)),
    };
    drive::apply(engine, transition).await?;
    engine.after_commit(&id, &state);
    tracing::info!(execution.id = %id, "execution was cancelled");
    Ok(())
}

/// Whether an execution could not be taken up because somebody has cancelled it meanwhile: it has
/// ended, or whoever cancelled it takes it up to end it.
pub(super) async fn came_between(engine: &Engine, id: ExecutionId, error: &Error) -> bool {
    error.kind() == ErrorKind::Conflict
        && asked(engine, id).await.is_ok_and(|asked| asked.is_some())
}

async fn is_finished(engine: &Engine, id: ExecutionId) -> Result<bool, Error> {
    let found = engine.reads.execution(id).await;
    let found = found.during("reading an execution")?;
    Ok(found.is_none_or(|execution| execution.state.status().is_finished()))
}
