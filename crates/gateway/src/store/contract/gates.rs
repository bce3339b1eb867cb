//! Laws about what people say to gates.

use std::num::NonZeroU32;
use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;
use workflow_types::approval::{Decision, GateState, Judgement, Resolution, Resolved, ResolvedBy};
use workflow_types::execution::{ExecutionStatus, VisitState};
use workflow_types::id::Actor;

use super::StoreFactory;
use super::fixture::{
    World, at, forward, gate_id, id, interrupted, kind, paused, running, vote, with_gate,
};
use crate::store::StoreErrorKind;

impl World {
    async fn say(&self, decision: Decision, actor: &str) -> Judgement {
        let voted = self.store.vote(gate_id(1), vote(decision, actor)).await;
        voted.unwrap().judgement
    }

    async fn voters(&self) -> Vec<String> {
        let votes = self.reads.votes(gate_id(1)).await.unwrap();
        votes.iter().map(|vote| vote.actor.to_string()).collect()
    }
}

fn actor(name: &str) -> Actor {
    name.parse().unwrap()
}

fn by(resolution: Resolution, name: &str) -> ResolvedBy {
    ResolvedBy {
        resolution,
        actor: actor(name),
        at: at(50),
        reason: Some("seen in the log".to_owned()),
    }
}

pub(super) async fn one_approval_settles_a_gate(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(paused(1)).await;
    let approval = vote(Decision::Approve, "ann");
    let voted = world
        .store
        .vote(gate_id(1), approval.clone())
        .await
        .unwrap();
    assert_eq!(voted.judgement, Judgement::Settles);
    assert_eq!(voted.gate.state, GateState::Decided(approval.clone()));
    let stored = world.stored(1).await;
    assert_eq!(stored.gates, [voted.gate]);
    assert_eq!(stored.execution.state.status(), ExecutionStatus::Running);
    assert_eq!(stored.journal[0].state, VisitState::Waiting);
    assert_eq!(world.reads.votes(gate_id(1)).await.unwrap(), [approval]);
    assert_eq!(world.reads.waiting_gates().await.unwrap().items, []);
    world.is_sound().await;
}

pub(super) async fn approvals_count_until_there_are_enough(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let start = with_gate(paused(1), |gate| {
        gate.count = NonZeroU32::new(3).unwrap();
    });
    world.start(start).await;
    assert_eq!(world.say(Decision::Approve, "bob").await, Judgement::Counts);
    assert_eq!(
        world.say(Decision::Approve, "bob").await,
        Judgement::Repeats
    );
    assert_eq!(world.say(Decision::Approve, "ann").await, Judgement::Counts);
    let execution = world.stored(1).await.execution;
    assert_eq!(execution.state.status(), ExecutionStatus::Paused);
    assert_eq!(
        world.say(Decision::Approve, "cid").await,
        Judgement::Settles
    );
    let execution = world.stored(1).await.execution;
    assert_eq!(execution.state.status(), ExecutionStatus::Running);
    let mut voters = world.voters().await;
    voters.sort();
    assert_eq!(voters, ["ann", "bob", "cid"]);
}

pub(super) async fn the_same_decision_repeats_and_the_opposite_one_conflicts(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    world.start(paused(1)).await;
    assert_eq!(world.say(Decision::Deny, "ann").await, Judgement::Settles);
    let before = world.stored(1).await;
    for name in ["ann", "bob"] {
        assert_eq!(world.say(Decision::Deny, name).await, Judgement::Repeats);
        let conflict = world.say(Decision::Approve, name).await;
        let settled = GateState::Decided(vote(Decision::Deny, "ann"));
        assert_eq!(conflict, Judgement::Conflicts(Box::new(settled)));
    }
    assert_eq!(world.stored(1).await, before);
    assert_eq!(world.voters().await, ["ann"]);
    // The execution has gone on: the decision stays what it was.
    world.apply(forward(1, 1)).await.unwrap();
    assert_eq!(world.say(Decision::Deny, "bob").await, Judgement::Repeats);
}

pub(super) async fn who_is_not_entitled_changes_nothing(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let start = with_gate(paused(1), |gate| gate.approvers = vec![actor("ann")]);
    world.start(start).await;
    let before = world.stored(1).await;
    for decision in [Decision::Approve, Decision::Deny] {
        assert_eq!(world.say(decision, "eve").await, Judgement::NotEntitled);
    }
    assert_eq!(world.stored(1).await, before);
    assert_eq!(world.voters().await, Vec::<String>::new());
    assert_eq!(
        world.say(Decision::Approve, "ann").await,
        Judgement::Settles
    );
}

