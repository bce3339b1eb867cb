//! Adds visits to the journal: one statement, with its text written out, because every step runs it.

use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl as _};
use workflow_types::execution::Visit;

use super::settle::StateColumns;
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::statement::{self, kept, push_values};

/// Adds a visit to the journal; fails with [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if
/// its number is taken.
pub(crate) fn insert(connection: &mut Connection, visit: &Visit) -> Result<(), Error> {
    kept::<statement::InsertVisit, _>(Made::from(visit))
        .execute(&mut connection.raw)
        .context(|| format!("recording {} failed", super::name(visit)))?;
    Ok(())
}

/// The row of a visit that is made.
struct Made<'v> {
    execution_id: String,
    visit: i64,
    step_id: &'v str,
    request: Option<String>,
    idempotency_key: String,
    begun_at: String,
    reused_from: Option<String>,
    columns: StateColumns<'v>,
}

impl<'v> From<&'v Visit> for Made<'v> {
    fn from(visit: &'v Visit) -> Self {
        let Visit {
            execution_id,
            number,
            step,
            attempt: _,
            request,
            begun_at,
            state: _,
            reused_from,
        } = visit;
        Self {
            execution_id: execution_id.to_string(),
            visit: i64::from(*number),
            step_id: step.as_ref(),
            request: request.as_ref().map(ToString::to_string),
            idempotency_key: visit.idempotency_key(),
            begun_at: begun_at.to_string(),
            reused_from: reused_from.as_ref().map(ToString::to_string),
            columns: StateColumns::from(visit),
        }
    }
}

impl QueryFragment<Sqlite> for Made<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let columns = &self.columns;
        out.push_sql(
            "INSERT INTO step_visits (execution_id, visit, step_id, request, idempotency_key, \
             begun_at, reused_from, attempt, state, status, output, error, error_kind, due_at, \
             completed_at) VALUES (",
        );
        push_values!(out,
            Text = &self.execution_id,
            BigInt = &self.visit,
            Text = &self.step_id,
            Nullable<Text> = &self.request,
            Text = &self.idempotency_key,
            Text = &self.begun_at,
            Nullable<Text> = &self.reused_from,
            BigInt = &columns.attempt,
            Text = &columns.state,
            Nullable<Text> = &columns.status,
            Nullable<Text> = &columns.output,
            Nullable<Text> = &columns.error,
            Nullable<Text> = &columns.error_kind,
            Nullable<Text> = &columns.due_at,
            Nullable<Text> = &columns.completed_at,
        );
        out.push_sql(")");
        Ok(())
    }
}
