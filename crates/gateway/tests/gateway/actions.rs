//! Attempts: their timeouts, retries and answers.

use std::time::Duration;

use gateway::workflow_types::execution::{FailureKind, Outcome, StepFailure, Visit, VisitState};
use serde_json::json;

use crate::support::{Life, World, failure, verdict};

/// The failure of a visit that is over.
fn failed(visit: &Visit) -> &StepFailure {
    let VisitState::Done {
        outcome: Outcome::Failure(failure),
        ..
    } = &visit.state
    else {
        panic!("it has not failed: {:?}", visit.state);
    };
    failure
}

/// Runs one step; its failure.
fn fail(steps: &str) -> (FailureKind, String) {
    let world = World::with(steps);
    let life = world.live();
    let done = life.settle(json!({}));
    life.check(&world);
    let failure = failure(&done);
    (failure.kind, failure.message.clone())
}

#[test]
fn a_retry_is_a_durable_timer_with_the_same_key_and_the_next_number() {
    let world = World::with(
        "
  - id: a
    action: tool
    tool: act
    args: {from: 3, give: done}
    retry: {maxAttempts: 3, initialBackoff: 10s, factor: 3, jitter: 0}",
    );
    let life = world.live();
    let id = life.start("w", json!({}));
    let first = life.until_backing_off(id, 1);
    assert_eq!(first.to_string(), "2026-01-31T09:00:10.000Z");
    world.clock.advance(Duration::from_secs(9));
    assert_eq!(world.ledger.attempts(), ["a#1"]);
    world.clock.advance(Duration::from_secs(1));
    let second = life.until_backing_off(id, 2);
    assert_eq!(second.to_string(), "2026-01-31T09:00:40.000Z");
    world.clock.advance(Duration::from_secs(30));
    let done = life.wait(id);
    assert_eq!(verdict(&done), None);
    assert_eq!(life.trail(id), ["a \"done\""]);
    assert_eq!(world.ledger.attempts(), ["a#1", "a#2", "a#3"]);
    let key = format!("{id}/a/1");
    assert!(world.ledger.calls().iter().all(|called| called.key == key));
}

#[test]
fn a_restart_during_a_backoff_keeps_its_remaining_time() {
    let world = World::with(
        "
  - id: a
    action: tool
    tool: act
    args: {from: 2}
    retry: {maxAttempts: 2, initialBackoff: 60s, jitter: 0}",
    );
    let life = world.live();
    let id = life.start("w", json!({}));
    life.until_backing_off(id, 1);
    world.clock.advance(Duration::from_secs(50));
    life.kill();
    let life = world.live();
    assert_eq!(
        life.until_backing_off(id, 1).to_string(),
        "2026-01-31T09:01:00.000Z"
    );
    assert_eq!(world.ledger.attempts(), ["a#1"]);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(verdict(&life.wait(id)), None);
    assert_eq!(world.ledger.attempts(), ["a#1", "a#2"]);
}

#[test]
fn a_backoff_that_ended_while_the_process_was_down_is_over() {
    let world = World::with(
        "
  - id: a
    action: tool
    tool: act
    args: {from: 2}
    retry: {maxAttempts: 2, initialBackoff: 60s}",
    );
    for _ in 0..5 {
        let life = world.live();
        let before = world.ledger.attempts().len();
        let id = life.start("w", json!({}));
        life.until_backing_off(id, 1);
        life.kill();
        world.clock.advance(Duration::from_secs(100));
        let life = world.live();
        assert_eq!(verdict(&life.wait(id)), None);
        assert_eq!(world.ledger.attempts()[before..], ["a#1", "a#2"]);
        life.check(&world);
        life.shutdown();
    }
}

#[test]
fn the_last_attempt_decides() {
    let world = World::with(
        "
  - id: a
    action: tool
    tool: act
    args: {do: fail}
    retry: {maxAttempts: 2, initialBackoff: 0s}
    onFailure: b
  - {id: b, action: tool, tool: act, args: {give: '{{ steps.a.attempts }} {{ steps.a.error }}'}}",
    );
    let life = world.live();
    let done = life.settle(json!({}));
    assert_eq!(life.trail(done.id), ["a error", "b \"2 it failed\""]);
}

