//! How domain values are shown: lines for people, stable JSON for programs.

use gateway::Workflow;
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::approval::{Decision, Gate, GateKind, GateState, Vote};
use gateway::workflow_types::execution::{
    Execution, ExecutionState, Outcome, Visit, VisitState, WorkflowExecutionState,
};
use serde_json::{Value, json};

pub(crate) mod alert;
mod event;
pub(crate) mod held;
mod past;
pub(crate) mod schedule;
mod turns;
mod usage;

use crate::host::span;
use crate::output::{DIM, GREEN, RED, YELLOW, paint, plain};

pub(crate) use event::{event, event_line};
pub(crate) use past::{Past, failed_line};
pub(crate) use usage::{usage, usage_line};

/// Longest value that is shown on one line; `--json` shows all of it.
const LONGEST_VALUE: usize = 200;

/// A value on one line; if something is left out, that is said.
pub(crate) fn value(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    };
    let line = plain(text.trim_end());
    let total = line.chars().count();
    if total <= LONGEST_VALUE {
        return line;
    }
    let kept: String = line.chars().take(LONGEST_VALUE).collect();
    format!("{kept}… ({} more characters)", total - LONGEST_VALUE)
}

/// A workflow as JSON.
pub(crate) fn workflow(workflow: &Workflow) -> Value {
    json!({
        "id": workflow.id,
        "name": workflow.name,
        "description": workflow.description,
        "definitionPath": workflow.path,
        "definition": workflow.digest.to_string(),
        "createdAt": workflow.created_at,
        "updatedAt": workflow.updated_at,
    })
}

/// An execution as JSON, without its results.
pub(crate) fn execution(execution: &Execution) -> Value {
    let mut shown = json!({
        "id": execution.id,
        "workflowId": execution.workflow_id,
        "status": execution.state.status(),
        "triggeredBy": execution.triggered_by,
        "startedAt": execution.started_at,
        "definition": execution.definition.to_string(),
        "input": execution.input,
        "origin": execution.origin,
    });
    if execution.queued {
        shown["queued"] = json!(true);
    }
    match &execution.state {
        ExecutionState::Running => {}
        ExecutionState::Paused { step, at } => {
            shown["currentStepId"] = json!(step);
            shown["pausedAt"] = json!(at);
        }
        ExecutionState::Completed { at } => shown["completedAt"] = json!(at),
        ExecutionState::Failed { at, step, failure } => {
            shown["completedAt"] = json!(at);
            shown["currentStepId"] = json!(step);
            shown["failureKind"] = json!(failure.kind);
            shown["error"] = json!(failure.message);
        }
    }
    shown
}

/// An execution as JSON with its results, its journal and its gates.
pub(crate) fn whole(
    of: &Execution,
    state: &WorkflowExecutionState,
    (journal, gates): (&[Visit], &[Gate]),
    past: &Past,
) -> Value {
    let mut shown = execution(of);
    shown["stepResults"] = json!(state.step_results);
    shown["journal"] = journal
        .iter()
        .map(|one| past.add_attempts(visit(one), one))
        .collect();
    past.add_cancellation(&mut shown);
    past.add_usage(&mut shown);
    shown["approvals"] = gates.iter().map(gate).collect();
    shown
}

/// A visit as JSON.
pub(crate) fn visit(visit: &Visit) -> Value {
    let mut shown = json!({
        "visit": visit.number,
        "stepId": visit.step,
        "attempt": visit.attempt,
        "state": visit.state.status(),
        "idempotencyKey": visit.idempotency_key(),
        "request": visit.request,
        "begunAt": visit.begun_at,
        "reusedFrom": visit.reused_from,
    });
    match &visit.state {
        VisitState::Ready | VisitState::Waiting | VisitState::Begun => {}
        VisitState::BackingOff { until, failure } => {
            shown["dueAt"] = json!(until);
            shown["error"] = json!(failure.message);
        }
        VisitState::Done { at, outcome } => {
            shown["completedAt"] = json!(at);
            match outcome {
                Outcome::Success { output } => {
                    shown["status"] = json!("success");
                    shown["output"] = output.clone();
                }
                Outcome::Failure(failure) => {
                    shown["status"] = json!("failure");
                    shown["errorKind"] = json!(failure.kind);
                    shown["error"] = json!(failure.message);
                }
            }
        }
    }
    shown
}

