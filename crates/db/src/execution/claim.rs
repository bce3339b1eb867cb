//! Taking up executions: each time, the epoch rises and whoever held them before is fenced off.
//!
//! What is done with them is decided elsewhere.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
    SelectableHelper as _,
};
use workflow_types::execution::{Claimed, Epoch, Execution};
use workflow_types::id::ExecutionId;

use super::IsRunning;
use super::row::ExecutionRow;
use crate::column::Row;
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::schema::workflow_executions as executions;
use crate::statement::{self, kept};

/// Takes up every running execution, oldest first: whoever held one before is fenced off.
///
/// An execution whose row is damaged is logged and left out, so that it does not stop the others;
/// [`Connection::check`] finds it.
pub fn claim(connection: &mut Connection, owner: &str) -> Result<Vec<Claimed>, Error> {
    let rows: Vec<(ExecutionRow, i64)> = diesel::update(executions::table.filter(IsRunning))
        .set((
            executions::owner.eq(owner),
            executions::epoch.eq(executions::epoch + 1),
        ))
        .returning((ExecutionRow::as_returning(), executions::epoch))
        .get_results(&mut connection.raw)
        .context(|| "taking up the running executions failed")?;
    let mut taken: Vec<Claimed> = Vec::with_capacity(rows.len());
    for row in rows {
        match claimed(row) {
            Ok(execution) => taken.push(execution),
            Err(error) => tracing::error!(%error, "an execution cannot be taken up"),
        }
    }
    taken.sort_by_key(|one| (one.execution.started_at, one.execution.id));
    Ok(taken)
}

/// Takes up one execution; none if it does not run.
pub fn claim_one(
    connection: &mut Connection,
    id: &ExecutionId,
    owner: &str,
) -> Result<Option<Claimed>, Error> {
    let running = executions::table
        .filter(executions::id.eq(id.to_string()))
        .filter(IsRunning);
    let found: Option<(ExecutionRow, i64)> = kept::<statement::ClaimExecution, _>(
        diesel::update(running)
            .set((
                executions::owner.eq(owner),
                executions::epoch.eq(executions::epoch + 1),
            ))
            .returning((ExecutionRow::as_returning(), executions::epoch)),
    )
    .get_result(&mut connection.raw)
    .optional()
    .context(|| format!("taking up execution {id} failed"))?;
    found.map(claimed).transpose()
}

fn claimed((row, epoch): (ExecutionRow, i64)) -> Result<Claimed, Error> {
    let epoch = Row::new("execution", &row.id).number("epoch", epoch)?;
    Ok(Claimed {
        execution: Execution::try_from(row)?,
        epoch: Epoch::new(epoch),
    })
}
