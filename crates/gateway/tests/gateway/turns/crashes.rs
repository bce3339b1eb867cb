//! What a sudden end in the middle of a model's turns leaves, and how the next start goes on.

use std::sync::Arc;

use gateway::store::Store;
use gateway::workflow_types::approval::{GateKind, Resolution};
use gateway::workflow_types::execution::{FailureKind, TurnPlace};
use gateway::workflow_types::id::ExecutionId;
use serde_json::{Value, json};

use super::{give, live, made, output, store, world};
use crate::support::crashing::{Crash, Crashing};
use crate::support::dialogue::{Dialogue, calls, says};
use crate::support::{Life, World, actor, is_paused, verdict};

fn wait() -> Value {
    json!({"do": "wait", "give": 3})
}

/// A model whose third turn takes until the test lets it go.
fn waits_in(tool: &'static str) -> Dialogue {
    Dialogue::of([
        calls([("act", give(1))]),
        calls([("put", give(2))]),
        calls([(tool, wait()), ("look", give(4))]),
        says("mended"),
    ])
}

/// Ends the process in the middle of the third turn's first call.
fn kill_within(world: &World, model: &Dialogue) -> ExecutionId {
    let life = live(world, model);
    let id = life.start("w", json!({}));
    // Three questions, and the third call.
    life.until_called(world, 6);
    life.kill();
    id
}

fn resolve(life: &Life, id: ExecutionId, resolution: Resolution) {
    let gate = life.gate(id);
    assert_eq!(gate.kind, GateKind::Interrupted);
    assert_eq!(gate.place, TurnPlace { turn: 3, call: 1 });
    assert_eq!(gate.request["tool"], "act");
    life.run(
        life.gateway
            .resolve(gate.id, resolution, actor("ann"), None),
    )
    .unwrap();
}

#[test]
fn a_harmless_call_is_made_again_with_its_key_and_nothing_before_it() {
    let world = world("withoutApproval: [act]");
    let model = waits_in("look");
    let id = kill_within(&world, &model);
    world.ledger.let_go(1);
    let life = live(&world, &model);
    assert_eq!(verdict(&life.wait(id)), None);
    let expected = [
        "act 1 m/1/1.1",
        "put 2 m/1/2.1",
        "look 3 m/1/3.1",
        "look 3 m/1/3.1",
        "look 4 m/1/3.2",
    ];
    assert_eq!(made(&world), expected);
    // Nor is what was answered asked again.
    let turns: Vec<usize> = model.asked().iter().map(|one| one.turns.len()).collect();
    assert_eq!(turns, [0, 1, 2, 3]);
    assert_eq!(output(&life, id), json!("mended"));
    life.check(&world);
}

#[test]
fn of_a_destructive_call_a_person_says_what_became_of_it() {
    let done = Resolution::Done {
        output: json!("seen"),
    };
    for (resolution, made_again, told) in [
        (Resolution::Rerun, 1, Some("act: 3")),
        (done, 0, Some("act: \"seen\"")),
        (Resolution::Fail, 0, None),
    ] {
        let here = world("withoutApproval: [act]");
        let model = waits_in("act");
        let id = kill_within(&here, &model);
        let life = live(&here, &model);
        assert!(is_paused(&life.wait(id)));
        here.ledger.let_go(1);
        resolve(&life, id, resolution);
        let ended = life.wait(id);
        let acts = made(&here)
            .iter()
            .filter(|call| *call == "act 3 m/1/3.1")
            .count();
        assert_eq!(acts, 1 + made_again);
        match told {
            Some(told) => {
                assert_eq!(verdict(&ended), None);
                assert_eq!(model.told()[2], told);
            }
            None => assert_eq!(verdict(&ended), Some(FailureKind::Interrupted)),
        }
        life.check(&here);
    }
}

