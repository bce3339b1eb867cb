//! `cancellations`: requests that executions end.
//!
//! From the commit of a request on, nothing of its execution is written but its end. Whoever runs
//! an attempt of it is stopped elsewhere.

use diesel::{
    Insertable, OptionalExtension as _, QueryDsl as _, Queryable, RunQueryDsl as _, Selectable,
    SelectableHelper as _,
};
use workflow_types::execution::{
    Cancellation, Cancelling, ExecutionState, FailureKind, Progress, Transition, Visit, VisitState,
};
use workflow_types::id::ExecutionId;

use crate::column::Row;
use crate::connection::Connection;
use crate::error::{Context as _, Error, ErrorKind};
use crate::schema::cancellations;
use crate::{execution, visit};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(
    table_name = cancellations,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false
)]
struct CancellationRow {
    execution_id: String,
    actor: String,
    requested_at: String,
    reason: Option<String>,
}

/// Who asked that an execution end, if anybody did.
pub fn find(connection: &mut Connection, id: &ExecutionId) -> Result<Option<Cancellation>, Error> {
    cancellations::table
        .find(id.to_string())
        .select(CancellationRow::as_select())
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("looking who cancelled execution {id} failed"))?
        .map(Cancellation::try_from)
        .transpose()
}

/// Asks that an execution end. One of which no attempt has begun ends in the same transaction: its
/// open visit, if it has made any, is closed, and its gate withdrawn.
///
/// Fails with [`ErrorKind::NotFound`] if there is no such execution.
pub fn request(
    connection: &mut Connection,
    id: ExecutionId,
    asked: &Cancellation,
) -> Result<Cancelling, Error> {
    connection.write(|connection| {
        let Some(execution) = execution::find(connection, &id)? else {
            let message = format!("there is no execution {id}");
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        if let Some(earlier) = find(connection, &id)? {
            return Ok(Cancelling::Repeated(earlier));
        }
        if execution.state.status().is_finished() {
            return Ok(Cancelling::Finished(execution.state));
        }
        insert(connection, id, asked)?;
        // One that waits for its first turn, or has just got it, has made none.
        let last = visit::latest(connection, &id)?;
        if let Some(open) = &last
            && open.state == VisitState::Begun
        {
            return Ok(Cancelling::Pending);
        }
        end(connection, id, last, asked)?;
        Ok(Cancelling::Ended)
    })
}

/// Refuses whatever would carry on an execution that somebody has cancelled.
pub(crate) fn permit(
    connection: &mut Connection,
    id: ExecutionId,
    next: &ExecutionState,
) -> Result<(), Error> {
    if ends(next) {
        return Ok(());
    }
    let found: Option<String> = cancellations::table
        .find(id.to_string())
        .select(cancellations::execution_id)
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("looking whether execution {id} is cancelled failed"))?;
    match found {
        None => Ok(()),
        Some(_) => {
            let message = format!("execution {id} is cancelled and can only end as such");
            Err(Error::new(ErrorKind::Conflict, message))
        }
    }
}

/// Whether this is what becomes of an execution that is cancelled.
pub(crate) fn ends(next: &ExecutionState) -> bool {
    match next {
        ExecutionState::Failed { failure, .. } => failure.kind == FailureKind::Cancelled,
        ExecutionState::Running
        | ExecutionState::Paused { .. }
        | ExecutionState::Completed { .. } => false,
    }
}

fn insert(connection: &mut Connection, id: ExecutionId, asked: &Cancellation) -> Result<(), Error> {
    let Cancellation { actor, at, reason } = asked;
    let row = CancellationRow {
        execution_id: id.to_string(),
        actor: actor.to_string(),
        requested_at: at.to_string(),
        reason: reason.clone(),
    };
    diesel::insert_into(cancellations::table)
        .values(&row)
        .execute(&mut connection.raw)
        .context(|| format!("cancelling execution {id} failed"))?;
    Ok(())
}

/// Ends an execution at its last visit, of which nothing runs.
fn end(
    connection: &mut Connection,
    id: ExecutionId,
    last: Option<Visit>,
    asked: &Cancellation,
) -> Result<(), Error> {
    let mut history = visit::history(connection, &id)?;
    let step = last.as_ref().map(|visit| visit.step.clone());
    let open = last.filter(|visit| !matches!(visit.state, VisitState::Done { .. }));
    let open = open.map(|mut open| {
        let (at, outcome) = (asked.at, asked.outcome());
        history.record(open.step.clone(), open.attempt, outcome.clone(), at);
        open.state = VisitState::Done { at, outcome };
        open
    });
    let transition = Transition {
        execution_id: id,
        epoch: execution::epoch(connection, id)?,
        open,
        failed: None,
        progress: Progress::default(),
        made: Vec::new(),
        gate: None,
        state: asked.end(asked.at, step),
        results: Some(history.results(None)),
    };
    execution::apply(connection, &transition)
}

impl TryFrom<CancellationRow> for Cancellation {
    type Error = Error;

    fn try_from(found: CancellationRow) -> Result<Self, Error> {
        let CancellationRow {
            execution_id,
            actor,
            requested_at,
            reason,
        } = found;
        let row = Row::new("the cancellation of execution", &execution_id);
        Ok(Self {
            actor: row.parse("actor", &actor)?,
            at: row.parse("requested_at", &requested_at)?,
            reason,
        })
    }
}
