//! `alert_items` and `alert_rounds`: the last result of each item, and whose findings are recorded.

use std::collections::BTreeMap;

use diesel::sql_types::{BigInt, Text};
use diesel::{
    ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable,
    RunQueryDsl as _, Selectable, SelectableHelper as _,
};
use workflow_types::Timestamp;
use workflow_types::alert::{
    Alert, AlertChange, AlertSource, CheckedItem, Findings, RoundRecorded, Verdict, VerdictWord,
};
use workflow_types::damage::Listed;

use super::{open_of, write};
use crate::column::{Row, listed};
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::schema::{alert_items as rows, alert_rounds};

/// Rounds that are no source's last.
const FORGET: &str = "DELETE FROM alert_rounds WHERE execution_id IN (\
     SELECT execution_id FROM alert_rounds AS old WHERE recorded_at < ? AND EXISTS (\
        SELECT 1 FROM alert_rounds AS new WHERE new.source_kind = old.source_kind \
        AND new.source = old.source AND new.recorded_at > old.recorded_at) LIMIT ?)";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(
    table_name = rows,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false
)]
struct ItemRow {
    source_kind: String,
    source: String,
    item: String,
    verdict: String,
    details: Option<String>,
    unknowns: i64,
    execution_id: String,
    checked_at: String,
}

/// Records what an execution found, once, and what follows from it for alerts.
pub fn record(connection: &mut Connection, round: &Findings) -> Result<RoundRecorded, Error> {
    record_round(connection, round, Others::Gone)
}

/// The same of a round that looked at some items only: what is known of others stays.
pub(crate) fn record_some(
    connection: &mut Connection,
    round: &Findings,
) -> Result<RoundRecorded, Error> {
    record_round(connection, round, Others::Stay)
}

/// What becomes of items that a round does not name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    /// Nobody looks at them any more.
    Gone,
    /// They stay as they are.
    Stay,
}

fn record_round(
    connection: &mut Connection,
    round: &Findings,
    others: Others,
) -> Result<RoundRecorded, Error> {
    connection.write(|connection| {
        if is_recorded(connection, round)? {
            return Ok(RoundRecorded::Repeated);
        }
        note(connection, round)?;
        let source = &round.source;
        let known = counts(connection, source)?;
        let mut open: BTreeMap<String, Vec<Alert>> = BTreeMap::new();
        for alert in open_of(connection, source)? {
            open.entry(alert.item.clone()).or_default().push(alert);
        }
        let mut changes = Vec::new();
        let verdicts = round.verdicts();
        for (item, verdict) in &verdicts {
            let unknowns = known.get(*item).copied().unwrap_or_default();
            let open = open.remove(*item).unwrap_or_default();
            let judged = round.judge(item, verdict, unknowns, &open);
            save(connection, source, &judged.item)?;
            write_all(connection, judged.changes, &mut changes)?;
        }
        if others == Others::Stay {
            return Ok(RoundRecorded::New(changes));
        }
        for item in known.keys() {
            if !verdicts.contains_key(item.as_str()) {
                delete(connection, source, item)?;
            }
        }
        // Those of items that are not named any more.
        for alerts in open.values() {
            write_all(connection, round.gone(alerts), &mut changes)?;
        }
        Ok(RoundRecorded::New(changes))
    })
}

/// The last result of each item of a source, in the order of their texts.
pub fn items(
    connection: &mut Connection,
    source: &AlertSource,
) -> Result<Listed<CheckedItem>, Error> {
    let found: Vec<ItemRow> = rows::table
        .filter(rows::source_kind.eq(source.kind().as_str()))
        .filter(rows::source.eq(source.name().to_owned()))
        .order(rows::item)
        .select(ItemRow::as_select())
        .load(&mut connection.raw)
        .context(|| format!("listing the items of {source} failed"))?;
    Ok(listed(found, name, CheckedItem::try_from))
}

/// Deletes at most `limit` rounds that were recorded before then; the last one of each source
/// stays, because it may be repeated.
pub(super) fn forget_rounds(
    connection: &mut Connection,
    before: Timestamp,
    limit: usize,
) -> Result<(), Error> {
    diesel::sql_query(FORGET)
        .bind::<Text, _>(before.to_string())
        .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
        .execute(&mut connection.raw)
        .context(|| "forgetting old rounds failed")?;
    Ok(())
}

