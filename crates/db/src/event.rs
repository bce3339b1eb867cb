//! What events of an execution are derived from, read from the place after which they are wanted.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use workflow_types::execution::{
    EventPage, EventSeq, GateTrace, StepFailure, StepFailureKind, Trace, VisitTrace,
};
use workflow_types::id::ExecutionId;

use crate::column::Row;
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::schema::step_visits;
use crate::{attempt, execution, gate, turn};

/// At most `limit` events of an execution after a place; none if there is no such execution.
///
/// What it costs depends on how much has happened since then, and not on what happened before.
pub fn after(
    connection: &mut Connection,
    id: &ExecutionId,
    place: EventSeq,
    limit: usize,
) -> Result<Option<EventPage>, Error> {
    let limit = limit.max(1);
    connection.read(|connection| {
        let Some(execution) = execution::find(connection, id)? else {
            return Ok(None);
        };
        // Each visit has an event of its own, but that of the place may have told all.
        let wanted = limit.saturating_add(1);
        let mut visits = visits(connection, id, place, wanted.saturating_add(1))?;
        let is_whole = visits.len() <= wanted;
        visits.truncate(wanted);
        let span = match (visits.first(), visits.last()) {
            (Some(first), Some(last)) => (first.number, last.number),
            (_, _) => (1, 0),
        };
        let mut gates = Vec::new();
        for gate in gate::between(connection, id, span)? {
            let votes = gate::votes(connection, &gate.id)?;
            gates.push(GateTrace { gate, votes });
        }
        let trace = Trace {
            execution,
            visits,
            attempts: attempt::between(connection, id, span)?,
            gates,
            turns: turn::traces(connection, id, span)?,
            is_whole,
        };
        Ok(Some(trace.events(place, limit)))
    })
}

/// Number, step, attempt, begin, end, error and its kind.
type Found = (
    i64,
    String,
    i64,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// The visits of the execution's own from a place on, without what they asked for and answered.
fn visits(
    connection: &mut Connection,
    id: &ExecutionId,
    place: EventSeq,
    limit: usize,
) -> Result<Vec<VisitTrace>, Error> {
    let rows: Vec<Found> = step_visits::table
        .filter(step_visits::execution_id.eq(id.to_string()))
        .filter(step_visits::visit.ge(i64::from(place.visit())))
        .filter(step_visits::reused_from.is_null())
        .order(step_visits::visit)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select((
            step_visits::visit,
            step_visits::step_id,
            step_visits::attempt,
            step_visits::begun_at,
            step_visits::completed_at,
            step_visits::error,
            step_visits::error_kind,
        ))
        .load(&mut connection.raw)
        .context(|| format!("reading what happened in execution {id} failed"))?;
    rows.into_iter().map(|found| trace(id, found)).collect()
}

fn trace(execution: &ExecutionId, found: Found) -> Result<VisitTrace, Error> {
    let (visit, step, attempt, begun_at, completed_at, error, kind) = found;
    let id = format!("{visit} of execution {execution}");
    let row = Row::new("visit", &id);
    let end = match completed_at {
        None => None,
        Some(at) => {
            let failure = error.zip(kind).map(|(message, kind)| {
                let kind = row.word("error_kind", StepFailureKind::from_word, &kind)?;
                Ok::<_, Error>(StepFailure { kind, message })
            });
            Some((row.parse("completed_at", &at)?, failure.transpose()?))
        }
    };
    Ok(VisitTrace {
        number: row.number("visit", visit)?,
        step: row.parse("step_id", &step)?,
        attempt: row.number("attempt", attempt)?,
        begun_at: row.parse("begun_at", &begun_at)?,
        end,
    })
}
