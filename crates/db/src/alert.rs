//! `alerts`: what somebody has to look at, from when it is found until it is over.
//!
//! What becomes of an alert is worked out by the domain type; here it is written, together with the
//! notice that tells of it.

mod delivery;
mod held;
mod item;
mod notice;
mod row;

use std::num::NonZeroU32;

use diesel::sqlite::Sqlite;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _, SelectableHelper as _,
};
use workflow_types::Timestamp;
use workflow_types::alert::{
    Acknowledged, Alert, AlertChange, AlertFilter, AlertKey, AlertKind, AlertPage, AlertSource,
    NoticeEvent,
};
use workflow_types::damage::Listed;
use workflow_types::id::AlertId;
use workflow_types::schedule::{Off, Schedule, Standing};

use crate::column::{listed, literal_condition};
use crate::connection::Connection;
use crate::error::{Context as _, Error, ErrorKind};
use crate::schema::alerts;

pub use delivery::{configure_sinks, end_delivery, next_delivery, receipts, sinks};
pub use held::count as count_held_up;
pub(crate) use held::{end as end_held_up, end_of as end_held_up_by, see as see_held_up};
pub(crate) use item::record_some;
pub use item::{items, record};
pub use notice::{after as notices_after, latest as latest_notice, of as notices_of};
use row::AlertRow;

literal_condition!(
    /// The alert is open.
    IsOpen,
    alerts,
    "cleared_at IS NULL"
);

literal_condition!(
    /// Nobody has acknowledged the alert.
    IsUnread,
    alerts,
    "acknowledged_at IS NULL"
);

/// Alerts that are over and read, and of which no sink is still to be told.
const PRUNE: &str = "DELETE FROM alerts WHERE id IN (\
     SELECT id FROM alerts WHERE cleared_at IS NOT NULL AND acknowledged_at IS NOT NULL \
     AND cleared_at < ? AND NOT EXISTS (\
        SELECT 1 FROM alert_notices AS n JOIN alert_deliveries AS d ON d.notice = n.number \
        JOIN alert_sinks AS s ON s.name = d.sink \
        WHERE n.alert_id = alerts.id AND d.delivered_at IS NULL AND s.enabled = 1) \
     ORDER BY cleared_at, id LIMIT ?)";

type Query<'a> = alerts::BoxedQuery<'a, Sqlite>;

/// One alert.
pub fn find(connection: &mut Connection, id: AlertId) -> Result<Option<Alert>, Error> {
    alerts::table
        .find(id.to_string())
        .select(AlertRow::as_select())
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("loading alert {id} failed"))?
        .map(Alert::try_from)
        .transpose()
}

/// At most `limit` alerts after a place, newest first; damaged ones are named, and count.
pub fn list(
    connection: &mut Connection,
    filter: AlertFilter,
    after: Option<&AlertKey>,
    limit: usize,
) -> Result<AlertPage, Error> {
    let limit = limit.max(1);
    // One more than asked for tells whether there is a next page.
    let fetched = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let mut rows: Vec<AlertRow> = query(filter, after)
        .limit(fetched)
        .select(AlertRow::as_select())
        .load(&mut connection.raw)
        .context(|| "listing alerts failed")?;
    let is_last = rows.len() <= limit;
    rows.truncate(limit);
    let next = rows
        .last()
        .filter(|_| !is_last)
        .map(|last| AlertKey::new(&last.first_raised_at, &last.id));
    let Listed { items, damaged } = listed(rows, |row| row.id.clone(), Alert::try_from);
    Ok(AlertPage {
        items,
        damaged,
        next,
    })
}

/// The first acknowledgement of an alert stands; answers it as it is afterwards.
///
/// Fails with [`ErrorKind::NotFound`] if there is no such alert.
pub fn acknowledge(
    connection: &mut Connection,
    id: AlertId,
    by: &Acknowledged,
) -> Result<Alert, Error> {
    connection.write(|connection| {
        let unread = alerts::table
            .filter(alerts::id.eq(id.to_string()))
            .filter(IsUnread);
        diesel::update(unread)
            .set((
                alerts::acknowledged_by.eq(by.by.to_string()),
                alerts::acknowledged_at.eq(by.at.to_string()),
            ))
            .execute(&mut connection.raw)
            .context(|| format!("acknowledging alert {id} failed"))?;
        find(connection, id)?.ok_or_else(|| {
            let message = format!("there is no alert {id}");
            Error::new(ErrorKind::NotFound, message)
        })
    })
}

