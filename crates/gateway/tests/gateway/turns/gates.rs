//! Who is asked before a model calls a destructive tool, and what becomes of the answer.

use std::time::Duration;

use gateway::workflow_types::approval::{GateKind, GateState, OnExpiry};
use gateway::workflow_types::execution::{FailureKind, TurnPlace};
use serde_json::json;

use super::{asks, give, live, made, output, world};
use crate::support::dialogue::{Dialogue, calls, says};
use crate::support::{Life, World, failure, is_paused, verdict};

/// A model that looks, acts twice and ends.
fn acts() -> Dialogue {
    Dialogue::of([
        calls([
            ("look", give(1)),
            ("act", give("$(rm) {{ input.x }}")),
            ("act", give(3)),
        ]),
        says("mended"),
    ])
}

fn start(life: &Life) -> gateway::workflow_types::id::ExecutionId {
    let id = life.start("w", json!({}));
    assert!(is_paused(&life.wait(id)));
    id
}

#[test]
fn a_destructive_call_waits_and_shows_exactly_what_runs() {
    let world = world("");
    let model = acts();
    let life = live(&world, &model);
    let id = start(&life);
    assert_eq!(made(&world), ["look 1 m/1/1.1"]);
    let gate = life.gate(id);
    assert_eq!(gate.kind, GateKind::Approval);
    assert_eq!(gate.place, TurnPlace { turn: 1, call: 2 });
    let shown = json!({"action": "tool", "tool": "act", "args": {"give": "$(rm) {{ input.x }}"}});
    assert_eq!(gate.request, shown);
    assert_eq!(
        gate.message.as_deref(),
        Some("the model asks for `act` (turn 1, call 2)")
    );
    life.approve(&gate, "ann").unwrap();
    assert!(is_paused(&life.wait(id)));
    // Each call is asked about by itself, also after a restart and at one instant of the clock.
    life.shutdown();
    let life = live(&world, &model);
    let second = life.gate(id);
    assert_ne!(second.id, gate.id);
    assert_eq!(second.place, TurnPlace { turn: 1, call: 3 });
    life.approve(&second, "ann").unwrap();
    assert_eq!(verdict(&life.wait(id)), None);
    let expected = [
        "look 1 m/1/1.1",
        "act \"$(rm) {{ input.x }}\" m/1/1.2",
        "act 3 m/1/1.3",
    ];
    assert_eq!(made(&world), expected);
    assert_eq!(output(&life, id), json!("mended"));
    life.check(&world);
}

#[test]
fn what_is_denied_is_told_to_the_model_which_goes_on() {
    let world = world("");
    let model = acts();
    let life = live(&world, &model);
    let id = start(&life);
    life.deny(&life.gate(id), "ann").unwrap();
    assert!(is_paused(&life.wait(id)));
    life.approve(&life.gate(id), "bob").unwrap();
    assert_eq!(verdict(&life.wait(id)), None);
    assert_eq!(made(&world), ["look 1 m/1/1.1", "act 3 m/1/1.3"]);
    let told = ["look: 1", "act: denied by ann: not today", "act: 3"];
    assert_eq!(model.told(), told);
    life.check(&world);
}

#[test]
fn an_author_may_let_a_tool_run_unasked() {
    let world = world("withoutApproval: [act]");
    let model = acts();
    let life = live(&world, &model);
    let done = life.settle(json!({}));
    assert_eq!(verdict(&done), None);
    assert_eq!(made(&world).len(), 3);
    assert!(
        life.run(life.gateway.reader().gates(done.id))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn the_gate_of_a_call_waits_as_the_gate_of_the_step_says() {
    for (then, verdict_is, told) in [
        (OnExpiry::Deny, None, Some("act: nobody decided in time")),
        (OnExpiry::Approve, None, Some("act: 3")),
        (OnExpiry::Fail, Some(FailureKind::ApprovalExpired), None),
    ] {
        let here = world(&format!(
            "approvalRequired: {{timeout: 1h, onTimeout: {then}, approvers: [ann]}}"
        ));
        let model = Dialogue::of([calls([("act", give(3))]), says("mended")]);
        let life = live(&here, &model);
        let id = start(&life);
        // The step's own gate shows the question.
        let own = life.gate(id);
        assert_eq!(own.place, TurnPlace::START);
        assert_eq!(own.request["action"], "model");
        life.approve(&own, "ann").unwrap();
        assert!(is_paused(&life.wait(id)));
        let gate = life.gate(id);
        assert!(life.approve(&gate, "eve").is_err());
        here.clock.advance(Duration::from_hours(1));
        let done = life.run(async {
            let mut follower = life.gateway.follow(id);
            loop {
                let found = life.gateway.reader().execution(id).await.unwrap();
                if found.state.status().is_finished() {
                    return found;
                }
                follower.changed().await;
            }
        });
        assert_eq!(verdict(&done), verdict_is, "{done:?}");
        let settled = life.run(life.gateway.reader().gate(gate.id)).unwrap();
        assert!(matches!(settled.state, GateState::Expired { .. }));
        if let Some(told) = told {
            assert_eq!(model.told(), [told]);
        } else {
            assert!(failure(&done).message.contains("nobody decided in time"));
        }
        life.check(&here);
    }
}

#[test]
fn a_call_that_waits_ends_with_its_execution() {
    let world = world("");
    let life = live(&world, &acts());
    let id = start(&life);
    life.run(life.gateway.cancel(id, "ann".parse().unwrap(), None))
        .unwrap();
    assert_eq!(verdict(&life.wait(id)), Some(FailureKind::Cancelled));
    assert_eq!(made(&world), ["look 1 m/1/1.1"]);
    life.check(&world);
}

#[test]
fn each_lap_of_a_loop_asks_anew() {
    let steps = asks("branches: [{condition: 'steps.after == undefined', goto: after}]");
    let world = World::with(&steps.replace("action: noop", "action: noop, onSuccess: m"));
    let model = Dialogue::of([calls([("act", give(1))]), says("mended")]);
    let life = live(&world, &model);
    let id = start(&life);
    life.approve(&life.gate(id), "ann").unwrap();
    assert!(is_paused(&life.wait(id)));
    let second = life.gate(id);
    assert_eq!(second.visit, 3);
    life.deny(&second, "ann").unwrap();
    life.run(life.gateway.cancel(id, "ann".parse().unwrap(), None))
        .unwrap();
    assert_eq!(made(&world), ["act 1 m/1/1.1"]);
}
