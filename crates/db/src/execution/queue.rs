//! The queues of executions that wait for their turn: one for each workflow, served in turns.
//!
//! Those that have not begun wait for a place within the limit of their workflow, too; those that
//! have begun hold theirs until they end. How much room there is beyond that is decided elsewhere.

use std::collections::VecDeque;

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
};
use workflow_types::action::{Concurrency, OnLimit};
use workflow_types::execution::{
    Admitted, Entry, Execution, ExecutionState, Place, Round, Scope, Started, Turn,
};
use workflow_types::id::{ExecutionId, WorkflowId};

use super::claim::take;
use super::row::ExecutionRow;
use super::{IsRunning, existing, find, unknown_reference};
use crate::column::literal_condition;
use crate::connection::Connection;
use crate::error::{Context as _, Error, ErrorKind};
use crate::schema::workflow_executions as executions;
use crate::statement::{self, kept, kept_update};
use crate::{timer, workflow};

literal_condition!(
    /// The execution waits for its turn, and has not begun.
    IsNew,
    workflow_executions,
    "queued_at IS NOT NULL AND admitted = 0"
);

literal_condition!(
    /// The execution waits for its turn to go on.
    IsBegun,
    workflow_executions,
    "queued_at IS NOT NULL AND admitted = 1"
);

literal_condition!(
    /// The execution has begun and is not finished.
    HoldsPlace,
    workflow_executions,
    "admitted = 1 AND status IN ('running', 'paused')"
);

/// What becomes of a new execution.
pub(super) enum Verdict {
    Begins,
    Waits,
    /// So many are unfinished.
    Skipped(u32),
}

/// Whether a new execution begins. Without a limit it asks nothing of the database.
pub(super) fn verdict(
    connection: &mut Connection,
    execution: &Execution,
    entry: &Entry,
) -> Result<Verdict, Error> {
    let Entry {
        turn,
        concurrency,
        behind,
    } = entry;
    let by_turn = match turn {
        Turn::Now => Verdict::Begins,
        Turn::Later => Verdict::Waits,
    };
    let Some(Concurrency { limit, on_limit }) = concurrency else {
        return Ok(by_turn);
    };
    let workflow = execution.workflow_id.as_ref();
    let limit = i64::from(limit.get());
    let begun = places(connection, workflow)?;
    match on_limit {
        OnLimit::Skip => {
            let unfinished = begun + waiting(connection, workflow)?;
            if unfinished < limit {
                return Ok(by_turn);
            }
            let unfinished = u32::try_from(unfinished).unwrap_or(u32::MAX);
            Ok(Verdict::Skipped(unfinished))
        }
        OnLimit::Queue if begun >= limit => Ok(Verdict::Waits),
        OnLimit::Queue => {
            let is_first = oldest_new(connection, workflow, scope(behind).as_deref())?.is_none();
            Ok(if is_first { by_turn } else { Verdict::Waits })
        }
    }
}

/// Stores a new execution that waits for its turn, without any visit.
pub(super) fn store(connection: &mut Connection, execution: &Execution) -> Result<Started, Error> {
    let waiting = Execution {
        queued: true,
        state: ExecutionState::Running,
        ..execution.clone()
    };
    let insert = diesel::insert_into(executions::table)
        .values((
            ExecutionRow::from(&waiting),
            executions::step_results.eq("{}"),
            executions::admitted.eq(false),
        ))
        .on_conflict_do_nothing();
    let inserted = kept::<statement::InsertQueued, _>(insert)
        .execute(&mut connection.raw)
        .context(|| format!("storing execution {} failed", execution.id));
    match inserted {
        Ok(0) => existing(connection, execution).map(Started::Existing),
        Ok(_) => Ok(Started::Queued),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(unknown_reference(connection, execution)?.unwrap_or(error))
        }
        Err(error) => Err(error),
    }
}

/// Stores nothing; a repeated start is still answered as one.
pub(super) fn skip(
    connection: &mut Connection,
    execution: &Execution,
    unfinished: u32,
) -> Result<Started, Error> {
    if execution.idempotency_key.is_none() && find(connection, &execution.id)?.is_none() {
        return Ok(Started::Skipped(unfinished));
    }
    match existing(connection, execution) {
        Ok(same) => Ok(Started::Existing(same)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Started::Skipped(unfinished)),
        Err(error) => Err(error),
    }
}

