//! A database in a temporary directory, with a workflow to execute.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;

use db::{Connection, Durability, Error, execution, workflow};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{Nullable, Text};
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection};
use serde_json::{Value, json};
use tempfile::TempDir;
use workflow_types::approval::{Decision, Expiry, Gate, GateKind, GateState, Vote};
use workflow_types::definition::StoredDefinition;
use workflow_types::execution::{
    Entry, Epoch, Execution, ExecutionState, Failure, FailureKind, Outcome, Progress, Start,
    Started, StepResult, Transition, TriggeredBy, TurnPlace, Visit, VisitState,
};
use workflow_types::id::{ExecutionId, GateId, StepId};
use workflow_types::registry::Registration;
use workflow_types::{SourceFormat, Timestamp, WorkflowDefinition};

pub(crate) struct Database {
    directory: TempDir,
    pub(crate) connection: Connection,
}

impl Database {
    /// A new database.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agentspace.db");
        let opened = Connection::open_writer(&path, Durability::Full).unwrap();
        Self {
            directory,
            connection: opened.connection,
        }
    }

    /// A new database with the workflow `w`.
    pub(crate) fn with_workflow() -> Self {
        let mut database = Self::new();
        workflow::register(&mut database.connection, &registration("Wait")).unwrap();
        database
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("agentspace.db")
    }

    pub(crate) fn start(&mut self, start: &Start) -> Started {
        execution::start(&mut self.connection, start, "p1").unwrap()
    }

    pub(crate) fn apply(&mut self, transition: &Transition) -> Result<(), Error> {
        execution::apply(&mut self.connection, transition)
    }

    /// Reads one row as a program would that knows only SQL: its columns, joined by `|`.
    pub(crate) fn sql(&self, query: &str) -> String {
        let rows = self.raw(query);
        rows.into_iter().collect::<Vec<_>>().join("\n")
    }

    fn raw(&self, query: &str) -> Vec<String> {
        let path = self.path();
        let mut raw = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        let rows: Vec<Line> = diesel::sql_query(query).load(&mut raw).unwrap();
        rows.into_iter()
            .map(|row| row.line.unwrap_or_else(|| "NULL".to_owned()))
            .collect()
    }

    /// Damages the database as no program of ours would.
    pub(crate) fn damage(&self, sql: &str) {
        let path = self.path();
        let mut raw = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        raw.batch_execute("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF")
            .unwrap();
        raw.batch_execute(sql).unwrap();
    }

    pub(crate) fn check(&mut self) -> Vec<String> {
        self.connection.check().unwrap()
    }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Nullable<Text>)]
    line: Option<String>,
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_769_850_000_000 + seconds * 1_000).unwrap()
}

pub(crate) fn id(number: u32) -> ExecutionId {
    format!("01890a5d-ac96-774b-bcce-{number:012}")
        .parse()
        .unwrap()
}

pub(crate) fn gate_id(number: u32) -> GateId {
    format!("01890a5d-ac96-774b-aaaa-{number:012}")
        .parse()
        .unwrap()
}

pub(crate) fn step(name: &str) -> StepId {
    name.parse().unwrap()
}

pub(crate) fn registration(name: &str) -> Registration {
    let source = format!("name: {name}\nsteps:\n  - id: a\n    action: noop\n");
    let definition = WorkflowDefinition::parse(source.as_bytes(), SourceFormat::Yaml).unwrap();
    Registration {
        id: "w".parse().unwrap(),
        name: name.to_owned(),
        description: None,
        path: "workflows/w.yaml".to_owned(),
        definition: StoredDefinition::new(&definition),
        source,
        concurrency_limit: None,
        schedule: None,
        at: at(0),
    }
}