#[test]
fn a_permanent_error_is_not_retried() {
    let world = World::with(
        "
  - {id: a, action: tool, tool: act, args: {do: refuse}, retry: {maxAttempts: 5}}",
    );
    let life = world.live();
    let done = life.settle(json!({}));
    assert_eq!(failure(&done).message, "step `a` failed: it is refused");
    assert_eq!(world.ledger.attempts(), ["a#1"]);
}

/// Starts the workflow `w` and lets its one call run into its timeout of 5 s.
fn time_out(world: &World, life: &Life) -> Visit {
    let id = life.start("w", json!({}));
    life.until_called(world, 1);
    world.clock.advance(Duration::from_secs(5));
    life.run(world.ledger.until_cancelled(1));
    world.clock.advance(Duration::from_secs(2));
    life.wait(id);
    life.journal(id).remove(0)
}

#[test]
fn a_timeout_cancels_and_the_result_says_so_whatever_the_tool_answers_then() {
    for reaction in [
        "wait or be cancelled",
        "finish when cancelled",
        "ignore cancellation",
    ] {
        let world = World::with(&format!(
            "\n  - {{id: a, action: tool, tool: act, args: {{do: {reaction}}}, timeout: 5s}}"
        ));
        let life = world.live();
        let visit = time_out(&world, &life);
        assert_eq!(failed(&visit).kind.as_str(), "timeout", "{reaction}");
        assert_eq!(
            failed(&visit).message,
            "the attempt took longer than its timeout of 5s"
        );
        life.shutdown();
    }
}

#[test]
fn a_tool_that_ignores_its_cancellation_is_aborted_after_the_grace_period_only() {
    let world = World::with(
        "
  - {id: a, action: tool, tool: act, args: {do: ignore cancellation}, timeout: 5s}",
    );
    let life = world.live();
    let id = life.start("w", json!({}));
    life.until_called(&world, 1);
    world.clock.advance(Duration::from_secs(5));
    life.run(world.ledger.until_cancelled(1));
    world.clock.advance(Duration::from_millis(1_999));
    assert_eq!(life.trail(id), ["a begun"]);
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(verdict(&life.wait(id)), Some(FailureKind::StepFailed));
}

#[test]
fn a_timed_out_attempt_is_retried() {
    let world = World::with(
        "
  - id: a
    action: tool
    tool: act
    args: {do: wait or be cancelled}
    timeout: 5s
    retry: {maxAttempts: 2, initialBackoff: 1s, jitter: 0}",
    );
    let life = world.live();
    let id = life.start("w", json!({}));
    life.until_called(&world, 1);
    world.clock.advance(Duration::from_secs(5));
    life.until_backing_off(id, 1);
    world.clock.advance(Duration::from_secs(1));
    life.until_called(&world, 2);
    world.ledger.let_go(1);
    assert_eq!(verdict(&life.wait(id)), None);
}

#[test]
fn a_panic_of_a_tool_fails_its_step_and_nothing_else() {
    let world = World::with(
        "
  - {id: a, action: tool, tool: act, args: {do: panic}, retry: {maxAttempts: 3}, onFailure: b}
  - {id: b, action: noop}",
    );
    let life = world.live();
    let done = life.settle(json!({}));
    assert_eq!(life.trail(done.id), ["a internal", "b null"]);
    assert_eq!(world.ledger.attempts(), ["a#1"]);
    assert_eq!(verdict(&done), None);
}

#[test]
fn an_unknown_tool_fails_the_step() {
    let world = World::with("\n  - {id: a, action: tool, tool: act}");
    let life = world.live();
    let id = life.start("w", json!({}));
    life.wait(id);
    life.shutdown();
    // The same workflow in a host that does not have the tool any more: it is known already, and
    // its file is not read again.
    let bare = gateway::Gateway::builder()
        .database(world.database())
        .clock(world.clock.clone());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let done = runtime.block_on(async {
        let gateway = bare.start().await.unwrap();
        let execution = gateway
            .start(&"w".parse().unwrap(), json!({}))
            .await
            .unwrap();
        gateway.wait(execution.id).await.unwrap()
    });
    assert_eq!(
        failure(&done).message,
        "step `a` failed: there is no tool `act`"
    );
}

