//! One timer for everything that waits: gates that expire and attempts that are due.
//!
//! What is due lives in the database; the timer sleeps to the earliest instant and is woken when
//! something earlier may have been written.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use workflow_types::Timestamp;
use workflow_types::id::ExecutionId;

use super::Engine;
use super::recover::Taken;
use crate::error::{During as _, Error};

/// How much is taken up in one go.
const BATCH: usize = 256;
/// How long the timer waits after the database did not answer.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// Wakes the timer, but only if it would sleep too long: whatever is due later costs it nothing.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    /// Until when it sleeps; none while it reads, or sleeps without end.
    until: Mutex<Option<Timestamp>>,
    wake: Notify,
}

impl Alarm {
    /// Something is due at an instant: said after it was written.
    pub(super) fn due(&self, at: Timestamp) {
        let mut until = self.until();
        if until.is_none_or(|until| at < until) {
            *until = Some(at);
            drop(until);
            self.wake.notify_one();
        }
    }

    /// What is due may be another now, whenever that is.
    pub(super) fn look(&self) {
        self.wake.notify_one();
    }

    /// What is written from now on may not be read this time.
    fn reads(&self) {
        *self.until() = None;
    }

    fn sleeps(&self, next: Option<Timestamp>) {
        let mut until = self.until();
        *until = until.into_iter().chain(next).min();
    }

    fn until(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs until the engine drains.
pub(super) async fn run(engine: Arc<Engine>) {
    loop {
        engine.timer.reads();
        let next = match round(&engine).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the timer cannot read what is due"
                );
                Some(engine.clock.now().saturating_add(AFTER_ERROR))
            }
        };
        engine.timer.sleeps(next);
        let due = async {
            match next {
                Some(at) => engine.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = engine.timer.wake.notified() => {}
            () = engine.draining.cancelled() => return,
        }
    }
}

/// Takes up what is due; answers when the next is.
async fn round(engine: &Arc<Engine>) -> Result<Option<Timestamp>, Error> {
    loop {
        let next = engine.reads.next_due(engine.scope()).await;
        let next = next.during("reading what is due next")?;
        let now = engine.clock.now();
        if next.is_none_or(|at| at > now) {
            return Ok(next);
        }
        let mut progress = false;
        // Together, so that they share commits; and one that cannot be taken up, or whose tool
        // panics, costs the others nothing.
        let taken: Vec<_> = due(engine, now)
            .await?
            .into_iter()
            .map(|id| engine.take_up(id))
            .collect();
        for taken in taken {
            progress |= taken.await.is_ok_and(|taken| taken == Taken::Now);
        }
        if !progress {
            // A task still holds what is due and takes it up when it leaves, or it failed; this is
            // the net below both.
            return Ok(Some(now.saturating_add(AFTER_ERROR)));
        }
    }
}

/// What is due; gates that cannot be expired do not keep attempts waiting.
async fn due(engine: &Engine, now: Timestamp) -> Result<Vec<ExecutionId>, Error> {
    let expired = expire(engine, now).await;
    let mut due = expired.unwrap_or_else(|error| {
        let error = &error as &dyn std::error::Error;
        tracing::error!(error, "gates cannot be expired");
        Vec::new()
    });
    let retries = engine.reads.due_retries(engine.scope(), now, BATCH).await;
    match retries.during("reading due attempts") {
        Ok(retries) => due.extend(retries),
        // What has expired is taken up all the same.
        Err(error) if due.is_empty() => return Err(error),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "the timer cannot read which attempts are due");
        }
    }
    Ok(due)
}

/// Expires gates whose time has come; names the executions that run again because of it.
pub(super) async fn expire(engine: &Engine, now: Timestamp) -> Result<Vec<ExecutionId>, Error> {
    let expired = engine.store.expire_due(engine.scope(), now, BATCH).await;
    let expired = expired.during("expiring gates")?;
    if !expired.is_empty() {
        // What they held up is so no more.
        engine.alerts.look();
    }
    Ok(expired)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000).unwrap()
    }

    /// Whether the timer was woken since this was asked last.
    fn is_woken(alarm: &Alarm) -> bool {
        let woken = pin!(alarm.wake.notified());
        woken
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    }

    #[test]
    fn a_sleeping_timer_is_woken_by_what_is_due_earlier_and_by_nothing_else() {
        let alarm = Alarm::default();
        alarm.sleeps(Some(at(10)));
        for (due, wakes) in [(11, false), (10, false), (9, true), (9, false), (8, true)] {
            alarm.due(at(due));
            assert_eq!(is_woken(&alarm), wakes, "{due}");
        }
    }

    #[test]
    fn a_timer_that_reads_or_sleeps_without_end_is_woken_by_everything() {
        let alarm = Alarm::default();
        alarm.reads();
        alarm.due(at(99));
        // What it has read may be later than what it has missed.
        alarm.sleeps(Some(at(100)));
        assert!(is_woken(&alarm));
        alarm.reads();
        alarm.sleeps(None);
        assert!(!is_woken(&alarm));
        alarm.due(at(1_000));
        assert!(is_woken(&alarm));
    }
}
