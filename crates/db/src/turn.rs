//! `model_turns`: what models answered that had tools to call.

use std::collections::BTreeMap;

use diesel::{
    ExpressionMethods as _, Insertable, QueryDsl as _, Queryable, RunQueryDsl as _, Selectable,
    SelectableHelper as _,
};
use workflow_types::execution::{CallTrace, ModelTurn, TurnCall, TurnTrace};
use workflow_types::id::ExecutionId;

use crate::call;
use crate::column::Row;
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::schema::model_turns;
use crate::statement::{self, kept};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(
    table_name = model_turns,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false
)]
struct TurnRow {
    execution_id: String,
    visit: i64,
    turn: i64,
    attempt: i64,
    answered_at: String,
    text: String,
    refused: Option<String>,
}

/// The turns of the visits `first` to `last` of an execution with their calls, in their order.
pub fn between(
    connection: &mut Connection,
    execution: &ExecutionId,
    (first, last): (u32, u32),
) -> Result<Vec<ModelTurn>, Error> {
    let rows: Vec<TurnRow> = model_turns::table
        .filter(model_turns::execution_id.eq(execution.to_string()))
        .filter(model_turns::visit.between(i64::from(first), i64::from(last)))
        .order((model_turns::visit, model_turns::turn))
        .select(TurnRow::as_select())
        .load(&mut connection.raw)
        .context(|| format!("reading the turns of execution {execution} failed"))?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut calls: BTreeMap<(u32, u32), Vec<TurnCall>> = BTreeMap::new();
    for (visit, turn, call) in call::between(connection, execution, (first, last))? {
        calls.entry((visit, turn)).or_default().push(call);
    }
    let turns = rows.into_iter().map(|row| {
        let mut turn = ModelTurn::try_from(row)?;
        turn.calls = calls.remove(&(turn.visit, turn.number)).unwrap_or_default();
        Ok(turn)
    });
    turns.collect()
}

/// The same as events need it: without what was said, asked and answered.
pub(crate) fn traces(
    connection: &mut Connection,
    execution: &ExecutionId,
    (first, last): (u32, u32),
) -> Result<Vec<TurnTrace>, Error> {
    let rows: Vec<(i64, i64, i64, String, Option<String>)> = model_turns::table
        .filter(model_turns::execution_id.eq(execution.to_string()))
        .filter(model_turns::visit.between(i64::from(first), i64::from(last)))
        .order((model_turns::visit, model_turns::turn))
        .select((
            model_turns::visit,
            model_turns::turn,
            model_turns::attempt,
            model_turns::answered_at,
            model_turns::refused,
        ))
        .load(&mut connection.raw)
        .context(|| format!("reading the turns of execution {execution} failed"))?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut calls: BTreeMap<(u32, u32), Vec<CallTrace>> = BTreeMap::new();
    for (visit, turn, call) in call::traces(connection, execution, (first, last))? {
        calls.entry((visit, turn)).or_default().push(call);
    }
    let turns = rows.into_iter().map(|(visit, turn, attempt, at, refused)| {
        let id = format!("{turn} of visit {visit} of execution {execution}");
        let row = Row::new("turn", &id);
        let (visit, number) = (row.number("visit", visit)?, row.number("turn", turn)?);
        Ok(TurnTrace {
            visit,
            number,
            attempt: row.number("attempt", attempt)?,
            answered_at: row.parse("answered_at", &at)?,
            refused,
            calls: calls.remove(&(visit, number)).unwrap_or_default(),
        })
    });
    turns.collect()
}

/// Adds an answer with its calls.
///
/// Fails with [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if there is one of its number.
pub(crate) fn insert(
    connection: &mut Connection,
    execution: ExecutionId,
    answered: &ModelTurn,
) -> Result<(), Error> {
    let ModelTurn {
        visit,
        number,
        attempt,
        answered_at,
        text,
        refused,
        calls,
    } = answered;
    let row = TurnRow {
        execution_id: execution.to_string(),
        visit: i64::from(*visit),
        turn: i64::from(*number),
        attempt: i64::from(*attempt),
        answered_at: answered_at.to_string(),
        text: text.clone(),
        refused: refused.clone(),
    };
    kept::<statement::InsertTurn, _>(diesel::insert_into(model_turns::table).values(&row))
        .execute(&mut connection.raw)
        .context(|| format!("recording an answer in execution {execution} failed"))?;
    calls
        .iter()
        .try_for_each(|made| call::insert(connection, execution, (*visit, *number), made))
}

impl TryFrom<TurnRow> for ModelTurn {
    type Error = Error;

    fn try_from(found: TurnRow) -> Result<Self, Error> {
        let TurnRow {
            execution_id,
            visit,
            turn,
            attempt,
            answered_at,
            text,
            refused,
        } = found;
        let id = format!("{turn} of visit {visit} of execution {execution_id}");
        let row = Row::new("turn", &id);
        Ok(Self {
            visit: row.number("visit", visit)?,
            number: row.number("turn", turn)?,
            attempt: row.number("attempt", attempt)?,
            answered_at: row.parse("answered_at", &answered_at)?,
            text,
            refused,
            calls: Vec::new(),
        })
    }
}
