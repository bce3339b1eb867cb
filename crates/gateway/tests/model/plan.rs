//! What happens in one case: the workflows, what their tools answer, what people do, and where the
//! process dies.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use gateway::workflow_types::WorkflowDefinition;
use gateway::workflow_types::approval::{Decision, Resolution};
use gateway::workflow_types::definition::{DefinitionDigest, StoredDefinition};
use gateway::workflow_types::execution::TriggeredBy;
use serde_json::Value;

/// One case.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) flows: Vec<Flow>,
    pub(crate) replies: Replies,
    pub(crate) acts: Vec<Act>,
    /// Where the first processes die; those after them do not.
    pub(crate) deaths: Vec<Option<Death>>,
}

/// A workflow with all versions that it will have.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    pub(crate) id: &'static str,
    pub(crate) editions: Vec<Arc<Edition>>,
}

/// One version of a workflow.
#[derive(Debug)]
pub(crate) struct Edition {
    pub(crate) written: Value,
    pub(crate) definition: WorkflowDefinition,
    pub(crate) digest: DefinitionDigest,
}

impl Edition {
    pub(crate) fn new(written: Value, definition: WorkflowDefinition) -> Self {
        let digest = StoredDefinition::new(&definition).digest().clone();
        Self {
            written,
            definition,
            digest,
        }
    }
}

/// A process dies at its so-manieth transaction, from 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Death {
    pub(crate) transaction: usize,
    pub(crate) side: Side,
}

/// Whether the transaction at which a process dies is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

/// What somebody does, or what happens, while nothing else moves.
///
/// What is meant is given by its place among all that there are then, from the newest on.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Start {
        flow: usize,
        input: Value,
        key: Option<u8>,
        by: TriggeredBy,
    },
    Vote {
        gate: usize,
        decision: Decision,
        actor: &'static str,
    },
    Resolve {
        gate: usize,
        resolution: Resolution,
        actor: &'static str,
    },
    Cancel {
        execution: usize,
        actor: &'static str,
    },
    Retry {
        execution: usize,
        from: Option<usize>,
        key: Option<u8>,
    },
    /// A call that hangs comes to its end.
    LetGo { call: usize, answer: Reply },
    /// The clock goes on, and stops wherever something is due.
    Pass { ms: u64 },
    /// The clock goes on to where something is due next.
    Due,
    /// The clock is found to have gone on.
    Jump { ms: u64 },
    /// The next version of a workflow is registered.
    Edit { flow: usize },
    /// An orderly shutdown and a new start.
    Drain,
    /// A sudden end while nothing moves, and a new start.
    Kill,
}

/// What a tool, or a model, does at one call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    Success(Value),
    /// Another attempt may succeed.
    Fails,
    /// No other attempt will.
    Refuses,
    Panics,
    /// It answers more than is kept.
    Floods,
    /// A model asks to be left alone for so long; a tool only fails.
    Busy(u64),
    /// It takes for ever.
    Hangs(Manner),
}

/// What a call that hangs does when it is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It fails.
    Obeys,
    /// It goes on.
    Ignores,
    /// It succeeds.
    Succeeds,
}

/// What every call is answered: the same for the same attempt in every process, but its repetition
/// may be answered something else.
#[derive(Debug, Clone)]
pub(crate) struct Replies(pub(crate) Vec<Reply>);

/// One call, as far as its answer depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occasion<'a> {
    pub(crate) step: &'a str,
    pub(crate) visit: u32,
    pub(crate) attempt: u32,
    /// How often this attempt has been made before.
    pub(crate) before: usize,
}

impl Replies {
    pub(crate) fn to(&self, occasion: Occasion<'_>) -> Reply {
        let Occasion {
            step,
            visit,
            attempt,
            before,
        } = occasion;
        let step: usize = step.bytes().map(usize::from).sum();
        let mixed = step * 7 + visit as usize * 3 + attempt as usize * 5 + before * 11;
        self.0[mixed % self.0.len()].clone()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for flow in &self.flows {
            for (number, edition) in flow.editions.iter().enumerate() {
                writeln!(f, "# {}.yaml, version {}", flow.id, number + 1)?;
                let yaml = serde_yaml::to_string(&edition.written).map_err(|_| fmt::Error)?;
                writeln!(f, "{yaml}")?;
            }
        }
        writeln!(f, "replies: {:?}", self.replies.0)?;
        let mut script = String::new();
        for act in &self.acts {
            writeln!(script, "  {act:?}")?;
        }
        writeln!(f, "script:\n{script}deaths: {:?}", self.deaths)
    }
}
