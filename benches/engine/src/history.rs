//! A long history: what a page of its list takes, wherever it begins, beside one of a short history.

use std::path::Path;

use anyhow::{Context as _, Result};
use db::{Connection, Durability};
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::definition::DefinitionDigest;
use gateway::workflow_types::execution::{
    Entry, Execution, ExecutionState, ExecutionStatus, Failure, FailureKind, Outcome, Start,
    StepFailureKind, StepResult, TriggeredBy, Visit, VisitState,
};
use gateway::workflow_types::id::{ExecutionId, WorkflowId};
use gateway::{ExecutionFilter, PageKey, Reader};
use serde_json::json;

use crate::engine;
use crate::measure::{Place, Watch, median, milliseconds};
use crate::paused::runtime;

/// Executions that are stored in one transaction.
const BATCH: usize = 10_000;
/// Executions on a page.
const PAGE: usize = 50;
/// One of so many has failed.
const FAILED: usize = 10_000;
/// How often a page is read.
const READS: usize = 101;
/// When the first was started.
const BEGIN: i64 = 1_700_000_000_000;

/// Pages of a history of a million, and of one of a thousand.
pub(crate) fn pages(place: &Place) -> Result<()> {
    let mut control = None;
    for count in [1_000, place.amount(1_000_000)] {
        let directory = place.fresh()?;
        let watch = Watch::start();
        fill(directory.path(), count)?;
        let seconds = watch.taken().wall.as_secs_f64();
        println!("{count} finished executions, stored in {seconds:.1} s:");
        for (name, filter, after) in questions(count)? {
            let each = runtime()?.block_on(page(directory.path(), &filter, after.as_ref()))?;
            let control = *control.get_or_insert(each);
            println!("  {name:32} {each:>8.3} ms  {:>6.2} times", each / control);
        }
    }
    Ok(())
}

/// What is asked of a history: its first page, the one in the middle, the last, and a few that are
/// hard to find.
fn questions(count: usize) -> Result<Vec<(&'static str, ExecutionFilter, Option<PageKey>)>> {
    let all = ExecutionFilter::default;
    let before = |number: usize| {
        let key = |at: Timestamp, id: ExecutionId| PageKey::new(at.to_string(), id.to_string());
        Ok::<_, anyhow::Error>(Some(key(started(number)?, id(number)?)))
    };
    let failed = ExecutionFilter {
        status: Some(ExecutionStatus::Failed),
        ..all()
    };
    let denied = ExecutionFilter {
        failure: Some(FailureKind::Denied),
        ..all()
    };
    let of_workflow = ExecutionFilter {
        workflow: Some("steps".parse()?),
        ..all()
    };
    let running = ExecutionFilter {
        status: Some(ExecutionStatus::Running),
        ..all()
    };
    Ok(vec![
        ("the first page", all(), None),
        ("one in the middle", all(), before(count / 2)?),
        ("the last page", all(), before(PAGE)?),
        ("the last page of a workflow", of_workflow, before(PAGE)?),
        ("what failed, one of 10,000", failed, None),
        ("a kind of failure that nobody had", denied, None),
        ("what runs, which is nothing", running, None),
    ])
}

/// The median time of a page.
async fn page(directory: &Path, filter: &ExecutionFilter, after: Option<&PageKey>) -> Result<f64> {
    let reader = Reader::open(directory.join("agentspace.db")).await?;
    let mut each = Vec::new();
    for _ in 0..READS {
        let watch = Watch::start();
        let read = reader.executions(filter.clone(), after.cloned(), PAGE);
        read.await?;
        each.push(milliseconds(watch.taken().wall));
    }
    Ok(median(each))
}

/// Stores so many finished executions of one step each.
fn fill(directory: &Path, count: usize) -> Result<()> {
    let (workflow, digest) = runtime()?.block_on(async {
        let gateway = engine::start(directory, Durability::Normal).await?;
        let workflow = engine::register(&gateway, 1).await?;
        let known = gateway.reader().workflow(&workflow).await?;
        gateway.shutdown().await?;

        anyhow::Ok((workflow, known.digest))
    })?;
    let path = directory.join("agentspace.db");
    let mut connection = Connection::open_writer(&path, Durability::Normal)?.connection;
    for first in (0..count).step_by(BATCH) {
        let batch: Vec<Start> = (first..count.min(first + BATCH))
            .map(|number| finished(number, &workflow, &digest))
            .collect::<Result<_>>()?;
        connection.write(|connection| {
            for start in &batch {
                db::execution::start(connection, start, "bench")?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn started(number: usize) -> Result<Timestamp> {
    Ok(Timestamp::from_millis(BEGIN + i64::try_from(number)?)?)
}

fn id(number: usize) -> Result<ExecutionId> {
    Ok(format!("01890a5d-ac96-774b-8000-{number:012x}").parse()?)
}

fn finished(number: usize, workflow: &WorkflowId, digest: &DefinitionDigest) -> Result<Start> {
    let (id, at) = (id(number)?, started(number)?);
    let (outcome, state) = if number.is_multiple_of(FAILED) {
        let message = "on purpose".to_owned();
        let kind = FailureKind::StepFailed;
        let failure = Failure { kind, message };
        let step = Some("s0".parse()?);
        (
            Outcome::failure(StepFailureKind::Error, "on purpose"),
            ExecutionState::Failed { at, step, failure },
        )
    } else {
        let output = json!({"ok": true});
        (
            Outcome::Success { output },
            ExecutionState::Completed { at },
        )
    };
    let visit = Visit {
        execution_id: id,
        number: 1,
        step: "s0".parse()?,
        attempt: 1,
        request: Some(json!({"tool": "trivial", "args": {"n": 0}})),
        begun_at: at,
        state: VisitState::Done { at, outcome },
        reused_from: None,
    };
    let result = StepResult::of(&visit).context("a visit that is over has a result")?;
    Ok(Start {
        execution: Execution {
            id,
            workflow_id: workflow.clone(),
            definition: digest.clone(),
            triggered_by: TriggeredBy::Manual,
            schedule: None,
            scheduled_for: None,
            origin: None,
            idempotency_key: None,
            input: json!({"n": number}),
            started_at: at,
            queued: false,
            state,
        },
        results: Some([(visit.step.clone(), result)].into()),
        visits: vec![visit],
        gate: None,
        entry: Entry::UNCONDITIONAL,
    })
}
