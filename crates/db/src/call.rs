//! `model_calls`: the tools that models called, and what became of it.

use diesel::{
    AsChangeset, BoolExpressionMethods as _, ExpressionMethods as _, Insertable, QueryDsl as _,
    Queryable, RunQueryDsl as _, Selectable, SelectableHelper as _,
};
use workflow_types::execution::{
    CallMoved, CallState, CallTrace, Outcome, StepFailure, StepFailureKind, StepStatus, TurnCall,
    TurnPlace,
};
use workflow_types::id::ExecutionId;

use crate::column::Row;
use crate::connection::Connection;
use crate::error::{Context as _, Error, ErrorKind};
use crate::schema::model_calls;
use crate::statement::{self, kept, kept_update};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(
    table_name = model_calls,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false
)]
struct CallRow {
    execution_id: String,
    visit: i64,
    turn: i64,
    call: i64,
    call_id: String,
    tool: String,
    args: String,
    #[diesel(embed)]
    state: StateColumns,
}

/// The columns that say where a call stands.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(
    table_name = model_calls,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false,
    treat_none_as_null = true
)]
struct StateColumns {
    attempt: i64,
    state: String,
    begun_at: Option<String>,
    completed_at: Option<String>,
    status: Option<String>,
    output: Option<String>,
    error: Option<String>,
    error_kind: Option<String>,
}

/// The calls of the visits `first` to `last` of an execution, in their order, each with the numbers
/// of its visit and its turn.
pub(crate) fn between(
    connection: &mut Connection,
    execution: &ExecutionId,
    (first, last): (u32, u32),
) -> Result<Vec<(u32, u32, TurnCall)>, Error> {
    let rows: Vec<CallRow> = model_calls::table
        .filter(model_calls::execution_id.eq(execution.to_string()))
        .filter(model_calls::visit.between(i64::from(first), i64::from(last)))
        .order((model_calls::visit, model_calls::turn, model_calls::call))
        .select(CallRow::as_select())
        .load(&mut connection.raw)
        .context(|| format!("reading the calls of execution {execution} failed"))?;
    rows.into_iter().map(CallRow::call).collect()
}

