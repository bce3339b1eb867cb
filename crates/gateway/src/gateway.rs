//! The gateway: what a host starts, asks to run workflows, and shuts down.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::DropGuard;
use workflow_types::definition::StoredDefinition;
use workflow_types::execution::{Execution, TriggeredBy};
use workflow_types::id::{ExecutionId, IdempotencyKey, WorkflowId};
use workflow_types::output_schema::in_one_line;
use workflow_types::{Timestamp, WorkflowDefinition};

use crate::builder::GatewayBuilder;
use crate::change::Follower;
use crate::engine::{Engine, MAX_DEPTH, NewExecution, is_deeper};
use crate::error::{During as _, Error, ErrorKind};
use crate::loader::{FileReport, GoodFile};
use crate::reader::Reader;
use crate::registrar::{FileEvents, Registrar, Reloaded, Told};
use crate::store::Store;
use crate::tool::ToolRegistry;

/// The running heart: owns a database, runs workflows durably and asks for approvals.
///
/// Dropping a gateway without [`Gateway::shutdown`] is as safe as a killed process: what was
/// answered is stored, and the next start goes on from there.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use gateway::Gateway;
/// use serde_json::json;
///
/// # let dir = tempfile::tempdir()?;
/// # let workflows = dir.path().join("workflows");
/// # std::fs::create_dir(&workflows)?;
/// # std::fs::write(workflows.join("greet.yaml"), "name: Greet\nsteps:\n  - {id: hello, action: noop}\n")?;
/// let gateway = Gateway::builder()
///     .database(dir.path().join("agentspace.db"))
///     .workflows(&workflows)
///     .start()
///     .await?;
/// let execution = gateway.start(&"greet".parse()?, json!({})).await?;
/// let done = gateway.wait(execution.id).await?;
/// assert!(done.state.status().is_finished());
/// gateway.shutdown().await?;
/// # Ok(())
/// # }
/// ```
pub struct Gateway {
    pub(crate) engine: Arc<Engine>,
    store: Arc<dyn Store>,
    pub(crate) reader: Reader,
    registrar: Arc<Registrar>,
    started: Started,
    drain: Duration,
    /// Dropped last: ends what still runs if there was no shutdown.
    _guards: [DropGuard; 2],
}

/// What the start of a gateway did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Started {
    /// The migrations that were applied.
    pub migrated: Vec<String>,
    /// The copy that was made of the database before them.
    pub backup: Option<PathBuf>,
    /// What was read from the workflow directories, good and bad.
    pub files: Vec<FileReport>,
    /// How many executions that the last owner left behind are taken up, each when it is its turn.
    pub taken_up: usize,
    /// How many executions of the last owner were left as they are.
    pub left: usize,
}

/// A request to start an execution, with everything that can be said of it.
#[derive(Debug, Clone)]
pub struct StartRequest {
    workflow: WorkflowId,
    input: Value,
    triggered_by: TriggeredBy,
    idempotency_key: Option<IdempotencyKey>,
}

impl StartRequest {
    /// A start by hand.
    pub fn new(workflow: WorkflowId, input: Value) -> Self {
        Self {
            workflow,
            input,
            triggered_by: TriggeredBy::Manual,
            idempotency_key: None,
        }
    }

    /// With a key: the same key of a workflow answers the same execution, however often it is sent.
    #[must_use]
    pub fn idempotency_key(mut self, key: IdempotencyKey) -> Self {
        self.idempotency_key = Some(key);
        self
    }

    /// With what brought the start about.
    #[must_use]
    pub fn triggered_by(mut self, trigger: TriggeredBy) -> Self {
        self.triggered_by = trigger;
        self
    }
}

impl Gateway {
    /// Begins to describe a gateway.
    pub fn builder() -> GatewayBuilder {
        GatewayBuilder::default()
    }

