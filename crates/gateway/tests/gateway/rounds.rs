//! What comes between a round that takes an execution up and the task that is to carry it.

use std::sync::Arc;

use async_trait::async_trait;
use gateway::StartRequest;
use gateway::store::{Durability, ReadStore, SqliteStore, Store, StoreError, StoreErrorKind};
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::approval::{Resolved, ResolvedBy, Vote, Voted};
use gateway::workflow_types::execution::{
    Admitted, Cancellation, Cancelling, Claimed, Place, Prune, Pruned, Round, Scope, Start,
    Started, Transition,
};
use gateway::workflow_types::id::{ExecutionId, GateId, ScheduleId, WorkflowId};
use gateway::workflow_types::registry::{Registered, Registration};
use gateway::workflow_types::schedule::{Change, Fired, Firing, Schedule};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::support::{World, verdict, workflow};

/// A store that keeps the answer of the first round that takes something up.
struct Slow {
    store: SqliteStore,
    taken_up: Semaphore,
    queued: Semaphore,
    answer: Semaphore,
}

#[async_trait]
impl Store for Slow {
    fn reads(&self) -> Arc<dyn ReadStore> {
        self.store.reads()
    }

    async fn admit(&self, round: Round, owner: &str) -> Result<Admitted, StoreError> {
        let admitted = self.store.admit(round, owner).await?;
        if !admitted.claimed.is_empty() {
            self.taken_up.add_permits(1);
            // Only the first has to wait: it is let go for good.
            drop(self.answer.acquire().await);
        }
        Ok(admitted)
    }

    async fn queue(&self, ids: Vec<ExecutionId>, place: Place) -> Result<(), StoreError> {
        let queued = self.store.queue(ids, place).await;
        self.queued.add_permits(1);
        queued
    }

    async fn register(&self, all: Vec<Registration>) -> Result<Vec<Registered>, StoreError> {
        self.store.register(all).await
    }

    async fn start(&self, start: Start, owner: &str) -> Result<Started, StoreError> {
        self.store.start(start, owner).await
    }

    async fn retry(&self, start: Start, first: u32, owner: &str) -> Result<Started, StoreError> {
        self.store.retry(start, first, owner).await
    }

    async fn cancel(&self, id: ExecutionId, asked: Cancellation) -> Result<Cancelling, StoreError> {
        self.store.cancel(id, asked).await
    }

    async fn delete(&self, id: ExecutionId) -> Result<(), StoreError> {
        self.store.delete(id).await
    }

    async fn prune(&self, prune: Prune, limit: usize) -> Result<Pruned, StoreError> {
        self.store.prune(prune, limit).await
    }

    async fn apply(&self, transition: Arc<Transition>) -> Result<(), StoreError> {
        self.store.apply(transition).await
    }

    async fn queue_running(&self) -> Result<(), StoreError> {
        self.store.queue_running().await
    }

    async fn claim_one(&self, id: ExecutionId, owner: &str) -> Result<Option<Claimed>, StoreError> {
        self.store.claim_one(id, owner).await
    }

    async fn vote(&self, gate: GateId, vote: Vote) -> Result<Voted, StoreError> {
        self.store.vote(gate, vote).await
    }

    async fn resolve(&self, gate: GateId, by: ResolvedBy) -> Result<Resolved, StoreError> {
        self.store.resolve(gate, by).await
    }

    async fn expire_due(
        &self,
        scope: Scope,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ExecutionId>, StoreError> {
        self.store.expire_due(scope, now, limit).await
    }

    async fn add_schedule(&self, schedule: Schedule) -> Result<(), StoreError> {
        self.store.add_schedule(schedule).await
    }

    async fn change_schedule(&self, change: Change) -> Result<(), StoreError> {
        self.store.change_schedule(change).await
    }

    async fn delete_schedule(&self, id: ScheduleId) -> Result<(), StoreError> {
        self.store.delete_schedule(id).await
    }

    async fn fire(&self, firing: Firing, owner: &str) -> Result<Fired, StoreError> {
        self.store.fire(firing, owner).await
    }

    async fn pause_failing(
        &self,
        id: ScheduleId,
        now: Timestamp,
    ) -> Result<Option<Schedule>, StoreError> {
        self.store.pause_failing(id, now).await
    }

    async fn detach_triggers(
        &self,
        workflows: Vec<WorkflowId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.detach_triggers(workflows, now).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.store.close().await
    }
}

#[test]
fn a_start_that_is_repeated_while_a_round_takes_the_execution_up_does_not_carry_it_twice() {
    let world = World::with("  - {id: a, action: tool, tool: put, args: {do: wait, give: 1}}");
    let request = || {
        let key = "once".parse().unwrap();
        StartRequest::new(workflow("w"), json!({})).idempotency_key(key)
    };
    let life = world.live();
    let id = life.run(life.gateway.start_with(request())).unwrap().id;
    life.until_called(&world, 1);
    life.kill();

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = loop {
        match runtime.block_on(SqliteStore::open(&world.database(), Durability::Full)) {
            Ok((store, _)) => break store,
            Err(error) if error.kind() == StoreErrorKind::Owned => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    };
    let slow = Arc::new(Slow {
        store,
        taken_up: Semaphore::new(0),
        queued: Semaphore::new(0),
        answer: Semaphore::new(0),
    });
    let life = world.live_with(|builder| builder.store(Arc::clone(&slow) as Arc<dyn Store>));
    life.run(slow.taken_up.acquire()).unwrap().forget();
    let repeated = life.run(life.gateway.start_with(request())).unwrap();
    assert_eq!(repeated.id, id);
    life.run(slow.queued.acquire()).unwrap().forget();
    // Whoever has queued it would let go of it meanwhile.
    life.journal(id);
    slow.answer.add_permits(Semaphore::MAX_PERMITS);

    world.ledger.let_go(10);
    assert_eq!(verdict(&life.wait(id)), None);
    assert_eq!(life.trail(id), ["a 1"]);
    assert_eq!(world.ledger.calls().len(), 2);
    life.check(&world);
}
