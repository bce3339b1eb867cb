//! Decides, purely: where an execution goes after a visit, and how it arrives at the next one.
//!
//! No clock, no chance, no storage and no side effect: the time and new ids come in, the
//! contents of a [`Transition`](workflow_types::execution::Transition) come out. The same decision is
//! made after a crash.

use std::collections::BTreeMap;

use serde_json::Value;
use workflow_types::action::Action;
use workflow_types::approval::{ApprovalPolicy, Expiry, Gate, GateKind, GateState};
use workflow_types::definition::{Step, Target, WorkflowDefinition};
use workflow_types::execution::{
    Execution, ExecutionContext, ExecutionState, Failure, FailureKind, History, Outcome,
    StepFailureKind, StepResult, TriggeredBy, TurnPlace, Visit, VisitState,
};
use workflow_types::id::{GateId, StepId};
use workflow_types::{Timestamp, approval::OnExpiry};

use super::request::{Request, resolve_text};

/// How long a gate of an unattended execution waits, unless its author says otherwise.
const UNATTENDED_PATIENCE: std::time::Duration = std::time::Duration::from_hours(1);

/// Most visits that one decision makes, and one transaction writes.
const MOST_MADE: usize = 100;

/// What a decision may look at.
#[derive(Clone, Copy)]
pub(crate) struct Situation<'a> {
    pub(crate) definition: &'a WorkflowDefinition,
    pub(crate) execution: &'a Execution,
    pub(crate) now: Timestamp,
    /// The id of the gate that may have to be opened.
    pub(crate) gate_id: GateId,
}

/// Everything that follows from the end of a visit, or from the start of an execution.
#[derive(Debug, PartialEq)]
pub(crate) struct Advance {
    /// The visits made, in their order; the last one is open unless the execution has ended.
    pub(crate) made: Vec<Visit>,
    /// The gate at which the execution waits.
    pub(crate) gate: Option<Gate>,
    /// Where the execution stands.
    pub(crate) state: ExecutionState,
}

impl Advance {
    /// The latest results for readers, if the execution is at rest.
    pub(crate) fn results(&self, history: &History) -> Option<BTreeMap<StepId, StepResult>> {
        match &self.state {
            ExecutionState::Running => None,
            ExecutionState::Paused { step, .. } => Some(history.results(Some(step))),
            ExecutionState::Completed { .. } | ExecutionState::Failed { .. } => {
                Some(history.results(None))
            }
        }
    }

    /// When the gate at which the execution waits expires, if it does.
    pub(crate) fn expiry(&self) -> Option<Timestamp> {
        let expiry = self.gate.as_ref().and_then(|gate| gate.expiry.as_ref());
        expiry.map(|expiry| expiry.at)
    }

    /// The open visit is not begun yet: whoever takes the execution up next begins it.
    pub(crate) fn hold_back(&mut self) {
        if let Some(open) = self
            .made
            .last_mut()
            .filter(|open| open.state == VisitState::Begun)
        {
            open.state = VisitState::Ready;
        }
    }

    pub(crate) fn ended(state: ExecutionState) -> Self {
        Self {
            made: Vec::new(),
            gate: None,
            state,
        }
    }
}

/// Where the walk goes.
enum Next<'d> {
    Visit(&'d Step),
    Complete,
    Fail(Option<StepId>, Failure),
}

/// The beginning of an execution: it arrives at its first step.
pub(crate) fn begin(situation: Situation<'_>, history: &mut History) -> Advance {
    let first = situation.definition.first_step();
    advance(situation, history, Next::Visit(first))
}

/// The beginning of an execution that repeats another one: it arrives at `step` anew, after the
/// visits of the history, which it has taken over.
pub(crate) fn again(situation: Situation<'_>, history: &mut History, step: &StepId) -> Advance {
    let next = go_to(situation.definition, step, step);
    advance(situation, history, next)
}

