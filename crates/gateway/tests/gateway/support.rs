//! A world for a gateway: a directory, a clock, and what its tools have done.
//!
//! Nothing here sleeps: tests wait for what is stored, or for what the tools have recorded.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use gateway::workflow_types::Timestamp;
use gateway::workflow_types::approval::Gate;
use gateway::workflow_types::execution::{
    Execution, ExecutionState, Failure, FailureKind, Outcome, Visit, VisitState,
};
use gateway::workflow_types::id::{Actor, ExecutionId, WorkflowId};
use gateway::{
    Clock as _, Decided, Error, ErrorKind, Gateway, GatewayBuilder, ManualClock, SystemClock,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::ledger::Ledger;
use crate::support::tools::{Asks, Scripted};

pub(crate) mod counting;
pub(crate) mod crashing;
pub(crate) mod dialogue;
pub(crate) mod ledger;
pub(crate) mod tools;

/// Longest a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// What outlives a gateway: its files, its clock and the world that its tools have changed.
pub(crate) struct World {
    directory: TempDir,
    pub(crate) clock: ManualClock,
    pub(crate) ledger: Arc<Ledger>,
}

/// One run of a gateway, from its start to its shutdown or its sudden end.
pub(crate) struct Life {
    pub(crate) runtime: Runtime,
    pub(crate) gateway: Gateway,
}

impl World {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("workflows")).unwrap();
        Self {
            directory,
            clock: ManualClock::new(at("2026-01-31T09:00:00Z")),
            ledger: Arc::default(),
        }
    }

    /// A world with the workflow `w` of these steps.
    pub(crate) fn with(steps: &str) -> Self {
        let world = Self::new();
        world.write("w", steps);
        world
    }

    /// Writes the file of a workflow; what stands before `steps:` belongs to the workflow.
    pub(crate) fn write(&self, id: &str, steps: &str) -> PathBuf {
        let steps = if steps.contains("steps:") {
            steps.to_owned()
        } else {
            format!("steps:\n{steps}")
        };
        let path = self.workflows().join(format!("{id}.yaml"));
        std::fs::write(&path, format!("name: {id}\n{steps}")).unwrap();
        path
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn workflows(&self) -> PathBuf {
        self.path().join("workflows")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path().join("agentspace.db")
    }

    pub(crate) fn builder(&self) -> GatewayBuilder {
        let mut builder = Gateway::builder()
            .database(self.database())
            .workflows(self.workflows())
            .clock(self.clock.clone())
            .model("scripted", Asks(Arc::clone(&self.ledger)));
        for tool in Scripted::all(&self.ledger) {
            builder = builder.tool(tool);
        }
        builder
    }

    pub(crate) fn live(&self) -> Life {
        self.live_with(|builder| builder)
    }

    /// Starts a gateway; waits until the one before has let go of the database.
    pub(crate) fn live_with(&self, change: impl Fn(GatewayBuilder) -> GatewayBuilder) -> Life {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        loop {
            match runtime.block_on(soon(change(self.builder()).start())) {
                Ok(gateway) => return Life { runtime, gateway },
                Err(error) if error.kind() == ErrorKind::Owned => std::thread::yield_now(),
                Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
            }
        }
    }
}

