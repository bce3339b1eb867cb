//! `model_usage`: what each answer of a model used and cost.

use diesel::{
    ExpressionMethods as _, Insertable, QueryDsl as _, Queryable, RunQueryDsl as _, Selectable,
    SelectableHelper as _,
};
use workflow_types::execution::{AttemptUsage, Cost, FinishReason, ModelUsage};
use workflow_types::id::ExecutionId;

use crate::column::Row;
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::schema::model_usage;
use crate::statement::{self, kept};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(
    table_name = model_usage,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false
)]
struct UsageRow {
    execution_id: String,
    visit: i64,
    attempt: i64,
    turn: i64,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    finish_reason: Option<String>,
    cost: Option<i64>,
}

/// What the attempts of an execution used, in their order.
pub fn of_execution(
    connection: &mut Connection,
    execution: &ExecutionId,
) -> Result<Vec<AttemptUsage>, Error> {
    let rows: Vec<UsageRow> = model_usage::table
        .filter(model_usage::execution_id.eq(execution.to_string()))
        .order((model_usage::visit, model_usage::attempt, model_usage::turn))
        .select(UsageRow::as_select())
        .load(&mut connection.raw)
        .context(|| format!("reading what execution {execution} used of models failed"))?;
    rows.into_iter().map(AttemptUsage::try_from).collect()
}

/// Adds what an attempt used; what is recorded already stays as it is, because the write that
/// records it may be repeated.
pub(crate) fn insert(
    connection: &mut Connection,
    execution: ExecutionId,
    used: &AttemptUsage,
) -> Result<(), Error> {
    let AttemptUsage {
        visit,
        attempt,
        turn,
        usage:
            ModelUsage {
                input_tokens,
                output_tokens,
                finish,
            },
        cost,
    } = used;
    // Nobody comes near the most that the column holds.
    let tokens = |count: &u64| i64::try_from(*count).unwrap_or(i64::MAX);
    let row = UsageRow {
        execution_id: execution.to_string(),
        visit: i64::from(*visit),
        attempt: i64::from(*attempt),
        turn: i64::from(*turn),
        input_tokens: input_tokens.as_ref().map(tokens),
        output_tokens: output_tokens.as_ref().map(tokens),
        finish_reason: finish.map(|finish| finish.as_str().to_owned()),
        cost: cost.map(|cost| tokens(&cost.billionths())),
    };
    let insert = diesel::insert_into(model_usage::table)
        .values(&row)
        .on_conflict_do_nothing();
    kept::<statement::InsertUsage, _>(insert)
        .execute(&mut connection.raw)
        .context(|| format!("recording what execution {execution} used of a model failed"))?;
    Ok(())
}

impl TryFrom<UsageRow> for AttemptUsage {
    type Error = Error;

    fn try_from(found: UsageRow) -> Result<Self, Error> {
        let UsageRow {
            execution_id,
            visit,
            attempt,
            turn,
            input_tokens,
            output_tokens,
            finish_reason,
            cost,
        } = found;
        let id = format!("{attempt} of visit {visit} of execution {execution_id}");
        let row = Row::new("usage", &id);
        let finish = finish_reason.as_deref();
        let tokens = |column, count: Option<i64>| {
            count
                .map(|count| u64::try_from(count).map_err(|_| row.damaged(column)))
                .transpose()
        };
        Ok(Self {
            visit: row.number("visit", visit)?,
            attempt: row.number("attempt", attempt)?,
            turn: row.number("turn", turn)?,
            usage: ModelUsage {
                input_tokens: tokens("input_tokens", input_tokens)?,
                output_tokens: tokens("output_tokens", output_tokens)?,
                finish: finish
                    .map(|word| row.word("finish_reason", FinishReason::from_word, word))
                    .transpose()?,
            },
            cost: tokens("cost", cost)?.map(Cost::from_billionths),
        })
    }
}
