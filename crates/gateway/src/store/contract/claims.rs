//! Laws about taking executions up: whoever held them before is fenced off.

use std::sync::Arc;

use tokio::task::JoinSet;
use workflow_types::execution::{Claimed, Epoch, Transition};

use super::StoreFactory;
use super::fixture::{
    OWNER, World, cancel, complete, forward, id, interrupted, kind, paused, running,
};
use crate::store::StoreErrorKind;

pub(super) async fn claims_take_up_what_runs_the_oldest_first(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for start in [running(3), paused(4), running(1), running(5), running(2)] {
        world.start(start).await;
    }
    world.apply(complete(5)).await.unwrap();
    for epoch in [2, 3] {
        let claimed = world.take_up_all("another").await;
        let expected = [1, 2, 3].map(|number| Claimed {
            execution: running(number).execution,
            epoch: Epoch::new(epoch),
        });
        assert_eq!(claimed, expected);
    }
    assert_eq!(world.reads.count_running().await.unwrap(), 3);
}

pub(super) async fn whoever_held_an_execution_before_is_fenced_off(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    let claimed = world.store.claim_one(id(1), "another").await.unwrap();
    let epoch = claimed.unwrap().epoch;
    assert_eq!(epoch, Epoch::new(2));
    let before = world.stored(1).await;
    for transition in [forward(1, 1), complete(1), cancel(1), interrupted(1)] {
        let refused = world.apply(transition).await;
        assert_eq!(kind(refused), StoreErrorKind::Fenced);
        assert_eq!(world.stored(1).await, before);
    }
    let held = Transition {
        epoch,
        ..forward(1, 1)
    };
    world.apply(held).await.unwrap();
    world.take_up_all("a third").await;
    let superseded = Transition {
        epoch,
        ..forward(1, 2)
    };
    assert_eq!(kind(world.apply(superseded).await), StoreErrorKind::Fenced);
    world.is_sound().await;
}

pub(super) async fn claims_that_race_get_epochs_of_their_own(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    let mut racing = JoinSet::new();
    for _ in 0..20 {
        let store = Arc::clone(&world.store);
        racing.spawn(async move {
            let claimed = store.claim_one(id(1), OWNER).await.unwrap();
            claimed.unwrap().epoch.number()
        });
    }
    let mut epochs = racing.join_all().await;
    epochs.sort_unstable();
    assert_eq!(epochs, (2..=21).collect::<Vec<u32>>());
}

pub(super) async fn what_does_not_run_is_not_taken_up(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(paused(1)).await;
    world.start(running(2)).await;
    world.apply(cancel(2)).await.unwrap();
    for number in [1, 2, 77] {
        let claimed = world.store.claim_one(id(number), OWNER).await.unwrap();
        assert_eq!(claimed, None);
    }
    assert_eq!(world.take_up_all(OWNER).await, []);
}
