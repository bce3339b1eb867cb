//! Who may run: limits of workflows and of the gateway, turns, and what waits as a row.

use std::task::Poll;
use std::time::Duration;

use gateway::store::Durability;
use gateway::workflow_types::execution::{ExecutionState, ExecutionStatus, FailureKind};
use gateway::workflow_types::id::ExecutionId;
use gateway::{ErrorKind, ExecutionFilter, LeftBehind, StartRequest};
use serde_json::json;

use crate::support::{Life, World, is_paused, once, verdict, workflow};

/// A workflow whose one call waits until it is let go.
const WAITS: &str = "  - {id: a, action: tool, tool: put, args: {do: wait}, timeout: 7d}";

fn with_limit(concurrency: &str, steps: &str) -> String {
    format!("concurrency: {concurrency}\nsteps:\n{steps}")
}

/// How many executions run, and how many wait for their turn.
fn standing(life: &Life) -> (usize, usize) {
    let filter = ExecutionFilter {
        status: Some(ExecutionStatus::Running),
        ..ExecutionFilter::default()
    };
    let reader = life.gateway.reader();
    let page = life.run(reader.executions(filter, None, 100_000)).unwrap();
    let queued = page.items.iter().filter(|one| one.queued).count();
    (page.items.len() - queued, queued)
}

/// Starts so many, a few hundred at a time, so that they share commits.
fn start_many(life: &Life, id: &str, count: usize) -> Vec<ExecutionId> {
    const AT_ONCE: usize = 250;
    let id = workflow(id);
    let mut ids = Vec::with_capacity(count);
    while ids.len() < count {
        let mut starts: Vec<_> = (ids.len()..count)
            .take(AT_ONCE)
            .map(|_| Box::pin(life.gateway.start(&id, json!({}))))
            .collect();
        life.run(async {
            while !starts.is_empty() {
                let mut pending = Vec::new();
                for mut start in starts.drain(..) {
                    match once(&mut start).await {
                        Poll::Ready(started) => ids.push(started.unwrap().id),
                        Poll::Pending => pending.push(start),
                    }
                }
                starts = pending;
                tokio::task::yield_now().await;
            }
        });
    }
    ids
}

/// The executions whose calls reached a tool, in the order of their first.
fn first_calls(world: &World) -> Vec<String> {
    let mut seen = Vec::new();
    for call in world.ledger.calls() {
        let id = call.key.split('/').next().unwrap().to_owned();
        if !seen.contains(&id) {
            seen.push(id);
        }
    }
    seen
}

