//! Which indexes the statements use, as SQLite itself plans them.
//!
//! The statements are recorded while the verbs run, so what is planned is what is run.

use std::sync::{Arc, Mutex};

use diesel::connection::{Connection as _, InstrumentationEvent};
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl as _};
use workflow_types::Timestamp;
use workflow_types::execution::{ExecutionFilter, ExecutionStatus, PageKey, Scope};
use workflow_types::id::ExecutionId;

use crate::connection::{Connection, Durability};
use crate::error::Error;
use crate::{execution, gate, timer, visit};

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
            |c| execution::claim(c, "p").map(|_| ()),
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
fn no_verb_scans_a_table() {
    let plans = plans(|connection| {
        execution::find(connection, &id())?;
        execution::claim_one(connection, &id(), "p")?;
        visit::journal(connection, &id(), 1, 9)?;
        visit::latest(connection, &id())?;
        visit::history(connection, &id())?;
        gate::withdraw(connection, id(), now())
    });
    assert_eq!(plans.len(), 6, "{plans:?}");
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
