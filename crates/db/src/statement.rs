//! Statements whose text never changes: built once, kept prepared, found again by their type.
//!
//! For what every step runs. `batch_execute` and Diesel's own updates prepare their text anew each
//! time, which costs several times what running ours does.

use std::marker::PhantomData;

use diesel::expression::{AppearsOnTable, Expression};
use diesel::query_builder::{AsChangeset, AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Bool;
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{QueryResult, RunQueryDsl, Table};

/// Pushes values, with commas between them, into a statement whose text is written out.
///
/// For what every step and every fire runs: that Diesel goes through the columns, three times for
/// each statement, would cost a third of what SQLite does with it.
macro_rules! push_values {
    ($out:ident, $kind:ty = $value:expr $(, $kinds:ty = $values:expr)* $(,)?) => {
        $out.push_bind_param::<$kind, _>($value)?;
        $(
            $out.push_sql(", ");
            $out.push_bind_param::<$kinds, _>($values)?;
        )*
    };
}

/// Pushes assignments, with commas between them, in the same way.
macro_rules! push_assignments {
    ($out:ident, $column:literal: $kind:ty = $value:expr
        $(, $columns:literal: $kinds:ty = $values:expr)* $(,)?) => {
        $out.push_sql(concat!($column, " = "));
        $out.push_bind_param::<$kind, _>($value)?;
        $(
            $out.push_sql(concat!(", ", $columns, " = "));
            $out.push_bind_param::<$kinds, _>($values)?;
        )*
    };
}

pub(crate) use {push_assignments, push_values};

/// A statement without parameters.
macro_rules! literal_statement {
    ($($(#[$doc:meta])* $name:ident = $sql:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, QueryId)]
        pub(crate) struct $name;

        impl QueryFragment<Sqlite> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                out.push_sql($sql);
                Ok(())
            }
        }

        impl RunQueryDsl<SqliteConnection> for $name {}
    )*};
}

literal_statement! {
    /// A transaction for reads: one state of the database.
    Begin = "BEGIN";
    /// A transaction that may write from its first statement.
    BeginImmediate = "BEGIN IMMEDIATE";
    /// Makes a transaction durable.
    Commit = "COMMIT";
    /// One job of a group.
    SavepointJob = "SAVEPOINT job";
    /// Keeps what a job wrote.
    ReleaseJob = "RELEASE job";
    /// A part of a job, or of another part.
    SavepointPart = "SAVEPOINT part";
    /// Keeps what a part wrote.
    ReleasePart = "RELEASE part";
}

/// A statement that is kept prepared under the type `M`, which stands for it and for no other.
///
/// Its text must be the same whatever its values: no `Option` that leaves a column out of an insert.
pub(crate) struct Kept<M, Q> {
    statement: Q,
    name: PhantomData<M>,
}

/// The identity of a kept statement.
pub(crate) struct Name<M>(PhantomData<M>);

/// Keeps a statement prepared, under the name `M`.
pub(crate) fn kept<M: 'static, Q>(statement: Q) -> Kept<M, Q> {
    Kept {
        statement,
        name: PhantomData,
    }
}

impl<M, Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Kept<M, Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.statement.walk_ast(out)
    }
}

impl<M: 'static, Q> QueryId for Kept<M, Q> {
    type QueryId = Name<M>;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<M, Q: Query> Query for Kept<M, Q> {
    type SqlType = Q::SqlType;
}

impl<M, Q> RunQueryDsl<SqliteConnection> for Kept<M, Q> {}

/// An update that is kept prepared under the type `M`, which stands for it and for no other.
///
/// Diesel keeps none, because leaving a column out changes its text: so no `Option` may do that
/// here, and no list may have a variable length.
pub(crate) struct KeptUpdate<M, T: Table, V, P> {
    table: T::FromClause,
    values: V,
    condition: P,
    name: PhantomData<M>,
}

/// Keeps an update of the rows of `table` that fulfil `condition` prepared, under the name `M`.
pub(crate) fn kept_update<M, T, P, V>(
    table: T,
    condition: P,
    values: V,
) -> KeptUpdate<M, T, V::Changeset, P>
where
    M: 'static,
    T: Table + Copy,
    P: AppearsOnTable<T> + Expression<SqlType = Bool>,
    V: AsChangeset<Target = T>,
{
    KeptUpdate {
        table: table.from_clause(),
        values: values.as_changeset(),
        condition,
        name: PhantomData,
    }
}

impl<M, T, V, P> QueryFragment<Sqlite> for KeptUpdate<M, T, V, P>
where
    T: Table,
    T::FromClause: QueryFragment<Sqlite>,
    V: QueryFragment<Sqlite>,
    P: QueryFragment<Sqlite>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        self.table.walk_ast(out.reborrow())?;
        out.push_sql(" SET ");
        self.values.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE ");
        self.condition.walk_ast(out)
    }
}

impl<M: 'static, T: Table, V, P> QueryId for KeptUpdate<M, T, V, P> {
    type QueryId = Name<M>;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<M, T: Table, V, P> RunQueryDsl<SqliteConnection> for KeptUpdate<M, T, V, P> {}

/// The names of kept statements.
macro_rules! names {
    ($($name:ident)*) => {$(
        #[derive(Debug)]
        pub(crate) enum $name {}
    )*};
}

names! {
    BeginVisit
    ChangeSchedule
    ClaimExecution
    FindStand
    GoOn
    GoOnAndChange
    InsertAttempt
    InsertCall
    InsertExecution
    InsertGate
    InsertQueued
    InsertTurn
    InsertUsage
    InsertVisit
    InsertVote
    MissFire
    MoveCall
    QueueBehind
    QueueOfStart
    RecordFire
    ReplaceFire
    RestExecution
    SettleGate
    SettleVisit
    WakeExecution
    WithdrawGate
}

#[cfg(test)]
mod tests {
    use diesel::ExpressionMethods as _;
    use diesel::connection::{Connection as _, InstrumentationEvent, SimpleConnection as _};

    use super::*;
    use crate::schema::gate_votes;

    enum Test {}

    #[test]
    fn an_update_is_prepared_once_whatever_its_values() {
        let mut raw = SqliteConnection::establish(":memory:").unwrap();
        raw.batch_execute("CREATE TABLE gate_votes (gate_id TEXT, place INTEGER, actor TEXT)")
            .unwrap();
        let (sender, kept) = std::sync::mpsc::channel();
        raw.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::CacheQuery { sql, .. } = event {
                sender.send(sql.to_owned()).unwrap();
            }
        });
        for place in 0..3 {
            let condition = gate_votes::place.eq(place);
            let values = gate_votes::actor.eq(place.to_string());
            kept_update::<Test, _, _, _>(gate_votes::table, condition, values)
                .execute(&mut raw)
                .unwrap();
        }
        let kept: Vec<String> = kept.try_iter().collect();
        let [update] = kept.as_slice() else {
            panic!("{kept:?}")
        };
        assert!(update.starts_with("UPDATE `gate_votes` SET `actor` = ?"));
    }
}
