//! The turns of a model with its tools: asks, makes the calls of each answer, and asks again.
//!
//! Each stride has one side effect and one transaction: an answer is recorded with its calls before
//! the first of them begins, and what became of a call with the beginning of the next. So whatever
//! happens, what is recorded is never done again, and what had begun is known to have begun.

mod call;
mod question;
mod record;

use std::sync::Arc;

use workflow_types::action::{Action, ModelAction, OnInterrupt};
use workflow_types::approval::Gate;
use workflow_types::definition::Step as DefinedStep;
use workflow_types::execution::{
    AttemptUsage, CallState, Outcome, StepFailureKind, TurnPlace, VisitState,
};
use workflow_types::{Timestamp, WorkflowDefinition, execution::Visit};

use super::Engine;
use super::decide::{self, Passage, Situation};
use super::drive::{self, Live, Step};
use super::perform::{Deadline, Used};
use crate::error::{During as _, Error};

use call::Judged;
pub(crate) use record::Turns;

/// The action of a visit of which a model has tools to call; none of any other.
pub(super) fn action<'d>(
    definition: &'d WorkflowDefinition,
    visit: &Visit,
) -> Option<&'d ModelAction> {
    match definition.step(&visit.step)?.action() {
        Action::Model(model) if !model.tools().is_empty() => Some(model),
        Action::Model(_) | Action::Tool(_) | Action::Noop => None,
    }
}

/// Reads the turns that the open visit has taken, if its model has tools.
pub(super) async fn read(engine: &Engine, live: &mut Live) -> Result<(), Error> {
    if action(&live.definition, &live.open).is_none() {
        return Ok(());
    }
    let number = live.open.number;
    let turns = engine.reads.turns(live.execution.id, number, number).await;
    let turns = turns.during("reading the turns of a model")?;
    live.turns = Turns::of(turns);
    Ok(())
}

/// One question, or one call, and what follows from it.
pub(super) async fn stride(engine: &Arc<Engine>, live: &mut Live) -> Result<Step, Error> {
    match live.turns.open_call() {
        None => question::put(engine, live).await,
        Some((_, call)) if matches!(call.state, CallState::Begun { .. }) => {
            call::make(engine, live).await
        }
        Some(_) => advance(engine, live, None).await,
    }
}

/// Goes on to the first call that is not over, which may be one that was let `through` its gate:
/// refuses it, asks about it or begins it; behind the last one the next question is due. Writes
/// that in one transaction.
pub(super) async fn advance(
    engine: &Arc<Engine>,
    live: &mut Live,
    through: Option<TurnPlace>,
) -> Result<Step, Error> {
    live.open.state = VisitState::Begun;
    while let Some((place, asked)) = live.turns.open_call() {
        let now = engine.clock.now();
        if engine.is_draining() {
            if through == Some(place) && asked.state == CallState::Asked {
                // It is not asked about again.
                live.move_call(CallState::Ready { begun_at: now });
            }
            live.open.state = VisitState::Ready;
            break;
        }
        match &asked.state {
            CallState::Begun { .. } | CallState::Done { .. } => break,
            CallState::Ready { begun_at } => {
                let begun_at = *begun_at;
                live.move_call(CallState::Begun { begun_at });
                break;
            }
            CallState::Asked if through == Some(place) => {
                live.move_call(CallState::Begun { begun_at: now });
                break;
            }
            CallState::Asked => {}
        }
        let (_, deadline) = live.attempt(engine);
        match call::judge(engine, live, deadline).await {
            Judged::Refused(outcome) => live.end_call(outcome, now),
            Judged::Runs => {
                live.move_call(CallState::Begun { begun_at: now });
                break;
            }
            Judged::Later => {
                live.open.state = VisitState::Ready;
                break;
            }
            Judged::Asks(gate) => return drive::pause(engine, live, *gate).await,
        }
    }
    drive::write_open(engine, live, None).await?;
    Ok(match live.open.state {
        VisitState::Begun => Step::Perform,
        VisitState::Ready
        | VisitState::Waiting
        | VisitState::BackingOff { .. }
        | VisitState::Done { .. } => Step::Leave,
    })
}

