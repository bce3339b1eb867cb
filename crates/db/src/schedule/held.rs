//! Schedules that are held up: what of them waits for a person, and what that means for their alert.
//!
//! The alert is open only as long as its execution waits: it is over in the transaction of the answer,
//! so that a fire that starts has nothing to look for.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, Queryable, RunQueryDsl as _,
};
use workflow_types::Timestamp;
use workflow_types::approval::{Expiry, GateKind, GateState, OnExpiry};
use workflow_types::id::{ExecutionId, GateId, ScheduleId};
use workflow_types::schedule::{FireWord, HeldUp, Schedule};

use crate::alert;
use crate::column::{Row, literal_condition};
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::schema::{gates, workflow_executions as executions};

literal_condition!(
    /// The execution of a schedule waits for a person.
    IsPaused,
    workflow_executions,
    "schedule_id IS NOT NULL AND completed_at IS NULL AND status = 'paused'"
);

literal_condition!(
    /// The gate waits.
    IsWaiting,
    gates,
    "state = 'waiting'"
);

/// A gate that waits.
#[derive(Queryable)]
struct WaitingRow {
    id: String,
    execution_id: String,
    kind: String,
    step_id: String,
    requested_at: String,
    expires_at: Option<String>,
    on_expiry: Option<String>,
}

/// Of each schedule, the gate that has waited longest of those at which its executions wait; nothing
/// of one of which none does. Its policies are not asked.
pub fn waiting_of(connection: &mut Connection, ids: &[ScheduleId]) -> Result<Vec<HeldUp>, Error> {
    let mut waiting = Vec::new();
    for id in ids {
        waiting.extend(waiting_longest(connection, id)?);
    }
    Ok(waiting)
}

/// What a fire that did not start means for the alert of its schedule, which has gone on already: it
/// is raised, and told once, if somebody is waited for, and is over if nobody is.
///
/// A fire that starts asks nothing: the alert ends with the answer, or with a change of the schedule.
pub(super) fn follow_fire(
    connection: &mut Connection,
    schedule: &Schedule,
    became: FireWord,
    at: Timestamp,
) -> Result<(), Error> {
    match became {
        FireWord::SkippedOverlap | FireWord::Buffered => {}
        FireWord::Started | FireWord::Missed | FireWord::FailedToStart => return Ok(()),
    }
    let id = &schedule.spec.id;
    let by = if schedule.can_be_held_up() {
        waiting_longest(connection, id)?
    } else {
        None
    };
    match by {
        Some(by) => alert::see_held_up(connection, schedule, &by, at),
        None => alert::end_held_up(connection, id, schedule.let_go_words(), at),
    }
}

/// What a change means for the alert of a schedule: one that is not held up any more has none.
pub(super) fn follow_change(
    connection: &mut Connection,
    schedule: &Schedule,
    at: Timestamp,
) -> Result<(), Error> {
    // What is missed, or waits for its turn, changes nothing here; this spares it the look.
    let may_let_go = schedule.updated_at == at || !schedule.is_active();
    if schedule.can_be_held_up() || !may_let_go {
        return Ok(());
    }
    alert::end_held_up(connection, &schedule.spec.id, schedule.let_go_words(), at)
}

/// A gate of an execution does not wait any more: the alert that it holds its schedule up is over.
///
/// Without this, somebody who has answered would be reminded of it until the next fire.
pub(crate) fn answered(
    connection: &mut Connection,
    execution: ExecutionId,
    state: &GateState,
) -> Result<(), Error> {
    let at = match state {
        GateState::Waiting => return Ok(()),
        GateState::Decided(vote) => vote.at,
        GateState::Resolved(by) => by.at,
        GateState::Expired { at } | GateState::Withdrawn { at } => *at,
    };
    let execution = execution.to_string();
    let found: Option<Option<String>> = executions::table
        .find(&execution)
        .select(executions::schedule_id)
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("looking what execution {execution} holds up failed"))?;
    let Some(id) = found.flatten() else {
        return Ok(());
    };
    let id = Row::new("execution", &execution).parse("schedule_id", &id)?;
    let over = format!("execution {execution} waits no more: {state}");
    alert::end_held_up_by(connection, &id, &execution, (&over, at))
}

fn waiting_longest(connection: &mut Connection, id: &ScheduleId) -> Result<Option<HeldUp>, Error> {
    let found: Option<WaitingRow> = executions::table
        .inner_join(gates::table)
        .filter(IsPaused)
        .filter(executions::schedule_id.eq(id.to_string()))
        .filter(IsWaiting)
        .order((gates::requested_at, gates::id))
        .select((
            gates::id,
            gates::execution_id,
            gates::kind,
            gates::step_id,
            gates::requested_at,
            gates::expires_at,
            gates::on_expiry,
        ))
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("looking for what holds schedule \"{id}\" up failed"))?;
    found.map(|row| row.held_up(id)).transpose()
}

impl WaitingRow {
    fn held_up(self, schedule: &ScheduleId) -> Result<HeldUp, Error> {
        let row = Row::new("gate", &self.id);
        let at = row.parse_maybe("expires_at", self.expires_at.as_deref())?;
        let then = self.on_expiry.as_deref();
        let then = then.map(|word| row.word("on_expiry", OnExpiry::from_word, word));
        let expiry = at.zip(then.transpose()?);
        Ok(HeldUp {
            schedule: schedule.clone(),
            execution: row.parse("execution_id", &self.execution_id)?,
            gate: row.parse::<GateId>("id", &self.id)?,
            kind: row.word("kind", GateKind::from_word, &self.kind)?,
            step: row.parse("step_id", &self.step_id)?,
            since: row.parse("requested_at", &self.requested_at)?,
            expiry: expiry.map(|(at, then)| Expiry { at, then }),
        })
    }
}
