//! What waiting costs: the timer asks the store when something is due, not whenever something waits.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use gateway::store::{Durability, SqliteStore, Store};
use gateway::workflow_types::execution::ExecutionStatus;
use gateway::workflow_types::schedule::Policies;
use gateway::{Clock as _, ExecutionFilter, LeftBehind, ScheduleEvent};
use serde_json::json;

use crate::schedules::{id, request};
use crate::support::counting::{Counting, Counts};
use crate::support::{Life, World};

/// A gateway in this world whose questions to its store are counted.
fn counted(world: &World, slots: usize) -> (Life, Counts) {
    counted_from_the_start(world, slots, |_| {})
}

/// The same, with a store that is prepared before the gateway asks it anything.
fn counted_from_the_start(
    world: &World,
    slots: usize,
    prepare: impl FnOnce(&Counts),
) -> (Life, Counts) {
    let path = world.database();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let opened = runtime.block_on(SqliteStore::open(&path, Durability::Normal));
    let store: Arc<dyn Store> = Arc::new(opened.unwrap().0);
    let (store, counts) = Counting::around(store);
    prepare(&counts);
    let life = world.live_with(|builder| {
        builder
            .store(Arc::clone(&store))
            .left_behind(LeftBehind::TakeUp)
            .max_concurrent_executions(slots)
    });
    (life, counts)
}

/// How many executions there are of a status.
fn count(life: &Life, status: ExecutionStatus) -> usize {
    let filter = ExecutionFilter {
        status: Some(status),
        ..ExecutionFilter::default()
    };
    let page = life.gateway.reader().executions(filter, None, 10_000);
    life.run(page).unwrap().items.len()
}

#[test]
fn gates_that_do_not_expire_ask_nothing_of_the_timer() {
    const GATES: usize = 200;
    let world = World::with("  - {id: a, action: noop, approvalRequired: true}");
    let (life, counts) = counted(&world, 64);
    for _ in 0..GATES {
        life.start("w", json!({}));
    }
    assert_eq!(count(&life, ExecutionStatus::Paused), GATES);
    let asked = counts.of("next_due");
    assert!(asked <= 1, "{asked} rounds for {GATES} gates");
}

#[test]
fn what_is_due_later_than_the_next_asks_nothing_of_the_timer() {
    const RETRIES: usize = 200;
    let world = World::with(
        "  - {id: a, action: tool, tool: act, args: {from: 2},
       retry: {maxAttempts: 2, initialBackoff: 1m, jitter: 0}}",
    );
    let (life, counts) = counted(&world, 64);
    let ids: Vec<_> = (0..RETRIES)
        .map(|_| {
            let id = life.start("w", json!({}));
            life.until_backing_off(id, 1);
            id
        })
        .collect();
    // One when it begins, one for the first of all; each of the others is due no earlier.
    let asked = counts.of("next_due");
    assert!(asked <= 3, "{asked} rounds for {RETRIES} retries");
    world.clock.advance(Duration::from_mins(1));
    for id in ids {
        life.wait(id);
    }
    let asked = counts.of("next_due") - asked;
    assert!(
        asked <= 8,
        "{asked} rounds for {RETRIES} that are due together"
    );
}

#[test]
fn retries_that_are_due_and_wait_for_a_turn_ask_nothing_of_the_timer() {
    const RETRIES: usize = 100;
    let world = World::with(
        "  - {id: a, action: tool, tool: act, args: {from: 2},
       retry: {maxAttempts: 2, initialBackoff: 1m, jitter: 0}}",
    );
    world.write(
        "busy",
        "  - {id: a, action: tool, tool: put, args: {do: wait}, timeout: 7d}",
    );
    let (life, counts) = counted(&world, 1);
    for _ in 0..RETRIES {
        let id = life.start("w", json!({}));
        life.until_backing_off(id, 1);
    }
    let called = world.ledger.calls().len();
    life.start("busy", json!({}));
    life.until_called(&world, called + 1);
    world.clock.advance(Duration::from_mins(1));
    let reads = life.gateway.reader().clone();
    let queued = || {
        let filter = ExecutionFilter::default();
        let page = life.run(reads.executions(filter, None, 10_000)).unwrap();
        page.items.iter().filter(|one| one.queued).count()
    };
    while queued() < RETRIES {
        std::thread::yield_now();
    }
    let before = counts.of("next_due");
    // Time passes, and others come and go, while they wait.
    for _ in 0..100 {
        world.clock.advance(Duration::from_millis(1));
        let gate = life.gateway.reader().waiting_gates();
        assert!(life.run(gate).unwrap().items.is_empty());
    }
    let after = counts.of("next_due");
    assert!(after <= before + 1, "{before} rounds became {after}");
    world.ledger.let_go(1);
    while count(&life, ExecutionStatus::Completed) < RETRIES + 1 {
        std::thread::yield_now();
    }
    let asked = counts.of("next_due");
    assert!(asked <= 12, "{asked} rounds in all");
}

#[test]
fn the_scheduler_asks_a_database_that_does_not_answer_less_and_less_often() {
    let world = World::with("  - {id: a, action: noop}");
    let (life, counts) = counted(&world, 64);
    life.add(request("0 * * * *", Policies::default()));
    // What comes first was read ahead; what follows is asked for as long as nobody answers.
    counts.fail("next_schedules_due");
    let asked = || counts.of("next_schedules_due");
    let until_asked = |before: usize| {
        while asked() == before {
            world.clock.advance(Duration::from_millis(50));
            std::thread::yield_now();
        }
    };
    // Until it is due, and has failed a few times.
    let before = asked();
    world.clock.advance(Duration::from_hours(1));
    until_asked(before);
    for failures in 1..=8 {
        let (before, begun) = (asked(), world.clock.now());
        until_asked(before);
        let pause = world.clock.now().since(begun);
        // Who was told to look at the beginning looks at once.
        let least = Duration::from_millis(if failures < 4 {
            0
        } else {
            100 << (failures - 2)
        });
        assert!(pause >= least, "{pause:?} after {failures} failures");
    }
    counts.heal();
    until_asked(asked());
    life.settle_schedules(&world);
    assert_eq!(life.told()[0], "10:00 started");
}

#[test]
fn failures_count_of_a_schedule_that_is_added_while_the_first_look_is_under_way() {
    let world = World::with("  - {id: a, action: tool, tool: act, args: {do: refuse}}");
    // The first look has read that no schedule is watched, and does not know it yet.
    let hold = |counts: &Counts| counts.hold("watched_schedules");
    let (life, counts) = counted_from_the_start(&world, 64, hold);
    while counts.of("watched_schedules") == 0 {
        std::thread::yield_now();
    }
    let policies = Policies {
        pause_after_failures: NonZeroU32::new(1),
        ..Policies::default()
    };
    life.add(request("0 * * * *", policies));
    let mut events = life.gateway.schedules().watch();
    counts.let_go();
    life.at(&world, "10:00:00");
    let failing = ScheduleEvent::Failing {
        schedule: id("s"),
        failures: 1,
    };
    life.run(async { while events.next().await.unwrap() != failing {} });
}
