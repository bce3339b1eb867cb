//! An execution that two would take up at the same moment is taken up by one of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use gateway::StartRequest;
use gateway::store::{
    AlertStore, Durability, HeartbeatStore, ReadStore, SqliteStore, Store, StoreError,
    StoreErrorKind,
};
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::approval::{Resolved, ResolvedBy, Vote, Voted};
use gateway::workflow_types::execution::{
    Admitted, Cancellation, Cancelling, Claimed, ExecutionStatus, Place, Prune, Pruned, Round,
    Scope, Start, Started, Transition,
};
use gateway::workflow_types::id::{ExecutionId, GateId, ScheduleId, WorkflowId};
use gateway::workflow_types::registry::{Registered, Registration};
use gateway::workflow_types::schedule::{Change, Fired, Firing, Schedule};
use serde_json::json;
use tokio::sync::Notify;

use crate::support::{World, soon, workflow};

/// A store whose first answer to who is next comes late.
struct Hesitant {
    inner: SqliteStore,
    rounds: AtomicUsize,
    /// The first round is committed, and not answered yet.
    committed: Notify,
    /// It may be answered.
    go: Notify,
    /// Whether what is queued meanwhile is written only after that.
    queues_late: bool,
}

impl Hesitant {
    /// Of what the process before has left.
    async fn open(world: &World, queues_late: bool) -> Arc<Self> {
        let inner = loop {
            match SqliteStore::open(&world.database(), Durability::Full).await {
                Ok((store, _)) => break store,
                Err(error) if error.kind() == StoreErrorKind::Owned => std::thread::yield_now(),
                Err(error) => panic!("{error}"),
            }
        };
        Arc::new(Self {
            inner,
            rounds: AtomicUsize::new(0),
            committed: Notify::new(),
            go: Notify::new(),
            queues_late,
        })
    }
}

#[async_trait]
impl Store for Hesitant {
    fn alerts(&self) -> &dyn AlertStore {
        self.inner.alerts()
    }
    fn heartbeats(&self) -> &dyn HeartbeatStore {
        self.inner.heartbeats()
    }

    fn reads(&self) -> Arc<dyn ReadStore> {
        self.inner.reads()
    }

    async fn register(&self, all: Vec<Registration>) -> Result<Vec<Registered>, StoreError> {
        self.inner.register(all).await
    }

    async fn start(&self, start: Start, owner: &str) -> Result<Started, StoreError> {
        self.inner.start(start, owner).await
    }

    async fn retry(&self, start: Start, first: u32, owner: &str) -> Result<Started, StoreError> {
        self.inner.retry(start, first, owner).await
    }

    async fn cancel(&self, id: ExecutionId, asked: Cancellation) -> Result<Cancelling, StoreError> {
        self.inner.cancel(id, asked).await
    }

    async fn delete(&self, id: ExecutionId) -> Result<(), StoreError> {
        self.inner.delete(id).await
    }

    async fn prune(&self, prune: Prune, limit: usize) -> Result<Pruned, StoreError> {
        self.inner.prune(prune, limit).await
    }

    async fn apply(&self, transition: Arc<Transition>) -> Result<(), StoreError> {
        self.inner.apply(transition).await
    }

    async fn queue_running(&self) -> Result<(), StoreError> {
        self.inner.queue_running().await
    }

    async fn queue(&self, ids: Vec<ExecutionId>, place: Place) -> Result<(), StoreError> {
        if self.queues_late {
            self.go.notify_one();
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        }
        self.inner.queue(ids, place).await
    }

    async fn admit(&self, round: Round, owner: &str) -> Result<Admitted, StoreError> {
        let admitted = self.inner.admit(round, owner).await;
        if self.rounds.fetch_add(1, Ordering::SeqCst) == 0 {
            self.committed.notify_one();
            self.go.notified().await;
        }
        admitted
    }

    async fn claim_one(&self, id: ExecutionId, owner: &str) -> Result<Option<Claimed>, StoreError> {
        self.inner.claim_one(id, owner).await
    }

    async fn vote(&self, gate: GateId, vote: Vote) -> Result<Voted, StoreError> {
        self.inner.vote(gate, vote).await
    }

    async fn resolve(&self, gate: GateId, by: ResolvedBy) -> Result<Resolved, StoreError> {
        self.inner.resolve(gate, by).await
    }

    async fn expire_due(
        &self,
        scope: Scope,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ExecutionId>, StoreError> {
        self.inner.expire_due(scope, now, limit).await
    }

    async fn add_schedule(&self, schedule: Schedule) -> Result<(), StoreError> {
        self.inner.add_schedule(schedule).await
    }

    async fn change_schedule(&self, change: Change) -> Result<(), StoreError> {
        self.inner.change_schedule(change).await
    }

    async fn delete_schedule(&self, id: ScheduleId, now: Timestamp) -> Result<(), StoreError> {
        self.inner.delete_schedule(id, now).await
    }

    async fn fire(&self, firings: Vec<Firing>, owner: &str) -> Result<Vec<Fired>, StoreError> {
        self.inner.fire(firings, owner).await
    }

    async fn pause_failing(
        &self,
        id: ScheduleId,
        now: Timestamp,
    ) -> Result<Option<Schedule>, StoreError> {
        self.inner.pause_failing(id, now).await
    }

    async fn detach_triggers(
        &self,
        workflows: Vec<WorkflowId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.inner.detach_triggers(workflows, now).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}

/// A start is repeated between the commit of the round that takes up its execution and the answer
/// to it.
async fn repeat_within_a_round(world: &World, queues_late: bool) {
    let store = Hesitant::open(world, queues_late).await;
    let builder = world.builder().store(Arc::clone(&store) as Arc<dyn Store>);
    let gateway = builder.start().await.unwrap();
    store.committed.notified().await;
    let id = gateway.start_with(request()).await.unwrap().id;
    // Whoever wants to take it up because of that has its chance.
    for _ in 0..20 {
        gateway.reader().execution(id).await.unwrap();
    }
    store.go.notify_one();
    world.ledger.until_called(2).await;
    for _ in 0..20 {
        gateway.reader().execution(id).await.unwrap();
    }
    world.ledger.let_go(1);
    let execution = gateway.wait(id).await.unwrap();
    assert_eq!(execution.state.status(), ExecutionStatus::Completed);
    // Once before the crash, once after it, and not once more because it was taken up twice.
    assert_eq!(world.ledger.calls().len(), 2);
    gateway.shutdown().await.unwrap();
}

fn request() -> StartRequest {
    StartRequest::new(workflow("w"), json!({})).idempotency_key("k".parse().unwrap())
}

fn check(queues_late: bool) {
    let world = World::with("  - {id: a, action: tool, tool: put, args: {do: wait}}");
    let life = world.live();
    life.run(life.gateway.start_with(request())).unwrap();
    life.until_called(&world, 1);
    life.kill();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(soon(repeat_within_a_round(&world, queues_late)));
}

#[test]
fn a_start_that_is_repeated_within_a_round_does_not_take_its_execution_from_it() {
    check(false);
}

#[test]
fn a_start_that_is_repeated_within_a_round_and_the_round_do_not_wait_for_each_other_forever() {
    check(true);
}