/// Makes running executions wait for their turn; those that wait already stay where they are.
pub fn queue(connection: &mut Connection, ids: &[ExecutionId], place: Place) -> Result<(), Error> {
    connection.write(|connection| {
        ids.iter()
            .try_for_each(|id| queue_one(connection, id, place))
    })
}

fn queue_one(connection: &mut Connection, id: &ExecutionId, place: Place) -> Result<(), Error> {
    let table = executions::table;
    let running = executions::id
        .eq(id.to_string())
        .and(executions::queued_at.is_null())
        .and(IsRunning);
    let queued = match place {
        Place::OfItsStart => {
            let queued = executions::queued_at.eq(executions::started_at.nullable());
            kept_update::<statement::QueueOfStart, _, _, _>(table, running, queued)
                .execute(&mut connection.raw)
        }
        Place::Behind(at) => {
            let queued = executions::queued_at.eq(at.to_string());
            kept_update::<statement::QueueBehind, _, _, _>(table, running, queued)
                .execute(&mut connection.raw)
        }
    };
    queued.context(|| format!("queueing execution {id} failed"))?;
    Ok(())
}

/// Makes every running execution wait for its turn that does not wait for a retry.
pub fn queue_running(connection: &mut Connection) -> Result<(), Error> {
    connection.execute(
        "UPDATE workflow_executions SET queued_at = started_at
         WHERE status = 'running' AND queued_at IS NULL AND coalesce((
            SELECT state FROM step_visits WHERE execution_id = workflow_executions.id
            ORDER BY visit DESC LIMIT 1), 'none') <> 'backing_off'",
    )
}

/// How many executions wait for their turn.
pub fn count_queued(connection: &mut Connection) -> Result<usize, Error> {
    connection.read(|connection| {
        let failed = || "counting what waits failed";
        let table = executions::table;
        let new: i64 = table
            .filter(IsNew)
            .count()
            .get_result(&mut connection.raw)
            .context(failed)?;
        let begun: i64 = table
            .filter(IsBegun)
            .count()
            .get_result(&mut connection.raw)
            .context(failed)?;
        Ok(usize::try_from(new + begun).unwrap_or_default())
    })
}

/// Takes up at most so many executions as there is room for: one of each workflow in turn, and
/// the one that has waited longest of each, unless it would be one too many of its workflow.
///
/// One whose row is damaged is logged, and waits no longer, so that it does not stop the others;
/// [`Connection::check`] finds it.
pub fn admit(connection: &mut Connection, round: &Round, owner: &str) -> Result<Admitted, Error> {
    connection.write(|connection| {
        let mut taking = Taking {
            connection,
            scope: scope(&round.scope),
            owner,
            admitted: Admitted {
                claimed: Vec::new(),
                after: round.after.clone(),
                held_up: false,
            },
        };
        let mut more = VecDeque::new();
        for (from, until) in lap(round.after.as_ref()) {
            let mut after = from;
            while taking.admitted.claimed.len() < round.room {
                let next = taking.next_workflow(after.as_deref())?;
                let within = |id: &String| until.as_ref().is_none_or(|until| id <= until);
                let Some(workflow) = next.filter(within) else {
                    break;
                };
                if taking.take_one(&workflow)? {
                    more.push_back(workflow.clone());
                }
                after = Some(workflow);
            }
        }
        // From the second lap on, only those of which one was taken.
        while taking.admitted.claimed.len() < round.room {
            let Some(workflow) = more.pop_front() else {
                break;
            };
            if taking.take_one(&workflow)? {
                more.push_back(workflow);
            }
        }
        Ok(taking.admitted)
    })
}

/// The parts of a lap over all workflows, by what comes before them and their last.
fn lap(after: Option<&WorkflowId>) -> Vec<(Option<String>, Option<String>)> {
    match after {
        None => vec![(None, None)],
        Some(last) => {
            let last = last.to_string();
            vec![(Some(last.clone()), None), (None, Some(last))]
        }
    }
}

/// A round that is under way.
struct Taking<'a> {
    connection: &'a mut Connection,
    scope: Option<Vec<String>>,
    owner: &'a str,
    admitted: Admitted,
}

/// Whose turn it is in a workflow.
enum Head {
    This(String),
    /// All that wait would be too many.
    HeldUp,
    /// None waits.
    Nobody,
}

