//! One life of a gateway: it starts on a disk, everything that was asked for is carried to its end,
//! and it ends in order, or is killed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gateway::workflow_types::approval::{Gate, GateKind, Resolution};
use gateway::workflow_types::execution::{ExecutionState, ExecutionStatus, Outcome, VisitState};
use gateway::workflow_types::id::{ExecutionId, IdempotencyKey, WorkflowId};
use gateway::{
    Clock as _, Durability, Error, ErrorKind, ExecutionFilter, Gateway, GatewayBuilder,
    StartRequest, SystemClock,
};
use serde_json::{Map, json};
use tokio::runtime::Runtime;
use tokio::task::{JoinSet, LocalSet};

use crate::clock::FastClock;
use crate::disk::Disk;
use crate::event::{Effect, Seen};
use crate::facts::Broken;
use crate::mount::Slot;
use crate::world::{Scripted, Task, Work, effects, output};

/// Longest a life may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// Where a gateway lives, and what it lives for.
pub(crate) struct Life<'a> {
    pub(crate) slot: &'a Slot,
    pub(crate) disk: Arc<Disk>,
    pub(crate) work: Work,
    pub(crate) durability: Durability,
    /// What the tools had done before.
    pub(crate) earlier: Arc<Vec<Effect>>,
}

/// How an execution ended: its status, and what became of each of its visits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct End {
    status: ExecutionStatus,
    trail: Vec<(String, Outcome)>,
}

/// How everything that was asked for ended.
pub(crate) type Ends = BTreeMap<Task, (ExecutionId, End)>;

/// What a life may take for granted of its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It does not fail.
    Sound,
    /// It may, for a while.
    Failing,
}

/// A runtime for lives.
pub(crate) fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let built = builder.worker_threads(2).enable_all().build();
    built.expect("a machine that has threads")
}

impl Life<'_> {
    /// Lives to the end: all that is asked for has ended, and the database is closed.
    pub(crate) fn live(&self, trust: Trust, runtime: &Runtime) -> Result<Ends, Broken> {
        self.slot.insert(Arc::clone(&self.disk));
        let people = LocalSet::new();
        let lived = runtime.block_on(soon(people.run_until(self.whole(trust))));
        lived.unwrap_or_else(|| Err(Broken::Stuck(format!("it did not end in {PATIENCE:?}"))))
    }

    /// Lives until `end`, and is killed.
    pub(crate) fn live_until(&self, end: impl Future<Output = ()>) {
        self.slot.insert(Arc::clone(&self.disk));
        let runtime = runtime();
        runtime.block_on(async {
            let people = LocalSet::new();
            let whole = people.run_until(self.whole(Trust::Failing));
            tokio::select! {
                _ = soon(whole) => {}
                () = end => {}
            }
        });
        self.disk.cut();
        runtime.shutdown_timeout(PATIENCE);
    }

    async fn whole(&self, trust: Trust) -> Result<Ends, Broken> {
        let gateway = Arc::new(self.start(trust).await?);
        let mut tasks = JoinSet::new();
        for task in self.work.tasks() {
            let person = Person {
                gateway: Arc::clone(&gateway),
                disk: Arc::clone(&self.disk),
                earlier: Arc::clone(&self.earlier),
                trust,
            };
            tasks.spawn_local(async move { Ok((task.clone(), person.carry(&task).await?)) });
        }
        let mut ends = Ends::new();
        while let Some(carried) = tasks.join_next().await {
            let carried = carried.map_err(|error| Broken::Stuck(error.to_string()))?;
            let (task, end) = carried?;
            ends.insert(task, end);
        }
        check_count(&gateway, ends.len(), trust).await?;
        let gateway = Arc::into_inner(gateway).expect("nobody else holds it any more");
        match gateway.shutdown().await {
            Ok(()) => Ok(ends),
            Err(error) => Err(Broken::Stuck(told(&error))),
        }
    }

    /// Starts a gateway; one that is refused by a disk that fails says so, and is started again.
    async fn start(&self, trust: Trust) -> Result<Gateway, Broken> {
        loop {
            match self.builder().start().await {
                Ok(gateway) => return Ok(gateway),
                Err(error) if error.kind() == ErrorKind::Owned => tokio::task::yield_now().await,
                Err(error) => tolerate(trust, &error).await?,
            }
        }
    }

    fn builder(&self) -> GatewayBuilder {
        let workflows = self.slot.directory().join("workflows");
        self.work.write(&workflows);
        let mut builder = Gateway::builder()
            .database(self.slot.database())
            .durability(self.durability)
            .workflows(workflows)
            .clock(FastClock::new());
        for tool in Scripted::all(&self.disk) {
            builder = builder.tool(tool);
        }
        builder
    }
}

/// Whoever asked for an execution, sees to it that it ends, and says so to the world.
struct Person {
    gateway: Arc<Gateway>,
    disk: Arc<Disk>,
    earlier: Arc<Vec<Effect>>,
    trust: Trust,
}

