//! How it is shown what a model with tools has done: its answers, and the calls that it asked for.

use gateway::EventKind;
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::execution::{CallState, ModelTurn, Outcome, TurnCall, TurnPlace};
use gateway::workflow_types::id::StepId;
use serde_json::{Value, json};

use crate::output::{DIM, GREEN, RED, paint, plain};

/// A turn as JSON; its calls have the keys that are made of that of their visit.
pub(super) fn turn(turn: &ModelTurn, visit_key: &str) -> Value {
    let calls = turn.calls.iter().map(|one| {
        let mut shown = call(one);
        shown["idempotencyKey"] = json!(one.idempotency_key(visit_key, turn.number));
        shown
    });
    json!({
        "turn": turn.number,
        "attempt": turn.attempt,
        "answeredAt": turn.answered_at,
        "text": turn.text,
        "refused": turn.refused,
        "calls": calls.collect::<Value>(),
    })
}

fn call(call: &TurnCall) -> Value {
    let mut shown = json!({
        "call": call.number,
        "tool": call.tool,
        "args": call.args,
        "attempt": call.attempt,
        "begunAt": call.state.begun_at(),
        "state": word(&call.state),
    });
    if let CallState::Done {
        begun_at,
        at,
        outcome,
    } = &call.state
    {
        shown["completedAt"] = json!(at);
        shown["ms"] = json!(took(*begun_at, *at));
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
    shown
}

/// A turn in words: a line for the answer, one for each call.
pub(super) fn lines(turn: &ModelTurn) -> Vec<String> {
    let number = turn.number;
    let mut lines = Vec::with_capacity(turn.calls.len() + 1);
    let said = super::value(&Value::String(turn.text.clone()));
    lines.push(match &turn.refused {
        Some(reason) => format!("turn {number}: {said}, refused: {}", plain(reason)),
        None if turn.text.is_empty() => format!("turn {number}"),
        None => format!("turn {number}: {said}"),
    });
    lines.extend(turn.calls.iter().map(|call| call_line(number, call)));
    lines
}

fn call_line(turn: u32, call: &TurnCall) -> String {
    let (sign, became) = match &call.state {
        CallState::Asked => (paint(DIM, "·"), "asked for".to_owned()),
        CallState::Ready { .. } => (paint(DIM, "·"), "ready".to_owned()),
        CallState::Begun { .. } => (paint(DIM, "…"), "begun".to_owned()),
        CallState::Done {
            begun_at,
            at,
            outcome,
        } => {
            let took = took(*begun_at, *at);
            let took = took.map_or_else(String::new, |ms| paint(DIM, &format!(" ({ms} ms)")));
            match outcome {
                Outcome::Success { output } => {
                    (paint(GREEN, "✓"), format!("{}{took}", super::value(output)))
                }
                Outcome::Failure(failure) => {
                    let message = Value::String(failure.message.clone());
                    let kind = failure.kind;
                    let message = super::value(&message);
                    (paint(RED, "✗"), format!("{kind}: {message}{took}"))
                }
            }
        }
    };
    let (tool, args) = (plain(&call.tool), super::value(&call.args));
    format!("{sign} {turn}.{} {tool} {args} → {became}", call.number)
}

/// What a model with tools has done, as JSON; nothing of any other event.
pub(super) fn event(kind: &EventKind) -> Value {
    if let EventKind::ModelAnswered {
        step,
        visit,
        turn,
        tools,
        refused,
    } = kind
    {
        return json!({
            "stepId": step, "visit": visit, "turn": turn, "tools": tools, "refused": refused,
        });
    }
    let of_call = |(step, visit): (&StepId, &u32), place: &TurnPlace, tool: &str| {
        json!({
            "stepId": step, "visit": visit, "turn": place.turn, "call": place.call, "tool": tool,
        })
    };
    if let EventKind::CallStarted {
        step,
        visit,
        place,
        tool,
    } = kind
    {
        return of_call((step, visit), place, tool);
    }
    let EventKind::CallFinished {
        step,
        visit,
        place,
        tool,
        ms,
        failure,
    } = kind
    else {
        return json!({});
    };
    let mut shown = of_call((step, visit), place, tool);
    shown["ms"] = json!(ms);
    shown["status"] = json!(if failure.is_some() {
        "failure"
    } else {
        "success"
    });
    if let Some(failure) = failure {
        shown["errorKind"] = json!(failure.kind);
        shown["error"] = json!(failure.message);
    }
    shown
}

/// What a model with tools has done, in words; none of any other event.
pub(super) fn event_words(kind: &EventKind) -> String {
    if let EventKind::ModelAnswered {
        step,
        turn,
        tools,
        refused,
        ..
    } = kind
    {
        return match refused {
            Some(reason) => format!("{step} answered in turn {turn}, and was refused: {reason}"),
            None => format!("{step} calls {} in turn {turn}", tools.join(", ")),
        };
    }
    let of_call = |step: &StepId, place: &TurnPlace, tool: &str| {
        format!("{step} call {}.{} of {tool}", place.turn, place.call)
    };
    if let EventKind::CallStarted {
        step, place, tool, ..
    } = kind
    {
        return format!("{} started", of_call(step, place, tool));
    }
    let EventKind::CallFinished {
        step,
        place,
        tool,
        ms,
        failure,
        ..
    } = kind
    else {
        return String::new();
    };
    let call = of_call(step, place, tool);
    let took = ms.map_or_else(String::new, |ms| format!(" after {ms} ms"));
    match failure {
        None => format!("{call} succeeded{took}"),
        Some(failure) => format!(
            "{call} failed{took} ({}): {}",
            failure.kind, failure.message
        ),
    }
}

fn took(begun_at: Option<Timestamp>, at: Timestamp) -> Option<u64> {
    u64::try_from(at.since(begun_at?).as_millis()).ok()
}

const fn word(state: &CallState) -> &'static str {
    match state {
        CallState::Asked => "asked",
        CallState::Ready { .. } => "ready",
        CallState::Begun { .. } => "begun",
        CallState::Done { .. } => "done",
    }
}
