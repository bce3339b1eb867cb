//! The task of one sink: tells it one notice after the other, each until it is taken.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::task::JoinHandle;
use workflow_types::Timestamp;
use workflow_types::alert::{Delivery, DeliveryEnd, DeliveryOutcome, Notice};
use workflow_types::id::SinkName;
use workflow_types::retry::RetryPolicy;

use super::LONGEST_DELIVERY;
use super::sink::{AlertSink, SinkError};
use crate::engine::{Engine, Patience};
use crate::store::StoreErrorKind;

/// The longest wait from one attempt to the next.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// The longest error that is kept of an attempt, in characters.
const LONGEST_ERROR: usize = 500;

/// Runs until the engine drains.
pub(super) async fn run(engine: Arc<Engine>, sink: Arc<dyn AlertSink>) {
    let name = sink.name();
    let mut news = engine.alerts.listen();
    let mut patience = Patience::new();
    // What was wrong may have been mended with the start.
    let mut is_first = true;
    while !engine.is_draining() {
        // Before it is read, so that nothing is missed.
        news.mark_unchanged();
        let next = match engine.reads.alerts().next_delivery(&name).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "what sink `{name}` is to be told cannot be read"
                );
                rest(&engine, patience.pause()).await;
                continue;
            }
        };
        patience = Patience::new();
        let Some(delivery) = next else {
            is_first = false;
            if !heard(&engine, &mut news).await {
                return;
            }
            continue;
        };
        let wait = wait(&delivery, engine.clock.now());
        if !wait.is_zero() && !std::mem::take(&mut is_first) {
            // Nothing that comes meanwhile goes before it.
            rest(&engine, wait).await;
            continue;
        }
        is_first = false;
        if let Some(outcome) = attempt(&engine, &sink, &delivery).await {
            let end = DeliveryEnd {
                sink: name.clone(),
                notice: delivery.notice.id,
                at: engine.clock.now(),
                outcome,
            };
            write_down(&engine, end).await;
        }
    }
}

/// How long a notice still has to wait.
fn wait(delivery: &Delivery, now: Timestamp) -> Duration {
    if delivery.attempts == 0 {
        return Duration::ZERO;
    }
    let left = delivery.next_attempt_at.since(now);
    if left > LONGEST_WAIT {
        // The clock was set back: it would wait too long.
        return Duration::ZERO;
    }
    left
}

/// One attempt; none if the gateway stops before its end is known.
async fn attempt(
    engine: &Arc<Engine>,
    sink: &Arc<dyn AlertSink>,
    delivery: &Delivery,
) -> Option<DeliveryOutcome> {
    let told = tell(engine, sink, &delivery.notice).await?;
    let (name, notice) = (sink.name(), &delivery.notice);
    let Err(error) = told else {
        tracing::debug!(notice.id = %notice.id, "sink `{name}` was told");
        return Some(DeliveryOutcome::Delivered);
    };
    let pause = pause(&error, delivery.attempts, engine.entropy.spread());
    let wait_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    if error.is_retryable() {
        tracing::warn!(notice.id = %notice.id, %error, wait_ms, "sink `{name}` did not take a notice");
    } else {
        tracing::error!(
            notice.id = %notice.id, %error, wait_ms,
            "sink `{name}` takes no notice until that is mended"
        );
    }
    Some(DeliveryOutcome::Failed {
        next_attempt_at: engine.clock.now().saturating_add(pause),
        // Before it is cut: half a value would not be known again.
        error: (engine.secrets.mask.text(&error.to_string()))
            .chars()
            .take(LONGEST_ERROR)
            .collect(),
    })
}

