//! Writes what became of an open visit, if its execution may still be written: one statement with
//! the fence in it and its text written out, because every step runs it.

use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl as _};
use workflow_types::execution::{
    Epoch, ExecutionState, Outcome, StepFailure, StepStatus, Visit, VisitState,
};

use crate::cancellation;
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::statement::{self, kept, push_assignments};

/// Writes the state of a visit that is open, of an execution that is held under `epoch` and may
/// become `next`; answers whether it did.
pub(crate) fn settle(
    connection: &mut Connection,
    visit: &Visit,
    epoch: Epoch,
    next: &ExecutionState,
) -> Result<bool, Error> {
    let settling = Settling {
        request: match &visit.state {
            // Only here may it have been left without its request before.
            VisitState::Waiting | VisitState::Begun => {
                Request::Written(visit.request.as_ref().map(ToString::to_string))
            }
            VisitState::Ready | VisitState::BackingOff { .. } | VisitState::Done { .. } => {
                Request::Left
            }
        },
        columns: StateColumns::from(visit),
        execution_id: visit.execution_id.to_string(),
        visit: i64::from(visit.number),
        epoch: i64::from(epoch.number()),
        // A paused execution may be ended, by cancelling it; only its gate makes it run again.
        may_be_ended: next.status().is_finished(),
        // One that is cancelled may only end as such.
        may_end: cancellation::ends(next),
    };
    let raw = &mut connection.raw;
    let changed = match &settling.request {
        Request::Written(_) => kept::<statement::BeginVisit, _>(settling).execute(raw),
        Request::Left => kept::<statement::SettleVisit, _>(settling).execute(raw),
    };
    let changed = changed.context(|| format!("recording {} failed", super::name(visit)))?;
    Ok(changed > 0)
}

/// What becomes of an open visit, and on which conditions.
struct Settling<'v> {
    columns: StateColumns<'v>,
    request: Request,
    execution_id: String,
    visit: i64,
    epoch: i64,
    may_be_ended: bool,
    may_end: bool,
}

/// What becomes of the request of a visit; each makes another statement of it.
enum Request {
    Left,
    Written(Option<String>),
}

impl QueryFragment<Sqlite> for Settling<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let columns = &self.columns;
        out.push_sql("UPDATE step_visits SET ");
        push_assignments!(out,
            "attempt": BigInt = &columns.attempt,
            "state": Text = &columns.state,
            "status": Nullable<Text> = &columns.status,
            "output": Nullable<Text> = &columns.output,
            "error": Nullable<Text> = &columns.error,
            "error_kind": Nullable<Text> = &columns.error_kind,
            "due_at": Nullable<Text> = &columns.due_at,
            "completed_at": Nullable<Text> = &columns.completed_at,
        );
        if let Request::Written(request) = &self.request {
            out.push_sql(", request = ");
            out.push_bind_param::<Nullable<Text>, _>(request)?;
        }
        out.push_sql(" WHERE execution_id = ");
        out.push_bind_param::<Text, _>(&self.execution_id)?;
        out.push_sql(" AND visit = ");
        out.push_bind_param::<BigInt, _>(&self.visit)?;
        out.push_sql(
            " AND state <> 'done' AND EXISTS (SELECT 1 FROM workflow_executions \
             WHERE id = step_visits.execution_id AND epoch = ",
        );
        out.push_bind_param::<BigInt, _>(&self.epoch)?;
        out.push_sql(" AND (status = 'running' OR status = 'paused' AND ");
        out.push_bind_param::<Bool, _>(&self.may_be_ended)?;
        out.push_sql(
            ")) AND (NOT EXISTS (SELECT 1 FROM cancellations \
             WHERE cancellations.execution_id = step_visits.execution_id) OR ",
        );
        out.push_bind_param::<Bool, _>(&self.may_end)?;
        out.push_sql(")");
        Ok(())
    }
}

/// The columns of a visit that its state says.
pub(super) struct StateColumns<'v> {
    pub(super) attempt: i64,
    pub(super) state: &'static str,
    pub(super) status: Option<&'static str>,
    pub(super) output: Option<String>,
    pub(super) error: Option<&'v str>,
    pub(super) error_kind: Option<&'static str>,
    pub(super) due_at: Option<String>,
    pub(super) completed_at: Option<String>,
}

impl<'v> From<&'v Visit> for StateColumns<'v> {
    fn from(visit: &'v Visit) -> Self {
        let mut columns = Self {
            attempt: i64::from(visit.attempt),
            state: visit.state.status().as_str(),
            status: None,
            output: None,
            error: None,
            error_kind: None,
            due_at: None,
            completed_at: None,
        };
        match &visit.state {
            VisitState::Ready | VisitState::Waiting | VisitState::Begun => {}
            VisitState::BackingOff { until, failure } => {
                columns.due_at = Some(until.to_string());
                columns.failure(failure);
            }
            VisitState::Done { at, outcome } => {
                columns.completed_at = Some(at.to_string());
                columns.outcome(outcome);
            }
        }
        columns
    }
}

impl<'v> StateColumns<'v> {
    fn outcome(&mut self, outcome: &'v Outcome) {
        match outcome {
            Outcome::Success { output } => {
                self.status = Some(StepStatus::Success.as_str());
                self.output = Some(output.to_string());
            }
            Outcome::Failure(failure) => {
                self.status = Some(StepStatus::Failure.as_str());
                self.failure(failure);
            }
        }
    }

    fn failure(&mut self, failure: &'v StepFailure) {
        let StepFailure { kind, message } = failure;
        self.error_kind = Some(kind.as_str());
        self.error = Some(message);
    }
}
