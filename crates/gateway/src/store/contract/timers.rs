//! Laws about what is due: gates that expire, and attempts that are repeated.

use workflow_types::approval::{Decision, GateState, Judgement};
use workflow_types::execution::{ExecutionStatus, Scope};
use workflow_types::id::ExecutionId;

use super::StoreFactory;
use super::fixture::{
    World, at, back_off, cancel, complete, expiring, gate_id, id, paused, running, vote,
};

impl World {
    async fn expire(&self, scope: Scope, now: u32, limit: usize) -> Vec<ExecutionId> {
        self.store.expire_due(scope, at(now), limit).await.unwrap()
    }

    async fn retries(&self, scope: Scope, now: u32, limit: usize) -> Vec<ExecutionId> {
        self.reads.due_retries(scope, at(now), limit).await.unwrap()
    }

    async fn backing_off(&self, number: u32, until: u32) {
        self.start(running(number)).await;
        self.apply(back_off(number, at(until))).await.unwrap();
    }
}

fn of(numbers: &[u32]) -> Scope {
    Scope::Of(numbers.iter().map(|number| id(*number)).collect())
}

pub(super) async fn gates_expire_in_the_order_in_which_they_are_due(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for (number, when) in [(1, 80), (2, 60), (3, 70), (4, 90)] {
        world.start(expiring(number, at(when))).await;
    }
    world.start(paused(5)).await;
    assert_eq!(world.expire(Scope::All, 59, 10).await, []);
    assert_eq!(world.expire(Scope::All, 80, 2).await, [id(2), id(3)]);
    assert_eq!(world.expire(Scope::All, 80, 2).await, [id(1)]);
    assert_eq!(world.expire(Scope::All, 80, 2).await, []);
    for number in [1, 2, 3] {
        let stored = world.stored(number).await;
        assert_eq!(stored.gates[0].state, GateState::Expired { at: at(80) });
        assert_eq!(stored.execution.state.status(), ExecutionStatus::Running);
    }
    for number in [4, 5] {
        let stored = world.stored(number).await;
        assert_eq!(stored.gates[0].state, GateState::Waiting);
        assert_eq!(stored.execution.state.status(), ExecutionStatus::Paused);
    }
    world.is_sound().await;
}

pub(super) async fn only_gates_within_the_scope_expire(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in [1, 2, 3] {
        world.start(expiring(number, at(60))).await;
    }
    assert_eq!(world.expire(of(&[]), 90, 10).await, []);
    assert_eq!(world.expire(of(&[2, 77]), 90, 10).await, [id(2)]);
    let mut rest = world.expire(of(&[1, 2, 3]), 90, 10).await;
    rest.sort();
    assert_eq!(rest, [id(1), id(3)]);
}

pub(super) async fn a_vote_after_the_expiry_conflicts_whether_or_not_it_was_noticed(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    world.start(expiring(1, at(60))).await;
    let mut late = vote(Decision::Approve, "ann");
    late.at = at(60);
    let voted = world.store.vote(gate_id(1), late.clone()).await.unwrap();
    let expired = GateState::Expired { at: at(60) };
    assert_eq!(voted.judgement, Judgement::Conflicts(Box::new(expired)));
    assert_eq!(world.stored(1).await.gates[0].state, GateState::Waiting);
    assert_eq!(world.expire(Scope::All, 70, 10).await, [id(1)]);
    let voted = world.store.vote(gate_id(1), late).await.unwrap();
    let expired = GateState::Expired { at: at(70) };
    assert_eq!(voted.judgement, Judgement::Conflicts(Box::new(expired)));
    assert_eq!(world.reads.votes(gate_id(1)).await.unwrap(), []);
    world.is_sound().await;
}

pub(super) async fn attempts_are_due_in_their_order(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for (number, until) in [(1, 80), (2, 60), (3, 70), (4, 90)] {
        world.backing_off(number, until).await;
    }
    world.start(running(5)).await;
    assert_eq!(world.retries(Scope::All, 59, 10).await, []);
    assert_eq!(world.retries(Scope::All, 60, 10).await, [id(2)]);
    assert_eq!(world.retries(Scope::All, 80, 2).await, [id(2), id(3)]);
    let all = world.retries(Scope::All, 99, 10).await;
    assert_eq!(all, [2, 3, 1, 4].map(id));
    assert_eq!(world.retries(of(&[]), 99, 10).await, []);
    assert_eq!(world.retries(of(&[4, 3]), 99, 10).await, [id(3), id(4)]);
}

pub(super) async fn what_is_due_next_is_the_earliest_of_all(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let next = async |scope| world.reads.next_due(scope).await.unwrap();
    assert_eq!(next(Scope::All).await, None);
    world.start(paused(1)).await;
    world.start(running(2)).await;
    assert_eq!(next(Scope::All).await, None);
    world.backing_off(3, 80).await;
    assert_eq!(next(Scope::All).await, Some(at(80)));
    world.start(expiring(4, at(70))).await;
    world.start(expiring(5, at(75))).await;
    world.backing_off(6, 95).await;
    assert_eq!(next(Scope::All).await, Some(at(70)));
    assert_eq!(next(of(&[3, 5])).await, Some(at(75)));
    assert_eq!(next(of(&[3])).await, Some(at(80)));
    assert_eq!(next(of(&[1, 2])).await, None);
    assert_eq!(next(of(&[])).await, None);
    world.expire(Scope::All, 76, 10).await;
    assert_eq!(next(Scope::All).await, Some(at(80)));
}

pub(super) async fn nothing_of_a_finished_execution_is_due(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.backing_off(1, 60).await;
    world.start(expiring(2, at(60))).await;
    world.backing_off(3, 60).await;
    world.apply(cancel(1)).await.unwrap();
    world.apply(cancel(2)).await.unwrap();
    world.apply(complete(3)).await.unwrap();
    assert_eq!(world.reads.next_due(Scope::All).await.unwrap(), None);
    assert_eq!(world.expire(Scope::All, 99, 10).await, []);
    assert_eq!(world.retries(Scope::All, 99, 10).await, []);
}