    pub(crate) fn new(
        engine: Arc<Engine>,
        store: Arc<dyn Store>,
        registrar: Arc<Registrar>,
        drain: Duration,
    ) -> Self {
        let reader = Reader::new(store.reads());
        let guards = engine.guards();
        Self {
            engine,
            store,
            reader,
            registrar,
            started: Started::default(),
            drain,
            _guards: guards,
        }
    }

    pub(crate) fn set_started(&mut self, started: Started) {
        self.started = started;
    }

    /// What the start did.
    pub fn started(&self) -> &Started {
        &self.started
    }

    /// Everything that can be read.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The time by the gateway's clock.
    pub fn now(&self) -> Timestamp {
        self.engine.clock.now()
    }

    /// The newest definition of a registered workflow.
    pub async fn definition(&self, id: &WorkflowId) -> Result<Arc<WorkflowDefinition>, Error> {
        let workflow = self.reader.workflow(id).await?;
        self.engine.definition(&workflow.digest).await
    }

    /// The registered tools.
    pub fn tools(&self) -> &ToolRegistry {
        &self.registrar.known().tools
    }

    /// Reads one workflow file and registers it if it is good.
    pub async fn register_file(&self, path: impl AsRef<Path>) -> Result<FileReport, Error> {
        self.registrar.file(path.as_ref()).await
    }

    /// Reads a directory of workflow files; registers the good ones and reports all.
    pub async fn register_directory(
        &self,
        path: impl AsRef<Path>,
    ) -> Result<Vec<FileReport>, Error> {
        self.registrar.directory(path.as_ref()).await
    }