/// Acknowledges every alert that nobody has acknowledged; answers how many there were.
pub fn acknowledge_all(connection: &mut Connection, by: &Acknowledged) -> Result<usize, Error> {
    connection.write(|connection| {
        diesel::update(alerts::table.filter(IsUnread))
            .set((
                alerts::acknowledged_by.eq(by.by.to_string()),
                alerts::acknowledged_at.eq(by.at.to_string()),
            ))
            .execute(&mut connection.raw)
            .context(|| "acknowledging the unread alerts failed")
    })
}

/// Reminds of at most `limit` open and unread alerts that were last told of at `told_before` or
/// earlier, the longest untold first; answers them.
pub fn remind(
    connection: &mut Connection,
    told_before: Timestamp,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Alert>, Error> {
    connection.write(|connection| {
        let rows: Vec<AlertRow> = alerts::table
            .filter(IsOpen)
            .filter(IsUnread)
            .filter(alerts::told_at.le(told_before.to_string()))
            .order(alerts::told_at)
            .limit(i64::try_from(limit).unwrap_or(i64::MAX))
            .select(AlertRow::as_select())
            .load(&mut connection.raw)
            .context(|| "looking for alerts to remind of failed")?;
        let mut reminded = Vec::new();
        for row in rows {
            let id = row.id.clone();
            match Alert::try_from(row) {
                Ok(alert) => {
                    let alert = alert.reminded(now);
                    save(connection, &alert)?;
                    notice::insert(connection, &alert, NoticeEvent::Reminded, now)?;
                    reminded.push(alert);
                }
                Err(error) => {
                    tracing::error!(%error, "nobody can be reminded of an alert");
                    // It must not stand before the others for ever.
                    diesel::update(alerts::table.find(id))
                        .set(alerts::told_at.eq(now.to_string()))
                        .execute(&mut connection.raw)
                        .context(|| "passing over a damaged alert failed")?;
                }
            }
        }
        Ok(reminded)
    })
}

/// When the open and unread alert was told of that has been told of longest ago.
pub fn longest_untold(connection: &mut Connection) -> Result<Option<Timestamp>, Error> {
    let found: Option<String> = alerts::table
        .filter(IsOpen)
        .filter(IsUnread)
        .order(alerts::told_at)
        .select(alerts::told_at)
        .first(&mut connection.raw)
        .optional()
        .context(|| "looking for alerts to remind of failed")?;
    // What cannot be read is damaged, and nobody is reminded of it.
    Ok(found.and_then(|at| at.parse().ok()))
}

/// How many alerts nobody has acknowledged.
pub fn count_unread(connection: &mut Connection) -> Result<usize, Error> {
    let count: i64 = alerts::table
        .filter(IsUnread)
        .count()
        .get_result(&mut connection.raw)
        .context(|| "counting the unread alerts failed")?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// Ends every open alert of a source; answers what has changed.
pub fn clear(
    connection: &mut Connection,
    source: &AlertSource,
    reason: &str,
    at: Timestamp,
) -> Result<Vec<AlertChange>, Error> {
    connection.write(|connection| clear_those(connection, source, |_| true, (reason, at)))
}

/// Ends some of the open alerts of a source.
fn clear_those(
    connection: &mut Connection,
    source: &AlertSource,
    are_meant: impl Fn(&Alert) -> bool,
    (reason, at): (&str, Timestamp),
) -> Result<Vec<AlertChange>, Error> {
    let mut changes = Vec::new();
    for alert in open_of(connection, source)?
        .iter()
        .filter(|it| are_meant(it))
    {
        let change = AlertChange::Cleared(alert.cleared(reason, at));
        changes.extend(write(connection, change)?);
    }
    Ok(changes)
}

/// Deletes at most `limit` alerts that ended before then, are read, and of which every configured
/// sink has been told; answers how many. Of what was recorded that long ago, only the last round of
/// each source stays.
pub fn prune(connection: &mut Connection, before: Timestamp, limit: usize) -> Result<usize, Error> {
    use diesel::sql_types::{BigInt, Text};
    connection.write(|connection| {
        item::forget_rounds(connection, before, limit)?;
        diesel::sql_query(PRUNE)
            .bind::<Text, _>(before.to_string())
            .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
            .execute(&mut connection.raw)
            .context(|| "deleting old alerts failed")
    })
}

/// What a change of a schedule by people, or by its failures, means for the alert that it is paused.
pub(crate) fn follow_schedule(
    connection: &mut Connection,
    schedule: &Schedule,
    at: Timestamp,
) -> Result<(), Error> {
    // Fires and what is missed change nothing here; this spares them the look.
    if schedule.updated_at != at {
        return Ok(());
    }
    let source = AlertSource::Schedule(schedule.spec.id.clone());
    let over = match schedule.standing {
        Standing::Off {
            why: Off::Failing,
            since,
        } => {
            if since == at {
                write(connection, AlertChange::Raised(paused(schedule, at)))?;
            }
            return Ok(());
        }
        Standing::Active(_) => "the schedule fires again",
        Standing::Off {
            why: Off::Paused, ..
        } => "somebody has paused the schedule",
        Standing::Off {
            why: Off::Completed,
            ..
        } => "the schedule has completed",
        Standing::Off {
            why: Off::Detached, ..
        } => "the workflow of the schedule has no trigger any more",
    };
    // Whether it is held up is another matter.
    let is_it = |alert: &Alert| alert.kind == AlertKind::Paused;
    clear_those(connection, &source, is_it, (over, at))?;
    Ok(())
}

/// The alert of a schedule that is paused because its executions failed.
fn paused(schedule: &Schedule, at: Timestamp) -> Alert {
    let id = &schedule.spec.id;
    let most = schedule.spec.policies.pause_after_failures;
    let failed = match most.map_or(1, NonZeroU32::get) {
        1 => "its last execution failed".to_owned(),
        count => format!("its last {count} executions failed in a row"),
    };
    let details = format!("{failed}; it does not fire until it is resumed");
    Alert::raise(
        AlertSource::Schedule(id.clone()),
        schedule.spec.name.to_string(),
        AlertKind::Paused,
        (at, &schedule.revision.number().to_string()),
        &details,
    )
}

/// The open alerts of a source; damaged ones are logged and left out.
fn open_of(connection: &mut Connection, source: &AlertSource) -> Result<Vec<Alert>, Error> {
    let rows: Vec<AlertRow> = alerts::table
        .filter(alerts::source_kind.eq(source.kind().as_str()))
        .filter(alerts::source.eq(source.name().to_owned()))
        .filter(IsOpen)
        .order((alerts::item, alerts::kind))
        .select(AlertRow::as_select())
        .load(&mut connection.raw)
        .context(|| format!("looking for the open alerts of {source} failed"))?;
    let Listed { items, damaged } = listed(rows, |row| row.id.clone(), Alert::try_from);
    for damaged in damaged {
        tracing::error!(error = damaged.reason, "an alert cannot be followed");
    }
    Ok(items)
}

/// Writes what becomes of an alert, and the notice that tells of it; answers it if it was written.
fn write(connection: &mut Connection, change: AlertChange) -> Result<Option<AlertChange>, Error> {
    match &change {
        AlertChange::Raised(alert) => {
            let inserted = diesel::insert_into(alerts::table)
                .values(AlertRow::from(alert))
                .on_conflict_do_nothing()
                .execute(&mut connection.raw)
                .context(|| format!("raising alert {} failed", alert.id))?;
            if inserted == 0 {
                // Only one that could not be read can stand in its way.
                tracing::error!(alert.id = %alert.id, "a damaged alert stands in for a new one");
                return Ok(None);
            }
            notice::insert(
                connection,
                alert,
                NoticeEvent::Raised,
                alert.first_raised_at,
            )?;
        }
        AlertChange::Seen(alert) => save(connection, alert)?,
        AlertChange::Cleared(alert) => {
            save(connection, alert)?;
            let at = alert
                .cleared
                .as_ref()
                .map_or(alert.last_seen_at, |it| it.at);
            notice::insert(connection, alert, NoticeEvent::Cleared, at)?;
        }
    }
    Ok(Some(change))
}

/// Writes an alert that there is already.
fn save(connection: &mut Connection, alert: &Alert) -> Result<(), Error> {
    let row = AlertRow::from(alert);
    diesel::update(alerts::table.find(row.id.clone()))
        .set(row)
        .execute(&mut connection.raw)
        .context(|| format!("changing alert {} failed", alert.id))?;
    Ok(())
}

fn query<'a>(filter: AlertFilter, after: Option<&AlertKey>) -> Query<'a> {
    let AlertFilter { open, unread } = filter;
    let mut query = alerts::table
        .order((alerts::first_raised_at.desc(), alerts::id.desc()))
        .into_boxed();
    query = match open {
        Some(true) => query.filter(IsOpen),
        Some(false) => query.filter(alerts::cleared_at.is_not_null()),
        None => query,
    };
    query = match unread {
        Some(true) => query.filter(IsUnread),
        Some(false) => query.filter(alerts::acknowledged_at.is_not_null()),
        None => query,
    };
    let Some(after) = after else {
        return query;
    };
    // The first condition alone lets SQLite begin in the middle of the index.
    let (at, id) = (after.first_raised_at().to_owned(), after.id().to_owned());
    query
        .filter(alerts::first_raised_at.le(at.clone()))
        .filter(alerts::first_raised_at.lt(at).or(alerts::id.lt(id)))
}
