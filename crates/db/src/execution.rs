//! `workflow_executions`: starting executions, carrying them forward, finding them.
//!
//! While an execution runs, its row is not touched: a step costs the same after a million others.
//! Whenever it comes to rest, its row tells all, from the journal. What happens next is decided
//! elsewhere.

mod claim;
mod insert;
mod page;
mod queue;
mod row;

use std::collections::BTreeMap;

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use workflow_types::execution::{
    Epoch, Execution, ExecutionState, ExecutionStatus, Progress, Start, Started, StepResult,
    Transition, Visit,
};
use workflow_types::id::{ExecutionId, StepId};

use crate::column::{Row, literal_condition};
use crate::connection::Connection;
use crate::error::{Context as _, Error, ErrorKind};
use crate::schema::workflow_executions as executions;
use crate::statement::{self, kept_update};
use crate::{attempt, call, cancellation, definition, gate, turn, usage, visit, workflow};

pub use claim::claim_one;
use insert::{Beginning, insert};
pub use page::list;
use queue::Verdict;
pub use queue::{admit, count_queued, queue, queue_running};
use row::{ExecutionRow, StateColumns};

literal_condition!(
    /// The execution runs.
    IsRunning,
    workflow_executions,
    "status = 'running'"
);

literal_condition!(
    /// The execution waits for its turn, to begin or to go on.
    IsQueued,
    workflow_executions,
    "status = 'running' AND queued_at IS NOT NULL"
);

literal_condition!(
    /// The execution waits at a gate.
    IsPaused,
    workflow_executions,
    "status = 'paused'"
);

literal_condition!(
    /// The execution has failed.
    IsFailed,
    workflow_executions,
    "status = 'failed'"
);

/// Stores a new execution with its visits and its gate, held by `owner` under the first epoch.
///
/// If its [`Entry`](workflow_types::execution::Entry) makes it wait, nothing but the execution is
/// stored, or nothing at all. Repeating a start, by its id or by its idempotency key within the
/// workflow, changes nothing and answers the execution that there is. Fails with
/// [`ErrorKind::NotFound`] if the workflow, its definition or the origin is not known.
pub fn start(connection: &mut Connection, start: &Start, owner: &str) -> Result<Started, Error> {
    connection.write(|connection| {
        let Start {
            execution,
            visits,
            gate,
            results,
            entry,
        } = start;
        let stored = Rest::of(
            execution.id,
            &execution.state,
            gate.as_ref(),
            results.as_ref(),
        )?;
        match queue::verdict(connection, execution, entry)? {
            Verdict::Begins => {}
            Verdict::Waits => return queue::store(connection, execution),
            Verdict::Skipped(unfinished) => {
                return queue::skip(connection, execution, unfinished);
            }
        }
        let mut row = ExecutionRow::from(execution);
        if let Rest::Running = stored {
            let open = visits.last().map(|visit| visit.step.to_string());
            row.state.current_step_id = open;
        }
        let beginning = Beginning {
            row,
            results: stored.results()?.unwrap_or_else(|| "{}".to_owned()),
            owner: stored.owner(owner),
            epoch: i64::from(Epoch::FIRST.number()),
        };
        match insert(connection, beginning) {
            Ok(false) => return existing(connection, execution).map(Started::Existing),
            Ok(true) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(unknown_reference(connection, execution)?.unwrap_or(error));
            }
            Err(error) => return Err(error),
        }
        for made in visits {
            visit::insert(connection, made)?;
        }
        gate.iter()
            .try_for_each(|gate| gate::insert(connection, gate))?;
        Ok(Started::New)
    })
}

