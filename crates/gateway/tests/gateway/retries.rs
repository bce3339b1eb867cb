//! Repeating finished executions from a step, deleting them, and what is kept.

use std::time::Duration;

use gateway::workflow_types::execution::{FailureKind, Visit, VisitState};
use gateway::workflow_types::id::ExecutionId;
use gateway::{Error, ErrorKind, Pruned, Retention, RetryRequest};
use serde_json::json;

use crate::support::{Life, World, failure, is_paused, verdict};

/// `b` fails as long as the dice say so.
const STEPS: &str = "
  - {id: a, action: tool, tool: act, args: {give: 1}}
  - {id: b, action: tool, tool: act, args: {do: throw}}
  - {id: c, action: tool, tool: act, args: {give: '{{ steps.a.output }}'}}";

fn retry(life: &Life, id: ExecutionId, request: RetryRequest) -> Result<ExecutionId, Error> {
    let started = life.run(life.gateway.retry(id, request))?;
    assert_eq!(started.origin, Some(id));
    Ok(started.id)
}

#[test]
fn a_failed_execution_is_repeated_from_its_failed_step_and_reuses_what_came_before() {
    let world = World::with(STEPS);
    let life = world.live();
    world.ledger.load(&[-2]);
    let failed = life.settle(json!({"x": 1})).id;
    assert_eq!(life.trail(failed), ["a 1", "b error"]);
    world.ledger.load(&[7]);
    let again = retry(&life, failed, RetryRequest::new()).unwrap();
    let done = life.wait(again);
    assert_eq!(verdict(&done), None);
    assert_eq!(done.input, json!({"x": 1}));
    assert_eq!(life.trail(again), ["a 1", "b 7", "c 1"]);
    let journal = life.journal(again);
    let keys: Vec<_> = journal.iter().map(Visit::idempotency_key).collect();
    assert_eq!(
        keys,
        [
            format!("{failed}/a/1"),
            format!("{again}/b/2"),
            format!("{again}/c/3"),
        ]
    );
    assert_eq!(journal[0].reused_from, Some(failed));
    assert_eq!(journal[1].reused_from, None);
    assert_eq!(world.ledger.attempts(), ["a#1", "b#1", "b#1", "c#1"]);

    // It does not need its origin.
    life.run(life.gateway.delete(failed)).unwrap();
    let third = RetryRequest::new().from("c".parse().unwrap());
    let third = retry(&life, again, third).unwrap();
    assert_eq!(verdict(&life.wait(third)), None);
    assert_eq!(life.journal(third)[0].reused_from, Some(failed));
    assert_eq!(life.journal(third)[1].reused_from, Some(again));
    life.check(&world);
}

#[test]
fn a_completed_execution_is_repeated_from_its_first_step_or_the_one_that_is_named() {
    let world = World::with(STEPS);
    world.ledger.load(&[7]);
    let life = world.live();
    let id = life.settle(json!({})).id;
    let whole = retry(&life, id, RetryRequest::new()).unwrap();
    life.wait(whole);
    assert!(
        life.journal(whole)
            .iter()
            .all(|one| one.reused_from.is_none())
    );
    let calls = world.ledger.calls().len();
    let last = RetryRequest::new().from("c".parse().unwrap());
    let last = retry(&life, id, last).unwrap();
    assert_eq!(verdict(&life.wait(last)), None);
    assert_eq!(world.ledger.calls().len(), calls + 1);
}