pub(super) async fn fifty_racing_deciders_settle_a_gate_once(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(paused(1)).await;
    let mut racing = JoinSet::new();
    for number in 0..50 {
        let store = Arc::clone(&world.store);
        racing.spawn(async move {
            let decision = [Decision::Approve, Decision::Deny][number % 2];
            let said = vote(decision, &format!("actor {number}"));
            (said.clone(), store.vote(gate_id(1), said).await.unwrap())
        });
    }
    let all = racing.join_all().await;
    let settling: Vec<_> = all
        .iter()
        .filter(|(_, voted)| voted.judgement == Judgement::Settles)
        .collect();
    assert_eq!(settling.len(), 1);
    let first = &settling[0].0;
    for (said, voted) in &all {
        let expected = if said.actor == first.actor {
            Judgement::Settles
        } else if said.decision == first.decision {
            Judgement::Repeats
        } else {
            Judgement::Conflicts(Box::new(GateState::Decided(first.clone())))
        };
        assert_eq!(voted.judgement, expected);
        assert_eq!(voted.gate.state, GateState::Decided(first.clone()));
    }
    assert_eq!(world.voters().await, [first.actor.to_string()]);
    world.is_sound().await;
}

pub(super) async fn an_interrupted_step_is_resolved_once(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    let mut asks = interrupted(1);
    asks.gate.as_mut().unwrap().approvers = vec![actor("ann"), actor("bob")];
    world.apply(asks).await.unwrap();
    let output = Resolution::Done {
        output: json!({"seen": [1]}),
    };
    let resolve = |resolution, name| world.store.resolve(gate_id(1), by(resolution, name));
    let refused = resolve(Resolution::Rerun, "eve").await;
    assert_eq!(kind(refused), StoreErrorKind::Conflict);
    let execution = world.stored(1).await.execution;
    assert_eq!(execution.state.status(), ExecutionStatus::Paused);
    assert_eq!(
        resolve(output.clone(), "ann").await.unwrap(),
        Resolved::Settled
    );
    let settled = world.stored(1).await;
    assert_eq!(settled.execution.state.status(), ExecutionStatus::Running);
    let expected = GateState::Resolved(by(output.clone(), "ann"));
    assert_eq!(settled.gates[0].state, expected);
    assert_eq!(resolve(output, "bob").await.unwrap(), Resolved::Repeated);
    for other in [Resolution::Rerun, Resolution::Fail] {
        let conflict = resolve(other, "bob").await.unwrap();
        assert_eq!(conflict, Resolved::Conflicts(expected.clone()));
    }
    assert_eq!(world.stored(1).await, settled);
    world.is_sound().await;
}

pub(super) async fn a_gate_takes_only_what_it_asks_for(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    world.apply(interrupted(1)).await.unwrap();
    world.start(paused(2)).await;
    let approval = vote(Decision::Approve, "ann");
    let rerun = by(Resolution::Rerun, "ann");
    let voted = world.store.vote(gate_id(1), approval.clone()).await;
    assert_eq!(kind(voted), StoreErrorKind::Conflict);
    let resolved = world.store.resolve(gate_id(2), rerun.clone()).await;
    assert_eq!(kind(resolved), StoreErrorKind::Conflict);
    let voted = world.store.vote(gate_id(77), approval).await;
    assert_eq!(kind(voted), StoreErrorKind::NotFound);
    let resolved = world.store.resolve(gate_id(77), rerun).await;
    assert_eq!(kind(resolved), StoreErrorKind::NotFound);
    assert_eq!(world.reads.gate(gate_id(77)).await.unwrap(), None);
    assert_eq!(world.reads.votes(gate_id(77)).await.unwrap(), []);
}

pub(super) async fn gates_are_found_by_execution_and_by_visit(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    world.start(paused(3)).await;
    world.apply(interrupted(1)).await.unwrap();
    let first = interrupted(1).gate.unwrap();
    let rerun = by(Resolution::Rerun, "ann");
    world.store.resolve(first.id, rerun).await.unwrap();
    // The same visit is interrupted again: the later gate counts.
    let mut again = interrupted(1);
    let second = again.gate.as_mut().unwrap();
    (second.id, second.requested_at) = (gate_id(2), at(60));
    let second = second.clone();
    world.apply(again).await.unwrap();
    let gates = world.reads.gates(id(1)).await.unwrap();
    let ids: Vec<_> = gates.iter().map(|gate| gate.id).collect();
    assert_eq!(ids, [first.id, second.id]);
    let latest = world.reads.gate_at(id(1), 1).await.unwrap();
    assert_eq!(latest, Some(second.clone()));
    assert_eq!(world.reads.gate_at(id(1), 2).await.unwrap(), None);
    assert_eq!(world.reads.gate_at(id(77), 1).await.unwrap(), None);
    assert_eq!(world.reads.gate(second.id).await.unwrap(), Some(second));
    assert_eq!(world.reads.gates(id(77)).await.unwrap(), []);
}

pub(super) async fn waiting_gates_are_listed_the_oldest_first(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in [3, 1, 4, 2] {
        world.start(paused(number)).await;
    }
    let approval = vote(Decision::Approve, "ann");
    world.store.vote(gate_id(2), approval).await.unwrap();
    let waiting = world.reads.waiting_gates().await.unwrap();
    assert_eq!(waiting.damaged, []);
    let expected = [1, 3, 4].map(|number| paused(number).gate.unwrap());
    assert_eq!(waiting.items, expected);
}
