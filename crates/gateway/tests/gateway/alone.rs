//! Who writes where nobody else does: without the writer's thread if commits do not wait for the
//! disk, and never so that the caller's thread waits for anything.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use gateway::Durability;
use gateway::store::{SqliteStore, Store as _, StoreError, StoreErrorKind};
use gateway::workflow_types::execution::{Epoch, ExecutionState, Progress, Transition};
use rusqlite::Connection;
use serde_json::json;

use crate::support::World;

/// A write that is refused, as small as can be.
fn nothing() -> Arc<Transition> {
    Arc::new(Transition {
        execution_id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        epoch: Epoch::FIRST,
        open: None,
        failed: None,
        made: Vec::new(),
        gate: None,
        state: ExecutionState::Running,
        results: None,
        progress: Progress::default(),
    })
}

/// Whether a write is answered where it is brought; and its answer, after what `prepare` holds is let go.
fn write(prepare: impl FnOnce(&World) -> Option<Connection>) -> (bool, StoreError) {
    let world = World::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let opened = SqliteStore::open(&world.database(), Durability::Normal).await;
        let (store, _) = opened.unwrap();
        let held = prepare(&world);
        let mut applied = pin!(store.apply(nothing()));
        let polled = applied
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        drop(held);
        let (at_once, answer) = match polled {
            Poll::Ready(answer) => (true, answer),
            Poll::Pending => (false, applied.await),
        };
        store.close().await.unwrap();
        (at_once, answer.unwrap_err())
    })
}

#[test]
fn a_small_write_is_done_where_it_is_brought() {
    let (at_once, answer) = write(|_| None);
    assert_eq!((at_once, answer.kind()), (true, StoreErrorKind::NotFound));
}

#[test]
fn who_brings_a_write_does_not_wait_for_another_that_is_writing() {
    let (at_once, answer) = write(|world| {
        let other = Connection::open(world.database()).unwrap();
        other.busy_timeout(Duration::from_secs(10)).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        Some(other)
    });
    assert_eq!((at_once, answer.kind()), (false, StoreErrorKind::NotFound));
}

#[test]
fn the_log_stays_small_although_nobody_else_writes() {
    let world = World::with(
        "maxSteps: 3000\nsteps:\n  - {id: a, action: noop, branches: [{condition: 'true', goto: a}]}",
    );
    let life = world.live_with(|builder| builder.durability(Durability::Normal));
    let id = life.start("w", json!({}));
    life.wait(id);
    let log = world.path().join("agentspace.db-wal");
    let length = std::fs::metadata(log).unwrap().len();
    assert!(length < 2_000 * 4_096, "{length} bytes");
}
