//! Lists of executions, newest first, page by page.
//!
//! A page continues after a key and not after a count, so executions that start meanwhile neither
//! repeat nor hide others.

use diesel::sqlite::Sqlite;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _,
    SelectableHelper as _,
};
use workflow_types::Timestamp;
use workflow_types::execution::{Execution, ExecutionStatus, FailureKind, TriggeredBy};
use workflow_types::id::{ExecutionId, WorkflowId};

use super::row::ExecutionRow;
use super::{IsPaused, IsRunning};
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::schema::workflow_executions as executions;

/// Which executions are listed; what is absent does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecutionFilter {
    /// Of this workflow.
    pub workflow: Option<WorkflowId>,
    /// In this state.
    pub status: Option<ExecutionStatus>,
    /// Failed with this kind.
    pub failure: Option<FailureKind>,
    /// Started by this.
    pub triggered_by: Option<TriggeredBy>,
    /// Started then or later.
    pub from: Option<Timestamp>,
    /// Started before then.
    pub before: Option<Timestamp>,
}

/// Where a page ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageKey {
    /// When the last execution of the page was started.
    pub started_at: Timestamp,
    /// Its id.
    pub id: ExecutionId,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The executions, newest first.
    pub items: Vec<Execution>,
    /// Where the next page begins; none after the last one.
    pub next: Option<PageKey>,
}

type Query<'a> = executions::BoxedQuery<'a, Sqlite>;

/// At most `limit` executions after a key, newest first.
pub fn list(
    connection: &mut Connection,
    filter: &ExecutionFilter,
    after: Option<PageKey>,
    limit: usize,
) -> Result<Page, Error> {
    let limit = limit.max(1);
    // One more than asked for tells whether there is a next page.
    let fetched = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let mut rows = query(filter, after)
        .limit(fetched)
        .select(ExecutionRow::as_select())
        .load(&mut connection.raw)
        .context(|| "listing executions failed")?;
    let is_last = rows.len() <= limit;
    rows.truncate(limit);
    let items: Vec<Execution> = rows
        .into_iter()
        .map(Execution::try_from)
        .collect::<Result<_, _>>()?;
    let next = items.last().filter(|_| !is_last).map(|last| PageKey {
        started_at: last.started_at,
        id: last.id,
    });
    Ok(Page { items, next })
}

pub(super) fn query<'a>(filter: &ExecutionFilter, after: Option<PageKey>) -> Query<'a> {
    let ExecutionFilter {
        workflow,
        status,
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
            ExecutionStatus::Completed | ExecutionStatus::Failed => {
                query.filter(executions::status.eq(status.as_str()))
            }
        };
    }
    if let Some(failure) = failure {
        query = query.filter(executions::failure_kind.eq(failure.as_str()));
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
    let Some(PageKey { started_at, id }) = after else {
        return query;
    };
    // The first condition alone lets SQLite begin in the middle of the index.
    let at = started_at.to_string();
    query.filter(executions::started_at.le(at.clone())).filter(
        executions::started_at
            .lt(at)
            .or(executions::id.lt(id.to_string())),
    )
}
