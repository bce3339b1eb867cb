//! What a sudden end and an orderly one leave, and how the next start goes on.

use std::time::Duration;

use gateway::workflow_types::approval::{GateKind, Resolution};
use gateway::workflow_types::execution::{FailureKind, VisitState};
use gateway::workflow_types::id::ExecutionId;
use gateway::{Decided, ErrorKind};
use serde_json::json;

use crate::support::{Life, World, actor, failure, is_paused, once, verdict};

/// One call of a tool that waits until the test lets it go, and a step after it.
fn waiting(tool: &str, more: &str) -> String {
    format!(
        "
  - {{id: a, action: tool, tool: {tool}, args: {{do: wait, give: 1}}{more}}}
  - {{id: b, action: noop}}"
    )
}

/// Starts the workflow `w`, and ends the process in the middle of its first call.
fn kill_within_a_call(world: &World) -> ExecutionId {
    let before = world.ledger.calls().len();
    let life = world.live();
    let id = life.start("w", json!({}));
    life.until_called(world, before + 1);
    life.kill();
    id
}

fn resolve(
    life: &Life,
    id: ExecutionId,
    resolution: Resolution,
) -> Result<Decided, gateway::Error> {
    let gate = life.gate(id);
    life.run(
        life.gateway
            .resolve(gate.id, resolution, actor("ann"), None),
    )
}

#[test]
fn an_interrupted_call_that_may_be_repeated_is_with_the_same_key_and_attempt() {
    for tool in ["put", "look"] {
        let world = World::with(&waiting(tool, ""));
        let id = kill_within_a_call(&world);
        world.ledger.let_go(1);
        let life = world.live();
        assert_eq!(life.gateway.started().taken_up, 1);
        assert_eq!(verdict(&life.wait(id)), None);
        assert_eq!(life.trail(id), ["a 1", "b null"]);
        let calls = world.ledger.calls();
        assert_eq!(calls.len(), 2);
        assert_eq!(calls[0], calls[1]);
        life.check(&world);
    }
}

#[test]
fn a_model_that_is_asked_again_after_a_crash_is_told_why_its_answer_was_refused() {
    let world = World::with(
        "
  - id: a
    action: model
    prompt: how many
    outputSchema: {n: number}
    retry: {maxAttempts: 2, initialBackoff: 0}",
    );
    world.ledger.will_answer(&["many", "wait", "{\"n\": 1}"]);
    let life = world.live();
    let id = life.start("w", json!({}));
    life.until_called(&world, 2);
    life.kill();
    let life = world.live();
    assert_eq!(verdict(&life.wait(id)), None);
    let calls = world.ledger.calls();
    assert_eq!(calls.len(), 3);
    assert!(calls[1].previous_error.is_some());
    assert_eq!(calls[1], calls[2]);
    life.check(&world);
}

#[test]
fn an_interrupted_destructive_call_asks_and_is_not_made_again_by_itself() {
    for tool in ["act", "unsure"] {
        let world = World::with(&waiting(tool, ""));
        let id = kill_within_a_call(&world);
        let life = world.live();
        assert!(is_paused(&life.wait(id)), "{tool}");
        let gate = life.gate(id);
        assert_eq!(gate.kind, GateKind::Interrupted);
        assert_eq!(gate.request["args"], json!({"do": "wait", "give": 1}));
        assert_eq!(world.ledger.calls().len(), 1);
        life.check(&world);
        let refused = life.approve(&gate, "ann").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Conflict);
        life.shutdown();
        let life = world.live();
        assert!(is_paused(&life.wait(id)));
        assert_eq!(life.gate(id).id, gate.id);
    }
}

