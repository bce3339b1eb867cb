//! What becomes of a fire time that comes while an execution of its schedule is not finished.

use gateway::workflow_types::schedule::{FireOutcome, Overlap, Policies};

use crate::schedules::request;
use crate::support::{World, actor, verdict};

const WAIT: &str =
    "\n  - {id: a, action: tool, tool: act, timeout: 1d, args: {do: wait or be cancelled}}";
const GATE: &str = "\n  - {id: a, action: noop, approvalRequired: {timeout: 7d}}";

fn overlap(overlap: Overlap) -> Policies {
    Policies {
        overlap,
        ..Policies::default()
    }
}

#[test]
fn an_execution_that_runs_keeps_the_next_fire_from_running() {
    let world = World::with(WAIT);
    let life = world.live();
    life.add(request("0 * * * *", overlap(Overlap::Skip)));
    life.at(&world, "10:00:00");
    life.until_called(&world, 1);
    life.at(&world, "11:00:00");
    assert_eq!(life.told(), ["10:00 started", "11:00 skipped_overlap"]);
    world.ledger.let_go(1);
    life.wait(life.executions()[0].id);
    life.at(&world, "12:00:00");
    assert_eq!(life.told().last().unwrap(), "12:00 started");
}

#[test]
fn one_that_waits_for_a_person_runs_unless_it_is_passed_over() {
    for (ignores, expected) in [(false, "11:00 skipped_overlap"), (true, "11:00 started")] {
        let world = World::with(GATE);
        let life = world.live();
        let policies = Policies {
            overlap_ignores_paused: ignores,
            ..overlap(Overlap::Skip)
        };
        life.add(request("0 * * * *", policies));
        life.at(&world, "10:00:00");
        life.wait(life.executions()[0].id);
        life.at(&world, "11:00:00");
        assert_eq!(life.told(), ["10:00 started", expected]);
        if !ignores {
            let reason = "1 of its executions is not finished: it waits for a decision".to_owned();
            let skipped = FireOutcome::SkippedOverlap { reason };
            assert_eq!(life.fires("s")[1].outcome, skipped);
        }
    }
}

#[test]
fn one_buffered_fire_starts_when_the_execution_before_it_ends() {
    let world = World::with(WAIT);
    let life = world.live();
    life.add(request("0 * * * *", overlap(Overlap::BufferOne)));
    life.at(&world, "10:00:00");
    life.until_called(&world, 1);
    life.at(&world, "11:00:00");
    life.at(&world, "12:00:00");
    assert_eq!(
        life.told(),
        ["10:00 started", "11:00 buffered", "12:00 skipped_overlap"]
    );
    world.ledger.let_go(1);
    life.until_told(&["10:00 started", "11:00 started", "12:00 skipped_overlap"]);
    life.until_called(&world, 2);
    assert_eq!(life.schedule("s").runs, 2);
    life.check(&world);
}

#[test]
fn all_buffered_fires_start_one_after_the_other_over_a_restart_too() {
    let world = World::with(WAIT);
    let life = world.live();
    life.add(request("0 * * * *", overlap(Overlap::BufferAll)));
    for time in ["10:00:00", "11:00:00", "12:00:00"] {
        life.at(&world, time);
    }
    assert_eq!(
        life.told(),
        ["10:00 started", "11:00 buffered", "12:00 buffered"]
    );
    let first = life.executions()[0].id;
    life.until_called(&world, 1);
    life.kill();
    let life = world.live();
    life.run(life.gateway.cancel(first, actor("ann"), None))
        .unwrap();
    life.until_told(&["10:00 started", "11:00 started", "12:00 buffered"]);
    life.until_called(&world, 2);
    world.ledger.let_go(1);
    life.until_told(&["10:00 started", "11:00 started", "12:00 started"]);
    life.until_called(&world, 3);
    let scheduled: std::collections::BTreeSet<_> = life
        .executions()
        .iter()
        .map(|one| one.scheduled_for)
        .collect();
    assert_eq!(scheduled.len(), 3);
}

#[test]
fn the_next_fire_takes_the_place_of_the_execution_before() {
    for steps in [WAIT, GATE] {
        let world = World::with(steps);
        let life = world.live();
        life.add(request("0 * * * *", overlap(Overlap::CancelOther)));
        life.at(&world, "10:00:00");
        let first = life.executions()[0].id;
        if steps == GATE {
            life.wait(first);
        } else {
            life.until_called(&world, 1);
        }
        life.at(&world, "11:00:00");
        let ended = life.wait(first);
        assert_eq!(verdict(&ended).unwrap().as_str(), "cancelled");
        assert_eq!(life.told(), ["10:00 started", "11:00 started"]);
        assert_eq!(life.executions().len(), 2);
    }
}

#[test]
fn fires_that_may_overlap_all_run() {
    let world = World::with(WAIT);
    let life = world.live();
    life.add(request("0 * * * *", overlap(Overlap::Allow)));
    for time in ["10:00:00", "11:00:00", "12:00:00"] {
        life.at(&world, time);
    }
    life.until_called(&world, 3);
    assert_eq!(life.executions().len(), 3);
}

#[test]
fn a_workflow_that_skips_more_than_its_limit_makes_a_skipped_fire() {
    let world = World::with(
        "concurrency: {limit: 1, onLimit: skip}\nsteps:\n  - {id: a, action: tool, tool: act, timeout: 1d, args: {do: wait}}\n",
    );
    let life = world.live();
    life.add(request("0 * * * *", overlap(Overlap::Allow)));
    life.at(&world, "10:00:00");
    life.at(&world, "11:00:00");
    assert_eq!(life.told(), ["10:00 started", "11:00 skipped_overlap"]);
    assert_eq!(life.schedule("s").runs, 1);
}
