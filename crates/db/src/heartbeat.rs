//! `heartbeats`: which there are, and which of their runs have been judged.
//!
//! What their files say, and what their runs found out, is worked out by the domain.

use diesel::sql_types::{BigInt, Text};
use diesel::{
    AsChangeset, BoolExpressionMethods as _, ExpressionMethods as _, Insertable,
    OptionalExtension as _, QueryDsl as _, Queryable, QueryableByName, RunQueryDsl as _,
    Selectable, SelectableHelper as _,
};
use workflow_types::Timestamp;
use workflow_types::alert::{AlertSource, RoundRecorded};
use workflow_types::damage::Listed;
use workflow_types::heartbeat::{
    HeartbeatJudgement, HeartbeatKeeping, HeartbeatRecord, HeartbeatRun, JudgementRecorded,
    UntoldFire,
};
use workflow_types::id::{ExecutionId, HeartbeatName};
use workflow_types::schedule::{Keeper, Schedule};

use crate::column::{Row, listed, literal_condition};
use crate::connection::Connection;
use crate::error::{Context as _, Error, ErrorKind};
use crate::schema::{heartbeats, workflow_executions as executions};
use crate::{alert, schedule, workflow};

literal_condition!(
    /// The execution of a heartbeat has ended and was not judged.
    IsUnjudged,
    workflow_executions,
    "triggered_by = 'heartbeat' AND judged_at IS NULL AND completed_at IS NOT NULL"
);

/// Why the alerts of a heartbeat end whose file nobody knows any more.
const GONE: &str = "the heartbeat is not configured any more";

/// Fires of heartbeats at which nothing could be started and of which nobody was told, the oldest
/// first.
const UNTOLD: &str = "SELECT h.name, s.id AS schedule_id, f.fire_time, f.recorded_at, f.reason, h.unknown_after \
     FROM heartbeats AS h JOIN schedules AS s ON s.keeper = 'heartbeat ' || h.name \
     JOIN schedule_fires AS f ON f.schedule_id = s.id \
     WHERE f.outcome = 'failed_to_start' AND f.fire_time > coalesce(h.told_until, '') \
     ORDER BY f.fire_time, h.name LIMIT ?";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(
    table_name = heartbeats,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false,
    treat_none_as_null = true
)]
struct HeartbeatRow {
    name: String,
    path: String,
    unknown_after: i64,
    created_at: String,
    updated_at: String,
    told_until: Option<String>,
}

/// Keeps a heartbeat as its file says now: its definition becomes the newest of its workflow, and its
/// schedule follows it. Answers the schedule afterwards; none if its cadence names no more times.
///
/// Repeating it changes nothing.
pub fn keep(
    connection: &mut Connection,
    keeping: &HeartbeatKeeping,
) -> Result<Option<Schedule>, Error> {
    connection.write(|connection| {
        let HeartbeatKeeping {
            name,
            path,
            read,
            schedule,
            at,
        } = keeping;
        let known = find(connection, name)?;
        let unknown_after = match (read.as_deref(), &known) {
            (Some((_, unknown_after)), _) => *unknown_after,
            (None, Some(known)) => known.unknown_after,
            (None, None) => workflow_types::heartbeat::DEFAULT_UNKNOWN_AFTER,
        };
        let record = HeartbeatRecord {
            name: name.clone(),
            path: path.clone(),
            unknown_after,
            created_at: known.as_ref().map_or(*at, |known| known.created_at),
            updated_at: known.as_ref().map_or(*at, |known| known.updated_at),
            told_until: known.as_ref().and_then(|known| known.told_until),
        };
        if known.as_ref() != Some(&record) {
            let updated_at = *at;
            store(
                connection,
                &HeartbeatRecord {
                    updated_at,
                    ..record
                },
            )?;
        }
        let keeper = Keeper::Heartbeat(name.clone());
        if let Some((registration, _)) = read.as_deref() {
            workflow::register(connection, registration)?;
        }
        let followed = schedule::kept_by(connection, &keeper);
        // One that nobody could read before has a schedule, too, so that its silence is heard.
        if read.is_some() || matches!(followed, Ok(None)) || is_detached(&followed) {
            schedule::follow(connection, &keeper, Some(schedule.clone()), *at)?;
        }
        schedule::kept_by(connection, &keeper)
    })
}

fn is_detached(found: &Result<Option<Schedule>, Error>) -> bool {
    use workflow_types::schedule::{Off, Standing};
    let standing = found.as_ref().ok().and_then(Option::as_ref);
    matches!(
        standing.map(|schedule| &schedule.standing),
        Some(Standing::Off {
            why: Off::Detached,
            ..
        })
    )
}