/// Visit, turn, call, tool, attempt, begin, end, error and its kind.
type Found = (
    i64,
    i64,
    i64,
    String,
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// The same as events need it: without arguments and outputs.
pub(crate) fn traces(
    connection: &mut Connection,
    execution: &ExecutionId,
    (first, last): (u32, u32),
) -> Result<Vec<(u32, u32, CallTrace)>, Error> {
    let rows: Vec<Found> = model_calls::table
        .filter(model_calls::execution_id.eq(execution.to_string()))
        .filter(model_calls::visit.between(i64::from(first), i64::from(last)))
        .order((model_calls::visit, model_calls::turn, model_calls::call))
        .select((
            model_calls::visit,
            model_calls::turn,
            model_calls::call,
            model_calls::tool,
            model_calls::attempt,
            model_calls::begun_at,
            model_calls::completed_at,
            model_calls::error,
            model_calls::error_kind,
        ))
        .load(&mut connection.raw)
        .context(|| format!("reading the calls of execution {execution} failed"))?;
    rows.into_iter().map(|row| trace(execution, row)).collect()
}

fn trace(execution: &ExecutionId, found: Found) -> Result<(u32, u32, CallTrace), Error> {
    let (visit, turn, call, tool, attempt, begun_at, completed_at, error, kind) = found;
    let id = format!("{turn}.{call} of visit {visit} of execution {execution}");
    let row = Row::new("call", &id);
    let failure = error.zip(kind).map(|(message, kind)| {
        let kind = row.word("error_kind", StepFailureKind::from_word, &kind)?;
        Ok::<_, Error>(StepFailure { kind, message })
    });
    let at = row.parse_maybe("completed_at", completed_at.as_deref())?;
    let trace = CallTrace {
        number: row.number("call", call)?,
        tool,
        attempt: row.number("attempt", attempt)?,
        begun_at: row.parse_maybe("begun_at", begun_at.as_deref())?,
        end: at.zip(Some(failure.transpose()?)),
    };
    Ok((
        row.number("visit", visit)?,
        row.number("turn", turn)?,
        trace,
    ))
}

/// Adds a call of an answer that is added, too.
pub(crate) fn insert(
    connection: &mut Connection,
    execution: ExecutionId,
    (visit, turn): (u32, u32),
    call: &TurnCall,
) -> Result<(), Error> {
    let TurnCall {
        number,
        id,
        tool,
        args,
        attempt,
        state,
    } = call;
    let row = CallRow {
        execution_id: execution.to_string(),
        visit: i64::from(visit),
        turn: i64::from(turn),
        call: i64::from(*number),
        call_id: id.clone(),
        tool: tool.clone(),
        args: args.to_string(),
        state: StateColumns::new(*attempt, state),
    };
    kept::<statement::InsertCall, _>(diesel::insert_into(model_calls::table).values(&row))
        .execute(&mut connection.raw)
        .context(|| format!("recording a call in execution {execution} failed"))?;
    Ok(())
}

/// Writes where a call stands now.
///
/// Fails with [`ErrorKind::Conflict`] if there is no such call, or if it is over.
pub(crate) fn moved(
    connection: &mut Connection,
    execution: ExecutionId,
    moved: &CallMoved,
) -> Result<(), Error> {
    let CallMoved {
        visit,
        place: TurnPlace { turn, call },
        attempt,
        state,
    } = moved;
    let open = model_calls::execution_id
        .eq(execution.to_string())
        .and(model_calls::visit.eq(i64::from(*visit)))
        .and(model_calls::turn.eq(i64::from(*turn)))
        .and(model_calls::call.eq(i64::from(*call)))
        .and(model_calls::state.ne("done"));
    let columns = StateColumns::new(*attempt, state);
    let changed = kept_update::<statement::MoveCall, _, _, _>(model_calls::table, open, columns)
        .execute(&mut connection.raw)
        .context(|| format!("recording a call in execution {execution} failed"))?;
    if changed == 0 {
        let message = format!(
            "call {turn}.{call} of visit {visit} of execution {execution} is over already, or was \
             never asked for"
        );
        return Err(Error::new(ErrorKind::Conflict, message));
    }
    Ok(())
}

impl StateColumns {
    fn new(attempt: u32, state: &CallState) -> Self {
        let mut columns = Self {
            attempt: i64::from(attempt),
            state: word(state).to_owned(),
            begun_at: state.begun_at().map(|at| at.to_string()),
            completed_at: None,
            status: None,
            output: None,
            error: None,
            error_kind: None,
        };
        match state {
            CallState::Asked | CallState::Ready { .. } | CallState::Begun { .. } => {}
            CallState::Done { at, outcome, .. } => {
                columns.completed_at = Some(at.to_string());
                columns.set_outcome(outcome);
            }
        }
        columns
    }

    fn set_outcome(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Success { output } => {
                self.status = Some(StepStatus::Success.as_str().to_owned());
                self.output = Some(output.to_string());
            }
            Outcome::Failure(StepFailure { kind, message }) => {
                self.status = Some(StepStatus::Failure.as_str().to_owned());
                self.error_kind = Some(kind.as_str().to_owned());
                self.error = Some(message.clone());
            }
        }
    }

    fn state(self, row: Row<'_>) -> Result<CallState, Error> {
        let begun_at = row.parse_maybe("begun_at", self.begun_at.as_deref())?;
        let at = row.parse_maybe("completed_at", self.completed_at.as_deref())?;
        let outcome = match (
            self.status.as_deref(),
            self.output,
            self.error_kind,
            self.error,
        ) {
            (None, None, None, None) => None,
            (Some("success"), Some(output), None, None) => {
                let output = row.json("output", &output)?;
                Some(Outcome::Success { output })
            }
            (Some("failure"), None, Some(kind), Some(message)) => {
                let kind = row.word("error_kind", StepFailureKind::from_word, &kind)?;
                Some(Outcome::failure(kind, message))
            }
            (..) => return Err(row.damaged("status")),
        };
        match (self.state.as_str(), begun_at, at, outcome) {
            ("asked", None, None, None) => Ok(CallState::Asked),
            ("ready", Some(begun_at), None, None) => Ok(CallState::Ready { begun_at }),
            ("begun", Some(begun_at), None, None) => Ok(CallState::Begun { begun_at }),
            ("done", begun_at, Some(at), Some(outcome)) => Ok(CallState::Done {
                begun_at,
                at,
                outcome,
            }),
            (..) => Err(row.contradicts("its other columns do not belong to its state")),
        }
    }
}

const fn word(state: &CallState) -> &'static str {
    match state {
        CallState::Asked => "asked",
        CallState::Ready { .. } => "ready",
        CallState::Begun { .. } => "begun",
        CallState::Done { .. } => "done",
    }
}

impl CallRow {
    fn call(self) -> Result<(u32, u32, TurnCall), Error> {
        let Self {
            execution_id,
            visit,
            turn,
            call,
            call_id,
            tool,
            args,
            state,
        } = self;
        let id = format!("{turn}.{call} of visit {visit} of execution {execution_id}");
        let row = Row::new("call", &id);
        let made = TurnCall {
            number: row.number("call", call)?,
            id: call_id,
            tool,
            args: row.json("args", &args)?,
            attempt: row.number("attempt", state.attempt)?,
            state: state.state(row)?,
        };
        Ok((row.number("visit", visit)?, row.number("turn", turn)?, made))
    }
}
