//! The one clock: nothing else in the product reads the time or sleeps.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use workflow_types::Timestamp;

/// What time it is, and how to wait for a time.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// The wall clock's time.
    fn now(&self) -> Timestamp;

    /// Returns once the wall clock shows `deadline` or later. Safe to drop at any point.
    async fn sleep_until(&self, deadline: Timestamp);
}

/// The machine's clock.
///
/// A sleep re-reads the wall clock at least every 30 seconds, so that a suspended machine or a
/// corrected clock delays nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

const LONGEST_NAP: Duration = Duration::from_secs(30);

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    fn now(&self) -> Timestamp {
        // The system's clock stands between the years 1970 and 9999 or nothing works at all; the
        // epoch stands in for a clock that does not.
        let ms = chrono::Utc::now().timestamp_millis();
        Timestamp::from_millis(ms).unwrap_or(Timestamp::EPOCH)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    async fn sleep_until(&self, deadline: Timestamp) {
        loop {
            let left = deadline.since(self.now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LONGEST_NAP)).await;
        }
    }
}

/// A clock that stands still until it is moved: tests run years in milliseconds with it.
///
/// ```
/// use gateway::{Clock, ManualClock};
/// use std::time::Duration;
/// let clock = ManualClock::new("2026-01-31T09:00:00Z".parse()?);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().to_string(), "2026-01-31T09:01:00.000Z");
/// # Ok::<(), gateway::workflow_types::time::TimestampError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock {
    now: watch::Sender<Timestamp>,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now: watch::Sender::new(now),
        }
    }

    /// Moves the clock forward and wakes who waited for it.
    pub fn advance(&self, by: Duration) {
        self.now.send_modify(|now| *now = now.saturating_add(by));
    }

    /// Sets the clock, to an earlier time too, as a correction of a machine's clock does.
    pub fn set(&self, to: Timestamp) {
        self.now.send_replace(to);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        let mut now = self.now.subscribe();
        // The sender lives in `self`, which is borrowed for as long as this waits.
        let _ = now.wait_for(|now| *now >= deadline).await;
    }
}
