//! Approvals: what they show, who decides, and what runs afterwards.

use std::time::Duration;

use gateway::workflow_types::approval::GateState;
use gateway::workflow_types::execution::{FailureKind, TriggeredBy};
use gateway::workflow_types::id::ExecutionId;
use gateway::{Decided, ErrorKind, StartRequest};
use serde_json::json;

use crate::support::{Life, World, failure, is_paused, once, verdict, workflow};

const GATE: &str = "
  - id: a
    action: tool
    tool: act
    args: {give: '{{ input.what }}'}
    approvalRequired: {message: 'do {{ input.what }}?'}
    onFailure: b
  - {id: b, action: noop}";

/// One step behind a gate of these settings.
fn gate(settings: &str) -> String {
    format!("\n  - {{id: a, action: tool, tool: act, approvalRequired: {settings}}}")
}

/// Starts the workflow `w` and waits until it stands at its gate.
fn pause(life: &Life) -> ExecutionId {
    let done = life.settle(json!({"what": "this"}));
    assert!(is_paused(&done), "{done:?}");
    done.id
}

#[test]
fn a_gate_shows_the_resolved_arguments_and_exactly_these_run_after_the_file_has_changed() {
    let world = World::with(GATE);
    let life = world.live();
    let id = pause(&life);
    let gate = life.gate(id);
    assert_eq!(gate.message.as_deref(), Some("do this?"));
    assert_eq!(
        gate.request,
        json!({"action": "tool", "tool": "act", "args": {"give": "this"}})
    );
    assert_eq!(world.ledger.calls(), []);
    life.check(&world);

    world.write(
        "w",
        "  - {id: a, action: tool, tool: act, args: {give: other}}",
    );
    let reports = life
        .run(life.gateway.register_directory(world.workflows()))
        .unwrap();
    assert!(reports.iter().all(|report| !report.is_refused()));
    assert_eq!(life.approve(&gate, "ann").unwrap(), Decided::Settled);
    assert_eq!(verdict(&life.wait(id)), None);
    assert_eq!(life.trail(id), ["a \"this\"", "b null"]);
    assert_eq!(world.ledger.calls()[0].args, json!({"give": "this"}));
    let new = life.settle(json!({}));
    assert_eq!(life.trail(new.id), ["a \"other\""]);
    life.check(&world);
}

#[test]
fn the_same_decision_again_changes_nothing_and_the_opposite_names_who_decided_when() {
    let world = World::with(GATE);
    let life = world.live();
    let id = pause(&life);
    let gate = life.gate(id);
    assert_eq!(life.approve(&gate, "ann").unwrap(), Decided::Settled);
    assert_eq!(life.approve(&gate, "ann").unwrap(), Decided::Repeated);
    assert_eq!(life.approve(&gate, "bob").unwrap(), Decided::Repeated);
    let error = life.deny(&gate, "bob").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let told = error.to_string();
    assert!(
        told.contains("approved by ann at 2026-01-31T09:00:00.000Z"),
        "{told}"
    );
    life.wait(id);
    assert_eq!(world.ledger.calls().len(), 1);
}