/// Writes one step forward of an execution: all of it, or nothing.
///
/// Fails with [`ErrorKind::Fenced`] if the execution has changed hands, with
/// [`ErrorKind::Conflict`] if it is finished, or paused and not ended by this, if somebody has
/// cancelled it and it does not end as cancelled, or if the open visit is over already. When the
/// execution ends, gates that wait are withdrawn.
pub fn apply(connection: &mut Connection, transition: &Transition) -> Result<(), Error> {
    connection.write(|connection| {
        let Transition {
            execution_id: id,
            epoch,
            open,
            failed,
            progress,
            made,
            gate,
            state,
            results,
        } = transition;
        let stored = Rest::of(*id, state, gate.as_ref(), results.as_ref())?;
        match open {
            None => permit(connection, *id, *epoch, state)?,
            Some(open) => settle(connection, open, *epoch, state)?,
        }
        failed
            .iter()
            .try_for_each(|failed| attempt::insert(connection, *id, failed))?;
        record(connection, *id, progress)?;
        made.iter()
            .try_for_each(|visit| visit::insert(connection, visit))?;
        if let ExecutionState::Completed { at } | ExecutionState::Failed { at, .. } = state {
            gate::withdraw(connection, *id, *at)?;
        }
        gate.iter()
            .try_for_each(|gate| gate::insert(connection, gate))?;
        let Some(results) = stored.results()? else {
            return Ok(());
        };
        let rests = (
            StateColumns::from(state),
            executions::step_results.eq(results),
            executions::owner.eq(None::<String>),
            executions::queued_at.eq(None::<String>),
        );
        let this = executions::id.eq(id.to_string());
        kept_update::<statement::RestExecution, _, _, _>(executions::table, this, rests)
            .execute(&mut connection.raw)
            .context(|| format!("recording where execution {id} stands failed"))?;
        Ok(())
    })
}

/// Writes what an attempt has brought of a model.
fn record(connection: &mut Connection, id: ExecutionId, progress: &Progress) -> Result<(), Error> {
    let Progress { usage, turn, calls } = progress;
    usage
        .iter()
        .try_for_each(|used| usage::insert(connection, id, used))?;
    calls
        .iter()
        .try_for_each(|moved| call::moved(connection, id, moved))?;
    turn.iter()
        .try_for_each(|turn| turn::insert(connection, id, turn))
}

/// How many executions are running.
pub fn count_running(connection: &mut Connection) -> Result<usize, Error> {
    let count: i64 = executions::table
        .filter(executions::status.eq(ExecutionStatus::Running.as_str()))
        .count()
        .get_result(&mut connection.raw)
        .context(|| "counting running executions failed")?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// One execution.
pub fn find(connection: &mut Connection, id: &ExecutionId) -> Result<Option<Execution>, Error> {
    executions::table
        .find(id.to_string())
        .select(ExecutionRow::as_select())
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("loading execution {id} failed"))?
        .map(Execution::try_from)
        .transpose()
}

/// The latest result of each step: as stored when the execution is at rest, from the journal
/// while it runs.
///
/// Fails with [`ErrorKind::NotFound`] if there is no such execution.
pub fn results(
    connection: &mut Connection,
    id: &ExecutionId,
) -> Result<BTreeMap<StepId, StepResult>, Error> {
    connection.read(|connection| {
        let Standing {
            status, results, ..
        } = standing(connection, *id)?;
        if !status.is_at_rest() {
            return Ok(visit::history(connection, id)?.results(None));
        }
        let id = id.to_string();
        let row = Row::new("execution", &id);
        let text = results.ok_or_else(|| row.contradicts("it is at rest without results"))?;
        serde_json::from_str(&text).map_err(|_| row.damaged("step_results"))
    })
}

/// The step that runs, waits or failed; none if it is completed or failed between steps.
///
/// Fails with [`ErrorKind::NotFound`] if there is no such execution.
pub fn current_step(
    connection: &mut Connection,
    id: &ExecutionId,
) -> Result<Option<StepId>, Error> {
    connection.read(|connection| {
        let Standing { status, step, .. } = standing(connection, *id)?;
        if !status.is_at_rest() {
            return Ok(visit::latest(connection, id)?.map(|visit| visit.step));
        }
        let id = id.to_string();
        Row::new("execution", &id).parse_maybe("current_step_id", step.as_deref())
    })
}

