//! The row of an execution, and what its columns mean together.
//!
//! Queries are the business of the parent module.

use diesel::{AsChangeset, Insertable, Queryable, Selectable};
use workflow_types::Timestamp;
use workflow_types::execution::{
    Execution, ExecutionState, ExecutionStatus, Failure, FailureKind, TriggeredBy,
};
use workflow_types::id::StepId;

use crate::column::Row;
use crate::error::Error;
use crate::schema::workflow_executions;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(
    table_name = workflow_executions,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false
)]
pub(crate) struct ExecutionRow {
    pub(super) id: String,
    pub(super) workflow_id: String,
    pub(super) definition_hash: String,
    pub(super) triggered_by: String,
    pub(super) started_at: String,
    pub(super) input: String,
    pub(super) schedule_id: Option<String>,
    pub(super) scheduled_for: Option<String>,
    pub(super) origin_id: Option<String>,
    pub(super) idempotency_key: Option<String>,
    pub(super) queued_at: Option<String>,
    #[diesel(embed)]
    pub(super) state: StateColumns,
}

/// The columns that hold where an execution stands.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(
    table_name = workflow_executions,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false,
    treat_none_as_null = true
)]
pub(crate) struct StateColumns {
    pub(super) status: String,
    pub(super) current_step_id: Option<String>,
    pub(super) paused_at: Option<String>,
    pub(super) completed_at: Option<String>,
    pub(super) error: Option<String>,
    pub(super) failure_kind: Option<String>,
}

impl From<&Execution> for ExecutionRow {
    fn from(execution: &Execution) -> Self {
        let Execution {
            id,
            workflow_id,
            definition,
            triggered_by,
            schedule,
            scheduled_for,
            origin,
            idempotency_key,
            input,
            started_at,
            queued,
            state,
        } = execution;
        Self {
            id: id.to_string(),
            workflow_id: workflow_id.to_string(),
            definition_hash: definition.to_string(),
            triggered_by: triggered_by.as_str().to_owned(),
            started_at: started_at.to_string(),
            input: input.to_string(),
            schedule_id: schedule.as_ref().map(ToString::to_string),
            scheduled_for: scheduled_for.as_ref().map(ToString::to_string),
            origin_id: origin.as_ref().map(ToString::to_string),
            idempotency_key: idempotency_key.as_ref().map(ToString::to_string),
            queued_at: queued.then(|| started_at.to_string()),
            state: StateColumns::from(state),
        }
    }
}

impl From<&ExecutionState> for StateColumns {
    fn from(state: &ExecutionState) -> Self {
        let mut columns = Self {
            status: state.status().as_str().to_owned(),
            current_step_id: None,
            paused_at: None,
            completed_at: None,
            error: None,
            failure_kind: None,
        };
        match state {
            ExecutionState::Running => {}
            ExecutionState::Paused { step, at } => {
                columns.current_step_id = Some(step.to_string());
                columns.paused_at = Some(at.to_string());
            }
            ExecutionState::Completed { at } => columns.completed_at = Some(at.to_string()),
            ExecutionState::Failed { at, step, failure } => {
                let Failure { kind, message } = failure;
                columns.current_step_id = step.as_ref().map(ToString::to_string);
                columns.completed_at = Some(at.to_string());
                columns.error = Some(message.clone());
                columns.failure_kind = Some(kind.as_str().to_owned());
            }
        }
        columns
    }
}

impl StateColumns {
    fn state(self, row: Row<'_>) -> Result<ExecutionState, Error> {
        let Self {
            status,
            current_step_id,
            paused_at,
            completed_at,
            error,
            failure_kind,
        } = self;
        let status = row.word("status", ExecutionStatus::from_word, &status)?;
        let step: Option<StepId> =
            row.parse_maybe("current_step_id", current_step_id.as_deref())?;
        let paused: Option<Timestamp> = row.parse_maybe("paused_at", paused_at.as_deref())?;
        let completed = row.parse_maybe("completed_at", completed_at.as_deref())?;
        let kind = failure_kind.as_deref();
        let kind = kind
            .map(|kind| row.word("failure_kind", FailureKind::from_word, kind))
            .transpose()?;
        match (status, paused, completed, kind, error) {
            // While it runs, the column is not kept up to date: the journal knows the step.
            (ExecutionStatus::Running, None, None, None, None) => Ok(ExecutionState::Running),
            (ExecutionStatus::Paused, Some(at), None, None, None) => match step {
                Some(step) => Ok(ExecutionState::Paused { step, at }),
                None => Err(row.contradicts("it is paused, but at no step")),
            },
            (ExecutionStatus::Completed, None, Some(at), None, None) => {
                Ok(ExecutionState::Completed { at })
            }
            (ExecutionStatus::Failed, None, Some(at), Some(kind), Some(message)) => {
                let failure = Failure { kind, message };
                Ok(ExecutionState::Failed { at, step, failure })
            }
            (status, ..) => Err(row.contradicts(format_args!(
                "its other columns do not belong to the status {status}"
            ))),
        }
    }
}

impl TryFrom<ExecutionRow> for Execution {
    type Error = Error;

    fn try_from(found: ExecutionRow) -> Result<Self, Error> {
        let ExecutionRow {
            id,
            workflow_id,
            definition_hash,
            triggered_by,
            started_at,
            input,
            schedule_id,
            scheduled_for,
            origin_id,
            idempotency_key,
            queued_at,
            state,
        } = found;
        let row = Row::new("execution", &id);
        let state = state.state(row)?;
        let queued = queued_at.is_some();
        if queued && state != ExecutionState::Running {
            return Err(row.contradicts("it waits for its turn, but does not run"));
        }
        Ok(Self {
            id: row.parse("id", &id)?,
            workflow_id: row.parse("workflow_id", &workflow_id)?,
            definition: row.parse("definition_hash", &definition_hash)?,
            triggered_by: row.word("triggered_by", TriggeredBy::from_word, &triggered_by)?,
            schedule: row.parse_maybe("schedule_id", schedule_id.as_deref())?,
            scheduled_for: row.parse_maybe("scheduled_for", scheduled_for.as_deref())?,
            origin: row.parse_maybe("origin_id", origin_id.as_deref())?,
            idempotency_key: row.parse_maybe("idempotency_key", idempotency_key.as_deref())?,
            input: row.json("input", &input)?,
            started_at: row.parse("started_at", &started_at)?,
            queued,
            state,
        })
    }
}
