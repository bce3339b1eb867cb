//! The workflow definition: what an author wrote, as a type that cannot be wrong.
//!
//! Nothing but [`WorkflowDefinition::check`] and its siblings builds one, so whoever holds a
//! definition need not check it again; what [`WorkflowDefinition::builder`] writes is read by them,
//! too. It knows neither its file nor the runtime.

mod builder;
mod comparisons;
pub(crate) mod fields;
mod graph;
mod names;
mod parse;
pub mod picture;
mod remedy;
pub(crate) mod secrets;
mod shell;
mod step;
mod stored;
pub(crate) mod timing;
mod trigger;

use std::collections::HashMap;
use std::num::NonZeroU32;

use nutype::nutype;
use serde_json::Value;

use crate::action::{Action, Concurrency, OnInterrupt, Timeout};
use crate::approval::ApprovalPolicy;
use crate::diagnostic::{Diagnostics, Place, Pointer, Report, Scope};
use crate::execution::Cost;
use crate::expression::Expression;
use crate::id::{StepId, is_line};
use crate::output_schema::InputSchema;
use crate::retry::RetryPolicy;
use crate::schedule::{CronExpression, Policies, TriggerSchedule};
use crate::source::{self, SourceFormat, SourceMap};

pub use builder::{
    ActiveHoursBuilder, ApprovalBuilder, Model, Noop, RetryBuilder, StepBuilder, Tool,
    TriggerBuilder, WorkflowBuilder,
};
pub(crate) use step::without_approval;
pub use stored::{DefinitionDigest, DigestError, StoredDefinition, StoredDefinitionError};

/// Most steps of a workflow.
pub const MAX_STEPS: usize = 1_000;
/// Most visits that an author may allow an execution.
pub const MOST_VISITS: u32 = 100_000;
/// Visits of an execution, unless its definition says otherwise.
pub const DEFAULT_MAX_VISITS: u32 = 1_000;

/// A validated workflow: its steps, their order and what starts it.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkflowDefinition {
    name: WorkflowName,
    description: Option<String>,
    trigger: Trigger,
    input: Option<InputSchema>,
    steps: Vec<Step>,
    max_steps: MaxSteps,
    max_tokens: Option<NonZeroU32>,
    max_cost: Option<Cost>,
    concurrency: Option<Concurrency>,
    positions: HashMap<StepId, usize>,
}

/// What reading a text gave: the definition unless there are errors, and all diagnostics.
#[derive(Debug)]
pub struct Checked {
    /// The definition, unless a diagnostic is an error.
    pub definition: Option<WorkflowDefinition>,
    /// The steps that could be read although the definition is refused, so that what else is wrong
    /// with them can be said in the same run; empty if it is not refused.
    pub usable: Vec<UsableStep>,
    /// Errors and warnings in the order of their discovery.
    pub diagnostics: Diagnostics,
    /// From the diagnostics' places to lines and columns.
    pub map: SourceMap,
}

/// What reading a value without text gave: the definition unless there are errors, and all
/// diagnostics.
#[derive(Debug)]
pub struct CheckedValue {
    /// The definition, unless a diagnostic is an error.
    pub definition: Option<WorkflowDefinition>,
    /// Errors and warnings in the order of their discovery.
    pub diagnostics: Diagnostics,
}

/// A step of a refused definition, with its address.
#[derive(Debug, Clone, PartialEq)]
pub struct UsableStep {
    /// Where it stands.
    pub at: Pointer,
    /// What it does.
    pub step: Step,
}

impl WorkflowDefinition {
    /// Reads a text and says everything there is to say about it, warnings included.
    pub fn check(text: &[u8], format: SourceFormat) -> Checked {
        let mut report = Report::default();
        let document = source::read(text, format, &mut report);
        let map = &document.map;
        let mut broken: Vec<usize> = report
            .as_slice()
            .iter()
            .map(|diagnostic| map.resolve(&diagnostic.place).start)
            .collect();
        broken.sort_unstable();
        let mut parsed = document
            .value
            .map(|value| parse::workflow(&value, &mut report))
            .unwrap_or_default();
        report.tell_in_order(map);
        // What was read of a step with a mistake in its text is not what its author meant.
        parsed.usable.retain(|step| {
            let span = map.resolve(&Place::value(&step.at));
            let first = broken.partition_point(|at| *at < span.start);
            !broken.get(first).is_some_and(|at| span.contains(at))
        });
        Checked {
            definition: parsed.definition,
            usable: parsed.usable,
            diagnostics: report.finish(),
            map: document.map,
        }
    }

