//! Taking up executions: each time, the epoch rises and whoever held them before is fenced off.
//!
//! What is done with them is decided elsewhere.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _,
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
use crate::statement::{self, kept_update};

/// Takes up one execution, whether or not it waits for its turn; none if it does not run.
pub fn claim_one(
    connection: &mut Connection,
    id: &ExecutionId,
    owner: &str,
) -> Result<Option<Claimed>, Error> {
    take(connection, &id.to_string(), owner)
}

/// Takes up one execution by its id as it is stored.
pub(super) fn take(
    connection: &mut Connection,
    id: &str,
    owner: &str,
) -> Result<Option<Claimed>, Error> {
    let failed = || format!("taking up execution {id} failed");
    let running = executions::id.eq(id).and(IsRunning);
    let held = (
        executions::owner.eq(owner),
        executions::epoch.eq(executions::epoch + 1),
        executions::queued_at.eq(None::<String>),
        executions::admitted.eq(true),
    );
    let changed =
        kept_update::<statement::ClaimExecution, _, _, _>(executions::table, running, held)
            .execute(&mut connection.raw)
            .context(failed)?;
    if changed == 0 {
        return Ok(None);
    }
    let found = executions::table
        .find(id)
        .select((ExecutionRow::as_select(), executions::epoch))
        .first(&mut connection.raw)
        .context(failed)?;
    claimed(found).map(Some)
}

fn claimed((row, epoch): (ExecutionRow, i64)) -> Result<Claimed, Error> {
    let epoch = Row::new("execution", &row.id).number("epoch", epoch)?;
    Ok(Claimed {
        execution: Execution::try_from(row)?,
        epoch: Epoch::new(epoch),
    })
}