    /// Reads the workflow directories of the gateway again, and registers what is good in them; and
    /// the files of its heartbeats, whose cadence is in force at once.
    ///
    /// A file that is refused is reported and keeps its last good version; executions that have
    /// started keep the definition that they have. Of a workflow's file that is gone, the schedule of
    /// its trigger is switched off. Safe to drop at any point, and to repeat.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let workflows = dir.path().join("workflows");
    /// # std::fs::create_dir(&workflows)?;
    /// # let gateway = gateway::Gateway::builder()
    /// #     .database(dir.path().join("agentspace.db"))
    /// #     .workflows(&workflows)
    /// #     .start()
    /// #     .await?;
    /// let text = "name: Greet\nsteps:\n  - {id: hello, action: noop}\n";
    /// std::fs::write(workflows.join("greet.yaml"), text)?;
    /// let reloaded = gateway.reload().await?;
    /// assert_eq!(reloaded.registered, ["greet".parse()?]);
    /// # gateway.shutdown().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn reload(&self) -> Result<Reloaded, Error> {
        self.registrar.reload(Told::All).await
    }

    /// Listens to what becomes of the files of workflows and heartbeats that change, if they are watched
    /// ([`GatewayBuilder::watch_files`]).
    pub fn files(&self) -> FileEvents {
        self.registrar.listen()
    }

    /// Registers a definition that was built in Rust or sent by a client; `origin` says where from.
    pub async fn register_definition(
        &self,
        id: WorkflowId,
        definition: WorkflowDefinition,
        origin: &str,
    ) -> Result<(), Error> {
        let stored = StoredDefinition::new(&definition);
        let source = stored.json().to_owned();
        let file = GoodFile {
            id,
            definition,
            stored,
            source,
            path: origin.to_owned(),
        };
        self.registrar.register(vec![file]).await.map(drop)
    }

    /// Starts an execution of a registered workflow: stored, and under way, when this returns.
    ///
    /// If a limit does not let it run yet, it waits for its turn and says so
    /// ([`queued`](Execution::queued)). Fails with [`ErrorKind::Busy`], and stores nothing, if its
    /// workflow says `concurrency: {onLimit: skip}` and the limit is reached.
    pub async fn start(&self, workflow: &WorkflowId, input: Value) -> Result<Execution, Error> {
        self.start_with(StartRequest::new(workflow.clone(), input))
            .await
    }

    /// Starts an execution with everything that can be said of it.
    pub async fn start_with(&self, request: StartRequest) -> Result<Execution, Error> {
        let (digest, definition) = self.engine.current_definition(&request.workflow).await?;
        let input = validated(&request.workflow, &definition, request.input)?;
        self.engine
            .begin(NewExecution {
                workflow_id: request.workflow,
                digest,
                definition,
                input,
                triggered_by: request.triggered_by,
                idempotency_key: request.idempotency_key,
                schedule: None,
                scheduled_for: None,
                repeat: None,
            })
            .await
    }

    /// Follows an execution: register, read, act, wait for the next change.
    pub fn follow(&self, id: ExecutionId) -> Follower {
        self.engine.changes.follow(id)
    }

    /// Why an execution cannot go on for now: its journal is damaged, or the database refuses it.
    ///
    /// The next start, or decision, tries again.
    pub fn stuck(&self, id: ExecutionId) -> Option<Error> {
        let reason = self.engine.stuck(&id)?;
        let context = format!("execution {id} cannot go on: {reason}");
        Some(Error::new(ErrorKind::Unusable, context))
    }

    /// Waits until an execution is at rest: completed, failed, or paused at a gate.
    pub async fn wait(&self, id: ExecutionId) -> Result<Execution, Error> {
        let mut follower = self.engine.changes.follow_rest(id);
        loop {
            // Nothing needs to be read of one that a task carries: its followers are woken when
            // the task leaves.
            if !self.engine.is_held(&id) {
                let execution = self.reader.execution(id).await?;
                if execution.state.status().is_at_rest() {
                    return Ok(execution);
                }
                if let Some(error) = self.stuck(id) {
                    return Err(error);
                }
            }
            if let Some(rested) = follower.told().await {
                return Ok(Arc::unwrap_or_clone(rested));
            }
        }
    }

    /// Waits until nothing goes on by itself any more, though executions wait for their turn: those
    /// that hold the places within the limits of their workflows wait at gates.
    pub async fn wait_until_held_up(&self) -> Result<(), Error> {
        let admission = &self.engine.admission;
        let mut idle = admission.watch_idle();
        loop {
            if admission.is_idle() {
                let reads = &self.engine.reads;
                let queued = reads.count_queued().await.during("counting what waits")?;
                let running = reads.count_running().await.during("counting what runs")?;
                // Those that wait for a retry run, and will go on.
                if queued > 0 && queued == running && admission.is_idle() {
                    return Ok(());
                }
            }
            if idle.changed().await.is_err() {
                return Err(Error::new(ErrorKind::Stopping, "the gateway has ended"));
            }
        }
    }

    /// Stops taking new work, lets running attempts finish within the drain period, then cancels
    /// the rest, and gives the database up.
    ///
    /// What was cancelled is recorded as interrupted, never as a failure of the tool.
    pub async fn shutdown(self) -> Result<(), Error> {
        self.engine.stop(self.drain).await;
        self.engine.tools.close().await;
        let Self {
            engine,
            store,
            reader,
            registrar,
            started: _,
            drain: _,
            _guards: _,
        } = self;
        drop((engine, reader, registrar));
        store.close().await.during("closing the database")
    }
}

/// The input of a new execution as its workflow takes it, with defaults.
pub(crate) fn validated(
    workflow: &WorkflowId,
    definition: &WorkflowDefinition,
    input: Value,
) -> Result<Value, Error> {
    let invalid = |reason: String| {
        Error::new(
            ErrorKind::Invalid,
            format!("the input of workflow `{workflow}` is not valid: {reason}"),
        )
    };
    if !input.is_object() {
        return Err(invalid("an object is expected".to_owned()));
    }
    if is_deeper(&input, MAX_DEPTH) {
        return Err(invalid(format!(
            "it is nested deeper than {MAX_DEPTH} levels"
        )));
    }
    match definition.input() {
        None => Ok(input),
        Some(schema) => schema
            .apply(input)
            .map_err(|error| invalid(in_one_line(&error.problems))),
    }
}
