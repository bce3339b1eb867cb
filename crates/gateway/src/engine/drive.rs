//! The task of one execution: performs its open visit, concludes it, and goes on until it rests.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use workflow_types::approval::Gate;
use workflow_types::execution::{
    AttemptUsage, Claimed, Epoch, Execution, ExecutionState, FailedAttempt, Failure, History,
    Outcome, Place, Progress, StepFailure, StepFailureKind, Transition, Visit, VisitState,
};
use workflow_types::{Timestamp, WorkflowDefinition};

use super::Engine;
use super::budget;
use super::cancel;
use super::decide::{self, Advance, Situation};
use super::perform::{self, AttemptEnd, Used};
use super::recall;
use super::recover;
use super::turns::{self, Turns};
use crate::error::{During as _, Error, ErrorKind};

/// The live state of an execution: nothing in it needs to be read again.
pub(crate) struct Live {
    pub(crate) execution: Execution,
    pub(crate) epoch: Epoch,
    pub(crate) definition: Arc<WorkflowDefinition>,
    pub(crate) history: History,
    pub(crate) open: Visit,
    /// Why the attempt before this one failed.
    pub(crate) previous_error: Option<StepFailure>,
    /// What a model with tools has done in the open visit, and what is not written of it yet.
    pub(crate) turns: Turns,
    /// Fires when somebody cancels the execution.
    pub(crate) cancelled: CancellationToken,
}

impl Live {
    pub(crate) fn new(
        execution: Execution,
        epoch: Epoch,
        definition: Arc<WorkflowDefinition>,
        history: History,
        open: Visit,
    ) -> Self {
        Self {
            execution,
            epoch,
            definition,
            history,
            open,
            previous_error: None,
            turns: Turns::default(),
            cancelled: CancellationToken::new(),
        }
    }

    /// What an attempt without turns used of a model.
    fn used(&self, (usage, cost): Used) -> AttemptUsage {
        AttemptUsage {
            visit: self.open.number,
            attempt: self.open.attempt,
            turn: 1,
            usage,
            cost,
        }
    }
}

/// Whether the task of an execution goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The open visit is to be performed.
    Perform,
    /// The execution is at rest, or waits for its timer.
    Leave,
}

/// Attempts, or visits if they are more, that an execution makes in one go while others wait for
/// their turn.
const LONGEST_GO: u32 = 1_000;

/// Carries an execution forward until it is at rest, waits for a retry, makes way for others, or
/// the gateway drains.
pub(super) async fn drive(engine: &Arc<Engine>, mut live: Live) {
    let listening = engine.cancels.listen(live.execution.id);
    live.cancelled = listening.token();
    let first = live.open.number;
    recall::earlier(engine, &live).await;
    for attempts in 0_u32.. {
        let made = attempts.max(live.open.number.saturating_sub(first));
        let step = if made >= LONGEST_GO && engine.admission.is_awaited() {
            make_way(engine, &mut live).await
        } else {
            stride(engine, &mut live).await
        };
        match step {
            Ok(Step::Perform) => {}
            Ok(Step::Leave) => return,
            Err(error) => {
                if let Err(error) = cancel::settle(engine, &live, error).await {
                    engine.give_up(live.execution.id, &error);
                    report(&live, &error);
                }
                return;
            }
        }
    }
}

/// One attempt, and what follows from it.
async fn stride(engine: &Arc<Engine>, live: &mut Live) -> Result<Step, Error> {
    if is_unresolved(&live.open) {
        return arrive(engine, live).await;
    }
    if engine.is_draining() {
        put_back(engine, live).await?;
        return Ok(Step::Leave);
    }
    if turns::action(&live.definition, &live.open).is_some() {
        return turns::stride(engine, live).await;
    }
    let began = engine.clock.now();
    let end = if live.cancelled.is_cancelled() {
        AttemptEnd::Interrupted
    } else if let Some(refusal) = budget::exceeded(engine, live).await? {
        perform::refused(engine, live, refusal)
    } else {
        let (end, used) = perform::attempt(engine, live).await;
        let used = used.map(|used| live.used(used));
        live.turns.set_usage(used);
        end
    };
    if live.cancelled.is_cancelled() {
        return cancel::end(engine, live, end).await;
    }
    follow(engine, live, began, end).await
}

/// What follows from the end of an attempt that began at an instant.
pub(super) async fn follow(
    engine: &Arc<Engine>,
    live: &mut Live,
    began: Timestamp,
    end: AttemptEnd,
) -> Result<Step, Error> {
    match end {
        AttemptEnd::Interrupted => Ok(Step::Leave),
        AttemptEnd::Finished(outcome) => conclude(engine, live, outcome).await,
        AttemptEnd::Failed { failure, backoff } => {
            back_off(engine, live, began, (failure, backoff)).await
        }
    }
}

/// Whether a decision has left the visit to the next one.
pub(super) fn is_unresolved(visit: &Visit) -> bool {
    visit.state == VisitState::Ready && visit.request.is_none()
}

