//! Everything that can be read of a gateway's database, by its owner or beside it.

use std::collections::BTreeMap;
use std::path::Path;

use db::definition::SavedDefinition;
use db::execution::{ExecutionFilter, Page, PageKey};
use db::workflow::Workflow;
use workflow_types::approval::{Gate, GateState};
use workflow_types::definition::DefinitionDigest;
use workflow_types::execution::{Execution, Visit, WorkflowExecutionState};
use workflow_types::id::{ExecutionId, GateId, StepId, WorkflowId};

use crate::error::{Error, ErrorKind};
use crate::store::Readers;

/// Reads a gateway's database. Cheap to clone; reading never waits for a writer.
#[derive(Clone)]
pub struct Reader {
    readers: Readers,
}

impl Reader {
    pub(crate) fn new(readers: Readers) -> Self {
        Self { readers }
    }

    /// Reads a database that another process may own.
    ///
    /// Fails with [`ErrorKind::Missing`] where there is none, and with [`ErrorKind::Unusable`]
    /// where it is of another version.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let readers = Readers::new(path.as_ref());
        readers.open().await?;
        Ok(Self::new(readers))
    }

    /// Every registered workflow, in the order of their ids.
    pub async fn workflows(&self) -> Result<Vec<Workflow>, Error> {
        self.readers
            .read("listing workflows", db::workflow::list)
            .await
    }

    /// A registered workflow; fails with [`ErrorKind::NotFound`] if there is none.
    pub async fn workflow(&self, id: &WorkflowId) -> Result<Workflow, Error> {
        let wanted = id.clone();
        self.readers
            .read("reading a workflow", move |c| {
                db::workflow::find(c, &wanted)
            })
            .await?
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no workflow `{id}`")))
    }

    /// A definition with the text that its author wrote.
    pub async fn definition(&self, digest: &DefinitionDigest) -> Result<SavedDefinition, Error> {
        let wanted = digest.clone();
        self.readers
            .read("reading a definition", move |c| {
                db::definition::load(c, &wanted)
            })
            .await?
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::NotFound,
                    format!("there is no definition {digest}"),
                )
            })
    }

    /// Executions, the newest first, a page at a time.
    pub async fn executions(
        &self,
        filter: ExecutionFilter,
        after: Option<PageKey>,
        limit: usize,
    ) -> Result<Page, Error> {
        self.readers
            .read("listing executions", move |c| {
                db::execution::list(c, &filter, after, limit)
            })
            .await
    }

    /// An execution; fails with [`ErrorKind::NotFound`] if there is none.
    pub async fn execution(&self, id: ExecutionId) -> Result<Execution, Error> {
        self.readers
            .read("reading an execution", move |c| db::execution::find(c, &id))
            .await?
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no execution {id}")))
    }

    /// An execution with the latest result of each step, in the shape of the protocol.
    pub async fn state(&self, id: ExecutionId) -> Result<WorkflowExecutionState, Error> {
        type Parts = (
            Execution,
            BTreeMap<StepId, workflow_types::execution::StepResult>,
            Option<StepId>,
        );
        let parts: Option<Parts> = self
            .readers
            .read("reading an execution", move |c| {
                let Some(execution) = db::execution::find(c, &id)? else {
                    return Ok(None);
                };
                let results = db::execution::results(c, &id)?;
                let current = db::execution::current_step(c, &id)?;
                Ok(Some((execution, results, current)))
            })
            .await?;
        let (execution, results, current) = parts.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("there is no execution {id}"))
        })?;
        Ok(WorkflowExecutionState::new(&execution, results, current))
    }

    /// The journal of an execution from a visit on, at most `limit` visits.
    pub async fn journal(
        &self,
        id: ExecutionId,
        from: u32,
        limit: usize,
    ) -> Result<Vec<Visit>, Error> {
        self.readers
            .read("reading a journal", move |c| {
                db::visit::journal(c, &id, from, limit)
            })
            .await
    }

    /// Every gate that waits, the oldest first.
    pub async fn waiting_gates(&self) -> Result<Vec<Gate>, Error> {
        self.readers
            .read("listing approvals", db::gate::waiting)
            .await
    }

    /// A gate; fails with [`ErrorKind::NotFound`] if there is none.
    pub async fn gate(&self, id: GateId) -> Result<Gate, Error> {
        self.readers
            .read("reading an approval", move |c| db::gate::find(c, &id))
            .await?
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no approval {id}")))
    }

    /// Every gate of an execution, the oldest first.
    pub async fn gates(&self, id: ExecutionId) -> Result<Vec<Gate>, Error> {
        self.readers
            .read("listing approvals", move |c| db::gate::of(c, &id))
            .await
    }

    /// The gate at which an execution waits, or else the last one it had.
    ///
    /// Fails with [`ErrorKind::NotFound`] if it never had one.
    pub async fn gate_of(&self, id: ExecutionId) -> Result<Gate, Error> {
        let mut gates = self.gates(id).await?;
        let waiting = gates
            .iter()
            .position(|gate| gate.state == GateState::Waiting);
        let position = waiting.or_else(|| gates.len().checked_sub(1));
        position
            .map(|position| gates.swap_remove(position))
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::NotFound,
                    format!("execution {id} has no approvals"),
                )
            })
    }
}
