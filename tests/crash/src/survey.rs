//! What stands in the database that a killed process left, and how its executions are described.
//!
//! A copy is read: what the recovery meets is what the kill left, and nothing that a reader did.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use anyhow::{Context as _, Result};
use gateway::workflow_types::approval::{Gate, GateKind, GateState};
use gateway::workflow_types::execution::{
    Cancellation, Execution, ExecutionState, Outcome, Visit, VisitState,
};
use gateway::{Error, ErrorKind, Reader};

use crate::ledger::Effect;
use crate::live;

/// What the database says.
pub(crate) struct Survey {
    /// Every execution.
    pub(crate) executions: Vec<Execution>,
    /// More about those that were asked for.
    pub(crate) details: BTreeMap<String, Details>,
    /// What the check of the database found.
    pub(crate) problems: Vec<String>,
}

/// Everything about an execution.
pub(crate) struct Details {
    pub(crate) execution: Execution,
    pub(crate) journal: Vec<Visit>,
    pub(crate) gates: Vec<Gate>,
    pub(crate) cancellation: Option<Cancellation>,
}

/// Which executions are looked at closely.
pub(crate) enum Closely {
    All,
    /// Those that are not finished, and these.
    Unfinished(BTreeSet<String>),
}

/// Reads a copy of a database; none if there is no database yet that could be read.
pub(crate) fn take(directory: &Path, closely: &Closely) -> Result<Option<Survey>> {
    let copy = tempfile::tempdir().context("making a place for a copy failed")?;
    for name in [
        "agentspace.db",
        "agentspace.db-wal",
        "agentspace.db-journal",
    ] {
        let from = directory.join(name);
        if from.exists() {
            std::fs::copy(from, copy.path().join(name))?;
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(read(&live::database(copy.path()), closely))
}

async fn read(database: &Path, closely: &Closely) -> Result<Option<Survey>> {
    let reader = match Reader::open(database).await {
        Ok(reader) => reader,
        Err(error) if is_no_database(&error) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let executions = live::executions(&reader).await?;
    let mut details = BTreeMap::new();
    for execution in &executions {
        let id = execution.id.to_string();
        let wanted = match closely {
            Closely::All => true,
            Closely::Unfinished(more) => {
                !execution.state.status().is_finished() || more.contains(&id)
            }
        };
        if wanted {
            details.insert(id, look(&reader, execution).await?);
        }
    }
    let problems = gateway::database::check(database).await?;
    Ok(Some(Survey {
        executions,
        details,
        problems,
    }))
}

/// A process that is killed while it makes its database leaves none, or half of one.
fn is_no_database(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Missing | ErrorKind::Unusable | ErrorKind::Unavailable
    )
}

async fn look(reader: &Reader, execution: &Execution) -> Result<Details> {
    let id = execution.id;
    Ok(Details {
        execution: execution.clone(),
        journal: reader.journal(id, 1, 1_000).await?,
        gates: reader.gates(id).await?,
        cancellation: reader.cancellation(id).await?,
    })
}

/// Where an execution stood when its process was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    Queued,
    BegunBeforeEffect,
    BegunAfterEffect,
    BackingOff,
    AtGate,
    PastGate,
    Asking,
    Cancelling,
    Completed,
    Failed,
    Other,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queued => "waits for its turn",
            Self::BegunBeforeEffect => "begun, no effect yet",
            Self::BegunAfterEffect => "begun, effect happened, result not recorded",
            Self::BackingOff => "waits for its next attempt",
            Self::AtGate => "waits at a gate",
            Self::PastGate => "gate decided, not begun",
            Self::Asking => "asks what became of an interrupted step",
            Self::Cancelling => "cancelled, not ended yet",
            Self::Completed => "completed",
            Self::Failed => "failed or cancelled",
            Self::Other => "other",
        })
    }
}

impl Details {
    /// Where it stands, given the effects of it.
    pub(crate) fn standing(&self, effects: &[&Effect]) -> Standing {
        match &self.execution.state {
            ExecutionState::Completed { .. } => return Standing::Completed,
            ExecutionState::Failed { .. } => return Standing::Failed,
            ExecutionState::Paused { .. } => {
                let asks = |gate: &Gate| {
                    gate.kind == GateKind::Interrupted && gate.state == GateState::Waiting
                };
                let asking = self.gates.iter().any(asks);
                return if asking {
                    Standing::Asking
                } else {
                    Standing::AtGate
                };
            }
            ExecutionState::Running if self.cancellation.is_some() => return Standing::Cancelling,
            ExecutionState::Running => {}
        }
        let Some(open) = self.journal.last() else {
            return Standing::Queued;
        };
        let is_of = |effect: &&&Effect| {
            effect.key == open.idempotency_key() && effect.attempt == open.attempt
        };
        match &open.state {
            VisitState::Begun if effects.iter().any(|effect| is_of(&effect)) => {
                Standing::BegunAfterEffect
            }
            VisitState::Begun => Standing::BegunBeforeEffect,
            VisitState::BackingOff { .. } => Standing::BackingOff,
            VisitState::Waiting => Standing::PastGate,
            VisitState::Ready | VisitState::Done { .. } => Standing::Other,
        }
    }

    /// Its journal and its last word, as [`Task::ends`](crate::workflow::Task::ends) has them.
    pub(crate) fn words(&self) -> String {
        let mut words: Vec<String> = self.journal.iter().map(word).collect();
        words.push(match &self.execution.state {
            ExecutionState::Failed { failure, .. } => failure.kind.to_string(),
            state @ (ExecutionState::Running
            | ExecutionState::Paused { .. }
            | ExecutionState::Completed { .. }) => state.status().to_string(),
        });
        words.join(" ")
    }
}

fn word(visit: &Visit) -> String {
    let state = match &visit.state {
        VisitState::Done {
            outcome: Outcome::Success { .. },
            ..
        } => "success".to_owned(),
        VisitState::Done {
            outcome: Outcome::Failure(failure),
            ..
        } => failure.kind.to_string(),
        state @ (VisitState::Ready
        | VisitState::Waiting
        | VisitState::Begun
        | VisitState::BackingOff { .. }) => state.status().to_string(),
    };
    format!("{}={state}", visit.step)
}
