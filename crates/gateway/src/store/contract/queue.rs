//! Laws about whose turn it is: what waits is stored, and taken up in order and within limits.

use std::num::NonZeroU32;
use std::sync::Arc;

use tokio::task::JoinSet;
use workflow_types::action::{Concurrency, OnLimit};
use workflow_types::approval::Decision;
use workflow_types::execution::{
    Claimed, Entry, Epoch, Place, Round, Scope, Start, Started, Transition, Turn,
};
use workflow_types::registry::Registration;

use super::fixture::{
    OWNER, World, at, back_off, cancel, complete, gate_id, id, paused, registration, running, vote,
};
use super::{Damage, StoreFactory};

/// One that has to wait for its turn.
fn late(number: u32) -> Start {
    Start {
        entry: Entry {
            turn: Turn::Later,
            ..Entry::UNCONDITIONAL
        },
        ..running(number)
    }
}

/// One that begins if fewer than `limit` of its workflow have begun.
fn limited(start: Start, limit: u32, on_limit: OnLimit) -> Start {
    let limit = NonZeroU32::new(limit).unwrap();
    Start {
        entry: Entry {
            concurrency: Some(Concurrency { limit, on_limit }),
            ..start.entry
        },
        ..start
    }
}

/// The same of the workflow `v`.
fn vary(mut start: Start) -> Start {
    start.execution.workflow_id = "v".parse().unwrap();
    start.execution.definition = registration("v", "Vary").definition.digest().clone();
    start
}

/// Makes the newest definition of a workflow allow so many.
async fn limit(world: &World, id: &str, limit: u32) {
    let changed = Registration {
        concurrency_limit: NonZeroU32::new(limit),
        ..registration(id, &format!("at most {limit}"))
    };
    world.store.register(vec![changed]).await.unwrap();
}

fn numbers(claimed: &[Claimed]) -> Vec<u32> {
    let number = |claimed: &Claimed| {
        let input = &claimed.execution.input["n"];
        u32::try_from(input.as_u64().unwrap()).unwrap()
    };
    claimed.iter().map(number).collect()
}

async fn started(world: &World, start: Start) -> Started {
    world.store.start(start, OWNER).await.unwrap()
}

pub(super) async fn what_waits_is_stored_without_visits_and_taken_up_once(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    assert_eq!(started(&world, late(1)).await, Started::Queued);
    let stored = world.stored(1).await;
    let expected = workflow_types::execution::Execution {
        queued: true,
        ..running(1).execution
    };
    assert_eq!(stored.execution, expected);
    assert_eq!(stored.journal, []);
    assert!(stored.state.queued);
    assert_eq!(world.reads.count_queued().await.unwrap(), 1);
    world.is_sound().await;
    let again = started(&world, late(1)).await;
    assert_eq!(again, Started::Existing(Box::new(expected)));
    let claim = Claimed {
        execution: running(1).execution,
        epoch: Epoch::new(2),
    };
    assert_eq!(world.admit(9, "another").await.claimed, [claim]);
    assert_eq!(world.admit(9, "another").await.claimed, []);
    assert_eq!(world.reads.count_queued().await.unwrap(), 0);
    assert_eq!(world.reads.count_running().await.unwrap(), 1);
}

pub(super) async fn of_a_workflow_the_one_that_waited_longest_is_next(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in [4, 2, 5, 1, 3] {
        started(&world, late(number)).await;
    }
    assert_eq!(numbers(&world.admit(2, OWNER).await.claimed), [1, 2]);
    // One that goes on keeps the place of its start, one that makes way has the last.
    let first = vec![id(1)];
    world.store.queue(first, Place::OfItsStart).await.unwrap();
    let second = vec![id(2)];
    let behind = Place::Behind(at(60));
    world.store.queue(second, behind).await.unwrap();
    let admitted = world.admit(9, OWNER).await;
    assert_eq!(numbers(&admitted.claimed), [1, 3, 4, 5, 2]);
    assert!(!admitted.held_up);
}