/// A gate as JSON.
pub(crate) fn gate(gate: &Gate) -> Value {
    let mut shown = json!({
        "id": gate.id,
        "kind": gate.kind,
        "executionId": gate.execution_id,
        "workflowId": gate.workflow_id,
        "stepId": gate.step,
        "visit": gate.visit,
        "message": gate.message,
        "request": gate.request,
        "requestedAt": gate.requested_at,
        "expiresAt": gate.expiry.map(|expiry| expiry.at),
        "onExpiry": gate.expiry.map(|expiry| expiry.then),
        "approvers": gate.approvers,
        "count": gate.count,
    });
    if gate.place.is_call() {
        shown["turn"] = json!(gate.place.turn);
        shown["call"] = json!(gate.place.call);
    }
    let (state, details) = gate_state(&gate.state);
    shown["state"] = json!(state);
    if let Value::Object(details) = details {
        for (key, detail) in details {
            shown[key] = detail;
        }
    }
    shown
}

/// A vote as JSON.
pub(crate) fn vote(vote: &Vote) -> Value {
    json!({
        "decision": vote.decision,
        "actor": vote.actor,
        "at": vote.at,
        "reason": vote.reason,
    })
}

/// A vote in words, as they were given.
pub(crate) fn vote_line(vote: &Vote) -> String {
    let word = match vote.decision {
        Decision::Approve => "approved",
        Decision::Deny => "denied",
    };
    let reason = because(vote.reason.as_ref());
    format!("{word} by {} at {}{reason}", vote.actor, vote.at)
}

