//! The row of an alert, and what its columns mean together.

use diesel::{AsChangeset, Insertable, Queryable, Selectable};
use workflow_types::alert::{
    Acknowledged, Alert, AlertKind, AlertSource, AlertSourceKind, Cleared,
};

use crate::column::Row;
use crate::error::Error;
use crate::schema::alerts;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(
    table_name = alerts,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false,
    treat_none_as_null = true
)]
pub(super) struct AlertRow {
    pub(super) id: String,
    source_kind: String,
    source: String,
    item: String,
    kind: String,
    details: String,
    pub(super) first_raised_at: String,
    last_seen_at: String,
    times_seen: i64,
    told_at: String,
    acknowledged_by: Option<String>,
    acknowledged_at: Option<String>,
    cleared_at: Option<String>,
    cleared_reason: Option<String>,
}

impl From<&Alert> for AlertRow {
    fn from(alert: &Alert) -> Self {
        let Alert {
            id,
            source,
            item,
            kind,
            details,
            first_raised_at,
            last_seen_at,
            times_seen,
            told_at,
            acknowledged,
            cleared,
        } = alert;
        let acknowledged = acknowledged.as_ref();
        let cleared = cleared.as_ref();
        Self {
            id: id.to_string(),
            source_kind: source.kind().as_str().to_owned(),
            source: source.name().to_owned(),
            item: item.clone(),
            kind: kind.as_str().to_owned(),
            details: details.clone(),
            first_raised_at: first_raised_at.to_string(),
            last_seen_at: last_seen_at.to_string(),
            times_seen: i64::from(*times_seen),
            told_at: told_at.to_string(),
            acknowledged_by: acknowledged.map(|it| it.by.to_string()),
            acknowledged_at: acknowledged.map(|it| it.at.to_string()),
            cleared_at: cleared.map(|it| it.at.to_string()),
            cleared_reason: cleared.map(|it| it.reason.clone()),
        }
    }
}

impl TryFrom<AlertRow> for Alert {
    type Error = Error;

    fn try_from(found: AlertRow) -> Result<Self, Error> {
        let AlertRow {
            id,
            source_kind,
            source,
            item,
            kind,
            details,
            first_raised_at,
            last_seen_at,
            times_seen,
            told_at,
            acknowledged_by,
            acknowledged_at,
            cleared_at,
            cleared_reason,
        } = found;
        let row = Row::new("alert", &id);
        let acknowledged = match (acknowledged_by, acknowledged_at) {
            (None, None) => None,
            (Some(by), Some(at)) => Some(Acknowledged {
                by: row.parse("acknowledged_by", &by)?,
                at: row.parse("acknowledged_at", &at)?,
            }),
            (_, _) => return Err(row.contradicts("it is acknowledged in part")),
        };
        let cleared = match (cleared_at, cleared_reason) {
            (None, None) => None,
            (Some(at), Some(reason)) => Some(Cleared {
                at: row.parse("cleared_at", &at)?,
                reason,
            }),
            (_, _) => return Err(row.contradicts("it is over in part")),
        };
        Ok(Self {
            id: row.parse("id", &id)?,
            source: source_of(row, &source_kind, &source)?,
            item,
            kind: row.word("kind", AlertKind::from_word, &kind)?,
            details,
            first_raised_at: row.parse("first_raised_at", &first_raised_at)?,
            last_seen_at: row.parse("last_seen_at", &last_seen_at)?,
            times_seen: row.number("times_seen", times_seen)?,
            told_at: row.parse("told_at", &told_at)?,
            acknowledged,
            cleared,
        })
    }
}

/// The source that two columns name.
pub(super) fn source_of(row: Row<'_>, kind: &str, name: &str) -> Result<AlertSource, Error> {
    let kind = row.word("source_kind", AlertSourceKind::from_word, kind)?;
    AlertSource::named(kind, name).ok_or_else(|| row.damaged("source"))
}
