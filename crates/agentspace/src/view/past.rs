//! What is told of an execution besides its journal: its failed attempts, and who cancelled it.

use gateway::Reader;
use gateway::workflow_types::execution::{
    AttemptUsage, Cancellation, Execution, FailedAttempt, Visit,
};
use gateway::workflow_types::id::ExecutionId;
use serde_json::{Value, json};

use crate::output::{DIM, RED, paint, plain};

/// What came before the present state of an execution.
pub(crate) struct Past {
    attempts: Vec<FailedAttempt>,
    cancellation: Option<Cancellation>,
    usage: Vec<AttemptUsage>,
}

impl Past {
    pub(crate) async fn read(reader: &Reader, id: ExecutionId) -> anyhow::Result<Self> {
        Ok(Self {
            attempts: reader.attempts(id, 1, u32::MAX).await?,
            cancellation: reader.cancellation(id).await?,
            usage: reader.usage(id).await?,
        })
    }

    /// The failed attempts of a visit that were followed by another one.
    pub(crate) fn attempts_of(&self, visit: u32) -> &[FailedAttempt] {
        let begin = self.attempts.partition_point(|one| one.visit < visit);
        let end = self.attempts.partition_point(|one| one.visit <= visit);
        &self.attempts[begin..end]
    }

    /// What the attempts of a visit used of models, in words.
    pub(crate) fn usage_lines(&self, visit: u32) -> impl Iterator<Item = String> {
        self.usage_of(visit).map(|one| {
            let line = format!("attempt {}: {}", one.attempt, super::usage_line(&one.usage));
            paint(DIM, &line)
        })
    }

    fn usage_of(&self, visit: u32) -> impl Iterator<Item = &AttemptUsage> {
        self.usage.iter().filter(move |one| one.visit == visit)
    }

    /// What all of it used together, where any model was asked.
    pub(super) fn add_usage(&self, shown: &mut Value) {
        if !self.usage.is_empty() {
            shown["usage"] = super::usage::total(&self.usage);
        }
    }

    pub(super) fn add_attempts(&self, mut shown: Value, visit: u32) -> Value {
        let attempts = self.attempts_of(visit).iter();
        shown["failedAttempts"] = attempts.map(attempt).collect();
        let usage: Vec<Value> = self.usage_of(visit).map(of_attempt).collect();
        if !usage.is_empty() {
            shown["usage"] = Value::from(usage);
        }
        shown
    }

    pub(super) fn add_cancellation(&self, shown: &mut Value) {
        shown["cancellation"] = match &self.cancellation {
            None => Value::Null,
            Some(Cancellation { actor, at, reason }) => {
                json!({"actor": actor, "requestedAt": at, "reason": reason})
            }
        };
    }

    /// Where an execution comes from and who cancelled it, in words.
    pub(crate) fn lines(&self, execution: &Execution) -> Vec<String> {
        let origin = execution
            .origin
            .map(|origin| format!("repeats     {origin}"));
        let cancelled = self.cancellation.as_ref().map(|asked| {
            let reason = asked.reason.as_ref();
            let reason = reason.map_or_else(String::new, |reason| format!(": {}", plain(reason)));
            format!("cancelled   by {} at {}{reason}", asked.actor, asked.at)
        });
        origin.into_iter().chain(cancelled).collect()
    }
}

fn of_attempt(used: &AttemptUsage) -> Value {
    let mut shown = super::usage(&used.usage);
    shown["attempt"] = json!(used.attempt);
    shown
}

fn attempt(failed: &FailedAttempt) -> Value {
    json!({
        "attempt": failed.attempt,
        "begunAt": failed.begun_at,
        "failedAt": failed.failed_at,
        "dueAt": failed.due_at,
        "errorKind": failed.failure.kind,
        "error": failed.failure.message,
    })
}

/// A failed attempt on one line.
pub(crate) fn failed_line(visit: &Visit, failed: &FailedAttempt) -> String {
    let attempt = paint(DIM, &format!(" (attempt {})", failed.attempt));
    let message = Value::String(failed.failure.message.clone());
    format!(
        "{} {}{attempt}  failed at {}: {}",
        paint(RED, "↻"),
        visit.step,
        failed.failed_at,
        super::value(&message)
    )
}
