//! `schedule_fires` and `schedule_gaps`: what became of each fire time.
//!
//! One row for each; only what was missed in great number is recorded as a stretch.

use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, Insertable, OptionalExtension as _,
    QueryDsl as _, QueryResult, Queryable, RunQueryDsl as _, Selectable, SelectableHelper as _,
};
use workflow_types::Timestamp;
use workflow_types::damage::Listed;
use workflow_types::id::ScheduleId;
use workflow_types::schedule::{
    Change, FireCause, FireOutcome, FirePage, FireRecord, FireWord, Gap, Missed,
};

use crate::column::{Row, listed, literal_condition};
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::schema::{schedule_fires as rows, schedule_gaps};
use crate::statement::{self, kept, kept_update, push_values};

literal_condition!(
    /// The fire waits.
    IsBuffered,
    schedule_fires,
    "outcome = 'buffered'"
);

#[derive(Queryable, Selectable, Insertable)]
#[diesel(
    table_name = rows,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false
)]
struct FireRow {
    schedule_id: String,
    fire_time: String,
    outcome: String,
    cause: String,
    execution_id: Option<String>,
    reason: Option<String>,
    recorded_at: String,
}

/// What is recorded of the fire times of a schedule, the newest first.
pub fn fires(
    connection: &mut Connection,
    id: &ScheduleId,
    page: FirePage,
) -> Result<Listed<FireRecord>, Error> {
    let mut query = rows::table
        .filter(rows::schedule_id.eq(id.to_string()))
        .order(rows::fire_time.desc())
        .limit(i64::try_from(page.limit).unwrap_or(i64::MAX))
        .select(FireRow::as_select())
        .into_boxed();
    if let Some(before) = page.before {
        query = query.filter(rows::fire_time.lt(before.to_string()));
    }
    let found: Vec<FireRow> = query
        .load(&mut connection.raw)
        .context(|| format!("listing the fires of schedule \"{id}\" failed"))?;
    Ok(listed(found, name, FireRecord::try_from))
}

/// The stretches of which no fire times are recorded one by one, the newest first.
pub fn gaps(connection: &mut Connection, id: &ScheduleId, limit: usize) -> Result<Vec<Gap>, Error> {
    let found: Vec<(String, String)> = schedule_gaps::table
        .filter(schedule_gaps::schedule_id.eq(id.to_string()))
        .order(schedule_gaps::first.desc())
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select((schedule_gaps::first, schedule_gaps::before))
        .load(&mut connection.raw)
        .context(|| format!("listing the gaps of schedule \"{id}\" failed"))?;
    let row = Row::new("gap of schedule", id.as_ref());
    let read = |(first, before): (String, String)| {
        Ok(Gap {
            first: row.parse("first", &first)?,
            before: row.parse("before", &before)?,
        })
    };
    found.into_iter().map(read).collect()
}

/// What is recorded of a fire time.
pub(super) fn find(
    connection: &mut Connection,
    id: &ScheduleId,
    fire_time: Timestamp,
) -> Result<Option<FireRecord>, Error> {
    rows::table
        .find((id.to_string(), fire_time.to_string()))
        .select(FireRow::as_select())
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("loading fire {fire_time} of schedule \"{id}\" failed"))?
        .map(FireRecord::try_from)
        .transpose()
}

/// Records what became of a fire time of which nothing is recorded.
///
/// It is not one statement with [`replace`]: Diesel would prepare that anew for each fire.
pub(super) fn record(connection: &mut Connection, record: &FireRecord) -> Result<(), Error> {
    kept::<statement::RecordFire, _>(Recorded(FireRow::from(record)))
        .execute(&mut connection.raw)
        .context(|| recording(record))?;
    Ok(())
}

/// A row that is inserted, with the text of the statement written out, because every fire runs it.
struct Recorded(FireRow);

impl QueryFragment<Sqlite> for Recorded {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let row = &self.0;
        out.push_sql(
            "INSERT INTO schedule_fires (schedule_id, fire_time, outcome, cause, execution_id, \
             reason, recorded_at) VALUES (",
        );
        push_values!(out,
            Text = &row.schedule_id,
            Text = &row.fire_time,
            Text = &row.outcome,
            Text = &row.cause,
            Nullable<Text> = &row.execution_id,
            Nullable<Text> = &row.reason,
            Text = &row.recorded_at,
        );
        out.push_sql(")");
        Ok(())
    }
}

/// Records what became of a fire time in place of what is recorded of it.
pub(super) fn replace(connection: &mut Connection, record: &FireRecord) -> Result<(), Error> {
    let FireRow {
        schedule_id,
        fire_time,
        outcome,
        cause,
        execution_id,
        reason,
        recorded_at,
    } = FireRow::from(record);
    let is_it = rows::schedule_id
        .eq(schedule_id)
        .and(rows::fire_time.eq(fire_time));
    let changed = (
        rows::outcome.eq(outcome),
        rows::cause.eq(cause),
        rows::execution_id.eq(execution_id),
        rows::reason.eq(reason),
        rows::recorded_at.eq(recorded_at),
    );
    kept_update::<statement::ReplaceFire, _, _, _>(rows::table, is_it, changed)
        .execute(&mut connection.raw)
        .context(|| recording(record))?;
    Ok(())
}

