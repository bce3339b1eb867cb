//! Writes a step; which methods there are depends on its action.

use std::marker::PhantomData;
use std::time::Duration;

use serde_json::Value;

use super::policy::{ApprovalBuilder, RetryBuilder};
use super::{Draft, texts};
use crate::action::{ActionKind, OnInterrupt};
use crate::definition::Step;
use crate::duration;
use crate::shape::step::{BRANCH, STEP};

/// Writes a step of one action: `A` is [`Tool`], [`Model`] or [`Noop`].
#[derive(Debug, Clone)]
#[must_use = "a step does nothing before it is added to a workflow"]
pub struct StepBuilder<A> {
    draft: Draft,
    action: PhantomData<A>,
}

/// The action that calls a tool.
#[derive(Debug, Clone)]
pub enum Tool {}

/// The action that asks a model.
#[derive(Debug, Clone)]
pub enum Model {}

/// The action that does nothing.
#[derive(Debug, Clone)]
pub enum Noop {}

impl Step {
    /// Writes a step that calls a tool.
    pub fn tool(id: impl Into<String>, tool: impl Into<String>) -> StepBuilder<Tool> {
        StepBuilder::new(id, ActionKind::Tool).with("tool", tool.into())
    }

    /// Writes a step that asks a model.
    pub fn model(id: impl Into<String>, prompt: impl Into<String>) -> StepBuilder<Model> {
        StepBuilder::new(id, ActionKind::Model).with("prompt", prompt.into())
    }

    /// Writes a step that does nothing; useful as a branching point or a gate.
    pub fn noop(id: impl Into<String>) -> StepBuilder<Noop> {
        StepBuilder::new(id, ActionKind::Noop)
    }
}

impl StepBuilder<Tool> {
    /// The tool's arguments, an object; `{{ … }}` may stand in any string.
    pub fn args(self, args: impl Into<Value>) -> Self {
        self.with("args", args)
    }
}

impl StepBuilder<Model> {
    /// The system prompt.
    pub fn system(self, text: impl Into<String>) -> Self {
        self.with("system", text.into())
    }

    /// The model that is asked.
    pub fn model(self, name: impl Into<String>) -> Self {
        self.with("model", name.into())
    }

    /// The tools that the model may call.
    pub fn tools<T: Into<String>>(self, names: impl IntoIterator<Item = T>) -> Self {
        self.with("tools", texts(names))
    }

    /// Those of its tools that are called without asking anybody, although they are destructive.
    pub fn without_approval<T: Into<String>>(self, names: impl IntoIterator<Item = T>) -> Self {
        self.with("withoutApproval", texts(names))
    }

    /// How many turns the model may take with its tools.
    pub fn max_turns(self, most: u32) -> Self {
        self.with("maxTurns", most)
    }

    /// What the answer must look like: names with their types, or a JSON Schema.
    pub fn output_schema(self, schema: impl Into<Value>) -> Self {
        self.with("outputSchema", schema)
    }
}

impl<A> StepBuilder<A> {
    fn new(id: impl Into<String>, kind: ActionKind) -> Self {
        let mut draft = Draft::new(&STEP);
        draft.set("id", id.into());
        draft.set("action", kind.as_str());
        let action = PhantomData;
        Self { draft, action }
    }

    fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.draft.set(name, value);
        self
    }

    /// What it is for.
    pub fn description(self, text: impl Into<String>) -> Self {
        self.with("description", text.into())
    }

    /// A person must approve before it runs: anyone, unless [`Self::approval`] says who.
    pub fn requires_approval(mut self) -> Self {
        // It would be a surprise if asking once more let anybody approve.
        if !self.draft.has("approvalRequired") {
            self.draft.set("approvalRequired", true);
        }
        self
    }

    /// Somebody must approve before it runs: who, how many, how long. The last one counts.
    pub fn approval(self, approval: ApprovalBuilder) -> Self {
        self.with("approvalRequired", approval.into_value())
    }

    /// Where a success goes that no branch takes: a step's id, `$end` or `$fail`.
    pub fn on_success(self, target: impl Into<String>) -> Self {
        self.with("onSuccess", target.into())
    }

    /// Where a failure goes: a step's id, `$end` or `$fail`.
    pub fn on_failure(self, target: impl Into<String>) -> Self {
        self.with("onFailure", target.into())
    }

    /// One more way that a success takes if a condition holds, after those that were added before.
    pub fn branch(mut self, condition: impl Into<String>, goto: impl Into<String>) -> Self {
        let mut branch = Draft::new(&BRANCH);
        branch.set("condition", condition.into());
        branch.set("goto", goto.into());
        self.draft.push("branches", branch.into_value());
        self
    }

    /// How long one attempt may take, in whole milliseconds: what is less is cut off.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with("timeout", duration::format(timeout))
    }

    /// How often it is tried, and how long it waits in between.
    pub fn retry(self, retry: RetryBuilder) -> Self {
        self.with("retry", retry.into_value())
    }

    /// What happens if the program died while it ran.
    pub fn on_interrupt(self, what: OnInterrupt) -> Self {
        self.with("onInterrupt", what.as_str())
    }

    pub(super) fn into_value(self) -> Value {
        self.draft.into_value()
    }
}