fn texts(ids: &[ExecutionId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

#[test]
fn one_at_a_time_means_one_after_the_other_in_order_however_often_the_process_is_killed() {
    let world = World::new();
    let step = |id| format!("  - {{id: {id}, action: tool, tool: put, args: {{do: wait}}}}\n");
    let steps = step("a") + &step("b");
    world.write("w", &with_limit("{limit: 1}", &steps));
    let life = world.live();
    let ids: Vec<_> = (0..4)
        .map(|_| {
            world.clock.advance(Duration::from_millis(1));
            life.start("w", json!({}))
        })
        .collect();
    assert_eq!(standing(&life), (1, 3));
    let expected: Vec<String> = ids
        .iter()
        .flat_map(|id| [format!("{id}/a/1"), format!("{id}/b/2")])
        .collect();
    let mut life = Some(life);
    for next in 0..expected.len() {
        let alive = life.take().unwrap_or_else(|| world.live());
        // The call that was interrupted is made again, and nothing else runs.
        alive.until_called(&world, 2 * next + 1);
        world.ledger.let_go(1);
        if next + 1 < expected.len() {
            alive.until_called(&world, 2 * next + 2);
            alive.kill();
        } else {
            assert_eq!(verdict(&alive.wait(*ids.last().unwrap())), None);
            alive.check(&world);
        }
    }
    let mut keys: Vec<String> = world
        .ledger
        .calls()
        .iter()
        .map(|call| call.key.clone())
        .collect();
    keys.dedup();
    assert_eq!(keys, expected);
}

#[test]
fn one_more_than_the_limit_is_skipped_if_its_author_says_so() {
    let world = World::new();
    world.write("w", &with_limit("{limit: 1, onLimit: skip}", WAITS));
    let life = world.live();
    let request = || StartRequest::new(workflow("w"), json!({}));
    let keyed = request().idempotency_key("k".parse().unwrap());
    let first = life.run(life.gateway.start_with(keyed.clone())).unwrap();
    let refused = life.try_start("w", json!({})).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Busy);
    assert_eq!(
        refused.to_string(),
        "workflow `w` is not started: 1 of its executions is not finished, and its `concurrency` \
         skips what is more than its limit"
    );
    life.until_called(&world, 1);
    assert_eq!(standing(&life), (1, 0));
    let repeated = life.run(life.gateway.start_with(keyed)).unwrap();
    assert_eq!(repeated.id, first.id);
    world.ledger.let_go(2);
    assert_eq!(verdict(&life.wait(first.id)), None);
    assert_eq!(verdict(&life.settle(json!({}))), None);
}

#[test]
fn a_busy_workflow_does_not_keep_another_waiting_longer_than_a_round() {
    let world = World::new();
    world.write("busy", WAITS);
    world.write("single", WAITS);
    let life = world.live_with(|builder| {
        builder
            .max_concurrent_executions(1)
            .durability(Durability::Normal)
    });
    start_many(&life, "busy", 1_001);
    life.until_called(&world, 1);
    assert_eq!(standing(&life), (1, 1_000));
    let single = life.start("single", json!({})).to_string();
    for calls in 2..=3 {
        world.ledger.let_go(1);
        life.until_called(&world, calls);
    }
    assert!(first_calls(&world).contains(&single));
    life.kill();
}

#[test]
fn two_thousand_at_once_run_each_once_and_never_more_than_there_are_slots() {
    let world = World::with("\n  - {id: a, action: tool, tool: gauged}");
    let gauge = crate::admission_laws::Gauge::default();
    let life = world.live_with(|builder| {
        builder
            .max_concurrent_executions(8)
            .durability(Durability::Normal)
            .tool(gauge.clone())
    });
    let ids = start_many(&life, "w", 2_000);
    for id in &ids {
        assert_eq!(verdict(&life.wait(*id)), None);
    }
    let keys = gauge.calls();
    assert_eq!(keys.len(), 2_000);
    let distinct: std::collections::HashSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), 2_000);
    assert!(gauge.most() <= 8, "{} at once", gauge.most());
    assert_eq!(standing(&life), (0, 0));
}

#[test]
fn what_waits_at_a_gate_or_for_a_retry_leaves_its_slot_to_others() {
    let world = World::with("\n  - {id: a, action: tool, tool: act, approvalRequired: true}");
    world.write(
        "again",
        "  - {id: a, action: tool, tool: act, args: {from: 2}, retry: {maxAttempts: 2, initialBackoff: 1h, jitter: 0, maxBackoff: 1h}}",
    );
    world.write("other", WAITS);
    let life = world.live_with(|builder| builder.max_concurrent_executions(1));
    let gated = life.settle(json!({})).id;
    let again = life.start("again", json!({}));
    life.until_backing_off(again, 1);
    let other = life.start("other", json!({}));
    life.until_called(&world, 2);
    // Both are due while the slot is taken, and wait for their turn.
    life.approve(&life.gate(gated), "ann").unwrap();
    world.clock.advance(Duration::from_hours(1));
    let mut follower = life.gateway.follow(again);
    while standing(&life) != (1, 2) {
        life.run(follower.changed());
    }
    assert_eq!(world.ledger.calls().len(), 2);
    world.ledger.let_go(1);
    for id in [other, again] {
        assert_eq!(verdict(&life.wait(id)), None);
    }
    while is_paused(&life.wait(gated)) {
        std::thread::yield_now();
    }
    assert_eq!(verdict(&life.wait(gated)), None);
    assert_eq!(world.ledger.calls().len(), 4);
    life.check(&world);
}

