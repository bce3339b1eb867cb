//! Writes what became of an open visit, if its execution may still be written: one statement with
//! the fence in it, because every step runs it.
#![expect(
    clippy::ref_option_ref,
    reason = "what Diesel derives refers to the columns, of which some are references"
)]

use diesel::dsl::{exists, not};
use diesel::sql_types::Bool;
use diesel::{
    AsChangeset, BoolExpressionMethods as _, ExpressionMethods as _, IntoSql as _, QueryDsl as _,
    RunQueryDsl as _,
};
use workflow_types::execution::{
    Epoch, ExecutionState, ExecutionStatus, Outcome, StepFailure, StepStatus, Visit, VisitState,
    VisitStatus,
};

use crate::cancellation;
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::schema::{cancellations, step_visits, workflow_executions as executions};
use crate::statement::{self, kept_update};

/// Writes the state of a visit that is open, of an execution that is held under `epoch` and may
/// become `next`; answers whether it did.
pub(crate) fn settle(
    connection: &mut Connection,
    visit: &Visit,
    epoch: Epoch,
    next: &ExecutionState,
) -> Result<bool, Error> {
    let id = visit.execution_id.to_string();
    // A paused execution may be ended, by cancelling it; only its gate makes it run again.
    let may_be_ended = next.status().is_finished().into_sql::<Bool>();
    let held = executions::table
        .filter(executions::id.eq(&id))
        .filter(executions::epoch.eq(i64::from(epoch.number())))
        .filter(
            executions::status
                .eq(ExecutionStatus::Running.as_str())
                .or(executions::status
                    .eq(ExecutionStatus::Paused.as_str())
                    .and(may_be_ended)),
        );
    // One that is cancelled may only end as such.
    let may_end = cancellation::ends(next).into_sql::<Bool>();
    let cancelled = cancellations::table.filter(cancellations::execution_id.eq(&id));
    let open = step_visits::execution_id
        .eq(&id)
        .and(step_visits::visit.eq(i64::from(visit.number)))
        .and(step_visits::state.ne(VisitStatus::Done.as_str()))
        .and(exists(held))
        .and(not(exists(cancelled)).or(may_end));
    let columns = StateColumns::from(visit);
    let changed = match &visit.state {
        // Only here may it have been left without its request before.
        VisitState::Waiting | VisitState::Begun => {
            let request = visit.request.as_ref().map(ToString::to_string);
            let columns = (&columns, step_visits::request.eq(request));
            kept_update::<statement::BeginVisit, _, _, _>(step_visits::table, open, columns)
                .execute(&mut connection.raw)
        }
        VisitState::Ready | VisitState::BackingOff { .. } | VisitState::Done { .. } => {
            kept_update::<statement::SettleVisit, _, _, _>(step_visits::table, open, &columns)
                .execute(&mut connection.raw)
        }
    };
    let changed = changed.context(|| format!("recording {} failed", super::name(visit)))?;
    Ok(changed > 0)
}

/// The columns of a visit that its state says.
#[derive(AsChangeset)]
#[diesel(table_name = step_visits, treat_none_as_null = true)]
struct StateColumns<'v> {
    attempt: i64,
    state: &'static str,
    status: Option<&'static str>,
    output: Option<String>,
    error: Option<&'v str>,
    error_kind: Option<&'static str>,
    due_at: Option<String>,
    completed_at: Option<String>,
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