/// What follows once `step` has finished and its outcome is in the history.
pub(crate) fn after(situation: Situation<'_>, history: &mut History, step: &StepId) -> Advance {
    let next = choose(situation, history, step);
    advance(situation, history, next)
}

/// Walks until something is to be performed, somebody is to be asked, or the end.
///
/// A step that does nothing succeeds where it is arrived at, and a template that cannot be resolved
/// fails its step before any side effect: neither stops the walk. But it does not go on for ever:
/// after so many visits the last one is left for the next decision, ready and without its request,
/// which [`arrive`] makes then.
fn advance<'d>(situation: Situation<'d>, history: &mut History, next: Next<'d>) -> Advance {
    let mut made = Vec::new();
    let mut next = next;
    loop {
        let step = match next {
            Next::Visit(step) => step,
            Next::Complete => {
                let state = ExecutionState::Completed { at: situation.now };
                return Advance {
                    made,
                    ..Advance::ended(state)
                };
            }
            Next::Fail(step, failure) => {
                let at = situation.now;
                let state = ExecutionState::Failed { at, step, failure };
                return Advance {
                    made,
                    ..Advance::ended(state)
                };
            }
        };
        if let Some(failure) = step_limit(situation.definition, history) {
            next = Next::Fail(Some(step.id().clone()), failure);
            continue;
        }
        let number = history.visits() + 1;
        if made.len() + 1 == MOST_MADE {
            history.arrive(number);
            made.push(visit(situation, number, step, None, VisitState::Ready));
            return Advance {
                made,
                ..Advance::ended(ExecutionState::Running)
            };
        }
        let (visit, gate) = arrive(situation, history, number, step);
        history.arrive(number);
        let open = record_if_done(history, &visit);
        made.push(visit);
        if !open {
            next = choose(situation, history, step.id());
            continue;
        }
        let state = match &gate {
            Some(gate) => ExecutionState::Paused {
                step: gate.step.clone(),
                at: situation.now,
            },
            None => ExecutionState::Running,
        };
        return Advance { made, gate, state };
    }
}

/// Notes a finished visit; answers whether the visit is still open.
fn record_if_done(history: &mut History, visit: &Visit) -> bool {
    match &visit.state {
        VisitState::Done { at, outcome } => {
            history.record(visit.step.clone(), visit.attempt, outcome.clone(), *at);
            false
        }
        VisitState::Ready
        | VisitState::Waiting
        | VisitState::Begun
        | VisitState::BackingOff { .. } => true,
    }
}

fn step_limit(definition: &WorkflowDefinition, history: &History) -> Option<Failure> {
    let limit = definition.max_steps().into_inner().get();
    (history.visits() >= limit).then(|| Failure {
        kind: FailureKind::StepLimit,
        message: format!("the execution made {limit} visits, which is its limit (`maxSteps`)"),
    })
}

fn visit(
    situation: Situation<'_>,
    number: u32,
    step: &Step,
    request: Option<Value>,
    state: VisitState,
) -> Visit {
    Visit {
        execution_id: situation.execution.id,
        number,
        step: step.id().clone(),
        attempt: 1,
        request,
        begun_at: situation.now,
        state,
        reused_from: None,
    }
}

/// The arrival at a step: its request is resolved, and its gate, if it has one, is opened. What has
/// nothing to do is done.
pub(crate) fn arrive(
    situation: Situation<'_>,
    history: &History,
    number: u32,
    step: &Step,
) -> (Visit, Option<Gate>) {
    let context = ExecutionContext::new(situation.execution, situation.definition.name(), history);
    let visit = |request, state| visit(situation, number, step, request, state);
    let failed = |message: String| {
        let outcome = Outcome::failure(StepFailureKind::TemplateError, message);
        let at = situation.now;
        (visit(None, VisitState::Done { at, outcome }), None)
    };
    let request = match Request::resolve(step, &context) {
        Ok(request) => request.to_json(),
        Err(message) => return failed(message),
    };
    let Some(policy) = step.approval() else {
        let state = match step.action() {
            // It is done where it is arrived at: a transaction of its own would protect nothing.
            Action::Noop => VisitState::Done {
                at: situation.now,
                outcome: Outcome::Success {
                    output: Value::Null,
                },
            },
            Action::Tool(_) | Action::Model(_) => VisitState::Begun,
        };
        return (visit(Some(request), state), None);
    };
    let message = match policy
        .message()
        .map(|text| resolve_text("approvalRequired.message", text, &context))
        .transpose()
    {
        Ok(message) => message,
        Err(message) => return failed(message),
    };
    let waiting = visit(Some(request), VisitState::Waiting);
    let gate = approval_gate(situation, &waiting, policy, message);
    (waiting, Some(gate))
}

