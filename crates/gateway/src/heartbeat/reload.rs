//! Reads the files of heartbeats although no run is due: at the start, when somebody asks, when they
//! have changed.

use std::sync::Arc;

use workflow_types::id::HeartbeatName;
use workflow_types::schedule::Schedule;

use super::read::{self, Read};
use crate::builder::Scheduling;
use crate::engine::Engine;
use crate::error::{During as _, Error};
use crate::loader::FileReport;
use crate::registrar::Told;

/// What reading the file of a heartbeat again has brought.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HeartbeatReading {
    /// The heartbeat.
    pub name: HeartbeatName,
    /// Why its file cannot be used, in one line with place and remedy. What was known of it stays,
    /// and until it is mended each run is recorded as one that could not be judged.
    pub problem: Option<String>,
    /// The schedule that follows it from now on; none if its cadence names no more times.
    pub schedule: Option<Schedule>,
}

/// Reads every file and keeps what it says, where heartbeats run; those that are not known any more
/// run no longer. Answers what there is to say of each file.
pub(crate) async fn load(engine: &Arc<Engine>) -> Result<Vec<FileReport>, Error> {
    if engine.beats.scheduling == Scheduling::Rest {
        return Ok(Vec::new());
    }
    let names: Vec<HeartbeatName> = engine.beats.names().cloned().collect();
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
        if let Some(read) = told(engine, &name, Told::All).await? {
            if let Some(problem) = &read.problem {
                tracing::warn!(heartbeat = %name, problem, "heartbeat `{name}` cannot run");
            }
            reports.push(read.report);
        }
    }
    Ok(reports)
}

/// Reads the files again and keeps what they say: all of them, or those that are not as they were
/// when they were last told of, if heartbeats run here at all.
///
/// Safe to drop at any point.
pub(crate) async fn reload(
    engine: &Arc<Engine>,
    which: Told,
) -> Result<Vec<(FileReport, HeartbeatReading)>, Error> {
    let is_idle = engine.beats.scheduling == Scheduling::Rest;
    if which == Told::News && is_idle {
        return Ok(Vec::new());
    }
    let names: Vec<HeartbeatName> = engine.beats.names().cloned().collect();
    let mut all = Vec::new();
    for name in names {
        let (engine_of_task, beat) = (Arc::clone(engine), name.clone());
        let reading = async move { told(&engine_of_task, &beat, which).await };
        let Some(read) = engine.whole(reading).await? else {
            continue;
        };
        let Read {
            report,
            problem,
            schedule,
        } = read;
        tracing::info!(heartbeat = %name, problem, "heartbeat `{name}` was read again");
        let reading = HeartbeatReading {
            name,
            problem,
            schedule,
        };
        all.push((report, reading));
    }
    Ok(all)
}

/// Reads a file and keeps what it says; none if it is not to be told of. What a run reads meanwhile
/// is told of all the same.
async fn told(
    engine: &Arc<Engine>,
    name: &HeartbeatName,
    which: Told,
) -> Result<Option<Read>, Error> {
    let Some(file) = engine.beats.file(name) else {
        return Ok(None);
    };
    let _in_turn = file.reading.lock().await;
    let report = read::report(engine, file).await?;
    let text = report.text();
    if which == Told::News && file.is_told(&text) {
        return Ok(None);
    }
    let read = read::keep(engine, name, file, report).await?;
    file.tell(text);
    Ok(Some(read))
}
