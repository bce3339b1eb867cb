//! Laws about events: what was told once is told the same ever after.

use workflow_types::approval::Decision;
use workflow_types::execution::{
    Event, EventKind, EventSeq, ExecutionState, Transition, Visit, VisitState,
};

use super::StoreFactory;
use super::fixture::{
    World, at, back_off, complete, done, failed_attempt, forward, gate, gate_id, id, interrupted,
    kind, paused, results, running, visit, vote, with_gate,
};
use crate::store::StoreErrorKind;
use workflow_types::approval::GateKind;

/// Every event that there is now, read `limit` at a time.
async fn all(world: &World, number: u32, after: EventSeq, limit: usize) -> (Vec<Event>, bool) {
    let (mut events, mut place): (Vec<Event>, _) = (Vec::new(), after);
    loop {
        let page = world.reads.events(id(number), place, limit).await;
        let page = page.unwrap().unwrap();
        assert!(page.items.len() <= limit);
        let Some(last) = page.items.last() else {
            return (events, page.is_last);
        };
        place = last.seq;
        events.extend(page.items);
        if page.is_last {
            return (events, true);
        }
    }
}

fn words(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

/// What was told before stands at the beginning of what is told now, from wherever it is read.
async fn grows(world: &World, number: u32, told: &mut Vec<Event>) {
    let (now, _) = all(world, number, EventSeq::START, 100).await;
    assert_eq!(now[..told.len()], told[..], "what was told has changed");
    assert!(now.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    for limit in [1, 2, 7] {
        assert_eq!(all(world, number, EventSeq::START, limit).await.0, now);
    }
    for (place, event) in now.iter().enumerate() {
        let (rest, _) = all(world, number, event.seq, 3).await;
        assert_eq!(rest, now[place + 1..]);
    }
    *told = now;
}

pub(super) async fn events_only_grow_and_are_read_from_any_place(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let mut told = Vec::new();
    world.start(running(1)).await;
    grows(&world, 1, &mut told).await;
    let failing = Transition {
        failed: Some(failed_attempt(1, 1)),
        ..back_off(1, at(60))
    };
    world.apply(failing.clone()).await.unwrap();
    grows(&world, 1, &mut told).await;
    // The write of a failed attempt may be repeated.
    world.apply(failing).await.unwrap();
    grows(&world, 1, &mut told).await;
    let second = |state| Visit {
        attempt: 2,
        ..visit(1, 1, "a", state)
    };
    let again = |state| Transition {
        open: Some(second(state)),
        made: Vec::new(),
        ..forward(1, 1)
    };
    for state in [VisitState::Begun, VisitState::Ready, VisitState::Begun] {
        world.apply(again(state)).await.unwrap();
        grows(&world, 1, &mut told).await;
    }
    let mut asking = interrupted(1);
    asking.open = Some(second(VisitState::Waiting));
    asking.gate.as_mut().unwrap().attempt = 2;
    world.apply(asking).await.unwrap();
    grows(&world, 1, &mut told).await;
    let by = workflow_types::approval::ResolvedBy {
        resolution: workflow_types::approval::Resolution::Rerun,
        actor: "ann".parse().unwrap(),
        at: at(61),
        reason: None,
    };
    world.store.resolve(gate_id(1), by).await.unwrap();
    grows(&world, 1, &mut told).await;
    let ended = Transition {
        open: Some(second(done(62, serde_json::json!(1)))),
        ..complete(1)
    };
    let mut ended = ended;
    ended.results = Some(results(&[("a", done(62, serde_json::json!(1)))]));
    world.apply(ended).await.unwrap();
    grows(&world, 1, &mut told).await;
    assert_eq!(
        words(&told),
        [
            "execution_started",
            "step_started",
            "attempt_failed",
            "step_started",
            "step_waits",
            "execution_paused",
            "gate_settled",
            "execution_resumed",
            "step_finished",
            "execution_completed",
        ]
    );
    assert!(all(&world, 1, EventSeq::START, 100).await.1);
    assert!(all(&world, 1, told[9].seq, 100).await.1);
    let (_, is_last) = all(&world, 1, told[3].seq, 2).await;
    assert!(is_last);
}

pub(super) async fn votes_are_told_in_the_order_in_which_they_were_counted(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let start = with_gate(paused(1), |gate| gate.count = 4.try_into().unwrap());
    world.start(start).await;
    let mut told = Vec::new();
    grows(&world, 1, &mut told).await;
    // All at one instant.
    for who in ["zoe", "ann", "mia", "bob"] {
        let voted = world.store.vote(gate_id(1), vote(Decision::Approve, who));
        voted.await.unwrap();
        grows(&world, 1, &mut told).await;
    }
    let voters: Vec<_> = told
        .iter()
        .filter_map(|event| {
            let EventKind::VoteCounted { vote, .. } = &event.kind else {
                return None;
            };
            Some(vote.actor.to_string())
        })
        .collect();
    assert_eq!(voters, ["zoe", "ann", "mia", "bob"]);
    // The execution ends while nobody is asked any more.
    world.apply(complete(1)).await.unwrap();
    grows(&world, 1, &mut told).await;
    assert_eq!(words(&told).last(), Some(&"execution_completed"));
}

pub(super) async fn events_of_a_long_history_are_read_in_pages(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    for from in 1..40 {
        world.apply(forward(1, from)).await.unwrap();
    }
    let mut told = Vec::new();
    grows(&world, 1, &mut told).await;
    assert_eq!(told.len(), 1 + 39 * 2 + 1);
    let pause = Transition {
        open: Some(visit(1, 40, "a", VisitState::Waiting)),
        made: Vec::new(),
        gate: Some(workflow_types::approval::Gate {
            visit: 40,
            ..gate(1, GateKind::Interrupted)
        }),
        state: ExecutionState::Paused {
            step: "a".parse().unwrap(),
            at: at(10),
        },
        results: Some(
            [(
                "a".parse().unwrap(),
                workflow_types::execution::StepResult::of(&visit(1, 40, "a", VisitState::Waiting))
                    .unwrap(),
            )]
            .into(),
        ),
        ..forward(1, 40)
    };
    world.apply(pause).await.unwrap();
    grows(&world, 1, &mut told).await;
    let page = world.reads.events(id(77), EventSeq::START, 9).await;
    assert_eq!(page.unwrap(), None);
    assert_eq!(
        kind(world.apply(forward(77, 1)).await),
        StoreErrorKind::NotFound
    );
    world.is_sound().await;
}

pub(super) async fn every_commit_is_told_to_who_reads_beside(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    let mut one = world.reads.commits().await.unwrap();
    let mut other = world.reads.commits().await.unwrap();
    for from in 1..30 {
        world.apply(forward(1, from)).await.unwrap();
        // A commit that is not told would not be waited out.
        one.next().await;
        other.next().await;
    }
}
