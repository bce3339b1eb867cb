//! Executions and their journal.

use db::{Connection, ErrorKind, execution, timer, visit as visits};
use serde_json::json;
use workflow_types::execution::{
    Claimed, Epoch, ExecutionFilter, ExecutionState, ExecutionStatus, Failure, FailureKind,
    Outcome, Round, Scope, Started, StepFailure, StepFailureKind, StepStatus, Transition,
    VisitState,
};

use crate::support::{
    Database, at, cancel, done, execution as stored, forward, id, paused, results, running, step,
    visit,
};

#[test]
fn a_start_repeated_by_id_or_by_key_answers_the_first_execution() {
    let mut database = Database::with_workflow();
    let mut start = running(1);
    start.execution.idempotency_key = Some("k".parse().unwrap());
    assert_eq!(database.start(&start), Started::New);
    let first = Started::Existing(Box::new(start.execution.clone()));
    assert_eq!(database.start(&start), first);
    let mut again = running(2);
    again.execution.idempotency_key = Some("k".parse().unwrap());
    assert_eq!(database.start(&again), first);
    assert_eq!(
        database.sql("SELECT count(*) || '' AS line FROM step_visits"),
        "1"
    );
}

#[test]
fn a_start_of_an_unknown_workflow_names_it_and_leaves_nothing() {
    let mut database = Database::new();
    let error = execution::start(&mut database.connection, &running(1), "p1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.to_string(), "there is no workflow \"w\"");
    assert_eq!(
        execution::find(&mut database.connection, &id(1)).unwrap(),
        None
    );
}

#[test]
fn a_step_forward_is_written_once_and_read_back_as_it_was() {
    let mut database = Database::with_workflow();
    database.start(&running(1));
    database.apply(&forward(1)).unwrap();
    let repeated = database.apply(&forward(1)).unwrap_err();
    assert_eq!(repeated.kind(), ErrorKind::Conflict);
    let rewritten = Transition {
        open: Some(visit(1, 1, "a", done(6, json!("something else")))),
        made: Vec::new(),
        ..forward(1)
    };
    let refused = database.apply(&rewritten).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);

    let connection = &mut database.connection;
    let journal = visits::journal(connection, &id(1), 1, 10).unwrap();
    assert_eq!(journal[0], forward(1).open.unwrap());
    assert_eq!(journal[1..], forward(1).made);
    assert_eq!(
        visits::journal(connection, &id(1), 2, 10).unwrap(),
        journal[1..]
    );
    let latest = visits::latest(connection, &id(1)).unwrap();
    assert_eq!(latest.as_ref(), journal.last());
    assert_eq!(
        execution::current_step(connection, &id(1)).unwrap(),
        Some(step("b"))
    );
    let folded = execution::results(connection, &id(1)).unwrap();
    assert_eq!(folded.len(), 1);
    assert_eq!(folded[&step("a")].status, StepStatus::Success);
    assert_eq!(database.check(), Vec::<String>::new());
}

#[test]
fn whoever_held_an_execution_before_is_fenced_off() {
    let mut database = Database::with_workflow();
    database.start(&running(1));
    let claimed = take_up_all(&mut database.connection, "p2");
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].epoch, Epoch::new(2));
    assert_eq!(claimed[0].execution, running(1).execution);
    assert_eq!(
        database.apply(&forward(1)).unwrap_err().kind(),
        ErrorKind::Fenced
    );
    let one = execution::claim_one(&mut database.connection, &id(1), "p3").unwrap();
    let epoch = one.unwrap().epoch;
    assert_eq!(epoch, Epoch::new(3));
    let transition = Transition {
        epoch,
        ..forward(1)
    };
    database.apply(&transition).unwrap();
    assert_eq!(
        database.sql("SELECT owner AS line FROM workflow_executions"),
        "p3"
    );
}

