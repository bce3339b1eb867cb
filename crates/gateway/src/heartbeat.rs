//! Heartbeats: files that make a workflow and its schedule, and are read anew at every run.
//!
//! A run is an execution like any other. What it found out is judged after its end, from what is
//! stored, so that a process that died in between loses nothing and tells nothing twice.

mod judge;
mod operation;
mod read;
mod reload;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use workflow_types::id::{ExecutionId, HeartbeatName};

use crate::builder::Scheduling;
use crate::engine::Engine;
use crate::loader::{Known, Text};

pub use operation::{HeartbeatOutcome, Heartbeats};
pub(crate) use read::{Followed, follow};
pub use reload::HeartbeatReading;
pub(crate) use reload::{load, reload};

/// The heartbeats of a gateway, and which of their executions have not ended.
pub(crate) struct Beats {
    files: BTreeMap<HeartbeatName, BeatFile>,
    known: Known,
    /// Whether they run at their times, or only when somebody asks.
    scheduling: Scheduling,
    running: Mutex<HashSet<ExecutionId>>,
    /// Wakes the task that judges when something may be judged.
    wake: Notify,
}

/// The file of a heartbeat.
struct BeatFile {
    path: PathBuf,
    /// Held from the reading to its end, so that what was read first is not kept last.
    reading: tokio::sync::Mutex<()>,
    /// What it was when it was last told of.
    told: Mutex<Option<Text>>,
}

impl BeatFile {
    fn new(path: PathBuf) -> Self {
        Self {
            path,
            reading: tokio::sync::Mutex::default(),
            told: Mutex::default(),
        }
    }

    fn is_told(&self, text: &Text) -> bool {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.as_ref() == Some(text)
    }

    fn tell(&self, text: Text) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        *told = Some(text);
    }
}

impl Beats {
    pub(crate) fn new(
        files: BTreeMap<HeartbeatName, PathBuf>,
        known: Known,
        scheduling: Scheduling,
    ) -> Self {
        let files = files.into_iter();
        Self {
            files: files
                .map(|(name, path)| (name, BeatFile::new(path)))
                .collect(),
            known,
            scheduling,
            running: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// The names of the heartbeats that this gateway knows, in order.
    fn names(&self) -> impl Iterator<Item = &HeartbeatName> {
        self.files.keys()
    }

    /// Where the file of each heartbeat is.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&HeartbeatName, &Path)> {
        let files = self.files.iter();
        files.map(|(name, file)| (name, file.path.as_path()))
    }

    /// The file of a heartbeat, if this gateway knows it.
    fn file(&self, name: &HeartbeatName) -> Option<&BeatFile> {
        self.files.get(name)
    }

    /// An execution of a heartbeat was stored, and may end at any time.
    pub(crate) fn began(&self, id: ExecutionId) {
        self.running().insert(id);
    }

    /// An execution has ended: said after it was written.
    pub(crate) fn ended(&self, id: ExecutionId) {
        let was_one = self.running().remove(&id);
        if was_one {
            self.look();
        }
    }

    /// Something may be judged: said after it was written.
    pub(crate) fn look(&self) {
        self.wake.notify_one();
    }

    fn running(&self) -> MutexGuard<'_, HashSet<ExecutionId>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Judges what has ended, and whatever ends from now on, where heartbeats run.
pub(crate) fn start(engine: &Arc<Engine>) {
    if engine.beats.scheduling == Scheduling::Fire {
        engine.task(judge::run(Arc::clone(engine)));
    }
}
