//! Takes executions up that have no task: after a start, a decision at a gate, or a wait.
//!
//! Whatever the reason, the same question is answered from the journal: what does the open visit
//! need? There is no second path for a crash.

use std::sync::Arc;

use workflow_types::action::OnInterrupt;
use workflow_types::approval::Gate;
use workflow_types::execution::{
    Epoch, Execution, FailureKind, History, Outcome, StepFailureKind, Visit, VisitState,
};
use workflow_types::id::ExecutionId;

use super::Engine;
use super::decide::{self, Passage, Situation};
use super::drive::{self, Live, Step};
use super::request::Request;
use crate::error::{Error, ErrorKind};

/// Visits that are read at once when a journal is folded.
const JOURNAL_PAGE: usize = 500;

impl Engine {
    /// Takes up every execution that was running when the last owner ended; answers how many.
    pub(crate) async fn recover(self: &Arc<Self>) -> Result<usize, Error> {
        let owner = self.owner.clone();
        let claimed = self
            .writer
            .write("taking up running executions", move |c| {
                db::execution::claim(c, &owner)
            })
            .await?;
        let count = claimed.len();
        for claim in claimed {
            let Some(hold) = self.hold(claim.execution.id) else {
                continue;
            };
            let engine = Arc::clone(self);
            self.tasks.spawn(async move {
                let id = claim.execution.id;
                match prepare(&engine, claim.execution, claim.epoch).await {
                    Ok(Some(live)) => drive::drive(&engine, live).await,
                    Ok(None) => {}
                    Err(error) => report(id, &error),
                }
                drop(hold);
            });
        }
        Ok(count)
    }

    /// Takes up one execution that runs again, because its gate was passed or its retry is due.
    ///
    /// When this returns, the journal says that its visit has begun, or what became of it. If a
    /// task still holds the execution, it is taken up when that task leaves.
    pub(crate) async fn take_up(self: &Arc<Self>, id: ExecutionId) -> Result<Taken, Error> {
        if self.is_draining() {
            return Ok(Taken::Later);
        }
        let Some(hold) = self.hold(id) else {
            return Ok(Taken::Later);
        };
        let owner = self.owner.clone();
        let claimed = self
            .writer
            .write("taking up an execution", move |c| {
                db::execution::claim_one(c, &id, &owner)
            })
            .await?;
        self.changes.tell(id);
        if let Some(claim) = claimed
            && let Some(live) = prepare(self, claim.execution, claim.epoch).await?
        {
            self.spawn(hold, live);
        }
        Ok(Taken::Now)
    }
}

/// Whether an execution was taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It was, or it needs nothing.
    Now,
    /// A task still holds it, or the gateway drains.
    Later,
}

pub(super) fn report(id: ExecutionId, error: &Error) {
    tracing::error!(
        execution.id = %id,
        error = error as &dyn std::error::Error,
        "the execution cannot be taken up"
    );
}

/// Reads the journal and does what the open visit needs; answers the execution if its open visit
/// is to be performed.
async fn prepare(
    engine: &Arc<Engine>,
    execution: Execution,
    epoch: Epoch,
) -> Result<Option<Live>, Error> {
    let definition = engine.definition(&execution.definition).await?;
    let visits = journal(engine, execution.id).await?;
    let Some(open) = visits.last().cloned() else {
        let context = format!("execution {} has no visits", execution.id);
        return Err(Error::new(ErrorKind::Unusable, context));
    };
    let history = History::fold(visits);
    let mut live = Live::new(execution, epoch, definition, history, open);
    let step = match live.open.state.clone() {
        VisitState::Ready => drive::begin(engine, &mut live).await?,
        VisitState::Begun => interrupted(engine, &mut live).await?,
        VisitState::Waiting => at_gate(engine, &mut live).await?,
        VisitState::BackingOff { until, failure } => {
            if until > engine.clock.now() {
                engine.timer.notify_one();
                return Ok(None);
            }
            live.open.attempt += 1;
            live.previous_error = Some(failure.message);
            drive::begin(engine, &mut live).await?
        }
        VisitState::Done { .. } => {
            let context = format!(
                "execution {} runs, but has no open visit",
                live.execution.id
            );
            return Err(Error::new(ErrorKind::Unusable, context));
        }
    };
    Ok((step == Step::Perform).then_some(live))
}

