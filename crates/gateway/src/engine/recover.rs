//! Takes executions up that have no task: after a start, a decision at a gate, or a wait.
//!
//! Whatever the reason, the same question is answered from the journal: what does the open visit
//! need? There is no second path for a crash.

use std::sync::Arc;

use tokio::task::JoinHandle;
use workflow_types::action::OnInterrupt;
use workflow_types::approval::Gate;
use workflow_types::execution::{
    Claimed, ExecutionState, Failure, FailureKind, History, Outcome, Place, Progress, StepFailure,
    StepFailureKind, Transition, Visit, VisitState,
};
use workflow_types::id::ExecutionId;

use super::admission::{self, Slot};
use super::decide::{self, Passage, Situation};
use super::drive::{self, Live, Step};
use super::request::Request;
use super::{Engine, Hold, Patience, cancel, retention, timer, turns};
use crate::builder::LeftBehind;
use crate::error::{During as _, Error, ErrorKind};

/// Visits that are read at once when a journal is folded.
const JOURNAL_PAGE: usize = 100;

/// What became of executions that the last owner left behind.
pub(crate) struct Recovered {
    /// How many are taken up, each when it is its turn.
    pub(crate) taken_up: usize,
    /// How many were left as they are.
    pub(crate) left: usize,
}

impl Engine {
    /// Queues every execution that was running when the last owner ended, or whose gate has
    /// expired since, and sets admission and the timer going.
    ///
    /// Those come second: an execution that they took up before would be queued here, in the
    /// middle of its attempt.
    pub(crate) async fn recover(self: &Arc<Self>) -> Result<Recovered, Error> {
        if self.left_behind == LeftBehind::TakeUp {
            while !timer::expire(self, self.clock.now()).await?.is_empty() {}
            let queued = self.store.queue_running().await;
            queued.during("queueing running executions")?;
            self.admission.queued();
        }
        let running = self.reads.count_running().await;
        let running = running.during("counting running executions")?;
        self.task(admission::run(Arc::clone(self)));
        self.task(timer::run(Arc::clone(self)));
        if self.alerts.tells() || !self.limits.retention.keeps_all() {
            self.task(retention::run(Arc::clone(self)));
        }
        Ok(match self.left_behind {
            LeftBehind::Leave => Recovered {
                taken_up: 0,
                left: running,
            },
            LeftBehind::TakeUp => Recovered {
                taken_up: running,
                left: 0,
            },
        })
    }

    /// Goes on with an execution that was taken up when it was its turn.
    pub(super) fn admitted(self: &Arc<Self>, claim: Claimed, slot: Slot) {
        let id = claim.execution.id;
        self.changes.tell(id);
        let Some((hold, claim, slot)) = self.hold_admitted(claim, slot) else {
            // Whoever holds it goes on with it, or takes it up once more when it leaves.
            return;
        };
        let engine = Arc::clone(self);
        self.task(async move {
            if let Err(error) = engine.go_on(hold, Some(slot), claim).await {
                engine.give_up(id, &error);
                report(id, &error);
            }
        });
    }

    /// Leaves an execution that the caller holds to its turn.
    pub(super) async fn queue(&self, id: ExecutionId, place: Place) -> Result<(), Error> {
        self.patiently(id, async || {
            let queued = self.store.queue(vec![id], place).await;
            queued.during("queueing an execution")
        })
        .await?;
        self.changes.tell(id);
        self.admission.queued();
        Ok(())
    }

    /// Takes up one execution that runs again, because its gate was passed or its retry is due.
    ///
    /// When the task ends, the journal says that its visit has begun, or what became of it. If
    /// another task still holds the execution, it is taken up when that task leaves.
    pub(super) fn take_up(self: &Arc<Self>, id: ExecutionId) -> JoinHandle<Taken> {
        let engine = Arc::clone(self);
        self.task(async move {
            engine.claim_one(id).await.unwrap_or_else(|error| {
                engine.give_up(id, &error);
                report(id, &error);
                Taken::Later
            })
        })
    }

    /// What follows the decision of a gate: its execution runs again.
    pub(crate) fn passed(self: &Arc<Self>, id: ExecutionId) {
        self.own(id);
        self.changes.tell(id);
        // Nobody waits for it: what was decided is stored, and goes on by itself.
        drop(self.take_up(id));
    }

    /// The same, if the gate was passed just now: the store has queued the execution with it, so
    /// where no slot is free, nothing is left to do for it but to look whose turn it is.
    pub(crate) fn just_passed(self: &Arc<Self>, id: ExecutionId) {
        if self.admission.has_room() {
            return self.passed(id);
        }
        self.own(id);
        self.changes.tell(id);
        self.admission.queued();
    }

