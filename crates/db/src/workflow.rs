//! `workflows`: which workflows there are, and the newest definition of each.
//!
//! Where definitions come from and when they are read again is decided elsewhere.

use std::num::NonZeroU32;

use diesel::{
    AsChangeset, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _,
    Queryable, RunQueryDsl as _, Selectable, SelectableHelper as _,
};
use workflow_types::damage::Listed;
use workflow_types::id::WorkflowId;
use workflow_types::registry::{Registered, Registration, Workflow};
use workflow_types::schedule::Keeper;

use crate::column::{Row, listed};
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::schema::workflows;
use crate::{definition, schedule};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(
    table_name = workflows,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false,
    treat_none_as_null = true
)]
struct WorkflowRow {
    id: String,
    name: String,
    description: Option<String>,
    definition_path: String,
    created_at: String,
    updated_at: String,
    definition_hash: String,
}

/// Makes a definition the newest of its workflow, and the workflow known.
///
/// Its schedule follows its `trigger`. Executions that have started keep theirs. Repeating it
/// changes nothing.
pub fn register(
    connection: &mut Connection,
    registration: &Registration,
) -> Result<Registered, Error> {
    connection.write(|connection| {
        let Registration {
            id,
            name,
            description,
            path,
            definition,
            source,
            concurrency_limit,
            schedule,
            at,
        } = registration;
        let known = find(connection, id)?;
        let workflow = Workflow {
            id: id.clone(),
            name: name.clone(),
            description: description.clone(),
            path: path.clone(),
            digest: definition.digest().clone(),
            created_at: known.as_ref().map_or(*at, |known| known.created_at),
            updated_at: known.as_ref().map_or(*at, |known| known.updated_at),
        };
        let keeper = Keeper::Trigger(id.clone());
        if known.as_ref() == Some(&workflow) {
            schedule::follow(connection, &keeper, schedule.clone(), *at)?;
            return Ok(Registered::Unchanged);
        }
        definition::save(connection, definition, source, *at)?;
        store(
            connection,
            &Workflow {
                updated_at: *at,
                ..workflow
            },
            *concurrency_limit,
        )?;
        schedule::follow(connection, &keeper, schedule.clone(), *at)?;
        Ok(match known {
            Some(_) => Registered::Changed,
            None => Registered::New,
        })
    })
}

/// Every workflow in the order of their ids; a damaged one is named beside the others.
pub fn list(connection: &mut Connection) -> Result<Listed<Workflow>, Error> {
    let rows: Vec<WorkflowRow> = workflows::table
        .order(workflows::id)
        .select(WorkflowRow::as_select())
        .load(&mut connection.raw)
        .context(|| "listing the workflows failed")?;
    Ok(listed(rows, |row| row.id.clone(), Workflow::try_from))
}

/// One workflow.
pub fn find(connection: &mut Connection, id: &WorkflowId) -> Result<Option<Workflow>, Error> {
    workflows::table
        .find(id.to_string())
        .select(WorkflowRow::as_select())
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("loading workflow \"{id}\" failed"))?
        .map(Workflow::try_from)
        .transpose()
}

/// How many unfinished executions of a workflow may have begun at once; none if any number may.
pub(crate) fn limit(connection: &mut Connection, id: &str) -> Result<Option<i64>, Error> {
    workflows::table
        .find(id)
        .select(workflows::concurrency_limit)
        .first(&mut connection.raw)
        .optional()
        .map(Option::flatten)
        .context(|| format!("reading the limit of workflow \"{id}\" failed"))
}

fn store(
    connection: &mut Connection,
    workflow: &Workflow,
    limit: Option<NonZeroU32>,
) -> Result<(), Error> {
    let row = WorkflowRow::from(workflow);
    let limit = workflows::concurrency_limit.eq(limit.map(|limit| i64::from(limit.get())));
    diesel::insert_into(workflows::table)
        .values((&row, limit))
        .on_conflict(workflows::id)
        .do_update()
        .set((&row, limit))
        .execute(&mut connection.raw)
        .context(|| format!("storing workflow \"{}\" failed", workflow.id))?;
    Ok(())
}

impl From<&Workflow> for WorkflowRow {
    fn from(workflow: &Workflow) -> Self {
        let Workflow {
            id,
            name,
            description,
            path,
            digest,
            created_at,
            updated_at,
        } = workflow;
        Self {
            id: id.to_string(),
            name: name.clone(),
            description: description.clone(),
            definition_path: path.clone(),
            created_at: created_at.to_string(),
            updated_at: updated_at.to_string(),
            definition_hash: digest.to_string(),
        }
    }
}

impl TryFrom<WorkflowRow> for Workflow {
    type Error = Error;

    fn try_from(found: WorkflowRow) -> Result<Self, Error> {
        let WorkflowRow {
            id,
            name,
            description,
            definition_path,
            created_at,
            updated_at,
            definition_hash,
        } = found;
        let row = Row::new("workflow", &id);
        Ok(Self {
            id: row.parse("id", &id)?,
            name,
            description,
            path: definition_path,
            digest: row.parse("definition_hash", &definition_hash)?,
            created_at: row.parse("created_at", &created_at)?,
            updated_at: row.parse("updated_at", &updated_at)?,
        })
    }
}
