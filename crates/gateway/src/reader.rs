//! Everything that can be read of a gateway's database, by its owner or beside it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use workflow_types::Timestamp;
use workflow_types::approval::{Gate, GateState, Vote};
use workflow_types::damage::Listed;
use workflow_types::definition::DefinitionDigest;
use workflow_types::execution::{
    AttemptUsage, Cancellation, EventPage, EventSeq, Execution, ExecutionFilter, FailedAttempt,
    ModelTurn, Page, PageKey, Retention, Scope, Visit, WorkflowExecutionState,
};
use workflow_types::heartbeat::HeartbeatRecord;
use workflow_types::id::{ExecutionId, GateId, HeartbeatName, ScheduleId, WorkflowId};
use workflow_types::registry::{SavedDefinition, Workflow};
use workflow_types::schedule::{FirePage, FireRecord, Gap, Schedule};

use crate::error::{During as _, Error, ErrorKind};
use crate::store::{Commits, ReadStore, SqliteReader};
use crate::watch::Watch;

/// Reads a gateway's database. Cheap to clone; reading never waits for a writer.
#[derive(Clone)]
pub struct Reader {
    store: Arc<dyn ReadStore>,
}

impl Reader {
    /// Reads a store.
    pub fn new(store: Arc<dyn ReadStore>) -> Self {
        Self { store }
    }

    /// What it reads.
    pub(crate) fn store(&self) -> &dyn ReadStore {
        self.store.as_ref()
    }