#[test]
fn what_cannot_be_repeated_says_what_can() {
    let world = World::with(
        "
  - {id: a, action: noop, onSuccess: c}
  - {id: b, action: noop}
  - {id: c, action: tool, tool: act, approvalRequired: true}",
    );
    let life = world.live();
    let id = life.settle(json!({})).id;
    let error = retry(&life, id, RetryRequest::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("is paused"), "{error}");
    life.deny(&life.gate(id), "ann").unwrap();
    while is_paused(&life.wait(id)) {}
    life.wait(id);
    for step in ["b", "unknown"] {
        let request = RetryRequest::new().from(step.parse().unwrap());
        let error = retry(&life, id, request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let told = error.to_string();
        assert!(told.ends_with("it can be repeated from `a`, `c`"), "{told}");
    }
    // The gate asks anew.
    let again = retry(&life, id, RetryRequest::new()).unwrap();
    assert!(is_paused(&life.wait(again)));
    life.approve(&life.gate(again), "ann").unwrap();
    while is_paused(&life.wait(again)) {}
    assert_eq!(verdict(&life.wait(again)), None);
    assert_eq!(life.trail(again), ["a null", "c null"]);
}

#[test]
fn the_limit_of_visits_counts_those_that_were_taken_over() {
    let world = World::with(
        "maxSteps: 3
steps:
  - {id: a, action: noop}
  - {id: b, action: noop, onSuccess: a}",
    );
    let life = world.live();
    let id = life.settle(json!({})).id;
    assert_eq!(life.trail(id).len(), 3);
    let again = RetryRequest::new().from("b".parse().unwrap());
    let again = retry(&life, id, again).unwrap();
    let done = life.wait(again);
    assert_eq!(failure(&done).kind, FailureKind::StepLimit);
    assert_eq!(life.trail(again).len(), 3);
}

#[test]
fn the_same_key_repeats_once_and_a_sudden_end_loses_nothing() {
    let world = World::with(
        "
  - {id: a, action: tool, tool: put, args: {give: 1}}
  - {id: b, action: tool, tool: put, args: {do: wait}}",
    );
    let life = world.live();
    world.ledger.let_go(1);
    let id = life.settle(json!({})).id;
    let request = || {
        RetryRequest::new()
            .from("b".parse().unwrap())
            .idempotency_key("k".parse().unwrap())
    };
    let again = retry(&life, id, request()).unwrap();
    assert_eq!(retry(&life, id, request()).unwrap(), again);
    life.until_called(&world, 3);
    life.kill();
    world.ledger.let_go(1);
    let life = world.live();
    assert_eq!(verdict(&life.wait(again)), None);
    assert_eq!(life.trail(again), ["a 1", "b null"]);
    assert_eq!(retry(&life, id, request()).unwrap(), again);
    assert_eq!(world.ledger.attempts(), ["a#1", "b#1", "b#1", "b#1"]);
    life.check(&world);
}

#[test]
fn failed_attempts_are_kept_with_when_and_why() {
    let world = World::with(
        "
  - {id: a, action: tool, tool: act, args: {from: 3}, retry: {maxAttempts: 3, initialBackoff: 10s, jitter: 0}}",
    );
    let life = world.live();
    let id = life.start("w", json!({}));
    for attempt in [1, 2] {
        world.clock.set(life.until_backing_off(id, attempt));
    }
    assert_eq!(verdict(&life.wait(id)), None);
    let attempts = life.run(life.gateway.reader().attempts(id, 1, 9)).unwrap();
    assert_eq!(attempts.len(), 2);
    for (place, failed) in (1..).zip(&attempts) {
        assert_eq!((failed.visit, failed.attempt), (1, place));
        assert_eq!(failed.failure.message, "not before attempt 3");
        assert!(failed.failed_at < failed.due_at);
    }
    assert_eq!(attempts[0].due_at, attempts[1].begun_at);
}

#[test]
fn a_walk_that_never_stops_is_written_in_pieces_and_survives_a_sudden_end() {
    let world = World::with(
        "maxSteps: 4050
steps:
  - {id: a, action: tool, tool: act, args: {give: '{{ input.n.trim() }}'}, onFailure: a}",
    );
    let life = world.live();
    let id = life.start("w", json!({"n": 1}));
    // What is left for the next transaction is ready, and has not been resolved.
    let last = life.until(id, |visit| visit.number >= 300);
    assert_eq!(last.number % 100, 0);
    assert_eq!((last.state, last.request), (VisitState::Ready, None));
    life.kill();
    let life = world.live();
    let done = life.wait(id);
    assert_eq!(failure(&done).kind, FailureKind::StepLimit);
    assert_eq!(life.trail(id), vec!["a template_error"; 4050]);
    assert_eq!(world.ledger.calls().len(), 0);
    life.check(&world);
}

#[test]
fn what_is_not_kept_is_deleted_at_the_start_and_once_a_day_and_nothing_unfinished_is() {
    let world = World::with("\n  - {id: a, action: noop}");
    world.write("g", "  - {id: a, action: noop, approvalRequired: true}");
    let life = world.live();
    let paused = life.start("g", json!({}));
    life.wait(paused);
    let old: Vec<_> = (0..5).map(|_| life.settle(json!({})).id).collect();
    life.shutdown();
    world.clock.advance(Duration::from_hours(48));
    let keep = Retention {
        older_than: Some(Duration::from_hours(36)),
        keep_per_workflow: None,
    };
    let life = world.live_with(|builder| builder.retention(keep));
    let is_gone = |life: &Life, id| {
        let found = life.run(life.gateway.reader().execution(id));
        found.is_err_and(|error| error.kind() == ErrorKind::NotFound)
    };
    while !old.iter().all(|id| is_gone(&life, *id)) {
        std::thread::yield_now();
    }
    let young = life.settle(json!({})).id;
    world.clock.advance(Duration::from_hours(24));
    assert!(!is_gone(&life, young));
    while !is_gone(&life, young) {
        world.clock.advance(Duration::from_hours(1));
        std::thread::yield_now();
    }
    assert!(is_paused(&life.wait(paused)));

    let error = life.run(life.gateway.delete(paused)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let two: Vec<_> = (0..3).map(|_| life.settle(json!({})).id).collect();
    let keep = Retention {
        older_than: None,
        keep_per_workflow: Some(2),
    };
    let now = life.gateway.now();
    let count = life.run(life.gateway.reader().count_prunable(keep, now));
    assert_eq!(count.unwrap(), 1);
    let pruned = life.run(life.gateway.prune(keep)).unwrap();
    let expected = Pruned {
        executions: 1,
        definitions: 0,
    };
    assert_eq!(pruned, expected);
    assert!(two.iter().filter(|id| is_gone(&life, **id)).count() == 1);
    life.check(&world);
}

#[test]
fn a_repetition_waits_for_a_place_and_goes_on_with_what_came_before() {
    for limit in ["{limit: 1}", "{limit: 1, onLimit: skip}"] {
        let world = World::new();
        world.write("w", &format!("concurrency: {limit}\nsteps:{STEPS}"));
        let life = world.live();
        world.ledger.load(&[-2]);
        let failed = life.settle(json!({})).id;
        let asks = format!(
            "concurrency: {limit}\nsteps:
  - {{id: q, action: tool, tool: act, approvalRequired: true}}"
        );
        let path = world.write("w", &asks);
        life.run(life.gateway.register_file(path)).unwrap();
        world.ledger.load(&[5]);
        let holder = life.settle(json!({})).id;
        let again = life.run(life.gateway.retry(failed, RetryRequest::new()));
        if limit.contains("skip") {
            assert_eq!(again.unwrap_err().kind(), ErrorKind::Busy);
            continue;
        }
        let again = again.unwrap();
        assert!(again.queued);
        // What waits is kept, and so is its definition; its origin is not needed.
        let nothing = Retention {
            keep_per_workflow: Some(0),
            ..Retention::default()
        };
        let pruned = life.run(life.gateway.prune(nothing)).unwrap();
        assert_eq!(pruned.executions, 1);
        life.shutdown();
        let life = world.live();
        life.deny(&life.gate(holder), "ann").unwrap();
        while is_paused(&life.wait(holder)) {}
        let done = life.wait(again.id);
        assert_eq!(verdict(&done), None);
        assert_eq!(life.trail(again.id), ["a 1", "b 5", "c 1"]);
        assert_eq!(life.journal(again.id)[0].reused_from, Some(failed));
        assert_eq!(world.ledger.attempts(), ["a#1", "b#1", "b#1", "c#1"]);
        life.check(&world);
    }
}
