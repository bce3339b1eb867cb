//! Lists of executions, page by page: which are meant, and where a page ends.
//!
//! A page continues after a place and not after a count, so executions that start meanwhile neither
//! repeat nor hide others.

use super::{Execution, ExecutionStatus, FailureKind, TriggeredBy};
use crate::Timestamp;
use crate::damage::Damaged;
use crate::id::WorkflowId;

/// Which executions are listed; what is absent does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecutionFilter {
    /// Of this workflow.
    pub workflow: Option<WorkflowId>,
    /// In this state.
    pub status: Option<ExecutionStatus>,
    /// Only those that wait for their turn, which are running ones.
    pub queued: bool,
    /// Failed with this kind.
    pub failure: Option<FailureKind>,
    /// Started by this.
    pub triggered_by: Option<TriggeredBy>,
    /// Started then or later.
    pub from: Option<Timestamp>,
    /// Started before then.
    pub before: Option<Timestamp>,
}

/// Where a page ends: the place of its last row in the order of all.
///
/// It holds texts as they are stored, because a row whose columns cannot be read has a place, too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageKey {
    started_at: String,
    id: String,
}

impl PageKey {
    /// The place of the execution of this id that was started then.
    pub fn new(started_at: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            started_at: started_at.into(),
            id: id.into(),
        }
    }

    /// When the last execution of the page was started.
    pub fn started_at(&self) -> &str {
        &self.started_at
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The executions, newest first.
    pub items: Vec<Execution>,
    /// Those of this part that cannot be read.
    pub damaged: Vec<Damaged>,
    /// Where the next page begins; none after the last one.
    pub next: Option<PageKey>,
}
