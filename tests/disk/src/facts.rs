//! What a database says after its recovery, read by SQLite alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::event::{Effect, Seen};

/// What is stored, as far as it was promised to somebody; and a fingerprint of all the rest.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The same for two databases whose rows are the same.
    pub fingerprint: u64,
    /// Every execution, and whether it has ended.
    pub executions: BTreeMap<String, bool>,
    /// The gates that are decided.
    decided: BTreeSet<String>,
    /// By idempotency key: the attempt and the state of each visit.
    visits: BTreeMap<String, (u32, String)>,
}

/// What is not as it was promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// Something that was answered is gone.
    Lost(String),
    /// Something happened more often than it may.
    Duplicated(String),
    /// The file, or what it says, is damaged.
    Corrupt(String),
    /// It does not go on, or not to the end that its definition says.
    Stuck(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(what) => write!(f, "lost: {what}"),
            Self::Duplicated(what) => write!(f, "duplicated: {what}"),
            Self::Corrupt(what) => write!(f, "corrupt: {what}"),
            Self::Stuck(what) => write!(f, "stuck: {what}"),
        }
    }
}

impl Facts {
    /// Lets SQLite recover a database and reads all of it.
    pub fn read(database: &Path) -> Result<Self, Broken> {
        read(database).unwrap_or_else(|error| {
            Err(Broken::Corrupt(format!(
                "the database cannot be read: {error}"
            )))
        })
    }

    /// Whether what was seen is still true.
    pub fn keep(&self, seen: &Seen) -> Result<(), Broken> {
        let is_kept = match seen {
            Seen::Started(id) => self.executions.contains_key(&id.to_string()),
            Seen::Decided(gate) => self.decided.contains(&gate.to_string()),
            Seen::Ended(id) => self.executions.get(&id.to_string()) == Some(&true),
            Seen::Effect(effect) => self.has_begun(effect),
        };
        if is_kept {
            return Ok(());
        }
        Err(Broken::Lost(format!("{seen:?}")))
    }

    /// Whether a result of the visit of a call is recorded.
    pub fn is_done(&self, effect: &Effect) -> bool {
        let visit = self.visits.get(&effect.key);
        visit.is_some_and(|(_, state)| state == "done")
    }

    fn has_begun(&self, effect: &Effect) -> bool {
        let Some((attempt, state)) = self.visits.get(&effect.key) else {
            return false;
        };
        let begun = ["begun", "backing_off", "done"].contains(&state.as_str());
        *attempt > effect.attempt || (*attempt == effect.attempt && begun)
    }
}

type Read<T> = rusqlite::Result<T>;

fn read(database: &Path) -> Read<Result<Facts, Broken>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = Connection::open_with_flags(database, flags)?;
    let damage = texts(
        &connection,
        "SELECT integrity_check FROM pragma_integrity_check",
    )?;
    if damage != ["ok"] {
        return Ok(Err(Broken::Corrupt(damage.join("; "))));
    }
    let orphans = texts(
        &connection,
        "SELECT \"table\" FROM pragma_foreign_key_check",
    )?;
    if !orphans.is_empty() {
        let message = format!("rows of {} refer to nothing", orphans.join(", "));
        return Ok(Err(Broken::Corrupt(message)));
    }
    let mut facts = Facts {
        fingerprint: fingerprint(&connection)?,
        ..Facts::default()
    };
    let tables = texts(
        &connection,
        "SELECT name FROM sqlite_schema WHERE type = 'table'",
    )?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    if !(has("workflow_executions") && has("gates") && has("step_visits")) {
        return Ok(Ok(facts));
    }
    let sql = "SELECT id, status IN ('completed', 'failed') FROM workflow_executions";
    let mut rows = connection.prepare(sql)?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    facts.executions = rows.collect::<Read<_>>()?;
    let decided = "SELECT id FROM gates WHERE state <> 'waiting'";
    facts.decided = texts(&connection, decided)?.into_iter().collect();
    let sql = "SELECT idempotency_key, attempt, state FROM step_visits";
    let mut rows = connection.prepare(sql)?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    facts.visits = rows.collect::<Read<_>>()?;
    Ok(Ok(facts))
}

/// Of every row of every table, and of the schema.
fn fingerprint(connection: &Connection) -> Read<u64> {
    let mut hasher = DefaultHasher::new();
    let schema = "SELECT sql FROM sqlite_schema
        UNION ALL SELECT user_version FROM pragma_user_version
        UNION ALL SELECT application_id FROM pragma_application_id";
    let mut statements = connection.prepare(schema)?;
    let mut rows = statements.query([])?;
    while let Some(row) = rows.next()? {
        feed(&mut hasher, row.get_ref(0)?);
    }
    for table in texts(
        connection,
        "SELECT name FROM sqlite_schema WHERE type = 'table'",
    )? {
        table.hash(&mut hasher);
        let mut statement = connection.prepare(&format!("SELECT * FROM \"{table}\""))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                feed(&mut hasher, row.get_ref(column)?);
            }
        }
    }
    Ok(hasher.finish())
}

fn feed(hasher: &mut DefaultHasher, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => 0_u8.hash(hasher),
        ValueRef::Integer(value) => value.hash(hasher),
        ValueRef::Real(value) => value.to_bits().hash(hasher),
        ValueRef::Text(value) | ValueRef::Blob(value) if value.len() < LARGE => {
            hasher.write(value);
        }
        ValueRef::Text(value) | ValueRef::Blob(value) => known(value).hash(hasher),
    }
}

/// Values that are compared instead of hashed, which is slow without optimization.
const LARGE: usize = 1024;

/// The place of a large value among those that were seen; equal ones have the same.
fn known(value: &[u8]) -> (usize, usize) {
    static KNOWN: Mutex<BTreeMap<usize, Vec<Vec<u8>>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let same_length = known.entry(value.len()).or_default();
    let place = same_length.iter().position(|other| other == value);
    let place = place.unwrap_or_else(|| {
        same_length.push(value.to_owned());
        same_length.len() - 1
    });
    (value.len(), place)
}

fn texts(connection: &Connection, sql: &str) -> Read<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.collect()
}
