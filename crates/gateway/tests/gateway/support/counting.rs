//! A store that counts what is asked of it, verb by verb, and passes everything on, unless it is told
//! to fail or to keep somebody waiting for the answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gateway::Listed;
use gateway::store::{
    AlertReads, AlertStore, Commits, HeartbeatReads, HeartbeatStore, ReadStore, Store, StoreError,
    StoreErrorKind,
};
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::approval::{Gate, Resolved, ResolvedBy, Vote, Voted};
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
use tokio::sync::watch;

/// How often each verb was called, which one fails, and which one is not answered yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    calls: Arc<Mutex<BTreeMap<&'static str, usize>>>,
    failing: Arc<Mutex<Option<&'static str>>>,
    held: watch::Sender<Option<&'static str>>,
}

impl Counts {
    pub(crate) fn of(&self, verb: &str) -> usize {
        self.calls.lock().unwrap().get(verb).copied().unwrap_or(0)
    }

    /// From now on a verb is answered as by a database that is busy.
    pub(crate) fn fail(&self, verb: &'static str) {
        *self.failing.lock().unwrap() = Some(verb);
    }

    /// Nothing fails any more.
    pub(crate) fn heal(&self) {
        *self.failing.lock().unwrap() = None;
    }

    /// From now on the answers of a verb are held back.
    pub(crate) fn hold(&self, verb: &'static str) {
        self.held.send_replace(Some(verb));
    }

    /// Answers what was held back.
    pub(crate) fn let_go(&self) {
        self.held.send_replace(None);
    }

    async fn answered(&self, verb: &str) {
        // The sender lives in `self`.
        let _ = (self.held.subscribe())
            .wait_for(|held| *held != Some(verb))
            .await;
    }

    fn fails(&self, verb: &str) -> bool {
        *self.failing.lock().unwrap() == Some(verb)
    }

    fn add(&self, verb: &'static str) {
        *self.calls.lock().unwrap().entry(verb).or_default() += 1;
    }
}

/// Passes on what is asked, and counts it.
pub(crate) struct Counting<S: ?Sized> {
    inner: Arc<S>,
    counts: Counts,
}

impl Counting<dyn Store> {
    pub(crate) fn around(inner: Arc<dyn Store>) -> (Arc<dyn Store>, Counts) {
        let counts = Counts::default();
        let store = Self {
            inner,
            counts: counts.clone(),
        };
        (Arc::new(store), counts)
    }
}

