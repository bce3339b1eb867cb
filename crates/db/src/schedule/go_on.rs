//! Lets a schedule go on after a fire: one statement, with its text written out, because every fire
//! runs it.

use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl as _};
use workflow_types::schedule::Schedule;

use super::row::{StandingColumns, text};
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::statement::{self, kept, push_assignments};

/// Writes what a fire changes of a schedule: what people, or a file, ask for is not a fire's to
/// change.
pub(super) fn go_on(
    connection: &mut Connection,
    before: &Schedule,
    after: &Schedule,
) -> Result<(), Error> {
    let id = &after.spec.id;
    let going = GoneOn::from(after);
    let raw = &mut connection.raw;
    // Most go on as they were: then the indexes of those that fire are left alone.
    let stays = before.is_active() && after.is_active() && before.tz_database == after.tz_database;
    let written = if stays {
        kept::<statement::GoOn, _>(Step(going)).execute(raw)
    } else {
        kept::<statement::GoOnAndChange, _>(Turn(going)).execute(raw)
    };
    written.context(|| format!("going on with schedule \"{id}\" failed"))?;
    Ok(())
}

/// The columns that a fire changes.
struct GoneOn {
    id: String,
    standing: StandingColumns,
    runs: i64,
    last_fire_at: Option<String>,
    last_run_at: Option<String>,
    tz_database: String,
    updated_at: String,
    revision: i64,
}

/// It fires as before.
struct Step(GoneOn);

/// It fires no more, or its next fire time follows from another tz database.
struct Turn(GoneOn);

impl From<&Schedule> for GoneOn {
    fn from(schedule: &Schedule) -> Self {
        let Schedule {
            spec,
            keeper: _,
            effective_from: _,
            created_at: _,
            standing,
            runs,
            last_fire,
            last_run_at,
            tz_database,
            updated_at,
            revision,
        } = schedule;
        Self {
            id: spec.id.to_string(),
            standing: StandingColumns::from(standing),
            runs: i64::from(*runs),
            last_fire_at: text(*last_fire),
            last_run_at: text(*last_run_at),
            tz_database: tz_database.clone(),
            updated_at: updated_at.to_string(),
            revision: i64::from(revision.number()),
        }
    }
}

impl GoneOn {
    /// Pushes what every fire changes.
    fn walk<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push_assignments!(out,
            "next_fire_at": Nullable<Text> = &self.standing.next_fire_at,
            "due_at": Nullable<Text> = &self.standing.due_at,
            "owed": Bool = &self.standing.owed,
            "runs": BigInt = &self.runs,
            "last_fire_at": Nullable<Text> = &self.last_fire_at,
            "last_run_at": Nullable<Text> = &self.last_run_at,
            "updated_at": Text = &self.updated_at,
            "revision": BigInt = &self.revision,
        );
        Ok(())
    }
}

impl QueryFragment<Sqlite> for Step {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("UPDATE schedules SET ");
        self.0.walk(out.reborrow())?;
        out.push_sql(" WHERE id = ");
        out.push_bind_param::<Text, _>(&self.0.id)
    }
}

impl QueryFragment<Sqlite> for Turn {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let standing = &self.0.standing;
        out.push_sql("UPDATE schedules SET ");
        push_assignments!(out,
            "enabled": Bool = &standing.enabled,
            "off_reason": Nullable<Text> = &standing.off_reason,
            "off_at": Nullable<Text> = &standing.off_at,
            "tz_database": Text = &self.0.tz_database,
        );
        out.push_sql(", ");
        self.0.walk(out.reborrow())?;
        out.push_sql(" WHERE id = ");
        out.push_bind_param::<Text, _>(&self.0.id)
    }
}