#[test]
fn a_person_lets_an_interrupted_call_run_again_with_the_same_key_and_attempt() {
    let world = World::with(&waiting("act", ""));
    let id = kill_within_a_call(&world);
    let life = world.live();
    life.wait(id);
    assert_eq!(
        resolve(&life, id, Resolution::Rerun).unwrap(),
        Decided::Settled
    );
    assert_eq!(
        resolve(&life, id, Resolution::Rerun).unwrap(),
        Decided::Repeated
    );
    let error = resolve(&life, id, Resolution::Fail).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(
        error.to_string().contains("resolved as rerun by ann at"),
        "{error}"
    );
    world.ledger.let_go(1);
    assert_eq!(verdict(&life.wait(id)), None);
    let calls = world.ledger.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0], calls[1]);
    life.check(&world);
}

#[test]
fn a_person_says_that_an_interrupted_call_is_done_or_has_failed() {
    let world = World::with(&waiting("act", ""));
    let id = kill_within_a_call(&world);
    let life = world.live();
    life.wait(id);
    let output = json!({"sent": true});
    resolve(&life, id, Resolution::Done { output }).unwrap();
    assert_eq!(verdict(&life.wait(id)), None);
    assert_eq!(life.trail(id), [r#"a {"sent":true}"#, "b null"]);
    life.shutdown();

    let id = kill_within_a_call(&world);
    let life = world.live();
    life.wait(id);
    resolve(&life, id, Resolution::Fail).unwrap();
    let done = life.wait(id);
    assert_eq!(failure(&done).kind, FailureKind::Interrupted);
    assert_eq!(
        failure(&done).message,
        "step `a` failed: interrupted, and ann said that it fails"
    );
    assert_eq!(world.ledger.calls().len(), 2);
    life.check(&world);
}

#[test]
fn an_output_that_a_person_records_is_bounded_too() {
    let world = World::with(&waiting("act", ""));
    let id = kill_within_a_call(&world);
    let life = world.live_with(|builder| builder.max_output_bytes(10));
    life.wait(id);
    let output = json!("much too long");
    let refused = resolve(&life, id, Resolution::Done { output }).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(is_paused(&life.wait(id)));
}

#[test]
fn a_call_behind_an_approval_that_is_interrupted_asks_once_more() {
    let world = World::with(&waiting("act", ", approvalRequired: true"));
    for round in 1..=8 {
        let life = world.live();
        let id = life.settle(json!({})).id;
        life.approve(&life.gate(id), "ann").unwrap();
        life.until_called(&world, round);
        life.kill();
        // The clock stands still: both gates are asked for at the same moment.
        let life = world.live();
        assert!(is_paused(&life.wait(id)));
        assert_eq!(life.gate(id).kind, GateKind::Interrupted);
        resolve(&life, id, Resolution::Fail).unwrap();
        assert_eq!(verdict(&life.wait(id)), Some(FailureKind::Interrupted));
        assert_eq!(world.ledger.calls().len(), round);
        life.check(&world);
        life.shutdown();
    }
}

#[test]
fn the_author_says_what_an_interruption_means() {
    let world = World::with(&waiting("put", ", onInterrupt: fail, onFailure: b"));
    let id = kill_within_a_call(&world);
    let life = world.live();
    assert_eq!(verdict(&life.wait(id)), None);
    assert_eq!(life.trail(id), ["a interrupted", "b null"]);
    life.shutdown();

    let world = World::with(&waiting("act", ", onInterrupt: fail"));
    let id = kill_within_a_call(&world);
    let life = world.live();
    assert_eq!(verdict(&life.wait(id)), Some(FailureKind::Interrupted));
    life.shutdown();

    let world = World::with(&waiting("act", ", onInterrupt: rerun"));
    let id = kill_within_a_call(&world);
    world.ledger.let_go(1);
    let life = world.live();
    assert_eq!(verdict(&life.wait(id)), None);
    life.shutdown();

    let world = World::with(&waiting("look", ", onInterrupt: ask"));
    let id = kill_within_a_call(&world);
    let life = world.live();
    assert!(is_paused(&life.wait(id)));
}

#[test]
fn a_paused_execution_stays_paused_and_then_runs_once() {
    let world = World::with("\n  - {id: a, action: tool, tool: act, approvalRequired: true}");
    let life = world.live();
    let id = life.settle(json!({})).id;
    life.kill();
    let life = world.live();
    assert_eq!(life.gateway.started().taken_up, 0);
    assert!(is_paused(&life.wait(id)));
    life.shutdown();
    let life = world.live();
    life.approve(&life.gate(id), "ann").unwrap();
    assert_eq!(verdict(&life.wait(id)), None);
    life.shutdown();
    let life = world.live();
    assert_eq!(verdict(&life.wait(id)), None);
    assert_eq!(world.ledger.calls().len(), 1);
}

#[test]
fn a_gate_that_expired_while_the_process_was_down_is_expired_at_the_next_start() {
    let world = World::with(
        "
  - {id: a, action: tool, tool: act, approvalRequired: {timeout: 1h, onTimeout: approve}}",
    );
    let life = world.live();
    let id = life.settle(json!({})).id;
    life.kill();
    world.clock.advance(Duration::from_hours(2));
    let life = world.live();
    life.until_called(&world, 1);
    let mut follower = life.gateway.follow(id);
    while is_paused(&life.wait(id)) {
        life.run(follower.changed());
    }
    assert_eq!(verdict(&life.wait(id)), None);
    assert_eq!(world.ledger.calls().len(), 1);
}

#[test]
fn an_attempt_that_ends_while_the_gateway_drains_is_recorded_and_the_next_step_waits_unbegun() {
    let world = World::with(
        "
  - {id: a, action: tool, tool: act, args: {do: wait}}
  - {id: b, action: tool, tool: act, args: {give: 2}}",
    );
    let life = world.live();
    let id = life.start("w", json!({}));
    life.until_called(&world, 1);
    let mut ending = Box::pin(life.gateway.shutdown());
    life.runtime.block_on(async {
        // The shutdown has begun before the call ends.
        assert!(once(&mut ending).await.is_pending());
        world.ledger.let_go(1);
        ending.await.unwrap();
    });
    assert_eq!(world.ledger.attempts(), ["a#1"]);
    let reading = tokio::runtime::Runtime::new().unwrap();
    let journal = reading.block_on(async {
        let reader = gateway::Reader::open(world.database()).await.unwrap();
        reader.journal(id, 1, 10).await.unwrap()
    });
    assert_eq!(journal[1].state, VisitState::Ready);

    let life = world.live();
    assert_eq!(verdict(&life.wait(id)), None);
    assert_eq!(world.ledger.attempts(), ["a#1", "b#1"]);
    assert_eq!(life.run(life.gateway.reader().gates(id)).unwrap(), []);
}

#[test]
fn what_is_queued_at_a_shutdown_goes_on_after_it_without_asking() {
    let world = World::with("\n  - {id: a, action: tool, tool: act, args: {do: wait}}");
    let life = world.live_with(|builder| builder.max_concurrent_executions(2));
    let ids: Vec<_> = (0..10).map(|_| life.start("w", json!({}))).collect();
    life.until_called(&world, 2);
    let mut ending = Box::pin(life.gateway.shutdown());
    life.runtime.block_on(async {
        assert!(once(&mut ending).await.is_pending());
        world.ledger.let_go(10);
        ending.await.unwrap();
    });
    assert_eq!(world.ledger.calls().len(), 2);
    let life = world.live();
    for id in &ids {
        assert_eq!(verdict(&life.wait(*id)), None);
    }
    assert_eq!(world.ledger.calls().len(), 10);
    life.check(&world);
}

/// Shuts down while the one call of the workflow `w` runs, moving the clock past the drain period.
fn shut_down_within_a_call(world: &World) -> ExecutionId {
    let life = world.live();
    let id = life.start("w", json!({}));
    life.until_called(world, 1);
    let mut ending = Box::pin(life.gateway.shutdown());
    life.runtime.block_on(async {
        assert!(once(&mut ending).await.is_pending());
        world.clock.advance(Duration::from_secs(30));
        assert!(once(&mut ending).await.is_pending());
        world.ledger.until_cancelled(1).await;
    });
    let ending = life.runtime.spawn(ending);
    while !ending.is_finished() {
        world.clock.advance(Duration::from_millis(100));
        std::thread::yield_now();
    }
    life.runtime.block_on(ending).unwrap().unwrap();
    id
}

#[test]
fn what_is_cancelled_by_a_shutdown_is_interrupted_and_never_a_failure_of_the_tool() {
    for reaction in ["wait or be cancelled", "ignore cancellation"] {
        let world = World::with(&format!(
            "
  - id: a
    action: tool
    tool: act
    args: {{do: {reaction}}}
    timeout: 7d
    onFailure: b
  - {{id: b, action: noop}}"
        ));
        let id = shut_down_within_a_call(&world);
        let life = world.live();
        assert!(is_paused(&life.wait(id)), "{reaction}");
        assert_eq!(life.gate(id).kind, GateKind::Interrupted);
        assert_eq!(life.trail(id), ["a waiting"]);
        life.check(&world);
    }
}

#[test]
fn a_success_within_the_grace_of_a_shutdown_is_recorded() {
    let world = World::with(
        "
  - {id: a, action: tool, tool: act, args: {do: finish when cancelled, give: 1}, timeout: 7d}
  - {id: b, action: noop}",
    );
    let id = shut_down_within_a_call(&world);
    let life = world.live();
    assert_eq!(verdict(&life.wait(id)), None);
    assert_eq!(life.trail(id), ["a 1", "b null"]);
    assert_eq!(world.ledger.calls().len(), 1);
}

#[test]
fn a_gateway_that_is_dropped_stops_and_lets_go_of_the_database() {
    let world = World::with(&waiting("put", ""));
    let life = world.live();
    let id = life.start("w", json!({}));
    life.until_called(&world, 1);
    // The runtime lives on, as that of a host does.
    let (runtime, gateway) = (life.runtime, life.gateway);
    let dropping = std::thread::spawn(move || drop(gateway));
    dropping.join().unwrap();
    let advancing = world.clock.clone();
    let next = loop {
        // The grace period of the call that is cancelled.
        advancing.advance(Duration::from_millis(100));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        match runtime.block_on(world.builder().start()) {
            Ok(gateway) => break Life { runtime, gateway },
            Err(error) => assert_eq!(error.kind(), ErrorKind::Owned),
        }
    };
    world.ledger.let_go(1);
    assert_eq!(verdict(&next.wait(id)), None);
    assert_eq!(world.ledger.calls().len(), 2);
    drop(runtime);
}

#[test]
fn an_execution_whose_definition_is_damaged_fails_and_the_others_go_on() {
    let world = World::with(&waiting("put", ""));
    let damaged = kill_within_a_call(&world);
    world.write("w", &waiting("look", ""));
    let sound = kill_within_a_call(&world);
    let digest = {
        let life = world.live();
        let digest = life
            .run(life.gateway.reader().execution(damaged))
            .unwrap()
            .definition;
        life.kill();
        digest
    };
    damage(&world, &digest.to_string());
    world.ledger.let_go(9);
    let life = world.live();
    let done = life.wait(damaged);
    assert_eq!(failure(&done).kind, FailureKind::DefinitionError);
    assert_eq!(verdict(&life.wait(sound)), None);
}

/// Overwrites a stored definition in the file, byte by byte, as a failing disk would.
fn damage(world: &World, digest: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        // Its writer leaves everything in the one file.
        while let Err(error) = gateway::database::migrate(world.database()).await {
            assert_eq!(error.kind(), ErrorKind::Owned);
        }
        let reader = gateway::Reader::open(world.database()).await.unwrap();
        let saved = reader.definition(&digest.parse().unwrap()).await.unwrap();
        let wanted = saved.stored.json().as_bytes().to_vec();
        let mut bytes = std::fs::read(world.database()).unwrap();
        let found =
            (0..bytes.len() - wanted.len()).find(|start| bytes[*start..].starts_with(&wanted));
        bytes[found.unwrap() + 2] = b'X';
        std::fs::write(world.database(), bytes).unwrap();
    });
}
