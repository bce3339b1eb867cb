//! Stores executions that begin: one statement, with its text written out, because every start and
//! every fire runs it.

use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl as _};

use super::row::ExecutionRow;
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::statement::{self, kept, push_values};

/// An execution that begins.
pub(super) struct Beginning<'a> {
    pub(super) row: ExecutionRow,
    pub(super) results: String,
    /// Who carries it, unless it is at rest at once.
    pub(super) owner: Option<&'a str>,
    pub(super) epoch: i64,
}

/// Stores an execution; answers false if one stands in its way.
pub(super) fn insert(connection: &mut Connection, beginning: Beginning<'_>) -> Result<bool, Error> {
    let id = beginning.row.id.clone();
    let inserted = kept::<statement::InsertExecution, _>(beginning)
        .execute(&mut connection.raw)
        .context(|| format!("storing execution {id} failed"))?;
    Ok(inserted > 0)
}

impl QueryFragment<Sqlite> for Beginning<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let (row, state) = (&self.row, &self.row.state);
        out.push_sql(
            "INSERT INTO workflow_executions (id, workflow_id, definition_hash, triggered_by, \
             started_at, input, schedule_id, scheduled_for, origin_id, idempotency_key, \
             queued_at, status, current_step_id, paused_at, completed_at, error, failure_kind, \
             step_results, owner, epoch) VALUES (",
        );
        push_values!(out,
            Text = &row.id,
            Text = &row.workflow_id,
            Text = &row.definition_hash,
            Text = &row.triggered_by,
            Text = &row.started_at,
            Text = &row.input,
            Nullable<Text> = &row.schedule_id,
            Nullable<Text> = &row.scheduled_for,
            Nullable<Text> = &row.origin_id,
            Nullable<Text> = &row.idempotency_key,
            Nullable<Text> = &row.queued_at,
            Text = &state.status,
            Nullable<Text> = &state.current_step_id,
            Nullable<Text> = &state.paused_at,
            Nullable<Text> = &state.completed_at,
            Nullable<Text> = &state.error,
            Nullable<Text> = &state.failure_kind,
            Text = &self.results,
            Nullable<Text> = &self.owner,
            BigInt = &self.epoch,
        );
        out.push_sql(") ON CONFLICT DO NOTHING");
        Ok(())
    }
}
