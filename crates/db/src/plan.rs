//! Which indexes the statements use, as SQLite itself plans them.
//!
//! The statements are recorded while the verbs run, so what is planned is what is run.

use std::sync::{Arc, Mutex};

use diesel::connection::{Connection as _, InstrumentationEvent};
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl as _};
use workflow_types::Timestamp;
use workflow_types::alert::{AlertFilter, AlertSource};
use workflow_types::approval::GateState;
use workflow_types::execution::{
    Entry, EventSeq, Execution, ExecutionFilter, ExecutionState, ExecutionStatus, FailureKind,
    PageKey, Prune, Round, Scope, Start, Started, TriggeredBy,
};
use workflow_types::id::{AlertId, ExecutionId, ScheduleId};
use workflow_types::schedule::{FirePage, Firing, Slot};

use crate::connection::{Connection, Durability};
use crate::error::Error;
use crate::{
    alert, attempt, cancellation, event, execution, gate, retention, schedule, timer, visit,
};

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// The plans of all statements of a verb, a line for each table.
fn plans(verb: impl FnOnce(&mut Connection) -> Result<(), Error>) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("agentspace.db");
    let opened = Connection::open_writer(&path, Durability::Full).unwrap();
    let mut connection = opened.connection;
    let statements = Arc::new(Mutex::new(Vec::new()));
    let recorder = Arc::clone(&statements);
    connection
        .raw
        .set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                recorder.lock().unwrap().push(query.to_string());
            }
        });
    verb(&mut connection).unwrap();
    connection
        .raw
        .set_instrumentation(|_: InstrumentationEvent<'_>| {});
    let statements = statements.lock().unwrap().clone();
    let is_planned = |sql: &String| sql.starts_with("SELECT") || sql.starts_with("UPDATE");
    let plans = statements.into_iter().filter(is_planned).flat_map(|sql| {
        let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}"))
            .load(&mut connection.raw)
            .unwrap();
        steps.into_iter().map(|step| step.detail)
    });
    plans.collect()
}

fn id() -> ExecutionId {
    "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_millis(0).unwrap()
}

#[test]
fn what_is_looked_up_at_start_up_has_a_partial_index() {
    type Verb = fn(&mut Connection) -> Result<(), Error>;
    let verbs: [(Verb, &str); 7] = [
        (
            |c| {
                let filter = ExecutionFilter {
                    status: Some(ExecutionStatus::Running),
                    ..ExecutionFilter::default()
                };
                execution::list(c, &filter, None, 9).map(|_| ())
            },
            "executions_running",
        ),
        (
            |c| {
                let filter = ExecutionFilter {
                    status: Some(ExecutionStatus::Paused),
                    ..ExecutionFilter::default()
                };
                execution::list(c, &filter, None, 9).map(|_| ())
            },
            "executions_paused",
        ),
        (|c| gate::waiting(c).map(|_| ()), "gates_waiting"),
        (
            |c| gate::expire_due(c, &Scope::All, now(), 9).map(|_| ()),
            "gates_due",
        ),
        (
            |c| visit::due_retries(c, &Scope::All, now(), 9).map(|_| ()),
            "visits_due",
        ),
        (|c| timer::next_due(c, &Scope::All).map(|_| ()), "gates_due"),
        (
            |c| timer::next_due(c, &Scope::All).map(|_| ()),
            "visits_due",
        ),
    ];
    for (verb, index) in verbs {
        let plans = plans(verb);
        assert!(
            plans.iter().any(|step| step.contains(index)),
            "{index}: {plans:?}"
        );
        assert!(
            plans.iter().all(|step| !step.contains("TEMP B-TREE")),
            "{plans:?}"
        );
    }
}

