//! Columns as domain values: reading text back, and saying what is wrong with a damaged row.
//!
//! A message names the row and the column and never the value, which may be anybody's secret.

use std::fmt::Display;
use std::str::FromStr;

use serde_json::Value;
use workflow_types::damage::{Damaged, Listed};

use crate::error::{Error, ErrorKind};

/// Which row is being read, for messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    kind: &'static str,
    id: &'a str,
}

impl<'a> Row<'a> {
    pub(crate) const fn new(kind: &'static str, id: &'a str) -> Self {
        Self { kind, id }
    }

    /// A text that is a domain value.
    pub(crate) fn parse<T: FromStr>(self, column: &str, text: &str) -> Result<T, Error> {
        text.parse().map_err(|_| self.damaged(column))
    }

    /// A text that is a domain value, if there is one.
    pub(crate) fn parse_maybe<T: FromStr>(
        self,
        column: &str,
        text: Option<&str>,
    ) -> Result<Option<T>, Error> {
        text.map(|text| self.parse(column, text)).transpose()
    }

    /// A word of a closed set.
    pub(crate) fn word<T>(
        self,
        column: &str,
        from_word: fn(&str) -> Option<T>,
        text: &str,
    ) -> Result<T, Error> {
        from_word(text).ok_or_else(|| self.damaged(column))
    }

    /// A JSON text.
    pub(crate) fn json(self, column: &str, text: &str) -> Result<Value, Error> {
        serde_json::from_str(text).map_err(|_| self.damaged(column))
    }

    /// A number of 32 bits.
    pub(crate) fn number(self, column: &str, number: i64) -> Result<u32, Error> {
        u32::try_from(number).map_err(|_| self.damaged(column))
    }

    /// A column that holds what cannot be.
    pub(crate) fn damaged(self, column: &str) -> Error {
        self.contradicts(format_args!("its column {column} cannot be read"))
    }

    /// Columns that contradict each other.
    pub(crate) fn contradicts(self, what: impl Display) -> Error {
        let Self { kind, id } = self;
        let text = format!("{kind} {id} is damaged in the database: {what}");
        Error::new(ErrorKind::Corrupt, text)
    }
}

/// Reads rows one by one, so that a damaged one is named and hides no other.
pub(crate) fn listed<R, T>(
    rows: Vec<R>,
    id: impl Fn(&R) -> String,
    read: impl Fn(R) -> Result<T, Error>,
) -> Listed<T> {
    let mut listed = Listed {
        items: Vec::with_capacity(rows.len()),
        damaged: Vec::new(),
    };
    for row in rows {
        let id = id(&row);
        match read(row) {
            Ok(item) => listed.items.push(item),
            Err(error) => listed.damaged.push(Damaged {
                id,
                reason: error.to_string(),
            }),
        }
    }
    listed
}

/// A condition that is written out in SQL, so that SQLite sees that a partial index applies.
///
/// A bound parameter would hide it, and Diesel's own literals would not be kept prepared.
macro_rules! literal_condition {
    ($(#[$doc:meta])* $name:ident, $table:ident, $sql:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, diesel::query_builder::QueryId, diesel::expression::ValidGrouping)]
        pub(crate) struct $name;

        impl diesel::expression::Expression for $name {
            type SqlType = diesel::sql_types::Bool;
        }

        impl<QS> diesel::expression::AppearsOnTable<QS> for $name where
            <crate::schema::$table::table as diesel::Table>::PrimaryKey:
                diesel::expression::AppearsOnTable<QS>
        {
        }

        impl diesel::query_builder::QueryFragment<diesel::sqlite::Sqlite> for $name {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::sqlite::Sqlite>,
            ) -> diesel::QueryResult<()> {
                out.push_sql(concat!(stringify!($table), ".", $sql));
                Ok(())
            }
        }
    };
}
pub(crate) use literal_condition;
