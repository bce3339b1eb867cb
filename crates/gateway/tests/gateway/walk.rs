//! Where an execution goes from a step.

use gateway::workflow_types::execution::{ExecutionState, FailureKind};
use serde_json::{Value, json};

use crate::support::{World, failure, verdict};

/// Runs steps with an input; the trail of visits, and why it failed if it did.
fn walk(steps: &str, input: Value) -> (Vec<String>, Option<FailureKind>) {
    let world = World::with(steps);
    let life = world.live();
    let done = life.settle(input);
    let trail = life.trail(done.id);
    life.check(&world);
    life.shutdown();
    (trail, verdict(&done))
}

#[test]
fn a_success_goes_on_with_the_next_step_and_completes_after_the_last() {
    let steps = "
  - {id: a, action: tool, tool: act, args: {give: 1}}
  - {id: b, action: noop}";
    assert_eq!(
        walk(steps, json!({})),
        (vec!["a 1".into(), "b null".into()], None)
    );
}

#[test]
fn the_first_true_branch_comes_before_on_success_which_comes_before_the_next_step() {
    let steps = "
  - id: a
    action: tool
    tool: act
    args: {give: '{{ input.n }}'}
    branches:
      - {condition: 'result > 2', goto: c}
      - {condition: 'result > 1', goto: d}
    onSuccess: e
  - {id: b, action: noop, onSuccess: $end}
  - {id: c, action: noop, onSuccess: $end}
  - {id: d, action: noop, onSuccess: $end}
  - {id: e, action: noop, onSuccess: b}";
    let way = |n: u32| walk(steps, json!({ "n": n })).0.join(", ");
    assert_eq!(way(3), "a 3, c null");
    assert_eq!(way(2), "a 2, d null");
    assert_eq!(way(1), "a 1, e null, b null");
}

#[test]
fn a_failure_goes_only_where_on_failure_says_and_branches_are_not_looked_at() {
    let steps = "
  - id: a
    action: tool
    tool: act
    args: {do: refuse}
    branches: [{condition: 'true', goto: b}]
    onSuccess: b
    onFailure: c
  - {id: b, action: noop, onSuccess: $end}
  - {id: c, action: tool, tool: act, args: {give: '{{ error }} / {{ steps.a.status }}'}}";
    let (trail, verdict) = walk(steps, json!({}));
    assert_eq!(trail, ["a error", "c \"it is refused / failure\""]);
    assert_eq!(verdict, None);
}

#[test]
fn a_failure_without_on_failure_fails_the_execution_with_its_error() {
    let world = World::with(
        "
  - {id: a, action: tool, tool: act, args: {do: refuse}}
  - {id: b, action: noop}",
    );
    let life = world.live();
    let done = life.settle(json!({}));
    assert_eq!(life.trail(done.id), ["a error"]);
    let failure = failure(&done);
    assert_eq!(failure.kind, FailureKind::StepFailed);
    assert_eq!(failure.message, "step `a` failed: it is refused");
    let state = life.run(life.gateway.reader().state(done.id)).unwrap();
    assert_eq!(state.current_step_id.unwrap().to_string(), "a");
    assert_eq!(state.error.unwrap(), "step `a` failed: it is refused");
}

#[test]
fn the_reserved_targets_end_and_fail_at_once() {
    let end = "
  - {id: a, action: noop, onSuccess: $end}
  - {id: b, action: noop}";
    assert_eq!(walk(end, json!({})), (vec!["a null".into()], None));
    let fail = "
  - {id: a, action: noop, branches: [{condition: 'true', goto: $fail}]}
  - {id: b, action: noop}";
    let failed = Some(FailureKind::StepFailed);
    assert_eq!(walk(fail, json!({})), (vec!["a null".into()], failed));
    let handled = "
  - {id: a, action: tool, tool: act, args: {do: refuse}, onFailure: $end}
  - {id: b, action: noop}";
    assert_eq!(walk(handled, json!({})), (vec!["a error".into()], None));
}