fn recording(record: &FireRecord) -> String {
    let FireRecord {
        schedule,
        fire_time,
        ..
    } = record;
    format!("recording fire {fire_time} of schedule \"{schedule}\" failed")
}

/// Records fire times as missed; what is recorded of one already stands.
pub(super) fn miss(connection: &mut Connection, change: &Change) -> Result<(), Error> {
    let Missed { gap, times } = &change.missed;
    let (id, at) = (&change.schedule.spec.id, change.at);
    let failed = || format!("recording what schedule \"{id}\" missed failed");
    if let Some(Gap { first, before }) = gap {
        diesel::insert_into(schedule_gaps::table)
            .values((
                schedule_gaps::schedule_id.eq(id.to_string()),
                schedule_gaps::first.eq(first.to_string()),
                schedule_gaps::before.eq(before.to_string()),
                schedule_gaps::recorded_at.eq(at.to_string()),
            ))
            .on_conflict_do_nothing()
            .execute(&mut connection.raw)
            .context(failed)?;
    }
    for fire_time in times {
        let record = FireRecord {
            schedule: id.clone(),
            fire_time: *fire_time,
            outcome: FireOutcome::Missed,
            cause: FireCause::Time,
            at,
        };
        kept::<statement::MissFire, _>(
            diesel::insert_into(rows::table)
                .values(FireRow::from(&record))
                .on_conflict_do_nothing(),
        )
        .execute(&mut connection.raw)
        .context(failed)?;
    }
    Ok(())
}

/// Whether any fire of any schedule is buffered.
pub fn has_buffered(connection: &mut Connection) -> Result<bool, Error> {
    let found: Option<String> = rows::table
        .filter(IsBuffered)
        .select(rows::schedule_id)
        .first(&mut connection.raw)
        .optional()
        .context(|| "looking for buffered fires failed")?;
    Ok(found.is_some())
}

/// How many fires of a schedule are buffered.
pub(super) fn count_buffered(connection: &mut Connection, id: &ScheduleId) -> Result<usize, Error> {
    let count: i64 = rows::table
        .filter(IsBuffered)
        .filter(rows::schedule_id.eq(id.to_string()))
        .count()
        .get_result(&mut connection.raw)
        .context(|| format!("counting the buffered fires of schedule \"{id}\" failed"))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// What is buffered does not run any more.
pub(super) fn give_up_buffered(
    connection: &mut Connection,
    id: &ScheduleId,
    at: Timestamp,
) -> Result<(), Error> {
    let buffered = rows::table
        .filter(IsBuffered)
        .filter(rows::schedule_id.eq(id.to_string()));
    diesel::update(buffered)
        .set((
            rows::outcome.eq(FireWord::Missed.as_str()),
            rows::recorded_at.eq(at.to_string()),
        ))
        .execute(&mut connection.raw)
        .context(|| format!("giving up the buffered fires of schedule \"{id}\" failed"))?;
    Ok(())
}

fn name(row: &FireRow) -> String {
    format!("{} of {}", row.fire_time, row.schedule_id)
}

impl From<&FireRecord> for FireRow {
    fn from(record: &FireRecord) -> Self {
        let FireRecord {
            schedule,
            fire_time,
            outcome,
            cause,
            at,
        } = record;
        let (execution, reason) = match outcome {
            FireOutcome::Started { execution } => (*execution, None),
            FireOutcome::SkippedOverlap { reason } | FireOutcome::FailedToStart { reason } => {
                (None, Some(reason.clone()))
            }
            FireOutcome::Missed | FireOutcome::Buffered => (None, None),
        };
        Self {
            schedule_id: schedule.to_string(),
            fire_time: fire_time.to_string(),
            outcome: outcome.word().as_str().to_owned(),
            cause: cause.as_str().to_owned(),
            execution_id: execution.map(|id| id.to_string()),
            reason,
            recorded_at: at.to_string(),
        }
    }
}

impl TryFrom<FireRow> for FireRecord {
    type Error = Error;

    fn try_from(found: FireRow) -> Result<Self, Error> {
        let name = name(&found);
        let FireRow {
            schedule_id,
            fire_time,
            outcome,
            cause,
            execution_id,
            reason,
            recorded_at,
        } = found;
        let row = Row::new("fire", &name);
        let word = row.word("outcome", FireWord::from_word, &outcome)?;
        let execution = row.parse_maybe("execution_id", execution_id.as_deref())?;
        let outcome = match (word, execution, reason) {
            (FireWord::Started, execution, None) => FireOutcome::Started { execution },
            (FireWord::SkippedOverlap, None, Some(reason)) => {
                FireOutcome::SkippedOverlap { reason }
            }
            (FireWord::FailedToStart, None, Some(reason)) => FireOutcome::FailedToStart { reason },
            (FireWord::Missed, None, None) => FireOutcome::Missed,
            (FireWord::Buffered, None, None) => FireOutcome::Buffered,
            (word, ..) => {
                let what = format!("its other columns do not belong to the outcome {word}");
                return Err(row.contradicts(what));
            }
        };
        Ok(Self {
            schedule: row.parse("schedule_id", &schedule_id)?,
            fire_time: row.parse("fire_time", &fire_time)?,
            outcome,
            cause: row.word("cause", FireCause::from_word, &cause)?,
            at: row.parse("recorded_at", &recorded_at)?,
        })
    }
}
