//! One fire: its row, its execution, and the schedule gone on, in one transaction (rule F1).
//!
//! Whether it overlaps is decided here, where what is unfinished stands, so that no memory can
//! drift from it.

use std::sync::Arc;

use diesel::query_builder::{AstPass, Query, QueryFragment};
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::sqlite::Sqlite;
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryResult, RunQueryDsl as _,
};
use workflow_types::execution::{Cancellation, Cancelling, ExecutionStatus, Started};
use workflow_types::id::{Actor, ExecutionId};
use workflow_types::schedule::{
    FireOutcome, FireRecord, FireWord, Fired, Firing, InTheWay, Off, Overlap, Overlapped, Schedule,
    Slot, Standing, overlap,
};

use super::go_on::go_on;
use super::{get, held, history, is_exhausted, unknown};
use crate::column::{Row, literal_condition};
use crate::connection::Connection;
use crate::error::{Context as _, Error, ErrorKind};
use crate::schema::workflow_executions as executions;
use crate::statement::{self, kept};
use crate::{cancellation, execution};

literal_condition!(
    /// The execution of a schedule is not finished.
    IsUnfinished,
    workflow_executions,
    "schedule_id IS NOT NULL AND completed_at IS NULL"
);

/// Records a fire time and starts its execution, unless something stands in its way; the schedule
/// goes on to its next fire time, and counts the run.
///
/// Repeating it changes nothing and answers what is recorded. Fails with [`ErrorKind::NotFound`] if
/// there is no such schedule, or if what is to be started refers to what is not there, and with
/// [`ErrorKind::Conflict`] if the schedule has changed since it was planned, or if the fire time is
/// not one that may be fired in this way.
pub fn fire(connection: &mut Connection, firing: &Firing, owner: &str) -> Result<Fired, Error> {
    connection.write(|connection| {
        let (schedule, known) = current(connection, firing)?;
        match (firing.slot, known) {
            (Slot::Due | Slot::Late | Slot::Buffered, Some(known))
                if !is_open(&known, firing.slot) =>
            {
                repeated(connection, firing, schedule, known)
            }
            (Slot::Backfill, Some(known)) if !is_open(&known, firing.slot) => {
                Ok(unchanged(schedule, known))
            }
            (Slot::Due | Slot::Late, None) => {
                permit(&schedule, firing)?;
                new(connection, firing, schedule, owner)
            }
            (Slot::Due | Slot::Late, Some(known)) => Ok(unchanged(schedule, known)),
            (Slot::Buffered, None) => Err(refused(firing, "is not buffered")),
            (Slot::Buffered, Some(known)) => buffered(connection, firing, schedule, known, owner),
            (Slot::Backfill, known) => {
                if schedule
                    .next()
                    .is_some_and(|next| next.fire_time <= firing.fire_time)
                {
                    return Err(refused(firing, "is still to come"));
                }
                let mut fire = Fire::new(firing, schedule);
                fire.start(connection, owner)?;
                match known {
                    None => fire.record(connection),
                    Some(_) => fire.replace(connection),
                }
            }
        }
    })
}

/// The schedule as it stands, and what is recorded of the fire time.
///
/// Most often nobody has changed the one since it was planned with, and nothing is recorded of the
/// other; to know that is a fraction of reading both.
fn current(
    connection: &mut Connection,
    firing: &Firing,
) -> Result<(Arc<Schedule>, Option<FireRecord>), Error> {
    let (planned, fire_time) = (&firing.schedule, firing.fire_time);
    let id = &planned.spec.id;
    let asked = Stand {
        id: id.to_string(),
        fire_time: fire_time.to_string(),
    };
    let found: Option<(i64, bool)> = kept::<statement::FindStand, _>(asked)
        .get_result(&mut connection.raw)
        .optional()
        .context(|| format!("looking at schedule \"{id}\" failed"))?;
    let (revision, is_known) = found.ok_or_else(|| unknown(id))?;
    let is_planned = revision == i64::from(planned.revision.number());
    let schedule = if is_planned {
        Arc::clone(planned)
    } else {
        Arc::new(get(connection, id)?)
    };
    let known = if is_known {
        history::find(connection, id, fire_time)?
    } else {
        None
    };
    Ok((schedule, known))
}

/// Asks for the revision of a schedule, and whether anything is recorded of a fire time, with the
/// text written out, because every fire asks.
struct Stand {
    id: String,
    fire_time: String,
}

impl QueryFragment<Sqlite> for Stand {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "SELECT revision, EXISTS (SELECT 1 FROM schedule_fires WHERE schedule_id = \
             schedules.id AND fire_time = ",
        );
        out.push_bind_param::<Text, _>(&self.fire_time)?;
        out.push_sql(") FROM schedules WHERE id = ");
        out.push_bind_param::<Text, _>(&self.id)
    }
}

impl Query for Stand {
    type SqlType = (BigInt, Bool);
}