/// Goes to the end of the queue: others have waited long enough.
async fn make_way(engine: &Engine, live: &mut Live) -> Result<Step, Error> {
    put_back(engine, live).await?;
    let behind = Place::Behind(engine.clock.now());
    engine.queue(live.execution.id, behind).await?;
    Ok(Step::Leave)
}

/// The beginning of an execution that had to wait for its turn: it arrives at its first step.
///
/// Answers the execution if its first visit is to be performed.
pub(super) async fn set_out(
    engine: &Arc<Engine>,
    claim: Claimed,
    definition: Arc<WorkflowDefinition>,
) -> Result<Option<Live>, Error> {
    let Claimed { execution, epoch } = claim;
    let now = engine.clock.now();
    let situation = Situation {
        definition: &definition,
        execution: &execution,
        now,
        gate_id: engine.entropy.gate_id(now),
    };
    let mut history = History::default();
    let advance = decide::begin(situation, &mut history);
    let results = advance.results(&history);
    let open = advance.made.last().cloned();
    let expiry = advance.expiry();
    let transition = Transition {
        execution_id: execution.id,
        epoch,
        open: None,
        failed: None,
        progress: Progress::default(),
        made: advance.made,
        gate: advance.gate,
        state: advance.state.clone(),
        results,
    };
    apply(engine, transition).await?;
    engine.after_commit(&execution.id, &advance.state);
    engine.waits_at(expiry);
    let execution = Execution {
        state: advance.state,
        ..execution
    };
    log_state(&execution);
    let runs = execution.state == ExecutionState::Running;
    Ok(open
        .filter(|_| runs)
        .map(|open| Live::new(execution, epoch, definition, history, open)))
}

/// Ends the open visit and goes where its outcome leads, in one transaction.
pub(super) async fn conclude(
    engine: &Arc<Engine>,
    live: &mut Live,
    outcome: Outcome,
) -> Result<Step, Error> {
    let now = engine.clock.now();
    let step = live.open.step.clone();
    live.history
        .record(step.clone(), live.open.attempt, outcome.clone(), now);
    live.open.state = VisitState::Done { at: now, outcome };
    let situation = Situation {
        definition: &live.definition,
        execution: &live.execution,
        now,
        gate_id: engine.entropy.gate_id(now),
    };
    let mut advance = decide::after(situation, &mut live.history, &step);
    if engine.is_draining() {
        advance.hold_back();
    }
    write(engine, live, advance).await
}

/// Writes what follows from the open visit; afterwards the last visit made is the open one.
async fn write(engine: &Arc<Engine>, live: &mut Live, advance: Advance) -> Result<Step, Error> {
    let results = advance.results(&live.history);
    let next = advance.made.last().cloned();
    let expiry = advance.expiry();
    let transition = Transition {
        execution_id: live.execution.id,
        epoch: live.epoch,
        open: Some(live.open.clone()),
        failed: None,
        progress: live.turns.progress(),
        made: advance.made,
        gate: advance.gate,
        state: advance.state.clone(),
        results,
    };
    apply(engine, transition).await?;
    live.execution.state = advance.state;
    live.previous_error = None;
    live.turns = Turns::default();
    engine.after_commit(&live.execution.id, &live.execution.state);
    if live.execution.state.status().is_at_rest() {
        engine.changes.tell_rest_as(&live.execution);
    }
    engine.waits_at(expiry);
    log_state(&live.execution);
    match (&live.execution.state, next) {
        (ExecutionState::Running, Some(next)) => {
            live.open = next;
            Ok(Step::Perform)
        }
        (
            ExecutionState::Running
            | ExecutionState::Paused { .. }
            | ExecutionState::Completed { .. }
            | ExecutionState::Failed { .. },
            _,
        ) => Ok(Step::Leave),
    }
}

/// Writes only the open visit: the execution stays where it is.
pub(super) async fn write_open(
    engine: &Engine,
    live: &mut Live,
    failed: Option<FailedAttempt>,
) -> Result<(), Error> {
    let transition = Transition {
        execution_id: live.execution.id,
        epoch: live.epoch,
        open: Some(live.open.clone()),
        failed,
        progress: live.turns.progress(),
        made: Vec::new(),
        gate: None,
        state: ExecutionState::Running,
        results: None,
    };
    apply(engine, transition).await?;
    live.turns.written();
    engine.changes.tell(live.execution.id);
    Ok(())
}

/// Leaves the execution to the timer until its next attempt is due.
async fn back_off(
    engine: &Arc<Engine>,
    live: &mut Live,
    begun_at: Timestamp,
    (failure, backoff): (StepFailure, Duration),
) -> Result<Step, Error> {
    let now = engine.clock.now();
    let until = now.saturating_add(backoff);
    let failed = FailedAttempt {
        visit: live.open.number,
        attempt: live.open.attempt,
        begun_at,
        failed_at: now,
        due_at: until,
        failure: failure.clone(),
    };
    live.open.state = VisitState::BackingOff { until, failure };
    write_open(engine, live, Some(failed)).await?;
    engine.timer.due(until);
    Ok(Step::Leave)
}