async fn journal(engine: &Engine, id: ExecutionId) -> Result<Vec<Visit>, Error> {
    let mut visits: Vec<Visit> = Vec::new();
    loop {
        let from = visits.last().map_or(1, |visit| visit.number + 1);
        let page = engine
            .readers
            .read("reading a journal", move |c| {
                db::visit::journal(c, &id, from, JOURNAL_PAGE)
            })
            .await?;
        let complete = page.len() < JOURNAL_PAGE;
        visits.extend(page);
        if complete {
            return Ok(visits);
        }
    }
}

/// An attempt had begun and has no result: its side effect may have happened.
async fn interrupted(engine: &Arc<Engine>, live: &mut Live) -> Result<Step, Error> {
    let stated = live
        .definition
        .step(&live.open.step)
        .and_then(|step| step.on_interrupt());
    let request = live.open.request.as_ref().map(Request::from_json);
    let choice = stated.unwrap_or_else(|| match request {
        Some(Ok(request)) => request.default_on_interrupt(&engine.tools),
        Some(Err(_)) | None => OnInterrupt::Ask,
    });
    tracing::info!(
        execution.id = %live.execution.id,
        step.id = %live.open.step,
        "step `{}` was interrupted: {}", live.open.step, choice
    );
    match choice {
        OnInterrupt::Rerun => Ok(Step::Perform),
        OnInterrupt::Fail => {
            let message = "interrupted: the process ended before the step did";
            let outcome = Outcome::failure(StepFailureKind::Interrupted, message);
            drive::conclude(engine, live, outcome).await
        }
        OnInterrupt::Ask => {
            let now = engine.clock.now();
            let situation = Situation {
                definition: &live.definition,
                execution: &live.execution,
                now,
                gate_id: engine.entropy.gate_id(now),
            };
            let gate = decide::interrupted_gate(situation, &live.open);
            drive::pause(engine, live, gate).await
        }
    }
}

/// A gate stands before the open visit, and may have been passed.
async fn at_gate(engine: &Arc<Engine>, live: &mut Live) -> Result<Step, Error> {
    let (id, number) = (live.execution.id, live.open.number);
    let gate: Option<Gate> = engine
        .readers
        .read("reading a gate", move |c| db::gate::at(c, &id, number))
        .await?;
    let Some(gate) = gate else {
        let context = format!("visit {number} of execution {id} waits at a gate that is not there");
        return Err(Error::new(ErrorKind::Unusable, context));
    };
    match decide::pass(&gate) {
        Passage::Run => drive::begin(engine, live).await,
        Passage::Conclude(outcome) => drive::conclude(engine, live, outcome).await,
        Passage::Fail(failure) => {
            let outcome = Outcome::failure(kind_of_visit(failure.kind), failure.message.clone());
            drive::fail(engine, live, outcome, failure).await
        }
        Passage::Wait => {
            let context = format!("execution {id} runs, but waits at gate {}", gate.id);
            Err(Error::new(ErrorKind::Unusable, context))
        }
    }
}

/// What is recorded of a visit whose gate failed the whole execution.
fn kind_of_visit(kind: FailureKind) -> StepFailureKind {
    if kind == FailureKind::ApprovalExpired {
        StepFailureKind::ApprovalExpired
    } else {
        StepFailureKind::Internal
    }
}

#[cfg(test)]
mod tests {
    use workflow_types::execution::Failure;

    use super::*;

    #[test]
    fn an_expired_gate_is_recorded_as_such() {
        let failure = Failure {
            kind: FailureKind::ApprovalExpired,
            message: String::new(),
        };
        assert_eq!(
            kind_of_visit(failure.kind),
            StepFailureKind::ApprovalExpired
        );
    }
}
