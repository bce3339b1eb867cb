//! Gates: votes, resolutions and expiry.

use std::num::NonZeroU32;

use db::{ErrorKind, execution, gate, timer, visit as visits};
use serde_json::json;
use workflow_types::approval::{
    Decision, Expiry, Gate, GateKind, GateState, Judgement, OnExpiry, Resolution, Resolved,
    ResolvedBy,
};
use workflow_types::execution::{
    Epoch, ExecutionState, ExecutionStatus, Scope, Transition, VisitState,
};

use crate::support::{
    Database, at, cancel, forward, gate as stored, gate_id, id, paused, results, running, step,
    vote,
};

fn status(database: &mut Database, number: u32) -> ExecutionStatus {
    let found = execution::find(&mut database.connection, &id(number)).unwrap();
    found.unwrap().state.status()
}

#[test]
fn a_pause_shows_in_the_plain_columns_and_one_approval_ends_it() {
    let mut database = Database::with_workflow();
    database.start(&paused(1, None));
    let columns = "SELECT status || '|' || current_step_id || '|' || step_results || '|' ||
        coalesce(paused_at, 'NULL') AS line FROM workflow_executions";
    assert_eq!(
        database.sql(columns),
        "paused|a|{\"a\":{\"status\":\"paused\",\"output\":null}}|2026-01-31T09:00:01.000Z"
    );
    assert_eq!(database.check(), Vec::<String>::new());

    let approval = vote(Decision::Approve, "ann", 20);
    let voted = gate::vote(&mut database.connection, &gate_id(1), &approval).unwrap();
    assert_eq!(voted.judgement, Judgement::Settles);
    assert_eq!(voted.gate.state, GateState::Decided(approval));
    assert_eq!(status(&mut database, 1), ExecutionStatus::Running);
    assert_eq!(
        database.sql("SELECT coalesce(paused_at, 'NULL') AS line FROM workflow_executions"),
        "NULL"
    );
    let visit = visits::latest(&mut database.connection, &id(1))
        .unwrap()
        .unwrap();
    assert_eq!(visit.state, VisitState::Waiting);
    assert_eq!(
        gate::at(&mut database.connection, &id(1), 1).unwrap(),
        Some(voted.gate)
    );
    assert_eq!(database.check(), Vec::<String>::new());
}

#[test]
fn the_same_decision_repeats_and_the_opposite_one_conflicts() {
    let mut database = Database::with_workflow();
    database.start(&paused(1, None));
    let mut cast = |decision, actor| {
        let vote = vote(decision, actor, 20);
        gate::vote(&mut database.connection, &gate_id(1), &vote).unwrap()
    };
    assert_eq!(cast(Decision::Deny, "ann").judgement, Judgement::Settles);
    assert_eq!(cast(Decision::Deny, "ann").judgement, Judgement::Repeats);
    assert_eq!(cast(Decision::Deny, "bob").judgement, Judgement::Repeats);
    let Judgement::Conflicts(state) = cast(Decision::Approve, "bob").judgement else {
        panic!("it has to conflict");
    };
    assert_eq!(*state, GateState::Decided(vote(Decision::Deny, "ann", 20)));
    assert_eq!(
        database.sql("SELECT count(*) || '' AS line FROM gate_votes"),
        "1"
    );
}

#[test]
fn two_approvals_take_two_people_who_are_entitled() {
    let mut database = Database::with_workflow();
    let mut start = paused(1, None);
    start.gate = start.gate.map(|gate| Gate {
        count: NonZeroU32::new(2).unwrap(),
        approvers: vec!["ann".parse().unwrap(), "bob".parse().unwrap()],
        ..gate
    });
    database.start(&start);
    assert_eq!(
        gate::find(&mut database.connection, &gate_id(1)).unwrap(),
        start.gate
    );
    let mut cast = |actor| {
        let vote = vote(Decision::Approve, actor, 20);
        gate::vote(&mut database.connection, &gate_id(1), &vote)
            .unwrap()
            .judgement
    };
    assert_eq!(cast("eve"), Judgement::NotEntitled);
    assert_eq!(cast("ann"), Judgement::Counts);
    assert_eq!(cast("ann"), Judgement::Repeats);
    assert_eq!(cast("bob"), Judgement::Settles);
    let votes = gate::votes(&mut database.connection, &gate_id(1)).unwrap();
    assert_eq!(votes.len(), 2);
}

