//! Taking up executions: each time, the epoch rises and whoever held them before is fenced off.
//!
//! What is done with them is decided elsewhere.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
    SelectableHelper as _,
};
use workflow_types::execution::{Epoch, Execution};
use workflow_types::id::ExecutionId;

use super::IsRunning;
use super::row::ExecutionRow;
use crate::column::Row;
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::schema::workflow_executions as executions;

/// An execution that was taken up by an owner.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The execution.
    pub execution: Execution,
    /// The epoch under which its owner writes from now on.
    pub epoch: Epoch,
}

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
    let mut claimed = Vec::with_capacity(rows.len());
    for row in rows {
        match Claimed::try_from(row) {
            Ok(execution) => claimed.push(execution),
            Err(error) => tracing::error!(%error, "an execution cannot be taken up"),
        }
    }
    claimed.sort_by_key(|claimed| (claimed.execution.started_at, claimed.execution.id));
    Ok(claimed)
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
    let claimed: Option<(ExecutionRow, i64)> = diesel::update(running)
        .set((
            executions::owner.eq(owner),
            executions::epoch.eq(executions::epoch + 1),
        ))
        .returning((ExecutionRow::as_returning(), executions::epoch))
        .get_result(&mut connection.raw)
        .optional()
        .context(|| format!("taking up execution {id} failed"))?;
    claimed.map(Claimed::try_from).transpose()
}

impl TryFrom<(ExecutionRow, i64)> for Claimed {
    type Error = Error;

    fn try_from((row, epoch): (ExecutionRow, i64)) -> Result<Self, Error> {
        let epoch = Row::new("execution", &row.id).number("epoch", epoch)?;
        Ok(Self {
            execution: Execution::try_from(row)?,
            epoch: Epoch::new(epoch),
        })
    }
}
