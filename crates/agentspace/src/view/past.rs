//! What is told of an execution besides its journal: its failed attempts, and who cancelled it.

use gateway::Reader;
use gateway::workflow_types::execution::{
    AttemptUsage, Cancellation, Execution, FailedAttempt, ModelTurn, Visit,
};
use gateway::workflow_types::id::ExecutionId;
use serde_json::{Value, json};

use crate::output::{DIM, RED, paint, plain};

/// What came before the present state of an execution.
pub(crate) struct Past {
    attempts: Vec<FailedAttempt>,
    cancellation: Option<Cancellation>,
    usage: Vec<AttemptUsage>,
    turns: Vec<ModelTurn>,
}

impl Past {
    pub(crate) async fn read(reader: &Reader, id: ExecutionId) -> anyhow::Result<Self> {
        Ok(Self {
            attempts: reader.attempts(id, 1, u32::MAX).await?,
            cancellation: reader.cancellation(id).await?,
            usage: reader.usage(id).await?,
            turns: reader.turns(id, 1, u32::MAX).await?,
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
        self.usage_of(visit).map(move |one| {
            let mut line = super::usage_line(&one.usage);
            if let Some(cost) = one.cost {
                line = format!("{line}, cost {cost}");
            }
            let line = if self.turns_of(visit).next().is_some() {
                format!("attempt {}, turn {}: {line}", one.attempt, one.turn)
            } else {
                format!("attempt {}: {line}", one.attempt)
            };
            paint(DIM, &line)
        })
    }

    /// What a model with tools has done in a visit, in words.
    pub(crate) fn turn_lines(&self, visit: u32) -> impl Iterator<Item = String> {
        self.turns_of(visit).flat_map(super::turns::lines)
    }

    fn turns_of(&self, visit: u32) -> impl Iterator<Item = &ModelTurn> {
        self.turns.iter().filter(move |one| one.visit == visit)
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

    pub(super) fn add_attempts(&self, mut shown: Value, of: &Visit) -> Value {
        let visit = of.number;
        let attempts = self.attempts_of(visit).iter();
        shown["failedAttempts"] = attempts.map(attempt).collect();
        let has_turns = self.turns_of(visit).next().is_some();
        let usage: Vec<Value> = self
            .usage_of(visit)
            .map(|used| {
                let mut shown = of_attempt(used);
                if has_turns {
                    shown["turn"] = json!(used.turn);
                }
                shown
            })
            .collect();
        if !usage.is_empty() {
            shown["usage"] = Value::from(usage);
        }
        let key = of.idempotency_key();
        let turns: Vec<Value> = self
            .turns_of(visit)
            .map(|turn| super::turns::turn(turn, &key))
            .collect();
        if !turns.is_empty() {
            shown["turns"] = Value::from(turns);
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
    if let Some(cost) = used.cost {
        shown["cost"] = json!(cost.amount());
    }
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
