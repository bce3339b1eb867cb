//! Statements whose text never changes: built once, kept prepared, found again by their type.
//!
//! For what every step runs. `batch_execute` prepares its text anew each time, and Diesel's own
//! updates are written out and looked up by their text each time.

use std::marker::PhantomData;

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{QueryResult, RunQueryDsl};

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
/// Diesel keeps no update, and no insert with alternatives, because their text may depend on their
/// values; preparing one of ours costs several times what running it does. The text of what is
/// kept must be the same whatever its values: no `Option` that leaves a column out, no list of
/// variable length.
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

    fn is_safe_to_cache_prepared(&self, _: &Sqlite) -> QueryResult<bool> {
        Ok(true)
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
    GoOn
    InsertAttempt
    InsertExecution
    InsertGate
    InsertQueued
    InsertVisit
    InsertVote
    MissFire
    QueueBehind
    QueueOfStart
    RecordFire
    RestExecution
    SettleGate
    SettleVisit
    WakeExecution
    WithdrawGate
}