/// Lets a paused execution run again, because its gate was passed, as soon as it is its turn.
pub(crate) fn wake(connection: &mut Connection, id: ExecutionId) -> Result<(), Error> {
    let paused = executions::id
        .eq(id.to_string())
        .and(executions::status.eq(ExecutionStatus::Paused.as_str()));
    let runs = (
        executions::status.eq(ExecutionStatus::Running.as_str()),
        executions::paused_at.eq(None::<String>),
        executions::queued_at.eq(executions::started_at.nullable()),
    );
    let changed = kept_update::<statement::WakeExecution, _, _, _>(executions::table, paused, runs)
        .execute(&mut connection.raw)
        .context(|| format!("waking execution {id} failed"))?;
    if changed == 0 {
        let id = id.to_string();
        return Err(Row::new("execution", &id).contradicts("a gate waits, but it is not paused"));
    }
    Ok(())
}

/// The epoch under which an execution is held.
pub(crate) fn epoch(connection: &mut Connection, id: ExecutionId) -> Result<Epoch, Error> {
    standing(connection, id).map(|standing| standing.epoch)
}

/// At most `limit` ids after one, in their order.
pub(crate) fn ids(
    connection: &mut Connection,
    after: &str,
    limit: usize,
) -> Result<Vec<String>, Error> {
    executions::table
        .filter(executions::id.gt(after))
        .order(executions::id)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(executions::id)
        .load(&mut connection.raw)
        .context(|| "listing the ids of executions failed")
}

/// What a row of an execution holds besides where it stands.
enum Rest<'a> {
    /// Nothing: the journal tells.
    Running,
    /// The results of its steps.
    At(&'a BTreeMap<StepId, StepResult>),
}

impl<'a> Rest<'a> {
    /// Refuses what does not belong together, which would be a fault of the caller.
    fn of(
        id: ExecutionId,
        state: &ExecutionState,
        gate: Option<&workflow_types::approval::Gate>,
        results: Option<&'a BTreeMap<StepId, StepResult>>,
    ) -> Result<Self, Error> {
        let status = state.status();
        let is_paused = status == ExecutionStatus::Paused;
        match (status.is_at_rest(), results) {
            (false, None) if gate.is_none() => Ok(Self::Running),
            (true, Some(results)) if gate.is_some() == is_paused => Ok(Self::At(results)),
            (_, _) => Err(Error::new(
                ErrorKind::Internal,
                format!(
                    "execution {id} cannot become {status}: only a paused one has a gate, and \
                     only one at rest has results"
                ),
            )),
        }
    }

    fn results(&self) -> Result<Option<String>, Error> {
        match self {
            Self::Running => Ok(None),
            Self::At(results) => serde_json::to_string(results).map(Some).map_err(|error| {
                let message = "writing the results of an execution failed";
                Error::because(ErrorKind::Internal, message, error)
            }),
        }
    }

    fn owner<'b>(&self, owner: &'b str) -> Option<&'b str> {
        match self {
            Self::Running => Some(owner),
            Self::At(_) => None,
        }
    }
}

/// The columns that are not part of an [`Execution`].
struct Standing {
    status: ExecutionStatus,
    epoch: Epoch,
    step: Option<String>,
    results: Option<String>,
}

fn standing(connection: &mut Connection, id: ExecutionId) -> Result<Standing, Error> {
    let found: Option<(String, i64, Option<String>, Option<String>)> = executions::table
        .find(id.to_string())
        .select((
            executions::status,
            executions::epoch,
            executions::current_step_id,
            executions::step_results,
        ))
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("looking at execution {id} failed"))?;
    let Some((status, epoch, step, results)) = found else {
        let message = format!("there is no execution {id}");
        return Err(Error::new(ErrorKind::NotFound, message));
    };
    let id = id.to_string();
    let row = Row::new("execution", &id);
    Ok(Standing {
        status: row.word("status", ExecutionStatus::from_word, &status)?,
        epoch: Epoch::new(row.number("epoch", epoch)?),
        step,
        results,
    })
}