#[test]
fn what_waits_at_a_gate_keeps_its_place_within_the_limit_of_its_workflow() {
    let world = World::new();
    world.write(
        "w",
        &with_limit(
            "{limit: 1}",
            "  - {id: a, action: tool, tool: act, approvalRequired: true}",
        ),
    );
    let life = world.live();
    let first = life.settle(json!({})).id;
    let second = life.try_start("w", json!({})).unwrap();
    assert!(second.queued);
    // It has asked for nothing yet.
    assert_eq!(
        life.run(life.gateway.reader().gates(second.id)).unwrap(),
        []
    );
    life.run(life.gateway.wait_until_held_up()).unwrap();
    life.approve(&life.gate(first), "ann").unwrap();
    assert!(is_paused(&life.wait(second.id)));
    assert_eq!(verdict(&life.wait(first)), None);
    life.deny(&life.gate(second.id), "ann").unwrap();
    while is_paused(&life.wait(second.id)) {
        std::thread::yield_now();
    }
    assert_eq!(world.ledger.calls().len(), 1);
}

#[test]
fn the_limit_of_the_newest_definition_applies_to_all_that_wait() {
    let world = World::new();
    let path = world.write("w", &with_limit("{limit: 1}", WAITS));
    let life = world.live();
    for _ in 0..5 {
        life.start("w", json!({}));
    }
    life.until_called(&world, 1);
    assert_eq!(standing(&life), (1, 4));
    world.write("w", &with_limit("{limit: 3}", WAITS));
    life.run(life.gateway.register_file(&path)).unwrap();
    life.until_called(&world, 3);
    assert_eq!(standing(&life), (3, 2));
    // Those that have begun stay when it shrinks.
    world.write("w", &with_limit("{limit: 1}", WAITS));
    life.run(life.gateway.register_file(&path)).unwrap();
    world.ledger.let_go(2);
    while standing(&life) != (1, 2) {
        std::thread::yield_now();
    }
    assert_eq!(world.ledger.calls().len(), 3);
    world.write("w", WAITS);
    life.run(life.gateway.register_file(&path)).unwrap();
    life.until_called(&world, 5);
    life.kill();
}

#[test]
fn after_a_restart_only_as_many_run_as_there_are_slots() {
    let world = World::with(&format!("\n{WAITS}"));
    let life = world.live_with(|builder| {
        builder
            .max_concurrent_executions(300)
            .durability(Durability::Normal)
    });
    let ids = start_many(&life, "w", 300);
    life.until_called(&world, 300);
    life.kill();
    let life = world.live_with(|builder| builder.max_concurrent_executions(5));
    assert_eq!(life.gateway.started().taken_up, 300);
    life.until_called(&world, 305);
    assert_eq!(standing(&life), (5, 295));
    world.ledger.let_go(300);
    for id in &ids {
        assert_eq!(verdict(&life.wait(*id)), None);
    }
    assert_eq!(world.ledger.calls().len(), 600);
    life.check(&world);
}