/// Switches off the schedules of all heartbeats but these, and ends their alerts: nobody knows their
/// files any more.
pub fn detach_others(
    connection: &mut Connection,
    kept: &[HeartbeatName],
    now: Timestamp,
) -> Result<(), Error> {
    connection.write(|connection| {
        let known: Vec<String> = heartbeats::table
            .select(heartbeats::name)
            .load(&mut connection.raw)
            .context(|| "looking for heartbeats that are gone failed")?;
        for name in known {
            let name = Row::new("heartbeat", &name).parse("name", &name)?;
            if !kept.contains(&name) {
                let source = AlertSource::Heartbeat(name.clone());
                schedule::follow(connection, &Keeper::Heartbeat(name), None, now)?;
                alert::clear(connection, &source, GONE, now)?;
            }
        }
        Ok(())
    })
}

/// The schedule that follows the file of a heartbeat.
pub fn schedule(
    connection: &mut Connection,
    name: &HeartbeatName,
) -> Result<Option<Schedule>, Error> {
    schedule::kept_by(connection, &Keeper::Heartbeat(name.clone()))
}

/// One heartbeat.
pub fn find(
    connection: &mut Connection,
    name: &HeartbeatName,
) -> Result<Option<HeartbeatRecord>, Error> {
    heartbeats::table
        .find(name.to_string())
        .select(HeartbeatRow::as_select())
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("loading heartbeat \"{name}\" failed"))?
        .map(HeartbeatRecord::try_from)
        .transpose()
}

/// Every heartbeat that was ever kept, in the order of their names.
pub fn list(connection: &mut Connection) -> Result<Listed<HeartbeatRecord>, Error> {
    let rows: Vec<HeartbeatRow> = heartbeats::table
        .order(heartbeats::name)
        .select(HeartbeatRow::as_select())
        .load(&mut connection.raw)
        .context(|| "listing the heartbeats failed")?;
    Ok(listed(
        rows,
        |row| row.name.clone(),
        HeartbeatRecord::try_from,
    ))
}

/// At most `limit` executions of heartbeats that have ended and were not judged, the oldest first.
pub fn unjudged(connection: &mut Connection, limit: usize) -> Result<Vec<ExecutionId>, Error> {
    let ids: Vec<String> = executions::table
        .filter(IsUnjudged)
        .order((executions::completed_at, executions::id))
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(executions::id)
        .load(&mut connection.raw)
        .context(|| "looking for runs of heartbeats that were not judged failed")?;
    // Another text would be damaged; the check finds it.
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

/// At most `limit` fires of heartbeats at which nothing could be started and of which nobody was
/// told, the oldest first.
pub fn untold(connection: &mut Connection, limit: usize) -> Result<Vec<UntoldFire>, Error> {
    let rows: Vec<UntoldRow> = diesel::sql_query(UNTOLD)
        .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
        .load(&mut connection.raw)
        .context(|| "looking for heartbeats that could not be started failed")?;
    rows.into_iter().map(UntoldFire::try_from).collect()
}

/// Records what a run came to, with its findings; repeating it changes nothing.
///
/// Fails with [`ErrorKind::NotFound`] if there is no such execution or heartbeat, and with
/// [`ErrorKind::Conflict`] if the execution has not ended.
pub fn judge(
    connection: &mut Connection,
    judgement: &HeartbeatJudgement,
) -> Result<JudgementRecorded, Error> {
    connection.write(|connection| {
        let HeartbeatJudgement { run, findings, at } = judgement;
        let is_new = match run {
            HeartbeatRun::Ended(id) | HeartbeatRun::Unreadable(id) => {
                mark_execution(connection, *id, *at)?
            }
            HeartbeatRun::NotStarted { name, fire_time } => {
                mark_fire(connection, name, *fire_time)?
            }
        };
        if !is_new {
            return Ok(JudgementRecorded::Repeated);
        }
        let recorded = match (run, findings) {
            (_, None) => RoundRecorded::New(Vec::new()),
            (HeartbeatRun::Ended(_), Some(found)) => alert::record(connection, found)?,
            (HeartbeatRun::Unreadable(_) | HeartbeatRun::NotStarted { .. }, Some(found)) => {
                alert::record_some(connection, found)?
            }
        };
        Ok(match recorded {
            RoundRecorded::New(changes) => JudgementRecorded::New(changes),
            RoundRecorded::Repeated => JudgementRecorded::Repeated,
        })
    })
}

/// Marks an execution as judged; whether it was not before.
fn mark_execution(
    connection: &mut Connection,
    id: ExecutionId,
    at: Timestamp,
) -> Result<bool, Error> {
    let it = || executions::table.find(id.to_string());
    let found: Option<(Option<String>, Option<String>)> = it()
        .select((executions::completed_at, executions::judged_at))
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("loading execution {id} failed"))?;
    match found {
        None => Err(Error::new(
            ErrorKind::NotFound,
            format!("there is no execution {id}"),
        )),
        Some((None, _)) => Err(Error::new(
            ErrorKind::Conflict,
            format!("execution {id} has not ended"),
        )),
        Some((Some(_), Some(_))) => Ok(false),
        Some((Some(_), None)) => {
            diesel::update(it())
                .set(executions::judged_at.eq(at.to_string()))
                .execute(&mut connection.raw)
                .context(|| format!("noting that execution {id} is judged failed"))?;
            Ok(true)
        }
    }
}