/// Writes what became of the open visit, fenced; says why it could not be written.
fn settle(
    connection: &mut Connection,
    open: &Visit,
    epoch: Epoch,
    next: &ExecutionState,
) -> Result<(), Error> {
    if visit::settle(connection, open, epoch, next)? {
        return Ok(());
    }
    permit(connection, open.execution_id, epoch, next)?;
    Err(visit::not_open(open))
}

/// Refuses to write an execution that may not become `next`.
fn permit(
    connection: &mut Connection,
    id: ExecutionId,
    epoch: Epoch,
    next: &ExecutionState,
) -> Result<(), Error> {
    fence(connection, id, epoch, next.status())?;
    cancellation::permit(connection, id, next)
}

/// Refuses to write an execution that has changed hands, or that may not become `next`.
fn fence(
    connection: &mut Connection,
    id: ExecutionId,
    epoch: Epoch,
    next: ExecutionStatus,
) -> Result<(), Error> {
    let found = standing(connection, id)?;
    if found.epoch != epoch {
        return Err(Error::new(
            ErrorKind::Fenced,
            format!(
                "execution {id} is held under epoch {}, not {}",
                found.epoch.number(),
                epoch.number()
            ),
        ));
    }
    match (found.status, next.is_finished()) {
        // A paused execution may be ended, by cancelling it; only its gate makes it run again.
        (ExecutionStatus::Running, _) | (ExecutionStatus::Paused, true) => Ok(()),
        (ExecutionStatus::Paused, false)
        | (ExecutionStatus::Completed | ExecutionStatus::Failed, _) => Err(Error::new(
            ErrorKind::Conflict,
            format!(
                "execution {id} is {} and cannot become {next}",
                found.status
            ),
        )),
    }
}

/// The execution that stands in the way of a new one.
fn existing(connection: &mut Connection, wanted: &Execution) -> Result<Box<Execution>, Error> {
    let conflict = || {
        let message = format!("the id {} belongs to another execution", wanted.id);
        Error::new(ErrorKind::Conflict, message)
    };
    if let Some(same) = find(connection, &wanted.id)? {
        let is_same = same.workflow_id == wanted.workflow_id
            && same.idempotency_key == wanted.idempotency_key;
        return is_same.then(|| Box::new(same)).ok_or_else(conflict);
    }
    let key = wanted.idempotency_key.as_ref().ok_or_else(conflict)?;
    let row: ExecutionRow = executions::table
        .filter(executions::workflow_id.eq(wanted.workflow_id.to_string()))
        .filter(executions::idempotency_key.eq(key.to_string()))
        .select(ExecutionRow::as_select())
        .first(&mut connection.raw)
        .context(|| format!("looking for the execution of the key \"{key}\" failed"))?;
    Execution::try_from(row).map(Box::new)
}

/// Which of the things that a new execution refers to is not there.
fn unknown_reference(
    connection: &mut Connection,
    execution: &Execution,
) -> Result<Option<Error>, Error> {
    let unknown = |what: String| Some(Error::new(ErrorKind::NotFound, what));
    if workflow::find(connection, &execution.workflow_id)?.is_none() {
        let id = &execution.workflow_id;
        return Ok(unknown(format!("there is no workflow \"{id}\"")));
    }
    if !definition::exists(connection, &execution.definition)? {
        let digest = &execution.definition;
        return Ok(unknown(format!("there is no definition {digest}")));
    }
    if let Some(origin) = &execution.origin {
        return Ok(unknown(format!("there is no execution {origin} to repeat")));
    }
    Ok(None)
}
