//! `schedules`: what fires, where each schedule stands, and what is due.
//!
//! What changes, and how, is worked out by the domain type; here it is written, unless somebody else
//! has changed the schedule meanwhile. Fire times have a table of their own ([`fire`]).

mod fire;
mod follow;
mod go_on;
mod held;
mod history;
mod row;

use diesel::connection::DefaultLoadingMode;
use diesel::sql_types::{BigInt, Text};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    QueryableByName, RunQueryDsl as _, SelectableHelper as _,
};
use workflow_types::Timestamp;
use workflow_types::alert::AlertSource;
use workflow_types::damage::Listed;
use workflow_types::execution::ExecutionStatus;
use workflow_types::id::{ScheduleId, WorkflowId};
use workflow_types::schedule::{Change, Off, Schedule, Standing, Upcoming};

use crate::column::{listed, literal_condition};
use crate::connection::Connection;
use crate::error::{Context as _, Error, ErrorKind};
use crate::schema::{schedules, workflow_executions as executions};
use crate::statement::{self, kept_update};
use crate::{alert, workflow};

pub use fire::fire;
pub(crate) use follow::kept_by;
pub use follow::{detach, follow};
pub(crate) use held::answered;
pub use held::waiting_of;
pub use history::{fires, gaps, has_buffered};
use row::ScheduleRow;

literal_condition!(
    /// The schedule fires.
    IsActive,
    schedules,
    "enabled = 1"
);

literal_condition!(
    /// The failures of the schedule are counted.
    IsWatched,
    schedules,
    "pause_after_failures IS NOT NULL"
);

literal_condition!(
    /// The execution of a schedule is over.
    HasEnded,
    workflow_executions,
    "schedule_id IS NOT NULL AND completed_at IS NOT NULL"
);

/// Schedules with buffered fires of which nothing stands in the way, with the one that has waited
/// longest.
const RELEASABLE: &str = "SELECT schedule_id, min(fire_time) AS fire_time FROM schedule_fires \
     WHERE outcome = 'buffered' AND NOT EXISTS (\
        SELECT 1 FROM workflow_executions AS e JOIN schedules AS s ON s.id = e.schedule_id \
        WHERE e.schedule_id = schedule_fires.schedule_id AND e.completed_at IS NULL \
        AND (e.status = 'running' OR s.overlap_ignores_paused = 0)) \
     GROUP BY schedule_id LIMIT ?";

