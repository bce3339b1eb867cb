//! Gates whose time has come: which are due, and when the next one is.
//!
//! A gate that cannot be settled, because its row or its execution's is damaged, is passed over, so
//! that it holds up no other; [`Connection::check`] finds it.

use diesel::connection::DefaultLoadingMode;
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
use workflow_types::Timestamp;
use workflow_types::approval::{Gate, GateState};
use workflow_types::execution::{ExecutionStatus, Scope};
use workflow_types::id::ExecutionId;

use super::row::GateRow;
use super::{IsWaiting, settle};
use crate::column::{Row, literal_condition};
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::schema::{gates, workflow_executions};
use crate::timer;

literal_condition!(
    /// The gate does not wait for ever.
    HasExpiry,
    gates,
    "expires_at IS NOT NULL"
);

/// A gate that does not wait for ever, with the workflow and the status of its execution.
type Expiring = (GateRow, String, String);

/// The query of gates that do not wait for ever, the one that expires first first.
///
/// A macro, because the type of the query is longer than the query.
macro_rules! expiring {
    ($scope:expr) => {{
        let mut query = gates::table
            .inner_join(workflow_executions::table)
            .filter(IsWaiting)
            .filter(HasExpiry)
            .order(gates::expires_at)
            .select((
                GateRow::as_select(),
                workflow_executions::workflow_id,
                workflow_executions::status,
            ))
            .into_boxed();
        if let Some(ids) = timer::texts($scope) {
            query = query.filter(gates::execution_id.eq_any(ids));
        }
        query
    }};
}

/// Expires at most `limit` gates whose time has come, the longest overdue first, and names the
/// executions that run again because of it.
///
/// A gate that is damaged, or whose execution is, is logged and left as it is.
pub fn expire_due(
    connection: &mut Connection,
    scope: &Scope,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<ExecutionId>, Error> {
    connection.write(|connection| {
        let mut expired = Vec::new();
        for mut gate in due(connection, scope, now, limit)? {
            gate.state = GateState::Expired { at: now };
            settle(connection, &gate)?;
            expired.push(gate.execution_id);
        }
        Ok(expired)
    })
}

fn due(
    connection: &mut Connection,
    scope: &Scope,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Gate>, Error> {
    let failed = || "looking for gates that expire failed";
    let query = expiring!(scope).filter(gates::expires_at.le(now.to_string()));
    let rows = query
        .load_iter::<Expiring, DefaultLoadingMode>(&mut connection.raw)
        .context(failed)?;
    let mut due = Vec::new();
    // Read one by one: those that are passed over do not use the limit up.
    for row in rows {
        if due.len() == limit {
            break;
        }
        match gate(row.context(failed)?) {
            Ok(gate) => due.push(gate),
            Err(error) => tracing::error!(%error, "a gate cannot be expired"),
        }
    }
    Ok(due)
}

/// When the next gate expires.
pub(crate) fn next_expiry(
    connection: &mut Connection,
    scope: &Scope,
) -> Result<Option<Timestamp>, Error> {
    let failed = || "looking for the next gate that expires failed";
    let rows = expiring!(scope)
        .load_iter::<Expiring, DefaultLoadingMode>(&mut connection.raw)
        .context(failed)?;
    for row in rows {
        let gate = gate(row.context(failed)?);
        if let Some(expiry) = gate.ok().and_then(|gate| gate.expiry) {
            return Ok(Some(expiry.at));
        }
    }
    Ok(None)
}

/// A gate that can be settled.
fn gate((row, workflow_id, status): Expiring) -> Result<Gate, Error> {
    let gate = GateRow::gate((row, workflow_id))?;
    if status != ExecutionStatus::Paused.as_str() {
        let id = gate.id.to_string();
        let what = format_args!("it waits, but its execution is {status}");
        return Err(Row::new("gate", &id).contradicts(what));
    }
    Ok(gate)
}
