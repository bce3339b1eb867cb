//! Laws about carrying executions forward.

use workflow_types::approval::{Decision, GateKind, GateState, Judgement};
use workflow_types::execution::{
    AttemptUsage, Execution, ExecutionState, FailureKind, FinishReason, ModelUsage, Outcome,
    Progress, Started, StepFailureKind, Transition, VisitState,
};

use serde_json::json;

use super::StoreFactory;
use super::fixture::{
    OWNER, World, at, back_off, cancel, complete, done, failed, forward, gate, gate_id, id,
    interrupted, kind, paused, results, running, step, visit, vote,
};
use crate::store::StoreErrorKind;

pub(super) async fn a_step_forward_is_read_back_as_it_was(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    world.apply(forward(1, 1)).await.unwrap();
    let failure = Outcome::failure(StepFailureKind::Timeout, "took too long");
    let outcome = VisitState::Done {
        at: at(8),
        outcome: failure,
    };
    let jump = Transition {
        open: Some(visit(1, 2, "a", outcome.clone())),
        made: vec![
            visit(1, 3, "b", done(8, json!([1.5, "x", null]))),
            visit(1, 4, "c", VisitState::Ready),
        ],
        ..forward(1, 2)
    };
    world.apply(jump.clone()).await.unwrap();
    let stored = world.stored(1).await;
    let expected: Vec<_> = forward(1, 1)
        .open
        .into_iter()
        .chain(jump.open)
        .chain(jump.made)
        .collect();
    assert_eq!(stored.journal, expected);
    assert_eq!(stored.execution.state, ExecutionState::Running);
    assert_eq!(stored.state.current_step_id, Some(step("c")));
    let folded = results(&[("a", outcome), ("b", done(8, json!([1.5, "x", null])))]);
    assert_eq!(stored.state.step_results, folded);
    world.is_sound().await;
}

pub(super) async fn what_a_model_used_is_kept_with_its_attempt(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    world.start(running(2)).await;
    let used = |attempt, usage| AttemptUsage {
        visit: 1,
        attempt,
        turn: 1,
        usage,
        cost: None,
    };
    let said = ModelUsage {
        input_tokens: Some(20),
        output_tokens: Some(u64::from(u32::MAX)),
        finish: Some(FinishReason::Stop),
    };
    let half = ModelUsage {
        output_tokens: Some(0),
        ..ModelUsage::default()
    };
    let refused = Transition {
        progress: Progress {
            usage: Some(used(1, half)),
            ..Progress::default()
        },
        ..back_off(1, at(60))
    };
    world.apply(refused).await.unwrap();
    let done = Transition {
        progress: Progress {
            usage: Some(used(2, said)),
            ..Progress::default()
        },
        ..complete(1)
    };
    world.apply(done.clone()).await.unwrap();
    // A repetition that is refused adds nothing.
    assert_eq!(kind(world.apply(done).await), StoreErrorKind::Conflict);
    let usage = world.reads.usage(id(1)).await.unwrap();
    assert_eq!(usage, [used(1, half), used(2, said)]);
    assert_eq!(world.reads.usage(id(2)).await.unwrap(), []);
    world.is_sound().await;
    world.store.delete(id(1)).await.unwrap();
    assert_eq!(world.reads.usage(id(1)).await.unwrap(), []);
}

pub(super) async fn a_transition_that_is_refused_has_written_nothing(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    world.start(paused(2)).await;
    let before = world.stored(1).await;
    // Its open visit could be written, but not what follows.
    let taken_number = Transition {
        made: vec![
            visit(1, 2, "b", VisitState::Ready),
            visit(1, 1, "a", VisitState::Begun),
        ],
        ..forward(1, 1)
    };
    let mut taken_gate = interrupted(1);
    taken_gate.gate.as_mut().unwrap().id = gate_id(2);
    for transition in [taken_number, taken_gate] {
        let refused = world.apply(transition).await;
        assert_eq!(kind(refused), StoreErrorKind::Conflict);
        assert_eq!(world.stored(1).await, before);
    }
    let results_while_it_runs = Transition {
        results: Some(results(&[])),
        ..forward(1, 1)
    };
    let gate_while_it_runs = Transition {
        gate: Some(gate(1, GateKind::Approval)),
        ..forward(1, 1)
    };
    for transition in [results_while_it_runs, gate_while_it_runs] {
        let refused = world.apply(transition).await;
        assert_eq!(kind(refused), StoreErrorKind::Internal);
        assert_eq!(world.stored(1).await, before);
    }
    assert_eq!(
        kind(world.apply(forward(77, 1)).await),
        StoreErrorKind::NotFound
    );
    world.is_sound().await;
}