impl Life {
    pub(crate) fn run<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(soon(work))
    }

    pub(crate) fn start(&self, workflow: &str, input: Value) -> ExecutionId {
        self.try_start(workflow, input).unwrap().id
    }

    pub(crate) fn try_start(&self, workflow: &str, input: Value) -> Result<Execution, Error> {
        self.run(self.gateway.start(&workflow.parse().unwrap(), input))
    }

    /// Waits until an execution is at rest.
    pub(crate) fn wait(&self, id: ExecutionId) -> Execution {
        self.run(self.gateway.wait(id)).unwrap()
    }

    /// Starts the workflow `w` and waits until it is at rest.
    pub(crate) fn settle(&self, input: Value) -> Execution {
        let id = self.start("w", input);
        self.wait(id)
    }

    pub(crate) fn journal(&self, id: ExecutionId) -> Vec<Visit> {
        self.run(self.gateway.reader().journal(id, 1, 10_000))
            .unwrap()
    }

    /// Waits until the last visit of an execution is as wanted.
    pub(crate) fn until(&self, id: ExecutionId, wanted: impl Fn(&Visit) -> bool) -> Visit {
        let mut follower = self.gateway.follow(id);
        loop {
            let last = self.journal(id).pop();
            if let Some(last) = last.filter(&wanted) {
                return last;
            }
            self.run(follower.changed());
        }
    }

    /// Waits until the open visit of an execution waits for its next attempt.
    pub(crate) fn until_backing_off(&self, id: ExecutionId, attempt: u32) -> Timestamp {
        let visit = self.until(id, |visit| {
            visit.attempt == attempt && matches!(visit.state, VisitState::BackingOff { .. })
        });
        let VisitState::BackingOff { until, .. } = visit.state else {
            panic!("it does not wait: {:?}", visit.state);
        };
        until
    }

    /// The journal in words: `step outcome` for each visit.
    pub(crate) fn trail(&self, id: ExecutionId) -> Vec<String> {
        self.journal(id).iter().map(words).collect()
    }

    pub(crate) fn gate(&self, id: ExecutionId) -> Gate {
        self.run(self.gateway.reader().gate_of(id)).unwrap()
    }

    pub(crate) fn approve(&self, gate: &Gate, who: &str) -> Result<Decided, Error> {
        self.run(self.gateway.approve(gate.id, actor(who), None))
    }

    pub(crate) fn deny(&self, gate: &Gate, who: &str) -> Result<Decided, Error> {
        let reason = Some("not today".to_owned());
        self.run(self.gateway.deny(gate.id, actor(who), reason))
    }

    /// Nothing of the database contradicts anything else.
    pub(crate) fn check(&self, world: &World) {
        let problems = self
            .run(gateway::database::check(world.database()))
            .unwrap();
        assert_eq!(problems, Vec::<String>::new());
    }

    /// Waits until the tools were called so often.
    pub(crate) fn until_called(&self, world: &World, times: usize) {
        self.run(world.ledger.until_called(times));
    }

    pub(crate) fn shutdown(self) {
        self.runtime
            .block_on(soon(self.gateway.shutdown()))
            .unwrap();
    }

    /// Ends everything in the middle of what it does, as a killed process.
    pub(crate) fn kill(self) {
        self.runtime.shutdown_timeout(PATIENCE);
        drop(self.gateway);
    }
}

pub(crate) async fn soon<F: Future>(work: F) -> F::Output {
    let deadline = SystemClock.now().saturating_add(PATIENCE);
    tokio::select! {
        done = work => done,
        () = SystemClock.sleep_until(deadline) => panic!("nothing happened in {PATIENCE:?}"),
    }
}

/// Asks a future once, so that what it does first has begun.
pub(crate) async fn once<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

/// A visit in words: its step and what became of it.
pub(crate) fn words(visit: &Visit) -> String {
    let what = match &visit.state {
        VisitState::Done {
            outcome: Outcome::Success { output },
            ..
        } => output.to_string(),
        VisitState::Done {
            outcome: Outcome::Failure(failure),
            ..
        } => failure.kind.to_string(),
        VisitState::Ready
        | VisitState::Waiting
        | VisitState::Begun
        | VisitState::BackingOff { .. } => visit.state.status().to_string(),
    };
    format!("{} {what}", visit.step)
}

pub(crate) fn failure(execution: &Execution) -> &Failure {
    let ExecutionState::Failed { failure, .. } = &execution.state else {
        panic!("it has not failed: {:?}", execution.state);
    };
    failure
}

/// Why an execution failed, and nothing if it completed.
pub(crate) fn verdict(execution: &Execution) -> Option<FailureKind> {
    match &execution.state {
        ExecutionState::Completed { .. } => None,
        ExecutionState::Failed { failure, .. } => Some(failure.kind),
        ExecutionState::Running | ExecutionState::Paused { .. } => {
            panic!("it is not finished: {:?}", execution.state)
        }
    }
}

pub(crate) fn is_paused(execution: &Execution) -> bool {
    matches!(execution.state, ExecutionState::Paused { .. })
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn actor(name: &str) -> Actor {
    name.parse().unwrap()
}

pub(crate) fn workflow(id: &str) -> WorkflowId {
    id.parse().unwrap()
}
