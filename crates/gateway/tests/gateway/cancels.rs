//! Cancelling executions wherever they stand, and what a sudden end makes of it.

use std::time::Duration;

use gateway::workflow_types::execution::{ExecutionState, FailureKind};
use gateway::workflow_types::id::ExecutionId;
use gateway::{Cancelled, Error, ErrorKind};
use serde_json::json;

use crate::support::{Life, World, actor, failure, is_paused, once, verdict};

fn cancel(life: &Life, id: ExecutionId, who: &str) -> Result<Cancelled, Error> {
    let reason = Some("not needed".to_owned());
    life.run(life.gateway.cancel(id, actor(who), reason))
}

/// The execution has ended as cancelled, and nothing contradicts it.
fn is_over(world: &World, life: &Life, id: ExecutionId, trail: &[&str]) {
    let done = life.wait(id);
    assert_eq!(failure(&done).kind, FailureKind::Cancelled);
    assert_eq!(failure(&done).message, "cancelled by ann: not needed");
    assert_eq!(life.trail(id), trail);
    assert!(life.gateway.stuck(id).is_none());
    life.check(world);
}

/// One call of a tool, and a way for its failure.
fn one_call(what: &str) -> String {
    format!(
        "
  - {{id: a, action: tool, tool: act, args: {{do: {what}, give: 1}}, timeout: 7d, onFailure: b}}
  - {{id: b, action: noop}}"
    )
}

#[test]
fn what_waits_at_a_gate_or_for_its_next_attempt_ends_at_once() {
    let world = World::with("\n  - {id: a, action: tool, tool: act, approvalRequired: true}");
    world.write(
        "r",
        "  - {id: a, action: tool, tool: act, args: {do: fail}, retry: {maxAttempts: 3, initialBackoff: 1h}, onFailure: $end}",
    );
    let life = world.live();
    let paused = life.settle(json!({})).id;
    cancel(&life, paused, "ann").unwrap();
    is_over(&world, &life, paused, &["a cancelled"]);
    let late = life.approve(&life.gate(paused), "bob").unwrap_err();
    assert!(late.to_string().contains("withdrawn at"), "{late}");

    let waiting = life.start("r", json!({}));
    life.until_backing_off(waiting, 1);
    cancel(&life, waiting, "ann").unwrap();
    is_over(&world, &life, waiting, &["a cancelled"]);
    world.clock.advance(Duration::from_hours(2));
    life.shutdown();
    let life = world.live();
    assert_eq!(verdict(&life.wait(waiting)), Some(FailureKind::Cancelled));
    assert_eq!(world.ledger.calls().len(), 1);
}

#[test]
fn what_waits_for_its_turn_ends_without_having_begun() {
    let world = World::with(&one_call("wait"));
    let life = world.live_with(|builder| builder.max_concurrent_executions(1));
    let first = life.start("w", json!({}));
    life.until_called(&world, 1);
    let queued = life.start("w", json!({}));
    let last = life.start("w", json!({}));
    cancel(&life, queued, "ann").unwrap();
    is_over(&world, &life, queued, &[]);
    world.ledger.let_go(2);
    assert_eq!(verdict(&life.wait(first)), None);
    assert_eq!(verdict(&life.wait(last)), None);
    assert_eq!(world.ledger.calls().len(), 2);
}

#[test]
fn what_was_approved_and_waits_for_a_slot_ends_and_its_place_goes_to_the_next() {
    let world = World::new();
    world.write("busy", &one_call("wait"));
    world.write(
        "w",
        "concurrency: {limit: 1}\nsteps:\n  - {id: a, action: tool, tool: act, approvalRequired: true}",
    );
    let life = world.live_with(|builder| builder.max_concurrent_executions(1));
    let asked = life.settle(json!({})).id;
    let next = life.start("w", json!({}));
    let busy = life.start("busy", json!({}));
    life.until_called(&world, 1);
    life.approve(&life.gate(asked), "bob").unwrap();
    let waits = life.run(life.gateway.reader().execution(asked)).unwrap();
    assert!(waits.queued);
    cancel(&life, asked, "ann").unwrap();
    is_over(&world, &life, asked, &["a cancelled"]);
    world.ledger.let_go(1);
    life.wait(busy);
    assert!(is_paused(&life.wait(next)));
}

#[test]
fn what_a_crash_interrupted_ends_although_it_waits_for_a_slot() {
    let world = World::with("\n  - {id: a, action: tool, tool: put, args: {do: wait}}");
    let life = world.live();
    let mut both = [life.start("w", json!({})), life.start("w", json!({}))];
    life.until_called(&world, 2);
    life.kill();
    let life = world.live_with(|builder| builder.max_concurrent_executions(1));
    life.until_called(&world, 3);
    // Of one instant, either may come first.
    both.sort_by_key(|id| {
        life.run(life.gateway.reader().execution(*id))
            .unwrap()
            .queued
    });
    let [first, second] = both;
    let asked = cancel(&life, second, "ann").unwrap();
    assert!(matches!(asked, Cancelled::Requested(_)));
    is_over(&world, &life, second, &["a cancelled"]);
    world.ledger.let_go(3);
    assert_eq!(verdict(&life.wait(first)), None);
    assert_eq!(world.ledger.calls().len(), 3);
}

