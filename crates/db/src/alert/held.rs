//! The alert of a schedule that is held up: raised, seen again at each fire that does not start, and
//! over. Its item is the execution that waits.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use workflow_types::Timestamp;
use workflow_types::alert::{Alert, AlertChange, AlertKind, AlertSource, AlertSourceKind};
use workflow_types::id::ScheduleId;
use workflow_types::schedule::{HeldUp, Schedule};

use super::{IsOpen, clear_those, open_of, write};
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::schema::alerts;

/// The alert of a schedule that a fire found held up; it is raised if it is another than that of
/// which there is one, and else nobody is told again.
pub(crate) fn see(
    connection: &mut Connection,
    schedule: &Schedule,
    by: &HeldUp,
    at: Timestamp,
) -> Result<(), Error> {
    let id = &schedule.spec.id;
    let item = by.execution.to_string();
    let details = schedule.held_up_words(by);
    for alert in open_of(connection, &source(id))? {
        if alert.kind == AlertKind::HeldUp && alert.item == item {
            write(connection, AlertChange::Seen(alert.seen(&details, at)))?;
            return Ok(());
        }
    }
    end(
        connection,
        id,
        "another execution stands in its way now",
        at,
    )?;
    // Not the gate alone: a schedule that was let go may be held up again by the same.
    let cause = format!("{} {}", by.gate, schedule.revision.number());
    let alert = Alert::raise(source(id), item, AlertKind::HeldUp, (at, &cause), &details);
    write(connection, AlertChange::Raised(alert))?;
    Ok(())
}

/// Ends the alert of a schedule, if there is one.
pub(crate) fn end(
    connection: &mut Connection,
    schedule: &ScheduleId,
    reason: &str,
    at: Timestamp,
) -> Result<(), Error> {
    let is_it = |alert: &Alert| alert.kind == AlertKind::HeldUp;
    clear_those(connection, &source(schedule), is_it, (reason, at))?;
    Ok(())
}

/// Ends the alert of a schedule, if it is about this execution.
pub(crate) fn end_of(
    connection: &mut Connection,
    schedule: &ScheduleId,
    execution: &str,
    (reason, at): (&str, Timestamp),
) -> Result<(), Error> {
    let is_it = |alert: &Alert| alert.kind == AlertKind::HeldUp && alert.item == execution;
    clear_those(connection, &source(schedule), is_it, (reason, at))?;
    Ok(())
}

/// How many schedules lose fires, or keep them waiting, because somebody is waited for.
pub fn count(connection: &mut Connection) -> Result<usize, Error> {
    let count: i64 = alerts::table
        .filter(IsOpen)
        .filter(alerts::source_kind.eq(AlertSourceKind::Schedule.as_str()))
        .filter(alerts::kind.eq(AlertKind::HeldUp.as_str()))
        .count()
        .get_result(&mut connection.raw)
        .context(|| "counting the schedules that are held up failed")?;
    Ok(usize::try_from(count).unwrap_or_default())
}

fn source(id: &ScheduleId) -> AlertSource {
    AlertSource::Schedule(id.clone())
}
