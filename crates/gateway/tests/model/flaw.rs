//! Stores that break one promise each: they show that the comparison would notice.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use gateway::store::{AlertStore, HeartbeatStore, ReadStore, Store, StoreError};
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::approval::{Resolved, ResolvedBy, Vote, Voted};
use gateway::workflow_types::execution::{
    Admitted, Cancellation, Cancelling, Claimed, Entry, Place, Prune, Pruned, Round, Scope, Start,
    Started, Transition, VisitState,
};
use gateway::workflow_types::id::{ExecutionId, GateId, ScheduleId, WorkflowId};
use gateway::workflow_types::registry::{Registered, Registration};
use gateway::workflow_types::schedule::{Change, Fired, Firing, Schedule};

/// A promise that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// That a visit has begun is written after its call.
    BegunTooLate,
    /// An attempt that failed is repeated at once.
    NoBackoff,
    /// A failed attempt that was followed by another is not written down.
    AttemptsForgotten,
    /// A cancellation is answered, and not written.
    CancelSwallowed,
    /// The limits of workflows are not looked at.
    Crowded,
    /// A start with a key that was used before is a new one.
    KeysForgotten,
    /// Gates do not expire.
    Patient,
    /// One approval is as good as several.
    Hasty,
}

/// A store with a flaw.
pub(crate) struct Flawed {
    inner: Arc<dyn Store>,
    flaw: Flaw,
    /// What was answered and is not written yet.
    held: Mutex<Option<Arc<Transition>>>,
}

impl Flawed {
    pub(crate) fn new(inner: Arc<dyn Store>, flaw: Flaw) -> Self {
        Self {
            inner,
            flaw,
            held: Mutex::default(),
        }
    }

    fn altered(&self, transition: &Transition) -> Transition {
        let mut altered = transition.clone();
        match self.flaw {
            Flaw::NoBackoff => {
                if let Some(open) = &mut altered.open
                    && let VisitState::BackingOff { until, .. } = &mut open.state
                    && let Some(failed) = &mut altered.failed
                {
                    *until = failed.failed_at;
                    failed.due_at = failed.failed_at;
                }
            }
            Flaw::AttemptsForgotten => altered.failed = None,
            Flaw::Patient => {
                if let Some(gate) = &mut altered.gate {
                    gate.expiry = None;
                }
            }
            Flaw::Hasty => {
                if let Some(gate) = &mut altered.gate {
                    gate.count = std::num::NonZeroU32::MIN;
                }
            }
            Flaw::BegunTooLate | Flaw::CancelSwallowed | Flaw::Crowded | Flaw::KeysForgotten => {}
        }
        altered
    }

    async fn late(&self, transition: Arc<Transition>) -> Result<(), StoreError> {
        let earlier = self.held().take();
        if let Some(earlier) = earlier {
            self.inner.apply(earlier).await?;
        }
        let open = transition.made.last().or(transition.open.as_ref());
        if open.is_some_and(|open| open.state == VisitState::Begun) {
            *self.held() = Some(transition);
            return Ok(());
        }
        self.inner.apply(transition).await
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Arc<Transition>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn started(&self, mut start: Start) -> Start {
        match self.flaw {
            Flaw::Crowded => {
                start.entry = Entry {
                    concurrency: None,
                    ..start.entry
                };
            }
            Flaw::KeysForgotten => start.execution.idempotency_key = None,
            Flaw::Patient => {
                if let Some(gate) = &mut start.gate {
                    gate.expiry = None;
                }
            }
            Flaw::Hasty => {
                if let Some(gate) = &mut start.gate {
                    gate.count = std::num::NonZeroU32::MIN;
                }
            }
            Flaw::BegunTooLate
            | Flaw::NoBackoff
            | Flaw::AttemptsForgotten
            | Flaw::CancelSwallowed => {}
        }
        start
    }
}

#[async_trait]
impl Store for Flawed {
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
        self.inner.start(self.started(start), owner).await
    }

    async fn retry(&self, start: Start, first: u32, owner: &str) -> Result<Started, StoreError> {
        self.inner.retry(self.started(start), first, owner).await
    }

    async fn cancel(&self, id: ExecutionId, asked: Cancellation) -> Result<Cancelling, StoreError> {
        if self.flaw == Flaw::CancelSwallowed {
            return Ok(Cancelling::Ended);
        }
        self.inner.cancel(id, asked).await
    }

    async fn delete(&self, id: ExecutionId) -> Result<(), StoreError> {
        self.inner.delete(id).await
    }

    async fn prune(&self, prune: Prune, limit: usize) -> Result<Pruned, StoreError> {
        self.inner.prune(prune, limit).await
    }

    async fn apply(&self, transition: Arc<Transition>) -> Result<(), StoreError> {
        if self.flaw == Flaw::BegunTooLate {
            return self.late(transition).await;
        }
        let altered = self.altered(&transition);
        self.inner.apply(Arc::new(altered)).await
    }

    async fn queue_running(&self) -> Result<(), StoreError> {
        self.inner.queue_running().await
    }

    async fn queue(&self, ids: Vec<ExecutionId>, place: Place) -> Result<(), StoreError> {
        self.inner.queue(ids, place).await
    }

    async fn admit(&self, round: Round, owner: &str) -> Result<Admitted, StoreError> {
        self.inner.admit(round, owner).await
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
