//! Laws about verbs that arrive together, are given up, or meet a writer that waits.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use tokio::task::JoinSet;
use workflow_types::execution::ExecutionFilter;

use super::StoreFactory;
use super::fixture::{OWNER, World, complete, forward, id, kind, paused, running};
use crate::store::StoreErrorKind;

pub(super) async fn a_verb_that_fails_spares_its_neighbours(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let mut racing = JoinSet::new();
    for number in 1..=200 {
        let store = Arc::clone(&world.store);
        let mut start = running(number);
        let is_wrong = number % 40 == 7;
        if is_wrong {
            // It is noticed when the execution is written already.
            start.visits.push(start.visits[0].clone());
        }
        racing.spawn(async move {
            let started = store.start(start, OWNER).await;
            assert_eq!(started.is_err(), is_wrong, "{number}: {started:?}");
            is_wrong.then(|| assert_eq!(kind(started), StoreErrorKind::Conflict));
        });
    }
    racing.join_all().await;
    for number in 1..=200 {
        let found = world.reads.execution(id(number)).await.unwrap();
        assert_eq!(found.is_none(), number % 40 == 7, "{number}");
    }
    world.is_sound().await;
}

pub(super) async fn executions_that_advance_at_once_do_not_mix(factory: &dyn StoreFactory) {
    const VISITS: u32 = 20;
    let world = World::open(factory).await;
    let mut racing = JoinSet::new();
    for number in 1..=20 {
        let store = Arc::clone(&world.store);
        racing.spawn(async move {
            store.start(running(number), OWNER).await.unwrap();
            for from in 1..VISITS {
                let transition = Arc::new(forward(number, from));
                store.apply(transition).await.unwrap();
            }
        });
    }
    racing.join_all().await;
    for number in 1..=20 {
        let journal = world.stored(number).await.journal;
        assert_eq!(journal.len(), VISITS as usize);
        for (from, visit) in (1..VISITS).zip(journal) {
            assert_eq!(Some(visit), forward(number, from).open);
        }
    }
    world.is_sound().await;
}

pub(super) async fn a_dropped_future_leaves_all_or_nothing(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in 1..=60 {
        // Each is given up after it was asked so often: not at all, or while it is done.
        let mut starting = Box::pin(world.store.start(paused(number), OWNER));
        for _ in 0..number % 3 {
            let once = poll_fn(|context| Poll::Ready(starting.as_mut().poll(context)));
            if once.await.is_ready() {
                break;
            }
        }
        drop(starting);
    }
    // What comes later comes after what was given up.
    world.start(running(99)).await;
    for number in 1..=60 {
        let Some(stored) = world.find(number).await else {
            continue;
        };
        assert_ne!(number % 3, 0, "nobody asked for it");
        assert_eq!(stored.execution, paused(number).execution);
        assert_eq!(stored.journal, paused(number).visits);
        assert_eq!(stored.gates, Vec::from_iter(paused(number).gate));
    }
    world.apply(complete(99)).await.unwrap();
    world.is_sound().await;
}

pub(super) async fn reads_do_not_wait_for_writers(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    let Some(held) = factory.hold_writers().await else {
        return;
    };
    let mut writing = Box::pin(world.store.start(running(2), OWNER));
    let once = poll_fn(|context| Poll::Ready(writing.as_mut().poll(context).is_ready()));
    assert!(!once.await, "nothing held it up");
    for _ in 0..20 {
        assert_eq!(world.stored(1).await.journal.len(), 1);
        let all = ExecutionFilter::default();
        let page = world.reads.executions(all, None, 10).await.unwrap();
        assert_eq!(page.items.len(), 1);
        assert_eq!(world.reads.count_running().await.unwrap(), 1);
    }
    drop(held);
    writing.await.unwrap();
    assert_eq!(world.reads.count_running().await.unwrap(), 2);
}

pub(super) async fn what_was_answered_is_read_at_once(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let mut racing = JoinSet::new();
    for number in 1..=8 {
        let (store, reads) = (Arc::clone(&world.store), Arc::clone(&world.reads));
        racing.spawn(async move {
            store.start(running(number), OWNER).await.unwrap();
            for from in 1..=10 {
                let transition = Arc::new(forward(number, from));
                store.apply(transition).await.unwrap();
                let journal = reads.journal(id(number), from, 10).await.unwrap();
                assert_eq!(journal.len(), 2);
            }
        });
    }
    racing.join_all().await;
}