#[test]
fn an_execution_that_waited_starts_from_its_stored_input_and_pinned_definition() {
    let world = World::with(
        "\n  - {id: a, action: tool, tool: act, args: {give: '{{ input.n }} {{ execution.startedAt }}'}}",
    );
    world.write("other", WAITS);
    let life = world.live_with(|builder| builder.max_concurrent_executions(1));
    life.start("other", json!({}));
    life.until_called(&world, 1);
    let waiting = life.try_start("w", json!({"n": 7})).unwrap();
    assert!(waiting.queued);
    life.kill();
    world.write("w", "  - {id: b, action: noop}");
    world.clock.advance(Duration::from_hours(1));
    world.ledger.let_go(1);
    let life = world.live();
    assert_eq!(verdict(&life.wait(waiting.id)), None);
    assert_eq!(
        life.trail(waiting.id),
        [r#"a "7 2026-01-31T09:00:00.000Z""#]
    );
}

#[test]
fn what_is_at_rest_at_once_takes_nobodys_turn() {
    let broken = "  - {id: a, action: tool, tool: act, args: {give: '{{ input.n.trim() }}'}}";
    let world = World::new();
    world.write("w", broken);
    world.write("limited", &with_limit("{limit: 1}", broken));
    world.write("other", WAITS);
    let life = world.live_with(|builder| builder.max_concurrent_executions(1));
    let other = life.start("other", json!({}));
    life.until_called(&world, 1);
    let failed = life.try_start("w", json!({"n": 1})).unwrap();
    assert!(matches!(failed.state, ExecutionState::Failed { .. }));
    let fails = life.try_start("limited", json!({"n": 1})).unwrap();
    assert!(!fails.queued);
    world.ledger.let_go(1);
    assert_eq!(verdict(&life.wait(other)), None);
}

#[test]
fn one_that_waited_and_whose_first_step_cannot_be_resolved_fails_when_it_is_its_turn() {
    let steps = "
  - id: a
    action: tool
    tool: put
    args: {do: '{{ input.n.trim() }}'}
    timeout: 7d";
    let world = World::new();
    world.write("w", &with_limit("{limit: 1}", steps));
    let life = world.live();
    let first = life.start("w", json!({"n": "wait"}));
    life.until_called(&world, 1);
    let second = life.try_start("w", json!({"n": 1})).unwrap();
    let third = life.try_start("w", json!({"n": "succeed"})).unwrap();
    assert!(second.queued && third.queued);
    world.ledger.let_go(1);
    assert_eq!(verdict(&life.wait(first)), None);
    assert_eq!(
        verdict(&life.wait(second.id)),
        Some(FailureKind::StepFailed)
    );
    assert_eq!(life.trail(second.id), ["a template_error"]);
    // Its end makes a place, too.
    assert_eq!(verdict(&life.wait(third.id)), None);
    life.check(&world);
}

#[test]
fn a_gateway_that_leaves_others_alone_leaves_those_that_wait_too() {
    let world = World::new();
    world.write("w", &with_limit("{limit: 1}", WAITS));
    let life = world.live();
    let left: Vec<_> = (0..3).map(|_| life.start("w", json!({}))).collect();
    life.until_called(&world, 1);
    life.kill();
    let leave = |builder: gateway::GatewayBuilder| builder.left_behind(LeftBehind::Leave);
    let life = world.live_with(leave);
    // The first of them has begun, and holds the only place.
    let own = life.try_start("w", json!({})).unwrap();
    assert!(own.queued);
    assert_eq!(standing(&life), (1, 3));
    life.shutdown();
    assert_eq!(world.ledger.calls().len(), 1);
    world.ledger.let_go(4);
    let life = world.live();
    for id in left.iter().chain([&own.id]) {
        assert_eq!(verdict(&life.wait(*id)), None);
    }
    assert_eq!(first_calls(&world)[..1], texts(&left)[..1]);
    assert_eq!(world.ledger.calls().len(), 5);
}

#[test]
fn an_endless_loop_makes_way_for_those_that_wait_and_goes_on() {
    let world = World::with(
        "maxSteps: 6000\nsteps:\n  - {id: a, action: noop, branches: [{condition: 'true', goto: a}]}",
    );
    world.write("other", "  - {id: a, action: noop}");
    let life = world.live_with(|builder| {
        builder
            .max_concurrent_executions(1)
            .durability(Durability::Normal)
    });
    let looping = life.start("w", json!({}));
    let others = start_many(&life, "other", 3);
    for id in others {
        assert_eq!(verdict(&life.wait(id)), None);
    }
    // They had their turns long before it came to its end.
    assert!(
        life.run(life.gateway.reader().execution(looping))
            .unwrap()
            .state
            == ExecutionState::Running
    );
    life.wait(looping);
    assert_eq!(life.journal(looping).len(), 6_000);
    life.check(&world);
}
