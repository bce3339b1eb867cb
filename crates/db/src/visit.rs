//! `step_visits`: the journal, one row per arrival at a step.
//!
//! It is the truth about an execution. What follows from it is decided elsewhere.

mod insert;
mod settle;

use diesel::connection::DefaultLoadingMode;
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, Queryable, RunQueryDsl as _,
    Selectable, SelectableHelper as _,
};
use workflow_types::Timestamp;
use workflow_types::execution::{
    History, Outcome, Scope, StepFailure, StepFailureKind, StepStatus, Visit, VisitState,
    VisitStatus,
};
use workflow_types::id::ExecutionId;

pub(crate) use insert::insert;
pub(crate) use settle::settle;

use crate::column::{Row, literal_condition};
use crate::connection::Connection;
use crate::error::{Context as _, Error, ErrorKind};
use crate::execution::IsRunning;
use crate::schema::{step_visits, workflow_executions};
use crate::timer;

literal_condition!(
    /// The visit waits for its next attempt.
    IsBackingOff,
    step_visits,
    "state = 'backing_off'"
);

#[derive(Queryable, Selectable)]
#[diesel(table_name = step_visits, check_for_backend(diesel::sqlite::Sqlite))]
struct VisitRow {
    execution_id: String,
    visit: i64,
    step_id: String,
    attempt: i64,
    state: String,
    request: Option<String>,
    status: Option<String>,
    output: Option<String>,
    error: Option<String>,
    error_kind: Option<String>,
    due_at: Option<String>,
    begun_at: String,
    completed_at: Option<String>,
    reused_from: Option<String>,
}

/// The query of visits of running executions that wait for their next attempt, the next one first.
///
/// A macro, because the type of the query is longer than the query.
macro_rules! backing_off {
    ($scope:expr) => {{
        let mut query = step_visits::table
            .inner_join(workflow_executions::table)
            .filter(IsBackingOff)
            .filter(IsRunning)
            .filter(workflow_executions::queued_at.is_null())
            .order(step_visits::due_at)
            .select(VisitRow::as_select())
            .into_boxed();
        if let Some(ids) = timer::texts($scope) {
            query = query.filter(step_visits::execution_id.eq_any(ids));
        }
        query
    }};
}

/// The visits of an execution in their order, beginning with number `from`.
pub fn journal(
    connection: &mut Connection,
    execution: &ExecutionId,
    from: u32,
    limit: usize,
) -> Result<Vec<Visit>, Error> {
    let rows: Vec<VisitRow> = step_visits::table
        .filter(step_visits::execution_id.eq(execution.to_string()))
        .filter(step_visits::visit.ge(i64::from(from)))
        .order(step_visits::visit)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(VisitRow::as_select())
        .load(&mut connection.raw)
        .context(|| format!("reading the journal of execution {execution} failed"))?;
    rows.into_iter().map(Visit::try_from).collect()
}

/// The last visit of an execution.
pub fn latest(
    connection: &mut Connection,
    execution: &ExecutionId,
) -> Result<Option<Visit>, Error> {
    step_visits::table
        .filter(step_visits::execution_id.eq(execution.to_string()))
        .order(step_visits::visit.desc())
        .select(VisitRow::as_select())
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("reading the last visit of execution {execution} failed"))?
        .map(Visit::try_from)
        .transpose()
}

