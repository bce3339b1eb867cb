//! What is registered: workflows, and the definitions that they had.
//!
//! How it is stored, and when an execution takes which definition, is decided elsewhere.

use std::num::NonZeroU32;

use crate::Timestamp;
use crate::definition::{DefinitionDigest, StoredDefinition};
use crate::id::WorkflowId;
use crate::schedule::ScheduleSpec;

/// A workflow as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// Its id.
    pub id: WorkflowId,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where its newest definition came from.
    pub path: String,
    /// The digest of its newest definition, which new executions run.
    pub digest: DefinitionDigest,
    /// When it was registered first.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// A definition that becomes the newest of its workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    /// The workflow.
    pub id: WorkflowId,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where the definition came from.
    pub path: String,
    /// The canonical definition.
    pub definition: StoredDefinition,
    /// The text that its author wrote.
    pub source: String,
    /// The limit of its `concurrency`, which applies from now on to all that have not begun.
    pub concurrency_limit: Option<NonZeroU32>,
    /// The schedule that its `trigger` asks for; it follows the trigger from then on.
    pub schedule: Option<ScheduleSpec>,
    /// Now.
    pub at: Timestamp,
}

/// What a registration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// The workflow was not known.
    New,
    /// Its definition, name, description or path changed.
    Changed,
    /// Everything was known; nothing was written.
    Unchanged,
}

/// A definition as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedDefinition {
    /// Its canonical form.
    pub stored: StoredDefinition,
    /// The text that its author wrote when it was first registered.
    pub source: String,
}