/// Adds a schedule.
///
/// Fails with [`ErrorKind::Conflict`] if its id is taken, and with [`ErrorKind::NotFound`] if its
/// workflow is not known.
pub fn add(connection: &mut Connection, schedule: &Schedule) -> Result<(), Error> {
    connection.write(|connection| {
        let id = &schedule.spec.id;
        let inserted = diesel::insert_into(schedules::table)
            .values(ScheduleRow::from(schedule))
            .execute(&mut connection.raw)
            .context(|| format!("adding schedule \"{id}\" failed"));
        let Err(error) = inserted else {
            return Ok(());
        };
        if error.kind() == ErrorKind::Conflict && exists(connection, id.as_ref())? {
            let message = format!("there is a schedule \"{id}\" already; choose another id");
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        Err(unknown_workflow(connection, schedule)?.unwrap_or(error))
    })
}

/// Writes a change of a schedule, with the fire times that were missed.
///
/// Fails with [`ErrorKind::NotFound`] if there is no such schedule, and with
/// [`ErrorKind::Conflict`] if somebody else has changed it meanwhile.
pub fn change(connection: &mut Connection, change: &Change) -> Result<(), Error> {
    connection.write(|connection| {
        let Change {
            schedule, before, ..
        } = change;
        let id = &schedule.spec.id;
        let is_current = schedules::id
            .eq(id.to_string())
            .and(schedules::revision.eq(i64::from(before.number())));
        let updated = kept_update::<statement::ChangeSchedule, _, _, _>(
            schedules::table,
            is_current,
            ScheduleRow::from(schedule),
        )
        .execute(&mut connection.raw)
        .context(|| format!("changing schedule \"{id}\" failed"));
        match updated {
            Ok(0) => {
                get(connection, id)?;
                let message = format!("schedule \"{id}\" was changed by somebody else meanwhile");
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            Ok(_) => {}
            Err(error) => return Err(unknown_workflow(connection, schedule)?.unwrap_or(error)),
        }
        history::miss(connection, change)?;
        if let Standing::Off { why, since } = schedule.standing {
            let is_over = match why {
                Off::Paused | Off::Failing | Off::Detached => true,
                // What it has promised runs yet.
                Off::Completed => is_exhausted(schedule),
            };
            if is_over {
                history::give_up_buffered(connection, id, since)?;
            }
        }
        held::follow_change(connection, schedule, change.at)?;
        alert::follow_schedule(connection, schedule, change.at)
    })
}

/// Deletes a schedule with its history; the executions that it started stay, and its alert is over.
///
/// Fails with [`ErrorKind::NotFound`] if there is none.
pub fn delete(connection: &mut Connection, id: &ScheduleId, at: Timestamp) -> Result<(), Error> {
    connection.write(|connection| {
        let deleted = diesel::delete(schedules::table.find(id.to_string()))
            .execute(&mut connection.raw)
            .context(|| format!("deleting schedule \"{id}\" failed"))?;
        if deleted == 0 {
            return Err(unknown(id));
        }
        let source = AlertSource::Schedule(id.clone());
        alert::clear(connection, &source, "the schedule was deleted", at)?;
        Ok(())
    })
}

/// One schedule.
pub fn find(connection: &mut Connection, id: &ScheduleId) -> Result<Option<Schedule>, Error> {
    schedules::table
        .find(id.to_string())
        .select(ScheduleRow::as_select())
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("loading schedule \"{id}\" failed"))?
        .map(Schedule::try_from)
        .transpose()
}

/// At most `limit` schedules in the order of their ids, after one; of one workflow, if one is
/// named.
pub fn list(
    connection: &mut Connection,
    workflow: Option<&WorkflowId>,
    after: Option<&ScheduleId>,
    limit: usize,
) -> Result<Listed<Schedule>, Error> {
    let mut query = schedules::table
        .filter(schedules::id.gt(after.map(ToString::to_string).unwrap_or_default()))
        .order(schedules::id)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(ScheduleRow::as_select())
        .into_boxed();
    if let Some(workflow) = workflow {
        query = query.filter(schedules::workflow_id.eq(workflow.to_string()));
    }
    let rows: Vec<ScheduleRow> = query
        .load(&mut connection.raw)
        .context(|| "listing the schedules failed")?;
    Ok(listed(rows, |row| row.id.clone(), Schedule::try_from))
}

/// At most `limit` schedules that are due, the longest overdue first.
///
/// A damaged one is logged and left out, so that it does not hold up the others.
pub fn due(
    connection: &mut Connection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Schedule>, Error> {
    let failed = || "looking for schedules that are due failed";
    let rows = schedules::table
        .filter(IsActive)
        .filter(schedules::due_at.le(now.to_string()))
        .order((schedules::due_at, schedules::id))
        .select(ScheduleRow::as_select())
        .load_iter::<ScheduleRow, DefaultLoadingMode>(&mut connection.raw)
        .context(failed)?;
    let mut due = Vec::new();
    for row in rows {
        if due.len() == limit {
            break;
        }
        due.extend(whole(row.context(failed)?));
    }
    Ok(due)
}

/// When schedules are due next, after an instant, and at most `limit` of those that are due then.
///
/// Damaged ones are logged and left out, as by [`due`].
pub fn next_due(
    connection: &mut Connection,
    after: Timestamp,
    limit: usize,
) -> Result<Option<Upcoming>, Error> {
    let failed = || "looking for the next schedules that are due failed";
    let rows = schedules::table
        .filter(IsActive)
        .filter(schedules::due_at.gt(after.to_string()))
        .order((schedules::due_at, schedules::id))
        .select(ScheduleRow::as_select())
        .load_iter::<ScheduleRow, DefaultLoadingMode>(&mut connection.raw)
        .context(failed)?;
    let mut next: Option<Upcoming> = None;
    for row in rows {
        let row = row.context(failed)?;
        let Some(due_at) = row.due_at() else {
            // What cannot be read is damaged, and fires no more than any other damaged row.
            continue;
        };
        let next = next.get_or_insert_with(|| Upcoming {
            at: due_at,
            schedules: Vec::new(),
        });
        if next.at != due_at || next.schedules.len() == limit {
            break;
        }
        next.schedules.extend(whole(row));
    }
    Ok(next)
}

/// A schedule, unless its row is damaged, which is logged.
fn whole(row: ScheduleRow) -> Option<Schedule> {
    Schedule::try_from(row)
        .inspect_err(|error| tracing::error!(%error, "a schedule cannot fire"))
        .ok()
}

/// At most `limit` schedules whose next fire time was computed with another tz database.
pub fn computed_elsewhere(
    connection: &mut Connection,
    tz_database: &str,
    limit: usize,
) -> Result<Listed<Schedule>, Error> {
    let rows: Vec<ScheduleRow> = schedules::table
        .filter(IsActive)
        .filter(schedules::tz_database.ne(tz_database))
        .order((schedules::tz_database, schedules::id))
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(ScheduleRow::as_select())
        .load(&mut connection.raw)
        .context(|| "looking for stale fire times failed")?;
    Ok(listed(rows, |row| row.id.clone(), Schedule::try_from))
}

/// At most `limit` schedules whose oldest buffered fire may start, with its time.
pub fn releasable(
    connection: &mut Connection,
    limit: usize,
) -> Result<Vec<(ScheduleId, Timestamp)>, Error> {
    let rows: Vec<Waiting> = diesel::sql_query(RELEASABLE)
        .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
        .load(&mut connection.raw)
        .context(|| "looking for buffered fires failed")?;
    let parsed = rows.into_iter().filter_map(|row| {
        // Another kind of row would be damaged; the check finds it.
        Some((row.schedule_id.parse().ok()?, row.fire_time.parse().ok()?))
    });
    Ok(parsed.collect())
}

/// The schedules that are paused after failures, and fire.
pub fn watched(connection: &mut Connection) -> Result<Vec<ScheduleId>, Error> {
    let ids: Vec<String> = schedules::table
        .filter(IsActive)
        .filter(IsWatched)
        .order(schedules::id)
        .select(schedules::id)
        .load(&mut connection.raw)
        .context(|| "looking for schedules whose failures count failed")?;
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

/// Pauses a schedule if so many of its executions as it allows have failed in a row, since its
/// timing was set or it was resumed; answers it if that is so. Cancelled ones do not count.
pub fn pause_failing(
    connection: &mut Connection,
    id: &ScheduleId,
    now: Timestamp,
) -> Result<Option<Schedule>, Error> {
    connection.write(|connection| {
        let Some(schedule) = find(connection, id)? else {
            return Ok(None);
        };
        let Some(most) = schedule.spec.policies.pause_after_failures else {
            return Ok(None);
        };
        let most = i64::from(most.get());
        let ended: Vec<String> = executions::table
            .filter(HasEnded)
            .filter(executions::schedule_id.eq(id.to_string()))
            .filter(executions::started_at.ge(schedule.effective_from.to_string()))
            .filter(
                executions::failure_kind
                    .is_null()
                    .or(executions::failure_kind.ne("cancelled")),
            )
            .order((executions::completed_at.desc(), executions::id.desc()))
            .limit(most)
            .select(executions::status)
            .load(&mut connection.raw)
            .context(|| format!("counting the failures of schedule \"{id}\" failed"))?;
        let failed = ExecutionStatus::Failed.as_str();
        let are_enough = i64::try_from(ended.len()).is_ok_and(|count| count == most);
        if !schedule.is_active() || !are_enough || ended.iter().any(|status| status != failed) {
            return Ok(None);
        }
        let stopped = schedule.stopped(Off::Failing, now);
        change(connection, &stopped)?;
        Ok(Some(stopped.schedule))
    })
}

/// One schedule; fails with [`ErrorKind::NotFound`] if there is none.
fn get(connection: &mut Connection, id: &ScheduleId) -> Result<Schedule, Error> {
    find(connection, id)?.ok_or_else(|| unknown(id))
}

fn exists(connection: &mut Connection, id: &str) -> Result<bool, Error> {
    let found: Option<String> = schedules::table
        .find(id)
        .select(schedules::id)
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("looking for schedule \"{id}\" failed"))?;
    Ok(found.is_some())
}

fn is_exhausted(schedule: &Schedule) -> bool {
    schedule.is_exhausted_by(usize::try_from(schedule.runs).unwrap_or(usize::MAX))
}

fn unknown(id: &ScheduleId) -> Error {
    let message = format!("there is no schedule \"{id}\"");
    Error::new(ErrorKind::NotFound, message)
}

/// The error of a schedule whose workflow is not there.
fn unknown_workflow(
    connection: &mut Connection,
    schedule: &Schedule,
) -> Result<Option<Error>, Error> {
    let Some(id) = &schedule.spec.workflow else {
        return Ok(None);
    };
    if workflow::find(connection, id)?.is_some() {
        return Ok(None);
    }
    let message = format!("there is no workflow \"{id}\"");
    Ok(Some(Error::new(ErrorKind::NotFound, message)))
}

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = Text)]
    schedule_id: String,
    #[diesel(sql_type = Text)]
    fire_time: String,
}
