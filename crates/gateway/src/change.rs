//! Wake-ups: whoever follows an execution is told that there is something new to read.
//!
//! Register first, read the store, act, wait: then nothing is missed, and whoever is slow reads
//! several changes at once. Whoever waits for the rest of an execution may be given it as it was
//! committed, which spares the reading.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use workflow_types::execution::Execution;
use workflow_types::id::ExecutionId;

/// Tells followers of executions about changes, after they are committed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    followers: Arc<Mutex<HashMap<ExecutionId, Senders>>>,
}

/// Wakes those who follow every change of an execution, and those who wait for its rest.
///
/// They are apart because most of those who wait would otherwise read once for every step.
#[derive(Debug, Default)]
struct Senders {
    every: watch::Sender<()>,
    /// The execution as it came to rest, if that is known and nobody carries it again.
    rest: watch::Sender<Option<Arc<Execution>>>,
}

impl Senders {
    fn are_closed(&self) -> bool {
        self.every.is_closed() && self.rest.is_closed()
    }
}

/// Follows one execution.
#[derive(Debug)]
pub struct Follower {
    changed: watch::Receiver<()>,
    told_of_end: bool,
}

impl Follower {
    /// Returns once the execution has changed since this was last called, or since the follower
    /// registered. Safe to drop at any point.
    ///
    /// When the gateway ends it returns once more, and then never again.
    pub async fn changed(&mut self) {
        if self.changed.changed().await.is_ok() {
            return;
        }
        if self.told_of_end {
            std::future::pending::<()>().await;
        }
        self.told_of_end = true;
    }

    /// The same, but answers false when the gateway has ended.
    pub(crate) async fn changed_or_ended(&mut self) -> bool {
        self.changed.changed().await.is_ok()
    }
}

/// Follows one execution until it comes to rest.
#[derive(Debug)]
pub(crate) struct RestFollower {
    told: watch::Receiver<Option<Arc<Execution>>>,
    told_of_end: bool,
}

impl RestFollower {
    /// Returns once the execution may have come to rest: as it was committed, or none if whoever
    /// follows it has to read. Safe to drop at any point.
    ///
    /// When the gateway ends it returns once more, and then never again.
    pub(crate) async fn told(&mut self) -> Option<Arc<Execution>> {
        if self.told.changed().await.is_ok() {
            return self.told.borrow_and_update().clone();
        }
        if self.told_of_end {
            std::future::pending::<()>().await;
        }
        self.told_of_end = true;
        None
    }
}

impl Changes {
    /// Registers a follower of every change; what is read afterwards is at least as new as any
    /// missed wake-up.
    pub(crate) fn follow(&self, id: ExecutionId) -> Follower {
        Follower {
            changed: self.register(id, |senders| senders.every.subscribe()),
            told_of_end: false,
        }
    }

    /// As [`Changes::follow`], but woken only when the execution has come to rest or cannot go on.
    pub(crate) fn follow_rest(&self, id: ExecutionId) -> RestFollower {
        RestFollower {
            told: self.register(id, |senders| senders.rest.subscribe()),
            told_of_end: false,
        }
    }

    /// Wakes those who follow every change of an execution.
    pub(crate) fn tell(&self, id: ExecutionId) {
        if let Some(senders) = self.lock().get(&id) {
            senders.every.send_replace(());
        }
    }

    /// Wakes all followers of an execution: it has come to rest, or cannot go on.
    pub(crate) fn tell_rest(&self, id: ExecutionId) {
        if let Some(senders) = self.lock().get(&id) {
            senders.every.send_replace(());
            senders.rest.send_modify(|_| {});
        }
    }

    /// The same, with what was committed: those who wait for it need not read.
    pub(crate) fn tell_rest_as(&self, execution: &Execution) {
        if let Some(senders) = self.lock().get(&execution.id) {
            senders.every.send_replace(());
            let rested = Arc::new(execution.clone());
            senders.rest.send_replace(Some(rested));
        }
    }

    /// An execution goes on: how it came to rest before is told to nobody any more.
    pub(crate) fn goes_on(&self, id: ExecutionId) {
        if let Some(senders) = self.lock().get(&id) {
            senders.rest.send_if_modified(|rested| {
                *rested = None;
                false
            });
        }
    }

    fn register<T>(
        &self,
        id: ExecutionId,
        subscribe: impl FnOnce(&Senders) -> watch::Receiver<T>,
    ) -> watch::Receiver<T> {
        let mut followers = self.lock();
        // Those who left are forgotten now and then, so that the map holds what is followed.
        if followers.len() >= followers.capacity() {
            followers.retain(|_, senders| !senders.are_closed());
        }
        subscribe(followers.entry(id).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionId, Senders>> {
        self.followers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
