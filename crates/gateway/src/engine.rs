//! Carries executions forward: decide, perform, write one transaction, tell the followers.
//!
//! Each running execution has one task, which holds its live state in memory and reads history
//! only when it takes an execution up. What waits (gates, retries) has no task but a row.

mod admission;
mod begin;
mod budget;
mod cancel;
mod decide;
mod drive;
mod hold;
mod patience;
mod perform;
mod recall;
mod recover;
mod request;
mod retention;
mod retry;
mod sealed;
mod size;
mod timer;
mod turns;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use workflow_types::definition::{DefinitionDigest, StoredDefinition};
use workflow_types::execution::{Execution, ExecutionState, ExecutionStatus, Retention, Scope};
use workflow_types::id::{ExecutionId, WorkflowId};
use workflow_types::{Timestamp, WorkflowDefinition};

use crate::alert::Telegraph;
use crate::builder::LeftBehind;
use crate::change::Changes;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::error::{During as _, Error, ErrorKind};
use crate::heartbeat::Beats;
use crate::model::ModelRegistry;
use crate::scheduler::Scheduler;
use crate::secret::Secrets;
use crate::store::{ReadStore, Store};
use crate::tool::ToolRegistry;
use admission::{Admission, Slot};
pub(crate) use begin::{NewExecution, Prepared};
use cancel::Cancels;
use drive::Live;
use hold::{Asked, Hold};
pub(crate) use patience::Patience;
pub use size::output_problem;
pub(crate) use size::{MAX_DEPTH, is_deeper};

/// Definitions that are kept parsed, besides those that run.
const KEPT_DEFINITIONS: usize = 512;

/// What the engine may be told to do differently.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// How long a cancelled attempt may take to come to its end.
    pub(crate) grace: Duration,
    /// The largest output of a step in bytes.
    pub(crate) max_output: usize,
    /// How many executions may run at once.
    pub(crate) max_executions: usize,
    /// Which finished executions are kept.
    pub(crate) retention: Retention,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(2),
            max_output: 1024 * 1024,
            max_executions: 64,
            retention: Retention::default(),
        }
    }
}

/// What the engine works with; shared by all of its tasks.
pub(crate) struct Engine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) reads: Arc<dyn ReadStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Entropy,
    pub(crate) tools: ToolRegistry,
    pub(crate) models: ModelRegistry,
    pub(crate) secrets: Secrets,
    pub(crate) changes: Changes,
    pub(crate) owner: String,
    pub(crate) limits: Limits,
    pub(crate) admission: Arc<Admission>,
    /// Definitions by digest, parsed once.
    definitions: Mutex<HashMap<DefinitionDigest, Arc<WorkflowDefinition>>>,
    /// What the workflows are at present, of those that were asked for; nobody else registers any.
    current: Mutex<HashMap<WorkflowId, DefinitionDigest>>,
    /// Executions that are held by a task of this process, and what was asked of them in the
    /// meantime.
    held: Mutex<HashMap<ExecutionId, Asked>>,
    /// Who listens whether an execution is cancelled.
    cancels: Cancels,
    /// Unfinished executions that are carried although others are left behind; empty where none
    /// are.
    own: Mutex<HashSet<ExecutionId>>,
    /// Executions that cannot go on for now, and why; until they are held again.
    stuck: Mutex<HashMap<ExecutionId, String>>,
    left_behind: LeftBehind,
    /// What fires by itself.
    pub(crate) scheduler: Scheduler,
    /// What works through checklists.
    pub(crate) beats: Beats,
    /// Who is told of alerts.
    pub(crate) alerts: Telegraph,
    /// Wakes the timer when something may be due earlier than it thinks.
    timer: timer::Alarm,
    tasks: TaskTracker,
    /// Where the tasks run, whoever asks for them.
    runtime: Handle,
    /// Fires when no new work is begun any more.
    pub(crate) draining: CancellationToken,
    /// Fires when running attempts are to come to their end.
    stopping: CancellationToken,
}

/// The parts from which an engine is made.
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) reads: Arc<dyn ReadStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Entropy,
    pub(crate) tools: ToolRegistry,
    pub(crate) models: ModelRegistry,
    pub(crate) secrets: Secrets,
    pub(crate) owner: String,
    pub(crate) limits: Limits,
    pub(crate) left_behind: LeftBehind,
    pub(crate) scheduler: Scheduler,
    pub(crate) beats: Beats,
    pub(crate) alerts: Telegraph,
}

