//! `alert_notices`: what is told of alerts, as they were then.

use diesel::sql_types::{BigInt, Text};
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, Queryable, RunQueryDsl as _,
    Selectable, SelectableHelper as _,
};
use workflow_types::Timestamp;
use workflow_types::alert::{Alert, AlertKind, Notice, NoticeEvent, NoticePage, PlacedNotice};
use workflow_types::id::AlertId;

use super::row::source_of;
use crate::column::Row;
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::schema::{alert_notices as rows, alerts};

/// Each sink that is configured is to be told.
const OWE: &str = "INSERT INTO alert_deliveries (sink, notice, next_attempt_at) \
     SELECT name, ?, ? FROM alert_sinks WHERE enabled = 1";

#[derive(Queryable, Selectable)]
#[diesel(table_name = rows, check_for_backend(diesel::sqlite::Sqlite))]
pub(super) struct Own {
    number: i64,
    id: String,
    alert_id: String,
    event: String,
    at: String,
    details: String,
    times_seen: i64,
    reason: Option<String>,
}

/// What never changes of its alert.
#[derive(Queryable, Selectable)]
#[diesel(table_name = alerts, check_for_backend(diesel::sqlite::Sqlite))]
pub(super) struct Lasting {
    source_kind: String,
    source: String,
    item: String,
    kind: String,
    first_raised_at: String,
}

#[derive(Queryable, Selectable)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
pub(super) struct NoticeRow {
    #[diesel(embed)]
    own: Own,
    #[diesel(embed)]
    alert: Lasting,
}

impl NoticeRow {
    pub(super) fn number(&self) -> i64 {
        self.own.number
    }
}

/// Tells of an alert as it is now, every configured sink too.
pub(super) fn insert(
    connection: &mut Connection,
    alert: &Alert,
    event: NoticeEvent,
    at: Timestamp,
) -> Result<(), Error> {
    let Notice {
        id,
        event,
        at,
        alert,
        details,
        times_seen,
        reason,
        // These stand with the alert and never change.
        source: _,
        item: _,
        kind: _,
        first_raised_at: _,
    } = Notice::of(alert, event, at);
    let failed = || format!("telling of alert {alert} failed");
    let number: i64 = diesel::insert_into(rows::table)
        .values((
            rows::id.eq(id.to_string()),
            rows::alert_id.eq(alert.to_string()),
            rows::event.eq(event.as_str()),
            rows::at.eq(at.to_string()),
            rows::details.eq(&details),
            rows::times_seen.eq(i64::from(times_seen)),
            rows::reason.eq(reason.as_deref()),
        ))
        .returning(rows::number)
        .get_result(&mut connection.raw)
        .context(failed)?;
    diesel::sql_query(OWE)
        .bind::<BigInt, _>(number)
        .bind::<Text, _>(at.to_string())
        .execute(&mut connection.raw)
        .context(failed)?;
    Ok(())
}

/// At most `limit` notices after a place, in their order; damaged ones are logged and left out.
pub fn after(connection: &mut Connection, place: u64, limit: usize) -> Result<NoticePage, Error> {
    let limit = i64::try_from(limit.max(1)).unwrap_or(i64::MAX);
    let found: Vec<NoticeRow> = rows::table
        .inner_join(alerts::table)
        .filter(rows::number.gt(i64::try_from(place).unwrap_or(i64::MAX)))
        .order(rows::number)
        .limit(limit)
        .select(NoticeRow::as_select())
        .load(&mut connection.raw)
        .context(|| "reading what was told of alerts failed")?;
    let mut next = place;
    let mut items = Vec::with_capacity(found.len());
    for row in found {
        // The numbers that SQLite gives are positive.
        next = u64::try_from(row.number()).unwrap_or(next);
        let notice = legible(row);
        items.extend(notice.map(|notice| PlacedNotice {
            place: next,
            notice,
        }));
    }
    Ok(NoticePage { items, next })
}

/// The place of the latest notice; 0 if there is none.
pub fn latest(connection: &mut Connection) -> Result<u64, Error> {
    let found: Option<i64> = rows::table
        .order(rows::number.desc())
        .select(rows::number)
        .first(&mut connection.raw)
        .optional()
        .context(|| "looking for the latest notice failed")?;
    Ok(found
        .and_then(|number| u64::try_from(number).ok())
        .unwrap_or_default())
}

/// The notices of an alert, in their order; damaged ones are logged and left out.
pub fn of(connection: &mut Connection, alert: AlertId) -> Result<Vec<Notice>, Error> {
    let found: Vec<NoticeRow> = rows::table
        .inner_join(alerts::table)
        .filter(rows::alert_id.eq(alert.to_string()))
        .order(rows::number)
        .select(NoticeRow::as_select())
        .load(&mut connection.raw)
        .context(|| format!("reading what was told of alert {alert} failed"))?;
    Ok(found.into_iter().filter_map(legible).collect())
}

fn legible(row: NoticeRow) -> Option<Notice> {
    Notice::try_from(row)
        .inspect_err(|error| tracing::error!(%error, "a notice cannot be read"))
        .ok()
}

impl TryFrom<NoticeRow> for Notice {
    type Error = Error;

    fn try_from(found: NoticeRow) -> Result<Self, Error> {
        let NoticeRow { own, alert } = found;
        let row = Row::new("notice", &own.id);
        Ok(Self {
            id: row.parse("id", &own.id)?,
            event: row.word("event", NoticeEvent::from_word, &own.event)?,
            at: row.parse("at", &own.at)?,
            alert: row.parse("alert_id", &own.alert_id)?,
            source: source_of(row, &alert.source_kind, &alert.source)?,
            item: alert.item,
            kind: row.word("kind", AlertKind::from_word, &alert.kind)?,
            details: own.details,
            first_raised_at: row.parse("first_raised_at", &alert.first_raised_at)?,
            times_seen: row.number("times_seen", own.times_seen)?,
            reason: own.reason,
        })
    }
}