impl Taking<'_> {
    /// The next workflow of which executions wait.
    fn next_workflow(&mut self, after: Option<&str>) -> Result<Option<String>, Error> {
        let new = next_new(self.connection, after, self.scope.as_deref())?;
        let begun = next_begun(self.connection, after, self.scope.as_deref())?;
        Ok(new.into_iter().chain(begun).min())
    }

    /// Takes up the execution of a workflow whose turn it is; answers whether there was one.
    fn take_one(&mut self, workflow: &str) -> Result<bool, Error> {
        let id = match head(self.connection, workflow, self.scope.as_deref())? {
            Head::This(id) => id,
            Head::HeldUp => {
                self.admitted.held_up = true;
                return Ok(false);
            }
            Head::Nobody => return Ok(false),
        };
        match take(self.connection, &id, self.owner) {
            Ok(claimed) => self.admitted.claimed.extend(claimed),
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                tracing::error!(%error, "an execution cannot be taken up");
            }
            Err(error) => return Err(error),
        }
        self.admitted.after = workflow.parse().ok().or(self.admitted.after.take());
        Ok(true)
    }
}

/// The execution of a workflow whose turn it is.
fn head(
    connection: &mut Connection,
    workflow: &str,
    scope: Option<&[String]>,
) -> Result<Head, Error> {
    let begun = oldest_begun(connection, workflow, scope)?;
    let new = oldest_new(connection, workflow, scope)?;
    let (begun, new) = match (begun, new) {
        (None, None) => return Ok(Head::Nobody),
        (Some((_, id)), None) => return Ok(Head::This(id)),
        (Some(begun), Some(new)) if begun <= new => return Ok(Head::This(begun.1)),
        (begun, Some((_, new))) => (begun, new),
    };
    let has_place = match workflow::limit(connection, workflow)? {
        Some(limit) => places(connection, workflow)? < limit,
        None => true,
    };
    if has_place {
        return Ok(Head::This(new));
    }
    Ok(begun.map_or(Head::HeldUp, |(_, id)| Head::This(id)))
}

/// Queries of both queues; a macro, because each condition makes a type of its own.
macro_rules! queues {
    ($oldest:ident, $next:ident, $condition:expr) => {
        fn $oldest(
            connection: &mut Connection,
            workflow: &str,
            scope: Option<&[String]>,
        ) -> Result<Option<(String, String)>, Error> {
            let mut query = executions::table
                .filter($condition)
                .filter(executions::workflow_id.eq(workflow))
                .order((executions::queued_at, executions::id))
                .select((executions::queued_at.assume_not_null(), executions::id))
                .into_boxed();
            if let Some(ids) = scope {
                query = query.filter(executions::id.eq_any(ids));
            }
            query
                .first(&mut connection.raw)
                .optional()
                .context(|| format!("looking for whose turn it is in \"{workflow}\" failed"))
        }

        fn $next(
            connection: &mut Connection,
            after: Option<&str>,
            scope: Option<&[String]>,
        ) -> Result<Option<String>, Error> {
            let mut query = executions::table
                .filter($condition)
                .filter(executions::workflow_id.gt(after.unwrap_or_default()))
                .order(executions::workflow_id)
                .select(executions::workflow_id)
                .into_boxed();
            if let Some(ids) = scope {
                query = query.filter(executions::id.eq_any(ids));
            }
            query
                .first(&mut connection.raw)
                .optional()
                .context(|| "looking for the workflow whose turn it is failed")
        }
    };
}

queues!(oldest_new, next_new, IsNew);
queues!(oldest_begun, next_begun, IsBegun);

/// How many unfinished executions of a workflow have begun.
fn places(connection: &mut Connection, workflow: &str) -> Result<i64, Error> {
    executions::table
        .filter(HoldsPlace)
        .filter(executions::workflow_id.eq(workflow))
        .count()
        .get_result(&mut connection.raw)
        .context(|| format!("counting what runs of \"{workflow}\" failed"))
}

/// How many executions of a workflow have not begun.
fn waiting(connection: &mut Connection, workflow: &str) -> Result<i64, Error> {
    executions::table
        .filter(IsNew)
        .filter(executions::workflow_id.eq(workflow))
        .count()
        .get_result(&mut connection.raw)
        .context(|| format!("counting what waits of \"{workflow}\" failed"))
}

/// The ids of a scope as they are stored, if not all are meant.
fn scope(scope: &Scope) -> Option<Vec<String>> {
    timer::texts(scope)
}