#[test]
fn a_condition_that_cannot_be_evaluated_fails_the_execution_and_names_itself() {
    let world = World::with(
        "
  - id: a
    action: tool
    tool: act
    args: {give: {n: 1}}
    branches:
      - {condition: 'result.gone.deeper', goto: b}
      - {condition: 'result.n.trim()', goto: b}
  - {id: b, action: noop}",
    );
    let life = world.live();
    let done = life.settle(json!({}));
    let failure = failure(&done);
    assert_eq!(
        failure.kind,
        FailureKind::ConditionError,
        "{}",
        failure.message
    );
    for part in ["branch 1", "step `a`", "result.n.trim()"] {
        assert!(failure.message.contains(part), "{}", failure.message);
    }
}

#[test]
fn a_missing_key_makes_a_condition_false() {
    let steps = "
  - {id: a, action: noop, branches: [{condition: 'input.a.b.c', goto: $fail}]}";
    assert_eq!(walk(steps, json!({})), (vec!["a null".into()], None));
}

#[test]
fn a_template_that_cannot_be_resolved_fails_its_step_before_any_side_effect() {
    let steps = "
  - {id: a, action: tool, tool: act, args: {give: '{{ input.n.trim() }}'}, onFailure: b}
  - {id: b, action: noop}";
    let world = World::with(steps);
    let life = world.live();
    let done = life.settle(json!({"n": 1}));
    assert_eq!(life.trail(done.id), ["a template_error", "b null"]);
    assert_eq!(world.ledger.calls(), []);
    life.check(&world);
}

#[test]
fn a_loop_ends_at_its_limit_of_visits() {
    let steps = "maxSteps: 5
steps:
  - {id: a, action: noop}
  - {id: b, action: noop, branches: [{condition: 'input.on', goto: a}]}";
    let (trail, verdict) = walk(steps, json!({"on": true}));
    assert_eq!(trail, ["a null", "b null", "a null", "b null", "a null"]);
    assert_eq!(verdict, Some(FailureKind::StepLimit));
    assert_eq!(walk(steps, json!({})).1, None);
}

#[test]
fn a_loop_of_failing_templates_ends_at_its_limit_too() {
    let steps = "maxSteps: 300
steps:
  - {id: a, action: tool, tool: act, args: {give: '{{ input.n.trim() }}'}, onFailure: a}";
    let (trail, verdict) = walk(steps, json!({"n": 1}));
    assert_eq!((trail.len(), verdict), (300, Some(FailureKind::StepLimit)));
}

#[test]
fn a_loop_of_noops_does_not_starve_another_execution() {
    let world = World::with(
        "maxSteps: 100000
steps:
  - {id: a, action: noop, branches: [{condition: 'input.on', goto: a}]}",
    );
    world.write(
        "other",
        "  - {id: a, action: noop}\n  - {id: b, action: noop}",
    );
    // One attempt at a time, so that they have to take turns.
    let life = world.live_with(|builder| builder.max_concurrent_executions(1));
    let endless = life.start("w", json!({"on": true}));
    life.until(endless, |visit| visit.number > 20);
    let other = life.start("other", json!({}));
    assert!(matches!(
        life.wait(other).state,
        ExecutionState::Completed { .. }
    ));
    let before = life.journal(endless).len();
    life.until(endless, |visit| visit.number as usize > before);
    life.shutdown();
}

#[test]
fn templates_keep_types_and_outputs_are_never_expanded_again() {
    let steps = "
  - {id: a, action: tool, tool: act, args: {give: {n: 1, text: '\\{{ input.n }}'}}}
  - {id: b, action: tool, tool: act, args: {give: '{{ steps.a.output }}'}}
  - {id: c, action: tool, tool: act, args: {give: 'n={{ steps.b.result.n }} {{ steps.b.output.text }}'}}";
    let (trail, _) = walk(steps, json!({"n": 7}));
    assert_eq!(trail[1], r#"b {"n":1,"text":"{{ input.n }}"}"#);
    assert_eq!(trail[2], r#"c "n=1 {{ input.n }}""#);
}

#[test]
fn templates_know_the_execution_and_its_workflow() {
    let steps = "
  - id: a
    action: tool
    tool: act
    args: {give: '{{ workflow.id }} {{ execution.triggeredBy }} {{ execution.startedAt }}'}";
    let (trail, _) = walk(steps, json!({}));
    assert_eq!(trail, [r#"a "w manual 2026-01-31T09:00:00.000Z""#]);
}
