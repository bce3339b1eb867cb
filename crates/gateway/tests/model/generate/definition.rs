//! Definitions: every key that a step may have, in any combination that is not refused.

use std::sync::Arc;

use gateway::workflow_types::WorkflowDefinition;
use gateway::workflow_types::diagnostic::{Diagnostics, Place};
use serde_json::{Value, json};

use crate::choices::Choices;
use crate::plan::{Edition, Flow};

const TOOLS: [&str; 5] = ["look", "put", "act", "vary", "gone"];

pub(super) fn flows(choices: &mut Choices) -> Vec<Flow> {
    let count = if choices.chance(25) { 2 } else { 1 };
    ["one", "two"]
        .into_iter()
        .take(count)
        .map(|id| {
            let concurrency = choices.maybe(
                35,
                &[
                    json!({"limit": 1}),
                    json!({"limit": 2, "onLimit": "queue"}),
                    json!({"limit": 1, "onLimit": "skip"}),
                    json!({"limit": 2, "onLimit": "skip"}),
                ],
            );
            let editions = if choices.chance(20) { 2 } else { 1 };
            let editions = (0..editions).map(|_| Arc::new(edition(choices, concurrency.as_ref())));
            Flow {
                id,
                editions: editions.collect(),
            }
        })
        .collect()
}

fn edition(choices: &mut Choices, concurrency: Option<&Value>) -> Edition {
    let count = 1 + choices.place(8);
    let steps: Vec<Value> = (0..count).map(|at| step(choices, at, count)).collect();
    let mut written = json!({"name": "A workflow", "steps": steps});
    written["maxSteps"] = json!(choices.one(&[8, 3, 20, 35]));
    if choices.chance(3) {
        fail_without_an_end(&mut written);
    }
    if let Some(concurrency) = concurrency {
        written["concurrency"] = concurrency.clone();
    }
    if choices.chance(20) {
        written["input"] = json!({
            "type": "object",
            "properties": {"n": {"type": "integer", "default": 1}},
        });
    }
    accepted(written)
}

/// A loop of visits that perform nothing, longer than one transaction makes them.
fn fail_without_an_end(written: &mut Value) {
    written["maxSteps"] = json!(130);
    let first = &mut written["steps"][0];
    *first = json!({
        "id": "s0",
        "action": "tool",
        "tool": "look",
        "args": {"a": "{{ input.text.trim() }}"},
        "onFailure": "s0",
    });
}

/// What is refused of a definition is replaced by something plain.
fn accepted(mut written: Value) -> Edition {
    loop {
        match WorkflowDefinition::from_json(&written) {
            Ok(definition) => return Edition::new(written, definition),
            Err(problems) => mend(&mut written, &problems),
        }
    }
}

fn mend(written: &mut Value, problems: &Diagnostics) {
    for problem in problems.errors() {
        let Place::Node { pointer, .. } = &problem.place else {
            panic!("a problem without a place: {problem:?}");
        };
        let Some(node) = written.pointer_mut(pointer.as_str()) else {
            panic!("a problem of nothing: {problem:?}");
        };
        let is_condition = pointer.as_str().ends_with("/condition");
        assert!(
            node.is_string(),
            "not to be mended: {problem:?} in {written}"
        );
        *node = json!(if is_condition { "result" } else { "plain" });
    }
}

fn step(choices: &mut Choices, at: usize, count: usize) -> Value {
    let mut step = json!({"id": format!("s{at}")});
    let action = choices.below(100);
    match action {
        0..25 => step["action"] = json!("noop"),
        25..85 => {
            step["action"] = json!("tool");
            step["tool"] = json!(if choices.chance(3) {
                "gone"
            } else {
                choices.one(&TOOLS[..4])
            });
            step["args"] = arguments(choices, count);
        }
        _ => {
            step["action"] = json!("model");
            step["prompt"] = json!(text(choices, count));
            if choices.chance(30) {
                step["system"] = json!(text(choices, count));
            }
            if choices.chance(50) {
                step["outputSchema"] = json!({"n": "number"});
            }
        }
    }
    if action >= 25 {
        bounds(choices, &mut step);
    }
    if choices.chance(22) {
        step["approvalRequired"] = approval(choices, count);
    }
    ways(choices, &mut step, count);
    step
}

