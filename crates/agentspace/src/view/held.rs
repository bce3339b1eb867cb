//! How a schedule is shown that is held up by what waits for a person.

use std::collections::BTreeMap;

use gateway::workflow_types::Timestamp;
use gateway::workflow_types::schedule::{HeldUp, Schedule};
use serde_json::{Value, json};

use super::schedule as view;
use crate::output::{RED, paint};

/// What holds schedules up, by their ids.
pub(crate) fn by_schedule(held: Vec<HeldUp>) -> BTreeMap<String, HeldUp> {
    let by_schedule = held
        .into_iter()
        .map(|held| (held.schedule.to_string(), held));
    by_schedule.collect()
}

/// What holds a schedule up, as JSON; null if nothing does.
pub(crate) fn held_up(by: Option<&HeldUp>) -> Value {
    by.map_or(Value::Null, |by| {
        json!({
            "executionId": by.execution,
            "gateId": by.gate,
            "kind": by.kind,
            "stepId": by.step,
            "since": by.since,
            "expiresAt": by.expiry.map(|expiry| expiry.at),
            "onExpiry": by.expiry.map(|expiry| expiry.then),
            "next": by.remedy(),
        })
    })
}

/// A schedule on one line, and two more that say what holds it up.
pub(crate) fn line(schedule: &Schedule, by: &HeldUp, now: Timestamp) -> Vec<String> {
    let mut lines = vec![view::line_as(schedule, &word(), now)];
    lines.extend(why(by));
    lines
}

/// A schedule on a few lines, with what holds it up.
pub(crate) fn lines(schedule: &Schedule, by: &HeldUp, now: Timestamp) -> Vec<String> {
    let mut lines = view::lines_as(schedule, &word(), now);
    lines.splice(1..1, why(by));
    lines
}

fn word() -> String {
    paint(RED, "held up  ")
}

fn why(by: &HeldUp) -> [String; 2] {
    [
        format!("  held up    {}", by.why()),
        format!("  next       {}", by.remedy()),
    ]
}
