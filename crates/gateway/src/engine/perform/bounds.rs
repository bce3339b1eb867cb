//! Runs work until its deadline: cancellable, its panic contained, and never outliving its owner.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;
use workflow_types::Timestamp;
use workflow_types::execution::StepFailureKind;

use super::{Refusal, Retry, Screen};
use crate::engine::Engine;
use crate::engine::drive::Live;

/// Work that has been prepared.
pub(in crate::engine) type Work<T> = Pin<Box<dyn Future<Output = Result<T, Refusal>> + Send>>;

/// How long work may take.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Deadline {
    pub(in crate::engine) at: Timestamp,
    /// What is bounded, and by how much: for people.
    pub(in crate::engine) of: &'static str,
    pub(in crate::engine) timeout: Duration,
}

impl Deadline {
    /// So long from now.
    pub(in crate::engine) fn after(engine: &Engine, of: &'static str, timeout: Duration) -> Self {
        let at = engine.clock.now().saturating_add(timeout);
        Self { at, of, timeout }
    }

    /// Why it is over.
    pub(in crate::engine) fn passed(&self) -> Refusal {
        let message = format!(
            "the {} took longer than its timeout of {}",
            self.of,
            workflow_types::duration::format(self.timeout)
        );
        Refusal::new(StepFailureKind::Timeout, message, Retry::Allowed)
    }
}

/// Runs work under its deadline; none if the gateway, or whoever cancelled the execution, stopped
/// it. Why it failed is told without the values of secrets.
pub(in crate::engine) async fn bounded<T: Send + 'static>(
    engine: &Engine,
    live: &Live,
    deadline: Deadline,
    prepare: impl FnOnce(CancellationToken) -> Result<Work<T>, Refusal>,
) -> Option<Result<T, Refusal>> {
    let cancelled = engine.stopping.child_token();
    let work = match prepare(cancelled.clone()) {
        Ok(work) => work,
        Err(refusal) => return Some(Err(refusal)),
    };
    let screen = Screen::of(engine);
    let screened = async move { work.await.map_err(|refusal| screen.refusal(refusal)) };
    let mut task = AbortOnDrop(tokio::spawn(screened));
    tokio::select! {
        biased;
        // An answer that is there counts, however late it is looked at.
        ended = &mut task.0 => return unless_stopped(engine, joined(ended)?),
        () = engine.stopping.cancelled() => return stopped(engine, task).await,
        () = live.cancelled.cancelled() => {
            cancelled.cancel();
            return stopped(engine, task).await;
        }
        () = engine.clock.sleep_until(deadline.at) => {}
    }
    let end = engine.clock.now().saturating_add(engine.limits.grace);
    cancelled.cancel();
    tokio::select! {
        _ = &mut task.0 => {}
        () = engine.clock.sleep_until(end) => {}
    }
    Some(Err(deadline.passed()))
}

/// The gateway stops, or the execution is cancelled: an attempt that still succeeds within its
/// grace is recorded, because its side effect has happened; anything else is an interruption, never
/// a failure of the tool.
async fn stopped<T>(engine: &Engine, mut task: AbortOnDrop<T>) -> Option<Result<T, Refusal>> {
    let end = engine.clock.now().saturating_add(engine.limits.grace);
    tokio::select! {
        ended = &mut task.0 => unless_stopped(engine, joined(ended)?),
        () = engine.clock.sleep_until(end) => None,
    }
}

/// A tool that fails while the gateway stops may have failed because of that.
fn unless_stopped<T>(engine: &Engine, answer: Result<T, Refusal>) -> Option<Result<T, Refusal>> {
    if answer.is_err() && engine.stopping.is_cancelled() {
        None
    } else {
        Some(answer)
    }
}

/// A task that does not outlive its owner.
struct AbortOnDrop<T>(JoinHandle<Result<T, Refusal>>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a task that has ended answered; none if its runtime was shut down under it, which says
/// nothing of its side effect.
fn joined<T>(ended: Result<Result<T, Refusal>, JoinError>) -> Option<Result<T, Refusal>> {
    match ended {
        Ok(answer) => Some(answer),
        Err(error) if error.is_panic() => {
            let message = "the action panicked";
            Some(Err(Refusal::permanent(StepFailureKind::Internal, message)))
        }
        Err(_) => None,
    }
}