/// Ends the execution as failed; its open visit is closed with the reason.
pub(super) async fn fail(
    engine: &Arc<Engine>,
    live: &mut Live,
    outcome: Outcome,
    failure: Failure,
) -> Result<Step, Error> {
    let now = engine.clock.now();
    let step = live.open.step.clone();
    live.history
        .record(step.clone(), live.open.attempt, outcome.clone(), now);
    live.open.state = VisitState::Done { at: now, outcome };
    let state = ExecutionState::Failed {
        at: now,
        step: Some(step),
        failure,
    };
    write(engine, live, Advance::ended(state)).await
}

/// Stops at a gate before the open visit.
pub(super) async fn pause(
    engine: &Arc<Engine>,
    live: &mut Live,
    mut gate: Gate,
) -> Result<Step, Error> {
    // The latest gate of a visit is the one that counts, and the clock may stand still or have been
    // set back since the one before.
    if let Some(earlier) = recover::gate_at(engine, &live.open).await? {
        let later = earlier
            .requested_at
            .saturating_add(Duration::from_millis(1));
        gate.requested_at = gate.requested_at.max(later);
    }
    let state = ExecutionState::Paused {
        step: gate.step.clone(),
        at: gate.requested_at,
    };
    live.open.state = VisitState::Waiting;
    let advance = Advance {
        gate: Some(gate),
        ..Advance::ended(state)
    };
    write(engine, live, advance).await
}

/// The open visit is not performed yet: the journal says that nothing has begun, so that the next
/// start need not take it for interrupted.
async fn put_back(engine: &Engine, live: &mut Live) -> Result<(), Error> {
    if live.open.state == VisitState::Ready {
        return Ok(());
    }
    live.open.state = VisitState::Ready;
    live.turns.put_back(live.open.attempt);
    write_open(engine, live, None).await
}

/// Marks the open visit as begun, so that it can be performed.
pub(super) async fn begin(engine: &Arc<Engine>, live: &mut Live) -> Result<Step, Error> {
    if live.turns.open_call().is_some() {
        return turns::advance(engine, live, None).await;
    }
    live.open.state = VisitState::Begun;
    write_open(engine, live, None).await?;
    Ok(Step::Perform)
}

/// Makes the arrival at a step that a decision has left to the next one.
pub(super) async fn arrive(engine: &Arc<Engine>, live: &mut Live) -> Result<Step, Error> {
    if engine.is_draining() {
        return Ok(Step::Leave);
    }
    let definition = Arc::clone(&live.definition);
    let Some(step) = definition.step(&live.open.step) else {
        let message = format!("the definition has no step `{}`", live.open.step);
        return conclude(
            engine,
            live,
            Outcome::failure(StepFailureKind::Internal, message),
        )
        .await;
    };
    let now = engine.clock.now();
    let situation = Situation {
        definition: &definition,
        execution: &live.execution,
        now,
        gate_id: engine.entropy.gate_id(now),
    };
    let (visit, gate) = decide::arrive(situation, &live.history, live.open.number, step);
    let begun_at = live.open.begun_at;
    live.open = Visit { begun_at, ..visit };
    match (live.open.state.clone(), gate) {
        (VisitState::Done { outcome, .. }, _) => conclude(engine, live, outcome).await,
        (_, Some(gate)) => pause(engine, live, gate).await,
        (_, None) => begin(engine, live).await,
    }
}

/// Applies a transition, waiting out a database that does not answer for now.
pub(super) async fn apply(engine: &Engine, transition: Transition) -> Result<(), Error> {
    let id = transition.execution_id;
    let transition = Arc::new(transition);
    engine
        .patiently(id, async || {
            let applied = engine.store.apply(Arc::clone(&transition)).await;
            applied.during(format_args!("recording execution {id}"))
        })
        .await
}

fn log_state(execution: &Execution) {
    let id = execution.id;
    match &execution.state {
        ExecutionState::Running => {}
        ExecutionState::Paused { step, .. } => {
            tracing::info!(execution.id = %id, step.id = %step, "execution waits at `{step}`");
        }
        ExecutionState::Completed { .. } => {
            tracing::info!(execution.id = %id, "execution completed");
        }
        ExecutionState::Failed { failure, .. } => {
            tracing::info!(execution.id = %id, kind = %failure.kind, "execution failed");
        }
    }
}

/// An execution whose state cannot be written stays as the journal has it: the next start takes it
/// up from there.
fn report(live: &Live, error: &Error) {
    let lost = error.kind() == ErrorKind::Conflict;
    tracing::error!(
        execution.id = %live.execution.id,
        step.id = %live.open.step,
        error = error as &dyn std::error::Error,
        "{}",
        if lost { "another writer holds the execution" } else { "the execution cannot go on for now" }
    );
}
