//! Laws about closing a store and opening it again.

use std::future::poll_fn;
use std::task::Poll;

use workflow_types::approval::Decision;
use workflow_types::execution::{Epoch, Transition};

use super::StoreFactory;
use super::fixture::{
    OWNER, World, at, complete, expiring, forward, gate_id, id, interrupted, kind, paused, running,
    vote,
};
use crate::store::StoreErrorKind;

pub(super) async fn what_was_answered_is_there_when_opened_again(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in 1..=4 {
        world.start(running(number)).await;
    }
    world.start(expiring(5, at(60))).await;
    world.start(paused(6)).await;
    world.apply(forward(1, 1)).await.unwrap();
    world.apply(complete(2)).await.unwrap();
    world.apply(interrupted(3)).await.unwrap();
    world.store.claim_one(id(4), "another").await.unwrap();
    let denial = vote(Decision::Deny, "ann");
    world.store.vote(gate_id(6), denial).await.unwrap();
    let mut before = Vec::new();
    for number in 1..=6 {
        before.push(world.stored(number).await);
    }
    let workflows = world.reads.workflows().await.unwrap();
    world.store.close().await.unwrap();
    drop(world);

    let world = World::open(factory).await;
    for (number, before) in (1..).zip(before) {
        assert_eq!(world.stored(number).await, before);
    }
    assert_eq!(world.reads.workflows().await.unwrap(), workflows);
    assert_eq!(world.reads.votes(gate_id(6)).await.unwrap().len(), 1);
    let superseded = world.apply(forward(4, 1)).await;
    assert_eq!(kind(superseded), StoreErrorKind::Fenced);
    let held = Transition {
        epoch: Epoch::new(2),
        ..forward(4, 1)
    };
    world.apply(held).await.unwrap();
    world.is_sound().await;
}

pub(super) async fn a_closed_store_takes_no_more_verbs(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    world.store.close().await.unwrap();
    world.store.close().await.unwrap();
    let refused = world.store.start(running(2), OWNER).await;
    assert_eq!(kind(refused), StoreErrorKind::Closed);
    let refused = world.apply(complete(1)).await;
    assert_eq!(kind(refused), StoreErrorKind::Closed);
    drop(world);
    let world = World::open(factory).await;
    assert_eq!(world.stored(1).await.execution, running(1).execution);
    assert_eq!(world.find(2).await, None);
}

pub(super) async fn verbs_that_were_taken_are_done_when_the_store_is_closed(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let mut starts: Vec<_> = (1..=50)
        .map(|number| Box::pin(world.store.start(running(number), OWNER)))
        .collect();
    for start in &mut starts {
        let once = poll_fn(|context| Poll::Ready(start.as_mut().poll(context).is_ready()));
        once.await;
    }
    drop(starts);
    world.store.close().await.unwrap();
    drop(world);
    let world = World::open(factory).await;
    let stored = world.reads.count_running().await.unwrap();
    world.store.close().await.unwrap();
    drop(world);
    // Nothing comes after the end.
    let world = World::open(factory).await;
    assert_eq!(world.reads.count_running().await.unwrap(), stored);
    world.is_sound().await;
}
