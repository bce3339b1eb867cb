//! Judges runs that have ended: what they found out becomes findings, once for each.
//!
//! Which were not judged yet stands in the database; a wake-up only says that there may be some.

use std::collections::HashSet;
use std::sync::Arc;

use workflow_types::Timestamp;
use workflow_types::alert::{AlertSource, Finding, Findings, Verdict};
use workflow_types::execution::{
    Execution, ExecutionFilter, ExecutionState, ExecutionStatus, TriggeredBy,
};
use workflow_types::heartbeat::{
    self, HeartbeatJudgement, HeartbeatRecord, HeartbeatRun, JudgementRecorded,
};
use workflow_types::id::{ExecutionId, HeartbeatName};

use crate::alert;
use crate::engine::{Engine, Patience};
use crate::error::{During as _, Error};

/// Runs that are looked for at once.
const BATCH: usize = 256;

/// Judges what has ended and was not judged, and then whatever ends, until the engine drains.
pub(super) async fn run(engine: Arc<Engine>) {
    let mut judge = Judge::new(&engine);
    let mut patience = Patience::new();
    loop {
        let again = match judge.look().await {
            Ok(()) => {
                patience = Patience::new();
                None
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "what heartbeats found out cannot be judged for now");
                Some(engine.clock.now().saturating_add(patience.pause()))
            }
        };
        let later = async {
            match again {
                Some(at) => engine.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = later => {}
            () = engine.beats.wake.notified() => {}
            () = engine.draining.cancelled() => return,
        }
    }
}

struct Judge {
    engine: Arc<Engine>,
    /// Nothing was looked at yet.
    is_new: bool,
    /// Runs that cannot be judged, because they are damaged.
    given_up: HashSet<ExecutionId>,
    /// How many were judged.
    count: usize,
}

/// Judges all that has ended and was not judged; answers how many runs that was.
pub(super) async fn all(engine: &Arc<Engine>) -> Result<usize, Error> {
    let mut judge = Judge::new(engine);
    judge.look().await?;
    Ok(judge.count)
}

impl Judge {
    fn new(engine: &Arc<Engine>) -> Self {
        Self {
            engine: Arc::clone(engine),
            is_new: true,
            given_up: HashSet::new(),
            count: 0,
        }
    }

    async fn look(&mut self) -> Result<(), Error> {
        if self.is_new {
            // Before what has ended is looked for, so that nothing that ends meanwhile is missed.
            note_unfinished(&self.engine).await?;
            self.is_new = false;
        }
        while self.executions().await? {}
        while self.fires().await? {}
        Ok(())
    }

    /// Judges some executions; whether there may be more.
    async fn executions(&mut self) -> Result<bool, Error> {
        let found = self
            .engine
            .reads
            .heartbeats()
            .unjudged(BATCH + self.given_up.len())
            .await;
        let found = found.during("looking for runs of heartbeats that have ended")?;
        let mut progress = false;
        for id in found {
            if self.given_up.contains(&id) || self.engine.is_draining() {
                continue;
            }
            match judge(&self.engine, id).await {
                Ok(_) => {
                    self.count += 1;
                    progress = true;
                }
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, execution.id = %id, "a run of a heartbeat cannot be judged");
                    self.given_up.insert(id);
                }
            }
        }
        Ok(progress)
    }

    /// Tells of some fires at which nothing could be started; whether there may be more.
    async fn fires(&mut self) -> Result<bool, Error> {
        let found = self.engine.reads.heartbeats().untold(BATCH).await;
        let found = found.during("looking for heartbeats that could not be started")?;
        let mut progress = false;
        for fire in found {
            let judgement = HeartbeatJudgement {
                run: HeartbeatRun::NotStarted {
                    name: fire.name.clone(),
                    fire_time: fire.fire_time,
                },
                findings: Some(fire.findings()),
                at: self.engine.clock.now(),
            };
            record(&self.engine, judgement).await?;
            self.count += 1;
            progress = true;
        }
        Ok(progress)
    }
}

