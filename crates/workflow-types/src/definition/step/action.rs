//! Reads what a step does: a tool call, a question to a model, or nothing.

use serde_json::Value;

use crate::action::{Action, ActionKind, Args, MaxTurns, ModelAction, Text, ToolAction};
use crate::definition::fields::{Field, Fields};
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Remedy, Report};
use crate::id::ToolName;
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
        Some(field) => args(&field, fields),
        None => {
            let none = Field {
                value: &Value::Object(serde_json::Map::new()),
                at: fields.at().key("args"),
            };
            args(&none, fields)
        }
    };
    Some(ToolAction {
        tool: name?,
        args: args?,
    })
}

fn args(field: &Field<'_>, fields: &mut Fields<'_, '_>) -> Option<Args> {
    let Some(written) = field.value.as_object() else {
        fields.wrong_type("args", field);
        return None;
    };
    let (template, errors) = ArgsTemplate::parse_usable(field.value);
    for (inner, error) in errors {
        let inner = Pointer::from_text(&inner).unwrap_or_default();
        bad_template(&field.at.join(&inner), &error, fields.report);
    }
    Some(Args {
        written: written.clone(),
        template,
    })
}

fn model(fields: &mut Fields<'_, '_>) -> Option<ModelAction> {
    let prompt = fields.require_string("prompt").map(|(text, at)| {
        if text.trim().is_empty() && fields.report.judges() {
            let remedy = Remedy::told("write what the model is asked");
            let reason = "the prompt is empty";
            fields.report.invalid_but(&at, reason, Some(remedy));
        }
        compile_text(text, &at, fields.report)
    });
    let system = fields
        .string("system")
        .map(|(text, at)| compile_text(text, &at, fields.report));
    let model = fields.parsed("model");
    let tools = fields.parsed_list("tools");
    let without_approval = without_approval("the step", &tools, fields);
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
        without_approval,
        max_turns,
        output_schema,
    })
}

/// The tools that are called without asking, each of which the model must have; `whose` they are.
pub(crate) fn without_approval(
    whose: &str,
    tools: &[ToolName],
    fields: &mut Fields<'_, '_>,
) -> Vec<ToolName> {
    let named: Vec<(ToolName, Pointer)> = fields.placed_list("withoutApproval");
    let mut known = Vec::with_capacity(named.len());
    for (name, at) in named {
        if !tools.contains(&name) {
            let listed = tools.iter().map(AsRef::as_ref);
            let remedy = match fields.report.closest(name.as_ref(), listed) {
                Some(near) => Remedy::told(format!("did you mean `{near}`?")),
                None => Remedy::told("add it to `tools`, or remove it here"),
            };
            let reason = format!("`{name}` is none of {whose}'s `tools`");
            fields.report.invalid_but(&at, reason, Some(remedy));
        }
        known.push(name);
    }
    known
}

/// Compiles a text with templates. If it cannot be, that is reported, and what comes back only lets
/// the rest of the step be looked at.
pub(super) fn compile_text(text: &str, at: &Pointer, report: &mut Report) -> Text {
    let template = Template::parse(text).unwrap_or_else(|error| {
        bad_template(at, &error, report);
        Template::unreadable(text)
    });
    Text {
        written: text.to_owned(),
        template,
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