/// The running executions whose next attempt is due, the longest overdue first.
///
/// A damaged visit is logged and left out, so that it does not hold up the others.
pub fn due_retries(
    connection: &mut Connection,
    scope: &Scope,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<ExecutionId>, Error> {
    let failed = || "looking for retries that are due failed";
    let rows = backing_off!(scope)
        .filter(step_visits::due_at.le(now.to_string()))
        .load_iter::<VisitRow, DefaultLoadingMode>(&mut connection.raw)
        .context(failed)?;
    let mut due = Vec::new();
    // Read one by one: those that are left out do not use the limit up.
    for row in rows {
        if due.len() == limit {
            break;
        }
        match Visit::try_from(row.context(failed)?) {
            Ok(visit) => due.push(visit.execution_id),
            Err(error) => tracing::error!(%error, "an attempt cannot be repeated"),
        }
    }
    Ok(due)
}

/// When the next attempt of a running execution is due; damaged visits do not count.
pub(crate) fn next_due(
    connection: &mut Connection,
    scope: &Scope,
) -> Result<Option<Timestamp>, Error> {
    let failed = || "looking for the next retry failed";
    let rows = backing_off!(scope)
        .load_iter::<VisitRow, DefaultLoadingMode>(&mut connection.raw)
        .context(failed)?;
    for row in rows {
        let visit = Visit::try_from(row.context(failed)?);
        if let Ok(VisitState::BackingOff { until, .. }) = visit.map(|visit| visit.state) {
            return Ok(Some(until));
        }
    }
    Ok(None)
}

/// What the journal of an execution amounts to, read row by row: outputs that were replaced by
/// later ones are not held.
pub(crate) fn history(
    connection: &mut Connection,
    execution: &ExecutionId,
) -> Result<History, Error> {
    let failed = || format!("folding the journal of execution {execution} failed");
    let rows = step_visits::table
        .filter(step_visits::execution_id.eq(execution.to_string()))
        .order(step_visits::visit)
        .select(VisitRow::as_select())
        .load_iter::<VisitRow, DefaultLoadingMode>(&mut connection.raw)
        .context(failed)?;
    let visits = rows.map(|row| Visit::try_from(row.context(failed)?));
    visits
        .collect::<Result<Folding, Error>>()
        .map(|Folding(history)| history)
}

/// The error of a visit that is over already.
pub(crate) fn not_open(visit: &Visit) -> Error {
    let message = format!("{} is not open, so it cannot be recorded", name(visit));
    Error::new(ErrorKind::Conflict, message)
}

fn name(visit: &Visit) -> String {
    let Visit {
        number,
        step,
        execution_id,
        ..
    } = visit;
    format!("visit {number} (step \"{step}\") of execution {execution_id}")
}

/// A history that is collected from visits in their order.
struct Folding(History);

impl FromIterator<Visit> for Folding {
    fn from_iter<I: IntoIterator<Item = Visit>>(visits: I) -> Self {
        Self(History::fold(visits))
    }
}

impl VisitRow {
    fn state(self, row: Row<'_>) -> Result<VisitState, Error> {
        let failure = match (self.error_kind, self.error) {
            (Some(kind), Some(message)) => Some(StepFailure {
                kind: row.word("error_kind", StepFailureKind::from_word, &kind)?,
                message,
            }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return Err(row.damaged("error")),
        };
        let until = row.parse_maybe("due_at", self.due_at.as_deref())?;
        let at = row.parse_maybe("completed_at", self.completed_at.as_deref())?;
        let output = self.output.as_deref();
        let output = output.map(|text| row.json("output", text)).transpose()?;
        let status = self.status.as_deref();
        let status = status
            .map(|word| row.word("status", StepStatus::from_word, word))
            .transpose()?;
        let state = row.word("state", VisitStatus::from_word, &self.state)?;
        match (state, until, at, status, output, failure) {
            (VisitStatus::Ready, None, None, None, None, None) => Ok(VisitState::Ready),
            (VisitStatus::Waiting, None, None, None, None, None) => Ok(VisitState::Waiting),
            (VisitStatus::Begun, None, None, None, None, None) => Ok(VisitState::Begun),
            (VisitStatus::BackingOff, Some(until), None, None, None, Some(failure)) => {
                Ok(VisitState::BackingOff { until, failure })
            }
            (VisitStatus::Done, None, Some(at), Some(StepStatus::Success), Some(output), None) => {
                let outcome = Outcome::Success { output };
                Ok(VisitState::Done { at, outcome })
            }
            (VisitStatus::Done, None, Some(at), Some(StepStatus::Failure), None, Some(failure)) => {
                let outcome = Outcome::Failure(failure);
                Ok(VisitState::Done { at, outcome })
            }
            (state, ..) => Err(row.contradicts(format_args!(
                "its other columns do not belong to the state {state}"
            ))),
        }
    }
}

impl TryFrom<VisitRow> for Visit {
    type Error = Error;

    fn try_from(found: VisitRow) -> Result<Self, Error> {
        let id = format!("{} of execution {}", found.visit, found.execution_id);
        let row = Row::new("visit", &id);
        let request = found.request.as_deref();
        Ok(Self {
            execution_id: row.parse("execution_id", &found.execution_id)?,
            number: row.number("visit", found.visit)?,
            step: row.parse("step_id", &found.step_id)?,
            attempt: row.number("attempt", found.attempt)?,
            request: request.map(|text| row.json("request", text)).transpose()?,
            begun_at: row.parse("begun_at", &found.begun_at)?,
            reused_from: row.parse_maybe("reused_from", found.reused_from.as_deref())?,
            state: found.state(row)?,
        })
    }
}
