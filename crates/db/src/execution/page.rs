//! Lists of executions, newest first, page by page.
//!
//! The place after which a page continues is compared as text: a damaged row has one, too.

use diesel::sqlite::Sqlite;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _,
    SelectableHelper as _,
};
use workflow_types::damage::Listed;
use workflow_types::execution::{Execution, ExecutionFilter, ExecutionStatus, Page, PageKey};

use super::row::ExecutionRow;
use super::{IsFailed, IsPaused, IsQueued, IsRunning};
use crate::column::listed;
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::schema::workflow_executions as executions;

type Query<'a> = executions::BoxedQuery<'a, Sqlite>;

/// At most `limit` executions after a place, newest first; damaged ones are named, and count.
pub fn list(
    connection: &mut Connection,
    filter: &ExecutionFilter,
    after: Option<&PageKey>,
    limit: usize,
) -> Result<Page, Error> {
    let limit = limit.max(1);
    // One more than asked for tells whether there is a next page.
    let fetched = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let mut rows: Vec<ExecutionRow> = query(filter, after)
        .limit(fetched)
        .select(ExecutionRow::as_select())
        .load(&mut connection.raw)
        .context(|| "listing executions failed")?;
    let is_last = rows.len() <= limit;
    rows.truncate(limit);
    let next = rows
        .last()
        .filter(|_| !is_last)
        .map(|last| PageKey::new(&last.started_at, &last.id));
    let Listed { items, damaged } = listed(rows, |row| row.id.clone(), Execution::try_from);
    Ok(Page {
        items,
        damaged,
        next,
    })
}

pub(super) fn query<'a>(filter: &ExecutionFilter, after: Option<&PageKey>) -> Query<'a> {
    let ExecutionFilter {
        workflow,
        status,
        queued,
        failure,
        triggered_by,
        from,
        before,
    } = filter;
    let mut query = executions::table
        .order((executions::started_at.desc(), executions::id.desc()))
        .into_boxed();
    if let Some(workflow) = workflow {
        query = query.filter(executions::workflow_id.eq(workflow.to_string()));
    }
    if let Some(status) = status {
        query = match status {
            // Literal, so that their small indexes serve however long the history is.
            ExecutionStatus::Running => query.filter(IsRunning),
            ExecutionStatus::Paused => query.filter(IsPaused),
            ExecutionStatus::Failed => query.filter(IsFailed),
            // There are so many that they are met soon.
            ExecutionStatus::Completed => query.filter(executions::status.eq(status.as_str())),
        };
    }
    if *queued {
        // All that wait run by their status, which the index of those that run begins with.
        query = query.filter(IsQueued);
    }
    if let Some(failure) = failure {
        // Nothing else has a kind of failure, which the index does not know by itself.
        query = query
            .filter(IsFailed)
            .filter(executions::failure_kind.eq(failure.as_str()));
    }
    if let Some(triggered_by) = triggered_by {
        query = query.filter(executions::triggered_by.eq(triggered_by.as_str()));
    }
    if let Some(from) = from {
        query = query.filter(executions::started_at.ge(from.to_string()));
    }
    if let Some(before) = before {
        query = query.filter(executions::started_at.lt(before.to_string()));
    }
    let Some(after) = after else {
        return query;
    };
    // The first condition alone lets SQLite begin in the middle of the index.
    let (at, id) = (after.started_at().to_owned(), after.id().to_owned());
    query
        .filter(executions::started_at.le(at.clone()))
        .filter(executions::started_at.lt(at).or(executions::id.lt(id)))
}
