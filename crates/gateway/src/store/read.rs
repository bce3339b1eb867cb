//! The read side of a store: what anybody may ask of it, also beside its owner.

use async_trait::async_trait;
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

use super::{AlertReads, Commits, HeartbeatReads, StoreError};

/// What can be read of a store.
///
/// Every verb answers from one state of the store, as it was after some commit and no older than
/// the last commit that was answered before the verb was called. None of them waits for a writer,
/// changes anything, or keeps the store open: a read side may outlive its [`Store`](super::Store).
/// A future may be dropped at any time and a verb be repeated at will.
///
/// Errors by kind, of every verb: [`Busy`](super::StoreErrorKind::Busy) and
/// [`Unavailable`](super::StoreErrorKind::Unavailable) if the store does not answer for now,
/// [`Corrupt`](super::StoreErrorKind::Corrupt) if what was asked for is damaged, with its id in the
/// text. Lists name what is damaged beside what is not, and do not fail because of it. What does
/// not exist is `None` and no error.
#[async_trait]
pub trait ReadStore: Send + Sync {
    /// What can be read about alerts.
    fn alerts(&self) -> &dyn AlertReads;

    /// What can be read about heartbeats.
    fn heartbeats(&self) -> &dyn HeartbeatReads;

    /// Every registered workflow, in the order of their ids.
    async fn workflows(&self) -> Result<Listed<Workflow>, StoreError>;

    /// A registered workflow.
    async fn workflow(&self, id: &WorkflowId) -> Result<Option<Workflow>, StoreError>;

    /// A definition, with the text that its author wrote when it was first registered.
    ///
    /// One whose text has another digest than its name is damaged.
    async fn definition(
        &self,
        digest: &DefinitionDigest,
    ) -> Result<Option<SavedDefinition>, StoreError>;

    /// An execution.
    async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError>;

    /// At most `limit` executions (at least one) that match `filter`, after a place in the order
    /// of all, newest first: by start, and among those of one instant by id.
    ///
    /// Following the places of the pages meets every execution that was there at the first page
    /// exactly once, whatever starts meanwhile. Damaged ones count towards the limit and have a
    /// place; a filter may leave them out.
    async fn executions(
        &self,
        filter: ExecutionFilter,
        after: Option<PageKey>,
        limit: usize,
    ) -> Result<Page, StoreError>;

    /// An execution with its current step and the latest result of each step.
    ///
    /// At rest they are those that were written when it came to rest; while it runs, they follow
    /// from its journal.
    async fn state(&self, id: ExecutionId) -> Result<Option<WorkflowExecutionState>, StoreError>;

    /// At most `limit` visits of an execution in their order, beginning with number `from`; none
    /// if there is no such execution.
    async fn journal(
        &self,
        id: ExecutionId,
        from: u32,
        limit: usize,
    ) -> Result<Vec<Visit>, StoreError>;

    /// The failed attempts of the visits `first` to `last` of an execution that were followed by
    /// another one, in their order.
    async fn attempts(
        &self,
        id: ExecutionId,
        first: u32,
        last: u32,
    ) -> Result<Vec<FailedAttempt>, StoreError>;

    /// What the attempts of an execution used of models, in their order; none if there is no such
    /// execution. A visit that a retry has taken over cost the execution that made it.
    async fn usage(&self, id: ExecutionId) -> Result<Vec<AttemptUsage>, StoreError>;

    /// What models that had tools answered in the visits `first` to `last` of an execution, with
    /// the calls that they asked for, in their order; none if there is no such execution.
    ///
    /// An answer that ended its visit is not among them. A visit that a retry has taken over has
    /// its turns in the execution that made it.
    async fn turns(
        &self,
        id: ExecutionId,
        first: u32,
        last: u32,
    ) -> Result<Vec<ModelTurn>, StoreError>;

    /// At most `limit` events (at least one) of an execution after a place; none if there is no
    /// such execution.
    ///
    /// An event that was answered once is answered the same ever after, with the same number, and
    /// none appears before it later. The cost depends on what has happened since the place.
    async fn events(
        &self,
        id: ExecutionId,
        after: EventSeq,
        limit: usize,
    ) -> Result<Option<EventPage>, StoreError>;

    /// Who asked that an execution end, if anybody did.
    async fn cancellation(&self, id: ExecutionId) -> Result<Option<Cancellation>, StoreError>;

