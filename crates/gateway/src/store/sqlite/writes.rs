//! The verbs that write: each is one job of the writer.

use std::sync::Arc;

use async_trait::async_trait;
use workflow_types::Timestamp;
use workflow_types::approval::{Resolved, ResolvedBy, Vote, Voted};
use workflow_types::execution::{
    Admitted, Cancellation, Cancelling, Claimed, Place, Prune, Pruned, Round, Scope, Start,
    Started, Transition,
};
use workflow_types::id::{ExecutionId, GateId, ScheduleId, WorkflowId};
use workflow_types::registry::{Registered, Registration};
use workflow_types::schedule::{Change, Fired, Firing, Schedule};

use super::SqliteStore;
use crate::store::{AlertStore, HeartbeatStore, ReadStore, Store, StoreError};

/// So many fires are a small write.
const FEW_FIRES: usize = 4;

#[async_trait]
impl Store for SqliteStore {
    fn alerts(&self) -> &dyn AlertStore {
        self
    }

    fn heartbeats(&self) -> &dyn HeartbeatStore {
        self
    }

    fn reads(&self) -> Arc<dyn ReadStore> {
        Arc::new(self.reader.clone())
    }

    async fn register(
        &self,
        registrations: Vec<Registration>,
    ) -> Result<Vec<Registered>, StoreError> {
        self.write(move |c| {
            registrations
                .iter()
                .map(|registration| db::workflow::register(c, registration))
                .collect()
        })
        .await
    }

    async fn start(&self, start: Start, owner: &str) -> Result<Started, StoreError> {
        let owner = owner.to_owned();
        self.write_little(move |c| db::execution::start(c, &start, &owner))
            .await
    }

    async fn retry(&self, start: Start, first: u32, owner: &str) -> Result<Started, StoreError> {
        let owner = owner.to_owned();
        self.write(move |c| db::retry::start(c, &start, first, &owner))
            .await
    }

    async fn cancel(&self, id: ExecutionId, asked: Cancellation) -> Result<Cancelling, StoreError> {
        self.write(move |c| db::cancellation::request(c, id, &asked))
            .await
    }

    async fn delete(&self, id: ExecutionId) -> Result<(), StoreError> {
        self.write(move |c| db::retention::delete(c, id)).await
    }

    async fn prune(&self, prune: Prune, limit: usize) -> Result<Pruned, StoreError> {
        self.write(move |c| db::retention::prune(c, &prune, limit))
            .await
    }

    async fn apply(&self, transition: Arc<Transition>) -> Result<(), StoreError> {
        self.write_little(move |c| db::execution::apply(c, &transition))
            .await
    }

    async fn queue_running(&self) -> Result<(), StoreError> {
        self.write(db::execution::queue_running).await
    }

    async fn queue(&self, ids: Vec<ExecutionId>, place: Place) -> Result<(), StoreError> {
        self.write(move |c| db::execution::queue(c, &ids, place))
            .await
    }

    async fn admit(&self, round: Round, owner: &str) -> Result<Admitted, StoreError> {
        let owner = owner.to_owned();
        self.write(move |c| db::execution::admit(c, &round, &owner))
            .await
    }

    async fn claim_one(&self, id: ExecutionId, owner: &str) -> Result<Option<Claimed>, StoreError> {
        let owner = owner.to_owned();
        self.write(move |c| db::execution::claim_one(c, &id, &owner))
            .await
    }

    async fn vote(&self, gate: GateId, vote: Vote) -> Result<Voted, StoreError> {
        self.write(move |c| db::gate::vote(c, &gate, &vote)).await
    }

    async fn resolve(&self, gate: GateId, by: ResolvedBy) -> Result<Resolved, StoreError> {
        self.write(move |c| db::gate::resolve(c, &gate, &by)).await
    }

    async fn expire_due(
        &self,
        scope: Scope,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ExecutionId>, StoreError> {
        self.write(move |c| db::gate::expire_due(c, &scope, now, limit))
            .await
    }

    async fn add_schedule(&self, schedule: Schedule) -> Result<(), StoreError> {
        self.write(move |c| db::schedule::add(c, &schedule)).await
    }

    async fn change_schedule(&self, change: Change) -> Result<(), StoreError> {
        self.write(move |c| db::schedule::change(c, &change)).await
    }

    async fn delete_schedule(&self, id: ScheduleId, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |c| db::schedule::delete(c, &id, now)).await
    }

    async fn fire(&self, firings: Vec<Firing>, owner: &str) -> Result<Vec<Fired>, StoreError> {
        let owner = owner.to_owned();
        let is_little = firings.len() <= FEW_FIRES;
        let work = move |c: &mut db::Connection| {
            let fire = |firing| db::schedule::fire(c, firing, &owner);
            firings.iter().map(fire).collect()
        };
        if is_little {
            self.write_little(work).await
        } else {
            self.write(work).await
        }
    }

    async fn pause_failing(
        &self,
        id: ScheduleId,
        now: Timestamp,
    ) -> Result<Option<Schedule>, StoreError> {
        self.write(move |c| db::schedule::pause_failing(c, &id, now))
            .await
    }

    async fn detach_triggers(
        &self,
        workflows: Vec<WorkflowId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |c| db::schedule::detach(c, &workflows, now))
            .await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.end().await
    }
}
