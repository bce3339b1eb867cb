//! Laws about repeating finished executions, and about deleting them.

use workflow_types::execution::{
    Execution, ExecutionFilter, ExecutionState, Prune, Pruned, Start, Started, Transition, Turn,
    Visit, VisitState,
};

use super::StoreFactory;
use super::fixture::{
    OWNER, World, at, back_off, complete, execution, failed, failed_attempt, forward, id, kind,
    paused, registration, running, visit,
};
use crate::store::StoreErrorKind;

use workflow_types::execution::FailureKind;

/// A new execution that repeats another one from its second visit on.
fn again(number: u32, origin: u32) -> Start {
    let origin = Some(id(origin));
    Start {
        execution: Execution {
            origin,
            ..execution(number, ExecutionState::Running)
        },
        visits: vec![visit(number, 2, "a", VisitState::Begun)],
        ..running(number)
    }
}

/// An execution of two visits that has completed; the first one took two attempts.
async fn finished(world: &World, number: u32) {
    world.start(running(number)).await;
    let failing = Transition {
        failed: Some(failed_attempt(1, 1)),
        ..back_off(number, at(60))
    };
    world.apply(failing).await.unwrap();
    world.apply(forward(number, 1)).await.unwrap();
    let end = Transition {
        open: Some(Visit {
            number: 2,
            ..complete(number).open.unwrap()
        }),
        ..complete(number)
    };
    world.apply(end).await.unwrap();
}

pub(super) async fn a_repetition_takes_over_the_visits_before_it(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    finished(&world, 1).await;
    let origin = world.stored(1).await;
    let started = world.store.retry(again(2, 1), 2, OWNER).await.unwrap();
    assert_eq!(started, Started::New);
    let stored = world.stored(2).await;
    let taken = Visit {
        execution_id: id(2),
        reused_from: Some(id(1)),
        ..origin.journal[0].clone()
    };
    assert_eq!(taken.idempotency_key(), origin.journal[0].idempotency_key());
    assert_eq!(stored.journal, [vec![taken], again(2, 1).visits].concat());
    let attempts = world.reads.attempts(id(2), 1, 9).await.unwrap();
    assert_eq!(attempts, [failed_attempt(1, 1)]);
    assert_eq!(world.stored(1).await, origin);

    // A repetition of the repetition names who made the visit, and needs neither of the others.
    let end = Transition {
        open: Some(Visit {
            number: 2,
            ..complete(2).open.unwrap()
        }),
        ..complete(2)
    };
    world.apply(end).await.unwrap();
    world.store.retry(again(3, 2), 2, OWNER).await.unwrap();
    for number in [1, 2] {
        world.store.delete(id(number)).await.unwrap();
    }
    let stored = world.stored(3).await;
    assert_eq!(stored.journal[0].reused_from, Some(id(1)));
    assert_eq!(stored.execution.origin, None);
    world.is_sound().await;
}

pub(super) async fn a_repetition_that_waits_for_its_turn_has_what_it_takes_over(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    finished(&world, 1).await;
    let origin = world.stored(1).await;
    let mut late = again(2, 1);
    late.entry.turn = Turn::Later;
    let started = world.store.retry(late, 2, OWNER).await.unwrap();
    assert_eq!(started, Started::Queued);
    let taken = Visit {
        execution_id: id(2),
        reused_from: Some(id(1)),
        ..origin.journal[0].clone()
    };
    let left = Visit {
        request: None,
        state: VisitState::Ready,
        ..again(2, 1).visits[0].clone()
    };
    assert_eq!(world.stored(2).await.journal, [taken, left]);
    assert!(world.stored(2).await.execution.queued);
    let claimed = world.store.claim_one(id(2), OWNER).await.unwrap();
    assert!(claimed.is_some());
    world.is_sound().await;
}

pub(super) async fn a_repetition_of_what_is_not_there_leaves_nothing(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    finished(&world, 1).await;
    world.start(running(2)).await;
    world.apply(forward(2, 1)).await.unwrap();
    let refused = [
        (again(3, 77), 2, StoreErrorKind::NotFound),
        (again(3, 2), 2, StoreErrorKind::Conflict),
        (again(3, 1), 5, StoreErrorKind::Conflict),
    ];
    for (mut start, first, expected) in refused {
        start.visits[0].number = first;
        let refused = world.store.retry(start, first, OWNER).await;
        assert_eq!(kind(refused), expected);
        assert_eq!(world.find(3).await, None);
    }
    let mut keyed = again(4, 1);
    keyed.execution.idempotency_key = Some("k".parse().unwrap());
    let same = keyed.clone();
    let started = world.store.retry(keyed, 2, OWNER).await.unwrap();
    assert_eq!(started, Started::New);
    let mut second = same;
    second.execution.id = id(5);
    second.visits[0].execution_id = id(5);
    let again = world.store.retry(second, 2, OWNER).await.unwrap();
    let first = world.stored(4).await.execution;
    assert_eq!(again, Started::Existing(Box::new(first)));
    assert_eq!(world.find(5).await, None);
    world.is_sound().await;
}