#[test]
fn alerts_are_found_by_their_indexes_however_many_there_were() {
    type Verb = fn(&mut Connection) -> Result<(), Error>;
    const ALL: AlertFilter = AlertFilter {
        open: None,
        unread: None,
    };
    fn source() -> AlertSource {
        AlertSource::Heartbeat("ops".parse().unwrap())
    }
    let verbs: [(Verb, &str); 9] = [
        (
            |c| alert::next_delivery(c, &"log".parse().unwrap()).map(|_| ()),
            "alert_deliveries_waiting",
        ),
        (
            |c| alert::list(c, ALL, None, 9).map(|_| ()),
            "alerts_newest",
        ),
        (
            |c| {
                let open = Some(true);
                alert::list(c, AlertFilter { open, ..ALL }, None, 9).map(|_| ())
            },
            "alerts_open_newest",
        ),
        (
            |c| {
                let unread = Some(true);
                alert::list(c, AlertFilter { unread, ..ALL }, None, 9).map(|_| ())
            },
            "alerts_unread_newest",
        ),
        (|c| alert::longest_untold(c).map(|_| ()), "alerts_to_remind"),
        (
            |c| alert::remind(c, now(), now(), 9).map(|_| ()),
            "alerts_to_remind",
        ),
        (
            |c| alert::clear(c, &source(), "over", now()).map(|_| ()),
            "alerts_open",
        ),
        (
            |c| {
                let alert = AlertId::new(id().uuid());
                alert::notices_of(c, alert).map(|_| ())
            },
            "alert_notices_alert",
        ),
        (|c| alert::notices_after(c, 5, 9).map(|_| ()), "PRIMARY KEY"),
    ];
    for (verb, index) in verbs {
        let plans = plans(verb);
        assert!(
            plans.iter().any(|step| step.contains(index)),
            "{index}: {plans:?}"
        );
        assert!(
            plans.iter().all(|step| !step.contains("TEMP B-TREE")),
            "{plans:?}"
        );
    }
}

/// A workflow with a limit, of which one execution waits that has not begun, and one that has.
const TWO_THAT_WAIT: &str = "
    INSERT INTO workflow_definitions (hash, definition, source, created_at)
        VALUES (hex(zeroblob(32)), '{}', '', '');
    INSERT INTO workflows
        (id, name, definition_path, created_at, updated_at, definition_hash, concurrency_limit)
        VALUES ('w', 'W', '', '', '', hex(zeroblob(32)), 5);
    INSERT INTO workflow_executions
        (id, workflow_id, status, triggered_by, started_at, definition_hash, input, queued_at,
         admitted)
        VALUES ('1', 'w', 'running', 'manual', '', hex(zeroblob(32)), '{}', '1', 0),
               ('2', 'w', 'running', 'manual', '', hex(zeroblob(32)), '{}', '2', 1)";

#[test]
fn a_start_that_knows_no_limit_asks_nothing() {
    let start = Start {
        execution: Execution {
            id: id(),
            workflow_id: "w".parse().unwrap(),
            definition: "0".repeat(64).parse().unwrap(),
            triggered_by: TriggeredBy::Manual,
            schedule: None,
            scheduled_for: None,
            origin: None,
            idempotency_key: None,
            input: serde_json::Value::Null,
            started_at: now(),
            queued: false,
            state: ExecutionState::Running,
        },
        visits: Vec::new(),
        gate: None,
        results: None,
        entry: Entry::UNCONDITIONAL,
    };
    let plans = plans(|connection| {
        connection.execute(TWO_THAT_WAIT)?;
        assert_eq!(execution::start(connection, &start, "p")?, Started::New);
        Ok(())
    });
    assert_eq!(plans, Vec::<String>::new());
}

#[test]
fn whose_turn_it_is_is_found_by_the_queues_and_places_are_counted_without_the_history() {
    let round = Round {
        scope: Scope::All,
        after: None,
        room: 9,
    };
    let plans = plans(|connection| {
        connection.execute(TWO_THAT_WAIT)?;
        execution::admit(connection, &round, "p").map(|_| ())
    });
    for index in [
        "COVERING INDEX executions_queued (workflow_id>?)",
        "COVERING INDEX executions_requeued (workflow_id>?)",
        "COVERING INDEX executions_queued (workflow_id=? AND queued_at>?)",
        "COVERING INDEX executions_requeued (workflow_id=? AND queued_at>?)",
        "COVERING INDEX executions_admitted (workflow_id=?",
    ] {
        let is_used = plans.iter().any(|step| step.contains(index));
        assert!(is_used, "{index}: {plans:?}");
    }
    let is_sought = |step: &String| step.starts_with("SEARCH");
    assert!(plans.iter().all(is_sought), "{plans:?}");
}

