//! Checks a definition or a heartbeat against the tools and models of the gateway that is to run it.

use serde_json::Value;
use workflow_types::action::{Action, ModelAction, ToolAction};
use workflow_types::definition::{Step, Trigger, UsableStep};
use workflow_types::diagnostic::{Code, Diagnostic, Place, Pointer};
use workflow_types::id::{ModelName, ToolName};
use workflow_types::output_schema::Subject;
use workflow_types::{Diagnostics, Heartbeat, WorkflowDefinition};

use crate::loader::Known;
use crate::tool::ToolRegistry;

/// The diagnostics of a definition with those of its tools and models.
pub(crate) fn against(
    definition: &WorkflowDefinition,
    known: &Known,
    diagnostics: &Diagnostics,
) -> Diagnostics {
    let mut all: Vec<Diagnostic> = diagnostics.iter().cloned().collect();
    not_acted_on(definition, &mut all);
    for (index, step) in definition.steps().iter().enumerate() {
        let at = Pointer::root().key("steps").index(index);
        self::step(step, &at, known, &mut all);
    }
    Diagnostics::from(all)
}

/// The diagnostics of a refused definition with those of the steps that could be read.
pub(crate) fn usable(
    steps: &[UsableStep],
    known: &Known,
    diagnostics: &Diagnostics,
) -> Diagnostics {
    let mut all: Vec<Diagnostic> = diagnostics.iter().cloned().collect();
    for UsableStep { at, step } in steps {
        self::step(step, at, known, &mut all);
    }
    Diagnostics::from(all)
}

fn step(step: &Step, at: &Pointer, known: &Known, all: &mut Vec<Diagnostic>) {
    match step.action() {
        Action::Tool(action) => tool(action, at, &known.tools, all),
        Action::Model(action) => {
            if !action.tools().is_empty() {
                let what = "a model is not given its tools: it answers without calling any";
                all.push(ignored(&at.key("tools"), what));
            }
            model(action, at, known, all);
        }
        Action::Noop => {}
    }
}

/// Warns of what is checked and stored but changes nothing yet, so that nobody relies on it.
fn not_acted_on(definition: &WorkflowDefinition, all: &mut Vec<Diagnostic>) {
    match definition.trigger() {
        Trigger::Manual => {}
        Trigger::Cron(_) | Trigger::Schedule(_) => {
            let what = "the schedule does not fire: workflows start only on request";
            all.push(ignored(&Pointer::root().key("trigger"), what));
        }
    }
    if definition.concurrency().is_some() {
        let what = "`concurrency` is not enforced: every execution runs at once";
        all.push(ignored(&Pointer::root().key("concurrency"), what));
    }
}

fn ignored(at: &Pointer, what: &str) -> Diagnostic {
    let message = format!("in this version {what}");
    Diagnostic::new(Code::NotActedOn, Place::value(at), message)
        .label("has no effect yet")
        .help("leave it for a later version, or remove it")
}

/// The diagnostics of a heartbeat with those of its tools and its model.
pub(crate) fn heartbeat(
    heartbeat: &Heartbeat,
    known: &Known,
    diagnostics: &Diagnostics,
) -> Diagnostics {
    let mut all: Vec<Diagnostic> = diagnostics.iter().cloned().collect();
    let asks = Asks {
        model: heartbeat.model(),
        tools: heartbeat.tools(),
        at: Pointer::root(),
        unnamed: Pointer::root().key("model"),
        help: "no item can be judged unless the host configures one",
    };
    asks.check(known, &mut all);
    Diagnostics::from(all)
}

fn tool(action: &ToolAction, at: &Pointer, tools: &ToolRegistry, all: &mut Vec<Diagnostic>) {
    let Some(tool) = tools.get(action.tool()) else {
        all.push(unknown_tool(action.tool(), &at.key("tool"), tools));
        return;
    };
    let Some(schema) = tool.spec().input() else {
        return;
    };
    // A file is no place for secrets, but what stands in it need not be repeated in a log either.
    let subject = Subject::new("args")
        .taken_by(action.tool().as_ref())
        .masked()
        .with_templates();
    let written = Value::Object(action.args().written().clone());
    let problems = schema.problems(&written, &subject);
    let base = at.key("args");
    all.extend(
        problems
            .into_iter()
            .map(|problem| problem.diagnostic(Code::BadToolArgs, &base)),
    );
}

fn unknown_tool(name: &ToolName, at: &Pointer, tools: &ToolRegistry) -> Diagnostic {
    let names: Vec<String> = tools
        .iter()
        .map(|tool| tool.spec().name().to_string())
        .collect();
    let help = match workflow_types::diagnostic::closest(
        name.as_ref(),
        names.iter().map(String::as_str),
    ) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "no tools are registered".to_owned(),
        None => format!("registered: {}", names.join(", ")),
    };
    Diagnostic::new(
        Code::UnknownTool,
        Place::value(at),
        format!("there is no tool `{name}`"),
    )
    .label("not registered")
    .help(help)
}

fn model(action: &ModelAction, at: &Pointer, known: &Known, all: &mut Vec<Diagnostic>) {
    let asks = Asks {
        model: action.model(),
        tools: action.tools(),
        at: at.clone(),
        unnamed: at.key("action"),
        help: "the step fails unless the host configures one",
    };
    asks.check(known, all);
}

/// Who asks a model.
struct Asks<'a> {
    model: Option<&'a ModelName>,
    tools: &'a [ToolName],
    /// The address of the mapping that says so.
    at: Pointer,
    /// Where it is shown that no model is named and none configured.
    unnamed: Pointer,
    /// What a missing model means.
    help: &'static str,
}

impl Asks<'_> {
    /// A model may be configured later, so that a missing one is a warning.
    fn check(&self, known: &Known, all: &mut Vec<Diagnostic>) {
        for (index, name) in self.tools.iter().enumerate() {
            if known.tools.get(name).is_none() {
                let at = self.at.key("tools").index(index);
                all.push(unknown_tool(name, &at, &known.tools));
            }
        }
        let missing = match self.model {
            Some(name) if known.models.get(name).is_none() => {
                Some((self.at.key("model"), format!("there is no model `{name}`")))
            }
            None if known.models.default_model().is_none() => {
                Some((self.unnamed.clone(), "no model is configured".to_owned()))
            }
            Some(_) | None => None,
        };
        if let Some((at, message)) = missing {
            let warning = Diagnostic::new(Code::UnknownModel, Place::value(&at), message);
            all.push(warning.help(self.help));
        }
    }
}
