//! A store whose process dies at a transaction: from then on nothing is answered any more.

// With its path, because other tests have this file as theirs.
#[path = "mortal/aside.rs"]
mod aside;

use std::future::{Future, pending};
use std::sync::Arc;

use async_trait::async_trait;
use gateway::store::{
    AlertReads, AlertStore, Commits, HeartbeatReads, HeartbeatStore, ReadStore, Store, StoreError,
};
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::approval::{Gate, Resolved, ResolvedBy, Vote, Voted};
use gateway::workflow_types::damage::Listed;
use gateway::workflow_types::definition::DefinitionDigest;
use gateway::workflow_types::execution::{
    Admitted, AttemptUsage, Cancellation, Cancelling, Claimed, EventPage, EventSeq, Execution,
    ExecutionFilter, FailedAttempt, ModelTurn, Page, PageKey, Place, Prune, Pruned, Round, Scope,
    Start, Started, Transition, Visit, WorkflowExecutionState,
};
use gateway::workflow_types::id::{ExecutionId, GateId, ScheduleId, WorkflowId};
use gateway::workflow_types::registry::{Registered, Registration, SavedDefinition, Workflow};
use gateway::workflow_types::schedule::{
    Change, FirePage, FireRecord, Fired, Firing, Gap, HeldUp, Schedule, Upcoming,
};

use crate::pulse::{Fate, Pulse};

/// Both sides of a store, as one process sees it.
#[derive(Clone)]
pub(crate) struct Mortal<S: ?Sized> {
    pub(crate) inner: Arc<S>,
    pub(crate) pulse: Arc<Pulse>,
}

impl<S: ?Sized> Mortal<S> {
    async fn write<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let asked = self.pulse.ask();
        match self.pulse.transact() {
            Fate::Lives => return work.await,
            Fate::DiesBefore => {}
            Fate::DiesAfter => {
                // Whether it was refused or not: nobody hears of it.
                let _ = work.await;
                self.pulse.die();
            }
        }
        drop(asked);
        pending().await
    }

    async fn read<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let asked = self.pulse.ask();
        if self.pulse.is_dead() {
            drop(asked);
            return pending().await;
        }
        work.await
    }
}

#[async_trait]
impl Store for Mortal<dyn Store> {
    fn alerts(&self) -> &dyn AlertStore {
        self
    }

    fn heartbeats(&self) -> &dyn HeartbeatStore {
        self
    }

    fn reads(&self) -> Arc<dyn ReadStore> {
        Arc::new(Mortal {
            inner: self.inner.reads(),
            pulse: Arc::clone(&self.pulse),
        })
    }

    async fn register(&self, all: Vec<Registration>) -> Result<Vec<Registered>, StoreError> {
        self.write(self.inner.register(all)).await
    }

    async fn start(&self, start: Start, owner: &str) -> Result<Started, StoreError> {
        self.write(self.inner.start(start, owner)).await
    }

    async fn retry(&self, start: Start, first: u32, owner: &str) -> Result<Started, StoreError> {
        self.write(self.inner.retry(start, first, owner)).await
    }

    async fn cancel(&self, id: ExecutionId, asked: Cancellation) -> Result<Cancelling, StoreError> {
        self.write(self.inner.cancel(id, asked)).await
    }

    async fn delete(&self, id: ExecutionId) -> Result<(), StoreError> {
        self.write(self.inner.delete(id)).await
    }

    async fn prune(&self, prune: Prune, limit: usize) -> Result<Pruned, StoreError> {
        self.write(self.inner.prune(prune, limit)).await
    }

    async fn apply(&self, transition: Arc<Transition>) -> Result<(), StoreError> {
        self.write(self.inner.apply(transition)).await
    }

    async fn queue_running(&self) -> Result<(), StoreError> {
        self.write(self.inner.queue_running()).await
    }

    async fn queue(&self, ids: Vec<ExecutionId>, place: Place) -> Result<(), StoreError> {
        self.write(self.inner.queue(ids, place)).await
    }

