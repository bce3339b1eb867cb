//! Laws about the turns of models: answers with their calls, and how those come to their end.

use serde_json::json;
use workflow_types::execution::{
    CallMoved, CallState, Cancellation, Epoch, ModelTurn, Outcome, Progress, StepFailureKind,
    Transition, TurnCall, TurnPlace, Visit, VisitState,
};

use super::StoreFactory;
use super::fixture::{
    World, at, complete, forward, gate_id, id, interrupted, kind, running, visit,
};
use crate::store::StoreErrorKind;

fn call(number: u32, state: CallState) -> TurnCall {
    TurnCall {
        number,
        id: format!("call_{number}"),
        tool: "no such tool \"{{ x }}\"".to_owned(),
        args: json!({"zeta": 1, "alpha": [null, "{{ steps.a.output }}"], "n": 1.5}),
        attempt: 1,
        state,
    }
}

/// An answer with these calls, recorded in the first visit, whose attempt goes on.
fn answer(execution: u32, number: u32, calls: Vec<TurnCall>) -> Transition {
    let turn = ModelTurn {
        visit: 1,
        number,
        attempt: 1,
        answered_at: at(3),
        text: "I look.\n".to_owned(),
        refused: calls.is_empty().then(|| "no JSON".to_owned()),
        calls,
    };
    goes_on(
        execution,
        Progress {
            turn: Some(turn),
            ..Progress::default()
        },
    )
}

fn moved(execution: u32, place: (u32, u32), state: CallState) -> Transition {
    let (turn, call) = place;
    let moved = CallMoved {
        visit: 1,
        place: TurnPlace { turn, call },
        attempt: 2,
        state,
    };
    goes_on(
        execution,
        Progress {
            calls: vec![moved],
            ..Progress::default()
        },
    )
}

fn goes_on(execution: u32, progress: Progress) -> Transition {
    let open: Visit = visit(execution, 1, "a", VisitState::Begun);
    Transition {
        open: Some(open),
        made: Vec::new(),
        progress,
        ..forward(execution, 1)
    }
}

fn done(begun: bool, outcome: Outcome) -> CallState {
    CallState::Done {
        begun_at: begun.then(|| at(4)),
        at: at(6),
        outcome,
    }
}

fn states(turn: &ModelTurn) -> Vec<CallState> {
    turn.calls.iter().map(|call| call.state.clone()).collect()
}

pub(super) async fn answers_and_their_calls_are_read_back_as_they_were(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in [1, 2] {
        world.start(running(number)).await;
    }
    let output = json!({"b": 1, "a": [true, "x"]});
    let failed = Outcome::failure(StepFailureKind::Timeout, "too late");
    let calls = vec![
        call(1, done(true, Outcome::Success { output })),
        call(2, done(false, failed)),
        call(3, CallState::Begun { begun_at: at(5) }),
        call(4, CallState::Ready { begun_at: at(5) }),
        call(5, CallState::Asked),
    ];
    let first = answer(1, 1, calls);
    let second = answer(1, 2, Vec::new());
    let expected = [&first, &second].map(|one| one.progress.turn.clone().unwrap());
    world.apply(first).await.unwrap();
    world.apply(second).await.unwrap();
    assert_eq!(world.reads.turns(id(1), 1, 1).await.unwrap(), expected);
    assert_eq!(world.reads.turns(id(1), 2, 9).await.unwrap(), []);
    assert_eq!(world.reads.turns(id(2), 1, 9).await.unwrap(), []);
    world.is_sound().await;
    world.apply(complete(1)).await.unwrap();
    world.store.delete(id(1)).await.unwrap();
    assert_eq!(world.reads.turns(id(1), 1, 9).await.unwrap(), []);
    world.is_sound().await;
}

pub(super) async fn a_call_ends_once_and_with_it_the_next_one_begins(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    let begun = CallState::Begun { begun_at: at(4) };
    let calls = vec![call(1, begun.clone()), call(2, CallState::Asked)];
    let asked = answer(1, 1, calls);
    world.apply(asked.clone()).await.unwrap();
    // What is recorded is recorded once.
    assert_eq!(kind(world.apply(asked).await), StoreErrorKind::Conflict);
    let over = done(true, Outcome::Success { output: json!(1) });
    let mut both = moved(1, (1, 1), over.clone());
    both.progress
        .calls
        .extend(moved(1, (1, 2), begun.clone()).progress.calls);
    world.apply(both.clone()).await.unwrap();
    let turns = || async { world.reads.turns(id(1), 1, 1).await.unwrap() };
    assert_eq!(states(&turns().await[0]), [over.clone(), begun.clone()]);
    assert_eq!(turns().await[0].calls[1].attempt, 2);
    // Nothing of a transition is written that moves what is over, or what nobody asked for.
    let other = done(true, Outcome::Success { output: json!(2) });
    for refused in [
        both,
        moved(1, (1, 1), other),
        moved(1, (1, 3), begun.clone()),
        moved(1, (2, 1), begun.clone()),
    ] {
        let before = turns().await;
        assert_eq!(kind(world.apply(refused).await), StoreErrorKind::Conflict);
        assert_eq!(turns().await, before);
    }
    let back = CallState::Ready { begun_at: at(4) };
    world.apply(moved(1, (1, 2), back.clone())).await.unwrap();
    assert_eq!(states(&turns().await[0]), [over, back]);
    world.is_sound().await;
}

pub(super) async fn whoever_may_not_write_an_execution_records_no_answer(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    let begun = CallState::Begun { begun_at: at(4) };
    let superseded = Transition {
        epoch: Epoch::new(7),
        ..answer(1, 1, vec![call(1, begun.clone())])
    };
    assert_eq!(kind(world.apply(superseded).await), StoreErrorKind::Fenced);
    world
        .apply(answer(1, 1, vec![call(1, begun.clone())]))
        .await
        .unwrap();
    let asked = Cancellation {
        actor: "ann".parse().unwrap(),
        at: at(5),
        reason: None,
    };
    world.store.cancel(id(1), asked).await.unwrap();
    let output = Outcome::Success { output: json!(1) };
    for refused in [
        moved(1, (1, 1), done(true, output)),
        answer(1, 2, Vec::new()),
    ] {
        assert_eq!(kind(world.apply(refused).await), StoreErrorKind::Conflict);
    }
    let turns = world.reads.turns(id(1), 1, 1).await.unwrap();
    assert_eq!(turns.len(), 1);
    assert_eq!(states(&turns[0]), [begun]);
    world.is_sound().await;
}

pub(super) async fn a_gate_knows_its_place_within_the_turns(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.start(running(1)).await;
    let place = TurnPlace { turn: 3, call: 2 };
    let mut asks = interrupted(1);
    if let Some(gate) = &mut asks.gate {
        gate.place = place;
    }
    world.apply(asks).await.unwrap();
    let gate = world.reads.gate(gate_id(1)).await.unwrap().unwrap();
    assert_eq!(gate.place, place);
    world.is_sound().await;
}
