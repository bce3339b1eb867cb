//! What is known outside of the database: effects of tools, and what clients were answered.
//!
//! Each line is written at once and synced before anything follows from it, so that a killed
//! process leaves whole lines, and everything that had happened.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// One effect of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Effect {
    /// Its execution and its step, as the definition had them resolved.
    pub(crate) at: String,
    /// Its idempotency key.
    pub(crate) key: String,
    pub(crate) attempt: u32,
}

/// Something that a client was answered, and may rely on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Promise {
    /// The execution of a task.
    Started { task: String, id: String },
    /// A gate was decided: `approve`, `deny`, `rerun`, `done` or `fail`.
    Decided { gate: String, word: String },
    /// An execution will end as cancelled.
    Cancelled { id: String },
    /// An execution has ended.
    Ended { id: String, status: String },
}

/// A file to which lines are added.
pub(crate) struct Ledger {
    file: Mutex<File>,
}

impl Ledger {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .with_context(|| format!("opening {} failed", path.display()))?;
        let file = Mutex::new(file);
        Ok(Self { file })
    }

    /// Adds a line; it is on disk when this returns.
    pub(crate) fn add<T: Serialize>(&self, line: &T) -> Result<()> {
        let text = serde_json::to_string(line)? + "\n";
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(())
    }
}

/// Where the effects are.
pub(crate) fn effects_path(directory: &Path) -> PathBuf {
    directory.join("ledger")
}

/// Where the answers are.
pub(crate) fn promises_path(directory: &Path) -> PathBuf {
    directory.join("promises")
}

/// Everything that is known outside of the database.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    /// The effects in their order.
    pub(crate) effects: Vec<Effect>,
    pub(crate) promises: Vec<Promise>,
}

impl Outside {
    pub(crate) fn read(directory: &Path) -> Result<Self> {
        Ok(Self {
            effects: lines(&effects_path(directory))?,
            promises: lines(&promises_path(directory))?,
        })
    }

    /// The execution of each task whose start was answered.
    pub(crate) fn started(&self) -> BTreeMap<String, String> {
        let started = self.promises.iter().filter_map(|promise| match promise {
            Promise::Started { task, id } => Some((task.clone(), id.clone())),
            Promise::Decided { .. } | Promise::Cancelled { .. } | Promise::Ended { .. } => None,
        });
        started.collect()
    }
}

/// The lines of a file; none if there is none.
pub(crate) fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(error).with_context(|| format!("reading {} failed", path.display()));
        }
    };
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("not a whole line: {line}")))
        .collect()
}
