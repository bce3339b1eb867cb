//! How events are shown: a line for people, JSON for programs.

use gateway::workflow_types::approval::Decision;
use gateway::{Event, EventKind};
use serde_json::{Value, json};

use crate::output::{DIM, paint, plain};

/// An event as JSON.
pub(crate) fn event(event: &Event) -> Value {
    let mut shown = details(&event.kind);
    shown["executionId"] = json!(event.execution_id);
    shown["seq"] = json!(event.seq);
    shown["at"] = json!(event.at);
    shown["event"] = json!(event.kind.as_str());
    shown
}

fn details(kind: &EventKind) -> Value {
    match kind {
        EventKind::ExecutionStarted
        | EventKind::ExecutionResumed
        | EventKind::ExecutionCompleted => json!({}),
        EventKind::StepStarted {
            step,
            visit,
            attempt,
        } => json!({"stepId": step, "visit": visit, "attempt": attempt}),
        EventKind::ModelAnswered { .. }
        | EventKind::CallStarted { .. }
        | EventKind::CallFinished { .. } => super::turns::event(kind),
        EventKind::AttemptFailed { step, failed } => json!({
            "stepId": step, "visit": failed.visit, "attempt": failed.attempt,
            "dueAt": failed.due_at, "errorKind": failed.failure.kind,
            "error": failed.failure.message,
        }),
        EventKind::StepWaits {
            step,
            visit,
            gate,
            gate_kind,
        } => json!({"stepId": step, "visit": visit, "gate": gate, "kind": gate_kind}),
        EventKind::VoteCounted { gate, vote } => json!({
            "gate": gate, "decision": vote.decision, "actor": vote.actor, "reason": vote.reason,
        }),
        EventKind::GateSettled { gate, state } => {
            let (word, details) = super::gate_state_json(state);
            let mut shown = if details.is_object() {
                details
            } else {
                json!({})
            };
            shown["gate"] = json!(gate);
            shown["state"] = json!(word);
            shown
        }
        EventKind::StepFinished {
            step,
            visit,
            status,
            failure,
        } => {
            let mut shown = json!({"stepId": step, "visit": visit, "status": status});
            if let Some(failure) = failure {
                shown["errorKind"] = json!(failure.kind);
                shown["error"] = json!(failure.message);
            }
            shown
        }
        EventKind::ExecutionPaused { step } => json!({"stepId": step}),
        EventKind::ExecutionFailed { failure } | EventKind::ExecutionCancelled { failure } => {
            json!({"failureKind": failure.kind, "error": failure.message})
        }
    }
}

/// An event on one line, its number last.
pub(crate) fn event_line(event: &Event) -> String {
    let seq = paint(DIM, &format!("#{}", event.seq));
    format!("{}  {}  {seq}", event.at, plain(&words(&event.kind)))
}

fn words(kind: &EventKind) -> String {
    match kind {
        EventKind::ExecutionStarted => "execution started".to_owned(),
        EventKind::StepStarted { step, attempt, .. } if *attempt > 1 => {
            format!("{step} started again (attempt {attempt})")
        }
        EventKind::StepStarted { step, .. } => format!("{step} started"),
        EventKind::ModelAnswered { .. }
        | EventKind::CallStarted { .. }
        | EventKind::CallFinished { .. } => super::turns::event_words(kind),
        EventKind::AttemptFailed { step, failed } => format!(
            "{step} failed and is tried again at {}: {}",
            failed.due_at, failed.failure.message
        ),
        EventKind::StepWaits { step, gate, .. } => format!("{step} waits at gate {gate}"),
        EventKind::VoteCounted { vote, .. } => {
            let word = match vote.decision {
                Decision::Approve => "approved",
                Decision::Deny => "denied",
            };
            format!("{word} by {}", vote.actor)
        }
        EventKind::GateSettled { gate, state } => {
            format!("gate {gate} is {}", super::gate_state_json(state).0)
        }
        EventKind::StepFinished {
            step,
            failure: None,
            ..
        } => format!("{step} succeeded"),
        EventKind::StepFinished {
            step,
            failure: Some(failure),
            ..
        } => format!("{step} failed ({}): {}", failure.kind, failure.message),
        EventKind::ExecutionPaused { .. } => "execution paused".to_owned(),
        EventKind::ExecutionResumed => "execution goes on".to_owned(),
        EventKind::ExecutionCompleted => "execution completed".to_owned(),
        EventKind::ExecutionFailed { failure } => {
            format!("execution failed ({}): {}", failure.kind, failure.message)
        }
        EventKind::ExecutionCancelled { failure } => format!("execution {}", failure.message),
    }
}