fn approval_gate(
    situation: Situation<'_>,
    visit: &Visit,
    policy: &ApprovalPolicy,
    message: Option<String>,
) -> Gate {
    let patience = policy
        .timeout()
        .or_else(|| default_patience(situation.execution.triggered_by));
    Gate {
        message,
        expiry: patience.map(|patience| Expiry {
            at: situation.now.saturating_add(patience),
            then: policy.on_timeout(),
        }),
        approvers: policy.approvers().to_vec(),
        count: policy.count(),
        ..gate(situation, visit, GateKind::Approval)
    }
}

/// The gate at which a person lets a model call a destructive tool: it shows the call alone, and
/// waits as the gate of the step does, if that has one.
pub(crate) fn call_gate(
    situation: Situation<'_>,
    visit: &Visit,
    policy: Option<&ApprovalPolicy>,
    (place, request): (TurnPlace, &Request),
) -> Gate {
    let anyone = ApprovalPolicy::default();
    let tool = match request {
        Request::Tool { tool, .. } => tool.to_string(),
        Request::Model { .. } | Request::Noop => String::new(),
    };
    let TurnPlace { turn, call } = place;
    let message = format!("the model asks for `{tool}` (turn {turn}, call {call})");
    Gate {
        place,
        request: request.to_json(),
        ..approval_gate(situation, visit, policy.unwrap_or(&anyone), Some(message))
    }
}

/// The gate at which a person says what became of an interrupted step.
pub(crate) fn interrupted_gate(situation: Situation<'_>, visit: &Visit) -> Gate {
    Gate {
        message: Some(format!(
            "attempt {} of `{}` was interrupted; its side effect may have happened, or still happen",
            visit.attempt, visit.step
        )),
        ..gate(situation, visit, GateKind::Interrupted)
    }
}

fn gate(situation: Situation<'_>, visit: &Visit, kind: GateKind) -> Gate {
    Gate {
        id: situation.gate_id,
        kind,
        execution_id: situation.execution.id,
        workflow_id: situation.execution.workflow_id.clone(),
        step: visit.step.clone(),
        visit: visit.number,
        attempt: visit.attempt,
        place: TurnPlace::START,
        message: None,
        request: visit.request.clone().unwrap_or(Value::Null),
        requested_at: situation.now,
        expiry: None,
        approvers: Vec::new(),
        count: std::num::NonZeroU32::MIN,
        state: GateState::Waiting,
    }
}

fn default_patience(trigger: TriggeredBy) -> Option<std::time::Duration> {
    match trigger {
        TriggeredBy::Manual => None,
        TriggeredBy::Cron | TriggeredBy::Heartbeat => Some(UNATTENDED_PATIENCE),
    }
}