macro_rules! counting {
    ($trait:ident { $($more:item)* } $($verb:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl $trait for Counting<dyn $trait> {
            $($more)*
            $(async fn $verb(&self, $($arg: $type),*) -> $answer {
                self.counts.add(stringify!($verb));
                if self.counts.fails(stringify!($verb)) {
                    return Err(StoreError::new(StoreErrorKind::Busy, "it fails on purpose"));
                }
                let answer = self.inner.$verb($($arg),*).await;
                self.counts.answered(stringify!($verb)).await;
                answer
            })*
        }
    };
}

counting! {
    Store {
        fn reads(&self) -> Arc<dyn ReadStore> {
            Arc::new(Counting { inner: self.inner.reads(), counts: self.counts.clone() })
        }
        fn alerts(&self) -> &dyn AlertStore {
            self.inner.alerts()
        }
        fn heartbeats(&self) -> &dyn HeartbeatStore {
            self.inner.heartbeats()
        }
    }
        register(registrations: Vec<Registration>) -> Result<Vec<Registered>, StoreError>;
        start(start: Start, owner: &str) -> Result<Started, StoreError>;
        retry(start: Start, first: u32, owner: &str) -> Result<Started, StoreError>;
        cancel(id: ExecutionId, asked: Cancellation) -> Result<Cancelling, StoreError>;
        delete(id: ExecutionId) -> Result<(), StoreError>;
        prune(prune: Prune, limit: usize) -> Result<Pruned, StoreError>;
        apply(transition: Arc<Transition>) -> Result<(), StoreError>;
        queue_running() -> Result<(), StoreError>;
        queue(ids: Vec<ExecutionId>, place: Place) -> Result<(), StoreError>;
        admit(round: Round, owner: &str) -> Result<Admitted, StoreError>;
        claim_one(id: ExecutionId, owner: &str) -> Result<Option<Claimed>, StoreError>;
        vote(gate: GateId, vote: Vote) -> Result<Voted, StoreError>;
        resolve(gate: GateId, by: ResolvedBy) -> Result<Resolved, StoreError>;
        expire_due(scope: Scope, now: Timestamp, limit: usize) -> Result<Vec<ExecutionId>, StoreError>;
        add_schedule(schedule: Schedule) -> Result<(), StoreError>;
        change_schedule(change: Change) -> Result<(), StoreError>;
        delete_schedule(id: ScheduleId, now: Timestamp) -> Result<(), StoreError>;
        fire(firings: Vec<Firing>, owner: &str) -> Result<Vec<Fired>, StoreError>;
        pause_failing(id: ScheduleId, now: Timestamp) -> Result<Option<Schedule>, StoreError>;
        detach_triggers(workflows: Vec<WorkflowId>, now: Timestamp) -> Result<(), StoreError>;
        close() -> Result<(), StoreError>;
}

counting! {
    ReadStore {
        fn alerts(&self) -> &dyn AlertReads {
            self.inner.alerts()
        }
        fn heartbeats(&self) -> &dyn HeartbeatReads {
            self.inner.heartbeats()
        }
    }
        workflows() -> Result<Listed<Workflow>, StoreError>;
        workflow(id: &WorkflowId) -> Result<Option<Workflow>, StoreError>;
        definition(digest: &DefinitionDigest) -> Result<Option<SavedDefinition>, StoreError>;
        execution(id: ExecutionId) -> Result<Option<Execution>, StoreError>;
        executions(filter: ExecutionFilter, after: Option<PageKey>, limit: usize) -> Result<Page, StoreError>;
        state(id: ExecutionId) -> Result<Option<WorkflowExecutionState>, StoreError>;
        journal(id: ExecutionId, from: u32, limit: usize) -> Result<Vec<Visit>, StoreError>;
        attempts(id: ExecutionId, first: u32, last: u32) -> Result<Vec<FailedAttempt>, StoreError>;
        turns(id: ExecutionId, first: u32, last: u32) -> Result<Vec<ModelTurn>, StoreError>;
        usage(id: ExecutionId) -> Result<Vec<AttemptUsage>, StoreError>;
        events(id: ExecutionId, after: EventSeq, limit: usize) -> Result<Option<EventPage>, StoreError>;
        cancellation(id: ExecutionId) -> Result<Option<Cancellation>, StoreError>;
        count_prunable(prune: Prune) -> Result<usize, StoreError>;
        gate(id: GateId) -> Result<Option<Gate>, StoreError>;
        gate_at(id: ExecutionId, visit: u32) -> Result<Option<Gate>, StoreError>;
        gates(id: ExecutionId) -> Result<Vec<Gate>, StoreError>;
        waiting_gates() -> Result<Listed<Gate>, StoreError>;
        votes(id: GateId) -> Result<Vec<Vote>, StoreError>;
        count_running() -> Result<usize, StoreError>;
        count_queued() -> Result<usize, StoreError>;
        next_due(scope: Scope) -> Result<Option<Timestamp>, StoreError>;
        due_retries(scope: Scope, now: Timestamp, limit: usize) -> Result<Vec<ExecutionId>, StoreError>;
        commits() -> Result<Commits, StoreError>;
        schedules(workflow: Option<WorkflowId>, after: Option<ScheduleId>, limit: usize) -> Result<Listed<Schedule>, StoreError>;
        schedule(id: &ScheduleId) -> Result<Option<Schedule>, StoreError>;
        due_schedules(now: Timestamp, limit: usize) -> Result<Vec<Schedule>, StoreError>;
        next_schedules_due(after: Timestamp, limit: usize) -> Result<Option<Upcoming>, StoreError>;
        schedules_computed_elsewhere(tz_database: &str, limit: usize) -> Result<Listed<Schedule>, StoreError>;
        releasable(limit: usize) -> Result<Vec<(ScheduleId, Timestamp)>, StoreError>;
        has_buffered() -> Result<bool, StoreError>;
        watched_schedules() -> Result<Vec<ScheduleId>, StoreError>;
        waiting_of_schedules(ids: Vec<ScheduleId>) -> Result<Vec<HeldUp>, StoreError>;
        fires(id: &ScheduleId, page: FirePage) -> Result<Listed<FireRecord>, StoreError>;
        gaps(id: &ScheduleId, limit: usize) -> Result<Vec<Gap>, StoreError>;
        check() -> Result<Vec<String>, StoreError>;
}
