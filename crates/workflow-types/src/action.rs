//! What a step does, how it is bounded and what an interruption means for it.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use nutype::nutype;
use serde_json::{Map, Value};

use crate::id::{ModelName, SecretName, ToolName};
use crate::output_schema::ValueSchema;
use crate::template::{ArgsTemplate, Template};
use crate::words::words;

/// What a step does. A key that belongs to another action has no place here.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Calls a tool of the host.
    Tool(ToolAction),
    /// Asks a model.
    Model(ModelAction),
    /// Succeeds with null; useful as a branching point or a gate.
    Noop,
}

impl Action {
    /// What an action is called in a definition.
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Tool(_) => ActionKind::Tool,
            Self::Model(_) => ActionKind::Model,
            Self::Noop => ActionKind::Noop,
        }
    }

    /// The secrets that it names, each once.
    ///
    /// ```
    /// use workflow_types::{SourceFormat, WorkflowDefinition};
    ///
    /// let text = "name: W\nsteps:\n  - {id: a, action: model, prompt: '{{ secrets.TOKEN }}'}\n";
    /// let checked = WorkflowDefinition::check(text.as_bytes(), SourceFormat::Yaml);
    /// let definition = checked.definition.unwrap();
    /// let secrets = definition.steps()[0].action().secrets();
    /// assert_eq!(secrets.into_iter().collect::<Vec<_>>(), ["TOKEN".parse().unwrap()]);
    /// ```
    pub fn secrets(&self) -> BTreeSet<SecretName> {
        match self {
            Self::Tool(action) => {
                let secrets = action.args().template().secrets();
                secrets.map(|(_, _, name)| name).collect()
            }
            Self::Model(action) => {
                let texts = std::iter::once(action.prompt()).chain(action.system());
                let secrets = texts.flat_map(|text| text.template().secrets());
                secrets.map(|(_, name)| name).collect()
            }
            Self::Noop => BTreeSet::new(),
        }
    }
}

words! {
    /// The kinds of actions, as a definition names them.
    ActionKind {
        /// Calls a tool of the host.
        Tool = "tool",
        /// Asks a model.
        Model = "model",
        /// Succeeds at once; useful as a branching point or a gate.
        Noop = "noop",
    }
}

impl ActionKind {
    /// How long one attempt may take unless the step says otherwise: 30 s for a tool, 120 s for a
    /// model.
    pub const fn default_timeout(self) -> Duration {
        match self {
            Self::Model => Duration::from_mins(2),
            Self::Tool | Self::Noop => Duration::from_secs(30),
        }
    }
}

/// A call of a tool with arguments, in which templates may stand anywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolAction {
    pub(crate) tool: ToolName,
    pub(crate) args: Args,
}

impl ToolAction {
    /// The tool.
    pub fn tool(&self) -> &ToolName {
        &self.tool
    }

    /// Its arguments before their templates are filled in.
    pub fn args(&self) -> &Args {
        &self.args
    }
}

/// Arguments as written, and compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct Args {
    pub(crate) written: Map<String, Value>,
    pub(crate) template: ArgsTemplate,
}

impl Args {
    /// The arguments as their author wrote them.
    pub fn written(&self) -> &Map<String, Value> {
        &self.written
    }

    /// The compiled templates.
    pub fn template(&self) -> &ArgsTemplate {
        &self.template
    }
}

/// A question to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelAction {
    pub(crate) prompt: Text,
    pub(crate) system: Option<Text>,
    pub(crate) model: Option<ModelName>,
    pub(crate) tools: Vec<ToolName>,
    pub(crate) without_approval: Vec<ToolName>,
    pub(crate) max_turns: Option<MaxTurns>,
    pub(crate) output_schema: Option<ValueSchema>,
}

impl ModelAction {
    /// The question.
    pub fn prompt(&self) -> &Text {
        &self.prompt
    }

    /// The system prompt.
    pub fn system(&self) -> Option<&Text> {
        self.system.as_ref()
    }

    /// The model that is asked; none stands for the host's default.
    pub fn model(&self) -> Option<&ModelName> {
        self.model.as_ref()
    }

    /// The tools that the model may call.
    pub fn tools(&self) -> &[ToolName] {
        &self.tools
    }

    /// Those of them that it may call without asking anybody, although they are destructive.
    pub fn without_approval(&self) -> &[ToolName] {
        &self.without_approval
    }

    /// How many turns the model may take with its tools, where the author says so.
    pub fn max_turns(&self) -> Option<MaxTurns> {
        self.max_turns
    }

    /// How many turns the model may take with its tools: [`DEFAULT_TURNS`] unless the author says
    /// otherwise.
    pub fn turns(&self) -> u32 {
        self.max_turns.map_or(DEFAULT_TURNS, MaxTurns::into_inner)
    }

    /// What the answer must look like.
    pub fn output_schema(&self) -> Option<&ValueSchema> {
        self.output_schema.as_ref()
    }
}

/// A text as written, and compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    pub(crate) written: String,
    pub(crate) template: Template,
}

impl Text {
    /// The text as its author wrote it.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The compiled template.
    pub fn template(&self) -> &Template {
        &self.template
    }
}

/// How many turns a model may take unless its author says otherwise.
pub const DEFAULT_TURNS: u32 = 10;

/// Most turns that an author may allow a model in one step.
pub const MOST_TURNS: u32 = 100;

/// How many turns a model may take in one step: 1 to [`MOST_TURNS`].
#[nutype(
    validate(with = check_turns, error = TurnsError),
    derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)
)]
pub struct MaxTurns(u32);

/// A number of turns that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a whole number from 1 to {MOST_TURNS}")]
pub struct TurnsError;

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that the newtype's validation has"
)]
fn check_turns(turns: &u32) -> Result<(), TurnsError> {
    if (1..=MOST_TURNS).contains(turns) {
        Ok(())
    } else {
        Err(TurnsError)
    }
}

/// The shortest timeout of a step.
pub const SHORTEST_TIMEOUT: Duration = Duration::from_millis(1);
/// The longest timeout of a step.
pub const LONGEST_TIMEOUT: Duration = Duration::from_hours(7 * 24);

/// How long one attempt may take: 1 ms to 7 days.
#[nutype(
    validate(with = check_timeout, error = TimeoutError),
    derive(Debug, Clone, Copy, PartialEq, Eq)
)]
pub struct Timeout(Duration);

/// A timeout that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a timeout is at least 1 ms and at most 7 days")]
pub struct TimeoutError;

fn check_timeout(timeout: &Duration) -> Result<(), TimeoutError> {
    if (SHORTEST_TIMEOUT..=LONGEST_TIMEOUT).contains(timeout) {
        Ok(())
    } else {
        Err(TimeoutError)
    }
}

words! {
    /// What happens to a visit that had begun when the process died.
    OnInterrupt {
        /// The attempt is made again, with the same idempotency key.
        Rerun = "rerun",
        /// The step fails with kind `interrupted`.
        Fail = "fail",
        /// The execution pauses until a person decides.
        Ask = "ask",
    }
}

/// At most so many executions of a workflow under way at once, and what happens to one more.
///
/// One that has begun counts until it ends, also while it waits at a gate or for a retry: with a
/// limit of 1, no two of them are ever mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    /// How many may be under way at once.
    pub limit: NonZeroU32,
    /// What happens to one more.
    pub on_limit: OnLimit,
}

words! {
    /// What happens to an execution that its workflow's limit does not let run.
    OnLimit {
        /// It waits for its turn.
        Queue = "queue",
        /// It is not started.
        Skip = "skip",
    }
}