fn write_all(
    connection: &mut Connection,
    changes: Vec<AlertChange>,
    written: &mut Vec<AlertChange>,
) -> Result<(), Error> {
    for change in changes {
        written.extend(write(connection, change)?);
    }
    Ok(())
}

fn is_recorded(connection: &mut Connection, round: &Findings) -> Result<bool, Error> {
    let found: Option<String> = alert_rounds::table
        .find(round.execution.to_string())
        .select(alert_rounds::execution_id)
        .first(&mut connection.raw)
        .optional()
        .context(|| recording(round))?;
    Ok(found.is_some())
}

fn note(connection: &mut Connection, round: &Findings) -> Result<(), Error> {
    diesel::insert_into(alert_rounds::table)
        .values((
            alert_rounds::execution_id.eq(round.execution.to_string()),
            alert_rounds::source_kind.eq(round.source.kind().as_str()),
            alert_rounds::source.eq(round.source.name().to_owned()),
            alert_rounds::recorded_at.eq(round.at.to_string()),
        ))
        .execute(&mut connection.raw)
        .context(|| recording(round))?;
    Ok(())
}

/// The items of a source, and how many times in a row each could not be judged.
fn counts(
    connection: &mut Connection,
    source: &AlertSource,
) -> Result<BTreeMap<String, u32>, Error> {
    let found: Vec<(String, i64)> = rows::table
        .filter(rows::source_kind.eq(source.kind().as_str()))
        .filter(rows::source.eq(source.name().to_owned()))
        .select((rows::item, rows::unknowns))
        .load(&mut connection.raw)
        .context(|| format!("reading the items of {source} failed"))?;
    let read = |(item, count)| (item, u32::try_from(count).unwrap_or(u32::MAX));
    Ok(found.into_iter().map(read).collect())
}

fn save(
    connection: &mut Connection,
    source: &AlertSource,
    checked: &CheckedItem,
) -> Result<(), Error> {
    let CheckedItem {
        item,
        verdict,
        unknowns,
        execution,
        at,
    } = checked;
    let row = ItemRow {
        source_kind: source.kind().as_str().to_owned(),
        source: source.name().to_owned(),
        item: item.clone(),
        verdict: verdict.word().as_str().to_owned(),
        details: verdict.details().map(ToOwned::to_owned),
        unknowns: i64::from(*unknowns),
        execution_id: execution.to_string(),
        checked_at: at.to_string(),
    };
    diesel::replace_into(rows::table)
        .values(&row)
        .execute(&mut connection.raw)
        .context(|| format!("recording an item of {source} failed"))?;
    Ok(())
}

fn delete(connection: &mut Connection, source: &AlertSource, item: &str) -> Result<(), Error> {
    let key = (source.kind().as_str(), source.name(), item);
    diesel::delete(rows::table.find(key))
        .execute(&mut connection.raw)
        .context(|| format!("forgetting an item of {source} failed"))?;
    Ok(())
}

fn recording(round: &Findings) -> String {
    let Findings {
        source, execution, ..
    } = round;
    format!("recording what execution {execution} of {source} found failed")
}

fn name(row: &ItemRow) -> String {
    // Not its text, which is the author's.
    format!(
        "of {} `{}`, checked at {}",
        row.source_kind, row.source, row.checked_at
    )
}

impl TryFrom<ItemRow> for CheckedItem {
    type Error = Error;

    fn try_from(found: ItemRow) -> Result<Self, Error> {
        let name = name(&found);
        let row = Row::new("item", &name);
        let word = row.word("verdict", VerdictWord::from_word, &found.verdict)?;
        let verdict = match (word, found.details) {
            (VerdictWord::ActionNeeded, Some(details)) => Verdict::ActionNeeded { details },
            (VerdictWord::Unknown, Some(reason)) => Verdict::Unknown { reason },
            (VerdictWord::Clear, None) => Verdict::Clear,
            (word, _) => {
                let what = format!("its details do not belong to the verdict {word}");
                return Err(row.contradicts(what));
            }
        };
        Ok(Self {
            verdict,
            unknowns: row.number("unknowns", found.unknowns)?,
            execution: row.parse("execution_id", &found.execution_id)?,
            at: row.parse("checked_at", &found.checked_at)?,
            item: found.item,
        })
    }
}
