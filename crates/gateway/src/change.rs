//! Wake-ups: whoever follows an execution is told that there is something new to read.
//!
//! A wake-up carries no data. Register first, read the store, act, wait: then nothing is missed,
//! and whoever is slow reads several changes at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
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
    rest: watch::Sender<()>,
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

impl Changes {
    /// Registers a follower of every change; what is read afterwards is at least as new as any
    /// missed wake-up.
    pub(crate) fn follow(&self, id: ExecutionId) -> Follower {
        self.register(id, |senders| senders.every.subscribe())
    }

    /// As [`Changes::follow`], but woken only when the execution has come to rest or cannot go on.
    pub(crate) fn follow_rest(&self, id: ExecutionId) -> Follower {
        self.register(id, |senders| senders.rest.subscribe())
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
            senders.rest.send_replace(());
        }
    }

    fn register(
        &self,
        id: ExecutionId,
        subscribe: impl FnOnce(&Senders) -> watch::Receiver<()>,
    ) -> Follower {
        let mut followers = self.lock();
        // Those who left are forgotten now and then, so that the map holds what is followed.
        if followers.len() >= followers.capacity() {
            followers.retain(|_, senders| !senders.are_closed());
        }
        let senders = followers.entry(id).or_default();
        Follower {
            changed: subscribe(senders),
            told_of_end: false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionId, Senders>> {
        self.followers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