#[test]
fn of_many_decisions_at_one_moment_one_wins() {
    let world = World::with(GATE);
    let life = world.live();
    let id = pause(&life);
    let gate = life.gate(id);
    let votes: Vec<_> = (0..20)
        .map(|number| {
            let who = crate::support::actor(&format!("person{number}"));
            let gateway = &life.gateway;
            async move {
                if number % 2 == 0 {
                    gateway.approve(gate.id, who, None).await
                } else {
                    gateway.deny(gate.id, who, None).await
                }
            }
        })
        .collect();
    let mut settled = 0;
    life.run(async {
        // The requests are all sent before the first answer comes.
        let mut votes: Vec<_> = votes.into_iter().map(Box::pin).collect();
        std::future::poll_fn(|context| {
            votes.retain_mut(|vote| match vote.as_mut().poll(context) {
                std::task::Poll::Ready(answer) => {
                    settled += u32::from(matches!(answer, Ok(Decided::Settled)));
                    false
                }
                std::task::Poll::Pending => true,
            });
            if votes.is_empty() {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
    });
    assert_eq!(settled, 1);
    life.wait(id);
    assert!(world.ledger.calls().len() <= 1);
    life.check(&world);
}

#[test]
fn a_denial_fails_the_step_and_on_failure_applies() {
    let world = World::with(GATE);
    let life = world.live();
    let id = pause(&life);
    assert_eq!(life.deny(&life.gate(id), "ann").unwrap(), Decided::Settled);
    assert_eq!(verdict(&life.wait(id)), None);
    assert_eq!(life.trail(id), ["a denied", "b null"]);
    assert_eq!(world.ledger.calls(), []);
}

#[test]
fn a_denial_without_on_failure_fails_the_execution_as_denied() {
    let world = World::with(&gate("true"));
    let life = world.live();
    let id = pause(&life);
    life.deny(&life.gate(id), "ann").unwrap();
    let done = life.wait(id);
    assert_eq!(failure(&done).kind, FailureKind::Denied);
    assert_eq!(
        failure(&done).message,
        "step `a` failed: denied by ann: not today"
    );
    life.check(&world);
}

#[test]
fn two_approvals_need_two_people_who_may_decide() {
    let world = World::with(&gate("{count: 2, approvers: [ann, bob, cid]}"));
    let life = world.live();
    let id = pause(&life);
    let gate = life.gate(id);
    assert_eq!(
        life.approve(&gate, "eve").unwrap_err().kind(),
        ErrorKind::Forbidden
    );
    assert_eq!(life.approve(&gate, "ann").unwrap(), Decided::Counted);
    assert_eq!(life.approve(&gate, "ann").unwrap(), Decided::Repeated);
    assert!(is_paused(&life.wait(id)));
    assert_eq!(life.approve(&gate, "bob").unwrap(), Decided::Settled);
    assert_eq!(verdict(&life.wait(id)), None);
}

/// Lets a gate of these settings expire after an hour; the execution afterwards.
fn expire(settings: &str) -> (Option<FailureKind>, usize, String) {
    let world = World::with(&format!("{}\n  - {{id: b, action: noop}}", gate(settings)));
    let life = world.live();
    let id = pause(&life);
    world.clock.advance(Duration::from_secs(3_599));
    assert_eq!(life.gate(id).state, GateState::Waiting);
    world.clock.advance(Duration::from_secs(1));
    let mut follower = life.gateway.follow(id);
    while is_paused(&life.wait(id)) {
        life.run(follower.changed());
    }
    let verdict = verdict(&life.wait(id));
    life.check(&world);
    (
        verdict,
        world.ledger.calls().len(),
        life.trail(id).join(", "),
    )
}

#[test]
fn an_expired_gate_does_what_its_author_says() {
    let expired = Some(FailureKind::ApprovalExpired);
    let denied = || (expired, 0, "a approval_expired".to_owned());
    assert_eq!(expire("{timeout: 1h}"), denied());
    assert_eq!(expire("{timeout: 1h, onTimeout: deny}"), denied());
    assert_eq!(expire("{timeout: 1h, onTimeout: fail}"), denied());
    let approved = (None, 1, "a null, b null".to_owned());
    assert_eq!(expire("{timeout: 1h, onTimeout: approve}"), approved);
}

#[test]
fn an_expiry_that_denies_takes_on_failure_and_one_that_fails_does_not() {
    for (then, trail) in [
        ("deny", vec!["a approval_expired", "b null"]),
        ("fail", vec!["a approval_expired"]),
    ] {
        let world = World::with(&format!(
            "
  - {{id: a, action: noop, approvalRequired: {{timeout: 1m, onTimeout: {then}}}, onFailure: b}}
  - {{id: b, action: noop}}"
        ));
        let life = world.live();
        let id = pause(&life);
        let mut follower = life.gateway.follow(id);
        world.clock.advance(Duration::from_mins(1));
        while is_paused(&life.wait(id)) {
            life.run(follower.changed());
        }
        life.wait(id);
        assert_eq!(life.trail(id), trail);
    }
}

#[test]
fn a_decision_after_the_expiry_comes_too_late_even_if_nobody_noticed_it_yet() {
    let world = World::with(&gate("{timeout: 1h}"));
    let life = world.live();
    let id = pause(&life);
    let gate = life.gate(id);
    world.clock.advance(Duration::from_hours(1));
    let error = life.approve(&gate, "ann").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(
        error
            .to_string()
            .contains("expired at 2026-01-31T10:00:00.000Z"),
        "{error}"
    );
}

#[test]
fn only_unattended_executions_have_an_expiry_by_default() {
    let world = World::with(&gate("true"));
    let life = world.live();
    let expiry = |trigger| {
        let request = StartRequest::new(workflow("w"), json!({})).triggered_by(trigger);
        let id = life.run(life.gateway.start_with(request)).unwrap().id;
        life.wait(id);
        life.gate(id).expiry.map(|expiry| expiry.at.to_string())
    };
    let in_an_hour = Some("2026-01-31T10:00:00.000Z".to_owned());
    assert_eq!(expiry(TriggeredBy::Manual), None);
    assert_eq!(expiry(TriggeredBy::Cron), in_an_hour);
    assert_eq!(expiry(TriggeredBy::Heartbeat), in_an_hour);
}

#[test]
fn every_lap_of_a_loop_asks_again() {
    let world = World::with(
        "
  - {id: a, action: tool, tool: act, approvalRequired: true}
  - {id: b, action: noop, branches: [{condition: 'execution.id', goto: a}]}",
    );
    let life = world.live();
    let id = pause(&life);
    for lap in 1..=3 {
        assert!(is_paused(&life.wait(id)));
        let gate = life.gate(id);
        assert_eq!(gate.visit, lap * 2 - 1);
        life.approve(&gate, "ann").unwrap();
        life.until(id, |visit| visit.number == lap * 2 + 1);
    }
    assert_eq!(world.ledger.calls().len(), 3);
    life.check(&world);
}

#[test]
fn a_message_that_cannot_be_resolved_fails_the_step_and_asks_nobody() {
    let world = World::with(&gate("{message: '{{ input.what.deeper.trim() }}'}"));
    let life = world.live();
    let done = life.settle(json!({"what": {"deeper": 1}}));
    assert_eq!(life.trail(done.id), ["a template_error"]);
    assert_eq!(
        life.run(life.gateway.reader().waiting_gates())
            .unwrap()
            .items,
        []
    );
}

#[test]
fn a_vote_whose_caller_has_left_still_takes_effect() {
    let world = World::with(GATE);
    let life = world.live();
    let id = pause(&life);
    let gate = life.gate(id);
    life.run(async {
        let mut vote = Box::pin(
            life.gateway
                .approve(gate.id, crate::support::actor("ann"), None),
        );
        // Asked once, and dropped before the answer.
        drop(once(&mut vote).await);
    });
    life.until_called(&world, 1);
    life.until(id, |visit| visit.step.as_ref() == "b");
    assert_eq!(verdict(&life.wait(id)), None);
}
