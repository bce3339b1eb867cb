//! Reads what a step does: a tool call, a question to a model, or nothing.

use serde_json::Value;

use crate::action::{Action, ActionKind, Args, MaxTurns, ModelAction, Text, ToolAction};
use crate::definition::fields::{Field, Fields};
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Report};
use crate::output_schema;
use crate::template::{ArgsTemplate, Template};

/// Reads the action of a kind; none if a part of it is not usable.
pub(super) fn read(kind: ActionKind, fields: &mut Fields<'_, '_>) -> Option<Action> {
    match kind {
        ActionKind::Tool => tool(fields).map(Action::Tool),
        ActionKind::Model => model(fields).map(Action::Model),
        ActionKind::Noop => Some(Action::Noop),
    }
}

fn tool(fields: &mut Fields<'_, '_>) -> Option<ToolAction> {
    let name = fields.require_string("tool").and_then(|(text, at)| {
        text.parse()
            .map_err(|error| fields.report.invalid(&at, error))
            .ok()
    });
    let args = match fields.take("args") {
        Some(field) => args(&field, fields.report),
        None => args(
            &Field {
                value: &Value::Object(serde_json::Map::new()),
                at: fields.at().key("args"),
            },
            fields.report,
        ),
    };
    let action = ToolAction {
        tool: name?,
        args: args?,
    };
    check_shell(&action, &fields.at().key("args"), fields.report);
    Some(action)
}

/// The tool whose `command`, written as a string, is run by a shell.
const SHELL_TOOL: &str = "execute_command";

/// A value in a shell string is code: refused, because no quoting is right for every value.
fn check_shell(action: &ToolAction, args: &Pointer, report: &mut Report) {
    let command = action.args().written().get("command");
    let at = args.key("command");
    let is_template =
        |reference: &(String, crate::expression::Reference)| reference.0 == "/command";
    if action.tool().as_ref() != SHELL_TOOL || !command.is_some_and(Value::is_string) {
        return;
    }
    if action
        .args()
        .template()
        .references()
        .iter()
        .any(is_template)
    {
        report.push(
            Diagnostic::new(
                Code::ShellTemplate,
                Place::value(&at),
                format!("`{at}` is a shell string with a template in it, so its value would be run as code"),
            )
            .help("write the command as a list, or pass the value in `env`"),
        );
    }
}

fn args(field: &Field<'_>, report: &mut Report) -> Option<Args> {
    let Some(written) = field.value.as_object() else {
        report.wrong_type(&field.at, "a mapping", field.value);
        return None;
    };
    match ArgsTemplate::parse(field.value) {
        Ok(template) => Some(Args {
            written: written.clone(),
            template,
        }),
        Err(errors) => {
            for (inner, error) in errors {
                let inner = Pointer::from_text(&inner).unwrap_or_default();
                bad_template(&field.at.join(&inner), &error, report);
            }
            None
        }
    }
}

fn model(fields: &mut Fields<'_, '_>) -> Option<ModelAction> {
    let prompt = fields
        .require_string("prompt")
        .and_then(|(text, at)| compile_text(text, &at, fields.report));
    let system = fields
        .string("system")
        .and_then(|(text, at)| compile_text(text, &at, fields.report));
    let model = fields.parsed("model");
    let tools = fields.parsed_list("tools");
    let max_turns = fields.positive("maxTurns").and_then(|(turns, at)| {
        MaxTurns::try_new(turns.get())
            .map_err(|error| fields.report.invalid(&at, error))
            .ok()
    });
    let output_schema = fields
        .take("outputSchema")
        .and_then(|field| output_schema::read_output(field.value, &field.at, fields.report));
    Some(ModelAction {
        prompt: prompt?,
        system,
        model,
        tools,
        max_turns,
        output_schema,
    })
}

/// Compiles a text with templates; reports if it cannot be.
pub(super) fn compile_text(text: &str, at: &Pointer, report: &mut Report) -> Option<Text> {
    match Template::parse(text) {
        Ok(template) => Some(Text {
            written: text.to_owned(),
            template,
        }),
        Err(error) => {
            bad_template(at, &error, report);
            None
        }
    }
}

fn bad_template(at: &Pointer, error: &crate::template::TemplateError, report: &mut Report) {
    let mut diagnostic = Diagnostic::new(
        Code::BadTemplate,
        Place::inside(at, error.span.clone()),
        format!("the template in `{at}` cannot be parsed: {}", error.message),
    );
    if let Some(help) = &error.help {
        diagnostic = diagnostic.help(help);
    }
    if let Some(fix) = &error.fix {
        diagnostic = diagnostic.fix(fix);
    }
    report.push(diagnostic);
}
