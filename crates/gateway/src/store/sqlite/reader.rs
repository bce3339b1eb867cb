//! The verbs that read: a few read-only connections, opened when they are first needed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use db::{Connection, Listener};
use tokio::sync::{Semaphore, watch};
use workflow_types::Timestamp;
use workflow_types::approval::{Gate, Vote};
use workflow_types::damage::Listed;
use workflow_types::definition::DefinitionDigest;
use workflow_types::execution::{
    AttemptUsage, Cancellation, EventPage, EventSeq, Execution, ExecutionFilter, FailedAttempt,
    ModelTurn, Page, PageKey, Prune, Scope, Visit, WorkflowExecutionState,
};
use workflow_types::id::{ExecutionId, GateId, ScheduleId, WorkflowId};
use workflow_types::registry::{SavedDefinition, Workflow};
use workflow_types::schedule::{FirePage, FireRecord, Gap, HeldUp, Schedule, Upcoming};

use super::blocking;
use crate::store::{AlertReads, Commits, HeartbeatReads, ReadStore, StoreError, StoreErrorKind};

/// Read-only connections that may be in use at once.
const READERS: usize = 4;

/// Reads a SQLite database, by its owner or beside it. Cheap to clone.
#[derive(Clone)]
pub struct SqliteReader {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl SqliteReader {
    /// Reads a database that another process may own.
    ///
    /// [`Missing`](StoreErrorKind::Missing) where there is none,
    /// [`Incompatible`](StoreErrorKind::Incompatible) where it is of another version.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let reader = Self::new(path);
        let shared = Arc::clone(&reader.shared);
        blocking(move || {
            Connection::open_reader(&shared.path).map(|connection| shared.put(connection))
        })
        .await?;
        Ok(reader)
    }

    /// Writes a copy of the database to a file, which appears when it is complete, checked and
    /// durable. [`Conflict`](StoreErrorKind::Conflict) if there is such a file.
    pub async fn backup(&self, target: &Path) -> Result<(), StoreError> {
        let (path, target) = (self.shared.path.clone(), target.to_owned());
        blocking(move || Connection::open_reader(&path)?.backup(&target)).await
    }

    /// The same, in place of what has the name.
    pub async fn backup_over(&self, target: &Path) -> Result<(), StoreError> {
        let (path, target) = (self.shared.path.clone(), target.to_owned());
        blocking(move || Connection::open_reader(&path)?.backup_over(&target)).await
    }

    /// Reads a database of which it is known that it can be read.
    pub(super) fn new(path: &Path) -> Self {
        Self {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                idle: Mutex::new(Vec::new()),
                permits: Arc::new(Semaphore::new(READERS)),
            }),
        }
    }

    /// Closes the connections that nobody uses.
    pub(super) fn let_go(&self) {
        let mut idle = self.shared.idle();
        idle.clear();
    }

    /// Runs several reads on one state of the database.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, db::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.shared);
        let permits = Arc::clone(&self.shared.permits);
        let permit = permits.acquire_owned().await.map_err(|error| {
            StoreError::new(StoreErrorKind::Internal, "waiting for a connection failed")
                .caused(error)
        })?;
        blocking(move || {
            let idle = shared.take();
            let mut connection = match idle {
                Some(connection) => connection,
                None => Connection::open_reader(&shared.path)?,
            };
            let result = connection.read(work);
            shared.put(connection);
            // Given back here, so that a caller who was dropped does not let one more reader in.
            drop(permit);
            result
        })
        .await
    }
}

impl Shared {
    fn take(&self) -> Option<Connection> {
        self.idle().pop()
    }