    /// Reads a text; all problems if there is an error among them.
    pub fn parse(text: &[u8], format: SourceFormat) -> Result<Self, Diagnostics> {
        let checked = Self::check(text, format);
        checked.definition.ok_or(checked.diagnostics)
    }

    /// Reads a value that has no text, such as one that a program made.
    ///
    /// The body of a request is a text: read it with [`Self::parse`] as [`SourceFormat::Json`]. In a
    /// value a key that stood there twice is there once, and nobody can tell any more. The warnings
    /// of a good definition are given by [`Self::check_json`].
    ///
    /// # Errors
    ///
    /// All problems, warnings included, if there is an error among them.
    ///
    /// # Examples
    ///
    /// ```
    /// use serde_json::json;
    /// use workflow_types::{SourceFormat, WorkflowDefinition};
    ///
    /// let step = json!({"id": "start", "action": "noop"});
    /// let definition = WorkflowDefinition::from_json(&json!({"name": "W", "steps": [step]}))?;
    /// assert_eq!(definition.name(), "W");
    ///
    /// let body = br#"{"name": "V", "name": "W", "steps": [{"id": "start", "action": "noop"}]}"#;
    /// let problems = WorkflowDefinition::parse(body, SourceFormat::Json).unwrap_err();
    /// assert_eq!(problems.iter().next().unwrap().code.as_str(), "WF0005");
    /// # Ok::<(), workflow_types::Diagnostics>(())
    /// ```
    pub fn from_json(value: &Value) -> Result<Self, Diagnostics> {
        let checked = Self::check_json(value);
        checked.definition.ok_or(checked.diagnostics)
    }

    /// As [`Self::from_json`], with everything there is to say about it, warnings included.
    pub fn check_json(value: &Value) -> CheckedValue {
        let mut report = Report::default();
        source::check_limits(value, &mut report);
        Self::read(value, report)
    }

    /// Builds what was judged before, by this program or by an older one that was less strict.
    fn rebuild(value: &Value) -> Result<Self, Diagnostics> {
        let checked = Self::read(value, Report::within(Scope::Buildable));
        checked.definition.ok_or(checked.diagnostics)
    }

    fn read(value: &Value, mut report: Report) -> CheckedValue {
        let parsed = parse::workflow(value, &mut report);
        CheckedValue {
            definition: parsed.definition,
            diagnostics: report.finish(),
        }
    }

    /// What the workflow is called.
    pub fn name(&self) -> &str {
        self.name.as_ref()
    }

    /// What it is for.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// What starts it.
    pub fn trigger(&self) -> &Trigger {
        &self.trigger
    }

    /// What its input must look like; none stands for any object.
    pub fn input(&self) -> Option<&InputSchema> {
        self.input.as_ref()
    }

    /// Its steps in the order of the text; never empty.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The step with which an execution begins.
    pub fn first_step(&self) -> &Step {
        // `parse` refuses a workflow without steps.
        &self.steps[0]
    }

    /// The step of an id.
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.positions
            .get(id)
            .map(|position| &self.steps[*position])
    }

    /// The step after one in the order of the text.
    pub fn step_after(&self, id: &StepId) -> Option<&Step> {
        self.positions
            .get(id)
            .and_then(|position| self.steps.get(position + 1))
    }

    /// How many visits an execution may make.
    pub fn max_steps(&self) -> MaxSteps {
        self.max_steps
    }

    /// How many tokens of models an execution may use before a model is asked no more.
    pub fn max_tokens(&self) -> Option<NonZeroU32> {
        self.max_tokens
    }

    /// What the models of an execution may cost before none is asked any more.
    pub fn max_cost(&self) -> Option<Cost> {
        self.max_cost
    }

    /// How many executions may run at once.
    pub fn concurrency(&self) -> Option<Concurrency> {
        self.concurrency
    }
}