#[test]
fn arguments_that_do_not_fit_never_reach_the_tool_and_are_not_repeated_in_the_message() {
    let world = World::with(
        "
  - {id: a, action: tool, tool: act, args: {token: '{{ input.secret }}'}}",
    );
    let life = world.live();
    let done = life.settle(json!({"secret": "hunter2"}));
    assert_eq!(world.ledger.calls(), []);
    assert_eq!(
        failure(&done).message,
        "step `a` failed: the arguments do not fit tool `act`: `args.token` is a string, expected a whole number"
    );
}

#[test]
fn an_output_that_is_too_large_or_too_deep_fails_the_step() {
    let world =
        World::with("\n  - {id: a, action: tool, tool: act, args: {give: '{{ input.text }}'}}");
    world.write(
        "deep",
        "  - {id: a, action: tool, tool: act, args: {do: nest}}",
    );
    let life = world.live_with(|builder| builder.max_output_bytes(12));
    assert_eq!(verdict(&life.settle(json!({"text": "0123456789"}))), None);
    let done = life.settle(json!({"text": "0123456789x"}));
    assert_eq!(verdict(&done), Some(FailureKind::OutputTooLarge));
    let id = life.start("deep", json!({}));
    assert_eq!(verdict(&life.wait(id)), Some(FailureKind::OutputTooLarge));
    assert_eq!(life.trail(id), ["a output_too_large"]);
    life.check(&world);
}

const HEALTH: &str = "
  - id: a
    action: model
    prompt: 'is {{ input.what }} well?'
    outputSchema: {ok: boolean}
    retry: {maxAttempts: 2, initialBackoff: 0s}";

#[test]
fn an_answer_of_a_model_is_parsed_and_its_fence_taken_off() {
    let world = World::with(HEALTH);
    let life = world.live();
    world.ledger.will_answer(&["```json\n{\"ok\": true}\n```"]);
    let done = life.settle(json!({"what": "it"}));
    assert_eq!(life.trail(done.id), [r#"a {"ok":true}"#]);
    assert_eq!(world.ledger.calls()[0].args, json!("is it well?"));
}

#[test]
fn an_answer_that_misses_the_schema_is_asked_again_with_the_reason() {
    let world = World::with(HEALTH);
    let life = world.live();
    world
        .ledger
        .will_answer(&[r#"{"ok": "yes"}"#, r#"{"ok": false}"#]);
    let done = life.settle(json!({"what": "it"}));
    assert_eq!(verdict(&done), None);
    let calls = world.ledger.calls();
    assert_eq!(calls[0].previous_error, None);
    let reason = calls[1].previous_error.as_deref().unwrap();
    assert!(
        reason.contains("`answer.ok` is the string \"yes\", expected a boolean"),
        "{reason}"
    );
    assert_eq!(calls[0].key, calls[1].key);

    world.ledger.will_answer(&["well", "well"]);
    let done = life.settle(json!({"what": "it"}));
    assert!(failure(&done).message.contains("the answer is not JSON"));
}

#[test]
fn without_a_schema_the_answer_is_its_text() {
    let world = World::with("\n  - {id: a, action: model, prompt: hello}");
    let life = world.live();
    world.ledger.will_answer(&["{\"ok\": true}"]);
    let done = life.settle(json!({}));
    assert_eq!(life.trail(done.id), [r#"a "{\"ok\": true}""#]);
}

#[test]
fn a_failing_model_fails_the_step() {
    let (kind, message) = fail("\n  - {id: a, action: model, prompt: hello}");
    assert_eq!(kind, FailureKind::StepFailed);
    assert_eq!(message, "step `a` failed: no answer");
}

#[test]
fn what_waits_for_its_turn_has_not_begun() {
    let world = World::with("\n  - {id: a, action: tool, tool: act, args: {do: wait}}");
    let life = world.live_with(|builder| builder.max_concurrent_executions(1));
    let first = life.start("w", json!({}));
    life.until_called(&world, 1);
    let second = life.start("w", json!({}));
    assert_eq!(life.trail(second), [""; 0]);
    assert_eq!(life.trail(first), ["a begun"]);
    assert_eq!(world.ledger.calls().len(), 1);
    world.ledger.let_go(2);
    for id in [first, second] {
        assert_eq!(verdict(&life.wait(id)), None);
    }
}
