//! Asks a migrated SQLite database for its tables; refuses what the generator cannot print soundly.

use anyhow::{Context as _, Result, bail, ensure};
use rusqlite::Connection;

/// INTEGER columns that hold truth values under these names in every table.
const BOOLEAN_NAMES: [&str; 1] = ["enabled"];

/// A table as Diesel has to know it.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// Names of columns, in the order of the key.
    pub(super) primary_key: Vec<String>,
    pub(super) references: Vec<Reference>,
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) nullable: bool,
}

/// What a column of a STRICT table can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Boolean,
    Real,
    Text,
    Blob,
}

/// A foreign key to `table`.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) table: String,
    /// Its column in this table; one of several where `joins` is false.
    pub(super) column: String,
    /// Whether that column alone names the whole primary key of the other table.
    pub(super) joins: bool,
}

/// The tables in order of name, without those of SQLite and of Diesel's migrations.
pub(super) fn tables(connection: &Connection) -> Result<Vec<Table>> {
    let mut tables = Vec::new();
    for (name, kind, strict) in listed(connection)? {
        match kind.as_str() {
            "table" => {
                ensure!(
                    strict,
                    "table {name} is not STRICT, so its columns have no sure type"
                );
                tables.push(table(connection, name)?);
            }
            // The tables inside a virtual table, which itself is refused below.
            "shadow" => {}
            _ => bail!("{name} is a {kind}; only tables can be printed"),
        }
    }
    let keys: Vec<_> = tables
        .iter()
        .map(|table| (table.name.clone(), table.primary_key.clone()))
        .collect();
    for table in &mut tables {
        table.references = references(connection, &table.name, &keys)?;
    }
    Ok(tables)
}

fn listed(connection: &Connection) -> Result<Vec<(String, String, bool)>> {
    let mut statement = connection.prepare(
        r"SELECT name, type, strict FROM pragma_table_list
          WHERE schema = 'main' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
            AND name <> '__diesel_schema_migrations'
          ORDER BY name",
    )?;
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn table(connection: &Connection, name: String) -> Result<Table> {
    let sql = definition(connection, &name)?;
    let mut statement = connection.prepare(
        // 1 are the hidden columns of virtual tables; 2 and 3 are generated ones, which are read.
        r#"SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?1)
           WHERE hidden <> 1 ORDER BY cid"#,
    )?;
    let mut columns = Vec::new();
    let mut key: Vec<(u32, String)> = Vec::new();
    let mut rows = statement.query([&name])?;
    while let Some(row) = rows.next()? {
        let column: String = row.get(0)?;
        let declared: String = row.get(1)?;
        let (not_null, place): (bool, u32) = (row.get(2)?, row.get(3)?);
        if place > 0 {
            key.push((place, column.clone()));
        }
        columns.push(Column {
            kind: kind(&sql, &column, &declared).with_context(|| format!("table {name}"))?,
            // STRICT makes the columns of a primary key NOT NULL without saying so here.
            nullable: !not_null && place == 0,
            name: column,
        });
    }
    key.sort();
    ensure!(
        !key.is_empty(),
        "table {name} has no primary key, which Diesel needs"
    );
    Ok(Table {
        name,
        columns,
        primary_key: key.into_iter().map(|(_, column)| column).collect(),
        references: Vec::new(),
    })
}

/// The CREATE TABLE statement, as SQLite keeps it.
fn definition(connection: &Connection, table: &str) -> Result<String> {
    connection
        .query_row(
            "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1",
            [table],
            |row| row.get(0),
        )
        .with_context(|| format!("reading the definition of table {table} failed"))
}

fn kind(sql: &str, column: &str, declared: &str) -> Result<Kind> {
    match declared {
        "INTEGER" | "INT" if is_boolean(sql, column) => Ok(Kind::Boolean),
        "INTEGER" | "INT" => Ok(Kind::Integer),
        "REAL" => Ok(Kind::Real),
        "TEXT" => Ok(Kind::Text),
        "BLOB" => Ok(Kind::Blob),
        other => bail!("column {column} has the type {other}, for which Diesel has none"),
    }
}

/// STRICT has no boolean: a column is one by its name, or where a CHECK holds it to 0 and 1.
fn is_boolean(sql: &str, column: &str) -> bool {
    let bare: String = sql
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '"')
        .collect();
    let check = format!("check({}in(0,1))", column.to_ascii_lowercase());
    BOOLEAN_NAMES.contains(&column) || bare.to_ascii_lowercase().contains(&check)
}

fn references(
    connection: &Connection,
    table: &str,
    keys: &[(String, Vec<String>)],
) -> Result<Vec<Reference>> {
    let mut statement = connection.prepare(
        r#"SELECT "table", min("from"), min("to"), count(*)
           FROM pragma_foreign_key_list(?1) GROUP BY id ORDER BY id"#,
    )?;
    let mut references = Vec::new();
    let mut rows = statement.query([table])?;
    while let Some(row) = rows.next()? {
        let (parent, column): (String, String) = (row.get(0)?, row.get(1)?);
        let (to, width): (Option<String>, u32) = (row.get(2)?, row.get(3)?);
        let key = keys.iter().find(|(name, _)| *name == parent);
        let (_, key) = key.with_context(|| {
            format!("table {table} refers to table {parent}, which is not there")
        })?;
        // Without a named column the reference is to the primary key.
        let whole_key = key.len() == 1 && to.is_none_or(|to| key.contains(&to));
        references.push(Reference {
            table: parent,
            column,
            joins: width == 1 && whole_key,
        });
    }
    Ok(references)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sql: &str) -> Result<Vec<Table>> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(sql)?;
        tables(&connection)
    }

    #[test]
    fn what_has_no_sound_table_is_refused() {
        for (sql, reason) in [
            ("CREATE TABLE a (id INTEGER PRIMARY KEY)", "not STRICT"),
            ("CREATE TABLE a (id INTEGER) STRICT", "no primary key"),
            (
                "CREATE TABLE a (id INTEGER PRIMARY KEY, b ANY) STRICT",
                "type ANY",
            ),
            ("CREATE VIEW a AS SELECT 1", "a is a view"),
            (
                "CREATE TABLE a (id TEXT PRIMARY KEY REFERENCES b) STRICT",
                "table b",
            ),
        ] {
            let error = read(sql).unwrap_err();
            assert!(format!("{error:#}").contains(reason), "{sql}: {error:#}");
        }
    }

    #[test]
    fn integers_held_to_zero_and_one_are_booleans() {
        let tables = read(
            "CREATE TABLE a (
                id INTEGER PRIMARY KEY,
                enabled INTEGER NOT NULL,
                \"read\" INTEGER CHECK (\"read\" IN (0, 1)),
                already_read INTEGER
             ) STRICT",
        )
        .unwrap();
        let columns = &tables.first().unwrap().columns;
        let kinds: Vec<_> = columns.iter().map(|c| (c.kind, c.nullable)).collect();
        assert_eq!(
            kinds,
            [
                (Kind::Integer, false),
                (Kind::Boolean, false),
                (Kind::Boolean, true),
                (Kind::Integer, true)
            ]
        );
    }

    #[test]
    fn tables_of_sqlite_and_of_the_migrations_are_left_out() {
        let tables = read(
            "CREATE TABLE __diesel_schema_migrations (version TEXT PRIMARY KEY);
             CREATE TABLE b (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;",
        )
        .unwrap();
        let names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["b"]);
    }
}
