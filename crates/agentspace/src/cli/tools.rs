//! The words of `tools`.

use std::time::Duration;

use clap::{Args, Subcommand};
use gateway::workflow_types::id::{IdempotencyKey, ToolName};

/// `tools`
#[derive(Debug, Subcommand)]
pub(crate) enum Tools {
    /// List them; starts the configured MCP servers to ask for theirs.
    Ls,
    /// Show one: what it does, its effect and the schema of its arguments.
    Show {
        /// Its name, as `http_request`, or SERVER.TOOL of an MCP server.
        name: ToolName,
    },
    /// Call one outside of a workflow, by the rules of a step.
    Call(ToolCallArgs),
}

/// Which tool is called with what.
#[derive(Debug, Args)]
pub(crate) struct ToolCallArgs {
    /// Its name, as `http_request`, or SERVER.TOOL of an MCP server.
    pub(crate) name: ToolName,
    /// The arguments as a JSON object, or `@FILE` that holds one. Default: {}.
    #[arg(long, value_name = "JSON|@FILE")]
    pub(crate) args: Option<String>,
    /// Call it even if it does something new to the world every time.
    #[arg(long)]
    pub(crate) yes: bool,
    /// How long the call may take.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = super::wait)]
    pub(crate) timeout: Duration,
    /// What tells a tool that a call repeats another one. Default: a new key.
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<IdempotencyKey>,
}
