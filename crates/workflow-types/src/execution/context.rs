//! What templates and conditions of an execution can read, borrowed from its live state.
//!
//! `input`, `steps`, `error`, `execution` and `workflow` everywhere; conditions also read `result`
//! and `status` of the step that has just run.

use serde_json::Value;

use super::{Execution, History, StepRecord};
use crate::Timestamp;
use crate::expression::{Datum, Object, Scope};
use crate::words::words;

words! {
    /// The names with which an expression may begin.
    ContextName {
        /// The validated input of the execution.
        Input = "input",
        /// The output of the step that has just run; conditions only.
        Result = "result",
        /// The status of the step that has just run; conditions only.
        Status = "status",
        /// The latest visit of each step.
        Steps = "steps",
        /// The message of the latest failure, else null.
        Error = "error",
        /// The execution itself.
        Execution = "execution",
        /// Its workflow.
        Workflow = "workflow",
        /// Values that only a call gets; arguments and questions name them.
        Secrets = "secrets",
    }
}

impl ContextName {
    /// Whether only conditions can read it.
    pub(crate) const fn is_for_conditions(self) -> bool {
        matches!(self, Self::Result | Self::Status)
    }

    /// The names of its members, where they are fixed.
    pub(crate) const fn members(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Execution => Some(&ExecutionView::KEYS),
            Self::Workflow => Some(&WorkflowView::KEYS),
            Self::Input
            | Self::Result
            | Self::Status
            | Self::Steps
            | Self::Error
            | Self::Secrets => None,
        }
    }
}

/// What a template of an execution can read.
#[derive(Debug)]
pub struct ExecutionContext<'a> {
    input: &'a Value,
    history: &'a History,
    execution: ExecutionView,
    workflow: WorkflowView,
}

impl<'a> ExecutionContext<'a> {
    /// The context of an execution; its state is read from `history`, never from storage.
    pub fn new(execution: &'a Execution, workflow_name: &str, history: &'a History) -> Self {
        Self {
            input: &execution.input,
            history,
            execution: ExecutionView {
                id: execution.id.to_string(),
                started_at: execution.started_at.to_string(),
                triggered_by: execution.triggered_by.as_str(),
                scheduled_for: execution.scheduled_for.map(|at: Timestamp| at.to_string()),
            },
            workflow: WorkflowView {
                id: execution.workflow_id.to_string(),
                name: workflow_name.to_owned(),
            },
        }
    }

    /// The same context for the conditions of a step that has just run.
    pub fn after<'c>(&'c self, record: &'c StepRecord) -> ConditionContext<'c> {
        ConditionContext {
            outer: self,
            record,
        }
    }
}

impl Scope for ExecutionContext<'_> {
    fn get(&self, name: &str) -> Option<Datum<'_>> {
        match ContextName::from_word(name)? {
            ContextName::Input => Some(self.input.into()),
            ContextName::Steps => Some(Datum::Virtual(self.history)),
            ContextName::Error => Some(self.history.error().map_or(Datum::Null, Datum::from)),
            ContextName::Execution => Some(Datum::Virtual(&self.execution)),
            ContextName::Workflow => Some(Datum::Virtual(&self.workflow)),
            // No expression has the value of a secret: see `crate::template::SecretMark`.
            ContextName::Result | ContextName::Status | ContextName::Secrets => None,
        }
    }
}

/// What a condition can read after a step has run.
#[derive(Debug)]
pub struct ConditionContext<'a> {
    outer: &'a ExecutionContext<'a>,
    record: &'a StepRecord,
}

impl Scope for ConditionContext<'_> {
    fn get(&self, name: &str) -> Option<Datum<'_>> {
        match name {
            "result" => Some((&self.record.output).into()),
            "status" => Some(self.record.status.as_str().into()),
            other => self.outer.get(other),
        }
    }
}

impl Object for History {
    fn get(&self, key: &str) -> Option<Datum<'_>> {
        self.step(key).map(|record| Datum::Virtual(record))
    }

    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.steps().into_keys().map(std::convert::AsRef::as_ref))
    }
}

impl StepRecord {
    /// The members of `steps.<id>`.
    pub(crate) const KEYS: [&'static str; 5] = ["output", "result", "status", "error", "attempts"];
}

impl Object for StepRecord {
    fn get(&self, key: &str) -> Option<Datum<'_>> {
        match key {
            "output" | "result" => Some((&self.output).into()),
            "status" => Some(self.status.as_str().into()),
            "error" => Some(self.error().map_or(Datum::Null, Datum::from)),
            "attempts" => Some(Datum::Number(f64::from(self.attempts))),
            _ => None,
        }
    }

    /// `result` is an alias of `output` and is not written out a second time.
    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(Self::KEYS.into_iter().filter(|key| *key != "result"))
    }
}

#[derive(Debug)]
struct ExecutionView {
    id: String,
    started_at: String,
    triggered_by: &'static str,
    scheduled_for: Option<String>,
}

impl ExecutionView {
    const KEYS: [&'static str; 4] = ["id", "startedAt", "triggeredBy", "scheduledFor"];
}

impl Object for ExecutionView {
    fn get(&self, key: &str) -> Option<Datum<'_>> {
        match key {
            "id" => Some(self.id.as_str().into()),
            "startedAt" => Some(self.started_at.as_str().into()),
            "triggeredBy" => Some(self.triggered_by.into()),
            "scheduledFor" => Some(
                self.scheduled_for
                    .as_deref()
                    .map_or(Datum::Null, Datum::from),
            ),
            _ => None,
        }
    }

    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(Self::KEYS.into_iter())
    }
}

#[derive(Debug)]
struct WorkflowView {
    id: String,
    name: String,
}

impl WorkflowView {
    const KEYS: [&'static str; 2] = ["id", "name"];
}

impl Object for WorkflowView {
    fn get(&self, key: &str) -> Option<Datum<'_>> {
        match key {
            "id" => Some(self.id.as_str().into()),
            "name" => Some(self.name.as_str().into()),
            _ => None,
        }
    }

    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(Self::KEYS.into_iter())
    }
}