#[test]
fn no_verb_scans_a_table() {
    let plans = plans(|connection| {
        execution::find(connection, &id())?;
        execution::claim_one(connection, &id(), "p")?;
        visit::journal(connection, &id(), 1, 9)?;
        visit::latest(connection, &id())?;
        visit::history(connection, &id())?;
        attempt::between(connection, &id(), (1, 9))?;
        cancellation::find(connection, &id())?;
        gate::withdraw(connection, id(), now())
    });
    assert_eq!(plans.len(), 8, "{plans:?}");
    assert!(
        plans.iter().all(|step| step.starts_with("SEARCH")),
        "{plans:?}"
    );
}

#[test]
fn a_page_begins_in_the_middle_of_its_index() {
    for (workflow, index) in [
        (None, "executions_newest (started_at<?)"),
        (
            Some("w"),
            "executions_by_workflow (workflow_id=? AND started_at<?)",
        ),
    ] {
        let plans = plans(|connection| {
            let after = PageKey::new(now().to_string(), id().to_string());
            let filter = ExecutionFilter {
                workflow: workflow.map(|id| id.parse().unwrap()),
                ..ExecutionFilter::default()
            };
            execution::list(connection, &filter, Some(&after), 9).map(|_| ())
        });
        assert_eq!(plans.len(), 1, "{plans:?}");
        assert!(plans[0].ends_with(index), "{plans:?}");
    }
}

#[test]
fn failures_are_found_among_failures_alone() {
    let (status, failure) = (Some(ExecutionStatus::Failed), Some(FailureKind::Denied));
    for (status, failure) in [(status, None), (None, failure), (status, failure)] {
        let plans = plans(|connection| {
            let after = PageKey::new(now().to_string(), id().to_string());
            let filter = ExecutionFilter {
                status,
                failure,
                ..ExecutionFilter::default()
            };
            execution::list(connection, &filter, Some(&after), 9).map(|_| ())
        });
        assert_eq!(plans.len(), 1, "{plans:?}");
        let index = "executions_failed (started_at<?)";
        assert!(plans[0].ends_with(index), "{plans:?}");
    }
}

#[test]
fn what_waits_for_its_turn_is_found_among_what_runs() {
    for status in [None, Some(ExecutionStatus::Running)] {
        let plans = plans(|connection| {
            let after = PageKey::new(now().to_string(), id().to_string());
            let filter = ExecutionFilter {
                status,
                queued: true,
                ..ExecutionFilter::default()
            };
            execution::list(connection, &filter, Some(&after), 9).map(|_| ())
        });
        assert_eq!(plans.len(), 1, "{plans:?}");
        let index = "executions_running (started_at<?)";
        assert!(plans[0].ends_with(index), "{plans:?}");
    }
}

#[test]
fn the_gates_of_an_execution_are_found_by_their_visits() {
    let plans = plans(|connection| {
        gate::at(connection, &id(), 1)?;
        gate::of(connection, &id()).map(|_| ())
    });
    assert!(
        plans.iter().any(|step| step.contains("gates_visit")),
        "{plans:?}"
    );
    assert!(
        plans.iter().all(|step| !step.starts_with("SCAN")),
        "{plans:?}"
    );
}

#[test]
fn what_is_not_kept_is_found_by_its_end_and_by_its_place_in_its_workflow() {
    let plans = plans(|connection| {
        connection.execute(
            "INSERT INTO workflow_definitions VALUES (hex(zeroblob(32)), '{}', '', '');
             INSERT INTO workflows VALUES ('w', 'w', NULL, '', '', '', hex(zeroblob(32)), NULL)",
        )?;
        let prune = Prune {
            ended_before: Some(now()),
            keep_per_workflow: Some(3),
        };
        retention::prune(connection, &prune, 9)?;
        let prune = Prune {
            ended_before: None,
            ..prune
        };
        retention::prune(connection, &prune, 9).map(|_| ())
    });
    for index in [
        "INDEX executions_finished (completed_at<?)",
        "INDEX executions_kept (workflow_id=?)",
    ] {
        assert!(plans.iter().any(|step| step.contains(index)), "{plans:?}");
    }
    let sorts = plans.iter().filter(|step| step.contains("TEMP B-TREE"));
    assert_eq!(sorts.count(), 0, "{plans:?}");
}