/// Whether what is recorded of a fire time leaves it to be fired in this way.
fn is_open(known: &FireRecord, slot: Slot) -> bool {
    match (slot, &known.outcome) {
        (Slot::Buffered, FireOutcome::Buffered) => true,
        (Slot::Backfill, outcome) => match outcome {
            FireOutcome::SkippedOverlap { .. }
            | FireOutcome::Missed
            | FireOutcome::FailedToStart { .. } => true,
            FireOutcome::Started { .. } | FireOutcome::Buffered => false,
        },
        (Slot::Due | Slot::Late | Slot::Buffered, _) => false,
    }
}

/// Refuses a fire time that is not the next one, or was planned for a schedule that has changed.
fn permit(schedule: &Schedule, firing: &Firing) -> Result<(), Error> {
    let is_next = schedule
        .next()
        .is_some_and(|next| next.fire_time == firing.fire_time);
    if schedule.revision == firing.schedule.revision && is_next {
        return Ok(());
    }
    Err(refused(firing, "was planned before the schedule changed"))
}

fn refused(firing: &Firing, why: &str) -> Error {
    let (id, fire_time) = (&firing.schedule.spec.id, firing.fire_time);
    let message = format!("fire {fire_time} of schedule \"{id}\" {why}");
    Error::new(ErrorKind::Conflict, message)
}

/// A fire time that was recorded before: the schedule goes on, if it still stands before it.
fn repeated(
    connection: &mut Connection,
    firing: &Firing,
    schedule: Arc<Schedule>,
    known: FireRecord,
) -> Result<Fired, Error> {
    let stands_before = schedule
        .next()
        .is_some_and(|next| next.fire_time == firing.fire_time);
    if !stands_before {
        return Ok(unchanged(schedule, known));
    }
    let gone_on = schedule.fired(firing.fire_time, FireWord::Missed, firing.at);
    go_on(connection, &schedule, &gone_on)?;
    Ok(unchanged(Arc::new(gone_on), known))
}

fn unchanged(schedule: Arc<Schedule>, record: FireRecord) -> Fired {
    Fired {
        schedule,
        record,
        started: None,
        cancelled: Vec::new(),
        is_new: false,
    }
}

/// The next fire time of a schedule.
fn new(
    connection: &mut Connection,
    firing: &Firing,
    schedule: Arc<Schedule>,
    owner: &str,
) -> Result<Fired, Error> {
    // What its policy does not ask about is not looked for.
    let unfinished = match schedule.spec.policies.overlap {
        Overlap::Allow => Vec::new(),
        Overlap::Skip | Overlap::BufferOne | Overlap::BufferAll | Overlap::CancelOther => {
            unfinished(connection, &schedule)?
        }
    };
    let buffered = match schedule.spec.policies.overlap {
        Overlap::BufferOne | Overlap::BufferAll => {
            history::count_buffered(connection, &schedule.spec.id)?
        }
        Overlap::Skip | Overlap::CancelOther | Overlap::Allow => 0,
    };
    let is_paused = |found: &&Unfinished| found.status == ExecutionStatus::Paused;
    let found = InTheWay {
        unfinished: unfinished.len(),
        paused: unfinished.iter().filter(is_paused).count(),
        buffered,
    };
    let mut fire = Fire::new(firing, schedule);
    match overlap(&fire.schedule, &found) {
        Overlapped::Starts => fire.start(connection, owner)?,
        Overlapped::Replaces => {
            fire.cancel(connection, unfinished)?;
            fire.start(connection, owner)?;
        }
        Overlapped::Waits => fire.outcome = Some(FireOutcome::Buffered),
        Overlapped::Skipped { reason } => {
            fire.outcome = Some(FireOutcome::SkippedOverlap { reason });
        }
    }
    fire.go_on(connection)?;
    fire.record(connection)
}

/// The oldest buffered fire of a schedule, which stays where it is while anything is in its way.
fn buffered(
    connection: &mut Connection,
    firing: &Firing,
    schedule: Arc<Schedule>,
    known: FireRecord,
    owner: &str,
) -> Result<Fired, Error> {
    let is_free = schedule.spec.policies.overlap == Overlap::Allow
        || unfinished(connection, &schedule)?.is_empty();
    let is_over = match schedule.standing {
        Standing::Active(_) => false,
        Standing::Off { why, .. } => why != Off::Completed || is_exhausted(&schedule),
    };
    if !is_free || is_over {
        return Ok(unchanged(schedule, known));
    }
    let mut fire = Fire::new(firing, schedule);
    fire.start(connection, owner)?;
    fire.go_on(connection)?;
    fire.replace(connection)
}

/// An execution of a schedule that is not finished.
struct Unfinished {
    id: ExecutionId,
    status: ExecutionStatus,
}