impl Engine {
    /// An engine at rest: [`Engine::recover`] sets it going.
    pub(crate) fn start(parts: Parts) -> Arc<Self> {
        let admission = Admission::new(parts.limits.max_executions);
        Arc::new(Self {
            store: parts.store,
            reads: parts.reads,
            clock: parts.clock,
            entropy: parts.entropy,
            tools: parts.tools,
            models: parts.models,
            secrets: parts.secrets,
            changes: Changes::default(),
            owner: parts.owner,
            limits: parts.limits,
            admission,
            definitions: Mutex::default(),
            current: Mutex::default(),
            held: Mutex::default(),
            cancels: Cancels::default(),
            own: Mutex::default(),
            stuck: Mutex::default(),
            left_behind: parts.left_behind,
            scheduler: parts.scheduler,
            beats: parts.beats,
            alerts: parts.alerts,
            timer: timer::Alarm::default(),
            tasks: TaskTracker::new(),
            runtime: Handle::current(),
            draining: CancellationToken::new(),
            stopping: CancellationToken::new(),
        })
    }

    /// Ends every task of the engine when they are dropped, as a killed process would: a gateway
    /// that nobody holds any more must not go on writing.
    pub(crate) fn guards(&self) -> [DropGuard; 2] {
        [
            self.draining.clone().drop_guard(),
            self.stopping.clone().drop_guard(),
        ]
    }