    /// How many executions [`Store::prune`](super::Store::prune) would delete in the end.
    async fn count_prunable(&self, prune: Prune) -> Result<usize, StoreError>;

    /// A gate.
    async fn gate(&self, id: GateId) -> Result<Option<Gate>, StoreError>;

    /// The latest gate of a visit.
    async fn gate_at(&self, id: ExecutionId, visit: u32) -> Result<Option<Gate>, StoreError>;

    /// Every gate of an execution, in the order of its visits.
    async fn gates(&self, id: ExecutionId) -> Result<Vec<Gate>, StoreError>;

    /// Every gate that waits, the oldest first.
    async fn waiting_gates(&self) -> Result<Listed<Gate>, StoreError>;

    /// The votes that were counted for a gate, in their order; none if there is no such gate.
    async fn votes(&self, id: GateId) -> Result<Vec<Vote>, StoreError>;

    /// How many executions are running.
    async fn count_running(&self) -> Result<usize, StoreError>;

    /// How many executions wait for their turn.
    async fn count_queued(&self) -> Result<usize, StoreError>;

    /// The next instant at which a gate expires or an attempt of a running execution is due; it
    /// may be past, and one that waits for its turn already does not count. What is damaged is never due.
    async fn next_due(&self, scope: Scope) -> Result<Option<Timestamp>, StoreError>;

    /// At most `limit` running executions whose next attempt is due and that do not wait for their
    /// turn already, the longest overdue first.
    async fn due_retries(
        &self,
        scope: Scope,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ExecutionId>, StoreError>;

    /// At most `limit` schedules in the order of their ids, after one; of one workflow, if one is
    /// named.
    async fn schedules(
        &self,
        workflow: Option<WorkflowId>,
        after: Option<ScheduleId>,
        limit: usize,
    ) -> Result<Listed<Schedule>, StoreError>;

    /// A schedule.
    async fn schedule(&self, id: &ScheduleId) -> Result<Option<Schedule>, StoreError>;

    /// At most `limit` schedules that are due, the longest overdue first; damaged ones are logged
    /// and passed over.
    async fn due_schedules(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Schedule>, StoreError>;

    /// When schedules are due next, after an instant, and at most `limit` of those that are due
    /// then; damaged ones are logged and passed over.
    async fn next_schedules_due(
        &self,
        after: Timestamp,
        limit: usize,
    ) -> Result<Option<Upcoming>, StoreError>;

    /// At most `limit` schedules that fire, and whose next fire time was computed with another
    /// release of the tz database.
    async fn schedules_computed_elsewhere(
        &self,
        tz_database: &str,
        limit: usize,
    ) -> Result<Listed<Schedule>, StoreError>;

    /// At most `limit` schedules with buffered fires of which nothing is in the way any more, each
    /// with the fire time that has waited longest.
    async fn releasable(&self, limit: usize) -> Result<Vec<(ScheduleId, Timestamp)>, StoreError>;

    /// Whether any fire is buffered, whether or not something is in its way.
    async fn has_buffered(&self) -> Result<bool, StoreError>;

    /// The schedules that fire and are paused after failures.
    async fn watched_schedules(&self) -> Result<Vec<ScheduleId>, StoreError>;

    /// Of each of these schedules, the gate that has waited longest of those at which its executions
    /// wait, whatever its policies say of that; nothing of one of which none waits.
    async fn waiting_of_schedules(&self, ids: Vec<ScheduleId>) -> Result<Vec<HeldUp>, StoreError>;

    /// What is recorded of the fire times of a schedule, the newest first; none if there is no such
    /// schedule.
    async fn fires(
        &self,
        id: &ScheduleId,
        page: FirePage,
    ) -> Result<Listed<FireRecord>, StoreError>;

    /// At most `limit` stretches of which the fire times of a schedule are not recorded one by one,
    /// the newest first.
    async fn gaps(&self, id: &ScheduleId, limit: usize) -> Result<Vec<Gap>, StoreError>;

    /// Tells, from now on, whenever something may have been committed, by whichever process.
    ///
    /// Whoever asks for it, reads, and then reads again whenever it tells, misses nothing.
    async fn commits(&self) -> Result<Commits, StoreError>;

    /// Everything that is wrong with the store, in words; empty if nothing is. Takes its time.
    async fn check(&self) -> Result<Vec<String>, StoreError>;
}
