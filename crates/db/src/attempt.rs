//! `step_attempts`: the attempts that failed and were followed by another one.

use diesel::{
    ExpressionMethods as _, Insertable, QueryDsl as _, Queryable, RunQueryDsl as _, Selectable,
    SelectableHelper as _,
};
use workflow_types::execution::{FailedAttempt, StepFailure, StepFailureKind};
use workflow_types::id::ExecutionId;

use crate::column::Row;
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::schema::step_attempts;
use crate::statement::{self, kept};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = step_attempts, check_for_backend(diesel::sqlite::Sqlite))]
struct AttemptRow {
    execution_id: String,
    visit: i64,
    attempt: i64,
    begun_at: String,
    failed_at: String,
    due_at: String,
    error: String,
    error_kind: String,
}

/// The failed attempts of the visits `first` to `last` of an execution, in their order.
pub fn between(
    connection: &mut Connection,
    execution: &ExecutionId,
    (first, last): (u32, u32),
) -> Result<Vec<FailedAttempt>, Error> {
    let rows: Vec<AttemptRow> = step_attempts::table
        .filter(step_attempts::execution_id.eq(execution.to_string()))
        .filter(step_attempts::visit.between(i64::from(first), i64::from(last)))
        .order((step_attempts::visit, step_attempts::attempt))
        .select(AttemptRow::as_select())
        .load(&mut connection.raw)
        .context(|| format!("reading the failed attempts of execution {execution} failed"))?;
    rows.into_iter().map(FailedAttempt::try_from).collect()
}

/// Adds a failed attempt; one that is recorded already stays as it is, because the write that
/// records it may be repeated.
pub(crate) fn insert(
    connection: &mut Connection,
    execution: ExecutionId,
    failed: &FailedAttempt,
) -> Result<(), Error> {
    let FailedAttempt {
        visit,
        attempt,
        begun_at,
        failed_at,
        due_at,
        failure: StepFailure { kind, message },
    } = failed;
    let row = AttemptRow {
        execution_id: execution.to_string(),
        visit: i64::from(*visit),
        attempt: i64::from(*attempt),
        begun_at: begun_at.to_string(),
        failed_at: failed_at.to_string(),
        due_at: due_at.to_string(),
        error: message.clone(),
        error_kind: kind.as_str().to_owned(),
    };
    let insert = diesel::insert_into(step_attempts::table)
        .values(&row)
        .on_conflict_do_nothing();
    kept::<statement::InsertAttempt, _>(insert)
        .execute(&mut connection.raw)
        .context(|| format!("recording a failed attempt of execution {execution} failed"))?;
    Ok(())
}

impl TryFrom<AttemptRow> for FailedAttempt {
    type Error = Error;

    fn try_from(found: AttemptRow) -> Result<Self, Error> {
        let AttemptRow {
            execution_id,
            visit,
            attempt,
            begun_at,
            failed_at,
            due_at,
            error,
            error_kind,
        } = found;
        let id = format!("{attempt} of visit {visit} of execution {execution_id}");
        let row = Row::new("attempt", &id);
        Ok(Self {
            visit: row.number("visit", visit)?,
            attempt: row.number("attempt", attempt)?,
            begun_at: row.parse("begun_at", &begun_at)?,
            failed_at: row.parse("failed_at", &failed_at)?,
            due_at: row.parse("due_at", &due_at)?,
            failure: StepFailure {
                kind: row.word("error_kind", StepFailureKind::from_word, &error_kind)?,
                message: error,
            },
        })
    }
}
