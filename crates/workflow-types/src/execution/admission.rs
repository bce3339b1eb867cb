//! Whose turn it is: whether a new execution begins at once, and what waits for its turn.
//!
//! What waits is stored, and in no other way remembered. When room is made, and for how many, is
//! decided elsewhere.

use super::{Claimed, Scope};
use crate::Timestamp;
use crate::action::Concurrency;
use crate::id::WorkflowId;

/// On which conditions a new execution begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whether there is room for one more execution, whatever its workflow.
    pub turn: Turn,
    /// The limit of its workflow, if there is one.
    pub concurrency: Option<Concurrency>,
    /// Those whose turn comes before, if they wait for the same limit.
    pub behind: Scope,
}

impl Entry {
    /// It begins, whatever else runs or waits.
    pub const UNCONDITIONAL: Self = Self {
        turn: Turn::Now,
        concurrency: None,
        behind: Scope::All,
    };
}

/// Whether it is an execution's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It may begin.
    Now,
    /// It has to wait: its visits are made when it is taken up.
    Later,
}

/// Where an execution waits in the queue of its workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Where it would be if it had waited since it was started: before all that were started later.
    OfItsStart,
    /// Behind all that have waited since before an instant.
    Behind(Timestamp),
}

/// For how many there is room, and whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Those that may be taken up.
    pub scope: Scope,
    /// The workflow that had its turn last.
    pub after: Option<WorkflowId>,
    /// The most that are taken up.
    pub room: usize,
}

/// What a round has taken up.
#[derive(Debug, Clone, PartialEq)]
pub struct Admitted {
    /// The executions, in the order of their turns.
    pub claimed: Vec<Claimed>,
    /// The workflow that had its turn last.
    pub after: Option<WorkflowId>,
    /// Whether some still wait only because of the limit of their workflow.
    pub held_up: bool,
}
