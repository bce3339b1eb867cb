//! A clock that runs faster than the machine's, the same in every process that is told its beginning.

use async_trait::async_trait;
use gateway::workflow_types::Timestamp;
use gateway::{Clock, SystemClock};

/// A clock that showed the machine's time at its beginning, and has been faster since.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RapidClock {
    pub(crate) begun: Timestamp,
    pub(crate) speed: u32,
}

impl RapidClock {
    /// What the machine's clock shows when this one shows `time`, or a little later.
    fn real(&self, time: Timestamp) -> Timestamp {
        let passed = time.since(self.begun);
        let millisecond = std::time::Duration::from_millis(1);
        self.begun
            .saturating_add(passed / self.speed)
            .saturating_add(millisecond)
    }
}

#[async_trait]
impl Clock for RapidClock {
    fn now(&self) -> Timestamp {
        let passed = SystemClock.now().since(self.begun);
        self.begun.saturating_add(passed * self.speed)
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        while self.now() < deadline {
            SystemClock.sleep_until(self.real(deadline)).await;
        }
    }
}