pub(super) async fn a_finished_execution_never_changes_again(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let failing = Transition {
        state: failed(FailureKind::StepFailed),
        ..complete(2)
    };
    for number in [1, 2] {
        world.start(running(number)).await;
    }
    world.apply(complete(1)).await.unwrap();
    world.apply(failing).await.unwrap();
    for number in [1, 2] {
        let before = world.stored(number).await;
        assert!(before.execution.state.status().is_finished());
        for transition in [
            complete(number),
            cancel(number),
            forward(number, 1),
            interrupted(number),
            back_off(number, at(60)),
        ] {
            let refused = world.apply(transition).await;
            assert_eq!(kind(refused), StoreErrorKind::Conflict);
        }
        assert_eq!(
            world.store.claim_one(id(number), OWNER).await.unwrap(),
            None
        );
        let again = world.store.start(running(number), OWNER).await.unwrap();
        assert_ne!(again, Started::New);
        assert_eq!(world.stored(number).await, before);
    }
    assert_eq!(world.take_up_all(OWNER).await, []);
    world.is_sound().await;
}

pub(super) async fn a_visit_that_is_over_is_not_written_again(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    world.apply(forward(1, 1)).await.unwrap();
    let before = world.stored(1).await;
    let rewritten = Transition {
        open: Some(visit(1, 1, "a", done(6, json!("something else")))),
        made: Vec::new(),
        ..forward(1, 1)
    };
    for transition in [forward(1, 1), rewritten, back_off(1, at(60))] {
        let refused = world.apply(transition).await;
        assert_eq!(kind(refused), StoreErrorKind::Conflict);
    }
    assert_eq!(world.stored(1).await, before);
}

pub(super) async fn a_paused_execution_goes_on_only_through_its_gate(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(paused(1)).await;
    let before = world.stored(1).await;
    for transition in [forward(1, 1), interrupted(1)] {
        let refused = world.apply(transition).await;
        assert_eq!(kind(refused), StoreErrorKind::Conflict);
    }
    assert_eq!(world.stored(1).await, before);
    let approval = vote(Decision::Approve, "ann");
    world.store.vote(gate_id(1), approval).await.unwrap();
    world.apply(forward(1, 1)).await.unwrap();
    world.is_sound().await;
}

pub(super) async fn the_end_of_an_execution_withdraws_its_gate(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(paused(1)).await;
    world.start(paused(2)).await;
    world.apply(cancel(1)).await.unwrap();
    let gate = world.reads.gate(gate_id(1)).await.unwrap().unwrap();
    assert_eq!(gate.state, GateState::Withdrawn { at: at(90) });
    let waiting = world.reads.waiting_gates().await.unwrap().items;
    assert_eq!(waiting, world.stored(2).await.gates);
    let before = world.stored(1).await;
    let late = world.store.vote(gate_id(1), vote(Decision::Approve, "ann"));
    assert_eq!(
        late.await.unwrap().judgement,
        Judgement::Conflicts(Box::new(gate.state))
    );
    assert_eq!(world.stored(1).await, before);
    world.is_sound().await;
}

pub(super) async fn what_came_to_rest_tells_its_results_and_its_step(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let failing = Transition {
        state: failed(FailureKind::Denied),
        ..complete(2)
    };
    for (number, end) in [(1, complete(1)), (2, failing), (3, interrupted(3))] {
        world.start(running(number)).await;
        world.apply(end.clone()).await.unwrap();
        let stored = world.stored(number).await;
        let Execution { state, .. } = stored.execution;
        assert_eq!(state, end.state);
        assert_eq!(Some(stored.state.step_results), end.results);
        let step = (number != 1).then(|| step("a"));
        assert_eq!(stored.state.current_step_id, step);
        assert_eq!(stored.journal, Vec::from_iter(end.open));
    }
    world.is_sound().await;
}
