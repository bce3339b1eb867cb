//! Laws about registering workflows and starting executions.

use std::sync::Arc;

use tokio::task::JoinSet;
use workflow_types::execution::{ExecutionFilter, ExecutionState, Start, Started};
use workflow_types::registry::{Registered, Registration};

use super::StoreFactory;
use super::fixture::{
    OWNER, Stored, World, at, complete, execution, id, kind, paused, registration, results, running,
};
use crate::store::StoreErrorKind;

fn keyed(mut start: Start, key: &str) -> Start {
    start.execution.idempotency_key = Some(key.parse().unwrap());
    start
}

pub(super) async fn a_start_is_stored_whole(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for (number, mut start) in [(1, running(1)), (2, paused(2))] {
        start.execution.scheduled_for = Some(at(7));
        start.execution.idempotency_key = Some(format!("k{number}").parse().unwrap());
        world.start(start.clone()).await;
        let Stored {
            execution,
            state,
            journal,
            gates,
        } = world.stored(number).await;
        assert_eq!(execution, start.execution);
        assert_eq!(journal, start.visits);
        assert_eq!(gates, Vec::from_iter(start.gate));
        assert_eq!(state.step_results, start.results.unwrap_or_default());
        assert_eq!(state.current_step_id.unwrap().to_string(), "a");
    }
    world.is_sound().await;
}

pub(super) async fn a_start_repeated_by_its_id_changes_nothing(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    world.apply(complete(1)).await.unwrap();
    let before = world.stored(1).await;
    let again = world.store.start(running(1), OWNER).await.unwrap();
    assert_eq!(again, Started::Existing(Box::new(before.execution.clone())));
    assert_eq!(world.stored(1).await, before);
}

pub(super) async fn the_same_key_answers_the_first_execution(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(keyed(running(1), "k")).await;
    let again = world.store.start(keyed(paused(2), "k"), OWNER).await;
    let first = world.stored(1).await.execution;
    assert_eq!(again.unwrap(), Started::Existing(Box::new(first)));
    assert_eq!(world.find(2).await, None);
    assert_eq!(world.reads.waiting_gates().await.unwrap().items, []);
    // A key belongs to its workflow.
    let mut other = keyed(running(3), "k");
    other.execution.workflow_id = "v".parse().unwrap();
    world.start(other).await;
}

pub(super) async fn fifty_starts_with_one_key_make_one_execution(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let mut racing = JoinSet::new();
    for number in 1..=50 {
        let store = Arc::clone(&world.store);
        racing.spawn(async move {
            let start = keyed(running(number), "k");
            (number, store.start(start, OWNER).await.unwrap())
        });
    }
    let (new, existing): (Vec<_>, Vec<_>) = racing
        .join_all()
        .await
        .into_iter()
        .partition(|(_, started)| *started == Started::New);
    assert_eq!((new.len(), existing.len()), (1, 49));
    let first = world.stored(new[0].0).await.execution;
    for (_, started) in existing {
        assert_eq!(started, Started::Existing(Box::new(first.clone())));
    }
    let all = ExecutionFilter::default();
    let page = world.reads.executions(all, None, 100).await.unwrap();
    assert_eq!(page.items, [first]);
    world.is_sound().await;
}

pub(super) async fn an_id_belongs_to_one_execution(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    let before = world.stored(1).await;
    let with_key = world.store.start(keyed(running(1), "k"), OWNER).await;
    assert_eq!(kind(with_key), StoreErrorKind::Conflict);
    let mut elsewhere = running(1);
    elsewhere.execution.workflow_id = "v".parse().unwrap();
    let elsewhere = world.store.start(elsewhere, OWNER).await;
    assert_eq!(kind(elsewhere), StoreErrorKind::Conflict);
    assert_eq!(world.stored(1).await, before);
}

pub(super) async fn a_start_of_something_unknown_leaves_nothing(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let mut workflow = running(1);
    workflow.execution.workflow_id = "unknown".parse().unwrap();
    let mut definition = running(2);
    definition.execution.definition = registration("w", "Other").definition.digest().clone();
    let mut origin = running(3);
    origin.execution.origin = Some(id(77));
    for (number, start) in (1..).zip([workflow, definition, origin]) {
        let refused = world.store.start(start, OWNER).await;
        assert_eq!(kind(refused), StoreErrorKind::NotFound);
        assert_eq!(world.find(number).await, None);
    }
}

pub(super) async fn parts_that_do_not_belong_together_are_refused(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let runs_with_results = Start {
        results: Some(results(&[])),
        ..running(1)
    };
    let rests_without_results = Start {
        execution: execution(1, ExecutionState::Completed { at: at(1) }),
        ..running(1)
    };
    let waits_without_gate = Start {
        gate: None,
        ..paused(1)
    };
    for start in [runs_with_results, rests_without_results, waits_without_gate] {
        let refused = world.store.start(start, OWNER).await;
        assert_eq!(kind(refused), StoreErrorKind::Internal);
        assert_eq!(world.find(1).await, None);
    }
}

pub(super) async fn registering_again_changes_nothing(factory: &dyn StoreFactory) {
    let store = factory.open().await;
    let first = registration("w", "Wait");
    let later = Registration {
        at: at(9),
        ..first.clone()
    };
    let new = store.register(vec![first.clone()]).await.unwrap();
    assert_eq!(new, [Registered::New]);
    let both = store.register(vec![later, registration("v", "Vary")]);
    assert_eq!(
        both.await.unwrap(),
        [Registered::Unchanged, Registered::New]
    );
    let found = store.reads().workflow(&first.id).await.unwrap().unwrap();
    assert_eq!((found.created_at, found.updated_at), (at(0), at(0)));
    assert_eq!(
        (found.name, found.description, found.path, &found.digest),
        (
            first.name,
            first.description,
            first.path,
            first.definition.digest()
        )
    );
    let all = store.reads().workflows().await.unwrap();
    let ids: Vec<_> = all.items.iter().map(|one| one.id.to_string()).collect();
    assert_eq!(ids, ["v", "w"]);
}

pub(super) async fn a_new_definition_keeps_the_old_one(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    let second = Registration {
        at: at(9),
        ..registration("w", "Second")
    };
    let changed = world.store.register(vec![second.clone()]).await.unwrap();
    assert_eq!(changed, [Registered::Changed]);
    let found = world.reads.workflow(&second.id).await.unwrap().unwrap();
    assert_eq!(found.digest, *second.definition.digest());
    assert_eq!((found.created_at, found.updated_at), (at(0), at(9)));
    let pinned = world.stored(1).await.execution.definition;
    let first = registration("w", "Wait");
    assert_eq!(pinned, *first.definition.digest());
    let saved = world.reads.definition(&pinned).await.unwrap().unwrap();
    assert_eq!(
        (saved.stored, saved.source),
        (first.definition, first.source)
    );
}