    async fn claim_one(self: &Arc<Self>, id: ExecutionId) -> Result<Taken, Error> {
        if self.is_draining() {
            return Ok(Taken::Later);
        }
        let Some(hold) = self.hold(id) else {
            return Ok(Taken::Later);
        };
        let slot = self.admission.enter();
        // What is cancelled is only brought to its end, which nobody's turn is needed for.
        if slot.is_none() {
            let asked = self.patiently(id, || cancel::asked(self, id)).await?;
            if asked.is_none() {
                return self.wait_for_turn(hold).await;
            }
        }
        let claimed = self
            .patiently(id, async || {
                let claimed = self.store.claim_one(id, &self.owner).await;
                claimed.during("taking up an execution")
            })
            .await?;
        self.changes.tell(id);
        match claimed {
            Some(claim) => self.go_on(hold, slot, claim).await?,
            None => self.cancels.forget(id),
        }
        Ok(Taken::Now)
    }

    /// Queues an execution, unless the round that is under way has taken it up: then this task goes
    /// on with it.
    async fn wait_for_turn(self: &Arc<Self>, hold: Hold) -> Result<Taken, Error> {
        hold.ask_for_claim();
        let between_rounds = self.admission.between_rounds().await;
        if let Some((claim, slot)) = hold.claim() {
            drop(between_rounds);
            self.go_on(hold, Some(slot), claim).await?;
            return Ok(Taken::Now);
        }
        self.queue(hold.id, Place::OfItsStart).await?;
        // Before the next round, which would find it held.
        drop(hold);
        drop(between_rounds);
        Ok(Taken::Now)
    }

    /// Does what the open visit of a claimed execution needs; performs it in a task of its own.
    async fn go_on(
        self: &Arc<Self>,
        hold: Hold,
        slot: Option<Slot>,
        claim: Claimed,
    ) -> Result<(), Error> {
        let id = claim.execution.id;
        let live = match self.patiently(id, || prepare(self, &claim)).await {
            Err(error) if cancel::came_between(self, id, &error).await => None,
            prepared => prepared?,
        };
        match (live, slot) {
            (Some(live), Some(slot)) => self.spawn(hold, slot, live),
            // It has ended, or what was asked for it was refused.
            (_, _) => self.cancels.forget(id),
        }
        Ok(())
    }

    /// Repeats an operation on an execution while the database does not answer, until the gateway
    /// stops.
    pub(super) async fn patiently<T, F: Future<Output = Result<T, Error>>>(
        &self,
        id: ExecutionId,
        operation: impl Fn() -> F,
    ) -> Result<T, Error> {
        let mut patience = Patience::new();
        loop {
            let error = match operation().await {
                Err(error) if error.is_transient() && !self.stopping.is_cancelled() => error,
                other => return other,
            };
            let pause = patience.pause();
            tracing::warn!(
                execution.id = %id,
                error = &error as &dyn std::error::Error,
                "the database does not answer: the execution goes on when it does, trying again in {pause:?}"
            );
            let until = self.clock.now().saturating_add(pause);
            tokio::select! {
                () = self.clock.sleep_until(until) => {}
                () = self.stopping.cancelled() => {}
            }
        }
    }
}