    fn put(&self, connection: Connection) {
        self.idle().push(connection);
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ReadStore for SqliteReader {
    fn alerts(&self) -> &dyn AlertReads {
        self
    }

    fn heartbeats(&self) -> &dyn HeartbeatReads {
        self
    }

    async fn workflows(&self) -> Result<Listed<Workflow>, StoreError> {
        self.read(db::workflow::list).await
    }

    async fn workflow(&self, id: &WorkflowId) -> Result<Option<Workflow>, StoreError> {
        let id = id.clone();
        self.read(move |c| db::workflow::find(c, &id)).await
    }

    async fn definition(
        &self,
        digest: &DefinitionDigest,
    ) -> Result<Option<SavedDefinition>, StoreError> {
        let digest = digest.clone();
        self.read(move |c| db::definition::load(c, &digest)).await
    }

    async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError> {
        self.read(move |c| db::execution::find(c, &id)).await
    }

    async fn executions(
        &self,
        filter: ExecutionFilter,
        after: Option<PageKey>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.read(move |c| db::execution::list(c, &filter, after.as_ref(), limit))
            .await
    }

    async fn state(&self, id: ExecutionId) -> Result<Option<WorkflowExecutionState>, StoreError> {
        self.read(move |c| {
            let Some(execution) = db::execution::find(c, &id)? else {
                return Ok(None);
            };
            let results = db::execution::results(c, &id)?;
            let current = db::execution::current_step(c, &id)?;
            Ok(Some(WorkflowExecutionState::new(
                &execution, results, current,
            )))
        })
        .await
    }

    async fn journal(
        &self,
        id: ExecutionId,
        from: u32,
        limit: usize,
    ) -> Result<Vec<Visit>, StoreError> {
        self.read(move |c| db::visit::journal(c, &id, from, limit))
            .await
    }

    async fn attempts(
        &self,
        id: ExecutionId,
        first: u32,
        last: u32,
    ) -> Result<Vec<FailedAttempt>, StoreError> {
        self.read(move |c| db::attempt::between(c, &id, (first, last)))
            .await
    }

    async fn turns(
        &self,
        id: ExecutionId,
        first: u32,
        last: u32,
    ) -> Result<Vec<ModelTurn>, StoreError> {
        self.read(move |c| db::turn::between(c, &id, (first, last)))
            .await
    }

    async fn usage(&self, id: ExecutionId) -> Result<Vec<AttemptUsage>, StoreError> {
        self.read(move |c| db::usage::of_execution(c, &id)).await
    }

    async fn events(
        &self,
        id: ExecutionId,
        after: EventSeq,
        limit: usize,
    ) -> Result<Option<EventPage>, StoreError> {
        self.read(move |c| db::event::after(c, &id, after, limit))
            .await
    }

    async fn cancellation(&self, id: ExecutionId) -> Result<Option<Cancellation>, StoreError> {
        self.read(move |c| db::cancellation::find(c, &id)).await
    }

    async fn count_prunable(&self, prune: Prune) -> Result<usize, StoreError> {
        self.read(move |c| db::retention::count(c, &prune)).await
    }

    async fn gate(&self, id: GateId) -> Result<Option<Gate>, StoreError> {
        self.read(move |c| db::gate::find(c, &id)).await
    }

    async fn gate_at(&self, id: ExecutionId, visit: u32) -> Result<Option<Gate>, StoreError> {
        self.read(move |c| db::gate::at(c, &id, visit)).await
    }

    async fn gates(&self, id: ExecutionId) -> Result<Vec<Gate>, StoreError> {
        self.read(move |c| db::gate::of(c, &id)).await
    }

    async fn waiting_gates(&self) -> Result<Listed<Gate>, StoreError> {
        self.read(db::gate::waiting).await
    }

    async fn votes(&self, id: GateId) -> Result<Vec<Vote>, StoreError> {
        self.read(move |c| db::gate::votes(c, &id)).await
    }

    async fn count_running(&self) -> Result<usize, StoreError> {
        self.read(db::execution::count_running).await
    }

    async fn count_queued(&self) -> Result<usize, StoreError> {
        self.read(db::execution::count_queued).await
    }

    async fn next_due(&self, scope: Scope) -> Result<Option<Timestamp>, StoreError> {
        self.read(move |c| db::timer::next_due(c, &scope)).await
    }

    async fn due_retries(
        &self,
        scope: Scope,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ExecutionId>, StoreError> {
        self.read(move |c| db::visit::due_retries(c, &scope, now, limit))
            .await
    }

    async fn schedules(
        &self,
        workflow: Option<WorkflowId>,
        after: Option<ScheduleId>,
        limit: usize,
    ) -> Result<Listed<Schedule>, StoreError> {
        self.read(move |c| db::schedule::list(c, workflow.as_ref(), after.as_ref(), limit))
            .await
    }

    async fn schedule(&self, id: &ScheduleId) -> Result<Option<Schedule>, StoreError> {
        let id = id.clone();
        self.read(move |c| db::schedule::find(c, &id)).await
    }

    async fn due_schedules(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Schedule>, StoreError> {
        self.read(move |c| db::schedule::due(c, now, limit)).await
    }

    async fn next_schedules_due(
        &self,
        after: Timestamp,
        limit: usize,
    ) -> Result<Option<Upcoming>, StoreError> {
        self.read(move |c| db::schedule::next_due(c, after, limit))
            .await
    }

    async fn schedules_computed_elsewhere(
        &self,
        tz_database: &str,
        limit: usize,
    ) -> Result<Listed<Schedule>, StoreError> {
        let tz_database = tz_database.to_owned();
        self.read(move |c| db::schedule::computed_elsewhere(c, &tz_database, limit))
            .await
    }

    async fn releasable(&self, limit: usize) -> Result<Vec<(ScheduleId, Timestamp)>, StoreError> {
        self.read(move |c| db::schedule::releasable(c, limit)).await
    }

    async fn has_buffered(&self) -> Result<bool, StoreError> {
        self.read(db::schedule::has_buffered).await
    }

    async fn watched_schedules(&self) -> Result<Vec<ScheduleId>, StoreError> {
        self.read(db::schedule::watched).await
    }

    async fn waiting_of_schedules(&self, ids: Vec<ScheduleId>) -> Result<Vec<HeldUp>, StoreError> {
        self.read(move |c| db::schedule::waiting_of(c, &ids)).await
    }

    async fn fires(
        &self,
        id: &ScheduleId,
        page: FirePage,
    ) -> Result<Listed<FireRecord>, StoreError> {
        let id = id.clone();
        self.read(move |c| db::schedule::fires(c, &id, page)).await
    }

    async fn gaps(&self, id: &ScheduleId, limit: usize) -> Result<Vec<Gap>, StoreError> {
        let id = id.clone();
        self.read(move |c| db::schedule::gaps(c, &id, limit)).await
    }

    async fn commits(&self) -> Result<Commits, StoreError> {
        let path = self.shared.path.clone();
        blocking(move || {
            let (sender, told) = watch::channel(());
            let listener = Listener::new(&path, move || {
                sender.send_replace(());
            })?;
            Ok(Commits::new(told, listener))
        })
        .await
    }

    async fn check(&self) -> Result<Vec<String>, StoreError> {
        self.read(Connection::check).await
    }
}

impl std::fmt::Debug for SqliteReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteReader")
            .field("path", &self.shared.path)
            .finish_non_exhaustive()
    }
}
