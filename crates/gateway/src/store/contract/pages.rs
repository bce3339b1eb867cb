//! Laws about lists that are read page by page.

use std::sync::Arc;

use tokio::task::JoinSet;
use workflow_types::execution::{
    Execution, ExecutionFilter, ExecutionStatus, FailureKind, Start, Transition, TriggeredBy, Turn,
};

use super::StoreFactory;
use super::fixture::{OWNER, World, at, cancel, complete, failed, forward, id, paused, running};

/// How many executions there are.
const MANY: u32 = 500;

/// Executions of two workflows and all triggers, several of them at each instant.
fn start(number: u32) -> Start {
    let mut start = if number.is_multiple_of(7) {
        paused(number)
    } else {
        running(number)
    };
    if is_queued(number) {
        start.entry.turn = Turn::Later;
    }
    let execution = &mut start.execution;
    // An order that is neither that of the ids nor that of the writes.
    execution.started_at = at(number * 37 % 101);
    let position = number as usize % TriggeredBy::ALL.len();
    execution.triggered_by = TriggeredBy::ALL[position];
    if number.is_multiple_of(2) {
        execution.workflow_id = "v".parse().unwrap();
    }
    start
}

/// Whether it waits for its turn; such a one has no end.
fn is_queued(number: u32) -> bool {
    number % 5 == 4 && !number.is_multiple_of(7)
}

fn end(number: u32) -> Option<Transition> {
    match number % 5 {
        1 if !number.is_multiple_of(7) => Some(complete(number)),
        2 => Some(cancel(number)),
        3 => Some(Transition {
            state: failed(FailureKind::Denied),
            ..cancel(number)
        }),
        _ => None,
    }
}

/// What was stored, in the order in which it has to be listed.
async fn fill(world: &World) -> Vec<Execution> {
    let mut racing = JoinSet::new();
    for number in 1..=MANY {
        let store = Arc::clone(&world.store);
        racing.spawn(async move {
            let start = start(number);
            let mut execution = start.execution.clone();
            execution.queued = is_queued(number);
            store.start(start, OWNER).await.unwrap();
            if let Some(end) = end(number) {
                execution.state = end.state.clone();
                store.apply(Arc::new(end)).await.unwrap();
            }
            execution
        });
    }
    let mut all = racing.join_all().await;
    all.sort_by_key(|one| std::cmp::Reverse((one.started_at, one.id)));
    all
}

impl World {
    async fn pages(&self, filter: &ExecutionFilter, limit: usize) -> Vec<Execution> {
        let mut listed = Vec::new();
        let mut after = None;
        loop {
            let page = self.reads.executions(filter.clone(), after, limit).await;
            let page = page.unwrap();
            assert_eq!(page.damaged, []);
            assert!(page.items.len() == limit || page.next.is_none());
            listed.extend(page.items);
            after = page.next;
            if after.is_none() {
                return listed;
            }
        }
    }
}

/// Whether an execution is meant.
type Meant = fn(&Execution) -> bool;

fn queued() -> ExecutionFilter {
    ExecutionFilter {
        queued: true,
        ..ExecutionFilter::default()
    }
}

/// Filters, and what each of them lets through.
fn filters() -> Vec<(ExecutionFilter, Meant)> {
    let all = ExecutionFilter::default;
    let failed_with = |kind| ExecutionFilter {
        failure: Some(kind),
        ..all()
    };
    let in_status = |status| ExecutionFilter {
        status: Some(status),
        ..all()
    };
    vec![
        (all(), |_| true),
        (
            ExecutionFilter {
                workflow: Some("v".parse().unwrap()),
                ..all()
            },
            |one| one.workflow_id.to_string() == "v",
        ),
        (in_status(ExecutionStatus::Running), |one| {
            one.state.status() == ExecutionStatus::Running
        }),
        (in_status(ExecutionStatus::Paused), |one| {
            one.state.status() == ExecutionStatus::Paused
        }),
        (in_status(ExecutionStatus::Completed), |one| {
            one.state.status() == ExecutionStatus::Completed
        }),
        (in_status(ExecutionStatus::Failed), |one| {
            one.state.status() == ExecutionStatus::Failed
        }),
        (queued(), |one| one.queued),
        (failed_with(FailureKind::Denied), |one| {
            one.state == failed(FailureKind::Denied)
        }),
        (failed_with(FailureKind::Internal), |_| false),
        (
            ExecutionFilter {
                triggered_by: Some(TriggeredBy::Cron),
                ..all()
            },
            |one| one.triggered_by == TriggeredBy::Cron,
        ),
        (
            ExecutionFilter {
                from: Some(at(20)),
                before: Some(at(40)),
                ..all()
            },
            |one| (at(20)..at(40)).contains(&one.started_at),
        ),
        (
            ExecutionFilter {
                workflow: Some("w".parse().unwrap()),
                status: Some(ExecutionStatus::Failed),
                queued: false,
                failure: Some(FailureKind::Cancelled),
                triggered_by: Some(TriggeredBy::Manual),
                from: Some(at(10)),
                before: Some(at(90)),
            },
            |one| {
                one.workflow_id.to_string() == "w"
                    && one.state == failed(FailureKind::Cancelled)
                    && one.triggered_by == TriggeredBy::Manual
                    && (at(10)..at(90)).contains(&one.started_at)
            },
        ),
    ]
}

pub(super) async fn pages_hold_every_execution_once_the_newest_first(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let expected = fill(&world).await;
    for limit in [1, 2, 7, 100, 499, 500, 501] {
        let listed = world.pages(&ExecutionFilter::default(), limit).await;
        assert!(listed == expected, "in pages of {limit}");
    }
    world.is_sound().await;
}

pub(super) async fn pages_stay_whole_while_executions_start(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let expected = fill(&world).await;
    let mut later = MANY;
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let all = ExecutionFilter::default();
        let page = world.reads.executions(all, after, 20).await.unwrap();
        listed.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
        // Newer than all, and in the middle of what is still to come.
        for started_at in [at(1_000), at(30)] {
            later += 1;
            let mut start = running(later);
            start.execution.started_at = started_at;
            world.start(start).await;
        }
    }
    listed.retain(|one| one.id <= id(MANY));
    assert!(listed == expected);
}

pub(super) async fn every_filter_leaves_out_what_it_says(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let all = fill(&world).await;
    for (filter, is_meant) in filters() {
        let expected: Vec<_> = all.iter().filter(|one| is_meant(one)).cloned().collect();
        for limit in [9, 1_000] {
            let listed = world.pages(&filter, limit).await;
            assert!(listed == expected, "{filter:?} in pages of {limit}");
        }
    }
}

pub(super) async fn a_journal_is_read_in_pages(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    world.start(running(2)).await;
    for from in 1..=24 {
        world.apply(forward(1, from)).await.unwrap();
    }
    let whole = world.stored(1).await.journal;
    let numbers: Vec<u32> = whole.iter().map(|visit| visit.number).collect();
    assert_eq!(numbers, (1..=25).collect::<Vec<u32>>());
    for limit in [1, 4, 25, 26] {
        let mut read = Vec::new();
        for from in (1..=25).step_by(limit) {
            let page = world.reads.journal(id(1), from, limit).await.unwrap();
            read.extend(page);
        }
        assert_eq!(read, whole);
    }
    assert_eq!(world.reads.journal(id(1), 26, 9).await.unwrap(), []);
    assert_eq!(world.reads.journal(id(77), 1, 9).await.unwrap(), []);
}
