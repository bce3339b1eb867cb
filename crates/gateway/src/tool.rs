//! The interface by which a host gives its tools to the gateway.

mod registry;
mod source;

use std::fmt;

use async_trait::async_trait;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use workflow_types::Timestamp;
use workflow_types::id::ToolName;
use workflow_types::output_schema::{SchemaError, ValueSchema};

pub use registry::{Registered, ToolRegistry};
pub use source::ToolSource;

/// A tool of the host.
///
/// A call happens at least once if the tool is read-only or idempotent: after a crash it is
/// repeated with the same idempotency key. A destructive tool is called at most once, unless the
/// workflow's author or a person says otherwise.
#[async_trait]
pub trait Tool: Send + Sync + 'static {
    /// What the tool is: asked once, when it is registered.
    fn spec(&self) -> ToolSpec;

    /// What a call with these arguments does to the world, where that depends on them; the spec's
    /// effect otherwise.
    fn effect_of(&self, args: &Map<String, Value>) -> Effect {
        let _ = args;
        self.spec().effect()
    }

    /// Does the work. The future may be dropped at any point after the call's grace period: what
    /// must not be left half done must be safe to repeat.
    async fn call(&self, call: ToolCall) -> Result<Value, ToolError>;
}

/// What a tool is called, takes and does to the world.
#[derive(Debug, Clone)]
pub struct ToolSpec {
    name: ToolName,
    description: String,
    input: Option<ValueSchema>,
    effect: Effect,
}

impl ToolSpec {
    /// A tool that takes any arguments.
    pub fn new(name: ToolName, description: impl Into<String>, effect: Effect) -> Self {
        Self {
            name,
            description: description.into(),
            input: None,
            effect,
        }
    }

    /// With a JSON Schema of its arguments, which are checked before every call.
    pub fn with_input(mut self, schema: &Value) -> Result<Self, SchemaError> {
        self.input = Some(ValueSchema::parse(schema)?);
        Ok(self)
    }

    /// The name by which steps call it.
    pub fn name(&self) -> &ToolName {
        &self.name
    }

    /// What it is for.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The schema of its arguments.
    pub fn input(&self) -> Option<&ValueSchema> {
        self.input.as_ref()
    }

    /// What a call does to the world.
    pub fn effect(&self) -> Effect {
        self.effect
    }
}

/// What a call does to the world; decides whether an interrupted one is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing.
    ReadOnly,
    /// The same, however often it is made with one idempotency key.
    Idempotent,
    /// Something new every time.
    Destructive,
}

/// One call of a tool. How it is printed says nothing of its arguments, which may have secrets.
#[derive(Clone)]
#[non_exhaustive]
pub struct ToolCall {
    /// The arguments, checked against the tool's schema.
    pub args: Map<String, Value>,
    /// The same for every call that repeats this one, after a crash too.
    pub idempotency_key: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Fires at the deadline, at a cancellation and when the gateway shuts down; a grace period
    /// later the call is dropped.
    pub cancelled: CancellationToken,
    /// When the attempt must be over.
    pub deadline: Timestamp,
}

impl fmt::Debug for ToolCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolCall")
            .field("idempotency_key", &self.idempotency_key)
            .field("attempt", &self.attempt)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl ToolCall {
    /// A call outside a workflow, as a host makes it to try a tool.
    pub fn new(args: Map<String, Value>, idempotency_key: String, deadline: Timestamp) -> Self {
        Self {
            args,
            idempotency_key,
            attempt: 1,
            cancelled: CancellationToken::new(),
            deadline,
        }
    }
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ToolError {
    message: String,
    retryable: bool,
}

impl ToolError {
    /// A failure that another attempt may mend.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            retryable: true,
        }
    }

    /// A failure that no other attempt will mend.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            retryable: false,
        }
    }

    /// Whether another attempt may succeed.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }
}
