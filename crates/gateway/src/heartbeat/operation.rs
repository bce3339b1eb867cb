//! What a host asks of heartbeats: to be listed, read again, and run now.

use workflow_types::alert::Finding;
use workflow_types::damage::Listed;
use workflow_types::execution::{Execution, TriggeredBy};
use workflow_types::heartbeat::HeartbeatRecord;
use workflow_types::id::{ExecutionId, HeartbeatName};

use super::{judge, read};
use crate::engine::NewExecution;
use crate::error::{Error, ErrorKind};
use crate::gateway::Gateway;
use crate::loader::FileReport;

/// The heartbeats of a gateway; made by [`Gateway::heartbeats`].
#[derive(Clone, Copy)]
pub struct Heartbeats<'a> {
    gateway: &'a Gateway,
}

/// How a run of a heartbeat came to rest, and what it found out.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HeartbeatOutcome {
    /// The execution, at rest.
    pub execution: Execution,
    /// What it found out about each item, in the order of the checklist, and about the heartbeat
    /// itself ([`RUNS`](workflow_types::heartbeat::RUNS)); nothing while it waits at a gate.
    pub findings: Vec<Finding>,
}

impl Gateway {
    /// The heartbeats.
    pub fn heartbeats(&self) -> Heartbeats<'_> {
        Heartbeats { gateway: self }
    }
}

impl Heartbeats<'_> {
    /// Those that this gateway was given a file of, in the order of their names.
    pub fn names(&self) -> Vec<HeartbeatName> {
        self.gateway.engine.beats.names().cloned().collect()
    }

    /// Every heartbeat that was ever kept in the database, in the order of their names; damaged ones
    /// are named beside them.
    pub async fn list(&self) -> Result<Listed<HeartbeatRecord>, Error> {
        self.gateway.reader().heartbeats().await
    }

    /// Reads the file of a heartbeat again, and keeps what it says, as each run does: another
    /// interval, zone or window becomes that of its schedule in one transaction, and one that was
    /// switched off runs again. A file that cannot be used changes nothing, and is reported.
    ///
    /// Fails with [`ErrorKind::NotFound`] if the gateway was given no such heartbeat.
    pub async fn reload(&self, name: &HeartbeatName) -> Result<FileReport, Error> {
        Ok(self.read(name).await?.report)
    }

    /// Starts a run now, whatever its cadence: stored, and under way, when this returns. It is no
    /// fire, and the next one stays.
    ///
    /// Fails with [`ErrorKind::NotFound`] if the gateway was given no such heartbeat, with
    /// [`ErrorKind::Invalid`], saying why, if its file cannot be used, and with [`ErrorKind::Busy`]
    /// while another run of it is not finished.
    pub async fn start(&self, name: &HeartbeatName) -> Result<Execution, Error> {
        let read = self.read(name).await?;
        if let Some(problem) = read.problem {
            let context = format!("heartbeat `{name}` cannot run: {problem}");
            return Err(Error::new(ErrorKind::Invalid, context));
        }
        let engine = &self.gateway.engine;
        let workflow_id = name.workflow();
        let (digest, definition) = engine.current_definition(&workflow_id).await?;
        engine
            .begin(NewExecution {
                workflow_id,
                digest,
                definition,
                input: serde_json::Value::Object(serde_json::Map::new()),
                triggered_by: TriggeredBy::Heartbeat,
                idempotency_key: None,
                schedule: read.schedule.map(|schedule| schedule.spec.id),
                scheduled_for: None,
                repeat: None,
            })
            .await
    }

    /// Waits until a run is at rest, and answers what it found out, which is recorded then. Safe to
    /// drop: a run that has ended is judged by whichever gateway comes next.
    pub async fn outcome(&self, id: ExecutionId) -> Result<HeartbeatOutcome, Error> {
        let execution = self.gateway.wait(id).await?;
        let findings = if execution.state.status().is_finished() {
            // What ended before it counts before it, or old findings would take the place of new ones.
            self.settle().await?;
            judge::judge(&self.gateway.engine, id).await?
        } else {
            Vec::new()
        };
        Ok(HeartbeatOutcome {
            execution,
            findings,
        })
    }

    /// Judges every run that has ended and was not judged, by whichever process it was carried;
    /// answers how many. A gateway that fires schedules does so by itself.
    pub async fn settle(&self) -> Result<usize, Error> {
        judge::all(&self.gateway.engine).await
    }

    async fn read(&self, name: &HeartbeatName) -> Result<read::Read, Error> {
        let engine = std::sync::Arc::clone(&self.gateway.engine);
        let named = name.clone();
        let reading = async move { read::read(&engine, &named).await };
        self.gateway.engine.whole(reading).await?.ok_or_else(|| {
            let known: Vec<String> = self.names().iter().map(ToString::to_string).collect();
            let near = known.iter().map(String::as_str);
            let near = workflow_types::diagnostic::closest(name.as_ref(), near);
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "none is configured".to_owned(),
                None => format!("there are: {}", known.join(", ")),
            };
            let context = format!("there is no heartbeat `{name}`; {help}");
            Error::new(ErrorKind::NotFound, context)
        })
    }
}