#[test]
fn only_running_executions_are_taken_up_and_a_damaged_one_does_not_stop_the_others() {
    let mut database = Database::with_workflow();
    database.start(&running(3));
    database.start(&running(1));
    database.start(&running(2));
    database.start(&paused(4, None));
    database.damage("UPDATE workflow_executions SET triggered_by = '?' WHERE input LIKE '%2%'");
    let claimed = take_up_all(&mut database.connection, "p2");
    let ids: Vec<_> = claimed.iter().map(|claimed| claimed.execution.id).collect();
    assert_eq!(ids, [id(1), id(3)]);
    let paused = execution::claim_one(&mut database.connection, &id(4), "p2").unwrap();
    assert_eq!(paused, None);
    let error = execution::find(&mut database.connection, &id(2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains(&id(2).to_string()));
    assert_eq!(database.check(), [error.to_string()]);
}

#[test]
fn a_reader_of_the_plain_columns_sees_the_truth_after_the_end() {
    let mut database = Database::with_workflow();
    database.start(&running(1));
    let output = json!({"ok": true});
    let end = Transition {
        made: Vec::new(),
        state: ExecutionState::Completed { at: at(5) },
        results: Some(results(&[("a", done(5, output))])),
        ..forward(1)
    };
    database.apply(&end).unwrap();
    let columns = "SELECT status || '|' || coalesce(current_step_id, 'NULL') || '|' || step_results
        || '|' || coalesce(paused_at, 'NULL') || '|' || completed_at AS line
        FROM workflow_executions";
    assert_eq!(
        database.sql(columns),
        "completed|NULL|{\"a\":{\"status\":\"success\",\"output\":{\"ok\":true},\
         \"completedAt\":\"2026-01-31T09:00:05.000Z\"}}|NULL|2026-01-31T09:00:05.000Z"
    );
    let again = database.apply(&end).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict);
    assert_eq!(database.check(), Vec::<String>::new());
}

#[test]
fn a_failed_execution_keeps_its_step_and_its_reason() {
    let mut database = Database::with_workflow();
    database.start(&running(1));
    let failed = VisitState::Done {
        at: at(5),
        outcome: Outcome::failure(StepFailureKind::Timeout, "took too long"),
    };
    let state = ExecutionState::Failed {
        at: at(5),
        step: Some(step("a")),
        failure: Failure {
            kind: FailureKind::StepFailed,
            message: "took too long".to_owned(),
        },
    };
    let end = Transition {
        open: Some(visit(1, 1, "a", failed.clone())),
        made: Vec::new(),
        state: state.clone(),
        results: Some(results(&[("a", failed.clone())])),
        ..forward(1)
    };
    database.apply(&end).unwrap();
    let connection = &mut database.connection;
    let found = execution::find(connection, &id(1)).unwrap().unwrap();
    assert_eq!(found.state, state);
    assert_eq!(
        Some(execution::results(connection, &id(1)).unwrap()),
        end.results
    );
    assert_eq!(
        execution::current_step(connection, &id(1)).unwrap(),
        Some(step("a"))
    );
    let journal = visits::journal(connection, &id(1), 1, 10).unwrap();
    assert_eq!(journal[0].state, failed);
    assert_eq!(database.check(), Vec::<String>::new());
}

#[test]
fn a_retry_is_due_until_its_execution_ends() {
    let mut database = Database::with_workflow();
    database.start(&running(1));
    let backing_off = VisitState::BackingOff {
        until: at(60),
        failure: StepFailure {
            kind: StepFailureKind::Error,
            message: "try again".to_owned(),
        },
    };
    let wait = Transition {
        open: Some(visit(1, 1, "a", backing_off)),
        made: Vec::new(),
        ..forward(1)
    };
    database.apply(&wait).unwrap();
    let connection = &mut database.connection;
    assert_eq!(visits::latest(connection, &id(1)).unwrap(), wait.open);
    assert_eq!(
        timer::next_due(connection, &Scope::All).unwrap(),
        Some(at(60))
    );
    assert_eq!(
        visits::due_retries(connection, &Scope::All, at(59), 10).unwrap(),
        []
    );
    assert_eq!(
        visits::due_retries(connection, &Scope::All, at(60), 10).unwrap(),
        [id(1)]
    );
    database.apply(&cancel(1, Epoch::FIRST)).unwrap();
    assert_eq!(
        timer::next_due(&mut database.connection, &Scope::All).unwrap(),
        None
    );
    assert_eq!(
        visits::due_retries(&mut database.connection, &Scope::All, at(60), 10).unwrap(),
        []
    );
    assert_eq!(database.check(), Vec::<String>::new());
}