#[test]
fn the_author_says_what_an_interruption_means() {
    for (says, verdict_is, acts) in [
        ("rerun", None, 2),
        ("fail", Some(FailureKind::Interrupted), 1),
    ] {
        let here = world(&format!("withoutApproval: [act]\n    onInterrupt: {says}"));
        let model = waits_in("act");
        let id = kill_within(&here, &model);
        here.ledger.let_go(1);
        let life = live(&here, &model);
        assert_eq!(verdict(&life.wait(id)), verdict_is);
        let made = made(&here);
        let again = made.iter().filter(|call| *call == "act 3 m/1/3.1");
        assert_eq!(again.count(), acts);
        life.check(&here);
    }
}

/// Runs a conversation with a destructive and two idempotent calls, of which somebody approves the
/// first, with a process that dies at a write; answers whether it came to that.
fn survives(crash: Crash) -> bool {
    let here = world("");
    let model = Dialogue::of([
        calls([("put", give(1)), ("act", give(2))]),
        calls([("put", give(3))]),
        says("mended"),
    ]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    drop(runtime);
    let crashing = Arc::new(Crashing::new(store(&here), crash));
    let mut dies = crashing.crashed();
    let life = here.live_with(|builder| {
        let store = Arc::clone(&crashing) as Arc<dyn Store>;
        model.add_to(builder, &here.ledger).store(store)
    });
    crashing.arm();
    let started = life.runtime.block_on(async {
        let run = async {
            let w = "w".parse().unwrap();
            let key = "once".parse().unwrap();
            let request = gateway::StartRequest::new(w, json!({})).idempotency_key(key);
            let started = life.gateway.start_with(request).await.unwrap();
            through(&life.gateway, started.id).await;
        };
        tokio::select! {
            () = run => false,
            dead = dies.wait_for(|dead| *dead) => dead.is_ok(),
        }
    });
    drop(crashing);
    life.kill();
    let life = live(&here, &model);
    let ended = life.run(async {
        let w = "w".parse().unwrap();
        let key = "once".parse().unwrap();
        let request = gateway::StartRequest::new(w, json!({})).idempotency_key(key);
        let started = life.gateway.start_with(request).await.unwrap();
        through(&life.gateway, started.id).await;
        started.id
    });
    let done = life.wait(ended);
    assert_eq!(verdict(&done), None, "{crash:?}");
    let calls = made(&here);
    let times = |key: &str| calls.iter().filter(|call| call.ends_with(key)).count();
    // A destructive call is made at most once, and here a person says that it was if it had begun.
    assert!(times("m/1/1.2") <= 1, "{crash:?} {calls:?}");
    assert!((1..=2).contains(&times("m/1/1.1")), "{crash:?} {calls:?}");
    assert!((1..=2).contains(&times("m/1/2.1")), "{crash:?} {calls:?}");
    // One crash repeats one thing, at most.
    assert!(calls.len() <= 4, "{crash:?} {calls:?}");
    assert!(model.asked().len() <= 4, "{crash:?}");
    let turns = life.run(life.gateway.reader().turns(ended, 1, 1)).unwrap();
    assert_eq!(turns.len(), 2, "{crash:?}");
    life.check(&here);
    life.kill();
    started
}

/// Decides whatever an execution waits for, until it has ended.
async fn through(gateway: &gateway::Gateway, id: ExecutionId) {
    loop {
        let rests = gateway.wait(id).await.unwrap();
        if rests.state.status().is_finished() {
            return;
        }
        let gate = gateway.reader().gate_of(id).await.unwrap();
        let ann = actor("ann");
        match gate.kind {
            GateKind::Approval => gateway.approve(gate.id, ann, None).await.map(|_| ()),
            GateKind::Interrupted => {
                let done = Resolution::Done { output: json!(2) };
                gateway.resolve(gate.id, done, ann, None).await.map(|_| ())
            }
        }
        .unwrap();
    }
}

#[test]
fn whatever_write_the_process_dies_at_nothing_is_done_twice() {
    for make in [Crash::Before as fn(usize) -> Crash, Crash::After] {
        let crashes = (0..40).take_while(|at| survives(make(*at))).count();
        // The start, two answers, three calls, a vote, the end of the step and of the next.
        assert!((8..40).contains(&crashes), "{crashes} crashes");
    }
}