    /// Reads a database that another process may own.
    ///
    /// Fails with [`ErrorKind::Missing`] where there is none, and with [`ErrorKind::Unusable`]
    /// where it is of another version.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let reader = SqliteReader::open(path.as_ref()).await;
        let reader = reader.map_err(Error::opening)?;
        Ok(Self::new(Arc::new(reader)))
    }

    /// Every registered workflow, in the order of their ids; damaged ones are named beside them.
    pub async fn workflows(&self) -> Result<Listed<Workflow>, Error> {
        self.store.workflows().await.during("listing workflows")
    }

    /// Every heartbeat that was ever kept, in the order of their names; damaged ones are named beside
    /// them.
    pub async fn heartbeats(&self) -> Result<Listed<HeartbeatRecord>, Error> {
        self.store
            .heartbeats()
            .list()
            .await
            .during("listing heartbeats")
    }

    /// A heartbeat with the schedule that follows its file; none if it was never kept.
    pub async fn heartbeat(
        &self,
        name: &HeartbeatName,
    ) -> Result<Option<(HeartbeatRecord, Option<Schedule>)>, Error> {
        let found = self.store.heartbeats().find(name).await;
        found.during(format_args!("reading heartbeat `{name}`"))
    }

    /// A registered workflow; fails with [`ErrorKind::NotFound`] if there is none.
    pub async fn workflow(&self, id: &WorkflowId) -> Result<Workflow, Error> {
        let found = self.store.workflow(id).await;
        found
            .during("reading a workflow")?
            .ok_or_else(|| unknown(format_args!("workflow `{id}`")))
    }

    /// A definition with the text that its author wrote.
    pub async fn definition(&self, digest: &DefinitionDigest) -> Result<SavedDefinition, Error> {
        let found = self.store.definition(digest).await;
        found
            .during("reading a definition")?
            .ok_or_else(|| unknown(format_args!("definition {digest}")))
    }

    /// Executions, the newest first, a page at a time; damaged ones are named beside them.
    pub async fn executions(
        &self,
        filter: ExecutionFilter,
        after: Option<PageKey>,
        limit: usize,
    ) -> Result<Page, Error> {
        let page = self.store.executions(filter, after, limit).await;
        page.during("listing executions")
    }

    /// An execution; fails with [`ErrorKind::NotFound`] if there is none.
    pub async fn execution(&self, id: ExecutionId) -> Result<Execution, Error> {
        let found = self.store.execution(id).await;
        found
            .during("reading an execution")?
            .ok_or_else(|| unknown(format_args!("execution {id}")))
    }

    /// An execution with the latest result of each step, in the shape of the protocol.
    pub async fn state(&self, id: ExecutionId) -> Result<WorkflowExecutionState, Error> {
        let found = self.store.state(id).await;
        found
            .during("reading an execution")?
            .ok_or_else(|| unknown(format_args!("execution {id}")))
    }

    /// The journal of an execution from a visit on, at most `limit` visits.
    pub async fn journal(
        &self,
        id: ExecutionId,
        from: u32,
        limit: usize,
    ) -> Result<Vec<Visit>, Error> {
        let visits = self.store.journal(id, from, limit).await;
        visits.during("reading a journal")
    }

    /// The attempts of the visits `first` to `last` that failed and were followed by another one.
    pub async fn attempts(
        &self,
        id: ExecutionId,
        first: u32,
        last: u32,
    ) -> Result<Vec<FailedAttempt>, Error> {
        let attempts = self.store.attempts(id, first, last).await;
        attempts.during("reading failed attempts")
    }

    /// What models answered in the visits `first` to `last`, with the tools that they called.
    pub async fn turns(
        &self,
        id: ExecutionId,
        first: u32,
        last: u32,
    ) -> Result<Vec<ModelTurn>, Error> {
        let turns = self.store.turns(id, first, last).await;
        turns.during("reading the turns of models")
    }

    /// What the attempts of an execution used of models, in their order.
    pub async fn usage(&self, id: ExecutionId) -> Result<Vec<AttemptUsage>, Error> {
        let usage = self.store.usage(id).await;
        usage.during("reading what was used of models")
    }

    /// At most `limit` events of an execution after a place; see [`Reader::watch`] for those that
    /// are still to come.
    ///
    /// Fails with [`ErrorKind::NotFound`] if there is no such execution.
    pub async fn events(
        &self,
        id: ExecutionId,
        after: EventSeq,
        limit: usize,
    ) -> Result<EventPage, Error> {
        let page = self.store.events(id, after, limit).await;
        page.during("reading events")?
            .ok_or_else(|| unknown(format_args!("execution {id}")))
    }

    /// Watches an execution from a place on, whichever process runs it; [`EventSeq::START`] is
    /// before everything.
    ///
    /// It goes on when another process takes the execution up, and waits as long as none does.
    pub async fn watch(&self, id: ExecutionId, after: EventSeq) -> Result<Watch, Error> {
        // Before anything is read: then nothing is missed.
        let commits = self.commits().await?;
        Ok(Watch::beside(self.clone(), commits, (id, after)))
    }

    /// Tells, from now on, whenever something may have been committed, by whichever process.
    ///
    /// Whoever asks for it, reads, and then reads again whenever it tells, misses nothing.
    pub async fn commits(&self) -> Result<Commits, Error> {
        let commits = self.store.commits().await;
        commits.during("listening to the database")
    }

    /// Who cancelled an execution, if anybody did.
    pub async fn cancellation(&self, id: ExecutionId) -> Result<Option<Cancellation>, Error> {
        let found = self.store.cancellation(id).await;
        found.during("reading a cancellation")
    }

    /// How many executions [`Gateway::prune`](crate::Gateway::prune) would delete at an instant.
    pub async fn count_prunable(
        &self,
        retention: Retention,
        now: Timestamp,
    ) -> Result<usize, Error> {
        let count = self.store.count_prunable(retention.at(now)).await;
        count.during("counting the executions that are not kept")
    }

    /// When the next retry, or expiry of a gate, is due; none if nothing waits for its time.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, Error> {
        let due = self.store.next_due(Scope::All).await;
        due.during("looking for what is due next")
    }

    /// Every gate that waits, the oldest first; damaged ones are named beside them.
    pub async fn waiting_gates(&self) -> Result<Listed<Gate>, Error> {
        let gates = self.store.waiting_gates().await;
        gates.during("listing approvals")
    }

    /// A gate; fails with [`ErrorKind::NotFound`] if there is none.
    pub async fn gate(&self, id: GateId) -> Result<Gate, Error> {
        let found = self.store.gate(id).await;
        found
            .during("reading an approval")?
            .ok_or_else(|| unknown(format_args!("approval {id}")))
    }

    /// The votes that were counted for a gate, in their order.
    pub async fn votes(&self, id: GateId) -> Result<Vec<Vote>, Error> {
        self.store.votes(id).await.during("reading votes")
    }

    /// Every gate of an execution, the oldest first.
    pub async fn gates(&self, id: ExecutionId) -> Result<Vec<Gate>, Error> {
        self.store.gates(id).await.during("listing approvals")
    }

    /// At most `limit` schedules in the order of their ids, after one; of one workflow, if one is
    /// named. Damaged ones are named beside them.
    pub async fn schedules(
        &self,
        workflow: Option<WorkflowId>,
        after: Option<ScheduleId>,
        limit: usize,
    ) -> Result<Listed<Schedule>, Error> {
        let listed = self.store.schedules(workflow, after, limit).await;
        listed.during("listing schedules")
    }

    /// A schedule; fails with [`ErrorKind::NotFound`] if there is none.
    pub async fn schedule(&self, id: &ScheduleId) -> Result<Schedule, Error> {
        let found = self.store.schedule(id).await;
        found
            .during("reading a schedule")?
            .ok_or_else(|| unknown(format_args!("schedule `{id}`")))
    }

    /// What became of the fire times of a schedule, the newest first.
    pub async fn fires(
        &self,
        id: &ScheduleId,
        page: FirePage,
    ) -> Result<Listed<FireRecord>, Error> {
        let listed = self.store.fires(id, page).await;
        listed.during("listing the fires of a schedule")
    }

    /// Stretches of which so many fire times were missed that they are not recorded one by one, the
    /// newest first.
    pub async fn gaps(&self, id: &ScheduleId, limit: usize) -> Result<Vec<Gap>, Error> {
        let gaps = self.store.gaps(id, limit).await;
        gaps.during("listing the gaps of a schedule")
    }

    /// The gate at which an execution waits, or else the last one it had.
    ///
    /// Fails with [`ErrorKind::NotFound`] if it never had one.
    pub async fn gate_of(&self, id: ExecutionId) -> Result<Gate, Error> {
        let mut gates = self.gates(id).await?;
        let waiting = gates
            .iter()
            .position(|gate| gate.state == GateState::Waiting);
        let position = waiting.or_else(|| gates.len().checked_sub(1));
        position
            .map(|position| gates.swap_remove(position))
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::NotFound,
                    format!("execution {id} has no approvals"),
                )
            })
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

fn unknown(what: fmt::Arguments<'_>) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no {what}"))
}
