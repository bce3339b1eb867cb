//! Checks a definition or a heartbeat against the tools and models of the gateway that is to run it.

use std::ops::Range;

use serde_json::Value;
use workflow_types::action::{Action, ModelAction, ToolAction};
use workflow_types::definition::{Step, UsableStep};
use workflow_types::diagnostic::{Code, Diagnostic, Place, Pointer};
use workflow_types::id::{ModelName, SecretName, ToolName};
use workflow_types::output_schema::Subject;
use workflow_types::{Diagnostics, Heartbeat, WorkflowDefinition};

use crate::loader::Known;
use crate::secret::Secrets;
use crate::tool::ToolRegistry;

/// The diagnostics of a definition with those of its tools and models.
pub(crate) fn against(
    definition: &WorkflowDefinition,
    known: &Known,
    diagnostics: &Diagnostics,
) -> Diagnostics {
    let mut all: Vec<Diagnostic> = diagnostics.iter().cloned().collect();
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
        Action::Model(action) => model(action, at, known, all),
        Action::Noop => {}
    }
    secrets(step, at, &known.secrets, all);
}

/// Names every secret of a step that the host does not have, if it says which it has.
fn secrets(step: &Step, at: &Pointer, secrets: &Secrets, all: &mut Vec<Diagnostic>) {
    let known = match &secrets.source {
        None => Vec::new(),
        Some(source) => match source.names() {
            None => return,
            Some(names) => names,
        },
    };
    let mut look = |at: &Pointer, span: Range<usize>, name: &SecretName| {
        if !known.contains(name) {
            all.push(unknown_secret(name, at, span, &known));
        }
    };
    match step.action() {
        Action::Tool(action) => {
            let args = at.key("args");
            for (inner, span, name) in action.args().template().secrets() {
                let inner = Pointer::from_text(inner).unwrap_or_default();
                look(&args.join(&inner), span, &name);
            }
        }
        Action::Model(action) => {
            let texts = [
                ("prompt", Some(action.prompt())),
                ("system", action.system()),
            ];
            for (key, text) in texts {
                let secrets = text.into_iter().flat_map(|text| text.template().secrets());
                secrets.for_each(|(span, name)| look(&at.key(key), span, &name));
            }
        }
        Action::Noop => {}
    }
}

fn unknown_secret(
    name: &SecretName,
    at: &Pointer,
    span: Range<usize>,
    known: &[SecretName],
) -> Diagnostic {
    let names = known.iter().map(AsRef::as_ref);
    let help = match workflow_types::diagnostic::closest(name.as_ref(), names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "no secrets are configured".to_owned(),
        None => format!("configured: {}", names.collect::<Vec<&str>>().join(", ")),
    };
    let place = Place::inside(at, span);
    let message = format!("there is no secret `{name}`");
    Diagnostic::new(Code::UnknownSecret, place, message)
        .label("not configured")
        .help(help)
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
        // What a source has is known only by asking it, which a check does not.
        if tools.source_of(action.tool()).is_none() {
            all.push(unknown_tool(action.tool(), &at.key("tool"), tools));
        }
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
            if known.tools.look_up(name).is_none() {
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
            let names: Vec<String> = known.models.names().map(ToString::to_string).collect();
            let near = self.model.and_then(|name| {
                let names = names.iter().map(String::as_str);
                workflow_types::diagnostic::closest(name.as_ref(), names)
            });
            all.push(match near {
                Some(near) => warning.help(format!("did you mean `{near}`?")),
                None => warning.help(self.help),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use serde_json::{Value, json};

    use crate::{Effect, Gateway, Tool, ToolCall, ToolError, ToolSpec};

    /// A tool that is never called.
    struct Fetch;

    #[async_trait]
    impl Tool for Fetch {
        fn spec(&self) -> ToolSpec {
            let schema = json!({
                "type": "object",
                "required": ["url"],
                "additionalProperties": false,
                "properties": {
                    "url": {"type": "string"},
                    "method": {"enum": ["GET", "POST"]},
                    "timeout": {"type": "integer", "maximum": 60},
                    "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                },
            });
            ToolSpec::new("fetch".parse().unwrap(), "fetches", Effect::ReadOnly)
                .with_input(&schema)
                .unwrap()
        }

        async fn call(&self, _: ToolCall) -> Result<Value, ToolError> {
            Ok(Value::Null)
        }
    }

    /// What is said of a step's arguments: place, text at the place, message and help.
    fn check(args: &str) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("w.yaml");
        let text = format!("name: W\nsteps:\n  - id: a\n    action: tool\n    tool: fetch\n{args}");
        std::fs::write(&path, text).unwrap();
        let report = Gateway::builder().tool(Fetch).check_file(&path);
        let told = |diagnostic: &workflow_types::diagnostic::Diagnostic| {
            assert_eq!(diagnostic.code.as_str(), "WF0208");
            let span = report.map.resolve(&diagnostic.place);
            let at = report.map.line_column(span.start);
            let text = &report.map.text()[span];
            let help = diagnostic.help.as_deref().unwrap_or("-");
            let message = &diagnostic.message;
            format!("{}:{} {text}: {message} | {help}", at.line, at.column)
        };
        report.diagnostics.iter().map(told).collect()
    }

    #[test]
    fn arguments_are_told_one_by_one_at_their_own_places() {
        let found = check(
            "    args:\n      metod: PUT\n      timeout: \"5\"\n      headers: {accept: 1, x: ok}\n",
        );
        assert_eq!(
            found,
            [
                "8:16 \"5\": `args.timeout` is a string, expected a whole number | write it without quotes",
                "9:25 1: `args.headers.accept` is a number, expected a string | put it in quotes",
                "7:7 metod: `args.metod` is not known to fetch | did you mean `method`?",
                "6:5 args: `args` has no `url`, which fetch requires | add `url`, a string",
            ]
        );
        let found = check("    args: {url: u, method: PSOT, timeout: 61}\n");
        assert_eq!(
            found,
            [
                "6:28 PSOT: `args.method` is a string, expected one of GET, POST | did you mean `POST`?",
                "6:43 61: `args.timeout` is a number, expected at most 60 | -",
            ]
        );
    }

    #[test]
    fn a_step_without_arguments_is_told_what_its_tool_requires() {
        let found = check("");
        assert_eq!(
            found,
            ["3:5 id: a: `args` has no `url`, which fetch requires | add `url`, a string"]
        );
    }

    #[test]
    fn templates_do_not_hide_what_is_wrong_beside_them() {
        let args = "{url: '{{ input.url }}', timeout: '{{ input.t }}', metod: '{{ input.m }}'}";
        assert_eq!(
            check(&format!("    args: {args}\n")),
            ["6:62 metod: `args.metod` is not known to fetch | did you mean `method`?"]
        );
        let args = "{url: '{{ input.url }}', timeout: '{{ input.t }}', method: '{{ input.m }}'}";
        assert!(check(&format!("    args: {args}\n")).is_empty());
    }
}