pub(super) async fn workflows_take_turns_whatever_each_has_waiting(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in 1..=6 {
        started(&world, late(number)).await;
    }
    for number in 7..=8 {
        started(&world, vary(late(number))).await;
    }
    let mut after = None;
    let mut turns = Vec::new();
    for _ in 0..8 {
        let round = Round {
            scope: Scope::All,
            after,
            room: 1,
        };
        let admitted = world.store.admit(round, OWNER).await.unwrap();
        turns.extend(numbers(&admitted.claimed));
        after = admitted.after;
    }
    assert_eq!(turns, [7, 1, 8, 2, 3, 4, 5, 6]);
}

pub(super) async fn one_round_is_as_fair_as_many(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in 1..=6 {
        started(&world, late(number)).await;
    }
    started(&world, vary(late(7))).await;
    assert_eq!(numbers(&world.admit(3, OWNER).await.claimed), [7, 1, 2]);
}

pub(super) async fn no_more_begin_than_the_limit_of_the_workflow_allows(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    limit(&world, "w", 2).await;
    let start = |number| limited(running(number), 2, OnLimit::Queue);
    assert_eq!(started(&world, start(1)).await, Started::New);
    // One that waits at a gate holds its place.
    let gated = limited(paused(2), 2, OnLimit::Queue);
    assert_eq!(started(&world, gated).await, Started::New);
    assert_eq!(started(&world, start(3)).await, Started::Queued);
    assert_eq!(started(&world, start(4)).await, Started::Queued);
    let admitted = world.admit(9, OWNER).await;
    assert_eq!((admitted.claimed, admitted.held_up), (Vec::new(), true));
    // So does one that waits for its turn to go on, and it needs no other.
    let gate = gate_id(2);
    let voted = vote(Decision::Approve, "ann");
    world.store.vote(gate, voted).await.unwrap();
    assert!(world.stored(2).await.execution.queued);
    assert_eq!(numbers(&world.admit(9, OWNER).await.claimed), [2]);
    world.apply(complete(1)).await.unwrap();
    // There is a place, and whoever comes now comes after those who wait.
    assert_eq!(started(&world, start(5)).await, Started::Queued);
    let admitted = world.admit(9, OWNER).await;
    assert_eq!(numbers(&admitted.claimed), [3]);
    assert!(admitted.held_up);
    let ended = Transition {
        epoch: Epoch::new(2),
        ..cancel(3)
    };
    world.apply(ended).await.unwrap();
    assert_eq!(numbers(&world.admit(9, OWNER).await.claimed), [4]);
    world.is_sound().await;
}

pub(super) async fn the_limit_of_the_newest_definition_applies(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    limit(&world, "w", 1).await;
    for number in 1..=6 {
        started(&world, late(number)).await;
    }
    assert_eq!(numbers(&world.admit(9, OWNER).await.claimed), [1]);
    limit(&world, "w", 3).await;
    assert_eq!(numbers(&world.admit(9, OWNER).await.claimed), [2, 3]);
    limit(&world, "w", 1).await;
    assert_eq!(numbers(&world.admit(9, OWNER).await.claimed), [0; 0]);
    world
        .store
        .register(vec![registration("w", "any")])
        .await
        .unwrap();
    assert_eq!(numbers(&world.admit(9, OWNER).await.claimed), [4, 5, 6]);
}

pub(super) async fn what_is_skipped_leaves_nothing(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let skip = |start| limited(start, 2, OnLimit::Skip);
    let mut keyed = skip(running(1));
    keyed.execution.idempotency_key = Some("k".parse().unwrap());
    assert_eq!(started(&world, keyed.clone()).await, Started::New);
    // One that waits for a slot counts, or they would pile up after all.
    assert_eq!(started(&world, skip(late(2))).await, Started::Queued);
    assert_eq!(started(&world, skip(running(3))).await, Started::Skipped(2));
    assert!(world.find(3).await.is_none());
    // A repeated start is answered as one, by its key and by its id.
    let first = Started::Existing(Box::new(keyed.execution.clone()));
    assert_eq!(started(&world, keyed.clone()).await, first);
    keyed.execution.id = id(9);
    assert_eq!(started(&world, keyed).await, first);
    let second = started(&world, skip(late(2))).await;
    assert!(matches!(second, Started::Existing(_)));
    world.apply(complete(1)).await.unwrap();
    assert_eq!(started(&world, skip(running(3))).await, Started::New);
}