pub(super) async fn only_what_has_finished_is_deleted(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    world.start(paused(2)).await;
    for number in [1, 2] {
        let before = world.stored(number).await;
        let refused = world.store.delete(id(number)).await;
        assert_eq!(kind(refused), StoreErrorKind::Conflict);
        assert_eq!(world.stored(number).await, before);
    }
    assert_eq!(
        kind(world.store.delete(id(77)).await),
        StoreErrorKind::NotFound
    );
    finished(&world, 3).await;
    world.store.delete(id(3)).await.unwrap();
    assert_eq!(world.find(3).await, None);
    assert_eq!(world.reads.journal(id(3), 1, 9).await.unwrap(), []);
    assert_eq!(world.reads.attempts(id(3), 1, 9).await.unwrap(), []);
    assert_eq!(
        kind(world.store.delete(id(3)).await),
        StoreErrorKind::NotFound
    );
    world.is_sound().await;
}

pub(super) async fn pruning_deletes_what_the_bounds_name_and_nothing_else(
    factory: &dyn StoreFactory,
) {
    // Executions 1 to 12 end at instant 5 or 90; 13 runs and 14 waits.
    for prune in [
        Prune {
            ended_before: Some(at(50)),
            keep_per_workflow: None,
        },
        Prune {
            ended_before: None,
            keep_per_workflow: Some(5),
        },
        Prune {
            ended_before: Some(at(50)),
            keep_per_workflow: Some(3),
        },
        Prune {
            ended_before: None,
            keep_per_workflow: None,
        },
    ] {
        prunes(factory, prune).await;
    }
}

async fn prunes(factory: &dyn StoreFactory, prune: Prune) {
    let world = World::open(factory).await;
    for number in 1..=12 {
        // What another round has left.
        let _ = world.store.delete(id(number)).await;
        world.start(running(number)).await;
        let mut end = complete(number);
        if number.is_multiple_of(3) {
            end.state = failed(FailureKind::StepFailed);
        }
        world.apply(end).await.unwrap();
    }
    if world.find(13).await.is_none() {
        world.start(running(13)).await;
        world.start(paused(14)).await;
    }
    let old = |number: u32| prune.ended_before.is_some() && !number.is_multiple_of(3);
    let newer = |number: u32| (number + 1..=12).filter(|one| !old(*one)).count();
    let surplus = |number: u32| {
        let keep = prune.keep_per_workflow;
        keep.is_some_and(|keep| newer(number) >= keep as usize)
    };
    let gone = |number: &u32| *number <= 12 && (old(*number) || surplus(*number));
    let expected = (1..=14).filter(gone).count();
    let counted = world.reads.count_prunable(prune).await.unwrap();
    assert_eq!(counted, expected, "{prune:?}");
    let mut deleted = 0;
    loop {
        let pruned = world.store.prune(prune, 2).await.unwrap();
        assert!(pruned.executions <= 2);
        if pruned == Pruned::default() {
            break;
        }
        deleted += pruned.executions;
    }
    assert_eq!(deleted, expected);
    let all = ExecutionFilter::default();
    let page = world.reads.executions(all, None, 100).await.unwrap();
    let left: Vec<_> = page.items.iter().map(|one| one.id).collect();
    let kept: Vec<_> = (1..=14).rev().filter(|one| !gone(one)).map(id).collect();
    assert_eq!(left, kept);
    world.is_sound().await;
    world.store.close().await.unwrap();
}

pub(super) async fn a_definition_that_nothing_refers_to_is_deleted(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let first = registration("w", "Wait").definition.digest().clone();
    finished(&world, 1).await;
    let second = registration("w", "Second");
    world.store.register(vec![second.clone()]).await.unwrap();
    let nothing = Prune {
        ended_before: None,
        keep_per_workflow: None,
    };
    // The execution needs the old one, the workflow the new one.
    let pruned = world.store.prune(nothing, 500).await.unwrap();
    assert_eq!(pruned, Pruned::default());
    world.store.delete(id(1)).await.unwrap();
    let pruned = world.store.prune(nothing, 500).await.unwrap();
    let expected = Pruned {
        executions: 0,
        definitions: 1,
    };
    assert_eq!(pruned, expected);
    assert_eq!(world.reads.definition(&first).await.unwrap(), None);
    let kept = world.reads.definition(second.definition.digest()).await;
    assert!(kept.unwrap().is_some());
    world.is_sound().await;
}
