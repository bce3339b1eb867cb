//! One tool of a server: what it is, and a call of it.

use std::sync::Arc;

use async_trait::async_trait;
use gateway::workflow_types::id::ToolName;
use gateway::{Effect, Tool, ToolCall, ToolError, ToolSpec};
use rmcp::model::{Tool as Described, ToolAnnotations};
use serde_json::Value;

use super::connection::Connection;
use super::screen::Screen;

/// A tool, over the connection by which it was found.
struct McpTool {
    name: ToolName,
    connection: Arc<Connection>,
}

/// The tool of a name, if the server has it.
pub(super) fn of(connection: &Arc<Connection>, name: &ToolName) -> Option<Arc<dyn Tool>> {
    connection.tools().get(name)?;
    Some(Arc::new(McpTool {
        name: name.clone(),
        connection: Arc::clone(connection),
    }))
}

#[async_trait]
impl Tool for McpTool {
    fn spec(&self) -> ToolSpec {
        match self.connection.tools().get(&self.name) {
            Some(described) => spec(&self.name, described, self.connection.screen()),
            // It was there when this was made, and a connection's tools never change.
            None => ToolSpec::new(self.name.clone(), "", Effect::Destructive),
        }
    }

    async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
        let described = self.connection.tools().get(&self.name);
        let name = described.map(|tool| tool.name.clone().into_owned());
        self.connection.call(name.unwrap_or_default(), call).await
    }
}

/// A tool as its server describes it. A schema that is none is left to the server to check.
fn spec(name: &ToolName, described: &Described, screen: &Screen) -> ToolSpec {
    let description = described.description.as_deref();
    let description = description.or(described.title.as_deref());
    let description = screen.text(description.unwrap_or_default());
    let effect = effect(described.annotations.as_ref());
    let spec = ToolSpec::new(name.clone(), description, effect);
    let schema = screen.value(described.schema_as_json_value());
    match spec.clone().with_input(&schema) {
        Ok(with_input) => with_input,
        Err(error) => {
            tracing::warn!("the arguments of tool `{name}` are not checked: {error}");
            spec
        }
    }
}

/// What a call does to the world, by the hints and their defaults.
fn effect(annotations: Option<&ToolAnnotations>) -> Effect {
    let Some(annotations) = annotations else {
        return Effect::Destructive;
    };
    if annotations.read_only_hint == Some(true) {
        Effect::ReadOnly
    } else if annotations.idempotent_hint == Some(true) {
        Effect::Idempotent
    } else {
        // Without `destructiveHint` it adds something new every time, which repeats no better.
        Effect::Destructive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_give_the_effect_and_none_the_worst() {
        let hints = |read_only, idempotent| {
            let hints = ToolAnnotations::from_raw(None, read_only, Some(false), idempotent, None);
            effect(Some(&hints))
        };
        assert_eq!(effect(None), Effect::Destructive);
        assert_eq!(hints(None, None), Effect::Destructive);
        assert_eq!(hints(Some(false), Some(true)), Effect::Idempotent);
        assert_eq!(hints(Some(true), None), Effect::ReadOnly);
        assert_eq!(hints(Some(true), Some(false)), Effect::ReadOnly);
    }
}