#[test]
fn pages_neither_repeat_nor_hide_when_executions_start_at_the_same_instant() {
    let mut database = Database::with_workflow();
    for number in 1..=7 {
        let mut start = running(number);
        start.execution.started_at = at(i64::from(number / 3));
        database.start(&start);
    }
    let filter = ExecutionFilter {
        workflow: Some("w".parse().unwrap()),
        status: Some(ExecutionStatus::Running),
        ..ExecutionFilter::default()
    };
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = execution::list(&mut database.connection, &filter, after.as_ref(), 2).unwrap();
        seen.extend(page.items.iter().map(|execution| execution.id));
        // One that starts meanwhile is newer than every later page.
        database.start(&running(90 + u32::try_from(seen.len()).unwrap()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (1..=7).rev().map(id).collect();
    assert_eq!(seen, expected);
}

#[test]
fn lists_are_filtered_by_every_field() {
    let mut database = Database::with_workflow();
    database.start(&running(1));
    database.start(&running(2));
    database.apply(&cancel(2, Epoch::FIRST)).unwrap();
    let mut count = |filter: ExecutionFilter| {
        let page = execution::list(&mut database.connection, &filter, None, 10).unwrap();
        page.items.len()
    };
    let all = ExecutionFilter::default;
    assert_eq!(count(all()), 2);
    assert_eq!(
        count(ExecutionFilter {
            failure: Some(FailureKind::Cancelled),
            ..all()
        }),
        1
    );
    assert_eq!(
        count(ExecutionFilter {
            failure: Some(FailureKind::Denied),
            ..all()
        }),
        0
    );
    assert_eq!(
        count(ExecutionFilter {
            from: Some(at(2)),
            ..all()
        }),
        1
    );
    assert_eq!(
        count(ExecutionFilter {
            before: Some(at(1)),
            ..all()
        }),
        0
    );
    assert_eq!(
        count(ExecutionFilter {
            workflow: Some("x".parse().unwrap()),
            ..all()
        }),
        0
    );
}

#[test]
fn what_does_not_belong_together_is_refused_before_it_is_written() {
    let mut database = Database::with_workflow();
    let mut start = running(1);
    start.results = Some(results(&[]));
    let refused = execution::start(&mut database.connection, &start, "p1").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Internal);
    let completed = stored(1, ExecutionState::Completed { at: at(1) });
    start.execution = completed;
    start.results = None;
    let refused = execution::start(&mut database.connection, &start, "p1").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Internal);
}

#[test]
fn planted_contradictions_are_found() {
    let plants = [
        (
            "UPDATE workflow_executions SET step_results = '{}' WHERE status = 'paused'",
            "step_results",
        ),
        ("DELETE FROM gates", "no gate waits"),
        ("UPDATE step_visits SET state = 'done'", "no visit is open"),
        (
            "UPDATE step_visits SET visit = visit + 1 WHERE visit = 1",
            "gaps",
        ),
        (
            "UPDATE step_visits SET output = '1'",
            "columns do not belong",
        ),
        (
            "UPDATE workflow_executions SET workflow_id = 'gone'",
            "refers to a row of workflows",
        ),
        ("UPDATE gates SET step_id = 'z'", "waits at step z"),
        ("UPDATE gates SET approvers = '7'", "approvers"),
    ];
    for (sql, expected) in plants {
        let mut database = Database::with_workflow();
        database.start(&running(1));
        database.start(&paused(2, None));
        assert_eq!(database.check(), Vec::<String>::new());
        database.damage(sql);
        let findings = database.check();
        assert!(
            findings.iter().any(|finding| finding.contains(expected)),
            "{sql}: {findings:?}"
        );
    }
}

/// Takes up everything that runs, as a start after a crash does.
fn take_up_all(connection: &mut Connection, owner: &str) -> Vec<Claimed> {
    let round = Round {
        scope: Scope::All,
        after: None,
        room: 100,
    };
    execution::queue_running(connection).unwrap();
    execution::admit(connection, &round, owner).unwrap().claimed
}
