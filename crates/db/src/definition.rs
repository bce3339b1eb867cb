//! `workflow_definitions`: what executions run, each text once under its digest.
//!
//! Texts are kept as they were written; what they mean is known in `workflow_types`.

use diesel::{
    Insertable, OptionalExtension as _, QueryDsl as _, Queryable, RunQueryDsl as _, Selectable,
    SelectableHelper as _,
};
use workflow_types::Timestamp;
use workflow_types::definition::{DefinitionDigest, StoredDefinition};
use workflow_types::registry::SavedDefinition;

use crate::column::Row;
use crate::connection::Connection;
use crate::error::{Context as _, Error};
use crate::schema::workflow_definitions;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = workflow_definitions, check_for_backend(diesel::sqlite::Sqlite))]
struct DefinitionRow {
    hash: String,
    definition: String,
    source: String,
    created_at: String,
}

/// The definition of a digest.
///
/// Fails with [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt), naming the digest, if the text has
/// another one.
pub fn load(
    connection: &mut Connection,
    digest: &DefinitionDigest,
) -> Result<Option<SavedDefinition>, Error> {
    workflow_definitions::table
        .find(digest.to_string())
        .select(DefinitionRow::as_select())
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("loading definition {digest} failed"))?
        .map(SavedDefinition::try_from)
        .transpose()
}

/// Stores a definition; nothing is written if its digest is known.
pub(crate) fn save(
    connection: &mut Connection,
    definition: &StoredDefinition,
    source: &str,
    at: Timestamp,
) -> Result<(), Error> {
    let row = DefinitionRow {
        hash: definition.digest().to_string(),
        definition: definition.json().to_owned(),
        source: source.to_owned(),
        created_at: at.to_string(),
    };
    diesel::insert_into(workflow_definitions::table)
        .values(&row)
        .on_conflict_do_nothing()
        .execute(&mut connection.raw)
        .context(|| format!("storing definition {} failed", row.hash))?;
    Ok(())
}

/// Whether a digest is known.
pub(crate) fn exists(
    connection: &mut Connection,
    digest: &DefinitionDigest,
) -> Result<bool, Error> {
    let found: Option<String> = workflow_definitions::table
        .find(digest.to_string())
        .select(workflow_definitions::hash)
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("looking for definition {digest} failed"))?;
    Ok(found.is_some())
}

/// The digests of all definitions, in their order.
pub(crate) fn digests(connection: &mut Connection) -> Result<Vec<String>, Error> {
    workflow_definitions::table
        .order(workflow_definitions::hash)
        .select(workflow_definitions::hash)
        .load(&mut connection.raw)
        .context(|| "listing the definitions failed")
}

impl TryFrom<DefinitionRow> for SavedDefinition {
    type Error = Error;

    fn try_from(row: DefinitionRow) -> Result<Self, Error> {
        let DefinitionRow {
            hash,
            definition,
            source,
            created_at: _,
        } = row;
        let stored = StoredDefinition::from_text(definition);
        if stored.digest().to_string() != hash {
            let row = Row::new("definition", &hash);
            return Err(row.contradicts("its text has another digest"));
        }
        Ok(Self { stored, source })
    }
}
