//! Faults that are put in on purpose: a store that breaks one of its promises, a database without
//! one of its rules.
//!
//! They are part of this program alone. A campaign that does not notice them shows nothing.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use clap::ValueEnum;
use gateway::store::{
    AlertStore, HeartbeatStore, ReadStore, SqliteStore, Store, StoreError, StoreErrorKind,
};
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::approval::{Decision, Resolved, ResolvedBy, Vote, Voted};
use gateway::workflow_types::execution::{
    Admitted, Cancellation, Cancelling, Claimed, Entry, Epoch, ExecutionState, Place, Progress,
    Prune, Pruned, Round, Scope, Start, Started, Transition, Turn, Visit, VisitState,
};
use gateway::workflow_types::id::{ExecutionId, GateId, ScheduleId, WorkflowId};
use gateway::workflow_types::registry::{Registered, Registration};
use gateway::workflow_types::schedule::{Change, Fired, Firing, Schedule};
use rusqlite::Connection;

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mutation {
    /// That an attempt has begun is not recorded before its effect.
    BegunLate,
    /// No two executions need to have different keys.
    KeyDropped,
    /// The end of a visit and the beginning of the next are two transactions.
    StepSplit,
    /// A start is answered before its commit.
    AnsweredEarly,
    /// A tool that makes something new every time says that it may be repeated.
    Careless,
    /// A denial is recorded as an approval.
    DenialLost,
    /// Nothing has to wait for its turn.
    LimitForgotten,
    /// Whoever was superseded may still write.
    Unfenced,
}

impl Mutation {
    pub(crate) const ALL: [Self; 8] = [
        Self::BegunLate,
        Self::KeyDropped,
        Self::StepSplit,
        Self::AnsweredEarly,
        Self::Careless,
        Self::DenialLost,
        Self::LimitForgotten,
        Self::Unfenced,
    ];

    /// What it is called on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BegunLate => "begun-late",
            Self::KeyDropped => "key-dropped",
            Self::StepSplit => "step-split",
            Self::AnsweredEarly => "answered-early",
            Self::Careless => "careless",
            Self::DenialLost => "denial-lost",
            Self::LimitForgotten => "limit-forgotten",
            Self::Unfenced => "unfenced",
        }
    }

    /// What the fault is, in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::BegunLate => "begun recorded after the effect",
            Self::KeyDropped => "unique key of starts dropped",
            Self::StepSplit => "end and next begin in two transactions",
            Self::AnsweredEarly => "start answered before its commit",
            Self::Careless => "destructive tool said to be idempotent",
            Self::DenialLost => "denial recorded as approval",
            Self::LimitForgotten => "limit of a workflow forgotten",
            Self::Unfenced => "claim not fenced",
        }
    }

    /// Whether killing the process shows it; else, another owner has to come between.
    pub(crate) fn needs_a_kill(self) -> bool {
        self != Self::Unfenced
    }

    /// Takes a rule out of the database, where that is the fault.
    pub(crate) async fn prepare(self, database: &Path) -> Result<()> {
        if self == Self::KeyDropped {
            gateway::database::migrate(database).await?;
            Connection::open(database)?.execute_batch("DROP INDEX IF EXISTS executions_key")?;
        }
        Ok(())
    }
}

/// A store with a fault.
pub(crate) struct Mutant {
    inner: Arc<SqliteStore>,
    mutation: Mutation,
    /// Reads what the fence would compare with.
    beside: Mutex<Connection>,
    /// Held while a start that was answered is not written yet.
    unwritten: Arc<tokio::sync::Mutex<()>>,
}

/// How long after its answer a start is written.
const LATE: Duration = Duration::from_millis(5);

impl Mutant {
    pub(crate) fn new(inner: SqliteStore, mutation: Mutation, database: &Path) -> Result<Self> {
        Ok(Self {
            inner: Arc::new(inner),
            mutation,
            beside: Mutex::new(Connection::open(database)?),
            unwritten: Arc::default(),
        })
    }

