//! A clock that is set, and that knows until when those sleep who wait for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use gateway::Clock;
use gateway::workflow_types::Timestamp;
use tokio::sync::watch;

/// A clock that stands still until it is set.
#[derive(Clone)]
pub(crate) struct SetClock {
    now: watch::Sender<Timestamp>,
    sleepers: Arc<Mutex<BTreeMap<Timestamp, usize>>>,
}

impl SetClock {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            now: watch::Sender::new(now),
            sleepers: Arc::default(),
        }
    }

    pub(crate) fn set(&self, to: Timestamp) {
        self.now.send_replace(to);
    }

    /// When the first of those who sleep wants to wake up.
    pub(crate) fn earliest(&self) -> Option<Timestamp> {
        self.lock().keys().next().copied()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Timestamp, usize>> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who sleeps.
struct Sleeper<'a>(&'a SetClock, Timestamp);

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        let mut sleepers = self.0.lock();
        if let Some(count) = sleepers.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                sleepers.remove(&self.1);
            }
        }
    }
}

#[async_trait]
impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        let mut now = self.now.subscribe();
        *self.lock().entry(deadline).or_default() += 1;
        let _sleeper = Sleeper(self, deadline);
        // The sender lives in `self`, which is borrowed for as long as this waits.
        let _ = now.wait_for(|now| *now >= deadline).await;
    }
}