#[test]
fn a_running_attempt_is_told_and_its_failure_is_not_the_tools() {
    let world = World::with(&one_call("wait or be cancelled"));
    let life = world.live();
    let id = life.start("w", json!({}));
    life.until_called(&world, 1);
    let first = cancel(&life, id, "ann").unwrap();
    assert!(matches!(first, Cancelled::Requested(_)));
    is_over(&world, &life, id, &["a cancelled"]);
    life.run(world.ledger.until_cancelled(1));
    // Asked again, it answers who asked first.
    let Cancelled::Repeated(asked) = cancel(&life, id, "bob").unwrap() else {
        panic!("it was asked before");
    };
    assert_eq!(asked.actor, actor("ann"));
    assert_eq!(life.trail(id), ["a cancelled"]);
}

#[test]
fn an_attempt_that_does_not_listen_is_given_up_after_its_grace() {
    let world = World::with(&one_call("ignore cancellation"));
    let life = world.live();
    let id = life.start("w", json!({}));
    life.until_called(&world, 1);
    cancel(&life, id, "ann").unwrap();
    life.run(world.ledger.until_cancelled(1));
    let mut waiting = Box::pin(life.gateway.wait(id));
    life.run(async {
        assert!(once(&mut waiting).await.is_pending());
        while once(&mut waiting).await.is_pending() {
            world.clock.advance(Duration::from_millis(100));
            tokio::task::yield_now().await;
        }
    });
    drop(waiting);
    is_over(&world, &life, id, &["a cancelled"]);
}

#[test]
fn an_attempt_that_succeeds_all_the_same_is_recorded_and_nothing_follows_it() {
    let world = World::with(&one_call("finish when cancelled"));
    let life = world.live();
    let id = life.start("w", json!({}));
    life.until_called(&world, 1);
    cancel(&life, id, "ann").unwrap();
    is_over(&world, &life, id, &["a 1"]);
}

#[test]
fn a_process_that_dies_before_the_end_leaves_a_cancelled_execution_and_runs_nothing_again() {
    for tool in ["act", "put"] {
        let steps = one_call("ignore cancellation").replace("tool: act", &format!("tool: {tool}"));
        let world = World::with(&steps);
        let life = world.live();
        let id = life.start("w", json!({}));
        life.until_called(&world, 1);
        cancel(&life, id, "ann").unwrap();
        life.kill();
        let life = world.live();
        is_over(&world, &life, id, &["a cancelled"]);
        assert_eq!(world.ledger.calls().len(), 1, "{tool}");
        life.shutdown();
    }
}

#[test]
fn what_a_process_that_died_left_behind_is_cancelled_by_one_that_leaves_the_rest() {
    let world = World::with(&one_call("wait"));
    let life = world.live();
    let id = life.start("w", json!({}));
    let other = life.start("w", json!({}));
    life.until_called(&world, 2);
    life.kill();
    let life = world.live_with(|builder| builder.left_behind(gateway::LeftBehind::Leave));
    cancel(&life, id, "ann").unwrap();
    is_over(&world, &life, id, &["a cancelled"]);
    assert_eq!(life.trail(other), ["a begun"]);
    assert_eq!(world.ledger.calls().len(), 2);
}

#[test]
fn what_is_over_is_not_cancelled_and_says_how_it_ended() {
    let world = World::with("\n  - {id: a, action: noop}");
    world.write("f", "  - {id: a, action: noop, onSuccess: $fail}");
    let life = world.live();
    let done = life.settle(json!({})).id;
    let failed = life.start("f", json!({}));
    life.wait(failed);
    for (id, how) in [(done, "completed at"), (failed, "failed at")] {
        let error = cancel(&life, id, "ann").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.to_string().contains(how), "{error}");
    }
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
    let error = cancel(&life, unknown, "ann").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn many_cancels_and_approvals_of_one_gate_have_one_outcome() {
    let world = World::with(
        "
  - {id: a, action: tool, tool: act, approvalRequired: true}
  - {id: b, action: tool, tool: act}",
    );
    let life = world.live();
    for round in 0..10 {
        let id = life.settle(json!({})).id;
        let gate = life.gate(id);
        let asked: Vec<_> = life.run(async {
            let each = (0..50).map(|number| {
                let gateway = &life.gateway;
                async move {
                    if (number + round) % 2 == 0 {
                        gateway.cancel(id, actor("ann"), None).await.is_ok()
                    } else {
                        let _ = gateway.approve(gate.id, actor("bob"), None).await;
                        false
                    }
                }
            });
            let mut all = Vec::new();
            let mut racing: Vec<_> = each.map(Box::pin).collect();
            while !racing.is_empty() {
                let mut left = Vec::new();
                for mut racer in racing {
                    match once(&mut racer).await {
                        std::task::Poll::Ready(asked) => all.push(asked),
                        std::task::Poll::Pending => left.push(racer),
                    }
                }
                racing = left;
                tokio::task::yield_now().await;
            }
            all
        });
        assert_eq!(asked.len(), 50);
        let mut follower = life.gateway.follow(id);
        while is_paused(&life.wait(id)) {
            life.run(follower.changed());
        }
        let done = life.wait(id);
        let is_cancelled = verdict(&done) == Some(FailureKind::Cancelled);
        assert_eq!(is_cancelled, asked.contains(&true), "{done:?}");
        assert!(matches!(
            done.state,
            ExecutionState::Completed { .. } | ExecutionState::Failed { .. }
        ));
    }
    life.check(&world);
}