#[test]
fn events_are_read_from_their_place_on() {
    let plans = plans(|connection| {
        connection.execute(
            "INSERT INTO workflow_definitions VALUES (
                '806db58c16d2a2368c9a25762754cdf7fe057e4ea35da1999506f72794e86fbf', '{}', '', '');
             INSERT INTO workflows SELECT 'w', 'w', NULL, '', '', '', hash, NULL
                FROM workflow_definitions;
             INSERT INTO workflow_executions (id, workflow_id, status, triggered_by, started_at,
                definition_hash, input)
                SELECT '01890a5d-ac96-774b-bcce-b302099a8057', 'w', 'running', 'manual',
                '2026-01-31T09:00:00.000Z', hash, '{}' FROM workflow_definitions",
        )?;
        event::after(connection, &id(), EventSeq::new(7, 1, 1), 9).map(|_| ())
    });
    assert!(
        plans
            .iter()
            .any(|step| step.contains("(execution_id=? AND visit>?)")),
        "{plans:?}"
    );
    assert!(
        plans.iter().all(|step| !step.starts_with("SCAN")),
        "{plans:?}"
    );
}

#[test]
fn what_is_due_and_what_is_in_the_way_is_found_without_a_scan() {
    let plans = plans(|connection| {
        let s: ScheduleId = "s".parse().unwrap();
        let page = FirePage {
            before: Some(now()),
            limit: 9,
        };
        connection.execute(ONE_SCHEDULE)?;
        schedule::due(connection, now(), 9)?;
        schedule::next_due(connection, now(), 9)?;
        schedule::fires(connection, &s, page)?;
        schedule::gaps(connection, &s, 9)?;
        schedule::releasable(connection, 9)?;
        schedule::has_buffered(connection)?;
        schedule::watched(connection)?;
        schedule::waiting_of(connection, std::slice::from_ref(&s))?;
        alert::count_held_up(connection)?;
        schedule::answered(connection, id(), &GateState::Expired { at: now() })?;
        alert::end_held_up(connection, &s, "answered", now())?;
        schedule::pause_failing(connection, &s, now())?;
        let found = schedule::find(connection, &s)?.unwrap();
        let next = found.next().unwrap();
        let firing = Firing {
            fire_time: next.fire_time,
            schedule: Arc::new(found),
            slot: Slot::Due,
            start: Err("nothing".to_owned()),
            at: now(),
        };
        schedule::fire(connection, &firing, "p").map(|_| ())
    });
    for index in [
        "schedules USING INDEX schedules_due (due_at<?)",
        "schedules USING INDEX schedules_due (due_at>?)",
        "schedules_watched",
        "fires_buffered",
        "INDEX executions_schedule (schedule_id=? AND completed_at=?)",
        "INDEX executions_schedule (schedule_id=? AND completed_at>?)",
        "alerts USING INDEX alerts_open (source_kind=? AND source=?)",
        "alerts USING INDEX alerts_open (source_kind=?)",
        "gates USING INDEX gates_one_waiting (execution_id=?)",
    ] {
        let is_used = plans.iter().any(|step| step.contains(index));
        assert!(is_used, "{index}: {plans:?}");
    }
    // What is watched or buffered is read wholly, from an index that holds nothing else.
    let scans = plans.iter().filter(|step| step.starts_with("SCAN"));
    let partial = |step: &&String| !step.contains("watched") && !step.contains("buffered");
    assert_eq!(scans.filter(partial).count(), 0, "{plans:?}");
    // The gates of one schedule, of which there are few.
    let sorts = plans.iter().filter(|step| step.contains("TEMP B-TREE"));
    assert_eq!(sorts.count(), 1, "{plans:?}");
}

const ONE_SCHEDULE: &str = "
    INSERT INTO schedules (id, name, cron_expression, timezone, created_at, updated_at,
        next_fire_at, due_at, pause_after_failures, effective_from)
    VALUES ('s', 'S', '* * * * *', 'UTC', '2026-01-31T09:00:00.000Z', '2026-01-31T09:00:00.000Z',
        '2026-01-31T09:01:00.000Z', '2026-01-31T09:01:00.000Z', 2, '2026-01-31T09:00:00.000Z')";
