//! A store that stops answering at a chosen write: before it, or between its commit and its answer.
//!
//! Whoever waits for it waits until the process is killed, as with a power cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use gateway::store::{AlertStore, HeartbeatStore, ReadStore, Store, StoreError};
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::approval::{Resolved, ResolvedBy, Vote, Voted};
use gateway::workflow_types::execution::{
    Admitted, Cancellation, Cancelling, Claimed, Place, Prune, Pruned, Round, Scope, Start,
    Started, Transition,
};
use gateway::workflow_types::id::{ExecutionId, GateId, ScheduleId, WorkflowId};
use gateway::workflow_types::registry::{Registered, Registration};
use gateway::workflow_types::schedule::{Change, Fired, Firing, Schedule};
use tokio::sync::watch;

/// Where a store stops answering.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Crash {
    /// At this write, counted from 0, which does not happen.
    Before(usize),
    /// At this write, which happens and is not answered.
    After(usize),
}

/// A store that crashes.
pub(crate) struct Crashing {
    inner: Arc<dyn Store>,
    crash: Crash,
    writes: AtomicUsize,
    /// Until then, nothing is counted.
    armed: AtomicBool,
    crashed: watch::Sender<bool>,
}

impl Crashing {
    pub(crate) fn new(inner: Arc<dyn Store>, crash: Crash) -> Self {
        Self {
            inner,
            crash,
            writes: AtomicUsize::new(0),
            armed: AtomicBool::new(false),
            crashed: watch::Sender::new(false),
        }
    }

    /// Counts writes from now on.
    pub(crate) fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    /// Whether it has stopped answering.
    pub(crate) fn crashed(&self) -> watch::Receiver<bool> {
        self.crashed.subscribe()
    }

    /// Stops if this write is, or comes after, the one before which it crashes; its number.
    async fn before(&self) -> Option<usize> {
        if !self.armed.load(Ordering::SeqCst) {
            return None;
        }
        let number = self.writes.fetch_add(1, Ordering::SeqCst);
        match self.crash {
            Crash::Before(at) if number >= at => self.stop().await,
            Crash::After(at) if number > at => self.stop().await,
            Crash::Before(_) | Crash::After(_) => {}
        }
        Some(number)
    }

    async fn after(&self, number: Option<usize>) {
        if let (Crash::After(at), Some(number)) = (self.crash, number)
            && number >= at
        {
            self.stop().await;
        }
    }

    async fn stop(&self) {
        self.crashed.send_replace(true);
        std::future::pending::<()>().await;
    }
}

/// Verbs that are handed on unless the store has crashed.
macro_rules! handed_on {
    ($($verb:ident($($name:ident: $kind:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Store for Crashing {
            fn reads(&self) -> Arc<dyn ReadStore> {
                self.inner.reads()
            }

            fn alerts(&self) -> &dyn AlertStore {
                self.inner.alerts()
            }
            fn heartbeats(&self) -> &dyn HeartbeatStore {
                self.inner.heartbeats()
            }

            $(async fn $verb(&self, $($name: $kind),*) -> Result<$answer, StoreError> {
                let number = self.before().await;
                let answer = self.inner.$verb($($name),*).await;
                self.after(number).await;
                answer
            })*

            async fn close(&self) -> Result<(), StoreError> {
                self.inner.close().await
            }
        }
    };
}

handed_on! {
    register(registrations: Vec<Registration>) -> Vec<Registered>;
    start(start: Start, owner: &str) -> Started;
    retry(start: Start, first: u32, owner: &str) -> Started;
    cancel(id: ExecutionId, asked: Cancellation) -> Cancelling;
    delete(id: ExecutionId) -> ();
    prune(prune: Prune, limit: usize) -> Pruned;
    apply(transition: Arc<Transition>) -> ();
    queue_running() -> ();
    queue(ids: Vec<ExecutionId>, place: Place) -> ();
    admit(round: Round, owner: &str) -> Admitted;
    claim_one(id: ExecutionId, owner: &str) -> Option<Claimed>;
    vote(gate: GateId, vote: Vote) -> Voted;
    resolve(gate: GateId, by: ResolvedBy) -> Resolved;
    expire_due(scope: Scope, now: Timestamp, limit: usize) -> Vec<ExecutionId>;
    add_schedule(schedule: Schedule) -> ();
    change_schedule(change: Change) -> ();
    delete_schedule(id: ScheduleId, now: Timestamp) -> ();
    fire(firings: Vec<Firing>, owner: &str) -> Vec<Fired>;
    pause_failing(id: ScheduleId, now: Timestamp) -> Option<Schedule>;
    detach_triggers(workflows: Vec<WorkflowId>, now: Timestamp) -> ();
}