/// Whether an execution was taken up, or queued.
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
async fn prepare(engine: &Arc<Engine>, claim: &Claimed) -> Result<Option<Live>, Error> {
    let Claimed { execution, epoch } = claim.clone();
    let (history, last) = journal(engine, execution.id).await?;
    if let Some(open) = &last
        && open.state == VisitState::Begun
        && let Some(asked) = cancel::asked(engine, execution.id).await?
    {
        let outcome = asked.outcome();
        let open = (history, open.clone(), Progress::default());
        cancel::close(engine, claim, open, (&asked, outcome)).await?;
        return Ok(None);
    }
    let definition = match engine.definition(&execution.definition).await {
        Ok(definition) => definition,
        Err(error) if is_lost(&error) => {
            fail_without_definition(engine, claim, (history, last), &error).await?;
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let Some(open) = last else {
        return drive::set_out(engine, claim.clone(), definition).await;
    };
    let mut live = Live::new(execution, epoch, definition, history, open);
    live.previous_error = error_before(engine, &live.open).await?;
    turns::read(engine, &mut live).await?;
    let step = match live.open.state.clone() {
        VisitState::Ready if drive::is_unresolved(&live.open) => {
            drive::arrive(engine, &mut live).await?
        }
        VisitState::Ready => drive::begin(engine, &mut live).await?,
        VisitState::Begun => interrupted(engine, &mut live).await?,
        VisitState::Waiting => at_gate(engine, &mut live).await?,
        VisitState::BackingOff { until, failure } => {
            if until > engine.clock.now() {
                engine.timer.due(until);
                return Ok(None);
            }
            live.open.attempt += 1;
            live.previous_error = Some(failure);
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

/// Why the attempt before that of the open visit failed: one that is made again is told, too.
async fn error_before(engine: &Engine, open: &Visit) -> Result<Option<StepFailure>, Error> {
    if open.attempt == 1 {
        return Ok(None);
    }
    let failed = engine
        .reads
        .attempts(open.execution_id, open.number, open.number)
        .await;
    let failed = failed.during("reading failed attempts")?;
    let before = failed.into_iter().rfind(|it| it.attempt < open.attempt);
    Ok(before.map(|failed| failed.failure))
}

/// Whether a definition will not be read later either.
fn is_lost(error: &Error) -> bool {
    !error.is_transient() && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unusable)
}

/// An execution whose definition cannot be read cannot go on, and says so.
async fn fail_without_definition(
    engine: &Engine,
    claim: &Claimed,
    (mut history, open): (History, Option<Visit>),
    error: &Error,
) -> Result<(), Error> {
    let at = engine.clock.now();
    let message = error.to_string();
    let open = open.map(|mut open| {
        let outcome = Outcome::failure(StepFailureKind::Internal, message.clone());
        history.record(open.step.clone(), open.attempt, outcome.clone(), at);
        open.state = VisitState::Done { at, outcome };
        open
    });
    let kind = FailureKind::DefinitionError;
    let state = ExecutionState::Failed {
        at,
        step: open.as_ref().map(|open| open.step.clone()),
        failure: Failure { kind, message },
    };
    report(claim.execution.id, error);
    let transition = Transition {
        execution_id: claim.execution.id,
        epoch: claim.epoch,
        open,
        failed: None,
        progress: Progress::default(),
        made: Vec::new(),
        gate: None,
        state: state.clone(),
        results: Some(history.results(None)),
    };
    drive::apply(engine, transition).await?;
    engine.after_commit(&claim.execution.id, &state);
    Ok(())
}

/// What the journal amounts to, and its last visit, if there is one yet; read in pages, so that
/// outputs that were replaced by later ones are not held.
pub(super) async fn journal(
    engine: &Engine,
    id: ExecutionId,
) -> Result<(History, Option<Visit>), Error> {
    let mut history = History::default();
    let mut last: Option<Visit> = None;
    loop {
        let from = last.as_ref().map_or(1, |visit| visit.number + 1);
        let page = engine.reads.journal(id, from, JOURNAL_PAGE).await;
        let page = page.during("reading a journal")?;
        let is_last = page.len() < JOURNAL_PAGE;
        for visit in page {
            history.arrive(visit.number);
            if let VisitState::Done { at, outcome } = &visit.state {
                history.record(visit.step.clone(), visit.attempt, outcome.clone(), *at);
            }
            last = Some(visit);
        }
        if is_last {
            return Ok((history, last));
        }
    }
}

/// An attempt had begun and has no result: its side effect may have happened.
async fn interrupted(engine: &Arc<Engine>, live: &mut Live) -> Result<Step, Error> {
    let stated = live
        .definition
        .step(&live.open.step)
        .and_then(workflow_types::definition::Step::on_interrupt);
    let request = live.open.request.as_ref().map(Request::from_json);
    let choice = match (stated, request) {
        (Some(stated), _) => stated,
        (None, Some(Ok(request))) => match turns::default_on_interrupt(engine, live).await {
            Some(choice) => choice,
            None => request.default_on_interrupt(&engine.tools).await,
        },
        (None, Some(Err(_)) | None) => OnInterrupt::Ask,
    };
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
            live.end_call(outcome.clone(), engine.clock.now());
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
            let mut gate = decide::interrupted_gate(situation, &live.open);
            turns::place_gate(live, &mut gate);
            drive::pause(engine, live, gate).await
        }
    }
}

/// A gate stands before the open visit, and may have been passed.
async fn at_gate(engine: &Arc<Engine>, live: &mut Live) -> Result<Step, Error> {
    let (id, number) = (live.execution.id, live.open.number);
    let Some(gate) = gate_at(engine, &live.open).await? else {
        let context = format!("visit {number} of execution {id} waits at a gate that is not there");
        return Err(Error::new(ErrorKind::Unusable, context));
    };
    let passage = decide::pass(&gate);
    if gate.place.is_call() && passage != Passage::Wait {
        return turns::passed(engine, live, &gate, passage).await;
    }
    match passage {
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

/// The latest gate of a visit.
pub(super) async fn gate_at(engine: &Engine, visit: &Visit) -> Result<Option<Gate>, Error> {
    let gate = engine.reads.gate_at(visit.execution_id, visit.number).await;
    gate.during("reading a gate")
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
