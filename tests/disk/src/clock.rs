//! A clock that runs a hundred times as fast: what waits for a second waits for ten milliseconds.

use std::time::Duration;

use async_trait::async_trait;
use gateway::workflow_types::Timestamp;
use gateway::{Clock, SystemClock};

const SPEED: u32 = 100;

/// The machine's clock, sped up.
#[derive(Debug, Clone)]
pub(crate) struct FastClock {
    begun: Timestamp,
}

impl FastClock {
    pub(crate) fn new() -> Self {
        Self {
            begun: SystemClock.now(),
        }
    }
}

#[async_trait]
impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        let passed = SystemClock.now().since(self.begun);
        self.begun.saturating_add(passed * SPEED)
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        while self.now() < deadline {
            let left = deadline.since(self.now()) / SPEED;
            let nap = left.max(Duration::from_millis(1));
            let until = SystemClock.now().saturating_add(nap);
            SystemClock.sleep_until(until).await;
        }
    }
}
