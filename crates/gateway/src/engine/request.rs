//! The resolved action of a visit: what is shown at a gate, stored, and exactly what runs.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use workflow_types::action::{Action, ModelAction, OnInterrupt, Text, ToolAction};
use workflow_types::definition::Step;
use workflow_types::execution::ExecutionContext;
use workflow_types::id::{ModelName, ToolName};

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
    },
    /// A question to a model.
    Model {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<ModelName>,
        prompt: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        system: Option<String>,
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
            .render(context)
            .map_err(|(at, error)| {
                format!("the template at `args{at}` cannot be resolved: {error}")
            })?;
        match rendered {
            Value::Object(args) => Ok(Self::Tool {
                tool: action.tool().clone(),
                args,
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
        Ok(Self::Model {
            model: action.model().cloned(),
            prompt: resolve_text("prompt", action.prompt(), context)?,
            system: action
                .system()
                .map(|text| resolve_text("system", text, context))
                .transpose()?,
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
            Self::Tool { tool, args } => match tools.find(tool).await {
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

/// A text with its templates filled in; a value that is no text is written as JSON.
pub(crate) fn resolve_text(
    what: &str,
    text: &Text,
    context: &ExecutionContext<'_>,
) -> Result<String, String> {
    match text.template().render(context) {
        Ok(Value::String(text)) => Ok(text),
        Ok(Value::Null) => Ok(String::new()),
        Ok(other) => Ok(other.to_string()),
        Err(error) => Err(format!(
            "the template in `{what}` cannot be resolved: {error}"
        )),
    }
}
