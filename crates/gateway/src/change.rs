//! Wake-ups: whoever follows an execution is told that there is something new to read.
//!
//! A wake-up carries no data. Register first, read the store, act, wait: then nothing is missed,
//! and whoever is slow reads several changes at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use workflow_types::id::ExecutionId;

/// Tells followers of executions about changes, after they are committed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    followers: Arc<Mutex<HashMap<ExecutionId, watch::Sender<()>>>>,
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
    /// Registers a follower; what is read afterwards is at least as new as any missed wake-up.
    pub(crate) fn follow(&self, id: ExecutionId) -> Follower {
        let mut followers = self
            .followers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Those who left are forgotten here, so that the map holds only what is followed.
        followers.retain(|_, sender| !sender.is_closed());
        let sender = followers.entry(id).or_default();
        Follower {
            changed: sender.subscribe(),
            told_of_end: false,
        }
    }

    /// Wakes the followers of an execution.
    pub(crate) fn tell(&self, id: ExecutionId) {
        let followers = self
            .followers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = followers.get(&id) {
            sender.send_replace(());
        }
    }
}
