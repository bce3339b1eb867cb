//! Watching executions: what is told, from any place, at any time, across restarts.

use gateway::workflow_types::execution::FailureKind;
use gateway::workflow_types::id::ExecutionId;
use gateway::{ErrorKind, Event, EventKind, EventSeq, Watch};
use serde_json::json;

use crate::support::{Life, World, actor, once};

fn words(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

/// Everything that a watcher is told until the end.
fn watched(life: &Life, id: ExecutionId, after: EventSeq) -> Vec<Event> {
    let mut watch = life.gateway.watch(id, after);
    let mut events = Vec::new();
    while let Some(event) = life.run(watch.next()) {
        events.push(event.unwrap());
    }
    events
}

/// The next events of a watcher, so many.
fn take(life: &Life, watch: &mut Watch, count: usize) -> Vec<Event> {
    (0..count)
        .map(|_| life.run(watch.next()).unwrap().unwrap())
        .collect()
}

#[test]
fn a_watcher_is_told_live_and_one_that_comes_later_the_same() {
    let world = World::with(
        "
  - {id: a, action: tool, tool: act, args: {from: 2}, retry: {maxAttempts: 2, initialBackoff: 0s}}
  - {id: b, action: tool, tool: act, approvalRequired: {count: 2}}",
    );
    let life = world.live();
    let id = life.start("w", json!({}));
    let mut watch = life.gateway.watch(id, EventSeq::START);
    let mut told = take(&life, &mut watch, 8);
    assert_eq!(
        words(&told),
        [
            "execution_started",
            "step_started",
            "attempt_failed",
            "step_started",
            "step_finished",
            "step_started",
            "step_waits",
            "execution_paused",
        ]
    );
    life.run(async {
        assert!(once(&mut Box::pin(watch.next())).await.is_pending());
    });
    let gate = life.gate(id);
    life.approve(&gate, "zoe").unwrap();
    told.extend(take(&life, &mut watch, 1));
    life.approve(&gate, "ann").unwrap();
    while let Some(event) = life.run(watch.next()) {
        told.push(event.unwrap());
    }
    assert_eq!(
        words(&told[8..]),
        [
            "vote_counted",
            "vote_counted",
            "gate_settled",
            "execution_resumed",
            "step_finished",
            "execution_completed",
        ]
    );
    assert!(told.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    assert!(told.iter().all(|event| event.seq.number() < 1 << 53));
    for place in 0..told.len() {
        assert_eq!(watched(&life, id, told[place].seq), told[place + 1..]);
    }
    life.shutdown();
    let life = world.live();
    assert_eq!(watched(&life, id, EventSeq::START), told);
}

#[test]
fn the_end_that_is_told_is_the_one_that_came() {
    let world = World::with("\n  - {id: a, action: noop, approvalRequired: true}");
    world.write("f", "  - {id: a, action: noop, onSuccess: $fail}");
    let life = world.live();
    let failed = life.start("f", json!({}));
    let events = watched(&life, failed, EventSeq::START);
    let last = &events.last().unwrap().kind;
    assert!(
        matches!(last, EventKind::ExecutionFailed { failure } if failure.kind == FailureKind::StepFailed)
    );
    let cancelled = life.settle(json!({})).id;
    life.run(life.gateway.cancel(cancelled, actor("ann"), None))
        .unwrap();
    let events = watched(&life, cancelled, EventSeq::START);
    assert_eq!(
        words(&events),
        [
            "execution_started",
            "step_started",
            "step_waits",
            "execution_paused",
            "gate_settled",
            "step_finished",
            "execution_cancelled",
        ]
    );
}

#[test]
fn what_a_repetition_has_taken_over_is_not_told_again() {
    let world =
        World::with("\n  - {id: a, action: noop}\n  - {id: b, action: noop, onSuccess: $fail}");
    let life = world.live();
    let id = life.settle(json!({})).id;
    let request = gateway::RetryRequest::new();
    let again = life.run(life.gateway.retry(id, request)).unwrap().id;
    let events = watched(&life, again, EventSeq::START);
    assert_eq!(
        words(&events),
        [
            "execution_started",
            "step_started",
            "step_finished",
            "execution_failed"
        ]
    );
    assert_eq!(events[1].seq.visit(), 2);
}

#[test]
fn a_watcher_learns_of_the_end_of_its_gateway_and_of_what_is_not_there() {
    let world = World::with("\n  - {id: a, action: noop, approvalRequired: true}");
    let life = world.live();
    let id = life.settle(json!({})).id;
    let mut watch = life.gateway.watch(id, EventSeq::START);
    let told = take(&life, &mut watch, 4);
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
    let mut nothing = life.gateway.watch(unknown, EventSeq::START);
    let error = life.run(nothing.next()).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(life.run(nothing.next()).is_none());
    life.shutdown();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let error = runtime.block_on(watch.next()).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Stopping);
    assert!(runtime.block_on(watch.next()).is_none());
    assert_eq!(watch.place(), told[3].seq);
}

#[test]
fn a_watcher_of_one_that_waits_for_its_turn_is_told_when_it_has_it() {
    let world = World::with("\n  - {id: a, action: tool, tool: act, args: {do: wait}}");
    let life = world.live_with(|builder| builder.max_concurrent_executions(1));
    let first = life.start("w", json!({}));
    let id = life.start("w", json!({}));
    let mut watch = life.gateway.watch(id, EventSeq::START);
    let mut told = take(&life, &mut watch, 1);
    life.run(async {
        assert!(once(&mut Box::pin(watch.next())).await.is_pending());
    });
    world.ledger.let_go(2);
    life.wait(first);
    told.extend(take(&life, &mut watch, 3));
    assert_eq!(
        words(&told),
        [
            "execution_started",
            "step_started",
            "step_finished",
            "execution_completed",
        ]
    );
    assert_eq!(watched(&life, id, EventSeq::START), told);
}