    /// The epoch that stands in the database, so that any writer has the right one.
    fn epoch(&self, id: ExecutionId) -> Result<Epoch, StoreError> {
        let beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        let sql = "SELECT epoch FROM workflow_executions WHERE id = ?1";
        let number = beside.query_row(sql, [id.to_string()], |row| row.get(0));
        let failed = |error: rusqlite::Error| {
            StoreError::new(StoreErrorKind::Internal, "looking up an epoch failed").caused(error)
        };
        Ok(Epoch::new(number.map_err(failed)?))
    }

    async fn apply_late(&self, mut transition: Transition) -> Result<(), StoreError> {
        if let Some(open) = &transition.open
            && open.state == VisitState::Begun
        {
            return Ok(());
        }
        unbegin(&mut transition.made);
        self.inner.apply(Arc::new(transition)).await
    }

    async fn apply_split(&self, transition: Transition) -> Result<(), StoreError> {
        if transition.open.is_none() || transition.made.is_empty() {
            return self.inner.apply(Arc::new(transition)).await;
        }
        let end = Transition {
            made: Vec::new(),
            gate: None,
            state: ExecutionState::Running,
            results: None,
            ..transition.clone()
        };
        self.inner.apply(Arc::new(end)).await?;
        let next = Transition {
            open: None,
            failed: None,
            progress: Progress::default(),
            ..transition
        };
        self.inner.apply(Arc::new(next)).await
    }

    /// Answers a start, and writes it a little later.
    #[expect(
        clippy::disallowed_methods,
        reason = "the fault is that nobody waits for the write"
    )]
    async fn start_early(&self, start: Start, owner: &str) -> Result<Started, StoreError> {
        let id = start.execution.id;
        let key = start.execution.idempotency_key.clone();
        let is_known = key.is_some_and(|key| self.knows(key.as_ref()));
        if is_known || start.entry.turn == Turn::Later {
            return self.inner.start(start, owner).await;
        }
        let (inner, owner) = (Arc::clone(&self.inner), owner.to_owned());
        let guard = Arc::clone(&self.unwritten).lock_owned().await;
        tokio::spawn(async move {
            tokio::time::sleep(LATE).await;
            if let Err(error) = inner.start(start, &owner).await {
                panic!("writing execution {id} late failed: {error}");
            }
            drop(guard);
        });
        Ok(Started::New)
    }

    fn knows(&self, key: &str) -> bool {
        let beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        let sql = "SELECT 1 FROM workflow_executions WHERE idempotency_key = ?1";
        beside.query_row(sql, [key], |_| Ok(())).is_ok()
    }
}

/// Says of visits that have begun that they have not.
fn unbegin(visits: &mut [Visit]) {
    for visit in visits {
        if visit.state == VisitState::Begun {
            visit.state = VisitState::Ready;
        }
    }
}

#[async_trait]
impl Store for Mutant {
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

    async fn start(&self, mut start: Start, owner: &str) -> Result<Started, StoreError> {
        match self.mutation {
            Mutation::BegunLate => unbegin(&mut start.visits),
            Mutation::AnsweredEarly => return self.start_early(start, owner).await,
            Mutation::LimitForgotten => start.entry = Entry::UNCONDITIONAL,
            Mutation::KeyDropped
            | Mutation::StepSplit
            | Mutation::Careless
            | Mutation::DenialLost
            | Mutation::Unfenced => {}
        }
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
        match self.mutation {
            Mutation::BegunLate => self.apply_late(Arc::unwrap_or_clone(transition)).await,
            Mutation::StepSplit => self.apply_split(Arc::unwrap_or_clone(transition)).await,
            Mutation::AnsweredEarly => {
                let _written = self.unwritten.lock().await;
                self.inner.apply(transition).await
            }
            Mutation::Unfenced => {
                let mut transition = Arc::unwrap_or_clone(transition);
                transition.epoch = self.epoch(transition.execution_id)?;
                self.inner.apply(Arc::new(transition)).await
            }
            Mutation::KeyDropped
            | Mutation::Careless
            | Mutation::DenialLost
            | Mutation::LimitForgotten => self.inner.apply(transition).await,
        }
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

    async fn vote(&self, gate: GateId, mut vote: Vote) -> Result<Voted, StoreError> {
        if self.mutation == Mutation::DenialLost {
            vote.decision = Decision::Approve;
        }
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