    /// Runs work that must not be left half done when its caller is dropped: a write, and what has
    /// to follow it.
    pub(crate) async fn whole<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        self.task(work).await.map_err(|error| {
            let (kind, context) = if error.is_panic() {
                (ErrorKind::Internal, "the operation panicked")
            } else {
                (ErrorKind::Stopping, "the gateway's runtime has ended")
            };
            Error::new(kind, context).caused(error)
        })?
    }

    /// A task that a shutdown waits for.
    pub(crate) fn task<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn_on(work, &self.runtime)
    }

    fn refuse_while_draining(&self, workflow: &WorkflowId) -> Result<(), Error> {
        if !self.is_draining() {
            return Ok(());
        }
        let context =
            format!("starting workflow `{workflow}` failed: the gateway is shutting down");
        Err(Error::new(ErrorKind::Stopping, context))
    }

    /// An execution was started once more with its key: whoever started it may be gone; if not,
    /// this changes nothing. One that waits for its turn is not to have it before others.
    fn found(self: &Arc<Self>, existing: &Execution) {
        if existing.state.status() == ExecutionStatus::Running && !existing.queued {
            self.passed(existing.id);
        }
    }

    /// Gives an execution a task, which holds it until it leaves.
    fn spawn(self: &Arc<Self>, hold: Hold, slot: Slot, live: Live) {
        let engine = Arc::clone(self);
        self.task(async move {
            drive::drive(&engine, live).await;
            drop(hold);
            drop(slot);
        });
    }

    /// Notes that an execution was started, or decided, through this gateway.
    fn own(&self, id: ExecutionId) {
        if self.left_behind == LeftBehind::Leave {
            let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
            own.insert(id);
            drop(own);
            self.timer.look();
        }
    }

    /// A gate waits, and may expire: said after it was written.
    fn waits_at(&self, gate: Option<Timestamp>) {
        if let Some(expiry) = gate {
            self.timer.due(expiry);
        }
    }

    /// Whose timers are this gateway's business.
    fn scope(&self) -> Scope {
        match self.left_behind {
            LeftBehind::TakeUp => Scope::All,
            LeftBehind::Leave => {
                let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
                Scope::Of(own.iter().copied().collect())
            }
        }
    }

    /// Notes that an execution cannot go on, so that nobody waits for it in vain.
    fn give_up(&self, id: ExecutionId, error: &Error) {
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            reason = format!("{reason}: {cause}");
            source = cause.source();
        }
        let mut stuck = self.stuck.lock().unwrap_or_else(PoisonError::into_inner);
        stuck.insert(id, reason);
        drop(stuck);
        self.changes.tell_rest(id);
    }

    /// Why an execution cannot go on for now, if it cannot.
    pub(crate) fn stuck(&self, id: &ExecutionId) -> Option<String> {
        let stuck = self.stuck.lock().unwrap_or_else(PoisonError::into_inner);
        stuck.get(id).cloned()
    }

    /// What follows every commit: followers read, and others have their turn.
    fn after_commit(&self, id: &ExecutionId, state: &ExecutionState) {
        match state {
            ExecutionState::Running => self.changes.tell(*id),
            ExecutionState::Paused { .. } => {
                self.changes.tell_rest(*id);
                self.scheduler.came_to_rest(*id);
            }
            ExecutionState::Completed { .. } | ExecutionState::Failed { .. } => self.after_end(*id),
        }
    }

    /// What follows the end of an execution, whoever has ended it.
    fn after_end(&self, id: ExecutionId) {
        self.changes.tell_rest(id);
        self.scheduler.came_to_rest(id);
        self.beats.ended(id);
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.remove(&id);
        drop(own);
        self.admission.made_place();
    }

    /// A definition by its digest: from memory, or read and parsed once.
    pub(crate) async fn definition(
        &self,
        digest: &DefinitionDigest,
    ) -> Result<Arc<WorkflowDefinition>, Error> {
        let cached = self.cached(digest);
        if let Some(definition) = cached {
            return Ok(definition);
        }
        let saved = self.reads.definition(digest).await;
        let saved = saved.during("reading a definition")?.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!("there is no definition {digest}"),
            )
        })?;
        let definition = saved.stored.read().map_err(|error| {
            Error::new(
                ErrorKind::Unusable,
                format!("definition {digest} cannot be read"),
            )
            .caused(error)
        })?;
        Ok(self.remember(&saved.stored, definition))
    }

    /// The definition of a workflow at present, with its digest.
    pub(crate) async fn current_definition(
        &self,
        id: &WorkflowId,
    ) -> Result<(DefinitionDigest, Arc<WorkflowDefinition>), Error> {
        let known = self.current().get(id).cloned();
        let digest = match known {
            Some(digest) => digest,
            None => {
                let found = self.reads.workflow(id).await;
                let found = found.during("reading a workflow")?.ok_or_else(|| {
                    Error::new(ErrorKind::NotFound, format!("there is no workflow `{id}`"))
                })?;
                // One that was registered meanwhile is newer than what was read.
                let mut current = self.current();
                current.entry(id.clone()).or_insert(found.digest).clone()
            }
        };
        let definition = self.definition(&digest).await?;
        Ok((digest, definition))
    }

    /// Workflows have these definitions from now on: said after it was written.
    pub(crate) fn registered(&self, all: Vec<(WorkflowId, DefinitionDigest)>) {
        self.current().extend(all);
    }

    fn current(&self) -> MutexGuard<'_, HashMap<WorkflowId, DefinitionDigest>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a parsed definition in memory.
    pub(crate) fn remember(
        &self,
        stored: &StoredDefinition,
        definition: WorkflowDefinition,
    ) -> Arc<WorkflowDefinition> {
        let definition = Arc::new(definition);
        let mut definitions = self
            .definitions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if definitions.len() >= KEPT_DEFINITIONS {
            // Files that are edited for years leave many behind; what nobody runs is read again.
            definitions.retain(|_, known| Arc::strong_count(known) > 1);
        }
        definitions.insert(stored.digest().clone(), Arc::clone(&definition));
        definition
    }

    fn cached(&self, digest: &DefinitionDigest) -> Option<Arc<WorkflowDefinition>> {
        let definitions = self
            .definitions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        definitions.get(digest).cloned()
    }

    /// Why an output is too large to be stored, if it is.
    pub(crate) fn too_large(&self, output: &Value) -> Option<String> {
        size::output_problem(output, self.limits.max_output)
    }

    /// Whether no new work is begun any more.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// Stops: begins nothing new, lets attempts finish within `drain`, then cancels the rest,
    /// which stay begun in the journal and are dealt with as interrupted at the next start.
    pub(crate) async fn stop(&self, drain: Duration) {
        self.draining.cancel();
        self.tasks.close();
        let deadline = self.clock.now().saturating_add(drain);
        tokio::select! {
            () = self.tasks.wait() => return,
            () = self.clock.sleep_until(deadline) => {}
        }
        self.stopping.cancel();
        self.tasks.wait().await;
    }
}
