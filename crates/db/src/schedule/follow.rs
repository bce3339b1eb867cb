//! Schedules that follow the `trigger` of a workflow.
//!
//! What becomes of one is worked out by the domain; here it is found, written, and given an id.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
    SelectableHelper as _,
};
use workflow_types::Timestamp;
use workflow_types::id::{ScheduleId, WorkflowId};
use workflow_types::schedule::{self, Following, Schedule, ScheduleSpec};

use super::row::ScheduleRow;
use super::{add, change, exists};
use crate::connection::Connection;
use crate::error::{Context as _, Error, ErrorKind};
use crate::schema::schedules;

/// Ids that are tried for the schedule of a trigger.
const TRIES: usize = 1_000;
/// The longest part of a workflow's id that leaves room for what makes it another one.
const STEM: usize = 50;

/// Makes the schedule of a workflow follow its `trigger`, of which `wanted` is made.
///
/// One that is damaged is logged, and stays as it is: it does not keep workflows from being
/// registered.
pub fn follow(
    connection: &mut Connection,
    workflow: &WorkflowId,
    wanted: Option<ScheduleSpec>,
    now: Timestamp,
) -> Result<(), Error> {
    connection.write(|connection| {
        let known = match of_trigger(connection, workflow) {
            Ok(known) => known,
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                tracing::error!(%error, "a schedule does not follow its workflow");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        match schedule::follow(known.as_ref(), wanted, now) {
            Following::Unchanged => Ok(()),
            Following::Changed(changed) => change(connection, &changed),
            Following::Added(mut schedule) => {
                schedule.spec.id = free_id(connection, schedule.spec.id)?;
                add(connection, &schedule)
            }
        }
    })
}

/// The workflows are gone: schedules that followed their triggers are switched off.
pub fn detach(
    connection: &mut Connection,
    workflows: &[WorkflowId],
    now: Timestamp,
) -> Result<(), Error> {
    connection.write(|connection| {
        workflows
            .iter()
            .try_for_each(|workflow| follow(connection, workflow, None, now))
    })
}

/// The schedule that follows the trigger of a workflow.
fn of_trigger(
    connection: &mut Connection,
    workflow: &WorkflowId,
) -> Result<Option<Schedule>, Error> {
    schedules::table
        .filter(schedules::trigger_of.eq(workflow.to_string()))
        .select(ScheduleRow::as_select())
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("looking for the schedule of workflow \"{workflow}\" failed"))?
        .map(Schedule::try_from)
        .transpose()
}

/// The id that is wanted, or one like it that is not taken.
fn free_id(connection: &mut Connection, wanted: ScheduleId) -> Result<ScheduleId, Error> {
    let text = wanted.to_string();
    if !exists(connection, &text)? {
        return Ok(wanted);
    }
    // Ids are ASCII.
    let stem = text.get(..STEM).unwrap_or(&text);
    for number in 0..TRIES {
        let id = match number {
            0 => format!("{stem}-trigger"),
            number => format!("{stem}-trigger-{}", number + 1),
        };
        if let Ok(id) = ScheduleId::try_new(id)
            && !exists(connection, id.as_ref())?
        {
            return Ok(id);
        }
    }
    let message = format!("no id is free for the schedule of the trigger of workflow \"{text}\"");
    Err(Error::new(ErrorKind::Conflict, message))
}
