//! The walk: how an execution arrives at a step, and where it goes from there.

use gateway::workflow_types::Timestamp;
use gateway::workflow_types::action::{Action, Text};
use gateway::workflow_types::definition::{Step, Target};
use gateway::workflow_types::execution::{
    ExecutionState, FailureKind, Outcome, StepFailureKind, Visit, VisitState,
};
use gateway::workflow_types::id::StepId;
use serde_json::{Map, Value, json};

use super::run::Run;
use super::{Moment, Phase, SOME_TEXT};

/// Most visits of one transaction; the last of them is left to the next one.
const MOST_AT_ONCE: usize = 100;

/// Where the walk goes.
enum Next {
    Visit(StepId),
    Complete,
    Fail(FailureKind),
}

/// What an arrival at a step needs.
enum Arrival {
    Runs(Value),
    Asks(Value, Option<String>),
    /// A template cannot be resolved.
    Fails,
}

impl Run {
    /// Arrives at a step, and goes on until something is to be done.
    pub(super) fn visit(&mut self, moment: Moment, step: &StepId) {
        self.walk(moment, Next::Visit(step.clone()));
    }

    /// The open visit ends, and the walk goes on.
    pub(super) fn conclude(&mut self, moment: Moment, outcome: Outcome) {
        self.close(moment.now, outcome);
        let next = self.next();
        self.state = ExecutionState::Running;
        self.walk(moment, next);
    }

    /// What was left, because the process drained or had done enough, begins.
    pub(super) fn begin_what_is_ready(&mut self, moment: Moment) {
        if self.open().request.is_some() {
            self.features.insert("went on after a shutdown");
            self.open().state = VisitState::Begun;
            return;
        }
        self.features.insert("arrived later");
        let step = self.open().step.clone();
        if !self.arrive(moment, &step) {
            let next = self.next();
            self.walk(moment, next);
        }
    }

    fn walk(&mut self, moment: Moment, mut next: Next) {
        for made in 1.. {
            let step = match next {
                Next::Visit(step) => step,
                Next::Complete => return self.complete(moment.now),
                Next::Fail(kind) => {
                    let last = self.visits.last().map(|visit| visit.step.clone());
                    return self.fail(moment.now, last, kind);
                }
            };
            let limit = self.edition.definition.max_steps().into_inner().get() as usize;
            if self.visits.len() >= limit {
                self.features.insert("reached its limit of visits");
                return self.fail(moment.now, Some(step), FailureKind::StepLimit);
            }
            self.push(moment.now, &step);
            if made == MOST_AT_ONCE {
                self.features.insert("made a hundred visits at once");
                return;
            }
            if self.arrive(moment, &step) {
                let open = self.open();
                if moment.phase != Phase::Works && open.state == VisitState::Begun {
                    open.state = VisitState::Ready;
                    self.features.insert("was held back by a shutdown");
                }
                return;
            }
            next = self.next();
        }
    }

    fn push(&mut self, now: Timestamp, step: &StepId) {
        if self.visits.iter().any(|visit| visit.step == *step) {
            self.features.insert("visited a step again");
        }
        self.visits.push(Visit {
            execution_id: self.id,
            number: u32::try_from(self.visits.len()).unwrap() + 1,
            step: step.clone(),
            attempt: 1,
            request: None,
            begun_at: now,
            state: VisitState::Ready,
            reused_from: None,
        });
    }

    /// Resolves what the open visit asks for; answers whether the visit is open still.
    fn arrive(&mut self, moment: Moment, step: &StepId) -> bool {
        let definition = self.edition.clone();
        let step = definition.definition.step(step).expect("a step of its own");
        match self.arrival(step) {
            Arrival::Runs(request) => {
                let open = self.open();
                open.request = Some(request);
                open.state = VisitState::Begun;
                true
            }
            Arrival::Asks(request, message) => {
                let open = self.open();
                open.request = Some(request);
                open.state = VisitState::Waiting;
                self.ask(moment.now, step, message);
                true
            }
            Arrival::Fails => {
                self.features.insert("a template failed");
                let outcome = Outcome::failure(StepFailureKind::TemplateError, SOME_TEXT);
                self.close(moment.now, outcome);
                false
            }
        }
    }

    fn arrival(&self, step: &Step) -> Arrival {
        let context = self.context();
        let Some(request) = request(step, &context) else {
            return Arrival::Fails;
        };
        let Some(policy) = step.approval() else {
            return Arrival::Runs(request);
        };
        match policy.message().map(|text| resolved(text, &context)) {
            None => Arrival::Asks(request, None),
            Some(Some(message)) => Arrival::Asks(request, Some(message)),
            Some(None) => Arrival::Fails,
        }
    }

    /// Where the outcome of the last visit leads; the first match wins.
    fn next(&mut self) -> Next {
        let edition = self.edition.clone();
        let last = self.visits.last().expect("it has just run");
        let step = edition
            .definition
            .step(&last.step)
            .expect("a step of its own");
        let VisitState::Done { outcome, .. } = &last.state else {
            panic!("it is over: {last:?}");
        };
        if let Outcome::Failure(failure) = outcome {
            let kind = failure.kind.of_execution();
            return match step.on_failure() {
                Some(target) => {
                    self.features.insert("followed onFailure");
                    follow(target)
                }
                None => Next::Fail(kind),
            };
        }
        let context = self.context_after();
        for branch in step.branches() {
            match branch.condition().evaluate(&context) {
                Ok(value) if value.truthy() => {
                    self.features.insert("took a branch");
                    return follow(branch.goto());
                }
                Ok(_) => {}
                Err(_) => {
                    self.features.insert("a condition failed");
                    return Next::Fail(FailureKind::ConditionError);
                }
            }
        }
        if let Some(target) = step.on_success() {
            self.features.insert("followed onSuccess");
            return follow(target);
        }
        let mut rest = edition.definition.steps().iter();
        rest.find(|other| other.id() == step.id());
        rest.next()
            .map_or(Next::Complete, |next| Next::Visit(next.id().clone()))
    }
}

fn follow(target: &Target) -> Next {
    match target {
        Target::Step(step) => Next::Visit(step.clone()),
        Target::End => Next::Complete,
        Target::Fail => Next::Fail(FailureKind::StepFailed),
    }
}

/// What runs, as it is shown and stored; none if a template cannot be resolved.
fn request(step: &Step, context: &Map<String, Value>) -> Option<Value> {
    Some(match step.action() {
        Action::Noop => json!({"action": "noop"}),
        Action::Tool(action) => {
            let args = action.args().template().render(context).ok()?;
            json!({"action": "tool", "tool": action.tool().to_string(), "args": args})
        }
        Action::Model(action) => {
            let mut request =
                json!({"action": "model", "prompt": resolved(action.prompt(), context)?});
            if let Some(system) = action.system() {
                request["system"] = json!(resolved(system, context)?);
            }
            request
        }
    })
}

/// A text with its templates filled in.
fn resolved(text: &Text, context: &Map<String, Value>) -> Option<String> {
    Some(match text.template().render(context).ok()? {
        Value::String(text) => text,
        Value::Null => String::new(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            other.to_string()
        }
    })
}