impl Person {
    async fn carry(&self, task: &Task) -> Result<(ExecutionId, End), Broken> {
        let id = self.start(task).await?;
        self.disk.saw(Seen::Started(id));
        loop {
            let execution = self.patiently(async || self.gateway.wait(id).await).await?;
            match execution.state {
                ExecutionState::Running => {}
                ExecutionState::Paused { .. } => self.decide(id).await?,
                ExecutionState::Completed { .. } | ExecutionState::Failed { .. } => {
                    self.disk.saw(Seen::Ended(id));
                    let trail = self.trail(id).await?;
                    let status = execution.state.status();
                    return Ok((id, End { status, trail }));
                }
            }
        }
    }

    async fn start(&self, task: &Task) -> Result<ExecutionId, Broken> {
        let workflow: WorkflowId = task.workflow.parse().expect("a valid id");
        let key: IdempotencyKey = task.key.parse().expect("a valid key");
        let started = self.patiently(async || {
            let request = StartRequest::new(workflow.clone(), json!({}));
            let request = request.idempotency_key(key.clone());
            self.gateway.start_with(request).await
        });
        Ok(started.await?.id)
    }

    /// Approves what waits for approval; says of an interrupted step what really happened.
    async fn decide(&self, id: ExecutionId) -> Result<(), Broken> {
        let reader = self.gateway.reader();
        let gate = self.patiently(async || reader.gate_of(id).await).await?;
        let actor = || "ann".parse().expect("a valid actor");
        let decided = match gate.kind {
            GateKind::Approval => {
                let approve = async || self.gateway.approve(gate.id, actor(), None).await;
                self.patiently(approve).await
            }
            GateKind::Interrupted => {
                let resolution = self.what_happened(&gate);
                let resolve = async || {
                    let resolution = resolution.clone();
                    self.gateway
                        .resolve(gate.id, resolution, actor(), None)
                        .await
                };
                self.patiently(resolve).await
            }
        };
        decided?;
        self.disk.saw(Seen::Decided(gate.id));
        Ok(())
    }

    fn what_happened(&self, gate: &Gate) -> Resolution {
        let key = format!("{}/{}/{}", gate.execution_id, gate.step, gate.visit);
        let record = effects(&self.disk.record());
        let mut all = self.earlier.iter().chain(&record);
        if !all.any(|effect| effect.key == key) {
            return Resolution::Rerun;
        }
        let none = Map::new();
        let args = gate.request["args"].as_object().unwrap_or(&none);
        Resolution::Done {
            output: output(args),
        }
    }

    async fn trail(&self, id: ExecutionId) -> Result<Vec<(String, Outcome)>, Broken> {
        let reader = self.gateway.reader();
        let read = self.patiently(async || reader.journal(id, 1, 1_000).await);
        let mut trail = Vec::new();
        for visit in read.await? {
            let VisitState::Done { outcome, .. } = visit.state else {
                let message = format!("visit {} of {id} is open after its end", visit.number);
                return Err(Broken::Corrupt(message));
            };
            trail.push((visit.step.to_string(), outcome));
        }
        Ok(trail)
    }

    /// Asks again while the answer is that the disk fails.
    async fn patiently<T>(&self, ask: impl AsyncFn() -> Result<T, Error>) -> Result<T, Broken> {
        loop {
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => tolerate(self.trust, &error).await?,
            }
        }
    }
}

/// An error that is said plainly, and that may go away, is borne for a while.
async fn tolerate(trust: Trust, error: &Error) -> Result<(), Broken> {
    if trust == Trust::Sound || error.kind() != ErrorKind::Unavailable {
        return Err(Broken::Stuck(told(error)));
    }
    let until = SystemClock.now().saturating_add(Duration::from_millis(2));
    SystemClock.sleep_until(until).await;
    Ok(())
}

/// No start has made two executions.
async fn check_count(gateway: &Gateway, expected: usize, trust: Trust) -> Result<(), Broken> {
    let found = loop {
        let page = gateway
            .reader()
            .executions(ExecutionFilter::default(), None, 1_000);
        match page.await {
            Ok(page) => break page.items.len(),
            Err(error) => tolerate(trust, &error).await?,
        }
    };
    if found == expected {
        return Ok(());
    }
    let message = format!("{found} executions instead of {expected}");
    Err(Broken::Duplicated(message))
}

/// An error with all that led to it.
pub(crate) fn told(error: &Error) -> String {
    let mut text = format!("{error} ({:?})", error.kind());
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// What comes of it, unless it takes too long.
async fn soon<T>(work: impl Future<Output = T>) -> Option<T> {
    let deadline = SystemClock.now().saturating_add(PATIENCE);
    tokio::select! {
        done = work => Some(done),
        () = SystemClock.sleep_until(deadline) => None,
    }
}
