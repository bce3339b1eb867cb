//! Definitions written in Rust: the same document as a file's, read by the same parser.
//!
//! A builder checks nothing by itself. It writes the keys that a file has and lets
//! [`WorkflowDefinition::from_json`] read them, so a mistake has the same code and the same pointer
//! wherever a definition was written. What a step of one action cannot have, its builder has no
//! method for.

mod policy;
mod step;
mod trigger;

use serde_json::{Map, Value};

use super::{CheckedValue, WorkflowDefinition};
use crate::action::OnLimit;
use crate::diagnostic::Diagnostics;
use crate::shape::workflow::{CONCURRENCY, WORKFLOW};
use crate::shape::{Shape, step as shape};

pub use policy::{ApprovalBuilder, RetryBuilder};
pub use step::{Model, Noop, StepBuilder, Tool};
pub use trigger::{ActiveHoursBuilder, TriggerBuilder};

/// Writes a workflow key by key; see [`WorkflowDefinition::builder`].
#[derive(Debug, Clone)]
#[must_use = "nothing is read before `build`"]
pub struct WorkflowBuilder {
    draft: Draft,
    steps: Vec<Value>,
}

impl WorkflowDefinition {
    /// A workflow written in Rust instead of YAML.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use serde_json::json;
    /// use workflow_types::WorkflowDefinition;
    /// use workflow_types::approval::ApprovalPolicy;
    /// use workflow_types::definition::Step;
    /// use workflow_types::retry::RetryPolicy;
    ///
    /// let definition = WorkflowDefinition::builder("Deploy check")
    ///     .description("Checks a service and offers a rollback.")
    ///     .trigger("0 9 * * MON-FRI")
    ///     .input(json!({"url": "string"}))
    ///     .step(
    ///         Step::tool("check", "http_request")
    ///             .args(json!({"url": "{{ input.url }}"}))
    ///             .timeout(Duration::from_secs(10))
    ///             .retry(RetryPolicy::builder().max_attempts(3))
    ///             .branch("result.status >= 500", "rollback")
    ///             .on_failure("rollback")
    ///             .on_success("$end"),
    ///     )
    ///     .step(
    ///         Step::tool("rollback", "execute_command")
    ///             .args(json!({"command": ["rollback", "{{ input.url }}"]}))
    ///             .approval(ApprovalPolicy::builder().message("Roll {{ input.url }} back?")),
    ///     )
    ///     .build()?;
    /// assert_eq!(definition.steps().len(), 2);
    ///
    /// // A mistake is told as it would be told of a file.
    /// let wrong = WorkflowDefinition::builder("W")
    ///     .step(Step::noop("start").on_success("finnish"))
    ///     .step(Step::model("finish", "Is it done?"))
    ///     .build()
    ///     .unwrap_err();
    /// let mistake = wrong.iter().next().unwrap();
    /// assert_eq!(mistake.code.as_str(), "WF0107");
    /// assert_eq!(mistake.help.as_deref(), Some("did you mean `finish`?"));
    /// # Ok::<(), workflow_types::Diagnostics>(())
    /// ```
    ///
    /// A step has the keys of its own action only; this does not compile:
    ///
    /// ```compile_fail
    /// use workflow_types::definition::Step;
    ///
    /// let step = Step::noop("start").args(serde_json::json!({}));
    /// ```
    pub fn builder(name: impl Into<String>) -> WorkflowBuilder {
        let mut draft = Draft::new(&WORKFLOW);
        draft.set("name", name.into());
        WorkflowBuilder {
            draft,
            steps: Vec::new(),
        }
    }
}

impl WorkflowBuilder {
    /// What it is for.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.draft.set("description", text.into());
        self
    }

    /// What starts it besides a request: `manual`, a cron expression, or a
    /// [`TriggerBuilder`](super::Trigger::on) with a zone, hours and policies.
    pub fn trigger(mut self, trigger: impl Into<TriggerBuilder>) -> Self {
        self.draft.set("trigger", trigger.into().into_value());
        self
    }

    /// What a run needs: names with their types, or a JSON Schema.
    pub fn input(mut self, schema: impl Into<Value>) -> Self {
        self.draft.set("input", schema.into());
        self
    }

    /// How many steps one execution may run.
    pub fn max_steps(mut self, most: u32) -> Self {
        self.draft.set("maxSteps", most);
        self
    }

    /// How many tokens of models an execution may use.
    pub fn max_tokens(mut self, most: u32) -> Self {
        self.draft.set("maxTokens", most);
        self
    }

    /// What the models of an execution may cost, by the prices that the host has configured.
    pub fn max_cost(mut self, most: f64) -> Self {
        self.draft.set("maxCost", most);
        self
    }

    /// How many executions may run at once, and what happens to one more.
    pub fn concurrency(mut self, limit: u32, on_limit: OnLimit) -> Self {
        let mut concurrency = Draft::new(&CONCURRENCY);
        concurrency.set("limit", limit);
        concurrency.set("onLimit", on_limit.as_str());
        self.draft.set("concurrency", concurrency.into_value());
        self
    }

    /// One more step, after those that were added before.
    pub fn step<A>(mut self, step: StepBuilder<A>) -> Self {
        self.steps.push(step.into_value());
        self
    }

    /// The document as a file would hold it, unchecked.
    pub fn into_document(mut self) -> Value {
        self.draft.set("steps", self.steps);
        self.draft.into_value()
    }

    /// Reads what was written and says everything there is to say about it, warnings included.
    ///
    /// ```
    /// use workflow_types::WorkflowDefinition;
    /// use workflow_types::definition::Step;
    ///
    /// let judged = WorkflowDefinition::builder("W")
    ///     .step(Step::noop("first").on_success("last"))
    ///     .step(Step::noop("skipped"))
    ///     .step(Step::noop("last"))
    ///     .check();
    /// assert!(judged.definition.is_some());
    /// let warning = judged.diagnostics.iter().next().unwrap();
    /// assert_eq!(warning.message, "the step `skipped` can never be reached");
    /// ```
    pub fn check(self) -> CheckedValue {
        WorkflowDefinition::check_json(&self.into_document())
    }

    /// Reads what was written; [`Self::check`] gives the warnings of a good one, too.
    ///
    /// # Errors
    /// All problems, warnings included, if there is an error among them.
    pub fn build(self) -> Result<WorkflowDefinition, Diagnostics> {
        WorkflowDefinition::from_json(&self.into_document())
    }
}

/// A mapping that is being written; only keys of its shapes can stand in it.
#[derive(Debug, Clone)]
struct Draft {
    shape: &'static Shape,
    map: Map<String, Value>,
}

impl Draft {
    fn new(shape: &'static Shape) -> Self {
        let map = Map::new();
        Self { shape, map }
    }

    fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        // A step has the keys of its action, too.
        debug_assert!(
            self.shape.key(name).is_some()
                || self.shape.name == shape::STEP.name && shape::is_of_an_action(name),
            "`{name}` is no key of `{}`",
            self.shape.name
        );
        self.map.insert(name.to_owned(), value.into());
    }

    fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    fn push(&mut self, name: &'static str, value: Value) {
        match self.map.get_mut(name).and_then(Value::as_array_mut) {
            Some(items) => items.push(value),
            None => self.set(name, vec![value]),
        }
    }

    fn into_value(self) -> Value {
        Value::Object(self.map)
    }
}

/// Strings as a list of JSON.
fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Value {
    texts.into_iter().map(Into::into).collect()
}
