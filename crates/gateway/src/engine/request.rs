//! The resolved action of a visit: what is shown at a gate, stored, and exactly what runs.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use workflow_types::action::{Action, ModelAction, OnInterrupt, Text, ToolAction};
use workflow_types::definition::Step;
use workflow_types::execution::ExecutionContext;
use workflow_types::id::{ModelName, ToolName};
use workflow_types::template::{RenderError, SecretMark};

use super::size;
use crate::tool::{Effect, ToolRegistry};

/// An action with its templates filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub(crate) enum Request {
    /// A call of a tool.
    Tool {
        tool: ToolName,
        args: Map<String, Value>,
        /// Where secrets go, seen from the request.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        secrets: Vec<SecretMark>,
    },
    /// A question to a model.
    Model {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<ModelName>,
        prompt: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        system: Option<String>,
        /// Where secrets go, seen from the request.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        secrets: Vec<SecretMark>,
    },
    /// Nothing.
    Noop,
}

impl Request {
    /// Fills in the templates of a step; the reason if one cannot be.
    pub(crate) fn resolve(step: &Step, context: &ExecutionContext<'_>) -> Result<Self, String> {
        let request = match step.action() {
            Action::Tool(action) => Self::tool(action, context)?,
            Action::Model(action) => Self::model(action, context)?,
            Action::Noop => Self::Noop,
        };
        if size::is_deeper(&request.to_json(), size::MAX_STORED_DEPTH) {
            let limit = size::MAX_STORED_DEPTH;
            return Err(format!(
                "the arguments are nested deeper than {limit} levels"
            ));
        }
        Ok(request)
    }

    fn tool(action: &ToolAction, context: &ExecutionContext<'_>) -> Result<Self, String> {
        let rendered = action
            .args()
            .template()
            .render_with_secrets(context)
            .map_err(|(at, error)| {
                format!("the template at `args{at}` cannot be resolved: {error}")
            })?;
        match rendered.value {
            Value::Object(args) => Ok(Self::Tool {
                tool: action.tool().clone(),
                args,
                secrets: beneath("/args", rendered.secrets),
            }),
            // The definition's arguments are a mapping, and rendering keeps the shape.
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Err("the arguments are no mapping".to_owned()),
        }
    }

    fn model(action: &ModelAction, context: &ExecutionContext<'_>) -> Result<Self, String> {
        let (prompt, mut secrets) = resolve_question("prompt", action.prompt(), context)?;
        let system = match action.system() {
            Some(text) => {
                let (system, more) = resolve_question("system", text, context)?;
                secrets.extend(more);
                Some(system)
            }
            None => None,
        };
        Ok(Self::Model {
            model: action.model().cloned(),
            prompt,
            system,
            secrets,
        })
    }

    /// The form that is stored and shown.
    pub(crate) fn to_json(&self) -> Value {
        // Strings as keys and no custom serialisers: this cannot fail.
        serde_json::to_value(self).unwrap_or(Value::Null)
    }

    /// The request of a stored form; the reason if it is none.
    pub(crate) fn from_json(value: &Value) -> Result<Self, String> {
        Self::deserialize(value).map_err(|error| format!("the stored request is damaged: {error}"))
    }

    /// What an interruption of this request means, unless the author says otherwise.
    pub(crate) async fn default_on_interrupt(&self, tools: &ToolRegistry) -> OnInterrupt {
        let repeatable = match self {
            Self::Noop | Self::Model { .. } => true,
            // A tool that is not found, or panics when it is asked, is not trusted to be repeatable.
            Self::Tool { tool, args, .. } => match tools.find(tool).await {
                Ok(Some(tool)) => catch_unwind(AssertUnwindSafe(|| tool.effect_of(args)))
                    .is_ok_and(|effect| effect != Effect::Destructive),
                Ok(None) | Err(_) => false,
            },
        };
        if repeatable {
            OnInterrupt::Rerun
        } else {
            OnInterrupt::Ask
        }
    }
}

/// A text that is shown, with its templates filled in.
pub(crate) fn resolve_text(
    what: &str,
    text: &Text,
    context: &ExecutionContext<'_>,
) -> Result<String, String> {
    let rendered = text.template().render(context);
    rendered
        .map(into_text)
        .map_err(|error| unresolved(what, &error))
}

/// A text that is asked, with the places of its secrets.
fn resolve_question(
    key: &str,
    text: &Text,
    context: &ExecutionContext<'_>,
) -> Result<(String, Vec<SecretMark>), String> {
    let rendered = text
        .template()
        .render_with_secrets(context)
        .map_err(|error| unresolved(key, &error))?;
    let secrets = beneath(&format!("/{key}"), rendered.secrets);
    Ok((into_text(rendered.value), secrets))
}

/// A value that is no text is written as JSON.
fn into_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn unresolved(what: &str, error: &RenderError) -> String {
    format!("the template in `{what}` cannot be resolved: {error}")
}

fn beneath(outer: &str, marks: Vec<SecretMark>) -> Vec<SecretMark> {
    let marks = marks.into_iter();
    marks.map(|mark| mark.beneath(outer)).collect()
}
