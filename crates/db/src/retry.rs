//! Starting an execution that takes over the visits of a finished one.

use diesel::RunQueryDsl as _;
use diesel::sql_types::{BigInt, Text};
use workflow_types::execution::{Start, Started, Visit, VisitState};

use crate::connection::Connection;
use crate::error::{Context as _, Error, ErrorKind};
use crate::{execution, visit};

const VISITS: &str = "INSERT INTO step_visits (execution_id, visit, step_id, attempt, state, \
     request, status, output, error, error_kind, idempotency_key, due_at, begun_at, completed_at, \
     reused_from) \
     SELECT ?, visit, step_id, attempt, state, request, status, output, error, error_kind, \
     idempotency_key, due_at, begun_at, completed_at, coalesce(reused_from, execution_id) \
     FROM step_visits WHERE execution_id = ? AND visit < ?";

const ATTEMPTS: &str = "INSERT INTO step_attempts (execution_id, visit, attempt, begun_at, \
     failed_at, due_at, error, error_kind) \
     SELECT ?, visit, attempt, begun_at, failed_at, due_at, error, error_kind \
     FROM step_attempts WHERE execution_id = ? AND visit < ?";

/// Starts an execution as [`execution::start`] does, and copies to it the visits of its origin
/// before number `first`, which is its own first one.
///
/// The copies name the execution that made them, keep its idempotency keys, and stay when it is
/// deleted. If it has to wait for its turn, its own first visit is left to be made when it is taken
/// up: it is ready, and has no request. Fails with [`ErrorKind::NotFound`] if there is no such
/// origin, and with [`ErrorKind::Conflict`] if it has not finished, or has not made all of these
/// visits.
pub fn start(
    connection: &mut Connection,
    start: &Start,
    first: u32,
    owner: &str,
) -> Result<Started, Error> {
    connection.write(|connection| {
        let started = execution::start(connection, start, owner)?;
        let waits = match started {
            Started::New => false,
            Started::Queued => true,
            Started::Existing(_) | Started::Skipped(_) => return Ok(started),
        };
        let id = start.execution.id;
        let Some(origin) = start.execution.origin else {
            let message = format!("execution {id} repeats none");
            return Err(Error::new(ErrorKind::Internal, message));
        };
        let found = execution::find(connection, &origin)?;
        if !found.is_some_and(|found| found.state.status().is_finished()) {
            let message = format!("execution {origin} has not finished and cannot be repeated");
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let mut copy = |sql: &'static str| {
            diesel::sql_query(sql)
                .bind::<Text, _>(id.to_string())
                .bind::<Text, _>(origin.to_string())
                .bind::<BigInt, _>(i64::from(first))
                .execute(&mut connection.raw)
                .context(|| format!("taking over the visits of execution {origin} failed"))
        };
        let copied = copy(VISITS)?;
        if copied + 1 != usize::try_from(first).unwrap_or(usize::MAX) {
            let message = format!("execution {origin} has no visit before number {first}");
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        copy(ATTEMPTS)?;
        if waits {
            visit::insert(connection, &left(start)?)?;
        }
        Ok(started)
    })
}

/// The first visit of an execution that waits for its turn, which its turn makes.
fn left(start: &Start) -> Result<Visit, Error> {
    let Some(first) = start.visits.first() else {
        let message = format!("execution {} begins at no step", start.execution.id);
        return Err(Error::new(ErrorKind::Internal, message));
    };
    Ok(Visit {
        attempt: 1,
        request: None,
        state: VisitState::Ready,
        ..first.clone()
    })
}