/// One step: what it does and where the execution goes from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    id: StepId,
    description: Option<String>,
    action: Action,
    approval: Option<ApprovalPolicy>,
    on_success: Option<Target>,
    on_failure: Option<Target>,
    branches: Vec<Branch>,
    timeout: Option<Timeout>,
    retry: RetryPolicy,
    on_interrupt: Option<OnInterrupt>,
}

impl Step {
    /// Its id.
    pub fn id(&self) -> &StepId {
        &self.id
    }

    /// What it is for.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// What it does.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// Its gate, if it has one.
    pub fn approval(&self) -> Option<&ApprovalPolicy> {
        self.approval.as_ref()
    }

    /// Where a success goes that no branch takes; none stands for the next step of the text.
    pub fn on_success(&self) -> Option<&Target> {
        self.on_success.as_ref()
    }

    /// Where a failure goes; none stands for the failure of the execution.
    pub fn on_failure(&self) -> Option<&Target> {
        self.on_failure.as_ref()
    }

    /// Where a success goes if a condition holds; the first one counts.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// How long one attempt may take.
    pub fn timeout(&self) -> std::time::Duration {
        self.timeout
            .map_or(self.action.kind().default_timeout(), Timeout::into_inner)
    }

    /// The same, where the author says so.
    pub fn stated_timeout(&self) -> Option<std::time::Duration> {
        self.timeout.map(Timeout::into_inner)
    }

    /// How often it is tried.
    pub fn retry(&self) -> &RetryPolicy {
        &self.retry
    }

    /// What an interruption means for it, where the author says so.
    pub fn on_interrupt(&self) -> Option<OnInterrupt> {
        self.on_interrupt
    }
}

/// Where an execution goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To a step of the same workflow.
    Step(StepId),
    /// `$end`: it completes.
    End,
    /// `$fail`: it fails.
    Fail,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Step(id) => id.fmt(f),
            Self::End => f.write_str("$end"),
            Self::Fail => f.write_str("$fail"),
        }
    }
}

/// A way that a success takes if a condition holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    condition: Expression,
    goto: Target,
}

impl Branch {
    /// The condition.
    pub fn condition(&self) -> &Expression {
        &self.condition
    }

    /// Where it leads.
    pub fn goto(&self) -> &Target {
        &self.goto
    }
}

/// What starts a workflow.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// Only a request.
    Manual,
    /// A request, or the clock by a pattern in the gateway's default zone.
    Cron(CronExpression),
    /// A request, or the clock by a pattern with its own zone, window or policies.
    Schedule(Box<TriggerSchedule>),
}

impl Trigger {
    /// What becomes of what the clock starts if it is missed or overlaps: the default ones where the
    /// author says nothing.
    pub fn policies(&self) -> Policies {
        match self {
            Self::Manual | Self::Cron(_) => Policies::default(),
            Self::Schedule(schedule) => schedule.policies().clone(),
        }
    }
}

/// The name of a workflow: 1 to 200 characters, no control characters.
#[nutype(
    sanitize(trim),
    validate(with = check_name, error = WorkflowNameError),
    derive(Debug, Clone, PartialEq, Eq, AsRef, Display, Serialize, Deserialize)
)]
pub struct WorkflowName(String);

/// A text that is no name of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 200 characters and no control characters")]
pub struct WorkflowNameError;

fn check_name(name: &str) -> Result<(), WorkflowNameError> {
    if is_line(name) {
        Ok(())
    } else {
        Err(WorkflowNameError)
    }
}

/// What an author may allow the models of an execution to cost.
pub const COSTS: std::ops::RangeInclusive<f64> = 0.000_001..=1_000_000.0;

/// How many visits an execution may make: 1 to 100,000.
#[nutype(
    validate(with = check_max_steps, error = MaxStepsError),
    derive(Debug, Clone, Copy, PartialEq, Eq)
)]
pub struct MaxSteps(NonZeroU32);

/// A number of visits that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a whole number from 1 to {MOST_VISITS}")]
pub struct MaxStepsError;

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that the newtype's validation has"
)]
fn check_max_steps(steps: &NonZeroU32) -> Result<(), MaxStepsError> {
    if steps.get() <= MOST_VISITS {
        Ok(())
    } else {
        Err(MaxStepsError)
    }
}
