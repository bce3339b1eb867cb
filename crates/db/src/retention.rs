//! Deleting finished executions, and the definitions that nothing refers to any more.
//!
//! Visits, attempts, gates and votes go with their execution. An unfinished one is never deleted, and
//! one of a heartbeat not before it was judged.

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{ExpressionMethods as _, QueryDsl as _, QueryableByName, RunQueryDsl as _};
use workflow_types::execution::{Prune, Pruned};
use workflow_types::id::ExecutionId;

use crate::connection::Connection;
use crate::error::{Context as _, Error, ErrorKind};
use crate::schema::{step_visits, workflow_executions as executions, workflows};
use crate::{execution, heartbeat};

/// Visits that are deleted in one transaction, as long as they belong to more than one execution:
/// others wait meanwhile.
const VISITS_AT_ONCE: i64 = 10_000;

const DEFINITIONS: &str = "DELETE FROM workflow_definitions WHERE hash IN (\
     SELECT hash FROM workflow_definitions WHERE NOT EXISTS (\
        SELECT 1 FROM workflow_executions WHERE definition_hash = hash) AND NOT EXISTS (\
        SELECT 1 FROM workflows WHERE definition_hash = hash) LIMIT ?)";

const COUNT: &str = "SELECT count(*) AS value FROM (\
     SELECT is_old, row_number() OVER (\
        PARTITION BY workflow_id, is_old ORDER BY started_at DESC, id DESC) AS place \
     FROM (SELECT workflow_id, started_at, id, coalesce(completed_at < ?, 0) AS is_old \
        FROM workflow_executions WHERE completed_at IS NOT NULL \
        AND (judged_at IS NOT NULL OR triggered_by <> 'heartbeat'))) \
     WHERE is_old OR place > ?";

/// Deletes a finished execution.
///
/// Fails with [`ErrorKind::NotFound`] if there is none, and with [`ErrorKind::Conflict`] if it has
/// not finished.
pub fn delete(connection: &mut Connection, id: ExecutionId) -> Result<(), Error> {
    connection.write(|connection| {
        if delete_finished(connection, &id.to_string())? == 1 {
            return Ok(());
        }
        Err(match execution::find(connection, &id)? {
            None => Error::new(ErrorKind::NotFound, format!("there is no execution {id}")),
            Some(found) => Error::new(
                ErrorKind::Conflict,
                format!(
                    "execution {id} is {}: only a finished one is deleted, so cancel it first",
                    found.state.status()
                ),
            ),
        })
    })
}

/// Deletes at most `limit` finished executions, or if none are left as many definitions that
/// nothing refers to. When nothing was deleted, nothing is left to be.
pub fn prune(connection: &mut Connection, prune: &Prune, limit: usize) -> Result<Pruned, Error> {
    connection.write(|connection| {
        let mut pruned = Pruned::default();
        let mut visits = 0;
        for id in candidates(connection, prune, limit)? {
            visits += count_visits(connection, &id)?;
            if visits > VISITS_AT_ONCE && pruned.executions > 0 {
                break;
            }
            pruned.executions += delete_finished(connection, &id)?;
        }
        if pruned.executions == 0 {
            pruned.definitions = diesel::sql_query(DEFINITIONS)
                .bind::<BigInt, _>(rows(limit))
                .execute(&mut connection.raw)
                .context(|| "deleting definitions that nothing refers to failed")?;
        }
        Ok(pruned)
    })
}

/// How many executions [`prune`] would delete in the end.
pub fn count(connection: &mut Connection, prune: &Prune) -> Result<usize, Error> {
    let row: Count = diesel::sql_query(COUNT)
        .bind::<Nullable<Text>, _>(prune.ended_before.map(|at| at.to_string()))
        .bind::<Nullable<BigInt>, _>(prune.keep_per_workflow.map(i64::from))
        .get_result(&mut connection.raw)
        .context(|| "counting the executions that are not kept failed")?;
    Ok(usize::try_from(row.value).unwrap_or_default())
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

fn candidates(
    connection: &mut Connection,
    prune: &Prune,
    limit: usize,
) -> Result<Vec<String>, Error> {
    let failed = || "looking for executions that are not kept failed";
    let mut found: Vec<String> = Vec::new();
    if let Some(before) = prune.ended_before {
        found = executions::table
            .filter(executions::completed_at.lt(before.to_string()))
            .filter(heartbeat::is_judged())
            .order((executions::completed_at, executions::id))
            .limit(rows(limit))
            .select(executions::id)
            .load(&mut connection.raw)
            .context(failed)?;
    }
    let Some(keep) = prune.keep_per_workflow else {
        return Ok(found);
    };
    let ids: Vec<String> = workflows::table
        .select(workflows::id)
        .load(&mut connection.raw)
        .context(failed)?;
    for workflow in ids {
        if found.len() >= limit {
            break;
        }
        let mut query = executions::table
            .filter(executions::workflow_id.eq(workflow))
            .filter(executions::completed_at.is_not_null())
            .filter(heartbeat::is_judged())
            .order((executions::started_at.desc(), executions::id.desc()))
            .limit(rows(limit - found.len()))
            .offset(i64::from(keep))
            .select(executions::id)
            .into_boxed();
        if let Some(before) = prune.ended_before {
            // The older ones go anyway, and do not count.
            query = query.filter(executions::completed_at.ge(before.to_string()));
        }
        let more: Vec<String> = query.load(&mut connection.raw).context(failed)?;
        found.extend(more);
    }
    Ok(found)
}

fn count_visits(connection: &mut Connection, id: &str) -> Result<i64, Error> {
    step_visits::table
        .filter(step_visits::execution_id.eq(id))
        .count()
        .get_result(&mut connection.raw)
        .context(|| format!("counting the visits of execution {id} failed"))
}

fn delete_finished(connection: &mut Connection, id: &str) -> Result<usize, Error> {
    let finished = executions::table
        .filter(executions::id.eq(id))
        .filter(executions::completed_at.is_not_null());
    diesel::delete(finished)
        .execute(&mut connection.raw)
        .context(|| format!("deleting execution {id} failed"))
}

fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
