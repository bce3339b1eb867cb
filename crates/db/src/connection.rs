//! One connection to the database, and transactions on it.
//!
//! Nothing here knows what is stored; tables are the business of the other modules.

mod open;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection as _;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection};

use crate::error::{Context as _, Error, ErrorKind};
use crate::sqlite_log;
use crate::statement::{
    Begin, BeginImmediate, Commit, ReleaseJob, ReleasePart, SavepointJob, SavepointPart,
};

pub(crate) use open::APPLICATION_ID;
pub use open::{Durability, Opened, sqlite_version};

/// A connection to the database, with its transactions.
///
/// It is used from one thread at a time and blocks that thread.
pub struct Connection {
    pub(crate) raw: SqliteConnection,
    path: PathBuf,
    state: TransactionState,
    pace: Pace,
}

/// Whether a connection may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// For another connection that writes; and for the disk, when the log has grown.
    Patient,
    /// Neither.
    Hasty,
}

/// A part of a transaction that can be undone alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Savepoint {
    /// One job of a group. Its name is not used within: undoing it undoes the parts that a panic
    /// left.
    Job,
    /// A part of a job, or of another part.
    Part,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TransactionState {
    None,
    Open,
    /// Nothing in it can be undone alone: the first part that fails spoils all of it.
    Whole,
    /// A part of a whole one has failed, so it must not be committed.
    Spoiled,
    /// SQLite gave the transaction up by itself, for example because the disk is full.
    Lost,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Runs several reads in one snapshot.
    ///
    /// Inside a transaction it joins that one.
    pub fn read<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self.state {
            TransactionState::None => self.begin(Begin, "BEGIN", TransactionState::Open, work),
            TransactionState::Open
            | TransactionState::Whole
            | TransactionState::Spoiled
            | TransactionState::Lost => work(self),
        }
    }

    /// Runs reads and writes that are kept together, or not at all.
    ///
    /// Inside a transaction it is a savepoint of that one, and durable only with it.
    pub fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self.state {
            TransactionState::None => self.transaction(work),
            TransactionState::Open => self
                .savepoint(Savepoint::Part, work)
                .and_then(|result| result),
            TransactionState::Whole | TransactionState::Spoiled => {
                let result = work(self);
                if result.is_err() {
                    self.state = TransactionState::Spoiled;
                }
                result
            }
            TransactionState::Lost => Err(self.lost()),
        }
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` in a transaction that may write from its first statement.
    ///
    /// One that began by reading could not wait for another writer.
    pub(crate) fn transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let open = TransactionState::Open;
        self.begin(BeginImmediate, "BEGIN IMMEDIATE", open, work)
    }

    /// The same without savepoints for its parts, which cost as much as a small write: if one of
    /// them fails, all of it is rolled back, even if `work` makes nothing of the failure.
    pub(crate) fn whole_transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let whole = TransactionState::Whole;
        self.begin(BeginImmediate, "BEGIN IMMEDIATE", whole, work)
    }

    /// May wait from now on, or not.
    pub(crate) fn keep_pace(&mut self, pace: Pace) -> Result<(), Error> {
        if self.pace == pace {
            return Ok(());
        }
        // These are SQLite's own number of pages, and that of `establish`.
        self.execute(match pace {
            Pace::Patient => "PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = 1000",
            Pace::Hasty => "PRAGMA busy_timeout = 0; PRAGMA wal_autocheckpoint = 0",
        })?;
        self.pace = pace;
        Ok(())
    }

    /// Whether a part of the open transaction has failed that cannot be undone alone.
    pub(crate) fn is_spoiled(&self) -> bool {
        self.state == TransactionState::Spoiled
    }

    /// Runs `work` in a savepoint of the open transaction.
    ///
    /// The outer error says that the whole transaction is lost, the inner one that only this
    /// savepoint was rolled back.
    pub(crate) fn savepoint<T>(
        &mut self,
        savepoint: Savepoint,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<Result<T, Error>, Error> {
        match savepoint {
            Savepoint::Job => self.run(SavepointJob, "SAVEPOINT job"),
            Savepoint::Part => self.run(SavepointPart, "SAVEPOINT part"),
        }?;
        let result = work(self);
        let kept = match (&result, savepoint) {
            (Ok(_), Savepoint::Job) => self.run(ReleaseJob, "RELEASE job"),
            (Ok(_), Savepoint::Part) => self.run(ReleasePart, "RELEASE part"),
            // The error of the work is the cause; that its savepoint is gone is a consequence.
            (Err(error), Savepoint::Job) => self
                .execute("ROLLBACK TO job; RELEASE job")
                .map_err(|_| error.clone()),
            (Err(error), Savepoint::Part) => self
                .execute("ROLLBACK TO part; RELEASE part")
                .map_err(|_| error.clone()),
        };
        if kept.is_err() {
            self.state = TransactionState::Lost;
        }
        kept.map(|()| result)
    }

    /// Runs a statement that is kept prepared; `sql` is its text, for messages.
    fn run<S>(&mut self, statement: S, sql: &'static str) -> Result<(), Error>
    where
        S: QueryFragment<Sqlite> + QueryId + RunQueryDsl<SqliteConnection>,
    {
        let done = statement.execute(&mut self.raw);
        done.context(|| format!("`{sql}` failed on {}", self.path.display()))?;
        Ok(())
    }

    pub(crate) fn execute(&mut self, sql: &'static str) -> Result<(), Error> {
        self.raw
            .batch_execute(sql)
            .context(|| format!("`{sql}` failed on {}", self.path.display()))
    }

    /// The first column of a row, named `value`.
    pub(crate) fn number(&mut self, sql: &'static str) -> Result<i64, Error> {
        let row: Number = diesel::sql_query(sql)
            .get_result(&mut self.raw)
            .context(|| format!("`{sql}` failed on {}", self.path.display()))?;
        Ok(row.value)
    }

    /// The first column of every row, named `value`.
    pub(crate) fn texts(&mut self, sql: &'static str) -> Result<Vec<String>, Error> {
        let rows: Vec<Words> = diesel::sql_query(sql)
            .load(&mut self.raw)
            .context(|| format!("`{sql}` failed on {}", self.path.display()))?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    fn begin<S, T>(
        &mut self,
        begin: S,
        sql: &'static str,
        state: TransactionState,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error>
    where
        S: QueryFragment<Sqlite> + QueryId + RunQueryDsl<SqliteConnection>,
    {
        // What was logged before belongs to an error that nobody asked about.
        let _ = sqlite_log::take();
        self.run(begin, sql)?;
        self.state = state;
        let result = catch_unwind(AssertUnwindSafe(|| work(self)));
        let left = std::mem::replace(&mut self.state, TransactionState::None);
        let result = match result {
            Ok(Ok(_)) if left == TransactionState::Lost => Err(self.lost()),
            Ok(Ok(_)) if left == TransactionState::Spoiled => Err(self.spoiled()),
            Ok(result) => result,
            Err(panic) => {
                let _ = self.raw.batch_execute("ROLLBACK");
                resume_unwind(panic)
            }
        };
        let committed = result.and_then(|value| self.run(Commit, "COMMIT").map(|()| value));
        if committed.is_err() {
            // SQLite may have rolled back by itself, and then there is nothing left to do.
            let _ = self.raw.batch_execute("ROLLBACK");
        }
        committed
    }

    fn spoiled(&self) -> Error {
        Error::new(
            ErrorKind::Internal,
            format!(
                "a part of the transaction on {} failed",
                self.path.display()
            ),
        )
    }

    fn lost(&self) -> Error {
        Error::new(
            ErrorKind::Internal,
            format!("the transaction on {} was lost", self.path.display()),
        )
    }
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

#[derive(QueryableByName)]
struct Words {
    #[diesel(sql_type = Text)]
    value: String,
}