pub(super) async fn one_that_waits_may_be_ended(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    started(&world, late(1)).await;
    world.apply(cancel(1)).await.unwrap();
    assert_eq!(world.reads.count_queued().await.unwrap(), 0);
    assert_eq!(numbers(&world.admit(9, OWNER).await.claimed), [0; 0]);
    assert!(!world.stored(1).await.execution.queued);
    world.is_sound().await;
}

pub(super) async fn after_a_crash_everything_that_ran_waits_but_retries(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    for start in [running(3), running(1), paused(4), running(2)] {
        world.start(start).await;
    }
    world.apply(back_off(2, at(70))).await.unwrap();
    for _ in 0..2 {
        world.store.queue_running().await.unwrap();
        assert_eq!(world.reads.count_queued().await.unwrap(), 2);
    }
    assert!(!world.stored(2).await.execution.queued);
    assert_eq!(numbers(&world.admit(9, OWNER).await.claimed), [1, 3]);
    world.is_sound().await;
}

pub(super) async fn an_attempt_that_is_due_and_waits_for_its_turn_is_not_due_again(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    world.apply(back_off(1, at(70))).await.unwrap();
    let ids = vec![id(1), id(7)];
    world.store.queue(ids, Place::OfItsStart).await.unwrap();
    let due = world.reads.due_retries(Scope::All, at(90), 9).await;
    assert_eq!(due.unwrap(), []);
    assert_eq!(world.reads.next_due(Scope::All).await.unwrap(), None);
    assert_eq!(numbers(&world.admit(9, OWNER).await.claimed), [1]);
    let due = world.reads.due_retries(Scope::All, at(90), 9).await;
    assert_eq!(due.unwrap(), [id(1)]);
}

pub(super) async fn only_those_within_the_scope_have_a_turn(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in 1..=3 {
        started(&world, late(number)).await;
    }
    let round = |ids: &[u32]| Round {
        scope: Scope::Of(ids.iter().map(|number| id(*number)).collect()),
        after: None,
        room: 9,
    };
    let none = world.store.admit(round(&[]), OWNER).await.unwrap();
    assert_eq!((none.claimed, none.held_up), (Vec::new(), false));
    let one = world.store.admit(round(&[2, 7]), OWNER).await.unwrap();
    assert_eq!(numbers(&one.claimed), [2]);
    // Nor does it wait behind others.
    let mut start = limited(running(4), 5, OnLimit::Queue);
    start.entry.behind = Scope::Of(vec![id(2)]);
    assert_eq!(started(&world, start).await, Started::New);
}

pub(super) async fn rounds_at_once_take_up_each_once(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    limit(&world, "w", 30).await;
    for number in 1..=40 {
        started(&world, late(number)).await;
    }
    let mut racing = JoinSet::new();
    for _ in 0..20 {
        let store = Arc::clone(&world.store);
        racing.spawn(async move {
            let round = Round {
                scope: Scope::All,
                after: None,
                room: 3,
            };
            numbers(&store.admit(round, OWNER).await.unwrap().claimed)
        });
    }
    let mut taken = racing.join_all().await.concat();
    taken.sort_unstable();
    assert_eq!(taken, (1..=30).collect::<Vec<u32>>());
}

pub(super) async fn a_damaged_one_does_not_keep_others_from_their_turn(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in 1..=3 {
        started(&world, late(number)).await;
    }
    if !factory.damage(&Damage::Execution(id(1))).await {
        return;
    }
    let admitted = world.admit(2, OWNER).await;
    assert_eq!(numbers(&admitted.claimed), [2, 3]);
    assert_eq!(world.reads.count_queued().await.unwrap(), 0);
}