#[test]
fn expiry_comes_once_and_a_late_vote_conflicts_before_and_after_it_is_noticed() {
    let mut database = Database::with_workflow();
    let expiry = Expiry {
        at: at(60),
        then: OnExpiry::Deny,
    };
    database.start(&paused(1, Some(expiry)));
    database.start(&paused(2, None));
    let connection = &mut database.connection;
    assert_eq!(
        timer::next_due(connection, &Scope::All).unwrap(),
        Some(at(60))
    );
    assert_eq!(
        gate::expire_due(connection, &Scope::All, at(59), 10).unwrap(),
        []
    );
    let late = vote(Decision::Approve, "ann", 60);
    for _ in 0..2 {
        let voted = gate::vote(connection, &gate_id(1), &late).unwrap();
        assert!(matches!(voted.judgement, Judgement::Conflicts(_)));
        gate::expire_due(connection, &Scope::All, at(70), 10).unwrap();
    }
    assert_eq!(
        gate::expire_due(connection, &Scope::All, at(80), 10).unwrap(),
        []
    );
    assert_eq!(timer::next_due(connection, &Scope::All).unwrap(), None);
    let expired = gate::find(connection, &gate_id(1)).unwrap().unwrap();
    assert_eq!(expired.state, GateState::Expired { at: at(70) });
    let waiting = gate::waiting(connection).unwrap();
    assert_eq!(
        waiting.items.iter().map(|gate| gate.id).collect::<Vec<_>>(),
        [gate_id(2)]
    );
    assert_eq!(status(&mut database, 1), ExecutionStatus::Running);
}

#[test]
fn a_gate_that_cannot_be_settled_is_never_due_and_holds_up_no_other() {
    let mut database = Database::with_workflow();
    let expiry = Expiry {
        at: at(60),
        then: OnExpiry::Deny,
    };
    for number in 1..=3 {
        database.start(&paused(number, Some(expiry)));
    }
    database.damage(
        "UPDATE workflow_executions SET status = 'running', paused_at = NULL WHERE input LIKE '%1%'",
    );
    database.damage("UPDATE gates SET approvers = '7' WHERE id LIKE '%2'");
    let connection = &mut database.connection;
    let mut settle = || gate::expire_due(connection, &Scope::All, at(60), 1).unwrap();
    assert_eq!(settle(), [id(3)]);
    assert_eq!(settle(), []);
    assert_eq!(timer::next_due(connection, &Scope::All).unwrap(), None);
    let findings = database.check().join("; ");
    assert!(findings.contains(&gate_id(1).to_string()), "{findings}");
    assert!(findings.contains(&gate_id(2).to_string()), "{findings}");
}

#[test]
fn the_end_of_a_paused_execution_withdraws_its_gate() {
    let mut database = Database::with_workflow();
    database.start(&paused(1, None));
    let going_on = Transition {
        open: None,
        made: Vec::new(),
        ..forward(1)
    };
    assert_eq!(
        database.apply(&going_on).unwrap_err().kind(),
        ErrorKind::Conflict
    );
    database.apply(&cancel(1, Epoch::FIRST)).unwrap();
    let connection = &mut database.connection;
    let withdrawn = gate::find(connection, &gate_id(1)).unwrap().unwrap();
    assert_eq!(withdrawn.state, GateState::Withdrawn { at: at(90) });
    let late = vote(Decision::Approve, "ann", 95);
    let judgement = gate::vote(connection, &gate_id(1), &late)
        .unwrap()
        .judgement;
    assert_eq!(judgement, Judgement::Conflicts(Box::new(withdrawn.state)));
    assert_eq!(database.check(), Vec::<String>::new());
}

#[test]
fn an_interrupted_step_is_resolved_once() {
    let mut database = Database::with_workflow();
    database.start(&running(1));
    let pause = Transition {
        open: None,
        made: Vec::new(),
        gate: Some(stored(1, 1, GateKind::Interrupted)),
        state: ExecutionState::Paused {
            step: step("a"),
            at: at(10),
        },
        results: Some(results(&[("a", VisitState::Waiting)])),
        ..forward(1)
    };
    database.apply(&pause).unwrap();
    assert_eq!(database.check(), Vec::<String>::new());
    let connection = &mut database.connection;
    let refused = gate::vote(connection, &gate_id(1), &vote(Decision::Approve, "ann", 20));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Conflict);
    let mut resolve = |resolution| {
        let resolved = ResolvedBy {
            resolution,
            actor: "ann".parse().unwrap(),
            at: at(20),
            reason: Some("seen in the log".to_owned()),
        };
        gate::resolve(connection, &gate_id(1), &resolved).unwrap()
    };
    let done = Resolution::Done {
        output: json!({"seen": 1}),
    };
    assert_eq!(resolve(done.clone()), Resolved::Settled);
    assert_eq!(resolve(done.clone()), Resolved::Repeated);
    let Resolved::Conflicts(GateState::Resolved(earlier)) = resolve(Resolution::Rerun) else {
        panic!("it has to conflict");
    };
    assert_eq!(earlier.resolution, done);
    assert_eq!(gate::of(&mut database.connection, &id(1)).unwrap().len(), 1);
    assert_eq!(status(&mut database, 1), ExecutionStatus::Running);
}
