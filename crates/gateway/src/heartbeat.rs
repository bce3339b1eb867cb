//! Heartbeats: files that make a workflow and its schedule, and are read anew at every run.
//!
//! A run is an execution like any other. What it found out is judged after its end, from what is
//! stored, so that a process that died in between loses nothing and tells nothing twice.

mod judge;
mod operation;
mod read;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use workflow_types::id::{ExecutionId, HeartbeatName};

use crate::builder::Scheduling;
use crate::engine::Engine;
use crate::error::{During as _, Error};
use crate::loader::{FileReport, Known};

pub use operation::{HeartbeatOutcome, Heartbeats};
pub(crate) use read::{Followed, follow};

/// The heartbeats of a gateway, and which of their executions have not ended.
pub(crate) struct Beats {
    files: BTreeMap<HeartbeatName, PathBuf>,
    known: Known,
    running: Mutex<HashSet<ExecutionId>>,
    /// Wakes the task that judges when something may be judged.
    wake: Notify,
}

impl Beats {
    pub(crate) fn new(files: BTreeMap<HeartbeatName, PathBuf>, known: Known) -> Self {
        Self {
            files,
            known,
            running: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// Where the file of a heartbeat is, if this gateway knows it.
    fn file(&self, name: &HeartbeatName) -> Option<&Path> {
        self.files.get(name).map(PathBuf::as_path)
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

/// Reads every file and keeps what it says, where heartbeats run; those that are not known any more
/// run no longer. Answers what there is to say of each file.
pub(crate) async fn load(
    engine: &Arc<Engine>,
    scheduling: Scheduling,
) -> Result<Vec<FileReport>, Error> {
    if scheduling == Scheduling::Rest {
        return Ok(Vec::new());
    }
    let names: Vec<HeartbeatName> = engine.beats.files.keys().cloned().collect();
    let kept = engine.reads.heartbeats().list().await;
    let kept = kept.during("listing heartbeats")?;
    let is_gone = |name: &HeartbeatName| !names.contains(name);
    if !kept.damaged.is_empty() || kept.items.iter().any(|kept| is_gone(&kept.name)) {
        let now = engine.clock.now();
        let detached = engine
            .store
            .heartbeats()
            .detach_others(names.clone(), now)
            .await;
        detached.during("switching off heartbeats that are gone")?;
        engine.alerts.look();
    }
    let mut reports = Vec::with_capacity(names.len());
    for name in names {
        if let Some(read) = read::read(engine, &name).await? {
            if let Some(problem) = &read.problem {
                tracing::warn!(heartbeat = %name, problem, "heartbeat `{name}` cannot run");
            }
            reports.push(read.report);
        }
    }
    Ok(reports)
}

/// Judges what has ended, and whatever ends from now on, where heartbeats run.
pub(crate) fn start(engine: &Arc<Engine>, scheduling: Scheduling) {
    if scheduling == Scheduling::Fire {
        engine.task(judge::run(Arc::clone(engine)));
    }
}
