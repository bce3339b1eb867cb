//! `alert_deliveries` and `alert_sinks`: whom notices are for, and how far each has been told.

use diesel::connection::DefaultLoadingMode;
use diesel::upsert::excluded;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use workflow_types::alert::{
    Delivery, DeliveryEnd, DeliveryOutcome, Notice, Receipt, ReceiptState,
};
use workflow_types::id::{NoticeId, SinkName};

use super::notice::NoticeRow;
use crate::column::{Row, literal_condition};
use crate::connection::Connection;
use crate::error::{Context as _, Error, ErrorKind};
use crate::schema::{alert_deliveries as rows, alert_notices, alert_sinks, alerts};

literal_condition!(
    /// The sink has not been told.
    IsWaiting,
    alert_deliveries,
    "delivered_at IS NULL"
);

/// From now on notices are for exactly these sinks. What another was not told waits for it.
pub fn configure_sinks(connection: &mut Connection, sinks: &[SinkName]) -> Result<(), Error> {
    let failed = || "saying which sinks there are failed";
    connection.write(|connection| {
        diesel::update(alert_sinks::table.filter(alert_sinks::enabled.eq(true)))
            .set(alert_sinks::enabled.eq(false))
            .execute(&mut connection.raw)
            .context(failed)?;
        for sink in sinks {
            diesel::insert_into(alert_sinks::table)
                .values((
                    alert_sinks::name.eq(sink.to_string()),
                    alert_sinks::enabled.eq(true),
                ))
                .on_conflict(alert_sinks::name)
                .do_update()
                .set(alert_sinks::enabled.eq(excluded(alert_sinks::enabled)))
                .execute(&mut connection.raw)
                .context(failed)?;
        }
        Ok(())
    })
}

/// The sinks that notices are for, in the order of their names; one whose name cannot be read is
/// left out.
pub fn sinks(connection: &mut Connection) -> Result<Vec<SinkName>, Error> {
    let names: Vec<String> = alert_sinks::table
        .filter(alert_sinks::enabled.eq(true))
        .order(alert_sinks::name)
        .select(alert_sinks::name)
        .load(&mut connection.raw)
        .context(|| "reading which sinks there are failed")?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

/// What a sink is to be told next, whether or not it is time; notices that are damaged are logged
/// and passed over.
pub fn next_delivery(
    connection: &mut Connection,
    sink: &SinkName,
) -> Result<Option<Delivery>, Error> {
    let failed = || format!("looking what sink `{sink}` is to be told failed");
    let waiting = rows::table
        .inner_join(alert_notices::table.inner_join(alerts::table))
        .filter(IsWaiting)
        .filter(rows::sink.eq(sink.to_string()))
        .order(rows::notice)
        .select((
            rows::attempts,
            rows::next_attempt_at.assume_not_null(),
            NoticeRow::as_select(),
        ))
        .load_iter::<(i64, String, NoticeRow), DefaultLoadingMode>(&mut connection.raw)
        .context(failed)?;
    for found in waiting {
        let (attempts, next_attempt_at, notice) = found.context(failed)?;
        match delivery(attempts, &next_attempt_at, notice) {
            Ok(delivery) => return Ok(Some(delivery)),
            Err(error) => tracing::error!(%error, "a notice cannot be delivered"),
        }
    }
    Ok(None)
}

/// Writes down how an attempt to tell a sink a notice ended. What has been delivered stays so.
///
/// Fails with [`ErrorKind::NotFound`] if the sink was never to be told, or the alert is gone.
pub fn end_delivery(connection: &mut Connection, end: &DeliveryEnd) -> Result<(), Error> {
    let DeliveryEnd {
        sink,
        notice,
        at,
        outcome,
    } = end;
    let failed = || format!("writing down what sink `{sink}` was told failed");
    let (next_attempt_at, error, delivered_at) = match outcome {
        DeliveryOutcome::Delivered => (None, None, Some(at.to_string())),
        DeliveryOutcome::Failed {
            next_attempt_at,
            error,
        } => (
            Some(next_attempt_at.to_string()),
            Some(error.as_str()),
            None,
        ),
    };
    connection.write(|connection| {
        let Some((number, is_waiting)) = place(connection, sink, *notice)? else {
            let message = format!("notice {notice} is not for sink `{sink}`, or is gone");
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        if !is_waiting {
            return Ok(());
        }
        diesel::update(rows::table.find((number, sink.to_string())))
            .set((
                rows::attempts.eq(rows::attempts + 1),
                rows::next_attempt_at.eq(next_attempt_at),
                rows::error.eq(error),
                rows::delivered_at.eq(delivered_at),
            ))
            .execute(&mut connection.raw)
            .context(failed)?;
        Ok(())
    })
}

/// How far each sink has been told a notice, in the order of their names.
pub fn receipts(connection: &mut Connection, notice: NoticeId) -> Result<Vec<Receipt>, Error> {
    type Found = (String, i64, Option<String>, Option<String>, Option<String>);
    let found: Vec<Found> = rows::table
        .inner_join(alert_notices::table)
        .filter(alert_notices::id.eq(notice.to_string()))
        .order(rows::sink)
        .select((
            rows::sink,
            rows::attempts,
            rows::next_attempt_at,
            rows::error,
            rows::delivered_at,
        ))
        .load(&mut connection.raw)
        .context(|| format!("reading who was told notice {notice} failed"))?;
    let name = notice.to_string();
    let row = Row::new("the delivery of notice", &name);
    let read = |(sink, attempts, next, error, delivered): Found| {
        let state = match (next, delivered) {
            (None, Some(at)) => ReceiptState::Delivered {
                at: row.parse("delivered_at", &at)?,
            },
            (Some(next), None) => ReceiptState::Waiting {
                next_attempt_at: row.parse("next_attempt_at", &next)?,
                error,
            },
            (_, _) => return Err(row.contradicts("it is delivered and waits")),
        };
        Ok(Receipt {
            sink: row.parse("sink", &sink)?,
            attempts: row.number("attempts", attempts)?,
            state,
        })
    };
    found.into_iter().map(read).collect()
}

/// The number of a notice, and whether a sink is still to be told; none if it never was.
fn place(
    connection: &mut Connection,
    sink: &SinkName,
    notice: NoticeId,
) -> Result<Option<(i64, bool)>, Error> {
    let is_it = rows::sink
        .eq(sink.to_string())
        .and(alert_notices::id.eq(notice.to_string()));
    rows::table
        .inner_join(alert_notices::table)
        .filter(is_it)
        .select((rows::notice, rows::delivered_at.is_null()))
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("looking for notice {notice} of sink `{sink}` failed"))
}

fn delivery(attempts: i64, next: &str, notice: NoticeRow) -> Result<Delivery, Error> {
    let name = notice.number().to_string();
    let row = Row::new("the delivery of notice", &name);
    Ok(Delivery {
        attempts: row.number("attempts", attempts)?,
        next_attempt_at: row.parse("next_attempt_at", next)?,
        notice: Notice::try_from(notice)?,
    })
}
