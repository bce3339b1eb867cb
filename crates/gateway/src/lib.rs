//! Under construction.
#![forbid(unsafe_code)]

mod tool;

pub use tool::{Effect, Registered, Tool, ToolCall, ToolError, ToolRegistry, ToolSpec};
pub use workflow_types;
