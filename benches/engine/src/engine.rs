//! A gateway as a host would start it, with a tool that does nothing and workflows that call it.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use async_trait::async_trait;
use gateway::workflow_types::id::{ToolName, WorkflowId};
use gateway::workflow_types::{SourceFormat, WorkflowDefinition};
use gateway::{Durability, Effect, Gateway, GatewayBuilder, Tool, ToolCall, ToolError, ToolSpec};
use serde_json::{Value, json};

/// A step that takes no time of its own.
struct Trivial(ToolName);

#[async_trait]
impl Tool for Trivial {
    fn spec(&self) -> ToolSpec {
        ToolSpec::new(self.0.clone(), "does nothing", Effect::Idempotent)
    }

    async fn call(&self, _call: ToolCall) -> Result<Value, ToolError> {
        Ok(json!({"ok": true}))
    }
}

/// A gateway on a database in `directory`.
pub(crate) async fn start(directory: &Path, durability: Durability) -> Result<Gateway> {
    Ok(builder(directory, durability)?.start().await?)
}

/// The same, before it is started.
pub(crate) fn builder(directory: &Path, durability: Durability) -> Result<GatewayBuilder> {
    Ok(Gateway::builder()
        .database(directory.join("agentspace.db"))
        .durability(durability)
        .tool(Trivial("trivial".parse()?))
        .max_concurrent_executions(256))
}

/// Registers a workflow of so many steps.
pub(crate) async fn register(gateway: &Gateway, steps: usize) -> Result<WorkflowId> {
    let mut text = format!("name: Steps\nmaxSteps: {}\nsteps:\n", steps.max(1000));
    if steps <= 1000 {
        for number in 0..steps {
            writeln!(
                text,
                "  - {{id: s{number}, action: tool, tool: trivial, args: {{n: {number}}}}}"
            )?;
        }
    } else {
        // A loop: the same ten steps again and again until there were enough.
        for number in 0..10 {
            writeln!(
                text,
                "  - id: s{number}\n    action: tool\n    tool: trivial\n    args: {{n: {number}}}"
            )?;
        }
        writeln!(text, "    branches: [{{condition: 'true', goto: s0}}]")?;
    }
    add(gateway, "steps", &text).await
}

/// Registers a workflow that waits at a gate before its one step.
pub(crate) async fn register_gated(gateway: &Gateway) -> Result<WorkflowId> {
    let text = "name: Gated\nsteps:\n  - {id: s, action: tool, tool: trivial, args: {n: 1}, approvalRequired: true}\n";
    add(gateway, "gated", text).await
}

/// Registers a workflow, as YAML.
pub(crate) async fn add(gateway: &Gateway, id: &str, text: &str) -> Result<WorkflowId> {
    let definition = WorkflowDefinition::parse(text.as_bytes(), SourceFormat::Yaml)?;
    let id: WorkflowId = id.parse()?;
    gateway
        .register_definition(id.clone(), definition, "bench")
        .await?;
    Ok(id)
}