    async fn admit(&self, round: Round, owner: &str) -> Result<Admitted, StoreError> {
        self.write(self.inner.admit(round, owner)).await
    }

    async fn claim_one(&self, id: ExecutionId, owner: &str) -> Result<Option<Claimed>, StoreError> {
        self.write(self.inner.claim_one(id, owner)).await
    }

    async fn vote(&self, gate: GateId, vote: Vote) -> Result<Voted, StoreError> {
        self.write(self.inner.vote(gate, vote)).await
    }

    async fn resolve(&self, gate: GateId, by: ResolvedBy) -> Result<Resolved, StoreError> {
        self.write(self.inner.resolve(gate, by)).await
    }

    async fn expire_due(
        &self,
        scope: Scope,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ExecutionId>, StoreError> {
        self.write(self.inner.expire_due(scope, now, limit)).await
    }

    async fn add_schedule(&self, schedule: Schedule) -> Result<(), StoreError> {
        self.write(self.inner.add_schedule(schedule)).await
    }

    async fn change_schedule(&self, change: Change) -> Result<(), StoreError> {
        self.write(self.inner.change_schedule(change)).await
    }

    async fn delete_schedule(&self, id: ScheduleId, now: Timestamp) -> Result<(), StoreError> {
        self.write(self.inner.delete_schedule(id, now)).await
    }

    async fn fire(&self, firings: Vec<Firing>, owner: &str) -> Result<Vec<Fired>, StoreError> {
        self.write(self.inner.fire(firings, owner)).await
    }

    async fn pause_failing(
        &self,
        id: ScheduleId,
        now: Timestamp,
    ) -> Result<Option<Schedule>, StoreError> {
        self.write(self.inner.pause_failing(id, now)).await
    }

    async fn detach_triggers(
        &self,
        workflows: Vec<WorkflowId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(self.inner.detach_triggers(workflows, now)).await
    }

    /// The file is closed by whoever opened it, after the process.
    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl ReadStore for Mortal<dyn ReadStore> {
    fn alerts(&self) -> &dyn AlertReads {
        self
    }

    fn heartbeats(&self) -> &dyn HeartbeatReads {
        self
    }

    async fn commits(&self) -> Result<Commits, StoreError> {
        self.read(self.inner.commits()).await
    }

    async fn workflows(&self) -> Result<Listed<Workflow>, StoreError> {
        self.read(self.inner.workflows()).await
    }

    async fn workflow(&self, id: &WorkflowId) -> Result<Option<Workflow>, StoreError> {
        self.read(self.inner.workflow(id)).await
    }

    async fn definition(
        &self,
        digest: &DefinitionDigest,
    ) -> Result<Option<SavedDefinition>, StoreError> {
        self.read(self.inner.definition(digest)).await
    }

    async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError> {
        self.read(self.inner.execution(id)).await
    }

    async fn executions(
        &self,
        filter: ExecutionFilter,
        after: Option<PageKey>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.read(self.inner.executions(filter, after, limit)).await
    }

    async fn state(&self, id: ExecutionId) -> Result<Option<WorkflowExecutionState>, StoreError> {
        self.read(self.inner.state(id)).await
    }

    async fn journal(
        &self,
        id: ExecutionId,
        from: u32,
        limit: usize,
    ) -> Result<Vec<Visit>, StoreError> {
        self.read(self.inner.journal(id, from, limit)).await
    }

    async fn attempts(
        &self,
        id: ExecutionId,
        first: u32,
        last: u32,
    ) -> Result<Vec<FailedAttempt>, StoreError> {
        self.read(self.inner.attempts(id, first, last)).await
    }

    async fn turns(
        &self,
        id: ExecutionId,
        first: u32,
        last: u32,
    ) -> Result<Vec<ModelTurn>, StoreError> {
        self.read(self.inner.turns(id, first, last)).await
    }

    async fn usage(&self, id: ExecutionId) -> Result<Vec<AttemptUsage>, StoreError> {
        self.read(self.inner.usage(id)).await
    }

    async fn events(
        &self,
        id: ExecutionId,
        after: EventSeq,
        limit: usize,
    ) -> Result<Option<EventPage>, StoreError> {
        self.read(self.inner.events(id, after, limit)).await
    }

    async fn cancellation(&self, id: ExecutionId) -> Result<Option<Cancellation>, StoreError> {
        self.read(self.inner.cancellation(id)).await
    }

    async fn count_prunable(&self, prune: Prune) -> Result<usize, StoreError> {
        self.read(self.inner.count_prunable(prune)).await
    }

    async fn gate(&self, id: GateId) -> Result<Option<Gate>, StoreError> {
        self.read(self.inner.gate(id)).await
    }

    async fn gate_at(&self, id: ExecutionId, visit: u32) -> Result<Option<Gate>, StoreError> {
        self.read(self.inner.gate_at(id, visit)).await
    }

    async fn gates(&self, id: ExecutionId) -> Result<Vec<Gate>, StoreError> {
        self.read(self.inner.gates(id)).await
    }

    async fn waiting_gates(&self) -> Result<Listed<Gate>, StoreError> {
        self.read(self.inner.waiting_gates()).await
    }

    async fn votes(&self, id: GateId) -> Result<Vec<Vote>, StoreError> {
        self.read(self.inner.votes(id)).await
    }

    async fn count_running(&self) -> Result<usize, StoreError> {
        self.read(self.inner.count_running()).await
    }

    async fn count_queued(&self) -> Result<usize, StoreError> {
        self.read(self.inner.count_queued()).await
    }

    async fn next_due(&self, scope: Scope) -> Result<Option<Timestamp>, StoreError> {
        self.read(self.inner.next_due(scope)).await
    }

    async fn due_retries(
        &self,
        scope: Scope,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ExecutionId>, StoreError> {
        self.read(self.inner.due_retries(scope, now, limit)).await
    }

    async fn schedules(
        &self,
        workflow: Option<WorkflowId>,
        after: Option<ScheduleId>,
        limit: usize,
    ) -> Result<Listed<Schedule>, StoreError> {
        self.read(self.inner.schedules(workflow, after, limit))
            .await
    }

    async fn schedule(&self, id: &ScheduleId) -> Result<Option<Schedule>, StoreError> {
        self.read(self.inner.schedule(id)).await
    }

    async fn due_schedules(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Schedule>, StoreError> {
        self.read(self.inner.due_schedules(now, limit)).await
    }

    async fn next_schedules_due(
        &self,
        after: Timestamp,
        limit: usize,
    ) -> Result<Option<Upcoming>, StoreError> {
        self.read(self.inner.next_schedules_due(after, limit)).await
    }

    async fn schedules_computed_elsewhere(
        &self,
        tz_database: &str,
        limit: usize,
    ) -> Result<Listed<Schedule>, StoreError> {
        self.read(self.inner.schedules_computed_elsewhere(tz_database, limit))
            .await
    }

    async fn releasable(&self, limit: usize) -> Result<Vec<(ScheduleId, Timestamp)>, StoreError> {
        self.read(self.inner.releasable(limit)).await
    }

    async fn has_buffered(&self) -> Result<bool, StoreError> {
        self.read(self.inner.has_buffered()).await
    }

    async fn watched_schedules(&self) -> Result<Vec<ScheduleId>, StoreError> {
        self.read(self.inner.watched_schedules()).await
    }

    async fn waiting_of_schedules(&self, ids: Vec<ScheduleId>) -> Result<Vec<HeldUp>, StoreError> {
        self.read(self.inner.waiting_of_schedules(ids)).await
    }

    async fn fires(
        &self,
        id: &ScheduleId,
        page: FirePage,
    ) -> Result<Listed<FireRecord>, StoreError> {
        self.read(self.inner.fires(id, page)).await
    }

    async fn gaps(&self, id: &ScheduleId, limit: usize) -> Result<Vec<Gap>, StoreError> {
        self.read(self.inner.gaps(id, limit)).await
    }

    async fn check(&self) -> Result<Vec<String>, StoreError> {
        self.read(self.inner.check()).await
    }
}