pub(crate) fn execution(number: u32, state: ExecutionState) -> Execution {
    Execution {
        id: id(number),
        workflow_id: "w".parse().unwrap(),
        definition: registration("Wait").definition.digest().clone(),
        triggered_by: TriggeredBy::Manual,
        schedule: None,
        scheduled_for: None,
        origin: None,
        idempotency_key: None,
        input: json!({"n": number}),
        started_at: at(i64::from(number)),
        queued: false,
        state,
    }
}

pub(crate) fn visit(execution: u32, number: u32, name: &str, state: VisitState) -> Visit {
    Visit {
        execution_id: id(execution),
        number,
        step: step(name),
        attempt: 1,
        request: Some(json!({"tool": "echo"})),
        begun_at: at(i64::from(number)),
        state,
        reused_from: None,
    }
}

pub(crate) fn done(seconds: i64, output: Value) -> VisitState {
    VisitState::Done {
        at: at(seconds),
        outcome: Outcome::Success { output },
    }
}

/// A running execution whose first visit has begun.
pub(crate) fn running(number: u32) -> Start {
    Start {
        execution: execution(number, ExecutionState::Running),
        visits: vec![visit(number, 1, "a", VisitState::Begun)],
        gate: None,
        results: None,
        entry: Entry::UNCONDITIONAL,
    }
}

/// A running execution goes on from visit 1 of step `a` to visit 2 of step `b`.
pub(crate) fn forward(number: u32) -> Transition {
    Transition {
        execution_id: id(number),
        epoch: Epoch::FIRST,
        open: Some(visit(number, 1, "a", done(5, json!({"ok": true})))),
        made: vec![visit(number, 2, "b", VisitState::Begun)],
        failed: None,
        progress: Progress::default(),
        gate: None,
        state: ExecutionState::Running,
        results: None,
    }
}

pub(crate) fn results(entries: &[(&str, VisitState)]) -> BTreeMap<StepId, StepResult> {
    let results = entries.iter().map(|(name, state)| {
        let visit = visit(1, 1, name, state.clone());
        (step(name), StepResult::of(&visit).unwrap())
    });
    results.collect()
}

pub(crate) fn gate(execution: u32, visit: u32, kind: GateKind) -> Gate {
    Gate {
        id: gate_id(execution),
        kind,
        execution_id: id(execution),
        workflow_id: "w".parse().unwrap(),
        step: step("a"),
        visit,
        attempt: 1,
        place: TurnPlace::START,
        message: Some("go on?".to_owned()),
        request: json!({"tool": "echo"}),
        requested_at: at(i64::from(execution)),
        expiry: None,
        approvers: Vec::new(),
        count: NonZeroU32::MIN,
        state: GateState::Waiting,
    }
}

/// An execution that waits at the gate of its first step.
pub(crate) fn paused(number: u32, expiry: Option<Expiry>) -> Start {
    let state = ExecutionState::Paused {
        step: step("a"),
        at: at(i64::from(number)),
    };
    Start {
        execution: execution(number, state),
        visits: vec![visit(number, 1, "a", VisitState::Waiting)],
        gate: Some(Gate {
            expiry,
            ..gate(number, 1, GateKind::Approval)
        }),
        results: Some(results(&[("a", VisitState::Waiting)])),
        entry: Entry::UNCONDITIONAL,
    }
}

/// Ends an execution that has made no visit but its first, which stays open.
pub(crate) fn cancel(number: u32, epoch: Epoch) -> Transition {
    Transition {
        execution_id: id(number),
        epoch,
        open: None,
        made: Vec::new(),
        failed: None,
        progress: Progress::default(),
        gate: None,
        state: ExecutionState::Failed {
            at: at(90),
            step: Some(step("a")),
            failure: Failure {
                kind: FailureKind::Cancelled,
                message: "not needed any more".to_owned(),
            },
        },
        results: Some(results(&[])),
    }
}

pub(crate) fn vote(decision: Decision, actor: &str, seconds: i64) -> Vote {
    Vote {
        decision,
        actor: actor.parse().unwrap(),
        at: at(seconds),
        reason: None,
    }
}