/// How often it is tried, for how long, and what an interruption means.
fn bounds(choices: &mut Choices, step: &mut Value) {
    if choices.chance(45) {
        step["retry"] = json!({
            "maxAttempts": choices.one(&[2, 3, 4]),
            "initialBackoff": choices.one(&[1_009, 0, 500, 7_001]),
            "factor": choices.one(&[2, 1, 3]),
            "maxBackoff": choices.one(&[60_000, 2_003]),
            "jitter": 0,
        });
    }
    if let Some(timeout) = choices.maybe(30, &[1_019, 5_021, 45_007]) {
        step["timeout"] = json!(timeout);
    }
    if let Some(choice) = choices.maybe(35, &["rerun", "fail", "ask"]) {
        step["onInterrupt"] = json!(choice);
    }
}

fn approval(choices: &mut Choices, count: usize) -> Value {
    if choices.chance(40) {
        return json!(true);
    }
    let mut policy = json!({});
    if choices.chance(30) {
        policy["message"] = json!(text(choices, count));
    }
    if let Some(timeout) = choices.maybe(50, &[2_027, 60_029, 7_200_031]) {
        policy["timeout"] = json!(timeout);
        policy["onTimeout"] = json!(choices.one(&["deny", "approve", "fail"]));
    }
    if choices.chance(35) {
        policy["approvers"] = json!(["ann", "bob"]);
    }
    if choices.chance(35) {
        policy["count"] = json!(2);
    }
    policy
}

/// Where it goes on to.
fn ways(choices: &mut Choices, step: &mut Value, count: usize) {
    if choices.chance(45) {
        let branches = 1 + choices.below(2);
        let branches = (0..branches).map(
            |_| json!({"condition": condition(choices, count), "goto": target(choices, count)}),
        );
        step["branches"] = branches.collect();
    }
    for (key, percent) in [("onSuccess", 25), ("onFailure", 45)] {
        if choices.chance(percent) {
            step[key] = json!(target(choices, count));
        }
    }
}

fn target(choices: &mut Choices, count: usize) -> String {
    match choices.below(10) {
        0 => "$end".to_owned(),
        1 => "$fail".to_owned(),
        _ => format!("s{}", choices.place(count)),
    }
}

fn condition(choices: &mut Choices, count: usize) -> String {
    let other = format!("steps.s{}", choices.place(count));
    match choices.below(14) {
        0 => "result".to_owned(),
        1 => "result.ok".to_owned(),
        2 => "result > 1".to_owned(),
        3 => "result.n >= 2 && status == 'success'".to_owned(),
        4 => format!("{other}.status == 'failure'"),
        5 => format!("{other}.output.n > input.n"),
        6 => "input.flag".to_owned(),
        7 => "error != null".to_owned(),
        8 => format!("{other}.attempts > 1"),
        9 => "result.trim() == 'go'".to_owned(),
        10 => "result.length > 2".to_owned(),
        11 => format!("{other}.error ? false : true"),
        12 => "execution.triggeredBy == 'manual'".to_owned(),
        _ => "result[2].n".to_owned(),
    }
}

fn arguments(choices: &mut Choices, count: usize) -> Value {
    let mut arguments = json!({});
    if choices.chance(30) {
        arguments["gently"] = json!(choices.one(&["yes", "{{ input.flag }}"]));
    }
    for name in ["a", "b"] {
        if choices.chance(40) {
            let text = json!(text(choices, count));
            arguments[name] = match choices.below(3) {
                0 => text,
                1 => json!([1, text]),
                _ => json!({"deep": {"er": text}}),
            };
        }
    }
    arguments
}

/// A text that may be a template, and may be one that cannot be resolved.
fn text(choices: &mut Choices, count: usize) -> String {
    let other = format!("steps.s{}", choices.place(count));
    match choices.below(16) {
        0 => "plain".to_owned(),
        1 => "{{ input.n }}".to_owned(),
        2 => format!("{{{{ {other}.output }}}}"),
        3 => format!("{{{{ {other}.result.n }}}} of {{{{ input | json }}}}"),
        4 => format!("{{{{ {other}.status }}}}"),
        5 => format!("{{{{ {other}.attempts }}}}"),
        6 => "{{ error ? 1 : 0 }}".to_owned(),
        7 => "{{ execution.id }}/{{ workflow.id }}".to_owned(),
        8 => "{{ execution.startedAt }} {{ execution.triggeredBy }}".to_owned(),
        9 => format!("{{{{ {other}.output | json }}}}"),
        10 => "{{ input.text.trim() }}".to_owned(),
        11 => format!("{{{{ {other}.output.trim() }}}}"),
        12 => "{{ workflow.name }} {{ execution.scheduledFor }}".to_owned(),
        13 => "{{ input.missing.deeper }}".to_owned(),
        14 => format!("{{{{ {other}.error != null }}}}"),
        _ => "\\{{ literal }}".to_owned(),
    }
}