fn because(reason: Option<&String>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

fn gate_state(state: &GateState) -> (&'static str, Value) {
    match state {
        GateState::Waiting => ("waiting", Value::Null),
        GateState::Decided(vote) => (
            "decided",
            json!({"decision": vote.decision, "decidedBy": vote.actor, "decidedAt": vote.at, "reason": vote.reason}),
        ),
        GateState::Resolved(by) => (
            "resolved",
            json!({"resolution": by.resolution.as_str(), "decidedBy": by.actor, "decidedAt": by.at, "reason": by.reason}),
        ),
        GateState::Expired { at } => ("expired", json!({"decidedAt": at})),
        GateState::Withdrawn { at } => ("withdrawn", json!({"decidedAt": at})),
    }
}

pub(super) fn gate_state_json(state: &GateState) -> (&'static str, Value) {
    gate_state(state)
}

/// An execution on one line.
pub(crate) fn execution_line(execution: &Execution, now: Timestamp) -> String {
    let (word, detail) = match &execution.state {
        ExecutionState::Running if execution.queued => {
            (paint(YELLOW, "queued   "), "waits for its turn".to_owned())
        }
        ExecutionState::Running => (paint(YELLOW, "running  "), String::new()),
        ExecutionState::Paused { step, .. } => {
            (paint(YELLOW, "paused   "), format!("waits at `{step}`"))
        }
        ExecutionState::Completed { at } => (
            paint(GREEN, "completed"),
            format!("after {}", span(at.since(execution.started_at))),
        ),
        ExecutionState::Failed { failure, .. } => {
            let message = Value::String(failure.message.clone());
            (paint(RED, "failed   "), value(&message))
        }
    };
    format!(
        "{}  {word}  {}  {} ago  {detail}",
        execution.id,
        execution.workflow_id,
        span(now.since(execution.started_at)),
    )
}

/// A visit on one line, for progress and for the journal.
pub(crate) fn visit_line(visit: &Visit) -> String {
    let attempt = if visit.attempt > 1 {
        paint(DIM, &format!(" (attempt {})", visit.attempt))
    } else {
        String::new()
    };
    let reused = if visit.reused_from.is_some() {
        paint(DIM, " (reused)")
    } else {
        String::new()
    };
    let step = format!("{}{attempt}{reused}", visit.step);
    match &visit.state {
        VisitState::Ready => format!("{} {step}", paint(DIM, "·")),
        VisitState::Begun => format!("{} {step}", paint(YELLOW, "▸")),
        VisitState::Waiting => format!("{} {step}  waits at its gate", paint(YELLOW, "⏸")),
        VisitState::BackingOff { until, failure } => {
            format!(
                "{} {step}  tries again at {until}: {}",
                paint(YELLOW, "↻"),
                plain(&failure.message)
            )
        }
        VisitState::Done { at, outcome } => {
            let took = paint(DIM, &span(at.since(visit.begun_at)));
            match outcome {
                Outcome::Success {
                    output: Value::Null,
                } => format!("{} {step}  {took}", paint(GREEN, "✓")),
                Outcome::Success { output } => {
                    format!("{} {step}  {took}  {}", paint(GREEN, "✓"), value(output))
                }
                Outcome::Failure(failure) => {
                    let failure = Value::String(failure.message.clone());
                    format!("{} {step}  {took}  {}", paint(RED, "✗"), value(&failure))
                }
            }
        }
    }
}

/// A resolved action on one line, whole: nobody should approve what is cut off.
fn request(request: &Value) -> String {
    match (
        request.get("tool").and_then(Value::as_str),
        request.get("args"),
    ) {
        (Some(tool), Some(args)) => plain(&format!("{tool} {args}")),
        (_, _) => plain(&request.to_string()),
    }
}

/// What a gate asks, on a few lines.
pub(crate) fn gate_lines(gate: &Gate, now: Timestamp) -> Vec<String> {
    let what = match gate.kind {
        GateKind::Approval => "approval",
        GateKind::Interrupted => "interrupted",
    };
    let standing = settled(&gate.state)
        .unwrap_or_else(|| format!("has waited {}", span(now.since(gate.requested_at))));
    let mut lines = vec![format!(
        "{}  {what}  {} › {}  {}",
        gate.id,
        gate.workflow_id,
        gate.step,
        plain(&standing)
    )];
    if let Some(message) = &gate.message {
        lines.push(format!("  message    {}", plain(message)));
    }
    let verb = match gate.state {
        GateState::Waiting => "would run",
        GateState::Decided(_)
        | GateState::Resolved(_)
        | GateState::Expired { .. }
        | GateState::Withdrawn { .. } => "asked for",
    };
    lines.push(format!("  {verb}  {}", request(&gate.request)));
    lines.push(format!("  execution  {}", gate.execution_id));
    if let Some(expiry) = gate.expiry {
        lines.push(format!(
            "  expires    {} (then: {})",
            expiry.at, expiry.then
        ));
    }
    if !gate.approvers.is_empty() || gate.count.get() > 1 {
        let names: Vec<String> = gate.approvers.iter().map(ToString::to_string).collect();
        let who = if names.is_empty() {
            "anyone".to_owned()
        } else {
            names.join(", ")
        };
        lines.push(format!("  approvers  {who} ({} needed)", gate.count));
    }
    lines
}

/// What became of a gate, in words; none while it waits.
fn settled(state: &GateState) -> Option<String> {
    match state {
        GateState::Waiting => None,
        GateState::Decided(vote) => Some(vote_line(vote)),
        GateState::Resolved(by) => {
            let word = by.resolution.as_str();
            let reason = because(by.reason.as_ref());
            Some(format!(
                "resolved as {word} by {} at {}{reason}",
                by.actor, by.at
            ))
        }
        GateState::Expired { at } => Some(format!("expired at {at}")),
        GateState::Withdrawn { at } => Some(format!("withdrawn at {at}")),
    }
}
