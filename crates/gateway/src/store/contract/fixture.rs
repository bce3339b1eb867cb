//! Executions to test a store with, and what is looked at afterwards.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use serde_json::{Value, json};
use workflow_types::approval::{Decision, Expiry, Gate, GateKind, GateState, OnExpiry, Vote};
use workflow_types::definition::StoredDefinition;
use workflow_types::execution::{
    Admitted, Claimed, Entry, Epoch, Execution, ExecutionState, FailedAttempt, Failure,
    FailureKind, Outcome, Progress, Round, Scope, Start, Started, StepFailure, StepFailureKind,
    StepResult, Transition, TriggeredBy, TurnPlace, Visit, VisitState, WorkflowExecutionState,
};
use workflow_types::id::{ExecutionId, GateId, StepId};
use workflow_types::registry::Registration;
use workflow_types::{SourceFormat, Timestamp, WorkflowDefinition};

use super::StoreFactory;
use crate::store::{ReadStore, Store, StoreError, StoreErrorKind};

/// Who holds the executions.
pub(super) const OWNER: &str = "the contract";

/// An open store with the workflows `w` and `v`.
pub(super) struct World {
    pub(super) store: Arc<dyn Store>,
    pub(super) reads: Arc<dyn ReadStore>,
}

/// All that is stored of an execution.
#[derive(Debug, PartialEq)]
pub(super) struct Stored {
    pub(super) execution: Execution,
    pub(super) state: WorkflowExecutionState,
    pub(super) journal: Vec<Visit>,
    pub(super) gates: Vec<Gate>,
}

impl World {
    pub(super) async fn open(factory: &dyn StoreFactory) -> Self {
        let store = factory.open().await;
        let registrations = vec![registration("w", "Wait"), registration("v", "Vary")];
        store.register(registrations).await.unwrap();
        let reads = store.reads();
        Self { store, reads }
    }

    pub(super) async fn start(&self, start: Start) {
        let started = self.store.start(start, OWNER).await.unwrap();
        assert_eq!(started, Started::New);
    }

    pub(super) async fn apply(&self, transition: Transition) -> Result<(), StoreError> {
        self.store.apply(Arc::new(transition)).await
    }

    /// Takes up everything that runs, as a start after a crash does.
    pub(super) async fn take_up_all(&self, owner: &str) -> Vec<Claimed> {
        self.store.queue_running().await.unwrap();
        self.admit(100, owner).await.claimed
    }

    /// Takes up those whose turn it is.
    pub(super) async fn admit(&self, room: usize, owner: &str) -> Admitted {
        let round = Round {
            scope: Scope::All,
            after: None,
            room,
        };
        self.store.admit(round, owner).await.unwrap()
    }

    /// Everything that is stored of an execution.
    pub(super) async fn stored(&self, number: u32) -> Stored {
        let found = self.find(number).await;
        found.unwrap_or_else(|| panic!("execution {number} is not stored"))
    }

    pub(super) async fn find(&self, number: u32) -> Option<Stored> {
        let reads = &self.reads;
        let execution = reads.execution(id(number)).await.unwrap()?;
        Some(Stored {
            execution,
            state: reads.state(id(number)).await.unwrap().unwrap(),
            journal: reads.journal(id(number), 1, 1_000).await.unwrap(),
            gates: reads.gates(id(number)).await.unwrap(),
        })
    }

    /// Nothing that is stored contradicts anything else.
    pub(super) async fn is_sound(&self) {
        let problems = self.reads.check().await.unwrap();
        assert_eq!(problems, Vec::<String>::new());
    }
}

/// The kind of a failure that is expected.
pub(super) fn kind<T>(result: Result<T, StoreError>) -> StoreErrorKind {
    let Err(error) = result else {
        panic!("it has to fail");
    };
    error.kind()
}

pub(super) fn at(seconds: u32) -> Timestamp {
    Timestamp::from_millis(1_769_850_000_000 + i64::from(seconds) * 1_000).unwrap()
}

pub(super) fn id(number: u32) -> ExecutionId {
    let text = format!("01890a5d-ac96-774b-bcce-{number:012}");
    text.parse().unwrap()
}

/// The id of the gate of an execution.
pub(super) fn gate_id(number: u32) -> GateId {
    let text = format!("01890a5d-ac96-774b-aaaa-{number:012}");
    text.parse().unwrap()
}

pub(super) fn step(name: &str) -> StepId {
    name.parse().unwrap()
}

pub(super) fn registration(id: &str, name: &str) -> Registration {
    let source = format!("name: {name}\nsteps:\n  - id: a\n    action: noop\n");
    let definition = WorkflowDefinition::parse(source.as_bytes(), SourceFormat::Yaml).unwrap();
    Registration {
        id: id.parse().unwrap(),
        name: name.to_owned(),
        description: Some("says what it is for".to_owned()),
        path: format!("workflows/{id}.yaml"),
        definition: StoredDefinition::new(&definition),
        source,
        concurrency_limit: definition.concurrency().map(|it| it.limit),
        schedule: None,
        at: at(0),
    }
}

pub(super) fn execution(number: u32, state: ExecutionState) -> Execution {
    Execution {
        id: id(number),
        workflow_id: "w".parse().unwrap(),
        definition: registration("w", "Wait").definition.digest().clone(),
        triggered_by: TriggeredBy::Manual,
        schedule: None,
        scheduled_for: None,
        origin: None,
        idempotency_key: None,
        input: json!({"n": number}),
        started_at: at(number),
        queued: false,
        state,
    }
}