/// The executions of a schedule that are not finished, without those that its policy passes over.
fn unfinished(connection: &mut Connection, schedule: &Schedule) -> Result<Vec<Unfinished>, Error> {
    let id = schedule.spec.id.to_string();
    // One text for both policies, so that it is kept prepared.
    let found: Vec<(String, String)> = executions::table
        .filter(IsUnfinished)
        .filter(executions::schedule_id.eq(&id))
        .select((executions::id, executions::status))
        .load(&mut connection.raw)
        .context(|| format!("looking for what runs of schedule \"{id}\" failed"))?;
    let read = |(id, status): &(String, String)| {
        let row = Row::new("execution", id);
        Ok(Unfinished {
            id: row.parse("id", id)?,
            status: row.word("status", ExecutionStatus::from_word, status)?,
        })
    };
    let mut unfinished: Vec<Unfinished> = found.iter().map(read).collect::<Result<_, Error>>()?;
    if schedule.spec.policies.overlap_ignores_paused {
        unfinished.retain(|found| found.status != ExecutionStatus::Paused);
    }
    Ok(unfinished)
}

/// A fire that is under way.
struct Fire<'a> {
    firing: &'a Firing,
    schedule: Arc<Schedule>,
    outcome: Option<FireOutcome>,
    started: Option<Started>,
    cancelled: Vec<(ExecutionId, Cancelling)>,
}

impl<'a> Fire<'a> {
    fn new(firing: &'a Firing, schedule: Arc<Schedule>) -> Self {
        Self {
            firing,
            schedule,
            outcome: None,
            started: None,
            cancelled: Vec::new(),
        }
    }

    fn start(&mut self, connection: &mut Connection, owner: &str) -> Result<(), Error> {
        let start = match &self.firing.start {
            Ok(start) => start,
            Err(reason) => {
                let reason = reason.clone();
                self.outcome = Some(FireOutcome::FailedToStart { reason });
                return Ok(());
            }
        };
        let started = execution::start(connection, start, owner)?;
        self.outcome = Some(match &started {
            Started::New | Started::Queued => FireOutcome::Started {
                execution: Some(start.execution.id),
            },
            Started::Existing(existing) => FireOutcome::Started {
                execution: Some(existing.id),
            },
            Started::Skipped(unfinished) => FireOutcome::SkippedOverlap {
                reason: format!(
                    "{unfinished} executions of its workflow are not finished, and its \
                     `concurrency` skips what is more"
                ),
            },
        });
        self.started = Some(started);
        Ok(())
    }

    fn cancel(
        &mut self,
        connection: &mut Connection,
        unfinished: Vec<Unfinished>,
    ) -> Result<(), Error> {
        let Firing { fire_time, at, .. } = self.firing;
        let schedule = &self.schedule.spec.id;
        // An id of a schedule is a valid name.
        let actor = Actor::try_new(format!("schedule {schedule}"));
        let actor = actor.map_err(|_| refused(self.firing, "names no actor"))?;
        for Unfinished { id, .. } in unfinished {
            let asked = Cancellation {
                actor: actor.clone(),
                at: *at,
                reason: Some(format!("replaced by the fire of {fire_time}")),
            };
            let cancelling = cancellation::request(connection, id, &asked)?;
            self.cancelled.push((id, cancelling));
        }
        Ok(())
    }

    /// The schedule goes on to its next fire time, and counts the run.
    fn go_on(&mut self, connection: &mut Connection) -> Result<(), Error> {
        let Firing { fire_time, at, .. } = self.firing;
        let word = self
            .outcome
            .as_ref()
            .map_or(FireWord::Missed, FireOutcome::word);
        let before = &self.schedule;
        let after = before.fired(*fire_time, word, *at);
        go_on(connection, before, &after)?;
        self.schedule = Arc::new(after);
        if is_exhausted(&self.schedule) {
            history::give_up_buffered(connection, &self.schedule.spec.id, *at)?;
        }
        held::follow_fire(connection, &self.schedule, word, *at)
    }

    fn record(self, connection: &mut Connection) -> Result<Fired, Error> {
        let fired = self.fired();
        history::record(connection, &fired.record)?;
        Ok(fired)
    }

    /// Records it in place of what is recorded of its fire time.
    fn replace(self, connection: &mut Connection) -> Result<Fired, Error> {
        let fired = self.fired();
        history::replace(connection, &fired.record)?;
        Ok(fired)
    }

    fn fired(self) -> Fired {
        let Firing {
            fire_time,
            slot,
            at,
            ..
        } = self.firing;
        let record = FireRecord {
            schedule: self.schedule.spec.id.clone(),
            fire_time: *fire_time,
            outcome: self.outcome.unwrap_or(FireOutcome::Missed),
            cause: slot.cause(),
            at: *at,
        };
        Fired {
            schedule: self.schedule,
            record,
            started: self.started,
            cancelled: self.cancelled,
            is_new: true,
        }
    }
}