/// Notes the executions that a process before has left: their ends are waited for.
async fn note_unfinished(engine: &Engine) -> Result<(), Error> {
    for status in [ExecutionStatus::Running, ExecutionStatus::Paused] {
        let filter = ExecutionFilter {
            status: Some(status),
            triggered_by: Some(TriggeredBy::Heartbeat),
            ..ExecutionFilter::default()
        };
        let mut after = None;
        loop {
            let page = engine.reads.executions(filter.clone(), after, BATCH).await;
            let page = page.during("looking for runs of heartbeats that have not ended")?;
            for execution in &page.items {
                engine.beats.began(execution.id);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// Judges an execution that has ended, and answers what it found out; repeating it changes nothing.
pub(super) async fn judge(engine: &Arc<Engine>, id: ExecutionId) -> Result<Vec<Finding>, Error> {
    let doing = || format!("judging run {id} of a heartbeat");
    let found = engine.reads.execution(id).await.during(doing())?;
    let Some(execution) = found else {
        return Ok(Vec::new());
    };
    let record_of = match HeartbeatName::try_new(execution.workflow_id.to_string()) {
        Ok(name) => engine
            .reads
            .heartbeats()
            .find(&name)
            .await
            .during(doing())?,
        Err(_) => None,
    };
    let at = ended_at(&execution).unwrap_or_else(|| engine.clock.now());
    let (run, findings) = match &record_of {
        Some((of, _)) => match findings(engine, &execution, of, at).await {
            Ok(found) => (HeartbeatRun::Ended(id), Some(found)),
            Err(error) if error.is_transient() => return Err(error),
            // What it ran cannot be read: nothing is known of its items, and that is said.
            Err(error) => {
                let found = unreadable(&execution, of, at, &error);
                (HeartbeatRun::Unreadable(id), Some(found))
            }
        },
        None => (HeartbeatRun::Ended(id), None),
    };
    let found = findings.as_ref().map(|all| all.findings.clone());
    let judgement = HeartbeatJudgement {
        run,
        findings,
        at: engine.clock.now(),
    };
    record(engine, judgement).await?;
    Ok(found.unwrap_or_default())
}

async fn findings(
    engine: &Arc<Engine>,
    execution: &Execution,
    of: &HeartbeatRecord,
    at: Timestamp,
) -> Result<Findings, Error> {
    let definition = engine.definition(&execution.definition).await?;
    let state = engine.reads.state(execution.id).await;
    let state = state.during("reading the results of a heartbeat")?;
    let results = state.map(|state| state.step_results).unwrap_or_default();
    Ok(Findings {
        source: AlertSource::Heartbeat(of.name.clone()),
        execution: execution.id,
        at,
        findings: heartbeat::findings(&definition, &execution.state, &results),
        unknown_after: of.unknown_after,
    })
}

/// What is said of a run whose definition or results cannot be read.
fn unreadable(
    execution: &Execution,
    of: &HeartbeatRecord,
    at: Timestamp,
    error: &Error,
) -> Findings {
    Findings {
        source: AlertSource::Heartbeat(of.name.clone()),
        execution: execution.id,
        at,
        findings: vec![Finding {
            item: heartbeat::RUNS.to_owned(),
            verdict: Verdict::Unknown {
                reason: format!("what its run found cannot be read: {error}"),
            },
        }],
        unknown_after: of.unknown_after,
    }
}

async fn record(engine: &Arc<Engine>, judgement: HeartbeatJudgement) -> Result<(), Error> {
    let engine_of_task = Arc::clone(engine);
    let work = async move {
        let engine = engine_of_task;
        let recorded = engine.store.heartbeats().judge(judgement).await;
        match recorded.during("recording what a heartbeat found out")? {
            JudgementRecorded::New(changes) => {
                changes.iter().for_each(alert::report);
                engine.alerts.look();
            }
            JudgementRecorded::Repeated => {}
        }
        Ok(())
    };
    engine.whole(work).await
}

fn ended_at(execution: &Execution) -> Option<Timestamp> {
    match execution.state {
        ExecutionState::Completed { at } | ExecutionState::Failed { at, .. } => Some(at),
        ExecutionState::Running | ExecutionState::Paused { .. } => None,
    }
}