/// Goes on behind the gate of a call.
pub(super) async fn passed(
    engine: &Arc<Engine>,
    live: &mut Live,
    gate: &Gate,
    passage: Passage,
) -> Result<Step, Error> {
    let now = engine.clock.now();
    match passage {
        // Of one that had begun before it was asked about, that is still known.
        Passage::Run => advance(engine, live, Some(gate.place)).await,
        Passage::Conclude(Outcome::Failure(failure))
            if failure.kind == StepFailureKind::Interrupted =>
        {
            let outcome = Outcome::Failure(failure);
            live.end_call(outcome.clone(), now);
            drive::conclude(engine, live, outcome).await
        }
        Passage::Conclude(outcome) => {
            live.end_call(outcome, now);
            advance(engine, live, None).await
        }
        Passage::Fail(failure) => {
            let kind = StepFailureKind::ApprovalExpired;
            let outcome = Outcome::failure(kind, failure.message.clone());
            live.end_call(outcome.clone(), now);
            drive::fail(engine, live, outcome, failure).await
        }
        Passage::Wait => Ok(Step::Leave),
    }
}

/// What an interruption of the call that had begun means, unless the author says otherwise; none if
/// none had.
pub(super) async fn default_on_interrupt(engine: &Engine, live: &Live) -> Option<OnInterrupt> {
    let request = live.turns.begun_request()?;
    Some(request.default_on_interrupt(&engine.tools).await)
}

/// Makes the gate of an interrupted visit one of the call that had begun, if one had.
pub(super) fn place_gate(live: &Live, gate: &mut Gate) {
    gate.place = live.turns.place();
    let Some(request) = live.turns.begun_request() else {
        return;
    };
    let TurnPlace { turn, call } = gate.place;
    gate.message = Some(format!(
        "call {turn}.{call} of `{}` was interrupted; its side effect may have happened, or still happen",
        live.open.step
    ));
    gate.request = request.to_json();
}

impl Live {
    /// What the open visit's model used for its next answer.
    fn note_usage(&mut self, (usage, cost): Used) {
        if usage.is_unknown() {
            return;
        }
        let used = AttemptUsage {
            visit: self.open.number,
            attempt: self.open.attempt,
            turn: self.turns.next_number(),
            usage,
            cost,
        };
        self.turns.set_usage(Some(used));
    }

    fn move_call(&mut self, state: CallState) {
        self.turns.move_call(self.open.attempt, state);
    }

    /// The open call has come to its end.
    pub(super) fn end_call(&mut self, outcome: Outcome, at: Timestamp) {
        let Some((_, call)) = self.turns.open_call() else {
            return;
        };
        let begun_at = call.state.begun_at();
        self.move_call(CallState::Done {
            begun_at,
            at,
            outcome,
        });
    }

    /// What bounds the attempt in all: since it began, or went on after a gate or a crash.
    fn attempt(&mut self, engine: &Engine) -> (Timestamp, Deadline) {
        let step = self.definition.step(&self.open.step);
        let timeout = step.map_or(std::time::Duration::ZERO, DefinedStep::timeout);
        *self.turns.running.get_or_insert_with(|| {
            let began = engine.clock.now();
            (began, Deadline::after(engine, "attempt", timeout))
        })
    }
}

/// The gate before the open call.
fn gate(engine: &Engine, live: &Live, place: TurnPlace) -> Option<Gate> {
    let now = engine.clock.now();
    let situation = Situation {
        definition: &live.definition,
        execution: &live.execution,
        now,
        gate_id: engine.entropy.gate_id(now),
    };
    let policy = live.definition.step(&live.open.step)?.approval();
    let request = live.turns.open_request()?;
    Some(decide::call_gate(
        situation,
        &live.open,
        policy,
        (place, &request),
    ))
}
