//! Laws about cancelling executions.

use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;
use workflow_types::approval::{Decision, GateState, Judgement};
use workflow_types::execution::{
    Cancellation, Cancelling, Epoch, ExecutionState, FailureKind, Outcome, Started,
    StepFailureKind, Transition, Turn, VisitState,
};

use super::StoreFactory;
use super::fixture::{
    OWNER, World, at, back_off, cancel, complete, done, forward, gate_id, id, interrupted, kind,
    paused, results, running, visit, vote,
};
use crate::store::StoreErrorKind;

fn asked(actor: &str) -> Cancellation {
    Cancellation {
        actor: actor.parse().unwrap(),
        at: at(70),
        reason: Some("not needed".to_owned()),
    }
}

fn is_cancelled(state: &ExecutionState) -> bool {
    let ExecutionState::Failed { failure, .. } = state else {
        return false;
    };
    failure.kind == FailureKind::Cancelled && failure.message.contains("cancelled by ann")
}

/// The last visit is closed as cancelled.
fn closed(state: &VisitState) -> bool {
    let VisitState::Done {
        outcome: Outcome::Failure(failure),
        ..
    } = state
    else {
        return false;
    };
    failure.kind == StepFailureKind::Cancelled
}

pub(super) async fn what_waits_ends_with_the_request(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(paused(1)).await;
    world.start(running(2)).await;
    world.apply(back_off(2, at(60))).await.unwrap();
    world.start(running(3)).await;
    let queued = Transition {
        made: vec![visit(3, 2, "b", VisitState::Ready)],
        ..forward(3, 1)
    };
    world.apply(queued).await.unwrap();
    world.start(paused(4)).await;
    let decided = world
        .store
        .vote(gate_id(4), vote(Decision::Approve, "bob"))
        .await;
    assert_eq!(decided.unwrap().judgement, Judgement::Settles);
    world.start(running(5)).await;
    world.apply(interrupted(5)).await.unwrap();
    for number in 1..=5 {
        let cancelling = world.store.cancel(id(number), asked("ann")).await;
        assert_eq!(cancelling.unwrap(), Cancelling::Ended, "{number}");
        let stored = world.stored(number).await;
        assert!(
            is_cancelled(&stored.execution.state),
            "{:?}",
            stored.execution
        );
        assert!(closed(&stored.journal.last().unwrap().state), "{number}");
        assert!(
            stored
                .gates
                .iter()
                .all(|gate| gate.state != GateState::Waiting)
        );
        let found = world.reads.cancellation(id(number)).await.unwrap();
        assert_eq!(found, Some(asked("ann")));
        let claimed = world.store.claim_one(id(number), OWNER).await;
        assert_eq!(claimed.unwrap(), None);
    }
    // What was decided before stays decided.
    assert!(matches!(
        world.stored(4).await.gates[0].state,
        GateState::Decided(_)
    ));
    assert_eq!(
        world
            .reads
            .next_due(workflow_types::execution::Scope::All)
            .await
            .unwrap(),
        None
    );
    world.is_sound().await;
}

pub(super) async fn what_waits_for_its_first_turn_ends_with_the_request(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    for number in [1, 2] {
        let mut late = running(number);
        late.entry.turn = Turn::Later;
        let started = world.store.start(late, OWNER).await.unwrap();
        assert_eq!(started, Started::Queued);
    }
    // One has just been taken up, and has made no visit.
    let claimed = world.store.claim_one(id(2), OWNER).await.unwrap();
    assert!(claimed.is_some());
    for number in [1, 2] {
        let cancelling = world.store.cancel(id(number), asked("ann")).await;
        assert_eq!(cancelling.unwrap(), Cancelling::Ended, "{number}");
        let stored = world.stored(number).await;
        assert!(is_cancelled(&stored.execution.state));
        assert!(!stored.execution.queued);
        assert_eq!(stored.journal, []);
        let late = Transition {
            epoch: Epoch::new(number),
            open: None,
            made: vec![visit(number, 1, "a", VisitState::Begun)],
            ..forward(number, 1)
        };
        assert_eq!(kind(world.apply(late).await), StoreErrorKind::Conflict);
    }
    assert_eq!(world.reads.count_queued().await.unwrap(), 0);
    world.is_sound().await;
}

pub(super) async fn a_running_attempt_can_only_end_as_cancelled(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    let cancelling = world.store.cancel(id(1), asked("ann")).await;
    assert_eq!(cancelling.unwrap(), Cancelling::Pending);
    let before = world.stored(1).await;
    assert_eq!(before.execution.state, ExecutionState::Running);
    for step in [
        forward(1, 1),
        complete(1),
        back_off(1, at(80)),
        interrupted(1),
    ] {
        assert_eq!(
            kind(world.apply(step).await),
            StoreErrorKind::Conflict,
            "it was carried on"
        );
        assert_eq!(world.stored(1).await, before);
    }
    // A success of the very moment is recorded with the end.
    let state = done(71, json!({"sent": true}));
    let end = Transition {
        open: Some(visit(1, 1, "a", state.clone())),
        state: asked("ann").end(at(71), Some("a".parse().unwrap())),
        results: Some(results(&[("a", state)])),
        ..cancel(1)
    };
    world.apply(end).await.unwrap();
    assert!(is_cancelled(&world.stored(1).await.execution.state));
    world.is_sound().await;
}

pub(super) async fn the_first_who_cancels_is_named_and_nothing_finished_is_cancelled(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    world.start(paused(2)).await;
    for number in [1, 2] {
        world.store.cancel(id(number), asked("ann")).await.unwrap();
        let before = world.stored(number).await;
        let again = world.store.cancel(id(number), asked("bob")).await;
        assert_eq!(again.unwrap(), Cancelling::Repeated(asked("ann")));
        assert_eq!(world.stored(number).await, before);
    }
    world.start(running(3)).await;
    world.apply(complete(3)).await.unwrap();
    let late = world.store.cancel(id(3), asked("ann")).await.unwrap();
    let state = world.stored(3).await.execution.state;
    assert_eq!(late, Cancelling::Finished(state));
    assert_eq!(world.reads.cancellation(id(3)).await.unwrap(), None);
    let unknown = world.store.cancel(id(77), asked("ann")).await;
    assert_eq!(kind(unknown), StoreErrorKind::NotFound);
}

pub(super) async fn racing_cancels_and_votes_have_one_outcome(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in 1..=10 {
        world.start(paused(number)).await;
        let mut racing = JoinSet::new();
        for racer in 0..50 {
            let store = Arc::clone(&world.store);
            racing.spawn(async move {
                if racer % 2 == 0 {
                    let cancelling = store.cancel(id(number), asked("ann")).await.unwrap();
                    (cancelling == Cancelling::Ended, false)
                } else {
                    let who = format!("voter {racer}");
                    let voted = store.vote(gate_id(number), vote(Decision::Approve, &who));
                    let judgement = voted.await.unwrap().judgement;
                    (false, judgement == Judgement::Settles)
                }
            });
        }
        let outcomes = racing.join_all().await;
        let ends = outcomes.iter().filter(|(ended, _)| *ended).count();
        let settled = outcomes.iter().filter(|(_, settled)| *settled).count();
        // A vote may come first; the cancelling ends the execution all the same.
        assert_eq!(ends, 1);
        assert!(settled <= 1);
        let stored = world.stored(number).await;
        assert!(is_cancelled(&stored.execution.state));
        let is_decided = matches!(stored.gates[0].state, GateState::Decided(_));
        assert_eq!(is_decided, settled == 1);
    }
    world.is_sound().await;
}
