//! Tools of MCP servers: programs or addresses that speak the Model Context Protocol.
//!
//! A server is a [`ToolSource`]: it is started when one of its tools is needed, and started again,
//! later each time, when it ends. Whatever it does fails the step that needed it, nothing else.
//! Here and not in the gateway, because it takes processes, HTTP and TLS, of which the gateway has
//! none and this program its own already.

mod account;
mod address;
mod answer;
mod connection;
mod failure;
mod keeper;
mod listener;
mod program;
mod screen;
#[cfg(test)]
mod tests;
mod tool;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use gateway::workflow_types::diagnostic::closest;
use gateway::workflow_types::id::{ServerName, ToolName};
use gateway::workflow_types::template::SecretText;
use gateway::{Clock, Tool, ToolError, ToolSource};

use super::execute_command::Inherit;
use crate::secrets::Revealer;
use connection::Connection;
use keeper::Keeper;

/// How a server is reached, and how long it may take to start.
#[derive(Debug, Clone)]
pub(crate) struct ServerOptions {
    /// How it is reached.
    pub(crate) endpoint: Endpoint,
    /// Who reveals the secrets that it names, anew for every start.
    pub(crate) secrets: Revealer,
    /// How long it may take to start and to name its tools.
    pub(crate) timeout: Duration,
    /// Bytes that one message of it may have.
    pub(crate) max_message: usize,
}

/// How a server is reached.
#[derive(Debug, Clone)]
pub(crate) enum Endpoint {
    /// A program, which is spoken to over its stdin and stdout.
    Program(Program),
    /// An address, which is spoken to over HTTP.
    Address {
        /// The URL.
        url: String,
        /// Headers of every request.
        headers: BTreeMap<String, SecretText>,
    },
}

/// A program, which is spoken to over its stdin and stdout.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    /// Its variables besides those that it inherits.
    pub(crate) env: BTreeMap<String, SecretText>,
    /// What it inherits.
    pub(crate) inherit: Inherit,
    /// Where it is started.
    pub(crate) directory: PathBuf,
}

/// One server with its tools.
pub(crate) struct McpServer {
    name: ServerName,
    options: ServerOptions,
    clock: Arc<dyn Clock>,
    /// Begins with the first need, so that who only looks at tools starts nothing.
    keeper: OnceLock<Keeper>,
}

impl McpServer {
    /// A server that is started when one of its tools is needed.
    pub(crate) fn new(name: ServerName, options: ServerOptions, clock: Arc<dyn Clock>) -> Self {
        Self {
            name,
            options,
            clock,
            keeper: OnceLock::new(),
        }
    }

    async fn connection(&self) -> Result<Arc<Connection>, ToolError> {
        let begin = || {
            let (name, options) = (self.name.clone(), self.options.clone());
            Keeper::begin(name, options, Arc::clone(&self.clock))
        };
        self.keeper.get_or_init(begin).connection().await
    }
}

#[async_trait]
impl ToolSource for McpServer {
    fn name(&self) -> &ServerName {
        &self.name
    }

    async fn find(&self, name: &ToolName) -> Result<Arc<dyn Tool>, ToolError> {
        let connection = self.connection().await?;
        if let Some(tool) = tool::of(&connection, name) {
            return Ok(tool);
        }
        let names: Vec<String> = connection.tools().keys().map(ToString::to_string).collect();
        let remedy = match closest(name.as_ref(), names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("`agentspace tools ls` shows its {}", names.len()),
        };
        Err(ToolError::permanent(format!(
            "MCP server `{}` has no tool `{name}`; {remedy}",
            self.name
        )))
    }

    async fn all(&self) -> Result<Vec<Arc<dyn Tool>>, ToolError> {
        let connection = self.connection().await?;
        let names = connection.tools().keys();
        Ok(names
            .filter_map(|name| tool::of(&connection, name))
            .collect())
    }

    async fn close(&self) {
        if let Some(keeper) = self.keeper.get() {
            keeper.close().await;
        }
    }
}