/// Marks the fires up to one as told of; whether it was not before.
fn mark_fire(
    connection: &mut Connection,
    name: &HeartbeatName,
    fire_time: Timestamp,
) -> Result<bool, Error> {
    let fire_time = fire_time.to_string();
    let is_later = heartbeats::told_until
        .is_null()
        .or(heartbeats::told_until.lt(&fire_time));
    let it = heartbeats::table.find(name.to_string());
    let updated = diesel::update(it.filter(is_later))
        .set(heartbeats::told_until.eq(&fire_time))
        .execute(&mut connection.raw)
        .context(|| format!("noting a fire of heartbeat \"{name}\" failed"))?;
    if updated == 0 && find(connection, name)?.is_none() {
        let message = format!("there is no heartbeat \"{name}\"");
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    Ok(updated > 0)
}

/// Whether an execution is no heartbeat's, or was judged: only then may it be deleted by itself.
pub(crate) fn is_judged() -> IsJudged {
    IsJudged
}

literal_condition!(
    /// The execution is no heartbeat's, or was judged.
    IsJudged,
    workflow_executions,
    "triggered_by IS NOT (CASE WHEN judged_at IS NULL THEN 'heartbeat' END)"
);

fn store(connection: &mut Connection, record: &HeartbeatRecord) -> Result<(), Error> {
    let row = HeartbeatRow::from(record);
    diesel::insert_into(heartbeats::table)
        .values(&row)
        .on_conflict(heartbeats::name)
        .do_update()
        .set(&row)
        .execute(&mut connection.raw)
        .context(|| format!("storing heartbeat \"{}\" failed", record.name))?;
    Ok(())
}

impl From<&HeartbeatRecord> for HeartbeatRow {
    fn from(record: &HeartbeatRecord) -> Self {
        let HeartbeatRecord {
            name,
            path,
            unknown_after,
            created_at,
            updated_at,
            told_until,
        } = record;
        Self {
            name: name.to_string(),
            path: path.clone(),
            unknown_after: i64::from(unknown_after.get()),
            created_at: created_at.to_string(),
            updated_at: updated_at.to_string(),
            told_until: told_until.map(|at| at.to_string()),
        }
    }
}

impl TryFrom<HeartbeatRow> for HeartbeatRecord {
    type Error = Error;

    fn try_from(found: HeartbeatRow) -> Result<Self, Error> {
        let HeartbeatRow {
            name,
            path,
            unknown_after,
            created_at,
            updated_at,
            told_until,
        } = found;
        let row = Row::new("heartbeat", &name);
        Ok(Self {
            name: row.parse("name", &name)?,
            path,
            unknown_after: count(row, unknown_after)?,
            created_at: row.parse("created_at", &created_at)?,
            updated_at: row.parse("updated_at", &updated_at)?,
            told_until: row.parse_maybe("told_until", told_until.as_deref())?,
        })
    }
}

fn count(row: Row<'_>, count: i64) -> Result<std::num::NonZeroU32, Error> {
    let count = u32::try_from(count).ok();
    let count = count.and_then(std::num::NonZeroU32::new);
    count.ok_or_else(|| row.damaged("unknown_after"))
}

#[derive(QueryableByName)]
struct UntoldRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    schedule_id: String,
    #[diesel(sql_type = Text)]
    fire_time: String,
    #[diesel(sql_type = Text)]
    recorded_at: String,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = BigInt)]
    unknown_after: i64,
}

impl TryFrom<UntoldRow> for UntoldFire {
    type Error = Error;

    fn try_from(found: UntoldRow) -> Result<Self, Error> {
        let row = Row::new("fire of heartbeat", &found.name);
        Ok(Self {
            name: row.parse("name", &found.name)?,
            schedule: row.parse("schedule_id", &found.schedule_id)?,
            fire_time: row.parse("fire_time", &found.fire_time)?,
            at: row.parse("recorded_at", &found.recorded_at)?,
            reason: found.reason.clone(),
            unknown_after: count(row, found.unknown_after)?,
        })
    }
}