/// Tells a sink, in a task of its own, so that its panic and its hanging stay with it.
async fn tell(
    engine: &Arc<Engine>,
    sink: &Arc<dyn AlertSink>,
    notice: &Notice,
) -> Option<Result<(), SinkError>> {
    let (sink, notice) = (Arc::clone(sink), notice.clone());
    let telling = async move { sink.deliver(&notice).await };
    let mut task = AbortOnDrop(engine.task(telling));
    let deadline = engine.clock.now().saturating_add(LONGEST_DELIVERY);
    tokio::select! {
        biased;
        told = &mut task.0 => match told {
            Ok(told) => Some(told),
            Err(error) if error.is_panic() => Some(Err(SinkError::retryable("the sink panicked"))),
            Err(_) => None,
        },
        () = engine.clock.sleep_until(deadline) => {
            let message = format!(
                "the sink took longer than {}",
                workflow_types::duration::format(LONGEST_DELIVERY)
            );
            Some(Err(SinkError::retryable(message)))
        }
        () = stopped(engine) => None,
    }
}

/// Returns when the gateway stops and the grace of what is at work is over.
async fn stopped(engine: &Engine) {
    engine.draining.cancelled().await;
    let end = engine.clock.now().saturating_add(engine.limits.grace);
    engine.clock.sleep_until(end).await;
}

/// How long to wait after so many attempts in vain, and one more.
fn pause(error: &SinkError, attempts: u32, spread: f64) -> Duration {
    // The bounds of each part are those of the type.
    let policy = RetryPolicy::try_new(1, Duration::from_secs(1), 2.0, LONGEST_WAIT, 0.1)
        .expect("a valid constant policy");
    let grown = if error.is_retryable() {
        policy.backoff(attempts.saturating_add(1), spread)
    } else {
        policy.backoff(u32::MAX, spread)
    };
    let asked = error.wait().unwrap_or_default();
    grown.max(asked).min(LONGEST_WAIT)
}

/// Writes down how an attempt ended, as soon as the database takes it: what a sink has taken must
/// not come again because the disk was full.
async fn write_down(engine: &Engine, end: DeliveryEnd) {
    let mut patience = Patience::new();
    loop {
        match engine.store.alerts().end_delivery(end.clone()).await {
            Ok(()) => return,
            // The alert was deleted meanwhile.
            Err(error) if error.kind() == StoreErrorKind::NotFound => return,
            Err(error) => {
                let sink: &SinkName = &end.sink;
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "what sink `{sink}` was told cannot be written down"
                );
                if engine.is_draining() {
                    return;
                }
                rest(engine, patience.pause()).await;
            }
        }
    }
}

/// Waits; no longer than until the engine drains.
async fn rest(engine: &Engine, wait: Duration) {
    let until = engine.clock.now().saturating_add(wait);
    tokio::select! {
        () = engine.clock.sleep_until(until) => {}
        () = engine.draining.cancelled() => {}
    }
}

/// Whether there may be something new to tell; false when the engine drains.
async fn heard(engine: &Engine, news: &mut Receiver<()>) -> bool {
    tokio::select! {
        heard = news.changed() => heard.is_ok(),
        () = engine.draining.cancelled() => false,
    }
}

/// A task that does not outlive its owner.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_a_second_to_an_hour_and_obey_the_sink() {
        let soon = SinkError::retryable("x");
        let waits: Vec<u64> = (0..14).map(|n| pause(&soon, n, 0.5).as_secs()).collect();
        let expected = [
            1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 3_600, 3_600,
        ];
        assert_eq!(waits, expected);
        assert!(pause(&soon, 3, 0.0) < pause(&soon, 3, 1.0));
        assert_eq!(pause(&soon, u32::MAX, 1.0), LONGEST_WAIT);
        let asked = soon.clone().after(Duration::from_secs(90));
        assert_eq!(pause(&asked, 0, 0.5), Duration::from_secs(90));
        assert_eq!(pause(&asked.after(Duration::MAX), 0, 0.5), LONGEST_WAIT);
        let wrong = SinkError::permanent("x");
        assert_eq!(pause(&wrong, 0, 0.5), LONGEST_WAIT);
    }
}
