//! Schedules that follow the `trigger` of a workflow, or the file of a heartbeat.
//!
//! What becomes of one is worked out by the domain; here it is found, written, and given an id.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
    SelectableHelper as _,
};
use workflow_types::Timestamp;
use workflow_types::id::{ScheduleId, WorkflowId};
use workflow_types::schedule::{self, Following, Keeper, Schedule, ScheduleSpec};

use super::row::{self, ScheduleRow};
use super::{add, change, exists};
use crate::connection::Connection;
use crate::error::{Context as _, Error, ErrorKind};
use crate::schema::schedules;

/// Ids that are tried for the schedule of a trigger.
const TRIES: usize = 1_000;
/// The longest part of a workflow's id that leaves room for what makes it another one.
const STEM: usize = 48;

/// Makes the schedule of a workflow's `trigger`, or of a heartbeat, follow it; `wanted` is made of it.
///
/// One that is damaged is logged, and stays as it is: it does not keep workflows from being
/// registered.
pub fn follow(
    connection: &mut Connection,
    keeper: &Keeper,
    wanted: Option<ScheduleSpec>,
    now: Timestamp,
) -> Result<(), Error> {
    connection.write(|connection| {
        let known = match kept_by(connection, keeper) {
            Ok(known) => known,
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                tracing::error!(%error, "a schedule does not follow its file");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        match schedule::follow(keeper, known.as_ref(), wanted, now) {
            Following::Unchanged => Ok(()),
            Following::Changed(changed) => change(connection, &changed),
            Following::Added(mut schedule) => {
                schedule.spec.id = free_id(connection, keeper, schedule.spec.id)?;
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
        workflows.iter().try_for_each(|workflow| {
            follow(connection, &Keeper::Trigger(workflow.clone()), None, now)
        })
    })
}

/// The schedule that a workflow's trigger, or a heartbeat, keeps; people keep any number.
pub(crate) fn kept_by(
    connection: &mut Connection,
    keeper: &Keeper,
) -> Result<Option<Schedule>, Error> {
    let Some(keeper) = row::keeper_column(keeper) else {
        return Ok(None);
    };
    schedules::table
        .filter(schedules::keeper.eq(&keeper))
        .select(ScheduleRow::as_select())
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("looking for the schedule of {keeper} failed"))?
        .map(Schedule::try_from)
        .transpose()
}

/// The id that is wanted, or one like it that is not taken.
fn free_id(
    connection: &mut Connection,
    keeper: &Keeper,
    wanted: ScheduleId,
) -> Result<ScheduleId, Error> {
    let text = wanted.to_string();
    if !exists(connection, &text)? {
        return Ok(wanted);
    }
    let kind = match keeper {
        Keeper::People | Keeper::Trigger(_) => "trigger",
        Keeper::Heartbeat(_) => "heartbeat",
    };
    // Ids are ASCII.
    let stem = text.get(..STEM).unwrap_or(&text);
    for number in 0..TRIES {
        let id = match number {
            0 => format!("{stem}-{kind}"),
            number => format!("{stem}-{kind}-{}", number + 1),
        };
        if let Ok(id) = ScheduleId::try_new(id)
            && !exists(connection, id.as_ref())?
        {
            return Ok(id);
        }
    }
    let message = format!("no id is free for the schedule of the {kind} \"{text}\"");
    Err(Error::new(ErrorKind::Conflict, message))
}
