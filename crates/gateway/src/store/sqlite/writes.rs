//! The verbs that write: each is one job of the writer thread.

use std::sync::Arc;

use async_trait::async_trait;
use workflow_types::Timestamp;
use workflow_types::approval::{Resolved, ResolvedBy, Vote, Voted};
use workflow_types::execution::{Claimed, Scope, Start, Started, Transition};
use workflow_types::id::{ExecutionId, GateId};
use workflow_types::registry::{Registered, Registration};

use super::SqliteStore;
use crate::store::{ReadStore, Store, StoreError};

#[async_trait]
impl Store for SqliteStore {
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
        self.write(move |c| db::execution::start(c, &start, &owner))
            .await
    }

    async fn apply(&self, transition: Arc<Transition>) -> Result<(), StoreError> {
        self.write(move |c| db::execution::apply(c, &transition))
            .await
    }

    async fn claim_running(&self, owner: &str) -> Result<Vec<Claimed>, StoreError> {
        let owner = owner.to_owned();
        self.write(move |c| db::execution::claim(c, &owner)).await
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

    async fn close(&self) -> Result<(), StoreError> {
        self.end().await
    }
}