/// The next step after one that has finished; the first match wins.
fn choose<'d>(situation: Situation<'d>, history: &History, id: &StepId) -> Next<'d> {
    let definition = situation.definition;
    let (Some(step), Some(record)) = (definition.step(id), history.step(id.as_ref())) else {
        return Next::Fail(
            Some(id.clone()),
            Failure {
                kind: FailureKind::DefinitionError,
                message: format!("the definition has no step `{id}`"),
            },
        );
    };
    if let Some(failure) = &record.failure {
        return match step.on_failure() {
            Some(target) => follow(definition, id, target),
            None => Next::Fail(
                Some(id.clone()),
                Failure {
                    kind: failure.kind.of_execution(),
                    message: format!("step `{id}` failed: {}", failure.message),
                },
            ),
        };
    }
    let context = ExecutionContext::new(situation.execution, definition.name(), history);
    let conditions = context.after(record);
    for (index, branch) in step.branches().iter().enumerate() {
        match branch.condition().evaluate(&conditions) {
            Ok(value) if value.truthy() => return follow(definition, id, branch.goto()),
            Ok(_) => {}
            Err(error) => {
                return Next::Fail(
                    Some(id.clone()),
                    Failure {
                        kind: FailureKind::ConditionError,
                        message: format!(
                            "the condition of branch {index} of step `{id}` cannot be evaluated: {error} (`{}`)",
                            branch.condition().source()
                        ),
                    },
                );
            }
        }
    }
    match step.on_success() {
        Some(target) => follow(definition, id, target),
        None => definition
            .step_after(id)
            .map_or(Next::Complete, Next::Visit),
    }
}

fn follow<'d>(definition: &'d WorkflowDefinition, from: &StepId, target: &Target) -> Next<'d> {
    match target {
        Target::End => Next::Complete,
        Target::Fail => Next::Fail(
            Some(from.clone()),
            Failure {
                kind: FailureKind::StepFailed,
                message: format!("step `{from}` led to $fail"),
            },
        ),
        Target::Step(to) => go_to(definition, from, to),
    }
}

fn go_to<'d>(definition: &'d WorkflowDefinition, from: &StepId, to: &StepId) -> Next<'d> {
    match definition.step(to) {
        Some(step) => Next::Visit(step),
        None => Next::Fail(
            Some(from.clone()),
            Failure {
                kind: FailureKind::DefinitionError,
                message: format!("the definition has no step `{to}`"),
            },
        ),
    }
}

/// What a gate that waits no longer means for the visit behind it.
#[derive(Debug, PartialEq)]
pub(crate) enum Passage {
    /// The action runs.
    Run,
    /// The visit is over.
    Conclude(Outcome),
    /// The execution is over.
    Fail(Failure),
    /// Nobody has decided yet.
    Wait,
}

/// What a gate means now.
pub(crate) fn pass(gate: &Gate) -> Passage {
    use workflow_types::approval::{Decision, Resolution};
    match &gate.state {
        GateState::Waiting => Passage::Wait,
        GateState::Decided(vote) => match vote.decision {
            Decision::Approve => Passage::Run,
            Decision::Deny => Passage::Conclude(Outcome::failure(
                StepFailureKind::Denied,
                match &vote.reason {
                    Some(reason) => format!("denied by {}: {reason}", vote.actor),
                    None => format!("denied by {}", vote.actor),
                },
            )),
        },
        GateState::Resolved(by) => match &by.resolution {
            Resolution::Rerun => Passage::Run,
            Resolution::Done { output } => Passage::Conclude(Outcome::Success {
                output: output.clone(),
            }),
            Resolution::Fail => Passage::Conclude(Outcome::failure(
                StepFailureKind::Interrupted,
                format!("interrupted, and {} said that it fails", by.actor),
            )),
        },
        GateState::Expired { .. } => expired(gate),
        GateState::Withdrawn { .. } => Passage::Fail(Failure {
            kind: FailureKind::Internal,
            message: format!("the gate of step `{}` was withdrawn", gate.step),
        }),
    }
}

fn expired(gate: &Gate) -> Passage {
    let message = "nobody decided in time".to_owned();
    match gate.expiry.map_or(OnExpiry::Deny, |expiry| expiry.then) {
        OnExpiry::Approve => Passage::Run,
        OnExpiry::Deny => {
            Passage::Conclude(Outcome::failure(StepFailureKind::ApprovalExpired, message))
        }
        OnExpiry::Fail => Passage::Fail(Failure {
            kind: FailureKind::ApprovalExpired,
            message: format!("step `{}` failed: {message}", gate.step),
        }),
    }
}