pub(super) fn visit(execution: u32, number: u32, name: &str, state: VisitState) -> Visit {
    Visit {
        execution_id: id(execution),
        number,
        step: step(name),
        attempt: 1,
        request: Some(json!({"tool": "echo", "args": {"text": "ä\u{0}\"'"}})),
        begun_at: at(execution + number),
        state,
        reused_from: None,
    }
}

pub(super) fn done(seconds: u32, output: Value) -> VisitState {
    VisitState::Done {
        at: at(seconds),
        outcome: Outcome::Success { output },
    }
}

pub(super) fn results(entries: &[(&str, VisitState)]) -> BTreeMap<StepId, StepResult> {
    let results = entries.iter().map(|(name, state)| {
        let visit = visit(1, 1, name, state.clone());
        (step(name), StepResult::of(&visit).unwrap())
    });
    results.collect()
}

/// A running execution whose first visit has begun.
pub(super) fn running(number: u32) -> Start {
    Start {
        execution: execution(number, ExecutionState::Running),
        visits: vec![visit(number, 1, "a", VisitState::Begun)],
        gate: None,
        results: None,
        entry: Entry::UNCONDITIONAL,
    }
}

/// A running execution goes on from a visit to the next one, of the same step.
pub(super) fn forward(number: u32, from: u32) -> Transition {
    let output = json!({"execution": number, "visit": from});
    Transition {
        execution_id: id(number),
        epoch: Epoch::FIRST,
        open: Some(visit(number, from, "a", done(5, output))),
        failed: None,
        progress: Progress::default(),
        made: vec![visit(number, from + 1, "a", VisitState::Begun)],
        gate: None,
        state: ExecutionState::Running,
        results: None,
    }
}

/// A running execution ends well with its first visit.
pub(super) fn complete(number: u32) -> Transition {
    let state = done(5, json!({"ok": true}));
    Transition {
        open: Some(visit(number, 1, "a", state.clone())),
        made: Vec::new(),
        state: ExecutionState::Completed { at: at(5) },
        results: Some(results(&[("a", state)])),
        ..forward(number, 1)
    }
}

/// An execution ends, wherever it stands; its open visit stays as it is.
pub(super) fn cancel(number: u32) -> Transition {
    Transition {
        open: None,
        made: Vec::new(),
        state: failed(FailureKind::Cancelled),
        results: Some(BTreeMap::new()),
        ..forward(number, 1)
    }
}

pub(super) fn failed(kind: FailureKind) -> ExecutionState {
    ExecutionState::Failed {
        at: at(90),
        step: Some(step("a")),
        failure: Failure {
            kind,
            message: "not needed any more".to_owned(),
        },
    }
}

/// The first visit of a running execution waits for its next attempt.
pub(super) fn back_off(number: u32, until: Timestamp) -> Transition {
    let failure = StepFailure {
        kind: StepFailureKind::Error,
        message: "try again".to_owned(),
    };
    let state = VisitState::BackingOff { until, failure };
    Transition {
        open: Some(visit(number, 1, "a", state)),
        made: Vec::new(),
        ..forward(number, 1)
    }
}

/// An attempt that failed, and is followed by another one.
pub(super) fn failed_attempt(visit: u32, attempt: u32) -> FailedAttempt {
    FailedAttempt {
        visit,
        attempt,
        begun_at: at(20),
        failed_at: at(21),
        due_at: at(60),
        failure: StepFailure {
            kind: StepFailureKind::Error,
            message: "try again".to_owned(),
        },
    }
}

pub(super) fn gate(number: u32, kind: GateKind) -> Gate {
    Gate {
        id: gate_id(number),
        kind,
        execution_id: id(number),
        workflow_id: "w".parse().unwrap(),
        step: step("a"),
        visit: 1,
        attempt: 1,
        place: TurnPlace::START,
        message: Some("go on?".to_owned()),
        request: json!({"tool": "echo", "args": [1, "two", null]}),
        requested_at: at(number),
        expiry: None,
        approvers: Vec::new(),
        count: NonZeroU32::MIN,
        state: GateState::Waiting,
    }
}

/// An execution that waits at the gate of its first step.
pub(super) fn paused(number: u32) -> Start {
    let state = ExecutionState::Paused {
        step: step("a"),
        at: at(number),
    };
    Start {
        execution: execution(number, state),
        visits: vec![visit(number, 1, "a", VisitState::Waiting)],
        gate: Some(gate(number, GateKind::Approval)),
        results: Some(results(&[("a", VisitState::Waiting)])),
        entry: Entry::UNCONDITIONAL,
    }
}

/// The same, with a gate that does not wait for ever.
pub(super) fn expiring(number: u32, when: Timestamp) -> Start {
    let expiry = Expiry {
        at: when,
        then: OnExpiry::Deny,
    };
    with_gate(paused(number), |gate| gate.expiry = Some(expiry))
}

/// The first visit of a running execution was interrupted, and a person is asked.
pub(super) fn interrupted(number: u32) -> Transition {
    Transition {
        open: Some(visit(number, 1, "a", VisitState::Waiting)),
        made: Vec::new(),
        gate: Some(gate(number, GateKind::Interrupted)),
        state: ExecutionState::Paused {
            step: step("a"),
            at: at(10),
        },
        results: Some(results(&[("a", VisitState::Waiting)])),
        ..forward(number, 1)
    }
}

/// Changes the gate of a start.
pub(super) fn with_gate(mut start: Start, change: impl FnOnce(&mut Gate)) -> Start {
    change(start.gate.as_mut().unwrap());
    start
}

pub(super) fn vote(decision: Decision, actor: &str) -> Vote {
    Vote {
        decision,
        actor: actor.parse().unwrap(),
        at: at(50),
        reason: Some(format!("{actor} says so")),
    }
}
